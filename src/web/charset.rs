//! Charsets by the WHATWG rules: byte order mark, then header, then `<meta>`, then a guess.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::media;

/// Where a charset was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharsetFrom {
    /// A byte order mark.
    Bom,
    /// The `Content-Type` field.
    Header,
    /// A `<meta>` element.
    Meta,
    /// A guess from the bytes.
    Guess,
}

impl CharsetFrom {
    /// The word in results.
    pub fn as_str(self) -> &'static str {
        match self {
            CharsetFrom::Bom => "bom",
            CharsetFrom::Header => "header",
            CharsetFrom::Meta => "meta",
            CharsetFrom::Guess => "guess",
        }
    }
}

/// Text made of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text, without a byte order mark; U+FFFD stands for what could not be read.
    pub text: String,
    /// The WHATWG name of the charset used.
    pub name: &'static str,
    /// Where it was learnt.
    pub from: CharsetFrom,
    /// The charset that was declared, when the bytes refute it and a guess was used.
    pub refuted: Option<&'static str>,
}

impl Decoded {
    /// The charset used.
    pub fn encoding(&self) -> &'static Encoding {
        Encoding::for_label(self.name.as_bytes()).unwrap_or(UTF_8)
    }
}

/// Characters beyond ASCII that no other charset gives the form of UTF-8 by chance.
const SURE: usize = 4;

/// How far a `<meta>` is looked for (HTML, 13.2.3.2).
const PRESCAN: usize = 1024;

/// How much the detector reads: enough for any page to show its language.
const GUESS: usize = 64 * 1024;

/// Decodes a document. `content_type` is the value of its `Content-Type` field.
///
/// One step goes beyond the standard: text declared as UTF-8 of which most is no UTF-8 is guessed, because browsers
/// showed such pages as rubbish but readers of an archive search them.
pub fn decode(bytes: &[u8], content_type: Option<&str>) -> Decoded {
    if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        return decoded(&bytes[length..], encoding, CharsetFrom::Bom);
    }
    let header = content_type.and_then(media::charset).and_then(|label| Encoding::for_label(label.as_bytes()));
    let declared = header.map(|encoding| (encoding, CharsetFrom::Header));
    let declared = declared.or_else(|| Some((prescan(&bytes[..bytes.len().min(PRESCAN)])?, CharsetFrom::Meta)));
    match declared {
        Some((encoding, _)) if encoding == UTF_8 && is_hardly_utf8(bytes) => {
            Decoded { refuted: Some(UTF_8.name()), ..decoded(bytes, guess(bytes), CharsetFrom::Guess) }
        }
        Some((encoding, _)) if encoding != UTF_8 && is_surely_utf8(bytes) => {
            Decoded { refuted: Some(encoding.name()), ..decoded(bytes, UTF_8, CharsetFrom::Guess) }
        }
        Some((encoding, from)) => decoded(bytes, encoding, from),
        None => decoded(bytes, guess(bytes), CharsetFrom::Guess),
    }
}

fn decoded(bytes: &[u8], encoding: &'static Encoding, from: CharsetFrom) -> Decoded {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), name: encoding.name(), from, refuted: None }
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[..bytes.len().min(GUESS)], bytes.len() <= GUESS);
    // Archived text runs no scripts, so the reason for browsers not to guess UTF-8 does not hold here.
    detector.guess(None, Utf8Detection::Allow)
}

/// More than a quarter of the bytes beyond ASCII are errors: a cut or patched UTF-8 page has a handful, text in
/// another charset has hardly anything else.
fn is_hardly_utf8(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(GUESS)];
    let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    let errors = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).count();
    errors * 4 > beyond
}

/// Several characters beyond ASCII and not one error, but for a last character that is cut: text in another charset is
/// hardly ever valid UTF-8 by chance, and pages moved to UTF-8 often keep their old label.
fn is_surely_utf8(bytes: &[u8]) -> bool {
    let mut beyond = 0;
    for chunk in bytes.utf8_chunks() {
        beyond += chunk.valid().chars().filter(|c| !c.is_ascii()).take(SURE).count();
        if !chunk.invalid().is_empty() && chunk.invalid().as_ptr_range().end != bytes.as_ptr_range().end {
            return false;
        }
    }
    beyond >= SURE
}

