//! Whether bytes are a picture, which one by its own marks, how large, and whether it is there to its end.
//!
//! [`inspect`] reads the structure of the format, never the pixels: a file that ends where its format says it ends was
//! not cut on its way. It is pure, linear, and takes any bytes.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::media::{self, Kind};

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The media type by its first bytes.
    pub media: Option<&'static str>,
    /// Width and height in its own pixels, where the format says.
    pub size: Option<(u32, u32)>,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
}

/// Why bytes that came for a picture are none, or not all of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Nothing came.
    Empty,
    /// A page, or another text, came in its place.
    Page,
    /// It is no picture that is known here.
    Unknown,
    /// Its end is missing.
    Cut,
    /// Its beginning cannot be read.
    Broken,
}

impl Flaw {
    /// The word in columns and records.
    pub fn as_str(self) -> &'static str {
        match self {
            Flaw::Empty => "empty",
            Flaw::Page => "a page in its place",
            Flaw::Unknown => "no picture",
            Flaw::Cut => "cut off",
            Flaw::Broken => "broken",
        }
    }

    /// What this word in a column says; none for a word of another version.
    pub fn of_word(word: &str) -> Option<Flaw> {
        use Flaw::{Broken, Cut, Empty, Page, Unknown};
        [Empty, Page, Unknown, Cut, Broken].into_iter().find(|flaw| flaw.as_str() == word)
    }

    /// Something else stands where the picture would be; of the others there is at least a part.
    pub fn is_no_picture(self) -> bool {
        matches!(self, Flaw::Empty | Flaw::Page | Flaw::Unknown)
    }
}

/// Looks at the bytes that came for a picture; with `whole`, they are all that came, and its end is looked for.
pub fn inspect(bytes: &[u8], whole: bool) -> Picture {
    let media = media::picture(bytes);
    let size = size(bytes);
    let flaw = match media {
        _ if bytes.is_empty() => Some(Flaw::Empty),
        // A vector may have no size; a format that only its size is read of (TIFF, HEIF, JPEG XL) has no end we know.
        None if size.is_some() => None,
        None if is_text(bytes) => Some(Flaw::Page),
        None => Some(Flaw::Unknown),
        Some("image/svg+xml") => svg_flaw(bytes).filter(|flaw| whole || *flaw != Flaw::Cut),
        Some(_) if whole && media.and_then(|media| ends(media, bytes)).is_none() => Some(Flaw::Cut),
        Some(_) if size.is_none_or(|(width, height)| width == 0 || height == 0) => Some(Flaw::Broken),
        Some(_) => None,
    };
    Picture { media, size, flaw }
}

fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(bytes).ok()?;
    Some((u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?))
}

/// Markup, JSON, or any text: what stands at the beginning has no byte that no text has.
fn is_text(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(512)];
    !matches!(Kind::of(None, bytes), Kind::Other | Kind::Image)
        || !start.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace())
}

/// Something, when the end that the format knows is there.
fn ends(media: &str, bytes: &[u8]) -> Option<()> {
    let is_there = match media {
        "image/png" => return png_ends(bytes),
        "image/jpeg" => return jpeg_ends(bytes),
        "image/gif" => return gif_ends(bytes),
        "image/avif" => return boxes_end(bytes),
        "image/webp" => u64::from(u32::from_le_bytes(four(bytes, 4)?)) + 8 <= bytes.len() as u64,
        "image/bmp" => u32::from_le_bytes(four(bytes, 2)?) as usize <= bytes.len(),
        "image/x-icon" => {
            let count = usize::from(u16::from_le_bytes([*bytes.get(4)?, *bytes.get(5)?]));
            let end = |entry: usize| {
                let (len, offset) = (four(bytes, 6 + entry * 16 + 8)?, four(bytes, 6 + entry * 16 + 12)?);
                Some(u64::from(u32::from_le_bytes(len)) + u64::from(u32::from_le_bytes(offset)))
            };
            (0..count).all(|entry| end(entry).is_some_and(|end| end <= bytes.len() as u64))
        }
        _ => true,
    };
    is_there.then_some(())
}

fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok()
}

/// Chunk after chunk (length, type, data, checksum) up to `IEND` (PNG, 5.3).
fn png_ends(bytes: &[u8]) -> Option<()> {
    let mut at = 8usize;
    loop {
        let len = u32::from_be_bytes(four(bytes, at)?) as usize;
        let kind = four(bytes, at + 4)?;
        at = at.checked_add(len)?.checked_add(12)?;
        if kind == *b"IEND" {
            return (at <= bytes.len()).then_some(());
        }
    }
}

