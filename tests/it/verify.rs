//! `pressmark verify` through the built binary: good archives of many shapes, and every damage at its place.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Output;

use data_encoding::BASE32;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::lantern::{Lantern, pressmark, run, warcs};

const DATE: &str = "2026-11-22T13:46:25Z";

fn sha1_of(bytes: &[u8]) -> String {
    format!("sha1:{}", BASE32.encode(&Sha1::digest(bytes)))
}

/// A record: its type, its number, further fields, its block.
fn record(kind: &str, number: u32, fields: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012}>\r\n\
         WARC-Date: {DATE}\r\n{fields}WARC-Block-Digest: {}\r\nContent-Length: {}\r\n\r\n",
        sha1_of(block),
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn info() -> Vec<u8> {
    record("warcinfo", 1, "Content-Type: application/warc-fields\r\n", b"software: by hand\r\n")
}

fn response(number: u32, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let fields = format!(
        "WARC-Target-URI: http://h.example/{number}\r\nContent-Type: application/http; msgtype=response\r\n\
         WARC-Payload-Digest: {}\r\n",
        sha1_of(body.as_bytes())
    );
    record("response", number, &fields, format!("{head}{body}").as_bytes())
}

/// Four records: a warcinfo and three responses.
fn four() -> [Vec<u8>; 4] {
    [info(), response(2, "the first body"), response(3, "the second body, a bit longer"), response(4, "the third")]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::bulk::Compressor::new(3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.compress(bytes).unwrap()
}

struct Verdict {
    exit: i32,
    report: Value,
}

impl Verdict {
    fn of(output: &Output) -> Verdict {
        let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Verdict { exit: output.status.code().unwrap(), report }
    }

    /// `code@offset` of every finding, the notes left out.
    fn codes(&self) -> Vec<String> {
        let findings = self.report["findings"].as_array().map_or(&[][..], Vec::as_slice);
        let told = findings.iter().filter(|finding| finding["severity"] != "note");
        told.map(|finding| format!("{}@{}", finding["code"].as_str().unwrap(), finding["offset"])).collect()
    }
}

/// Verifies these bytes as a file of that name.
fn verify(name: &str, bytes: &[u8]) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, bytes).unwrap();
    verify_paths(&[file])
}

fn verify_paths(paths: &[PathBuf]) -> Verdict {
    Verdict::of(&pressmark().args(["--quiet", "verify", "--json"]).args(paths).output().unwrap())
}

fn verify_archive(archive: &Path) -> Verdict {
    Verdict::of(&pressmark().args(["--quiet", "verify", "--json", "--archive"]).arg(archive).output().unwrap())
}

#[test]
fn good_archives_of_every_shape_are_whole() {
    let all = four().concat();
    let each = |pack: fn(&[u8]) -> Vec<u8>| four().iter().flat_map(|record| pack(record)).collect::<Vec<u8>>();
    for (name, bytes) in [
        ("a.warc", all.clone()),
        ("a.warc.gz", each(gzip)),
        ("a.warc.zst", each(zstd)),
        // The bytes tell, not the name.
        ("gzip.warc", each(gzip)),
        ("no-name", all.clone()),
    ] {
        let verdict = verify(name, &bytes);
        assert_eq!((verdict.exit, verdict.codes()), (0, vec![]), "{name}: {}", verdict.report);
        assert_eq!((&verdict.report["records"], &verdict.report["verdict"]), (&4.into(), &"whole".into()), "{name}");
        assert_eq!(verdict.report["bytes"], bytes.len(), "{name}");
    }
    let verdict = verify("a.warc.gz", &gzip(&all));
    assert_eq!((verdict.exit, verdict.report["counts"]["codes"]["member-per-record"].as_u64()), (0, Some(4)));
    let lf: String = four()
        .map(|record| {
            let record = String::from_utf8(record).unwrap();
            let (head, block) = record.split_once("\r\n\r\n").unwrap();
            format!("{}\n\n{}\n\n", head.replace("\r\n", "\n"), block.strip_suffix("\r\n\r\n").unwrap())
        })
        .concat();
    let verdict = verify("lf.warc", lf.as_bytes());
    assert_eq!((verdict.exit, verdict.report["counts"]["codes"]["head-form"].as_u64()), (0, Some(4)));
    assert_eq!(verdict.report["counts"]["codes"]["second-opinion"], Value::Null);
    assert_eq!(verdict.report["counts"]["codes"]["second-opinion-known"], 4);
}

