//! Charsets by the WHATWG rules: byte order mark, then header, then `<meta>`, then a guess.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, GB18030, GBK, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE};

use super::media;

mod prescan;
#[cfg(test)]
mod tests;

/// Where a charset was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CharsetFrom {
    /// A byte order mark.
    Bom,
    /// The `Content-Type` field.
    Header,
    /// A `<meta>` element, or an XML declaration.
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
pub struct Decoded<'a> {
    /// The text, without a byte order mark; U+FFFD stands for what could not be read.
    pub text: Cow<'a, str>,
    /// The WHATWG name of the charset used.
    pub name: &'static str,
    /// Where it was learnt.
    pub from: CharsetFrom,
    /// What the header names, else the page: by its WHATWG name, or as written when it is the name of none.
    pub declared: Option<String>,
    /// How the witnesses contradict one another, for a person.
    pub odd: Option<String>,
}

impl Decoded<'_> {
    /// The charset used.
    pub fn encoding(&self) -> &'static Encoding {
        Encoding::for_label(self.name.as_bytes()).unwrap_or(UTF_8)
    }
}

/// How much is read to judge a label or to guess: enough for any page to show its language.
const SAMPLE: usize = 64 * 1024;

/// Characters beyond ASCII that a text must have before its bytes may refute its label.
const EVIDENCE: usize = 12;

/// Continuation bytes, two in a Chinese character, that no other charset gives the form of UTF-8 by chance. A word or
/// two it may: «联通» in GBK is the famous one.
const SURE: usize = 8;

/// Decodes a document. `content_type` is the value of its `Content-Type` field; `host` helps to guess.
///
/// The order of witnesses is the standard's. Two steps go beyond it, because browsers show what follows from a wrong
/// label as rubbish while readers of an archive search it:
///
/// - a label that the bytes refute gives way to what they are: UTF-8 under another name (which other text is not by
///   accident), another charset under the name of UTF-8, bytes that the declared charset has no characters for;
/// - a page without label is guessed with all of the detector's means, UTF-8 and ISO-2022-JP included: archived text
///   runs no scripts, so browsers' reasons to be careful do not hold here.
///
/// A `<meta>` beyond the first 1024 bytes counts where nothing else is declared: browsers that meet one while parsing
/// begin anew with it (HTML, 13.2.3.5).
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, host: Option<&str>) -> Decoded<'a> {
    let header = content_type.and_then(media::charset).map(Label::new);
    let by_header = header.as_ref().and_then(|label| label.encoding);
    let markup = prescan::label(bytes, by_header.is_none());
    let by_markup = markup.as_ref().and_then(|label| label.encoding);

    let declared = by_header.map(|encoding| (encoding, CharsetFrom::Header));
    let declared = declared.or_else(|| Some((by_markup?, CharsetFrom::Meta)));
    let named = header.as_ref().filter(|_| by_header.is_some() || markup.is_none()).or(markup.as_ref());
    let named = named.map(Label::name);
    let (encoding, from, skip) = match (Encoding::for_bom(bytes), declared) {
        (Some((encoding, skip)), _) => (encoding, CharsetFrom::Bom, skip),
        (None, Some((encoding, from))) => match refuting(bytes, encoding, by_markup, host) {
            Some(encoding) => (encoding, CharsetFrom::Guess, 0),
            None => (encoding, from, 0),
        },
        (None, None) => (guess(bytes, host), CharsetFrom::Guess, 0),
    };
    let odd = contradiction(encoding, from, [header.as_ref(), markup.as_ref()]);
    let (text, _) = encoding.decode_without_bom_handling(&bytes[skip..]);
    Decoded { text, name: encoding.name(), from, declared: named, odd }
}

/// A charset's name as somebody wrote it.
struct Label {
    written: String,
    encoding: Option<&'static Encoding>,
}

impl Label {
    fn new(written: &str) -> Label {
        Label { written: written.chars().take(40).collect(), encoding: Encoding::for_label(written.as_bytes()) }
    }

    fn name(&self) -> String {
        self.encoding.map_or_else(|| self.written.clone(), |encoding| encoding.name().to_owned())
    }
}

/// What the header and the page say against the charset used and against each other.
fn contradiction(used: &'static Encoding, from: CharsetFrom, labels: [Option<&Label>; 2]) -> Option<String> {
    let differs = |label: &Label| label.encoding.is_none_or(|encoding| !is_same(encoding, used));
    let sides = labels.into_iter().zip(["the header", "the page"]);
    let against = sides.filter_map(|(label, side)| Some((label.filter(|label| differs(label))?, side)));
    let against: Vec<String> = against
        .map(|(label, side)| match label.encoding {
            Some(encoding) => format!("{side} says {}", encoding.name()),
            None => format!("{side} says «{}», which is no charset", label.written),
        })
        .collect();
    let why = match from {
        CharsetFrom::Bom => ", as its byte order mark says",
        CharsetFrom::Guess => ", by what its bytes look like",
        CharsetFrom::Header | CharsetFrom::Meta => "",
    };
    (!against.is_empty()).then(|| format!("charset: {}; read as {}{why}", against.join(", "), used.name()))
}

/// GBK and gb18030 are one to a reader.
fn is_same(one: &'static Encoding, other: &'static Encoding) -> bool {
    let family = |encoding| if encoding == GB18030 { GBK } else { encoding };
    family(one) == family(other)
}

