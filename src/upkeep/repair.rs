//! An archive made whole again after a crash or a bad disk: torn tails cut, files sealed, damage left out, records
//! packed so that each can be read at its place, rows put right.
//!
//! Nothing is thrown away. The bytes that are cut off, and files with damage in them, are kept in the archive's folder
//! `damaged/`, where no tool takes them for archive. Every record that can be read and is what its digest says stays,
//! byte for byte. The rows of the database follow the records: those that moved are put right, those whose records are
//! gone go too (their URLs are asked again), and captures without rows get them. What is whole is not touched, so
//! repairing again does nothing.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::files::{Shelf, len, rename, sync_folder, warc_name};
use super::reindex::{IMPORT, Index, adopt};
use super::rewrite::{Form, Rewriting, stands, survey};
use super::{Error, Progress, Watch};
use crate::archive::{Found, Group, Groups, ReadError, Record, is_intact};
use crate::crawl::DATABASE;
use crate::store::{self, Followed, Reader, Stands, Store, Stray};

/// What was done about one file, or would be.
#[derive(Debug, Default)]
pub struct Mended {
    /// Its name, without `.open`.
    pub file: String,
    /// It was left open by a run that did not end by itself, and is sealed.
    pub sealed: bool,
    /// Bytes that were cut off its end.
    pub cut: u64,
    /// Records of it shared a gzip member or zstd frame and could not be read at their places: each has its own now.
    pub repacked: bool,
    /// What in it cannot be read, or is not what its digest says.
    pub damage: Vec<ReadError>,
    /// Captures left in it.
    pub captures: usize,
    /// What became of its rows. Captures that got their rows stand in `missing`.
    pub rows: Followed,
    /// Where the bytes went that are not in it any more.
    pub kept: Option<PathBuf>,
}

impl Mended {
    /// There was nothing to do.
    pub fn was_whole(&self) -> bool {
        !self.sealed && self.cut == 0 && !self.repacked && self.damage.is_empty() && self.rows == Followed::default()
    }
}

/// What was done about an archive, or would be.
#[derive(Debug, Default)]
pub struct Repaired {
    /// File by file.
    pub files: Vec<Mended>,
    /// Rows that lead to no row, the first few: no file can put them right, which is for [`super::reindex`].
    pub strays: Vec<Stray>,
}

/// So many rows that lead nowhere are named.
const STRAYS: usize = 10;

/// Mends every file of the archive; with `look` it only says what it would do. The caller holds the archive's lock.
///
/// # Errors
/// [`Error::Store`] when the database is missing or damaged: that is for [`super::reindex`]. [`Error::Io`] when a file
/// cannot be written; what was mended until then is mended.
pub fn repair(archive: &Path, look: bool, watch: Watch<'_>) -> Result<Repaired, Error> {
    let shelf = Shelf::of(archive);
    let database = archive.join(DATABASE);
    store::must_be_sound(&database)?;
    if look {
        // An older one would be brought up to date by opening it.
        drop(Reader::open(&database)?);
    }
    let mut store = Store::open(&database)?;
    let paths = shelf.warc_files()?;
    let total = paths.iter().map(|path| len(path)).sum();
    let mut done = 0;
    let mut mended = Vec::new();
    for path in &paths {
        let (name, _) = warc_name(path);
        watch.at(Progress { what: &name, done, total })?;
        mended.push(mend(&shelf, &mut store, path, look)?);
        done += len(path);
    }
    mended.extend(gone(&mut store, &paths, look)?);
    let strays = store.strays(STRAYS)?;
    if !look {
        store.rest()?;
    }
    Ok(Repaired { files: mended, strays })
}

