//! What was archived is shown by other people's replay: pywb over the WARC files, ReplayWeb.page in Chromium over a
//! package.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pressmark::archive::{Place, read_at};
use serde_json::Value;

use crate::export::{crawled, export, indexers};
use crate::lantern::{nobody, rows, run, warcs};
use crate::readers::skipped;

/// A program that is ended with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An article of the archive with a picture of it that is kept: its URL, the picture's, and the headline.
fn article(archive: &Path) -> [String; 3] {
    let query = "SELECT a.url, i.kept_url, a.title FROM article a JOIN image i ON i.article = a.url
                 WHERE i.kept_role <> 'lead' AND i.width > 0 AND a.text <> '' AND i.in_article = 1 ORDER BY a.url, i.position LIMIT 1";
    let row = rows(archive, query).remove(0);
    [0, 1, 2].map(|column| row[column].as_str().unwrap().to_owned())
}

/// The payload of the first capture of a URL.
fn payload(archive: &Path, url: &str) -> Vec<u8> {
    let query = format!(
        "SELECT payload_file, payload_offset, payload_length FROM capture_log WHERE url = '{url}' AND status = 200"
    );
    let row = rows(archive, &query).remove(0);
    let number = |column: usize| row[column].as_u64().unwrap();
    let place = Place { file: row[0].as_str().unwrap().to_owned(), offset: number(1), length: number(2) };
    read_at(&archive.join("warc"), &place).unwrap().http().1.to_vec()
}

/// Head and body of an answer; none when nobody answers.
fn get(port: u16, path: &str) -> Option<(String, Vec<u8>)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAccept-Encoding: gzip\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    Some((String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end)))
}

#[test]
fn pywb_shows_the_pages_and_pictures_that_were_kept() {
    if skipped("indexers") {
        return;
    }
    let archive = crawled(&[]);
    let folder = tempfile::tempdir().unwrap();
    let manager = |arguments: &[&str], files: &[PathBuf]| {
        let mut command = Command::new(indexers("wb-manager"));
        assert!(run(command.current_dir(folder.path()).args(arguments).args(files)).status.success());
    };
    manager(&["init", "kept"], &[]);
    manager(&["add", "kept"], &warcs(archive.path()));
    let port = nobody().port();
    let server = Command::new(indexers("wayback"))
        .current_dir(folder.path())
        .args(["-b", "127.0.0.1", "-p", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _server = Running(server.unwrap());
    let began = Instant::now();
    while get(port, "/").is_none() {
        assert!(began.elapsed() < Duration::from_secs(60), "pywb does not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    let [page, picture, title] = article(archive.path());
    for url in [&page, &picture] {
        let (head, body) = get(port, &format!("/kept/2099id_/{url}")).unwrap();
        assert!(head.starts_with("HTTP/1.0 200") || head.starts_with("HTTP/1.1 200"), "{url}: {head}");
        assert!(body == payload(archive.path(), url), "{url}: {head}");
    }
    let (head, body) = get(port, &format!("/kept/2099mp_/{page}")).unwrap();
    assert!(String::from_utf8_lossy(&body).contains(&title), "{page}: {head}");
    assert!(head.to_lowercase().contains("content-type: text/html"), "{head}");
}

// ------------------------------------------------------------------------------------------------ ReplayWeb.page

/// Tells every half second what the frames show, the innermost included: they are of one origin.
const HARNESS: &str = r#"<!doctype html><meta charset=utf-8><script src=/ui.js></script>
<replay-web-page source=/a.wacz url="PAGE" replayBase=/replay/ embed=default style="width:800px;height:600px"></replay-web-page>
<script>
function* documents(node) {
  for (const element of node.querySelectorAll('*')) {
    if (element.shadowRoot) yield* documents(element.shadowRoot);
    const inner = element.tagName === 'IFRAME' && element.contentDocument;
    if (inner) { yield inner; yield* documents(inner); }
  }
}
setInterval(() => {
  const seen = [...documents(document)].map(shown => ({
    url: shown.URL, text: shown.body ? shown.body.innerText : '',
    images: [...shown.images].filter(image => image.complete && image.naturalWidth > 0).map(image => image.src)}));
  fetch('/report', {method: 'POST', body: JSON.stringify(seen)});
}, 500);
</script>"#;

/// Serves the harness, the player and a package by ranges, and passes on what the harness reports.
fn serve(package: PathBuf, player: PathBuf, url: String) -> (u16, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let (reports, reported) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (package, player, url, reports) = (package.clone(), player.clone(), url.clone(), reports.clone());
            // A browser that goes away in the middle of an answer is none of the test's business.
            std::thread::spawn(move || answer(stream, &package, &player, &url, &reports).ok());
        }
    });
    (port, reported)
}

fn answer(
    stream: TcpStream,
    package: &Path,
    player: &Path,
    url: &str,
    reports: &mpsc::Sender<Value>,
) -> std::io::Result<()> {
    let (mut reader, mut out) = (BufReader::new(stream.try_clone()?), stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first().map_or("", String::as_str).split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or("").split('?').next().unwrap_or(""));
    let field = |name: &str| {
        let fields = lines.iter().filter_map(|line| line.split_once(':'));
        fields.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned()).next()
    };
    if method == "POST" {
        let mut body = vec![0; field("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let _ = reports.send(serde_json::from_slice(&body).unwrap_or_default());
        return out.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    }
    let (media, bytes) = match path {
        "/" => ("text/html", HARNESS.replace("PAGE", url).into_bytes()),
        "/ui.js" => ("text/javascript", std::fs::read(player.join("ui.js"))?),
        "/replay/sw.js" => ("text/javascript", std::fs::read(player.join("sw.js"))?),
        "/a.wacz" => return ranged(&mut out, package, field("range").as_deref(), method == "HEAD"),
        _ => return out.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    };
    write!(
        out,
        "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bytes.len()
    )?;
    out.write_all(&bytes)
}

fn ranged(out: &mut TcpStream, path: &Path, range: Option<&str>, is_head: bool) -> std::io::Result<()> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    let asked = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (start, end) = match asked.map(|(from, to)| (from.parse::<u64>().ok(), to.parse::<u64>().ok())) {
        Some((Some(from), to)) => (from, to.map_or(length, |to| length.min(to + 1))),
        Some((None, Some(last))) => (length.saturating_sub(last), length),
        _ => (0, length),
    };
    let status = if asked.is_some() { "206 Partial Content" } else { "200 OK" };
    write!(
        out,
        "HTTP/1.1 {status}\r\nContent-Type: application/wacz\r\nAccept-Ranges: bytes\r\n\
         Content-Range: bytes {start}-{}/{length}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        end.saturating_sub(1),
        end - start
    )?;
    if !is_head {
        file.seek(SeekFrom::Start(start))?;
        std::io::copy(&mut file.take(end - start), out)?;
    }
    Ok(())
}

fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|file| file.is_file())
}

