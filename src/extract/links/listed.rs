//! Lists of articles in the state that a page hands its scripts: on a page that shows none itself, these are its links.

use serde_json::Value;

use crate::extract::Link;
use crate::extract::page::state;
use crate::extract::page::tree::{Page, weight};

/// Keys of an entry's headline, and of its address, as sites' own interfaces name them.
const TITLES: [&str; 4] = ["title", "headline", "name", "subject"];
const ADDRESSES: [&str; 9] =
    ["url", "link", "href", "web_url", "webUrl", "canonicalUrl", "canonical_url", "permalink", "shareUrl"];

/// Words in a key that make what it holds something else than the list.
const OTHERS: [&str; 8] = ["menu", "nav", "footer", "header", "config", "author", "user", "channel"];

/// A headline has this weight; the entries of a menu have less.
const HEADLINE: usize = 18;

/// A list has so many entries.
const ENTRIES: usize = 3;

/// How deep a state is followed.
const DEEPEST: usize = 40;

/// Links taken of one page.
const MOST: usize = 500;

/// The articles that the states of a page list, in order.
pub fn links(page: &Page) -> Vec<Link> {
    let mut entries = Vec::new();
    for state in page.scripts.iter().flat_map(|(script, is_json)| state::states(script, *is_json)) {
        walk(&state, 0, &mut entries);
    }
    let link = |(text, url): (String, String)| {
        let url = page.base.join(&url)?;
        Some(Link { url, text, nofollow: false, around: false, next: false })
    };
    entries.into_iter().filter_map(link).collect()
}

fn walk(value: &Value, depth: usize, found: &mut Vec<(String, String)>) {
    if depth == DEEPEST || found.len() >= MOST {
        return;
    }
    match value {
        Value::Array(values) => {
            let entries: Vec<_> = values.iter().filter_map(entry).collect();
            if entries.len() >= ENTRIES {
                found.extend(entries);
            } else {
                values.iter().for_each(|value| walk(value, depth + 1, found));
            }
        }
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.to_ascii_lowercase();
                if !OTHERS.iter().any(|word| key.contains(word)) {
                    walk(value, depth + 1, found);
                }
            }
        }
        _ => {}
    }
}

/// An entry of a list: headline and address.
fn entry(value: &Value) -> Option<(String, String)> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| value.get(*key)?.as_str());
    let title = crate::extract::folded(text(&TITLES)?);
    let url = text(&ADDRESSES)?.trim();
    let is_address = ["http://", "https://", "/"].iter().any(|start| url.starts_with(start));
    (is_address && weight(&title) >= HEADLINE).then(|| (title, url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_from_menus_and_pictures() {
        let entries = |key: &str, title: &str| {
            let entry = |n| format!(r#"{{"{key}":"\/\/n.example\/{n}","title":"{title} {n}"}}"#);
            (1..=3).map(entry).collect::<Vec<_>>().join(",")
        };
        let (good, menu) = (entries("url", "哪些小程序做到了月活上亿"), entries("url", "Sports"));
        let pictures = entries("src", "A picture of the ferry at noon");
        let few = r#"{"url":"/1","title":"Only one entry is no list of any kind"}"#;
        for (script, want) in [
            (format!(r#"window.WinPageData = {{"data":{{"article":[{good}]}}}};"#), 3),
            (format!(r#"window.x={{"menu":[{good}]}}"#), 0),
            (format!(r#"window.x={{"list":[{menu}],"pics":[{pictures}],"one":[{few}]}}"#), 0),
            (format!(r#"window.x={{"a":[{{"list":[{good}]}}],"b":[{menu}]}}"#), 3),
            ("window.captcha={\"once_id\":1}".to_owned(), 0),
        ] {
            let html = format!("<body><script>{script}</script>");
            let base = crate::web::url::WebUrl::parse("https://m.example/").unwrap();
            let page = Page::read(&html, Some(base), encoding_rs::UTF_8, None);
            let links = links(&page);
            assert_eq!(links.len(), want, "{script}");
            assert!(links.iter().all(|link| link.url.as_str().starts_with("https://n.example/")));
        }
    }
}
