// What must hold of any bytes: one function a fuzz target, each run over the kept corpus by `tests/it/corpus.rs` as
// well, which takes this file in.

use std::io::{BufRead, Read, Write};

use pressmark::archive::cdxj::Line;
use pressmark::archive::{Reading, Record, Source, Step};
use pressmark::extract::{Document, VariantRole, read};
use pressmark::politeness::{MOST_CRAWL_DELAY, Robots, survey};
use pressmark::web::charset;
use pressmark::web::claims::Claims;
use pressmark::web::message::{Head, head_len};
use pressmark::web::time::Timestamp;

/// Any bytes are read to their end as a WARC; what is read at a record's place by itself is the same record.
pub fn warc(bytes: &[u8]) {
    let source = Source::memory(bytes);
    let mut reading = Reading::over(source.clone(), 0).expect("memory can be read");
    let mut places = Vec::new();
    while let Some(step) = reading.advance().expect("memory can be read") {
        match step {
            Step::Flaw(flaw) => {
                assert!(flaw.offset <= source.len(), "a flaw beyond the end");
                assert!(!flaw.wrong.to_string().is_empty());
            }
            Step::Record(head) => {
                assert!(head.offset < source.len(), "a record beyond the end");
                let mut block = 0;
                while let Ok(piece @ [_, ..]) = reading.fill_buf() {
                    let len = piece.len();
                    block += len as u64;
                    reading.consume(len);
                }
                assert!(block <= head.length.unwrap_or(0), "more than the block");
                let end = reading.end().expect("memory can be read");
                if end.is_whole() {
                    assert_eq!(Some(block), head.length, "a whole block");
                    if end.alone && places.len() < 16 {
                        assert!(head.offset + end.length <= source.len(), "a record longer than the file");
                        places.push(head);
                    }
                }
            }
        }
    }
    for head in places {
        let mut reading = Reading::over(source.clone(), head.offset).expect("memory can be read");
        let step = reading.advance().expect("memory can be read");
        assert_eq!(step, Some(Step::Record(head)), "the record at its place");
    }
}

/// Bytes packed as gzip members, with one byte changed.
pub fn gzip(bytes: &[u8]) {
    packed(bytes, |part| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(u32::from(bytes[0] % 3)));
        encoder.write_all(part).expect("memory can be written");
        encoder.finish().expect("memory can be written")
    });
}

/// Bytes packed as zstd frames, with one byte changed.
pub fn zstd(bytes: &[u8]) {
    packed(bytes, |part| {
        let mut encoder = zstd::bulk::Compressor::new(1).expect("level 1 is one");
        encoder.include_checksum(bytes[0].is_multiple_of(2)).expect("checksums can be had");
        encoder.compress(part).expect("memory can be written")
    });
}

/// The first byte says how to pack, the second where to cut, the third where to change what.
fn packed(bytes: &[u8], pack: impl Fn(&[u8]) -> Vec<u8>) {
    let [_, cut, change, rest @ ..] = bytes else { return };
    let (first, second) = rest.split_at(usize::from(*cut).min(rest.len()));
    let mut file = [pack(first), pack(second)].concat();
    warc(&file);
    let at = usize::from(*change) % file.len();
    file[at] ^= cut | 1;
    warc(&file);
}

/// A line that is read is written and read again as the same; no line panics.
pub fn cdxj(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Ok(read) = Line::parse(line) {
            let again = Line::parse(&read.to_string());
            assert_eq!(again.as_ref(), Ok(&read), "{line}");
        }
    }
}

/// Any bytes are a robots.txt; a verdict that names a line shows what stands there, and is the same when only that file's
/// rules for us are left.
pub fn robots(bytes: &[u8]) {
    let (path, file) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let path = format!("/{}", String::from_utf8_lossy(path));
    let robots = Robots::read(file, "pressmark");
    let verdict = robots.verdict(&path);
    assert!(robots.crawl_delay.is_none_or(|delay| delay <= MOST_CRAWL_DELAY));
    assert!(verdict.allowed || verdict.line.is_some(), "forbidden by no line");
    if verdict.line.is_some() {
        let alone = Robots::read(format!("User-agent: *\n{}", verdict.rule).as_bytes(), "pressmark").verdict(&path);
        // What is shown of a rule has an end, and a file in UTF-16 may show what UTF-8 would read otherwise.
        if verdict.rule.chars().count() < 200 && verdict.rule.is_ascii() {
            assert_eq!((alone.allowed, alone.line), (verdict.allowed, Some(2)), "{verdict}");
        }
    }
    let _ = survey(file);
}

/// A head has one end, however the bytes come; a block is its head and its body.
pub fn http(bytes: &[u8]) {
    let len = head_len(bytes, 0);
    for looked in [1, bytes.len() / 2, bytes.len()] {
        if head_len(&bytes[..looked.min(bytes.len())], 0).is_none() {
            assert_eq!(head_len(bytes, looked.min(bytes.len())), len, "having looked at {looked}");
        }
    }
    let head = Head::read(bytes);
    let _ = head.content_codings();
    let warc = format!("WARC/1.1\r\nWARC-Type: response\r\nContent-Length: {}\r\n\r\n", bytes.len());
    let warc = [warc.as_bytes(), bytes, b"\r\n\r\n"].concat();
    let mut reading = Reading::over(Source::memory(warc), 0).expect("memory can be read");
    let Ok(Some(Step::Record(_))) = reading.advance() else { panic!("a record that is not read") };
    let mut block = Vec::new();
    reading.read_to_end(&mut block).expect("a whole block");
    assert_eq!(block, bytes);
    let record = Record { version: String::new(), fields: Vec::new(), block, offset: 0, length: 0 };
    let (head, body) = record.http();
    assert_eq!([head, body].concat(), bytes);
}

/// The first line is a Content-Type, the rest a page: it is read, as a page and as a post, and what is said of its
/// parts points at what is there.
pub fn page(bytes: &[u8]) {
    let (media, page) = bytes.split_at(bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let media = String::from_utf8_lossy(media).replace(['\r', '\n'], " ");
    let head = Head::read(format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n\r\n").as_bytes());
    let decoded = charset::decode(page, Some(&media), Some("h.example"));
    assert!(decoded.text.len() <= 3 * page.len() + 3, "text out of nothing");
    for (url, is_post) in [("http://h.example/a/b", false), ("file:///seeds/x.md", true)] {
        let claims = Claims::default();
        let (at, head, bytes) = (Timestamp(0), &head, page);
        let document = Document { is_post, ..Document::page(url, at, head, bytes, &claims) };
        let found = read(&document);
        assert!(found.article.lead_image.is_none_or(|lead| lead < found.images.len()), "a lead that is not there");
        for image in &found.images {
            assert_eq!(image.variants.first().map(|first| first.role), Some(VariantRole::Original), "{image:?}");
        }
    }
}
