//! The archive as a whole: every group of records ↔ its row.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::finding::{Code, FILE_GONE, FILE_LONG, FILE_SHORT, FILE_UNKNOWN, NO_RECORD, NO_ROW, ROW_DIFFERS};
use super::record::Facts;
use crate::archive::OPEN;
use crate::store::{CaptureRow, Error, FileRow, Reader};
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

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

/// The rows of one file, compared with its records as they come.
pub(super) struct Rows {
    rows: std::iter::Peekable<std::vec::IntoIter<CaptureRow>>,
    /// Places of the row's other records that have not been seen yet.
    group: Option<Group>,
    /// Where the request stands that came before its answer.
    early: Option<(u64, u64)>,
    pub compared: u64,
}

struct Group {
    row: CaptureRow,
    request: Option<(u64, u64)>,
    metadata: Option<(u64, u64)>,
}

type Say<'a> = &'a mut dyn FnMut(&'static Code, u64, Option<&CaptureRow>, String);

impl Rows {
    /// The rows of a file.
    pub fn of(reader: &Reader, file: &Shelved) -> Result<Rows, Error> {
        let rows = reader.captures_in(&file.name, file.committed.unwrap_or(0))?;
        Ok(Rows { rows: rows.into_iter().peekable(), group: None, early: None, compared: 0 })
    }

    /// A record of the file, in order.
    pub fn hear(&mut self, facts: &Facts, say: Say<'_>) {
        while let Some(row) = self.rows.next_if(|row| row.place.offset < facts.offset) {
            self.close(say);
            say(&NO_RECORD, row.place.offset, Some(&row), "no record begins there".to_owned());
        }
        if let Some(row) = self.rows.next_if(|row| row.place.offset == facts.offset) {
            self.close(say);
            self.compared += 1;
            compare(&row, facts, say);
            // Captures of other tools may have none: their rows name an empty place.
            let metadata = Some(row.metadata).filter(|(_, length)| *length > 0);
            let request = row.request.filter(|request| self.early.take() != Some(*request));
            self.group = Some(Group { row, request, metadata });
            return;
        }
        match facts.kind.as_str() {
            "warcinfo" => {}
            // The tombstone of what was forgotten: the one kind of metadata that belongs to no capture.
            "metadata" if facts.concurrent.is_none() => {}
            // Some tools write it before the answer.
            "request" if self.rows.peek().is_some_and(|row| row.request == Some((facts.offset, facts.length))) => {
                self.early = Some((facts.offset, facts.length));
            }
            "request" => self.member(facts, say, |group| &mut group.request),
            "metadata" => self.member(facts, say, |group| &mut group.metadata),
            // Further resources of a group: certificates, names.
            "resource" if self.is_concurrent(facts) => {}
            "conversion" | "continuation" => {}
            // A name server's answer, in whatever form: no capture of a web address or document.
            _ if !facts.url.as_deref().is_some_and(is_captured) => {}
            _ => say(&NO_ROW, facts.offset, None, format!("no row leads to this {}", facts.kind)),
        }
    }

    fn is_concurrent(&self, facts: &Facts) -> bool {
        self.group.as_ref().is_some_and(|group| facts.concurrent.as_ref() == Some(&group.row.record_id))
    }

    fn member(&mut self, facts: &Facts, say: Say<'_>, place: fn(&mut Group) -> &mut Option<(u64, u64)>) {
        let is_there =
            |group: &mut Group| place(group).take_if(|named| *named == (facts.offset, facts.length)).is_some();
        if self.group.as_mut().is_some_and(is_there) {
            return;
        }
        if !self.is_concurrent(facts) {
            return say(&NO_ROW, facts.offset, None, format!("no row leads to the group of this {}", facts.kind));
        }
        let Some(group) = &mut self.group else { return };
        // What another tool noted has no place in the row.
        if facts.kind == "metadata" && group.row.metadata.1 == 0 {
            return;
        }
        let named = place(group).take();
        if named != Some((facts.offset, facts.length)) {
            let row = &group.row;
            let there = named.map_or("nowhere".to_owned(), |(at, len)| format!("at {at}, {len} bytes"));
            let text =
                format!("the row has the {} {there}; it is at {}, {} bytes", facts.kind, facts.offset, facts.length);
            say(&ROW_DIFFERS, facts.offset, Some(row), text);
        }
    }

    /// The group is over: what of it was not seen is missing.
    fn close(&mut self, say: Say<'_>) {
        let Some(group) = self.group.take() else { return };
        for (place, what) in [(group.request, "request"), (group.metadata, "metadata")] {
            if let Some((offset, _)) = place {
                say(&NO_RECORD, offset, Some(&group.row), format!("the {what} of the row's group is not there"));
            }
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

/// Whether a record of this URL is a capture.
fn is_captured(url: &str) -> bool {
    let url = url.trim_start_matches('<');
    ["http:", "https:", "file:"]
        .iter()
        .any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

fn compare(row: &CaptureRow, facts: &Facts, say: Say<'_>) {
    // What a damaged record says of itself has been found already, or cannot be trusted.
    if !facts.whole {
        return;
    }
    // Other tools spell addresses, dates and digests otherwise than rows do, and take digests over other bytes.
    let is_theirs = row.metadata.1 == 0;
    let names = |url: &String| {
        url.trim_matches(['<', '>']) == row.url
            || (is_theirs && WebUrl::parse(url.trim_matches(['<', '>'])).is_ok_and(|url| url.as_str() == row.url))
    };
    let payload = facts.payload.as_ref().or(facts.block.as_ref());
    let date = Timestamp::from_iso(&facts.date);
    for (same, what, wanted, found) in [
        (row.record_id == facts.id, "id", row.record_id.clone(), facts.id.clone()),
        (row.kind == facts.kind, "type", row.kind.clone(), facts.kind.clone()),
        (facts.url.as_ref().is_some_and(names), "URL", row.url.clone(), facts.url.clone().unwrap_or_default()),
        (Some(row.at) == date || (is_theirs && date.is_none()), "date", row.at.iso(), facts.date.clone()),
        (row.place.length == facts.length, "length", row.place.length.to_string(), facts.length.to_string()),
        (
            is_theirs || payload.is_none_or(|payload| *payload == row.payload),
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
