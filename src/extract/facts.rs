//! What a page says of itself to machines: structured data and `meta` elements.

use std::collections::HashSet;

use serde_json::Value;

use super::tree::Page;
use super::{Document, folded};
use crate::web::url::WebUrl;

/// What structured data and `meta` elements say.
#[derive(Default)]
pub(super) struct Facts {
    /// It calls itself an article.
    pub is_article: bool,
    pub headline: Option<String>,
    pub authors: Vec<String>,
    pub published: Option<String>,
    pub pictures: Vec<String>,
    pub publisher: Option<String>,
    pub sections: Vec<String>,
    /// Whether everybody may read it all, where structured data says so.
    pub is_free: Option<bool>,
    /// The whole text, where structured data has it.
    pub text: Option<String>,
}

impl Facts {
    pub fn of(page: &Page) -> Facts {
        let mut nodes = Vec::new();
        for text in &page.json_ld {
            // Line breaks inside strings are the commonest error.
            let text = text.replace(|c: char| c.is_control(), " ");
            if let Ok(value) = serde_json::from_str(&text) {
                flatten(value, &mut nodes);
            }
        }
        let mut facts = Facts {
            is_article: page.meta("og:type").any(|kind| kind.eq_ignore_ascii_case("article")),
            publisher: page.meta("og:site_name").next().map(str::to_owned),
            ..Facts::default()
        };
        let picture = |value: &Value| texts(value, &["url", "contentUrl"]);
        if let Some(article) = nodes.iter().find(|node| is_article(node)) {
            facts.is_article = true;
            facts.headline = article.get("headline").and_then(|value| texts(value, &[]).into_iter().next());
            facts.published = article.get("datePublished").and_then(Value::as_str).map(str::to_owned);
            facts.authors = article.get("author").map(|value| texts(value, &["name"])).unwrap_or_default();
            facts.pictures = article.get("image").map(picture).unwrap_or_default();
            facts.sections = article.get("articleSection").map(|value| texts(value, &[])).unwrap_or_default();
            facts.is_free = article.get("isAccessibleForFree").and_then(|value| match value {
                Value::Bool(free) => Some(*free),
                Value::String(word) => Some(word.eq_ignore_ascii_case("true")),
                _ => None,
            });
            facts.text = article.get("articleBody").and_then(Value::as_str).map(str::to_owned);
            let publisher = article.get("publisher").and_then(|value| texts(value, &["name"]).into_iter().next());
            facts.publisher = publisher.or(facts.publisher);
        }
        let primary = nodes.iter().find_map(|node| node.get("primaryImageOfPage")?.get("@id")?.as_str());
        let primary =
            nodes.iter().filter(|node| primary.is_some() && node.get("@id").and_then(Value::as_str) == primary);
        facts.pictures.extend(primary.flat_map(picture));
        facts
    }
}

/// Every object, those in a `@graph` included.
fn flatten(value: Value, nodes: &mut Vec<Value>) {
    match value {
        Value::Array(values) => values.into_iter().for_each(|value| flatten(value, nodes)),
        Value::Object(mut object) => {
            let graph = object.remove("@graph");
            nodes.push(Value::Object(object));
            graph.into_iter().for_each(|value| flatten(value, nodes));
        }
        _ => {}
    }
}

fn is_article(node: &Value) -> bool {
    let kinds = node.get("@type").map(|value| texts(value, &[])).unwrap_or_default();
    kinds.iter().any(|kind| kind.ends_with("Article") || kind.ends_with("BlogPosting") || kind == "Report")
}

/// The texts of a value that may be a text, an object with a text under one of `keys`, or a list of those.
fn texts(value: &Value, keys: &[&str]) -> Vec<String> {
    match value {
        Value::String(text) => Some(folded(text)).filter(|text| !text.is_empty()).into_iter().collect(),
        Value::Array(values) => values.iter().flat_map(|value| texts(value, keys)).collect(),
        Value::Object(object) => {
            keys.iter().find_map(|key| object.get(*key)).map(|value| texts(value, &[])).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The address of record, when it is on the same site; another site's claim is an oddity.
pub(super) fn canonical(page: &Page, address: Option<&WebUrl>, oddities: &mut Vec<String>) -> Option<WebUrl> {
    let claims = page.canonical.as_deref().into_iter().chain(page.meta("og:url"));
    for url in claims.filter_map(|claim| page.base.join(claim)) {
        if address.is_none_or(|address| address.domain() == url.domain()) {
            return Some(url);
        }
        oddities.push(format!("the address of record is claimed to be on another site: {url}"));
    }
    None
}

/// Sections and tags, each once.
pub(super) fn categories(page: &Page, facts: &Facts, document: &Document<'_>) -> Vec<String> {
    let tags = page.meta("article:tag").map(str::to_owned);
    let keywords = ["keywords", "news_keywords"].into_iter().flat_map(|name| page.meta(name));
    let keywords = keywords.flat_map(|words| words.split([',', '，', ';', '、'])).map(folded);
    let sections = page.meta("article:section").map(str::to_owned);
    let all = document.claims.categories.iter().cloned().chain(facts.sections.iter().cloned()).chain(sections);
    let mut seen = HashSet::new();
    all.chain(tags).chain(keywords).filter(|word| !word.is_empty() && seen.insert(word.clone())).collect()
}
