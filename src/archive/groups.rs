//! The records of a file, put together again: which of them belong to one capture, whoever wrote them.
//!
//! Our own groups end with a metadata record that says everything. Other tools write request and response in either
//! order, with or without metadata of another form; there the capture is what its records show, and what it was
//! fetched for is guessed from them. Every record of a file is in exactly one group, so that a file can be written anew
//! from its groups.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::framing::entity;
use super::read::{Flaw, ReadError, Reading, Record, Source, Step, Wrong};
use super::recover::{Found, original, read_group};
use super::{Capture, Kind, Notes, Place};
use crate::web::candidate::Role;
use crate::web::digest::{Algorithm, Digest, digest};
use crate::web::exchange::Validators;
use crate::web::media;
use crate::web::message::Head;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// A block longer than this is not read into memory.
const BLOCK_MAX: u64 = 2 << 30;

/// Records that stand next to each other and belong together; never empty.
#[derive(Debug)]
pub struct Group {
    /// The file's name, without `.open`.
    pub file: String,
    /// The records in the order of the file.
    pub records: Vec<Record>,
    /// Their heads as they stand in the file, up to the empty line.
    pub heads: Vec<Vec<u8>>,
    /// Each of them can be read at its place by itself: nothing shares its gzip member or zstd frame.
    pub alone: bool,
}

impl Group {
    /// Where it begins.
    pub fn offset(&self) -> u64 {
        self.records.first().map_or(0, |record| record.offset)
    }

    /// Where it ends.
    pub fn end(&self) -> u64 {
        self.records.last().map_or(0, |record| record.offset + record.length)
    }

    /// The record that makes it a capture: an answer, a revisit, or a resource.
    pub fn first(&self) -> Option<&Record> {
        first(&self.records)
    }

    /// Its date.
    pub fn at(&self) -> Option<Timestamp> {
        date(self.first()?.field("WARC-Date")?)
    }

    /// It is concluded by its metadata, as every group of ours is.
    pub fn is_concluded(&self) -> bool {
        self.records.len() > 1 && self.records.last().is_some_and(|record| record.kind() == "metadata")
    }

    /// The capture it is; none for what is no capture of a web address or document: `warcinfo`, name server answers,
    /// tombstones.
    pub fn found(&self) -> Option<Found> {
        read_group(&self.file, self.records.clone())
            .or_else(|| Foreign { file: &self.file, records: &self.records }.found())
    }
}

/// What decides to which group a record belongs, and whether a group is a capture: its kind and some of its fields.
pub trait Tied {
    /// `WARC-Type`.
    fn kind(&self) -> &str;

    /// The values of a field: all of `WARC-Concurrent-To`, and at least the first of `WARC-Record-ID`,
    /// `WARC-Refers-To`, `WARC-Target-URI`, `WARC-Date` and `Content-Type`.
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str>;

    /// The first value of a field.
    fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }
}

