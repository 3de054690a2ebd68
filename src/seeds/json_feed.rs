//! JSON Feed (jsonfeed.org, version 1.1, and 1 before it).
//!
//! An entry without a link, or with one that cannot be read, costs only itself. A line is that of the entry's link.

use serde_json::Value;

use super::xml::Lines;
use super::{Format, Harvest, Seed, filled};
use crate::web::claims::Claims;
use crate::web::url::WebUrl;

/// It says that it is one, or has the list of entries that one has.
pub(super) fn is_one(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    start.contains("jsonfeed.org/version") || start.contains("\"items\"") && start.trim_start().starts_with('{')
}

/// Links that are not written as they are (`\u0026`), after which nobody looks any more for the lines they stand on.
const MISSES: usize = 20;

/// Reads a feed. Relative links resolve against the feed's home page, its own address, and `name`, in that order.
pub(super) fn read(name: &str, bytes: &[u8]) -> Harvest {
    let text = String::from_utf8_lossy(bytes);
    let feed: Value = match serde_json::from_str(&text) {
        Ok(feed) => feed,
        Err(cause) => {
            let line = u32::try_from(cause.line()).unwrap_or(u32::MAX);
            return Harvest::rejected(line, "", format!("is a JSON Feed that breaks here: {cause}"));
        }
    };
    let mut harvest = Harvest::of(Format::Feed);
    let bases = [string(&feed, "home_page_url"), string(&feed, "feed_url"), Some(name.to_owned())];
    let base = bases.into_iter().flatten().find_map(|base| WebUrl::parse(&base).ok());
    let Some(Value::Array(items)) = feed.get("items") else {
        harvest.reject(1, "", "is a JSON Feed without a list of items");
        return harvest;
    };
    let mut lines = Lines::of(&text);
    let (mut behind, mut missed) = (0, 0);
    for item in items {
        let link = ["url", "external_url", "id"].into_iter().find_map(|key| {
            let link = string(item, key)?;
            (key != "id" || WebUrl::parse(&link).is_ok()).then_some(link)
        });
        let Some(link) = link else {
            harvest.reject(lines.at(behind), &string(item, "title").unwrap_or_default(), "is an entry without a link");
            continue;
        };
        // As it is written there: a slash may be escaped.
        let forms = [format!("\"{link}\""), format!("\"{}\"", link.replace('/', "\\/"))];
        let find = || forms.iter().filter_map(|form| text.get(behind..)?.find(form.as_str())).min();
        let found = if missed < MISSES { find() } else { None };
        missed += usize::from(found.is_none());
        behind += found.unwrap_or(0);
        let line = lines.at(behind);
        let url = base.as_ref().map_or_else(|| WebUrl::parse(&link), |base| base.join(&link, None));
        match url {
            Ok(url) => harvest.seeds.push(Seed { url, line, claims: claims(item, &feed) }),
            Err(cause) => harvest.reject(line, &link, cause.to_string()),
        }
    }
    harvest
}

fn claims(item: &Value, feed: &Value) -> Claims {
    let names = |of: &Value| -> Vec<String> {
        let list = of.get("authors").and_then(Value::as_array).cloned().unwrap_or_default();
        // Version 1 had one author.
        list.iter().chain(of.get("author")).filter_map(|author| string(author, "name")).collect()
    };
    let own = names(item);
    let tags = item.get("tags").and_then(Value::as_array).into_iter().flatten();
    Claims {
        title: string(item, "title"),
        authors: if own.is_empty() { names(feed) } else { own },
        published: string(item, "date_published"),
        modified: string(item, "date_modified"),
        categories: tags.filter_map(|tag| filled(tag.as_str()?)).collect(),
        lead_image: string(item, "image").or_else(|| string(item, "banner_image")),
        language: string(item, "language").or_else(|| string(feed, "language")),
        comments: None,
    }
}

fn string(of: &Value, key: &str) -> Option<String> {
    filled(of.get(key)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use proptest::prelude::*;

    const FEED: &str = r#"{
  "version": "https://jsonfeed.org/version/1.1",
  "title": "山海报",
  "home_page_url": "https://news.example/",
  "language": "zh",
  "authors": [{"name": "山海报"}],
  "items": [
    {"id": "1", "url": "https:\/\/news.example\/a", "title": "河变清了", "date_published": "2024-03-04T10:06:36+08:00",
     "tags": ["城市", ""], "image": "https://pic.example/a.jpg", "authors": [{"name": "何田"}]},
    {"id": "https://news.example/b", "date_modified": "2024-03-05T00:00:00Z"},
    {"id": "3", "url": "c.html", "author": {"name": "李云"}},
    {"id": "4", "title": "没有链接"},
    {"id": "5", "url": "http://"}
  ]
}"#;

    #[test]
    fn entries_are_seeds_with_their_claims() {
        let harvest = read("feed.json", FEED.as_bytes());
        assert_eq!(harvest.format, Some(Format::Feed));
        let seeds: Vec<_> = harvest.seeds.iter().map(|seed| (seed.url.as_str(), seed.line)).collect();
        let want = [("https://news.example/a", 8), ("https://news.example/b", 10), ("https://news.example/c.html", 11)];
        assert_eq!(seeds, want);
        let first = &harvest.seeds[0].claims;
        assert_eq!(first.title.as_deref(), Some("河变清了"));
        assert_eq!(first.published.as_deref(), Some("2024-03-04T10:06:36+08:00"));
        assert_eq!(
            (first.authors.as_slice(), first.categories.as_slice()),
            (&["何田".into()][..], &["城市".into()][..])
        );
        assert_eq!(harvest.seeds[1].claims.authors, ["山海报"]);
        assert_eq!(harvest.seeds[2].claims.authors, ["李云"]);
        let rejects: Vec<_> = harvest.rejects.iter().map(|one| (one.text.as_str(), one.reason.as_str())).collect();
        assert_eq!(rejects[0], ("没有链接", "is an entry without a link"));
        assert_eq!((rejects.len(), rejects[1].0), (2, "http://"));
    }

    #[test]
    fn what_is_broken_is_said_with_its_line() {
        let cut = &FEED[..FEED.len() / 2];
        let cut = &cut[..cut.rfind('\n').unwrap()];
        let harvest = read("x", cut.as_bytes());
        assert!(harvest.rejects[0].line >= 8, "{:?}", harvest.rejects);
        let harvest = read("x", br#"{"version": "https://jsonfeed.org/version/1"}"#);
        assert_eq!(harvest.rejects[0].reason, "is a JSON Feed without a list of items");
    }

    proptest! {
        #[test]
        fn any_feed_is_read(link in "\\PC{0,20}", title in "\\PC{0,20}") {
            let feed = serde_json::json!({"version": "https://jsonfeed.org/version/1", "items": [
                {"url": link, "title": title}, {"external_url": title}, {"id": link}, 7, null]});
            read("http://a.example/", feed.to_string().as_bytes());
        }
    }
}
