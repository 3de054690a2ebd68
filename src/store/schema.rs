//! The schema and its migrations: numbered SQL files of tables that only go forward, and one of views as they are now.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::Connection;

use super::Error;

/// In the file's header, so that `file` and we know whose it is: «PMRK».
const APPLICATION_ID: i32 = 0x504d_524b;

/// One file a version, oldest first.
const MIGRATIONS: [&str; 12] = [
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_revisits.sql"),
    include_str!("schema/0003_takedown.sql"),
    include_str!("schema/0004_robots.sql"),
    include_str!("schema/0005_kept_out.sql"),
    include_str!("schema/0006_trouble.sql"),
    include_str!("schema/0007_verdict.sql"),
    include_str!("schema/0008_pictures.sql"),
    include_str!("schema/0009_charset.sql"),
    include_str!("schema/0010_kinds.sql"),
    include_str!("schema/0011_hosts_and_parts.sql"),
    include_str!("schema/0012_ends.sql"),
];

/// The views of the version of this program; they are made anew when a database is brought up to it.
const VIEWS: &str = include_str!("schema/views.sql");

fn versions(connection: &Connection, path: &Path) -> Result<(i32, u32), Error> {
    let pragma = |name: &str| connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0));
    let read = || Ok((pragma("application_id")?, pragma("user_version")?));
    let (application, version) =
        read().map_err(|source| Error::Sqlite { doing: "read", path: path.to_owned(), source })?;
    Ok((i32::try_from(application).unwrap_or(-1), u32::try_from(version).unwrap_or(u32::MAX)))
}

/// The version of this program.
fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// The names of our views.
fn views() -> impl Iterator<Item = &'static str> {
    VIEWS.lines().filter_map(|line| line.strip_prefix("CREATE VIEW ")?.strip_suffix(" AS"))
}

/// Refuses files of other programs and of later versions; returns the version.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<u32, Error> {
    let ((application, found), known) = (versions(connection, path)?, known());
    if application != APPLICATION_ID {
        return Err(Error::Foreign(path.to_owned()));
    }
    if found > known { Err(Error::Newer { path: path.to_owned(), found, known }) } else { Ok(found) }
}

/// Whether every table and view is there that its version has.
pub(super) fn is_complete(connection: &Connection, version: u32) -> rusqlite::Result<bool> {
    let model = Connection::open_in_memory()?;
    for sql in MIGRATIONS.iter().take(version as usize) {
        model.execute_batch(sql)?;
    }
    if version == known() {
        model.execute_batch(VIEWS)?;
    }
    let names = |connection: &Connection| -> rusqlite::Result<BTreeSet<String>> {
        let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")?;
        names.query_map([], |row| row.get(0))?.collect()
    };
    Ok(names(&model)?.is_subset(&names(connection)?))
}

/// Refuses every version but this program's: who only reads cannot bring it up to date. One without a single version is
/// only being made: there is nothing in it yet.
pub(super) fn current(connection: &Connection, path: &Path) -> Result<(), Error> {
    let (found, known) = (check(connection, path)?, known());
    if found == 0 {
        return Err(super::missing(path));
    }
    if found < known { Err(Error::Older { path: path.to_owned(), found, known }) } else { Ok(()) }
}

/// Brings a database up to date, each step in a transaction of its own.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Sqlite { doing: "migrate", path: path.to_owned(), source };
    let (application, found) = versions(connection, path)?;
    let tables = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    if application == 0 && found == 0 && tables(connection).map_err(failed)? == 0 {
        connection.execute_batch(&format!("PRAGMA application_id = {APPLICATION_ID}")).map_err(failed)?;
    }
    check(connection, path)?;
    for (version, sql) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let step = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            // Views of before would stand in the way; whoever made views of their own keeps them.
            for view in views() {
                transaction.execute_batch(&format!("DROP VIEW IF EXISTS {view}"))?;
            }
            transaction.execute_batch(sql)?;
            if version == known() {
                transaction.execute_batch(VIEWS)?;
            }
            transaction.execute_batch(&format!("PRAGMA user_version = {version}"))?;
            transaction.commit()
        };
        step(connection).map_err(failed)?;
    }
    Ok(())
}
