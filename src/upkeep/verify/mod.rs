//! Verification: every record, digest, gzip member and field rule of any tool's files, and of our archive every row as
//! well, both ways.
//!
//! Nothing is changed, and nothing is locked: a crawl may be writing the archive. Memory is bounded whatever the bytes
//! are; both cores are used. *Damage* is what is missing, altered or unreadable, and rows that disagree with records;
//! a *violation* breaks a rule of the standard and loses nothing; a *note* is worth knowing.

mod dechunk;
mod digests;
mod finding;
mod index;
mod package;
mod record;
mod rows;
mod rules;
mod second;
mod together;
mod walk;
mod zipnum;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

pub use finding::{Code, Finding, Report, Severity};

use finding::{EMPTY, FILE_LONG, NO_CAPTURE, TAIL_OPEN};
use record::Facts;
use rows::{Rows, Shelved};
use together::Together;
use walk::{Heard, Warc, walk};

use super::{Error, Progress, Watch};
use crate::archive::{OPEN, Source};
use crate::crawl::DATABASE;
use crate::store::{CaptureRow, Reader};

/// Stray rows are counted up to here.
const STRAYS: usize = 1000;

/// So often a file that is longer than the database knows is looked at again.
const LOOKS: usize = 3;

/// What a file is, by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// WARC records, packed or not.
    Warc,
    /// A package.
    Wacz,
    /// An index.
    Cdxj,
}

/// What this file is; none when it is none of what can be verified.
///
/// # Errors
/// When it cannot be read.
pub fn sort(path: &Path) -> std::io::Result<Option<Sort>> {
    let mut start = Vec::new();
    std::fs::File::open(path)?.take(4096).read_to_end(&mut start)?;
    let name = path.to_string_lossy();
    let is_packed = start.starts_with(&[0x1f, 0x8b]);
    Ok(if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
        Some(Sort::Wacz)
    } else if name.contains(".warc") || start.starts_with(b"WARC/") {
        Some(Sort::Warc)
    } else if index::is_one(&start) || is_packed && index::is_packed_one(&start) {
        Some(Sort::Cdxj)
    } else if is_packed || start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || start.starts_with(&[0x5d, 0x2a, 0x4d, 0x18])
    {
        let holds = matches!(package::holds(Source::open(path)?), Ok(true));
        holds.then_some(Sort::Warc)
    } else {
        None
    })
}

/// Verifies files of any tool, each by itself and the WARCs among each other; an index against the files beside it or in
/// `archive`. Files that cannot be verified are left out;
/// [`sort`] knows them.
///
/// # Errors
/// When a file cannot be read, or the watch calls it off. What is wrong with a file is no error.
pub fn verify_files(paths: &[PathBuf], archive: &Path, watch: Watch<'_>) -> Result<Report, Error> {
    let mut verification = Verification::begin(watch, total(paths));
    let mut warcs = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        match sort(path).map_err(Error::io("read", path))? {
            Some(Sort::Warc) => {
                let source = Source::open(path).map_err(Error::io("read", path))?;
                warcs.push(Warc { name, source });
            }
            Some(Sort::Wacz) => package::verify(path, &name, &mut verification)?,
            Some(Sort::Cdxj) => index::verify(path, &name, archive, &mut verification)?,
            None => {}
        }
    }
    verification.warcs(&warcs, false, None)?;
    Ok(verification.report())
}

/// Verifies an archive: its files, its database, and that each leads to the other.
///
/// # Errors
/// [`Error::Store`] when there is no database or it cannot be read; otherwise as [`verify_files`].
pub fn verify_archive(archive: &Path, watch: Watch<'_>) -> Result<Report, Error> {
    let reader = Reader::open(&archive.join(DATABASE))?;
    let folder = archive.join("warc");
    // First what the database knows, then the files: a crawl that is writing only adds. It may have sealed one in
    // between, which then seems longer than is known.
    let look =
        || -> Result<_, Error> { rows::shelf(&folder, &reader.warc_files()?).map_err(Error::io("list", &folder)) };
    let (mut shelf, mut found) = look()?;
    for _ in 0..LOOKS {
        if !found.iter().any(|(code, ..)| code.name == FILE_LONG.name) {
            break;
        }
        (shelf, found) = look()?;
    }
    let total = shelf.iter().map(|file| file.committed.unwrap_or(file.len).min(file.len)).sum();
    let mut verification = Verification::begin(watch, total);
    verification.report.is_archive = true;
    for (code, file, offset, text) in found {
        verification.add(Finding { code, file, offset, record: None, url: None, text });
    }
    let mut warcs = Vec::new();
    for file in &shelf {
        let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let source = Source::open(&file.path).map_err(Error::io("read", &file.path))?;
        let committed = file.committed.unwrap_or(if file.is_open { 0 } else { u64::MAX });
        if file.is_open && source.len() > committed {
            let text = format!("its last {} bytes have no rows yet", source.len() - committed);
            let offset = Some(committed);
            verification.add(Finding { code: &TAIL_OPEN, file: name.clone(), offset, record: None, url: None, text });
        }
        warcs.push(Warc { name, source: source.part(0, committed) });
    }
    verification.warcs(&warcs, true, Some((&reader, &shelf)))?;
    for stray in reader.strays(STRAYS)? {
        let text = format!("{} lacks {}", stray.row, stray.lacks);
        let file = DATABASE.to_owned();
        verification.add(Finding { code: &NO_CAPTURE, file, offset: None, record: None, url: None, text });
    }
    Ok(verification.report())
}

