//! `pressmark verify` calls every healthy archive whole: whatever wrote it, whatever was done to it since, and whatever
//! is being done to it at the moment.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::full_disk::way;
use crate::gazette::{Edition, Gazette};
use crate::lantern::{pressmark, rows, run, start, warcs};
use crate::origin::{Authority, Line, Origin};
use crate::readers::skipped;

/// Runs a command that must succeed.
fn done(command: &mut Command) {
    let output = run(command);
    assert_eq!(output.status.code(), Some(0), "{command:?}");
}

fn on(archive: &Path, arguments: &[&str]) -> Command {
    let mut command = pressmark();
    command.args(["--quiet"]).args(arguments).arg("--archive").arg(archive);
    command
}

/// The report of a verification that ends well: no damage, nothing against the standard.
fn sound(what: &str, command: &mut Command) -> Value {
    let report = whole(what, command);
    assert_eq!(report["counts"]["violation"], 0, "{what}: {:#}", report["findings"]);
    report
}

/// The report of a verification that finds no damage.
fn whole(what: &str, command: &mut Command) -> Value {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|cause| panic!("{what}: {cause}: {said}"));
    assert_eq!(output.status.code(), Some(0), "{what}: {:#} {said}", report["findings"]);
    assert_eq!(report["counts"]["damage"], 0, "{what}: {:#}", report["findings"]);
    report
}

fn verify(archive: &Path) -> Command {
    on(archive, &["verify", "--json"])
}

fn verify_files(paths: &[PathBuf]) -> Command {
    let mut command = pressmark();
    command.args(["--quiet", "verify", "--json"]).args(paths);
    command
}

/// The archive is sound, as many rows were compared as it has captures, and so is whatever is exported from it.
fn check(what: &str, archive: &Path) {
    let captures = rows(archive, "SELECT count(*) FROM capture").remove(0).remove(0);
    assert_eq!(sound(what, &mut verify(archive))["rows"], captures, "{what}");
    sound(what, &mut verify_files(&warcs(archive)));
    let folder = tempfile::tempdir().unwrap();
    for form in ["all.wacz", "all.warc.gz", "all.warc", "all.warc.zst", "several"] {
        let out = folder.path().join(form);
        let kind = if form.ends_with("wacz") { "wacz" } else { "warc" };
        done(&mut on(archive, &["export", kind, out.to_str().unwrap()]));
        sound(&format!("{what}, {form}"), &mut verify_files(&[out]));
    }
    let index = archive.join("all.cdxj");
    done(&mut on(archive, &["export", "cdxj", index.to_str().unwrap()]));
    sound(&format!("{what}, its index"), &mut verify_files(std::slice::from_ref(&index)));
    std::fs::remove_file(index).unwrap();
}

