//! What becomes of a URL by what its host answers for robots.txt: a table over real sockets, crawled by the built binary
//! in one run, each case on a host of its own. What a file says that was had is in `robots_rules.rs`.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use pressmark::archive::{Notes, Records};
use serde_json::Value;

use crate::lantern::{nobody, pressmark, rows, run, warcs};
use crate::origin::{Authority, Line, Origin, self_signed};

/// What a host does when it is asked for its robots.txt.
#[derive(Clone)]
enum Does {
    /// Says these bytes, and closes.
    Says(Vec<u8>),
    /// Says these bytes, and nothing more.
    Stalls(&'static str),
    /// Breaks the connection.
    Resets,
    /// Listens nowhere.
    Refuses,
    /// Has this certificate, and no file.
    Certificate(Certificate),
}

#[derive(Clone, Copy)]
enum Certificate {
    Good,
    SelfSigned,
    WrongName,
    /// Answers in plain text where TLS is spoken.
    None,
}

/// What becomes of the page.
#[derive(Debug, PartialEq)]
enum Page {
    /// It is fetched, by this leave.
    Fetched(&'static str),
    /// It is not, by this rule in this line.
    Forbidden(&'static str, usize),
    /// It is not, and the reason says this.
    Failed(&'static str),
}
use Page::{Failed, Fetched, Forbidden};

struct Case {
    name: &'static str,
    does: Does,
    page: Page,
}

fn case(name: &'static str, does: Does, page: Page) -> Case {
    Case { name, does, page }
}

fn says(text: impl AsRef<[u8]>) -> Does {
    Does::Says(text.as_ref().to_vec())
}

/// An answer with this status line and fields, and a body of its length.
fn answer(head: &str, body: impl AsRef<[u8]>) -> Does {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    Does::Says(bytes)
}

fn moved(to: &str) -> Does {
    answer(&format!("301 Moved\r\nLocation: {to}"), "moved")
}

/// A file that forbids the page in its second line.
const FILE: &str = "User-agent: *\nDisallow: /page\n";
const RULE: Page = Forbidden("Disallow: /page", 2);
const FREE: Page = Fetched("no rule matches");
const GONE: Page = Fetched("no robots.txt (404)");

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of so many bytes that forbids the page at its end.
fn long(len: usize) -> String {
    format!("User-agent: *\n{}\nDisallow: /page", "#".repeat(len - 30))
}

fn cases() -> Vec<Case> {
    let file = |head: &str| answer(head, FILE);
    let chunked = |rest: &str| says(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{rest}"));
    let chunk = format!("{:x}\r\n{FILE}\r\n", FILE.len());
    let mut cases = vec![
        // 2.3.1.1: there is a file
        case("200", file("200 OK"), RULE),
        case("200 that allows", answer("200 OK", "User-agent: *\nDisallow: /\nAllow: /page"), Fetched("Allow: /page")),
        case("200 for others", answer("200 OK", "User-agent: other\nDisallow: /"), FREE),
        case("200 and slow", answer("200 OK", "User-agent: *\nCrawl-delay: 2\nSitemap: http://h.example/s.xml"), FREE),
        case("200 for us by name", answer("200 OK", "User-agent: PressMark/1.0\nDisallow: /page"), RULE),
        case("200 and empty", answer("200 OK", ""), FREE),
        case("200 without a length", says(format!("HTTP/1.1 200 OK\r\n\r\n{FILE}")), RULE),
        case("200 of HTTP/1.0", says(format!("HTTP/1.0 200 OK\r\n\r\n{FILE}")), RULE),
        case("200 as HTML", file("200 OK\r\nContent-Type: text/html"), RULE),
        case("a page instead of it", answer("200 OK\r\nContent-Type: text/html", "<html><p>Not here</p>"), FREE),
        case("binary", answer("200 OK", [0u8, 159, 146, 150, 0, 10, 255].repeat(100)), FREE),
        case("a mark at the beginning", answer("200 OK", format!("\u{feff}{FILE}")), RULE),
        case("CR only", answer("200 OK", FILE.replace('\n', "\r")), RULE),
        case("gzip", answer("200 OK\r\nContent-Encoding: gzip", gzip(FILE.as_bytes())), RULE),
        case("gzip by name only", file("200 OK\r\nContent-Encoding: gzip"), RULE),
        case("201", file("201 Created"), RULE),
        case("203", file("203 Non-Authoritative Information"), RULE),
        case("204", says("HTTP/1.1 204 No Content\r\n\r\n"), FREE),
        case("206", file("206 Partial Content\r\nContent-Range: bytes 0-29/30"), RULE),
        case("after 103", says(format!("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{FILE}")), RULE),
        case("chunked", chunked(&format!("{chunk}0\r\n\r\n")), RULE),
        case("500 KiB", answer("200 OK", long(500 * 1024)), Forbidden("Disallow: /page", 3)),
        case("500 KiB and one byte", answer("200 OK", long(500 * 1024 + 1)), FREE),
        case("30 MB", answer("200 OK", format!("{FILE}{}", "#\n".repeat(15_000_000))), RULE),
        // 2.3.1.3: there is none
        case("400", file("400 Bad Request"), Fetched("no robots.txt (400)")),
        case("401", file("401 Unauthorized"), Fetched("no robots.txt (401)")),
        case("403", file("403 Forbidden"), Fetched("no robots.txt (403)")),
        case("404", file("404 Not Found"), GONE),
        case("410", file("410 Gone"), Fetched("no robots.txt (410)")),
        case("418", file("418 I'm a teapot"), Fetched("no robots.txt (418)")),
        case("451", file("451 Unavailable For Legal Reasons"), Fetched("no robots.txt (451)")),
        case("499", file("499 Gone Away"), Fetched("no robots.txt (499)")),
        // 2.3.1.4: it cannot be had
        case("429", file("429 Too Many Requests\r\nRetry-After: 0"), Failed("robots.txt answered 429")),
        case("500", file("500 Broken"), Failed("robots.txt answered 500")),
        case("502", file("502 Bad Gateway"), Failed("robots.txt answered 502")),
        case("503", file("503 Busy\r\nRetry-After: 0"), Failed("robots.txt answered 503")),
        case("504", file("504 Late"), Failed("robots.txt answered 504")),
        case("599", file("599 What"), Failed("robots.txt answered 599")),
        case("600", file("600 Beyond"), Failed("robots.txt answered 600")),
        case("no HTTP", says("fnord\r\n\r\n"), Failed("")),
        case("nothing", says(""), Failed("")),
        case("a reset", Does::Resets, Failed("")),
        case("nobody listens", Does::Refuses, Failed("refused")),
        case("a stalled head", Does::Stalls("HTTP/1.1 200 OK\r\n"), Failed("robots.txt cannot be had (stalled)")),
        case(
            "a stalled body",
            Does::Stalls("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser-agent: *\n"),
            Failed(""),
        ),
        case("cut short", says(format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{FILE}")), Failed("")),
        case("cut between chunks", chunked(&chunk), Failed("robots.txt cannot be had (cut off)")),
        case("a chunk that lies", chunked("zz\r\n"), Failed("robots.txt got no readable answer")),
        case("a certificate of its own", Does::Certificate(Certificate::SelfSigned), Failed("")),
        case("another's certificate", Does::Certificate(Certificate::WrongName), Failed("")),
        case("plain text where TLS is spoken", Does::Certificate(Certificate::None), Failed("")),
        case("a good certificate", Does::Certificate(Certificate::Good), GONE),
        // 2.3.1.2: it has moved
        case("moved to another path", moved("/hop/0"), RULE),
        case("moved five times", moved("/hop/4"), RULE),
        case("moved six times", moved("/hop/5"), GONE),
        case("moved in a circle", moved("/robots.txt"), GONE),
        case("moved to another host", moved("http://library.example/hop/0"), RULE),
        case("moved five times over hosts", moved("http://library.example/hop/4"), RULE),
        case("moved to https", moved("https://secure.example/hop/0"), RULE),
        case("moved to a certificate of its own", moved("https://selfsigned.example/hop/0"), Failed("")),
        case("moved to where it is missing", moved("http://library.example/missing"), GONE),
        case("moved to where it is broken", moved("http://library.example/broken"), Failed("robots.txt answered 500")),
        case("moved to a host that refuses", moved("http://dead.example/"), Failed("refused")),
        case("moved into the local network", moved("http://192.168.0.1/"), Failed("192.168.0.1")),
        case("moved nowhere", file("302 Found"), GONE),
        case("moved to no address", moved("mailto:robots@library.example"), GONE),
        case("moved to a host that keeps all out", moved("http://closed.example/hop/0"), RULE),
        case("unchanged, though nobody asked", says("HTTP/1.1 304 Not Modified\r\n\r\n"), GONE),
    ];
    for (name, status) in [("302", 302), ("303", 303), ("307", 307), ("308", 308)] {
        cases.push(case(name, answer(&format!("{status} Moved\r\nLocation: /hop/1"), ""), RULE));
    }
    cases
}

/// A page that says to whom it may be shown.
const PAGE: &str =
    "<html><meta name=Robots content='noarchive, nofollow'><meta name=pressmark content=noimageindex><p>A page.";

/// Answers for whichever host is asked for.
async fn serve(mut line: Line, does: Arc<HashMap<String, Does>>) {
    while let Some(head) = line.request().await {
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let host = head.lines().find_map(|line| line.strip_prefix("Host: ").or(line.strip_prefix("host: "))).unwrap();
        let hop = |hop: u32| match hop {
            0 => answer("200 OK", FILE),
            hop => moved(&format!("/hop/{}", hop - 1)),
        };
        let does = match (path, path.strip_prefix("/hop/")) {
            (_, Some(number)) => hop(number.parse().unwrap()),
            ("/robots.txt", _) => {
                does.get(host).cloned().unwrap_or_else(|| answer("200 OK", "User-agent: *\nDisallow: /"))
            }
            ("/broken", _) => answer("500 Broken", ""),
            ("/page", _) => answer("200 OK\r\nContent-Type: text/html\r\nX-Robots-Tag: pressmark: noindex", PAGE),
            _ => answer("404 Not Found", ""),
        };
        match does {
            Does::Says(bytes) => {
                line.say(&bytes).await;
                return line.close().await;
            }
            Does::Stalls(text) => {
                line.say(text.as_bytes()).await;
                return line.hang().await;
            }
            Does::Resets | Does::Refuses => return line.reset(),
            Does::Certificate(_) => {
                line.say(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
            }
        }
    }
}

/// The servers behind the table, and what tells the crawler where they are.
struct Web {
    _runtime: tokio::runtime::Runtime,
    _origins: Vec<Origin>,
    roots: tempfile::NamedTempFile,
    resolve: Vec<String>,
    seeds: Vec<String>,
}

fn host(number: usize) -> String {
    format!("h{number}.example")
}

impl Web {
    fn of(cases: &[Case]) -> Web {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let authority = Authority::new();
        let mut roots = tempfile::NamedTempFile::new().unwrap();
        roots.write_all(authority.pem().as_bytes()).unwrap();
        let does: HashMap<String, Does> =
            cases.iter().enumerate().map(|(number, case)| (host(number), case.does.clone())).collect();
        let does = Arc::new(does);
        let mut origins = Vec::new();
        // Each at an address of its own: what one host asks for, the others at its address wait for.
        let mut free = 1..;
        let mut start = |tls| {
            let (does, last) = (does.clone(), free.next().unwrap());
            let serve = move |line| serve(line, does.clone());
            let origin = runtime.block_on(Origin::start_at(([127, 0, 9, last], 0).into(), tls, serve));
            let address = origin.address;
            origins.push(origin);
            address
        };
        let plain = start(None);
        let (secure, selfsigned) =
            (start(Some(authority.certify("secure.example").0)), start(Some(self_signed("selfsigned.example"))));
        let mut resolve = vec![
            format!("library.example:80:{plain}"),
            format!("closed.example:80:{plain}"),
            format!("secure.example:443:{secure}"),
            format!("selfsigned.example:443:{selfsigned}"),
            format!("dead.example:80:{}", nobody()),
        ];
        let mut seeds = Vec::new();
        for (number, case) in cases.iter().enumerate() {
            let host = host(number);
            let (scheme, port, address) = match case.does {
                Does::Refuses => ("http", 80, nobody()),
                Does::Certificate(certificate) => {
                    let address = match certificate {
                        Certificate::Good => start(Some(authority.certify(&host).0)),
                        Certificate::SelfSigned => start(Some(self_signed(&host))),
                        Certificate::WrongName => start(Some(authority.certify("another.example").0)),
                        Certificate::None => plain,
                    };
                    ("https", 443, address)
                }
                _ => ("http", 80, start(None)),
            };
            resolve.push(format!("{host}:{port}:{address}"));
            seeds.push(format!("{scheme}://{host}/page"));
        }
        Web { _runtime: runtime, _origins: origins, roots, resolve, seeds }
    }

    fn crawl(&self, archive: &std::path::Path) -> Command {
        let mut command = pressmark();
        command.args("crawl --delay 0s --timeout 2s --concurrency 128 --quiet --archive".split(' ')).arg(archive);
        command.arg("--ca-file").arg(self.roots.path());
        for resolve in &self.resolve {
            command.arg("--resolve").arg(resolve);
        }
        command.args(&self.seeds);
        command
    }
}

/// The table, crawled once for all tests.
struct Crawled {
    cases: Vec<Case>,
    seeds: Vec<String>,
    archive: tempfile::TempDir,
}

fn crawled() -> &'static Crawled {
    static ONCE: OnceLock<Crawled> = OnceLock::new();
    ONCE.get_or_init(|| {
        let cases = cases();
        let (web, archive) = (Web::of(&cases), tempfile::tempdir().unwrap());
        run(&mut web.crawl(archive.path()));
        Crawled { cases, seeds: web.seeds.clone(), archive }
    })
}

impl Crawled {
    fn page(&self, name: &str) -> &str {
        let number = self.cases.iter().position(|case| case.name == name);
        &self.seeds[number.unwrap_or_else(|| panic!("there is no case «{name}»"))]
    }

    /// What the metadata record of this URL says.
    fn notes(&self, url: &str) -> Notes {
        let files = warcs(self.archive.path()).into_iter();
        files
            .flat_map(|file| Records::open(&file, 0).unwrap().map(Result::unwrap))
            .filter(|record| record.kind() == "metadata" && record.field("WARC-Target-URI") == Some(url))
            .find_map(|record| Notes::of_block(&record.block))
            .unwrap()
    }

    /// What `explain` says of a page, as JSON and for people.
    fn explained(&self, url: &str) -> (Value, String) {
        let explain = |form: &[&str]| {
            let mut command = pressmark();
            let output = run(command.args(["explain", url]).args(form).arg("--archive").arg(self.archive.path()));
            assert!(output.status.success());
            String::from_utf8(output.stdout).unwrap()
        };
        (serde_json::from_str(&explain(&["--json"])).unwrap(), explain(&[]))
    }
}

#[test]
fn every_answer_for_robots_txt_means_what_the_standard_says() {
    let Crawled { cases, seeds, archive } = crawled();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdicts: BTreeMap<String, Vec<Value>> =
        rows(archive.path(), "SELECT url, allowed, rule, line, state FROM robots_verdict")
            .into_iter()
            .map(|row| (text(&row[0]), row))
            .collect();
    let failures: BTreeMap<String, String> = rows(archive.path(), "SELECT url, what, reason FROM failure")
        .into_iter()
        .map(|row| (text(&row[0]), format!("{}: {}", text(&row[1]), text(&row[2]))))
        .collect();
    for (case, url) in cases.iter().zip(seeds) {
        let (verdict, failure) = (verdicts.get(url), failures.get(url));
        let found = format!("{}: {url}: {verdict:?}, {failure:?}", case.name);
        match case.page {
            Fetched(rule) => {
                let verdict = verdict.unwrap_or_else(|| panic!("{found}"));
                assert_eq!(
                    (text(&verdict[2]).as_str(), &verdict[1], text(&verdict[4]).as_str()),
                    (rule, &1.into(), "done"),
                    "{found}"
                );
            }
            Forbidden(rule, line) => {
                let verdict = verdict.unwrap_or_else(|| panic!("{found}"));
                assert_eq!((text(&verdict[2]).as_str(), &verdict[3]), (rule, &line.into()), "{found}");
                assert_eq!((&verdict[1], text(&verdict[4]).as_str()), (&0.into(), "refused"), "{found}");
            }
            Failed(reason) => {
                let failure = failure.unwrap_or_else(|| panic!("{found}"));
                assert!(failure.starts_with("failed: ") && failure.contains(reason), "{found}");
                let verdict = verdict.unwrap_or_else(|| panic!("{found}"));
                assert!(
                    verdict[1] == 0 && verdict[3].is_null() && text(&verdict[2]).contains("may be fetched"),
                    "{found}"
                );
            }
        }
    }
    // Each answer is a capture, where it moved to included; the page of a host that failed was never asked for.
    let robots = rows(archive.path(), "SELECT count(*) FROM capture_log WHERE role = 'robots' AND url LIKE '%/hop/%'");
    assert!(robots[0][0].as_u64().unwrap() >= 20, "{robots:?}");
    let pages = rows(archive.path(), "SELECT url, robots_rule, robots_line FROM capture_log WHERE role = 'page'");
    let fetched = cases.iter().filter(|case| matches!(case.page, Fetched(_))).count();
    assert_eq!(pages.len(), fetched, "{pages:?}");
    assert!(pages.iter().all(|page| page[1].is_string()), "{pages:?}");
}

#[test]
fn what_is_not_obeyed_to_the_letter_is_noted() {
    let crawled = crawled();
    let robots = |name| crawled.page(name).replace("/page", "/robots.txt");
    let long = crawled.notes(&robots("30 MB"));
    assert_eq!(long.oddities, ["robots.txt is longer than 512000 bytes: it was read up to line 255987"]);
    let question = format!("SELECT size_bytes, truncated FROM capture_log WHERE url = '{}'", robots("30 MB"));
    let kept = rows(crawled.archive.path(), &question);
    assert_eq!(kept, [[Value::from(FILE.len() + 30_000_000), Value::Null]], "all of it is kept");
    assert_eq!(crawled.notes(&robots("200 and slow")).outlinks, ["http://h.example/s.xml"]);
}

#[test]
fn explain_says_why_and_by_which_copy() {
    let crawled = crawled();
    for (name, allowed, rule, line, why, from) in [
        ("200", false, Some("Disallow: /page"), Some(2), "Disallow: /page", Some("http://h0.example/robots.txt")),
        ("200 that allows", true, Some("Allow: /page"), Some(3), "Allow: /page", Some("http://h1.example/robots.txt")),
        ("a stalled head", false, None, None, "robots.txt cannot be had (stalled), so nothing may be fetched", None),
        ("404", true, None, None, "no robots.txt (404)", Some("robots.txt")),
        (
            "moved five times over hosts",
            false,
            Some("Disallow: /page"),
            Some(2),
            "Disallow: /page",
            Some("http://library.example/hop/0"),
        ),
        ("503", false, None, None, "robots.txt answered 503, so nothing may be fetched", None),
    ] {
        let (json, text) = crawled.explained(crawled.page(name));
        let robots = &json["robots"];
        assert_eq!(robots["allowed"], allowed, "{name}: {robots}");
        assert_eq!((robots["rule"].as_str(), robots["line"].as_u64()), (rule, line), "{name}: {robots}");
        assert_eq!(robots["why"], why, "{name}: {robots}");
        assert_eq!(robots["from"].as_str().is_some(), from.is_some(), "{name}: {robots}");
        assert!(robots["from"].as_str().unwrap_or_default().ends_with(from.unwrap_or_default()), "{name}: {robots}");
        let word = if allowed { "allowed" } else { "forbidden" };
        assert!(text.contains(&format!("robots     {word}: {why}")), "{name}: {text}");
        if let Some(line) = line {
            let place = format!("(line {line} of {}, ", from.unwrap());
            assert!(text.contains(&place) && text.contains(" old)"), "{name}: {text}");
        }
    }
}

#[test]
fn explain_knows_the_delay_and_other_names() {
    let crawled = crawled();
    assert_eq!(crawled.explained(crawled.page("200 and slow")).0["pace"]["delay_ms"], 2000);
    let url = crawled.page("200 for others");
    for (user_agent, line) in
        [("pressmark/1.0", None), ("other/1.0", Some(2)), ("Mozilla/5.0 (compatible; Other/1.0)", Some(2))]
    {
        let mut command = pressmark();
        command.args(["explain", url, "--json", "--user-agent", user_agent, "--archive"]).arg(crawled.archive.path());
        let said: Value = serde_json::from_slice(&run(&mut command).stdout).unwrap();
        assert_eq!(said["robots"]["line"].as_u64(), line, "{user_agent}: {said}");
    }
}

#[test]
fn explain_fetches_nothing() {
    let nowhere = tempfile::tempdir().unwrap();
    let explain = |arguments: &[&str]| {
        let mut command = pressmark();
        let output = run(command.arg("explain").args(arguments).arg("--archive").arg(nowhere.path().join("none")));
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let text = explain(&["http://h.example/x"]);
    assert!(text.contains("robots     robots.txt is not known, and explain fetches nothing"), "{text}");
    assert!(text.contains("one page every 1000 ms"), "{text}");
    let text = explain(&["http://127.0.0.1/x", "--robots", "ignore", "--delay", "5s"]);
    assert!(text.contains("robots     allowed: not asked (--robots ignore)"), "{text}");
    assert!(text.contains("guard      refused unless --allow-address lets it through: address 127.0.0.1"), "{text}");
    assert!(text.contains("one page every 5000 ms"), "{text}");
    assert!(!nowhere.path().join("none").exists());
}

#[test]
fn what_a_page_says_of_being_shown_is_written_down() {
    let archive = crawled().archive.path();
    let tags = rows(archive, "SELECT DISTINCT robots_tags FROM capture_log WHERE role = 'page'");
    assert_eq!(tags, [[Value::from(r#"["pressmark: noindex","noarchive, nofollow","pressmark: noimageindex"]"#)]]);
    // It comes back when the database is made anew, and so do the verdicts.
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("warc")).unwrap();
    for file in warcs(archive) {
        std::fs::copy(&file, copy.path().join("warc").join(file.file_name().unwrap())).unwrap();
    }
    assert!(run(pressmark().arg("reindex").arg("--archive").arg(copy.path())).status.success());
    let question = "SELECT url, robots_rule, robots_line, robots_tags FROM capture_log ORDER BY url, fetched";
    assert_eq!(rows(copy.path(), question), rows(archive, question));
    let question = "SELECT url, rule, line FROM robots_verdict WHERE allowed ORDER BY url";
    assert_eq!(rows(copy.path(), question), rows(archive, question));
}
