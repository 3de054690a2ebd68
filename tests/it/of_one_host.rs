//! What only several pages of a host can tell, through whole crawls: what recurs on them, and articles that are spread
//! over several.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::lantern::{pressmark, run};
use crate::paper::{HOST, Page, Paper, column, html};

const NOTICE: &str =
    "Get the ten best stories of the week in your mail every Friday, free of charge and without a catch.";

/// Paragraphs that no other page has.
fn story(name: &str, paragraphs: usize) -> String {
    let paragraph = |n: usize| {
        format!(
            "<p>Report {name}, part {n}: the river rose by {n} feet at {name}, and of those who live there {n} families \
             told {name} that they had seen it coming since the spring, when the dam of {name} was opened.</p>"
        )
    };
    (1..=paragraphs).map(paragraph).collect()
}

fn page(target: &str) -> Page {
    let (name, number) = target.strip_suffix(".html")?.strip_prefix('/')?.rsplit_once('-')?;
    let title = format!("What happened at place {number} on the long day of the flood");
    let head = format!("<!doctype html><title>{title}</title><meta name=author content='The Courier'>");
    let (body, notice) = (story(number, 6), format!("<p>{NOTICE}</p>"));
    match name {
        // A box in the middle of each, behind a picture in the second half.
        "boxed" => html(format!(
            "{head}<article><h1>{title}</h1>{body}{notice}<p><img src=/{number}.png width=600 height=400></p>{}</article>",
            story(&format!("{number}b"), 3)
        )),
        "picture" => None,
        _ => None,
    }
}

/// Everything a reader of the database sees of articles.
fn seen(archive: &Path) -> [Vec<String>; 3] {
    [
        "SELECT url, title, byline, source, text, images, complete, parts FROM article ORDER BY url",
        "SELECT article, position, original, block, lead FROM image ORDER BY article, position",
        "SELECT article, number, url, kept, why FROM article_part ORDER BY article, number",
    ]
    .map(|sql| column(archive, sql))
}

fn reindexed(archive: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(archive.join(format!("pressmark.sqlite3{end}")));
    }
    assert!(run(pressmark().arg("reindex").arg("--archive").arg(archive)).status.success());
}

#[test]
fn what_recurs_on_a_host_is_in_none_of_its_articles() {
    let (paper, folder) = (Paper::serve(page), tempfile::tempdir().unwrap());
    let urls = |from: usize, to: usize| (from..to).map(|n| format!("{HOST}/boxed-{n}.html")).collect::<Vec<_>>();
    let boxed = format!("SELECT count(*) FROM article WHERE text LIKE '%{NOTICE}%'");
    assert!(run(paper.crawl(folder.path()).args(urls(0, 3))).status.success());
    assert_eq!(column(folder.path(), &boxed), ["3"], "three pages teach nothing");
    let block = "SELECT block FROM image WHERE article LIKE '%boxed-0%'";
    let before: u32 = column(folder.path(), block)[0].parse().unwrap();

    assert!(run(paper.crawl(folder.path()).args(urls(3, 8))).status.success());
    assert_eq!(column(folder.path(), &boxed), ["0"], "in those before it was known, too");
    let length = "SELECT DISTINCT length(text) - length(replace(text, char(10), '')) + 1 FROM article";
    assert_eq!(column(folder.path(), length), ["9"], "and nothing else is gone");
    assert_eq!(column(folder.path(), block), [(before - 1).to_string()], "pictures stand where they stood");

    // It makes no new version, and it is known when a page is read again.
    assert!(run(paper.crawl(folder.path()).args(urls(0, 8))).status.success());
    assert_eq!(column(folder.path(), "SELECT DISTINCT versions FROM article"), ["1"]);

    // Whoever is on every page is the site.
    let authors = "SELECT DISTINCT json_extract(byline, '$[0].name') || ', ' || source FROM article";
    assert_eq!(column(folder.path(), "SELECT DISTINCT json_array_length(byline) FROM article"), ["1"], "{authors}");
    assert!(run(paper.crawl(folder.path()).args(urls(8, 24))).status.success());
    assert_eq!(column(folder.path(), "SELECT DISTINCT byline || source FROM article"), ["[]The Courier"]);

    let known = seen(folder.path());
    reindexed(folder.path());
    assert_eq!(seen(folder.path()), known);
}

