//! The database: what is known of every URL, capture, article and picture, and the queue.
//!
//! One SQLite file. One [`Store`] writes, in one transaction per batch, after the archive has synced; [`Reader`]s look
//! on, as many as like. The database may lag the archive, never lead it, and can be rebuilt from it but for the queue.

mod audit;
mod commit;
mod learned;
mod mend;
mod notices;
mod payloads;
mod questions;
mod queue;
mod rebuild;
mod schema;
mod selection;
mod takedown;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use audit::{CaptureRow, FileRow, Stray};
pub use commit::{Batch, KeptOut, Page, Settled};
pub use mend::{Followed, SaidOf, Stands};
pub use payloads::Memento;
pub use questions::{Answer, Brought, Last, RunRow, Standing, Status};
pub use queue::{HostRow, Queued, Reader};
pub use rebuild::{Rebuild, beside, discard, is_damage, is_sound, lay_down};
pub use selection::{PageRow, Selection, Stretch};
pub use takedown::{Act, Removed, Takedown};

use crate::web::claims::Claims;
use crate::web::time::Timestamp;

/// How long a connection waits for another one's lock.
const BUSY: Duration = Duration::from_secs(30);

/// Why the database cannot be used, sorted by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none.
    #[error("there is no archive at {}: crawl first, or name another with --archive", .0.display())]
    Missing(PathBuf),
    /// There are WARC files, and none: it is made anew from them.
    #[error("{} has WARC files and no database: run pressmark reindex", .0.display())]
    Lost(PathBuf),
    /// It was written by a later version of the program.
    #[error("{} was written by a newer pressmark (schema {found}; this one knows {known})", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It was written by an earlier version, and has not been written to since.
    #[error("{} was written by an older pressmark (schema {found}; this one reads {known}): a crawl brings it up to date", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It is some other program's.
    #[error("{} is not a pressmark database", .0.display())]
    Foreign(PathBuf),
    /// It cannot be read through, or lacks a table: it is made anew from the WARC files.
    #[error("{} is damaged: run pressmark reindex", .0.display())]
    Damaged(PathBuf),
    /// The question would change something, or reach beyond the database.
    #[error("only questions that read are answered")]
    Refused(#[source] rusqlite::Error),
    /// The question asked is wrong, or takes too long.
    #[error("cannot answer")]
    Question(#[source] rusqlite::Error),
    /// SQLite failed: the disk is full, the file is damaged.
    #[error("cannot {doing} the database {}", path.display())]
    Sqlite {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: rusqlite::Error,
    },
}

/// What it means that there is no database there: no archive, or a database that is lost.
pub fn missing(path: &Path) -> Error {
    let archive = path.parent().unwrap_or(path).to_owned();
    let is_warc = |name: &str| name.contains(".warc") && !name.ends_with(".open");
    let mut files = std::fs::read_dir(archive.join("warc")).into_iter().flatten().flatten();
    let has_warcs = files.any(|file| file.file_name().to_str().is_some_and(is_warc));
    if has_warcs { Error::Lost(archive) } else { Error::Missing(archive) }
}

/// A database may be begun there: there is one, or nothing that one should have been made of.
///
/// # Errors
/// [`Error::Lost`].
pub fn may_begin(path: &Path) -> Result<(), Error> {
    match missing(path) {
        lost @ Error::Lost(_) if !has_bytes(path) => Err(lost),
        _ => Ok(()),
    }
}

/// There is a database, which is not begun by looking for it.
///
/// # Errors
/// [`Error::Lost`] or [`Error::Missing`].
pub fn must_exist(path: &Path) -> Result<(), Error> {
    if has_bytes(path) { Ok(()) } else { Err(missing(path)) }
}

/// There is a database that can be read through and through, which takes as long as reading it.
///
/// # Errors
/// [`Error::Lost`], [`Error::Missing`] or [`Error::Damaged`]; and as [`is_sound`].
pub fn must_be_sound(path: &Path) -> Result<(), Error> {
    must_exist(path)?;
    if is_sound(path)? { Ok(()) } else { Err(Error::Damaged(path.to_owned())) }
}

/// An empty file is what is left when not even a first table was written.
fn has_bytes(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.len() > 0)
}

/// The writing connection; see the module's head.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

/// A run in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: i64,
    /// When the first of the runs began that this one continues; its own start when it continues none.
    pub chain: Timestamp,
    /// The run before it, of whatever profile, did not end by itself: its last requests are not known.
    pub after_crash: bool,
}

