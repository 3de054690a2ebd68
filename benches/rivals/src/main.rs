//! `rivals dom_smoothie|trafilatura`: reads the lines that `pressmark extract --jsonl` reads, answers in a shape like its.

use std::io::{BufRead, Write};

use serde_json::{Value, json};

fn main() {
    let rival = std::env::args().nth(1).unwrap_or_default();
    let read = match rival.as_str() {
        "dom_smoothie" => dom_smoothie,
        "trafilatura" => trafilatura,
        _ => panic!("rivals dom_smoothie|trafilatura"),
    };
    for line in std::io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&line.expect("standard input")).expect("a line of JSON");
        let bytes = std::fs::read(line["path"].as_str().expect("a path")).expect("a file");
        let html = decoded(&bytes);
        let url = line["url"].as_str().unwrap_or_default();
        let mut answer = std::panic::catch_unwind(|| read(&html, url)).unwrap_or_default();
        if answer.is_null() {
            answer = json!({});
        }
        answer["id"] = line["id"].clone();
        let mut out = std::io::stdout().lock();
        writeln!(out, "{answer}").and_then(|()| out.flush()).expect("standard output");
    }
}

fn dom_smoothie(html: &str, url: &str) -> Value {
    use dom_smoothie::{Config, Readability, TextMode};
    let config = Config { text_mode: TextMode::Formatted, ..Config::default() };
    let url = Some(url).filter(|url| !url.is_empty());
    let Ok(mut reader) = Readability::new(html, url, Some(config)) else { return Value::Null };
    let Ok(article) = reader.parse() else { return Value::Null };
    json!({
        "title": article.title,
        "byline": names(article.byline.as_deref().unwrap_or_default()),
        "published": article.published_time,
        "language": article.lang,
        "lead_image": article.image,
        "images": images(&article.content),
        "text": article.text_content.to_string(),
    })
}

fn trafilatura(html: &str, url: &str) -> Value {
    let mut options = trafilatura::Options::default().with_fallback(true).with_images(true).with_exclude_comments(true);
    if let Ok(url) = url.parse() {
        options = options.with_url(url);
    }
    let Ok(found) = trafilatura::extract(html, &options) else { return Value::Null };
    json!({
        "title": found.metadata.title,
        "byline": names(&found.metadata.author),
        "published": found.metadata.date.map(|date| date.to_string()),
        "language": found.metadata.language,
        "lead_image": found.metadata.image,
        "images": images(&found.content_html),
        "text": found.content_text,
    })
}

fn names(text: &str) -> Vec<Value> {
    let parts = text.split([';', ',', '、']).flat_map(|part| part.split(" and ")).map(str::trim);
    parts.filter(|name| !name.is_empty()).map(|name| json!({"name": name, "role": "author"})).collect()
}

/// The addresses of the pictures in clean HTML.
fn images(html: &str) -> Vec<Value> {
    let tags = html.split("<img").skip(1).filter_map(|rest| rest.split_once('>').map(|(tag, _)| tag));
    let sources = tags.filter_map(|tag| tag.split_once("src=\"")?.1.split('"').next());
    sources.map(|url| json!({"url": url.replace("&amp;", "&")})).collect()
}

/// The text of a page by its byte order mark, its own label, or a guess.
fn decoded(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2048)]).to_lowercase();
    let label = head.split_once("charset=").map(|(_, rest)| {
        rest.trim_start_matches(['"', '\'']).split(['"', '\'', ';', '>', ' ', '/']).next().unwrap_or("").to_owned()
    });
    let labelled = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    let guess = || {
        let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        detector.feed(bytes, true);
        detector.guess(None, chardetng::Utf8Detection::Allow)
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    labelled.filter(|encoding| encoding.name() != "UTF-8").unwrap_or_else(guess).decode(bytes).0.into_owned()
}
