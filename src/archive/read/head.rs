//! The head of a record: its version line and its fields, read leniently.

use std::ops::Range;

use crate::web::message::{text, trim};

/// A record's head. Whatever a tool wrote is read: bare line feeds, folded fields, bytes that are no UTF-8 (read as
/// Latin-1), unknown fields; what is unusual about it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Where the record begins in the file: itself, or the gzip member or zstd frame it is in.
    pub offset: u64,
    /// Where it begins in what that member unpacks to; 0 when it is the first there, and when nothing is packed.
    pub inner: u64,
    /// `Content-Length`; none when it is missing or no number.
    pub length: Option<u64>,
    /// What is unusual about how it is written.
    pub manner: Manner,
    /// The bytes as they stand, when they are not those of `text`.
    raw: Option<Vec<u8>>,
    text: String,
    version: Range<usize>,
    fields: Vec<(Range<usize>, Range<usize>)>,
}

/// What is unusual about how a head is written. Every tool's archive is read; some are read by few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Some line ends in a bare line feed.
    pub bare_lf: bool,
    /// Some field goes on in the next line.
    pub folded: bool,
    /// It is not all UTF-8.
    pub not_utf8: bool,
    /// Lines that are no field: they have no colon.
    pub odd_lines: u32,
}

impl Head {
    /// Reads a head: everything to the empty line, that included.
    pub(super) fn read(raw: &[u8], offset: u64, inner: u64) -> Head {
        let utf8 = std::str::from_utf8(raw).ok();
        let mut manner = Manner { not_utf8: utf8.is_none(), ..Manner::default() };
        let mut lines = lines(raw);
        manner.bare_lf = lines.iter().any(|line| !raw[line.end..].starts_with(b"\r"));
        lines.pop();
        manner.folded = lines.iter().any(|line| matches!(raw[line.start..].first(), Some(b' ' | b'\t')));
        let plain = utf8.filter(|_| !manner.folded);
        let mut head = Head {
            offset,
            inner,
            length: None,
            manner,
            raw: plain.is_none().then(|| raw.to_vec()),
            text: String::new(),
            version: 0..0,
            fields: Vec::with_capacity(lines.len()),
        };
        if let Some(plain) = plain {
            plain.clone_into(&mut head.text);
            head.take_lines(raw, &lines);
        } else {
            let unfolded = unfolded(raw, &lines);
            let unfolded_lines = self::lines(unfolded.as_bytes());
            head.take_lines(unfolded.as_bytes(), &unfolded_lines);
            head.text = unfolded;
        }
        let digits = head.field("Content-Length").filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        head.length = digits.and_then(|digits| digits.parse().ok());
        head
    }

    fn take_lines(&mut self, bytes: &[u8], lines: &[Range<usize>]) {
        for (number, line) in lines.iter().enumerate() {
            let content = &bytes[line.clone()];
            if number == 0 {
                self.version = trimmed(bytes, line.clone());
            } else if let Some(colon) = memchr::memchr(b':', content) {
                let name = trimmed(bytes, line.start..line.start + colon);
                let value = trimmed(bytes, line.start + colon + 1..line.end);
                self.fields.push((name, value));
            } else {
                self.manner.odd_lines += 1;
            }
        }
    }

    /// `WARC/1.1`
    pub fn version(&self) -> &str {
        &self.text[self.version.clone()]
    }

    /// Its fields, in order, as name and value.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&self.text[name.clone()], &self.text[value.clone()]))
    }

    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Every field of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// `WARC-Type`, or nothing.
    pub fn kind(&self) -> &str {
        self.field("WARC-Type").unwrap_or("")
    }

    /// A field that holds a URI: without the angle brackets that some tools put around it.
    pub fn uri(&self, name: &str) -> Option<&str> {
        self.field(name).map(|uri| uri.strip_prefix('<').and_then(|uri| uri.strip_suffix('>')).unwrap_or(uri))
    }

    /// The head as it stands, with the empty line.
    pub fn bytes(&self) -> &[u8] {
        self.raw.as_deref().unwrap_or(self.text.as_bytes())
    }
}

/// Each line without its end.
fn lines(bytes: &[u8]) -> Vec<Range<usize>> {
    let (mut lines, mut start) = (Vec::with_capacity(16), 0);
    for at in memchr::memchr_iter(b'\n', bytes) {
        let end = if at > start && bytes[at - 1] == b'\r' { at - 1 } else { at };
        lines.push(start..end);
        start = at + 1;
    }
    lines
}

/// One line a field, each as text of its own: some tools write one value in UTF-8 and another in Latin-1.
fn unfolded(bytes: &[u8], lines: &[Range<usize>]) -> String {
    let mut all = String::with_capacity(bytes.len());
    for (number, line) in lines.iter().enumerate() {
        let content = &bytes[line.clone()];
        let goes_on = number > 1 && matches!(content.first(), Some(b' ' | b'\t'));
        match (goes_on, number) {
            (_, 0) => {}
            (true, _) => all.push(' '),
            (false, _) => all.push('\n'),
        }
        all.push_str(&text(if goes_on { trim(content) } else { content }));
    }
    all.push('\n');
    all
}

fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let content = &bytes[range.clone()];
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = content.iter().position(|byte| !blank(byte)).unwrap_or(content.len());
    let end = content.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    range.start + start..range.start + end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &[u8]) -> Head {
        Head::read(raw, 0, 0)
    }

    #[test]
    fn every_tool_is_read() {
        let head = read(b"WARC/1.0\r\nwarc-type:response\r\nWARC-Target-URI: <http://a/>\r\nContent-Length: 7\r\n\r\n");
        assert_eq!((head.version(), head.kind(), head.length), ("WARC/1.0", "response", Some(7)));
        assert_eq!(head.uri("warc-target-uri"), Some("http://a/"));
        assert_eq!(head.manner, Manner::default());

        let head = read(b"WARC/0.18\nWARC-Type: x\n\tb \nX: \xe9\nY: \xc3\xa9\nnonsense\nContent-Length: +7\n\n");
        assert_eq!((head.version(), head.kind(), head.length), ("WARC/0.18", "x b", None));
        assert_eq!((head.field("x"), head.field("y")), (Some("é"), Some("é")));
        assert_eq!(head.manner, Manner { bare_lf: true, folded: true, not_utf8: true, odd_lines: 1 });
        assert!(head.bytes().starts_with(b"WARC/0.18\nWARC-Type: x\n\tb \n"));
    }

    #[test]
    fn repeats_keep_their_order() {
        let head = read(b"WARC/1.1\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n");
        assert_eq!(head.all("A").collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(head.fields().count(), 3);
    }
}
