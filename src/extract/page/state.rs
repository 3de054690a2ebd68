//! Pictures in the state that a page hands its scripts: `<script type="application/json">` and
//! `window.__STATE__ = {…}`. Asked only of a page that shows neither text nor pictures by itself.

use serde_json::Value;

/// Bytes of a script that are looked through; states of 2 MB have been seen.
const LONGEST: usize = 4 << 20;

/// Values that look like JSON and are none, after which a script is left alone.
const FAILURES: usize = 20;

/// Pictures taken of one page.
const MOST: usize = 200;

/// How deep a state is followed.
const DEEPEST: usize = 40;

/// Words in a key that make its value a picture.
const PICTURES: &[&str] =
    &["image", "img", "pic", "photo", "cover", "thumb", "poster", "gallery", "illustration", "banner"];

/// Words in a key whose value belongs to the page, not to the article.
const OTHERS: &[&str] = &[
    "avatar",
    "logo",
    "icon",
    "author",
    "user",
    "profile",
    "publisher",
    "related",
    "recommend",
    "advert",
    "config",
    "menu",
    "footer",
    "header",
    "nav",
    "sprite",
    "qrcode",
    "comment",
];

/// The states in a script's text: a document of JSON, or what is assigned to a name.
pub fn states(script: &str, is_json: bool) -> Vec<Value> {
    let Some(script) = script.get(..script.len().min(LONGEST)) else { return Vec::new() };
    let mut failures = 0;
    if is_json {
        return serde_json::from_str(script).into_iter().collect();
    }
    let mut found = Vec::new();
    let mut rest = script;
    while let Some(at) = rest.find('=') {
        let before = rest[..at].trim_end();
        rest = &rest[at + 1..];
        let value = rest.trim_start();
        let is_named = before.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | ']'));
        let (text, is_text) = match value.strip_prefix("JSON.parse(") {
            Some(text) => (text, true),
            None => (value, false),
        };
        // A program's objects have bare keys and its lists bare names.
        let looks_right = match text.strip_prefix(['{', '[']) {
            Some(inside) => inside.trim_start().starts_with(['"', '{', '[']),
            None => is_text && text.starts_with('"'),
        };
        if !is_named || !looks_right || failures == FAILURES {
            continue;
        }
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        if let Some(Ok(value)) = values.next() {
            rest = &text[values.byte_offset()..];
            match value {
                Value::String(inner) if is_text => found.extend(serde_json::from_str::<Value>(&inner)),
                value => found.push(value),
            }
        } else {
            failures += 1;
        }
    }
    found
}

/// The addresses that a state gives under keys that speak of pictures, in order, as written.
pub fn pictures(state: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(state, false, 0, &mut found);
    found
}

fn walk(value: &Value, is_picture: bool, depth: usize, found: &mut Vec<String>) {
    if depth == DEEPEST || found.len() == MOST {
        return;
    }
    match value {
        Value::String(text) if is_picture && is_address(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| walk(value, is_picture, depth + 1, found)),
        Value::Object(object) => {
            for (key, value) in object {
                let key = key.to_ascii_lowercase();
                if !OTHERS.iter().any(|word| key.contains(word)) {
                    let of_picture = PICTURES.iter().any(|word| key.contains(word));
                    let address = matches!(&*key, "url" | "src" | "href" | "original" | "large" | "uri" | "origin");
                    let nested = value.is_array() || value.is_object();
                    walk(value, of_picture || is_picture && (address || nested), depth + 1, found);
                }
            }
        }
        _ => {}
    }
}

fn is_address(text: &str) -> bool {
    let is_absolute = ["http://", "https://", "//"].iter().any(|start| text.starts_with(start));
    let path = text.split(['?', '#']).next().unwrap_or("").to_ascii_lowercase();
    let has_ending = [".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"].iter().any(|ending| path.ends_with(ending));
    !text.contains(char::is_whitespace) && (is_absolute || text.starts_with('/') && has_ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pictures_of_a_state_are_taken() {
        for (script, want) in [
            (
                r#"window.__S__={"a":{"images":["https:\/\/p.example\/1.jpg","https:\u002F\u002Fp.example\u002F2"]}};"#,
                "https://p.example/1.jpg https://p.example/2",
            ),
            (
                r#"window.D = {"data":{"article":[{"title":"x","thumbnail_mpic":"//p.example/1.jpg"}]}}; go()"#,
                "//p.example/1.jpg",
            ),
            (r#"var s = JSON.parse("{\"cover\":{\"url\":\"/c.png\"}}")"#, "/c.png"),
            (r#"var a=1;if(a=={"img":"/x.png"}){};w={"gallery":[{"src":"/g.png","alt":"/no.png"}]}"#, "/g.png"),
            (r#"w={"logo":"https://p.example/l.png","author":{"image":"https://p.example/a.png"}}"#, ""),
            (r#"w={"link":"https://p.example/l.png","image":"none","img":{"id":"https://p.example/x"}}"#, ""),
            (r#"var t = '<img src="/t.png">', u = "https://p.example/u.png"; f({"image":"/v.png"})"#, ""),
            (r#"w={image:"/not-json.png"}"#, ""),
            ("=== = { = [", ""),
        ] {
            let found: Vec<String> = states(script, false).iter().flat_map(pictures).collect();
            assert_eq!(found.join(" "), want, "{script}");
        }
        let next = r#"{"props":{"pageProps":{"post":{"coverImage":"https://p.example/n.jpg"}}}}"#;
        assert_eq!(states(next, true).iter().flat_map(pictures).collect::<Vec<_>>(), ["https://p.example/n.jpg"]);
    }
}
