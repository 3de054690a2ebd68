//! A database made anew beside the old one, from what the archive says, and from the old one what only that knows.
//!
//! Nobody sees the new one before it is whole, so it is written without a journal that would survive a crash: what is
//! left of an interrupted rebuild is thrown away.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::mend::REBUILT;
use super::{BUSY, Error, Run, Store, busy, schema};
use crate::archive::Place;
use crate::web::time::Timestamp;

/// What the archive does not hold, or not all of: copied from the old database as it is, rows keeping their numbers.
const INHERITED: [&str; 10] =
    ["run", "seed", "host", "address", "robots", "robots_rule", "takedown", "url", "exclusion", "mark"];

/// After the captures have their rows again. A URL is as the old database left it when that had seen the same captures
/// of it: it knows why one was refused or failed, and what waits. One that has lost all of its captures is asked again.
const RECONCILE: &str = "
    UPDATE url SET (role, class, state, priority, due_ms, tries, seed, via, depth, hops, page, referer, referrer, rung,
            rungs, claims, status, reason, refused_by, transient, settled_ms, robots_rule)
        = (SELECT role, class, state, priority, due_ms, tries, seed, via, depth, hops, page, referer, referrer, rung,
               rungs, claims, status, reason, refused_by, transient, settled_ms, robots_rule
           FROM old.url o WHERE o.id = url.id)
        WHERE id IN (SELECT id FROM old.url)
          AND (SELECT count(*) FROM capture c WHERE c.url = url.id)
            = (SELECT count(*) FROM old.capture c WHERE c.url = url.id);
    UPDATE url SET state = 'queued', due_ms = 0, tries = 0
        WHERE state = 'done' AND role NOT IN ('robots', 'document') AND id NOT IN (SELECT url FROM capture);
    UPDATE url SET state = 'named' WHERE state = 'queued' AND id NOT IN (SELECT id FROM old.url);
    INSERT OR REPLACE INTO run SELECT * FROM old_run;
    INSERT OR REPLACE INTO robots SELECT * FROM old.robots;";

/// The same without an old one: what pages name and the archive does not hold is known by name, no more.
const ALONE: &str = "UPDATE url SET state = 'named' WHERE state = 'queued'";

/// A database in the making.
pub struct Rebuild {
    /// To be written to by [`Store::commit`] and the like.
    pub store: Store,
    has_old: bool,
}

impl Rebuild {
    /// Begins an empty database at `path`; what stands there already goes.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn begin(path: &Path) -> Result<Rebuild, Error> {
        discard(path);
        let failed = |source| Error::Sqlite { doing: "make", path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;").map_err(failed)?;
        schema::migrate(&mut connection, path)?;
        connection.execute_batch("PRAGMA foreign_keys = OFF;").map_err(failed)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Rebuild { store: Store { connection, path: path.to_owned() }, has_old: false })
    }

    /// Takes over what only the old database knows: runs, seeds, hosts' clocks, copies of robots.txt, take-downs, and
    /// every URL with its state.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn inherit(&mut self, old: &Path) -> Result<(), Error> {
        let failed = self.store.failed("take over what the old one knows into");
        let uri = url::Url::from_file_path(std::path::absolute(old).unwrap_or_else(|_| old.to_owned()));
        let uri = uri.map(String::from).unwrap_or_default();
        let copy = |connection: &Connection| {
            connection.execute("ATTACH ?1 AS old", [format!("{uri}?mode=ro")])?;
            for table in INHERITED {
                // An older schema has fewer columns; the defaults stand for the rest.
                let columns = shared_columns(connection, table)?;
                if !columns.is_empty() {
                    connection.execute_batch(&format!(
                        "INSERT INTO main.{table} ({columns}) SELECT {columns} FROM old.{table}"
                    ))?;
                }
            }
            // Making rows touches the runs; they are put back as they were.
            connection.execute_batch("CREATE TEMP TABLE old_run AS SELECT * FROM main.run")
        };
        copy(&self.store.connection).map_err(failed)?;
        self.has_old = true;
        Ok(())
    }

    /// Settles what the captures left open, and closes the file: it is whole, and needs no other beside it.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn finish(self) -> Result<PathBuf, Error> {
        let failed = self.store.failed("finish");
        let connection = self.store.connection;
        let finish = || {
            connection.execute_batch(if self.has_old { RECONCILE } else { ALONE })?;
            connection.execute(
                "UPDATE run SET finished_ms = touched_ms, started_ms = coalesce((SELECT min(fetched_ms) FROM capture
                     WHERE run = run.id), started_ms) WHERE stopped_by = ?1",
                [REBUILT],
            )?;
            if self.has_old {
                connection.execute_batch("DETACH old")?;
            }
            connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))
        };
        finish().map_err(failed)?;
        let failed = |source| Error::Sqlite { doing: "close", path: self.store.path.clone(), source };
        connection.close().map_err(|(_, source)| failed(source))?;
        Ok(self.store.path)
    }
}

