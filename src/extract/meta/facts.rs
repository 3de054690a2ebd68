//! What a page says of itself to machines: structured data and `meta` elements.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::extract::page::tree::Page;
use crate::extract::{Document, folded};
use crate::web::url::WebUrl;

/// What structured data and `meta` elements say.
#[derive(Default)]
pub struct Facts {
    /// It calls itself an article.
    pub is_article: bool,
    pub headline: Option<String>,
    pub authors: Vec<String>,
    pub published: Option<String>,
    pub modified: Option<String>,
    /// When its film was put there.
    pub uploaded: Option<String>,
    pub pictures: Vec<String>,
    pub publisher: Option<String>,
    /// The person whose site it is.
    pub owner: Option<String>,
    pub sections: Vec<String>,
    /// Its keywords, each by itself.
    pub keywords: Vec<String>,
    /// Whether everybody may read it all, where structured data says so.
    pub is_free: Option<bool>,
    /// The whole text, where structured data has it.
    pub text: Option<String>,
}

impl Facts {
    pub fn of(page: &Page) -> Facts {
        let mut nodes = Vec::new();
        for text in &page.json_ld {
            values(text).into_iter().for_each(|value| flatten(value, &mut nodes, 0));
        }
        let known: HashMap<String, Value> = nodes.iter().filter_map(|node| Some((id(node)?, node.clone()))).collect();
        let mut facts = Facts {
            is_article: page.meta("og:type").any(|kind| kind.eq_ignore_ascii_case("article")),
            publisher: page.meta("og:site_name").next().map(str::to_owned),
            ..Facts::default()
        };
        let picture = |value: &Value| texts(value, &["url", "contentUrl"]);
        let articles = || nodes.iter().filter(|node| is_article(node));
        // Teasers are articles, too, but few name their author and day.
        let whole = articles().find(|node| node.get("headline").is_some() && node.get("datePublished").is_some());
        let dated = || nodes.iter().filter(|node| is_page(node));
        if let Some(article) = whole.or_else(|| articles().next()) {
            facts.is_article = true;
            facts.headline = article.get("headline").and_then(|value| texts(value, &[]).into_iter().next());
            facts.headline = facts.headline.or_else(|| texts(article.get("name")?, &[]).into_iter().next());
            let people_of = |key: &str| article.get(key).map(|value| people(value, &known)).unwrap_or_default();
            let (authors, creators) = (people_of("author"), people_of("creator"));
            // Some give the first author alone as such, and all of them as creators.
            let has_more = creators.len() > authors.len() && authors.iter().all(|name| creators.contains(name));
            facts.authors = if has_more { creators } else { authors };
            facts.pictures = article.get("image").map(picture).unwrap_or_default();
            let keywords = article.get("keywords").map(|value| texts(value, &[])).unwrap_or_default();
            facts.keywords = keywords.iter().flat_map(|words| divided(words)).collect();
            facts.sections = article.get("articleSection").map(|value| texts(value, &[])).unwrap_or_default();
            facts.is_free = article.get("isAccessibleForFree").and_then(|value| match value {
                Value::Bool(free) => Some(*free),
                Value::String(word) => Some(word.eq_ignore_ascii_case("true")),
                _ => None,
            });
            facts.text = article.get("articleBody").and_then(Value::as_str).map(str::to_owned);
            let publisher = article.get("publisher").and_then(|value| people(value, &known).into_iter().next());
            // Who publishes what he writes is no outlet.
            let owner = publisher.as_ref().filter(|name| is_person(name, &nodes));
            facts.owner = owner.cloned();
            facts.publisher = publisher.filter(|_| facts.owner.is_none()).or(facts.publisher);
        }
        let date = |key: &str| {
            let of = |node: &Value| node.get(key).and_then(|value| texts(value, &["@value"]).into_iter().next());
            whole.and_then(of).or_else(|| articles().find_map(of)).or_else(|| dated().find_map(of))
        };
        (facts.published, facts.modified) = (date("datePublished"), date("dateModified"));
        facts.uploaded = nodes
            .iter()
            .filter_map(|node| node.get("uploadDate"))
            .find_map(|value| texts(value, &[]).into_iter().next());
        if nodes.is_empty() {
            facts.rescue(&page.json_ld);
        }
        let primary = nodes.iter().find_map(|node| node.get("primaryImageOfPage")?.get("@id")?.as_str());
        let primary =
            nodes.iter().filter(|node| primary.is_some() && node.get("@id").and_then(Value::as_str) == primary);
        facts.pictures.extend(primary.flat_map(picture));
        facts
    }
}