impl Tied for Record {
    fn kind(&self) -> &str {
        Record::kind(self)
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Kinds of which a group has one at most.
const ANSWERS: [&str; 2] = ["response", "revisit"];

/// The record of a group that makes it a capture: an answer, a revisit, or a resource.
pub fn first<T: Tied>(records: &[T]) -> Option<&T> {
    let of = |kinds: &[&str]| records.iter().find(|record| kinds.contains(&record.kind()));
    of(&ANSWERS).or_else(|| of(&["resource"]))
}

/// Of the web: what a group's first record that no metadata of ours speaks of is a capture of, and when; none when it is
/// no capture.
pub fn of_web(first: &impl Tied) -> Option<(WebUrl, Timestamp)> {
    // WARC/1.0 puts addresses into angle brackets in its grammar and some tools do.
    let url = WebUrl::parse(first.value("WARC-Target-URI")?.trim_matches(['<', '>'])).ok()?;
    let at = date(first.value("WARC-Date")?)?;
    let is_http = first
        .value("Content-Type")
        .is_none_or(|media| media.trim_start().get(..HTTP.len()).is_some_and(|start| start.eq_ignore_ascii_case(HTTP)));
    (is_http || !ANSWERS.contains(&first.kind())).then_some((url, at))
}

/// The media type of answers.
const HTTP: &str = "application/http";

/// The groups of one file, in order. What cannot be read is an error among them, and reading goes on after it.
pub struct Groups {
    file: String,
    path: PathBuf,
    reading: Reading,
    /// The first record of the next group, or the error that comes after this one.
    ahead: Option<Result<Whole, ReadError>>,
    /// The file itself could not be read any further.
    over: bool,
}

/// A record with its head as it stands in the file.
struct Whole {
    record: Record,
    head: Vec<u8>,
    alone: bool,
}

impl Groups {
    /// Reads from this offset, where a group must begin.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(path: &Path, offset: u64) -> io::Result<Groups> {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let file = file.strip_suffix(super::writer::OPEN).unwrap_or(&file).to_owned();
        let reading = Reading::over(Source::open(path)?, offset)?;
        Ok(Groups { file, path: path.to_owned(), reading, ahead: None, over: false })
    }

    /// How far into the file it has come.
    pub fn position(&self) -> u64 {
        self.reading.position()
    }

    fn record(&mut self) -> Option<Result<Whole, ReadError>> {
        while !self.over {
            match self.reading.advance() {
                Ok(None) => return None,
                Ok(Some(Step::Flaw(flaw))) if flaw.wrong.is_damage() => return Some(Err(self.damage(&flaw))),
                Ok(Some(Step::Flaw(_))) => {}
                Ok(Some(Step::Record(head))) => return Some(self.whole(&head)),
                Err(cause) => {
                    self.over = true;
                    return Some(Err(self.failure(self.reading.position(), cause.to_string(), false)));
                }
            }
        }
        None
    }

    fn whole(&mut self, head: &super::read::Head) -> Result<Whole, ReadError> {
        let mut block = Vec::new();
        let read = self.reading.by_ref().take(BLOCK_MAX).read_to_end(&mut block);
        let end = self.reading.end().map_err(|cause| self.failure(head.offset, cause.to_string(), false))?;
        if let Some(flaw) = end.flaws.iter().find(|flaw| flaw.wrong.is_damage()) {
            return Err(self.damage(flaw));
        }
        read.map_err(|cause| self.failure(head.offset, cause.to_string(), false))?;
        if head.length.is_some_and(|length| length > BLOCK_MAX) {
            let reason = "the block is longer than can be read into memory".to_owned();
            return Err(self.failure(head.offset, reason, false));
        }
        let fields = head.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let version = head.version().to_owned();
        let record = Record { version, fields, block, offset: head.offset, length: end.length };
        Ok(Whole { record, head: head.bytes().to_vec(), alone: end.alone })
    }

    fn damage(&self, flaw: &Flaw) -> ReadError {
        self.failure(flaw.offset, flaw.wrong.to_string(), flaw.wrong == Wrong::Torn)
    }

    fn failure(&self, offset: u64, reason: String, is_torn: bool) -> ReadError {
        ReadError { path: self.path.clone(), offset, reason, is_torn }
    }
}

impl Iterator for Groups {
    type Item = Result<Group, ReadError>;

    fn next(&mut self) -> Option<Result<Group, ReadError>> {
        let first = match self.ahead.take().or_else(|| self.record())? {
            Ok(whole) => whole,
            Err(damage) => return Some(Err(damage)),
        };
        let mut group =
            Group { file: self.file.clone(), records: vec![first.record], heads: vec![first.head], alone: first.alone };
        while let Some(next) = self.record() {
            match next {
                Ok(whole) if belongs(&whole.record, &group.records) => {
                    group.alone &= whole.alone;
                    group.records.push(whole.record);
                    group.heads.push(whole.head);
                }
                other => {
                    self.ahead = Some(other);
                    break;
                }
            }
        }
        Some(Ok(group))
    }
}

/// A record belongs to those before it when either names the other, or when they are the request and the answer of
/// one instant, which some tools do not tie together. A second answer is another capture.
pub fn belongs<T: Tied>(record: &T, to: &[T]) -> bool {
    let is_answer = |record: &T| ANSWERS.contains(&record.kind());
    if is_answer(record) && to.iter().any(is_answer) {
        return false;
    }
    let names = |one: &T, other: &T| {
        let id = other.value("WARC-Record-ID");
        // Only metadata refers to its own capture; a revisit refers to another one.
        let refers = one.value("WARC-Refers-To").filter(|_| one.kind() == "metadata");
        id.is_some() && one.values("WARC-Concurrent-To").chain(refers).any(|value| Some(value) == id)
    };
    let same = |one: &T, other: &T, field| one.value(field).is_some() && one.value(field) == other.value(field);
    let is_pair = |one: &T, other: &T| one.kind() == "request" && is_answer(other);
    to.iter().any(|other| {
        let pair = is_pair(record, other) || is_pair(other, record);
        names(record, other)
            || names(other, record)
            || (pair && same(record, other, "WARC-Target-URI") && same(record, other, "WARC-Date"))
    })
}

/// A group that does not end with metadata of ours.
struct Foreign<'a> {
    file: &'a str,
    records: &'a [Record],
}

