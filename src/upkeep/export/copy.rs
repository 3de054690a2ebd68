//! Records copied from WARC files into others: as they stand where the packing stays the same, packed anew where not.

use std::fs::File;
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::shelf::Shelf;
use super::{Packing, SOFTWARE};
use crate::archive::cdxj::{Line, Listing};
use crate::archive::{self, Compress, End, Head, Place, ReadError, Reading, Source, Step, Wrong};
use crate::store::{self, Selection};
use crate::upkeep::{Error, Progress, Watch};
use crate::web::digest::{Algorithm, digest};
use crate::web::time::Timestamp;

/// Some bytes of a WARC file, a record beginning at the first and another ending at the last.
pub(super) struct Stretch {
    pub path: PathBuf,
    /// The file's name, `.open` left out.
    pub name: String,
    pub offset: u64,
    pub length: u64,
}

impl Stretch {
    /// All of a file.
    pub(super) fn whole(path: &Path) -> Result<Stretch, Error> {
        let length = path.metadata().map_err(Error::io("read", path))?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Stretch { path: path.to_owned(), name, offset: 0, length })
    }

    /// A part of a file of the archive, which may be open still.
    pub(super) fn of_archive(folder: &Path, part: store::Stretch) -> Stretch {
        let closed = folder.join(&part.file);
        let path = if closed.exists() { closed } else { folder.join(format!("{}.open", part.file)) };
        Stretch { path, name: part.file, offset: part.offset, length: part.length }
    }
}

/// Goes through the records of stretches. `each` reads as much of a record as it likes and says how it ended.
///
/// # Errors
/// [`Error::Damage`] at the first record that is not whole; [`Error::Interrupted`]; or what `each` returns.
pub(super) fn each_record(
    stretches: &[Stretch],
    watch: Watch<'_>,
    each: &mut dyn FnMut(&Stretch, &Head, &mut Reading) -> Result<End, Error>,
) -> Result<(), Error> {
    let total = stretches.iter().map(|stretch| stretch.length).sum();
    let mut before = 0;
    for stretch in stretches {
        let failed = |cause| Error::io("read", &stretch.path)(cause);
        let end = stretch.offset + stretch.length;
        let source = Source::open(&stretch.path).map_err(failed)?;
        let mut reading = Reading::over(source.part(0, end), stretch.offset).map_err(failed)?;
        while let Some(step) = reading.advance().map_err(failed)? {
            let done = before + reading.position().saturating_sub(stretch.offset);
            watch.at(Progress { what: &stretch.name, done, total })?;
            match step {
                Step::Flaw(flaw) if flaw.wrong.is_damage() => return Err(damage(stretch, flaw.offset, &flaw.wrong)),
                Step::Flaw(_) => {}
                Step::Record(head) => {
                    let end = each(stretch, &head, &mut reading)?;
                    if let Some(flaw) = end.flaws.iter().find(|flaw| flaw.wrong.is_damage()) {
                        return Err(damage(stretch, flaw.offset, &flaw.wrong));
                    }
                    if !end.alone {
                        let reason = "the file is not compressed record by record, so that none can be read alone";
                        return Err(unreadable(stretch, head.offset, reason.to_owned()));
                    }
                }
            }
        }
        before += stretch.length;
    }
    watch.at(Progress { what: "", done: total, total })
}

fn damage(stretch: &Stretch, offset: u64, wrong: &Wrong) -> Error {
    unreadable(stretch, offset, format!("{wrong}; pressmark verify says more"))
}

fn unreadable(stretch: &Stretch, offset: u64, reason: String) -> Error {
    ReadError { path: stretch.path.clone(), offset, reason, is_torn: false }.into()
}

/// What new files say of themselves.
pub(super) struct About {
    /// When the newest of their captures was made.
    pub created: Timestamp,
    /// What was chosen.
    pub selection: Selection,
}

/// Copies groups of records into the files of a shelf, each beginning with a `warcinfo`.
pub(super) struct Copier<'a> {
    shelf: &'a mut dyn Shelf,
    /// Where that is, for errors.
    out: &'a Path,
    packing: Packing,
    about: About,
    /// Name of the file that is being written, and its length.
    part: Option<(String, u64)>,
    copied: Copied,
}

/// What was copied.
#[derive(Default)]
pub(super) struct Copied {
    pub records: u64,
    pub files: u64,
}

