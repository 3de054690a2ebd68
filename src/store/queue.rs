//! Reading the queue: what the frontier asks for. Nothing here writes.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use super::commit::{class, find, host_of};
use super::{Error, Run};
use crate::politeness::{AddressClock, HostClock, ROBOTS_HOPS, RobotsCopy, Trouble};
use crate::web::candidate::{Candidate, Class, Role};
use crate::web::referrer::Referrer;
use crate::web::time::Timestamp;
use crate::web::url::{Origin, WebUrl};
use crate::web::verdict::RobotsVerdict;

/// What `queued` reads, and from where.
const COLUMNS: &str =
    "u.text, u.role, u.priority, u.due_ms, u.tries, u.seed, u.via, u.depth, u.hops, u.page, u.referer,
    u.claims, u.referrer, u.rung FROM url u JOIN host h ON h.id = u.host";

/// A page that a budget would count when it is asked for.
const UNBEGUN: &str = "u.role = 'page' AND u.hops = 0 AND u.tries = 0";

/// A connection that only reads.
pub struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

/// A URL in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// What to fetch, and for what.
    pub candidate: Candidate,
    /// Attempts so far.
    pub tries: u32,
    /// Not before.
    pub due: Timestamp,
}

/// A host with something in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRow {
    /// Its clocks.
    pub clock: HostClock,
    /// Page-like URLs queued.
    pub pages: u64,
    /// Requisites queued.
    pub requisites: u64,
}

impl Reader {
    pub(super) fn new(connection: Connection, path: PathBuf) -> Reader {
        connection.set_prepared_statement_cache_capacity(32);
        Reader { connection, path }
    }

    pub(super) fn failed(&self, source: rusqlite::Error) -> Error {
        Error::Sqlite { doing: "read", path: self.path.clone(), source }
    }