impl Foreign<'_> {
    fn found(&self) -> Option<Found> {
        let request = self.records.iter().find(|record| record.kind() == "request");
        let first = first(self.records)?;
        let (url, at) = of_web(first)?;
        let kind = match first.kind() {
            "response" => Kind::Response,
            "revisit" => Kind::Revisit,
            _ => Kind::Resource,
        };
        let media = first.field("Content-Type").unwrap_or(HTTP);
        let first = if kind == Kind::Resource { answered(first, media) } else { first.clone() };
        let body = entity(&first);
        let head = Head::read(first.http().0);
        let status = Some(head.status).filter(|status| *status > 0 && kind != Kind::Resource);
        let mut notes = Notes::new("", self.role(&url, &head, &body, request));
        notes.referer = request.and_then(|request| Head::read(request.http().0).field("referer"));
        let place =
            |record: &Record| Place { file: self.file.to_owned(), offset: record.offset, length: record.length };
        let end = self.records.last().map_or(0, |record| record.offset + record.length);
        let capture = Capture {
            url: url.as_str().to_owned(),
            at,
            record_id: first.field("WARC-Record-ID").unwrap_or_default().to_owned(),
            kind,
            status,
            media: head.field("content-type"),
            validators: Validators::of(&head),
            payload: payload(&first, &body, kind),
            payload_len: if kind == Kind::Revisit { 0 } else { body.len() as u64 },
            refers_to: original(&first).filter(|_| kind == Kind::Revisit),
            truncated: first.field("WARC-Truncated").filter(|_| kind != Kind::Revisit).map(str::to_owned),
            address: first.field("WARC-IP-Address").and_then(|address| address.parse().ok()),
            place: place(&first),
            request: request.map(place),
            // There is none: an empty place where it would stand, so that the group ends where it ends.
            metadata: Place { file: self.file.to_owned(), offset: end, length: 0 },
        };
        Some(Found { capture, notes, first })
    }

    /// What it was fetched for: as the browser said (Fetch Metadata, 2.1), else as the answer looks.
    fn role(&self, url: &WebUrl, head: &Head, body: &[u8], request: Option<&Record>) -> Role {
        if url.path() == "/robots.txt" {
            return Role::Robots;
        }
        let asked = request.and_then(|request| Head::read(request.http().0).field("sec-fetch-dest"));
        match asked.as_deref() {
            Some("document") => return Role::Page,
            Some("image") => return Role::Image,
            Some("style") => return Role::Style,
            Some("font") => return Role::Font,
            // A frame, a worker, an answer to a script: needed by a page, and none itself.
            Some(_) => return Role::Script,
            None => {}
        }
        let content_type = head.field("content-type");
        let is_font = content_type.as_deref().map(media::essence).is_some_and(|essence| essence.contains("font"));
        match media::Kind::of(content_type.as_deref(), body) {
            media::Kind::Image => Role::Image,
            media::Kind::Css => Role::Style,
            media::Kind::Script | media::Kind::Json => Role::Script,
            _ if is_font => Role::Font,
            _ => Role::Page,
        }
    }
}

/// A resource of the web, as the answer that would have brought it.
fn answered(record: &Record, media: &str) -> Record {
    let mut answer = record.clone();
    answer.block = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n\r\n").into_bytes();
    answer.block.extend_from_slice(&record.block);
    answer
}

/// The payload's digest in our own spelling; computed where the record has none that can be compared with others.
/// The standard wants it over the body without transfer coding, many tools take it over the body as stored.
fn payload(record: &Record, body: &[u8], kind: Kind) -> Digest {
    let given = record.field("WARC-Payload-Digest");
    let was_chunked = Head::read(record.http().0).field("transfer-encoding").is_some();
    match given {
        Some(text) if kind == Kind::Revisit => spelled(text).unwrap_or_else(|| Digest::from_text(text)),
        Some(text) if !was_chunked => spelled(text).unwrap_or_else(|| digest(Algorithm::Sha1, body)),
        _ => digest(Algorithm::Sha1, body),
    }
}

