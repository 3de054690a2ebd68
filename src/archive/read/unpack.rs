//! A file as a stream of *units*: gzip members, zstd frames, or plain bytes, each told by how it begins.

use std::io;

use flate2::{Crc, Decompress, FlushDecompress, Status};
use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, get_error_name};

use super::frame::{self, DictionaryFrame, GZIP, ZSTD, ZSTD_HEAD, ZstdFrame};
use super::source::Source;

/// What is read and unpacked at a time; larger pieces measured no faster (benches/reading.rs).
const PIECE: usize = 64 << 10;
/// Every byte of a file is read once, and a few again after damage. A file made to be read for ever is given up.
const PATIENCE: (u64, u64) = (16, 64 << 20);
/// A gzip member's head longer than this is none.
const GZIP_HEAD_MAX: usize = 70 << 10;
/// Frames that want more memory than this (2^27 bytes, what the `zstd` tool takes as well) are not unpacked.
const ZSTD_WINDOW_LOG: u32 = 27;

/// What the bytes are packed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// As gzip members.
    Gzip,
    /// As zstd frames.
    Zstd,
}

/// Why no more can be had of a unit.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The file cannot be read.
    Io(io::Error),
    /// The file ends within the unit.
    Torn,
    /// The unit cannot be unpacked any further.
    Corrupt(String),
    /// The whole unit was unpacked, and is not what was packed.
    Checksum(&'static str),
    /// The file has been read over and over.
    Patience,
}

impl From<io::Error> for Trouble {
    fn from(cause: io::Error) -> Trouble {
        Trouble::Io(cause)
    }
}

/// What stands where a unit should begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Unit,
    End,
    Strange,
}

/// A place that can be returned to: a unit, and how far into what it unpacks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub unit: u64,
    pub inner: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Between,
    Plain,
    Gzip,
    GzipEnd,
    Zstd,
    ZstdEnd,
}

/// See the module's head.
pub(super) struct Unpacked {
    source: Source,
    raw: Buffer,
    /// Where in the file the first byte of `raw` that was not taken yet stands; in a plain unit, what comes after `out`.
    raw_at: u64,
    out: Buffer,
    stage: Stage,
    /// Where the unit begins, in the file and in all that was unpacked.
    unit: u64,
    unit_from: u64,
    unpacked: u64,
    units: u64,
    inflate: Option<Decompress>,
    crc: Crc,
    zstd: Option<DCtx<'static>>,
    dictionary: Result<Option<DictionaryFrame>, String>,
    frame: Option<ZstdFrame>,
    patience: u64,
}

impl Unpacked {
    pub fn new(source: Source, offset: u64) -> io::Result<Unpacked> {
        let dictionary = frame::dictionary(&source)?;
        let patience = source.len().saturating_mul(PATIENCE.0).saturating_add(PATIENCE.1);
        Ok(Unpacked {
            source,
            raw: Buffer::default(),
            raw_at: offset,
            out: Buffer::default(),
            stage: Stage::Between,
            unit: offset,
            unit_from: 0,
            unpacked: 0,
            units: 0,
            inflate: None,
            crc: Crc::new(),
            zstd: None,
            dictionary,
            frame: None,
            patience,
        })
    }

    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What has been unpacked and not been taken.
    pub fn rest(&self) -> &[u8] {
        self.out.rest()
    }

    pub fn take(&mut self, len: usize) {
        self.out.take(len);
    }

    /// How many units were begun so far.
    pub fn units(&self) -> u64 {
        self.units
    }

    pub fn is_plain(&self) -> bool {
        self.stage == Stage::Plain
    }

    /// The unit has ended; what is left of it is in `rest`.
    pub fn is_between(&self) -> bool {
        self.stage == Stage::Between
    }

    pub fn dictionary(&self) -> &Result<Option<DictionaryFrame>, String> {
        &self.dictionary
    }

    /// The head of the zstd frame that was begun last.
    pub fn frame(&self) -> Option<ZstdFrame> {
        self.frame
    }

    /// Where the next byte to be taken stands.
    pub fn mark(&self) -> Mark {
        let rest = self.out.rest().len() as u64;
        match self.stage {
            Stage::Plain => Mark { unit: self.raw_at.saturating_sub(rest), inner: 0 },
            _ => Mark { unit: self.unit, inner: (self.unpacked - rest).saturating_sub(self.unit_from) },
        }
    }

    /// Where the file's bytes go on after what was taken: behind the unit when that has ended.
    pub fn raw_at(&self) -> u64 {
        if self.stage == Stage::Plain { self.mark().unit } else { self.raw_at }
    }