/// Segment after segment, and through the coded data, up to the marker `EOI` (ITU T.81, B.1.1).
fn jpeg_ends(bytes: &[u8]) -> Option<()> {
    let mut at = 2usize;
    loop {
        // Between segments stands nothing but fill bytes; in coded data, a marker is what follows 0xff and is neither
        // a stuffed zero nor a restart.
        if *bytes.get(at)? != 0xff {
            at += 1;
            continue;
        }
        match *bytes.get(at + 1)? {
            0xd9 => return Some(()),
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let len = u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]);
                at += 2 + usize::from(len.max(2));
            }
        }
    }
}

/// Block after block up to the trailer (GIF89a, 27).
fn gif_ends(bytes: &[u8]) -> Option<()> {
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3usize << ((flags & 7) + 1) };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x3b => return Some(()),
            0x2c => at += 11 + table(*bytes.get(at + 9)?),
            0x21 => at += 2,
            // Padding between blocks, which every viewer passes over.
            0 => {
                at += 1;
                continue;
            }
            _ => return None,
        }
        loop {
            let len = usize::from(*bytes.get(at)?);
            at += 1 + len;
            if len == 0 {
                break;
            }
        }
    }
}

/// Box after box, each whole (ISO/IEC 14496-12, 4.2).
fn boxes_end(bytes: &[u8]) -> Option<()> {
    let mut at = 0usize;
    while at < bytes.len() {
        let len = match u32::from_be_bytes(four(bytes, at)?) {
            0 => return Some(()),
            1 => {
                let eight: [u8; 8] = bytes.get(at + 8..at + 16)?.try_into().ok()?;
                usize::try_from(u64::from_be_bytes(eight)).ok()?
            }
            len => len as usize,
        };
        at = at.checked_add(len.max(8))?;
    }
    (at == bytes.len()).then_some(())
}

/// Element after element until the root is closed. Browsers show an SVG only up to where its XML is wrong; what stands
/// behind the root is nobody's business.
fn svg_flaw(bytes: &[u8]) -> Option<Flaw> {
    // In whatever charset it is, markup is ASCII.
    let text = String::from_utf8_lossy(bytes);
    let mut reader = Reader::from_str(&text);
    let mut depth = 0u32;
    loop {
        match reader.read_event() {
            Ok(Event::Start(element) | Event::Empty(element))
                if depth == 0 && !element.local_name().as_ref().eq_ignore_ascii_case("svg") =>
            {
                return Some(Flaw::Page);
            }
            Ok(Event::Start(element)) if has_attributes(&element) => depth += 1,
            Ok(Event::Empty(element)) if has_attributes(&element) && depth == 0 => return None,
            Ok(Event::Empty(element)) if has_attributes(&element) => {}
            Ok(Event::Start(_) | Event::Empty(_)) => return Some(Flaw::Broken),
            Ok(Event::End(_)) if depth == 1 => return None,
            Ok(Event::End(_)) => depth = depth.saturating_sub(1),
            Ok(Event::Eof) | Err(quick_xml::Error::Syntax(_)) => return Some(Flaw::Cut),
            Ok(_) => {}
            Err(_) => return Some(Flaw::Broken),
        }
    }
}

