//! Budgets through the command line: each stops cleanly, says so, and the same command takes up the rest.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, run};
use crate::origin::{Line, Origin};

/// Pages of the site beside its front page, which links to all of them.
const PAGES: usize = 9;

struct Site {
    origin: Origin,
    archive: TempDir,
    _runtime: Runtime,
}

impl Site {
    fn new() -> Site {
        let runtime = Runtime::new().unwrap();
        let origin = runtime.block_on(Origin::start(None, |mut line: Line| async move {
            while let Some(head) = line.request().await {
                let front = head.starts_with(b"GET / ");
                let links: String = (0..PAGES).map(|n| format!("<li><a href=\"/{n}\">Page {n}</a></li>")).collect();
                let body = if front { format!("<ul>{links}</ul>") } else { "<p>A page.</p>".repeat(2000) };
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ";
                line.say(format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes()).await;
            }
        }));
        Site { origin, archive: TempDir::new().unwrap(), _runtime: runtime }
    }

    /// Crawls with these options; the summary, and how often the server has been asked for a page so far.
    fn crawl(&self, arguments: &[&str]) -> (Value, usize) {
        let mut command = pressmark();
        command.args(["crawl", "--json", "--delay", "0", "--depth", "1", "--robots", "ignore", "--compress", "none"]);
        command.arg("--archive").arg(self.archive.path());
        command.arg("--resolve").arg(format!("site.example:80:{}", self.origin.address));
        command.args(arguments).args(["--revisit", "never", "http://site.example/"]);
        let output = run(&mut command);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        (serde_json::from_slice(&output.stdout).unwrap(), self.origin.requests().len())
    }
}

fn bytes_in(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn a_seed_gets_as_many_pages_as_were_said() {
    let site = Site::new();
    let (summary, asked) = site.crawl(&["--per-seed", "3"]);
    assert_eq!((&summary["stopped_by"], &summary["pages"], asked), (&"pages".into(), &3.into(), 3));
    let (summary, asked) = site.crawl(&["--per-seed", "4"]);
    assert_eq!((&summary["pages"], asked), (&4.into(), 7), "the rest goes first");
    let (summary, asked) = site.crawl(&[]);
    assert_eq!((&summary["stopped_by"], asked), (&"done".into(), PAGES + 1));
}

#[test]
fn an_archive_that_has_its_size_stops_the_run() {
    let site = Site::new();
    let (summary, asked) = site.crawl(&["--max-archive", "1kB", "--concurrency", "1"]);
    assert_eq!(summary["stopped_by"], "archive");
    assert!(asked <= PAGES, "{asked} pages");
    let size = bytes_in(&site.archive.path().join("warc"));
    let (summary, again) = site.crawl(&["--max-archive", "1kB"]);
    assert_eq!((&summary["stopped_by"], again), (&"archive".into(), asked), "nothing is begun");
    assert!(bytes_in(&site.archive.path().join("warc")) <= size + 1000, "but for the file's own head");
    let (summary, asked) = site.crawl(&["--max-archive", "1GB"]);
    assert_eq!((&summary["stopped_by"], asked), (&"done".into(), PAGES + 1));
}

#[test]
fn a_time_of_day_is_the_next_of_its_kind() {
    let site = Site::new();
    // An hour ago is in twenty-three hours.
    let before = (chrono::Local::now() - chrono::TimeDelta::hours(1)).format("%H:%M").to_string();
    let (summary, asked) = site.crawl(&["--stop-at", &before]);
    assert_eq!((&summary["stopped_by"], asked), (&"done".into(), PAGES + 1));
    for wrong in ["25:00", "7", "soon"] {
        let mut command = pressmark();
        let output = run(command.args(["crawl", "--stop-at", wrong, "http://site.example/"]));
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}