    /// Goes to a place in the file where a unit should begin.
    pub fn seek(&mut self, offset: u64) {
        self.raw.clear();
        self.out.clear();
        self.raw_at = offset;
        self.stage = Stage::Between;
        self.unit = offset;
        self.unit_from = self.unpacked;
    }

    /// Passes over plain bytes without reading them.
    pub fn skip_plain(&mut self, len: u64) {
        let at_hand = (self.out.rest().len() as u64).min(len);
        self.out.take(usize::try_from(at_hand).expect("no more than there is"));
        self.raw_at += len - at_hand;
    }

    /// Begins the next unit. What is left of the one before stays in front of it.
    pub fn begin(&mut self) -> Result<Start, Trouble> {
        loop {
            self.want_raw(ZSTD_HEAD)?;
            let raw = self.raw.rest();
            if raw.is_empty() {
                return Ok(Start::End);
            }
            (self.unit, self.unit_from, self.frame) = (self.raw_at, self.unpacked, None);
            if let Some((len, _)) = frame::skippable(raw) {
                if len > self.source.len() - self.raw_at {
                    return Err(Trouble::Torn);
                }
                let at = self.raw_at + len;
                self.raw.clear();
                self.raw_at = at;
                continue;
            }
            if raw.starts_with(&GZIP) {
                self.begin_gzip()?;
            } else if raw.starts_with(&ZSTD) {
                self.begin_zstd()?;
            } else if raw.starts_with(b"WARC/") {
                self.raw.clear();
                self.stage = Stage::Plain;
            } else {
                return Ok(Start::Strange);
            }
            self.units += 1;
            return Ok(Start::Unit);
        }
    }

    fn begin_gzip(&mut self) -> Result<(), Trouble> {
        let mut wanted = PIECE / 64;
        let len = loop {
            let raw = self.raw.rest();
            match frame::gzip_head(raw) {
                Ok(Some(len)) => break len,
                Err(what) => return Err(Trouble::Corrupt(what.to_owned())),
                Ok(None) if raw.len() > GZIP_HEAD_MAX => {
                    return Err(Trouble::Corrupt("a gzip member's head without an end".to_owned()));
                }
                Ok(None) => {
                    let before = raw.len();
                    self.want_raw(wanted.max(before + 1))?;
                    if self.raw.rest().len() == before {
                        return Err(Trouble::Torn);
                    }
                    wanted *= 2;
                }
            }
        };
        self.take_raw(len);
        match &mut self.inflate {
            Some(inflate) => inflate.reset(false),
            None => self.inflate = Some(Decompress::new(false)),
        }
        self.crc.reset();
        self.stage = Stage::Gzip;
        Ok(())
    }

