//! CDXJ: the index of WARC files that other tools read, one line a record: `SURT timestamp {JSON}`.
//!
//! A line says what `cdxj-indexer` says of the same record, byte for byte, down to the spaces in its JSON: which record
//! types have lines, how a media type is cut, that numbers are strings, that the blank lines after a record of an
//! uncompressed file are none of it. What that tool gives up on (a response without a URL) has no line here.

use std::fmt::{self, Write as _};
use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::Value;

use super::{End, Head, Packing, Place, Reading};
use crate::web::digest::{Algorithm, Digester};
use crate::web::message::text;
use crate::web::surt::surt;

/// One line of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The sort key of the URL (see [`surt`]).
    pub key: String,
    /// Fourteen digits, or seventeen in other tools' indexes.
    pub timestamp: String,
    /// `WARC-Target-URI`.
    pub url: Option<String>,
    /// The media type without parameters; `warc/revisit` for a revisit.
    pub mime: Option<String>,
    /// The word after the protocol in the status line, whatever it is.
    pub status: Option<String>,
    /// The payload digest as the record gives it, else computed.
    pub digest: Option<String>,
    /// Length of the record in the file.
    pub length: u64,
    /// Offset of its first byte.
    pub offset: u64,
    /// The file.
    pub filename: String,
}

/// Why a text is no line of an index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LineError(String);

impl Line {
    /// What an index says of the record that `reading` has come to, which is read to its end for it; none when an index
    /// says nothing of it. `filename` is the file's name in the index.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of(head: &Head, reading: &mut Reading, filename: &str) -> io::Result<(Option<Line>, End)> {
        let mut listing = Listing::begin(head);
        while let Some(listing) = listing.as_mut().filter(|listing| listing.wants_more()) {
            let piece = reading.fill_buf()?;
            let len = piece.len();
            if len == 0 {
                break;
            }
            listing.hear(piece);
            reading.consume(len);
        }
        let end = reading.end()?;
        let is_plain = reading.packing() == Some(Packing::Plain);
        // The blank lines after it are none of a record that is not packed.
        let bare = head.bytes().len() as u64 + head.length.unwrap_or(0);
        let length = if is_plain { bare } else { end.length };
        let place = Place { file: filename.to_owned(), offset: head.offset, length };
        Ok((listing.map(|listing| listing.line(place)), end))
    }

    /// Reads a line, its end taken off. Numbers may stand as numbers, as the format's specification has them.
    ///
    /// # Errors
    /// When it has not the form of a line, or lacks what finding the record needs.
    pub fn parse(line: &str) -> Result<Line, LineError> {
        let mut words = line.splitn(3, ' ');
        let (Some(key), Some(timestamp), Some(json)) = (words.next(), words.next(), words.next()) else {
            return Err(LineError("a line is a key, a timestamp and an object".to_owned()));
        };
        if !matches!(timestamp.len(), 14 | 17) || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(LineError(format!("«{timestamp}» is no timestamp of 14 or 17 digits")));
        }
        let fields: Fields = serde_json::from_str(json).map_err(|cause| LineError(cause.to_string()))?;
        let needed = |name: &str| LineError(format!("the field {name} is missing or no number"));
        Ok(Line {
            key: key.to_owned(),
            timestamp: timestamp.to_owned(),
            url: fields.url,
            mime: fields.mime,
            status: fields.status.as_ref().and_then(word),
            digest: fields.digest,
            length: fields.length.as_ref().and_then(number).ok_or_else(|| needed("length"))?,
            offset: fields.offset.as_ref().and_then(number).ok_or_else(|| needed("offset"))?,
            filename: fields.filename.ok_or_else(|| needed("filename"))?,
        })
    }
}

/// The line as it stands in an index, without its end.
impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {{", self.key, self.timestamp)?;
        let (length, offset) = (self.length.to_string(), self.offset.to_string());
        let fields = [
            ("url", self.url.as_deref()),
            ("mime", self.mime.as_deref()),
            ("status", self.status.as_deref()),
            ("digest", self.digest.as_deref()),
            ("length", Some(&length)),
            ("offset", Some(&offset)),
            ("filename", Some(&self.filename)),
        ];
        let mut between = "";
        for (name, value) in fields.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            write!(out, "{between}\"{name}\": ")?;
            quote(value, out)?;
            between = ", ";
        }
        out.write_char('}')
    }
}