#[test]
fn a_payload_digest_may_be_over_the_body_without_its_coding() {
    let block = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let at = |digest: &str| {
        let fields = format!(
            "WARC-Target-URI: http://h.example/\r\nContent-Type: application/http; msgtype=response\r\nWARC-Payload-Digest: {digest}\r\n"
        );
        verify("a.warc", &[info(), record("response", 2, &fields, block)].concat())
    };
    let hex = |bytes: &[u8]| format!("SHA1:{}", data_encoding::HEXUPPER.encode(&Sha1::digest(bytes)));
    assert_eq!(at(&sha1_of(b"5\r\nhello\r\n0\r\n\r\n")).report["counts"]["codes"], serde_json::json!({}));
    assert_eq!(at(&sha1_of(b"hello")).report["counts"]["codes"], serde_json::json!({"payload-dechunked": 1}));
    assert_eq!(at(&hex(b"hello")).exit, 0);
    assert_eq!(at("md5:5d41402abc4b2a76b9719d911017c592").exit, 0);
    assert_eq!(at("crc32:00000000").report["counts"]["codes"], serde_json::json!({"digest-unknown": 1}));
    assert_eq!(at(&sha1_of(b"hallo")).exit, 65);
}

/// Changes what stands at the first place of `from`.
fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    [&bytes[..at], to.as_bytes(), &bytes[at + from.len()..]].concat()
}

