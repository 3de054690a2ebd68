//! The archive as a whole: every group of records ↔ its row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::finding::{Code, FILE_GONE, FILE_LONG, FILE_SHORT, FILE_UNKNOWN, NO_RECORD, NO_ROW, ROW_DIFFERS};
use super::record::Facts;
use crate::archive::{OPEN, belongs, first, of_web};
use crate::store::{CaptureRow, Error, FileRow, Reader};
use crate::web::time::Timestamp;

/// A file of the archive, and how much of it is looked up.
#[derive(Clone, Debug)]
pub(super) struct Shelved {
    /// Its name, without `.open`.
    pub name: String,
    pub path: PathBuf,
    /// What the database knows of it; none when it does not know it.
    pub committed: Option<u64>,
    /// It is being written, or was left by a killed run.
    pub is_open: bool,
    pub len: u64,
}

/// A finding about a file as a whole: which, where, what.
pub(super) type OfFile = (&'static Code, String, Option<u64>, String);

/// The files of the folder and those of the database, by name; and what is wrong with them as files.
pub(super) fn shelf(folder: &Path, known: &[FileRow]) -> std::io::Result<(Vec<Shelved>, Vec<OfFile>)> {
    let (mut shelf, mut found) = (Vec::new(), Vec::new());
    let mut committed: HashMap<&str, u64> = known.iter().map(|row| (row.name.as_str(), row.committed)).collect();
    let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(cause) => return Err(cause),
    };
    paths.sort();
    for path in paths.into_iter().filter(|path| path.is_file()) {
        let full = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if !full.contains(".warc") {
            continue;
        }
        let name = full.strip_suffix(OPEN).unwrap_or(&full).to_owned();
        let is_open = name != full;
        let len = match path.metadata() {
            Ok(metadata) => metadata.len(),
            // A crawl has dropped its `.open` since the folder was listed.
            Err(_) if is_open && folder.join(&name).is_file() => folder.join(&name).metadata()?.len(),
            Err(cause) => return Err(cause),
        };
        let path = if path.exists() { path } else { folder.join(&name) };
        let committed = committed.remove(name.as_str());
        match committed {
            Some(committed) if len < committed => {
                let text = format!("the database knows {committed} bytes of it, there are {len}");
                found.push((&FILE_SHORT, full, Some(len), text));
            }
            Some(committed) if len > committed && !is_open => {
                let text = format!("the database knows {committed} bytes of it, there are {len}");
                found.push((&FILE_LONG, full, Some(committed), text));
            }
            None if !is_open => {
                found.push((&FILE_UNKNOWN, full, None, "the database does not know the file".to_owned()));
            }
            _ => {}
        }
        shelf.push(Shelved { name, path, committed, is_open, len });
    }
    let mut gone: Vec<(&str, u64)> = committed.into_iter().filter(|(_, committed)| *committed > 0).collect();
    gone.sort_unstable();
    for (name, committed) in gone {
        let text = format!("the database knows {committed} bytes of it, and it is not there");
        found.push((&FILE_GONE, name.to_owned(), None, text));
    }
    Ok((shelf, found))
}

/// The rows of one file, compared with its groups of records as they come. What a group is, and which groups are
/// captures, is the rule by which rows are made (see [`belongs`] and [`of_web`]).
pub(super) struct Rows {
    rows: std::iter::Peekable<std::vec::IntoIter<CaptureRow>>,
    /// The records of the group at hand.
    group: Vec<Facts>,
    pub compared: u64,
}

/// Nobody writes groups of so many records; a file that looks like one group must not fill the memory.
const GROUP_MAX: usize = 256;

