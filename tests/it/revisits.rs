//! Nothing twice: what is kept already is referred to, what has not changed is not sent again, and all of it can be
//! had back byte for byte.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use pressmark::archive::{Place, Record, Records, entity, read_at};
use pressmark::web::message::Head;
use tokio::runtime::Runtime;

use crate::archive_run::check_every_reader;
use crate::lantern::{Lantern, pressmark, rows, run, start, warcs};
use crate::origin::{Authority, Line, Origin};

const SAME: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";
const UNMODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// Every record of an archive, in the order in which they were written: by the start and the serial in the file's name,
/// whatever chance has put between them.
fn records(archive: &Path) -> Vec<Record> {
    let mut files = warcs(archive);
    files.sort_by_key(|file| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let parts: Vec<String> = name.split('-').map(str::to_owned).collect();
        (parts[1].clone(), parts[3].clone())
    });
    files.iter().flat_map(|file| Records::open(file, 0).unwrap().map(Result::unwrap)).collect()
}

fn bytes_of(archive: &Path) -> u64 {
    warcs(archive).iter().map(|file| file.metadata().unwrap().len()).sum()
}

/// Every revisit says all that the standard asks for, and refers to a full answer that stands before it. Returns them.
fn check_revisits(archive: &Path) -> Vec<Record> {
    let mut full: HashMap<String, Record> = HashMap::new();
    let mut revisits = Vec::new();
    for record in records(archive) {
        let field = |name: &str| record.field(name).unwrap_or_else(|| panic!("{name} is missing: {:?}", record.fields));
        match record.kind() {
            "response" => {
                full.insert(field("WARC-Record-ID").to_owned(), record);
            }
            "revisit" => {
                let original = full.get(field("WARC-Refers-To")).expect("an earlier response");
                let of_original = |name: &str| original.field(name).unwrap();
                assert_eq!(field("WARC-Refers-To-Target-URI"), of_original("WARC-Target-URI"));
                assert_eq!(field("WARC-Refers-To-Date"), of_original("WARC-Date"));
                assert_eq!(field("WARC-Payload-Digest"), of_original("WARC-Payload-Digest"));
                assert_eq!(field("WARC-Truncated"), "length");
                assert_eq!(field("Content-Type"), "application/http;msgtype=response");
                assert_eq!(field("WARC-IP-Address"), "127.0.0.1");
                assert!(field("WARC-Protocol").starts_with("http/1."));
                let (head, body) = record.http();
                assert!(head.ends_with(b"\n") && body.is_empty(), "the head and nothing more");
                let profile = if Head::read(head).status == 304 { UNMODIFIED } else { SAME };
                assert_eq!(field("WARC-Profile"), profile);
                revisits.push(record);
            }
            _ => {}
        }
    }
    let known = rows(
        archive,
        "SELECT c.record_id, o.kind FROM capture c LEFT JOIN capture o ON o.id = c.refers_to WHERE c.kind = 'revisit'",
    );
    assert_eq!(known.len(), revisits.len(), "every revisit has its row");
    assert!(known.iter().all(|row| row[1] == "response"), "and its original");
    revisits
}

