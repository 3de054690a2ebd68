//! The database made anew from the WARC files alone.
//!
//! Every capture is read again with today's extractor, in the order in which captures were made, whoever wrote them.
//! What only the old database knows is kept when that can be read: the queue and why URLs were refused or failed, runs,
//! seeds with their sources and claims, the hosts' clocks, copies of robots.txt, take-downs. The new one is written
//! beside the old, synced, and swapped in by one rename; whoever is interrupted leaves the old one as it was.
//!
//! Without an old database these cannot be had from WARCs alone: `url` rows that were never captured (queued, refused,
//! failed), their priority, tries, due times and reasons; a seed's source, line and claims; a run's counters and why it
//! stopped; a host's clocks. A URL that is named by a page and not captured is known by name.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use super::files::{Shelf, free_name, len, rename, warc_name};
use super::rows::Rows;
use super::{Error, Progress, Watch, takedown};
use crate::archive::{self, Found, Group, Groups, Kind, Place, ReadError, Record};
use crate::crawl::DATABASE;
use crate::store::{self, Rebuild, Run, Store};
use crate::web::digest::fingerprint;
use crate::web::time::Timestamp;

/// The database in the making, beside the one in use.
const NEW: &str = ".new";
/// The profile of captures that no run of ours made.
pub(super) const IMPORT: &str = "import";

/// What was done.
#[derive(Debug, Default)]
pub struct Reindexed {
    /// WARC files read.
    pub files: usize,
    /// Captures that have their rows.
    pub captures: usize,
    /// Records that are no captures of web addresses: the files' own descriptions aside, answers of name servers and
    /// the like.
    pub others: usize,
    /// What only the old database knew is kept.
    pub kept_old: bool,
    /// The old database was damaged; it is kept under this name.
    pub damaged: Option<PathBuf>,
    /// URLs whose take-down was interrupted: their captures are there still.
    pub begun: Vec<String>,
    /// What could not be read: the captures there are not in the database.
    pub unread: Vec<ReadError>,
}

/// Makes the archive's database anew. The caller holds the archive's lock.
///
/// # Errors
/// [`Error::Store`] when there is a database that is not ours to replace, or the new one cannot be written;
/// [`Error::Interrupted`] when called off. The old database is then as it was. Damage in WARC files is no error: it is
/// told in the result.
pub fn reindex(archive: &Path, watch: Watch<'_>) -> Result<Reindexed, Error> {
    let database = archive.join(DATABASE);
    let new = store::beside(&database, NEW);
    store::discard(&new);
    let exists = database.exists();
    let sound = exists && store::is_sound(&database)?;
    let known = if sound { Store::open(&database)?.committed()? } else { HashMap::new() };
    let index = Index::of(&Shelf::of(archive), sound.then_some(&known), watch)?;
    let mut made = Reindexed { files: index.files.len(), kept_old: sound, ..Reindexed::default() };
    let rebuilt = Rebuild::begin(&new).map_err(Error::from).and_then(|mut rebuild| {
        if sound {
            rebuild.inherit(&database)?;
        }
        let mut runs = HashMap::new();
        let total = index.bytes;
        let tell = |what: &str, done| watch.at(Progress { what, done: total / 2 + done / 2, total });
        let (captures, others) =
            index.shelve(&mut rebuild.store, &mut |store, found| run_of(store, &mut runs, found, sound), &tell)?;
        (made.captures, made.others) = (captures, others);
        made.begun = takedown::carry_over(archive, &mut rebuild.store)?;
        Ok(rebuild.finish()?)
    });
    made.unread = index.unread;
    let synced = rebuilt.and_then(|new| {
        let sync = File::open(&new).and_then(|file| file.sync_all());
        sync.map_err(Error::io("sync", &new))
    });
    if let Err(error) = synced {
        store::discard(&new);
        return Err(error);
    }
    if sound {
        store::lay_down(&database)?;
    } else if exists {
        made.damaged = Some(set_aside(&database)?);
    }
    // Logs of the old one would be read as the new one's.
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(store::beside(&database, ending));
    }
    rename(&new, &database)?;
    Ok(made)
}

/// Keeps a damaged database: somebody may get more out of it than we do.
fn set_aside(database: &Path) -> Result<PathBuf, Error> {
    let folder = database.parent().unwrap_or(Path::new(""));
    let kept = free_name(folder, |number| format!("{DATABASE}.damaged-{number}"));
    std::fs::hard_link(database, &kept).map_err(Error::io("keep a copy of", database))?;
    let log = store::beside(database, "-wal");
    if log.exists() {
        std::fs::rename(&log, store::beside(&kept, "-wal")).map_err(Error::io("keep", &log))?;
    }
    Ok(kept)
}