impl Store {
    /// The run of the capture at this place, as the old database knew it; only while one is taken over.
    ///
    /// # Errors
    /// [`Error::Sqlite`].
    pub fn inherited_run(&self, place: &Place) -> Result<Option<Run>, Error> {
        let run = self.connection.prepare_cached(
            "SELECT c.run FROM old.capture c JOIN old.warc_file f ON f.id = c.file WHERE f.name = ?1 AND c.offset = ?2",
        );
        let offset = i64::try_from(place.offset).unwrap_or(i64::MAX);
        let run = run.and_then(|mut run| run.query_row((&place.file, offset), |row| row.get(0)).optional());
        let run = run.map_err(self.failed("read"))?;
        Ok(run.map(|id| Run { id, chain: Timestamp(i64::MAX), after_crash: false }))
    }
}

/// Whether this database can be read through and through; false when it is damaged.
///
/// # Errors
/// [`Error::Foreign`] and [`Error::Newer`]: it is nobody's to replace; [`Error::Sqlite`] when it cannot be opened.
pub fn is_sound(path: &Path) -> Result<bool, Error> {
    if std::fs::metadata(path).is_ok_and(|file| file.len() == 0) {
        return Ok(false);
    }
    let failed = |source| Error::Sqlite { doing: "read", path: path.to_owned(), source };
    let check = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        let version = schema::check(&connection, path)?;
        if version == 0 || !schema::is_complete(&connection, version).map_err(failed)? {
            return Ok(false);
        }
        let said: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
        Ok(said == "ok")
    };
    match check() {
        Err(Error::Sqlite { source, .. }) if is_damage(&source) => Ok(false),
        other => other,
    }
}

/// Whether SQLite says that the file is damaged, was never a database, or lacks what one of our own questions asks for.
pub fn is_damage(cause: &rusqlite::Error) -> bool {
    // SQLITE_ERROR: no such table, no such column.
    const LACKING: i32 = 1;
    matches!(cause.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || cause.sqlite_error().is_some_and(|error| error.extended_code == LACKING)
}

/// Puts the whole of a database into its one file, so that another can take its place: a log that is left behind would
/// be read as the new one's.
///
/// # Errors
/// [`Error::Sqlite`] when somebody reads from it for longer than we wait.
pub fn lay_down(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Sqlite { doing: "lay down", path: path.to_owned(), source };
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    let held: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(failed)?;
    if held != 0 {
        return Err(failed(busy()));
    }
    connection.close().map_err(|(_, source)| failed(source))
}

/// Removes a database that nobody has seen, with what stands beside it.
pub fn discard(path: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(path, ending));
    }
}

/// A file that SQLite keeps beside the database.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn shared_columns(connection: &Connection, table: &str) -> rusqlite::Result<String> {
    let columns = |schema: &str| -> rusqlite::Result<Vec<String>> {
        let mut statement = connection.prepare(&format!("PRAGMA {schema}.table_info({table})"))?;
        statement.query_map([], |row| row.get(1))?.collect()
    };
    let (ours, theirs) = (columns("main")?, columns("old")?);
    let shared: Vec<String> = ours.into_iter().filter(|column| theirs.contains(column)).collect();
    Ok(shared.join(", "))
}
