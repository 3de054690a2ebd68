//! Logins, tokens and cookies reach the server they are for, and nothing else: no other server, no file, no message.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use pressmark::archive::{Notes, Records};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, run, warcs};
use crate::origin::{Authority, Line, Origin};

/// What must be nowhere: the login as it stands in the URL, as it is, as it is sent; the token, the cookies.
const SECRETS: [&str; 7] =
    ["hushuser", "p%40ss-hush", "p@ss-hush", "aHVzaHVzZXI6cEBzcy1odXNo", "token-hush", "cookie-hush", "safe-hush"];

const JAR: &str = "# Netscape HTTP Cookie File\n\
    .news.example\tTRUE\t/\tFALSE\t0\tsession\tcookie-hush\n\
    #HttpOnly_safe.example\tFALSE\t/\tTRUE\t0\tsafe\tsafe-hush\n";

const PAGE: &str = "<!doctype html><title>Let in</title><p>In.<img src=/picture.png>\
    <a href='http://hushlink:hushlink@other.example/from-a-link'>over there</a>";

fn answer(status: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{fields}\r\n{body}")
        .into_bytes()
}

/// Lets in who has the login, the token and the cookie; leads to another host and back.
async fn guarded(mut line: Line) {
    while let Some(head) = line.request().await {
        let head = String::from_utf8(head).unwrap();
        let wanted = [
            "Authorization: Basic aHVzaHVzZXI6cEBzcy1odXNo\r\n",
            "X-Key: token-hush\r\n",
            "Cookie: session=cookie-hush\r\n",
        ];
        let path = head.split(' ').nth(1).unwrap();
        let said = match path {
            _ if !wanted.iter().all(|field| head.contains(field)) => answer("401 Unauthorized", "", "who are you?"),
            "/robots.txt" => answer("404 Not Found", "", ""),
            "/away" => answer("302 Found", "Location: http://other.example/landing\r\n", ""),
            _ => answer("200 OK", "", PAGE),
        };
        line.say(&said).await;
    }
}

/// Sends everybody back to the guarded host, with a login in the address.
async fn other(mut line: Line) {
    while let Some(head) = line.request().await {
        let said = if head.starts_with(b"GET /landing ") {
            answer("302 Found", "Location: http://hushlink:hushlink@news.example/back\r\n", "")
        } else {
            answer("200 OK", "", "<title>Elsewhere</title>")
        };
        line.say(&said).await;
    }
}

/// Lets in who has the cookie.
async fn safe(mut line: Line) {
    while let Some(head) = line.request().await {
        let is_in = String::from_utf8(head).unwrap().contains("Cookie: safe=safe-hush\r\n");
        line.say(&if is_in { answer("200 OK", "", PAGE) } else { answer("401 Unauthorized", "", "") }).await;
    }
}

/// The servers, and a folder with settings that name the secrets.
struct Scene {
    folder: TempDir,
    guarded: Origin,
    other: Origin,
    safe: Origin,
    _runtime: Runtime,
}

impl Scene {
    fn new() -> Scene {
        let (runtime, folder, authority) = (Runtime::new().unwrap(), TempDir::new().unwrap(), Authority::new());
        let tls = authority.certify("safe.example").0;
        let (guarded, other, safe) = runtime.block_on(async {
            tokio::join!(Origin::start(None, guarded), Origin::start(None, other), Origin::start(Some(tls), safe))
        });
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("jar.txt", JAR);
        write("ca.pem", &authority.pem());
        write("pressmark.toml", "header = [\"http://news.example X-Key: token-hush\"]\ncookies = \"jar.txt\"\n");
        write(
            "list.txt",
            "http://hushuser:p%40ss-hush@news.example/\n\
             http://news.example/away\n\
             https://safe.example/\n\
             http://safe.example/\n\
             http://hushuser:p%40ss-hush@news.example:99999/\n\
             http://hushuser:x/p@ss-hush@news.example/\n\
             desk:p%40ss-hush@news.example\n",
        );
        Scene { folder, guarded, other, safe, _runtime: runtime }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// The binary in the folder with the settings.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = pressmark();
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    fn crawl(&self) -> Command {
        let mut command = self.command(&["crawl", "list.txt", "--json", "--delay", "1ms", "--ca-file", "ca.pem"]);
        for (name, origin) in [
            ("news.example:80", &self.guarded),
            ("other.example:80", &self.other),
            ("safe.example:443", &self.safe),
            ("safe.example:80", &self.other),
        ] {
            command.arg("--resolve").arg(format!("{name}:{}", origin.address));
        }
        command
    }
}

fn heads(origin: &Origin) -> Vec<String> {
    origin.requests().into_iter().map(|head| String::from_utf8(head).unwrap()).collect()
}

/// Every file below a folder, unpacked where it is packed.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if bytes.starts_with(b"\x1f\x8b") {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
            bytes = plain;
        }
        all.insert(path, bytes);
    }
    all
}

