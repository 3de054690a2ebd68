//! Larger forms of pictures, which an address hints at and nobody names, through a whole crawl: when they are asked for,
//! how often, and what the archive says of the picture then.

use std::path::Path;

use tokio::runtime::Runtime;

use crate::lantern::{pressmark, rows, run};
use crate::origin::{Line, Origin};

const PAGE: &str = "http://news.example/story.html";

/// A whole PNG of this width and height, and behind its end what makes it another one.
fn png(width: u32, height: u32, salt: &str) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
    png.extend(b"\x08\x06\0\0\0....\0\0\0\0IEND\xaeB`\x82");
    png.extend(salt.as_bytes());
    png
}

/// Six pictures in a size that their names tell, and five more on a host that has nothing but sizes.
fn story() -> String {
    let names = ["larger", "refused", "smaller", "page", "moved", "lost"].map(|name| format!("pics.example/{name}"));
    let vain = (1..=5).map(|n| format!("vain.example/{n}"));
    let figure = |name: String| format!("<figure><img src=\"http://{name}-300x200.png\"></figure>");
    let figures: String = names.into_iter().chain(vain).chain(["busy.example/1".to_owned()]).map(figure).collect();
    let paragraph = "<p>The story goes on, and on, with as many words as a story of a newspaper has, in sentences that \
                     end, and with commas between their parts, so that nobody takes it for anything else.</p>";
    format!(
        "<!DOCTYPE html><html><head><meta charset=utf-8><title>The pictures in sizes</title></head>\
         <body><article><h1>The pictures in sizes</h1><p>By A. Reporter, 2021-10-26</p>{}{figures}\
         <figure><img src=http://pics.example/last.png></figure></article></body></html>",
        paragraph.repeat(8)
    )
}

fn answer(head: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(head).to_lowercase();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let target = text.split(' ').nth(1).unwrap();
    let picture = |width, height| png(width, height, &format!("{host}{target}"));
    let (status, media, body) = match (host, target) {
        (_, "/robots.txt") => ("404 Not Found", "text/plain", Vec::new()),
        ("news.example", "/story.html") => ("200 OK", "text/html", story().into_bytes()),
        (_, "/lost-300x200.png") => ("404 Not Found", "text/plain", Vec::new()),
        (_, target) if target.ends_with("-300x200.png") => ("200 OK", "image/png", picture(300, 200)),
        ("pics.example", "/larger.png" | "/lost.png") => ("200 OK", "image/png", picture(1200, 800)),
        ("pics.example", "/last.png") => ("200 OK", "image/png", picture(640, 480)),
        ("pics.example", "/smaller.png") => ("200 OK", "image/png", picture(60, 40)),
        ("pics.example", "/page.png") => ("200 OK", "image/png", b"<!DOCTYPE html><title>No</title>".to_vec()),
        ("pics.example", "/moved.png") => ("302 Found\r\nLocation: /elsewhere.png", "text/plain", Vec::new()),
        ("pics.example", "/refused.png") => ("403 Forbidden", "text/plain", b"no".to_vec()),
        ("busy.example", _) => ("503 Service Unavailable", "text/plain", Vec::new()),
        _ => ("404 Not Found", "text/plain", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.into_bytes(), body].concat()
}

/// Crawls the story; every request but those for robots.txt, in order, as host and target.
fn crawled(archive: &Path) -> Vec<String> {
    let runtime = Runtime::new().unwrap();
    let origin = runtime.block_on(Origin::start(None, |mut line: Line| async move {
        while let Some(head) = line.request().await {
            if !line.say(&answer(&head)).await {
                return;
            }
        }
    }));
    let mut command = pressmark();
    command.arg("crawl").arg("--archive").arg(archive).args(["--contact", "test@news.example", "--delay", "0s"]);
    for host in ["news.example", "pics.example", "vain.example", "busy.example"] {
        command.arg("--resolve").arg(format!("{host}:80:{}", origin.address));
    }
    let ended = run(command.arg(PAGE));
    assert!(ended.status.success(), "nothing that was named is missing: {}", String::from_utf8_lossy(&ended.stderr));
    let asked = |head: Vec<u8>| {
        let text = String::from_utf8(head).unwrap().to_lowercase();
        let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        format!("{host}{}", text.split(' ').nth(1).unwrap())
    };
    origin.requests().into_iter().map(asked).filter(|asked| !asked.ends_with("/robots.txt")).collect()
}

#[test]
fn a_larger_form_is_asked_for_last_and_once_and_is_kept_where_it_is_larger() {
    let folder = tempfile::tempdir().unwrap();
    let asked = crawled(folder.path());

    let of = |host: &str| asked.iter().filter(|one| one.starts_with(host)).collect::<Vec<_>>();
    let is_guess = |one: &&&String| !one.ends_with("-300x200.png") && !one.ends_with("/last.png");
    let pics = of("pics.example");
    let first = pics.iter().position(|one| is_guess(&one)).unwrap();
    assert_eq!(pics[first..].iter().filter(|one| is_guess(one)).count(), pics.len() - first, "named first: {pics:?}");
    assert_eq!(pics.len() - first, 6, "each guess costs a request, and where it leads none: {pics:?}");
    assert_eq!(of("vain.example").iter().filter(|one| is_guess(one)).count(), 3, "{asked:?}");

    what_is_kept(folder.path());
    let before = rows(folder.path(), "SELECT original, kept_url, kept_role FROM image ORDER BY position");
    std::fs::remove_file(folder.path().join("pressmark.sqlite3")).unwrap();
    let made = run(pressmark().arg("reindex").arg("--archive").arg(folder.path()));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let after = rows(folder.path(), "SELECT original, kept_url, kept_role FROM image ORDER BY position");
    assert_eq!(before, after, "the archive alone knows as much");
    assert_eq!(rows(folder.path(), "SELECT url FROM failure WHERE url LIKE '%pics.example/refused.png'").len(), 0);
}

fn what_is_kept(archive: &Path) {
    for (name, want) in [
        ("larger", serde_json::json!(["complete", "larger", 1200])),
        ("refused", serde_json::json!(["complete", "original", 300])),
        ("smaller", serde_json::json!(["complete", "original", 300])),
        ("page", serde_json::json!(["complete", "original", 300])),
        ("moved", serde_json::json!(["complete", "original", 300])),
        ("lost", serde_json::json!(["complete", "larger", 1200])),
    ] {
        let sql = format!(
            "SELECT verdict, kept_role, width FROM image WHERE original = 'http://pics.example/{name}-300x200.png'"
        );
        assert_eq!(serde_json::json!(rows(archive, &sql)), serde_json::json!([want]), "{name}");
    }
    assert_eq!(rows(archive, "SELECT images, images_kept FROM article"), [[13, 13]]);
    let failed = rows(archive, "SELECT url FROM failure ORDER BY url");
    assert_eq!(failed, [["http://pics.example/lost-300x200.png"]], "what nobody named is not missed");
}
