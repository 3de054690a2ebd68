//! One record: its bytes, its digests, its fields, and what another reader says of it.

use std::io::{self, BufRead};

use super::dechunk::Dechunk;
use super::digests::Check;
use super::finding::{
    BLOCK_DIGEST, CHECKSUM, Code, DECHUNKED, DICTIONARY, ENDING, GARBAGE, GIVEN_UP, HTTP, LENGTH, MEMBER, PACKED,
    PAYLOAD_DIGEST, TORN, UNCHECKED, ZSTD,
};
use super::second;
use crate::archive::{DictionaryFrame, End, Flaw, Head, Reading, Tied, Wrong, ZSTD_MOST, ZstdFrame};
use crate::web::message;

/// An HTTP head longer than this is none.
const HTTP_HEAD_MAX: usize = 1 << 20;

/// What other records, rows and indexes say of a record is compared with this.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub offset: u64,
    pub length: u64,
    /// Its bytes are all there and are right.
    pub whole: bool,
    pub kind: String,
    pub id: String,
    pub url: Option<String>,
    pub date: String,
    pub payload: Option<String>,
    pub block: Option<String>,
    pub filename: Option<String>,
    pub concurrent: Vec<String>,
    pub refers: Option<String>,
    pub media: Option<String>,
    /// The word after the protocol in the status line of an answer.
    pub status: Option<String>,
}

impl Tied for Facts {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let (one, all) = match name {
            "WARC-Record-ID" => (Some(self.id.as_str()).filter(|id| !id.is_empty()), &[][..]),
            "WARC-Concurrent-To" => (None, &self.concurrent[..]),
            "WARC-Refers-To" => (self.refers.as_deref(), &[][..]),
            "WARC-Target-URI" => (self.url.as_deref(), &[][..]),
            "WARC-Date" => (Some(self.date.as_str()).filter(|date| !date.is_empty()), &[][..]),
            "Content-Type" => (self.media.as_deref(), &[][..]),
            _ => (None, &[][..]),
        };
        one.into_iter().chain(all.iter().map(String::as_str))
    }
}

