//! Other tools' archives taken in: their records go over byte for byte, their captures get rows like any other.
//!
//! A file that is one gzip member a record is copied as it is; of any other form, each record is packed as one member.
//! It never takes a name that exists, and the name it came under stays in it: `import-NAME.warc.gz`. Captures that are
//! in the archive already, told by the ids of their records, are left out; so is what was forgotten. What cannot be read
//! or is not what its digest says is left out and named, with the requests and metadata that spoke of it.
//! A package (WACZ) is as many files as it has in its folder `archive/`.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Shelf, free_name, len, rename};
use super::reindex::{IMPORT, Index};
use super::repair::{altered, is_orphan, put_rows_right};
use super::rewrite::{Form, Rewriting, stands, survey};
use super::unwanted::Unwanted;
use super::{Error, Progress, Watch};
use crate::archive::{self, Groups, Packing, ReadError, Reading, is_intact};
use crate::crawl::DATABASE;
use crate::store::{self, Run, Store};
use crate::web::time::Timestamp;

/// What became of one file.
#[derive(Debug, Default)]
pub struct Imported {
    /// The file, and the name within a package.
    pub from: String,
    /// Its name in the archive; none when nothing of it was new.
    pub name: Option<String>,
    /// Captures that are new.
    pub captures: usize,
    /// Captures that the archive had already.
    pub known: usize,
    /// Captures of what was forgotten, or with the same content: they were left out.
    pub forgotten: usize,
    /// What could not be read, and was left out.
    pub unread: Vec<ReadError>,
}

/// Whether a file is WARC records by its bytes, in whatever form, or was: one that is packed may be too damaged to tell.
///
/// # Errors
/// When it cannot be read.
pub fn is_warc(path: &Path) -> io::Result<bool> {
    const MAGIC: [&[u8]; 4] = [b"WARC/", &[0x1f, 0x8b], &[0x28, 0xb5, 0x2f, 0xfd], &[0x5d, 0x2a, 0x4d, 0x18]];
    let mut start = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(File::open(path)?, 5), &mut start)?;
    Ok(MAGIC.iter().any(|magic| start.starts_with(magic)) || Groups::open(path, 0)?.any(|group| group.is_ok()))
}

/// Takes these files into the archive. The caller holds the archive's lock.
///
/// # Errors
/// [`Error::Io`] when a file cannot be read or written; files before it are imported. [`Error::Interrupted`] likewise.
pub fn import(folder: &Path, files: &[PathBuf], now: Timestamp, watch: Watch<'_>) -> Result<Vec<Imported>, Error> {
    let shelf = Shelf::of(folder);
    std::fs::create_dir_all(shelf.warc()).map_err(Error::io("make", shelf.warc()))?;
    store::may_begin(&folder.join(DATABASE))?;
    let mut store = Store::open(&folder.join(DATABASE))?;
    let run = store.begin_upkeep(IMPORT, now)?;
    let unwanted = Unwanted::of_archive(folder, &store)?;
    let total = files.iter().map(|path| len(path)).sum();
    let mut importing = Importing { shelf, store, run, unwanted, done: 0, total };
    importing.finish_earlier()?;
    let mut all = Vec::new();
    let mut over = Ok(());
    for path in files {
        over = importing.take(path, watch, &mut all);
        if over.is_err() {
            break;
        }
        importing.done += len(path);
    }
    let captures: usize = all.iter().map(|imported| imported.captures).sum();
    let counters = serde_json::json!({ "captures": captures }).to_string();
    if captures > 0 {
        archive::write_readme(folder)?;
    }
    let stopped_by = if over.is_ok() { "done" } else { "failed" };
    importing.store.end_run(run.id, now, stopped_by, &counters)?;
    over.map(|()| all)
}

fn damaged(path: &Path, reason: String) -> ReadError {
    ReadError { path: path.to_owned(), offset: 0, reason, is_torn: false }
}

struct Importing {
    shelf: Shelf,
    store: Store,
    run: Run,
    /// What must not come back.
    unwanted: Unwanted,
    done: u64,
    total: u64,
}