/// None of the secrets is in these bytes.
#[track_caller]
fn check_clean(what: &str, bytes: &[u8]) {
    for secret in SECRETS.iter().chain(&["hushlink"]) {
        let at = bytes.windows(secret.len()).position(|window| window.eq_ignore_ascii_case(secret.as_bytes()));
        if let Some(at) = at {
            let around = &bytes[at.saturating_sub(80)..(at + 80).min(bytes.len())];
            panic!("{what} holds {secret}: {}", String::from_utf8_lossy(around));
        }
    }
}

#[test]
fn secrets_reach_their_server_and_nothing_else() {
    let scene = Scene::new();
    let output = run(&mut scene.crawl());
    assert_eq!(output.status.code(), Some(0));

    // The server saw them with every request, the robots and the picture included.
    let seen = heads(&scene.guarded);
    let asked: Vec<&str> = seen.iter().map(|head| head.split(' ').nth(1).unwrap()).collect();
    for path in ["/robots.txt", "/", "/picture.png", "/away", "/back"] {
        assert!(asked.contains(&path), "{path} was not asked for: {asked:?}");
    }
    let bare = seen.iter().find(|head| !(head.contains("token-hush") && head.contains("Authorization: Basic")));
    assert_eq!(bare, None);
    let safe = heads(&scene.safe);
    assert!(safe.iter().any(|head| head.starts_with("GET / ")), "{safe:?}");
    assert!(safe.iter().all(|head| head.contains("safe=safe-hush")), "{safe:?}");
    // The others did not: not after a redirect, not over plain HTTP.
    assert!(heads(&scene.other).len() >= 3);
    for head in heads(&scene.other) {
        check_clean("another server", head.as_bytes());
        assert!(!head.contains("Authorization") && !head.contains("Cookie"), "{head}");
    }

    check_clean("standard output", &output.stdout);
    check_clean("standard error", &output.stderr);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("list.txt:5: not a URL (its port is no number up to 65535): http://***@news.example"),
        "{said}"
    );
    check_files(&scene.archive());
    check_records(&scene.archive());
    check_questions(&scene);
}

#[test]
fn a_login_in_the_address_of_a_post_is_used_and_kept_nowhere() {
    let scene = Scene::new();
    let post = "---\ntitle: Let in\nlink: http://hushuser:p%40ss-hush@news.example/by-post\n---\n";
    std::fs::write(scene.folder.path().join("post.md"), post).unwrap();
    let mut command = scene.command(&["crawl", "post.md", "--json", "--delay", "1ms", "--ca-file", "ca.pem"]);
    let output = run(command.arg("--resolve").arg(format!("news.example:80:{}", scene.guarded.address)));
    assert_eq!(output.status.code(), Some(0));
    let seen = heads(&scene.guarded);
    assert!(seen.iter().any(|head| head.starts_with("GET /by-post ")), "{seen:?}");
    assert_eq!(seen.iter().find(|head| !head.contains("Authorization: Basic aHVzaHVzZXI6cEBzcy1odXNo\r\n")), None);
    check_clean("standard output", &output.stdout);
    check_clean("standard error", &output.stderr);
    check_files(&scene.archive());
}