/// What the bytes of a capture are, by the command line.
fn show(archive: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = pressmark().arg("show").arg("--archive").arg(archive).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// An origin that answers as it is told at the moment, path by path.
struct Site {
    origin: Origin,
    answers: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    _runtime: Runtime,
}

impl Site {
    fn new() -> Site {
        let runtime = Runtime::new().unwrap();
        let answers: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let told = answers.clone();
        let origin = runtime.block_on(Origin::start(None, move |mut line: Line| {
            let answers = told.clone();
            async move {
                while let Some(head) = line.request().await {
                    let head = String::from_utf8(head).unwrap();
                    let path = head.split(' ').nth(1).unwrap();
                    let answer = answers.lock().unwrap().get(path).cloned();
                    let answer = answer.unwrap_or(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec());
                    let framed = answer.windows(8).any(|window| window.eq_ignore_ascii_case(b"-length:"))
                        || answer.windows(7).any(|window| window.eq_ignore_ascii_case(b"chunked"))
                        || answer.starts_with(b"HTTP/1.1 304");
                    line.say(&answer).await;
                    if !framed {
                        return line.close().await;
                    }
                }
            }
        }));
        Site { origin, answers, _runtime: runtime }
    }

    fn tell(&self, path: &str, answer: impl AsRef<[u8]>) {
        self.answers.lock().unwrap().insert(path.to_owned(), answer.as_ref().to_vec());
    }

    /// A crawl of these paths without delays.
    fn crawl(&self, archive: &Path, paths: &[&str]) -> Command {
        let mut command = pressmark();
        command.args(["crawl", "--quiet", "--delay", "0", "--archive"]).arg(archive);
        command.arg("--resolve").arg(format!("s.example:80:{}", self.origin.address));
        command.args(paths.iter().map(|path| format!("http://s.example{path}")));
        command
    }

    /// The requests for a path so far.
    fn requests(&self, path: &str) -> Vec<String> {
        let start = format!("GET {path} ");
        let all = self.origin.requests().into_iter().map(|head| String::from_utf8(head).unwrap());
        all.filter(|head| head.starts_with(&start)).collect()
    }
}

fn page(text: &str, fields: &str) -> String {
    let body = format!("<!doctype html><title>{text}</title><p>{text}</p>");
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn a_second_crawl_writes_little_and_loses_nothing() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    // Without the page whose pictures lie behind a dead relay.
    let fast = ["--delay", "0", "--requisite-delay", "0", "--exclude", "xiaochengxu", "--json"];
    let summary = |output: &std::process::Output| -> serde_json::Value {
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let first = summary(&run(lantern.crawl(archive).args(fast)));
    let (before, captures) = (bytes_of(archive), rows(archive, "SELECT count(*) FROM capture")[0][0].clone());
    let question = "SELECT url, title, images, images_kept, complete, versions FROM article ORDER BY url";
    let articles = rows(archive, question);

    // The seeds alone, asked whether they have changed.
    let asked = lantern.site.arrivals().len();
    let second = summary(&run(lantern.crawl(archive).args(fast)));
    let arrivals = lantern.site.arrivals();
    assert!(arrivals[asked..].iter().all(|arrival| arrival.status == 304));
    assert_eq!((&second["requests"], &second["revisits"], &second["pages"]), (&3.into(), &3.into(), &3.into()));

    // Everything, in full.
    let third = summary(&run(lantern.crawl(archive).args(fast).args(["--revisit", "always"])));
    let arrivals = &lantern.site.arrivals()[asked + 3..];
    assert!(arrivals.iter().all(|arrival| arrival.status != 304), "nothing is asked with validators");
    assert_eq!(third["pages"], first["pages"]);
    assert_eq!(third["images"], first["images"]);
    assert!(third["revisits"].as_u64().unwrap() >= captures.as_u64().unwrap() - 6, "{third}");
    let grown = bytes_of(archive) - before;
    println!("{grown} bytes for what is kept in {before} already");
    assert!(grown * 20 < before, "{grown} of {before} bytes for what is kept already");

    let revisits = check_revisits(archive);
    assert_eq!(revisits.len() as u64, (3 + third["revisits"].as_u64().unwrap()) + first["revisits"].as_u64().unwrap());
    check_every_reader(archive);
    assert_eq!(rows(archive, question), articles, "the same articles in the same versions, with their pictures");

    // The views lead to the payload, whatever holds it.
    let places = rows(archive, "SELECT payload_digest, payload_file, payload_offset, payload_length FROM capture_log");
    for row in places {
        let (offset, length) = (row[2].as_u64().unwrap(), row[3].as_u64().unwrap());
        let place = Place { file: row[1].as_str().unwrap().to_owned(), offset, length };
        let record = read_at(&archive.join("warc"), &place).unwrap();
        assert_ne!(record.kind(), "revisit");
        assert_eq!(record.field("WARC-Payload-Digest"), row[0].as_str());
    }
    // So does the command line.
    let picture = rows(archive, "SELECT kept_url, payload_digest FROM image WHERE kept_url IS NOT NULL LIMIT 1");
    let bytes = show(archive, &["--raw", picture[0][0].as_str().unwrap()]);
    let digest = pressmark::web::digest::digest(pressmark::web::digest::Algorithm::Sha1, &bytes);
    assert_eq!(picture[0][1], digest.as_str());

    // And nothing at all, when nothing is wanted.
    let asked = lantern.site.arrivals().len();
    let never = summary(&run(lantern.crawl(archive).args(fast).args(["--revisit", "never"])));
    let asked: Vec<_> = lantern.site.arrivals()[asked..].iter().map(|arrival| arrival.path_and_query.clone()).collect();
    assert_eq!((&never["requests"], asked.len(), &never["stopped_by"]), (&0.into(), 0, &"done".into()), "{asked:?}");
}

#[test]
fn kills_in_the_midst_of_revisits_lose_nothing() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let crawl = |revisit: &str| {
        let mut command = lantern.crawl(archive);
        command.args(["--delay", "30ms", "--exclude", "xiaochengxu", "--revisit", revisit, "--warc-size", "2MB"]);
        command
    };
    assert!(run(&mut crawl("auto")).status.success());
    let question = "SELECT url, title, images, images_kept, complete, versions FROM article ORDER BY url";
    let articles = rows(archive, question);
    for round in 0..6 {
        let mut child = start(&mut crawl("always"));
        std::thread::sleep(std::time::Duration::from_millis(90 + 70 * round));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(run(&mut crawl("always")).status.success());
    let revisits = check_revisits(archive).len();
    assert!(revisits > 45, "everything again, {revisits} in all");
    assert_eq!(rows(archive, question), articles);
    assert_eq!(rows(archive, "SELECT count(*) FROM url WHERE state = 'queued'"), [[0]]);
    check_every_reader(archive);
}

#[test]
fn what_the_archive_alone_knows_becomes_the_same_rows() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let png = [b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 45\r\n\r\n".as_slice(), PNG].concat();
    let story = "The ferry leaves at nine and comes back at noon, as it has done for forty years. ".repeat(12);
    let article = |text: &str| {
        let body = format!(
            "<!doctype html><title>{text}</title><article><h1>{text}</h1><p>{story}</p><p>{story}</p><img src=/1.png><img src=/2.png></article>"
        );
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    site.tell("/1.png", &png);
    site.tell("/2.png", &png);
    site.tell("/a", article("One"));
    site.tell("/b", article("One"));
    let crawl =
        |revisit: &str| assert!(run(site.crawl(archive, &["/a", "/b"]).args(["--revisit", revisit])).status.success());
    crawl("auto");
    site.tell("/a", "HTTP/1.1 304 Not Modified\r\n\r\n");
    crawl("auto");
    let question =
        "SELECT url, role, fetched, kind, status, media, payload_digest, size_bytes, truncated, address, width,
            height, warc_offset, warc_length, payload_offset, payload_length
        FROM capture_log WHERE role <> 'robots' ORDER BY warc_offset";
    let pictures = "SELECT article, original, verdict, width, warc_offset FROM image ORDER BY article, position";
    let before = (rows(archive, question), rows(archive, pictures));
    assert_eq!(before.1.len(), 4);
    assert!(before.1.iter().all(|row| row[2] == "complete"), "{:?}", before.1);
    let revisits = check_revisits(archive);
    assert_eq!(revisits.len(), 4, "the other picture, the other page, and both pages once more");

    // As if no row had ever been committed.
    for file in ["pressmark.sqlite3", "pressmark.sqlite3-wal", "pressmark.sqlite3-shm"] {
        let _ = std::fs::remove_file(archive.join(file));
    }
    for file in warcs(archive) {
        std::fs::rename(&file, format!("{}.open", file.display())).unwrap();
    }
    crawl("never");
    assert_eq!((rows(archive, question), rows(archive, pictures)), before);
    check_revisits(archive);
}

#[test]
fn a_copy_behind_a_relay_shares_the_payload_of_its_original() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let png = [b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 45\r\n\r\n".as_slice(), PNG].concat();
    let story = "The ferry leaves at nine and comes back at noon, as it has done for forty years. ".repeat(12);
    let body = format!(
        "<!doctype html><title>t</title><article><h1>t</h1><p>{story}</p><p>{story}</p><img src=\"http://cors.example/?http://s.example/1.png\"></article>"
    );
    site.tell(
        "/a",
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
    );
    site.tell("/1.png", &png);
    site.tell("/?http://s.example/1.png", &png);
    let mut command = site.crawl(archive, &["/a"]);
    assert!(run(command.arg("--resolve").arg(format!("cors.example:80:{}", site.origin.address))).status.success());
    assert_eq!(check_revisits(archive).len(), 1);
    let captures = "SELECT payload_digest, payload_offset FROM capture_log WHERE role = 'image'";
    let captures = rows(archive, captures);
    assert_eq!((captures.len(), &captures[0]), (2, &captures[1]));
    let payloads = "SELECT count(*) FROM payload WHERE id IN (SELECT payload FROM capture WHERE role = 'image')";
    assert_eq!(rows(archive, payloads), [[1]]);
    let image = &rows(archive, "SELECT original, kept_role, verdict, width, warc_offset FROM image")[0];
    assert_eq!(
        image[..4],
        [serde_json::Value::from("http://s.example/1.png"), "original".into(), "complete".into(), 8.into()]
    );
    assert_eq!(image[4], captures[0][1]);
}

#[test]
fn where_a_seed_leads_is_asked_again_like_the_seed() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    site.tell("/old", "HTTP/1.1 301 Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
    site.tell("/new", page("moved", "ETag: \"7\"\r\n"));
    for asked in 1..=2 {
        assert!(run(site.crawl(folder.path(), &["/old"]).arg("--dns-records")).status.success());
        assert_eq!((site.requests("/old").len(), site.requests("/new").len()), (asked, asked));
    }
    assert!(site.requests("/new")[1].contains("If-None-Match: \"7\"\r\n"));
    let is_dns = |record: &Record| record.field("WARC-Target-URI").is_some_and(|uri| uri.starts_with("dns:"));
    assert!(!records(folder.path()).iter().any(is_dns), "no name server was asked");
}

#[test]
fn what_names_lead_to_is_kept_when_that_is_wanted() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    site.tell("/a", page("a", ""));
    let url = format!("http://localhost:{}/a", site.origin.address.port());
    let crawl = |more: &[&str]| {
        let mut command = site.crawl(archive, &[]);
        assert!(run(command.args(["--allow-address", "127.0.0.0/8"]).arg(&url).args(more)).status.success());
    };
    crawl(&[]);
    crawl(&["--dns-records"]);
    let all = records(archive);
    let names: Vec<&Record> = all.iter().filter(|record| record.kind() == "resource").collect();
    assert_eq!(names.len(), 1, "only the second run keeps it, and only once");
    assert_eq!(names[0].field("WARC-Target-URI"), Some("dns:localhost"));
    assert_eq!(names[0].field("Content-Type"), Some("text/dns"));
    let text = String::from_utf8(names[0].block.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].len() == 14 && lines[0].starts_with("20"), "{text}");
    let fields: Vec<&str> = lines.iter().find(|line| line.contains("127.0.0.1")).unwrap().split('\t').collect();
    assert_eq!((fields[0], &fields[2..]), ("localhost.", ["IN", "A", "127.0.0.1"].as_slice()));
    check_every_reader(archive);
}

/// As much of a picture as is looked at.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0....\0\0\0\0IEND\xaeB`\x82";

#[test]
fn a_revisit_never_refers_to_a_revisit() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    // The same, the same, another, the first one again; and a second address of the same bytes.
    for text in ["one", "one", "two", "one"] {
        site.tell("/a", page(text, ""));
        site.tell("/b", page(text, "X-Other: head\r\n"));
        assert!(run(&mut site.crawl(archive, &["/a", "/b"])).status.success());
    }
    let revisits = check_revisits(archive);
    let kinds = rows(archive, "SELECT kind FROM capture_log WHERE role = 'page' ORDER BY capture");
    let kinds: Vec<&str> = kinds.iter().map(|row| row[0].as_str().unwrap()).collect();
    let (full, again) = ("response", "revisit");
    assert_eq!(kinds, [full, again, again, again, full, again, again, again]);
    assert!(revisits.iter().any(|revisit| revisit.http().0.windows(13).any(|window| window == b"X-Other: head")));
    assert_eq!(
        rows(
            archive,
            "SELECT count(*) FROM payload p JOIN capture c ON c.payload = p.id WHERE c.role = 'page' GROUP BY p.id ORDER BY 1"
        ),
        [[2], [6]]
    );
    check_every_reader(archive);
    for url in ["http://s.example/a", "http://s.example/b"] {
        assert!(show(archive, &["--raw", url]).windows(3).any(|window| window == b"one"));
    }
}

