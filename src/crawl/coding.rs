//! Undoes content codings, as far as possible and no further than a limit: a small body can unpack to anything.
//!
//! What the answer's head says is where the search begins, not where it ends: servers name a coding they did not use,
//! use one they do not name, and pack twice. What can be seen in the first bytes is believed before the head; whatever
//! was read of a body that breaks off is kept, and what was odd is said.

use std::io::{self, Read};

use crate::web::media;
use crate::web::message::Head;

/// The body without its codings, and what was odd about it.
pub(super) fn undo(head: &Head, body: Vec<u8>, limit: u64) -> (Vec<u8>, Vec<String>) {
    let mut undone = Undone { body, oddities: Vec::new(), limit };
    for named in head.content_codings().iter().rev() {
        undone.undo(named);
    }
    // Packed once more than is said, or packed and not said. A file that is an archive by its own type stays one.
    if is_text(head) {
        for _ in 0..UNNAMED {
            let Some(shown) = Coding::shown(&undone.body) else { break };
            if !undone.take(shown, &format!("{shown}, which the head does not say")) {
                break;
            }
        }
    }
    (undone.body, undone.oddities)
}

/// The most of a robots.txt that is looked at.
pub(super) const ROBOTS: u64 = 1 << 20;

/// A robots.txt without codings, as far as it is looked at: more than is read of it.
pub(super) fn robots_text(head: &Head, body: Vec<u8>) -> Vec<u8> {
    undo(head, body, ROBOTS).0
}

/// Layers undone that no field names: a server that packs what a script has packed already is one.
const UNNAMED: usize = 2;

/// The widest window a zstd frame may ask memory for, as a power of two: 32 MiB, twice what is kept of any body.
/// Browsers refuse more than 8 MiB (RFC 9659, 3).
const WINDOW: u32 = 25;

/// A coding we can undo (RFC 9110, 8.4.1; RFC 7932; RFC 8878).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    /// In the zlib format, as the standard says.
    Zlib,
    /// Without it, as some servers understand «deflate».
    Deflate,
    Brotli,
    Zstd,
}

impl std::fmt::Display for Coding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Coding::Gzip => "gzip",
            Coding::Zlib | Coding::Deflate => "deflate",
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
        })
    }
}

impl Coding {
    /// What a name may mean, the likeliest first.
    fn named(name: &str) -> &'static [Coding] {
        match name {
            "gzip" | "x-gzip" => &[Coding::Gzip],
            "deflate" | "x-deflate" => &[Coding::Zlib, Coding::Deflate],
            "br" => &[Coding::Brotli],
            "zstd" => &[Coding::Zstd],
            _ => &[],
        }
    }

    /// What the first bytes can be and text cannot.
    fn shown(body: &[u8]) -> Option<Coding> {
        match body {
            [0x1f, 0x8b, 8, ..] => Some(Coding::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstd),
            _ => None,
        }
    }
}

/// A body on its way out of its wrappings.
struct Undone {
    body: Vec<u8>,
    oddities: Vec<String>,
    limit: u64,
}

impl Undone {
    /// Undoes one coding that the head names: by what the body shows, else by the name, else by any that fits whole.
    fn undo(&mut self, name: &str) {
        if self.body.is_empty() {
            return;
        }
        let meant = Coding::named(name);
        if let Some(shown) = Coding::shown(&self.body).filter(|shown| !meant.contains(shown))
            && self.take(shown, &format!("said to be {}, is {shown}", short(name)))
        {
            return;
        }
        let is_plain = looks_plain(&self.body);
        let mut cause = "an unknown coding".to_owned();
        for coding in meant {
            let read = read(*coding, &self.body, self.limit);
            if read.is_whole() || !is_plain && !read.bytes.is_empty() {
                return self.accept(*coding, read);
            }
            cause = read.cause.unwrap_or(cause);
        }
        // What unpacks to its very last byte was packed that way.
        let others = [Coding::Zlib, Coding::Brotli].into_iter().filter(|other| !is_plain && !meant.contains(other));
        for other in others {
            let read = read(other, &self.body, self.limit);
            if read.is_whole() && !read.bytes.is_empty() {
                self.oddities.push(format!("said to be {}, is {other}", short(name)));
                return self.accept(other, read);
            }
        }
        // Mislabelled bodies are common: one that cannot be read at all is taken as it is.
        self.oddities.push(format!("not {}: {cause}", short(name)));
    }