    fn begin_zstd(&mut self) -> Result<(), Trouble> {
        let corrupt = |what: &str| Trouble::Corrupt(what.to_owned());
        self.frame = frame::zstd_frame(self.raw.rest());
        if self.frame.is_none() {
            return Err(if self.raw.rest().len() < ZSTD_HEAD { Trouble::Torn } else { corrupt("a zstd frame's head") });
        }
        if self.zstd.is_none() {
            let mut context = DCtx::create();
            let ready = context.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG)).map(|_| ());
            if let Ok(Some(dictionary)) = &self.dictionary {
                // What the library says of one it cannot use is that there is no memory.
                context.load_dictionary(&dictionary.bytes).map_err(|_| corrupt("the file's dictionary is damaged"))?;
            }
            ready.map_err(|code| corrupt(get_error_name(code)))?;
            self.zstd = Some(context);
        }
        let context = self.zstd.as_mut().expect("it has just been made");
        context.reset(ResetDirective::SessionOnly).map_err(|code| corrupt(get_error_name(code)))?;
        self.stage = Stage::Zstd;
        Ok(())
    }

    /// Ends a plain unit at the next byte to be taken: what comes there is packed.
    pub fn end_plain(&mut self) {
        let at = self.mark().unit;
        self.seek(at);
    }

    /// Unpacks more of the unit, behind what is there; 0 when it has ended and was found good.
    pub fn more(&mut self) -> Result<usize, Trouble> {
        let added = loop {
            let step = match self.stage {
                Stage::Between => return Ok(0),
                Stage::Plain => Some(self.more_plain()?),
                Stage::Gzip => self.more_gzip()?,
                Stage::Zstd => self.more_zstd()?,
                Stage::GzipEnd => {
                    self.end_gzip()?;
                    Some(0)
                }
                Stage::ZstdEnd => {
                    self.stage = Stage::Between;
                    Some(0)
                }
            };
            if let Some(added) = step {
                break added;
            }
        };
        Ok(added)
    }

    fn add(&mut self, len: usize) {
        self.out.added(len);
        self.unpacked += len as u64;
    }

    fn more_plain(&mut self) -> Result<usize, Trouble> {
        let room = self.out.room();
        let read = self.source.read_at(self.raw_at, room)?;
        self.add(read);
        self.raw_at += read as u64;
        self.spend(read)?;
        if read == 0 && self.out.rest().is_empty() {
            self.stage = Stage::Between;
        }
        Ok(read)
    }

    fn more_gzip(&mut self) -> Result<Option<usize>, Trouble> {
        self.want_raw(1)?;
        let inflate = self.inflate.as_mut().expect("a member was begun");
        let room = self.out.room();
        let (was_in, was_out) = (inflate.total_in(), inflate.total_out());
        let status = inflate.decompress(self.raw.rest(), room, FlushDecompress::None);
        let taken = usize::try_from(inflate.total_in() - was_in).expect("no more than there was");
        let added = usize::try_from(inflate.total_out() - was_out).expect("no more than there was room for");
        self.crc.update(&room[..added]);
        self.add(added);
        self.take_raw(taken);
        match status {
            Ok(Status::StreamEnd) => self.stage = Stage::GzipEnd,
            Ok(_) if taken + added > 0 => {}
            Ok(_) if self.raw.rest().is_empty() => return Err(Trouble::Torn),
            Ok(_) => return Err(Trouble::Corrupt("deflate data that leads nowhere".to_owned())),
            Err(_) => return Err(Trouble::Corrupt("deflate data is damaged".to_owned())),
        }
        Ok((added > 0).then_some(added))
    }

    fn end_gzip(&mut self) -> Result<(), Trouble> {
        if self.want_raw(8)? < 8 {
            return Err(Trouble::Torn);
        }
        let (end, _) = self.raw.rest().split_first_chunk::<8>().expect("eight bytes are there");
        let number = |at: usize| u32::from_le_bytes([end[at], end[at + 1], end[at + 2], end[at + 3]]);
        let (crc, size) = (number(0), number(4));
        self.take_raw(8);
        self.stage = Stage::Between;
        if crc != self.crc.sum() {
            Err(Trouble::Checksum("the gzip member's checksum is wrong"))
        } else if size != self.crc.amount() {
            Err(Trouble::Checksum("the gzip member's length is wrong"))
        } else {
            Ok(())
        }
    }

    fn more_zstd(&mut self) -> Result<Option<usize>, Trouble> {
        self.want_raw(1)?;
        let context = self.zstd.as_mut().expect("a frame was begun");
        let mut input = InBuffer::around(self.raw.rest());
        let mut output = OutBuffer::around(self.out.room());
        let hint = context.decompress_stream(&mut output, &mut input);
        let (added, taken) = (output.pos(), input.pos());
        self.add(added);
        self.take_raw(taken);
        match hint {
            Ok(0) => self.stage = Stage::ZstdEnd,
            Ok(_) if taken + added > 0 => {}
            Ok(_) if self.raw.rest().is_empty() => return Err(Trouble::Torn),
            Ok(_) => return Err(Trouble::Corrupt("a zstd frame that leads nowhere".to_owned())),
            Err(code) => return Err(Trouble::Corrupt(format!("zstd: {}", get_error_name(code)))),
        }
        Ok((added > 0).then_some(added))
    }

    /// Reads until this many bytes are at hand, or the file ends; says how many there are.
    fn want_raw(&mut self, wanted: usize) -> Result<usize, Trouble> {
        while self.raw.rest().len() < wanted {
            let at = self.raw_at + self.raw.rest().len() as u64;
            let read = self.source.read_at(at, self.raw.room())?;
            self.raw.added(read);
            self.spend(read)?;
            if read == 0 {
                break;
            }
        }
        Ok(self.raw.rest().len())
    }

    fn take_raw(&mut self, len: usize) {
        self.raw.take(len);
        self.raw_at += len as u64;
    }

    pub fn spend(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.patience = self.patience.checked_sub(bytes as u64).ok_or(Trouble::Patience)?;
        Ok(())
    }
}

/// Bytes that come in behind and are taken in front.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
}

impl Buffer {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    /// Room for at least some more; grows only when little of what came was taken.
    fn room(&mut self) -> &mut [u8] {
        if self.from == self.to {
            (self.from, self.to) = (0, 0);
        } else if self.bytes.len() - self.to < PIECE / 4 {
            self.bytes.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        if self.bytes.len() - self.to < PIECE / 4 {
            self.bytes.resize(self.to + PIECE, 0);
        }
        &mut self.bytes[self.to..]
    }

    fn added(&mut self, len: usize) {
        self.to += len;
    }

    fn take(&mut self, len: usize) {
        self.from += len;
    }

    fn clear(&mut self) {
        (self.from, self.to) = (0, 0);
    }
}
