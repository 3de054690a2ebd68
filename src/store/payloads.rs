//! Where payloads stand: which capture holds one, what a URL was last answered, which capture of it is meant.

use rusqlite::{OptionalExtension, Row};

use super::commit::{find, host_of};
use super::queue::count;
use super::{Error, Reader, Store};
use crate::archive::{Earlier, Original, Place};
use crate::web::digest::Digest;
use crate::web::exchange::Validators;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// One capture of a URL: what was answered then, and where the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memento {
    /// When it was captured.
    pub at: Timestamp,
    /// The final status; none for a document of the user's own.
    pub status: Option<u16>,
    /// Where its first record stands.
    pub place: Place,
    /// Where its metadata stands.
    pub metadata: Place,
    /// Of a revisit, where the record stands that holds its payload; none when that is not in the archive.
    pub original: Option<Place>,
    /// Whether its own record holds no payload.
    pub is_revisit: bool,
}

impl Store {
    /// Which record holds this payload? A full answer of any URL and any run, the first there was; never a revisit.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn original(&self, payload: &Digest, payload_len: u64) -> Result<Option<(Original, Place)>, Error> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT c.record_id, u.text, c.fetched_ms, f.name, c.offset, c.length
                     FROM payload p JOIN capture c ON c.payload = p.id
                     JOIN url u ON u.id = c.url JOIN warc_file f ON f.id = c.file
                     WHERE p.digest = ?1 AND p.size_bytes = ?2 AND c.kind = 'response' AND c.status IS NOT NULL
                       AND c.truncated IS NULL
                     ORDER BY c.id LIMIT 1",
                )?
                .query_row((payload.as_str(), i64::try_from(payload_len).unwrap_or(i64::MAX)), |row| {
                    Ok((original(row, 0)?, place(row, 3)?))
                })
                .optional()
        };
        read().map_err(self.failed("read"))
    }
}

impl Reader {
    fn url_id(&self, url: &str) -> rusqlite::Result<Option<i64>> {
        let mut host = self.connection.prepare_cached("SELECT id FROM host WHERE name = ?1")?;
        let Some(host) = host.query_row([host_of(url)], |row| row.get(0)).optional()? else { return Ok(None) };
        Ok(find(&self.connection, host, url)?.0.map(|standing| standing.id))
    }

    /// How was this URL last answered in full, and by what can that answer be recognised? A 304 that names no validators
    /// confirms those that were sent with the same payload before. None when there is nothing to ask with.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn earlier(&self, url: &WebUrl) -> Result<Option<Earlier>, Error> {
        let read = || {
            let Some(id) = self.url_id(url.as_str())? else { return Ok(None) };
            self.connection
                .prepare_cached(
                    "SELECT o.record_id, u.text, o.fetched_ms, f.name, o.offset, o.length, p.digest, p.size_bytes,
                         v.etag, v.last_modified
                     FROM capture c
                     JOIN capture o ON o.id = coalesce(c.refers_to, c.id) JOIN url u ON u.id = o.url
                     JOIN payload p ON p.id = o.payload JOIN warc_file f ON f.id = o.file
                     LEFT JOIN capture v ON v.id = (SELECT e.id FROM capture e WHERE e.url = c.url AND e.payload = c.payload
                         AND e.status IN (200, 304) AND coalesce(e.etag, e.last_modified) IS NOT NULL
                         ORDER BY e.fetched_ms DESC LIMIT 1)
                     WHERE c.url = ?1 AND c.truncated IS NULL AND c.fault IS NULL
                       AND iif(c.refers_to IS NULL, c.kind = 'response' AND c.status = 200, c.status IN (200, 304))
                     ORDER BY c.fetched_ms DESC, c.id DESC LIMIT 1",
                )?
                .query_row([id], |row| {
                    Ok(Earlier {
                        original: original(row, 0)?,
                        place: place(row, 3)?,
                        payload: Digest::from_text(row.get::<_, String>(6)?),
                        payload_len: count(row, 7)?,
                        validators: Validators { etag: row.get(8)?, last_modified: row.get(9)? },
                    })
                })
                .optional()
        };
        let earlier: Option<Earlier> = read().map_err(|source| self.failed(source))?;
        Ok(earlier.filter(|earlier| !earlier.validators.is_empty()))
    }

    /// Where does the record stand that a revisit of this payload refers to?
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn place_of(&self, payload: &Digest, original: &Original) -> Result<Option<Place>, Error> {
        let read = || {
            self.connection
                .prepare_cached(
                    "SELECT f.name, c.offset, c.length FROM payload p JOIN capture c ON c.payload = p.id
                     JOIN warc_file f ON f.id = c.file
                     WHERE p.digest = ?1 AND c.record_id = ?2 AND c.kind <> 'revisit'",
                )?
                .query_row((payload.as_str(), &original.record_id), |row| place(row, 0))
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Which capture of this URL is meant? The one at that time: the last before it, else the first after. Without a
    /// time the newest that was answered with 200, else the newest of any.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn memento(&self, url: &str, at: Option<Timestamp>) -> Result<Option<Memento>, Error> {
        let read = || {
            let Some(id) = self.url_id(url)? else { return Ok(None) };
            self.connection
                .prepare_cached(
                    "SELECT c.fetched_ms, c.status, f.name, c.offset, c.length, c.metadata_offset, c.metadata_length,
                         c.kind = 'revisit', g.name, o.offset, o.length
                     FROM capture c JOIN warc_file f ON f.id = c.file
                     LEFT JOIN capture o ON o.id = c.refers_to LEFT JOIN warc_file g ON g.id = o.file
                     WHERE c.url = ?1
                     ORDER BY iif(?2 IS NULL, coalesce(c.status, 200) = 200, c.fetched_ms <= ?2) DESC,
                         iif(?2 IS NULL OR c.fetched_ms <= ?2, -c.fetched_ms, c.fetched_ms), c.id DESC LIMIT 1",
                )?
                .query_row((id, at.map(|at| at.0)), |row| {
                    let file: String = row.get(2)?;
                    Ok(Memento {
                        at: Timestamp(row.get(0)?),
                        status: row.get(1)?,
                        place: place(row, 2)?,
                        metadata: Place { file, offset: count(row, 5)?, length: count(row, 6)? },
                        is_revisit: row.get(7)?,
                        original: row.get::<_, Option<String>>(8)?.map(|_| place(row, 8)).transpose()?,
                    })
                })
                .optional()
        };
        read().map_err(|source| self.failed(source))
    }
}

fn original(row: &Row<'_>, at: usize) -> rusqlite::Result<Original> {
    Ok(Original { record_id: row.get(at)?, url: row.get(at + 1)?, at: Timestamp(row.get(at + 2)?) })
}

fn place(row: &Row<'_>, at: usize) -> rusqlite::Result<Place> {
    Ok(Place { file: row.get(at)?, offset: count(row, at + 1)?, length: count(row, at + 2)? })
}
