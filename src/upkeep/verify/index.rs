//! CDXJ: the form of each line, their order, and the records they lead to.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::Verification;
use super::finding::{Finding, INDEX_ALONE, INDEX_DIFFERS, INDEX_FORM, INDEX_LINE, INDEX_ORDER};
use crate::archive::cdxj::Line;
use crate::archive::{Reading, Source, Step};
use crate::upkeep::Error;
use crate::web::message::text;

/// A longer line is none.
const LINE_MAX: u64 = 1 << 20;
/// Files that lines lead to are kept open, so many.
const OPEN_MAX: usize = 64;

/// Do these first bytes begin an index?
pub(super) fn is_one(start: &[u8]) -> bool {
    let start = text(start);
    let Some(line) = start.lines().find(|line| !line.starts_with('!')) else { return start.starts_with("!meta") };
    let mut words = line.splitn(3, ' ');
    let (_, timestamp, rest) = (words.next(), words.next().unwrap_or(""), words.next().unwrap_or(""));
    matches!(timestamp.len(), 14 | 17) && timestamp.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('{')
}

/// The same, packed.
pub(super) fn is_packed_one(start: &[u8]) -> bool {
    let mut plain = vec![0; 2048];
    let mut read = 0;
    let mut decoder = MultiGzDecoder::new(start);
    while let Ok(more @ 1..) = decoder.read(&mut plain[read..]) {
        read += more;
    }
    is_one(&plain[..read])
}

/// Verifies an index: against the files beside it, or those of the archive.
pub(super) fn verify(
    path: &Path,
    name: &str,
    archive: &Path,
    verification: &mut Verification<'_>,
) -> Result<(), Error> {
    let file = File::open(path).map_err(Error::io("read", path))?;
    let len = file.metadata().map_err(Error::io("read", path))?.len();
    let mut input = BufReader::new(file);
    let is_packed = input.fill_buf().map_err(Error::io("read", path))?.starts_with(&[0x1f, 0x8b]);
    let mut folders = beside(path);
    folders.push(archive.join("warc"));
    let mut open = |file: &str| {
        let found = folders.iter().map(|folder| folder.join(file)).find(|path| path.is_file());
        found.and_then(|path| Source::open(&path).ok())
    };
    let lines: Box<dyn BufRead> =
        if is_packed { Box::new(BufReader::new(MultiGzDecoder::new(input))) } else { Box::new(input) };
    verify_lines(lines, name, &mut open, verification)?;
    verification.file_done(len);
    Ok(())
}

/// Where the files of an index are looked for: its own folder, and those where archives keep theirs.
fn beside(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    ["", "warc", "archive", "../warc", "../archive"].iter().map(|name| folder.join(name)).collect()
}

/// Verifies the lines of an index; `open` finds the file that a line names.
pub(super) fn verify_lines(
    mut lines: Box<dyn BufRead + '_>,
    name: &str,
    open: &mut dyn FnMut(&str) -> Option<Source>,
    verification: &mut Verification<'_>,
) -> Result<(), Error> {
    let mut sources: HashMap<String, Option<Source>> = HashMap::new();
    let (mut at, mut before) = (0, Vec::new());
    loop {
        let mut bytes = Vec::new();
        let read = lines.by_ref().take(LINE_MAX).read_until(b'\n', &mut bytes);
        let mut say = |code, url: Option<String>, text: String| {
            verification.add(Finding { code, file: name.to_owned(), offset: Some(at), record: None, url, text });
        };
        match read {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(cause) => {
                say(&super::finding::PACKED, None, format!("the index cannot be unpacked: {cause}"));
                return Ok(());
            }
        }
        let line_len = bytes.len() as u64;
        if bytes.pop_if(|byte| *byte == b'\n').is_none() {
            say(&INDEX_FORM, None, "the last line has no end".to_owned());
        }
        if before > bytes {
            say(&INDEX_ORDER, None, "the line sorts before the one before it".to_owned());
        }
        match Line::parse(&text(&bytes)) {
            _ if bytes.starts_with(b"!meta") => {}
            Err(cause) => say(&INDEX_LINE, None, cause.to_string()),
            Ok(line) => {
                if sources.len() >= OPEN_MAX && !sources.contains_key(&line.filename) {
                    sources.clear();
                }
                let source = sources.entry(line.filename.clone()).or_insert_with_key(|name| {
                    let source = open(name);
                    if source.is_none() {
                        say(&INDEX_ALONE, None, format!("«{name}» is not here"));
                    }
                    source
                });
                if let Some(what) = source.as_ref().and_then(|source| differs(&line, source)) {
                    say(&INDEX_DIFFERS, line.url.clone(), what);
                }
            }
        }
        verification.at(name, 0)?;
        before = bytes;
        at += line_len;
    }
}

/// How the record at the line's place differs from what the line says.
fn differs(line: &Line, source: &Source) -> Option<String> {
    let found = || -> std::io::Result<Option<Line>> {
        let mut reading = Reading::over(source.clone(), line.offset)?;
        match reading.advance()? {
            Some(Step::Record(head)) if head.offset == line.offset => {
                Ok(Line::of(&head, &mut reading, &line.filename)?.0)
            }
            _ => Ok(None),
        }
    };
    let Ok(Some(found)) = found() else {
        return Some(format!("no record for it at offset {} of «{}»", line.offset, line.filename));
    };
    let digest =
        |line: &Line| line.digest.clone().map(|digest| digest.rsplit(':').next().unwrap_or("").to_ascii_uppercase());
    for (same, what, wanted, there) in [
        (line.url.is_none() || line.url == found.url, "url", line.url.clone(), found.url.clone()),
        (line.length == found.length, "length", Some(line.length.to_string()), Some(found.length.to_string())),
        (line.digest.is_none() || digest(line) == digest(&found), "digest", line.digest.clone(), found.digest.clone()),
        (
            line.timestamp.starts_with(&found.timestamp[..14.min(found.timestamp.len())]),
            "timestamp",
            Some(line.timestamp.clone()),
            Some(found.timestamp.clone()),
        ),
    ] {
        if !same {
            let (wanted, there) = (wanted.unwrap_or_default(), there.unwrap_or_default());
            return Some(format!("{what}: the line has «{wanted}», the record at offset {} «{there}»", line.offset));
        }
    }
    None
}
