//! What the page itself names as its charset: in a `<meta>`, in an XML declaration.

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252, X_USER_DEFINED};

use super::Label;

/// How far a `<meta>` is looked for before anything else is tried (HTML, 13.2.3.2).
const PRESCAN: usize = 1024;

/// What the page names: in its first 1024 bytes a `<meta>`, else an XML declaration, else, if `late` is wanted, a
/// `<meta>` anywhere. A name that is known goes before one that is not.
pub(super) fn label(bytes: &[u8], late: bool) -> Option<Label> {
    let early = &bytes[..bytes.len().min(PRESCAN)];
    let looks: [&dyn Fn() -> Option<Label>; 3] = [&|| scan(early, Reach::Bytes), &|| xml_declaration(early), &|| {
        if late { scan(bytes, Reach::Page) } else { None }
    }];
    let mut unknown = None;
    for look in looks {
        match look() {
            Some(Label { encoding: Some(encoding), written }) => {
                return Some(Label { encoding: Some(in_markup(encoding)), written });
            }
            label => unknown = unknown.or(label),
        }
    }
    unknown
}

/// What a label means that was read byte by byte: not UTF-16, or it could not have been (HTML, 13.2.3.2).
fn in_markup(encoding: &'static Encoding) -> &'static Encoding {
    match encoding.output_encoding() {
        _ if encoding == REPLACEMENT => REPLACEMENT,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        output => output,
    }
}

/// The charset an XML declaration names, whatever the page is sent as (HTML, 13.2.3.2, "get an XML encoding").
fn xml_declaration(bytes: &[u8]) -> Option<Label> {
    let declaration = bytes.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..declaration.iter().position(|byte| *byte == b'>')?];
    let at = declaration.windows(8).position(|window| window == b"encoding")? + 8;
    let rest = declaration[at..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let label = &rest[..rest.iter().position(|byte| byte == quote)?];
    Some(Label::new(&lower(label)))
}

/// Where metas are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// In the first bytes, whatever stands around them: so says the standard.
    Bytes,
    /// Where a parser would see them: not in scripts and other raw text.
    Page,
}

/// Elements whose content is text to a parser.
const RAW: [&[u8]; 8] = [b"script", b"style", b"textarea", b"title", b"noscript", b"xmp", b"iframe", b"noframes"];

/// The charset a `<meta>` names (HTML, 13.2.3.2, "prescan a byte stream to determine its encoding"). One whose name is
/// unknown counts only if no other is known.
fn scan(bytes: &[u8], reach: Reach) -> Option<Label> {
    let mut scan = Scan { bytes, at: 0 };
    let mut unknown = None;
    while let Some(found) = scan.bytes.get(scan.at..).and_then(|rest| memchr::memchr(b'<', rest)) {
        scan.at += found;
        let rest = &scan.bytes[scan.at..];
        let name_at = if rest.starts_with(b"</") { 2 } else { 1 };
        if rest.starts_with(b"<!--") {
            // The dashes of `<!-->` count for both ends.
            scan.at += 2;
            if scan.skip_past(b"-->").is_none() {
                break;
            }
        } else if rest.len() > 5
            && rest[..5].eq_ignore_ascii_case(b"<meta")
            && (rest[5].is_ascii_whitespace() || rest[5] == b'/')
        {
            scan.at += 5;
            match scan.meta() {
                Some(label) if label.encoding.is_some() => return Some(label),
                label => unknown = unknown.or(label),
            }
        } else if rest.get(name_at).is_some_and(u8::is_ascii_alphabetic) {
            let end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
            let name = &rest[1..rest.iter().position(end).unwrap_or(rest.len()).max(1)];
            scan.at += 1 + name.len();
            while scan.attribute().is_some() {}
            if reach == Reach::Page && RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name)) {
                scan.skip_to_end_of(name);
            }
        } else if rest.starts_with(b"<!") || rest.starts_with(b"</") || rest.starts_with(b"<?") {
            if scan.skip_past(b">").is_none() {
                break;
            }
        } else {
            scan.at += 1;
        }
    }
    unknown
}

/// A position in the bytes being prescanned.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn skip_past(&mut self, end: &[u8]) -> Option<()> {
        let found = self.bytes[self.at..].windows(end.len()).position(|window| window == end)?;
        self.at += found + end.len();
        Some(())
    }

    /// Behind it no markup but its own end tag is read.
    fn skip_to_end_of(&mut self, name: &[u8]) {
        while let Some(found) = self.bytes.get(self.at..).and_then(|rest| memchr::memchr(b'<', rest)) {
            self.at += found;
            let end = self.bytes[self.at + 1..].strip_prefix(b"/").and_then(|rest| rest.get(..name.len()));
            if end.is_some_and(|end| end.eq_ignore_ascii_case(name)) {
                return;
            }
            self.at += 1;
        }
        self.at = self.bytes.len();
    }

    /// The charset of the `<meta>` whose attributes begin here. The first attribute of a name counts.
    fn meta(&mut self) -> Option<Label> {
        let (mut pragma, mut charset, mut content) = (None, None, None);
        while let Some((name, value)) = self.attribute() {
            match name.as_str() {
                "http-equiv" if pragma.is_none() => pragma = Some(value == "content-type"),
                "charset" if charset.is_none() => charset = Some(value),
                "content" if content.is_none() => content = Some(value),
                _ => {}
            }
        }
        // A tag that does not end is none, and its last name may be half of one.
        self.bytes.get(self.at - 1).filter(|byte| **byte == b'>')?;
        let by_pragma = || content.filter(|_| pragma == Some(true)).and_then(|content| charset_in(&content));
        charset.or_else(by_pragma).map(|label| Label::new(&label))
    }

    /// The next attribute of the tag, in lower case; none when the tag ends, which is then behind us.
    fn attribute(&mut self) -> Option<(String, String)> {
        self.skip(|byte| byte.is_ascii_whitespace() || byte == b'/');
        if self.peek()? == b'>' {
            self.at += 1;
            return None;
        }
        let first = self.at;
        self.at += 1;
        let rest = self.taken(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'/' | b'>'));
        let name = lower(&self.bytes[first..first + 1]) + &rest;
        self.skip(|byte| byte.is_ascii_whitespace());
        if self.peek() != Some(b'=') {
            return Some((name, String::new()));
        }
        self.at += 1;
        self.skip(|byte| byte.is_ascii_whitespace());
        let value = match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let value = self.taken(|byte| byte != quote);
                self.at += 1;
                value
            }
            _ => self.taken(|byte| !byte.is_ascii_whitespace() && byte != b'>'),
        };
        Some((name, value))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, is: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&is) {
            self.at += 1;
        }
    }

    fn taken(&mut self, is: impl Fn(u8) -> bool) -> String {
        let from = self.at;
        self.skip(is);
        lower(&self.bytes[from..self.at])
    }
}

fn lower(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_ascii_lowercase()
}

/// The charset in a `content` such as `text/html; charset=gbk` (HTML, 2.4.4). The text is in lower case already.
fn charset_in(content: &str) -> Option<String> {
    let mut rest = content;
    loop {
        rest = rest.split_once("charset")?.1.trim_ascii_start();
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_ascii_start();
        return match value.chars().next()? {
            // A quotation that does not end names nothing.
            quote @ ('"' | '\'') => value[1..].split_once(quote).map(|(label, _)| label.to_owned()),
            _ => value.split([';', ' ', '\t', '\n', '\x0c', '\r']).next().map(str::to_owned),
        };
    }
}
