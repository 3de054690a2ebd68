//! Sorts of seeds and of pages, through a whole crawl: outlines, feeds, lists and saved pages lead to articles; what
//! stands where an article should be is kept, and is none.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lantern::{pressmark, rows, run};
use crate::paper::{HOST, Page, Paper, html};

const OUTLINE: &str = r#"<opml version="2.0"><body><outline text="Papers">
<outline text="A" xmlUrl="http://news.example/rss.xml"/>
<outline text="B"><outline text="C" xmlUrl="http://news.example/feed.json"/></outline>
</outline></body></opml>"#;

const RSS: &str = r#"<rss version="2.0"><channel><title>A</title><link>http://news.example/</link>
<item><title>Of the feed</title><link>http://news.example/rss-1.html</link></item></channel></rss>"#;

const JSON_FEED: &str = r#"{"version": "https://jsonfeed.org/version/1.1", "title": "B", "items": [
{"id": "1", "url": "http:\/\/news.example\/json-1.html", "title": "Of the other"}, {"id": "2"}]}"#;

const SHELL: &str = "<title>App</title><div id=\"root\"></div>\
    <noscript>You need to enable JavaScript to run this app.</noscript><script src=/app.js></script>";

fn article(title: &str) -> String {
    let text = "<p>The ferry leaves at nine and comes back at noon, as it has done for forty years, and nobody on the \
                island can say what would become of them if it did not, or who would bring the mail.</p>";
    format!("<!doctype html><title>{title}</title><article><h1>{title}</h1>{}</article>", text.repeat(8))
}

/// Six headlines, navigation around them, and what leads to the next page.
fn list(first: usize, next: &str) -> String {
    let teasers: String = (first..first + 6)
        .map(|n| format!("<li><h3><a href=/a-{n}.html>What happened on day {n} of the flood</a></h3><p>A teaser.</p>"))
        .collect();
    format!(
        "<!doctype html><title>News</title><nav><a href=/login.html>Log in</a><a href=/about.html>About</a></nav>\
         <main><h1>News</h1><ul>{teasers}</ul>{next}</main><footer><a href=/imprint.html>Imprint</a></footer>"
    )
}

