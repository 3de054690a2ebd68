//! Questions that people ask. Each has a name and says what it answers.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{ErrorCode, OptionalExtension};
use serde_json::Value;

use super::queue::count;
use super::{Error, Reader};
use crate::archive::Place;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// A question of the user's own may take this long.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Rows with their column names.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The rows, as JSON values; blobs as hexadecimal text.
    pub rows: Vec<Vec<Value>>,
}

/// What the archive holds and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// URLs by state.
    pub states: Vec<(String, u64)>,
    /// Captures, and the bytes of the payloads they hold.
    pub captures: (u64, u64),
    /// Articles, and those of them that lack no picture.
    pub articles: (u64, u64),
    /// Pictures of articles, and those that are kept.
    pub images: (u64, u64),
    /// Hosts with something queued: name, page-like, requisites.
    pub waiting: Vec<(String, u64, u64)>,
    /// Rules that kept links out, by what they kept out: rule, links, one of them.
    pub kept_out: Vec<(String, u64, String)>,
    /// The last runs, newest first.
    pub runs: Vec<RunRow>,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Its number.
    pub id: i64,
    /// Its profile.
    pub profile: String,
    /// When it began.
    pub started: Timestamp,
    /// When it ended; none while it runs, or when it was killed.
    pub finished: Option<Timestamp>,
    /// Why it ended.
    pub stopped_by: Option<String>,
    /// What it did, as JSON.
    pub counters: String,
}

/// The last capture of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// How many there are.
    pub captures: u64,
    /// When the last one was made.
    pub at: Timestamp,
    /// Its status.
    pub status: Option<u16>,
    /// Where its response stands.
    pub place: Place,
}

/// What became of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// `queued`, `done`, `refused`, `failed`, or `named`: known from a page, not fetched.
    pub state: String,
    via: Option<String>,
    page: Option<String>,
    why: Option<String>,
}

impl Standing {
    /// Why it is known, for a person.
    pub fn reason(&self) -> String {
        let known = match (&self.page, &self.via) {
            (Some(page), _) => format!("needed by {page}"),
            (None, Some(via)) => format!("named by {via}"),
            (None, None) => "a seed, or an address of a picture".to_owned(),
        };
        self.why.as_ref().map_or(known.clone(), |why| format!("{known}; {why}"))
    }
}

/// What a run brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Articles that are new or have changed.
    pub articles: u64,
    /// Those of them that lack a picture.
    pub incomplete: u64,
    /// By seed: new articles, changed ones.
    pub by_seed: HashMap<i64, (u64, u64)>,
    /// Seeds that could not be fetched.
    pub failed_seeds: HashSet<i64>,
    /// Seeds that wait to be fetched, or whose redirect does.
    pub waiting_seeds: HashSet<i64>,
}

impl Reader {
    /// What did this run bring?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn run_brought(&self, run: i64) -> Result<Brought, Error> {
        let read = || -> rusqlite::Result<Brought> {
            let c = &self.connection;
            let mut brought = Brought::default();
            let mut versions = c.prepare(
                "SELECT coalesce(u.seed, s.id, 0),
                     NOT EXISTS (SELECT 1 FROM article_version o WHERE o.url = v.url AND o.id < v.id),
                     NOT EXISTS (SELECT 1 FROM picture_kept p LEFT JOIN capture k ON k.id = p.capture
                         LEFT JOIN payload y ON y.id = k.payload
                         WHERE (k.id IS NULL OR y.notice) AND p.version IN
                             (SELECT max(n.id) FROM article_version n WHERE n.url = v.url
                              UNION ALL SELECT l.version FROM later_page l WHERE l.article = v.url))
                     AND NOT EXISTS (SELECT 1 FROM later_page l WHERE l.article = v.url AND l.version IS NULL)
                 FROM article_version v JOIN capture c ON c.id = v.capture JOIN url u ON u.id = v.url
                 LEFT JOIN seed s ON s.name = u.text
                 WHERE c.run = ?1 AND NOT EXISTS (SELECT 1 FROM continuation n WHERE n.url = v.url)",
            )?;
            let mut rows = versions.query([run])?;
            while let Some(row) = rows.next()? {
                let (seed, new, complete): (i64, bool, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
                brought.articles += 1;
                brought.incomplete += u64::from(!complete);
                let of_seed = brought.by_seed.entry(seed).or_default();
                *(if new { &mut of_seed.0 } else { &mut of_seed.1 }) += 1;
            }
            let seeds_that = |how: &str| -> rusqlite::Result<HashSet<i64>> {
                let mut seeds = c.prepare(&format!(
                    "SELECT s.id FROM seed s JOIN url u ON u.text = s.name
                     LEFT JOIN redirect r ON r.url = u.id AND u.status BETWEEN 300 AND 399 AND u.status <> 304
                     LEFT JOIN url t ON t.id = coalesce(r.target, u.id)
                     WHERE s.last_run = ?1 AND {how}"
                ))?;
                seeds.query_map([run], |row| row.get(0))?.collect()
            };
            brought.waiting_seeds = seeds_that("t.state = 'queued'")?;
            brought.failed_seeds = seeds_that("(t.state IN ('failed', 'refused') OR t.status >= 400)")?;
            Ok(brought)
        };
        read().map_err(|source| self.failed(source))
    }