/// What servers sent is kept as it came, and these servers sent a login in an address: their own, not the user's.
fn check_files(archive: &Path) {
    let all = files(archive);
    assert!(all.keys().any(|path| path.ends_with("pressmark.sqlite3")), "{:?}", all.keys());
    for (path, bytes) in all {
        let sent: Vec<u8> = String::from_utf8_lossy(&bytes).replace("hushlink:hushlink@", "").into_bytes();
        check_clean(&path.display().to_string(), &sent);
    }
}

/// The request says that something was sent, and the notes say what.
fn check_records(archive: &Path) {
    let (mut requests, mut noted) = (0, 0);
    for record in warcs(archive).iter().flat_map(|file| Records::open(file, 0).unwrap()).map(Result::unwrap) {
        let uri = record.field("WARC-Target-URI").unwrap_or("");
        if !uri.starts_with("http://news.example/") {
            continue;
        }
        if record.kind() == "request" {
            let block = String::from_utf8(record.block.clone()).unwrap();
            for field in ["Authorization: [withheld]\r\n", "X-Key: [withheld]\r\n", "Cookie: [withheld]\r\n"] {
                assert!(block.contains(field), "{block}");
            }
            requests += 1;
        } else if record.kind() == "metadata" {
            let mut withheld = Notes::of_block(&record.block).unwrap().withheld;
            withheld.sort();
            assert_eq!(withheld, ["authorization", "cookie", "x-key"], "{uri}");
            noted += 1;
        }
    }
    assert!(requests >= 5 && noted == requests, "{requests} requests, {noted} notes");
}

/// Whatever the archive is asked, by URLs that hold a login, the answer holds none.
fn check_questions(scene: &Scene) {
    let url = "http://hushuser:p%40ss-hush@news.example/";
    let everything = "SELECT * FROM capture_log";
    for arguments in [
        &["status"][..],
        &["status", "--json"],
        &["explain", url],
        &["explain", "--json", url],
        &["show", url],
        &["query", "--sql", everything],
        &["query", "--format", "csv", "--sql", everything],
        &["query", "--format", "json", "--sql", "SELECT * FROM failure"],
        &["verify"],
    ] {
        let output = run(&mut scene.command(arguments));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        check_clean(arguments[0], &output.stdout);
        check_clean(arguments[0], &output.stderr);
    }
}