/// Three pages of one article, the last of them missing for some, and another article beside.
fn spread(target: &str) -> Page {
    let (stem, number) = match target.strip_suffix(".html")?.rsplit_once('_') {
        Some((stem, number)) => (stem, number.parse::<usize>().ok()?),
        None => (target.strip_suffix(".html")?, 1),
    };
    if stem == "/torn" && number == 3 {
        return None;
    }
    let next = if number < 3 { format!("<a href={stem}_{}.html>下一页</a>", number + 1) } else { String::new() };
    let name = format!("{}{number}", &stem[1..]);
    html(format!(
        "<!doctype html><title>The long story of the flood</title><article><h1>The long story of the flood</h1>{}\
         <p><img src={stem}-{number}.png width=600 height=400></p></article><div class=pager>{next}</div>\
         <a href=/other.html>Next: what the council said about the dam</a>",
        // The last page has little to say.
        story(&name, if number < 3 { 6 } else { 2 })
    ))
}

#[test]
fn an_article_on_several_pages_is_one() {
    let (paper, folder) = (Paper::serve(spread), tempfile::tempdir().unwrap());
    let seeds = [format!("{HOST}/whole.html"), format!("{HOST}/torn.html")];
    let ended = run(paper.crawl(folder.path()).arg("--json").args(&seeds));
    let summary: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(summary["articles"], 2, "{summary}");
    let pages = |asked: &str| paper.asked().iter().filter(|target| target.starts_with(asked)).count();
    assert_eq!((pages("/whole"), pages("/torn"), pages("/other")), (3 + 3, 3 + 2, 0));

    let shown = column(
        folder.path(),
        "SELECT replace(url, 'http://news.example/', ''), parts, parts_kept, images FROM article ORDER BY url",
    );
    assert_eq!(shown, ["torn.html | 3 | 2 | 2", "whole.html | 3 | 3 | 3"]);
    let text = &column(folder.path(), "SELECT text FROM article WHERE url LIKE '%whole%'")[0];
    let at = |name: &str| text.find(&format!("Report {name}, part 1")).unwrap();
    assert!(at("whole1") < at("whole2") && at("whole2") < at("whole3"), "{text}");
    assert_eq!(text.lines().count(), 6 + 6 + 2);
    let images = "SELECT position, replace(original, 'http://news.example/', '') FROM image WHERE article LIKE '%whole%' ORDER BY 1";
    assert_eq!(column(folder.path(), images), ["0 | whole-1.png", "1 | whole-2.png", "2 | whole-3.png"]);
    let parts = "SELECT number, kept, why FROM article_part WHERE article LIKE '%torn%' ORDER BY number";
    assert_eq!(column(folder.path(), parts), ["2 | 1 | null", "3 | 0 | answered 404"]);
    assert_eq!(column(folder.path(), "SELECT sum(complete) FROM article WHERE url LIKE '%torn%'"), ["0"]);
    let shown = run(pressmark().arg("show").arg("--archive").arg(folder.path()).arg(&seeds[1]));
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("torn_3.html") && shown.contains("answered 404"), "{shown}");

    let known = seen(folder.path());
    reindexed(folder.path());
    assert_eq!(seen(folder.path()), known);
}