/// A shell that shows its list by a script.
fn inline_list() -> String {
    let entry =
        |n| format!(r#"{{"title":"What happened on day {n} of the flood","url":"\/\/news.example\/i-{n}.html"}}"#);
    let entries: Vec<String> = (1..=6).map(entry).collect();
    let state = format!(r#"window.PageData = {{"data":{{"article":[{}]}}}};"#, entries.join(","));
    format!("<!doctype html><title>News</title><div id=app></div><script>{state}</script><script src=/app.js></script>")
}

/// Pictures with a line each.
fn gallery() -> String {
    let figure =
        |n| format!("<figure><img src=/g/{n}.jpg width=900 height=600><figcaption>Pier {n}</figcaption></figure>");
    let figures: String = (1..=8).map(figure).collect();
    let intro = "<p>The piers of the island as our readers saw them this spring, in sun and in rain, from the oldest one \
                 to the one that the storm took, and as they were when the first of them was built of oak.</p>";
    format!(
        "<!doctype html><meta property=og:type content=article><title>The piers of the island</title>\
         <article><h1>The piers of the island</h1>{intro}{figures}</article>"
    )
}

fn page(target: &str, walled: bool) -> Page {
    match target {
        "/robots.txt" => None,
        "/rss.xml" => Some(("application/rss+xml", RSS.into())),
        "/feed.json" => Some(("application/feed+json", JSON_FEED.into())),
        "/news/" => html(list(1, "<a href=/news/2 rel=next>2</a>")),
        "/news/2" => html(list(7, "<a href=/news/3>Older posts »</a>")),
        "/news/3" => html(list(13, "")),
        "/quiet/" => html(list(1, "").replace("<nav>", "<link rel=next href=/quiet/old><nav>")),
        "/quiet/old" => html(list(7, "")),
        "/inline/" => html(inline_list()),
        "/guarded.html" if walled => html(
            "<title>Just a moment...</title><script>window.captcha={once_id:1}</script><h1>Please wait</h1>".to_owned(),
        ),
        "/deleted.html" if walled => html("<title>山海报</title><p>原文已被删除</p>".to_owned()),
        "/rebuilt.html" if walled => html(SHELL.to_owned()),
        "/cut.html" => html(article("/cut.html").replace("</article>", "<p>Subscribe to continue reading</article>")),
        "/gallery.html" => html(gallery()),
        "/wall.html" => {
            html("<title>Consent</title><h1>Before you continue to News</h1><p>We use cookies.</p>".to_owned())
        }
        "/gone.html" => html("<title>山海报</title><p>原文已被删除</p>".to_owned()),
        "/shell.html" => html(SHELL.to_owned()),
        _ if target.ends_with(".html") => html(article(target)),
        _ => None,
    }
}

fn paper() -> Paper {
    Paper::serve(|target| page(target, false))
}

fn articles(archive: &Path) -> Vec<String> {
    let rows = rows(archive, "SELECT url FROM article ORDER BY url");
    rows.iter().map(|row| row[0].as_str().unwrap().strip_prefix(HOST).unwrap().to_owned()).collect()
}

#[test]
fn an_outline_leads_to_feeds_and_feeds_to_articles() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    let seed = folder.path().join("mine.opml");
    std::fs::write(&seed, OUTLINE).unwrap();
    let archive = folder.path().join("archive");
    assert!(run(paper.crawl(&archive).arg(&seed)).status.success());
    assert_eq!(articles(&archive), ["/json-1.html", "/rss-1.html"]);
}

#[test]
fn a_list_leads_to_its_articles_and_to_its_next_pages_and_nowhere_else() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/news/"))).status.success());
    let mut want: BTreeSet<String> = (1..19).map(|n| format!("/a-{n}.html")).collect();
    assert_eq!(articles(folder.path()).into_iter().collect::<BTreeSet<_>>(), want);
    want.extend(["/news/", "/news/2", "/news/3"].map(str::to_owned));
    assert_eq!(paper.asked(), want);
}

#[test]
fn what_only_the_head_of_a_list_names_is_its_next_page() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/quiet/"))).status.success());
    let mut want: BTreeSet<String> = (1..13).map(|n| format!("/a-{n}.html")).collect();
    want.extend(["/quiet/", "/quiet/old"].map(str::to_owned));
    assert_eq!(paper.asked(), want);
}

#[test]
fn a_list_in_the_state_of_a_shell_is_a_list() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    assert!(run(paper.crawl(folder.path()).arg(format!("{HOST}/inline/"))).status.success());
    assert_eq!(articles(folder.path()), (1..7).map(|n| format!("/i-{n}.html")).collect::<Vec<_>>());
}

#[test]
fn a_saved_page_gives_the_links_of_its_list() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    let seed = folder.path().join("saved.html");
    std::fs::write(&seed, format!("<!-- saved from url=(0025){HOST}/news/ -->\n{}", list(1, ""))).unwrap();
    let archive = folder.path().join("archive");
    assert!(run(paper.crawl(&archive).arg(&seed)).status.success());
    assert_eq!(paper.asked(), (1..7).map(|n| format!("/a-{n}.html")).collect());
    let seeds = rows(&archive, "SELECT count(*) FROM article");
    assert_eq!(seeds[0][0], 6);
}

#[test]
fn a_post_with_the_address_of_its_page_is_kept_beside_the_page() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    let seed = folder.path().join("post.md");
    let text = "The post says it in words of its own, so that both are worth keeping. ".repeat(6);
    std::fs::write(&seed, format!("---\ntitle: A post\nurl: {HOST}/page.html\n---\n<p>{text}</p>\n")).unwrap();
    let archive = folder.path().join("archive");
    assert!(run(paper.crawl(&archive).arg(&seed)).status.success());
    let found = rows(&archive, "SELECT url, title FROM article ORDER BY url");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!((&found[0][0], &found[0][1]), (&"file:///seeds/post.md".into(), &"A post".into()));
    assert_eq!(found[1][0], format!("{HOST}/page.html"));
}

