//! A newspaper on loopback, for whole crawls by the built binary: pages are what a function says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio::runtime::Runtime;

use crate::lantern::{pressmark, rows};
use crate::origin::{Line, Origin};

pub const HOST: &str = "http://news.example";

/// What stands at a target, with its media type; nothing, and it is answered with 404.
pub type Page = Option<(&'static str, Vec<u8>)>;

pub fn html(html: impl Into<String>) -> Page {
    Some(("text/html; charset=utf-8", html.into().into_bytes()))
}

pub struct Paper {
    origin: Origin,
    _runtime: Runtime,
}

impl Paper {
    pub fn serve(page: impl Fn(&str) -> Page + Send + Sync + 'static) -> Paper {
        let runtime = Runtime::new().unwrap();
        let page = Arc::new(page);
        let origin = runtime.block_on(Origin::start(None, move |mut line: Line| {
            let page = page.clone();
            async move {
                while let Some(head) = line.request().await {
                    let head = String::from_utf8(head).unwrap();
                    let found = page(head.split(' ').nth(1).unwrap());
                    let (status, (media, body)) =
                        found.map_or(("404 Not Found", ("text/plain", Vec::new())), |page| ("200 OK", page));
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {length}\r\n\r\n");
                    if !line.say(&[head.as_bytes(), &body].concat()).await {
                        return;
                    }
                }
            }
        }));
        Paper { origin, _runtime: runtime }
    }

    pub fn crawl(&self, archive: &Path) -> Command {
        let mut command = pressmark();
        command.arg("crawl").arg("--archive").arg(archive).args(["--contact", "test@news.example", "--delay", "0s"]);
        command.arg("--resolve").arg(format!("news.example:80:{}", self.origin.address));
        command
    }

    /// What was asked for, but for robots.txt.
    pub fn asked(&self) -> BTreeSet<String> {
        let target = |head: Vec<u8>| String::from_utf8(head).unwrap().split(' ').nth(1).unwrap().to_owned();
        self.origin.requests().into_iter().map(target).filter(|target| target != "/robots.txt").collect()
    }
}

/// A cell of each row, as text.
pub fn column(archive: &Path, sql: &str) -> Vec<String> {
    let text = |cell: &serde_json::Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    rows(archive, sql).iter().map(|row| row.iter().map(text).collect::<Vec<_>>().join(" | ")).collect()
}