/// Where every capture stands, in the order of capture.
pub(super) struct Index {
    folder: PathBuf,
    files: Vec<WarcFile>,
    entries: Vec<Entry>,
    /// Records that hold payloads, by what revisits call them.
    originals: HashMap<i64, (usize, u64)>,
    others: usize,
    pub unread: Vec<ReadError>,
    bytes: u64,
}

struct WarcFile {
    /// Without `.open`.
    name: String,
    path: PathBuf,
    /// Where its last whole group ends.
    end: u64,
}

struct Entry {
    /// It is captured by then, and what it refers to is.
    after: Timestamp,
    is_revisit: bool,
    file: usize,
    /// Where its group begins.
    offset: u64,
    /// Where the record begins that makes it a capture.
    first: u64,
}

/// Says which run a capture belongs to.
pub(super) type RunOf<'a> = dyn FnMut(&mut Store, &Found) -> Result<Run, Error> + 'a;
/// Hears what is being worked on, and how many bytes are dealt with.
type Tell<'a> = dyn Fn(&str, u64) -> Result<(), Error> + 'a;

impl Index {
    /// Reads every file once. Of a file that is still being written, what the database knows counts; the rest is
    /// taken up by the next run, which knows its scope.
    fn of(shelf: &Shelf, known: Option<&HashMap<String, u64>>, watch: Watch<'_>) -> Result<Index, Error> {
        let mut index = Index::empty(&shelf.warc());
        let paths = shelf.warc_files()?;
        let total: u64 = paths.iter().map(|path| len(path)).sum();
        for path in paths {
            let (name, is_open) = warc_name(&path);
            let limit = known.filter(|_| is_open).map_or(u64::MAX, |known| known.get(&name).copied().unwrap_or(0));
            let before = index.bytes;
            index.read(&path, limit, &|what, at| watch.at(Progress { what, done: (before + at) / 2, total }))?;
        }
        // Files of one instant keep their order.
        index.entries.sort_by_key(|entry| (entry.after, entry.is_revisit, entry.file, entry.offset));
        Ok(index)
    }

    /// The captures of one file that begin with a record at one of these offsets.
    pub(super) fn of_file(folder: &Path, path: &Path, offsets: &HashSet<u64>) -> Result<Index, Error> {
        let mut index = Index::empty(folder);
        index.read(path, u64::MAX, &|_, _| Ok(()))?;
        index.entries.retain(|entry| offsets.contains(&entry.first));
        index.entries.sort_by_key(|entry| (entry.after, entry.is_revisit, entry.offset));
        Ok(index)
    }

    fn empty(folder: &Path) -> Index {
        Index {
            folder: folder.to_owned(),
            files: Vec::new(),
            entries: Vec::new(),
            originals: HashMap::new(),
            others: 0,
            unread: Vec::new(),
            bytes: 0,
        }
    }

    fn read(&mut self, path: &Path, limit: u64, tell: &Tell<'_>) -> Result<(), Error> {
        let (name, is_open) = warc_name(path);
        let number = self.files.len();
        let (mut end, mut is_shared) = (0, false);
        for group in Groups::open(path, 0).map_err(Error::io("read", path))? {
            match group {
                Ok(group) if group.end() > limit => break,
                // The run was killed while it was written.
                Ok(group) if is_open && group.first().is_some() && !group.is_concluded() => {}
                Ok(group) => {
                    end = group.end();
                    tell(&name, end)?;
                    if group.alone {
                        self.note(number, &group);
                    } else if !std::mem::replace(&mut is_shared, true) {
                        let reason =
                            "records share a gzip member or zstd frame, and none of them can be read at its place";
                        let (path, reason) = (path.to_owned(), reason.to_owned());
                        self.unread.push(ReadError { path, offset: group.offset(), reason, is_torn: false });
                    }
                }
                Err(damage) if is_open && damage.is_torn => {}
                Err(damage) => self.unread.push(damage),
            }
        }
        self.bytes += len(path);
        self.files.push(WarcFile { name, path: path.to_owned(), end });
        Ok(())
    }

