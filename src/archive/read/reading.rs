//! One reading of a file: record after record, each block piece by piece, and on after damage.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::path::Path;

use super::flaw::{Flaw, Wrong};
use super::frame::{DictionaryFrame, GZIP, ZSTD, ZstdFrame, skippable};
use super::head::Head;
use super::source::Source;
use super::unpack::{Mark, Packing, Start, Trouble, Unpacked};
use crate::web::message::head_len;

/// A record head longer than this is none.
const HEAD_MAX: usize = 1 << 20;
/// How a record begins: a line with this and a version number.
const BEGINNING: &[u8] = b"WARC/";
/// As much as is needed to tell the beginning of a record, the line end before it included.
const MARKER: usize = 20;
/// As much as is looked at after a block.
const AFTER: usize = 16;
const SCAN: usize = 64 << 10;
/// What a member is that ends before its end, with others after it.
const CUT: &str = "the record is cut, others follow";

/// Reads any tool's WARC: plain, a gzip member or zstd frames a record, or all of it as one stream; told by the bytes,
/// never by the name. Memory is bounded whatever the bytes are: a head has a limit, blocks come in pieces.
///
/// [`Reading::advance`] goes to the next record and gives its head. Its block is then read through [`BufRead`];
/// [`Reading::end`] passes over what was not read and says how the record ended. After damage the next record is
/// looked for, and the [`Flaw`] says what was passed over.
///
/// ```
/// use pressmark::archive::{Reading, Source, Step};
///
/// let warc = b"WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n";
/// let mut reading = Reading::over(Source::memory(*warc), 0)?;
/// while let Some(Step::Record(head)) = reading.advance()? {
///     let block = std::io::read_to_string(&mut reading)?;
///     assert_eq!((head.kind(), block.as_str()), ("resource", "hello"));
///     let end = reading.end()?;
///     assert_eq!((end.length, end.flaws.len()), (warc.len() as u64, 0));
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Reading {
    stream: Unpacked,
    state: State,
    /// What the file is packed with, by its first unit.
    packing: Option<Packing>,
    untold: VecDeque<Flaw>,
}

/// What comes next in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record; its block can be read now.
    Record(Head),
    /// Something is wrong between records, or with a record whose end nobody asked for.
    Flaw(Flaw),
}

/// How a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How long the record is in the file, packed as it is. Not to be used when it is not `alone`.
    pub length: u64,
    /// It can be read at its place by itself: no other record shares its gzip member or zstd frames.
    pub alone: bool,
    /// How many gzip members or zstd frames it is spread over.
    pub units: u64,
    /// The head of its last zstd frame.
    pub frame: Option<ZstdFrame>,
    /// What is wrong with it.
    pub flaws: Vec<Flaw>,
}

impl End {
    /// Nothing of the record is missing or altered, as far as can be told without its digests.
    pub fn is_whole(&self) -> bool {
        !self.flaws.iter().any(|flaw| flaw.wrong.is_damage())
    }
}

enum State {
    Boundary,
    Record(Current),
    Over,
}

/// The record that is being read.
struct Current {
    offset: u64,
    inner: u64,
    declared: u64,
    /// What is left of the block.
    left: u64,
    /// Where the block begins.
    block: Mark,
    units: u64,
    /// Where the record ended, when the next unit was begun to find that out.
    ended: Option<u64>,
    /// How long the block is whose member ended before it did.
    short: Option<u64>,
    trouble: Option<Trouble>,
    flaws: Vec<Flaw>,
}

