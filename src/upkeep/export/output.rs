//! A file that appears whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::upkeep::Error;

/// What is written stands beside its place under another name until [`Output::finish`]; dropped before that, it is gone.
pub(super) struct Output {
    file: NamedTempFile,
    path: PathBuf,
    force: bool,
}

impl Output {
    /// Begins a file. One that is there already is refused unless `force`, and stays until the new one is whole.
    ///
    /// # Errors
    /// [`Error::Request`] when there is such a file, [`Error::Io`] when there can be none.
    pub(super) fn begin(path: &Path, force: bool) -> Result<Output, Error> {
        if !force && path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
        must_be_folder(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".part")
            // As any file is made: the umask takes its share.
            .permissions(PermissionsExt::from_mode(0o666))
            .tempfile_in(folder(path));
        Ok(Output { file: file.map_err(|cause| Error::io("make", path)(plain(&cause)))?, path: path.to_owned(), force })
    }

    /// Where it is to be.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to be written from where it is.
    pub(super) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Makes it durable and puts it into its place.
    ///
    /// # Errors
    /// As [`Output::begin`].
    pub(super) fn finish(mut self) -> Result<(), Error> {
        let synced = self.file.flush().and_then(|()| self.file.as_file().sync_all());
        synced.map_err(Error::io("sync", &self.path))?;
        let path = &self.path;
        let placed = if self.force { self.file.persist(path) } else { self.file.persist_noclobber(path) };
        placed.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(path),
            _ => Error::io("rename", path)(error.error),
        })?;
        let folder = folder(path);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::io("sync", folder))
    }
}

fn exists(path: &Path) -> Error {
    Error::Request(format!("{} is there already: name another, or say --force", path.display()))
}

/// Refuses a place in no folder.
pub(super) fn must_be_folder(path: &Path) -> Result<(), Error> {
    let folder = folder(path);
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::Request(format!("{} is no folder: make it, or name another place", folder.display())))
}

/// What went wrong, without the name that a file has until it is whole.
pub(super) fn plain(cause: &io::Error) -> io::Error {
    cause.kind().into()
}

/// The folder that it stands in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
