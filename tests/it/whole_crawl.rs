//! A whole crawl on a scripted web and a hand-moved clock: no socket, no waiting, the same every time.

use std::sync::Arc;
use std::time::Duration;

use pressmark::crawl::{self, Plan, SeedInput, Stop, Summary};
use pressmark::store::Reader;
use pressmark::web::exchange::Fault;
use pressmark::web::time::{Clock, Moment, Timestamp};
use tokio::sync::watch;

use crate::hand_clock::HandClock;
use crate::scripted_web::{Page, ScriptedWeb};

const START: Timestamp = Timestamp(1_780_000_000_000);

const FEED: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>t</title><link>http://news.example/</link>
<item><title>One</title><link>http://news.example/one.html</link></item>
<item><title>Two</title><link>http://other.example/two.html</link></item>
<item><title>Hidden</title><link>http://news.example/private/x.html</link></item>
</channel></rss>"#;

fn article(title: &str, image: &str) -> String {
    let text = "The ferry leaves at nine and comes back at noon, as it has done for forty years. ".repeat(12);
    format!(
        "<!doctype html><title>{title}</title><article><h1>{title}</h1><p>{text}</p><p>{text}</p><img src=\"{image}\"></article>"
    )
}

/// A PNG of 8 by 8 without a pixel: only its structure is looked at.
fn png() -> Page {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n";
    let mut bytes = head.as_bytes().to_vec();
    bytes.extend_from_slice(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0....\0\0\0\0IEND\xaeB`\x82",
    );
    Page { answer: Ok(bytes), takes: Duration::from_millis(20) }
}

fn script() -> Vec<(&'static str, Page)> {
    vec![
        ("http://news.example/robots.txt", Page::text("text/plain", "User-agent: *\nDisallow: /private/\n")),
        ("http://news.example/feed.xml", Page::text("application/rss+xml", FEED)),
        ("http://news.example/one.html", Page::html(&article("One", "http://img.example/1.png"))),
        ("http://other.example/two.html", Page::html(&article("Two", "http://dead.example/2.png"))),
        ("http://img.example/1.png", png()),
        ("http://dead.example/robots.txt", Page::fault(Fault::Connect("connection refused".to_owned()))),
    ]
}

struct Crawled {
    summary: Summary,
    asked: Vec<(Moment, String)>,
    archive: tempfile::TempDir,
    simulated: Duration,
}

fn crawl() -> Crawled {
    let archive = tempfile::tempdir().unwrap();
    let clock = HandClock::new(START);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let web = ScriptedWeb::new(shared.clone(), script());
    let plan = Plan::new(archive.path(), vec![SeedInput::Url("http://news.example/feed.xml".to_owned())]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let summary = runtime.block_on(async {
        let (_stop, stopped) = watch::channel(Stop::Go);
        let mut tell = |_| {};
        let work = crawl::run(&plan, Arc::new(web.clone()), shared.clone(), stopped, &mut tell);
        clock.drive(work).await.unwrap()
    });
    let simulated = clock.now().since(Moment::default());
    Crawled { summary, asked: web.asked(), archive, simulated }
}

#[test]
fn a_feed_becomes_articles_with_their_pictures() {
    let crawled = crawl();
    let urls: Vec<&str> = crawled.asked.iter().map(|(_, url)| url.as_str()).collect();
    for wanted in ["http://news.example/one.html", "http://other.example/two.html", "http://img.example/1.png"] {
        assert_eq!(urls.iter().filter(|url| **url == wanted).count(), 1, "{wanted} in {urls:?}");
    }
    assert!(!urls.contains(&"http://news.example/private/x.html"));
    assert_eq!(crawled.summary.stopped_by, "done");
    assert_eq!(crawled.summary.articles, 2);
    assert_eq!(crawled.summary.refused_by_robots, 1);
    let reader = Reader::open(&crawled.archive.path().join("pressmark.sqlite3")).unwrap();
    let answer = reader.sql("SELECT url, complete, images_kept FROM article ORDER BY url").unwrap();
    let rows: Vec<String> = answer.rows.iter().map(|row| serde_json::to_string(row).unwrap()).collect();
    assert_eq!(rows, [r#"["http://news.example/one.html",1,1]"#, r#"["http://other.example/two.html",0,0]"#]);
}

#[test]
fn pages_of_a_host_keep_their_distance() {
    let crawled = crawl();
    let news: Vec<Moment> =
        crawled.asked.iter().filter(|(_, url)| url.starts_with("http://news.example/")).map(|(at, _)| *at).collect();
    assert_eq!(news.len(), 3);
    for pair in news.windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_secs(1), "{news:?}");
    }
    // Three attempts at the dead host, two and eight seconds apart, are the longest wait of it all.
    assert!(crawled.simulated < Duration::from_secs(30), "{:?}", crawled.simulated);
}

#[test]
fn the_same_script_is_crawled_the_same_way() {
    assert_eq!(crawl().asked, crawl().asked);
}
