//! A body being recorded: in memory while it is short, in a file when it is long.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::web::exchange::Body;

pub(super) struct Spool {
    /// What has not gone to the file; everything while there is none.
    pub buffer: Vec<u8>,
    file: Option<tempfile::NamedTempFile>,
    written: u64,
    from: u64,
}

impl Spool {
    /// For a body that goes to a file once it is longer than `from` bytes.
    pub(super) fn new(from: u64) -> Spool {
        Spool { buffer: Vec::new(), file: None, written: 0, from }
    }

    pub(super) fn len(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Cuts what was appended beyond `len`; what has gone to the file was within it.
    pub(super) fn cut(&mut self, len: u64) {
        let keep = usize::try_from(len.saturating_sub(self.written)).unwrap_or(usize::MAX);
        self.buffer.truncate(keep);
    }

    /// Moves the buffer to the file when the body has become long. Called after every piece, so a write is small and
    /// goes to the page cache; a full disk is the one error there is.
    pub(super) fn settle(&mut self, folder: &Path) -> std::io::Result<()> {
        if self.file.is_none() && self.len() <= self.from {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => tempfile::Builder::new().prefix("pressmark-body-").tempfile_in(folder)?,
        };
        let file = self.file.insert(file);
        file.write_all(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn into_body(self) -> Body {
        match self.file {
            None => Body::Bytes(self.buffer.into()),
            Some(file) => Body::Spool { path: Arc::new(file.into_temp_path()), len: self.written },
        }
    }
}
