//! `crawl --compress zstd`: files that the `zstd` tool reads, with and without a dictionary, and that pressmark reads
//! back, goes on with, and mends like any other.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pressmark::archive::{Dictionary, Records};

use crate::lantern::{Lantern, pressmark, rows, run, warcs};
use crate::origin::{Line, Origin};
use crate::readers::skipped;

const HOST: &str = "press.example";
/// So many pages and a megabyte of text is together, and more come after it.
const PAGES: usize = 90;

/// A page of 17 KB: most of it stands on every page of the site.
fn page(number: usize) -> Vec<u8> {
    let mut html = format!("<!doctype html><title>Page {number}</title><nav>");
    for item in 0..150 {
        let _ =
            write!(html, "<li class=\"menu-item menu-item-{item}\"><a href=\"/section/{}\">Section</a></li>", item * 7);
    }
    for word in 0..900 {
        let _ = write!(html, " {:x}", (number + 1) * 7919 % 104_729 * (word + 1) % 999_983);
    }
    html.into_bytes()
}

async fn serve(mut line: Line) {
    while let Some(head) = line.request().await {
        let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap().to_owned();
        let body = path.trim_start_matches("/page/").parse().map_or(b"gone".to_vec(), page);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n", body.len());
        line.say(&[head.into_bytes(), body].concat()).await;
    }
}

