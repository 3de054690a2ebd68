//! What servers and files say may be meant for a terminal, a spreadsheet or a file system: none of it gets there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, run};
use crate::origin::{Line, Origin};

/// Clears the screen, names the window, does both in C1, turns the direction of text, deletes.
pub const EVIL: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}2J\u{202e}fdp\u{2066}\u{7f}";

/// What a spreadsheet would run.
const FORMULA: &str = "=HYPERLINK(\"http://evil.example/\",\"here\")";

fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn page() -> String {
    let as_references: String = EVIL.chars().map(|c| format!("&#{};", u32::from(c))).collect();
    let story = "The harbour was calm, and nobody saw the ship that came in before the morning. ".repeat(12);
    format!(
        "<!doctype html><html lang=\"en{EVIL}\"><head><title>{FORMULA} {EVIL}{as_references}</title>\
         <meta name=author content=\"{EVIL}{as_references}\"><meta name=robots content=\"noarchive {EVIL}\">\
         <meta property=\"article:published_time\" content=\"2026-11-01{EVIL}\">\
         <base href=\"http://page.example/\"></head><body><article><h1>{FORMULA} {EVIL}</h1>\
         <p>{story}{EVIL}</p><p>{story}</p>\
         <figure><img src=\"/{EVIL}.png\" alt=\"{EVIL}{as_references}\"><figcaption>{EVIL}</figcaption></figure>\
         <img src=\"/../../../../etc/passwd%00.png\"><img src=\"/{}.png\"><img src=\"/a%2f..%2f..%0a%00.png\">\
         <a href=\"/private{EVIL}\">{EVIL}</a></article></body></html>",
        "n".repeat(300)
    )
}

/// Everything a server can say, with something in it that is not for us.
async fn serve(mut line: Line) {
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    while let Some(head) = line.request().await {
        let path = String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
        let said = match path.as_str() {
            "/robots.txt" => {
                answer("200 OK", "", &format!("User-agent: *\nDisallow: /private{EVIL}\nDisallow: /private\n"))
            }
            "/" => {
                let fields = format!(
                    "{html}X-Robots-Tag: {EVIL}\r\nServer: {EVIL}\r\n\
                     Content-Disposition: attachment; filename=\"../../{EVIL}.html\"\r\n"
                );
                answer(&format!("200 {EVIL}"), &fields, &page())
            }
            "/away" => answer(&format!("302 {EVIL}"), &format!("Location: evil:{EVIL}\r\n"), ""),
            "/ill" => answer(&format!("503 {EVIL}"), &format!("Retry-After: {EVIL}\r\n"), ""),
            "/garbage" => format!("{EVIL} {EVIL}\r\n{EVIL}: {EVIL}\r\n\r\n").into_bytes(),
            "/type" => answer("200 OK", &format!("Content-Type: {EVIL}\r\nContent-Encoding: {EVIL}\r\n"), EVIL),
            _ => answer(
                "200 OK",
                &format!("Content-Type: image/png\r\nContent-Disposition: inline; filename=\"/tmp/{EVIL}\"\r\n"),
                EVIL,
            ),
        };
        line.say(&said).await;
        if path == "/garbage" {
            return line.close().await;
        }
    }
}

struct Scene {
    folder: TempDir,
    page: Origin,
    _runtime: Runtime,
}

