//! Pictures on hosts that do not give them to everybody, through a whole crawl: who is asked, in which ways, how often,
//! and what the archive says of each picture in the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pressmark::archive::Records;
use tokio::runtime::Runtime;

use crate::lantern::{nobody, pressmark, rows, run, warcs};
use crate::origin::{Line, Origin};
use crate::upkeep::{REBUILT, compare, done, dump};

const PAGE: &str = "http://news.example/story.html";
/// One with a single picture, on a host that wants to be told of itself.
const SHORT_PAGE: &str = "http://news.example/short.html";
/// One whose pictures are come by in several ways.
const WAYS: &str = "http://news.example/ways.html";
/// What a browser tells other hosts of that page, by default.
const ORIGIN: &str = "http://news.example/";
/// One whose pictures stand on hosts that refuse by redirects, always, not at all, or that say nothing.
const UNWILLING: &str = "http://news.example/unwilling.html";
/// Pictures of the host that has one at many addresses, but for that one.
const OTHERS: usize = 9;
/// One whose pictures all stand on the host that answers strangers with a notice.
const NOTICES_ONLY: &str = "http://news.example/notices.html";
/// Pictures of the host that answers strangers with a notice.
const NOTICES: usize = 7;

const LIVE_HOSTS: [&str; 15] = [
    "sends-off.example",
    "sends-to-page.example",
    "stubborn.example",
    "brand.example",
    "cors.mute.workers.dev",
    "moves.example",
    "news.example",
    "wants.example",
    "refuses.example",
    "page.example",
    "notice.example",
    "cut.example",
    "live.example",
    "cors.alive.workers.dev",
    "wx1.sinaimg.cn",
];
const DEAD_HOSTS: [&str; 2] = ["gone.example", "cors.dead.workers.dev"];

/// The pictures of the page, in order, the notices at the end.
fn pictures() -> Vec<(&'static str, String)> {
    let mut pictures = vec![
        ("referrerpolicy=no-referrer", "http://wants.example/1.png".to_owned()),
        ("", "http://refuses.example/1.png".to_owned()),
        ("", "http://page.example/1.png".to_owned()),
        ("", "http://cut.example/1.jpg".to_owned()),
        ("", "http://wx1.sinaimg.cn/large/1.png".to_owned()),
        ("", "http://cors.alive.workers.dev/?http://gone.example/1.png".to_owned()),
    ];
    pictures.extend((1..=6).map(|n| ("", format!("http://cors.dead.workers.dev/?http://live.example/{n}.png"))));
    pictures.extend((1..=NOTICES).map(|n| ("", format!("http://notice.example/{n}.png"))));
    pictures
}

fn story(pictures: &[(&str, String)]) -> String {
    let images: String =
        pictures.iter().map(|(more, url)| format!("<figure><img src=\"{url}\" {more}></figure>")).collect();
    let paragraph = "<p>The story goes on, and on, with as many words as a story of a newspaper has, in sentences that \
                     end, and with commas between their parts, so that nobody takes it for anything else.</p>";
    format!(
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>The pictures of others</title></head>\
         <body><article><h1>The pictures of others</h1><p>By A. Reporter, 2021-10-26</p>\
         {}{images}</article></body></html>",
        paragraph.repeat(8)
    )
}

/// A page with a picture that moves, one in a style sheet of another host, and three of which the last one expires.
fn ways() -> String {
    let moves = ("referrerpolicy=unsafe-url", "http://moves.example/1.png".to_owned());
    let live = ["1.png", "2.png", "3.png?x-expires=1635214000&x-signature=ab"];
    let live = live.map(|name| ("", format!("http://live.example/{name}")));
    let pictures = [&[moves], &live[..]].concat();
    story(&pictures).replace("</head>", "<link rel=stylesheet href=http://page.example/s.css></head>")
}

