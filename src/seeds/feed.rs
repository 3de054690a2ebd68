//! RSS and Atom.
//!
//! One pass finds where each entry stands and takes the claims as they are written; feed-rs then reads title, link and
//! categories of one entry at a time. So an entry that cannot be read costs only itself and has a line, dates keep
//! their zone, a feed that breaks off gives the entries before, and feed-rs sees neither authors nor durations nor
//! nested media groups (3.0 slices an author's text inside a character, unwraps the number of a duration and recurses
//! into groups).

use std::borrow::Cow;
use std::ops::Range;

use quick_xml::events::{BytesStart, Event};

use super::xml::{Lines, attribute, offset, push_text, reader, unprefixed};
use super::{Format, Harvest, Seed, filled, xml};
use crate::web::claims::Claims;
use crate::web::url::WebUrl;

/// Reads a feed. Relative links resolve against `name` when that is a URL, and against `xml:base`.
pub(super) fn read(name: &str, bytes: &[u8]) -> Harvest {
    let text = xml::decode(bytes);
    let mut scan = Scan {
        text: &text,
        lines: Lines::of(&text),
        base: WebUrl::parse(name).ok(),
        open: Vec::new(),
        whole: Claims::default(),
        item: None,
        harvest: Harvest::of(Format::Feed),
    };
    scan.run();
    scan.harvest
}

struct Scan<'a> {
    text: &'a str,
    lines: Lines<'a>,
    base: Option<WebUrl>,
    open: Vec<Open>,
    /// What the feed claims of all its entries.
    whole: Claims,
    item: Option<Item>,
    harvest: Harvest,
}

/// An element that is not closed yet.
struct Open {
    name: String,
    /// Its start tag.
    tag: Range<usize>,
}

/// An entry being read.
struct Item {
    /// How many elements were open before it.
    depth: usize,
    line: u32,
    tag: Range<usize>,
    /// Where the child being read began.
    child: usize,
    /// The children that feed-rs is shown.
    shown: Vec<Range<usize>>,
    /// The text of a `guid` that is an address.
    permalink: Option<String>,
    guid_is_permalink: bool,
    /// The best picture so far and its rank in [`picture`].
    picture: Option<(u8, String)>,
    claims: Claims,
}