impl Store {
    /// Opens the database, makes it when there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Newer`], [`Error::Foreign`], or [`Error::Sqlite`].
    pub fn open(path: &Path) -> Result<Store, Error> {
        let sqlite = |doing| move |source| Error::Sqlite { doing, path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(sqlite("open"))?;
        connection.busy_timeout(BUSY).map_err(sqlite("open"))?;
        // First: a file that is refused stays as it is.
        schema::migrate(&mut connection, path)?;
        let setup = |connection: &Connection| {
            // WAL: readers and the writer do not wait for each other. NORMAL: what power loss rolls back is taken up
            // again from the archive, which is synced first. Where there can be no WAL, SQLite says so by the mode it
            // stays in, and in that one NORMAL could leave a damaged file.
            let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
            let synchronous = if mode == "wal" { "NORMAL" } else { "FULL" };
            connection.execute_batch(&format!("PRAGMA synchronous = {synchronous}"))?;
            connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA journal_size_limit = 67108864;")
        };
        setup(&connection).map_err(sqlite("open"))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Store { connection, path: path.to_owned() })
    }

    fn failed(&self, doing: &'static str) -> impl FnOnce(rusqlite::Error) -> Error + use<> {
        let path = self.path.clone();
        move |source| Error::Sqlite { doing, path, source }
    }

    /// Begins a run. It continues the profile's last one when that was killed or stopped by a signal; then what was captured
    /// since the chain began is not asked for again. URLs that failed in a way that may pass are queued once more
    /// when a new chain begins; `fresh` forgets the queue.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn begin_run(&mut self, profile: &str, now: Timestamp, fresh: bool) -> Result<Run, Error> {
        let failed = self.failed("begin a run in");
        self.transact_run(profile, now, fresh).map_err(failed)
    }

    fn transact_run(&mut self, profile: &str, now: Timestamp, fresh: bool) -> rusqlite::Result<Run> {
        use rusqlite::OptionalExtension;
        let transaction = self.connection.transaction()?;
        // Where did the profile's last run stop, and since when has its work been going on?
        let last: Option<(i64, Option<String>)> = transaction
            .query_row(
                "SELECT chain_ms, stopped_by FROM run WHERE profile = ?1 ORDER BY id DESC LIMIT 1",
                [profile],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        // Did the last run of any profile end by itself?
        let ended: Option<Option<i64>> = transaction
            .query_row("SELECT finished_ms FROM run ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        // A budget is a clean end: what it left stays queued, and the seeds are asked again.
        let broken_off = |stopped_by: &Option<String>| matches!(stopped_by.as_deref(), None | Some("signal"));
        let unfinished = last.filter(|(_, stopped_by)| broken_off(stopped_by) && !fresh);
        let chain = unfinished.as_ref().map_or(now.0, |(chain, _)| *chain);
        if fresh {
            // The rows stay: pages need them as parts, pictures as addresses, and the seen-set counts on no gap.
            transaction.execute("UPDATE url SET state = 'named' WHERE state = 'queued'", [])?;
        }
        if unfinished.is_none() {
            transaction.execute(
                "UPDATE url SET state = 'queued', tries = 0, due_ms = 0, reason = NULL, refused_by = NULL, transient = 0
                 WHERE transient = 1 AND state IN ('failed', 'refused')",
                [],
            )?;
        }
        transaction.execute(
            "INSERT INTO run (profile, chain_ms, started_ms, touched_ms, version) VALUES (?1, ?2, ?3, ?3, ?4)",
            (profile, chain, now.0, env!("CARGO_PKG_VERSION")),
        )?;
        let id = transaction.last_insert_rowid();
        transaction.commit()?;
        Ok(Run { id, chain: Timestamp(chain), after_crash: matches!(ended, Some(None)) })
    }

    /// Ends a run, and leaves a file that a read-only folder can serve.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn end_run(&mut self, run: i64, now: Timestamp, stopped_by: &str, counters: &str) -> Result<(), Error> {
        let failed = self.failed("end a run in");
        let end = || {
            self.connection.execute(
                "UPDATE run SET finished_ms = ?2, touched_ms = ?2, stopped_by = ?3, counters = ?4 WHERE id = ?1",
                (run, now.0, stopped_by, counters),
            )?;
            // Busy readers only make it shorter; then the WAL stays, which readers can use as well.
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        end().map_err(failed)
    }

    /// Writes a seed down, or that it is asked for again; returns its number.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn add_seed(&mut self, run: i64, name: &str, source: &str, line: u32, claims: &Claims) -> Result<i64, Error> {
        let failed = self.failed("write a seed to");
        let claims = serde_json::to_string(claims).unwrap_or_default();
        let add = |connection: &mut Connection| {
            // A statement that returns a row commits when it is let go, where an error would go unheard.
            let transaction = connection.transaction()?;
            let id = transaction
                .prepare_cached(
                    "INSERT INTO seed (name, source, line, claims, last_run) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (name) DO UPDATE SET source = excluded.source, line = excluded.line,
                         claims = excluded.claims, last_run = excluded.last_run
                     RETURNING id",
                )?
                .query_row((name, source, line, claims, run), |row| row.get(0))?;
            transaction.commit()?;
            Ok(id)
        };
        add(&mut self.connection).map_err(failed)
    }

    /// Leaves a file that a read-only folder can serve, as far as readers let us.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn rest(&mut self) -> Result<(), Error> {
        let rest = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        rest.map_err(self.failed("write to"))
    }

    /// How much of each WARC file has its rows here.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn committed(&self) -> Result<std::collections::HashMap<String, u64>, Error> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare("SELECT name, committed_len FROM warc_file")?;
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0))))?;
            rows.collect()
        };
        read().map_err(self.failed("read"))
    }

    /// A WARC file has lost everything from `len` on: its captures go, with the articles read from them, and their URLs
    /// are queued again. Returns how many captures went.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn forget_lost(&mut self, file: &str, len: u64) -> Result<usize, Error> {
        let failed = self.failed("write to");
        let forget = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            mend::begin_losing(&transaction)?;
            let lost = transaction.execute(
                "INSERT INTO lost SELECT c.id, c.url FROM capture c JOIN warc_file f ON f.id = c.file
                 WHERE f.name = ?1 AND c.metadata_offset + c.metadata_length > ?2",
                (file, i64::try_from(len).unwrap_or(i64::MAX)),
            )?;
            mend::lose(&transaction)?;
            transaction.execute(
                "UPDATE warc_file SET committed_len = min(committed_len, ?2) WHERE name = ?1",
                (file, i64::try_from(len).unwrap_or(i64::MAX)),
            )?;
            transaction.commit()?;
            Ok(lost)
        };
        forget(&mut self.connection).map_err(failed)
    }

    /// The digest of what was last captured of a URL.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn last_payload(&self, url: &str) -> Result<Option<String>, Error> {
        use rusqlite::OptionalExtension;
        let digest = self.connection.query_row(
            "SELECT p.digest FROM url u JOIN capture c ON c.url = u.id JOIN payload p ON p.id = c.payload
             WHERE u.text = ?1 AND u.host = (SELECT id FROM host WHERE name = ?2)
             ORDER BY c.fetched_ms DESC, c.id DESC LIMIT 1",
            (url, commit::host_of(url)),
            |row| row.get(0),
        );
        digest.optional().map_err(self.failed("read"))
    }

    /// Every seed ever asked for, by its row.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn seed_names(&self) -> Result<std::collections::HashMap<i64, String>, Error> {
        let read = || -> rusqlite::Result<_> {
            let mut statement = self.connection.prepare("SELECT id, name FROM seed")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        };
        read().map_err(self.failed("read"))
    }

    /// A connection that only reads.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn reader(&self) -> Result<Reader, Error> {
        Reader::open(&self.path)
    }
}