/// The charset a `<meta>` names (HTML, 13.2.3.2, "prescan a byte stream to determine its encoding").
fn prescan(bytes: &[u8]) -> Option<&'static Encoding> {
    let mut scan = Scan { bytes, at: 0 };
    while let Some(rest) = scan.bytes.get(scan.at..).filter(|rest| !rest.is_empty()) {
        let name_at = if rest.starts_with(b"</") { 2 } else { 1 };
        if rest.starts_with(b"<!--") {
            // The dashes of `<!-->` count for both ends.
            scan.at += 2;
            scan.skip_past(b"-->")?;
        } else if rest.len() > 5
            && rest[..5].eq_ignore_ascii_case(b"<meta")
            && (rest[5].is_ascii_whitespace() || rest[5] == b'/')
        {
            scan.at += 5;
            if let Some(encoding) = scan.meta() {
                return Some(encoding);
            }
        } else if rest[0] == b'<' && rest.get(name_at).is_some_and(u8::is_ascii_alphabetic) {
            scan.at += rest.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>').unwrap_or(rest.len());
            while scan.attribute().is_some() {}
        } else if rest.starts_with(b"<!") || rest.starts_with(b"</") || rest.starts_with(b"<?") {
            scan.skip_past(b">")?;
        } else {
            scan.at += 1;
        }
    }
    None
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

    /// The charset of the `<meta>` whose attributes begin here.
    fn meta(&mut self) -> Option<&'static Encoding> {
        let (mut pragma, mut charset, mut content) = (false, None, None);
        while let Some((name, value)) = self.attribute() {
            match name.as_str() {
                "http-equiv" => pragma = value == "content-type",
                "charset" if charset.is_none() => charset = Some(value),
                "content" if content.is_none() => content = charset_in(&value),
                _ => {}
            }
        }
        let label = charset.or(content.filter(|_| pragma))?;
        let encoding = Encoding::for_label(label.as_bytes())?;
        // Whoever could read the meta was not reading UTF-16.
        if encoding == UTF_16LE || encoding == UTF_16BE {
            return Some(UTF_8);
        }
        Some(if encoding.name() == "x-user-defined" { WINDOWS_1252 } else { encoding })
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
    let (_, rest) = content.split_once("charset")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let value = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split(quote).next()?,
        _ => rest.split([';', ' ', '\t', '\n', '\r']).next()?,
    };
    Some(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_nearest_witness_decides() {
        use CharsetFrom::{Bom, Guess, Header, Meta};
        check(b"\xef\xbb\xbf<meta charset=gbk>", Some("text/html; charset=big5"), ("UTF-8", Bom));
        check(b"\xff\xfeh\0i\0", None, ("UTF-16LE", Bom));
        check(b"<meta charset=big5>", Some("text/html; charset=GB2312"), ("GBK", Header));
        check(b"<meta charset=big5>", Some("text/html; charset=nonsense"), ("Big5", Meta));
        check(b"<!-- <meta charset=big5> --><META\ncharset = 'gb18030' >", None, ("gb18030", Meta));
        check(b"<!--><meta charset=gbk>", None, ("GBK", Meta));
        check(b"<meta http-equiv=Content-Type content='text/html; charset=Shift_JIS'>", None, ("Shift_JIS", Meta));
        check(b"<meta content='text/html; charset=Shift_JIS'>", None, ("UTF-8", Guess));
        check(b"<meta charset=utf-16><p>x", None, ("UTF-8", Meta));
        check(b"<a title='<meta charset=big5>'><meta name=x><meta charset=gbk>", None, ("GBK", Meta));
        check(b"<meta charset=gbk", None, ("GBK", Meta));
        check("<p>\u{e4}\u{f6}\u{fc} ".repeat(50).as_bytes(), None, ("UTF-8", Guess));
        let late = [&vec![b' '; 1024][..], b"<meta charset=big5>"].concat();
        check(&late, None, ("UTF-8", Guess));
    }

    #[test]
    fn a_refuted_label_is_named() {
        let page = "<meta charset=utf-8><p>这一页其实是国标码写成的，标签写错了。".repeat(8);
        let (bytes, ..) = encoding_rs::GBK.encode(&page);
        let decoded = decode(&bytes, None);
        assert_eq!((decoded.text.as_str(), decoded.refuted), (page.as_str(), Some("UTF-8")));
        let cut = &page.as_bytes()[..page.len() - 1];
        assert_eq!(decode(cut, None).refuted, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_text(bytes in proptest::collection::vec(any::<u8>(), 0..200), label in "\\PC{0,20}") {
            let _ = decode(&bytes, Some(&format!("text/html; charset={label}")));
            let _ = decode(&[&b"<!--><meta "[..], &bytes].concat(), None);
        }
    }

    fn check(bytes: &[u8], content_type: Option<&str>, want: (&str, CharsetFrom)) {
        let decoded = decode(bytes, content_type);
        assert_eq!((decoded.name, decoded.from), want, "{}", String::from_utf8_lossy(bytes));
    }
}