impl<'a> Copier<'a> {
    pub(super) fn new(shelf: &'a mut dyn Shelf, out: &'a Path, packing: Packing, about: About) -> Copier<'a> {
        Copier { shelf, out, packing, about, part: None, copied: Copied::default() }
    }

    /// Copies; `list` gets the line of every record that an index has one for.
    pub(super) fn copy(
        &mut self,
        stretches: &[Stretch],
        watch: Watch<'_>,
        list: &mut dyn FnMut(Line) -> Result<(), Error>,
    ) -> Result<(), Error> {
        each_record(stretches, watch, &mut |stretch, head, reading| {
            let listing = Listing::begin(head);
            let (line, end) = self.record(stretch, head, reading, listing)?;
            line.map_or(Ok(()), &mut *list)?;
            Ok(end)
        })
    }

    pub(super) fn finish(self) -> Result<Copied, Error> {
        self.shelf.flush().map_err(Error::io("write", self.out))?;
        Ok(self.copied)
    }

    fn record(
        &mut self,
        stretch: &Stretch,
        head: &Head,
        reading: &mut Reading,
        mut listing: Option<Listing>,
    ) -> Result<(Option<Line>, End), Error> {
        let begins_group = head.field("WARC-Concurrent-To").is_none();
        let is_full = |(_, length): &(String, u64)| begins_group && *length >= self.packing.max_size;
        if self.part.as_ref().is_none_or(is_full) {
            self.next_part()?;
        }
        let unread = |cause| Error::io("read", &stretch.path)(cause);
        let unwritten = Error::io("write", self.out);
        let (length, end) = if stays(reading.packing(), self.packing.compress) {
            while listing.as_ref().is_some_and(Listing::wants_more)
                && hear(reading, &mut listing, None).map_err(unread)?
            {}
            let end = reading.end().map_err(unread)?;
            let place = (head.offset, end.length);
            (copy_bytes(&stretch.path, place, self.shelf).map_err(unwritten)?, end)
        } else {
            let plain = head.bytes().len() as u64 + head.length.unwrap_or(0) + END.len() as u64;
            let mut pack = || {
                let mut packed = Packed::begin(self.shelf, self.packing.compress, plain)?;
                packed.write_all(head.bytes())?;
                while hear(reading, &mut listing, Some(&mut packed))? {}
                packed.write_all(END)?;
                packed.finish()
            };
            let length = pack().map_err(Error::io("copy a record of", &stretch.path))?;
            (length, reading.end().map_err(unread)?)
        };
        let Some((name, at)) = &mut self.part else { return Ok((None, end)) };
        let place = Place { file: name.clone(), offset: *at, length };
        *at += length;
        self.copied.records += 1;
        Ok((listing.map(|listing| listing.line(place)), end))
    }

    /// Begins a file with a record that says what it is. The same choice of the same archive makes the same record.
    fn next_part(&mut self) -> Result<(), Error> {
        self.copied.files += 1;
        let failed = Error::io("write", self.out);
        let mut begin = || {
            let name = self.shelf.begin(self.copied.files)?;
            let date = self.about.created.iso();
            let block = format!(
                "software: {SOFTWARE}\r\nformat: WARC File Format 1.1\r\n\
                 conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n\
                 description: an export of {}\r\n",
                self.about.selection,
            );
            let hash = Sha256::digest(format!("{name} {date} {block}"));
            let id: [u8; 16] = std::array::from_fn(|i| hash[i]);
            let record = format!(
                "WARC/1.1\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:{}>\r\nWARC-Date: {date}\r\n\
                 WARC-Filename: {name}\r\nWARC-Block-Digest: {}\r\nContent-Type: application/warc-fields\r\n\
                 Content-Length: {}\r\n\r\n{block}\r\n\r\n",
                uuid::Builder::from_random_bytes(id).into_uuid(),
                digest(Algorithm::Sha1, block.as_bytes()),
                block.len(),
            );
            let mut packed = Packed::begin(self.shelf, self.packing.compress, record.len() as u64)?;
            packed.write_all(record.as_bytes())?;
            self.part = Some((name, packed.finish()?));
            Ok(())
        };
        begin().map_err(failed)
    }
}

/// What stands between two records.
const END: &[u8] = b"\r\n\r\n";

/// A record need not be unpacked: it may stand in the new file as in the old one.
fn stays(packing: Option<archive::Packing>, compress: Compress) -> bool {
    match packing {
        Some(archive::Packing::Plain) => compress == Compress::None,
        Some(archive::Packing::Gzip) => compress == Compress::Gzip,
        Some(archive::Packing::Zstd) | None => false,
    }
}

/// Passes a piece of the block on; false at its end.
fn hear(reading: &mut Reading, listing: &mut Option<Listing>, out: Option<&mut dyn Write>) -> io::Result<bool> {
    let piece = reading.fill_buf()?;
    let length = piece.len();
    listing.iter_mut().for_each(|listing| listing.hear(piece));
    out.map_or(Ok(()), |out| out.write_all(piece))?;
    reading.consume(length);
    Ok(length > 0)
}

/// Copies bytes as they stand.
fn copy_bytes(path: &Path, (offset, length): (u64, u64), out: &mut dyn Shelf) -> io::Result<u64> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let copied = io::copy(&mut file.take(length), out)?;
    if copied == length { Ok(length) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A record being packed; it counts what it has become.
enum Packed<'a> {
    Plain(Counted<'a>),
    Gzip(GzEncoder<Counted<'a>>),
    Zstd(zstd::Encoder<'static, Counted<'a>>),
}

struct Counted<'a> {
    out: &'a mut dyn Shelf,
    count: u64,
}

impl<'a> Packed<'a> {
    /// Begins a record that is `plain` bytes long.
    fn begin(out: &'a mut dyn Shelf, compress: Compress, plain: u64) -> io::Result<Packed<'a>> {
        let counted = Counted { out, count: 0 };
        Ok(match compress {
            Compress::None => Packed::Plain(counted),
            Compress::Gzip => Packed::Gzip(GzEncoder::new(counted, Compression::new(6))),
            Compress::Zstd => Packed::Zstd(archive::zstd_frame(counted, plain, false, None)?),
        })
    }

    /// Ends it; how long it is now.
    fn finish(self) -> io::Result<u64> {
        match self {
            Packed::Plain(counted) => Ok(counted.count),
            Packed::Gzip(encoder) => Ok(encoder.finish()?.count),
            Packed::Zstd(encoder) => Ok(encoder.finish()?.count),
        }
    }
}

impl Write for Packed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::Plain(counted) => counted.write(bytes),
            Packed::Gzip(encoder) => encoder.write(bytes),
            Packed::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.count += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
