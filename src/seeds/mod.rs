//! What to crawl: reads lists, feeds, sitemaps and posts into a [`Harvest`].
//!
//! [`read`] is pure. The format is told from the content, the name only breaks ties. What cannot be used is a
//! [`Reject`] with its line; the rest goes on. Any of the formats may be gzipped.

mod feed;
mod json_feed;
mod list;
mod opml;
mod post;
mod sitemap;
mod xml;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read;

use encoding_rs::Encoding;

use crate::web::claims::Claims;
use crate::web::url::{Login, WebUrl, without_credentials};

/// Everything a seed document gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harvest {
    /// What the bytes were taken for; none when they were nothing known.
    pub format: Option<Format>,
    /// URLs to crawl, in order, repeats kept out.
    pub seeds: Vec<Seed>,
    /// Documents that are themselves to be archived: posts.
    pub documents: Vec<Document>,
    /// What could not be used.
    pub rejects: Vec<Reject>,
}

/// The kinds of seed document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One URL a line.
    List,
    /// RSS, Atom or JSON Feed.
    Feed,
    /// An outline of feeds.
    Opml,
    /// A sitemap of pages.
    Sitemap,
    /// A sitemap of sitemaps.
    SitemapIndex,
    /// YAML front matter and an HTML or Markdown body.
    Post,
    /// A saved page: what it links to is for whoever reads pages to say, so nothing is harvested.
    Html,
}

/// A URL a person or a feed asked for, with what was claimed about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// What to fetch.
    pub url: WebUrl,
    /// Where it stood, counted from 1; 0 when the format has no lines.
    pub line: u32,
    /// What was said of it.
    pub claims: Claims,
}

/// A post that is its own article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The whole post as given: this is archived.
    pub bytes: Vec<u8>,
    /// The body as HTML (Markdown rendered): this is extracted.
    pub html: String,
    /// The front matter.
    pub claims: Claims,
}

/// A line or entry that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Where it stood, counted from 1; 0 when the format has no lines.
    pub line: u32,
    /// What stood there, cut to 200 characters, without the login of a URL.
    pub text: String,
    /// Why it cannot be used: a fragment that reads after «line 3: ».
    pub reason: String,
}

/// A gzipped seed document is read up to this size: a sitemap may have 50 MB (sitemaps.org, protocol), so what
/// is longer is a mistake or a bomb.
const UNPACKED_MAX: u64 = 64 << 20;
/// Enough of a reject to recognise it in a message.
const REJECT_TEXT_MAX: usize = 200;

/// Reads a seed document. `name` is its file name, its URL, or `-`; relative links in a feed resolve against it when
/// it is a URL.
///
/// ```
/// let harvest = pressmark::seeds::read("list.txt", b"# two\nhttp://a.example/\nnonsense\n");
/// assert_eq!(harvest.seeds[0].url.as_str(), "http://a.example/");
/// assert_eq!(harvest.rejects[0].line, 3);
/// ```
pub fn read(name: &str, bytes: &[u8]) -> Harvest {
    let mut harvest =
        if bytes.starts_with(b"\x1f\x8b") { read_packed(name, bytes, UNPACKED_MAX) } else { read_plain(name, bytes) };
    let mut known = HashSet::new();
    harvest.seeds.retain(|seed| known.insert(seed.url.clone()));
    harvest
}

/// The logins in the URLs of a list, and in the address of a post's page, which a person wrote; what a feed or a sitemap
/// says is the web's word, and is sent to nobody. Each with its line, counted from 1.
pub fn logins(name: &str, bytes: &[u8]) -> Vec<(u32, Login)> {
    let mut plain = Vec::new();
    let packed = bytes.starts_with(b"\x1f\x8b");
    if packed {
        // A stream that breaks off is told when it is read for its seeds.
        let _ = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_MAX).read_to_end(&mut plain);
    }
    let (name, bytes) =
        if packed { (name.strip_suffix(".gz").unwrap_or(name), plain.as_slice()) } else { (name, bytes) };
    let text = unmarked(bytes);
    if !text.contains(&b'@') {
        return Vec::new();
    }
    match kind(name, &text) {
        Kind::List => list::logins(&text),
        Kind::Post => post::login(&text).into_iter().collect(),
        Kind::Feed | Kind::JsonFeed | Kind::Opml | Kind::Sitemap | Kind::Html | Kind::Foreign(_) => Vec::new(),
    }
}

