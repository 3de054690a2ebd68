//! WARC files read on every core: each is cut into stretches, which are read at once and heard of in order.
//!
//! A stretch begins where a record seems to begin. Whether one does is known when the stretch before it has been read to
//! its end: if that is not where this one began, what was read of it is thrown away, and it is read again from there. So
//! the outcome is that of one reading from front to back. What is read ahead is bounded.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::finding::Code;
use super::record::{self, Facts};
use crate::archive::{Packing, Reading, Source, Step};

/// Shorter stretches are more often begun than read.
const STRETCH: u64 = 4 << 20;
/// Records are handed over in batches.
const BATCH: usize = 128;
/// Batches read ahead, a stretch.
const AHEAD: usize = 32;
/// Findings of one code that a stretch tells in words; a file of nothing but faults must not fill the memory.
const EACH_MAX: usize = 200;

/// A WARC to be read.
pub(super) struct Warc {
    pub name: String,
    pub source: Source,
}

/// What is heard of a file, in order.
pub(super) enum Heard {
    /// The file, by its number, begins.
    Begin(usize),
    /// A record.
    Record(Box<Facts>),
    /// Something that was found: the offset, the record and URL, what.
    Found { code: &'static Code, offset: u64, record: Option<String>, url: Option<String>, text: String },
    /// How far into the file it is.
    At(u64),
    /// The file has ended.
    End,
    /// The file cannot be read.
    Failed(io::Error),
}

/// Reads the files and tells `hear` of them, in order, until it says that it has heard enough.
///
/// # Errors
/// What `hear` says.
pub(super) fn walk<E>(warcs: &[Warc], cores: usize, hear: &mut dyn FnMut(Heard) -> Result<(), E>) -> Result<(), E> {
    let stop = AtomicBool::new(false);
    let stretches = Mutex::new(stretches(warcs));
    std::thread::scope(|scope| {
        let (order, told) = sync_channel::<(Stretch, Receiver<Piece>)>(cores * 2);
        for _ in 0..cores {
            let (order, stretches, stop) = (order.clone(), &stretches, &stop);
            scope.spawn(move || work(warcs, stretches, &order, stop));
        }
        drop(order);
        let result = listen(warcs, &told, hear);
        stop.store(true, Ordering::Relaxed);
        drop(told);
        result
    })
}

/// A part of a file: records that begin in it.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    file: usize,
    from: u64,
    to: u64,
    packing: Option<Packing>,
    is_last: bool,
}

enum Piece {
    /// Where its first record begins.
    Begin(u64),
    Heard(Vec<Heard>),
    /// Where the next stretch's first record must begin.
    End(u64),
}

fn stretches(warcs: &[Warc]) -> impl Iterator<Item = Stretch> + use<'_> {
    warcs.iter().enumerate().flat_map(|(file, warc)| {
        let len = warc.source.len();
        let packing = packing(&warc.source);
        // A file that is one stream has no second place to begin at.
        let count = if packing.is_some() { (len / STRETCH).max(1) } else { 1 };
        (0..count).map(move |number| Stretch {
            file,
            from: number * STRETCH,
            to: if number + 1 == count { u64::MAX } else { (number + 1) * STRETCH },
            packing,
            is_last: number + 1 == count,
        })
    })
}

/// What a file is packed with whose first record stands by itself; none when it does not, or there is none.
fn packing(source: &Source) -> Option<Packing> {
    let mut reading = Reading::over(source.clone(), 0).ok()?;
    let Some(Step::Record(_)) = reading.advance().ok()? else { return None };
    reading.end().ok().filter(|end| end.alone && end.is_whole()).and_then(|_| reading.packing())
}

fn work(
    warcs: &[Warc],
    stretches: &Mutex<impl Iterator<Item = Stretch>>,
    order: &SyncSender<(Stretch, Receiver<Piece>)>,
    stop: &AtomicBool,
) {
    loop {
        let (stretch, sender) = {
            // Held while it is handed over, so that stretches are told in order.
            let mut stretches = stretches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let Some(stretch) = stretches.next() else { return };
            let (sender, receiver) = sync_channel(AHEAD);
            if stop.load(Ordering::Relaxed) || order.send((stretch, receiver)).is_err() {
                return;
            }
            (stretch, sender)
        };
        let source = &warcs[stretch.file].source;
        let from = if stretch.from == 0 { Ok(Some(0)) } else { find(source, &stretch) };
        let Ok(Some(from)) = from else { continue };
        if sender.send(Piece::Begin(from)).is_err() {
            continue;
        }
        let mut batch = Vec::with_capacity(BATCH);
        let mut hand_over = |heard: Heard| {
            batch.push(heard);
            batch.len() < BATCH || sender.send(Piece::Heard(std::mem::take(&mut batch))).is_ok()
        };
        let end = read(source, from, stretch.to, stretch.packing, &mut hand_over);
        let _ = sender.send(Piece::Heard(batch)).and_then(|()| sender.send(Piece::End(end)));
    }
}