/// Every object, those in a `@graph` or of a page's main entity included.
fn flatten(value: Value, nodes: &mut Vec<Value>, depth: usize) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, nodes, depth)),
        Value::Object(mut object) if depth < 8 => {
            let graph = object.remove("@graph");
            let inner: Vec<Value> =
                ["mainEntity", "mainEntityOfPage"].iter().filter_map(|key| object.get(*key)).cloned().collect();
            nodes.push(Value::Object(object));
            let inner = inner.into_iter().filter(|value| value.get("@type").is_some());
            graph.into_iter().chain(inner).for_each(|value| flatten(value, nodes, depth + 1));
        }
        _ => {}
    }
}

fn id(node: &Value) -> Option<String> {
    let has_name = node.get("name").is_some();
    node.get("@id").and_then(Value::as_str).filter(|_| has_name).map(str::to_owned)
}

/// The names of people or organisations; those given by reference are looked up.
fn people(value: &Value, known: &HashMap<String, Value>) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(|value| people(value, known)).collect(),
        Value::Object(object) if !object.contains_key("name") => {
            let referred = object.get("@id").and_then(Value::as_str).and_then(|id| known.get(id));
            referred.map(|node| texts(node, &["name"])).unwrap_or_default()
        }
        _ => texts(value, &["name"]),
    }
}

fn kinds(node: &Value) -> Vec<String> {
    node.get("@type").map(|value| texts(value, &[])).unwrap_or_default()
}

fn is_article(node: &Value) -> bool {
    kinds(node).iter().any(|kind| {
        kind.ends_with("Article") || kind.ends_with("BlogPosting") || kind == "Report" || kind == "LiveBlogPosting"
    })
}

/// Structured data calls somebody of this name a person.
fn is_person(name: &str, nodes: &[Value]) -> bool {
    let is_named =
        |node: &&Value| node.get("name").is_some_and(|value| texts(value, &[]).iter().any(|one| one == name));
    nodes.iter().filter(is_named).any(|node| kinds(node).iter().any(|kind| kind == "Person"))
}

/// A page that is not called an article, but has a date.
fn is_page(node: &Value) -> bool {
    let is_one = |kind: &String| {
        matches!(
            kind.as_str(),
            "WebPage" | "Recipe" | "VideoObject" | "Review" | "DiscussionForumPosting" | "CreativeWork"
        ) || kind.ends_with("Page")
    };
    kinds(node).iter().any(is_one)
}

/// What can be read of structured data: hand-made templates leave line breaks in strings, commas behind the last
/// member, comments and CDATA marks around it, a semicolon or another object behind it, or entities for quotes.
fn values(text: &str) -> Vec<Value> {
    let text = text.replace(|c: char| c.is_control(), " ");
    let text = text.trim().trim_start_matches('\u{feff}');
    if let Ok(value) = serde_json::from_str(text) {
        return vec![value];
    }
    static AROUND: LazyLock<Regex> = LazyLock::new(|| {
        // The expression is a constant.
        Regex::new(r"^(?:\s|<!--|//|/\*.*?\*/|<!\[CDATA\[|\*/)+|(?:\s|-->|//|/\*|\]\]>|\*/|;)+$")
            .expect("a valid expression")
    });
    let text = AROUND.replace_all(text, "");
    let text = if text.contains('"') { text.into_owned() } else { text.replace("&quot;", "\"") };
    let text = without_trailing_commas(&text);
    serde_json::Deserializer::from_str(&text).into_iter::<Value>().map_while(Result::ok).collect()
}

/// JSON without the commas that stand before a closing bracket.
fn without_trailing_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            (in_string, escaped) = (c != '"' || escaped, c == '\\' && !escaped);
        } else if c == '"' {
            in_string = true;
        } else if matches!(c, '}' | ']') {
            kept.truncate(kept.trim_end().trim_end_matches(',').len());
        }
        kept.push(c);
    }
    kept
}