/// The other kinds of file that people hand over, by their first bytes.
const FOREIGN: [(&[u8], &str); 10] = [
    (b"%PDF-", "a PDF file"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "gzipped twice"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a RIFF file"),
    (b"SQLite format 3\0", "a SQLite database"),
    (b"WARC/", "a WARC file"),
];

fn read_packed(name: &str, bytes: &[u8], max: u64) -> Harvest {
    let mut plain = Vec::new();
    let outcome = flate2::read::MultiGzDecoder::new(bytes).take(max + 1).read_to_end(&mut plain);
    let cut = plain.len() as u64 > max;
    plain.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    let mut harvest = read_plain(name.strip_suffix(".gz").unwrap_or(name), &plain);
    if cut {
        harvest.reject(0, "", format!("is longer than {} MiB when unpacked; the rest was not read", max >> 20));
    }
    if let Err(cause) = outcome {
        harvest.reject(0, "", format!("the gzip stream breaks off ({cause}); what came before was read"));
    }
    harvest
}

/// Without a byte order mark, and in UTF-8 where the mark says otherwise.
fn unmarked(bytes: &[u8]) -> Cow<'_, [u8]> {
    // Notepad's "Unicode" is UTF-16; everything below reads ASCII and looks for it in bytes.
    match Encoding::for_bom(bytes) {
        Some((encoding, length)) if encoding != encoding_rs::UTF_8 => {
            Cow::Owned(encoding.decode_without_bom_handling(&bytes[length..]).0.into_owned().into_bytes())
        }
        Some((_, length)) => Cow::Borrowed(&bytes[length..]),
        None => Cow::Borrowed(bytes),
    }
}

fn read_plain(name: &str, bytes: &[u8]) -> Harvest {
    let text = unmarked(bytes);
    match kind(name, &text) {
        Kind::List => list::read(&text),
        Kind::Feed => feed::read(name, &text),
        Kind::JsonFeed => json_feed::read(name, &text),
        Kind::Opml => opml::read(name, &text),
        Kind::Sitemap => sitemap::read(&text),
        Kind::Post => post::read(name, bytes, &text),
        Kind::Html => Harvest::of(Format::Html),
        Kind::Foreign(what) => Harvest::rejected(0, "", what),
    }
}

/// What a file is taken for.
enum Kind {
    List,
    Feed,
    JsonFeed,
    Opml,
    Sitemap,
    Post,
    Html,
    /// Nothing that can be read, and why.
    Foreign(String),
}

fn kind(name: &str, bytes: &[u8]) -> Kind {
    let foreign = |what: &str| Kind::Foreign(what.to_owned());
    let Some(start) = bytes.iter().position(|byte| !byte.is_ascii_whitespace()) else {
        return foreign("is empty");
    };
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Kind::Foreign(format!("is {what}, which is no seed document"));
    }
    // Text has no NUL; enough is looked at to see one in anything that is not text.
    if bytes[..bytes.len().min(8 << 10)].contains(&0) {
        return foreign("is binary, which is no seed document");
    }
    let body = &bytes[start..];
    match body[0] {
        b'<' => xml_kind(body),
        b'{' if json_feed::is_one(body) => Kind::JsonFeed,
        b'{' | b'[' => foreign("was taken for JSON, and is no JSON Feed"),
        _ if post::begins(body) => Kind::Post,
        _ if list::is_likely(name, body) => Kind::List,
        _ => foreign("is text without a line that is a URL, and without front matter"),
    }
}

fn xml_kind(body: &[u8]) -> Kind {
    let text = xml::decode(body);
    match xml::root(&text).as_deref() {
        Some("rss" | "rdf" | "feed" | "entry") => Kind::Feed,
        Some("urlset" | "sitemapindex") => Kind::Sitemap,
        Some("opml") => Kind::Opml,
        Some(root) if text.starts_with("<?xml") && root != "html" => {
            Kind::Foreign(format!("is XML that begins with <{root}>: neither feed nor sitemap"))
        }
        _ => Kind::Html,
    }
}

impl Harvest {
    fn of(format: Format) -> Harvest {
        Harvest { format: Some(format), ..Harvest::default() }
    }

    fn rejected(line: u32, text: &str, reason: impl Into<String>) -> Harvest {
        let mut harvest = Harvest::default();
        harvest.reject(line, text, reason);
        harvest
    }

    fn reject(&mut self, line: u32, text: &str, reason: impl Into<String>) {
        let first = without_credentials(text.trim().lines().next().unwrap_or(""));
        let text = first.chars().take(REJECT_TEXT_MAX).collect();
        self.rejects.push(Reject { line, text, reason: reason.into() });
    }
}