/// Somebody reads from the database for longer than we wait.
fn busy() -> rusqlite::Error {
    let busy = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
    rusqlite::Error::SqliteFailure(busy, Some("somebody reads from it: end that, then do this again".to_owned()))
}

impl Reader {
    /// Opens an existing database for reading, while others write or from a folder that cannot be written.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Newer`], [`Error::Older`], [`Error::Foreign`], or [`Error::Sqlite`].
    pub fn open(path: &Path) -> Result<Reader, Error> {
        Reader::open_as(path, false)
    }

    /// The same without so much as an index beside the file, as far as nobody writes to it.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_untouched(path: &Path) -> Result<Reader, Error> {
        let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
        Reader::open_as(path, !has_log)
    }

    fn open_as(path: &Path, untouched: bool) -> Result<Reader, Error> {
        must_exist(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let open = |name: &str| {
            let connection = Connection::open_with_flags(name, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(connection)
        };
        let uri = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        let uri = uri.map(String::from).unwrap_or_default();
        // Where no WAL index can be made, the file is complete without: a clean end leaves it so.
        let immutable = || open(&format!("{uri}?immutable=1"));
        let connection = if untouched { immutable() } else { open(&uri).or_else(|_| immutable()) };
        let connection = connection.map_err(|source| Error::Sqlite { doing: "open", path: path.to_owned(), source })?;
        schema::current(&connection, path)?;
        Ok(Reader::new(connection, path.to_owned()))
    }
}