impl Scan<'_> {
    fn run(&mut self) {
        let mut reader = reader(self.text);
        let mut value = String::new();
        loop {
            let begin = offset(reader.buffer_position());
            let event = reader.read_event();
            let end = offset(reader.buffer_position());
            match event {
                Ok(Event::Start(tag)) => {
                    self.start(&tag, begin..end);
                    value.clear();
                }
                Ok(Event::End(tag)) => {
                    // An end tag closes what was left open inside; one that fits nothing is skipped.
                    let name = tag.name().into_inner();
                    let depth = self.open.iter().rposition(|open| open.name == name).unwrap_or(self.open.len());
                    while self.open.len() > depth {
                        self.end(&std::mem::take(&mut value), end);
                    }
                    value.clear();
                }
                Ok(Event::Eof) => break,
                Ok(event) => push_text(&mut value, &event),
                Err(cause) => {
                    let line = self.lines.at(offset(reader.error_position()));
                    let reason = format!("not XML from here on ({cause}); the entries before were read");
                    return self.harvest.reject(line, "", reason);
                }
            }
        }
        if let Some(item) = &self.item {
            let reason = "the feed breaks off in this entry; the entries before were read";
            self.harvest.reject(item.line, item.claims.title.as_deref().unwrap_or(""), reason);
        } else if !self.open.is_empty() {
            let line = self.lines.at(self.text.len());
            self.harvest.reject(line, "", "the feed breaks off here; the entries before were read");
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, at: Range<usize>) {
        let name = tag.name().into_inner().to_owned();
        let depth = self.open.len();
        let parent = self.open.last().map_or("", |parent| unprefixed(&parent.name));
        match &mut self.item {
            Some(item) => {
                if depth == item.depth + 1 {
                    item.child = at.start;
                }
                item.start(&name, tag);
            }
            None if begins_item(parent, unprefixed(&name)) => {
                let claims = Claims { language: attribute(tag, "xml:lang"), ..Claims::default() };
                let line = self.lines.at(at.start);
                self.item = Some(Item {
                    depth,
                    line,
                    tag: at.clone(),
                    child: at.end,
                    shown: Vec::new(),
                    permalink: None,
                    guid_is_permalink: true,
                    picture: None,
                    claims,
                });
            }
            None if depth == 0 => self.whole.language = attribute(tag, "xml:lang"),
            None => {}
        }
        self.open.push(Open { name, tag: at });
    }

    /// Closes the innermost open element, whose text is `value` and which ends before `end`.
    fn end(&mut self, value: &str, end: usize) {
        let Some(closed) = self.open.pop() else { return };
        let mut outer = self.open.iter().rev().map(|open| unprefixed(&open.name));
        let path = (outer.nth(1).unwrap_or(""), self.open.last().map_or("", |open| unprefixed(&open.name)));
        let name = unprefixed(&closed.name);
        let value = filled(value);
        match self.item.take() {
            Some(item) if item.depth == self.open.len() => self.settle(item, &closed.name),
            Some(mut item) => {
                if self.open.len() == item.depth + 1 {
                    item.end(name, value);
                    if matches!(name, "title" | "link" | "category" | "guid" | "id") {
                        item.shown.push(item.child..end);
                    }
                } else if self.open.len() == item.depth + 2 && path.1 == "author" && name == "name" {
                    item.claims.authors.extend(value);
                }
                self.item = Some(item);
            }
            None => match (path, name) {
                ((_, "channel"), "language") => self.whole.language = value,
                (("feed", "author"), "name") => self.whole.authors.extend(value),
                _ => {}
            },
        }
    }

    fn settle(&mut self, item: Item, name: &str) {
        let mut fragment: String = self.open.iter().map(|open| start_tag(&self.text[open.tag.clone()])).collect();
        fragment.push_str(&self.text[item.tag.clone()]);
        fragment.extend(item.shown.iter().map(|shown| &self.text[shown.clone()]));
        fragment.push_str(&format!("</{name}>"));
        fragment.extend(self.open.iter().rev().map(|open| format!("</{}>", open.name)));

        let Item { line, permalink, picture, mut claims, .. } = item;
        let entry = match entry(&fragment, self.base.as_ref()) {
            Ok(entry) => entry,
            Err(cause) => return self.harvest.reject(line, "", format!("the entry cannot be read ({cause})")),
        };
        claims.title = entry.title.as_ref().and_then(plain);
        let categories = entry.categories.iter().map(|category| category.label.as_ref().unwrap_or(&category.term));
        claims.categories = categories.filter_map(|category| filled(category)).collect();
        claims.lead_image = picture.map(|(_, url)| url);
        claims.language = claims.language.or_else(|| self.whole.language.clone());
        let mut authors = if claims.authors.is_empty() { self.whole.authors.clone() } else { claims.authors };
        // `author` and `dc:creator` often both name the one author.
        authors.dedup();
        claims.authors = authors;

        let text = claims.title.clone().unwrap_or_default();
        let alternate = entry.links.iter().find(|link| matches!(link.rel.as_deref(), None | Some("alternate")));
        let link = alternate.map(|link| link.href.clone()).filter(|href| !href.is_empty()).or(permalink);
        match link.as_deref().map(WebUrl::parse) {
            Some(Ok(url)) => self.harvest.seeds.push(Seed { url, line, claims }),
            Some(Err(cause)) => self.harvest.reject(line, link.as_deref().unwrap_or(""), cause.to_string()),
            None => self.harvest.reject(line, &text, "the entry has no link, and no guid that is one"),
        }
    }
}