fn total(paths: &[PathBuf]) -> u64 {
    paths.iter().filter_map(|path| path.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// A verification that is going on.
struct Verification<'a> {
    watch: Watch<'a>,
    began: Instant,
    report: Report,
    done: u64,
    total: u64,
}

impl<'a> Verification<'a> {
    fn begin(watch: Watch<'a>, total: u64) -> Verification<'a> {
        Verification { watch, began: Instant::now(), report: Report::default(), done: 0, total }
    }

    fn add(&mut self, finding: Finding) {
        self.report.add(finding);
    }

    /// How far it is: this much of the file at hand.
    fn at(&self, what: &str, of_file: u64) -> Result<(), Error> {
        self.watch.at(Progress { what, done: (self.done + of_file).min(self.total), total: self.total })
    }

    /// A file has been dealt with.
    fn file_done(&mut self, len: u64) {
        self.done += len;
        self.report.files += 1;
        self.report.bytes += len;
    }

    fn report(mut self) -> Report {
        self.report.took = self.began.elapsed();
        self.report
    }

    /// Reads WARCs, all that there are when `is_all`; with the archive's database and files, their rows too.
    fn warcs(&mut self, warcs: &[Warc], is_all: bool, archive: Option<(&Reader, &[Shelved])>) -> Result<(), Error> {
        let mut together = Together::default();
        let (mut file, mut before) = (0, (0, 0));
        let mut rows: Option<Rows> = None;
        walk(warcs, cores(), &mut |heard| {
            let name = &warcs[file].name;
            match heard {
                Heard::Begin(number) => {
                    file = number;
                    before = (self.report.records, self.report.count(Severity::Damage));
                    together.begin();
                    rows = match archive {
                        Some((reader, shelf)) if shelf[number].committed.is_some() => {
                            Some(Rows::of(reader, &shelf[number])?)
                        }
                        _ => None,
                    };
                }
                Heard::Record(facts) => {
                    self.report.records += 1;
                    let report = &mut self.report;
                    let mut say = |code, text| report.add(about(name, &facts, code, text));
                    together.hear(file, name, &facts, &mut say);
                    if let Some(rows) = &mut rows {
                        rows.hear(*facts, &mut |code, offset, row, text| {
                            report.add(of_row(name, code, offset, row, &text));
                        });
                    }
                }
                Heard::Found { code, offset, record, url, text } => {
                    self.add(Finding { code, file: name.clone(), offset: Some(offset), record, url, text });
                }
                Heard::At(at) => self.at(name, at)?,
                Heard::End => {
                    if let Some(rows) = &mut rows {
                        let report = &mut self.report;
                        rows.finish(&mut |code, offset, row, text| report.add(of_row(name, code, offset, row, &text)));
                        report.rows += rows.compared;
                    }
                    // One that is being written may have no record yet.
                    let is_open = name.ends_with(OPEN);
                    if (self.report.records, self.report.count(Severity::Damage)) == before && !is_open {
                        let (file, text) = (name.clone(), "the file holds no record".to_owned());
                        self.add(Finding { code: &EMPTY, file, offset: None, record: None, url: None, text });
                    }
                    self.file_done(warcs[file].source.len());
                }
                Heard::Failed(source) => {
                    return Err(Error::Io { doing: "read", path: PathBuf::from(name), source });
                }
            }
            Ok(())
        })?;
        let is_known = |id: &str| archive.map_or(Ok(false), |(reader, _)| reader.is_payload_lost(id));
        for about in together.finish(is_all, &is_known)? {
            let file = warcs.get(about.file).map_or(String::new(), |warc| warc.name.clone());
            let record = Some(about.record).filter(|record| !record.is_empty());
            self.add(Finding {
                code: about.code,
                file,
                offset: Some(about.offset),
                record,
                url: None,
                text: about.text,
            });
        }
        Ok(())
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn about(file: &str, facts: &Facts, code: &'static Code, text: String) -> Finding {
    let record = Some(facts.id.clone()).filter(|id| !id.is_empty());
    Finding { code, file: file.to_owned(), offset: Some(facts.offset), record, url: facts.url.clone(), text }
}

fn of_row(file: &str, code: &'static Code, offset: u64, row: Option<&CaptureRow>, text: &str) -> Finding {
    Finding {
        code,
        file: file.to_owned(),
        offset: Some(offset),
        record: row.map(|row| row.record_id.clone()),
        url: row.map(|row| row.url.clone()),
        text: row.map_or(text.to_owned(), |row| format!("capture {}: {text}", row.id)),
    }
}