#[test]
fn every_damage_is_found_at_its_place() {
    let [a, b, c, d] = four();
    let (b_at, c_at, d_at) = (a.len(), a.len() + b.len(), a.len() + b.len() + c.len());
    let all = four().concat();
    let with = |third: &[u8]| [&a[..], &b, third, &d].concat();
    let at = |code: &str, offset: usize| format!("{code}@{offset}");
    let both = |offset: usize| vec![at("payload-digest", offset), at("block-digest", offset)];
    let cut = |len: usize| all[..all.len() - len].to_vec();
    let c_text = "the second body, a bit longer";
    let table: Vec<(&str, Vec<u8>, Vec<String>, u64)> = vec![
        ("a flipped byte in a payload", with(&replaced(&c, "second", "sicond")), both(c_at), 4),
        ("in an HTTP head", with(&replaced(&c, "200 OK", "200 KO")), vec![at("block-digest", c_at)], 4),
        ("in a block digest", with(&replaced(&c, "WARC-Block-Digest: sha1:", "WARC-Block-Digest: sha1:A")), vec![], 4),
        (
            "in a payload digest's value",
            with(&replaced(&c, &sha1_of(c_text.as_bytes()), &sha1_of(b"x"))),
            vec![at("payload-digest", c_at)],
            4,
        ),
        (
            "a length too short",
            with(&replaced(&c, "Content-Length: 68", "Content-Length: 61")),
            vec![at("wrong-length", c_at)],
            4,
        ),
        (
            "a length too long",
            with(&replaced(&c, "Content-Length: 68", "Content-Length: 91")),
            vec![at("wrong-length", c_at)],
            4,
        ),
        (
            "a length beyond the file",
            with(&replaced(&c, "Content-Length: 68", "Content-Length: 99999")),
            vec![at("wrong-length", c_at)],
            4,
        ),
        (
            "an absurd length",
            with(&replaced(&c, "Content-Length: 68", "Content-Length: 18446744073709551615")),
            vec![at("wrong-length", c_at)],
            4,
        ),
        (
            "no number for a length",
            with(&replaced(&c, "Content-Length: 68", "Content-Length: 7x")),
            vec![at("wrong-length", c_at), at("field-form", c_at)],
            4,
        ),
        (
            "no length",
            with(&replaced(&c, "Content-Length: 68\r\n", "")),
            vec![at("wrong-length", c_at), at("field-missing", c_at)],
            4,
        ),
        ("garbage between records", [&a[..], &b, b"garbage\n", &c, &d].concat(), vec![at("garbage", c_at)], 4),
        ("garbage in front", [b"garbage\n", &all[..]].concat(), vec![at("garbage", 0)], 4),
        ("zeros behind", [&all[..], &[0; 100]].concat(), vec![at("garbage", all.len())], 4),
        ("the beginning of a head", [&a[..], &b, b"WARC/1.1\r\nWARC-Type: resp", &c, &d].concat(), vec![], 4),
        ("a record twice", [&all[..], &c].concat(), vec![at("record-id-repeated", all.len())], 5),
        ("cut in the last ending", cut(2), vec![at("torn", d_at)], 4),
        ("cut in the last block", cut(20), vec![at("torn", d_at)], 4),
        ("cut in the last head", cut(d.len() - 50), vec![at("torn", d_at)], 3),
        ("a block cut out of the middle", with(&c[..c.len() - 20]), vec![at("wrong-length", c_at)], 4),
        ("an ending that is missing", with(&c[..c.len() - 2]), vec![at("record-ending", c_at)], 4),
        ("an ending too many", with(&[&c[..], b"\r\n"].concat()), vec![at("record-ending", c_at)], 4),
        ("no type", with(&replaced(&c, "WARC-Type: response\r\n", "")), vec![at("field-missing", c_at)], 4),
        ("no date", with(&replaced(&c, &format!("WARC-Date: {DATE}\r\n"), "")), vec![at("field-missing", c_at)], 4),
        ("no date but a word", with(&replaced(&c, DATE, "yesterday")), vec![at("field-form", c_at)], 4),
        ("no id", with(&replaced(&c, "WARC-Record-ID", "Record-ID")), vec![at("field-missing", c_at)], 4),
        ("an id without brackets", with(&replaced(&c, "000003>", "000003")), vec![at("field-form", c_at)], 4),
        (
            "a URL in brackets",
            with(&replaced(&c, "http://h.example/3", "<http://h.example/3>")),
            vec![at("field-form", c_at)],
            4,
        ),
        (
            "two URLs",
            with(&replaced(&c, "WARC-Target-URI: ", "WARC-Target-URI: http://x/\r\nWARC-Target-URI: ")),
            vec![at("field-repeated", c_at)],
            4,
        ),
        (
            "a name of a file",
            with(&replaced(&c, "WARC-Target-URI: ", "WARC-Filename: x\r\nWARC-Target-URI: ")),
            vec![at("field-misplaced", c_at)],
            4,
        ),
        (
            "a reason of its own",
            with(&replaced(&c, "WARC-Target-URI: ", "WARC-Truncated: x\r\nWARC-Target-URI: ")),
            vec![at("field-form", c_at)],
            4,
        ),
        (
            "another media type",
            with(&replaced(&c, "application/http;", "text/html;")),
            vec![at("content-type", c_at), at("payload-digest", c_at)],
            4,
        ),
        ("another version", with(&replaced(&c, "WARC/1.1", "WARC/1.7")), vec![at("version", c_at)], 4),
        (
            "a revisit of nothing",
            with(&replaced(&c, "WARC-Type: response", "WARC-Type: revisit")),
            vec![at("field-missing", c_at), at("revisit-form", c_at)],
            4,
        ),
        (
            "a revisit of a revisit",
            [&all[..], &revisit(5, 4), &revisit(6, 5)].concat(),
            vec![at("revisit-of-revisit", all.len() + revisit(5, 4).len())],
            6,
        ),
        (
            "another date than its response",
            [&all[..], &replaced(&request(5, 4), DATE, "2026-11-22T13:46:26Z")].concat(),
            vec![at("concurrent-date", all.len())],
            5,
        ),
        (
            "a head without its end",
            [&all[..], b"WARC/1.1\r\nWARC-Type: resource\r\n"].concat(),
            vec![at("torn", all.len())],
            4,
        ),
        ("all in the wrong order", [&c[..], &d, &b, &a].concat(), vec![], 4),
        ("the first byte", with(&replaced(&c, "WARC/1.1", "VARC/1.1")), vec![at("garbage", c_at)], 3),
        (
            "a colon in a head",
            with(&replaced(&c, "WARC-Type: ", "WARC-Type; ")),
            vec![at("head-form", c_at), at("field-missing", c_at)],
            4,
        ),
    ];
    assert!(b_at > 0);
    for (what, bytes, mut want, records) in table {
        let verdict = verify("a.warc", &bytes);
        let mut codes = verdict.codes();
        codes.dedup();
        codes.sort();
        want.sort();
        if !want.is_empty() {
            assert_eq!(codes, want, "{what}: {:#}", verdict.report["findings"]);
        }
        assert_eq!(verdict.report["records"], records, "{what}: {:#}", verdict.report["findings"]);
        let damage = verdict.report["counts"]["damage"].as_u64().unwrap();
        assert_eq!(verdict.exit, if damage > 0 { 65 } else { 0 }, "{what}");
    }
}

