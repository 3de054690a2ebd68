//! Posts: YAML front matter between lines of `---`, then an HTML or Markdown body.
//!
//! A post is a document of its own. One that names the page it came from is a seed with claims as well.
//! Front matter that is not YAML is read key by key, so that one unquoted apostrophe does not cost the headline.

use std::borrow::Cow;
use std::ops::Range;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use serde_norway::{Mapping, Value};

use super::{Document, Format, Harvest, Seed, filled};
use crate::web::claims::Claims;
use crate::web::url::{Login, WebUrl};

/// Where a post may name its page, in the order they are believed.
const ADDRESS_KEYS: [&str; 4] = ["url", "link", "permalink", "source"];

/// Whether a text without leading white space is a post.
pub(super) fn begins(body: &[u8]) -> bool {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or(body);
    line.trim_ascii_end() == b"---"
}

/// Reads a post. `bytes` is the file as given, `text` the same without byte order mark.
pub(super) fn read(name: &str, bytes: &[u8], text: &[u8]) -> Harvest {
    let text = decode(text);
    let mut harvest = Harvest::of(Format::Post);
    let Some(front) = front(&text) else {
        let line = text.lines().take_while(|line| line.trim().is_empty()).count() + 1;
        harvest.reject(count(line), "---", "the front matter that begins here has no closing ---");
        return harvest;
    };
    let yaml = &text[front.yaml.clone()];
    let mapping = match serde_norway::from_str::<Value>(yaml) {
        Ok(Value::Mapping(mapping)) => mapping,
        Ok(Value::Null) => Mapping::new(),
        Ok(_) => {
            harvest.reject(front.line, yaml, "the front matter is not a list of keys and values");
            Mapping::new()
        }
        Err(cause) => {
            // An error without a place is about the whole; libyaml counts lines from the first of the YAML.
            let within = cause.location().map_or(1, |place| place.line()).max(1);
            let told = cause.to_string();
            let told = told.split(" at line ").next().unwrap_or(&told);
            let line = yaml.lines().nth(within - 1).unwrap_or("");
            harvest.reject(front.line + count(within) - 1, line, format!("the front matter is not YAML ({told})"));
            readable(yaml)
        }
    };
    let claims = claims(&mapping);
    let body = &text[front.body..];
    let address = address(&mapping, &text, &front);
    // Claims without a body are what is said of the page; without a page, they are all that there is.
    if !body.trim().is_empty() || address.is_none() && claims != Claims::default() {
        harvest.documents.push(Document { bytes: bytes.to_vec(), html: html(name, body), claims: claims.clone() });
    }
    if let Some(Address { url, line, .. }) = address {
        harvest.seeds.push(Seed { url, line, claims });
    } else if harvest.documents.is_empty() && harvest.rejects.is_empty() {
        harvest.reject(front.line, "", "the post has neither front matter nor body");
    }
    harvest
}

/// The login in the address of its page, with its line.
pub(super) fn login(text: &[u8]) -> Option<(u32, Login)> {
    let text = decode(text);
    let front = front(&text)?;
    let yaml = &text[front.yaml.clone()];
    let mapping = serde_norway::from_str(yaml).unwrap_or_else(|_| readable(yaml));
    let address = address(&mapping, &text, &front)?;
    Some((address.line, Login::of(&address.written)?))
}

/// Where the parts of a post stand.
struct Front {
    yaml: Range<usize>,
    /// The line on which the YAML begins.
    line: u32,
    body: usize,
}

fn front(text: &str) -> Option<Front> {
    let mut at = 0;
    let mut opened = None;
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        let next = at + content.len();
        match opened {
            None if content.trim_end() == "---" => opened = Some((next, line + 1)),
            None if content.trim().is_empty() => {}
            None => return None,
            Some((begin, line)) if content.trim_end() == "---" => {
                return Some(Front { yaml: begin..at, line, body: next });
            }
            Some(_) => {}
        }
        at = next;
    }
    None
}

/// UTF-8, else what the bytes look like: posts have nothing that names their charset.
fn decode(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(text, true);
    detector.guess(None, Utf8Detection::Allow).decode_without_bom_handling(text).0
}