    /// What does the archive hold, and what waits?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn status(&self) -> Result<Status, Error> {
        let read = || {
            let c = &self.connection;
            let pair = |sql: &str| c.query_row(sql, [], |row| Ok((count(row, 0)?, count(row, 1)?)));
            let mut states = c.prepare("SELECT state, count(*) FROM url GROUP BY state ORDER BY state")?;
            let mut waiting = c.prepare(
                "SELECT h.name, sum(u.class = 0), sum(u.class = 1) FROM url u JOIN host h ON h.id = u.host
                 WHERE u.state = 'queued' GROUP BY h.name ORDER BY count(*) DESC, h.name LIMIT 20",
            )?;
            let mut kept_out = c.prepare(
                "SELECT rule, sum(urls), min(example) FROM kept_out GROUP BY rule ORDER BY sum(urls) DESC, rule",
            )?;
            let mut runs = c.prepare(
                "SELECT id, profile, started_ms, finished_ms, stopped_by, counters FROM run ORDER BY id DESC LIMIT 5",
            )?;
            Ok(Status {
                states: states.query_map([], |row| Ok((row.get(0)?, count(row, 1)?)))?.collect::<Result<_, _>>()?,
                captures: pair(
                    "SELECT count(*), coalesce(sum(p.size_bytes) FILTER (WHERE c.kind <> 'revisit'), 0)
                     FROM capture c JOIN payload p ON p.id = c.payload",
                )?,
                articles: pair("SELECT count(*), coalesce(sum(complete), 0) FROM article")?,
                images: pair(
                    "SELECT count(*), coalesce(sum(kept_url IS NOT NULL AND verdict <> 'suspected notice picture'), 0)
                     FROM image",
                )?,
                waiting: waiting
                    .query_map([], |row| Ok((row.get(0)?, count(row, 1)?, count(row, 2)?)))?
                    .collect::<Result<_, _>>()?,
                kept_out: kept_out
                    .query_map([], |row| Ok((row.get(0)?, count(row, 1)?, row.get(2)?)))?
                    .collect::<Result<_, _>>()?,
                runs: runs
                    .query_map([], |row| {
                        Ok(RunRow {
                            id: row.get(0)?,
                            profile: row.get(1)?,
                            started: Timestamp(row.get(2)?),
                            finished: row.get::<_, Option<i64>>(3)?.map(Timestamp),
                            stopped_by: row.get(4)?,
                            counters: row.get(5)?,
                        })
                    })?
                    .collect::<Result<_, _>>()?,
            })
        };
        read().map_err(|source| self.failed(source))
    }

    /// Was this URL captured, when last, and where does it stand? Answers with the newest of status 200, or 304
    /// when it was asked again, else the newest of any.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn last_capture(&self, url: &str) -> Result<Option<Last>, Error> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM capture n WHERE n.url = u.id), c.fetched_ms, c.status, f.name,
                         c.offset, c.length
                     FROM host h JOIN url u ON u.host = h.id JOIN capture c ON c.url = u.id
                     JOIN warc_file f ON f.id = c.file
                     WHERE h.name = ?1 AND u.text = ?2
                     ORDER BY coalesce(c.status, 200) IN (200, 304) DESC, c.fetched_ms DESC, c.id DESC LIMIT 1",
                )?
                .query_row((super::commit::host_of(url), url), |row| {
                    let place = Place { file: row.get(3)?, offset: count(row, 4)?, length: count(row, 5)? };
                    Ok(Last { captures: count(row, 0)?, at: Timestamp(row.get(1)?), status: row.get(2)?, place })
                })
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }

    /// What became of this URL?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn standing(&self, url: &WebUrl) -> Result<Option<Standing>, Error> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT u.state, u.via, u.page, u.reason FROM url u JOIN host h ON h.id = u.host
                     WHERE h.name = ?1 AND u.text = ?2",
                )?
                .query_row((url.host(), url.as_str()), |row| {
                    let (state, via, page) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    Ok(Standing { state, via, page, why: row.get(3)? })
                })
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The captures of a URL, oldest first.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn captures_of(&self, url: &str) -> Result<Answer, Error> {
        let read = || {
            let mut statement = self.connection.prepare(
                "SELECT fetched, kind, status, media, size_bytes, payload_digest, warc_file, warc_offset
                 FROM capture_log WHERE url = ?1 ORDER BY fetched",
            )?;
            rows(&mut statement, [url])
        };
        read().map_err(|source| self.failed(source))
    }

    /// The further pages of an article that is spread over several, in order: which are kept, and why others are not.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn parts_of(&self, url: &str) -> Result<Answer, Error> {
        self.of_article("SELECT number, url, kept, why FROM article_part WHERE article = ?1 ORDER BY number", url)
    }

    /// The pictures of an article, whether each is kept, and if not, why.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn pictures_of(&self, url: &str) -> Result<Answer, Error> {
        let sql = "SELECT position, verdict, why, original, kept_url FROM image WHERE article = ?1 ORDER BY position";
        self.of_article(sql, url)
    }

    fn of_article(&self, sql: &str, url: &str) -> Result<Answer, Error> {
        let read = || rows(&mut self.connection.prepare(sql)?, [url]);
        read().map_err(|source| self.failed(source))
    }

    /// Any SQL that only reads; one statement, at most a minute.
    ///
    /// # Errors
    /// [`Error::Question`] when it is wrong, writes, or takes too long.
    pub fn sql(self, sql: &str) -> Result<Answer, Error> {
        self.sql_within(sql, TIME_LIMIT)
    }

    /// [`Reader::sql`] with another time limit.
    ///
    /// # Errors
    /// As there.
    pub fn sql_within(self, sql: &str, limit: Duration) -> Result<Answer, Error> {
        let end = Instant::now() + limit;
        let ask = || {
            let mut connection = self.connection;
            connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
            connection.progress_handler(1000, Some(move || Instant::now() > end))?;
            // Last: our own pragmas would be refused as well.
            connection.authorizer(Some(only_reading))?;
            let mut statement = connection.prepare(sql)?;
            rows(&mut statement, [])
        };
        ask().map_err(|cause| match cause.sqlite_error_code() {
            Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => Error::Refused(cause),
            _ => Error::Question(cause),
        })
    }
}

fn rows(statement: &mut rusqlite::Statement<'_>, values: impl rusqlite::Params) -> rusqlite::Result<Answer> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let width = columns.len();
    let rows = statement.query_map(values, |row| (0..width).map(|i| row.get_ref(i).map(json)).collect())?;
    Ok(Answer { rows: rows.collect::<Result<_, _>>()?, columns })
}

/// Reading tables and calling functions; nothing that writes, attaches or loads.
fn only_reading(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => Authorization::Allow,
        AuthAction::Function { function_name } if function_name != "load_extension" => Authorization::Allow,
        _ => Authorization::Deny,
    }
}

fn json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(int) => int.into(),
        ValueRef::Real(real) => real.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(blob) => data_encoding::HEXLOWER.encode(blob).into(),
    }
}