impl Importing {
    /// Imported files whose rows an interruption has left out get them.
    fn finish_earlier(&mut self) -> Result<(), Error> {
        let known = self.store.committed()?;
        for path in self.shelf.warc_files()? {
            let (name, is_open) = super::files::warc_name(&path);
            let prefix = format!("{IMPORT}-");
            if name.starts_with(&prefix) && !is_open && known.get(&name).copied().unwrap_or(0) < len(&path) {
                let stands = survey(&path)?.0;
                put_rows_right(&self.shelf, &mut self.store, &path, &stands)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &Path, watch: Watch<'_>, all: &mut Vec<Imported>) -> Result<(), Error> {
        let from = path.display().to_string();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut file = File::open(path).map_err(Error::io("read", path))?;
        let mut magic = [0; 4];
        let is_package = io::Read::read(&mut file, &mut magic).is_ok_and(|read| read == 4) && &magic == b"PK\x03\x04";
        if !is_package {
            all.push(self.warc(path, &from, &name, watch)?);
            return Ok(());
        }
        let failed = |cause: zip::result::ZipError| match cause {
            zip::result::ZipError::Io(cause) if cause.kind() != io::ErrorKind::InvalidData => {
                Error::io("read the package", path)(cause)
            }
            damage => Error::Damage(damaged(path, damage.to_string())),
        };
        let mut package = zip::ZipArchive::new(file).map_err(failed)?;
        let members: Vec<String> = package
            .file_names()
            .filter_map(|name| Some(name.ok()?.into_owned()))
            .filter(|name| name.starts_with("archive/") && name.contains(".warc"))
            .collect();
        if members.is_empty() {
            return Err(Error::Request(format!("{} holds no WARC file", path.display())));
        }
        for member in members {
            let unpacked = tempfile::NamedTempFile::new_in(self.shelf.spool()?);
            let mut unpacked = unpacked.map_err(Error::io("make a file in", self.shelf.root.join("spool")))?;
            let mut entry = package.by_name(&member).map_err(failed)?;
            // What its checksum says is wrong is still read as far as it goes.
            let copied = io::copy(&mut entry, &mut unpacked);
            let damage = match copied {
                Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                    Some(damaged(path, format!("{member}: {cause}")))
                }
                copied => copied.map_err(Error::io("unpack", path)).map(|_| None)?,
            };
            let inner = member.trim_start_matches("archive/").replace('/', "-");
            let stem = name.trim_end_matches(".wacz");
            let mut imported =
                self.warc(unpacked.path(), &format!("{from}, {member}"), &format!("{stem}-{inner}"), watch)?;
            imported.unread.extend(damage);
            all.push(imported);
        }
        Ok(())
    }

    /// One WARC file; `name` is the one it came under.
    fn warc(&mut self, path: &Path, from: &str, name: &str, watch: Watch<'_>) -> Result<Imported, Error> {
        let mut imported = Imported { from: from.to_owned(), ..Imported::default() };
        let seen = self.look_through(path, name, watch, &mut imported)?;
        if imported.captures == 0 {
            return Ok(imported);
        }
        let to = free_name(&self.shelf.warc(), |number| {
            let number = if number == 1 { String::new() } else { format!("-{number}") };
            format!("{IMPORT}-{}{number}.warc.gz", stem(name))
        });
        let to_name = to.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let new = self.shelf.spool()?.join(&to_name);
        Self::copy(path, &new, &seen)?;
        rename(&new, &to)?;
        // From here on it is in the archive: should this be the last that is done, the next import makes its rows.
        let stands = survey(&to)?.0;
        let offsets: HashSet<u64> = stands.iter().map(|stands| stands.first.offset).collect();
        let index = Index::of_file(&self.shelf.warc(), &to, &offsets)?;
        let run = self.run;
        index.shelve(&mut self.store, &mut |_, _| Ok(run), &|_, _| Ok(()))?;
        self.store.note_files(&[(to_name.clone(), len(&to))])?;
        imported.name = Some(to_name);
        Ok(imported)
    }

    fn look_through(
        &mut self,
        path: &Path,
        name: &str,
        watch: Watch<'_>,
        imported: &mut Imported,
    ) -> Result<Seen, Error> {
        let groups = || Groups::open(path, 0).map_err(Error::io("read", path));
        if !self.unwanted.is_empty() {
            groups()?.flatten().for_each(|group| self.unwanted.learn(&group));
        }
        let mut seen = Seen { as_it_is: true, is_damaged: false, left_out: HashSet::new() };
        let mut number = 0;
        for group in groups()? {
            let group = match group {
                Ok(group) => group,
                Err(mut damage) => {
                    damage.path = PathBuf::from(&imported.from);
                    imported.unread.push(damage);
                    continue;
                }
            };
            watch.at(Progress { what: name, done: self.done + group.end(), total: self.total })?;
            seen.as_it_is &= group.alone;
            for mut damage in altered(&group, path) {
                damage.path = PathBuf::from(&imported.from);
                imported.unread.push(damage);
            }
            let stands = stands(&group);
            if !self.unwanted.is_empty() && self.unwanted.has(&group) {
                imported.forgotten += usize::from(stands.is_some());
                seen.left_out.insert(number);
            } else if group.first().is_some_and(|first| !is_intact(first)) {
                seen.left_out.insert(number);
            } else if let Some(stands) = stands {
                if self.store.has_record(&stands.record_id)? {
                    imported.known += 1;
                    seen.left_out.insert(number);
                } else {
                    imported.captures += 1;
                }
            }
            number += 1;
        }
        let packing = {
            let mut reading = Reading::open(path).map_err(Error::io("read", path))?;
            reading.advance().map_err(Error::io("read", path))?;
            reading.packing()
        };
        seen.is_damaged = !imported.unread.is_empty();
        seen.as_it_is &= packing == Some(Packing::Gzip) && !seen.is_damaged && seen.left_out.is_empty();
        Ok(seen)
    }

    fn copy(path: &Path, new: &Path, seen: &Seen) -> Result<(), Error> {
        if seen.as_it_is {
            std::fs::copy(path, new).map_err(Error::io("copy", path))?;
            return File::open(new).and_then(|file| file.sync_all()).map_err(Error::io("sync", new));
        }
        let mut out = Rewriting::begin(path, new, Form::Gzip, false)?;
        for (number, group) in Groups::open(path, 0).map_err(Error::io("read", path))?.flatten().enumerate() {
            let goes = seen.left_out.contains(&number) || (seen.is_damaged && is_orphan(&group));
            if !goes {
                out.keep_records(&group, &is_intact).map_err(Error::io("write", new))?;
            }
        }
        out.finish(new)
    }
}

/// What a file is, before anything of it is taken.
struct Seen {
    /// It can be copied byte for byte.
    as_it_is: bool,
    /// Something of it cannot be read.
    is_damaged: bool,
    /// Groups that the archive has already or has forgotten, and such as are altered, by their number among those that can be read: where records
    /// share a gzip member, several begin at one offset.
    left_out: HashSet<usize>,
}

/// A file's name without its endings, of characters that any system takes.
fn stem(name: &str) -> String {
    let stem = name.split(".warc").next().unwrap_or(name);
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+') { c } else { '_' };
    stem.chars().map(fit).collect()
}