/// A line in the making: it hears the record's block, as much of it as it wants.
pub struct Listing {
    line: Line,
    is_revisit: bool,
    /// Of an answer, what has been heard of its head.
    head: Option<Vec<u8>>,
    /// What the head said, when it is over.
    http: Option<HttpHead>,
    /// Where the record does not say its payload's digest.
    digester: Option<Digester>,
}

/// What is no head after so many bytes is none.
const HEAD_MAX: usize = 1 << 20;

impl Listing {
    /// Begins with a record's own head; none when an index says nothing of such a record.
    pub fn begin(head: &Head) -> Option<Listing> {
        let kind = head.kind();
        let content_type = head.field("Content-Type");
        let is_listed = match kind {
            "response" | "revisit" => true,
            "resource" | "metadata" => content_type != Some("application/warc-fields"),
            _ => false,
        };
        // Some writers leave spaces in URLs.
        let url = head.uri("WARC-Target-URI").filter(|_| is_listed)?.replace(' ', "%20");
        let is_answer = matches!(kind, "response" | "revisit");
        let has_head = is_answer && (url.starts_with("http:") || url.starts_with("https:")) && head.length != Some(0);
        let digest = head.field("WARC-Payload-Digest").filter(|digest| !digest.is_empty()).map(str::to_owned);
        let is_revisit = kind == "revisit";
        let mime = match kind {
            "revisit" => Some("warc/revisit"),
            "response" => None,
            _ => content_type,
        };
        Some(Listing {
            is_revisit,
            head: has_head.then(Vec::new),
            http: None,
            digester: (digest.is_none() && !is_revisit).then(|| Digester::new(Algorithm::Sha1)),
            line: Line {
                key: surt(&url),
                timestamp: timestamp(head.field("WARC-Date")?)?,
                url: Some(url),
                mime: mime.map(essence),
                digest,
                ..Line::default()
            },
        })
    }

    /// What comes next of the block matters.
    pub fn wants_more(&self) -> bool {
        self.head.is_some() || self.digester.is_some()
    }

    /// Hears the next piece of the block.
    pub fn hear(&mut self, piece: &[u8]) {
        let Some(head) = &mut self.head else {
            self.digester.iter_mut().for_each(|digester| digester.update(piece));
            return;
        };
        head.extend_from_slice(piece);
        let http = HttpHead::read(head);
        if http.is_whole || head.len() > HEAD_MAX {
            self.close_head(http);
        }
    }

    fn close_head(&mut self, http: HttpHead) {
        let head = self.head.take().unwrap_or_default();
        self.digester.iter_mut().for_each(|digester| digester.update(&head[http.length..]));
        self.http = Some(http);
    }

    /// The line, now that the record has been heard to its end.
    pub fn line(mut self, place: Place) -> Line {
        if let Some(head) = &self.head {
            self.close_head(HttpHead::read(head));
        }
        if let Some(http) = self.http.filter(|http| http.is_any) {
            self.line.status = Some(http.status);
            if !self.is_revisit {
                self.line.mime = http.content_type.map(|content_type| essence(&content_type));
            }
        }
        let computed = self.digester.map(|digester| digester.finish().as_str().to_owned());
        let digest = self.line.digest.or(computed);
        let mime = self.line.mime;
        Line { digest, mime, length: place.length, offset: place.offset, filename: place.file, ..self.line }
    }
}

#[derive(Deserialize)]
struct Fields {
    url: Option<String>,
    mime: Option<String>,
    digest: Option<String>,
    filename: Option<String>,
    status: Option<Value>,
    length: Option<Value>,
    offset: Option<Value>,
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u64> {
    word(value)?.parse().ok()
}

/// JSON in ASCII alone: whatever is beyond stands as UTF-16 units.
fn quote(value: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    out.write_char('"')?;
    for c in value.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            ' '..='\u{7f}' => out.write_char(c)?,
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
    }
    out.write_char('"')
}

