//! The article of a page that leaves its text to scripts: in the state that it hands them, whole and marked up.

use std::borrow::Cow;

use serde_json::Value;

use crate::extract::page::state;
use crate::extract::page::tree::{Page, Zone, weight};

/// A page that shows this much text by itself, by weight, is read as it shows itself.
const SHOWN: usize = 300;
/// And an article in a state has at least so much.
const ENOUGH: usize = 300;
/// How deep a state is followed.
const DEEPEST: usize = 40;
/// What begins the parts in which Next.js hands over its state (its App Router's `__next_f`).
const FLIGHT: &str = "__next_f.push(";

/// Keys whose value is an article's text, in lower case, as sites' own interfaces name them.
const KEYS: &[&str] = &[
    "content",
    "contenthtml",
    "content_html",
    "contents",
    "articlebody",
    "article_body",
    "articlecontent",
    "article_content",
    "body",
    "bodyhtml",
    "body_html",
    "html",
    "text",
    "fulltext",
    "full_text",
    "rendered", // the WordPress REST interface
    "maintext",
    "newscontent",
];

/// What ends a paragraph where text is marked up.
const BREAKS: [&str; 4] = ["</p>", "<br", "</div>", "</section>"];

/// The HTML of the article, where a page shows next to nothing and hands one to its scripts: the longest it has.
pub fn of(page: &Page) -> Option<String> {
    let shown = page.blocks.iter().filter(|block| !block.hidden && block.zone < Zone::Around);
    if page.scripts.is_empty() || shown.map(|block| block.weight).sum::<usize>() >= SHOWN {
        return None;
    }
    let mut found = Vec::new();
    for (script, is_json) in &page.scripts {
        for state in state::states(script, *is_json) {
            walk(&state, false, 0, &mut found);
        }
        found.extend(flown(script).filter(|text| text.starts_with('<') && is_prose(text)));
    }
    found.into_iter().max_by_key(|text| weight(text))
}

fn walk(value: &Value, is_text: bool, depth: usize, found: &mut Vec<String>) {
    match value {
        _ if depth == DEEPEST => {}
        Value::String(text) if is_text => {
            let html = unescaped(text);
            if is_prose(&html) {
                found.push(html.into_owned());
            }
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, is_text, depth + 1, found)),
        Value::Object(object) => {
            for (key, value) in object {
                walk(value, KEYS.contains(&&*key.to_ascii_lowercase()), depth + 1, found);
            }
        }
        _ => {}
    }
}

/// The strings of a state that comes in parts.
fn flown(script: &str) -> impl Iterator<Item = String> {
    script.split(FLIGHT).skip(1).filter_map(|part| {
        let mut values = serde_json::Deserializer::from_str(part).into_iter::<Value>();
        let Some(Ok(Value::Array(values))) = values.next() else { return None };
        values.into_iter().find_map(|value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    })
}

/// Some states hold their markup escaped once more.
fn unescaped(text: &str) -> Cow<'_, str> {
    if text.trim_start().starts_with("&lt;") {
        Cow::Owned(crate::extract::meta::facts::plain(text))
    } else {
        Cow::Borrowed(text)
    }
}

/// Marked up in paragraphs, and with enough text in them.
fn is_prose(html: &str) -> bool {
    let breaks = || BREAKS.iter().map(|mark| html.matches(mark).count()).sum::<usize>();
    html.len() >= ENOUGH && breaks() >= 2 && html.split('<').map(outside).map(weight).sum::<usize>() >= ENOUGH
}

/// What follows a tag.
fn outside(piece: &str) -> &str {
    piece.split_once('>').map_or("", |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use crate::extract::Kind;
    use crate::extract::tests::page;

    const LINES: [&str; 5] = [
        "The ferry leaves at nine and comes back at noon, as it has done for forty years, whoever waits at the quay.",
        "Nobody in the village remembers a morning without its bell, and few have ever seen its captain in a hurry.",
        "When the council proposed a bridge last autumn, two hundred people came to the meeting and all but nine said no.",
        "A bridge, said the baker, is open at night; he would rather know that the island sleeps when he does.",
        "So the ferry stays, and with it the timetable that hangs, yellow and without one mistake, in every kitchen.",
    ];

    fn paragraphs() -> String {
        LINES.map(|line| format!("<p>{line}</p>")).concat()
    }

    #[test]
    fn an_article_in_a_state_is_read() {
        let picture = "<p><img src='/boat.jpg' width='900' height='600'></p>";
        let article = format!("{}{picture}", paragraphs());
        let json = |value: &str| serde_json::Value::from(value).to_string();
        let escaped = article.replace('<', "&lt;").replace('>', "&gt;");
        for script in [
            format!("window.__STATE__ = {{\"post\":{{\"title\":\"A\",\"contentHtml\":{}}}}};", json(&article)),
            format!("window.x={{\"data\":{{\"list\":[1],\"content\":{}}}}}", json(&escaped)),
            format!("self.__next_f.push([1,\"24:T1b7b,\"])</script><script>self.__next_f.push([1,{}])", json(&article)),
        ] {
            let shell = format!("<title>The ferry</title><div id=app></div><script>{script}</script>");
            let found = page(&shell);
            assert_eq!(found.article.text.lines().count(), 5, "{script}: {}", found.article.text);
            assert_eq!(found.images[0].variants[0].url.as_str(), "https://news.example/boat.jpg", "{script}");
            assert_eq!(found.kind, Kind::Article, "{script}");
        }
    }

    #[test]
    fn what_a_page_shows_goes_before_its_state() {
        let article = paragraphs();
        let script = format!("window.s={{\"content\":{}}}", serde_json::Value::from(article.replace("ferry", "tram")));
        let shown = format!("<article><h1>The ferry</h1>{article}</article><script>{script}</script>");
        assert!(!page(&shown).article.text.contains("tram"));
        // A programme's own texts are no article.
        for script in ["window.s={\"content\":\"Short.<br>Short.<br>\"}", "var t='<p>a</p><p>b</p>'"] {
            assert_eq!(page(&format!("<div id=app></div><script>{script}</script>")).article.text, "", "{script}");
        }
    }
}
