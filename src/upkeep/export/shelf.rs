//! Where copied records go: into one file, into files of a folder, or into a package.

use std::fs::File;
use std::io::{self, BufWriter, Seek, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::output::{Output, folder, must_be_folder, plain};
use crate::archive::Compress;
use crate::archive::wacz::{Manner, Packer};
use crate::upkeep::Error;

/// Takes WARC files one after the other; what is written goes to the last that was begun.
pub(super) trait Shelf: Write {
    /// Begins the file of this number, the first being 1, and says its name.
    fn begin(&mut self, number: u64) -> io::Result<String>;
}

/// One file holds it all.
pub(super) struct OneFile<'a> {
    out: BufWriter<&'a File>,
    output: &'a Output,
}

impl<'a> OneFile<'a> {
    pub(super) fn new(output: &'a Output) -> OneFile<'a> {
        OneFile { out: BufWriter::new(output.file()), output }
    }
}

impl Shelf for OneFile<'_> {
    fn begin(&mut self, _: u64) -> io::Result<String> {
        Ok(self.output.path().file_name().unwrap_or_default().to_string_lossy().into_owned())
    }
}

impl Write for OneFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// As many files as there are, in a folder that appears with all of them.
pub(super) struct Folder {
    files: TempDir,
    path: PathBuf,
    compress: Compress,
    out: Option<BufWriter<File>>,
}

impl Folder {
    /// Begins a folder. One that is there already must be empty.
    pub(super) fn begin(path: &Path, compress: Compress) -> Result<Folder, Error> {
        let is_free = std::fs::read_dir(path)
            .map_or_else(|_| path.symlink_metadata().is_err(), |mut files| files.next().is_none());
        if !is_free {
            let text = format!("{} is there already, and is no empty folder: name another", path.display());
            return Err(Error::Request(text));
        }
        must_be_folder(path)?;
        let files = tempfile::Builder::new().prefix(".").suffix(".part").tempdir_in(folder(path));
        let files = files.map_err(|cause| Error::io("make", path)(plain(&cause)))?;
        Ok(Folder { files, path: path.to_owned(), compress, out: None })
    }

    fn close(&mut self) -> io::Result<()> {
        let Some(out) = self.out.take() else { return Ok(()) };
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    /// Makes it durable and puts it into its place.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.close().map_err(Error::io("sync", &self.path))?;
        let rename = |from: &Path| {
            std::fs::set_permissions(from, PermissionsExt::from_mode(0o755))?;
            std::fs::rename(from, &self.path)?;
            File::open(folder(&self.path)).and_then(|folder| folder.sync_all())
        };
        rename(self.files.path()).map_err(Error::io("rename", &self.path))
    }
}

impl Shelf for Folder {
    fn begin(&mut self, number: u64) -> io::Result<String> {
        self.close()?;
        let stem = self.path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{stem}-{number:05}{}", self.compress.extension());
        self.out = Some(BufWriter::new(File::create_new(self.files.path().join(&name))?));
        Ok(name)
    }
}

impl Write for Folder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.as_mut().map_or(Err(io::ErrorKind::NotFound.into()), |out| out.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.as_mut().map_or(Ok(()), Write::flush)
    }
}

/// In the folder `archive` of a package.
pub(super) struct InPackage<'a, W: Write + Seek> {
    packer: &'a mut Packer<W>,
    /// No file can be longer than about that.
    most: u64,
}

impl<'a, W: Write + Seek> InPackage<'a, W> {
    pub(super) fn new(packer: &'a mut Packer<W>, most: u64) -> InPackage<'a, W> {
        InPackage { packer, most }
    }
}

impl<W: Write + Seek> Shelf for InPackage<'_, W> {
    fn begin(&mut self, number: u64) -> io::Result<String> {
        let name = format!("data-{number:05}.warc.gz");
        self.packer.begin(&format!("archive/{name}"), Manner::Stored(self.most))?;
        Ok(name)
    }
}

impl<W: Write + Seek> Write for InPackage<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.packer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.packer.flush()
    }
}