/// Pictures of hosts that send strangers to a notice or to a page, that give nobody but a notice, that have one picture
/// at many addresses and many others, and of a relay without a word. The last one is smaller than its page says.
fn unwilling() -> String {
    let of = |host: &'static str, many: usize| (1..=many).map(move |n| format!("http://{host}/{n}.png"));
    let mute = of("live.example", 6).map(|url| format!("http://cors.mute.workers.dev/?{url}"));
    let brands = (1..=6).map(|n| format!("http://brand.example/{n}/brand.png"));
    let pictures = of("sends-off.example", NOTICES).chain(of("sends-to-page.example", 1)).chain(mute);
    let pictures = pictures.chain(of("stubborn.example", NOTICES)).chain(of("brand.example", OTHERS)).chain(brands);
    let mut pictures: Vec<(&str, String)> = pictures.map(|url| ("", url)).collect();
    pictures.push(("", "http://wx1.sinaimg.cn/large/1.png".to_owned()));
    pictures.push(("height=600", "http://live.example/high.png".to_owned()));
    story(&pictures)
}

/// A whole PNG of 60 by 40, and behind its end what makes it another one.
fn png(salt: &str) -> Vec<u8> {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x3c\0\0\0\x28\x08\x06\0\0\0....\0\0\0\0IEND\xaeB`\x82";
    [png, salt.as_bytes()].concat()
}

/// A JPEG of 3 by 2 whose end never came.
const CUT: &[u8] = b"\xff\xd8\xff\xc0\0\x0b\x08\0\x02\0\x03\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0abcdef";

fn answer(head: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(head);
    let field = |name: &str| {
        text.lines().find_map(|line| line.split_once(": ").filter(|(field, _)| field.eq_ignore_ascii_case(name)))
    };
    let (host, referer) = (field("host").unwrap().1, field("referer").map(|(_, referer)| referer));
    let target = text.split(' ').nth(1).unwrap();
    let picture = || ("200 OK", "image/png", png(&format!("{host}{target}")));
    let no = ("403 Forbidden", "text/plain", b"not for you".to_vec());
    let (status, media, body) = match (host, referer) {
        ("news.example", _) if target == "/story.html" => ("200 OK", "text/html", story(&pictures()).into_bytes()),
        ("news.example", _) if target == "/short.html" => {
            ("200 OK", "text/html", story(&pictures()[4..5]).into_bytes())
        }
        ("news.example", _) if target == "/notices.html" => {
            let all = pictures();
            ("200 OK", "text/html", story(&all[all.len() - NOTICES..]).into_bytes())
        }
        ("news.example", _) if target == "/ways.html" => ("200 OK", "text/html", ways().into_bytes()),
        ("news.example", _) if target == "/unwilling.html" => ("200 OK", "text/html", unwilling().into_bytes()),
        ("sends-off.example", Some(_)) if target != "/robots.txt" && target != "/nolink.png" => {
            return b"HTTP/1.1 302 Found\r\nLocation: /nolink.png\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        ("sends-to-page.example", Some(_)) if target == "/1.png" => {
            return b"HTTP/1.1 302 Found\r\nLocation: /no.html\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        ("sends-to-page.example", _) if target == "/no.html" => {
            ("200 OK", "text/html", b"<!DOCTYPE html><title>No</title>".to_vec())
        }
        // Silence on a connection that was used before could be the connection's.
        ("cors.mute.workers.dev", _) if target == "/robots.txt" => {
            return b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".to_vec();
        }
        ("cors.mute.workers.dev", _) => return Vec::new(),
        ("stubborn.example", _) if target != "/robots.txt" => ("200 OK", "image/png", png("our own pages only")),
        ("brand.example", _) if target.ends_with("/brand.png") => ("200 OK", "image/png", png("brand")),
        ("sends-off.example" | "sends-to-page.example" | "brand.example", _) if target != "/robots.txt" => picture(),
        ("moves.example", Some(WAYS)) => {
            let to = "Location: http://wants.example/moved.png\r\nReferrer-Policy: origin";
            return format!("HTTP/1.1 302 Found\r\n{to}\r\nContent-Length: 0\r\n\r\n").into_bytes();
        }
        ("page.example", _) if target == "/s.css" => {
            ("200 OK", "text/css", b"body { background: url(http://live.example/paper.png) }".to_vec())
        }
        (_, _) if target == "/robots.txt" || host == "news.example" => ("404 Not Found", "text/plain", Vec::new()),
        ("wants.example", Some(ORIGIN)) => picture(),
        ("refuses.example", None) => picture(),
        ("page.example", Some(_)) => ("200 OK", "image/png", b"<!DOCTYPE html><title>No</title>".to_vec()),
        ("notice.example", Some(_)) => ("200 OK", "image/png", png("our own pages only")),
        ("cut.example", _) => ("200 OK", "image/jpeg", CUT.to_vec()),
        ("wx1.sinaimg.cn", Some("https://weibo.com/")) => picture(),
        ("page.example" | "notice.example" | "live.example" | "cors.alive.workers.dev", _) => picture(),
        _ => no,
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

/// The hosts of the story, all at one address.
struct Neighbours {
    origin: Origin,
    heard: Arc<Mutex<Vec<(Instant, String)>>>,
    _runtime: Runtime,
}

impl Neighbours {
    fn new() -> Neighbours {
        let runtime = Runtime::new().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let shared = heard.clone();
        let origin = runtime.block_on(Origin::start(None, move |mut line: Line| {
            let heard = shared.clone();
            async move {
                while let Some(head) = line.request().await {
                    heard.lock().unwrap().push((Instant::now(), String::from_utf8_lossy(&head).into_owned()));
                    let answer = answer(&head);
                    if answer.is_empty() || !line.say(&answer).await {
                        return;
                    }
                }
            }
        }));
        Neighbours { origin, heard, _runtime: runtime }
    }

    fn crawl(&self, archive: &Path, page: &str) -> Command {
        let mut command = pressmark();
        command.arg("crawl").arg("--archive").arg(archive).args(["--contact", "test@news.example", "--delay", "0s"]);
        for host in LIVE_HOSTS {
            command.arg("--resolve").arg(format!("{host}:80:{}", self.origin.address));
        }
        for host in DEAD_HOSTS {
            command.arg("--resolve").arg(format!("{host}:80:{}", nobody()));
        }
        command.arg(page);
        command
    }

    /// When each request for a picture of this host came.
    fn times(&self, host: &str) -> Vec<Instant> {
        let heard = self.heard.lock().unwrap();
        let of = heard.iter().filter(|(_, head)| head.contains(&format!("\r\nHost: {host}\r\n")));
        of.filter(|(_, head)| !head.starts_with("GET /robots.txt")).map(|(at, _)| *at).collect()
    }

    /// The `Referer` of every request to this URL, in order.
    fn referers(&self, host: &str, target: &str) -> Vec<Option<String>> {
        let requests = self.origin.requests().into_iter().map(|head| String::from_utf8(head).unwrap().to_lowercase());
        let asked = requests.filter(|head| {
            head.starts_with(&format!("get {target} ")) && head.contains(&format!("\r\nhost: {host}\r\n"))
        });
        let referer = |head: String| head.lines().find_map(|line| line.strip_prefix("referer: ").map(str::to_owned));
        asked.map(referer).collect()
    }
}

/// Verdict and reason of each picture, by its original.
fn verdicts(archive: &Path) -> BTreeMap<String, (String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    rows(archive, "SELECT original, verdict, why FROM image")
        .iter()
        .map(|row| (text(&row[0]), (text(&row[1]), text(&row[2]))))
        .collect()
}

#[test]
fn every_picture_is_had_in_an_honest_way_or_the_archive_says_why_not() {
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    assert!(run(&mut neighbours.crawl(folder.path(), PAGE)).status.success());

    let (none, origin) = (None, Some(ORIGIN.to_owned()));
    for (host, target, want) in [
        ("wants.example", "/1.png", vec![none.clone(), origin.clone()]),
        ("refuses.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("page.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("notice.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("notice.example", "/7.png", vec![origin.clone(), none.clone()]),
        ("cut.example", "/1.jpg", vec![origin.clone()]),
        ("live.example", "/1.png", vec![origin.clone()]),
        ("wx1.sinaimg.cn", "/large/1.png", vec![origin.clone(), none.clone()]),
        ("cors.alive.workers.dev", "/?http://gone.example/1.png", vec![origin.clone()]),
    ] {
        assert_eq!(neighbours.referers(host, target), want, "{host}{target}");
    }

    let verdicts = verdicts(folder.path());
    let of = |url: &str| verdicts.get(url).map(|(verdict, why)| (verdict.as_str(), why.as_str()));
    for url in ["http://wants.example/1.png", "http://refuses.example/1.png", "http://page.example/1.png"] {
        assert_eq!(of(url), Some(("complete", "")), "{url}");
    }
    for n in 1..=NOTICES {
        assert_eq!(of(&format!("http://notice.example/{n}.png")), Some(("complete", "")), "{n}");
    }
    for n in 1..=6 {
        assert_eq!(of(&format!("http://live.example/{n}.png")), Some(("complete", "")), "{n}");
    }
    assert_eq!(of("http://cut.example/1.jpg"), Some(("damaged", "cut off")));
    assert_eq!(of("http://wx1.sinaimg.cn/large/1.png"), Some(("missing", "answered 403")));
    let (verdict, why) = of("http://gone.example/1.png").unwrap();
    assert!(verdict == "complete" && !why.is_empty(), "the copy stands for it, and that is said: {why}");
    let kept = rows(folder.path(), "SELECT kept_role, kept_url FROM image WHERE original LIKE 'http://gone%'");
    assert_eq!(kept, [["proxied copy", "http://cors.alive.workers.dev/?http://gone.example/1.png"]]);

    let article = rows(folder.path(), "SELECT images, images_kept, complete FROM article");
    assert_eq!(article, [[19, 17, 0]]);
    let dead = "SELECT sum(tries), count(*) FROM failure WHERE url LIKE 'http://cors.dead%'";
    let tries = rows(folder.path(), dead)[0][0].as_i64().unwrap();
    assert!((6..=8).contains(&tries), "a dead relay costs little: {tries} turns for 6 copies");
    let shown = run(pressmark().arg("show").arg("--archive").arg(folder.path()).arg(PAGE));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("damaged") && shown.contains("answered 403"), "{shown}");
    what_was_sent_and_why_is_written_down(folder.path());
}

fn what_was_sent_and_why_is_written_down(archive: &Path) {
    let log = "SELECT status, referer, referer_by, flaw FROM capture_log WHERE url = 'http://page.example/1.png'";
    let rows = rows(archive, log);
    let want = serde_json::json!([[200, ORIGIN, "policy", "a page in its place"], [200, null, "none", null]]);
    assert_eq!(serde_json::json!(rows), want);

    let (mut requests, mut notes) = (Vec::new(), Vec::new());
    for file in warcs(archive) {
        for record in Records::open(&file, 0).unwrap() {
            let record = record.unwrap();
            if record.field("WARC-Target-URI") != Some("http://refuses.example/1.png") {
                continue;
            }
            let block = String::from_utf8_lossy(&record.block).into_owned();
            match record.kind() {
                "request" => requests.push(block.contains(&format!("eferer: {ORIGIN}\r\n"))),
                "metadata" => notes.push(block.contains("\"referer_by\":\"none\"")),
                _ => {}
            }
        }
    }
    assert_eq!((requests, notes), (vec![true, false], vec![false, true]));
}

#[test]
fn a_host_that_wants_a_foreign_referer_gets_it_from_those_who_say_so() {
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    assert!(run(neighbours.crawl(folder.path(), SHORT_PAGE).arg("--referer-table")).status.success());
    let asked = neighbours.referers("wx1.sinaimg.cn", "/large/1.png");
    assert_eq!(asked, [Some(ORIGIN.to_owned()), Some("https://weibo.com/".to_owned())]);
    let by = rows(folder.path(), "SELECT verdict, referer_by FROM image WHERE original LIKE '%sinaimg%'");
    assert_eq!(by, [["complete", "table"]]);
}

#[test]
fn redirects_and_style_sheets_have_a_say_in_what_is_sent_and_what_expires_goes_first() {
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    assert!(run(&mut neighbours.crawl(folder.path(), WAYS)).status.success());
    let sent = |referer: &str| vec![Some(referer.to_owned())];
    assert_eq!(neighbours.referers("moves.example", "/1.png"), sent(WAYS), "the element's own policy");
    assert_eq!(neighbours.referers("wants.example", "/moved.png"), sent(ORIGIN), "the policy of the redirect");
    assert_eq!(neighbours.referers("live.example", "/paper.png"), sent("http://page.example/"), "the sheet's origin");
    let requests = neighbours.origin.requests();
    let asked =
        requests.iter().map(|head| String::from_utf8_lossy(head)).filter(|head| head.contains("live.example\r\n"));
    let asked: Vec<String> = asked.filter_map(|head| head.split(' ').nth(1).map(str::to_owned)).collect();
    let first = asked.iter().find(|target| target.ends_with("ab") || target.ends_with(".png")).unwrap();
    assert_eq!(first, "/3.png?x-expires=1635214000&x-signature=ab", "{asked:?}");
    assert_eq!(rows(folder.path(), "SELECT images, complete FROM article"), [[4, 1]]);
}

#[test]
fn a_refusal_by_a_redirect_is_one_and_who_has_one_picture_at_many_addresses_refuses_nobody() {
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    assert!(run(&mut neighbours.crawl(folder.path(), UNWILLING)).status.success());

    let (none, origin) = (None, Some(ORIGIN.to_owned()));
    for (host, target, want) in [
        ("sends-off.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("sends-off.example", "/7.png", vec![origin.clone(), none.clone()]),
        ("sends-to-page.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("stubborn.example", "/1.png", vec![origin.clone(), none.clone()]),
        ("brand.example", "/1.png", vec![origin.clone()]),
        ("brand.example", "/1/brand.png", vec![origin.clone()]),
        ("brand.example", "/6/brand.png", vec![origin.clone()]),
    ] {
        assert_eq!(neighbours.referers(host, target), want, "{host}{target}");
    }
    let all: Vec<String> =
        neighbours.origin.requests().iter().map(|head| String::from_utf8_lossy(head).into_owned()).collect();
    let mute = all.iter().filter(|head| head.contains("cors.mute.workers.dev") && head.starts_with("GET /?")).count();
    // A third may be on its way when the second one comes to nothing.
    assert!((2..=3).contains(&mute), "a relay that is silent is asked for {mute} copies of six");

    let verdicts = verdicts(folder.path());
    for (url, (verdict, why)) in &verdicts {
        let want = match url {
            _ if url.contains("stubborn.") => {
                ("suspected notice picture", "the same bytes came for other pictures of its host")
            }
            _ if url.contains("sinaimg") => ("missing", "answered 403"),
            _ if url.ends_with("/high.png") => ("smaller than declared", "40 pixels high, declared as 600"),
            _ => ("complete", ""),
        };
        assert_eq!((verdict.as_str(), why.as_str()), want, "{url}");
    }
    assert_eq!(verdicts.len(), 38);
    let article = rows(folder.path(), "SELECT images, images_kept, complete FROM article");
    assert_eq!(article, [[38, 30, 0]]);
}

/// What stands of every picture that something came for.
const CAME: &str = "SELECT u.text, u.state, u.status, u.referer, u.rung, u.rungs, u.reason FROM url u
    WHERE u.role = 'image' AND u.id IN (SELECT url FROM capture) ORDER BY 1";

#[test]
fn the_ways_in_which_pictures_were_had_outlive_the_database() {
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    assert!(run(&mut neighbours.crawl(archive, UNWILLING)).status.success());
    // What was never had is known to the database alone.
    let had: Vec<_> = REBUILT.into_iter().filter(|(table, _)| !matches!(*table, "image" | "article")).collect();
    let had = [&had[..], &[("what came", CAME)]].concat();
    let before = dump(archive, &had);
    done(archive, &["reindex"]);
    compare(&before, &dump(archive, &had));
    std::fs::remove_file(archive.join("pressmark.sqlite3")).unwrap();
    done(archive, &["reindex"]);
    compare(&before, &dump(archive, &had));
    let why = rows(archive, "SELECT verdict, why FROM image WHERE original LIKE '%sinaimg%'");
    assert_eq!(why, [["missing", "answered 403"]]);
}

#[test]
fn other_ways_of_asking_keep_the_pace() {
    const DELAY: Duration = Duration::from_millis(100);
    let (neighbours, folder) = (Neighbours::new(), tempfile::tempdir().unwrap());
    let mut crawl = neighbours.crawl(folder.path(), NOTICES_ONLY);
    assert!(run(crawl.args(["--requisite-delay", "100ms"])).status.success());
    let times = neighbours.times("notice.example");
    assert_eq!(times.len(), 2 * NOTICES);
    // Four may come at once; from then on, each waits for its turn.
    let least = DELAY * u32::try_from(times.len() - 4).unwrap();
    let (first, last) = (times[0], times[times.len() - 1]);
    // What came late at the beginning comes sooner after it.
    assert!(last - first >= least * 9 / 10, "{:?} for {} requests", last - first, times.len());
}