fn revisit(number: u32, of: u32) -> Vec<u8> {
    let fields = format!(
        "WARC-Target-URI: http://h.example/{number}\r\nContent-Type: application/http; msgtype=response\r\n\
         WARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n\
         WARC-Refers-To: <urn:uuid:00000000-0000-4000-8000-{of:012}>\r\nWARC-Payload-Digest: {}\r\n",
        sha1_of(b"x")
    );
    record("revisit", number, &fields, b"HTTP/1.1 200 OK\r\n\r\n")
}

fn request(number: u32, of: u32) -> Vec<u8> {
    let fields = format!(
        "WARC-Target-URI: http://h.example/{of}\r\nContent-Type: application/http; msgtype=request\r\n\
         WARC-Concurrent-To: <urn:uuid:00000000-0000-4000-8000-{of:012}>\r\n"
    );
    record("request", number, &fields, b"GET / HTTP/1.1\r\n\r\n")
}

#[test]
fn damage_to_packed_records_leaves_the_others() {
    for (pack, magic) in [(gzip as fn(&[u8]) -> Vec<u8>, 3), (zstd as fn(&[u8]) -> Vec<u8>, 4)] {
        let members: Vec<Vec<u8>> = four().iter().map(|record| pack(record)).collect();
        let (before, after) = ([&members[0][..], &members[1]].concat(), &members[3]);
        let at = before.len();
        let third = &members[2];
        let flipped = |byte: usize| {
            let mut third = third.clone();
            third[byte] ^= 0x10;
            third
        };
        for (what, third) in [
            ("a flipped byte in the middle", flipped(third.len() / 2)),
            ("in the checksum", flipped(third.len() - 6 + magic - 3)),
            ("in the magic number", flipped(1)),
            ("cut in the middle", third[..third.len() / 2].to_vec()),
            ("cut at the end", third[..third.len() - 5].to_vec()),
            ("its beginning gone", third[20..].to_vec()),
            ("a member of something else", pack(b"something else")),
            ("garbage", b"garbage between the members".to_vec()),
        ] {
            let verdict = verify("a.warc", &[&before[..], &third, after].concat());
            assert_eq!(verdict.exit, 65, "{what}: {}", verdict.report);
            let records = verdict.report["records"].as_u64().unwrap();
            assert!(records == 3 || records == 4, "{what}: {}", verdict.report);
            let places: Vec<&Value> =
                verdict.report["findings"].as_array().unwrap().iter().map(|finding| &finding["offset"]).collect();
            assert!(places.iter().all(|offset| **offset == at), "{what}: {}", verdict.report);
        }
        let last = [&before[..], third, &after[..after.len() - 7]].concat();
        let verdict = verify("a.warc", &last);
        assert_eq!((verdict.exit, verdict.codes()[0].as_str()), (65, format!("torn@{}", at + third.len()).as_str()));
    }
}

#[test]
fn what_is_no_archive_is_refused() {
    for (name, bytes) in [("a.txt", &b"hello"[..]), ("a.gz", &gzip(b"hello")), ("a.html", b"<html>"), ("empty", b"")] {
        assert_eq!(verify(name, bytes).exit, 2, "{name}");
    }
    assert_eq!(verify_paths(&[PathBuf::from("nowhere.warc")]).exit, 2);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(verify_paths(&[folder.path().to_owned()]).exit, 2);
}