/// Reads the record that `reading` has come to, to its end; what is found goes to `say`.
pub(super) fn check(
    head: &Head,
    reading: &mut Reading,
    say: &mut dyn FnMut(&'static Code, String),
) -> io::Result<Facts> {
    let mut block = Block::begin(head);
    let mut damaged = None;
    loop {
        let piece = match reading.fill_buf() {
            Ok([]) => break,
            Ok(piece) => piece,
            // The record's end says what it was; trouble with the file itself is said there, too.
            Err(cause) => {
                damaged = Some(cause);
                break;
            }
        };
        block.hear(piece);
        let len = piece.len();
        reading.consume(len);
    }
    let end = reading.end()?;
    if let Some(cause) = damaged.filter(|_| end.is_whole()) {
        return Err(cause);
    }
    super::rules::check(head, say);
    for flaw in &end.flaws {
        let (code, text) = of_flaw(flaw);
        say(code, text);
    }
    check_packing(head, &end, reading.dictionary(), say);
    let field = |name: &str| head.field(name).map(str::to_owned);
    let mut facts = Facts {
        offset: head.offset,
        length: end.length,
        whole: end.is_whole(),
        kind: head.kind().to_ascii_lowercase(),
        id: head.field("WARC-Record-ID").unwrap_or("").to_owned(),
        url: head.uri("WARC-Target-URI").map(str::to_owned),
        date: head.field("WARC-Date").unwrap_or("").to_owned(),
        payload: field("WARC-Payload-Digest"),
        block: field("WARC-Block-Digest"),
        filename: field("WARC-Filename"),
        concurrent: head.all("WARC-Concurrent-To").map(str::to_owned).collect(),
        refers: field("WARC-Refers-To"),
        media: field("Content-Type"),
        status: None,
    };
    // What is wrong with the bytes has been said; their digests cannot be right.
    if end.flaws.iter().all(|flaw| !flaw.wrong.is_damage() || matches!(flaw.wrong, Wrong::Checksum(_))) {
        facts.status = block.finish(head, &mut facts.whole, say);
    }
    Ok(facts)
}

/// The code of what is wrong with the bytes, and a sentence.
pub(super) fn of_flaw(flaw: &Flaw) -> (&'static Code, String) {
    let code = match flaw.wrong {
        Wrong::Garbage | Wrong::Head => &GARBAGE,
        Wrong::NoLength | Wrong::Length { .. } => &LENGTH,
        Wrong::Ending | Wrong::Blank => &ENDING,
        Wrong::Torn => &TORN,
        Wrong::Corrupt(_) => &PACKED,
        Wrong::Checksum(_) => &CHECKSUM,
        Wrong::Dictionary(_) => &DICTIONARY,
        Wrong::GivenUp => &GIVEN_UP,
    };
    let inner =
        if flaw.inner > 0 { format!(", {} bytes into what is packed there", flaw.inner) } else { String::new() };
    match flaw.skipped {
        0 => (code, format!("{}{inner}", flaw.wrong)),
        skipped => (code, format!("{}{inner}; {skipped} bytes were passed over", flaw.wrong)),
    }
}

/// One record a member; the rules of WARC-zstd 1.0 for frames.
fn check_packing(
    head: &Head,
    end: &End,
    dictionary: Option<&DictionaryFrame>,
    say: &mut dyn FnMut(&'static Code, String),
) {
    let damaged = !end.is_whole();
    if head.inner > 0 || (!end.alone && !damaged) {
        say(&MEMBER, "it shares its gzip member or zstd frame with other records (annex D)".to_owned());
    } else if end.units > 1 && end.frame.is_none() && !damaged {
        say(&MEMBER, format!("it is spread over {} gzip members (annex D)", end.units));
    }
    let Some(ZstdFrame { content_size, window, checksum, dictionary: named }) = end.frame else { return };
    let wanted = dictionary.and_then(|dictionary| dictionary.id);
    for (broken, what) in [
        (content_size.is_none(), "its frame does not say how much it unpacks to"),
        (!checksum, "its frame has no checksum"),
        (window > ZSTD_MOST, "its frame wants a window of more than 8 MiB"),
        (wanted.is_some() && named != wanted, "its frame does not name the file's dictionary"),
        (dictionary.is_none() && named.is_some(), "its frame names a dictionary that the file has not"),
    ] {
        if broken {
            say(&ZSTD, format!("{what} (WARC-zstd 1.0)"));
        }
    }
}

/// What is heard of a block: its digests, its payload's, and a copy for the other reader.
struct Block {
    block: Option<Check>,
    payload: Payload,
    unknown: Vec<&'static str>,
    second: second::Copy,
}

/// Where the payload begins, and its digest.
enum Payload {
    /// Not looked for.
    None,
    /// The whole block.
    Block(Check),
    /// After the HTTP head, which is not over yet.
    Head { head: Vec<u8>, check: Option<Check> },
    /// In the body.
    Body { stored: Option<Check>, dechunked: Option<(Dechunk, Check)>, head: message::Head },
}

impl Block {
    fn begin(head: &Head) -> Block {
        let mut unknown = Vec::new();
        let mut check = |name: &'static str| {
            let value = head.field(name)?;
            let check = Check::new(value);
            if check.is_none() {
                unknown.push(name);
            }
            check
        };
        let block = check("WARC-Block-Digest");
        // A revisit's payload is another record's; a segment holds a part of one.
        let is_part = head.kind().eq_ignore_ascii_case("revisit") || head.field("WARC-Segment-Number").is_some();
        let payload = check("WARC-Payload-Digest").filter(|_| !is_part);
        let is_http = head.field("Content-Type").is_some_and(|media| {
            media.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/http"))
        });
        let payload = match (is_http, payload) {
            (true, check) => Payload::Head { head: Vec::new(), check },
            (false, Some(check)) => Payload::Block(check),
            (false, None) => Payload::None,
        };
        Block { block, payload, unknown, second: second::Copy::begin(head) }
    }

    fn hear(&mut self, piece: &[u8]) {
        if let Some(block) = &mut self.block {
            block.update(piece);
        }
        self.second.hear(piece);
        self.payload.hear(piece);
    }

    /// Says what is wrong with the digests; gives the status of an answer.
    fn finish(self, head: &Head, whole: &mut bool, say: &mut dyn FnMut(&'static Code, String)) -> Option<String> {
        for name in self.unknown {
            say(&UNCHECKED, format!("nobody knows how to check «{}» of {name}", head.field(name).unwrap_or("")));
        }
        if self.block.is_some_and(|check| !check.agrees()) {
            *whole = false;
            say(&BLOCK_DIGEST, "the block is not what its WARC-Block-Digest says".to_owned());
        }
        let http = self.payload.finish(whole, say);
        self.second.compare(head, say);
        let is_answer = matches!(head.kind(), "response" | "revisit");
        let http = http.filter(|_| is_answer && head.length != Some(0))?;
        if !http.version.starts_with("HTTP/") {
            say(&HTTP, "the block does not begin with an HTTP status line".to_owned());
        }
        (http.status > 0).then(|| http.status.to_string())
    }
}

impl Payload {
    fn hear(&mut self, piece: &[u8]) {
        match self {
            Payload::None => {}
            Payload::Block(check) => check.update(piece),
            Payload::Head { head, check } => {
                let looked = head.len();
                if let Some(len) = message::head_len(piece, 0).filter(|_| looked == 0) {
                    // The whole head is in the first piece, as it nearly always is: nothing is copied.
                    *self = Payload::body(&piece[..len], check.take());
                    return self.hear(&piece[len..]);
                }
                head.extend_from_slice(piece);
                let over = message::head_len(head, looked).or((head.len() > HTTP_HEAD_MAX).then_some(head.len()));
                if let Some(len) = over {
                    let (bytes, check) = (std::mem::take(head), check.take());
                    *self = Payload::body(&bytes[..len], check);
                    self.hear(&bytes[len..]);
                }
            }
            Payload::Body { stored, dechunked, .. } => {
                if let Some(check) = stored {
                    check.update(piece);
                }
                if let Some((dechunk, check)) = dechunked {
                    dechunk.feed(piece, &mut |data| check.update(data));
                }
            }
        }
    }

    fn body(head: &[u8], check: Option<Check>) -> Payload {
        let head = message::Head::read(head);
        let chunked = head.fields("transfer-encoding").any(|value| value.to_ascii_lowercase().contains("chunked"));
        let dechunked = check.clone().filter(|_| chunked).map(|check| (Dechunk::default(), check));
        Payload::Body { stored: check, dechunked, head }
    }

    fn finish(self, whole: &mut bool, say: &mut dyn FnMut(&'static Code, String)) -> Option<message::Head> {
        let (right, http) = match self {
            Payload::None => return None,
            Payload::Block(check) => (check.agrees(), None),
            // No head: the payload is what there is.
            Payload::Head { head, check } => {
                let right = check.is_none_or(|mut check| {
                    check.update(&head);
                    check.agrees()
                });
                (right, Some(message::Head::read(&head)))
            }
            Payload::Body { stored, dechunked, head } => {
                let mut right = stored.is_none_or(Check::agrees);
                if !right && dechunked.is_some_and(|(_, check)| check.agrees()) {
                    right = true;
                    say(&DECHUNKED, "WARC-Payload-Digest is right for the body without its transfer coding".to_owned());
                }
                (right, Some(head))
            }
        };
        if !right {
            *whole = false;
            say(&PAYLOAD_DIGEST, "the payload is not what its WARC-Payload-Digest says".to_owned());
        }
        http
    }
}
