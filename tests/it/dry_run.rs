//! `crawl --dry-run`: each URL with the rule that decides on it; only robots.txt and lists are fetched, nothing is
//! written.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use pressmark::crawl::Lock;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, run};
use crate::origin::{Line, Origin};

const FEED: &str = "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>t</title><link>http://s.example/</link>\
    <item><title>One</title><link>http://s.example/one</link></item>\
    <item><title>Two</title><link>http://t.example/two</link></item>\
    <item><title>Three</title><link>http://s.example/private/three</link></item>\
    <item><title>Four</title><link>http://s.example/no/four</link></item>\
    <item><title>Five</title><link>http://127.0.0.9/five</link></item></channel></rss>";

struct Site {
    origin: Origin,
    _runtime: Runtime,
}

impl Site {
    fn new() -> Site {
        let runtime = Runtime::new().unwrap();
        let origin = runtime.block_on(Origin::start(None, |mut line: Line| async move {
            while let Some(head) = line.request().await {
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap();
                let index = |of: &str, all: &[&str]| {
                    let all: String =
                        all.iter().map(|url| format!("<url><loc>http://s.example{url}</loc></url>")).collect();
                    let all = if of == "sitemapindex" { all.replace("url>", "sitemap>") } else { all };
                    ("application/xml", format!("<?xml version=\"1.0\"?><{of}>{all}</{of}>"))
                };
                let (media, body) = match path {
                    "/robots.txt" => ("text/plain", "User-agent: *\nDisallow: /private/\n".to_owned()),
                    "/feed" => ("application/rss+xml", FEED.to_owned()),
                    "/index.xml" => index("sitemapindex", &["/map.xml"]),
                    "/map.xml" => index("urlset", &["/one", "/six"]),
                    "/moved" => ("", "/feed".to_owned()),
                    path => ("text/html", format!("<!doctype html><title>{path}</title><p>{path}</p>")),
                };
                let answer = if media.is_empty() {
                    format!("HTTP/1.1 301 Moved\r\nLocation: {body}\r\nContent-Length: 0\r\n\r\n")
                } else {
                    format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                };
                line.say(answer.as_bytes()).await;
            }
        }));
        Site { origin, _runtime: runtime }
    }

    fn crawl(&self, archive: &Path, arguments: &[&str]) -> Command {
        let mut command = pressmark();
        command.args(["crawl", "--delay", "50ms", "--contact", "t@t.example", "--archive"]).arg(archive);
        for host in ["s.example", "t.example"] {
            command.arg("--resolve").arg(format!("{host}:80:{}", self.origin.address));
        }
        command.args(arguments);
        command
    }

    fn asked(&self) -> Vec<String> {
        let heads = self.origin.requests().into_iter().map(|head| String::from_utf8(head).unwrap());
        let host = |head: &str| head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or("").to_owned();
        let mut asked: Vec<String> =
            heads.map(|head| format!("{}{}", host(&head), head.split(' ').nth(1).unwrap())).collect();
        asked.sort();
        asked
    }
}

/// Each URL with what was decided, from the lines of `--json`.
fn decisions(stdout: &[u8]) -> BTreeMap<String, Value> {
    let lines = std::str::from_utf8(stdout).unwrap().lines();
    let objects: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = objects.len();
    let all: BTreeMap<String, Value> =
        objects.into_iter().map(|object| (object["url"].as_str().unwrap().to_owned(), object)).collect();
    assert_eq!(all.len(), count, "each once");
    all
}

fn listing(folder: &Path) -> BTreeMap<String, (u64, SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            let below = listing(&entry.path()).into_iter();
            let name = entry.file_name().into_string().unwrap();
            all.extend(below.map(|(path, file)| (format!("{name}/{path}"), file)));
        }
        all.insert(entry.file_name().into_string().unwrap(), (metadata.len(), metadata.modified().unwrap()));
    }
    all
}