/// A site on plain HTTP and on TLS: chunked and packed answers, redirects, one payload under two addresses, answers that
/// have not changed, and such as break off.
struct Site {
    plain: Origin,
    tls: Origin,
    folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl Site {
    fn new() -> Site {
        let runtime = Runtime::new().unwrap();
        let authority = Authority::new();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let (acceptor, _) = authority.certify("tls.example");
        let serve = |mut line: Line| async move {
            while let Some(head) = line.request().await {
                let head = String::from_utf8(head).unwrap();
                let answer = answer(&head);
                if !line.say(&answer).await || head.starts_with("GET /short") {
                    return line.close().await;
                }
            }
        };
        let plain = runtime.block_on(Origin::start(None, serve));
        let tls = runtime.block_on(Origin::start(Some(acceptor), serve));
        Site { plain, tls, folder, _runtime: runtime }
    }

    fn crawl(&self, archive: &Path, more: &[&str]) {
        let mut command = on(archive, &["crawl", "--delay", "0", "--timeout", "5s"]);
        command.arg("--ca-file").arg(self.folder.path().join("ca.pem"));
        command.arg("--resolve").arg(format!("plain.example:80:{}", self.plain.address));
        command.arg("--resolve").arg(format!("tls.example:443:{}", self.tls.address));
        command.args(more);
        for path in ["page", "chunked", "packed", "older", "mirror", "gone", "empty"] {
            command.arg(format!("http://plain.example/{path}")).arg(format!("https://tls.example/{path}"));
        }
        done(&mut command);
    }
}

fn answer(head: &str) -> Vec<u8> {
    let page = |text: &str| {
        format!(
            "<!doctype html><html lang=en><head><meta property=og:type content=article><title>{text}</title></head>\
             <body><article><h1>{text}</h1><img src=/p.png><p>{}</p></article></body></html>",
            format!("{text}, and nobody on the pier could say why. ").repeat(20)
        )
    };
    let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
    let sized = |fields: &str, body: &[u8]| {
        [format!("{html}{fields}Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
    };
    match head.split(' ').nth(1).unwrap() {
        "/page" if head.to_ascii_lowercase().contains("if-none-match") => {
            b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".to_vec()
        }
        "/page" => sized("ETag: \"a\"\r\n", page("The ferry is late").as_bytes()),
        "/chunked" => {
            let text = page("The tide is early");
            format!("{html}Transfer-Encoding: chunked\r\n\r\n{:x};a=b\r\n{text}\r\n0\r\nTrailer: 1\r\n\r\n", text.len())
                .into_bytes()
        }
        "/packed" => sized("Content-Encoding: gzip\r\n", &gzip(page("The rope is wet").as_bytes())),
        "/older" => b"HTTP/1.1 301 Moved\r\nLocation: /old\r\nContent-Length: 5\r\n\r\nmoved".to_vec(),
        "/old" => b"HTTP/1.1 302 Found\r\nLocation: /page\r\nContent-Length: 0\r\n\r\n".to_vec(),
        "/mirror" => sized("", page("The ferry is late").as_bytes()),
        "/p.png" => {
            b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 9\r\n\r\n\x89PNG\r\n\x1a\n!".to_vec()
        }
        "/short" => format!("{html}Content-Length: 9999\r\n\r\n<title>cut</title>").into_bytes(),
        "/empty" => sized("", b""),
        _ => b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n".to_vec(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn whatever_a_crawl_writes_is_sound_and_stays_so() {
    let site = Site::new();
    let text = site.folder.path().join("dictionary.txt");
    let words =
        |page: u32| (0..60).map(move |word| format!("{:x} ", (page * 7919 + 1) % 104_729 * (word + 1) % 999_983));
    std::fs::write(&text, (0..800).map(|page| words(page).collect::<String>()).collect::<String>()).unwrap();
    let document = site.folder.path().join("note.md");
    std::fs::write(&document, "---\ntitle: A note of mine\n---\n\nIt says something worth keeping.\n").unwrap();
    let note = document.to_str().unwrap();
    let dictionary = ["--compress", "zstd", "--dictionary", text.to_str().unwrap(), "--warc-size", "4KB"];
    for manner in [
        &["--compress", "gzip", "--dns-records", note][..],
        &["--compress", "zstd", "--digest", "sha256"],
        &dictionary,
        &["--compress", "none", "--framing", "wire", "--dns-records", "--warc-size", "10KB"],
        &["--compress", "gzip", "--framing", "wire"],
    ] {
        let what = manner.join(" ");
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path();
        site.crawl(archive, manner);
        sound(&format!("{what}, once"), &mut verify(archive));
        for revisit in ["auto", "always"] {
            site.crawl(archive, &[manner, &["--revisit", revisit]].concat());
        }
        let of_kind = |sql: &str| rows(archive, sql).remove(0).remove(0).as_u64().unwrap();
        assert!(of_kind("SELECT count(*) FROM capture WHERE kind = 'revisit' AND status = 304") >= 2, "{what}");
        assert!(of_kind("SELECT count(*) FROM capture WHERE kind = 'revisit' AND status = 200") >= 4, "{what}");
        // What breaks off is asked for again later; not today.
        site.crawl(archive, &[manner, &["--max-time", "1s", "http://plain.example/short"]].concat());
        check(&what, archive);

        done(&mut on(archive, &["repair"]));
        sound(&format!("{what}, repaired"), &mut verify(archive));
        done(&mut on(archive, &["reindex"]));
        sound(&format!("{what}, made anew"), &mut verify(archive));
        done(&mut on(archive, &["forget", "http://plain.example/chunked", "--reason", "asked to"]));
        check(&format!("{what}, with a tombstone"), archive);
        let all = site.folder.path().join("all.wacz");
        done(&mut on(archive, &["export", "wacz", "--force", all.to_str().unwrap()]));
        let other = tempfile::tempdir().unwrap();
        done(&mut on(other.path(), &["import", all.to_str().unwrap()]));
        check(&format!("{what}, imported"), other.path());
    }
}

/// A record as older tools wrote them: WARC/1.0, without digests.
fn record(kind: &str, id: &str, url: &str, fields: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{id}>\r\nWARC-Date: 2015-03-04T05:06:07Z\r\n\
         WARC-Target-URI: {url}\r\n{fields}Content-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

/// What there is in files of other tools, by record.
fn theirs() -> Vec<Vec<u8>> {
    const ANSWER: &str = "Content-Type: application/http; msgtype=response\r\n";
    const QUESTION: &str = "Content-Type: application/http; msgtype=request\r\n";
    const FIELDS: &str = "Content-Type: application/warc-fields\r\n";
    let ties = |fields: &str, id: &str| format!("{fields}WARC-Concurrent-To: <urn:uuid:{id}>\r\n");
    let page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<title>Foreign news</title>";
    let get = b"GET / HTTP/1.1\r\nHost: f.example\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let hex = "WARC-Payload-Digest: sha1:AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D\r\n";
    vec![
        b"WARC/1.0\r\nWARC-Type: warcinfo\r\nWARC-Record-ID: <urn:uuid:i>\r\nWARC-Date: 2015-03-04T05:06:07Z\r\n\
          Content-Type: application/warc-fields\r\nContent-Length: 17\r\n\r\nsoftware: other\r\n\r\n\r\n"
            .to_vec(),
        record("response", "dns", "dns:f.example", "Content-Type: text/dns\r\n", b"20150304050607\n"),
        record("resource", "dns2", "dns:f.example", "Content-Type: text/dns\r\n", b"f.example. 60 IN A 127.0.0.1\n"),
        record("metadata", "dns3", "dns:f.example", &ties(FIELDS, "dns2"), b"note: of a name\r\n"),
        // The request first, tied by the answer; then one that only its date and its address tie.
        record("request", "q1", "http://f.example/1", QUESTION, get),
        record("response", "r1", "http://f.example/1", &ties(ANSWER, "q1"), page),
        record("request", "q2", "<http://f.example/2>", QUESTION, get),
        record("response", "r2", "<http://f.example/2>", ANSWER, page),
        // The answer first, with another tool's metadata.
        record("response", "r3", "http://f.example/3", &format!("{ANSWER}{hex}"), chunked),
        record("request", "q3", "http://f.example/3", &ties(QUESTION, "r3"), get),
        record("metadata", "m3", "http://f.example/3", &ties(FIELDS, "r3"), b"fetchTimeMs: 12\r\n"),
        // Addresses that are spelled otherwise in the database.
        record("response", "r4", "HTTP://F.example:80/4#top", ANSWER, page),
        // No captures: records that stand alone, or are made from others.
        record("metadata", "m5", "http://f.example/1", FIELDS, b"seed: \r\n"),
        record("conversion", "c1", "http://f.example/1", "Content-Type: text/plain\r\n", b"Foreign news"),
        record("request", "q6", "http://f.example/6", QUESTION, get),
        record("resource", "s1", "urn:screenshot:1", "Content-Type: image/png\r\n", b"\x89PNG"),
        record("response", "f1", "ftp://f.example/1", "Content-Type: text/plain\r\n", b"a file"),
        record("resource", "s2", "http://f.example/s.css", "Content-Type: text/css\r\n", b"p { color: red }"),
        record("response", "e1", "http://f.example/e", ANSWER, b""),
    ]
}

/// The files imported one by one, each into an archive of its own, and all into one; every archive is whole then.
fn check_imports(files: &[PathBuf], captures: usize) {
    for file in files {
        let what = file.file_name().unwrap().to_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path();
        done(&mut on(archive, &["import", file.to_str().unwrap()]));
        let report = whole(what, &mut verify(archive));
        assert_eq!(report["rows"], captures, "{what}");
        for (arguments, then) in [
            (&["repair"][..], "repaired"),
            (&["reindex"], "made anew"),
            (&["forget", "http://f.example/1", "--reason", "x"], "with a tombstone"),
        ] {
            done(&mut on(archive, arguments));
            whole(&format!("{what}, {then}"), &mut verify(archive));
        }
        for form in ["all.wacz", "all.warc.gz", "all.cdxj"] {
            let out = archive.join(form);
            done(&mut on(archive, &["export", form.split('.').nth(1).unwrap(), out.to_str().unwrap()]));
            whole(&format!("{what}, {form}"), &mut verify_files(&[out]));
        }
    }
}

#[test]
fn what_other_tools_wrote_is_whole_once_imported() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let members: Vec<u8> = theirs().iter().flat_map(|record| gzip(record)).collect();
    let mut files = vec![
        write("plain.warc", &theirs().concat()),
        write("members.warc.gz", &members),
        write("stream.warc.gz", &gzip(&theirs().concat())),
    ];
    let package = folder.path().join("theirs.wacz");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&package).unwrap());
    zip.start_file("archive/theirs.warc.gz", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&members).unwrap();
    zip.finish().unwrap();
    files.push(package);
    check_imports(&files, 6);
    // Where they lie; in one gzip stream no row can lead to a record, which is what import is for.
    for file in &files[..2] {
        let archive = tempfile::tempdir().unwrap();
        std::fs::create_dir(archive.path().join("warc")).unwrap();
        std::fs::copy(file, archive.path().join("warc").join(file.file_name().unwrap())).unwrap();
        done(&mut on(archive.path(), &["reindex"]));
        assert_eq!(whole(&format!("{}, where it lies", file.display()), &mut verify(archive.path()))["rows"], 6);
    }
}

/// Writes a few records with warcio, and the same with FastWARC.
const WRITERS: &str = r#"
import io, sys
from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

folder = sys.argv[1]
ok = lambda: StatusAndHeaders('200 OK', [('Content-Type', 'text/html')], protocol='HTTP/1.1')

for version in ('1.0', '1.1'):
    with open(f'{folder}/warcio-{version}.warc.gz', 'wb') as out:
        writer = WARCWriter(out, gzip=True, warc_version=version)
        writer.write_record(writer.create_warcinfo_record('a.warc.gz', {'software': 'warcio'}))
        for n in (1, 2, 3):
            url = f'http://f.example/{n}'
            response = writer.create_warc_record(url, 'response', payload=io.BytesIO(b'page %d' % n), http_headers=ok())
            get = StatusAndHeaders(f'GET /{n} HTTP/1.1', [('Host', 'f.example')], is_http_request=True)
            writer.write_request_response_pair(writer.create_warc_record(url, 'request', http_headers=get), response)
        said = response.rec_headers.get_header
        writer.write_record(writer.create_revisit_record(
            'http://f.example/4', said('WARC-Payload-Digest'), url, said('WARC-Date'), http_headers=ok()))
        writer.write_record(writer.create_warc_record(
            'http://f.example/5', 'resource', payload=io.BytesIO(b'x'), warc_content_type='text/plain'))

stream = GzipWriter(f'{folder}/fastwarc.warc.gz')
for record in ArchiveIterator(f'{folder}/warcio-1.1.warc.gz', parse_http=False):
    record.write(stream, checksum_data=True)
    stream.finish()
stream.close()
"#;

#[test]
fn what_warcio_and_fastwarc_wrote_is_whole_once_imported() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    if skipped("readers") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(python).args(["-c", WRITERS]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let files = ["warcio-1.0.warc.gz", "warcio-1.1.warc.gz", "fastwarc.warc.gz"].map(|name| folder.path().join(name));
    check_imports(&files, 5);
}

#[test]
fn a_crawl_that_is_writing_is_whole_at_every_moment() {
    let runtime = Runtime::new().unwrap();
    let edition =
        Edition { hosts: 3, articles: 6, pictures: 3, first_picture: 40_000, pause: Duration::from_millis(5) };
    let gazette = Gazette::serve(&runtime, edition);
    for compress in ["gzip", "zstd"] {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path();
        let mut crawl = gazette.crawl(archive);
        let mut crawl = start(crawl.args(["--delay", "50ms", "--warc-size", "40KB", "--compress", compress]));
        while !std::fs::read_dir(archive.join("warc")).is_ok_and(|mut files| files.next().is_some()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let (mut times, mut seen) = (0, Vec::new());
        while crawl.try_wait().unwrap().is_none() {
            let report = sound(&format!("{compress}, after {times}"), &mut verify(archive));
            seen.push(report["rows"].as_u64().unwrap());
            times += 1;
        }
        assert!(times > 3 && seen.is_sorted() && seen.first() < seen.last(), "{seen:?}");
        assert!(crawl.wait().unwrap().success());
        check(compress, archive);
    }
}

#[test]
fn an_archive_that_cannot_be_written_is_verified_and_left_as_it_is() {
    if skipped("mounts") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let edition = Edition { hosts: 1, articles: 2, pictures: 1, first_picture: 600, pause: Duration::ZERO };
    let gazette = Gazette::serve(&runtime, edition);
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    done(gazette.crawl(&archive).args(["--delay", "0"]));
    let names = || {
        let mut names: Vec<_> = std::fs::read_dir(&archive).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let script =
        r#"mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; shift; ! touch "$1" 2>/dev/null; shift; "$@""#;
    let verify = verify(&archive);
    let mut command = Command::new("unshare");
    command.args([
        way().expect("no folder can be mounted here; PRESSMARK_SKIP=mounts does without"),
        "sh",
        "-ec",
        script,
    ]);
    command.arg("sh").arg(&archive).arg(archive.join("touched")).arg(verify.get_program()).args(verify.get_args());
    let report = sound("a folder that cannot be written", &mut command);
    assert!(report["rows"].as_u64().unwrap() > 3);
    assert_eq!(names(), before);
}
