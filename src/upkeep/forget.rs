//! A take-down: a URL's records leave the WARC files and the database, and no byte of what they held stays.
//!
//! *What goes.* Every capture of the URL with all its records. And every capture of any other URL that has the same
//! payload: the same bytes under another address would still be the forgotten content, and revisits would point to
//! nothing. Only what was answered with success counts there: the body of a redirect or of an error is the server's
//! boilerplate and not the URL's content. `look` lists all of it and changes nothing.
//!
//! *What stays.* A tombstone in each capture's place, a line in `takedown.jsonl`, and a row with the same words. The
//! URLs are refused from then on; [`super::allow`] lets them be fetched again.
//!
//! *In which order.* The line first, with the ids of all records that are to go; then file after file is written anew
//! beside the old one and swapped in; then the database, which overwrites what it deletes and is compacted; then what
//! was derived. Whoever is interrupted does it again: the line says what was begun.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::files::{Shelf, len, rename, sync_folder, warc_name};
use super::repair::repair;
use super::rewrite::{Form, Rewriting, survey};
use super::{Error, Progress, Watch, takedown};
use crate::archive::{Group, Groups, Kind, Reading, Record, entity, is_tombstone, tombstone};
use crate::crawl::DATABASE;
use crate::store::{Act, Removed, Store, Takedown};
use crate::web::digest::{Algorithm, digest};
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

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
    if !database.exists() {
        return Err(crate::store::missing(&archive.join(DATABASE)).into());
    }
    let mut store = Store::open(&database)?;
    let begun = begun(archive, &store, url)?;
    if !look && (!begun.is_empty() || shelf.warc_files()?.iter().any(|path| warc_name(path).1)) {
        // What an interruption left half done: rows that name old places, files that were being written.
        drop(store);
        repair(archive, false, watch)?;
        store = Store::open(&database)?;
    }
    let found = find(&shelf, url, &begun, watch)?;
    let mut forgotten = Forgotten { finished_earlier: !begun.is_empty(), ..Forgotten::default() };
    for hit in &found.hits {
        forgotten.captures.extend(hit.removed.clone().map(|removed| (hit.file.clone(), removed)));
    }
    if look || (found.hits.is_empty() && begun.is_empty()) {
        return Ok(forgotten);
    }
    let mut lines = begun;
    if !forgotten.captures.is_empty() || lines.is_empty() {
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
        let hits: BTreeMap<u64, &Hit> =
            found.hits.iter().filter(|hit| &hit.path == path).map(|hit| (hit.offset, hit)).collect();
        bury(&shelf, &mut store, path, &hits, (reason, now))?;
        done += len(path);
    }
    for line in &lines {
        store.take_down(line)?;
    }
    store.compact()?;
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
    /// Where the group begins.
    offset: u64,
    /// Its target, as written.
    target: String,
    /// The capture it is; none for stray records.
    removed: Option<Removed>,
}

/// A payload has the URL's content when a digest of any kind says so.
type Digests = HashSet<String>;

fn find(shelf: &Shelf, url: &str, begun: &[Takedown], watch: Watch<'_>) -> Result<Hits, Error> {
    let paths = shelf.warc_files()?;
    let total: u64 = paths.iter().map(|path| 2 * len(path)).sum();
    let mut digests: Digests =
        begun.iter().flat_map(|line| &line.records).map(|removed| removed.payload_digest.clone()).collect();
    let mut done = 0;
    // First what it held, then who else holds that.
    for path in &paths {
        each_group(path, &mut |group| {
            if names(group, url) {
                digests.extend(contents(group));
            }
            watch.at(Progress { what: &group.file, done: done + group.end(), total })
        })?;
        done += len(path);
    }
    let empty = [Algorithm::Sha1, Algorithm::Sha256].map(|kind| digest(kind, b"").as_str().to_owned());
    digests.retain(|digest| !empty.contains(digest));
    let ids: HashSet<&str> =
        begun.iter().flat_map(|line| &line.records).map(|removed| removed.record_id.as_str()).collect();
    let mut found = Hits::default();
    for path in &paths {
        each_group(path, &mut |group| {
            watch.at(Progress { what: &group.file, done: done + group.end(), total })?;
            if let Some(hit) = hit(path, group, url, &digests, &ids) {
                found.hits.push(hit);
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
    if found.hits.is_empty() && begun.is_empty() {
        found.dictionaries.clear();
    }
    Ok(found)
}

fn hit(path: &Path, group: &Group, url: &str, digests: &Digests, ids: &HashSet<&str>) -> Option<Hit> {
    let capture = group.found().map(|found| found.capture);
    let is_it = names(group, url)
        || capture.as_ref().is_some_and(|capture| {
            ids.contains(capture.record_id.as_str())
                || digests.contains(capture.payload.as_str())
                || (capture.kind != Kind::Revisit && contents(group).iter().any(|digest| digests.contains(digest)))
        });
    let target = group.records.iter().find_map(|record| record.field("WARC-Target-URI"));
    is_it.then(|| Hit {
        path: path.to_owned(),
        file: group.file.clone(),
        offset: group.offset(),
        target: target.unwrap_or(url).to_owned(),
        removed: capture.map(|capture| Removed {
            url: capture.url,
            date: capture.at,
            record_id: capture.record_id,
            payload_digest: capture.payload.as_str().to_owned(),
        }),
    })
}

fn each_group(path: &Path, take: &mut dyn FnMut(&Group) -> Result<(), Error>) -> Result<(), Error> {
    for group in Groups::open(path, 0).map_err(Error::io("read", path))? {
        take(&group?)?;
    }
    Ok(())
}

/// Whether a record of this group is of the URL.
fn names(group: &Group, url: &str) -> bool {
    let is_url = |record: &Record| {
        record
            .field("WARC-Target-URI")
            .map(|target| target.trim_matches(['<', '>']))
            .is_some_and(|target| target == url || WebUrl::parse(target).is_ok_and(|target| target.as_str() == url))
    };
    group.records.iter().any(|record| is_url(record) && !is_tombstone(record))
}

/// The digests of what a capture holds, when that is the URL's content: as it says, and in both of our kinds.
fn contents(group: &Group) -> Vec<String> {
    let Some(found) = group.found() else { return Vec::new() };
    let capture = &found.capture;
    if capture.status.is_some_and(|status| !(200..300).contains(&status) && status != 304) {
        return Vec::new();
    }
    let mut digests = vec![capture.payload.as_str().to_owned()];
    let body = match capture.kind {
        Kind::Response => entity(&found.first).into_owned(),
        Kind::Resource => found.first.block.clone(),
        Kind::Revisit => Vec::new(),
    };
    digests.extend([Algorithm::Sha1, Algorithm::Sha256].map(|kind| digest(kind, &body).as_str().to_owned()));
    digests
}

/// Writes a file anew with tombstones in the place of these groups, swaps it in, and lets the rows follow.
fn bury(
    shelf: &Shelf,
    store: &mut Store,
    path: &Path,
    hits: &BTreeMap<u64, &Hit>,
    (reason, now): (&str, Timestamp),
) -> Result<(), Error> {
    let (name, _) = warc_name(path);
    let new = shelf.spool()?.join(&name);
    let failed = |cause| Error::io("write", &new)(cause);
    // A dictionary may hold pieces of what is forgotten: zstd frames are packed anew without it.
    let form = Form::of(&name);
    let mut out = Rewriting::begin(path, &new, form, form != Form::Zstd)?;
    each_group(path, &mut |group| {
        let Some(hit) = hits.get(&group.offset()) else { return out.keep(group).map_err(failed) };
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