    /// Undoes a coding the body shows; false, and nothing done, when it cannot be read after all.
    fn take(&mut self, coding: Coding, why: &str) -> bool {
        let read = read(coding, &self.body, self.limit);
        if read.cause.is_some() && read.bytes.is_empty() {
            return false;
        }
        self.oddities.push(why.to_owned());
        self.accept(coding, read);
        true
    }

    fn accept(&mut self, coding: Coding, read: Unpacked) {
        if let Some(cause) = &read.cause {
            self.oddities.push(format!("{coding} is damaged or ends early, what came before was read: {cause}"));
        }
        if read.has_more {
            self.oddities.push(format!("what stands behind the end of {coding} was left out"));
        }
        if read.is_cut {
            self.oddities.push(format!("unpacks to more than {} bytes, the rest was left out", self.limit));
        }
        self.body = read.bytes;
    }
}

/// Enough of a name to recognise it.
fn short(name: &str) -> String {
    name.chars().take(40).collect()
}

/// Text by its type, or of no type: nobody means to be shown the packed form.
fn is_text(head: &Head) -> bool {
    let content_type = head.field("content-type");
    match content_type.as_deref().map(media::essence).as_deref() {
        None | Some("") => true,
        Some(essence) => {
            essence.starts_with("text/")
                || ["html", "xml", "json", "javascript"].iter().any(|end| essence.ends_with(end))
        }
    }
}

/// Markup, or bytes of which none is a control character: what is packed has some, unless it is very short.
fn looks_plain(body: &[u8]) -> bool {
    let start = &body[..body.len().min(512)];
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b) || *byte == 0x7f;
    start.trim_ascii_start().first() == Some(&b'<') || !start.iter().any(is_control)
}

/// What came out of one coding.
#[derive(Default)]
struct Unpacked {
    bytes: Vec<u8>,
    /// Why there is no more.
    cause: Option<String>,
    /// Bytes stand behind its end that belong to nothing.
    has_more: bool,
    /// There is more than the limit.
    is_cut: bool,
}

impl Unpacked {
    /// It was read from its first byte to its last, or to the limit.
    fn is_whole(&self) -> bool {
        self.cause.is_none() && !self.has_more
    }