/// The keys of broken front matter that are YAML by themselves, each with the indented lines below it.
fn readable(yaml: &str) -> Mapping {
    let mut parts: Vec<String> = Vec::new();
    for line in yaml.split_inclusive('\n') {
        match parts.last_mut() {
            Some(part) if line.starts_with([' ', '\t', '-', '#']) => part.push_str(line),
            _ => parts.push(line.to_owned()),
        }
    }
    let read = |part: &String| serde_norway::from_str::<Mapping>(part).ok();
    parts.iter().filter_map(read).flatten().collect()
}

fn claims(mapping: &Mapping) -> Claims {
    let text = |keys: &[&str]| keys.iter().find_map(|key| mapping.get(*key).and_then(scalar));
    let list = |keys: &[&str]| keys.iter().filter_map(|key| mapping.get(*key)).flat_map(scalars).collect();
    Claims {
        title: text(&["title"]),
        authors: list(&["author", "authors"]),
        published: text(&["date", "published"]),
        modified: text(&["updated", "modified", "lastmod"]),
        categories: list(&["categories", "category"]),
        lead_image: text(&["headimg", "thumbnail"]),
        language: text(&["language", "lang"]),
        comments: text(&["comments"]).and_then(|word| word.to_ascii_lowercase().parse().ok()),
    }
}

/// A single value as it would be written; dates are texts in YAML 1.2, numbers may be anything.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => filled(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Tagged(tagged) => scalar(&tagged.value),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => None,
    }
}

/// One value or many; Hexo nests lists of categories, and an author may be a mapping with a name.
fn scalars(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(values) => values.iter().flat_map(scalars).collect(),
        Value::Mapping(mapping) => mapping.get("name").and_then(scalar).into_iter().collect(),
        value => scalar(value).into_iter().collect(),
    }
}

/// The page that a post names.
struct Address {
    url: WebUrl,
    line: u32,
    /// The URL as it stands there, its login included.
    written: String,
}

fn address(mapping: &Mapping, text: &str, front: &Front) -> Option<Address> {
    // `source` is as often the name of an outlet, `permalink` a path: only an absolute URL is an address.
    ADDRESS_KEYS.into_iter().find_map(|key| {
        let written = mapping.get(key).and_then(scalar)?;
        let url = WebUrl::parse(&written).ok()?;
        let within = text[front.yaml.clone()].lines().position(|line| line.starts_with(key)).unwrap_or(0);
        Some(Address { url, line: front.line + count(within), written })
    })
}

/// The body as HTML. It is HTML already when it begins and ends with a tag, or when the name says so.
fn html(name: &str, body: &str) -> String {
    let trimmed = body.trim();
    let named = [".html", ".htm"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    if named || trimmed.starts_with('<') && trimmed.ends_with('>') {
        return body.to_owned();
    }
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, pulldown_cmark::Parser::new(body));
    out
}

