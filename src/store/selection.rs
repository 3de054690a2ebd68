//! What of the archive is meant when not all of it is: where its records stand, and which pages it holds.

use std::fmt;

use rusqlite::{Row, named_params};

use super::queue::count;
use super::{Error, Reader};
use crate::web::time::Timestamp;

/// A part of the archive. The captures it names bring along what their pages need to be shown and what their revisits
/// refer to; without a wish it is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// URLs that begin so.
    pub url_prefix: Option<String>,
    /// A host, and the hosts below it.
    pub site: Option<String>,
    /// Captured then or later.
    pub since: Option<Timestamp>,
    /// Captured before.
    pub until: Option<Timestamp>,
    /// Captured by this run.
    pub run: Option<i64>,
}

impl Selection {
    /// Nothing is left out.
    pub fn is_all(&self) -> bool {
        *self == Selection::default()
    }
}

/// As a person would say it.
impl fmt::Display for Selection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return out.write_str("the whole archive");
        }
        out.write_str("what was captured")?;
        let date = |at: Option<Timestamp>| at.map(Timestamp::iso);
        let wishes = [
            ("of URLs that begin with", self.url_prefix.clone()),
            ("of the site", self.site.clone()),
            ("since", date(self.since)),
            ("before", date(self.until)),
            ("by the run", self.run.map(|run| run.to_string())),
        ];
        let mut wishes = wishes.into_iter().filter_map(|(what, value)| Some((what, value?)));
        wishes.try_for_each(|(what, value)| write!(out, " {what} {value}"))
    }
}

/// Some bytes of a WARC file that hold whole groups of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The file's name.
    pub file: String,
    /// Offset of the first byte.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

/// A page as a list of pages names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRow {
    /// Its URL.
    pub url: String,
    /// When it was captured.
    pub at: Timestamp,
    /// Its headline, as far as it was read as an article.
    pub title: Option<String>,
    /// Its text, likewise.
    pub text: Option<String>,
}

/// The captures of a selection. A requisite that was kept by an earlier run is not captured again by a later one, so
/// each comes with its newest capture before the end, whenever that was made.
const CHOSEN: &str = "
    WITH RECURSIVE named AS (
        SELECT c.id, c.url FROM capture c JOIN url u ON u.id = c.url JOIN host h ON h.id = u.host
        WHERE (:prefix IS NULL OR substr(u.text, 1, length(:prefix)) = :prefix)
          AND (:site IS NULL OR h.name = :site OR substr(h.name, -length(:site) - 1) = '.' || :site)
          AND c.fetched_ms >= :since AND c.fetched_ms < :until AND (:run IS NULL OR c.run = :run)
    ), needed (url) AS (
        SELECT p.url FROM part p WHERE p.page IN (SELECT url FROM named)
        UNION SELECT p.url FROM needed n JOIN part p ON p.page = n.url
        UNION SELECT r.target FROM needed n JOIN redirect r ON r.url = n.url
    ), shown AS (
        SELECT id FROM named
        UNION SELECT (SELECT c.id FROM capture c WHERE c.url = n.url AND c.fetched_ms < :until
                      ORDER BY c.fetched_ms DESC, c.id DESC LIMIT 1) FROM needed n
    ), chosen AS (
        SELECT id FROM shown WHERE id IS NOT NULL
        UNION SELECT c.refers_to FROM shown s JOIN capture c ON c.id = s.id WHERE c.refers_to IS NOT NULL
    )";

impl Reader {
    /// Where do the records of a selection stand? In the order of files and places; neighbours are joined.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn stretches(&self, selection: &Selection) -> Result<Vec<Stretch>, Error> {
        let sql = format!(
            "{CHOSEN} SELECT f.name, c.offset, c.metadata_offset + c.metadata_length - c.offset
             FROM capture c JOIN warc_file f ON f.id = c.file WHERE c.id IN (SELECT id FROM chosen)
             ORDER BY f.id, c.offset"
        );
        let mut stretches: Vec<Stretch> = Vec::new();
        self.chosen(&sql, selection, &mut |row| {
            let next = Stretch { file: row.get(0)?, offset: count(row, 1)?, length: count(row, 2)? };
            match stretches.last_mut() {
                Some(last) if last.file == next.file && last.offset + last.length == next.offset => {
                    last.length += next.length;
                }
                _ => stretches.push(next),
            }
            Ok(())
        })?;
        Ok(stretches)
    }

    /// Which pages does a selection hold? Whole HTML answers, oldest first, each with what it said when it was read.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn pages(&self, selection: &Selection) -> Result<Vec<PageRow>, Error> {
        let sql = format!(
            "{CHOSEN} SELECT u.text, c.fetched_ms, a.title, a.text
             FROM capture c JOIN url u ON u.id = c.url
             LEFT JOIN article_version a ON a.id =
                 (SELECT max(v.id) FROM article_version v WHERE v.url = c.url AND v.capture <= c.id)
             WHERE c.id IN (SELECT id FROM named) AND c.role = 'page' AND c.truncated IS NULL
               AND (c.status = 200 OR (c.status = 304 AND c.refers_to IS NOT NULL))
               AND (c.media LIKE 'text/html%' OR c.media LIKE 'application/xhtml+xml%')
             ORDER BY c.fetched_ms, c.id"
        );
        let mut pages = Vec::new();
        self.chosen(&sql, selection, &mut |row| {
            pages.push(PageRow { url: row.get(0)?, at: Timestamp(row.get(1)?), title: row.get(2)?, text: row.get(3)? });
            Ok(())
        })?;
        Ok(pages)
    }

    /// When was the newest capture of a selection made?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn newest(&self, selection: &Selection) -> Result<Option<Timestamp>, Error> {
        let sql = format!("{CHOSEN} SELECT max(c.fetched_ms) FROM capture c WHERE c.id IN (SELECT id FROM chosen)");
        let mut newest = None;
        self.chosen(&sql, selection, &mut |row| {
            newest = row.get::<_, Option<i64>>(0)?.map(Timestamp);
            Ok(())
        })?;
        Ok(newest)
    }

    /// Which WARC files are there, and how much of each is captured for good?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn files(&self) -> Result<Vec<Stretch>, Error> {
        let read = || {
            let mut statement = self.connection.prepare("SELECT name, committed_len FROM warc_file ORDER BY id")?;
            let rows =
                statement.query_map([], |row| Ok(Stretch { file: row.get(0)?, offset: 0, length: count(row, 1)? }));
            rows?.collect::<Result<_, _>>()
        };
        read().map_err(|source| self.failed(source))
    }

    fn chosen(
        &self,
        sql: &str,
        selection: &Selection,
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        let mut read = || {
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(named_params! {
                ":prefix": selection.url_prefix,
                ":site": selection.site,
                ":since": selection.since.map_or(i64::MIN, |at| at.0),
                ":until": selection.until.map_or(i64::MAX, |at| at.0),
                ":run": selection.run,
            })?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            Ok(())
        };
        read().map_err(|source| self.failed(source))
    }
}
