//! Archives packed for the journey: compared with what other tools make of the same records, and with the formats'
//! own rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use pressmark::archive::{Record, Records};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipArchive};

use crate::lantern::{Lantern, pressmark, rows, run, warcs};
use crate::readers::skipped;

/// A program of `target/indexers`.
pub fn indexers(program: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/indexers/bin").join(program);
    assert!(
        path.is_file(),
        "{} is missing: `make test` installs it, PRESSMARK_SKIP=indexers does without",
        path.display()
    );
    path
}

/// The demo site, crawled without its usual politeness; run twice, so that there are revisits.
pub fn crawled(more: &[&str]) -> TempDir {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    for _ in 0..2 {
        let mut command = pressmark();
        command.args(["crawl", "--delay", "0", "--revisit", "always", "--archive"]).arg(folder.path()).args(more);
        // Without the article whose pictures are on a dead host: nobody waits for it.
        command.args(["--exclude", "xiaochengxu"]);
        for host in lantern.site.hosts() {
            command.arg("--resolve").arg(format!("{host}:80:{}", lantern.site.address()));
        }
        assert!(run(command.args(lantern.site.seeds())).status.success());
    }
    folder
}

/// `pressmark export` of this archive.
pub fn export(archive: &Path, what: &str, out: &Path, more: &[&str]) -> Output {
    run(pressmark().arg("--archive").arg(archive).args(["export", what]).arg(out).args(more))
}

fn exported(archive: &Path, what: &str, out: &Path, more: &[&str]) {
    assert!(export(archive, what, out, more).status.success());
}

fn records(path: &Path) -> Vec<Record> {
    Records::open(path, 0).unwrap().map(Result::unwrap).collect()
}

/// The files of a folder, hidden ones too.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

// --------------------------------------------------------------------------------------------------------- CDXJ