#[test]
fn what_is_due_is_asked_whether_it_has_changed() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let list = |links: &str, tag: &str| {
        let body = format!("<!doctype html><title>l</title><ul>{links}</ul><img src=/p.png>");
        let fields = format!("ETag: {tag}\r\nLast-Modified: Sun, 22 Nov 2026 10:00:00 GMT\r\n");
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    site.tell("/l", list("", "W/\"1\""));
    let crawl = || assert!(run(&mut site.crawl(archive, &["/l"])).status.success());
    crawl();
    assert_eq!(site.requests("/p.png").len(), 1);
    let not_modified = "HTTP/1.1 304 Not Modified\r\nDate: Sun, 22 Nov 2026 11:00:00 GMT\r\n\r\n";
    site.tell("/l", not_modified);
    // Twice: the second 304 confirms what the first one confirmed, without having named it.
    crawl();
    crawl();
    let requests = site.requests("/l");
    assert!(!requests[0].contains("If-"), "{}", requests[0]);
    for request in &requests[1..] {
        assert!(request.contains("If-None-Match: W/\"1\"\r\n"), "{request}");
        assert!(request.contains("If-Modified-Since: Sun, 22 Nov 2026 10:00:00 GMT\r\n"), "{request}");
    }
    let revisits = check_revisits(archive);
    assert_eq!(revisits.len(), 2);
    let states = rows(archive, "SELECT state, status FROM url WHERE text = 'http://s.example/l'");
    assert_eq!(states, [[serde_json::Value::from("done"), 304.into()]]);

    // The answer exactly as received, and the payload it stands for.
    let at = revisits[1].field("WARC-Date").unwrap();
    assert_eq!(show(archive, &["--wire", "--at", at, "http://s.example/l"]), not_modified.as_bytes());
    assert!(show(archive, &["--raw", "--at", at, "http://s.example/l"]).starts_with(b"<!doctype html><title>l"));

    // In full when that is wanted, or when the archive cannot show what it was.
    site.tell("/l", list("<li>new", "W/\"2\""));
    assert!(run(site.crawl(archive, &["/l"]).args(["--revisit", "always"])).status.success());
    assert!(!site.requests("/l")[3].contains("If-"));
    for file in warcs(archive) {
        std::fs::remove_file(file).unwrap();
    }
    crawl();
    assert!(!site.requests("/l")[4].contains("If-"), "there is nothing to compare with any more");
    check_kinds(archive, "response");
}

