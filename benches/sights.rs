//! `cargo bench --bench sights -- FOLDER…`: what the judge of blocks sees of each page, for `scripts/train_blocks.py`.
//! FOLDER holds truth.jsonl (`id`, `url`) and html/ID.html; one object a page goes to standard output.

use std::io::Write;

use pressmark::extract::{self, Document};
use pressmark::web::claims::Claims;
use pressmark::web::message::Head;
use pressmark::web::time::Timestamp;
use serde_json::{Value, json};

fn main() {
    let folders = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    writeln!(out, "{}", json!({"features": extract::features()})).expect("standard output");
    for folder in folders {
        let truths = std::fs::read_to_string(format!("{folder}/truth.jsonl")).expect("truth.jsonl");
        for line in truths.lines() {
            let page: Value = serde_json::from_str(line).expect("a line of JSON");
            let id = page["id"].as_str().expect("an id");
            let bytes = std::fs::read(format!("{folder}/html/{id}.html")).expect("the page");
            let (url, head, claims) = (page["url"].as_str().unwrap_or_default(), Head::default(), Claims::default());
            let document = Document::page(url, Timestamp(1_790_000_000_000), &head, &bytes, &claims);
            let sights = extract::sights(&document);
            let blocks: Vec<Value> =
                sights.iter().map(|one| json!([one.text, one.features, one.marks, one.branch])).collect();
            writeln!(out, "{}", json!({"id": id, "blocks": blocks})).expect("standard output");
        }
    }
}
