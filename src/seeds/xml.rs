//! What feeds and sitemaps have in common: decoding, a lenient event reader that knows where it is, line numbers.

use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::Encoding;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use regex::bytes::Regex;

/// The charset an XML declaration names (XML 1.0, 4.3.3).
static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    // The pattern is a constant and every test of this file compiles it.
    Regex::new(r#"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]+)["']"#).expect("the pattern is valid")
});

/// The text of an XML document without byte order mark: in its declared charset, else UTF-8. What cannot be decoded
/// becomes U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let label = DECLARED.captures(bytes).and_then(|found| found.get(1));
    let declared = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    // A declaration that can be read byte by byte is not in UTF-16, whatever it says.
    let encoding = declared.map_or(encoding_rs::UTF_8, Encoding::output_encoding);
    encoding.decode_without_bom_handling(bytes).0
}

/// The local name of the first element, in lower case.
pub(super) fn root(text: &str) -> Option<String> {
    let mut reader = reader(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => return Some(unprefixed(tag.name().into_inner()).to_ascii_lowercase()),
            Ok(Event::Eof) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// A reader that forgives what real feeds get wrong: stray ampersands, end tags that fit nothing.
pub(super) fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    config.expand_empty_elements = true;
    reader
}

/// A name without its prefix.
pub(super) fn unprefixed(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// A reader's position as an index of the text it reads.
pub(super) fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

/// The value of an attribute, its entities resolved where they can be.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let value = tag.try_get_attribute(name).ok()??.value;
    Some(quick_xml::escape::unescape(&value).map_or_else(|_| value.to_string(), Cow::into_owned))
}

/// Adds what a text event, a CDATA section or a reference stands for.
pub(super) fn push_text(text: &mut String, event: &Event<'_>) {
    match event {
        Event::Text(part) => text.push_str(part),
        Event::CData(part) => text.push_str(part),
        Event::GeneralRef(reference) => push_reference(text, reference),
        _ => {}
    }
}

fn push_reference(text: &mut String, reference: &BytesRef<'_>) {
    match (reference.resolve_char_ref(), quick_xml::escape::resolve_predefined_entity(reference)) {
        (Ok(Some(c)), _) => text.push(c),
        (_, Some(resolved)) => text.push_str(resolved),
        // Unknown: as it was written.
        _ => text.extend(["&", reference, ";"]),
    }
}

/// Counts lines as offsets grow, so that numbering a whole document costs one pass over it.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Begins at the first line.
    pub(super) fn of(text: &'a str) -> Lines<'a> {
        Lines { bytes: text.as_bytes(), at: 0, line: 1 }
    }

    /// The line of an offset that is not before the last one asked for.
    pub(super) fn at(&mut self, offset: usize) -> u32 {
        let end = offset.clamp(self.at, self.bytes.len());
        let passed = self.bytes[self.at..end].iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
        self.at = end;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declared_charset_is_used() {
        assert_eq!(
            decode(b"<?xml version=\"1.0\" encoding=\"GB2312\"?><a>\xd6\xd0</a>").split_once("<a>").unwrap().1,
            "中</a>"
        );
        assert!(decode(b"<?xml version='1.0' encoding='utf-16'?><a/>").ends_with("<a/>"));
        assert_eq!(decode("<a>中</a>".as_bytes()), "<a>中</a>");
        assert_eq!(decode(b"<a>\xff</a>"), "<a>\u{fffd}</a>");
    }

    #[test]
    fn references_are_resolved_or_left() {
        let mut text = String::new();
        let mut reader = reader("a&amp;b&#x4e2d;&nbsp;&#0;<![CDATA[&amp;]]> & c");
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                event => push_text(&mut text, &event),
            }
        }
        assert_eq!(text, "a&b中&nbsp;&#0;&amp; & c");
    }
}