/// A site of many pages, and a folder for what is kept of it.
struct Press {
    origin: Origin,
    folder: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Press {
    fn new() -> Press {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let origin = runtime.block_on(Origin::start(None, serve));
        Press { origin, folder: tempfile::tempdir().unwrap(), _runtime: runtime }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// Crawls these pages.
    fn crawl(&self, pages: std::ops::Range<usize>, more: &[&str]) {
        let urls: String = pages.map(|page| format!("http://{HOST}/page/{page}\n")).collect();
        let list = self.folder.path().join("list.txt");
        fs::write(&list, urls).unwrap();
        let mut command = pressmark();
        command.arg("crawl").arg(&list).arg("--archive").arg(self.archive());
        command.args(["--resolve", &format!("{HOST}:80:{}", self.origin.address)]);
        command.args("--delay 0s --per-host 8 --robots ignore --quiet --compress zstd".split(' '));
        assert!(run(command.args(more)).status.success());
    }
}

/// What the `zstd` tool makes of a file, with the dictionary cut out of its first frame.
fn unpacked_by_the_tool(file: &Path) -> Option<Vec<u8>> {
    if skipped("zstd") {
        return None;
    }
    let mut tool = Command::new("zstd");
    if let Some(dictionary) = Dictionary::of_file(file).unwrap() {
        let path = file.with_extension("dictionary");
        fs::write(&path, dictionary.bytes()).unwrap();
        tool.arg("-D").arg(path);
    }
    let output = tool.args(["-d", "-c", "-q"]).arg(file).output().expect("the zstd tool is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// Every record, read by us; the tool's bytes are the same records.
fn check(file: &Path) -> usize {
    let records: Vec<_> = Records::open(file, 0).unwrap().map(Result::unwrap).collect();
    let blocks: usize = records.iter().map(|record| record.block.len()).sum();
    if let Some(plain) = unpacked_by_the_tool(file) {
        let heads = plain.windows(10).filter(|window| *window == b"WARC/1.1\r\n").count();
        assert_eq!(heads, records.len());
        assert!(plain.len() > blocks && plain.ends_with(b"\r\n\r\n"));
    }
    assert_eq!(records[0].kind(), "warcinfo");
    records.len()
}

#[test]
fn a_crawl_learns_its_dictionary_and_the_next_run_goes_on_with_it() {
    let press = Press::new();
    press.crawl(0..PAGES, &[]);
    let files = by_serial(&press.archive());
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(Dictionary::of_file(&files[0]).unwrap().is_none());
    let dictionary = Dictionary::of_file(&files[1]).unwrap().unwrap();

    press.crawl(PAGES..PAGES + 5, &[]);
    assert_eq!(by_serial(&press.archive()), files, "the last file goes on");
    press.crawl(PAGES + 5..PAGES + 9, &["--warc-size", "1KB"]);
    let more = by_serial(&press.archive());
    assert!(more.len() > files.len(), "{more:?}");
    assert!(more[2..].iter().all(|file| Dictionary::of_file(file).unwrap().as_ref() == Some(&dictionary)));
    let records: usize = more.iter().map(|file| check(file)).sum();
    assert_eq!(records, more.len() + 3 * (PAGES + 9));

    // Every row leads to its record, and the payload comes out.
    for number in [0, PAGES - 1, PAGES + 8] {
        let url = format!("http://{HOST}/page/{number}");
        let shown = run(pressmark().args(["show", &url, "--raw", "--archive"]).arg(press.archive()));
        assert!(shown.stdout == page(number), "{url}");
    }
    assert_eq!(rows(&press.archive(), "SELECT count(*) FROM capture_log")[0][0], (PAGES + 9) as u64);
}

fn by_serial(archive: &Path) -> Vec<PathBuf> {
    let mut files = warcs(archive);
    let serial = |path: &PathBuf| path.to_str().unwrap().rsplit_once('-').unwrap().1.to_owned();
    // A later run of the same second counts on.
    files.sort_by_key(|path| (fs::metadata(path).unwrap().modified().unwrap(), serial(path)));
    files.retain(|path| path.to_str().unwrap().ends_with(".warc.zst"));
    files
}

#[test]
fn a_torn_tail_is_cut_and_the_file_goes_on_with_its_dictionary() {
    let press = Press::new();
    press.crawl(0..1, &[]);
    let sample = press.folder.path().join("sample.html");
    fs::write(&sample, (0..12).flat_map(page).collect::<Vec<u8>>()).unwrap();
    let sample = sample.to_str().unwrap();
    press.crawl(1..4, &["--profile", "given", "--dictionary", sample]);
    let given = |archive: &Path| -> PathBuf {
        let mut files = warcs(archive);
        files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("given-"));
        assert_eq!(files.len(), 1);
        files.remove(0)
    };
    let file = given(&press.archive());
    let dictionary = Dictionary::of_file(&file).unwrap().expect("the dictionary given is in the file");
    let len = fs::metadata(&file).unwrap().len();
    let open = PathBuf::from(format!("{}.open", file.display()));
    fs::rename(&file, &open).unwrap();
    let whole = fs::read(&open).unwrap();
    fs::write(&open, [&whole[..], &whole[dictionary.bytes().len() + 8..][..700]].concat()).unwrap();

    press.crawl(4..6, &["--profile", "given", "--dictionary", sample]);
    assert_eq!(given(&press.archive()), file);
    assert_eq!(fs::read(&file).unwrap()[..len as usize], whole, "what was whole is untouched");
    assert_eq!(check(&file), 1 + 3 * 5);
}

#[test]
fn a_whole_site_is_kept_in_zstd() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    // One host of the site is dead: it is not waited for.
    let args = ["--compress", "zstd", "--delay", "0s", "--robots", "ignore", "--max-time", "5s", "--quiet"];
    assert!(run(lantern.crawl(archive).args(args)).status.success());
    let rows = rows(archive, "SELECT url, warc_file, warc_offset, warc_length FROM capture_log");
    assert!(rows.len() > 50);
    for row in rows {
        let (file, offset, length) = (row[1].as_str().unwrap().to_owned(), row[2].as_u64(), row[3].as_u64());
        let place = pressmark::archive::Place { file, offset: offset.unwrap(), length: length.unwrap() };
        let record = pressmark::archive::read_at(&archive.join("warc"), &place).unwrap();
        assert_eq!((record.field("WARC-Target-URI"), record.length), (row[0].as_str(), place.length));
    }
    for file in warcs(archive) {
        check(&file);
    }
}

#[test]
fn a_dictionary_that_cannot_be_used_stops_the_run_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dictionary");
    fs::write(&path, vec![b'x'; (8 << 20) + 1]).unwrap();
    let long = path.to_str().unwrap();
    for (args, said) in [
        (vec!["--compress", "zstd", "--dictionary", long], "longer than the 8 MiB"),
        (vec!["--compress", "zstd", "--dictionary", "not-there"], "cannot use not-there"),
        (vec!["--dictionary", long], "--compress zstd only"),
    ] {
        let mut command = pressmark();
        command.args(["crawl", "http://h.example/", "--archive"]).arg(folder.path().join("archive")).args(&args);
        let output = run(&mut command);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{args:?}");
        assert!(!folder.path().join("archive/warc").exists(), "{args:?}");
    }
}