#[test]
fn mistakes_in_secrets_are_named_without_them() {
    let scene = Scene::new();
    let write = |name: &str, text: &str| std::fs::write(scene.folder.path().join(name), text).unwrap();
    write("bad.txt", "# Netscape HTTP Cookie File\n\n.news.example\tTRUE\t/\tFALSE\tsoon\tsession\tcookie-hush\n");
    write("two.txt", "http://hushuser:p%40ss-hush@news.example/\nhttp://hushuser:token-hush@news.example/\n");
    write("post.md", "---\ntitle: x\nlink: http://hushuser:token-hush@news.example/\n---\n");
    write("form.toml", "header = \"Authorization: token-hush\"\n");
    write("twice.toml", "header = [\"http://a.example X-Key: token-hush\", \"http://a.example x-key: cookie-hush\"]\n");
    write("kind.toml", "header = [[\"token-hush\"]]\n");
    write("unknown.toml", "haeder = \"http://news.example X-Key: token-hush\"\n");
    let login = "http://hushuser:p%40ss-hush@news.example:99999/";
    for (arguments, want) in [
        (&["crawl", "list.txt", "--cookies", "bad.txt"][..], "bad.txt:3: its fifth cell is the second it expires"),
        (&["crawl", "list.txt", "--cookies", "none.txt"], "cannot read none.txt"),
        (&["crawl", "two.txt"], "two.txt:2: a second login for http://news.example"),
        (
            &["crawl", "list.txt", "post.md"],
            "post.md:3: a second login for http://news.example, and a run has room for one; give them to two runs \
             (the first: list.txt:1)",
        ),
        (&["crawl", "post.md", "http://u@news.example/"], "the command line: a second login for http://news.example"),
        (&["crawl", "list.txt", "--config", "form.toml"], "--header, the first: begins with no origin"),
        (&["crawl", "list.txt", "--config", "twice.toml"], "--header, the second: sets x-key for http://a.example"),
        (&["crawl", "list.txt", "--config", "kind.toml"], "kind.toml, line 1: «header» has a value of no use here"),
        (&["crawl", "list.txt", "--config", "unknown.toml"], "unknown.toml, line 1: there is no setting «haeder»"),
        (&["crawl", "list.txt", "--header", "http://a.example Host: token-hush"], "belongs to the connection"),
        (&["crawl", login], "«http://***@news.example:99999/»: not a URL (its port is no number up to 65535)"),
        (&["explain", login], "«http://***@news.example:99999/»: not a URL (its port is no number up to 65535)"),
        (&["forget", login, "--reason", "x"], "its port is no number up to 65535"),
        (&["status", login], "unexpected argument 'http://***@news.example:99999/'"),
        (&["crawl", "--delay", login], "http://***@news.example:99999/"),
    ] {
        let output = run(&mut scene.command(arguments));
        assert_eq!(output.status.code(), Some(if want.starts_with("cannot read") { 1 } else { 2 }), "{arguments:?}");
        check_clean("standard output", &output.stdout);
        check_clean("standard error", &output.stderr);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(want), "{arguments:?}: {said}");
    }
    // Help shows defaults, and settings become defaults.
    let help = run(&mut scene.command(&["crawl", "--help"]));
    check_clean("help", &help.stdout);
    let mut by_environment = scene.command(&["crawl", "list.txt"]);
    let output = run(by_environment.env("PRESSMARK_HEADER", "http://a.example X-Key: 1\nhttp://a.example token-hush"));
    assert_eq!(output.status.code(), Some(2));
    check_clean("standard error", &output.stderr);
    assert!(heads(&scene.guarded).is_empty(), "nothing is asked for with settings that cannot be meant");
}

#[test]
fn nothing_is_writable_by_others_and_what_needed_a_login_is_not_readable() {
    let scene = Scene::new();
    let mut shell = Command::new("sh");
    shell.env_clear().current_dir(scene.folder.path()).args(["-c", "umask 000; exec \"$0\" \"$@\""]);
    let crawl = scene.crawl();
    let output = run(shell.arg(crawl.get_program()).args(crawl.get_args()));
    assert_eq!(output.status.code(), Some(0));
    for arguments in [&["export", "wacz", "out.wacz"][..], &["export", "cdxj", "out.cdxj"], &["export", "warc", "out"]]
    {
        let mut shell = Command::new("sh");
        shell.env_clear().current_dir(scene.folder.path()).args(["-c", "umask 000; exec \"$0\" \"$@\""]);
        assert_eq!(run(shell.arg(env!("CARGO_BIN_EXE_pressmark")).args(arguments)).status.code(), Some(0));
    }
    let mut paths = vec![scene.archive(), scene.folder.path().join("out.wacz"), scene.folder.path().join("out.cdxj")];
    paths.push(scene.folder.path().join("out"));
    let (mut seen, mut private) = (0, 0);
    while let Some(path) = paths.pop() {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o022, 0, "{} has mode {mode:o}", path.display());
        let holds_pages = ["gz", "sqlite3"].iter().any(|end| path.extension().is_some_and(|own| own == *end));
        if path.ends_with("spool") || (holds_pages && path.starts_with(scene.archive())) {
            assert_eq!(mode & 0o077, 0, "{} is readable by others: {mode:o}", path.display());
            private += 1;
        }
        if path.is_dir() {
            paths.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        seen += 1;
    }
    assert!(seen >= 9 && private >= 2, "{seen} files and folders, {private} private");
}