#[test]
fn every_url_is_told_with_its_rule_and_nothing_is_written() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let archive = folder.path().join("archive");
    let seeds = ["http://s.example/moved", "http://s.example/index.xml", "http://s.example/no/seed"];
    let options = ["--dry-run", "--json", "--exclude", "/no/"];
    let output = run(&mut site.crawl(&archive, &[&options[..], &seeds[..]].concat()));
    assert_eq!(output.status.code(), Some(0));
    assert!(!archive.exists(), "nothing is made");
    let all = decisions(&output.stdout);
    let check = |url: &str, is_in: bool, rule: &str| {
        let decision = all.get(&format!("http://{url}")).unwrap_or_else(|| panic!("{url}: {all:?}"));
        assert_eq!(decision["in"], is_in, "{decision}");
        assert!(decision["rule"].as_str().unwrap().contains(rule), "{decision}");
        assert_eq!(decision["kept"], Value::Null);
    };
    check("s.example/moved", true, "a seed");
    check("s.example/feed", true, "a redirect");
    check("s.example/index.xml", true, "a seed");
    check("s.example/map.xml", true, "listed by a feed or sitemap");
    check("s.example/no/seed", false, "--exclude /no/");
    for url in ["s.example/one", "t.example/two", "s.example/six"] {
        check(url, true, "listed by a feed or sitemap");
    }
    check("s.example/private/three", false, "Disallow: /private/ (robots.txt line 2)");
    assert_eq!(all["http://s.example/private/three"]["robots"]["line"], 2);
    check("s.example/no/four", false, "--exclude /no/");
    check("127.0.0.9/five", false, "127.0.0.9");
    assert_eq!(all.len(), 11, "{:?}", all.keys());
    assert_eq!(
        site.asked(),
        [
            "s.example/feed",
            "s.example/index.xml",
            "s.example/map.xml",
            "s.example/moved",
            "s.example/robots.txt",
            "t.example/robots.txt",
        ]
    );
}

#[test]
fn beside_an_archive_what_is_kept_is_said_to_be_and_nothing_changes() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    assert!(run(&mut site.crawl(folder.path(), &["http://s.example/one", "http://t.example/two"])).status.success());
    let (before, asked) = (listing(folder.path()), site.asked().len());
    let output = run(&mut site.crawl(folder.path(), &["--dry-run", "http://s.example/index.xml"]));
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |url: &str| text.lines().find(|line| line.contains(url)).unwrap_or_else(|| panic!("{url}: {text}"));
    assert!(line("http://s.example/one").starts_with("in ") && line("/one").contains("; kept already, 20"), "{text}");
    assert!(line("http://s.example/six").starts_with("in ") && !line("/six").contains("kept"), "{text}");
    assert_eq!(listing(folder.path()), before);
    // The copy of robots.txt in the archive is fresh.
    assert_eq!(site.asked().len(), asked + 2, "{:?}", site.asked());

    let _lock = Lock::take(folder.path()).unwrap();
    let output = run(&mut site.crawl(folder.path(), &["--dry-run", "http://s.example/index.xml"]));
    assert_eq!(output.status.code(), Some(75));
}

#[test]
fn links_of_a_seed_are_judged_and_not_followed() {
    let (site, folder) = (Site::new(), tempfile::tempdir().unwrap());
    let output =
        run(&mut site.crawl(folder.path(), &["--dry-run", "--json", "--scope", "host", "http://s.example/feed"]));
    let of_feed = decisions(&output.stdout);
    assert_eq!(of_feed["http://t.example/two"]["in"], true, "listed: on any host");
    let arguments = ["--dry-run", "--json", "--depth", "0", "http://s.example/feed"];
    let output = run(&mut site.crawl(folder.path(), &arguments));
    let of_feed = decisions(&output.stdout);
    let rule = of_feed["http://t.example/two"]["rule"].as_str().unwrap();
    assert_eq!(rule, "more than 0 hops from the seed (--depth)");
    assert_eq!(listing(folder.path()), BTreeMap::new());
}