#[test]
fn stretches_of_a_long_file_are_joined() {
    // More than one stretch of four megabytes, with records that look like others from within.
    let mut chance = 1u64;
    let mut noise = |len: usize| -> String {
        (0..len)
            .map(|_| {
                chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'a' + u8::try_from(chance >> 60).unwrap())
            })
            .collect()
    };
    let inner = String::from_utf8(response(99, "inner")).unwrap();
    let records: Vec<Vec<u8>> = (2..60)
        .map(|number| {
            let body = format!("{}\r\n\r\n{inner}{}", noise(150_000), noise(100_000));
            response(number, &body)
        })
        .collect();
    let plain: Vec<u8> = std::iter::once(info()).chain(records.iter().cloned()).flatten().collect();
    let packed: Vec<u8> =
        std::iter::once(info()).chain(records.iter().cloned()).flat_map(|record| gzip(&record)).collect();
    assert!(plain.len() > 12 << 20 && packed.len() > 8 << 20 >> 1);
    for (name, bytes) in [("a.warc", plain), ("a.warc.gz", packed)] {
        let verdict = verify(name, &bytes);
        assert_eq!(
            (verdict.exit, &verdict.report["records"]),
            (0, &59.into()),
            "{name}: {:#}",
            verdict.report["counts"]
        );
        assert_eq!(verdict.codes(), [""; 0], "{name}");
    }
}

// ---------------------------------------------------------------------------------------- our archive as a whole

/// Does this to the archive's database.
fn sql(archive: &Path, sql: &str) {
    let database = rusqlite::Connection::open(archive.join("pressmark.sqlite3")).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    assert!(database.execute(sql, []).unwrap() > 0, "{sql}");
}

fn copy_of(archive: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("warc")).unwrap();
    for file in warcs(archive) {
        std::fs::copy(&file, copy.path().join("warc").join(file.file_name().unwrap())).unwrap();
    }
    std::fs::copy(archive.join("pressmark.sqlite3"), copy.path().join("pressmark.sqlite3")).unwrap();
    copy
}

#[test]
fn an_archive_and_its_database_lead_to_each_other() {
    let lantern = Lantern::new();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let crawl = run(lantern.crawl(&archive).args(["--delay", "0s", "--quiet"]));
    assert_eq!(crawl.status.code(), Some(0));
    let verdict = verify_archive(&archive);
    assert_eq!((verdict.exit, verdict.codes()), (0, vec![]), "{:#}", verdict.report["findings"]);
    assert!(verdict.report["rows"].as_u64().unwrap() > 20);
    assert_eq!(verdict.report["counts"]["codes"]["second-opinion"], Value::Null);

    type Act = fn(&Path);
    let damages: [(&str, Act, &[&str]); 18] = [
        (
            "a row deleted",
            |a| sql(a, "DELETE FROM capture WHERE id = (SELECT max(id) FROM capture)"),
            &["record-without-row"],
        ),
        (
            "an offset moved",
            |a| sql(a, "UPDATE capture SET offset = offset + 1 WHERE id = 3"),
            &["row-without-record", "record-without-row"],
        ),
        ("a length", |a| sql(a, "UPDATE capture SET length = length + 1 WHERE id = 3"), &["row-differs"]),
        ("an id", |a| sql(a, "UPDATE capture SET record_id = '<urn:uuid:x>' WHERE id = 3"), &["row-differs"]),
        ("a date", |a| sql(a, "UPDATE capture SET fetched_ms = fetched_ms + 1 WHERE id = 3"), &["row-differs"]),
        ("a kind", |a| sql(a, "UPDATE capture SET kind = 'resource' WHERE id = 3"), &["row-differs"]),
        ("a URL", |a| sql(a, "UPDATE capture SET url = (SELECT max(id) FROM url) WHERE id = 3"), &["row-differs"]),
        (
            "a payload",
            |a| sql(a, "UPDATE capture SET payload = (SELECT max(id) FROM payload) WHERE id = 3"),
            &["row-differs"],
        ),
        (
            "a request's place",
            |a| sql(a, "UPDATE capture SET request_offset = request_offset + 9 WHERE id = 3"),
            &["row-differs"],
        ),
        ("a metadata's place", |a| sql(a, "UPDATE capture SET metadata_length = 1 WHERE id = 3"), &["row-differs"]),
        (
            "no payload",
            |a| sql(a, "DELETE FROM payload WHERE id = (SELECT payload FROM capture WHERE id = 3)"),
            &["row-without-capture"],
        ),
        (
            "an article without its capture",
            |a| sql(a, "UPDATE article_version SET capture = 99999 WHERE id = 1"),
            &["row-without-capture"],
        ),
        (
            "a picture without its article",
            |a| sql(a, "UPDATE picture SET version = 99999 WHERE id = 1"),
            &["row-without-capture"],
        ),
        ("a file gone", |a| std::fs::remove_file(warcs(a).remove(0)).unwrap(), &["file-gone"]),
        ("a file emptied", |a| std::fs::write(warcs(a).remove(0), b"").unwrap(), &["file-short", "row-without-record"]),
        ("a file cut", |a| cut_by(&warcs(a).remove(0), 300), &["file-short", "row-without-record", "torn"]),
        (
            "a file replaced",
            |a| std::fs::write(warcs(a).remove(0), four().concat().repeat(1000)).unwrap(),
            &["row-without-record", "record-without-row"],
        ),
        ("something appended", |a| append(&warcs(a).remove(0), &gzip(&response(7, "x"))), &["file-long"]),
    ];
    for (what, act, codes) in damages {
        let copy = copy_of(&archive);
        act(copy.path());
        let verdict = verify_archive(copy.path());
        assert_eq!(verdict.exit, 65, "{what}: {:#}", verdict.report["counts"]);
        for code in codes {
            assert!(
                !verdict.report["counts"]["codes"][code].is_null(),
                "{what}: no {code} in {:#}",
                verdict.report["counts"]
            );
        }
    }

    // A byte in the middle: the record that has it is named, and its row is not.
    let copy = copy_of(&archive);
    let file = warcs(copy.path()).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&file, bytes).unwrap();
    let verdict = verify_archive(copy.path());
    assert_eq!(verdict.exit, 65);
    assert!(verdict.report["counts"]["damage"].as_u64().unwrap() <= 4, "{:#}", verdict.report["findings"]);

    // A crawl is writing: what has no rows yet is no damage.
    let copy = copy_of(&archive);
    let file = warcs(copy.path()).remove(0);
    append(&file, &gzip(&response(7, "x"))[..50]);
    std::fs::rename(&file, format!("{}.open", file.display())).unwrap();
    let verdict = verify_archive(copy.path());
    assert_eq!((verdict.exit, verdict.codes()), (0, vec![]), "{:#}", verdict.report["findings"]);
    assert_eq!(verdict.report["counts"]["codes"]["open-tail"], 1);
}

