//! Bytes that can be read at any place: a file, a part of one, or memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file, a part of one (a WARC stored in a package), or bytes in memory. Copies share what is below: several threads
/// may read one file, each at its own place. How long it is is decided when it is opened, so that a file that is being
/// written has an end.
#[derive(Clone, Debug)]
pub struct Source {
    bytes: Bytes,
    base: u64,
    len: u64,
}

#[derive(Clone, Debug)]
enum Bytes {
    File(Arc<File>),
    Memory(Arc<[u8]>),
}

impl Source {
    /// A whole file, as long as it is now.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Source> {
        Source::of(File::open(path)?)
    }

    /// A file that is open.
    ///
    /// # Errors
    /// When its length cannot be had.
    pub fn of(file: File) -> io::Result<Source> {
        let len = file.metadata()?.len();
        Ok(Source { bytes: Bytes::File(Arc::new(file)), base: 0, len })
    }

    /// Bytes in memory.
    pub fn memory(bytes: impl Into<Arc<[u8]>>) -> Source {
        let bytes = bytes.into();
        Source { base: 0, len: bytes.len() as u64, bytes: Bytes::Memory(bytes) }
    }

    /// A part of it; what lies beyond its end is left out.
    #[must_use]
    pub fn part(&self, offset: u64, len: u64) -> Source {
        let offset = offset.min(self.len);
        Source { bytes: self.bytes.clone(), base: self.base + offset, len: len.min(self.len - offset) }
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Reads from this offset; fewer bytes than asked for, or none, only where it ends.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let mut done = 0;
        while done < wanted {
            let at = self.base + offset + done as u64;
            let read = match &self.bytes {
                Bytes::File(file) => match file.read_at(&mut buffer[done..wanted], at) {
                    Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                    read => read?,
                },
                Bytes::Memory(bytes) => {
                    buffer[..wanted].copy_from_slice(&bytes[usize::try_from(at).expect("it is in memory")..][..wanted]);
                    wanted
                }
            };
            if read == 0 {
                break; // The file has been cut since it was opened.
            }
            done += read;
        }
        Ok(done)
    }

    /// The first bytes from this offset.
    pub(super) fn peek<const N: usize>(&self, offset: u64) -> io::Result<([u8; N], usize)> {
        let mut bytes = [0; N];
        let read = self.read_at(offset, &mut bytes)?;
        Ok((bytes, read))
    }
}