    /// Every host with its stored clocks, and how much is queued under it.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn hosts(&self) -> Result<Vec<HostRow>, Error> {
        let read = || -> rusqlite::Result<Vec<HostRow>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT h.name, h.page_next_ms, h.requisite_next_ms, h.trouble, h.trouble_until_ms,
                     (SELECT count(*) FROM url u WHERE u.host = h.id AND u.state = 'queued' AND u.class = 0),
                     (SELECT count(*) FROM url u WHERE u.host = h.id AND u.state = 'queued' AND u.class = 1)
                 FROM host h WHERE h.name <> '' ORDER BY h.id",
            )?;
            let rows = statement.query_map([], |row| {
                let name: String = row.get(0)?;
                let clock = HostClock {
                    host: Arc::from(name),
                    page_next: Timestamp(row.get(1)?),
                    requisite_next: Timestamp(row.get(2)?),
                    trouble: Trouble { steps: row.get(3)?, until: Timestamp(row.get(4)?) },
                };
                Ok(HostRow { clock, pages: count(row, 5)?, requisites: count(row, 6)? })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The clocks of addresses that were not at rest when they were last seen.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn addresses(&self) -> Result<Vec<AddressClock>, Error> {
        let read = || -> rusqlite::Result<Vec<AddressClock>> {
            let mut statement =
                self.connection.prepare("SELECT address, next_ms, trouble, trouble_until_ms FROM address")?;
            let rows = statement.query_map([], |row| {
                let address: String = row.get(0)?;
                let trouble = Trouble { steps: row.get(2)?, until: Timestamp(row.get(3)?) };
                let next = Timestamp(row.get(1)?);
                // What no address is was put there by somebody else, and holds nobody.
                Ok(address.parse().ok().map(|address| AddressClock { address, next, trouble }))
            })?;
            rows.filter_map(Result::transpose).collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// One host of [`Reader::hosts`].
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn host(&self, name: &str) -> Result<Option<HostRow>, Error> {
        Ok(self.hosts()?.into_iter().find(|host| *host.clock.host == *name))
    }

    /// The stored copy of an origin's robots.txt.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn robots_of(&self, origin: &Origin) -> Result<Option<RobotsCopy>, Error> {
        let read = || {
            self.connection
                .prepare_cached("SELECT fetched_ms, status, body FROM robots WHERE origin = ?1")?
                .query_row([origin.to_string()], |row| {
                    Ok(RobotsCopy { fetched: Timestamp(row.get(0)?), status: row.get(1)?, bytes: row.get(2)? })
                })
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The address that copy was had from: robots.txt may have moved.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn robots_from(&self, origin: &Origin) -> Result<String, Error> {
        let read = || -> rusqlite::Result<String> {
            let mut next = self.connection.prepare_cached(
                "SELECT t.text FROM host h JOIN url u ON u.host = h.id JOIN redirect r ON r.url = u.id
                 JOIN url t ON t.id = r.target
                 WHERE h.name = ?1 AND u.text = ?2 AND u.role = 'robots' AND u.status BETWEEN 300 AND 399",
            )?;
            let mut from = origin.robots().as_str().to_owned();
            for _ in 0..ROBOTS_HOPS {
                match next.query_row((host_of(&from), &from), |row| row.get(0)).optional()? {
                    Some(target) => from = target,
                    None => break,
                }
            }
            Ok(from)
        };
        read().map_err(|source| self.failed(source))
    }

    /// What robots.txt said of this URL when it was last asked for, or forbidden.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn robots_verdict(&self, url: &WebUrl) -> Result<Option<RobotsVerdict>, Error> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT r.allowed, r.rule, nullif(r.line, 0) FROM host h JOIN url u ON u.host = h.id
                     JOIN robots_rule r ON r.id = u.robots_rule WHERE h.name = ?1 AND u.text = ?2",
                )?
                .query_row((url.host(), url.as_str()), |row| {
                    Ok(RobotsVerdict { allowed: row.get(0)?, rule: row.get(1)?, line: row.get(2)? })
                })
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }

    fn host_id(&self, url: &WebUrl) -> rusqlite::Result<Option<i64>> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM host WHERE name = ?1")?;
        statement.query_row([url.host()], |row| row.get(0)).optional()
    }

    /// Would an offer of this candidate put it into the queue?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn accepts(&self, candidate: &Candidate, run: Run) -> Result<bool, Error> {
        let read = || -> rusqlite::Result<bool> {
            let Some(host) = self.host_id(&candidate.url)? else { return Ok(true) };
            let (standing, _) = find(&self.connection, host, candidate.url.as_str())?;
            Ok(standing.is_none_or(|standing| standing.accepts(candidate, run)))
        };
        read().map_err(|source| self.failed(source))
    }

    /// Does a page of these seeds wait that has not begun?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn waits_for(&self, seeds: &BTreeSet<i64>) -> Result<bool, Error> {
        let statement = self.connection.prepare(&format!(
            "SELECT 1 FROM url u WHERE u.state = 'queued' AND {UNBEGUN}
                 AND u.seed IN (SELECT value FROM json_each(?1)) LIMIT 1"
        ));
        let waits = statement.and_then(|mut statement| statement.exists([numbers(seeds)]));
        waits.map_err(|source| self.failed(source))
    }

    /// What the rules against traps remember under this key.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn mark(&self, key: i64) -> Result<Option<i64>, Error> {
        let mark = self.connection.prepare_cached("SELECT value FROM mark WHERE key = ?1");
        let mark = mark.and_then(|mut mark| mark.query_row([key], |row| row.get(0)).optional());
        mark.map_err(|source| self.failed(source))
    }

    /// The row of a URL, whatever its state; `due` is what it was when it was queued last.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn row(&self, url: &WebUrl) -> Result<Option<Queued>, Error> {
        let read = || -> rusqlite::Result<Option<Queued>> {
            let Some(host) = self.host_id(url)? else { return Ok(None) };
            let Some(standing) = find(&self.connection, host, url.as_str())?.0 else { return Ok(None) };
            self.connection
                .prepare_cached(&format!("SELECT {COLUMNS} WHERE u.id = ?1"))?
                .query_row([standing.id], queued)
        };
        read().map_err(|source| self.failed(source))
    }

    /// The next URLs of a host and class, the most urgent first, without those in `in_hand` and without pages of the
    /// seeds in `closed` that have not begun; at most `limit`.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn queued(
        &self,
        host: &str,
        of: Class,
        in_hand: &HashSet<String>,
        closed: &BTreeSet<i64>,
        limit: usize,
    ) -> Result<Vec<Queued>, Error> {
        let read = || -> rusqlite::Result<Vec<Queued>> {
            let mut statement = self.connection.prepare_cached(&format!(
                "SELECT {COLUMNS}
                 WHERE h.name = ?1 AND u.class = ?2 AND u.state = 'queued'
                     AND NOT ({UNBEGUN} AND coalesce(u.seed, 0) IN (SELECT value FROM json_each(?4)))
                 ORDER BY u.priority, u.id LIMIT ?3"
            ))?;
            let most = i64::try_from(limit + in_hand.len()).unwrap_or(i64::MAX);
            let rows = statement.query_map((host, class(of), most, numbers(closed)), queued)?;
            let fresh = rows.filter_map(Result::transpose).filter(|row| match row {
                Ok(queued) => !in_hand.contains(queued.candidate.url.as_str()),
                Err(_) => true,
            });
            fresh.take(limit).collect()
        };
        read().map_err(|source| self.failed(source))
    }
}

/// A list of numbers as SQLite's JSON functions take it.
fn numbers(of: &BTreeSet<i64>) -> String {
    serde_json::json!(of).to_string()
}

pub(super) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0))
}

/// A row of the queue; none when its URL is no URL, which only damage can do.
fn queued(row: &Row<'_>) -> rusqlite::Result<Option<Queued>> {
    let (Ok(url), Some(role)) = (WebUrl::parse(&row.get::<_, String>(0)?), Role::from_word(&row.get::<_, String>(1)?))
    else {
        return Ok(None);
    };
    let claims: Option<String> = row.get(11)?;
    let candidate = Candidate {
        url,
        role,
        priority: row.get(2)?,
        seed: row.get::<_, Option<i64>>(5)?.unwrap_or(0),
        via: row.get(6)?,
        depth: row.get(7)?,
        hops: row.get(8)?,
        page: row.get(9)?,
        referer: row.get(10)?,
        referrer: row.get::<_, Option<String>>(12)?.and_then(|text| Referrer::read(&text)).map(Box::new),
        rung: row.get(13)?,
        claims: claims.and_then(|claims| serde_json::from_str(&claims).ok()).map(Box::new),
        again: false,
    };
    Ok(Some(Queued { candidate, due: Timestamp(row.get(3)?), tries: row.get(4)? }))
}