/// They can be read. Whether one stands there twice would take the square of their number to know.
fn has_attributes(element: &BytesStart<'_>) -> bool {
    element.attributes().with_checks(false).all(|attribute| attribute.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0....\0\0\0\0IEND\xaeB`\x82";
    const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x04..\xff\xc0\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0\
        \xff\xda\0\x08\x01\x01\0\0\x3f\0ab\xff\0c\xff\xd0d\xff\xd9";
    const GIF: &[u8] = b"GIF89a\x03\0\x02\0\x80\0\0......\x21\xf9\x04....\0\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02xx\0\x3b";
    const WEBP: &[u8] = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x02\0\0\x01\0\0VP8L\0\0\0\0";
    const SVG: &[u8] = b"<?xml version='1.0'?><svg xmlns='x'><g/></svg>\n";

    #[test]
    fn a_picture_is_whole_when_its_end_is_there() {
        for (bytes, media) in [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp")] {
            let seen = inspect(bytes, true);
            assert_eq!(seen, Picture { media: Some(media), size: Some((3, 2)), flaw: None }, "{media}");
            let cut = &bytes[..bytes.len() - 1];
            assert_eq!(inspect(cut, true).flaw, Some(Flaw::Cut), "{media}");
            assert_eq!(inspect(cut, false).flaw, None, "{media}: nothing is said of what was not read");
            let trailed = [bytes, b"\0\0trailer"].concat();
            assert_eq!(inspect(&trailed, true).flaw, None, "{media} with more behind it");
        }
    }

    #[test]
    fn every_format_we_know_is_read_as_far_as_its_size() {
        let bmp = [&b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x03\0\0\0\x02\0\0\0"[..], &[0; 28]].concat();
        let ico = [&b"\0\0\x01\0\x01\0\x03\x02\0\0\x01\0\x20\0\x04\0\0\0\x16\0\0\0"[..], b"pxls"].concat();
        let boxed = |brand: &[u8]| {
            let ispe = b"\0\0\0\x14ispe\0\0\0\0\0\0\0\x03\0\0\0\x02";
            let nested = [b"\0\0\0\x30meta\0\0\0\0\0\0\0\x24iprp\0\0\0\x1cipco", &ispe[..]].concat();
            [b"\0\0\0\x14ftyp", brand, b"\0\0\0\0", brand, &nested].concat()
        };
        let tiff = b"II*\0\x08\0\0\0\x02\0\0\x01\x03\0\x01\0\0\0\x03\0\0\0\x01\x01\x03\0\x01\0\0\0\x02\0\0\0\0\0\0\0";
        for (name, bytes, media) in [
            ("BMP", &bmp[..], Some("image/bmp")),
            ("ICO", &ico, Some("image/x-icon")),
            ("AVIF", &boxed(b"avif"), Some("image/avif")),
            ("HEIF", &boxed(b"heic"), None),
            ("TIFF", tiff, None),
        ] {
            assert_eq!(inspect(bytes, true), Picture { media, size: Some((3, 2)), flaw: None }, "{name}");
        }
        for (name, bytes, flaw) in [
            ("BMP", &bmp[..40], Flaw::Cut),
            ("ICO", &ico[..24], Flaw::Cut),
            ("AVIF", &boxed(b"avif")[..60], Flaw::Cut),
            ("GIF", b"GIF89a\0\0\0\0\0\0\0\x3b", Flaw::Broken),
        ] {
            assert_eq!(inspect(bytes, true).flaw, Some(flaw), "{name}");
        }
    }

    #[test]
    fn what_is_no_picture_is_told_from_what_is_a_part_of_one() {
        for (bytes, want) in [
            (&b""[..], Some(Flaw::Empty)),
            (b"<!DOCTYPE html><title>Forbidden</title>", Some(Flaw::Page)),
            (b"<html><body><svg></svg></body></html>", Some(Flaw::Page)),
            (b"{\"error\": 403}", Some(Flaw::Page)),
            (b"not found", Some(Flaw::Page)),
            (b"\0\x01\x02\x03", Some(Flaw::Unknown)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\0IEND....", Some(Flaw::Broken)),
            (b"\xff\xd8\xff\xe0", Some(Flaw::Cut)),
            (b"\0\0\0\x14ftypavif\0\0\0\0avif\0\0\0\x20meta", Some(Flaw::Cut)),
            (SVG, None),
            (b"<svg/>", None),
            (b"<svg xmlns='x'><g>", Some(Flaw::Cut)),
            (b"<svg xmlns='x'><g></g></sv", Some(Flaw::Cut)),
            (b"<svg xmlns='x'><g></g><!-- </svg>", Some(Flaw::Cut)),
            (b"<svg><path d='M0 0", Some(Flaw::Cut)),
            (b"<svg><title>a > b</title><text>no </svg></text>", Some(Flaw::Broken)),
            (b"<svg><g></svg>", Some(Flaw::Broken)),
            (b"<svg><g a=1 b></g></svg>", Some(Flaw::Broken)),
            (b"<!-- x --><svg xmlns:s='x'><s:g/></svg><!-- and more", None),
            (
                b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x' [<!ENTITY n 'v'>]><svg>&n;<![CDATA[<g>]]></svg>",
                None,
            ),
            (b"<svg><style>a { b: c }</style><script>if (1 > 0) f()</script></svg>", None),
            (b"<?xml version='1.0'?><html><body><svg></svg></body></html>", Some(Flaw::Page)),
        ] {
            assert_eq!(inspect(bytes, true).flaw, want, "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at(
            start in 0usize..8,
            tail in proptest::collection::vec(any::<u8>(), 0..200),
            whole: bool,
        ) {
            let marks: [&[u8]; 8] =
                [b"", &PNG[..8], &JPEG[..2], &GIF[..6], &WEBP[..12], b"\0\0\0\x10ftypavif", b"BM", b"\0\0\x01\0"];
            let bytes = [marks[start], &tail].concat();
            let _ = inspect(&bytes, whole);
        }
    }
}
