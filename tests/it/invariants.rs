//! What must hold of an archive at any moment, and what must hold once a run has ended well.
//!
//! Independent of the program's own checks: the files are read record by record, the database is read as tables, from
//! a copy, so that looking changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use pressmark::archive::Records;
use pressmark::web::time::Timestamp;
use rusqlite::Connection;

use crate::lantern::warcs;

/// A whole group: where its first record stands, what it is, and where the group ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub file: String,
    pub offset: u64,
    pub length: u64,
    pub id: String,
    pub url: String,
    /// In milliseconds since 1970.
    pub fetched: i64,
    pub digest: String,
    pub end: u64,
}

/// A WARC file as far as it can be read.
struct Shelf {
    path: PathBuf,
    /// The name without `.open`.
    name: String,
    groups: Vec<Group>,
    /// Where records end that concluded no group, or that cannot be read; none when all is whole.
    torn_from: Option<u64>,
}

fn shelves(archive: &Path) -> Vec<Shelf> {
    if !archive.join("warc").exists() {
        return Vec::new();
    }
    warcs(archive).into_iter().map(shelf).collect()
}

fn shelf(path: PathBuf) -> Shelf {
    let name = path.file_name().unwrap().to_str().unwrap().trim_end_matches(".open").to_owned();
    let mut shelf = Shelf { path, name, groups: Vec::new(), torn_from: None };
    let mut open: Option<Group> = None;
    let mut end = 0;
    for record in Records::open(&shelf.path, 0).unwrap() {
        let Ok(record) = record else {
            shelf.torn_from = Some(end);
            return shelf;
        };
        let field = |name| record.field(name).unwrap_or_default().to_owned();
        let belongs = record.field("WARC-Concurrent-To").is_some();
        if record.kind() == "metadata" && belongs {
            let mut group = open.take().unwrap_or_else(|| panic!("{}: metadata of nothing at {end}", shelf.name));
            assert_eq!(field("WARC-Concurrent-To"), group.id, "{}: a group within a group at {end}", shelf.name);
            group.end = record.offset + record.length;
            shelf.groups.push(group);
        } else if record.kind() != "warcinfo" && !belongs {
            assert!(open.is_none(), "{}: a group without its end before {}", shelf.name, record.offset);
            open = Some(Group {
                file: shelf.name.clone(),
                offset: record.offset,
                length: record.length,
                id: field("WARC-Record-ID"),
                url: field("WARC-Target-URI"),
                fetched: Timestamp::from_iso(&field("WARC-Date")).unwrap().0,
                digest: record.field("WARC-Payload-Digest").or(record.field("WARC-Block-Digest")).unwrap().to_owned(),
                end: 0,
            });
        }
        end = record.offset + record.length;
    }
    // Nothing but whole records, and the last ones conclude nothing.
    shelf.torn_from = open.map(|group| group.offset);
    shelf
}

/// The whole groups of all files.
pub fn groups(archive: &Path) -> BTreeSet<Group> {
    shelves(archive).into_iter().flat_map(|shelf| shelf.groups).collect()
}

/// The URLs of which a whole group stands in the files, and when each was fetched last.
pub fn kept(archive: &Path) -> BTreeMap<String, i64> {
    let mut kept = BTreeMap::new();
    for group in groups(archive) {
        let last = kept.entry(group.url).or_insert(group.fetched);
        *last = group.fetched.max(*last);
    }
    kept
}

/// The database as it lies there, opened from a copy: what a dying process left is neither repaired nor disturbed.
pub fn database(archive: &Path) -> Option<(tempfile::TempDir, Connection)> {
    let copy = tempfile::tempdir().unwrap();
    let path = copy.path().join("copy.sqlite3");
    for end in ["", "-wal", "-journal"] {
        let from = archive.join(format!("pressmark.sqlite3{end}"));
        if from.exists() {
            std::fs::copy(from, format!("{}{end}", path.display())).unwrap();
        }
    }
    let connection = Connection::open(&path).unwrap();
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'capture'", [], |row| row.get(0))
        .unwrap();
    (tables > 0).then_some((copy, connection))
}

