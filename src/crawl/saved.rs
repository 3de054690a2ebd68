//! A page that was saved to a file, as a seed: the pages it links to.
//!
//! The file is not archived: nobody knows what answer it was. Links resolve against the address that the browser wrote
//! into it, or that the page names as its own; without either, only whole addresses are used.

use std::collections::HashMap;

use super::step::document_uri;
use crate::extract;
use crate::seeds::{Format, Harvest, Reject, Seed};
use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// What browsers write into the pages they save, the length of the address in between (Microsoft, «mark of the web»).
const MARK: &str = "saved from url=(";
/// The mark stands within so many bytes.
const MARK_WITHIN: usize = 2 << 10;

/// The seeds that a saved page gives: all it links to but what its navigation does.
pub(super) fn read(name: &str, bytes: &[u8], at: Timestamp) -> Harvest {
    let own = document_uri(name);
    let page = |url: &str| {
        let (head, claims) = (Head::default(), Claims::default());
        extract::read(&extract::Document::page(url, at, &head, bytes, &claims))
    };
    let text = String::from_utf8_lossy(bytes);
    let marked = mark(&text);
    let mut findings = page(marked.as_ref().map_or(own.as_str(), WebUrl::as_str));
    let address = marked.or_else(|| {
        let named = findings.article.canonical.clone()?;
        findings = page(named.as_str());
        Some(named)
    });
    let lines = lines(&text, address.as_ref());
    let links = findings.links.iter().filter(|link| !link.around);
    let seed = |link: &extract::Link| Seed {
        url: link.url.clone(),
        line: lines.get(&link.url).copied().unwrap_or(0),
        claims: Claims::default(),
    };
    let mut harvest = Harvest { format: Some(Format::Html), seeds: links.map(seed).collect(), ..Harvest::default() };
    if harvest.seeds.is_empty() {
        let reason = "is an HTML page without a link that is a whole address, nor an address of its own; \
            give its URL instead, or a list of the links";
        harvest.rejects.push(Reject { line: 1, text: String::new(), reason: reason.to_owned() });
    }
    harvest
}

/// The address that the browser noted.
fn mark(text: &str) -> Option<WebUrl> {
    let start = text.get(..text.len().min(MARK_WITHIN)).unwrap_or(text);
    let (_, rest) = start.split_once(MARK)?;
    let (_, rest) = rest.split_once(')')?;
    WebUrl::parse(rest.split("-->").next()?.trim()).ok()
}

/// The lines on which addresses stand first, as far as they stand there as they are.
fn lines(text: &str, address: Option<&WebUrl>) -> HashMap<WebUrl, u32> {
    let mut lines = HashMap::new();
    for (line, content) in (1..).zip(text.lines()) {
        for rest in content.split("href=").skip(1) {
            let quote = rest.starts_with(['"', '\'']);
            let ends = |c: char| if quote { c == '"' || c == '\'' } else { c == '>' || c.is_ascii_whitespace() };
            let href = rest[usize::from(quote)..].split(ends).next().unwrap_or("").replace("&amp;", "&");
            let url = address.map_or_else(|| WebUrl::parse(&href), |address| address.join(&href, None));
            if let Ok(url) = url {
                lines.entry(url).or_insert(line);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, want: &[(&str, u32)]) {
        let harvest = read("saved.html", html.as_bytes(), Timestamp(0));
        let seeds: Vec<_> = harvest.seeds.iter().map(|seed| (seed.url.as_str(), seed.line)).collect();
        assert_eq!(seeds, want, "{html}");
        assert_eq!(harvest.rejects.len(), usize::from(want.is_empty()));
    }

    #[test]
    fn links_resolve_against_the_address_that_the_file_names() {
        let (a, b) = (("http://n.example/a?x=1&y=2", 2), ("http://n.example/n/b", 3));
        let links = "\n<li><a href=/a?x=1&amp;y=2>A</a>\n<li><a href='b'>B</a>";
        check(&format!("<!-- saved from url=(0020)http://n.example/n/ -->{links}"), &[a, b]);
        check(&format!("<link rel=canonical href=http://n.example/n/>{links}"), &[a, b]);
        check(&format!("<!doctype html>{links}<a href=\"https://m.example/\">"), &[("https://m.example/", 3)]);
        check(&format!("<!doctype html>{links}"), &[]);
    }

    #[test]
    fn navigation_is_left_out() {
        let nav = "<nav><a href=http://n.example/login>Log in</a></nav><a href=http://n.example/a>A</a>";
        check(&format!("<body>{nav}"), &[("http://n.example/a", 1)]);
    }
}
