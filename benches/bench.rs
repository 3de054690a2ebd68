//! Measurements of what a crawl does with what it fetched: records made and appended, rows committed, files read and
//! verified, a whole crawl.
//!
//! Each is printed beside baselines that did their part of the same work in the same minute on the same machine; the
//! ratios say more than the numbers. Nothing here passes or fails. `make bench` runs it on the release build.

mod indexing;
mod reading;
mod writing;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use pressmark::archive::{
    self, Capture, Codebook, Compress, Kind, Notes, Options, Place, Stored, Writer, WriterOptions,
};
use pressmark::store::{Batch, Reader, Settled, Store};
use pressmark::web::candidate::Role;
use pressmark::web::digest::{Algorithm, digest};
use pressmark::web::exchange::{Answer, Body, Exchange, Fault, Validators};
use pressmark::web::outcome::Outcome;
use pressmark::web::time::Timestamp;
use pressmark::web::url::WebUrl;
use rusqlite::Connection;
use serde_json::Value;
use warc::{RecordBuilder, RecordType, WarcHeader, WarcWriter};

type Failure = Box<dyn std::error::Error>;
type Part = fn(&Path) -> Result<(), Failure>;

const NOW: Timestamp = Timestamp(1_795_355_185_000);
/// Pages and pictures, as many of each.
const EACH: usize = 1000;
const PAGE_BYTES: usize = 30_000;
const PICTURE_BYTES: usize = 60_000;
/// Captures of one commit, as the archivist makes them.
const GROUP: usize = 256;
const COMMITS: usize = 80;
/// One row a transaction is slow; a part of the rows tells as much.
const SINGLE_ROWS: usize = 5000;
/// Each measurement is made so often; the middle one counts.
const ROUNDS: usize = 3;

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    println!("{}\n", machine(folder.path()));
    // Words after «--» choose among them: cargo bench --bench bench -- reading
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let parts: [(&str, Part); 6] = [
        ("records", records),
        ("writing", writing::measure),
        ("commits", commits),
        ("reading", reading::reading),
        ("indexing", indexing::indexing),
        ("crawl", demo),
    ];
    for (name, measure) in parts {
        if chosen.is_empty() || chosen.iter().any(|word| word == name) {
            measure(folder.path())?;
        }
    }
    Ok(())
}

/// What it ran on.
fn machine(folder: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("\t: unknown processor");
    let build = if cfg!(debug_assertions) { "debug build: the numbers mean nothing" } else { "release build" };
    format!(
        "{}, {cores} cores, {} {}, {build}; one thread but for verify and the crawl; files below {}",
        model.trim_start_matches([' ', '\t', ':']),
        std::env::consts::OS,
        std::env::consts::ARCH,
        folder.parent().unwrap_or(folder).display(),
    )
}

// ------------------------------------------------------------------------------------------------------- records

fn records(folder: &Path) -> Result<(), Failure> {
    let exchanges = exchanges()?;
    let bytes: usize = exchanges.iter().map(answer_len).sum();
    println!(
        "records: {EACH} pages of {} KB made of common words, {EACH} pictures of {} KB of chance (seed {SEED}), \
         {:.0} MB in all",
        PAGE_BYTES / 1000,
        PICTURE_BYTES / 1000,
        bytes as f64 / 1e6,
    );
    let ours = middle(|| append(folder, &exchanges, Compress::Gzip))?;
    let rows = [
        ("encode, append, sync each 256 (gzip; pictures stored)", ours.clone()),
        ("the same, --compress none", middle(|| append(folder, &exchanges, Compress::None))?),
        ("baseline: warc crate's WarcWriter to memory, plain", middle(|| warc_crate(&exchanges))?),
        ("baseline: gzip level 6 of everything, to memory", middle(|| gzip(&exchanges, 6, 6))?),
        ("baseline: gzip level 6 of pages, pictures stored", middle(|| gzip(&exchanges, 6, 0))?),
    ];
    println!("{:<58} {:>9} {:>8} {:>8} {:>7}", "", "exch./s", "MB/s", "MB out", "ratio");
    for (what, Measured { took, out }) in &rows {
        println!(
            "{what:<58} {:>9.0} {:>8.0} {:>8.1} {:>7.2}",
            exchanges.len() as f64 / took.as_secs_f64(),
            bytes as f64 / 1e6 / took.as_secs_f64(),
            *out as f64 / 1e6,
            took.as_secs_f64() / ours.took.as_secs_f64(),
        );
    }
    println!("ratio: time, the first line being 1. An exchange is three records: response, request, metadata.\n");
    Ok(())
}