/// The captures that the database knows, as the groups they say they are; and how much it knows of each file.
fn rows(connection: &Connection) -> (BTreeSet<Group>, BTreeMap<String, u64>) {
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "the database");
    let mut captures = connection
        .prepare(
            "SELECT f.name, c.offset, c.length, c.record_id, u.text, c.fetched_ms, p.digest, c.metadata_offset + c.metadata_length
             FROM capture c JOIN warc_file f ON f.id = c.file JOIN url u ON u.id = c.url
             JOIN payload p ON p.id = c.payload",
        )
        .unwrap();
    let number =
        |row: &rusqlite::Row<'_>, at: usize| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap());
    let group = |row: &rusqlite::Row<'_>| {
        Ok(Group {
            file: row.get(0)?,
            offset: number(row, 1)?,
            length: number(row, 2)?,
            id: row.get(3)?,
            url: row.get(4)?,
            fetched: row.get(5)?,
            digest: row.get(6)?,
            end: number(row, 7)?,
        })
    };
    let captures = captures.query_map([], group).unwrap().map(Result::unwrap).collect();
    let mut files = connection.prepare("SELECT name, committed_len FROM warc_file").unwrap();
    let files = files.query_map([], |row| Ok((row.get(0)?, number(row, 1)?))).unwrap().map(Result::unwrap).collect();
    (captures, files)
}

/// What holds at any moment, whatever happened: every row has its bytes, and nothing is damaged but the tail of a file
/// that was being written, beyond what the database knows.
pub fn check_at_any_moment(archive: &Path) {
    let shelves = shelves(archive);
    let known = database(archive).map(|(_copy, connection)| rows(&connection));
    let (captures, files) = known.unwrap_or_default();
    let groups: BTreeSet<Group> = shelves.iter().flat_map(|shelf| &shelf.groups).cloned().collect();
    let lacking: Vec<&Group> = captures.difference(&groups).collect();
    assert!(lacking.is_empty(), "rows without their bytes: {lacking:#?}");
    for shelf in &shelves {
        let Some(from) = shelf.torn_from else { continue };
        let is_open = shelf.path.extension().is_some_and(|end| end == "open");
        assert!(is_open, "{} is closed, and torn from {from}", shelf.name);
        let committed = files.get(&shelf.name).copied().unwrap_or(0);
        assert!(from >= committed, "{} is torn from {from}, and {committed} bytes are committed", shelf.name);
    }
}

/// What holds once a run has ended well: every group has its row and every row its group, no file is open or torn, and
/// no group is kept twice.
pub fn check_after_a_good_end(archive: &Path) {
    let shelves = shelves(archive);
    for shelf in &shelves {
        assert_eq!(shelf.torn_from, None, "{} is torn", shelf.name);
        assert!(shelf.path.extension().is_some_and(|end| end != "open"), "{} is not closed", shelf.name);
        assert!(!shelf.groups.is_empty(), "{} holds nothing", shelf.name);
    }
    let groups: BTreeSet<Group> = shelves.into_iter().flat_map(|shelf| shelf.groups).collect();
    let (_copy, connection) = database(archive).expect("a run has ended well, so there is a database");
    let (captures, files) = rows(&connection);
    assert_eq!(captures, groups, "rows and groups");
    for (file, committed) in files {
        let len = std::fs::metadata(archive.join("warc").join(&file)).unwrap().len();
        assert_eq!(committed, len, "{file} is committed to its end");
    }
    let ids: BTreeSet<&str> = captures.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(ids.len(), captures.len(), "a record's id stands twice");
}

/// What people get: every article with its title, its text and how many of its pictures there are.
pub fn articles(archive: &Path) -> Vec<(String, String, String, i64, i64)> {
    let (_copy, connection) = database(archive).expect("there are articles, so there is a database");
    let mut articles =
        connection.prepare("SELECT url, title, text, images, images_kept FROM article ORDER BY url").unwrap();
    let article = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    articles.query_map([], article).unwrap().map(Result::unwrap).collect()
}

/// What an archive that cannot be written makes the program say, with exit code 74.
const CAUSES: [&str; 9] = [
    "No space left",
    "disk is full",
    "Input/output error",
    "disk I/O error",
    "unable to open",
    "Read-only file system",
    "readonly database",
    "File exists",
    "Not a directory",
];

/// One line says what could not be done, to which file, why, and what to do.
pub fn check_sentence(said: &str, archive: &Path) {
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 1, "one sentence: {said}");
    assert!(lines[0].starts_with("pressmark: cannot "), "{said}");
    assert!(lines[0].contains(archive.to_str().unwrap()), "which file? {said}");
    assert!(CAUSES.iter().any(|cause| lines[0].contains(cause)), "why? {said}");
    assert!(lines[0].contains("run the same command again"), "what to do? {said}");
}