impl Item {
    fn start(&mut self, name: &str, tag: &BytesStart<'_>) {
        if unprefixed(name) == "guid" {
            self.guid_is_permalink = attribute(tag, "isPermaLink").as_deref() != Some("false");
        }
        if let Some(found) = picture(name, tag)
            && self.picture.as_ref().is_none_or(|best| found.0 < best.0)
        {
            self.picture = Some(found);
        }
    }

    /// A child of the entry was closed.
    fn end(&mut self, name: &str, value: Option<String>) {
        match name {
            "pubDate" | "published" | "date" | "issued" if self.claims.published.is_none() => {
                self.claims.published = value;
            }
            "updated" | "modified" => self.claims.modified = value,
            "author" | "creator" => self.claims.authors.extend(value.map(|text| person(&text))),
            "language" => self.claims.language = value,
            // Only for messages; feed-rs reads the title that is claimed.
            "title" => self.claims.title = value,
            "guid" if self.guid_is_permalink => self.permalink = value.filter(|text| WebUrl::parse(text).is_ok()),
            _ => {}
        }
    }
}

/// RSS 0.9x and 2.0 keep items in the channel, RSS 1.0 beside it; a lone Atom entry is a document of its own.
fn begins_item(parent: &str, name: &str) -> bool {
    matches!((parent, name), ("channel" | "RDF", "item") | ("feed" | "", "entry"))
}

/// The start tag as it is; an `rss` of a version that feed-rs does not know is called 2.0.
fn start_tag(tag: &str) -> Cow<'_, str> {
    let known =
        ["\"2.0\"", "'2.0'", "\"0.91\"", "'0.91'", "\"0.92\"", "'0.92'"].iter().any(|known| tag.contains(known));
    match tag.strip_prefix("<rss") {
        Some(rest) if !known => Cow::Owned(format!("<rss version=\"2.0\"{}", rest.replace("version", "was"))),
        _ => Cow::Borrowed(tag),
    }
}

/// Reads a feed of one entry. Text with bare ampersands is read at the second try.
fn entry(fragment: &str, base: Option<&WebUrl>) -> Result<feed_rs::model::Entry, String> {
    let parse = |text: &str| {
        let parser = feed_rs::parser::Builder::new().base_uri(base.map(WebUrl::as_str)).build();
        parser.parse(text.as_bytes())
    };
    let feed = parse(fragment).or_else(|first| parse(&amended(fragment)).map_err(|_| first.to_string()))?;
    // RSS 1.0 items without a link are left out by feed-rs; an empty entry says the same.
    Ok(feed.entries.into_iter().next().unwrap_or_default())
}

/// The text with every ampersand that begins no reference written as one.
fn amended(text: &str) -> String {
    let mut parts = text.split('&');
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let name = part.split_once(';').map_or("", |(name, _)| name);
        let name = name.strip_prefix('#').unwrap_or(name);
        let reference = !name.is_empty() && name.len() < 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        out.push_str(if reference { "&" } else { "&amp;" });
        out.push_str(part);
    }
    out
}

/// The pictures that an entry names, best first: Media RSS content, an enclosure, a thumbnail.
fn picture(name: &str, tag: &BytesStart<'_>) -> Option<(u8, String)> {
    let image = || {
        let kind = attribute(tag, "type").or_else(|| attribute(tag, "medium"));
        kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("image"))
    };
    let (rank, url) = match name {
        "media:content" if image() => (0, "url"),
        "enclosure" if image() => (1, "url"),
        "link" | "atom:link" if image() && attribute(tag, "rel").as_deref() == Some("enclosure") => (1, "href"),
        "media:thumbnail" => (2, "url"),
        _ => return None,
    };
    Some((rank, filled(&attribute(tag, url)?)?))
}

