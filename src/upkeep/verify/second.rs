//! The second opinion: the `warc` crate reads each record as well, from a bounded copy.
//!
//! What it is known to get wrong is named so; any other disagreement is a finding of its own. Its reader is not shown
//! what would make it panic or take memory without bounds.

use super::finding::{Code, KNOWN_ERROR, SECOND_OPINION};
use crate::archive::Head;

/// Longer blocks are not shown to it: it copies each block twice.
const BLOCK_MAX: u64 = 64 << 10;

/// A copy of the record, for the other reader.
pub(super) struct Copy(Option<Vec<u8>>);

impl Copy {
    pub fn begin(head: &Head) -> Copy {
        let length = head.length.filter(|length| *length <= BLOCK_MAX);
        Copy(length.map(|length| {
            let mut copy = Vec::with_capacity(head.bytes().len() + usize::try_from(length).unwrap_or(0) + 4);
            copy.extend_from_slice(head.bytes());
            copy
        }))
    }

    pub fn hear(&mut self, piece: &[u8]) {
        if let Some(copy) = &mut self.0 {
            copy.extend_from_slice(piece);
        }
    }

    /// Reads the copy and compares: the number of records, the id, the length.
    pub fn compare(self, head: &Head, say: &mut dyn FnMut(&'static Code, String)) {
        let Some(mut copy) = self.0 else { return };
        copy.extend_from_slice(b"\r\n\r\n");
        let seen = read(&copy);
        let id = head.field("WARC-Record-ID").unwrap_or("");
        let disagreement = match &seen {
            Seen::Record(other, length) if other == id && Some(*length) == head.length => return,
            Seen::Record(other, length) => {
                format!("the «warc» crate sees the record «{other}» of {length} bytes")
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

enum Seen {
    /// The id and the length of the block.
    Record(String, u64),
    Nothing,
    Error(String),
}

fn read(copy: &[u8]) -> Seen {
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