#[test]
fn pages_of_an_article_are_joined_whichever_was_asked_for_first() {
    let (paper, folder) = (Paper::serve(spread), tempfile::tempdir().unwrap());
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/whole_2.html"))).status.success());
    assert_eq!(column(folder.path(), "SELECT url, parts FROM article"), [format!("{HOST}/whole_2.html | 2")]);
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/whole.html"))).status.success());
    assert_eq!(
        column(folder.path(), "SELECT url, parts, parts_kept FROM article"),
        [format!("{HOST}/whole.html | 3 | 3")]
    );
    let text = &column(folder.path(), "SELECT text FROM article")[0];
    assert_eq!(text.lines().count(), 6 + 6 + 2, "{text}");
}

/// What an archive says of the one article in it that is spread over `/whole.html` and what follows.
fn whole(archive: &Path) -> String {
    column(archive, "SELECT parts, parts_kept, complete FROM article").join(", ")
}

#[test]
fn an_article_whose_crawl_ended_between_its_pages_is_whole_after_the_next() {
    let (paper, folder) = (Paper::serve(spread), tempfile::tempdir().unwrap());
    let begun = run(paper.crawl(folder.path()).args(["--max-pages", "1"]).arg(format!("{HOST}/whole.html")));
    assert!(begun.status.success());
    assert_eq!(whole(folder.path()), "2 | 1 | 0");
    let why = "SELECT number, kept, why FROM article_part";
    assert_eq!(column(folder.path(), why), ["2 | 0 | still to be fetched"]);
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/whole.html"))).status.success());
    assert!(whole(folder.path()).starts_with("3 | 3 | "), "{}", whole(folder.path()));
}

#[test]
fn an_article_whose_crawl_was_killed_between_its_pages_is_whole_after_the_next() {
    let (asked, third) = mpsc::channel();
    let paper = Paper::serve(move |target| {
        if target == "/whole_3.html" && asked.send(()).is_ok() {
            std::thread::sleep(Duration::from_secs(2));
        }
        spread(target)
    });
    let folder = tempfile::tempdir().unwrap();
    let mut killed = paper.crawl(folder.path()).arg("--quiet").arg(format!("{HOST}/whole.html")).spawn().unwrap();
    third.recv_timeout(Duration::from_secs(60)).unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    drop(third);
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/whole.html"))).status.success());
    assert!(whole(folder.path()).starts_with("3 | 3 | "), "{}", whole(folder.path()));
    let known = seen(folder.path());
    reindexed(folder.path());
    assert_eq!(seen(folder.path()), known);
}

#[test]
fn a_page_of_an_article_that_robots_txt_forbids_is_said_to_be_missing() {
    let paper = Paper::serve(|target| match target {
        "/robots.txt" => Some(("text/plain", b"User-agent: *\nDisallow: /whole_3".to_vec())),
        _ => spread(target),
    });
    let folder = tempfile::tempdir().unwrap();
    let ended = run(paper.crawl(folder.path()).arg("--strict").arg(format!("{HOST}/whole.html")));
    assert_eq!(ended.status.code(), Some(3));
    assert!(!paper.asked().contains("/whole_3.html"));
    assert_eq!(whole(folder.path()), "3 | 2 | 0");
    let parts = column(folder.path(), "SELECT number, kept, why FROM article_part ORDER BY number");
    assert_eq!(parts, ["2 | 1 | null", "3 | 0 | Disallow: /whole_3 (robots.txt line 2)"]);
}

#[test]
fn an_article_that_counts_on_without_end_ends() {
    let paper = Paper::serve(|target| {
        let number: usize = target.strip_prefix("/endless.html?page=").map_or(Some(1), |page| page.parse().ok())?;
        let next = format!("<a href='/endless.html?page={}'>Next page</a>", number + 1);
        let story = story(&format!("endless{number}"), 6);
        target
            .starts_with("/endless")
            .then(|| html(format!("<title>Endless</title><article><h1>Endless</h1>{story}</article>{next}")))?
    });
    let folder = tempfile::tempdir().unwrap();
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/endless.html"))).status.success());
    assert_eq!(column(folder.path(), "SELECT parts, parts_kept FROM article"), ["50 | 50"]);
    assert_eq!(paper.asked().len(), 50);
}