    /// Reads on to the end or the limit.
    fn fill(&mut self, decoder: impl Read, limit: u64) {
        let left = limit.saturating_sub(self.bytes.len() as u64);
        // One byte more tells a body that is cut from one that fits.
        let read: io::Result<usize> = decoder.take(left + 1).read_to_end(&mut self.bytes);
        self.cause = read.err().map(|cause| cause.to_string());
        self.is_cut = self.bytes.len() as u64 > limit;
        self.bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
}

fn read(coding: Coding, body: &[u8], limit: u64) -> Unpacked {
    let (mut out, mut rest) = (Unpacked::default(), body);
    match coding {
        Coding::Gzip => loop {
            out.fill(flate2::bufread::GzDecoder::new(&mut rest), limit);
            // Members follow one another (RFC 1952, 2.2), and tapes were filled up with zeros.
            if out.cause.is_some() || out.is_cut || Coding::shown(rest) != Some(Coding::Gzip) {
                out.has_more = !out.is_cut && rest.iter().any(|byte| *byte != 0);
                break;
            }
        },
        Coding::Zstd => loop {
            match zstd::stream::read::Decoder::with_buffer(&mut rest).map(zstd::stream::read::Decoder::single_frame) {
                Ok(mut decoder) => match decoder.window_log_max(WINDOW) {
                    Ok(()) => out.fill(decoder, limit),
                    Err(cause) => out.cause = Some(cause.to_string()),
                },
                Err(cause) => out.cause = Some(cause.to_string()),
            }
            if out.cause.is_some() || out.is_cut || !is_zstd_frame(rest) {
                out.has_more = !out.is_cut && !rest.is_empty();
                break;
            }
        },
        Coding::Zlib => {
            out.fill(flate2::bufread::ZlibDecoder::new(&mut rest), limit);
            out.has_more = !out.is_cut && !rest.is_empty();
        }
        Coding::Deflate => {
            out.fill(flate2::bufread::DeflateDecoder::new(&mut rest), limit);
            out.has_more = !out.is_cut && !rest.is_empty();
        }
        Coding::Brotli => {
            let mut decoder = brotli_decompressor::Decompressor::new(rest, 16 << 10);
            out.fill(&mut decoder, limit);
            // Read on behind its end, the decoder says whether there was more.
            out.has_more = out.cause.is_none() && !out.is_cut && decoder.read(&mut [0]).is_err();
        }
    }
    out
}

/// Data, or what is to be skipped (RFC 8878, 3.1).
fn is_zstd_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    const TEXT: &[u8] = b"<!doctype html><p>The river is clear, and people swim in it again. The river is clear.";
    const LIMIT: u64 = 1000;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    /// A brotli stream that stores its content (RFC 7932, 9.2), since there is no encoder here: a window of 16 bits,
    /// stored meta-blocks of at most 100 bytes, and an empty last one.
    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let (mut out, mut bits, mut filled) = (Vec::new(), 0u32, 0);
        let mut put = |out: &mut Vec<u8>, value: u32, width: u32, align: bool| {
            bits |= value << filled;
            filled += width;
            while filled >= 8 || align && filled > 0 {
                out.push(bits as u8);
                bits >>= 8;
                filled = filled.saturating_sub(8);
            }
        };
        put(&mut out, 0, 1, false);
        for block in bytes.chunks(100) {
            // Not the last, four nibbles of length, stored.
            put(&mut out, 0, 3, false);
            put(&mut out, block.len() as u32 - 1, 16, false);
            put(&mut out, 1, 1, true);
            out.extend_from_slice(block);
        }
        put(&mut out, 3, 2, true);
        out
    }

    /// The body of an answer that names these codings comes out as TEXT, or as what of it `want` names, and the
    /// oddities begin with these words.
    fn check(codings: &str, body: &[u8], want: &[u8], odd: &[&str]) {
        check_typed("text/html", codings, body, want, odd);
    }

    fn check_typed(media: &str, codings: &str, body: &[u8], want: &[u8], odd: &[&str]) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Encoding: {codings}\r\n\r\n");
        let (undone, oddities) = undo(&Head::read(head.as_bytes()), body.to_vec(), LIMIT);
        assert_eq!(undone, want, "{codings}: {:?} {oddities:?}", String::from_utf8_lossy(&undone));
        let begins = oddities.len() == odd.len() && oddities.iter().zip(odd).all(|(one, odd)| one.starts_with(odd));
        assert!(begins, "{codings}: {oddities:?} instead of {odd:?}");
    }

    #[test]
    fn codings_are_undone_from_the_last() {
        check("", TEXT, TEXT, &[]);
        check("identity", TEXT, TEXT, &[]);
        check("gzip", &gzip(TEXT), TEXT, &[]);
        check("X-GZip", &gzip(TEXT), TEXT, &[]);
        check("deflate", &zlib(TEXT), TEXT, &[]);
        check("deflate", &raw(TEXT), TEXT, &[]);
        check("br", &brotli(TEXT), TEXT, &[]);
        check("zstd", &zstd(TEXT), TEXT, &[]);
        check("deflate, gzip", &gzip(&zlib(TEXT)), TEXT, &[]);
        check("zstd, br, deflate, gzip", &gzip(&raw(&brotli(&zstd(TEXT)))), TEXT, &[]);
        check("gzip", &gzip(b""), b"", &[]);
        check("gzip", b"", b"", &[]);
        check("br", b"", b"", &[]);
    }

    #[test]
    fn a_coding_may_come_in_pieces() {
        check("gzip", &[gzip(&TEXT[..9]), gzip(&TEXT[9..])].concat(), TEXT, &[]);
        check("gzip", &[gzip(TEXT), gzip(b""), vec![0; 30]].concat(), TEXT, &[]);
        check(
            "zstd",
            &[zstd(&TEXT[..9]), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(&TEXT[9..])].concat(),
            TEXT,
            &[],
        );
    }

    #[test]
    fn what_is_mislabelled_is_read_by_what_it_is() {
        check("gzip", TEXT, TEXT, &["not gzip: "]);
        check("deflate", TEXT, TEXT, &["not deflate: "]);
        check("deflate", b"\nplain text of no kind", b"\nplain text of no kind", &["not deflate: "]);
        check("br", TEXT, TEXT, &["not br: "]);
        check("zstd", TEXT, TEXT, &["not zstd: "]);
        check("gzip", "\u{feff}这一页没有压缩".as_bytes(), "\u{feff}这一页没有压缩".as_bytes(), &["not gzip: "]);
        check("utf-8", TEXT, TEXT, &["not utf-8: an unknown coding"]);
        check("utf-8", &gzip(TEXT), TEXT, &["said to be utf-8, is gzip"]);
        check("", &gzip(TEXT), TEXT, &["gzip, which the head does not say"]);
        check("", &zstd(TEXT), TEXT, &["zstd, which the head does not say"]);
        check("br", &gzip(TEXT), TEXT, &["said to be br, is gzip"]);
        check("deflate", &gzip(TEXT), TEXT, &["said to be deflate, is gzip"]);
        check("zstd", &gzip(TEXT), TEXT, &["said to be zstd, is gzip"]);
        check("gzip", &zstd(TEXT), TEXT, &["said to be gzip, is zstd"]);
        check("gzip", &zlib(TEXT), TEXT, &["said to be gzip, is deflate"]);
        check("gzip", &brotli(TEXT), TEXT, &["said to be gzip, is br"]);
        check("gzip", &gzip(&gzip(TEXT)), TEXT, &["gzip, which the head does not say"]);
        check("gzip, gzip", &gzip(TEXT), TEXT, &["not gzip: "]);
        check("gzip, br", &gzip(TEXT), TEXT, &["said to be br, is gzip", "not gzip: "]);
        check("br, gzip", &gzip(TEXT), TEXT, &["not br: "]);
        check("gzip", b"\x1f\x8b\x08", b"\x1f\x8b\x08", &["not gzip: "]);
        check("", b"\x1f\x8b\x08 and no more of it", b"\x1f\x8b\x08 and no more of it", &[]);
    }

    #[test]
    fn a_file_that_is_an_archive_stays_one() {
        check_typed("application/gzip", "", &gzip(TEXT), &gzip(TEXT), &[]);
        check_typed("application/octet-stream", "gzip", &gzip(&gzip(TEXT)), &gzip(TEXT), &[]);
        check_typed("application/rss+xml", "", &gzip(TEXT), TEXT, &["gzip, which the head does not say"]);
    }

    #[test]
    fn what_breaks_off_is_read_as_far_as_it_goes() {
        // Letters in no order, so that they do not pack to next to nothing.
        let mut state = 1u32;
        let mut letter = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'A' + (state >> 28) as u8
        };
        let long: Vec<u8> = std::iter::repeat_with(&mut letter).take(900).collect();
        for (name, packed) in
            [("gzip", gzip(&long)), ("deflate", zlib(&long)), ("deflate", raw(&long)), ("br", brotli(&long))]
        {
            let head = Head::read(format!("HTTP/1.1 200 OK\r\nContent-Encoding: {name}\r\n\r\n").as_bytes());
            let (undone, odd) = undo(&head, packed[..packed.len() * 3 / 4].to_vec(), LIMIT);
            assert!(long.starts_with(&undone) && undone.len() > 500, "{name}: {} bytes", undone.len());
            assert!(odd.len() == 1 && odd[0].contains("damaged or ends early"), "{name}: {odd:?}");
        }
        let mut damaged = gzip(TEXT);
        let checksum = damaged.len() - 6;
        damaged[checksum] ^= 1;
        check("gzip", &damaged, TEXT, &["gzip is damaged"]);
        check(
            "gzip",
            &[gzip(TEXT), b"<!-- 12 ms -->".to_vec()].concat(),
            TEXT,
            &["what stands behind the end of gzip"],
        );
        check("deflate", &[zlib(TEXT), b"x".to_vec()].concat(), TEXT, &["what stands behind the end of deflate"]);
        check("br", &[brotli(TEXT), b"xyz".to_vec()].concat(), TEXT, &["what stands behind the end of br"]);
        check("zstd", &[zstd(TEXT), b"xyz".to_vec()].concat(), TEXT, &["what stands behind the end of zstd"]);
    }

    #[test]
    fn nothing_unpacks_beyond_the_limit() {
        let zeros = vec![b'a'; 5_000_000];
        for (name, packed) in [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("zstd", zstd(&zeros))] {
            check(name, &packed, &zeros[..LIMIT as usize], &["unpacks to more than 1000 bytes"]);
        }
        let in_pieces = [gzip(&zeros[..600]), gzip(&zeros[..600])].concat();
        check("gzip", &in_pieces, &zeros[..LIMIT as usize], &["unpacks to more than 1000 bytes"]);
        check("gzip", &gzip(&zeros[..LIMIT as usize]), &zeros[..LIMIT as usize], &[]);
        check("gzip, gzip, gzip", &gzip(&gzip(&gzip(&zeros[..900]))), &zeros[..900], &[]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_undone(
            codings in "(gzip|deflate|br|zstd|,|x){0,6}",
            bytes in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let head = Head::read(format!("HTTP/1.1 200 OK\r\nContent-Encoding: {codings}\r\n\r\n").as_bytes());
            for magic in [&b""[..], b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"\x78\x9c"] {
                prop_assert!(undo(&head, [magic, &bytes].concat(), LIMIT).0.len() <= LIMIT as usize + 4);
            }
        }
    }
}