fn mend(shelf: &Shelf, store: &mut Store, path: &Path, look: bool) -> Result<Mended, Error> {
    let (name, is_open) = warc_name(path);
    let mut mended = Mended { file: name.clone(), sealed: is_open, ..Mended::default() };
    let mut seen = look_through(path, is_open)?;
    mended.cut = len(path) - seen.end;
    mended.damage = seen.damage;
    mended.captures = seen.stands.len();
    mended.repacked = seen.is_shared;
    if look {
        // Offsets change with the records before them that are left out; which rows go is known all the same. No two
        // rows may name one place, though.
        for (number, stands) in (0..).zip(&mut seen.stands).filter(|_| mended.repacked) {
            stands.first.offset = number;
        }
        mended.rows = store.follow(&name, seen.end, &seen.stands, true)?;
        return Ok(mended);
    }
    let mut stands = seen.stands;
    if !mended.damage.is_empty() {
        mended.kept = Some(leave_out(shelf, path, &name)?);
        stands = survey(path)?.0;
    } else if mended.repacked {
        stands = pack_anew(shelf, path, &name, &stands)?;
    } else if mended.cut > 0 && seen.end > 0 {
        mended.kept = Some(cut(shelf, path, &name, seen.end)?);
    }
    // No file of which nothing is left.
    if seen.end == 0 || (!mended.damage.is_empty() && !seen.holds) {
        std::fs::remove_file(path).map_err(Error::io("remove", path))?;
        sync_folder(&shelf.warc())?;
        mended.rows = store.follow(&name, 0, &[], false)?;
        return Ok(mended);
    }
    mended.rows = put_rows_right(shelf, store, path, &stands)?;
    if is_open {
        rename(path, &shelf.warc().join(&name))?;
    }
    Ok(mended)
}

struct Seen {
    /// Where the last whole group ends; what follows is a torn tail.
    end: u64,
    /// Records share a gzip member or zstd frame.
    is_shared: bool,
    /// It holds more than a description of itself.
    holds: bool,
    stands: Vec<Stands>,
    damage: Vec<ReadError>,
}

/// Reads a file through. The end of a file that was being written is torn unless it is a whole group; of any other,
/// when its last record is.
fn look_through(path: &Path, is_open: bool) -> Result<Seen, Error> {
    let mut seen = Seen { end: 0, is_shared: false, holds: false, stands: Vec::new(), damage: Vec::new() };
    let mut tail: Option<ReadError> = None;
    for group in Groups::open(path, 0).map_err(Error::io("read", path))? {
        match group {
            Ok(group) if is_open && is_torn(&group) => {}
            Ok(group) => {
                seen.is_shared |= !group.alone;
                // Something whole comes after it: it was no tail.
                seen.damage.extend(tail.take());
                seen.damage.extend(altered(&group, path));
                seen.holds |= stays(&group, is_open)
                    && group.records.iter().any(|record| record.kind() != "warcinfo" && is_intact(record));
                seen.end = group.end();
                seen.stands.extend(stands(&group));
            }
            Err(damage) if damage.is_torn || is_open => seen.damage.extend(tail.replace(damage)),
            Err(damage) => seen.damage.push(damage),
        }
    }
    if seen.is_shared {
        // Where whole records end in such a file nothing can be cut: what is whole is packed anew.
        seen.damage.extend(tail.take());
    }
    if is_open && !seen.holds {
        seen.end = 0;
    } else if !is_open && tail.is_none() {
        seen.end = len(path);
    }
    Ok(seen)
}

/// A capture without the metadata that concludes it: the run was killed while it was written.
fn is_torn(group: &Group) -> bool {
    group.first().is_some() && !group.is_concluded()
}

/// Records of a group that are not what their digests say.
pub(super) fn altered(group: &Group, path: &Path) -> Vec<ReadError> {
    let altered = group.records.iter().filter(|record| !is_intact(record));
    let reason = || "the block is not what its digest says".to_owned();
    altered
        .map(|record| ReadError { path: path.to_owned(), offset: record.offset, reason: reason(), is_torn: false })
        .collect()
}

/// What stays of a group: its intact records, and nothing when the one is not that the others speak of.
fn stays(group: &Group, is_open: bool) -> bool {
    match group.first() {
        Some(first) => is_intact(first) && !(is_open && is_torn(group)),
        None => !is_orphan(group),
    }
}

/// Requests and metadata without the record that they speak of. A description of its own is none, like a tombstone.
pub(super) fn is_orphan(group: &Group) -> bool {
    let speaks = |record: &Record| {
        let of_another = ["WARC-Concurrent-To", "WARC-Refers-To"].iter().any(|name| record.field(name).is_some());
        record.kind() == "request" || record.kind() == "metadata" && of_another
    };
    group.first().is_none() && group.records.iter().any(speaks)
}