/// The newest capture of the list is of that kind.
fn check_kinds(archive: &Path, kind: &str) {
    let last =
        rows(archive, "SELECT kind FROM capture_log WHERE url = 'http://s.example/l' ORDER BY capture DESC LIMIT 1");
    assert_eq!(last, [[kind]]);
}

#[test]
fn a_304_that_nobody_asked_for_is_an_answer() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    site.tell("/l", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n");
    run(&mut site.crawl(folder.path(), &["/l"]));
    check_kinds(folder.path(), "response");
    assert!(check_revisits(folder.path()).is_empty());
}

#[test]
fn what_cannot_be_read_any_more_is_asked_for_in_full() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    site.tell("/l", page("l", "ETag: \"1\"\r\n"));
    assert!(run(&mut site.crawl(archive, &["/l"])).status.success());
    let place = &rows(archive, "SELECT warc_offset, warc_length FROM capture_log WHERE role = 'page'")[0];
    let (offset, length) = (place[0].as_u64().unwrap() as usize, place[1].as_u64().unwrap() as usize);
    let file = &warcs(archive)[0];
    let mut bytes = std::fs::read(file).unwrap();
    bytes[offset + length / 2..offset + length].fill(0);
    std::fs::write(file, bytes).unwrap();
    site.tell("/l", "HTTP/1.1 304 Not Modified\r\n\r\n");
    run(&mut site.crawl(archive, &["/l"]));
    let asked: Vec<bool> = site.requests("/l").iter().map(|request| request.contains("If-None-Match")).collect();
    assert_eq!(asked, [false, true, false]);
    check_kinds(archive, "response");
}

