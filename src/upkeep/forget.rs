//! A take-down: a URL's records leave the WARC files and the database, and no byte of what they held stays.
//!
//! *What goes.* Every capture of the URL with all its records. And every capture of any other URL that has the same
//! payload: the same bytes under another address would still be the forgotten content, and revisits would point to
//! nothing. Only what was answered with success counts there: the body of a redirect or of an error is the server's
//! boilerplate and not the URL's content. `look` lists all of it and changes nothing.
//!
//! What was derived or cut out of files goes too, whether anything was found or not: nobody can look into it.
//!
//! *What stays.* A tombstone in each capture's place, a line in `takedown.jsonl`, and a row with the same words. The
//! URLs are refused from then on; [`super::allow`] lets them be fetched again.
//!
//! *In which order.* The line first, with the ids of all records that are to go; then file after file is written anew
//! beside the old one and swapped in; then the database, which overwrites what it deletes and is compacted; then what
//! was derived. Whoever is interrupted does it again: the line says what was begun.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::files::{Shelf, len, rename, sync_folder, warc_name};
use super::repair::repair;
use super::rewrite::{Form, Rewriting, survey};
use super::unwanted::Unwanted;
use super::{Error, Progress, Watch, takedown};
use crate::archive::{Group, Groups, Reading, tombstone};
use crate::crawl::DATABASE;
use crate::store::{self, Act, Removed, Store, Takedown};
use crate::web::time::Timestamp;

/// What was removed, or would be.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// The captures, by file.
    pub captures: Vec<(String, Removed)>,
    /// What else went: exports, damaged files, bytes that were cut off. They may have held it.
    pub derived: Vec<PathBuf>,
    /// An earlier attempt that was interrupted was brought to its end.
    pub finished_earlier: bool,
}

/// Forgets a URL; with `look` it only says what would go. The caller holds the archive's lock.
///
/// # Errors
/// [`Error::Damage`] when a file cannot be read through: what is unreadable may hold it, so [`repair`] comes first.
/// [`Error::Io`] or [`Error::Store`] when something cannot be written; doing it again finishes it.
pub fn forget(
    archive: &Path,
    url: &str,
    reason: &str,
    look: bool,
    now: Timestamp,
    watch: Watch<'_>,
) -> Result<Forgotten, Error> {
    let shelf = Shelf::of(archive);
    let database = archive.join(DATABASE);
    store::must_be_sound(&database)?;
    let mut store = Store::open(&database)?;
    let begun = begun(archive, &store, url)?;
    if !look && (!begun.is_empty() || shelf.warc_files()?.iter().any(|path| warc_name(path).1)) {
        // What an interruption left half done: rows that name old places, files that were being written.
        drop(store);
        repair(archive, false, watch)?;
        store = Store::open(&database)?;
    }
    let before = takedown::forgotten(archive, &store)?.remove(url);
    let unwanted = Unwanted::of_url(url, before.as_deref().unwrap_or_default());
    let found = find(&shelf, unwanted, !begun.is_empty(), watch)?;
    let mut forgotten = Forgotten { finished_earlier: !begun.is_empty(), ..Forgotten::default() };
    for hit in &found.hits {
        forgotten.captures.extend(hit.removed.clone().map(|removed| (hit.file.clone(), removed)));
    }
    if look {
        return Ok(forgotten);
    }
    let mut lines = begun;
    // What was never captured, or is gone already, is refused from now on; once is enough to say so.
    if !forgotten.captures.is_empty() || before.is_none() {
        let records = forgotten.captures.iter().map(|(_, removed)| removed.clone()).collect();
        let line = Takedown { at: now, act: Act::Forget, url: url.to_owned(), reason: reason.to_owned(), records };
        takedown::append(archive, &line)?;
        lines.push(line);
    }
    let files: BTreeSet<&PathBuf> = found.hits.iter().map(|hit| &hit.path).chain(&found.dictionaries).collect();
    let total = files.iter().map(|path| len(path)).sum();
    let mut done = 0;
    for path in files {
        watch.at(Progress { what: &warc_name(path).0, done, total })?;
        let hits: BTreeMap<usize, &Hit> =
            found.hits.iter().filter(|hit| &hit.path == path).map(|hit| (hit.number, hit)).collect();
        bury(&shelf, &mut store, path, &hits, (reason, now))?;
        done += len(path);
    }
    for line in &lines {
        store.take_down(line)?;
    }
    if !lines.is_empty() || !found.hits.is_empty() {
        store.compact()?;
    }
    forgotten.derived = sweep(&shelf)?;
    Ok(forgotten)
}

/// Take-downs of this URL that were told and not carried out.
fn begun(archive: &Path, store: &Store, url: &str) -> Result<Vec<Takedown>, Error> {
    let mut begun = Vec::new();
    for line in takedown::lines(archive)? {
        if line.act == Act::Forget && line.url == url && !store.is_taken_down(&line)? {
            begun.push(line);
        }
    }
    Ok(begun)
}