/// Keeps what is to be cut off, then cuts it off.
fn cut(shelf: &Shelf, path: &Path, name: &str, end: u64) -> Result<PathBuf, Error> {
    let kept = shelf.damaged_name(name, &format!("cut-{end}"))?;
    let copy = || {
        use std::io::{Seek, SeekFrom};
        let mut file = std::fs::OpenOptions::new().read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(end))?;
        let mut out = std::fs::File::create(&kept)?;
        std::io::copy(&mut file, &mut out)?;
        out.sync_all()?;
        file.set_len(end)?;
        file.sync_all()
    };
    copy().map_err(Error::io("cut", path))?;
    sync_folder(&shelf.damaged())?;
    Ok(kept)
}

/// Writes a file anew without what is damaged in it, and swaps it in; the damaged one is kept.
fn leave_out(shelf: &Shelf, path: &Path, name: &str) -> Result<PathBuf, Error> {
    let new = shelf.spool()?.join(name);
    let is_open = warc_name(path).1;
    let mut out = Rewriting::begin(path, &new, Form::of(name), true)?;
    for group in Groups::open(path, 0).map_err(Error::io("read", path))?.flatten() {
        if stays(&group, is_open) {
            out.keep_records(&group, &is_intact).map_err(Error::io("write", &new))?;
        }
    }
    out.finish(&new)?;
    let kept = shelf.damaged_name(name, "damaged")?;
    std::fs::hard_link(path, &kept).map_err(Error::io("keep", path))?;
    sync_folder(&shelf.damaged())?;
    rename(&new, path)?;
    Ok(kept)
}

/// Writes a file anew with each record in a gzip member or zstd frame of its own, and swaps it in; says where they stand.
fn pack_anew(shelf: &Shelf, path: &Path, name: &str, stands: &[Stands]) -> Result<Vec<Stands>, Error> {
    let new = shelf.spool()?.join(name);
    let mut out = Rewriting::begin(path, &new, Form::of(name), true)?;
    for group in Groups::open(path, 0).map_err(Error::io("read", path))? {
        out.keep(&group?).map_err(Error::io("write", &new))?;
    }
    out.finish(&new)?;
    // Read back before it takes the other's place.
    let (now, unread) = survey(&new)?;
    if let Some(damage) = unread.into_iter().next() {
        return Err(damage.into());
    }
    let ids = |stands: &[Stands]| stands.iter().map(|stands| stands.record_id.clone()).collect::<Vec<_>>();
    if ids(&now) != ids(stands) {
        return Err(Error::io("pack anew", path)(std::io::Error::other("what was written is not what was read")));
    }
    rename(&new, path)?;
    Ok(now)
}

/// The rows of a file follow its records; captures without rows get them.
pub(super) fn put_rows_right(
    shelf: &Shelf,
    store: &mut Store,
    path: &Path,
    stands: &[Stands],
) -> Result<Followed, Error> {
    let (name, _) = warc_name(path);
    let followed = store.follow(&name, len(path), stands, false)?;
    if !followed.missing.is_empty() {
        let missing: HashSet<u64> = followed.missing.iter().map(|number| stands[*number].first.offset).collect();
        let index = Index::of_file(&shelf.warc(), path, &missing)?;
        let run_of = &mut |store: &mut Store, found: &Found| {
            adopt(store, found.notes.run.as_deref().unwrap_or(IMPORT), found.capture.at)
        };
        index.shelve(store, run_of, &|_, _| Ok(()))?;
        store.note_files(&[(name, len(path))])?;
    }
    Ok(followed)
}

/// Files that the database knows and that are gone: their rows go.
fn gone(store: &mut Store, paths: &[PathBuf], look: bool) -> Result<Vec<Mended>, Error> {
    let there: HashSet<String> = paths.iter().map(|path| warc_name(path).0).collect();
    let mut names: Vec<String> = store.committed()?.into_keys().filter(|name| !there.contains(name)).collect();
    names.sort();
    let mut mended = Vec::new();
    for file in names {
        let rows = store.follow(&file, 0, &[], look)?;
        if rows.lost > 0 {
            mended.push(Mended { file, rows, ..Mended::default() });
        }
    }
    Ok(mended)
}