fn count(lines: usize) -> u32 {
    u32::try_from(lines).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds;

    const SEED: &[u8] = include_bytes!("../../seeds/zaker-mini-programs.md");

    #[test]
    fn the_seed_document_is_a_document_with_its_claims() {
        let harvest = seeds::read("zaker-mini-programs.md", SEED);
        assert_eq!((harvest.seeds.len(), harvest.rejects.len()), (0, 0));
        let document = &harvest.documents[0];
        assert_eq!(document.bytes, SEED);
        let image =
            "https://cors.zfour.workers.dev/?http://zkres1.myzaker.com/202110/6177ce288e9f096a0d7cfd69_1024.jpg";
        assert_eq!(
            document.claims,
            Claims {
                title: Some("在微信庞大的流量池中，哪些小程序做到了月活上亿？".to_owned()),
                authors: vec!["ZAKER".to_owned()],
                published: Some("Tue, 26 Oct 2021 02:06:36 GMT".to_owned()),
                categories: ["新媒体", "ZAKER", "channel"].map(str::to_owned).to_vec(),
                lead_image: Some(image.to_owned()),
                comments: Some(false),
                ..Claims::default()
            }
        );
        assert!(document.html.starts_with("\n<div>   \n<p></p><div class=\"img_box\" id=\"id_imagebox_0\" onclick>"));
        assert_eq!(document.html.matches("<img ").count(), 4);
        assert_eq!(document.html.trim_start(), std::str::from_utf8(SEED).unwrap().split_once("\n---\n\n").unwrap().1);
    }

    /// Claims, seeds and rejects of a post in one line, and the HTML of its document.
    fn told(text: &[u8]) -> String {
        let harvest = seeds::read("x.md", text);
        let seeds = harvest
            .seeds
            .iter()
            .map(|seed| format!("{} {} {}", seed.line, seed.url, serde_json::to_string(&seed.claims).unwrap()));
        let documents = harvest
            .documents
            .iter()
            .map(|document| format!("{} {}", serde_json::to_string(&document.claims).unwrap(), document.html.trim()));
        let rejects =
            harvest.rejects.iter().map(|reject| format!("{} !{} [{}]", reject.line, reject.reason, reject.text));
        seeds.chain(documents).chain(rejects).collect::<Vec<_>>().join("\n")
    }

    #[track_caller]
    fn check(text: &str, want: &str) {
        assert_eq!(told(text.as_bytes()), want, "{text}");
    }

    #[test]
    fn front_matter_is_claims() {
        check(
            "---\ntitle: 'It''s: a'\ncategories: b\n---\n<p>x</p>",
            r#"{"title":"It's: a","categories":["b"]} <p>x</p>"#,
        );
        check(
            "\n\r\n---  \r\ncategories:\r\n - a\r\n - [b, c]\r\n---\r\nx",
            r#"{"categories":["a","b","c"]} <p>x</p>"#,
        );
        check("---\nauthor: {name: A}\ncomments: 'False'\n---\nx", r#"{"authors":["A"],"comments":false} <p>x</p>"#);
        check(
            "---\nauthor: [A, B]\ndate: 2021-10-26 02:06:36\n---\nx",
            r#"{"authors":["A","B"],"published":"2021-10-26 02:06:36"} <p>x</p>"#,
        );
        check(
            "---\ndate: 2021-10-26\nupdated: 20211027\nlang: zh\n---\nx",
            r#"{"published":"2021-10-26","modified":"20211027","language":"zh"} <p>x</p>"#,
        );
        check("---\nheadimg:\nthumbnail: http://p/\nelse: {a: [1]}\n---\nx", r#"{"lead_image":"http://p/"} <p>x</p>"#);
        check("---\n---\n# A\n\n*b* <i>c</i>\n", "{} <h1>A</h1>\n<p><em>b</em> <i>c</i></p>");
        check("---\ntitle: 2021\n---\n", r#"{"title":"2021"} "#);
    }

    #[test]
    fn a_post_that_names_its_page_is_a_seed_as_well() {
        check(
            "---\ntitle: t\nsource: http://a.example/\n---\nx",
            "3 http://a.example/ {\"title\":\"t\"}\n{\"title\":\"t\"} <p>x</p>",
        );
        check("---\ntitle: t\nsource: http://a.example/\n---\n\n", r#"3 http://a.example/ {"title":"t"}"#);
        check("---\nsource: http://a.example/\nurl: http://b.example/\n---\n", "3 http://b.example/ {}");
        check("---\npermalink: /a/\nsource: 新华社\n---\nx", "{} <p>x</p>");
    }

    #[test]
    fn broken_front_matter_has_its_line_and_costs_only_the_broken_key() {
        check(
            "\n---\ncategories:\n - a\ntitle: 'It's'\nauthor: B\n---\nx",
            "{\"authors\":[\"B\"],\"categories\":[\"a\"]} <p>x</p>\n\
             5 !the front matter is not YAML (did not find expected key) [title: 'It's']",
        );
        check("---\n- a\n---\nx", "{} <p>x</p>\n2 !the front matter is not a list of keys and values [- a]");
        check("\n---\ntitle: a\n", "2 !the front matter that begins here has no closing --- [---]");
        check("---\n---\n", "2 !the post has neither front matter nor body []");
        check(
            "---\n}\n---\n",
            "2 !the front matter is not YAML (did not find expected node content, while parsing a block node) [}]",
        );
    }

    #[test]
    fn a_post_in_gbk_is_read() {
        let text = "---\ntitle: 老街茶馆与一座城市的早晨\n---\n早晨六点，茶馆的门板一块一块地卸下来，水已经开了。";
        let told = told(&encoding_rs::GBK.encode(text).0);
        assert!(told.starts_with("{\"title\":\"老街茶馆与一座城市的早晨\"} <p>早晨六点"), "{told}");
    }
}