/// Where in the stretch a record seems to begin.
fn find(source: &Source, stretch: &Stretch) -> io::Result<Option<u64>> {
    let mut reading = Reading::over(source.part(0, stretch.to), stretch.from)?;
    reading.find(stretch.packing)
}

/// Takes the stretches in order; joins them where one ends as the next began.
fn listen<E>(
    warcs: &[Warc],
    told: &Receiver<(Stretch, Receiver<Piece>)>,
    hear: &mut dyn FnMut(Heard) -> Result<(), E>,
) -> Result<(), E> {
    let mut at = 0;
    for (stretch, pieces) in told {
        let source = &warcs[stretch.file].source;
        if stretch.from == 0 {
            hear(Heard::Begin(stretch.file))?;
            at = 0;
        }
        let joins = |piece: Option<Piece>| matches!(piece, Some(Piece::Begin(from)) if from == at);
        if at >= stretch.to {
            // A record of the stretch before goes beyond this one.
        } else if joins(pieces.recv().ok()) {
            for piece in &pieces {
                match piece {
                    Piece::Heard(batch) => batch.into_iter().try_for_each(&mut *hear)?,
                    Piece::End(end) => at = end,
                    Piece::Begin(_) => {}
                }
            }
        } else {
            drop(pieces);
            let mut result = Ok(());
            at = read(source, at, stretch.to, stretch.packing, &mut |heard| {
                result = hear(heard);
                result.is_ok()
            });
            result?;
        }
        hear(Heard::At(at.min(source.len())))?;
        if stretch.is_last {
            hear(Heard::End)?;
        }
    }
    Ok(())
}

/// Reads the records that begin between two offsets; says where the next one begins. Ends early when nobody listens.
fn read(source: &Source, from: u64, to: u64, packing: Option<Packing>, tell: &mut dyn FnMut(Heard) -> bool) -> u64 {
    match try_read(source, from, to, packing, tell) {
        Ok(end) => end,
        Err(cause) => {
            tell(Heard::Failed(cause));
            u64::MAX
        }
    }
}

fn try_read(
    source: &Source,
    from: u64,
    to: u64,
    packing: Option<Packing>,
    tell: &mut dyn FnMut(Heard) -> bool,
) -> io::Result<u64> {
    let mut reading = Reading::over(source.clone(), from)?;
    reading.expect(packing);
    let mut told: Vec<(&'static str, usize)> = Vec::new();
    let mut may_tell = |code: &'static Code| {
        let at = told.iter().position(|(name, _)| *name == code.name).unwrap_or_else(|| {
            told.push((code.name, 0));
            told.len() - 1
        });
        told[at].1 += 1;
        told[at].1 <= EACH_MAX
    };
    let mut open = true;
    while open {
        match reading.advance()? {
            None => return Ok(u64::MAX),
            Some(Step::Flaw(flaw)) => {
                let (code, text) = record::of_flaw(&flaw);
                let text = if may_tell(code) { text } else { String::new() };
                open = tell(Heard::Found { code, offset: flaw.offset, record: None, url: None, text });
            }
            Some(Step::Record(head)) if head.offset >= to => return Ok(head.offset),
            Some(Step::Record(head)) => {
                let mut found = Vec::new();
                let facts = record::check(&head, &mut reading, &mut |code, text| found.push((code, text)))?;
                for (code, text) in found {
                    let text = if may_tell(code) { text } else { String::new() };
                    let (offset, record, url) = (facts.offset, Some(facts.id.clone()), facts.url.clone());
                    open &= tell(Heard::Found { code, offset, record, url, text });
                }
                open &= tell(Heard::Record(Box::new(facts)));
            }
        }
    }
    Ok(u64::MAX)
}