#[test]
fn an_unchanged_page_still_brings_what_it_lacks() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let body = "<!doctype html><title>l</title><img src=/p.png>";
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"1\"\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    site.tell("/l", answer);
    assert!(run(site.crawl(archive, &["/l"]).args(["--images", "none"])).status.success());
    assert!(site.requests("/p.png").is_empty());
    site.tell("/l", "HTTP/1.1 304 Not Modified\r\n\r\n");
    assert!(run(&mut site.crawl(archive, &["/l"])).status.success());
    assert_eq!(site.requests("/p.png").len(), 1);
    assert_eq!(check_revisits(archive).len(), 1);
}

/// Answers as they come over the wire, each framed in its own way.
fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n";
    let gzipped = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"gzip under chunks").unwrap();
        encoder.finish().unwrap()
    };
    let mut coded = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n".to_vec();
    coded.extend(format!("{:x}\r\n", gzipped.len()).bytes().chain(gzipped).chain(*b"\r\n0\r\n\r\n"));
    vec![
        (
            "/extensions",
            format!("{chunked}5;a=b\r\nhello\r\n7 \r\n, world\r\n0;last\r\nX-Trailer: t\r\n\r\n").into_bytes(),
        ),
        ("/bare-lf", b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nx-a:  b\n\n3\nabc\n0\n\n".to_vec()),
        (
            "/interim",
            b"HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
        ),
        (
            "/both",
            format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n{}2\r\nno\r\n0\r\n\r\n", &chunked[17..]).into_bytes(),
        ),
        ("/coded", coded),
        ("/plain", b"HTTP/1.1 200 Fine By Me\r\nX-Odd:  \xe9 \r\nX-Odd: 2\r\nContent-Length: 5\r\n\r\nplain".to_vec()),
        ("/none", b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n".to_vec()),
        ("/part", b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\npa".to_vec()),
        ("/close", b"HTTP/1.0 200 OK\r\n\r\nto the close".to_vec()),
    ]
}

fn check_wire(framing: &str) {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let answers = answers();
    answers.iter().for_each(|(path, answer)| site.tell(path, answer));
    let paths: Vec<&str> = answers.iter().map(|(path, _)| *path).collect();
    let crawl = || run(site.crawl(archive, &paths).args(["--framing", framing]));
    assert!(crawl().status.success());
    let check = |answers: &[(&str, Vec<u8>)]| {
        for (path, answer) in answers {
            let url = format!("http://s.example{path}");
            let kept = show(archive, &["--wire", "--at", "2999-01-01", &url]);
            assert_eq!(String::from_utf8_lossy(&kept), String::from_utf8_lossy(answer), "{path}, {framing}");
        }
    };
    check(&answers);
    // Records begin with the final head; only stored as it came, a body is chunked.
    for record in records(archive).iter().filter(|record| record.kind() == "response") {
        assert!(!record.block.starts_with(b"HTTP/1.1 103"));
        let chunked = Head::read(record.http().0).field("transfer-encoding").is_some();
        assert!(!chunked || framing == "wire");
        let payload = entity(record);
        let digest = pressmark::web::digest::digest(pressmark::web::digest::Algorithm::Sha1, &payload);
        assert_eq!(
            record.field("WARC-Payload-Digest"),
            Some(digest.as_str()),
            "the digest is over the de-chunked body"
        );
        assert_eq!(chunked, payload.len() != record.http().1.len());
    }
    // The same payloads, framed otherwise: the notes of each revisit are its own.
    let other = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;new\r\nh\r\nb\r\nello, world\r\n0\r\n\r\n";
    site.tell("/extensions", other);
    assert!(crawl().status.success());
    let revisits = check_revisits(archive);
    let of_page = |revisit: &&Record| revisit.field("WARC-Target-URI") == Some("http://s.example/extensions");
    assert_eq!(revisits.iter().filter(of_page).count(), 1);
    let mut answers = answers;
    answers[0].1 = other.to_vec();
    check(&answers);
    assert_eq!(show(archive, &["--raw", "http://s.example/extensions"]), b"hello, world");
}

#[test]
fn the_received_bytes_can_be_had_back_from_entities() {
    check_wire("entity");
}

#[test]
fn the_received_bytes_can_be_had_back_from_the_wire_s_own() {
    check_wire("wire");
}

#[test]
fn certificates_are_kept_once_a_host_and_run() {
    let (runtime, folder) = (Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let authority = Authority::new();
    let (acceptor, certificate) = authority.certify("s.example");
    let origin = runtime.block_on(Origin::start(Some(acceptor), |mut line: Line| async move {
        while line.request().await.is_some() {
            line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
        }
    }));
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let crawl = || {
        let mut command = pressmark();
        command.args(["crawl", "--quiet", "--delay", "0", "--archive"]).arg(archive).arg("--ca-file").arg(&roots);
        command.arg("--resolve").arg(format!("s.example:443:{}", origin.address));
        assert!(run(command.args(["https://s.example/a", "https://s.example/b"])).status.success());
    };
    crawl();
    crawl();
    let records = records(archive);
    let chains: Vec<&Record> = records.iter().filter(|record| record.kind() == "resource").collect();
    assert_eq!(chains.len(), 2, "one a run");
    for chain in chains {
        assert_eq!(chain.field("WARC-Target-URI"), Some("urn:certificates:s.example:443"));
        assert_eq!(chain.field("Content-Type"), Some("application/pem-certificate-chain"));
        let text = String::from_utf8(chain.block.clone()).unwrap();
        let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
        assert_eq!(data_encoding::BASE64.decode(base64.as_bytes()).unwrap(), certificate.as_ref());
        // It belongs to a capture, and stands before the metadata that concludes it.
        let at = records.iter().position(|record| record.offset == chain.offset).unwrap();
        let first = records[..at].iter().rev().find(|record| matches!(record.kind(), "response" | "revisit")).unwrap();
        assert_eq!(chain.field("WARC-Concurrent-To"), first.field("WARC-Record-ID"));
        assert_eq!(chain.field("WARC-Date"), first.field("WARC-Date"));
        assert_eq!(records[at + 1].kind(), "metadata");
    }
    let tls: BTreeSet<&str> = records
        .iter()
        .filter(|record| record.kind() == "response")
        .flat_map(|record| &record.fields)
        .filter(|(name, _)| name == "WARC-Protocol" || name == "WARC-Cipher-Suite")
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(tls.contains("tls/1.3") && tls.iter().any(|value| value.starts_with("TLS_")), "{tls:?}");
}