type Say<'a> = &'a mut dyn FnMut(&'static Code, u64, Option<&CaptureRow>, String);

impl Rows {
    /// The rows of a file.
    pub fn of(reader: &Reader, file: &Shelved) -> Result<Rows, Error> {
        let rows = reader.captures_in(&file.name, file.committed.unwrap_or(0))?;
        Ok(Rows { rows: rows.into_iter().peekable(), group: Vec::new(), compared: 0 })
    }

    /// A record of the file, in order.
    pub fn hear(&mut self, facts: Facts, say: Say<'_>) {
        if self.group.len() >= GROUP_MAX || !belongs(&facts, &self.group) {
            self.close(say);
        }
        self.group.push(facts);
    }

    /// The group is over.
    fn close(&mut self, say: Say<'_>) {
        let group = std::mem::take(&mut self.group);
        let Some(last) = group.last() else { return };
        let end = last.offset + last.length;
        let first = first(&group);
        let mut has_row = false;
        while let Some(row) = self.rows.next_if(|row| row.place.offset < end) {
            match group.iter().find(|facts| facts.offset == row.place.offset) {
                Some(facts) => {
                    self.compared += 1;
                    compare(&row, facts, say);
                    compare_others(&row, &group, end, say);
                    has_row |= first.is_some_and(|first| first.offset == facts.offset);
                }
                None => say(&NO_RECORD, row.place.offset, Some(&row), "no record begins there".to_owned()),
            }
        }
        if let Some(first) = first.filter(|first| !has_row && is_capture(first, &group)) {
            say(&NO_ROW, first.offset, None, format!("no row leads to this {}", first.kind));
        }
    }

    /// The file has ended.
    pub fn finish(&mut self, say: Say<'_>) {
        self.close(say);
        for row in self.rows.by_ref() {
            say(&NO_RECORD, row.place.offset, Some(&row), "no record begins there".to_owned());
        }
    }
}

/// Whether there must be a row for the group with this first record. A document of the user's own is one when metadata
/// concludes it.
fn is_capture(first: &Facts, group: &[Facts]) -> bool {
    let is_document = || {
        let concluded = group.len() > 1 && group.last().is_some_and(|last| last.kind == "metadata");
        concluded && first.kind == "resource" && first.url.as_deref().is_some_and(|url| url.starts_with("file:"))
    };
    of_web(first).is_some() || is_document()
}

/// The row's first record is there; are the others where it says?
fn compare_others(row: &CaptureRow, group: &[Facts], end: u64, say: Say<'_>) {
    let place = |facts: &Facts| (facts.offset, facts.length);
    let request = group.iter().find(|facts| facts.kind == "request").map(place);
    let noted = group.last().filter(|last| last.kind == "metadata").map(place);
    // Other tools' captures have no metadata of ours: an empty place at the end of the group.
    let (wanted, metadata) = if row.metadata == (end, 0) { (None, None) } else { (Some(row.metadata), noted) };
    for (what, wanted, found) in [("request", row.request, request), ("metadata", wanted, metadata)] {
        let text = match (wanted, found) {
            _ if wanted == found => continue,
            (Some((offset, _)), None) => {
                let text = format!("the {what} of the row's group is not there");
                say(&NO_RECORD, offset, Some(row), text);
                continue;
            }
            (None, Some((offset, length))) => {
                format!("the row has the {what} nowhere; it is at {offset}, {length} bytes")
            }
            (Some((at, len)), Some((offset, length))) => {
                format!("the row has the {what} at {at}, {len} bytes; it is at {offset}, {length} bytes")
            }
            (None, None) => continue,
        };
        say(&ROW_DIFFERS, row.place.offset, Some(row), text);
    }
}

fn compare(row: &CaptureRow, facts: &Facts, say: Say<'_>) {
    // What a damaged record says of itself has been found already, or cannot be trusted.
    if !facts.whole {
        return;
    }
    // Other tools spell addresses and dates otherwise than rows do; what they say of payloads is often left out or
    // taken over other bytes, and computed for the row.
    let theirs = of_web(facts).filter(|_| row.metadata.1 == 0);
    let url = facts.url.clone().unwrap_or_default();
    let names = |row: &CaptureRow| row.url == url || theirs.as_ref().is_some_and(|(url, _)| url.as_str() == row.url);
    let date = theirs.as_ref().map(|(_, at)| *at).or_else(|| Timestamp::from_iso(&facts.date));
    let payload = facts.payload.as_ref().or(facts.block.as_ref()).filter(|_| theirs.is_none());
    for (same, what, wanted, found) in [
        (row.record_id == facts.id, "id", row.record_id.clone(), facts.id.clone()),
        (row.kind == facts.kind, "type", row.kind.clone(), facts.kind.clone()),
        (names(row), "URL", row.url.clone(), url.clone()),
        (Some(row.at) == date, "date", row.at.iso(), facts.date.clone()),
        (row.place.length == facts.length, "length", row.place.length.to_string(), facts.length.to_string()),
        (
            payload.is_none_or(|payload| *payload == row.payload),
            "payload digest",
            row.payload.clone(),
            payload.cloned().unwrap_or_default(),
        ),
    ] {
        if !same {
            say(&ROW_DIFFERS, facts.offset, Some(row), format!("{what}: the row has «{wanted}», the record «{found}»"));
        }
    }
}
