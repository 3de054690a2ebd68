//! A newspaper made up from the paths it is asked for: front pages, articles, pictures, as many hosts as one likes.
//!
//! What a URL answers depends on its path alone, so that one crawl can be compared with another.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::lantern::pressmark;
use crate::origin::{Line, Origin};

/// What is printed.
#[derive(Clone, Copy)]
pub struct Edition {
    /// Hosts, each with a front page of its own.
    pub hosts: usize,
    /// Articles that a front page lists.
    pub articles: usize,
    /// Pictures of an article.
    pub pictures: usize,
    /// Bytes of a host's first picture; the others are small.
    pub first_picture: usize,
    /// How long an answer is thought over.
    pub pause: Duration,
}

/// The newspaper, served.
pub struct Gazette {
    edition: Edition,
    origin: Origin,
    in_the_air: Arc<AtomicUsize>,
}

impl Gazette {
    /// Serves it on a runtime that the caller keeps.
    pub fn serve(runtime: &Runtime, edition: Edition) -> Gazette {
        let in_the_air = Arc::new(AtomicUsize::new(0));
        let counter = in_the_air.clone();
        let origin = runtime.block_on(Origin::start(None, move |mut line: Line| {
            let counter = counter.clone();
            async move {
                while let Some(head) = line.request().await {
                    counter.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(edition.pause).await;
                    let said = line.say(&answer(edition, path_of(&head))).await;
                    counter.fetch_sub(1, Ordering::Relaxed);
                    if !said {
                        return;
                    }
                }
            }
        }));
        Gazette { edition, origin, in_the_air }
    }

    /// `pressmark crawl` of all of it into this archive.
    pub fn crawl(&self, archive: &Path) -> Command {
        let mut command = pressmark();
        command.arg("crawl").arg("--archive").arg(archive).args(["--quiet", "--contact", "test@gazette.example"]);
        command.args(["--depth", "1"]);
        for host in 0..self.edition.hosts {
            command.arg("--resolve").arg(format!("{}:80:{}", name(host), self.origin.address));
            command.arg(front_page(host));
        }
        command
    }

    /// Requests that are being thought over.
    pub fn in_the_air(&self) -> usize {
        self.in_the_air.load(Ordering::Relaxed)
    }

    /// How often each URL has been asked for.
    pub fn asked(&self) -> BTreeMap<String, usize> {
        let mut asked = BTreeMap::new();
        for head in self.origin.requests() {
            let text = String::from_utf8_lossy(&head);
            let host = text.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap_or_default();
            *asked.entry(format!("http://{host}{}", path_of(&head))).or_default() += 1;
        }
        asked
    }
}

fn name(host: usize) -> String {
    format!("h{host}.gazette.example")
}

/// The page that a crawl begins with, on that host.
pub fn front_page(host: usize) -> String {
    format!("http://{}/", name(host))
}

fn path_of(head: &[u8]) -> &str {
    std::str::from_utf8(head).ok().and_then(|head| head.split(' ').nth(1)).unwrap_or("/")
}

fn answer(edition: Edition, path: &str) -> Vec<u8> {
    let number = |prefix: &str| path.strip_prefix(prefix)?.split(['.', '-']).next()?.parse::<usize>().ok();
    let (status, media, body) = if path == "/" {
        ("200 OK", "text/html", front(edition).into_bytes())
    } else if let Some(article) = number("/article-") {
        ("200 OK", "text/html", page(edition, article).into_bytes())
    } else if let Some(picture) = number("/picture-") {
        ("200 OK", "image/png", png(if picture == 0 { edition.first_picture } else { 600 }, picture))
    } else {
        ("404 Not Found", "text/plain", b"no such page".to_vec())
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

fn front(edition: Edition) -> String {
    let items: String =
        (0..edition.articles).map(|i| format!("<li><a href='/article-{i}.html'>The story of day {i}</a>")).collect();
    format!("<!doctype html><title>The Gazette</title><h1>Today</h1><ul>{items}</ul>")
}

fn page(edition: Edition, article: usize) -> String {
    let paragraph = format!(
        "<p>On day {article} the ferry came late, and those who had waited on the pier since the morning said that they \
         would write to the company. Nobody did. The captain spoke of fog, of a rope, and of the tide.</p>"
    );
    let pictures: String = (0..edition.pictures)
        .map(|i| format!("<img src='/picture-{}.png' alt='the pier, view {i}'>", article * edition.pictures + i))
        .collect();
    format!(
        "<!doctype html><html lang=en><head><title>The story of day {article}</title>\
         <meta property='og:type' content='article'>\
         <meta property='article:published_time' content='2026-11-20T08:00:00Z'></head>\
         <body><article><h1>The story of day {article}</h1>{pictures}{}</article></body></html>",
        paragraph.repeat(4)
    )
}

/// A PNG of 32 by 20 and no pixels, and behind its end bytes that no packing makes shorter.
fn png(len: usize, salt: usize) -> Vec<u8> {
    let mut bytes =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x14\x08\x02\0\0\0....\0\0\0\0IEND\xaeB`\x82".to_vec();
    let mut state = salt as u64 + 1;
    while bytes.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.push((state >> 56) as u8);
    }
    bytes
}
