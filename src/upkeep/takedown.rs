//! `takedown.jsonl`: what was forgotten or blocked, when and why, one JSON object a line.
//!
//! A line is written before anything is done, so that what was begun is known and can be finished; the row of the same
//! name in the database says that it was carried out.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::Error;
use super::files::append_line;
use crate::crawl::DATABASE;
use crate::store::{Act, Removed, Store, Takedown};
use crate::web::time::Timestamp;

/// Every line that can be read, in order. One that a crash cut off was never acted upon.
pub(super) fn lines(archive: &Path) -> Result<Vec<Takedown>, Error> {
    let path = file(archive);
    match std::fs::read_to_string(&path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(cause) => Err(Error::io("read", path)(cause)),
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
    }
}

/// The URLs that are forgotten now, each with what was removed for it: what was forgotten and then allowed is not one.
///
/// The rows count where the lines are lost. Those come first: what only they know is older than a file begun anew.
pub(super) fn forgotten(archive: &Path, store: &Store) -> Result<HashMap<String, Vec<Removed>>, Error> {
    let lines = lines(archive)?;
    let told: HashSet<_> = lines.iter().map(|line| (line.at, line.act, line.url.clone())).collect();
    let mut all = store.takedowns()?;
    all.retain(|row| !told.contains(&(row.at, row.act, row.url.clone())));
    all.extend(lines);
    let mut forgotten: HashMap<String, Vec<Removed>> = HashMap::new();
    for takedown in all {
        match takedown.act {
            Act::Forget => forgotten.entry(takedown.url).or_default().extend(takedown.records),
            // Such a line names the URL alone: all that was removed for it may come back.
            Act::Allow => drop(forgotten.remove(&takedown.url)),
            Act::Block | Act::Unblock => {}
        }
    }
    Ok(forgotten)
}

/// Writes a line, durably.
pub(super) fn append(archive: &Path, takedown: &Takedown) -> Result<(), Error> {
    let line = serde_json::to_string(takedown).unwrap_or_default();
    append_line(&file(archive), &line)
}

/// Carries every line out in a database that was made anew: its captures are gone already, its URLs stay refused. Says
/// of which URLs there are captures still: their take-down was interrupted, and is for the next [`super::forget`].
pub(super) fn carry_over(archive: &Path, store: &mut Store) -> Result<Vec<String>, Error> {
    let forgotten = forgotten(archive, store)?;
    let mut begun = Vec::new();
    for takedown in lines(archive)? {
        let mut is_there = false;
        for removed in &takedown.records {
            is_there |= store.has_record(&removed.record_id)?;
        }
        if takedown.act == Act::Forget && !forgotten.contains_key(&takedown.url) {
            // It was allowed again: what it removed may have been imported since.
            store.write_down(&takedown)?;
        } else if is_there {
            begun.push(takedown.url);
        } else {
            store.take_down(&takedown)?;
        }
    }
    begun.dedup();
    Ok(begun)
}

/// Hides a URL from replay, or shows it again. The caller holds the archive's lock.
///
/// # Errors
/// When the line or the row cannot be written.
pub fn block(archive: &Path, url: &str, undo: bool, reason: &str, now: Timestamp) -> Result<(), Error> {
    let act = if undo { Act::Unblock } else { Act::Block };
    tell(archive, act, url, reason, now)
}

/// Lets a forgotten URL be fetched again. The caller holds the archive's lock.
///
/// # Errors
/// When the line or the row cannot be written.
pub fn allow(archive: &Path, url: &str, reason: &str, now: Timestamp) -> Result<(), Error> {
    tell(archive, Act::Allow, url, reason, now)
}

fn tell(archive: &Path, act: Act, url: &str, reason: &str, now: Timestamp) -> Result<(), Error> {
    let database = archive.join(DATABASE);
    crate::store::must_exist(&database)?;
    let mut store = Store::open(&database)?;
    let takedown = Takedown { at: now, act, url: url.to_owned(), reason: reason.to_owned(), records: Vec::new() };
    append(archive, &takedown)?;
    store.take_down(&takedown)?;
    Ok(store.rest()?)
}

fn file(archive: &Path) -> PathBuf {
    archive.join("takedown.jsonl")
}