    fn note(&mut self, file: usize, group: &Group) {
        let Some((first, at)) = group.first().zip(group.at()) else {
            self.others += usize::from(group.records.iter().any(|record| record.kind() != "warcinfo"));
            return;
        };
        let is_revisit = first.kind() == "revisit";
        // What was asked for first may have been answered last: a revisit comes after what it refers to.
        let refers_to = first.field("WARC-Refers-To-Date").filter(|_| is_revisit).and_then(Timestamp::from_iso);
        let after = refers_to.map_or(at, |original| original.max(at));
        self.entries.push(Entry { after, is_revisit, file, offset: group.offset(), first: first.offset });
        if !is_revisit {
            let place = (file, first.offset);
            let url = first.field("WARC-Target-URI").unwrap_or_default();
            self.originals.insert(fingerprint(first.field("WARC-Record-ID").unwrap_or_default()), place);
            self.originals.entry(by_date(url, at)).or_insert(place);
        }
    }

    /// Makes the rows of every capture; says how many there are, and how many records are none.
    pub(super) fn shelve(
        &self,
        store: &mut Store,
        run_of: &mut RunOf<'_>,
        tell: &Tell<'_>,
    ) -> Result<(usize, usize), Error> {
        let mut rows = Rows::new(store)?;
        let mut open: Option<(usize, Groups, u64)> = None;
        let mut others = self.others;
        for (number, entry) in self.entries.iter().enumerate() {
            let file = &self.files[entry.file];
            tell(&file.name, self.bytes * number as u64 / self.entries.len() as u64)?;
            // Captures of one file mostly stand in the order they were made.
            let mut groups = match open.take() {
                Some((file, groups, at)) if file == entry.file && at <= entry.offset => groups,
                _ => Groups::open(&file.path, entry.offset).map_err(Error::io("read", &file.path))?,
            };
            let group = groups.by_ref().find(|group| group.as_ref().is_ok_and(|group| group.offset() >= entry.offset));
            let Some(group) = group.transpose()? else { continue };
            open = Some((entry.file, groups, group.end()));
            let Some(found) = group.found() else {
                others += 1;
                continue;
            };
            let run = run_of(store, &found)?;
            let original = self.original(store, &found)?;
            rows.add(store, run, found, original)?;
        }
        rows.flush(store)?;
        let lengths: Vec<(String, u64)> = self.files.iter().map(|file| (file.name.clone(), file.end)).collect();
        store.note_files(&lengths)?;
        Ok((rows.captures, others))
    }

    /// The record that holds a revisit's payload, here or in a file that the database knows.
    fn original(&self, store: &Store, found: &Found) -> Result<Option<Record>, Error> {
        let Some(original) = found.capture.refers_to.as_ref().filter(|_| found.capture.kind == Kind::Revisit) else {
            return Ok(None);
        };
        let by_id = self.originals.get(&fingerprint(&original.record_id));
        let here = by_id.or_else(|| self.originals.get(&by_date(&original.url, original.at)));
        let place = match here {
            Some((file, offset)) => Some(Place { file: self.files[*file].name.clone(), offset: *offset, length: 0 }),
            None => store.place_of(original)?,
        };
        // A revisit whose original cannot be read is a capture all the same.
        Ok(place.and_then(|place| archive::read_at(&self.folder, &place).ok()))
    }
}

fn by_date(url: &str, at: Timestamp) -> i64 {
    fingerprint(&format!("{} {url}", at.0))
}

/// The run a capture names by profile and number. What no run of ours made belongs to the one that imported it, as far
/// as the old database knows.
fn run_of(store: &mut Store, runs: &mut HashMap<String, Run>, found: &Found, has_old: bool) -> Result<Run, Error> {
    let capture = &found.capture;
    if found.notes.run.is_none()
        && has_old
        && let Some(run) = store.inherited_run(&capture.place)?
    {
        return Ok(run);
    }
    let name = found.notes.run.as_deref().unwrap_or(IMPORT);
    if let Some(run) = runs.get(name) {
        return Ok(*run);
    }
    let run = adopt(store, name, capture.at)?;
    runs.insert(name.to_owned(), run);
    Ok(run)
}

/// The run of this name: profile and number.
pub(super) fn adopt(store: &mut Store, name: &str, at: Timestamp) -> Result<Run, Error> {
    let (profile, number) = name.rsplit_once('/').unwrap_or((name, ""));
    let number = number.parse().ok().filter(|number| *number > 0);
    Ok(store.adopt_run(profile, number, at)?)
}
