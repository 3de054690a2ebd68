//! `docs/formats.md` says what is written: its tables of fields and keys are compared with what is.

use std::collections::BTreeSet;
use std::path::Path;

use pressmark::archive::{Framing, ImageNote, Notes, Record, Records, Stored, TimesNote};
use pressmark::web::candidate::Role;
use pressmark::web::claims::Claims;
use pressmark::web::verdict::RobotsVerdict;
use serde_json::Value;

use crate::lantern::{Lantern, run, warcs};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap()
}

/// The rows of the table with this head, as cells; code marks are taken off the first.
fn table(page: &str, head: &str) -> Vec<Vec<String>> {
    let rows = page.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "docs/formats.md has no table «{head}»");
    rows
}

/// Whether a field may stand in a record of that type, by the second column.
fn is_in(kinds: &str, kind: &str) -> bool {
    match kinds.strip_prefix("all") {
        Some(but) => !but.ends_with(kind),
        None => kinds.split(", ").any(|one| one == kind),
    }
}

#[test]
fn the_order_of_fields_is_the_documented_one() {
    let fields = table(&page(), "| field | in | value |");
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    for _ in 0..2 {
        // The second time, what has not changed becomes a revisit.
        let mut command = lantern.crawl(folder.path());
        command.args("--delay 0s --robots ignore --max-time 4s --quiet".split(' '));
        assert!(run(&mut command).status.success());
    }
    let mut seen = BTreeSet::new();
    for file in warcs(folder.path()) {
        for record in Records::open(&file, 0).unwrap().map(Result::unwrap) {
            check(&record, &fields);
            seen.insert(record.kind().to_owned());
        }
    }
    let kinds = ["metadata", "request", "response", "revisit", "warcinfo"];
    assert!(kinds.iter().all(|kind| seen.contains(*kind)), "{seen:?}");
}

fn check(record: &Record, fields: &[Vec<String>]) {
    let mut next = 0;
    for (name, _) in &record.fields {
        let at = fields.iter().position(|row| row[0].trim_matches('`') == name);
        let at = at.unwrap_or_else(|| panic!("{name} is not in docs/formats.md"));
        let repeats = name == "WARC-Protocol" && at + 1 == next;
        assert!(at >= next || repeats, "{name} stands too late in {:?}", record.fields);
        assert!(is_in(&fields[at][1], record.kind()), "{name} in a {}", record.kind());
        next = at + 1;
    }
    for row in fields.iter().filter(|row| row[1].starts_with("all") && is_in(&row[1], record.kind())) {
        assert!(record.field(row[0].trim_matches('`')).is_some(), "{} is missing in a {}", row[0], record.kind());
    }
}

/// Notes that say everything there is to say.
fn notes() -> Notes {
    let word = || "word".to_owned();
    let mut notes = Notes::new(word(), Role::Page);
    let times = Some(1);
    notes.via = Some(word());
    notes.page = Some(word());
    notes.referer = Some(word());
    notes.referer_by = Some(word());
    (notes.rung, notes.rungs) = (1, 3);
    notes.referrer = Some(word());
    notes.flaw = Some(word());
    notes.withheld = vec![word()];
    notes.run = Some(word());
    notes.fault = Some(word());
    notes.kind = Some(word());
    notes.oddities = vec![word()];
    notes.guess = true;
    notes.outlinks = vec![word()];
    notes.robots = vec![word()];
    notes.verdict = Some(RobotsVerdict { allowed: true, rule: word(), line: Some(1) });
    notes.images = vec![ImageNote { image: 0, url: word(), role: word() }];
    notes.times = Some(TimesNote {
        dns_ms: times,
        connect_ms: times,
        tls_ms: times,
        sent_ms: times,
        first_ms: times,
        end_ms: times,
    });
    notes.framing = Some(Framing {
        stored: Stored::Entity,
        interim: word(),
        renamed: vec![1],
        chunks: vec![(word(), 1)],
        tail: Some(word()),
    });
    notes.claims = Some(Claims {
        title: Some(word()),
        authors: vec![word()],
        published: Some(word()),
        modified: Some(word()),
        categories: vec![word()],
        lead_image: Some(word()),
        language: Some(word()),
        comments: Some(true),
    });
    notes
}

/// The keys of an object, those of the objects in it with a dot.
fn keys(value: &Value, before: &str, out: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        out.insert(format!("{before}{key}"));
        keys(value.get(0).unwrap_or(value), &format!("{before}{key}."), out);
    }
}

#[test]
fn the_keys_of_the_metadata_are_the_documented_ones() {
    let mut written = BTreeSet::new();
    keys(&serde_json::to_value(notes()).unwrap(), "", &mut written);
    let documented: BTreeSet<String> =
        table(&page(), "| key | value |").into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    assert_eq!(documented, written);
}

/// The lines of the page's samples that begin so.
fn samples(page: &str, begin: &str) -> Vec<String> {
    let lines: Vec<String> = page.lines().filter(|line| line.starts_with(begin)).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "docs/formats.md has no sample of «{begin}»");
    lines
}

#[test]
fn the_samples_are_what_is_written() {
    let page = page();
    for line in samples(&page, "{\"at\"") {
        let read: pressmark::store::Takedown = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }
    for line in samples(&page, "pressmark: {") {
        let block = format!("{}\r\n{line}\r\n", samples(&page, "via: ")[0]);
        let notes = Notes::of_block(block.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(notes.to_block().unwrap()).unwrap(), block);
    }
    for line in samples(&page, "forgotten: {") {
        let said: Value = serde_json::from_str(line.trim_start_matches("forgotten: ")).unwrap();
        let keys: Vec<&String> = said.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["reason", "date", "record_id"]);
        let record = pressmark::archive::tombstone("https://news.example/a", pressmark::web::time::Timestamp(0), &said);
        assert!(String::from_utf8(record).unwrap().contains(&format!("\r\n\r\n{line}\r\n\r\n\r\n")));
    }
}