impl Scene {
    fn new() -> Scene {
        let (runtime, folder) = (Runtime::new().unwrap(), TempDir::new().unwrap());
        let page = runtime.block_on(Origin::start(None, serve));
        let seeds = folder.path().join("seeds");
        std::fs::create_dir(&seeds).unwrap();
        let list = format!(
            "http://page.example/\nhttp://page.example/away\nhttp://page.example/garbage\nhttp://page.example/type\n\
             http://page.example/private{EVIL}\nnonsense{EVIL}\nevil{EVIL}://x\n\
             http://page.example:{EVIL}/\n"
        );
        std::fs::write(seeds.join(format!("list{EVIL}.txt")), list).unwrap();
        let post = format!("---\ntitle: \"a post\"\nauthor: \"{FORMULA}\"\n---\n\nA story of the user's own. {EVIL}\n");
        std::fs::write(seeds.join(format!("..{EVIL}\n{}.md", "n".repeat(200))), post).unwrap();
        Scene { folder, page, _runtime: runtime }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = pressmark();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    fn crawl(&self, archive: &str) -> Command {
        let mut command = self.command(&["crawl", "seeds", "--delay", "1ms", "--archive", archive]);
        command.arg("--resolve").arg(format!("page.example:80:{}", self.page.address));
        command
    }
}

/// Characters that a terminal obeys, and those that turn the direction of text; what separates rows and cells is ours.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
pub fn check(what: &str, output: &Output) {
    for (name, bytes) in [("output", &output.stdout), ("error", &output.stderr)] {
        // CSV ends its lines as RFC 4180 has it.
        let text = String::from_utf8(bytes.clone()).unwrap().replace("\r\n", "\n");
        if let Some(at) = text.find(is_obeyed) {
            let from = text[..at].char_indices().rev().nth(60).map_or(0, |(from, _)| from);
            panic!("{what}: standard {name} holds {:?}", &text[from..at + 4]);
        }
    }
}

#[test]
fn nothing_of_the_web_steers_a_terminal() {
    let scene = Scene::new();
    let output = run(&mut scene.crawl("archive"));
    assert_eq!(output.status.code(), Some(0));
    check("crawl", &output);
    let said = String::from_utf8(output.stderr).unwrap();
    for part in ["nonsense�[2J", "redirects to «evil:�[2J"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    check("crawl --json", &run(scene.crawl("second").args(["--json", "--strict"])));

    let hostile = format!("http://page.example/{EVIL}");
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["show", "http://page.example/"],
        &["show", &hostile],
        &["explain", "http://page.example/private", &hostile, EVIL],
        &["explain", "--json", "http://page.example/private", &hostile],
        &["verify"],
        &["verify", "--json"],
        &["reindex"],
        &["block", &hostile, "--reason", EVIL],
        &["show", &hostile],
        &["forget", &hostile, "--reason", EVIL, "--dry-run"],
        &["import", "seeds"],
        &["query", "--sql", EVIL],
        &["query", "--format", EVIL, "--sql", "SELECT 1"],
        &["crawl", EVIL],
        &["crawl", "--config", EVIL],
        &["crawl", "--delay", EVIL],
        &[EVIL],
    ] {
        check(&format!("{arguments:?}"), &run(&mut scene.command(arguments)));
    }
    for view in ["article", "article_version", "image", "capture_log", "failure"] {
        for format in ["table", "json", "jsonl", "csv", "tsv"] {
            let sql = format!("SELECT *, '{EVIL}' AS \"{EVIL}\" FROM {view}");
            let output = run(&mut scene.command(&["query", "--format", format, "--sql", &sql]));
            assert_eq!(output.status.code(), Some(0), "{view}");
            check(&format!("{view} as {format}"), &output);
        }
    }
}

#[test]
fn a_terminal_of_its_own_is_not_steered_either() {
    let scene = Scene::new();
    // `script` gives a command a terminal. What draws the bars may be obeyed; what servers say may not.
    let crawl = scene.crawl("archive");
    let line: Vec<String> = std::iter::once(crawl.get_program())
        .chain(crawl.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script");
    script.args(["-qec", &line.join(" "), "/dev/null"]).current_dir(scene.folder.path()).env("TERM", "xterm");
    let output = script.output().expect("`script` is part of every Debian (bsdutils)");
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("redirects to «evil:�[2J"), "{shown}");
    for part in ["\u{1b}[2J", "\u{1b}]0;", "\u{7}", "\u{9b}", "\u{202e}", "\u{2066}", "\u{7f}"] {
        assert!(!shown.contains(part), "{part:?} is in {shown:?}");
    }
}

#[test]
fn a_title_is_no_formula() {
    let scene = Scene::new();
    assert_eq!(run(&mut scene.crawl("archive")).status.code(), Some(0));
    for (format, guarded) in [("csv", "\"'=HYPERLINK(\"\"http"), ("tsv", "'=HYPERLINK(\"http")] {
        let sql = "SELECT title, -1 AS number FROM article WHERE title LIKE '=%'";
        let output = run(&mut scene.command(&["query", "--format", format, "--sql", sql]));
        let text = String::from_utf8(output.stdout).unwrap();
        let row = text.lines().nth(1).unwrap();
        assert!(row.starts_with(guarded) && row.ends_with("-1"), "{text}");
    }
}

/// Every file and folder below this one, by the name it has there.
fn below(folder: &Path, root: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
        if path.is_dir() {
            below(&path, root, names);
        }
    }
}

#[test]
fn nothing_of_the_web_becomes_a_file_name() {
    let scene = Scene::new();
    assert_eq!(run(&mut scene.crawl("archive")).status.code(), Some(0));
    for arguments in [&["export", "wacz", "out/all.wacz"][..], &["export", "warc", "out/all"]] {
        std::fs::create_dir_all(scene.folder.path().join("out")).unwrap();
        assert_eq!(run(&mut scene.command(arguments)).status.code(), Some(0));
    }
    let mut all = BTreeSet::new();
    for part in ["archive", "out"] {
        below(&scene.folder.path().join(part), scene.folder.path(), &mut all);
    }
    let package = std::fs::File::open(scene.folder.path().join("out/all.wacz")).unwrap();
    let mut package = zip::ZipArchive::new(package).unwrap();
    for number in 0..package.len() {
        all.insert(format!("package/{}", package.by_index(number).unwrap().name().unwrap()));
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    for name in &all {
        assert!(name.chars().all(plain) && !name.contains("..") && name.len() < 100, "{name:?} is no name of ours");
        assert!(
            !["passwd", "owned", "nnn", "fdp"].iter().any(|part| name.contains(part)),
            "{name:?} is somebody else's"
        );
    }
    // Beside what the scene has made, there is nothing new.
    let mut above = BTreeSet::new();
    below(scene.folder.path(), scene.folder.path(), &mut above);
    above.retain(|name| !name.contains('/'));
    assert_eq!(above, ["archive", "out", "seeds"].map(str::to_owned).into());
}