fn by_cdxj_indexer(files: &[PathBuf]) -> String {
    let output = Command::new(indexers("cdxj-indexer")).arg("--sort").args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_same_lines(ours: &str, theirs: &str) {
    let (ours, theirs): (BTreeSet<&str>, BTreeSet<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let only = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| a.difference(b).copied().collect::<Vec<_>>().join("\n");
    assert!(ours == theirs, "only ours:\n{}\nonly theirs:\n{}", only(&ours, &theirs), only(&theirs, &ours));
}

#[test]
fn an_index_is_the_one_that_cdxj_indexer_makes() {
    if skipped("indexers") {
        return;
    }
    for more in [&[][..], &["--compress", "none", "--warc-size", "300kB"]] {
        let archive = crawled(more);
        let out = archive.path().join("index.cdxj");
        exported(archive.path(), "cdxj", &out, &[]);
        let ours = std::fs::read_to_string(&out).unwrap();
        let theirs = by_cdxj_indexer(&warcs(archive.path()));
        assert!(ours.lines().count() > 50 && ours.contains("warc/revisit"), "{ours}");
        assert!(!ours.contains("application/warc-fields"), "metadata must not stand in a page's place");
        assert_same_lines(&ours, &theirs);
        assert_eq!(ours, theirs, "the order");
    }
}

/// A record as some tool might write it.
fn odd(version: &str, fields: &[(&str, &str)], block: &[u8]) -> Vec<u8> {
    let mut record = format!("WARC/{version}\r\n");
    for (name, value) in fields {
        record.push_str(&format!("{name}: {value}\r\n"));
    }
    record.push_str(&format!("Content-Length: {}\r\n\r\n", block.len()));
    [record.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn odd_records() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut add = |kind: &str, url: &str, more: &[(&str, &str)], block: &[u8]| {
        let id = format!("<urn:uuid:00000000-0000-4000-8000-{:012}>", all.len());
        let mut fields = vec![("WARC-Type", kind), ("WARC-Record-ID", &id)];
        if !url.is_empty() {
            fields.push(("WARC-Target-URI", url));
        }
        if !more.iter().any(|(name, _)| *name == "WARC-Date") {
            fields.push(("WARC-Date", "2020-02-29T23:59:59Z"));
        }
        fields.extend(more);
        let version = ["1.0", "1.1"][all.len() % 2];
        all.push(odd(version, &fields, block));
    };
    let http = ("Content-Type", "application/http; msgtype=response");
    add("warcinfo", "", &[("Content-Type", "application/warc-fields")], b"software: x\r\n");
    for (url, head) in [
        ("http://a.example/", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=gbk\r\n\r\n"),
        ("<http://a.example/brackets>", "HTTP/1.0 404 Not Found\r\ncontent-type: TEXT/Plain\r\n\r\n"),
        ("http://www.A.example:80/No/Type?b=1&a=2", "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n"),
        ("https://a.example/spaced name", "HTTP/1.1 200\r\nContent-Type:text/css\r\n\r\n"),
        ("http://a.example/folded", "HTTP/1.1 200 OK\r\nContent-Type: text/html;\r\n charset=utf-8\r\n\r\n"),
        ("http://a.example/twice", "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n"),
        ("http://a.example/bare", "HTTP/1.1 200 OK\nContent-Type: text/html\n\n"),
        ("http://a.example/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("http://a.example/none", "HTTP/1.1 204 No Content\r\n\r\n"),
        ("http://a.example/junk", "ICY 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n"),
        ("http://a.example/empty-type", "HTTP/1.1 200 OK\r\nContent-Type:\r\n\r\n"),
        ("http://a.example/no-status", "HTTP/1.1\r\nX: y\r\n\r\n"),
        ("http://a.example/odd-status", "HTTP/1.1  twenty Fine\r\n\r\n"),
        ("http://a.example/quote\"back\\slash", "HTTP/1.1 200 OK\r\nContent-Type: \"x\"\r\n\r\n"),
        ("http://a.example/ä/日本?ö", "HTTP/1.1 200 OK\r\nContent-Type: text/h\u{e4}\r\n\r\n"),
        ("ftp://a.example/file", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
        ("dns:a.example", "20200229235959\r\na.example. 60 IN A 10.0.0.1\r\n"),
        ("http://a.example/\u{1f600}", "\r\nHTTP/1.1 200 OK\r\n\r\n"),
    ] {
        add("response", url, &[http], format!("{head}some body").as_bytes());
    }
    add(
        "response",
        "http://a.example/given",
        &[http, ("WARC-Payload-Digest", "sha1:ABC")],
        b"HTTP/1.1 200 OK\r\n\r\nx",
    );
    add("response", "http://a.example/empty", &[http], b"");
    add("response", "http://a.example/latin", &[http], b"HTTP/1.1 200 OK\r\nContent-Type: text/\xe9 x\r\n\r\nbody");
    add("revisit", "http://a.example/", &[http], b"HTTP/1.1 304 Not Modified\r\n\r\n");
    add("revisit", "http://a.example/", &[("WARC-Payload-Digest", "sha1:ABC")], b"");
    add("resource", "http://a.example/resource", &[("Content-Type", "image/png ; a=b")], b"png");
    add("resource", "file:///seeds/Post.md", &[("Content-Type", "text/markdown")], b"# A");
    add("resource", "urn:x:Y", &[], b"typeless");
    add("metadata", "http://a.example/", &[("Content-Type", "application/json")], b"{}");
    add("metadata", "http://a.example/", &[("Content-Type", "application/warc-fields")], b"via: x\r\n");
    add(
        "request",
        "http://a.example/",
        &[("Content-Type", "application/http; msgtype=request")],
        b"GET / HTTP/1.1\r\n\r\n",
    );
    add("conversion", "http://a.example/", &[("Content-Type", "text/plain")], b"x");
    for date in ["2020-02-29T23:59:59.999999999Z", "2020-02-29T23:59:59.5Z", "2020-02-29T23:59:59"] {
        add("resource", "http://a.example/dates", &[("WARC-Date", date), ("Content-Type", "a/b")], date.as_bytes());
    }
    all
}

#[test]
fn odd_records_are_indexed_as_cdxj_indexer_does() {
    if skipped("indexers") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (plain, packed) = (folder.path().join("odd.warc"), folder.path().join("odd.warc.gz"));
    std::fs::write(&plain, odd_records().concat()).unwrap();
    let mut gzip = File::create(&packed).unwrap();
    for record in odd_records() {
        let mut member = GzEncoder::new(&mut gzip, Compression::default());
        member.write_all(&record).unwrap();
        member.finish().unwrap();
    }
    let files = [plain, packed];
    let out = folder.path().join("out.cdxj");
    let typed: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    exported(folder.path(), "cdxj", &out, &typed);
    let ours = std::fs::read_to_string(&out).unwrap();
    let theirs = by_cdxj_indexer(&files);
    assert!(ours.lines().count() > 50);
    assert_same_lines(&ours, &theirs);
    assert_eq!(ours, theirs, "the order");
}

// --------------------------------------------------------------------------------------------------------- WACZ

/// What the specification (WACZ 1.1.1) asks of a package.
fn check_package(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut zip = ZipArchive::new(File::open(path).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for number in 0..zip.len() {
        let mut file = zip.by_index(number).unwrap();
        let name = file.name().unwrap().into_owned();
        let is_packed = name.ends_with(".gz");
        assert_eq!(file.compression() == CompressionMethod::Stored, is_packed, "{name}: what is packed is stored");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(files.insert(name.clone(), bytes).is_none(), "{name} is there twice");
    }
    let description: Value = serde_json::from_slice(&files["datapackage.json"]).unwrap();
    assert_eq!(description["profile"], "data-package");
    assert_eq!(description["wacz_version"], "1.1.1");
    for date in ["created", "modified"] {
        assert!(chrono::DateTime::parse_from_rfc3339(description[date].as_str().unwrap()).is_ok(), "{date}");
    }
    let hash = |bytes: &[u8]| format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)));
    let mut described = BTreeSet::from(["datapackage.json", "datapackage-digest.json"]);
    for resource in description["resources"].as_array().unwrap() {
        let path = resource["path"].as_str().unwrap();
        let bytes = &files[path];
        assert_eq!(resource["bytes"], bytes.len(), "{path}");
        assert_eq!(resource["hash"], hash(bytes), "{path}");
        assert_eq!(resource["name"], path.rsplit('/').next().unwrap());
        assert!(described.insert(path), "{path} is described twice");
    }
    assert!(files.keys().map(String::as_str).eq(described), "every file is described");
    let digest: Value = serde_json::from_slice(&files["datapackage-digest.json"]).unwrap();
    assert_eq!(
        (&digest["path"], &digest["hash"]),
        (&"datapackage.json".into(), &hash(&files["datapackage.json"]).into())
    );
    for name in files.keys().filter(|name| name.contains('/')) {
        let fits = match name.split_once('/').unwrap() {
            ("archive", file) => file.ends_with(".warc.gz"),
            ("indexes", file) => ["index.cdx.gz", "index.idx"].contains(&file),
            ("pages", file) => file == "pages.jsonl",
            _ => false,
        };
        assert!(fits, "{name} has no business there");
    }
    files
}

/// The index's lines, found block by block as a reader does.
fn index_of(files: &BTreeMap<String, Vec<u8>>) -> String {
    let blocks = String::from_utf8(files["indexes/index.idx"].clone()).unwrap();
    let mut lines = blocks.lines();
    assert_eq!(lines.next(), Some("!meta 0 {\"format\":\"cdxj-gzip-1.0\",\"filename\":\"index.cdx.gz\"}"));
    let (mut index, mut expected) = (String::new(), 0);
    for line in lines {
        let (first, place) = line.split_once(" {").unwrap();
        let place: Value = serde_json::from_str(&format!("{{{place}")).unwrap();
        let [offset, length] = ["offset", "length"].map(|name| place[name].as_u64().unwrap() as usize);
        assert_eq!(offset, expected);
        expected = offset + length;
        let bytes = &files["indexes/index.cdx.gz"][offset..expected];
        let mut block = String::new();
        MultiGzDecoder::new(bytes).read_to_string(&mut block).unwrap();
        assert!(block.starts_with(first), "{block}");
        index.push_str(&block);
    }
    assert_eq!(expected, files["indexes/index.cdx.gz"].len());
    index
}

#[test]
fn a_package_is_what_the_specification_asks_for() {
    let archive = crawled(&["--warc-size", "200kB"]);
    let out = archive.path().join("a.wacz");
    exported(archive.path(), "wacz", &out, &["--warc-size", "500kB"]);
    let files = check_package(&out);
    let parts = tempfile::tempdir().unwrap();
    let mut warcs = Vec::new();
    for (name, bytes) in files.iter().filter(|(name, _)| name.starts_with("archive/")) {
        warcs.push(parts.path().join(&name["archive/".len()..]));
        std::fs::write(warcs.last().unwrap(), bytes).unwrap();
        let first = &records(warcs.last().unwrap())[0];
        assert_eq!((first.kind(), first.field("WARC-Filename")), ("warcinfo", Some(&name["archive/".len()..])));
    }
    assert!(warcs.len() > 2, "{warcs:?}");
    let index = index_of(&files);
    assert!(index.lines().is_sorted());

    let pages = String::from_utf8(files["pages/pages.jsonl"].clone()).unwrap();
    let pages: Vec<Value> = pages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(pages[0]["format"], "json-pages-1.0");
    let ids: BTreeSet<&str> = pages[1..].iter().map(|page| page["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), pages.len() - 1);
    for page in &pages[1..] {
        assert!(chrono::DateTime::parse_from_rfc3339(page["ts"].as_str().unwrap()).is_ok());
    }
    for row in rows(archive.path(), "SELECT url, title, text FROM article") {
        let page = pages.iter().find(|page| page["url"] == row[0]).unwrap_or_else(|| panic!("{} is no page", row[0]));
        assert_eq!((&page["title"], &page["text"]), (&row[1], &row[2]));
    }

    if skipped("indexers") {
        return;
    }
    assert_same_lines(&index, &by_cdxj_indexer(&warcs));
    let output = run(Command::new(indexers("wacz")).args(["validate", "-f"]).arg(&out));
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("is valid"));
}

#[test]
fn the_same_archive_makes_the_same_package() {
    for more in [&[][..], &["--compress", "zstd"]] {
        let archive = crawled(more);
        let outs = ["a.wacz", "b.wacz"].map(|name| archive.path().join(name));
        for out in &outs {
            exported(archive.path(), "wacz", out, &[]);
            std::thread::sleep(Duration::from_millis(1100)); // The clock of a ZIP file counts in two seconds.
        }
        assert!(std::fs::read(&outs[0]).unwrap() == std::fs::read(&outs[1]).unwrap());
        check_package(&outs[0]);
    }
}

// --------------------------------------------------------------------------------------------------------- WARC

/// What a record says, wherever it stands and however it is packed.
fn said(records: &[Record]) -> Vec<Record> {
    records.iter().map(|record| Record { offset: 0, length: 0, ..record.clone() }).collect()
}

#[test]
fn records_are_packed_anew_and_stay_the_same() {
    for more in [&[][..], &["--compress", "zstd"], &["--compress", "none"]] {
        let archive = crawled(more);
        let all: Vec<Record> = warcs(archive.path()).iter().flat_map(|file| records(file)).collect();
        let kept: Vec<Record> = all.into_iter().filter(|record| record.kind() != "warcinfo").collect();
        for (name, magic) in [("a.warc.gz", [0x1f, 0x8b]), ("a.warc.zst", [0x28, 0xb5]), ("a.warc", *b"WA")] {
            let out = archive.path().join(name);
            exported(archive.path(), "warc", &out, &[]);
            assert_eq!(std::fs::read(&out).unwrap()[..2], magic, "{name}");
            let copied = records(&out);
            assert_eq!(copied[0].kind(), "warcinfo");
            assert!(said(&copied[1..]) == said(&kept), "{more:?} to {name}");
        }
        let folder = archive.path().join("parts");
        exported(archive.path(), "warc", &folder, &["--warc-size", "300kB", "--compress", "zstd"]);
        let names = names(&folder);
        assert!(names.len() > 2 && names[1] == "parts-00002.warc.zst", "{names:?}");
        let parts: Vec<Record> = names.iter().flat_map(|name| records(&folder.join(name)).split_off(1)).collect();
        assert!(said(&parts) == said(&kept), "{more:?}");
    }
}

#[test]
fn a_selection_takes_along_what_it_needs() {
    let archive = crawled(&[]);
    let query =
        "SELECT a.url, (SELECT group_concat(i.kept_url, ' ') FROM image i WHERE i.article = a.url) FROM article a
                 WHERE a.images_kept > 1 ORDER BY a.url LIMIT 1";
    let row = rows(archive.path(), query).remove(0);
    let (article, images) = (row[0].as_str().unwrap(), row[1].as_str().unwrap());
    let others = rows(archive.path(), "SELECT url FROM article");
    let out = archive.path().join("some.warc.gz");
    exported(archive.path(), "warc", &out, &["--url-prefix", article, "--run", "2"]);
    let copied = records(&out);
    let urls: BTreeSet<&str> = copied.iter().filter_map(|record| record.field("WARC-Target-URI")).collect();
    for wanted in images.split(' ').chain([article]) {
        assert!(urls.contains(wanted), "{wanted} in {urls:?}");
    }
    let strays = others.iter().filter(|row| row[0] != article && urls.contains(row[0].as_str().unwrap())).count();
    assert_eq!(strays, 0, "{urls:?}");
    let ids: BTreeSet<&str> = copied.iter().filter_map(|record| record.field("WARC-Record-ID")).collect();
    let referred: Vec<&str> = copied.iter().filter_map(|record| record.field("WARC-Refers-To")).collect();
    assert!(!referred.is_empty() && referred.iter().all(|id| ids.contains(id)), "{referred:?}");

    let index = archive.path().join("some.cdxj");
    exported(archive.path(), "cdxj", &index, &["--site", "lantern.example", "--since", "2020-01-01"]);
    assert!(std::fs::read_to_string(&index).unwrap().contains("com,") || index.exists());
    for (more, why) in [
        (&["--until", "2020-01-01"][..], "nothing that is archived"),
        (&["--run", "99"], "nothing that is archived"),
        (&["--title", "x"], "--title is for"),
        (&["--since", "soon"], "no date"),
    ] {
        let output = export(archive.path(), "cdxj", &archive.path().join("none.cdxj"), more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{more:?}");
    }
    assert!(!archive.path().join("none.cdxj").exists());
}

// --------------------------------------------------------------------------------------------- whole or not at all

#[test]
fn nothing_is_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let (warc, out) = (folder.path().join("odd.warc"), folder.path().join("out.cdxj"));
    std::fs::write(&warc, odd_records().concat()).unwrap();
    std::fs::write(&out, "mine").unwrap();
    let output = export(folder.path(), "cdxj", &out, &[warc.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--force"));
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "mine");
    exported(folder.path(), "cdxj", &out, &[warc.to_str().unwrap(), "--force"]);
    assert_ne!(std::fs::read_to_string(&out).unwrap(), "mine");

    std::fs::write(&warc, &odd_records().concat()[..700]).unwrap();
    let before = std::fs::read(&out).unwrap();
    let output = export(folder.path(), "cdxj", &out, &[warc.to_str().unwrap(), "--force"]);
    assert_eq!(output.status.code(), Some(65), "damage");
    assert_eq!(std::fs::read(&out).unwrap(), before);
    assert_eq!(names(folder.path()), ["odd.warc", "out.cdxj"]);
}

#[test]
fn an_export_that_is_called_off_leaves_nothing_behind() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = tempfile::tempdir().unwrap();
        let warc = folder.path().join("long.warc");
        let record = odd("1.1", &[("WARC-Type", "request"), ("WARC-Date", "2020-02-29T23:59:59Z")], b"GET");
        std::fs::write(&warc, record.repeat(1_000_000)).unwrap();
        let mut command = pressmark();
        let mut child =
            command.args(["export", "cdxj"]).arg(folder.path().join("out.cdxj")).arg(&warc).spawn().unwrap();
        let began = Instant::now();
        while names(folder.path()).len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(20) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(run(Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string())).status.success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert_eq!(names(folder.path()), ["long.warc"]);
    }
}

#[test]
fn an_index_can_be_read_as_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("odd.warc"), folder.path().join("odd.cdxj"));
    std::fs::write(&file, odd_records().concat()).unwrap();
    let export = |out: &Path, more: &[&str]| {
        let mut command = pressmark();
        command.args(["export", "cdxj"]).arg(out).args(more).arg("--archive").arg(folder.path().join("none"));
        run(command.current_dir(folder.path()))
    };
    let file = file.to_str().unwrap();
    assert!(export(&out, &[file]).status.success());
    let printed = export(Path::new("-"), &[file]);
    assert!(printed.status.success());
    assert_eq!(printed.stdout, std::fs::read(&out).unwrap());
    assert_eq!(names(folder.path()), ["odd.cdxj", "odd.warc"]);

    // A place in no folder is named, and nothing that stands there for a moment.
    let nowhere = folder.path().join("nowhere");
    let refused = export(&nowhere.join("odd.cdxj"), &[file]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.contains("nowhere is no folder") && !said.contains(".part"), "{said}");
}
