//! Archives mended, made anew, taken in and taken out of, through the built binary.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use pressmark::archive::{Groups, Records};
use pressmark::crawl::Lock;

use crate::archive_run::check_every_reader;
use crate::lantern::{Lantern, pressmark, rows, run, start, warcs};
use crate::origin::{Line, Origin};

/// What can be made anew from WARC files alone, by natural keys: rows have other numbers afterwards.
pub const REBUILT: [(&str, &str); 14] = [
    (
        "capture",
        "SELECT u.text, c.role, c.fetched_ms, c.record_id, c.kind, c.status, c.media, p.digest, c.truncated, c.fault,
             c.address, c.referer, c.referer_by, c.flaw, c.page_kind, c.width, c.height, f.name, c.offset, c.length,
             c.request_offset, c.request_length, c.metadata_offset, c.metadata_length, o.record_id AS original, c.etag, c.last_modified, c.run
         FROM capture c JOIN url u ON u.id = c.url JOIN payload p ON p.id = c.payload JOIN warc_file f ON f.id = c.file
         LEFT JOIN capture o ON o.id = c.refers_to ORDER BY f.name, c.offset",
    ),
    (
        "article_version",
        "SELECT u.text, c.record_id, v.fingerprint, v.title, v.byline, v.source, v.published_ms, v.published_local,
             v.published_precision, v.published_from, v.dates, v.language, v.charset, v.charset_from, v.charset_declared, v.cut,
             v.canonical, v.categories, v.text, v.oddities
         FROM article_version v JOIN url u ON u.id = v.url JOIN capture c ON c.id = v.capture ORDER BY c.record_id",
    ),
    (
        "picture",
        "SELECT c.record_id, p.position, p.block, p.lead, p.in_article, p.alt, p.caption, p.width, p.height
         FROM picture p JOIN article_version v ON v.id = p.version JOIN capture c ON c.id = v.capture ORDER BY 1, 2",
    ),
    (
        "picture_variant",
        "SELECT c.record_id, p.position, i.position, u.text, i.role, i.wanted
         FROM picture_variant i JOIN url u ON u.id = i.url JOIN picture p ON p.id = i.picture
         JOIN article_version v ON v.id = p.version JOIN capture c ON c.id = v.capture ORDER BY 1, 2, 3",
    ),
    (
        "redirect",
        "SELECT u.text, t.text FROM redirect r JOIN url u ON u.id = r.url JOIN url t ON t.id = r.target ORDER BY 1",
    ),
    (
        "part",
        "SELECT p.text, u.text, r.role FROM part r JOIN url p ON p.id = r.page JOIN url u ON u.id = r.url ORDER BY 1, 2",
    ),
    ("payload", "SELECT digest, size_bytes, notice FROM payload ORDER BY digest"),
    ("warc_file", "SELECT name, committed_len FROM warc_file ORDER BY name"),
    (
        "url, of what was captured",
        "SELECT u.text, h.name, h.slot, u.role, u.class, u.via, u.depth, u.hops, u.page, u.referer, u.claims, s.name
         FROM url u JOIN host h ON h.id = u.host LEFT JOIN seed s ON s.id = u.seed
         WHERE u.id IN (SELECT url FROM capture) ORDER BY 1",
    ),
    (
        "seed",
        "SELECT name FROM seed WHERE name IN (SELECT text FROM url WHERE id IN (SELECT url FROM capture)) ORDER BY 1",
    ),
    ("robots", "SELECT origin, status, hex(body) FROM robots ORDER BY 1"),
    (
        "capture, by what leave",
        "SELECT record_id, r.rule, r.line, robots_tags FROM capture c LEFT JOIN robots_rule r ON r.id = c.robots_rule
         ORDER BY 1",
    ),
    (
        "article",
        "SELECT url, kind, published, images, images_kept, lead_image, versions, fetched FROM article ORDER BY url",
    ),
    ("image", "SELECT * FROM image ORDER BY article, position"),
];

/// What only the old database knows, and what is made of it.
const INHERITED: [(&str, &str); 5] = [
    ("run", "SELECT * FROM run ORDER BY id"),
    ("seed", "SELECT * FROM seed ORDER BY id"),
    ("host", "SELECT name, slot, page_next_ms, requisite_next_ms FROM host ORDER BY name"),
    ("robots", "SELECT * FROM robots ORDER BY origin"),
    (
        "url",
        "SELECT u.text, u.fingerprint, u.role, u.class, u.state, u.priority, u.due_ms, u.tries, s.name, u.via, u.depth,
             u.hops, u.page, u.referer, u.referrer, u.rung, u.rungs, u.claims, u.status, u.reason, u.refused_by, u.transient, u.settled_ms, r.rule, r.line
         FROM url u LEFT JOIN seed s ON s.id = u.seed LEFT JOIN robots_rule r ON r.id = u.robots_rule ORDER BY u.text",
    ),
];

