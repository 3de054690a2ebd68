//! Reads WARC records of any tool: streamed by [`Reading`], whole by [`Records`], one at its place by [`read_at`].
//!
//! Reading is bounded: heads and whole blocks have a limit, and what is longer is an error, not memory.

mod flaw;
mod frame;
mod head;
mod reading;
mod source;
mod unpack;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use flaw::{Flaw, Wrong};
pub use frame::{DictionaryFrame, ZSTD_MOST, ZstdFrame};
pub use head::{Head, Manner};
pub use reading::{End, Reading, Step};
pub use source::Source;
pub use unpack::Packing;

use super::Place;

/// A block longer than this is not read into memory.
const BLOCK_MAX: u64 = 2 << 30;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// `WARC/1.1`
    pub version: String,
    /// Its fields, in order.
    pub fields: Vec<(String, String)>,
    /// Its block.
    pub block: Vec<u8>,
    /// Where it begins in the file.
    pub offset: u64,
    /// How long it is in the file.
    pub length: u64,
}

impl Record {
    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// `WARC-Type`, or nothing.
    pub fn kind(&self) -> &str {
        self.field("WARC-Type").unwrap_or("")
    }

    /// The HTTP head and the body of a response's or request's block.
    pub fn http(&self) -> (&[u8], &[u8]) {
        let end = |needle: &[u8]| {
            self.block.windows(needle.len()).position(|window| window == needle).map(|at| at + needle.len())
        };
        let blank = [end(b"\r\n\r\n"), end(b"\n\n"), end(b"\n\r\n")].into_iter().flatten().min();
        self.block.split_at(blank.unwrap_or(self.block.len()))
    }
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}, offset {offset}: {reason}", path.display())]
pub struct ReadError {
    /// Which file.
    pub path: PathBuf,
    /// Where the record begins.
    pub offset: u64,
    /// What is wrong.
    pub reason: String,
    /// The file ends within the record: it was being written.
    pub is_torn: bool,
}

/// The records of a file, in order, each with its block in memory. After an error there are no more; who wants to go on
/// after damage uses [`Reading`].
pub struct Records {
    path: PathBuf,
    reading: Reading,
    over: bool,
}

impl Records {
    /// Reads from this offset, where a record must begin.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, offset: u64) -> io::Result<Records> {
        let reading = Reading::over(Source::open(path)?, offset)?;
        Ok(Records { path: path.to_owned(), reading, over: false })
    }

    /// The records of any source; the path is for what errors say.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn over(source: Source, path: &Path, offset: u64) -> io::Result<Records> {
        Ok(Records { path: path.to_owned(), reading: Reading::over(source, offset)?, over: false })
    }

    /// Whether nothing follows the last record where it was packed: only then has the checksum over it been looked at.
    pub(super) fn is_at_a_boundary(&self) -> bool {
        self.reading.is_at_a_boundary()
    }

    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        let at = self.reading.position();
        let failed = |offset: u64, cause: &io::Error| {
            let is_torn = cause.kind() == io::ErrorKind::UnexpectedEof;
            ReadError { path: self.path.clone(), offset, reason: cause.to_string(), is_torn }
        };
        let flawed = |flaw: &Flaw| ReadError {
            path: self.path.clone(),
            offset: flaw.offset,
            reason: flaw.wrong.to_string(),
            is_torn: flaw.wrong == Wrong::Torn,
        };
        let head = loop {
            match self.reading.advance().map_err(|cause| failed(at, &cause))? {
                None => return Ok(None),
                Some(Step::Flaw(flaw)) if flaw.wrong.is_damage() => return Err(flawed(&flaw)),
                Some(Step::Flaw(_)) => {}
                Some(Step::Record(head)) => break head,
            }
        };
        if head.length.is_some_and(|length| length > BLOCK_MAX) {
            let reason = "the block is longer than can be read into memory".to_owned();
            return Err(ReadError { path: self.path.clone(), offset: head.offset, reason, is_torn: false });
        }
        let mut block = Vec::new();
        let read = self.reading.read_to_end(&mut block);
        let end = self.reading.end().map_err(|cause| failed(head.offset, &cause))?;
        if let Some(flaw) = end.flaws.iter().find(|flaw| flaw.wrong.is_damage()) {
            return Err(flawed(flaw));
        }
        read.map_err(|cause| failed(head.offset, &cause))?;
        let fields = head.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (offset, length) = (head.offset, end.length);
        Ok(Some(Record { version: head.version().to_owned(), fields, block, offset, length }))
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Result<Record, ReadError>> {
        if self.over {
            return None;
        }
        let read = self.read().transpose();
        self.over = !matches!(read, Some(Ok(_)));
        read
    }
}

/// The record at its place; `folder` holds the files. A file still being written is found under its `.open` name.
///
/// # Errors
/// When the file is not there or the record cannot be read.
pub fn read_at(folder: &Path, place: &Place) -> Result<Record, ReadError> {
    let closed = folder.join(&place.file);
    let path = if closed.exists() { closed } else { folder.join(format!("{}{}", place.file, super::writer::OPEN)) };
    let fail = |reason: String| ReadError { path: path.clone(), offset: place.offset, reason, is_torn: false };
    let mut records = Records::open(&path, place.offset).map_err(|cause| fail(cause.to_string()))?;
    records.next().unwrap_or_else(|| Err(fail("the file ends before the record".to_owned())))
}