impl Facts {
    /// Where structured data cannot be read at all, its plainest members can.
    fn rescue(&mut self, scripts: &[String]) {
        static MEMBER: LazyLock<Regex> = LazyLock::new(|| {
            // The expression is a constant.
            Regex::new(r#""(headline|datePublished|dateModified)"\s*:\s*"((?:[^"\\]|\\.)*)""#)
                .expect("a valid expression")
        });
        for found in scripts.iter().flat_map(|text| MEMBER.captures_iter(text)) {
            let value = serde_json::from_str::<String>(&format!("\"{}\"", &found[2])).ok().map(|text| folded(&text));
            let member = match &found[1] {
                "headline" => &mut self.headline,
                "datePublished" => &mut self.published,
                _ => &mut self.modified,
            };
            *member = member.take().or(value.filter(|text| !text.is_empty()));
        }
    }
}

/// The texts of a value that may be a text, an object with a text under one of `keys`, or a list of those.
fn texts(value: &Value, keys: &[&str]) -> Vec<String> {
    match value {
        Value::String(text) => Some(folded(&plain(text))).filter(|text| !text.is_empty()).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(|value| texts(value, keys)).collect(),
        Value::Object(object) => {
            keys.iter().find_map(|key| object.get(*key)).map(|value| texts(value, &[])).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// A text without the entities that some pages escape twice.
pub fn plain(text: &str) -> String {
    const NAMED: [(&str, &str); 11] = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&nbsp;", " "),
        ("&ndash;", "–"),
        ("&mdash;", "—"),
        ("&rsquo;", "’"),
        ("&hellip;", "…"),
        ("&amp;", "&"),
    ];
    if !text.contains('&') {
        return text.to_owned();
    }
    static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
        // The expression is a constant.
        Regex::new(r"&#(?:(\d{2,6})|[xX]([0-9a-fA-F]{2,5}));").expect("a valid expression")
    });
    let text = NAMED.iter().fold(text.to_owned(), |text, (name, sign)| text.replace(name, sign));
    let sign = |found: &regex::Captures<'_>| {
        let number = found.get(1).map(|digits| digits.as_str().parse().ok());
        let number = number.or_else(|| found.get(2).map(|digits| u32::from_str_radix(digits.as_str(), 16).ok()));
        number.flatten().and_then(char::from_u32).map_or_else(|| found[0].to_owned(), String::from)
    };
    NUMBER.replace_all(&text, sign).into_owned()
}

/// The address of record, when it is on the same site; another site's claim is an oddity.
pub fn canonical(page: &Page, address: Option<&WebUrl>, oddities: &mut Vec<String>) -> Option<WebUrl> {
    let claims = page.canonical.as_deref().into_iter().chain(page.meta("og:url"));
    for url in claims.filter_map(|claim| page.base.join(claim)) {
        if address.is_none_or(|address| address.domain() == url.domain()) {
            return Some(url);
        }
        oddities.push(format!("the address of record is claimed to be on another site: {url}"));
    }
    None
}

/// Keywords that stand in one text.
fn divided(words: &str) -> impl Iterator<Item = String> {
    words.split([',', '，', ';', '、']).map(folded)
}

/// Sections and tags, each once.
pub fn categories(page: &Page, facts: &Facts, document: &Document<'_>) -> Vec<String> {
    let tags = page.meta("article:tag").map(str::to_owned);
    let keywords = ["keywords", "news_keywords"].into_iter().flat_map(|name| page.meta(name));
    let keywords = keywords.flat_map(divided).chain(facts.keywords.iter().cloned());
    let sections = page.meta("article:section").map(str::to_owned);
    let all = document.claims.categories.iter().cloned().chain(facts.sections.iter().cloned()).chain(sections);
    let mut seen = HashSet::new();
    all.chain(tags).chain(keywords).filter(|word| !word.is_empty() && seen.insert(word.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_data_is_read_in_spite_of_its_errors() {
        for text in [
            r#"{"headline": "A"}"#,
            "<!-- {\"headline\": \"A\"} -->",
            "//<![CDATA[\n{\"headline\": \"A\"}\n//]]>",
            "{\"headline\": \"A\",}",
            "{\"headline\": \"A\", \"x\": [1, 2, ] };",
            "{\"headline\": \"A\", \"x\": \"one\ntwo\"}",
            "{&quot;headline&quot;: &quot;A&quot;}",
            "{\"headline\": \"A\"} {\"b\": 1",
        ] {
            let found = values(text);
            assert_eq!(found.first().and_then(|value| value["headline"].as_str()), Some("A"), "{text}");
        }
    }

    #[test]
    fn commas_in_strings_stay() {
        assert_eq!(without_trailing_commas(r#"{"a": ",}", "b": "\",]",}"#), r#"{"a": ",}", "b": "\",]"}"#);
    }

    #[test]
    fn entities_that_were_escaped_twice_are_signs() {
        for (text, want) in
            [("A &#8211; B", "A – B"), ("&quot;A&quot;", "\"A\""), ("A & B;", "A & B;"), ("&#x27;", "'")]
        {
            assert_eq!(plain(text), want, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_searched() {
        let mut facts = Facts::default();
        facts.rescue(&[r#"{"headline": "A \"B\"", "x": "y" "z", "datePublished": "2024-03-04"#.to_owned() + "\"}"]);
        assert_eq!(facts.headline.as_deref(), Some("A \"B\""));
        assert_eq!(facts.published.as_deref(), Some("2024-03-04"));
    }
}