/// What is to go.
#[derive(Default)]
struct Hits {
    hits: Vec<Hit>,
    /// Files whose dictionary may hold pieces of it: they are written anew without one.
    dictionaries: Vec<PathBuf>,
}

struct Hit {
    path: PathBuf,
    file: String,
    /// Which of the file's groups it is.
    number: usize,
    /// Its target, as written.
    target: String,
    /// The capture it is; none for stray records.
    removed: Option<Removed>,
}

fn find(shelf: &Shelf, mut unwanted: Unwanted, is_begun: bool, watch: Watch<'_>) -> Result<Hits, Error> {
    let paths = shelf.warc_files()?;
    let total: u64 = paths.iter().map(|path| 2 * len(path)).sum();
    let mut done = 0;
    // First what it held, then who else holds that.
    for path in &paths {
        each_group(path, &mut |_, group| {
            unwanted.learn(group);
            watch.at(Progress { what: &group.file, done: done + group.end(), total })
        })?;
        done += len(path);
    }
    let mut found = Hits::default();
    for path in &paths {
        each_group(path, &mut |number, group| {
            watch.at(Progress { what: &group.file, done: done + group.end(), total })?;
            if unwanted.has(group) {
                found.hits.push(hit(path, number, group));
            }
            Ok(())
        })?;
        done += len(path);
        let reading = Reading::open(path).map_err(Error::io("read", path))?;
        if reading.dictionary().is_some() {
            found.dictionaries.push(path.clone());
        }
    }
    // A dictionary is trained from pages: it goes when there was anything to forget.
    if found.hits.is_empty() && !is_begun {
        found.dictionaries.clear();
    }
    Ok(found)
}

fn hit(path: &Path, number: usize, group: &Group) -> Hit {
    let target = group.records.iter().find_map(|record| record.field("WARC-Target-URI"));
    Hit {
        path: path.to_owned(),
        file: group.file.clone(),
        number,
        target: target.unwrap_or_default().to_owned(),
        removed: group.found().map(|found| found.capture).map(|capture| Removed {
            url: capture.url,
            date: capture.at,
            record_id: capture.record_id,
            payload_digest: capture.payload.as_str().to_owned(),
            status: capture.status,
        }),
    }
}

/// Each group of a file, with its number: where records share a gzip member, several begin at one offset.
fn each_group(path: &Path, take: &mut dyn FnMut(usize, &Group) -> Result<(), Error>) -> Result<(), Error> {
    for (number, group) in Groups::open(path, 0).map_err(Error::io("read", path))?.enumerate() {
        take(number, &group?)?;
    }
    Ok(())
}

/// Writes a file anew with tombstones in the place of these groups, swaps it in, and lets the rows follow.
fn bury(
    shelf: &Shelf,
    store: &mut Store,
    path: &Path,
    hits: &BTreeMap<usize, &Hit>,
    (reason, now): (&str, Timestamp),
) -> Result<(), Error> {
    let (name, _) = warc_name(path);
    let new = shelf.spool()?.join(&name);
    let failed = |cause| Error::io("write", &new)(cause);
    // A dictionary may hold pieces of what is forgotten: zstd frames are packed anew without it.
    let form = Form::of(&name);
    let mut out = Rewriting::begin(path, &new, form, form != Form::Zstd)?;
    each_group(path, &mut |number, group| {
        let Some(hit) = hits.get(&number) else { return out.keep(group).map_err(failed) };
        let removed = hit.removed.as_ref();
        let said = json!({
            "reason": reason,
            "date": removed.map(|removed| removed.date.iso()),
            "record_id": removed.map(|removed| &removed.record_id),
        });
        out.write(&tombstone(&hit.target, now, &said)).map_err(failed)
    })?;
    out.finish(&new)?;
    // Read back before it takes the other's place.
    let (stands, unread) = survey(&new)?;
    if let Some(damage) = unread.into_iter().next() {
        return Err(damage.into());
    }
    rename(&new, path)?;
    store.follow(&name, len(path), &stands, false)?;
    Ok(())
}

/// Removes what was derived from the archive or cut out of it: it may hold what was forgotten, and what it says of the
/// files that were written anew is wrong.
fn sweep(shelf: &Shelf) -> Result<Vec<PathBuf>, Error> {
    let mut swept = Vec::new();
    for folder in ["cdxj", "wacz", "damaged", "spool"] {
        let path = shelf.root.join(folder);
        if path.exists() {
            if folder != "spool" {
                swept.push(path.clone());
            }
            std::fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
    }
    let entries = std::fs::read_dir(&shelf.root).map_err(Error::io("list", &shelf.root))?;
    for entry in entries {
        let path = entry.map_err(Error::io("list", &shelf.root))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{DATABASE}.")) {
            std::fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            swept.push(path);
        }
    }
    sync_folder(&shelf.root)?;
    Ok(swept)
}