/// The pages of an archive by address and time, each with its sort.
fn kinds(archive: &Path) -> Vec<(String, String)> {
    let sql = "SELECT url, page_kind FROM capture_log WHERE role = 'page' ORDER BY url, fetched";
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    rows(archive, sql).iter().map(|row| (text(&row[0]).replace(HOST, ""), text(&row[1]))).collect()
}

#[test]
fn what_stands_where_an_article_should_be_is_kept_and_is_none() {
    let walled = Arc::new(AtomicBool::new(false));
    let (now, folder) = (walled.clone(), tempfile::tempdir().unwrap());
    let paper = Paper::serve(move |target| page(target, now.load(Ordering::SeqCst)));
    let archive = folder.path();
    let pages = |names: &[&str]| names.iter().map(|name| format!("{HOST}/{name}.html")).collect::<Vec<_>>();
    let later = ["deleted", "guarded", "rebuilt"];
    assert!(run(paper.crawl(archive).args(pages(&["wall", "gone", "shell"])).args(pages(&later))).status.success());
    assert_eq!(articles(archive), ["/deleted.html", "/guarded.html", "/rebuilt.html"]);
    // An article that hides behind something else later keeps its version.
    let before = rows(archive, "SELECT * FROM article ORDER BY url");
    walled.store(true, Ordering::SeqCst);
    assert!(run(paper.crawl(archive).args(pages(&later))).status.success());
    let want = [
        ("/deleted.html", "article"),
        ("/deleted.html", "gone"),
        ("/gone.html", "gone"),
        ("/guarded.html", "article"),
        ("/guarded.html", "wall"),
        ("/rebuilt.html", "article"),
        ("/rebuilt.html", "needs-browser"),
        ("/shell.html", "needs-browser"),
        ("/wall.html", "wall"),
    ];
    let want: Vec<_> = want.iter().map(|(page, kind)| ((*page).to_owned(), (*kind).to_owned())).collect();
    assert_eq!(kinds(archive), want);
    assert_eq!(rows(archive, "SELECT * FROM article ORDER BY url"), before);
    // The archive alone tells the same.
    assert!(run(pressmark().arg("reindex").arg("--archive").arg(archive)).status.success());
    assert_eq!(kinds(archive), want);
    assert_eq!(rows(archive, "SELECT * FROM article ORDER BY url"), before);
}

#[test]
fn galleries_and_cut_articles_are_articles_that_say_so() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    let pages = ["cut", "gallery", "whole"].map(|name| format!("{HOST}/{name}.html"));
    let crawled = run(paper.crawl(folder.path()).args(pages).args(["--images", "none"]));
    assert!(crawled.status.success());
    let found = rows(folder.path(), "SELECT kind, cut, versions FROM article ORDER BY url");
    let want = [("article", 1, 1), ("gallery", 0, 1), ("article", 0, 1)];
    let want = want.map(|(kind, cut, versions)| vec![serde_json::json!(kind), cut.into(), versions.into()]);
    assert_eq!(found, want);
}

#[test]
fn hops_are_followed_from_lists_and_articles_alike() {
    let (paper, folder) = (paper(), tempfile::tempdir().unwrap());
    assert!(run(paper.crawl(folder.path()).args(["--depth", "1"]).arg(format!("{HOST}/news/"))).status.success());
    let mut want: BTreeSet<String> = (1..7).map(|n| format!("/a-{n}.html")).collect();
    want.extend(["/news/", "/news/2", "/login.html", "/about.html", "/imprint.html"].map(str::to_owned));
    assert_eq!(paper.asked(), want);
}