#[test]
fn replayweb_page_shows_a_package_in_a_browser() {
    if skipped("browser") {
        return;
    }
    let player = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/replaywebpage");
    let hint = "`make test` installs it, PRESSMARK_SKIP=browser does without";
    assert!(player.join("sw.js").is_file(), "ReplayWeb.page is missing: {hint}");
    let browser = browser().unwrap_or_else(|| panic!("Chromium is missing: {hint}"));
    let archive = crawled(&[]);
    let package = archive.path().join("a.wacz");
    assert!(export(archive.path(), "wacz", &package, &[]).status.success());
    let [page, picture, title] = article(archive.path());
    let name = picture.rsplit('/').next().unwrap();
    let (port, reported) = serve(package, player, page.clone());
    let is_shown = |report: &Value| {
        report.as_array().into_iter().flatten().any(|shown| {
            let images = shown["images"].as_array().into_iter().flatten();
            shown["text"].as_str().is_some_and(|text| text.contains(&title))
                && shown["url"].as_str().is_some_and(|url| url.contains(&page))
                && images.filter_map(Value::as_str).any(|url| url.contains(name))
        })
    };
    let mut last = Value::Null;
    // Its service worker does not always start at the first time.
    for _ in 0..3 {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new(&browser);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"]);
        // Nothing is asked of the live web.
        command.args(["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-background-networking"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg(format!("http://127.0.0.1:{port}/")).stdout(Stdio::null()).stderr(Stdio::null());
        let _browser = Running(command.spawn().unwrap());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            if let Ok(report) = reported.recv_timeout(Duration::from_secs(1)) {
                if is_shown(&report) {
                    return;
                }
                last = report;
            }
        }
    }
    panic!("{page} with {picture} is not shown; what is: {last:#}");
}