/// How long it took, and what came out: bytes or rows.
#[derive(Clone)]
struct Measured {
    took: Duration,
    out: u64,
}

/// The middle one of some rounds.
fn middle(mut measure: impl FnMut() -> Result<Measured, Failure>) -> Result<Measured, Failure> {
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(measure()?);
    }
    rounds.sort_by_key(|measured| measured.took);
    Ok(rounds.swap_remove(ROUNDS / 2))
}

fn append(folder: &Path, exchanges: &[Exchange], compress: Compress) -> Result<Measured, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    fill(folder.path(), exchanges, compress)
}

/// Writes an archive of these exchanges, or goes on with the one that is there.
fn fill(folder: &Path, exchanges: &[Exchange], compress: Compress) -> Result<Measured, Failure> {
    let (codebook, spool_dir) = (Codebook::default(), folder.to_owned());
    let framing = Stored::Entity;
    let records = Options { digest: Algorithm::Sha1, compress, codebook, framing, dns_records: false, spool_dir };
    let began = Instant::now();
    let mut writer = Writer::new(WriterOptions {
        folder: folder.to_owned(),
        profile: "bench".to_owned(),
        max_size: 1 << 40,
        max_age: Duration::from_secs(86400),
        compress,
        dictionary: None,
        info: vec![("software".to_owned(), "bench".to_owned())],
    })?;
    for group in exchanges.chunks(GROUP) {
        let mut written = Vec::new();
        for exchange in group {
            let notes = Notes::new("http://news.example/feed.xml", Role::Page);
            let encoded = archive::encode(exchange, notes, &records)?.ok_or("an answer is missing")?;
            written.push(writer.append(encoded, NOW)?);
        }
        writer.sync(written)?;
    }
    writer.close()?;
    let took = began.elapsed();
    let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.metadata()?.len()));
    Ok(Measured { took, out: files.sum::<std::io::Result<u64>>()? })
}

/// No digest, no compression, no file: what the crate's own writer does with the answers.
fn warc_crate(exchanges: &[Exchange]) -> Result<Measured, Failure> {
    let began = Instant::now();
    let mut out = Vec::new();
    let mut writer = WarcWriter::new(&mut out);
    for exchange in exchanges {
        let record = RecordBuilder::default()
            .version("1.1".to_owned())
            .warc_type(RecordType::Response)
            .date(exchange.at.utc())
            .header(WarcHeader::TargetURI, exchange.url.as_str())
            .header(WarcHeader::ContentType, "application/http;msgtype=response")
            .body(answer_bytes(exchange))
            .build()?;
        writer.write(&record)?;
    }
    Ok(Measured { took: began.elapsed(), out: out.len() as u64 })
}

fn gzip(exchanges: &[Exchange], pages: u32, pictures: u32) -> Result<Measured, Failure> {
    let began = Instant::now();
    let mut out = Vec::new();
    for exchange in exchanges {
        let level = if exchange.url.path().ends_with(".jpg") { pictures } else { pages };
        let mut encoder = GzEncoder::new(&mut out, Compression::new(level));
        encoder.write_all(&answer_bytes(exchange))?;
        encoder.finish()?;
    }
    Ok(Measured { took: began.elapsed(), out: out.len() as u64 })
}

/// Pages and pictures in turn.
fn exchanges() -> Result<Vec<Exchange>, Failure> {
    let mut chance = Chance(SEED);
    let mut exchanges = Vec::new();
    for number in 0..EACH {
        exchanges.push(exchange(&format!("/{number}.html"), "text/html; charset=utf-8", page(&mut chance))?);
        let picture = (0..PICTURE_BYTES / 8).flat_map(|_| chance.next().to_le_bytes()).collect();
        exchanges.push(exchange(&format!("/{number}.jpg"), "image/jpeg", picture)?);
    }
    Ok(exchanges)
}