/// Whether a record's block is what its digest says; a record without one we can compute is taken at its word.
pub fn is_intact(record: &Record) -> bool {
    let Some(text) = record.field("WARC-Block-Digest") else { return true };
    match (spelled(text), text.to_ascii_lowercase().strip_prefix("sha256:")) {
        (Some(given), _) => given == digest(Algorithm::Sha1, &record.block),
        (None, Some(value)) if value.trim_end_matches('=').len() == 52 => {
            let found = digest(Algorithm::Sha256, &record.block).as_str().to_ascii_lowercase();
            found.trim_start_matches("sha256:").trim_end_matches('=') == value.trim_end_matches('=')
        }
        _ => true,
    }
}

/// `sha1:` in base 32 from whatever spelling of a SHA-1: hexadecimal, lower case.
fn spelled(text: &str) -> Option<Digest> {
    let (label, value) = text.split_once(':')?;
    if !matches!(label.to_ascii_lowercase().as_str(), "sha1" | "sha-1") {
        return None;
    }
    let value = match value.len() {
        40 => data_encoding::BASE32.encode(&data_encoding::HEXLOWER_PERMISSIVE.decode(value.as_bytes()).ok()?),
        32 => value.to_ascii_uppercase(),
        _ => return None,
    };
    Some(Digest::from_text(format!("sha1:{value}")))
}

/// A date of whatever precision (WARC/1.1, 5.4), and the fourteen digits of older tools.
fn date(text: &str) -> Option<Timestamp> {
    const WHOLE: &str = "0000-01-01T00:00:00Z";
    let text = text.trim();
    let completed = || {
        let known = text.trim_end_matches('Z');
        known.is_ascii().then(|| Timestamp::from_iso(&format!("{known}{}", WHOLE.get(known.len()..)?))).flatten()
    };
    let digits = || {
        let date = chrono::NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok()?;
        Some(Timestamp(date.and_utc().timestamp_millis()))
    };
    Timestamp::from_iso(text).or_else(digits).or_else(completed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records by type, id and what they are concurrent to; the file's groups as their types.
    fn check(records: &[(&str, &str, &str)], want: &[&[&str]]) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for (kind, id, tied) in records {
            let tie = if tied.is_empty() { String::new() } else { format!("WARC-Concurrent-To: <{tied}>\r\n") };
            let record = format!(
                "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{id}>\r\n{tie}WARC-Date: 2020-01-02T03:04:05Z\r\n\
                 WARC-Target-URI: http://h.example/{id}\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
            );
            io::Write::write_all(&mut file, record.as_bytes()).unwrap();
        }
        let groups: Vec<Group> = Groups::open(file.path(), 0).unwrap().map(Result::unwrap).collect();
        let kinds: Vec<Vec<&str>> =
            groups.iter().map(|group| group.records.iter().map(Record::kind).collect()).collect();
        assert_eq!(kinds, want);
    }

    #[test]
    fn records_are_put_together_in_whatever_order_tools_write_them() {
        check(
            &[
                ("warcinfo", "w", ""),
                ("request", "a", ""),
                ("response", "b", "a"),
                ("metadata", "c", "b"),
                ("response", "d", ""),
                ("request", "e", "d"),
                ("revisit", "f", ""),
                ("response", "g", ""),
                ("resource", "h", ""),
            ],
            &[
                &["warcinfo"],
                &["request", "response", "metadata"],
                &["response", "request"],
                &["revisit"],
                &["response"],
                &["resource"],
            ],
        );
    }

    #[test]
    fn digests_and_dates_are_read_in_every_spelling() {
        let want = Some(Digest::from_text("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"));
        for text in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "SHA-1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
        ] {
            assert_eq!(spelled(text), want, "{text}");
        }
        assert_eq!(spelled("md5:d41d8cd98f00b204e9800998ecf8427e"), None);
        let want = Timestamp::from_iso("2016-03-01T00:00:00Z");
        for text in ["2016-03-01T00:00:00.000000Z", "2016-03-01", "2016-03", "20160301000000", "2016-03-01T00:00Z"] {
            assert_eq!(date(text), want, "{text}");
        }
        assert_eq!(date("yesterday"), None);
    }
}