/// The text without the white space around it; none when nothing is left.
fn filled(text: &str) -> Option<String> {
    Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[track_caller]
    fn check(name: &str, bytes: &[u8], format: Option<Format>, counts: (usize, usize, usize), reason: &str) {
        let harvest = read(name, bytes);
        assert_eq!(harvest.format, format, "{harvest:?}");
        assert_eq!((harvest.seeds.len(), harvest.documents.len(), harvest.rejects.len()), counts, "{harvest:?}");
        let reasons: Vec<&str> = harvest.rejects.iter().map(|reject| reject.reason.as_str()).collect();
        assert!(reasons.concat().contains(reason), "{reasons:?} has no {reason:?}");
    }

    #[test]
    fn the_format_is_told_from_the_content() {
        use Format::*;
        let list = b"http://a.example/\n";
        check("x", list, Some(List), (1, 0, 0), "");
        check("feed.xml", list, Some(List), (1, 0, 0), "");
        check("x", &packed(list), Some(List), (1, 0, 0), "");
        check("x", b"\xff\xfeh\0t\0t\0p\0:\0/\0/\0a\0/\0", Some(List), (1, 0, 0), "");
        check("x", b"# nothing yet\n", Some(List), (0, 0, 0), "");
        check("a.txt", b"a.example\n", Some(List), (0, 0, 1), "does not begin with http://");
        check("a", b"a.example\n", None, (0, 0, 1), "without a line that is a URL");
        check("README.md", b"# Hello\n\nSee http://a.example/ for more.\n", None, (0, 0, 1), "front matter");
        check("x", b" <?xml version='1.0'?><!-- c --><rss version='2.0'><channel/></rss>", Some(Feed), (0, 0, 0), "");
        check("x", b"<urlset></urlset>", Some(Sitemap), (0, 0, 0), "");
        check("x", b"<s:sitemapindex xmlns:s='x'></s:sitemapindex>", Some(SitemapIndex), (0, 0, 0), "");
        check("x", b"\xef\xbb\xbf\r\n---\r\ntitle: a\r\n---\r\nb", Some(Post), (0, 1, 0), "");
        check("x", b"", None, (0, 0, 1), "is empty");
        check("x", b" \n\n", None, (0, 0, 1), "is empty");
        check("x.txt", b"<!DOCTYPE html><p>", Some(Html), (0, 0, 0), "");
        check("x", b"<?xml version='1.0'?><opml/>", Some(Opml), (0, 0, 0), "");
        check("x", b"<?xml version='1.0'?><svg/>", None, (0, 0, 1), "<svg>");
        check("x", b"{\"a\": 1}", None, (0, 0, 1), "JSON");
        check("x", b"%PDF-1.7", None, (0, 0, 1), "a PDF file");
        check("x", b"ab\0cd", None, (0, 0, 1), "binary");
        check("x", &packed(&packed(list)), None, (0, 0, 1), "gzipped twice");
    }

    #[test]
    fn a_gzip_stream_that_breaks_off_gives_what_came_before() {
        let text: String = (0..4000).map(|n| format!("http://a.example/{}\n", n * 7919)).collect();
        let whole = packed(text.as_bytes());
        let harvest = read("x.gz", &whole[..whole.len() / 2]);
        assert!(harvest.seeds.len() > 10);
        assert!(harvest.rejects.iter().any(|reject| reject.reason.contains("breaks off")));
    }

    #[test]
    fn what_is_too_long_when_unpacked_is_cut_and_said() {
        let mut text = b"http://a.example/\n".to_vec();
        text.resize((1 << 20) + 10, b'\n');
        let harvest = read_packed("x", &packed(&text), 1 << 20);
        assert_eq!(harvest.seeds.len(), 1);
        assert_eq!(harvest.rejects[0].reason, "is longer than 1 MiB when unpacked; the rest was not read");
    }

    #[test]
    fn repeats_are_kept_out_and_the_first_stays() {
        let harvest = read("-", b"http://a.example/x\nhttp://a.example/y\nhttp://a.example/x#top\n");
        let seen: Vec<_> = harvest.seeds.iter().map(|seed| (seed.url.as_str(), seed.line)).collect();
        assert_eq!(seen, [("http://a.example/x", 1), ("http://a.example/y", 2)]);
    }

    const FRAGMENTS: [&str; 24] = [
        "<rss version='2.0'>",
        "<channel>",
        "<item>",
        "</item>",
        "<link>http://a/</link>",
        "<feed xmlns='a'>",
        "<entry>",
        "<link href='b'/>",
        "<urlset>",
        "<url>",
        "<loc>http://c/</loc>",
        "</url>",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&",
        "&#0;",
        "---\n",
        "title: '",
        "url: http://d/\n",
        "categories: [",
        "*a &a",
        "<!--",
        "（x@y.cn）",
    ];

    proptest! {
        #[test]
        fn any_bytes_are_read_or_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            read("x", &bytes);
        }

        #[test]
        fn any_jumble_of_markup_is_read_or_rejected(picks in proptest::collection::vec(0..FRAGMENTS.len(), 0..24)) {
            let text: String = picks.into_iter().map(|pick| FRAGMENTS[pick]).collect();
            read("http://h.example/", text.as_bytes());
        }
    }
}
