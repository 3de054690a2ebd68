//! Undoes content codings, as far as possible and no further than a limit: a small body can unpack to anything.

use std::io::{self, Read};

use crate::web::message::Head;

/// The body without its codings, and what was odd about it. `codings` stand in the order they were applied.
pub(super) fn undo(codings: &[String], body: Vec<u8>, limit: u64) -> (Vec<u8>, Option<String>) {
    let mut body = body;
    for coding in codings.iter().rev() {
        let (decoded, cause) = undo_one(coding, &body, limit);
        match cause {
            None => body = decoded,
            // Mislabelled bodies are common: one that cannot be read at all is taken as it is.
            Some(cause) if decoded.is_empty() => return (body, Some(format!("not {coding}: {cause}"))),
            Some(cause) => return (decoded, Some(format!("{coding} ends early: {cause}"))),
        }
    }
    (body, None)
}

/// The most of a robots.txt that is looked at.
pub(super) const ROBOTS: u64 = 1 << 20;

/// A robots.txt without codings, as far as it is looked at: more than is read of it.
pub(super) fn robots_text(head: &Head, body: Vec<u8>) -> Vec<u8> {
    undo(&head.content_codings(), body, ROBOTS).0
}

fn undo_one(coding: &str, body: &[u8], limit: u64) -> (Vec<u8>, Option<String>) {
    match coding {
        "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(body), limit),
        // Some servers mean zlib, as the standard says, some raw deflate (RFC 9110, 8.4.1.2).
        "deflate" => match read(flate2::read::ZlibDecoder::new(body), limit) {
            (decoded, Some(_)) if decoded.is_empty() => read(flate2::read::DeflateDecoder::new(body), limit),
            read => read,
        },
        "br" => read(brotli_decompressor::Decompressor::new(body, 16 << 10), limit),
        "zstd" => match zstd::stream::read::Decoder::new(body) {
            Ok(decoder) => read(decoder, limit),
            Err(cause) => (Vec::new(), Some(cause.to_string())),
        },
        _ => (Vec::new(), Some("an unknown coding".to_owned())),
    }
}

fn read(decoder: impl Read, limit: u64) -> (Vec<u8>, Option<String>) {
    let mut out = Vec::new();
    let cause: io::Result<usize> = decoder.take(limit).read_to_end(&mut out);
    (out, cause.err().map(|cause| cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn codings_are_undone_from_the_last() {
        let zlib = |bytes: &[u8]| {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(undo(&words(&["deflate", "gzip"]), gzip(&zlib(b"text")), 99), (b"text".to_vec(), None));
        assert_eq!(undo(&words(&["zstd"]), zstd::encode_all(&b"text"[..], 1).unwrap(), 99).0, b"text");
        let two_members = [gzip(b"te"), gzip(b"xt")].concat();
        assert_eq!(undo(&words(&["gzip"]), two_members, 99).0, b"text");
        assert_eq!(undo(&words(&["gzip"]), gzip(&[b'a'; 5000]), 99).0.len(), 99);
    }

    #[test]
    fn what_is_mislabelled_is_taken_as_it_is() {
        let (body, odd) = undo(&["gzip".to_owned()], b"<html>".to_vec(), 99);
        assert_eq!(body, b"<html>");
        assert!(odd.is_some_and(|odd| odd.starts_with("not gzip")));
    }
}
