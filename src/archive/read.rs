//! Reads WARC records, one after the other or one at its place: plain, or one gzip member a record.
//!
//! Reading is bounded: heads and blocks have a limit, and what is longer is an error, not memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;

use super::Place;
use crate::web::message::{text, trim};

/// A record head longer than this is none.
const HEAD_MAX: u64 = 1 << 20;
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

/// The records of a file, in order. After an error there are no more.
pub struct Records {
    path: PathBuf,
    input: Counted<BufReader<File>>,
    over: bool,
}

impl Records {
    /// Reads from this offset, where a record must begin.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, offset: u64) -> io::Result<Records> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let input = Counted { inner: BufReader::with_capacity(64 << 10, file), at: offset };
        Ok(Records { path: path.to_owned(), input, over: false })
    }

    fn read(&mut self) -> Result<Option<Record>, (String, bool)> {
        let offset = self.input.at;
        let torn = |cause: io::Error| (cause.to_string(), cause.kind() == io::ErrorKind::UnexpectedEof);
        let start = self.input.fill_buf().map_err(torn)?;
        let (empty, gzip) = (start.is_empty(), start.starts_with(&[0x1f]));
        if empty {
            return Ok(None);
        }
        let mut record = if gzip {
            let mut member = BufReader::new(GzDecoder::new(&mut self.input));
            let record = parse(&mut member).map_err(torn)?;
            // To the member's end, so that its checksum is checked and the next one begins there.
            let rest = io::copy(&mut member.take(16), &mut io::sink()).map_err(torn)?;
            if rest > 0 {
                return Err(("a gzip member holds more than one record".to_owned(), false));
            }
            record
        } else {
            parse(&mut self.input).map_err(torn)?
        };
        record.offset = offset;
        record.length = self.input.at - offset;
        Ok(Some(record))
    }
}

impl Iterator for Records {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Result<Record, ReadError>> {
        if self.over {
            return None;
        }
        let offset = self.input.at;
        let read = self.read().transpose();
        self.over = !matches!(read, Some(Ok(_)));
        read.map(|read| {
            read.map_err(|(reason, is_torn)| ReadError { path: self.path.clone(), offset, reason, is_torn })
        })
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

fn parse(input: &mut impl BufRead) -> io::Result<Record> {
    let bad = |reason: &str| io::Error::new(io::ErrorKind::InvalidData, reason.to_owned());
    let mut left = HEAD_MAX;
    let version = text(&line(input, &mut left)?);
    if !version.starts_with("WARC/") {
        return Err(bad("no record begins here"));
    }
    let mut fields: Vec<(String, String)> = Vec::new();
    loop {
        let line = line(input, &mut left)?;
        match (line.first(), fields.last_mut()) {
            (None, _) => break,
            (Some(b' ' | b'\t'), Some((_, before))) => {
                before.push(' ');
                before.push_str(&text(trim(&line)));
            }
            _ => {
                let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| bad("a field without a colon"))?;
                fields.push((text(trim(&line[..colon])), text(trim(&line[colon + 1..]))));
            }
        }
    }
    let mut record = Record { version, fields, block: Vec::new(), offset: 0, length: 0 };
    let length: Option<u64> = record.field("Content-Length").and_then(|length| length.parse().ok());
    let length = length.ok_or_else(|| bad("no readable Content-Length"))?;
    if length > BLOCK_MAX {
        return Err(bad("the block is longer than can be read into memory"));
    }
    input.take(length).read_to_end(&mut record.block)?;
    if record.block.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut end = [0; 4];
    input.read_exact(&mut end)?;
    if &end != b"\r\n\r\n" {
        return Err(bad("the record does not end where its Content-Length says"));
    }
    Ok(record)
}

/// One line without its end.
fn line(input: &mut impl BufRead, left: &mut u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let read = input.take(*left).read_until(b'\n', &mut line)?;
    *left -= read as u64;
    if line.pop() != Some(b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

/// Knows how far it has been read.
struct Counted<R> {
    inner: R,
    at: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.at += amount as u64;
    }
}