/// RSS 2.0 writes an author as `address (name)`; others write what they like.
fn person(text: &str) -> String {
    let name = text.strip_suffix(')').and_then(|text| text.split_once('('));
    match name {
        Some((address, name)) if address.contains('@') && !name.trim().is_empty() => name.trim().to_owned(),
        _ => text.to_owned(),
    }
}

/// The words of a title that may be HTML (RFC 4287, 3.1.1).
fn plain(title: &feed_rs::model::Text) -> Option<String> {
    if !title.content_type.to_string().contains("html") {
        return filled(&title.content);
    }
    let mut out = String::new();
    for part in title.content.split('<') {
        // The first part has no tag before it, and a lone `<` begins none.
        out.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    filled(&quick_xml::escape::unescape(&out).unwrap_or(Cow::Borrowed(&out)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for each seed and reject.
    fn told(name: &str, text: &str) -> String {
        let harvest = read(name, text.as_bytes());
        let seeds = harvest.seeds.iter().map(|seed| format!("{} {}", seed.line, seed.url));
        let rejects =
            harvest.rejects.iter().map(|reject| format!("{} !{}: {}", reject.line, reject.reason, reject.text));
        seeds.chain(rejects).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(told("-", text), want, "{text}");
    }

    const RSS: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:media=\"http://search.yahoo.com/mrss/\">
<channel><title>A</title><link>http://a.example/</link><language>zh-CN</language><itunes:category text='x'/>
<item>
  <title><![CDATA[一座桥 & 一条河]]></title><link>http://a.example/1?a=1&amp;b=2</link>
  <pubDate>Tue, 26 Oct 2021 10:06:36 +0800</pubDate><category>新媒体</category><category> b </category>
  <author>desk@a.example (李梅)</author><dc:creator>李梅</dc:creator>
  <enclosure url='http://img.a.example/e.png' type='image/png' length='1'/>
  <media:group><media:content url='http://img.a.example/m.png' medium='image'/></media:group>
  <description>&lt;p&gt;text</description><itunes:duration>99999999999999999999999</itunes:duration>
</item>
<item><guid>http://a.example/2</guid><author>（desk@a.example）</author></item>
</channel></rss>";

    #[test]
    fn an_rss_entry_keeps_what_it_claims_as_written() {
        let harvest = read("-", RSS.as_bytes());
        let [first, second] = &harvest.seeds[..] else { panic!("{harvest:?}") };
        assert_eq!((first.url.as_str(), first.line), ("http://a.example/1?a=1&b=2", 4));
        assert_eq!(
            first.claims,
            Claims {
                title: Some("一座桥 & 一条河".to_owned()),
                authors: vec!["李梅".to_owned()],
                published: Some("Tue, 26 Oct 2021 10:06:36 +0800".to_owned()),
                modified: None,
                categories: vec!["新媒体".to_owned(), "b".to_owned()],
                lead_image: Some("http://img.a.example/m.png".to_owned()),
                language: Some("zh-CN".to_owned()),
                comments: None,
            }
        );
        assert_eq!((second.url.as_str(), second.line), ("http://a.example/2", 12));
        assert_eq!(second.claims.authors, ["（desk@a.example）"]);
        assert_eq!(harvest.rejects, []);
    }

    #[test]
    fn an_atom_entry_keeps_what_it_claims_as_written() {
        let text = "<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='en' xml:base='http://b.example/x/'>
            <author><name>The Desk</name></author>
            <entry><id>tag:1</id><title type='html'>A &lt;b&gt;bold&lt;/b&gt; &amp;amp; new</title>
            <link rel='self' href='http://b.example/self'/><link href='one'/>
            <link rel='enclosure' type='image/jpeg' href='http://b.example/p.jpg'/>
            <published>2026-11-02T08:00:00+08:00</published><updated>2026-11-03T00:00:00Z</updated>
            <category term='t' label='T'/><author><name>Ann</name></author><contributor><name>C</name></contributor>
            <content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><a><title>no</title></a></div></content></entry>
            <entry><id>http://b.example/id</id></entry></feed>";
        let harvest = read("-", text.as_bytes());
        let seed = &harvest.seeds[0];
        assert_eq!(seed.url.as_str(), "http://b.example/x/one");
        let claims = &seed.claims;
        assert_eq!(claims.title.as_deref(), Some("A bold & new"));
        assert_eq!(claims.authors, ["Ann"]);
        assert_eq!(claims.published.as_deref(), Some("2026-11-02T08:00:00+08:00"));
        assert_eq!(claims.modified.as_deref(), Some("2026-11-03T00:00:00Z"));
        assert_eq!(claims.categories, ["T"]);
        assert_eq!(claims.lead_image.as_deref(), Some("http://b.example/p.jpg"));
        assert_eq!(claims.language.as_deref(), Some("en"));
        assert_eq!(harvest.rejects[0].reason, "the entry has no link, and no guid that is one");
    }

    #[test]
    fn every_flavour_gives_its_links() {
        check(
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>\
             <channel><title>c</title></channel>\n<item><title>t</title><link>http://a/1</link></item></rdf:RDF>",
            "2 http://a/1",
        );
        check("<rss version='0.91'><channel><item><link>http://a/1</link></item></channel></rss>", "1 http://a/1");
        check("<rss><channel><item><link>http://a/1</link></item></channel></rss>", "1 http://a/1");
        check("<entry xmlns='http://www.w3.org/2005/Atom'><link href='http://a/1'/></entry>", "1 http://a/1");
        let relative = "<rss version='2.0'><channel><item><link>/1</link></item></channel></rss>";
        assert_eq!(told("https://h.example/feed/", relative), "1 https://h.example/1");
        check(relative, "1 !not a URL (it does not begin with http:// or https://): /1");
    }

    #[test]
    fn one_bad_entry_costs_only_itself() {
        let rss = |items: &str| format!("<rss version='2.0'><channel>\n{items}</channel></rss>");
        let good = "<item><link>http://a/2</link></item>";
        check(
            &rss(&format!("<item><title>t</title><guid isPermaLink='false'>http://a/1</guid></item>\n{good}")),
            "3 http://a/2\n2 !the entry has no link, and no guid that is one: t",
        );
        check(
            &rss(&format!("<item><title>AT&T & co</title><link>http://a/1?x&y</link></item>\n{good}")),
            "2 http://a/1?x&y\n3 http://a/2",
        );
        check(
            &rss(&format!("<item><link>mailto:a@b</link></item>{good}")),
            "2 http://a/2\n2 !scheme mailto: is not crawled: mailto:a@b",
        );
        check(
            &rss(&format!("{good}<item><title>t</item>\n<item><link>http://a/3</link></item>")),
            "2 http://a/2\n3 http://a/3\n2 !the entry cannot be read (unable to parse XML: Parser error: ill-formed document: expected `</title>`, but `</item>` was found): ",
        );
    }

    #[test]
    fn a_feed_that_breaks_off_gives_the_entries_before() {
        let whole = "<rss version='2.0'><channel>\n<item><link>http://a/1</link></item>\n<item><title>t</title><link>http://a/2";
        check(whole, "2 http://a/1\n3 !the feed breaks off in this entry; the entries before were read: t");
        check(
            whole.rsplit_once("<item>").unwrap().0,
            "2 http://a/1\n3 !the feed breaks off here; the entries before were read: ",
        );
    }

    #[test]
    fn a_feed_in_gbk_is_decoded() {
        let text = "<?xml version='1.0' encoding='GBK'?><rss version='2.0'><channel><item><title>桥</title>\
                    <link>http://a/1</link></item></channel></rss>";
        let harvest = read("-", &encoding_rs::GBK.encode(text).0);
        assert_eq!(harvest.seeds[0].claims.title.as_deref(), Some("桥"));
    }
}