impl Reading {
    /// Reads a file from its beginning.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path) -> io::Result<Reading> {
        Reading::over(Source::open(path)?, 0)
    }

    /// Reads from this offset, where a record (its gzip member, its first frame) should begin.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn over(source: Source, offset: u64) -> io::Result<Reading> {
        let stream = Unpacked::new(source, offset)?;
        let mut untold = VecDeque::new();
        if let (Err(what), 0) = (stream.dictionary(), offset) {
            untold.push_back(Flaw { offset, inner: 0, skipped: 0, wrong: Wrong::Dictionary(what.clone()) });
        }
        Ok(Reading { stream, state: State::Boundary, packing: None, untold })
    }

    /// What the file is packed with; none before its first record.
    pub fn packing(&self) -> Option<Packing> {
        self.packing
    }

    /// The dictionary at the beginning of the file.
    pub fn dictionary(&self) -> Option<&DictionaryFrame> {
        self.stream.dictionary().as_ref().ok().and_then(Option::as_ref)
    }

    /// How far into the file it has come.
    pub fn position(&self) -> u64 {
        self.stream.raw_at()
    }

    /// Says what the file is packed with, to a reading that does not begin at its beginning: after damage only such
    /// units are looked for.
    pub fn expect(&mut self, packing: Option<Packing>) {
        self.packing = packing;
    }

    /// Goes to the next place where a record seems to begin; none when there is none. What seems so may be part of a
    /// block.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&mut self, packing: Option<Packing>) -> io::Result<Option<u64>> {
        self.packing = packing;
        let from = self.stream.raw_at();
        match self.resync(from) {
            Ok(passed) => Ok(Some(from + passed).filter(|at| *at < self.stream.source().len())),
            Err(Trouble::Io(cause)) => Err(cause),
            Err(_) => Ok(None),
        }
    }

    /// Goes to the next record, or the next thing that is wrong. None at the end.
    ///
    /// # Errors
    /// When the file cannot be read. Damage is no error.
    pub fn advance(&mut self) -> io::Result<Option<Step>> {
        if matches!(self.state, State::Record(_)) {
            let end = self.end()?;
            self.untold.extend(end.flaws);
        }
        loop {
            if let Some(flaw) = self.untold.pop_front() {
                return Ok(Some(Step::Flaw(flaw)));
            }
            if matches!(self.state, State::Over) {
                return Ok(None);
            }
            match self.next_head() {
                Ok(Some(head)) => return Ok(Some(Step::Record(head))),
                Ok(None) => {}
                Err(trouble) => {
                    let at = self.stream.mark();
                    let flaw = self.flaw_of(trouble, at.unit, at.inner)?;
                    self.untold.push_back(flaw);
                }
            }
        }
    }

    /// Ends the record: passes over what is left of it, and says how it ended.
    ///
    /// # Errors
    /// When the file cannot be read.
    ///
    /// # Panics
    /// When no record was begun.
    pub fn end(&mut self) -> io::Result<End> {
        while self.current().is_some_and(|current| current.left > 0 && current.trouble.is_none()) {
            self.pass_over();
        }
        let State::Record(mut current) = std::mem::replace(&mut self.state, State::Boundary) else {
            panic!("no record was begun: advance comes first");
        };
        if let (true, Some(stop)) = (self.stream.is_plain(), current.ended) {
            self.stream.skip_plain(stop.saturating_sub(self.stream.raw_at()));
        }
        let trouble = match current.trouble.take() {
            None if current.short.is_some() => self.again(&mut current).err(),
            None if current.ended.is_none() && current.flaws.is_empty() => self.ending(&mut current).err(),
            trouble => trouble,
        };
        let mut end = End {
            length: current.ended.unwrap_or(self.stream.raw_at()).saturating_sub(current.offset),
            alone: current.inner == 0 && (current.ended.is_some() || self.is_at_a_boundary()),
            units: (self.stream.units() + 1).saturating_sub(current.units + u64::from(current.ended.is_some())).max(1),
            frame: self.stream.frame(),
            flaws: current.flaws,
        };
        if let Some(trouble) = trouble {
            end.flaws.push(self.flaw_of(trouble, current.offset, current.inner)?);
        }
        Ok(end)
    }

    /// Whether the member or frame has ended with the record: only then has its checksum been looked at.
    pub(super) fn is_at_a_boundary(&self) -> bool {
        self.stream.is_plain() || self.stream.is_between() && self.stream.rest().is_empty()
    }

    fn current(&mut self) -> Option<&mut Current> {
        match &mut self.state {
            State::Record(current) => Some(current),
            State::Boundary | State::Over => None,
        }
    }

    /// The head of the record that begins here; none when this step found none, and the next one may.
    fn next_head(&mut self) -> Result<Option<Head>, Trouble> {
        let mut blank = 0;
        loop {
            let newlines = self.stream.rest().iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.stream.take(newlines);
            blank += newlines as u64;
            if !self.stream.rest().is_empty() {
                break;
            }
            let ended = self.stream.mark();
            if self.stream.more()? > 0 {
                continue;
            }
            if self.tell_blank(blank, ended) {
                return Ok(None);
            }
            let strange_at = self.stream.raw_at();
            match self.stream.begin()? {
                Start::Unit => {}
                Start::End => {
                    self.state = State::Over;
                    return Ok(None);
                }
                Start::Strange => {
                    let skipped = self.resync(strange_at)?;
                    self.tell(Flaw { offset: strange_at, inner: 0, skipped, wrong: Wrong::Garbage });
                    return Ok(None);
                }
            }
        }
        let (at, units) = (self.stream.mark(), self.stream.units());
        if self.tell_blank(blank, at) {
            return Ok(None);
        }
        self.want(MARKER)?;
        // A record may begin at the very end of a member, in files whose members do not line up with records.
        while self.stream.rest().len() < BEGINNING.len() && BEGINNING.starts_with(self.stream.rest()) {
            if self.join(at)? != Start::Unit {
                break;
            }
            if !self.untold.is_empty() {
                return Ok(None);
            }
        }
        let rest = self.stream.rest();
        if rest.starts_with(BEGINNING) {
            return self.read_head(at, units);
        }
        if self.stream.is_plain() && (rest.starts_with(&GZIP) || rest.starts_with(&ZSTD)) {
            self.stream.end_plain();
            return Ok(None);
        }
        let skipped = self.pass_to_marker()?;
        self.tell(Flaw { offset: at.unit, inner: at.inner, skipped, wrong: Wrong::Garbage });
        Ok(None)
    }

    fn tell(&mut self, flaw: Flaw) {
        self.untold.push_back(flaw);
    }

    /// Blank lines between records are told before anything else is begun.
    fn tell_blank(&mut self, blank: u64, at: Mark) -> bool {
        if blank > 0 {
            self.tell(Flaw { offset: at.unit, inner: at.inner, skipped: blank, wrong: Wrong::Blank });
        }
        blank > 0
    }

    /// Unpacks until this many bytes are at hand, or the unit ends.
    fn want(&mut self, wanted: usize) -> Result<bool, Trouble> {
        while self.stream.rest().len() < wanted {
            if self.stream.more()? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The head of the record that begins at this mark, in the unit of that number.
    fn read_head(&mut self, at: Mark, units: u64) -> Result<Option<Head>, Trouble> {
        let mut looked = 0;
        let len = loop {
            let rest = self.stream.rest();
            if let Some(len) = head_len(rest, looked) {
                break len;
            }
            looked = rest.len();
            if looked > HEAD_MAX {
                return self.no_head(at, Wrong::Head);
            }
            if self.stream.more()? == 0 {
                // A head may go on in the next member, in files whose members do not line up with records.
                match self.join(at)? {
                    Start::Unit if self.untold.is_empty() => {}
                    Start::Unit => return Ok(None),
                    Start::End => return Err(Trouble::Torn),
                    Start::Strange => return self.no_head(at, Wrong::Head),
                }
            }
        };
        let head = Head::read(&self.stream.rest()[..len], at.unit, at.inner);
        self.stream.take(len);
        self.packing.get_or_insert(match (self.stream.is_plain(), self.stream.frame()) {
            (true, _) => Packing::Plain,
            (false, Some(_)) => Packing::Zstd,
            (false, None) => Packing::Gzip,
        });
        let mut current = Current {
            offset: at.unit,
            inner: at.inner,
            declared: head.length.unwrap_or(0),
            left: head.length.unwrap_or(0),
            block: self.stream.mark(),
            units,
            ended: None,
            short: None,
            trouble: None,
            flaws: Vec::new(),
        };
        if head.length.is_none() {
            let skipped = self.pass_to_marker()?;
            current.flaws.push(current.flaw(Wrong::NoLength, skipped));
        } else if self.stream.is_plain() {
            self.look_ahead(&mut current)?;
        }
        self.state = State::Record(current);
        Ok(Some(head))
    }

    /// The bytes here only look like a record's beginning.
    fn no_head(&mut self, at: Mark, wrong: Wrong) -> Result<Option<Head>, Trouble> {
        self.stream.take(BEGINNING.len().min(self.stream.rest().len()));
        let skipped = self.pass_to_marker()? + BEGINNING.len() as u64;
        self.tell(Flaw { offset: at.unit, inner: at.inner, skipped, wrong });
        Ok(None)
    }

    /// Goes on in the next unit; unless a record begins there, and what is left of the one before is part of nothing.
    fn join(&mut self, from: Mark) -> Result<Start, Trouble> {
        let left = self.stream.rest().len();
        let start = self.stream.begin()?;
        if start == Start::Unit {
            self.want(left + MARKER)?;
            if self.stream.rest()[left..].starts_with(BEGINNING) {
                self.stream.take(left);
                let skipped = left as u64;
                self.tell(Flaw { offset: from.unit, inner: from.inner, skipped, wrong: Wrong::Garbage });
            }
        }
        Ok(start)
    }

    /// In plain bytes it can be known beforehand where the block ends.
    fn look_ahead(&mut self, current: &mut Current) -> Result<(), Trouble> {
        let from = current.block.unit;
        let len = self.stream.source().len();
        let end = from.saturating_add(current.declared);
        if end <= len {
            // Most records are at hand as a whole.
            let rest = usize::try_from(current.declared).ok().and_then(|declared| self.stream.rest().get(declared..));
            let (after, read) = match rest.and_then(<[u8]>::first_chunk::<AFTER>) {
                Some(after) => (*after, AFTER),
                None => self.stream.source().peek(end)?,
            };
            if after_block(&after[..read], read < AFTER, true) != After::Else {
                return Ok(());
            }
        }
        let next = self.find_plain(from)?;
        let stop = next.unwrap_or(len);
        let found = before_newlines(self.stream.source(), from, stop)?;
        current.left = current.declared.min(found);
        let wrong = match next {
            None if end > len => Wrong::Torn,
            None => Wrong::Length { declared: current.declared, found: None },
            Some(_) => Wrong::Length { declared: current.declared, found: Some(found) },
        };
        current.flaws.push(current.flaw(wrong, stop - (from + current.left)));
        current.ended = Some(stop);
        Ok(())
    }

    /// Where the next record begins in plain bytes.
    fn find_plain(&mut self, from: u64) -> Result<Option<u64>, Trouble> {
        let mut buffer = vec![0; SCAN];
        let mut at = from.saturating_sub(1);
        loop {
            let read = self.stream.source().read_at(at, &mut buffer)?;
            self.stream.spend(read)?;
            if let Some(found) = marker(&buffer[..read]) {
                return Ok(Some(at + found as u64));
            }
            if read < buffer.len() {
                return Ok(None);
            }
            at += (read - MARKER) as u64;
        }
    }

    /// Passes over everything to the next record's beginning at a line's start, or to the end of the unit; says how
    /// much that was.
    fn pass_to_marker(&mut self) -> Result<u64, Trouble> {
        let mut passed = 0;
        loop {
            let rest = self.stream.rest();
            if let Some(found) = marker(rest) {
                self.stream.take(found);
                return Ok(passed + found as u64);
            }
            let keep = rest.len().min(MARKER);
            let gone = rest.len() - keep;
            self.stream.take(gone);
            passed += gone as u64;
            if self.stream.more()? == 0 {
                let left = self.stream.rest().len();
                self.stream.take(left);
                return Ok(passed + left as u64);
            }
        }
    }

    /// Looks for the next unit that begins a record, from this offset of the file on; says how far away it is.
    fn resync(&mut self, from: u64) -> Result<u64, Trouble> {
        let mut buffer = vec![0; SCAN];
        let (mut at, mut before) = (from, b'\n');
        loop {
            let read = self.stream.source().read_at(at, &mut buffer)?;
            self.stream.spend(read)?;
            let most = if read < buffer.len() { read } else { read - MARKER };
            for i in 0..most {
                if self.may_begin(&buffer[i..read], before) && self.begins_record(at + i as u64)? {
                    return Ok(at + i as u64 - from);
                }
                before = buffer[i];
            }
            at += most as u64;
            if read < buffer.len() {
                self.stream.seek(at);
                return Ok(at - from);
            }
        }
    }

    /// Could a unit begin with these bytes? Plain records are looked for in plain files only: a gzip member that stores
    /// its content as it is looks like one from within.
    fn may_begin(&self, bytes: &[u8], before: u8) -> bool {
        match bytes[0] {
            0x1f => bytes.starts_with(&GZIP) && self.packing != Some(Packing::Zstd),
            0x28 => bytes.starts_with(&ZSTD) && self.packing != Some(Packing::Gzip),
            b'W' => {
                let is_plain = matches!(self.packing, None | Some(Packing::Plain));
                is_plain && (before == b'\n' && is_beginning(bytes) || is_surely_beginning(bytes))
            }
            _ => false,
        }
    }

    /// Begins the unit at this offset, if it is one that begins a record.
    fn begins_record(&mut self, at: u64) -> Result<bool, Trouble> {
        self.stream.seek(at);
        let mut begin = || -> Result<bool, Trouble> {
            if self.stream.begin()? != Start::Unit {
                return Ok(false);
            }
            self.want(BEGINNING.len())?;
            Ok(self.stream.rest().starts_with(BEGINNING))
        };
        match begin() {
            Ok(begins) => Ok(begins),
            Err(trouble @ (Trouble::Io(_) | Trouble::Patience)) => Err(trouble),
            Err(Trouble::Torn | Trouble::Corrupt(_) | Trouble::Checksum(_)) => Ok(false),
        }
    }

    /// What the trouble is to the reader of the file; goes to where reading can go on.
    fn flaw_of(&mut self, trouble: Trouble, offset: u64, inner: u64) -> io::Result<Flaw> {
        let (wrong, unit) = match trouble {
            Trouble::Io(cause) => return Err(cause),
            Trouble::Patience => {
                self.state = State::Over;
                let skipped = self.stream.source().len().saturating_sub(self.stream.raw_at());
                return Ok(Flaw { offset, inner, skipped, wrong: Wrong::GivenUp });
            }
            Trouble::Checksum(what) => {
                let (unit, at) = (self.stream.mark().unit, self.stream.raw_at());
                let (next, read) = self.stream.source().peek::<8>(at)?;
                if read == 0 || is_unit(&next[..read]) {
                    // The whole member was read, and the next one follows.
                    self.stream.seek(at);
                    return Ok(Flaw { offset, inner, skipped: 0, wrong: Wrong::Checksum(what) });
                }
                // It was cut, and ended somewhere in the ones after it.
                (Wrong::Checksum(what), unit)
            }
            Trouble::Torn => (Wrong::Torn, self.stream.mark().unit),
            Trouble::Corrupt(what) => (Wrong::Corrupt(what), self.stream.mark().unit),
        };
        match self.resync(unit + 1) {
            Ok(passed) => {
                let next = unit + 1 + passed;
                let goes_on = next < self.stream.source().len();
                let wrong = if wrong == Wrong::Torn && goes_on { Wrong::Corrupt(CUT.to_owned()) } else { wrong };
                Ok(Flaw { offset, inner, skipped: next - offset.min(unit), wrong })
            }
            Err(trouble @ (Trouble::Io(_) | Trouble::Patience)) => self.flaw_of(trouble, offset, inner),
            Err(_) => {
                self.state = State::Over;
                Ok(Flaw { offset, inner, skipped: 0, wrong })
            }
        }
    }

    // ------------------------------------------------------------------------------------------------- the block

    /// What is at hand of the block; unpacks more when there is nothing.
    fn piece(&mut self) -> Result<usize, Trouble> {
        loop {
            let State::Record(current) = &mut self.state else { return Ok(0) };
            if current.left == 0 {
                return Ok(0);
            }
            let at_hand = self.stream.rest().len();
            if at_hand > 0 {
                return Ok(at_hand.min(usize::try_from(current.left).unwrap_or(usize::MAX)));
            }
            if self.stream.more()? > 0 {
                continue;
            }
            // The unit has ended and the block has not: it goes on in the next one, unless a record begins there.
            let ended = self.stream.raw_at();
            let found = (current.declared - current.left).saturating_sub(4);
            let start = self.stream.begin()?;
            let new = start == Start::Unit && {
                while self.stream.rest().len() < BEGINNING.len() && self.stream.more()? > 0 {}
                self.stream.rest().starts_with(BEGINNING)
            };
            if start == Start::Unit && !new {
                continue;
            }
            current.left = 0;
            current.ended = Some(ended);
            current.short = Some(found);
        }
    }

    fn pass_over(&mut self) {
        if self.stream.is_plain() {
            let State::Record(current) = &mut self.state else { return };
            let left = std::mem::take(&mut current.left);
            self.stream.skip_plain(left);
            return;
        }
        match self.piece() {
            Ok(len) => self.consume(len),
            Err(trouble) => self.give_up(trouble),
        }
    }

    fn give_up(&mut self, trouble: Trouble) {
        if let Some(current) = self.current() {
            current.trouble = Some(trouble);
        }
    }

    /// The two line ends after the block; when they are not there, `Content-Length` is wrong, or they are missing.
    fn ending(&mut self, current: &mut Current) -> Result<(), Trouble> {
        let (mut over, checksum) = match self.want(AFTER) {
            Err(trouble @ Trouble::Checksum(_)) => (true, Err(trouble)),
            enough => (!enough?, Ok(())),
        };
        // Frames of one record may end anywhere, and so do members that do not line up with records.
        while over && checksum.is_ok() && self.stream.rest().len() < 4 && self.stream.is_between() {
            let (ended, before) = (self.stream.raw_at(), self.stream.rest().len());
            if self.stream.begin()? != Start::Unit {
                break;
            }
            over = !self.want(before + AFTER)?;
            if self.stream.rest()[before..].starts_with(BEGINNING) {
                self.stream.take(before);
                current.ended = Some(ended);
                current.flaws.push(current.flaw(Wrong::Ending, 0));
                return Ok(());
            }
        }
        let rest = self.stream.rest();
        match after_block(&rest[..rest.len().min(AFTER)], over, self.stream.is_plain()) {
            After::Ending(len) => {
                self.stream.take(len);
                let rest = self.stream.rest();
                let blank = rest.iter().take(AFTER).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
                if blank > 0 {
                    self.stream.take(blank);
                    current.flaws.push(current.flaw(Wrong::Blank, blank as u64));
                }
            }
            After::Record(len) => {
                self.stream.take(len);
                let torn = self.stream.is_plain() && self.stream.rest().is_empty();
                current.flaws.push(current.flaw(if torn { Wrong::Torn } else { Wrong::Ending }, 0));
            }
            After::Else => self.again(current)?,
        }
        checksum
    }

    /// The block is longer than its length says, or the next record was taken for a part of it: from its beginning
    /// again, to the next record within the member or to the member's end.
    fn again(&mut self, current: &mut Current) -> Result<(), Trouble> {
        let Mark { unit, inner } = current.block;
        self.stream.seek(unit);
        self.stream.begin()?;
        self.pass(inner)?;
        let passed = self.pass_to_marker()?;
        let within = !self.stream.rest().is_empty();
        let found = current.short.filter(|_| !within).or(passed.checked_sub(4));
        if within {
            current.ended = None;
        }
        let wrong = Wrong::Length { declared: current.declared, found };
        current.flaws.push(current.flaw(wrong, passed.saturating_sub(current.declared)));
        Ok(())
    }

    /// Passes over what a unit unpacks to.
    fn pass(&mut self, mut len: u64) -> Result<(), Trouble> {
        while len > 0 {
            if self.stream.rest().is_empty() && self.stream.more()? == 0 {
                return Ok(());
            }
            let step = self.stream.rest().len().min(usize::try_from(len).unwrap_or(usize::MAX));
            self.stream.take(step);
            len -= step as u64;
        }
        Ok(())
    }
}

impl BufRead for Reading {
    /// What comes next of the record's block; nothing when it is over. Damage is an error of the kind `InvalidData`,
    /// a file that ends too early one of the kind `UnexpectedEof`; [`Reading::end`] says more.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let len = match self.piece() {
            Ok(len) => len,
            Err(Trouble::Io(cause)) => return Err(cause),
            Err(trouble) => {
                let cause = match &trouble {
                    Trouble::Torn => io::ErrorKind::UnexpectedEof.into(),
                    _ => io::Error::new(io::ErrorKind::InvalidData, "the record is damaged"),
                };
                self.give_up(trouble);
                return Err(cause);
            }
        };
        if len == 0 && self.current().is_some_and(|current| !current.flaws.is_empty() || current.short.is_some()) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the record is damaged"));
        }
        Ok(&self.stream.rest()[..len])
    }

    fn consume(&mut self, amount: usize) {
        self.stream.take(amount);
        if let State::Record(current) = &mut self.state {
            current.left -= amount as u64;
        }
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let piece = self.fill_buf()?;
        let len = piece.len().min(buffer.len());
        buffer[..len].copy_from_slice(&piece[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl Current {
    fn flaw(&self, wrong: Wrong, skipped: u64) -> Flaw {
        Flaw { offset: self.offset, inner: self.inner, skipped, wrong }
    }
}

/// What stands after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Two line ends, so long.
    Ending(usize),
    /// Fewer, and then the next record or the end.
    Record(usize),
    /// Something that cannot follow a block.
    Else,
}

/// Looks at the bytes after a block; `over` when they are all there are. After plain records packed ones may follow.
fn after_block(bytes: &[u8], over: bool, plain: bool) -> After {
    for ending in [&b"\r\n\r\n"[..], b"\n\n"] {
        if bytes.starts_with(ending) {
            return After::Ending(ending.len());
        }
    }
    let newlines = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let rest = &bytes[newlines..];
    let packed = plain && (rest.starts_with(&GZIP) || rest.starts_with(&ZSTD));
    if (rest.is_empty() && over) || rest.starts_with(BEGINNING) || packed {
        After::Record(newlines)
    } else {
        After::Else
    }
}

/// How long a block is that ends before the line ends in front of `stop`: two of them, as far as they are there.
fn before_newlines(source: &Source, from: u64, stop: u64) -> io::Result<u64> {
    let tail = (stop - from).min(4);
    let (bytes, _) = source.peek::<4>(stop - tail)?;
    let bytes = &bytes[..usize::try_from(tail).expect("at most four")];
    let ending = [&b"\r\n\r\n"[..], b"\n\n"].into_iter().find(|ending| bytes.ends_with(ending));
    Ok(stop - from - ending.map_or(0, |ending| ending.len() as u64))
}

/// Where a record begins: at a line's start, the very first byte not being one, or in the middle of a line if there
/// can be no doubt.
fn marker(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    while let Some(found) = memchr::memchr(BEGINNING[0], bytes.get(at..)?) {
        at += found;
        let here = &bytes[at..];
        if (bytes[at - 1] == b'\n' && is_beginning(here)) || is_surely_beginning(here) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// A gzip member or zstd frame begins so.
fn is_unit(bytes: &[u8]) -> bool {
    bytes.starts_with(&GZIP) || bytes.starts_with(&ZSTD) || skippable(bytes).is_some() || bytes.starts_with(BEGINNING)
}

/// `WARC/` and the beginning of a version number.
fn is_beginning(bytes: &[u8]) -> bool {
    matches!(bytes.strip_prefix(BEGINNING), Some([major, b'.', minor, ..]) if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The same, its line end, and the beginning of a field of WARC's own.
fn is_surely_beginning(bytes: &[u8]) -> bool {
    let line = bytes.iter().take(MARKER).position(|byte| *byte == b'\n');
    is_beginning(bytes) && line.is_some_and(|end| bytes[end + 1..].starts_with(b"WARC-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn record(name: &str, block: &[u8]) -> Vec<u8> {
        let head = format!("WARC/1.1\r\nWARC-Record-ID: {name}\r\nContent-Length: {}\r\n\r\n", block.len());
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::bulk::Compressor::new(3).unwrap();
        encoder.include_checksum(true).unwrap();
        encoder.compress(bytes).unwrap()
    }

    /// One line a step: `id=block` or what is wrong with it, `!offset+skipped: wrong` for what is no record.
    fn seen(bytes: &[u8]) -> Vec<String> {
        let mut reading = Reading::over(Source::memory(bytes), 0).unwrap();
        let mut lines = Vec::new();
        while let Some(step) = reading.advance().unwrap() {
            match step {
                Step::Flaw(flaw) => lines.push(format!("!{}+{}: {}", flaw.offset, flaw.skipped, flaw.wrong)),
                Step::Record(head) => {
                    let mut block = Vec::new();
                    let read = reading.read_to_end(&mut block);
                    let end = reading.end().unwrap();
                    assert!(read.is_ok() || !end.is_whole());
                    let what = match end.flaws.first() {
                        None => text(&block),
                        Some(flaw) => format!("{}+{}: {}", flaw.offset, flaw.skipped, flaw.wrong),
                    };
                    lines.push(format!("{}={what}", head.field("WARC-Record-ID").unwrap_or("?")));
                }
            }
        }
        lines
    }

    fn text(block: &[u8]) -> String {
        String::from_utf8_lossy(&block[..block.len().min(20)]).into_owned()
    }

    fn three() -> [Vec<u8>; 3] {
        [record("a", b"one"), record("b", b"two"), record("c", b"three")]
    }

    #[test]
    fn every_packing_is_told_by_its_bytes() {
        let [a, b, c] = three();
        let all = [&a[..], &b, &c].concat();
        let want = ["a=one", "b=two", "c=three"];
        assert_eq!(seen(&all), want);
        assert_eq!(seen(&[gzip(&a), gzip(&b), gzip(&c)].concat()), want);
        assert_eq!(seen(&gzip(&all)), want);
        assert_eq!(seen(&[zstd(&a), zstd(&b), zstd(&c)].concat()), want);
        assert_eq!(seen(&zstd(&all)), want);
        for cut in 1..all.len() {
            assert_eq!(seen(&[gzip(&all[..cut]), gzip(&all[cut..])].concat()), want, "members cut at {cut}");
            assert_eq!(seen(&[zstd(&all[..cut]), zstd(&all[cut..])].concat()), want, "frames cut at {cut}");
        }
        assert_eq!(seen(&[gzip(&a), b, zstd(&c)].concat()), want);
        let lf = String::from_utf8(all).unwrap().replace("\r\n", "\n");
        assert_eq!(seen(lf.as_bytes()), want);
        assert_eq!(seen(b""), [""; 0]);
    }

    #[test]
    fn places_are_told() {
        let [a, b, c] = three();
        let places = |bytes: &[u8]| {
            let mut reading = Reading::over(Source::memory(bytes), 0).unwrap();
            let mut places = Vec::new();
            while let Some(Step::Record(head)) = reading.advance().unwrap() {
                let end = reading.end().unwrap();
                places.push((head.offset, head.inner, end.alone.then_some(end.length), end.units));
            }
            places
        };
        let at = |lens: [usize; 3]| {
            let [a, b, c] = lens.map(|len| len as u64);
            vec![(0, 0, Some(a), 1), (a, 0, Some(b), 1), (a + b, 0, Some(c), 1)]
        };
        assert_eq!(places(&[&a[..], &b, &c].concat()), at([a.len(), b.len(), c.len()]));
        let members = [gzip(&a), gzip(&b), gzip(&c)];
        assert_eq!(places(&members.concat()), at([members[0].len(), members[1].len(), members[2].len()]));
        let inner = [0, a.len() as u64, (a.len() + b.len()) as u64];
        assert_eq!(places(&gzip(&[&a[..], &b, &c].concat())), inner.map(|inner| (0, inner, None, 1)));
        let frames = [zstd(&a[..30]), zstd(&a[30..]), zstd(&b)];
        let len = (frames[0].len() + frames[1].len()) as u64;
        assert_eq!(places(&frames.concat()), [(0, 0, Some(len), 2), (len, 0, Some(frames[2].len() as u64), 1)]);
    }

    #[test]
    fn after_a_wrong_length_it_goes_on() {
        let [a, _, c] = three();
        for (length, what) in [
            ("7", "the record is not followed by two line ends"),
            ("8", "Content-Length says 8, the block has 3 bytes"),
            ("300", "Content-Length says 300, the block has 3 bytes"),
            ("18446744073709551615", "Content-Length says 18446744073709551615, the block has 3 bytes"),
            ("1", "Content-Length says 1, the block has 3 bytes"),
            ("0", "Content-Length says 0, the block has 3 bytes"),
            ("-3", "no readable Content-Length"),
            ("", "no readable Content-Length"),
        ] {
            let b =
                format!("WARC/1.1\r\nWARC-Record-ID: b\r\nContent-Length: {length}\r\n\r\ntwo\r\n\r\n").into_bytes();
            for bytes in [
                [&a[..], &b, &c].concat(),
                gzip(&[&a[..], &b, &c].concat()),
                [gzip(&a), gzip(&b), gzip(&c)].concat(),
                [zstd(&a), zstd(&b), zstd(&c)].concat(),
            ] {
                let seen = seen(&bytes);
                assert!(seen.len() == 3 && seen[0] == "a=one" && seen[2] == "c=three", "{length}: {seen:?}");
                assert!(seen[1].starts_with("b=") && seen[1].ends_with(what), "{length}: {seen:?}");
            }
        }
    }

    #[test]
    fn after_damage_it_goes_on() {
        let [a, b, c] = three();
        let (ga, gb, gc) = (gzip(&a), gzip(&b), gzip(&c));
        let junk = b"junk\nWARC/x\n".to_vec();
        let a_len = a.len();
        assert_eq!(
            seen(&[&a[..], &junk, &b].concat()),
            ["a=one", &format!("!{a_len}+12: bytes that belong to no record"), "b=two"]
        );
        assert_eq!(seen(&[&junk[..], &b].concat()), ["!0+12: bytes that belong to no record", "b=two"]);
        let ga_len = ga.len();
        assert_eq!(
            seen(&[&ga[..], &junk, &gb].concat()),
            ["a=one", &format!("!{ga_len}+12: bytes that belong to no record"), "b=two"]
        );
        // A member cut in the middle, and one with a wrong checksum.
        let cut = [&ga[..], &gb[..gb.len() / 2], &gc].concat();
        let lines = seen(&cut);
        assert_eq!((&lines[0][..], lines.last().unwrap().as_str()), ("a=one", "c=three"), "{lines:?}");
        assert_eq!(lines.len(), 3);
        assert!(lines[1].contains(&format!("{ga_len}+{}", gb.len() / 2)), "{lines:?}");
        let mut flipped = gb.clone();
        let crc = gb.len() - 6;
        flipped[crc] ^= 1;
        assert_eq!(
            seen(&[&ga[..], &flipped, &gc].concat()),
            ["a=one".to_owned(), format!("b={ga_len}+0: the gzip member's checksum is wrong"), "c=three".to_owned()]
        );
        // The end is cut off.
        assert!(seen(&[&a[..], &b[..b.len() - 6]].concat())[1].ends_with("the file ends within the record"));
        assert!(seen(&[&a[..], &b[..30]].concat())[1].ends_with("the file ends within the record"));
        assert!(seen(&[&ga[..], &gb[..gb.len() - 4]].concat())[1].ends_with("the file ends within the record"));
        let z = zstd(&b);
        assert!(seen(&[&zstd(&a)[..], &z[..z.len() - 4], &zstd(&c)].concat()).contains(&"c=three".to_owned()));
    }

    #[test]
    fn endings_are_looked_at() {
        let [a, b, _] = three();
        let short = &a[..a.len() - 2];
        assert_eq!(seen(&[short, &b].concat()), ["a=0+0: the record is not followed by two line ends", "b=two"]);
        assert_eq!(
            seen(&[gzip(short), gzip(&b)].concat()),
            ["a=0+0: the record is not followed by two line ends", "b=two"]
        );
        assert_eq!(
            seen(&[&a[..], b"\r\n", &b].concat()),
            ["a=0+2: more than two line ends follow the record", "b=two"]
        );
        assert!(seen(short)[0].ends_with("the file ends within the record"));
    }

    #[test]
    fn a_dictionary_is_used() {
        let [a, b, _] = three();
        let dictionary = b"WARC/1.1\r\nWARC-Record-ID: \r\nContent-Length: \r\n\r\n".to_vec();
        let mut encoder = zstd::bulk::Compressor::with_dictionary(3, &dictionary).unwrap();
        let frame = |content: &[u8]| {
            [&[0x5d, 0x2a, 0x4d, 0x18][..], &u32::try_from(content.len()).unwrap().to_le_bytes(), content].concat()
        };
        let records = [encoder.compress(&a).unwrap(), encoder.compress(&b).unwrap()].concat();
        assert_eq!(seen(&[frame(&dictionary), records.clone()].concat()), ["a=one", "b=two"]);
        assert_eq!(seen(&[frame(&zstd(&dictionary)), records.clone()].concat()), ["a=one", "b=two"]);
        assert!(!seen(&records).contains(&"a=one".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_come_to_an_end(parts in proptest::collection::vec((0usize..9, 0usize..60), 0..8), flips in proptest::collection::vec((0usize..4000, proptest::prelude::any::<u8>()), 0..4)) {
            let [a, b, c] = three();
            let pool = [a.clone(), b.clone(), c.clone(), gzip(&a), gzip(&[&a[..], &b].concat()), zstd(&b), zstd(&c), b"\nWARC/1.1\r\n".to_vec(), vec![0x1f, 0x8b, 8, 0]];
            let mut bytes: Vec<u8> = parts.iter().flat_map(|(kind, cut)| pool[*kind][..pool[*kind].len().saturating_sub(*cut)].to_vec()).collect();
            for (at, value) in flips {
                let len = bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at % len) {
                    *byte = value;
                }
            }
            seen(&bytes);
        }
    }
}
