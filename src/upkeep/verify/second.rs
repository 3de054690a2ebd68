//! The second opinion: the `warc` crate reads each record as well, from a bounded copy; of one with a long block it reads
//! the head.
//!
//! What it is known to get wrong is named so; any other disagreement is a finding of its own. Its reader is not shown
//! what would make it panic or take memory without bounds.

use super::finding::{Code, KNOWN_ERROR, SECOND_OPINION};
use crate::archive::Head;

/// It copies each block twice, and makes nothing of what is in it: in place of a longer one it is shown an empty one.
const BLOCK_MAX: u64 = 4 << 10;

/// A copy of the record, for the other reader; none when nobody can know how long the record is.
pub(super) struct Copy(Option<Shown>);

struct Shown {
    bytes: Vec<u8>,
    /// How long the block is that is shown.
    length: u64,
}

impl Copy {
    pub fn begin(head: &Head) -> Copy {
        Copy(head.length.map(|length| match length {
            ..=BLOCK_MAX => Shown { bytes: head.bytes().to_vec(), length },
            _ => Shown { bytes: without_block(head.bytes()), length: 0 },
        }))
    }

    pub fn hear(&mut self, piece: &[u8]) {
        if let Some(Shown { bytes, length: 1.. }) = &mut self.0 {
            bytes.extend_from_slice(piece);
        }
    }

    /// Reads the copy and compares: the number of records, the id, the length.
    pub fn compare(self, head: &Head, say: &mut dyn FnMut(&'static Code, String)) {
        let Some(Shown { mut bytes, length: shown }) = self.0 else { return };
        if head.all("Content-Length").count() > 1 {
            // It adds to the last one without looking whether that is possible.
            return say(
                &KNOWN_ERROR,
                "the «warc» crate is not asked: it keeps the last of repeated lengths".to_owned(),
            );
        }
        bytes.extend_from_slice(b"\r\n\r\n");
        let seen = read(&bytes);
        let id = head.field("WARC-Record-ID").unwrap_or("");
        let disagreement = match &seen {
            Seen::Record(other, length) if other == id && *length == shown => return,
            Seen::Record(other, length) => {
                format!("the «warc» crate sees the record «{other}» of {length} bytes, where {shown} were shown to it")
            }
            Seen::Nothing => "the «warc» crate sees no record".to_owned(),
            Seen::Error(cause) => format!("the «warc» crate cannot read the record: {cause}"),
        };
        match known_error(head) {
            Some(why) => say(&KNOWN_ERROR, format!("{disagreement}; {why}")),
            None => say(&SECOND_OPINION, disagreement),
        }
    }
}

/// The head, with a `Content-Length` of 0.
fn without_block(head: &[u8]) -> Vec<u8> {
    let (mut bytes, mut found) = (Vec::with_capacity(head.len() + 4), false);
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let colon = memchr::memchr(b':', line).filter(|_| !found).unwrap_or(0);
        if line[..colon].trim_ascii().eq_ignore_ascii_case(b"Content-Length") {
            found = true;
            bytes.extend_from_slice(&line[..colon]);
            bytes.extend_from_slice(if line.ends_with(b"\r\n") { b": 0\r\n" } else { b": 0\n" });
        } else {
            bytes.extend_from_slice(line);
        }
    }
    bytes
}

enum Seen {
    /// The id and the length of the block.
    Record(String, u64),
    Nothing,
    Error(String),
}

fn read(copy: &[u8]) -> Seen {
    std::panic::catch_unwind(|| asked(copy)).unwrap_or_else(|_| Seen::Error("it panics".to_owned()))
}

fn asked(copy: &[u8]) -> Seen {
    let mut records = warc::WarcReader::new(copy).iter_raw_records();
    match records.next() {
        None => Seen::Nothing,
        Some(Err(cause)) => Seen::Error(cause.to_string()),
        Some(Ok((head, block))) => {
            let id = head.headers.get(&warc::WarcHeader::RecordID).map(Vec::as_slice).unwrap_or_default();
            Seen::Record(String::from_utf8_lossy(id).trim().to_owned(), block.len() as u64)
        }
    }
}

/// What the crate is known to get wrong, and this head has.
fn known_error(head: &Head) -> Option<&'static str> {
    let manner = head.manner;
    let repeats = head.all("WARC-Record-ID").count() > 1 || head.all("Content-Length").count() > 1;
    [
        (manner.bare_lf, "it knows no line ends but CR LF"),
        (manner.folded, "it knows no folded fields"),
        (manner.not_utf8, "it knows no values but UTF-8"),
        (manner.odd_lines > 0, "it gives up on a line without a colon"),
        (repeats, "it keeps the last of repeated fields"),
        (head.fields().any(|(_, value)| value.is_empty()), "it knows no empty values"),
    ]
    .into_iter()
    .find_map(|(has, why)| has.then_some(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_alone_is_a_record() {
        let head = b"WARC/1.1\r\nWARC-Record-ID: <urn:a>\r\ncontent-length : 70000\r\nContent-Type: a:b\r\n\r\n";
        let copy = without_block(head);
        let text = "WARC/1.1\r\nWARC-Record-ID: <urn:a>\r\ncontent-length : 0\r\nContent-Type: a:b\r\n\r\n";
        assert_eq!(String::from_utf8_lossy(&copy), text);
        let Seen::Record(id, 0) = read(&[&copy[..], b"\r\n\r\n"].concat()) else { panic!("it sees no record") };
        assert_eq!(id, "<urn:a>");
    }
}
