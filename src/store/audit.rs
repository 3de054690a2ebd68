//! What verification asks: every row that leads to a record, file by file. Nothing here writes.

use rusqlite::Connection;

use super::queue::count;
use super::{Error, Reader, Store};
use crate::archive::Place;
use crate::web::time::Timestamp;

/// A WARC file as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    /// Its name, without `.open`.
    pub name: String,
    /// Every group up to here has its rows.
    pub committed: u64,
}

/// A capture as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureRow {
    /// The row.
    pub id: i64,
    /// Its URL.
    pub url: String,
    /// When it was made.
    pub at: Timestamp,
    /// Id of the first record.
    pub record_id: String,
    /// `response`, `revisit` or `resource`.
    pub kind: String,
    /// Digest of the payload.
    pub payload: String,
    /// Where the first record stands.
    pub place: Place,
    /// Where the request stands: offset and length.
    pub request: Option<(u64, u64)>,
    /// Where the metadata stands.
    pub metadata: (u64, u64),
}

/// A row that leads nowhere, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Which row, for people.
    pub row: String,
    /// What it lacks.
    pub lacks: String,
}

impl Reader {
    /// The WARC files there are.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn warc_files(&self) -> Result<Vec<FileRow>, Error> {
        let read = || -> rusqlite::Result<Vec<FileRow>> {
            let mut statement = self.connection.prepare("SELECT name, committed_len FROM warc_file ORDER BY name")?;
            let rows = statement.query_map([], |row| Ok(FileRow { name: row.get(0)?, committed: count(row, 1)? }))?;
            rows.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// The captures of a file up to this offset, in the order of their offsets.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn captures_in(&self, file: &str, up_to: u64) -> Result<Vec<CaptureRow>, Error> {
        let read = || -> rusqlite::Result<Vec<CaptureRow>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT c.id, u.text, c.fetched_ms, c.record_id, c.kind, p.digest, c.offset, c.length,
                     c.request_offset, c.request_length, c.metadata_offset, c.metadata_length
                 FROM capture c JOIN warc_file f ON f.id = c.file JOIN url u ON u.id = c.url
                 JOIN payload p ON p.id = c.payload WHERE f.name = ?1 AND c.offset < ?2 ORDER BY c.offset",
            )?;
            let rows = statement.query_map((file, i64::try_from(up_to).unwrap_or(i64::MAX)), |row| {
                let place = Place { file: file.to_owned(), offset: count(row, 6)?, length: count(row, 7)? };
                let request = match row.get::<_, Option<i64>>(8)? {
                    Some(_) => Some((count(row, 8)?, count(row, 9)?)),
                    None => None,
                };
                Ok(CaptureRow {
                    id: row.get(0)?,
                    url: row.get(1)?,
                    at: Timestamp(row.get(2)?),
                    record_id: row.get(3)?,
                    kind: row.get(4)?,
                    payload: row.get(5)?,
                    place,
                    request,
                    metadata: (count(row, 10)?, count(row, 11)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|source| self.failed(source))
    }

    /// Whether the capture that begins with this record is a revisit that leads to no original: its payload was lost, or
    /// was in another archive that it was imported from.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn is_payload_lost(&self, record_id: &str) -> Result<bool, Error> {
        let sql = "SELECT EXISTS
                       (SELECT 1 FROM capture WHERE record_id = ?1 AND kind = 'revisit' AND refers_to IS NULL)";
        let lost = self.connection.prepare_cached(sql).and_then(|mut sql| sql.query_row([record_id], |row| row.get(0)));
        lost.map_err(|source| self.failed(source))
    }

    /// Rows that lead to no row, at most `most`: captures without URL, payload or file, revisits without their
    /// original or with a revisit as such, articles and pictures without their captures and URLs.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn strays(&self, most: usize) -> Result<Vec<Stray>, Error> {
        strays(&self.connection, most).map_err(|source| self.failed(source))
    }
}

impl Store {
    /// The same, asked by the one who writes.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn strays(&self, most: usize) -> Result<Vec<Stray>, Error> {
        strays(&self.connection, most).map_err(self.failed("read"))
    }
}

fn strays(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Stray>> {
    let mut statement = connection.prepare(STRAYS)?;
    let rows = statement.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok(Stray { row: row.get(0)?, lacks: row.get(1)? })
    })?;
    rows.collect()
}

const STRAYS: &str = "
    SELECT 'capture ' || c.id, 'its URL' FROM capture c WHERE NOT EXISTS (SELECT 1 FROM url u WHERE u.id = c.url)
    UNION ALL SELECT 'capture ' || c.id, 'its payload' FROM capture c
        WHERE NOT EXISTS (SELECT 1 FROM payload p WHERE p.id = c.payload)
    UNION ALL SELECT 'capture ' || c.id, 'its file' FROM capture c
        WHERE NOT EXISTS (SELECT 1 FROM warc_file f WHERE f.id = c.file)
    UNION ALL SELECT 'capture ' || c.id, 'the capture it refers to' FROM capture c
        WHERE c.refers_to IS NOT NULL AND NOT EXISTS (SELECT 1 FROM capture o WHERE o.id = c.refers_to)
    UNION ALL SELECT 'capture ' || c.id, 'a capture with a payload: it refers to a revisit' FROM capture c
        JOIN capture o ON o.id = c.refers_to WHERE o.kind = 'revisit'
    UNION ALL SELECT 'article version ' || v.id, 'its capture' FROM article_version v
        WHERE NOT EXISTS (SELECT 1 FROM capture c WHERE c.id = v.capture)
    UNION ALL SELECT 'picture ' || p.id, 'its article version' FROM picture p
        WHERE NOT EXISTS (SELECT 1 FROM article_version v WHERE v.id = p.version)
    UNION ALL SELECT 'picture ' || p.id, 'every address' FROM picture p
        WHERE NOT EXISTS (SELECT 1 FROM picture_variant v WHERE v.picture = p.id)
    UNION ALL SELECT 'picture ' || v.picture, 'the URL of an address' FROM picture_variant v
        WHERE NOT EXISTS (SELECT 1 FROM url u WHERE u.id = v.url)
    LIMIT ?1";