fn export(archive: &Path, form: &str, out: &Path) {
    let output = run(pressmark().args(["--quiet", "export", form]).arg(out).arg("--archive").arg(archive));
    assert_eq!(output.status.code(), Some(0));
}

/// The package again, with this file's bytes changed or (none) left out.
fn repacked(package: &Path, changed: &str, change: fn(Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(package).unwrap()).unwrap();
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for number in 0..zip.len() {
        let mut file = zip.by_index(number).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        let bytes = if name.contains(changed) { change(bytes) } else { Some(bytes) };
        if let Some(bytes) = bytes {
            out.start_file(&*name, stored).unwrap();
            out.write_all(&bytes).unwrap();
        }
    }
    out.finish().unwrap().into_inner()
}

#[test]
fn packages_and_indexes_are_verified() {
    let lantern = Lantern::new();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    assert_eq!(run(lantern.crawl(&archive).args(["--delay", "0s", "--quiet"])).status.code(), Some(0));
    let (package, index) = (folder.path().join("a.wacz"), archive.join("a.cdxj"));
    export(&archive, "wacz", &package);
    export(&archive, "cdxj", &index);
    for path in [&package, &index] {
        let verdict = verify_paths(std::slice::from_ref(path));
        assert_eq!((verdict.exit, verdict.codes()), (0, vec![]), "{:#}", verdict.report["findings"]);
        assert_eq!(verdict.report["counts"]["note"], 0, "{:#}", verdict.report["findings"]);
    }

    let flip = |bytes: Vec<u8>| -> Option<Vec<u8>> {
        let middle = bytes.len() / 2;
        Some([&bytes[..middle], &[bytes[middle] ^ 1], &bytes[middle + 1..]].concat())
    };
    let none = |_: Vec<u8>| None;
    let found = |bytes: Vec<u8>| {
        let verdict = verify("a.wacz", &bytes);
        let codes = verdict.report["counts"]["codes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        (verdict.exit, codes)
    };
    let has = |(exit, codes): (i32, Vec<String>), wanted: (i32, &str)| {
        assert!(exit == wanted.0 && codes.iter().any(|code| code == wanted.1), "{exit} {codes:?}, wanted {wanted:?}");
    };
    has(found(repacked(&package, ".warc.gz", flip)), (65, "resource"));
    has(found(repacked(&package, "pages.jsonl", flip)), (65, "resource"));
    has(found(repacked(&package, "pages.jsonl", none)), (65, "resource"));
    has(found(repacked(&package, "datapackage-digest", none)), (0, "package-form"));
    // A block that is said to begin elsewhere: whoever looks a page up in the package does not find it.
    let moved = |bytes: Vec<u8>| Some(replaced(&bytes, "\"offset\":0", "\"offset\":1"));
    has(found(repacked(&package, "index.idx", moved)), (65, "index-differs"));
    has(found(repacked(&package, "datapackage.json", flip)), (65, "resource"));
    has(found(flip(std::fs::read(&package).unwrap()).unwrap()), (65, "zip"));
    has(found(std::fs::read(&package).unwrap()[..3000].to_vec()), (65, "zip"));

    let lines = std::fs::read_to_string(&index).unwrap();
    let index_of = |text: &str| {
        std::fs::write(&index, text).unwrap();
        let verdict = verify_paths(std::slice::from_ref(&index));
        (verdict.exit, verdict.report["counts"]["codes"].as_object().unwrap().keys().cloned().collect::<Vec<_>>())
    };
    let mut turned: Vec<&str> = lines.lines().collect();
    turned.reverse();
    has(index_of(&format!("{}\n", turned.join("\n"))), (65, "index-order"));
    has(index_of(&lines.replacen("\"offset\": \"", "\"offset\": \"1", 1)), (65, "index-differs"));
    has(index_of(&lines.replacen("\"length\": \"", "\"length\": \"1", 1)), (65, "index-differs"));
    has(index_of(&lines.replacen("\"digest\": \"sha1:", "\"digest\": \"sha1:A", 1)), (65, "index-differs"));
    has(index_of(&lines.replacen('}', "", 1)), (65, "index-line"));
    has(index_of(&lines.replace("\"filename\": \"", "\"filename\": \"not-")), (0, "index-alone"));
}

fn cut_by(file: &Path, len: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(file.metadata().unwrap().len() - len).unwrap();
}

fn append(file: &Path, bytes: &[u8]) {
    std::fs::OpenOptions::new().append(true).open(file).unwrap().write_all(bytes).unwrap();
}

#[test]
fn what_holds_nothing_is_not_whole() {
    let nothing = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    let key = "com,example)/ 20200101000000 ";
    let blind = format!("{key}{{\"url\": \"http://example.com/\"}}\n");
    for (name, bytes, code) in [
        ("a.warc.gz", Vec::new(), "empty@"),
        ("a.warc", Vec::new(), "empty@"),
        ("a.wacz", nothing, "empty@"),
        ("a.cdxj", blind.into_bytes(), "index-line@0"),
    ] {
        let verdict = verify(name, &bytes);
        assert_eq!(verdict.exit, 65, "{name}");
        assert!(verdict.codes().iter().any(|found| found.starts_with(code)), "{name}: {:?}", verdict.codes());
    }
    // A crawl has begun it, and no more.
    assert_eq!(verify("a.warc.gz.open", b"").exit, 0);
}

#[test]
fn what_mends_an_archive_is_named() {
    let lantern = Lantern::new();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    assert_eq!(run(lantern.crawl(&archive).args(["--delay", "0s", "--quiet"])).status.code(), Some(0));
    let file = warcs(&archive).remove(0);
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4].fill(0x55);
    std::fs::write(&file, bytes).unwrap();
    // A head that is damaged breaks rules as well, and those are the lesser evil.
    let advised = |verdict: &Verdict| {
        let findings = verdict.report["findings"].as_array().unwrap().clone();
        let damage: Vec<_> = findings.into_iter().filter(|finding| finding["severity"] == "damage").collect();
        assert!(!damage.is_empty());
        damage.iter().any(|finding| finding["advice"].as_str().unwrap().contains("«pressmark repair»"))
    };
    assert!(advised(&verify_archive(&archive)));
    assert!(!advised(&verify_paths(&[file])), "there is nothing to repair it by");
}