pub type Dump = Vec<(&'static str, Vec<Vec<serde_json::Value>>)>;

pub fn dump(archive: &Path, tables: &[(&'static str, &'static str)]) -> Dump {
    tables.iter().map(|(table, sql)| (*table, rows(archive, sql))).collect()
}

/// Says which row of which table differs, and how.
pub fn compare(before: &Dump, after: &Dump) {
    for ((table, before), (_, after)) in before.iter().zip(after) {
        for (before, after) in before.iter().zip(after) {
            assert_eq!(before, after, "in {table}");
        }
        assert_eq!(before.len(), after.len(), "rows of {table}");
        assert!(!before.is_empty(), "{table} is empty: nothing was compared");
    }
}

fn command(archive: &Path, arguments: &[&str]) -> Command {
    let mut command = pressmark();
    command.args(arguments).arg("--archive").arg(archive);
    command
}

/// Runs a command on an archive: its exit code, what it printed, and what it said.
fn told(archive: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = run(&mut command(archive, arguments));
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs a command that must succeed; what it printed.
pub fn done(archive: &Path, arguments: &[&str]) -> String {
    let (code, printed, said) = told(archive, arguments);
    assert_eq!(code, 0, "{arguments:?}: {said}");
    printed
}

fn number(archive: &Path, sql: &str) -> u64 {
    rows(archive, sql)[0][0].as_u64().unwrap()
}

/// A site with what the demo site has not: redirects, and one payload under two addresses.
fn moving_site() -> (tokio::runtime::Runtime, Origin) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let origin = runtime.block_on(Origin::start(None, |mut line: Line| async move {
        while let Some(head) = line.request().await {
            let head = String::from_utf8(head).unwrap();
            let page = |text: &str| {
                let text = format!(
                    "<html><meta property=og:type content=article><title>{text}</title><h1>{text}</h1><p>{}</p>",
                    text.repeat(40)
                );
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{text}", text.len())
            };
            let moved = |to: &str| format!("HTTP/1.1 301 Moved\r\nLocation: {to}\r\nContent-Length: 5\r\n\r\nmoved");
            let answer = match head.split(' ').nth(1).unwrap() {
                "/old" => moved("/new"),
                "/older" => moved("/old"),
                "/new" => page("A ferry that moved"),
                "/secret" | "/mirror" => page("Unforgettable walrus"),
                "/other" => page("A plain lighthouse"),
                _ => "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            if !line.say(answer.as_bytes()).await {
                return;
            }
        }
    }));
    (runtime, origin)
}

/// The demo site without the page whose pictures are on a dead host, and the moving one, crawled twice, the second time in full: every second capture is a revisit. Made
/// once for all tests; each has a copy.
pub fn crawled() -> tempfile::TempDir {
    static ONCE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = ONCE.get_or_init(|| {
        let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
        let (_runtime, moving) = moving_site();
        let document = folder.path().join("note.md");
        std::fs::write(&document, "---\ntitle: A note of mine\n---\n\nIt says something worth keeping.\n").unwrap();
        for revisit in ["auto", "always"] {
            let mut command = lantern.crawl(&folder.path().join("archive"));
            command.arg("--resolve").arg(format!("moving.example:80:{}", moving.address)).arg(&document);
            for path in ["older", "secret", "mirror", "other"] {
                command.arg(format!("http://moving.example/{path}"));
            }
            let output =
                run(command.args(["--delay", "0", "--quiet", "--revisit", revisit, "--exclude", "xiaochengxu"]));
            assert!(output.status.success());
        }
        folder
    });
    let copy = tempfile::tempdir().unwrap();
    copy_all(&made.path().join("archive"), copy.path());
    copy
}

fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if path.is_dir() {
            copy_all(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

#[test]
fn the_database_made_anew_equals_the_one_that_grew() {
    let folder = crawled();
    let archive = folder.path();
    let (rebuilt, inherited) = (dump(archive, &REBUILT), dump(archive, &INHERITED));
    let revisits = number(archive, "SELECT count(*) FROM capture WHERE kind = 'revisit'");
    assert!(revisits > 10, "{revisits} revisits");

    done(archive, &["reindex"]);
    compare(&rebuilt, &dump(archive, &REBUILT));
    compare(&inherited, &dump(archive, &INHERITED));

    // From the WARC files alone.
    std::fs::remove_file(archive.join("pressmark.sqlite3")).unwrap();
    done(archive, &["reindex"]);
    compare(&rebuilt, &dump(archive, &REBUILT));
}

#[test]
fn a_damaged_database_is_replaced_and_kept() {
    let folder = crawled();
    let archive = folder.path();
    let before = dump(archive, &REBUILT);
    let database = archive.join("pressmark.sqlite3");
    let mut bytes = std::fs::read(&database).unwrap();
    let len = bytes.len();
    bytes[4096..len / 2].fill(0xa5);
    std::fs::write(&database, &bytes).unwrap();
    let (code, _, said) = told(archive, &["reindex"]);
    assert_eq!(code, 0);
    assert!(said.contains("the old database was damaged"), "{said}");
    compare(&before, &dump(archive, &REBUILT));
    assert_eq!(std::fs::read(archive.join("pressmark.sqlite3.damaged-1")).unwrap(), bytes);
}

#[test]
fn a_database_of_another_program_is_not_replaced() {
    let folder = crawled();
    let database = folder.path().join("pressmark.sqlite3");
    std::fs::remove_file(&database).unwrap();
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); PRAGMA application_id = 7")
        .unwrap();
    let before = std::fs::read(&database).unwrap();
    let (code, _, said) = told(folder.path(), &["reindex"]);
    assert_eq!(code, 1);
    assert!(said.contains("is not a pressmark database"), "{said}");
    assert_eq!(std::fs::read(&database).unwrap(), before);
}

/// Starts a command and kills it after `after`; true when it was still at work.
fn kill(archive: &Path, arguments: &[&str], after: Duration) -> bool {
    let mut child = start(&mut command(archive, arguments));
    std::thread::sleep(after);
    let at_work = child.try_wait().unwrap().is_none();
    let _ = child.kill();
    child.wait().unwrap();
    at_work
}

#[test]
fn a_killed_reindex_leaves_the_old_database() {
    let folder = crawled();
    let archive = folder.path();
    let (rebuilt, inherited) = (dump(archive, &REBUILT), dump(archive, &INHERITED));
    let mut killed = 0;
    for round in 0..12 {
        killed += u32::from(kill(archive, &["reindex"], Duration::from_millis(15 + 25 * round)));
        // It was killed before the swap or after it: either way a whole database is there.
        compare(&rebuilt, &dump(archive, &REBUILT));
        compare(&inherited, &dump(archive, &INHERITED));
    }
    assert!(killed > 2, "only {killed} were killed");
    done(archive, &["reindex"]);
    compare(&inherited, &dump(archive, &INHERITED));
    let left: Vec<String> = names(archive).into_iter().filter(|name| name.contains(".new")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn upkeep_waits_for_nobody() {
    let folder = crawled();
    let _lock = Lock::take(folder.path()).unwrap();
    let file = warcs(folder.path())[0].display().to_string();
    for arguments in [
        &["repair"][..],
        &["repair", "--dry-run"],
        &["reindex"],
        &["import", &file],
        &["forget", "http://h.example/", "--reason", "x"],
        &["block", "http://h.example/"],
    ] {
        assert_eq!(told(folder.path(), arguments).0, 75, "{arguments:?}");
    }
}

/// Every record's bytes in a file, in order.
fn records(path: &Path) -> Vec<(String, Vec<u8>)> {
    let id = |record: &pressmark::archive::Record| record.field("WARC-Record-ID").unwrap().to_owned();
    Records::open(path, 0).unwrap().map(|record| record.map(|record| (id(&record), record.block)).unwrap()).collect()
}

#[test]
fn a_whole_archive_is_left_alone() {
    let folder = crawled();
    let archive = folder.path();
    let file = warcs(archive).remove(0);
    let before = std::fs::read(&file).unwrap();
    assert!(done(archive, &["repair"]).contains("whole: "));
    assert_eq!(std::fs::read(&file).unwrap(), before);
    assert_eq!(
        names(archive),
        [".lock", "README.md", "pressmark.sqlite3", "spool", "warc"]
            .map(str::to_owned)
            .to_vec()
            .into_iter()
            .filter(|name| archive.join(name).exists())
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_torn_tail_is_cut_and_an_open_file_sealed() {
    let folder = crawled();
    let archive = folder.path();
    let file = warcs(archive).remove(0);
    let open = PathBuf::from(format!("{}.open", file.display()));
    let before = std::fs::read(&file).unwrap();
    let last = number(archive, "SELECT max(metadata_offset) FROM capture") as usize;
    // The last capture lost its metadata; the database never heard of the last two.
    std::fs::write(&open, &before[..last + 40]).unwrap();
    std::fs::remove_file(&file).unwrap();
    let connection = rusqlite::Connection::open(archive.join("pressmark.sqlite3")).unwrap();
    connection
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM capture WHERE id > (SELECT max(id) - 2 FROM capture)")
        .unwrap();
    drop(connection);
    let captures = number(archive, "SELECT count(*) FROM capture");

    let told_first = done(archive, &["repair", "--dry-run"]);
    assert!(told_first.contains("would be cut off") && told_first.contains("would be sealed"), "{told_first}");
    assert!(open.exists());
    done(archive, &["repair"]);
    assert!(file.exists() && !open.exists());
    let after = std::fs::read(&file).unwrap();
    assert_eq!(after, before[..after.len()]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), captures + 1);
    assert_eq!(number(archive, "SELECT committed_len FROM warc_file"), after.len() as u64);
    let kept: Vec<u8> = std::fs::read(archive.join("damaged").join(&names(&archive.join("damaged"))[0])).unwrap();
    assert_eq!([after, kept].concat(), before[..last + 40]);
    check_every_reader(archive);
    check_places(archive);
    assert!(done(archive, &["repair"]).contains("whole: "));
}

#[test]
fn damage_in_the_middle_costs_only_what_is_damaged() {
    let folder = crawled();
    let archive = folder.path();
    let file = warcs(archive).remove(0);
    let (before, whole) = (records(&file), std::fs::read(&file).unwrap());
    let place = rows(
        archive,
        "SELECT offset, length FROM capture WHERE kind = 'response' AND role = 'image' ORDER BY offset LIMIT 1 OFFSET 3",
    );
    let (offset, length) = (place[0][0].as_u64().unwrap() as usize, place[0][1].as_u64().unwrap() as usize);
    let mut damaged = whole.clone();
    damaged[offset + length / 2..offset + length / 2 + 4].fill(0);
    std::fs::write(&file, &damaged).unwrap();
    let captures = number(archive, "SELECT count(*) FROM capture");

    assert!(done(archive, &["repair", "--dry-run"]).contains(&format!("offset {offset}")));
    assert_eq!(std::fs::read(&file).unwrap(), damaged);
    done(archive, &["repair"]);
    let after = records(&file);
    // One capture went, with its request and its metadata, and nothing else.
    assert_eq!(after.len(), before.len() - 3);
    assert!(after.iter().all(|record| before.contains(record)));
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), captures - 1);
    assert_eq!(std::fs::read(archive.join("damaged").join(&names(&archive.join("damaged"))[0])).unwrap(), damaged);
    check_every_reader(archive);
    check_places(archive);
    assert!(done(archive, &["repair"]).contains("whole: "));

    // A database that has fallen behind is put right too.
    let moved = rows(archive, "SELECT record_id, offset FROM capture ORDER BY record_id");
    let connection = rusqlite::Connection::open(archive.join("pressmark.sqlite3")).unwrap();
    connection.execute_batch("UPDATE capture SET offset = offset + 1000000, request_offset = 3").unwrap();
    drop(connection);
    done(archive, &["repair"]);
    assert_eq!(rows(archive, "SELECT record_id, offset FROM capture ORDER BY record_id"), moved);
    check_places(archive);
}

/// Every row names the record it is about.
fn check_places(archive: &Path) {
    let sql = "SELECT f.name, c.offset, c.length, c.record_id FROM capture c JOIN warc_file f ON f.id = c.file";
    for row in rows(archive, sql) {
        let (file, offset) = (row[0].as_str().unwrap(), row[1].as_u64().unwrap());
        let record = Records::open(&archive.join("warc").join(file), offset).unwrap().next().unwrap().unwrap();
        assert_eq!(record.field("WARC-Record-ID"), row[3].as_str());
        assert_eq!(record.length, row[2].as_u64().unwrap());
    }
}

/// Another tool's record.
fn record(version: &str, fields: &[(&str, &str)], block: &[u8]) -> Vec<u8> {
    let mut record = format!("WARC/{version}\r\n").into_bytes();
    for (name, value) in fields {
        record.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    record.extend_from_slice(format!("Content-Length: {}\r\n\r\n", block.len()).as_bytes());
    [&record, block, b"\r\n\r\n"].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A PNG of 900 by 600 and no pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\x84\0\0\x02\x58\x08\x02\0\0\0....\0\0\0\0IEND\xaeB`\x82";

/// What another tool might have written: requests first, chunked bodies with their chunks, a revisit, addresses in angle
/// brackets, a name server's answer, a resource of the web.
fn foreign() -> Vec<Vec<u8>> {
    let page = format!(
        "<html><meta property=og:type content=article><title>Foreign news</title><article><h1>Foreign news</h1><p>{}</p><p>The second edition is the right \
         one.</p><img src=/p.png width=900 height=600><p>{}</p></article>",
        "The tide table was printed twice this year, and nobody at the harbour office could say why. ".repeat(5),
        "Those who sail by the first one are asked to bring it back. ".repeat(5)
    );
    let chunked = format!("{:x}\r\n{page}\r\n0\r\n\r\n", page.len());
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    let picture = [b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n".as_slice(), PNG].concat();
    let payload = pressmark::web::digest::digest(pressmark::web::digest::Algorithm::Sha1, page.as_bytes());
    let http = ("Content-Type", "application/http; msgtype=response");
    let at = ("WARC-Date", "2015-03-04T05:06:07Z");
    vec![
        record("1.0", &[("WARC-Type", "warcinfo"), at, ("WARC-Record-ID", "<urn:x:info>")], b"software: other\r\n"),
        record(
            "1.0",
            &[
                ("WARC-Type", "response"),
                at,
                ("WARC-Record-ID", "<urn:x:dns>"),
                ("WARC-Target-URI", "dns:f.example"),
                ("Content-Type", "text/dns"),
            ],
            b"20150304050607\n",
        ),
        record(
            "1.0",
            &[
                ("WARC-Type", "request"),
                at,
                ("WARC-Record-ID", "<urn:x:q1>"),
                ("WARC-Target-URI", "http://f.example/news"),
                ("Content-Type", "application/http; msgtype=request"),
            ],
            b"GET /news HTTP/1.1\r\nReferer: http://f.example/\r\n\r\n",
        ),
        record(
            "1.0",
            &[
                ("WARC-Type", "response"),
                at,
                ("WARC-Record-ID", "<urn:x:r1>"),
                ("WARC-Target-URI", "http://f.example/news"),
                ("WARC-Concurrent-To", "<urn:x:q1>"),
                http,
            ],
            format!("{head}{chunked}").as_bytes(),
        ),
        record(
            "1.0",
            &[
                ("WARC-Type", "response"),
                at,
                ("WARC-Record-ID", "<urn:x:r2>"),
                ("WARC-Target-URI", "http://f.example/p.png"),
                http,
            ],
            &picture,
        ),
        record(
            "1.0",
            &[
                ("WARC-Type", "revisit"),
                ("WARC-Date", "2016-03-04T05:06:07Z"),
                ("WARC-Record-ID", "<urn:x:v1>"),
                ("WARC-Target-URI", "http://f.example/news"),
                ("WARC-Refers-To", "<urn:x:r1>"),
                ("WARC-Refers-To-Target-URI", "http://f.example/news"),
                ("WARC-Refers-To-Date", "2015-03-04T05:06:07Z"),
                ("WARC-Payload-Digest", payload.as_str()),
                ("WARC-Profile", "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"),
                http,
            ],
            head.as_bytes(),
        ),
        record(
            "1.0",
            &[
                ("WARC-Type", "resource"),
                at,
                ("WARC-Record-ID", "<urn:x:s1>"),
                ("WARC-Target-URI", "http://f.example/kept.css"),
                ("Content-Type", "text/css"),
            ],
            b"p { color: red }",
        ),
    ]
}

/// What the archive must know of those.
fn check_foreign(archive: &Path) {
    let seen = rows(
        archive,
        "SELECT url, role, kind, status, referer, payload_offset = warc_offset FROM capture_log
         WHERE url LIKE 'http://f.example/%' ORDER BY url, fetched",
    );
    let json = |text: &str| serde_json::from_str::<Vec<serde_json::Value>>(text).unwrap();
    assert_eq!(
        seen,
        [
            json(r#"["http://f.example/kept.css", "style", "resource", null, null, 1]"#),
            json(r#"["http://f.example/news", "page", "response", 200, "http://f.example/", 1]"#),
            json(r#"["http://f.example/news", "page", "revisit", 200, null, 0]"#),
            json(r#"["http://f.example/p.png", "image", "response", 200, null, 1]"#),
        ]
    );
    let article = rows(
        archive,
        "SELECT title, versions, images_kept, text LIKE '%right one%' FROM article WHERE url LIKE '%f.example%'",
    );
    assert_eq!(article, [json(r#"["Foreign news", 1, 1, 1]"#)]);
}

#[test]
fn an_archive_of_another_tool_is_indexed_where_it_lies() {
    for packed in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let warc = folder.path().join("warc");
        std::fs::create_dir(&warc).unwrap();
        let bracketed = |record: Vec<u8>| {
            let text = b"WARC-Target-URI: http://f.example/news".as_slice();
            let at = record.windows(text.len()).position(|window| window == text);
            let in_brackets = b"WARC-Target-URI: <http://f.example/news>".as_slice();
            at.map_or(record.clone(), |at| [&record[..at], in_brackets, &record[at + text.len()..]].concat())
        };
        let foreign = || foreign().into_iter().map(bracketed).collect::<Vec<_>>();
        let (name, bytes) = if packed {
            ("theirs.warc.gz", foreign().iter().flat_map(|record| gzip(record)).collect())
        } else {
            ("theirs.warc", foreign().concat())
        };
        std::fs::write(warc.join(name), bytes).unwrap();
        let (code, _, said) = told(folder.path(), &["reindex"]);
        assert_eq!(code, 0);
        assert!(said.contains("4 captures of 1 file;"), "{said}");
        check_foreign(folder.path());
        check_places(folder.path());
        sound(folder.path());
    }
}

#[test]
fn any_form_is_imported_once() {
    let folder = tempfile::tempdir().unwrap();
    let forms: [(&str, Vec<u8>); 3] = [
        ("plain.warc", foreign().concat()),
        ("single.warc.gz", gzip(&foreign().concat())),
        ("members.warc.gz", foreign().iter().flat_map(|record| gzip(record)).collect()),
    ];
    for (name, bytes) in &forms {
        let (file, archive) = (folder.path().join(name), folder.path().join(format!("{name}-archive")));
        std::fs::write(&file, bytes).unwrap();
        let import = |file: &Path| done(&archive, &["import", file.to_str().unwrap()]);
        let said = import(&file);
        assert!(said.contains("4 captures"), "{said}");
        check_foreign(&archive);
        check_every_reader(&archive);
        check_places(&archive);
        let there = &warcs(&archive)[0];
        let unpacked = |bytes: &[u8]| {
            let mut plain = Vec::new();
            MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
            plain
        };
        assert_eq!(unpacked(&std::fs::read(there).unwrap()), foreign().concat(), "{name}: byte for byte");
        assert!(there.file_name().unwrap().to_str().unwrap().starts_with("import-"));
        // In whatever form it comes again, it is here already.
        for (other, bytes) in &forms {
            let again = folder.path().join(format!("again-{other}"));
            std::fs::write(&again, bytes).unwrap();
            let said = import(&again);
            assert!(said.contains("nothing new, 4 were here already"), "{said}");
        }
        assert_eq!(warcs(&archive).len(), 1);
        assert_eq!(number(&archive, "SELECT count(*) FROM run WHERE profile = 'import' AND stopped_by = 'done'"), 4);
        let before = dump(&archive, &REBUILT[..1]);
        done(&archive, &["reindex"]);
        compare(&before, &dump(&archive, &REBUILT[..1]));
        sound(&archive);
    }
}

#[test]
fn a_package_is_imported_with_all_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("theirs.wacz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&package).unwrap());
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [
        ("datapackage.json", b"{}".to_vec()),
        ("archive/a.warc.gz", foreign()[..5].iter().flat_map(|record| gzip(record)).collect()),
        ("archive/b.warc.gz", foreign()[5..].iter().flat_map(|record| gzip(record)).collect()),
    ] {
        zip.start_file(name, stored).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    let archive = folder.path().join("archive");
    done(&archive, &["import", package.to_str().unwrap()]);
    assert_eq!(names(&archive.join("warc")), ["import-theirs-a.warc.gz", "import-theirs-b.warc.gz"]);
    check_foreign(&archive);
}

#[test]
fn damage_is_named_and_what_can_be_read_is_imported() {
    let folder = tempfile::tempdir().unwrap();
    let (file, archive) = (folder.path().join("broken.warc.gz"), folder.path().join("archive"));
    let members: Vec<Vec<u8>> = foreign().iter().map(|record| gzip(record)).collect();
    let broken = members[..4].concat().len();
    let mut bytes = members.concat();
    let middle = broken + members[4].len() / 2;
    bytes[middle..middle + 6].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let (code, printed, said) = told(&archive, &["import", file.to_str().unwrap()]);
    assert_eq!(code, 65);
    assert!(printed.contains("3 captures"), "{printed}");
    assert!(said.contains(&format!("broken.warc.gz, offset {broken}")), "{said}");
    check_every_reader(&archive);
}

#[test]
fn imported_payloads_take_part() {
    let folder = crawled();
    let (archive, elsewhere) = (folder.path(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("theirs.warc.gz");
    std::fs::write(&file, foreign().iter().flat_map(|record| gzip(record)).collect::<Vec<_>>()).unwrap();
    let before = dump(archive, &REBUILT[..1])[0].1.len();
    done(archive, &["import", file.to_str().unwrap()]);
    check_foreign(archive);
    assert_eq!(dump(archive, &REBUILT[..1])[0].1.len(), before + 4);
    let shown = done(archive, &["show", "--raw", "http://f.example/news"]);
    assert!(shown.contains("<title>Foreign news"), "{shown}");
}

/// The bytes of every file below, as they are, and of every WARC's records unpacked.
fn everything(folder: &Path, all: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything(&path, all);
            continue;
        }
        all.extend(std::fs::read(&path).unwrap());
        if path.parent().is_some_and(|parent| parent.ends_with("warc")) {
            for group in Groups::open(&path, 0).unwrap() {
                group.unwrap().records.iter().for_each(|record| all.extend_from_slice(&record.block));
            }
        }
    }
}

fn holds(archive: &Path, needle: &str) -> bool {
    let mut all = Vec::new();
    everything(archive, &mut all);
    all.windows(needle.len()).any(|window| window == needle.as_bytes())
}

const SECRET: &str = "http://moving.example/secret";
const WALRUS: &str = "Unforgettable walrus";

#[test]
fn nothing_is_left_of_what_is_forgotten() {
    let folder = crawled();
    let archive = folder.path();
    std::fs::create_dir_all(archive.join("cdxj")).unwrap();
    std::fs::write(archive.join("cdxj/old.cdxj"), SECRET).unwrap();
    assert!(holds(archive, WALRUS));
    let of_others = "SELECT count(*) FROM capture c JOIN url u ON u.id = c.url
                     WHERE u.text NOT IN ('http://moving.example/secret', 'http://moving.example/mirror')";
    let others = number(archive, of_others);

    let listed = done(archive, &["forget", SECRET, "--reason", "asked by its author", "--dry-run"]);
    assert!(listed.contains("http://moving.example/mirror in ") && listed.contains("(the same content)"), "{listed}");
    assert!(listed.contains("4 captures would be forgotten"), "{listed}");
    assert!(holds(archive, WALRUS));

    let said = done(archive, &["forget", SECRET, "--reason", "asked by its author"]);
    assert!(said.contains("4 captures forgotten") && said.contains("cdxj"), "{said}");
    assert!(!holds(archive, WALRUS), "something of it is left");
    assert_eq!(number(archive, of_others), others);
    check_every_reader(archive);
    check_places(archive);
    assert!(done(archive, &["repair"]).contains("whole: "));

    // What tells of it.
    let line = std::fs::read_to_string(archive.join("takedown.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (&line["act"], &line["url"], &line["reason"]),
        (&"forget".into(), &SECRET.into(), &"asked by its author".into())
    );
    assert_eq!(line["records"].as_array().unwrap().len(), 4);
    assert_eq!(number(archive, "SELECT count(*) FROM takedown WHERE act = 'forget'"), 1);
    let state = "SELECT state, refused_by FROM url WHERE text = 'http://moving.example/secret'";
    assert_eq!(rows(archive, state), [["refused", "takedown"].map(serde_json::Value::from)]);
    let tombstones = warcs(archive)
        .iter()
        .flat_map(|path| records(path))
        .filter(|(_, block)| block.starts_with(b"forgotten: {"))
        .count();
    assert_eq!(tombstones, 4);
    assert!(
        done(archive, &["forget", SECRET, "--reason", "again"]).contains("nothing of http://moving.example/secret")
    );

    // Neither a run nor a database made anew brings it back.
    let (_runtime, moving) = moving_site();
    let crawl = || {
        let mut command =
            command(archive, &["crawl", "--delay", "0", "--quiet", SECRET, "http://moving.example/other"]);
        run(command.arg("--resolve").arg(format!("moving.example:80:{}", moving.address)));
        moving.requests().iter().filter(|request| request.starts_with(b"GET /secret")).count()
    };
    assert_eq!(crawl(), 0);
    std::fs::remove_file(archive.join("pressmark.sqlite3")).unwrap();
    done(archive, &["reindex"]);
    assert_eq!(rows(archive, state), [["refused", "takedown"].map(serde_json::Value::from)]);
    assert_eq!(crawl(), 0);
    done(archive, &["forget", SECRET, "--reason", "allowed", "--undo"]);
    assert_eq!(crawl(), 1);
}

/// The moving site crawled twice into zstd, with a dictionary that quotes the secret.
pub fn crawled_in_zstd(archive: &Path) {
    let (_runtime, moving) = moving_site();
    let text = archive.join("dictionary.txt");
    std::fs::create_dir_all(archive).unwrap();
    let page = |page: u32| {
        let word = |word: u32| format!("{:x} ", (page * 7919 + 1) % 104_729 * (word + 1) % 999_983);
        format!(
            "<p class=\"{}\">{WALRUS} {}</p>",
            "lead ".repeat(page as usize % 5),
            (0..60).map(word).collect::<String>()
        )
    };
    std::fs::write(&text, (0..800).map(page).collect::<String>()).unwrap();
    for revisit in ["auto", "always"] {
        let mut command = command(archive, &["crawl", "--delay", "0", "--quiet", "--robots", "ignore"]);
        command.args(["--compress", "zstd", "--revisit", revisit, "--dictionary"]).arg(&text);
        command.arg("--resolve").arg(format!("moving.example:80:{}", moving.address));
        for path in ["older", "secret", "mirror", "other"] {
            command.arg(format!("http://moving.example/{path}"));
        }
        assert!(run(&mut command).status.success());
    }
    std::fs::remove_file(text).unwrap();
}

fn dictionary(file: &Path) -> Option<Vec<u8>> {
    pressmark::archive::Dictionary::of_file(file).unwrap().map(|dictionary| dictionary.bytes().to_vec())
}

#[test]
fn nothing_is_left_in_zstd_and_its_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path();
    crawled_in_zstd(archive);
    let file = warcs(archive).remove(0);
    let quotes = |bytes: &[u8]| bytes.windows(WALRUS.len()).any(|window| window == WALRUS.as_bytes());
    assert!(quotes(&dictionary(&file).expect("the file has a dictionary")), "the dictionary quotes the secret");
    let of_others =
        number(archive, "SELECT count(*) FROM capture_log WHERE url NOT LIKE '%/secret' AND url NOT LIKE '%/mirror'");
    assert!(done(archive, &["forget", SECRET, "--reason", "x"]).contains("4 captures forgotten"));
    assert!(!holds(archive, WALRUS), "something of it is left");
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), of_others);
    assert!(dictionary(&file).is_none());
    check_places(archive);
    sound(archive);
    assert!(done(archive, &["show", "--raw", "http://moving.example/other"]).contains("A plain lighthouse"));
}

/// Neither `repair` nor `verify` finds anything to mend.
fn sound(archive: &Path) {
    let (code, printed, said) = told(archive, &["verify", "--quiet"]);
    assert_eq!(code, 0, "{printed}{said}");
    let printed = done(archive, &["repair"]);
    assert!(printed.contains("whole: "), "{printed}");
}

#[test]
fn zstd_is_mended_like_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path();
    crawled_in_zstd(archive);
    let file = warcs(archive).remove(0);
    sound(archive);

    // Made anew, and packed for others.
    let before = dump(archive, &REBUILT[..1]);
    done(archive, &["reindex"]);
    compare(&before, &dump(archive, &REBUILT[..1]));
    let package = archive.join("all.wacz").display().to_string();
    done(archive, &["export", "wacz", "--quiet", &package]);
    let elsewhere = tempfile::tempdir().unwrap();
    done(elsewhere.path(), &["import", &package]);
    let (here, there) =
        (number(archive, "SELECT count(*) FROM capture"), number(elsewhere.path(), "SELECT count(*) FROM capture"));
    assert_eq!(here, there);
    sound(elsewhere.path());

    // Damage in the middle, then a torn tail.
    let (whole, known) = (std::fs::read(&file).unwrap(), dictionary(&file));
    let sql =
        "SELECT offset, length FROM capture c JOIN url u ON u.id = c.url WHERE u.text LIKE '%/other' ORDER BY offset";
    let place = rows(archive, sql).remove(0);
    let (offset, length) = (place[0].as_u64().unwrap() as usize, place[1].as_u64().unwrap() as usize);
    let mut damaged = whole.clone();
    damaged[offset + length / 2..offset + length / 2 + 4].fill(0x55);
    std::fs::write(&file, &damaged).unwrap();
    assert_eq!(told(archive, &["verify"]).0, 65);
    done(archive, &["repair"]);
    assert_eq!((number(archive, "SELECT count(*) FROM capture"), dictionary(&file)), (here - 1, known));
    check_places(archive);
    sound(archive);
    let open = PathBuf::from(format!("{}.open", file.display()));
    let mut torn = std::fs::read(&file).unwrap();
    torn.truncate(torn.len() - 20);
    std::fs::write(&open, torn).unwrap();
    std::fs::remove_file(&file).unwrap();
    done(archive, &["repair"]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), here - 2);
    check_places(archive);
    sound(archive);
}

#[test]
fn a_revisit_of_what_is_lost_is_fetched_again_in_full() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path();
    let (_runtime, moving) = moving_site();
    // Each run has a file of its own: the first, which holds the payloads, goes.
    let crawl = |more: &[&str]| {
        let mut command =
            command(archive, &["crawl", "--delay", "0", "--quiet", "--robots", "ignore", "--warc-size", "1KB"]);
        command.arg("--resolve").arg(format!("moving.example:80:{}", moving.address));
        assert!(run(command.args(more)).status.success());
    };
    crawl(&["http://moving.example/secret"]);
    let first = warcs(archive).remove(0);
    crawl(&["--revisit", "always", "http://moving.example/secret", "http://moving.example/mirror"]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture WHERE refers_to IS NOT NULL"), 2);

    let mut bytes = std::fs::read(&first).unwrap();
    let place = rows(archive, "SELECT offset, length FROM capture ORDER BY id LIMIT 1").remove(0);
    let middle = (place[0].as_u64().unwrap() + place[1].as_u64().unwrap() / 2) as usize;
    bytes[middle..middle + 4].fill(0x55);
    std::fs::write(&first, bytes).unwrap();
    let (code, found, _) = told(archive, &["verify", "--json"]);
    assert_eq!(code, 65, "{found}");
    let look = done(archive, &["repair", "--dry-run"]);
    assert!(look.contains("2 revisits would lose their payload"), "{look}");
    let said = done(archive, &["repair"]);
    assert!(said.contains("2 revisits have lost their payload"), "{said}");
    // The loss is known: a note, and nothing that can be mended.
    sound(archive);
    let (code, found, _) = told(archive, &["verify", "--json"]);
    assert!(code == 0 && found.contains("payload-lost"), "{found}");
    let queued = "SELECT count(*) FROM url WHERE state = 'queued'";
    assert_eq!(number(archive, queued), 2);

    crawl(&["http://moving.example/other"]);
    assert_eq!(number(archive, queued), 0);
    assert_eq!(number(archive, "SELECT count(*) FROM capture WHERE kind = 'response'"), 2);
    assert!(done(archive, &["show", "--raw", SECRET]).contains(WALRUS));
    assert!(done(archive, &["show", "--raw", "http://moving.example/mirror"]).contains(WALRUS));
    sound(archive);
    // A database made anew knows it as well.
    done(archive, &["reindex"]);
    sound(archive);
}

#[test]
fn a_killed_repair_is_finished_by_the_next() {
    let whole = crawled();
    let place =
        rows(whole.path(), "SELECT offset, length FROM capture WHERE role = 'image' ORDER BY offset LIMIT 1 OFFSET 3");
    let middle = (place[0][0].as_u64().unwrap() + place[0][1].as_u64().unwrap() / 2) as usize;
    let mut killed = 0;
    for round in 0..8 {
        let folder = crawled();
        let archive = folder.path();
        let file = warcs(archive).remove(0);
        let (before, mut bytes) = (records(&file), std::fs::read(&file).unwrap());
        bytes[middle..middle + 4].fill(0x55);
        std::fs::write(&file, &bytes).unwrap();
        killed += u32::from(kill(archive, &["repair"], Duration::from_millis(20 + 30 * round)));
        done(archive, &["repair"]);
        assert_eq!(records(&file).len(), before.len() - 3, "round {round}");
        let kept = names(&archive.join("damaged"));
        assert!(
            kept.iter().any(|name| std::fs::read(archive.join("damaged").join(name)).unwrap() == bytes),
            "{kept:?}"
        );
        check_places(archive);
        sound(archive);
    }
    assert!(killed > 2, "only {killed} were killed");
}

#[test]
fn a_killed_import_is_finished_by_the_next() {
    let from = crawled();
    let file = warcs(from.path()).remove(0).display().to_string();
    let all = number(from.path(), "SELECT count(*) FROM capture");
    let mut killed = 0;
    for round in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path();
        killed += u32::from(kill(archive, &["import", &file], Duration::from_millis(20 + 40 * round)));
        done(archive, &["import", &file]);
        assert_eq!(number(archive, "SELECT count(*) FROM capture"), all, "round {round}");
        assert_eq!(warcs(archive).len(), 1, "round {round}");
        check_places(archive);
        sound(archive);
    }
    assert!(killed > 2, "only {killed} were killed");
}

#[test]
fn a_reindex_or_import_called_off_changes_nothing() {
    let folder = crawled();
    let archive = folder.path();
    let big = archive.join("big.warc.gz");
    // Some thousand captures of another tool.
    let mut bytes = Vec::new();
    for number in 0..4000 {
        let block = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>{number}</title><p>{number}</p>");
        let (id, url) = (format!("<urn:x:{number}>"), format!("http://big.example/{number}"));
        let fields = [
            ("WARC-Type", "response"),
            ("WARC-Date", "2015-03-04T05:06:07Z"),
            ("WARC-Record-ID", &id),
            ("WARC-Target-URI", &url),
            ("Content-Type", "application/http; msgtype=response"),
        ];
        bytes.extend(gzip(&record("1.1", &fields, block.as_bytes())));
    }
    std::fs::write(&big, bytes).unwrap();
    let state = || (dump(archive, &REBUILT), dump(archive, &INHERITED[1..]), names(&archive.join("warc")));
    let import = ["import", big.to_str().unwrap()];
    let before = state();
    assert_eq!(call_off(archive, &import), 130);
    assert!(before == state(), "an import that was called off has changed something");
    done(archive, &import);
    let before = state();
    assert_eq!(call_off(archive, &["reindex"]), 130);
    assert!(before == state(), "a reindex that was called off has changed something");
    assert!(!names(archive).iter().any(|name| name.contains(".new")));
    sound(archive);
}

/// Starts a command, sends it SIGINT as soon as it holds the archive, and says how it ended.
fn call_off(archive: &Path, arguments: &[&str]) -> i32 {
    let mut child = start(&mut command(archive, arguments));
    while Lock::holder(archive).as_deref() != Some(arguments[0]) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(30));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    child.wait().unwrap().code().unwrap()
}

#[test]
fn a_killed_forget_is_finished_by_the_next() {
    let mut killed = 0;
    for round in 0..8 {
        let folder = crawled();
        let archive = folder.path();
        let forget = &["forget", SECRET, "--reason", "x"];
        killed += u32::from(kill(archive, forget, Duration::from_millis(20 + 25 * round)));
        done(archive, forget);
        assert!(!holds(archive, WALRUS), "round {round}: something of it is left");
        check_places(archive);
        assert!(done(archive, &["repair"]).contains("whole: "));
        assert_eq!(number(archive, "SELECT count(DISTINCT url) FROM takedown WHERE act = 'forget'"), 1);
    }
    assert!(killed > 2, "only {killed} were killed");
}

#[test]
fn what_is_blocked_is_only_hidden() {
    let folder = crawled();
    let archive = folder.path();
    let blocked = || {
        let reader = pressmark::store::Reader::open(&archive.join("pressmark.sqlite3")).unwrap();
        reader.blocked(SECRET).unwrap().map(|(_, reason)| reason)
    };
    assert_eq!(blocked(), None);
    done(archive, &["block", SECRET, "--reason", "under review"]);
    assert_eq!(blocked().as_deref(), Some("under review"));
    assert!(holds(archive, WALRUS));
    let (_, shown, said) = told(archive, &["show", SECRET]);
    assert!(shown.contains("200") && said.contains("hidden from replay") && said.contains("under review"), "{said}");
    std::fs::remove_file(archive.join("pressmark.sqlite3")).unwrap();
    done(archive, &["reindex"]);
    assert_eq!(blocked().as_deref(), Some("under review"), "takedown.jsonl says so");
    done(archive, &["block", SECRET, "--undo"]);
    assert_eq!(blocked(), None);
}

#[test]
fn what_is_asked_for_by_mistake_changes_nothing() {
    let folder = crawled();
    let archive = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let (nothing, text) = (elsewhere.path().join("nothing"), elsewhere.path().join("text.txt"));
    std::fs::write(&text, "no archive\n").unwrap();
    for arguments in [&["repair"][..], &["reindex"], &["forget", SECRET, "--reason", "x"], &["block", SECRET]] {
        let (code, _, said) = told(&nothing, arguments);
        assert_eq!((code, said.contains("there is no archive")), (1, true), "{arguments:?}: {said}");
    }
    for path in [&text, &elsewhere.path().join("gone.warc.gz")] {
        assert_eq!(told(&nothing, &["import", path.to_str().unwrap()]).0, 2);
    }
    assert!(!nothing.exists(), "a folder was made by looking for one");

    // The archive's own files are no place for an export, and neither is what is not a file.
    let database = archive.join("pressmark.sqlite3");
    let before = std::fs::read(&database).unwrap();
    for out in [&database, &archive.join("warc/new.warc.gz"), Path::new("/dev/null")] {
        let (code, _, said) = told(archive, &["export", "cdxj", out.to_str().unwrap(), "--force"]);
        assert_eq!((code, said.contains("name another")), (2, true), "{said}");
    }
    assert_eq!(std::fs::read(&database).unwrap(), before);

    // Without its database an archive is not begun anew.
    std::fs::remove_file(&database).unwrap();
    for arguments in [&["repair"][..], &["status"], &["crawl", "--quiet", "http://h.example/"]] {
        let (code, _, said) = told(archive, arguments);
        assert_eq!((code, said.contains("run pressmark reindex")), (1, true), "{arguments:?}: {said}");
    }
    assert_eq!(told(archive, &["reindex"]).0, 0);
    sound(archive);

    // A database that lacks a table is made anew like one that is damaged.
    let drop = Command::new("sqlite3").arg(&database).arg("DROP TABLE capture").status();
    if drop.is_ok_and(|done| done.success()) {
        assert_eq!(told(archive, &["reindex"]).0, 0);
        sound(archive);
    }
}

/// Everything that is captured as one file, under this name.
fn packed(archive: &Path, folder: &Path, name: &str) -> String {
    let file = folder.join(name).display().to_string();
    done(archive, &["--quiet", "export", "warc", &file]);
    file
}

#[test]
fn what_is_forgotten_is_not_imported_again() {
    let folder = crawled();
    let archive = folder.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let gzipped = packed(archive, elsewhere.path(), "all.warc.gz");
    let plain = packed(archive, elsewhere.path(), "all.warc");
    let single = elsewhere.path().join("single.warc.gz");
    std::fs::write(&single, gzip(&std::fs::read(&plain).unwrap())).unwrap();
    let package = elsewhere.path().join("all.wacz").display().to_string();
    done(archive, &["--quiet", "export", "wacz", &package]);
    let all = number(archive, "SELECT count(*) FROM capture");
    done(archive, &["forget", SECRET, "--reason", "asked by its author"]);

    // In whatever form it comes, here and in an archive that knows of the take-down alone.
    for file in [&gzipped, &plain, &single.display().to_string(), &package] {
        let said = done(archive, &["import", file]);
        assert!(said.contains("4 forgotten captures were left out"), "{file}: {said}");
        assert!(!holds(archive, WALRUS), "{file} brought it back");
    }
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), all - 4);
    sound(archive);
    for file in [&gzipped, &plain, &single.display().to_string()] {
        let other = tempfile::tempdir().unwrap();
        std::fs::copy(archive.join("takedown.jsonl"), other.path().join("takedown.jsonl")).unwrap();
        let said = done(other.path(), &["import", file]);
        assert!(said.contains(&format!("{} captures, now in", all - 4)), "{said}");
        assert!(said.contains("; 4 forgotten captures were left out"), "{said}");
        assert!(!holds(other.path(), WALRUS), "{file} brought it back");
        assert!(other.path().join("README.md").is_file());
        sound(other.path());
    }

    // The rows say it when the lines are lost. What was allowed again comes back, with all that had the same content.
    std::fs::remove_file(archive.join("takedown.jsonl")).unwrap();
    assert!(done(archive, &["import", &gzipped]).contains("4 forgotten captures were left out"));
    done(archive, &["forget", SECRET, "--undo"]);
    assert!(done(archive, &["import", &gzipped]).contains("4 captures, now in"));
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), all);
    check_every_reader(archive);
    sound(archive);
    done(archive, &["reindex"]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), all, "what was allowed again stays");
    sound(archive);
}

#[test]
fn a_take_down_that_was_interrupted_is_not_taken_for_done() {
    let folder = crawled();
    let archive = folder.path();
    let all = number(archive, "SELECT count(*) FROM capture");
    // The line is written first; here nothing came after it.
    let before = tempfile::tempdir().unwrap();
    copy_all(archive, before.path());
    done(archive, &["forget", SECRET, "--reason", "x"]);
    std::fs::copy(archive.join("takedown.jsonl"), before.path().join("takedown.jsonl")).unwrap();
    let archive = before.path();
    for _ in 0..2 {
        let (code, _, said) = told(archive, &["reindex"]);
        assert_eq!((code, said.contains("was interrupted: run pressmark forget")), (0, true), "{said}");
        assert_eq!(number(archive, "SELECT count(*) FROM capture"), all);
        sound(archive);
    }
    assert!(done(archive, &["forget", SECRET, "--reason", "x"]).contains("what had been begun is finished"));
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), all - 4);
    assert!(!holds(archive, WALRUS));
    sound(archive);
}

#[test]
fn what_was_never_captured_can_be_forgotten() {
    let folder = crawled();
    let archive = folder.path();
    let before = number(archive, "SELECT count(*) FROM capture");
    let leave = || {
        for name in ["damaged/old.warc.gz.damaged", "cdxj/old.cdxj", "pressmark.sqlite3.damaged-1"] {
            let path = archive.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, SECRET).unwrap();
        }
    };
    let left = || names(archive).iter().filter(|name| name.contains("damaged") || name.contains("cdxj")).count();
    let url = "http://moving.example/never";
    leave();
    let said = done(archive, &["forget", url, "--reason", "asked", "--dry-run"]);
    assert!(said.contains("it would not be fetched any more"), "{said}");
    assert_eq!((left(), archive.join("takedown.jsonl").exists()), (3, false));
    for _ in 0..2 {
        leave();
        let said = done(archive, &["forget", url, "--reason", "asked"]);
        assert!(said.contains("nothing of http://moving.example/never is in the archive"), "{said}");
        assert_eq!(left(), 0, "what nobody can look into is there still");
    }
    let lines = std::fs::read_to_string(archive.join("takedown.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 1, "it is told once: {lines}");
    let (_runtime, moving) = moving_site();
    let mut crawl = command(archive, &["crawl", "--delay", "0", "--quiet", url, "http://moving.example/other"]);
    run(crawl.arg("--resolve").arg(format!("moving.example:80:{}", moving.address)));
    assert!(!moving.requests().iter().any(|request| request.starts_with(b"GET /never")));
    assert!(number(archive, "SELECT count(*) FROM capture") >= before);
    for arguments in [&["forget", url][..], &["forget", url, "--reason", " "]] {
        assert_eq!(told(archive, arguments).0, 2, "{arguments:?}");
    }
    sound(archive);
}

#[test]
fn damage_to_the_last_record_of_any_capture_is_mended() {
    let folder = crawled();
    let whole = warcs(folder.path()).into_iter().map(|path| (std::fs::read(&path).unwrap(), path)).next().unwrap();
    let name = whole.1.file_name().unwrap().to_owned();
    let sql = "SELECT c.metadata_offset, c.metadata_length FROM capture c JOIN warc_file f ON f.id = c.file
               WHERE f.name = (SELECT min(name) FROM warc_file) GROUP BY c.kind, c.role, c.status";
    for row in rows(folder.path(), sql) {
        let (at, len) = (row[0].as_u64().unwrap() as usize, row[1].as_u64().unwrap() as usize);
        for cut in [true, false] {
            let one = tempfile::tempdir().unwrap();
            let file = one.path().join("warc").join(&name);
            std::fs::create_dir(one.path().join("warc")).unwrap();
            std::fs::write(&file, &whole.0[..at + len]).unwrap();
            assert_eq!(told(one.path(), &["reindex"]).0, 0);
            let mut bytes = whole.0[..at + len].to_vec();
            if cut {
                bytes.pop();
            } else if let Some(last) = bytes.last_mut() {
                *last ^= 0xff;
            }
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(told(one.path(), &["verify"]).0, 65);
            done(one.path(), &["repair"]);
            sound(one.path());
        }
    }
}

#[test]
fn damage_takes_what_speaks_of_it_along() {
    let folder = crawled();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = packed(folder.path(), elsewhere.path(), "broken.warc.gz");
    let mut bytes = std::fs::read(&file).unwrap();
    let sql = "SELECT c.record_id FROM capture c JOIN url u ON u.id = c.url
               WHERE u.text LIKE '%/other' AND c.kind = 'response'";
    let place = rows(folder.path(), sql);
    let found = Groups::open(Path::new(&file), 0)
        .unwrap()
        .map(Result::unwrap)
        .find(|group| group.first().and_then(|first| first.field("WARC-Record-ID")) == place[0][0].as_str())
        .unwrap();
    let first = found.first().unwrap();
    let middle = (first.offset + first.length / 2) as usize;
    bytes[middle..middle + 6].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    // Descriptions that speak of no record stay, whatever is damaged beside them.
    let archive = elsewhere.path().join("archive");
    assert_eq!(told(&archive, &["import", &file]).0, 65);
    let ids = |group: pressmark::archive::Group| {
        group.records.iter().map(|record| record.kind().to_owned()).collect::<Vec<_>>()
    };
    for group in Groups::open(&warcs(&archive)[0], 0).unwrap().map(Result::unwrap) {
        assert!(group.first().is_some() || ids(group) == ["warcinfo"], "a request or metadata without its answer");
    }
    // What revisits it has lost its payload, and says so.
    assert!(done(&archive, &["verify"]).contains("note payload-lost: 1"));
}

#[test]
fn what_is_altered_is_not_imported() {
    let folder = crawled();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = packed(folder.path(), elsewhere.path(), "altered.warc");
    let mut bytes = std::fs::read(&file).unwrap();
    let word = b"A plain lighthouse";
    let at = bytes.windows(word.len()).position(|window| window == word).unwrap();
    bytes[at] = b'B';
    std::fs::write(&file, bytes).unwrap();
    let archive = elsewhere.path().join("archive");
    let (code, printed, said) = told(&archive, &["import", &file]);
    assert_eq!((code, said.contains("the block is not what its digest says; left out")), (65, true), "{said}");
    let all = number(folder.path(), "SELECT count(*) FROM capture");
    assert!(printed.contains(&format!("{} captures", all - 1)), "{printed}");
    sound(&archive);
}

#[test]
fn a_record_of_no_known_type_concludes_nothing() {
    let folder = crawled();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = packed(folder.path(), elsewhere.path(), "odd.warc");
    let mut bytes = std::fs::read(&file).unwrap();
    let word = b"WARC-Type: metadata";
    let at = bytes.windows(word.len()).rposition(|window| window == word).unwrap();
    bytes[at + word.len() - 1] = b'x';
    std::fs::write(&file, bytes).unwrap();
    let archive = elsewhere.path().join("archive");
    done(&archive, &["import", &file]);
    sound(&archive);
    done(&archive, &["reindex"]);
    sound(&archive);
}

#[test]
fn a_capture_that_stands_twice_has_two_rows() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path();
    std::fs::create_dir(archive.join("warc")).unwrap();
    let file = archive.join("warc/theirs.warc");
    let all = foreign();
    std::fs::write(&file, all.concat()).unwrap();
    assert_eq!(told(archive, &["reindex"]).0, 0);
    let before = number(archive, "SELECT count(*) FROM capture");
    std::fs::write(&file, [&all[..5], &all[4..]].concat().concat()).unwrap();
    done(archive, &["repair"]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), before + 1);
    check_places(archive);
    sound(archive);
    // What comes before the second is cut out: its rows follow.
    std::fs::write(&file, [&all[..4], &all[4..]].concat().concat()).unwrap();
    done(archive, &["repair"]);
    assert_eq!(number(archive, "SELECT count(*) FROM capture"), before);
    sound(archive);
}

#[test]
fn one_gzip_stream_is_packed_anew() {
    for known in [true, false] {
        let folder = crawled();
        let archive = folder.path();
        let files = warcs(archive);
        let captures = number(archive, "SELECT count(*) FROM capture");
        let before: Vec<_> = files.iter().map(|file| records(file)).collect();
        for file in &files {
            let mut plain = Vec::new();
            MultiGzDecoder::new(&std::fs::read(file).unwrap()[..]).read_to_end(&mut plain).unwrap();
            std::fs::write(file, gzip(&plain)).unwrap();
        }
        if !known {
            let (code, _, said) = told(archive, &["reindex"]);
            assert_eq!(code, 65);
            assert!(said.contains("share a gzip member") && said.contains("run pressmark repair"), "{said}");
        }
        let look = done(archive, &["repair", "--dry-run"]);
        assert!(look.contains("each would get its own"), "{look}");
        let said = done(archive, &["repair"]);
        assert!(said.contains("its records shared gzip members: each has its own now"), "{said}");
        assert_eq!(files.iter().map(|file| records(file)).collect::<Vec<_>>(), before);
        assert_eq!(number(archive, "SELECT count(*) FROM capture"), captures);
        check_places(archive);
        check_every_reader(archive);
        sound(archive);
    }
    // What is forgotten in such a file is that alone.
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("warc")).unwrap();
    std::fs::write(folder.path().join("warc/theirs.warc.gz"), gzip(&foreign().concat())).unwrap();
    assert_eq!(told(folder.path(), &["reindex"]).0, 65);
    let said = done(folder.path(), &["forget", "http://f.example/p.png", "--reason", "x"]);
    assert!(said.contains("1 capture forgotten"), "{said}");
    done(folder.path(), &["repair"]);
    assert_eq!(number(folder.path(), "SELECT count(*) FROM capture"), 3);
    sound(folder.path());
}

#[test]
fn a_database_that_cannot_be_used_is_said_to_be_for_reindex() {
    let folder = crawled();
    let archive = folder.path();
    let database = archive.join("pressmark.sqlite3");
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM url WHERE text = 'http://moving.example/other'")
        .unwrap();
    for arguments in [&["repair", "--dry-run"][..], &["repair"]] {
        let (code, printed, said) = told(archive, arguments);
        assert_eq!((code, said.contains("lacks its URL; run pressmark reindex")), (65, true), "{printed}{said}");
        assert!(!printed.contains("whole"), "{printed}");
    }
    assert_eq!(told(archive, &["reindex"]).0, 0);
    sound(archive);

    // A row that is at its place and says something else.
    let other = "UPDATE capture SET payload = (SELECT max(id) FROM payload) WHERE id = 3";
    rusqlite::Connection::open(&database).unwrap().execute_batch(other).unwrap();
    let (code, printed, _) = told(archive, &["repair"]);
    assert_eq!((code, printed.contains("1 row is not what the records say: run pressmark reindex")), (65, true));
    assert_eq!(told(archive, &["reindex"]).0, 0);
    sound(archive);

    let commands: [&[&str]; 6] = [
        &["repair"],
        &["repair", "--dry-run"],
        &["forget", SECRET, "--reason", "x"],
        &["verify"],
        &["status"],
        &["show", SECRET],
    ];
    rusqlite::Connection::open(&database)
        .unwrap()
        .execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE payload")
        .unwrap();
    for arguments in [&["verify"][..], &["repair"], &["forget", SECRET, "--reason", "x"]] {
        let (code, _, said) = told(archive, arguments);
        assert_eq!((code, said.contains("run pressmark reindex")), (65, true), "{arguments:?}: {said}");
    }
    // The same while a first crawl makes it.
    let begun = folder.path().join("begun.sqlite3");
    rusqlite::Connection::open(&begun).unwrap().execute_batch("PRAGMA application_id = 0x504d524b").unwrap();
    std::fs::copy(&begun, &database).unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(archive.join(format!("pressmark.sqlite3{ending}")));
    }
    let (code, _, said) = told(archive, &["verify"]);
    assert_eq!((code, said.contains("older")), (1, false), "{said}");
    for (bytes, code) in [(&b"this is no database at all"[..], 65), (b"", 1)] {
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(archive.join(format!("pressmark.sqlite3{ending}")));
        }
        std::fs::write(&database, bytes).unwrap();
        for arguments in commands {
            let (found, _, said) = told(archive, arguments);
            assert_eq!((found, said.contains("run pressmark reindex")), (code, true), "{arguments:?}: {said}");
            assert_eq!(std::fs::read(&database).unwrap(), bytes, "{arguments:?} wrote to it");
        }
        assert_eq!(told(archive, &["crawl", "--quiet", SECRET]).0, code);
        let (found, printed, _) = told(archive, &["verify", "--json"]);
        let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!((found, &printed["verdict"]), (code, &"failed".into()), "{printed}");
        assert!(printed["error"].as_str().unwrap().contains("run pressmark reindex"), "{printed}");
        assert_eq!(told(archive, &["reindex"]).0, 0);
        sound(archive);
    }
}

#[test]
fn without_its_dictionary_a_file_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path();
    crawled_in_zstd(archive);
    let file = warcs(archive).remove(0);
    let whole = std::fs::read(&file).unwrap();
    let mut bytes = whole.clone();
    bytes[100..2000].fill(0x55);
    std::fs::write(&file, &bytes).unwrap();
    let (code, printed, _) = told(archive, &["verify"]);
    assert_eq!((code, printed.contains("the file's dictionary is damaged")), (65, true), "{printed}");
    let (code, printed, said) = told(archive, &["repair"]);
    assert_eq!(code, 0, "{printed}{said}");
    let kept = archive.join("damaged");
    let kept = kept.join(names(&kept).remove(0));
    assert_eq!(std::fs::read(kept).unwrap(), bytes, "nothing is thrown away");
    sound(archive);
    // Whoever has the dictionary elsewhere puts the file back.
    std::fs::write(&file, &whole).unwrap();
    done(archive, &["repair"]);
    sound(archive);
}

#[test]
fn what_is_no_archive_is_not_imported() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    for (name, bytes) in [("text.warc", &b"hello\n"[..]), ("empty.warc.gz", b""), ("page.warc.gz", b"<html>")] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let (code, _, said) = told(&archive, &["import", file.to_str().unwrap()]);
        assert_eq!((code, said.contains("is no WARC or WACZ")), (2, true), "{name}: {said}");
        assert!(!archive.exists(), "{name}");
    }
    let dictionary = folder.path().join("none.dict").display().to_string();
    let (code, _, said) =
        told(&archive, &["crawl", "--compress", "zstd", "--dictionary", &dictionary, "http://h.example/"]);
    assert_eq!((code, archive.exists()), (2, false), "{said}");
}

#[test]
fn a_capture_is_shown_by_its_time() {
    let folder = crawled();
    let archive = folder.path();
    let fetched = |number: usize| {
        let sql = format!("SELECT fetched FROM capture_log WHERE url = '{SECRET}' ORDER BY fetched");
        rows(archive, &sql)[number][0].as_str().unwrap().to_owned()
    };
    let (first, second) = (fetched(0), fetched(1));
    for (at, shown, other, is_later) in [
        ("2001-01-01", &first, &second, true),
        (&*first, &first, &second, false),
        ("2999-01-01", &second, &first, false),
    ] {
        let (code, printed, said) = told(archive, &["show", SECRET, "--at", at]);
        assert_eq!(code, 0, "{said}");
        assert!(printed.contains(shown) && !printed.contains(other), "{at}: {printed}");
        assert_eq!(said.contains("the first after that"), is_later, "{said}");
        let (_, printed, said) = told(archive, &["show", SECRET, "--at", at, "--raw"]);
        assert!(printed.contains(WALRUS) && said.contains("the first after that") == is_later, "{said}");
    }
}
