//! What is stored of a chunked answer, and how the received bytes are rebuilt from it.
//!
//! The standard wants payload digests over the de-chunked body, while warcio and FastWARC check them over what is
//! stored. So, unless it is to be stored as it came, the transfer coding is undone, its lines are renamed in place with
//! the prefix `X-Crawler-`, and a `Content-Length` of the stored length is added as the last line. [`Framing`] keeps the
//! rest. Why: `docs/decisions/0003-entity-framing.md`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::read::Record;
use crate::web::exchange::Answer;
use crate::web::framing;
use crate::web::message::{from_latin1, latin1};

const PREFIX: &[u8] = b"X-Crawler-";

/// In which form a chunked answer is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    /// With its chunks undone and its framing lines renamed: every tool agrees on its digest and its body.
    #[default]
    Entity,
    /// As it came, chunk sizes and all.
    Wire,
}

/// How an answer as stored differs from the answer as received. Texts are bytes read as Latin-1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Framing {
    /// The form. The chunks are noted in both: a revisit has no body that could show them.
    pub stored: Stored,
    /// Interim 1xx heads (and empty lines) before the final head.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub interim: String,
    /// Which lines of the stored head carry the prefix, the status line being 0.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<usize>,
    /// For each chunk what stood before its data (size line, line end of the chunk before) and the data's length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<(String, u64)>,
    /// What stood after the last chunk's data: the last size line, trailers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<String>,
}

/// The head as stored, and the note on it; none when head and body are stored as received.
pub(super) fn stored_head(
    answer: &Answer,
    stored: Stored,
    body: &mut dyn FnMut(u64, u64) -> std::io::Result<Vec<u8>>,
) -> std::io::Result<(Vec<u8>, Option<Framing>)> {
    let interim = latin1(&answer.head[..answer.final_at]);
    let received = answer.final_head();
    let Some(parts) = &answer.parts else {
        let note = Framing { stored, interim, renamed: Vec::new(), chunks: Vec::new(), tail: None };
        return Ok((received.to_vec(), (answer.final_at > 0).then_some(note)));
    };
    let (head, renamed) = match stored {
        Stored::Entity => renamed_head(received, answer.payload_len()),
        Stored::Wire => (received.to_vec(), Vec::new()),
    };
    let mut chunks = Vec::with_capacity(parts.len());
    let mut at = 0;
    for part in parts {
        chunks.push((latin1(&body(at, part.at - at)?), part.len));
        at = part.at + part.len;
    }
    let tail = latin1(&body(at, answer.body.len() - at)?);
    Ok((head, Some(Framing { stored, interim, renamed, chunks, tail: Some(tail) })))
}

/// Prefixes the framing lines and adds the stored length before the final empty line.
fn renamed_head(received: &[u8], stored_len: u64) -> (Vec<u8>, Vec<usize>) {
    let mut head = Vec::with_capacity(received.len() + 64);
    let mut renamed = Vec::new();
    for (number, line) in received.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if matches!(line, b"\n" | b"\r\n") && number > 0 {
            head.extend_from_slice(format!("Content-Length: {stored_len}").as_bytes());
            head.extend_from_slice(line);
        } else if is_framing(line) {
            renamed.push(number);
            head.extend_from_slice(PREFIX);
        }
        head.extend_from_slice(line);
    }
    (head, renamed)
}

fn is_framing(line: &[u8]) -> bool {
    let name = name(line);
    name.eq_ignore_ascii_case(b"transfer-encoding") || name.eq_ignore_ascii_case(b"content-length")
}

/// What stands before a line's colon.
fn name(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b':').next().unwrap_or(b"").trim_ascii_end()
}

/// The body of a stored answer with its transfer coding undone, in whichever form it is stored, by whichever tool. What
/// says that it is chunked and is not, is taken as it is.
pub fn entity(record: &Record) -> Cow<'_, [u8]> {
    let (head, body) = record.http();
    if !head.split(|byte| *byte == b'\n').any(|line| name(line).eq_ignore_ascii_case(b"transfer-encoding")) {
        return Cow::Borrowed(body);
    }
    let (mut framing, mut chunked) = (framing::Framing::new(false), Vec::new());
    framing.feed(&record.block, &mut chunked);
    let malformed = framing.is_malformed();
    match framing.into_head().2 {
        Some(parts) if !malformed => {
            let data = |part: &framing::Part| {
                let at = usize::try_from(part.at).ok()?;
                chunked.get(at..at + usize::try_from(part.len).ok()?)
            };
            Cow::Owned(parts.iter().filter_map(data).collect::<Vec<_>>().concat())
        }
        _ => Cow::Borrowed(body),
    }
}

/// The answer exactly as received, from its record and the note on it. `original` holds the payload of a revisit that
/// had one; a 304 had none.
///
/// None when the note does not fit the bytes.
pub fn received(record: &Record, original: Option<&Record>, note: Option<&Framing>) -> Option<Vec<u8>> {
    let (head, body) = record.http();
    match (note, original) {
        (None, None) => Some(record.block.clone()),
        (None, Some(original)) => Some([head, &entity(original)].concat()),
        (Some(note), None) if note.stored == Stored::Wire => {
            Some([from_latin1(&note.interim)?.as_slice(), &record.block].concat())
        }
        (Some(note), None) => rebuild(head, body, note),
        (Some(note), Some(original)) => rebuild(head, &entity(original), note),
    }
}

