//! The files of an archive's folder, and how one takes the place of another.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::Error;
use crate::crawl::make_spool;

/// The ending of a file that is being written.
const OPEN: &str = ".open";
/// How the names of WARC files end.
const WARC: [&str; 3] = [".warc", ".warc.gz", ".warc.zst"];

/// What every command here knows of the folder it works on.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    /// The archive's folder.
    pub root: PathBuf,
}

impl Shelf {
    pub(super) fn of(archive: &Path) -> Shelf {
        Shelf { root: archive.to_owned() }
    }

    /// The folder of the WARC files.
    pub(super) fn warc(&self) -> PathBuf {
        self.root.join("warc")
    }

    /// Where a new file is written before it takes its place. What an interruption leaves there goes with the next run.
    pub(super) fn spool(&self) -> Result<PathBuf, Error> {
        let folder = self.root.join("spool");
        make_spool(&folder).map_err(Error::io("make", &folder))?;
        Ok(folder)
    }

    /// Where damaged files and bytes that were cut off are kept: no tool reads it as archive.
    pub(super) fn damaged(&self) -> PathBuf {
        self.root.join("damaged")
    }

    /// A name in the folder of damaged files that is not taken: `NAME.ENDING`, `NAME.ENDING-2`, ….
    pub(super) fn damaged_name(&self, name: &str, ending: &str) -> Result<PathBuf, Error> {
        let folder = self.damaged();
        std::fs::create_dir_all(&folder).map_err(Error::io("make", &folder))?;
        Ok(free_name(&folder, |number| {
            if number == 1 { format!("{name}.{ending}") } else { format!("{name}.{ending}-{number}") }
        }))
    }

    /// The WARC files, those that are being written too, by name.
    pub(super) fn warc_files(&self) -> Result<Vec<PathBuf>, Error> {
        let folder = self.warc();
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(Error::io("list", &folder))? {
            let path = entry.map_err(Error::io("list", &folder))?.path();
            let (name, _) = warc_name(&path);
            if WARC.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

/// A WARC file's name without `.open`, and whether it had that.
pub(super) fn warc_name(path: &Path) -> (String, bool) {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match name.strip_suffix(OPEN) {
        Some(closed) => (closed.to_owned(), true),
        None => (name, false),
    }
}

/// A file's length; none when it is not there.
pub(super) fn len(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// The first of the names numbered from 1 that is not taken.
pub(super) fn free_name(folder: &Path, name: impl Fn(u32) -> String) -> PathBuf {
    (1..).map(|number| folder.join(name(number))).find(|path| !path.exists()).unwrap_or_default()
}

/// Everything written is on the disk.
pub(super) fn finish(out: BufWriter<File>, path: &Path) -> Result<(), Error> {
    let synced = out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.map_err(Error::io("write", path))
}

/// A new name in a folder is durable only when the folder is.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
}

/// Gives a file another name, durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    std::fs::rename(from, to).map_err(Error::io("put a file in the place of", to))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Appends a line to a file, durably. A line that was cut off by a crash is ended first.
pub(super) fn append_line(path: &Path, line: &str) -> Result<(), Error> {
    let torn = std::fs::read(path).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
    let append = || {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        file.write_all(format!("{}{line}\n", if torn { "\n" } else { "" }).as_bytes())?;
        file.sync_all()
    };
    append().map_err(Error::io("write", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}