/// Fourteen digits of a date in any precision; what it does not say is its beginning.
fn timestamp(date: &str) -> Option<String> {
    let mut numbers = date.split(|c: char| !c.is_ascii_digit()).map(|digits| digits.parse::<u32>().ok());
    let mut next = |least: u32| numbers.next().map_or(Some(least), |number| number);
    let (year, month, day) = (next(0)?, next(1)?, next(1)?);
    let mut time = || next(0).unwrap_or(0);
    Some(format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", time(), time(), time()))
}

/// A media type up to its parameters.
fn essence(content_type: &str) -> String {
    content_type.split(|c: char| c == ';' || c.is_whitespace()).next().unwrap_or_default().to_owned()
}

/// What an index needs of an HTTP head, and where the body begins.
struct HttpHead {
    status: String,
    content_type: Option<String>,
    length: usize,
    /// There is a status or a field.
    is_any: bool,
    /// It has come to its end.
    is_whole: bool,
}

impl HttpHead {
    /// Reads to the first line that is empty but for white space.
    fn read(block: &[u8]) -> HttpHead {
        let (first, mut length) = line(block);
        let first = text(first);
        let is_over = first.is_empty() && block.contains(&b'\n');
        let status_line = first.split_once(' ').map_or("", |(_, rest)| rest.trim());
        let status = status_line.split(' ').next().unwrap_or("").to_owned();
        let mut head =
            HttpHead { is_any: !status_line.is_empty(), status, content_type: None, length, is_whole: is_over };
        // A continued value is continued as it stands.
        let mut is_last = false;
        while !is_over && length < block.len() {
            let (field, taken) = line(&block[length..]);
            length += taken;
            if field.is_empty() {
                head.is_whole = block[length - 1] == b'\n';
                break;
            }
            if field.starts_with(b" ") || field.starts_with(b"\t") {
                if let Some(value) = head.content_type.as_mut().filter(|_| is_last) {
                    value.push_str(&text(field));
                }
                continue;
            }
            let colon = field.iter().position(|byte| *byte == b':');
            let (name, value) = colon.map_or((field, None), |at| (&field[..at], Some(&field[at + 1..])));
            head.is_any |= value.is_some();
            let is_type = name.trim_ascii_end().eq_ignore_ascii_case(b"content-type");
            is_last = is_type && head.content_type.is_none() && value.is_some();
            if is_last {
                head.content_type = value.map(|value| text(value).trim_start().to_owned());
            }
        }
        head.length = length;
        head
    }
}

/// The first line without the white space at its end, and how many bytes it takes.
fn line(bytes: &[u8]) -> (&[u8], usize) {
    let taken = bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
    (bytes[..taken].trim_ascii_end(), taken)
}

#[cfg(test)]
mod tests {
    use super::super::{Source, Step};
    use super::*;
    use proptest::prelude::*;

    fn of(kind: &str, url: &str, content_type: &str, block: &str) -> Option<String> {
        let record = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2026-11-22T13:46:25.999Z\r\n\
             Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
            block.len()
        );
        let mut reading = Reading::over(Source::memory(record.into_bytes()), 0).unwrap();
        let Some(Step::Record(head)) = reading.advance().unwrap() else { panic!("{kind} {url}") };
        let (line, _) = Line::of(&head, &mut reading, "a.warc").unwrap();
        line.map(|line| Line { length: 345, offset: 12, ..line }.to_string())
    }

    #[test]
    fn a_line_says_what_cdxj_indexer_says() {
        const EMPTY: &str = "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ";
        let tail = "\"length\": \"345\", \"offset\": \"12\", \"filename\": \"a.warc\"}";
        let http = |status: &str, fields: &str| format!("{status}\r\n{fields}\r\n");
        for (kind, url, content_type, block, want) in [
            (
                "response",
                "http://h.example/A?b",
                "application/http",
                http("HTTP/1.1 200 OK", "Content-Type: text/html; a=b\r\n"),
                format!(
                    "example,h)/a?b 20261122134625 {{\"url\": \"http://h.example/A?b\", \"mime\": \"text/html\", \"status\": \"200\", \"digest\": \"{EMPTY}\", {tail}"
                ),
            ),
            (
                "response",
                "<http://h.example/ä>",
                "application/http",
                http("HTTP/1.1  404", "content-type : text/\"q\"\r\n x\r\n"),
                format!(
                    "example,h)/%c3%a4 20261122134625 {{\"url\": \"http://h.example/\\u00e4\", \"mime\": \"text/\\\"q\\\"\", \"status\": \"404\", \"digest\": \"{EMPTY}\", {tail}"
                ),
            ),
            (
                "response",
                "dns:h.example",
                "text/dns",
                String::new(),
                format!("dns:h.example 20261122134625 {{\"url\": \"dns:h.example\", \"digest\": \"{EMPTY}\", {tail}"),
            ),
            (
                "response",
                "http://h.example/",
                "application/http",
                http("nonsense", "Content-Type:\r\n"),
                format!(
                    "example,h)/ 20261122134625 {{\"url\": \"http://h.example/\", \"mime\": \"\", \"status\": \"\", \"digest\": \"{EMPTY}\", {tail}"
                ),
            ),
            (
                "revisit",
                "http://h.example/",
                "application/http",
                http("HTTP/1.0 304 Not Modified", ""),
                format!(
                    "example,h)/ 20261122134625 {{\"url\": \"http://h.example/\", \"mime\": \"warc/revisit\", \"status\": \"304\", {tail}"
                ),
            ),
            (
                "metadata",
                "urn:x:Y",
                "application/json ;q",
                String::new(),
                format!(
                    "urn:x:y 20261122134625 {{\"url\": \"urn:x:Y\", \"mime\": \"application/json\", \"digest\": \"{EMPTY}\", {tail}"
                ),
            ),
        ] {
            assert_eq!(of(kind, url, content_type, &block), Some(want), "{kind} {url}");
        }
        for (kind, content_type) in
            [("metadata", "application/warc-fields"), ("request", "application/http"), ("warcinfo", "x")]
        {
            assert_eq!(of(kind, "http://h.example/", content_type, ""), None, "{kind}");
        }
    }

    #[test]
    fn dates_come_in_many_precisions() {
        for (date, want) in [
            ("2026-11-22T13:46:25Z", Some("20261122134625")),
            ("2026-11-22T13:46:25.123456789Z", Some("20261122134625")),
            ("2026-11-22", Some("20261122000000")),
            ("2026", Some("20260101000000")),
            ("yesterday", None),
        ] {
            assert_eq!(timestamp(date).as_deref(), want, "{date}");
        }
    }

    #[test]
    fn lines_of_other_tools_are_read() {
        let line = Line::parse(
            "org,a)/ 20261122134625123 {\"offset\": 5, \"length\": \"6\", \"filename\": \"f\", \"status\": 200, \"x\": []}",
        );
        let line = line.unwrap();
        assert_eq!((line.offset, line.length, line.status.as_deref()), (5, 6, Some("200")));
        for wrong in ["", "a b", "a 2026 {}", "a 20261122134625 {}", "a 20261122134625 {\"offset\": -1}", "!meta 0 {}"]
        {
            assert!(Line::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(url: String, mime: Option<String>, status: Option<String>, digest: Option<String>, length: u64, offset: u64, filename: String) {
            let line = Line { key: "org,a)/".to_owned(), timestamp: "20261122134625".to_owned(), url: Some(url), mime, status, digest, length, offset, filename };
            let text = line.to_string();
            prop_assert!(text.is_ascii());
            prop_assert_eq!(Line::parse(&text), Ok(line));
        }

        #[test]
        fn any_block_has_a_head(block: Vec<u8>) {
            let head = HttpHead::read(&block);
            prop_assert!(head.length <= block.len());
        }

        #[test]
        fn any_text_is_judged(text: String) {
            let _ = Line::parse(&text);
        }
    }
}