/// The answer exactly as received, from the stored head, the payload and the note on them.
///
/// None when the note does not fit the bytes.
pub fn rebuild(head: &[u8], payload: &[u8], note: &Framing) -> Option<Vec<u8>> {
    let mut out = from_latin1(&note.interim)?;
    let Some(tail) = &note.tail else {
        out.extend_from_slice(head);
        out.extend_from_slice(payload);
        return Some(out);
    };
    let lines: Vec<&[u8]> = head.split_inclusive(|byte| *byte == b'\n').collect();
    // The line before the empty one is ours.
    let added = lines.len().checked_sub(2)?;
    for (number, line) in lines.iter().enumerate() {
        if number != added || note.stored == Stored::Wire {
            let line = if note.renamed.contains(&number) { line.strip_prefix(PREFIX)? } else { line };
            out.extend_from_slice(line);
        }
    }
    let mut rest = payload;
    for (before, len) in &note.chunks {
        let (data, after) = rest.split_at_checked(usize::try_from(*len).ok()?)?;
        out.extend_from_slice(&from_latin1(before)?);
        out.extend_from_slice(data);
        rest = after;
    }
    out.extend_from_slice(&from_latin1(tail)?);
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::exchange::Body;
    use proptest::prelude::*;

    /// Stores in both forms, rebuilds, compares; returns what was stored as an entity.
    fn check(received: &[u8]) -> (String, Vec<u8>) {
        check_form(received, Stored::Wire);
        check_form(received, Stored::Entity)
    }

    fn check_form(received: &[u8], form: Stored) -> (String, Vec<u8>) {
        let answer = Answer::of(received);
        let Body::Bytes(body) = &answer.body else { panic!() };
        let mut read = |at: u64, len: u64| Ok(body[at as usize..][..len as usize].to_vec());
        let (head, note) = stored_head(&answer, form, &mut read).unwrap();
        let stored: Vec<u8> = answer
            .payload_parts()
            .iter()
            .flat_map(|part| body[part.at as usize..][..part.len as usize].to_vec())
            .collect();
        let rebuilt = match &note {
            Some(note) => rebuild(&head, &stored, note).unwrap(),
            None => [head.as_slice(), &stored].concat(),
        };
        assert_eq!(rebuilt, received, "{}", latin1(received));
        let record =
            |block: Vec<u8>| Record { version: String::new(), fields: Vec::new(), block, offset: 0, length: 0 };
        let kept = record([head.as_slice(), if form == Stored::Wire { body } else { &stored }].concat());
        assert_eq!(super::received(&kept, None, note.as_ref()).unwrap(), received, "{}", latin1(received));
        if answer.complete && !answer.malformed {
            assert_eq!(entity(&kept), stored, "{}", latin1(received));
            // A revisit has the head, the payload is elsewhere, in whichever form.
            let (revisit, elsewhere) = (record(head.clone()), record([b"HTTP/1.1 200 OK\r\n\r\n", &*stored].concat()));
            let rebuilt = super::received(&revisit, Some(&elsewhere), note.as_ref());
            assert_eq!(rebuilt.unwrap(), received, "{}", latin1(received));
        }
        (latin1(&head), stored)
    }

    #[test]
    fn only_framing_lines_differ() {
        let (head, body) = check(
            b"HTTP/1.1 200 OK\r\ntransfer-Encoding : chunked\r\nX-A: 1\r\nContent-Length: 9\r\n\r\n2;x=\xe9\r\nab\r\n1\nc\n0\r\nT: 1\r\n\r\n",
        );
        assert_eq!(
            head,
            "HTTP/1.1 200 OK\r\nX-Crawler-transfer-Encoding : chunked\r\nX-A: 1\r\nX-Crawler-Content-Length: 9\r\nContent-Length: 3\r\n\r\n"
        );
        assert_eq!(body, b"abc");
    }

    #[test]
    fn what_is_not_chunked_is_stored_as_received() {
        let plain = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(check(plain.as_bytes()).0, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        check(b"\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 1\n\na");
        check(b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n");
        check(b"ICY 200\r\n\r\nx");
    }

    #[test]
    fn half_a_chunked_answer_can_be_rebuilt() {
        check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
        check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r");
        check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        check(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Crawler-Transfer-Encoding: mine\r\n\r\nzz\r\nab");
    }

    proptest! {
        #[test]
        fn every_chunked_answer_is_reversible(
            chunks in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 1..40), "(;[a-z]{0,5})?", any::<bool>()), 0..6),
            trailer in "(X: [a-z]{0,4}\r\n)?",
            cut in 0usize..30,
        ) {
            let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
            let head = bytes.len();
            for (data, extension, crlf) in &chunks {
                let end = if *crlf { "\r\n" } else { "\n" };
                bytes.extend_from_slice(format!("{:x}{extension}{end}", data.len()).as_bytes());
                bytes.extend_from_slice(data);
                bytes.extend_from_slice(end.as_bytes());
            }
            bytes.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
            bytes.truncate(bytes.len().saturating_sub(cut).max(head));
            check(&bytes);
        }
    }
}