fn page(chance: &mut Chance) -> Vec<u8> {
    const WORDS: [&str; 24] = [
        "the",
        "of",
        "and",
        "harbour",
        "ferry",
        "a",
        "in",
        "was",
        "bridge",
        "council",
        "said",
        "on",
        "Tuesday",
        "new",
        "market",
        "with",
        "for",
        "night",
        "library",
        "seeds",
        "城市",
        "小程序",
        "月活",
        "流量",
    ];
    let mut page = String::from("<!doctype html><meta charset=utf-8><title>A page</title><article>");
    while page.len() < PAGE_BYTES {
        page.push_str("<p class=\"text block\">");
        for _ in 0..60 {
            let drawn = chance.next() as usize;
            // Half of what stands in a text does not come again.
            match drawn % 4 {
                0 => page.push_str(&format!("{:x} ", drawn >> 44)),
                _ => page.push_str(&format!("{} ", WORDS[(drawn >> 8) % WORDS.len()])),
            }
        }
        page.push_str("</p>\n");
    }
    page.into_bytes()
}

fn exchange(path: &str, media: &str, body: Vec<u8>) -> Result<Exchange, Failure> {
    let url = WebUrl::parse(&format!("http://news.example{path}"))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: news.example\r\nUser-Agent: pressmark\r\nAccept: */*\r\n\r\n");
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    let answer = Answer {
        head: head.into_bytes(),
        final_at: 0,
        body: Body::Bytes(body.into()),
        parts: None,
        complete: true,
        malformed: false,
        excess: 0,
        unclean_close: false,
    };
    let mut exchange = Exchange::faulty(url, NOW, Fault::NoAnswer);
    (exchange.request, exchange.answer, exchange.fault) = (request.into_bytes(), Some(answer), None);
    exchange.peer = Some("192.0.2.7:80".parse()?);
    Ok(exchange)
}

fn answer_len(exchange: &Exchange) -> usize {
    exchange.answer.as_ref().map_or(0, |answer| answer.head.len() + answer.body.len() as usize)
}

fn answer_bytes(exchange: &Exchange) -> Vec<u8> {
    let Some(answer) = &exchange.answer else { return Vec::new() };
    let Body::Bytes(body) = &answer.body else { return Vec::new() };
    [answer.head.as_slice(), body].concat()
}

const SEED: u64 = 0x7f3a_9c1e;

/// Xorshift: the same every time.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

// ------------------------------------------------------------------------------------------------------- commits

fn commits(folder: &Path) -> Result<(), Failure> {
    println!("commits: a capture each of {} URLs; SQLite in WAL mode, synchronous = NORMAL", COMMITS * GROUP);
    let captures: Vec<Capture> = (0..COMMITS * GROUP).map(capture).collect();
    let ours = middle(|| through_the_store(folder, &captures))?;
    let rows = [
        ("Store::commit, 256 a batch", ours.clone()),
        ("baseline: capture rows alone, 256 a transaction", middle(|| bare_rows(folder, &captures, GROUP))?),
        ("baseline: capture rows alone, 1 a transaction", middle(|| bare_rows(folder, &captures[..SINGLE_ROWS], 1))?),
    ];
    let each = |measured: &Measured| measured.took.as_secs_f64() / measured.out as f64;
    println!("{:<58} {:>11} {:>9} {:>7}", "", "captures/s", "us each", "ratio");
    for (what, measured) in &rows {
        let each = each(measured);
        println!(
            "{what:<58} {:>11.0} {:>9.1} {:>7.2}",
            1.0 / each,
            each * 1e6,
            each / (ours.took.as_secs_f64() / ours.out as f64)
        );
    }
    println!(
        "ratio: time of a capture. With each capture the store looks for its URL, and writes rows of url, payload and \
         capture, and the outcome.\n"
    );
    Ok(())
}

fn capture(number: usize) -> Capture {
    let url = format!("http://news{}.example/articles/2026/11/22/{number}.html", number % 50);
    let place = |offset: u64, length: u64| Place {
        file: "bench-20261122T134625Z-7f3a9c1e-00001.warc.gz".to_owned(),
        offset: number as u64 * 10_000 + offset,
        length,
    };
    Capture {
        at: NOW,
        record_id: format!("<urn:uuid:{number:032x}>"),
        kind: Kind::Response,
        status: Some(200),
        media: Some("text/html; charset=utf-8".to_owned()),
        payload: digest(Algorithm::Sha1, url.as_bytes()),
        payload_len: 30_000,
        validators: Validators::default(),
        refers_to: None,
        truncated: None,
        address: Some([192, 0, 2, 7].into()),
        place: place(0, 9000),
        request: Some(place(9000, 400)),
        metadata: place(9400, 600),
        url,
    }
}

fn through_the_store(folder: &Path, captures: &[Capture]) -> Result<Measured, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut store = Store::open(&folder.path().join("bench.sqlite3"))?;
    let run = store.begin_run("bench", NOW, false)?;
    let settled = |capture: &Capture| Settled {
        capture: Some(capture.clone()),
        outcome: Some(Outcome::Done { status: 200 }),
        ..Settled::new(capture.url.as_str(), Role::Page)
    };
    let batch = |group: &[Capture]| {
        let files = group.iter().map(|capture| (capture.place.file.clone(), capture.place.offset)).next_back();
        Batch {
            settled: group.iter().map(settled).collect(),
            files: files.into_iter().collect(),
            counters: "{}".to_owned(),
            ..Batch::default()
        }
    };
    let batches: Vec<Batch> = captures.chunks(GROUP).map(batch).collect();
    let began = Instant::now();
    for batch in &batches {
        store.commit(run, batch, NOW)?;
    }
    Ok(Measured { took: began.elapsed(), out: captures.len() as u64 })
}

/// The same table and indexes, rows of `capture` and nothing else.
fn bare_rows(folder: &Path, captures: &[Capture], group: usize) -> Result<Measured, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    let path: PathBuf = folder.path().join("bench.sqlite3");
    drop(Store::open(&path)?);
    let mut connection = Connection::open(&path)?;
    connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF")?;
    let began = Instant::now();
    let mut number = 0i64;
    for group in captures.chunks(group) {
        let transaction = connection.transaction()?;
        for capture in group {
            number += 1;
            transaction
                .prepare_cached(
                    "INSERT INTO capture (url, run, role, fetched_ms, record_id, kind, status, media, payload, address,
                         file, offset, length, request_offset, request_length, metadata_offset, metadata_length)
                     VALUES (?1, 1, 'page', ?2, ?3, 'response', ?4, ?5, ?1, ?6, 1, ?7, ?8, ?7, ?8, ?7, ?8)",
                )?
                .execute(rusqlite::params![
                    number,
                    capture.at.0,
                    capture.record_id,
                    capture.status,
                    capture.media,
                    capture.address.map(|address| address.to_string()),
                    i64::try_from(capture.place.offset)?,
                    i64::try_from(capture.place.length)?,
                ])?;
        }
        transaction.commit()?;
    }
    Ok(Measured { took: began.elapsed(), out: captures.len() as u64 })
}

// ---------------------------------------------------------------------------------------------------- the crawl

/// The whole program on the bundled site: its server, its politeness, its waiting.
fn demo(folder: &Path) -> Result<(), Failure> {
    let archive = folder.join("demo");
    let (before, began) = (children_ticks(), Instant::now());
    let output =
        Command::new(env!("CARGO_BIN_EXE_pressmark")).args(["demo", "--quiet", "--archive"]).arg(&archive).output()?;
    let (took, after) = (began.elapsed(), children_ticks());
    if !output.status.success() {
        return Err(format!("the demo failed:\n{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let reader = Reader::open(&archive.join(pressmark::crawl::DATABASE))?;
    let counters = reader.sql("SELECT counters FROM run")?.rows;
    let summary: Value = serde_json::from_str(counters[0][0].as_str().unwrap_or("{}"))?;
    let number = |name: &str| summary[name].as_u64().unwrap_or(0);
    println!(
        "a whole crawl: pressmark demo, the site's server in the same process; {} requests, {:.1} MB, {:.1} s, most of \
         them waited out of politeness",
        number("requests"),
        number("bytes_received") as f64 / 1e6,
        took.as_secs_f64(),
    );
    match before.zip(after) {
        Some((before, after)) => println!("  processor time   {:.2} s", (after - before) as f64 / TICKS_PER_SECOND),
        None => println!("  processor time   not known: there is no /proc"),
    }
    println!("  most memory held {:.1} MB", number("peak_rss_bytes") as f64 / 1e6);
    Ok(())
}

/// What Linux calls USER_HZ; 100 wherever this is likely to run.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of all children that have ended: `cutime` and `cstime` of proc(5), fields 16 and 17.
fn children_ticks() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is a name in brackets that may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?)
}