/// What the bytes are, when they are not what is declared.
fn refuting(
    bytes: &[u8],
    declared: &'static Encoding,
    by_markup: Option<&'static Encoding>,
    host: Option<&str>,
) -> Option<&'static Encoding> {
    if declared == UTF_16LE || declared == UTF_16BE {
        // Markup in UTF-16 is full of zeros.
        let start = &bytes[..bytes.len().min(SAMPLE)];
        return (!start.is_empty() && !start.contains(&0)).then(|| guess(bytes, host));
    }
    let sample = sample(bytes);
    if sample.is_ascii() && declared != REPLACEMENT {
        return None;
    }
    if declared == UTF_8 {
        return is_hardly_utf8(sample).then(|| guess(bytes, host));
    }
    if is_surely_utf8(sample) {
        return Some(UTF_8);
    }
    if declared == REPLACEMENT {
        // Browsers show nothing of it, lest a page be read in two ways; its markup still names pictures and links.
        return Some(guess(bytes, host));
    }
    if declared.is_single_byte() {
        // A server's default, which the page knows better. It has a character for every byte and refutes nothing.
        let by_markup = by_markup.filter(|encoding| !encoding.is_single_byte() && !is_same(encoding, declared))?;
        let is_it = garbled(sample, by_markup) == (0, Evidence::Enough) && is_same(guess(bytes, host), by_markup);
        return is_it.then_some(by_markup);
    }
    let (errors, _) = garbled(sample, declared);
    if errors < EVIDENCE || errors * 10 < beyond_ascii(sample) / 2 {
        return None;
    }
    let guess = guess(bytes, host);
    (garbled(sample, guess).0 * 10 < errors).then_some(guess)
}

/// Whether a text is long enough to speak for itself.
#[derive(PartialEq, Eq)]
enum Evidence {
    Enough,
    Little,
}

/// How many errors there are in a text read so.
fn garbled(bytes: &[u8], encoding: &'static Encoding) -> (usize, Evidence) {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let beyond = text.chars().filter(|c| !c.is_ascii());
    let (errors, all) =
        beyond.fold((0, 0), |(errors, all), c| (errors + usize::from(c == char::REPLACEMENT_CHARACTER), all + 1));
    (errors, if all >= EVIDENCE { Evidence::Enough } else { Evidence::Little })
}

/// The part that tells one charset from another: from the first byte on that is more than ASCII.
fn sample(bytes: &[u8]) -> &[u8] {
    let first = bytes.iter().position(|byte| !byte.is_ascii() || *byte == ESCAPE).unwrap_or(bytes.len());
    &bytes[first..bytes.len().min(first + SAMPLE)]
}

/// Leads from ASCII to Japanese in ISO-2022-JP.
const ESCAPE: u8 = 0x1b;

fn beyond_ascii(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !byte.is_ascii()).count()
}

/// What the bytes look like; a sample of them is looked at.
fn guess(bytes: &[u8], host: Option<&str>) -> &'static Encoding {
    if let Some(encoding) = zeros(bytes) {
        return encoding;
    }
    let sample = sample(bytes);
    // Most pages are, and the detector takes longer over it than the parser does over the page.
    if errors_of_utf8(sample) == 0 && !sample.contains(&ESCAPE) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, sample.len() < SAMPLE);
    let domain = host.and_then(|host| host.rsplit('.').next()).map(str::to_ascii_lowercase);
    let domain = domain.filter(|domain| domain.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
    detector.guess(domain.as_deref().map(str::as_bytes), Utf8Detection::Allow)
}

/// Markup in UTF-16 without its mark: every other byte of it is zero.
fn zeros(bytes: &[u8]) -> Option<&'static Encoding> {
    let start = &bytes[..bytes.len().min(1024)];
    let at = |odd: usize| start.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count() * 4;
    match (at(0), at(1)) {
        (even, odd) if odd > start.len() && even * 8 < odd => Some(UTF_16LE),
        (even, odd) if even > start.len() && odd * 8 < even => Some(UTF_16BE),
        _ => None,
    }
}

/// More than a quarter of the bytes beyond ASCII are errors: a cut or patched UTF-8 page has a handful, text in
/// another charset has hardly anything else.
fn is_hardly_utf8(bytes: &[u8]) -> bool {
    errors_of_utf8(bytes) * 4 > beyond_ascii(bytes)
}

/// Bytes in the form of UTF-8, and hardly an error among them: pages moved to UTF-8 often keep their old label.
fn is_surely_utf8(bytes: &[u8]) -> bool {
    let beyond = |text: &str| text.chars().map(|c| c.len_utf8() - 1).sum::<usize>();
    let beyond: usize = bytes.utf8_chunks().map(|chunk| beyond(chunk.valid())).sum();
    beyond >= SURE && errors_of_utf8(bytes) * 20 <= beyond
}

/// How many sequences are not UTF-8; one that is cut off at the end of a sample is none.
fn errors_of_utf8(bytes: &[u8]) -> usize {
    let mut chunks = bytes.utf8_chunks().filter(|chunk| !chunk.invalid().is_empty()).peekable();
    let mut errors = 0;
    while let Some(chunk) = chunks.next() {
        let is_cut = chunks.peek().is_none()
            && bytes.len() == SAMPLE
            && std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none())
            && bytes.ends_with(chunk.invalid());
        errors += usize::from(!is_cut);
    }
    errors
}
