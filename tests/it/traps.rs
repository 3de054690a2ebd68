//! Webs that lead on for ever, and one that does not: each trap ends by a rule that the database names, and an ordinary
//! site loses nothing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use pressmark::crawl::{self, Depth, Plan, Reach, SeedInput, Stop, Summary};
use pressmark::web::digest::fingerprint;
use pressmark::web::time::{Clock, Timestamp};
use tempfile::TempDir;
use tokio::sync::watch;

use crate::hand_clock::HandClock;
use crate::lantern::{pressmark, rows, run};
use crate::scripted_web::{Page, ScriptedWeb};

pub struct Crawled {
    pub summary: Summary,
    /// Without robots.txt.
    pub asked: Vec<String>,
    pub archive: TempDir,
}

impl Crawled {
    /// How many links each rule kept out.
    pub fn kept_out(&self) -> BTreeMap<String, u64> {
        let rows = rows(self.archive.path(), "SELECT rule, sum(urls), min(example) FROM kept_out GROUP BY rule");
        assert!(rows.iter().all(|row| row[2].as_str().unwrap().starts_with("http")), "{rows:?}");
        rows.iter().map(|row| (row[0].as_str().unwrap().to_owned(), row[1].as_u64().unwrap())).collect()
    }

    /// Asserts that a rule with these words has kept something out, and that no more than so many pages were asked for.
    pub fn ended_by(&self, words: &str, most: usize) {
        let kept_out = self.kept_out();
        assert!(kept_out.keys().any(|rule| rule.contains(words)), "{words}: {kept_out:?}");
        assert!(self.asked.len() <= most, "{} pages, {kept_out:?}", self.asked.len());
        assert_eq!(self.summary.stopped_by, "done");
    }

    /// What became of a URL, by the view `failure`.
    fn failure(&self, url: &str) -> Option<String> {
        let rows = rows(self.archive.path(), &format!("SELECT reason FROM failure WHERE url = '{url}'"));
        rows.first().map(|row| row[0].as_str().unwrap().to_owned())
    }
}

/// A crawl of a web from this seed to so many hops, without delays.
pub fn crawl(
    seed: &str,
    hops: Option<u16>,
    reach: Reach,
    pages: impl Fn(&str) -> Option<Page> + Send + Sync + 'static,
) -> Crawled {
    let tweak = |plan: &mut Plan| {
        plan.scope.depth = hops.map_or(Depth::Auto, Depth::Hops);
        plan.scope.reach = reach;
    };
    crawl_as(tempfile::tempdir().unwrap(), &[seed], tweak, pages)
}

/// A crawl into this archive by a plan of one's own, otherwise without delays.
pub fn crawl_as(
    archive: TempDir,
    seeds: &[&str],
    tweak: impl FnOnce(&mut Plan),
    pages: impl Fn(&str) -> Option<Page> + Send + Sync + 'static,
) -> Crawled {
    let is_new = !archive.path().join("pressmark.sqlite3").exists();
    let runs = if is_new { 0 } else { rows(archive.path(), "SELECT count(*) FROM run")[0][0].as_u64().unwrap() };
    // Every run of an archive is a day after the last.
    let day = u32::try_from(runs).unwrap();
    let clock = HandClock::new(Timestamp(1_780_000_000_000).after(Duration::from_secs(86_400) * day));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let quick = move |url: &str| pages(url).map(|page| Page { takes: Duration::from_millis(1), ..page });
    let web = ScriptedWeb::made(shared.clone(), quick);
    let seeds = seeds.iter().map(|seed| SeedInput::Url((*seed).to_owned())).collect();
    let mut plan = Plan::new(archive.path(), seeds);
    plan.politeness.delay = Duration::ZERO;
    tweak(&mut plan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let summary = runtime.block_on(async {
        let (_stop, stopped) = watch::channel(Stop::Go);
        let mut tell = |_| {};
        let work = crawl::run(&plan, Arc::new(web.clone()), shared.clone(), stopped, &mut tell);
        clock.drive(work).await.unwrap()
    });
    let asked = web.asked().into_iter().map(|(_, url)| url).filter(|url| !url.ends_with("/robots.txt")).collect();
    Crawled { summary, asked, archive }
}

/// A page with a title and links, each with its text.
pub fn links<'a>(title: &str, links: impl IntoIterator<Item = (String, &'a str)>) -> Page {
    let links: String =
        links.into_iter().map(|(href, text)| format!("<li><a href=\"{href}\">{text}</a></li>")).collect();
    Page::html(&format!("<!doctype html><title>{title}</title><ul>{links}</ul>"))
}

/// What stands behind the host.
pub fn path_of(url: &str) -> &str {
    url.split_once("//").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap_or("/")
}

pub fn redirect(to: &str) -> Page {
    Page::answer(&format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"))
}

pub fn refresh(content: &str) -> Page {
    Page::html(&format!("<!doctype html><title>t</title><meta http-equiv=Refresh content=\"{content}\"><p>Wait.</p>"))
}

#[test]
fn an_endless_calendar_ends() {
    let months = ["January", "March", "May"];
    let crawled = crawl("http://h.example/cal/0", Some(2_000), Reach::Host, move |url| {
        let month: i64 = path_of(url).strip_prefix("/cal/")?.parse().ok()?;
        let title = format!("{} {}", months[usize::try_from(month.rem_euclid(3)).unwrap()], 2026 + month / 12);
        Some(links(&title, [(format!("/cal/{}", month + 1), "next"), (format!("/cal/{}", month - 1), "previous")]))
    });
    crawled.ended_by("said nothing new", 200);
    assert!(crawled.summary.traps.iter().any(|trap| trap.rule.contains("said nothing new")), "{:?}", crawled.summary);
}

#[test]
fn what_was_kept_out_is_still_known_when_the_database_is_made_anew() {
    let crawled = crawl("http://h.example/", Some(1), Reach::Host, |url| {
        Some(links(url, [("/p?a=1&b=2".to_owned(), "one"), ("/p?b=2&a=1".to_owned(), "two")]))
    });
    let before = crawled.kept_out();
    assert!(before.keys().any(|rule| rule.contains("the order of its query")), "{before:?}");
    let status = |more: &[&str]| {
        let output = run(pressmark().arg("status").args(more).arg("--archive").arg(crawled.archive.path()));
        String::from_utf8(output.stdout).unwrap()
    };
    let (rule, urls) = before.iter().find(|(rule, _)| rule.contains("the order of its query")).unwrap();
    let (rule, example) = (rule.as_str(), "http://h.example/p?b=2&a=1");
    assert!(status(&[]).contains(&format!("  {urls} link: {rule}\n    such as {example}\n")), "{}", status(&[]));
    let told: serde_json::Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(told["kept_out"], serde_json::json!([{ "rule": rule, "urls": urls, "example": example }]));
    let output = run(pressmark().arg("reindex").arg("--archive").arg(crawled.archive.path()));
    assert!(output.status.success());
    assert_eq!(crawled.kept_out(), before);
    // The twin stays known, too.
    let tweak = |plan: &mut Plan| plan.scope.depth = Depth::Hops(1);
    let again = crawl_as(crawled.archive, &["http://h.example/"], tweak, |url| {
        Some(links(url, [("/p?b=2&a=1".to_owned(), "two"), ("/q".to_owned(), "three")]))
    });
    assert_eq!(again.asked, ["http://h.example/", "http://h.example/q"]);
}

#[test]
fn ten_megabytes_of_links_are_bounded() {
    let tweak = |plan: &mut Plan| {
        plan.scope.depth = Depth::Hops(1);
        plan.budget.pages = Some(5);
    };
    let crawled = crawl_as(tempfile::tempdir().unwrap(), &["http://h.example/"], tweak, |url| match path_of(url) {
        "/" => Some(links("t", (0..250_000).map(|n| (format!("/page-number-{n}"), "on")))),
        _ => None,
    });
    assert!(crawled.kept_out().keys().any(|rule| rule.contains("more than 10,000 links on one page")));
    let waiting = rows(crawled.archive.path(), "SELECT count(*) FROM url WHERE state = 'queued'");
    assert_eq!((crawled.asked.len(), waiting[0][0].as_u64()), (5, Some(10_000 - 4)));
}

#[test]
fn pages_that_are_not_found_and_link_on_end() {
    let crawled = crawl("http://h.example/", Some(2_000), Reach::Host, |url| {
        let n: u64 = path_of(url).trim_start_matches("/p").parse().unwrap_or(0);
        Some(links("Not found", [(format!("/p{}", n * 2 + 1), "Home"), (format!("/p{}", n * 2 + 2), "Search")]))
    });
    crawled.ended_by("said nothing new", 200);
}

#[test]
fn a_number_of_the_request_in_the_text_is_no_news() {
    let visits = std::sync::atomic::AtomicU64::new(0);
    let crawled = crawl("http://h.example/", Some(2_000), Reach::Host, move |_| {
        let visit = visits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let token = |n: u64| format!("{:016x}", fingerprint(&(visit * 4 + n).to_string()));
        let links: String = (1..4).map(|n| format!("<a href=\"/r/{0}.html\">/r/{0}.html</a> ", token(n))).collect();
        let body = format!("<!doctype html><title>Not found</title><p>{links}</p><p>Request ID: {}</p>", token(0));
        Some(Page::html(&body))
    });
    crawled.ended_by("said nothing new", 600);
}

#[test]
fn paths_that_repeat_themselves_end() {
    let crawled = crawl("http://h.example/a/", Some(500), Reach::Host, |url| {
        Some(links(url, [(format!("{}b/a/", path_of(url)), "on")]))
    });
    crawled.ended_by("repeats itself", 10);
    let crawled = crawl("http://h.example/a/", Some(500), Reach::Host, |url| {
        Some(links(url, ["x", "y"].map(|name| (format!("{}{name}/", path_of(url)), "on"))))
    });
    crawled.ended_by("repeats itself", 100);
    let crawled = crawl("http://h.example/0/", Some(500), Reach::Host, |url| {
        let depth = path_of(url).matches('/').count();
        Some(links(url, [(format!("{}d{depth}/", path_of(url)), "on")]))
    });
    crawled.ended_by("more than 24 directories", 30);
}

#[test]
fn urls_that_grow_end() {
    let crawled = crawl("http://h.example/?q=x", Some(500), Reach::Host, |url| {
        Some(links(url, [(format!("{}{}", path_of(url), "y".repeat(100)), "on")]))
    });
    crawled.ended_by("longer than 2,048 bytes", 30);
    let crawled = crawl("http://h.example/?q=x", Some(500), Reach::Host, |url| {
        Some(links(url, [(format!("{}&r={}", path_of(url), url.len()), "on")]))
    });
    crawled.ended_by("names a parameter twenty times", 25);
}

#[test]
fn session_ids_and_the_order_of_a_query_make_no_new_page() {
    let visits = std::sync::atomic::AtomicU64::new(0);
    let crawled = crawl("http://h.example/", Some(500), Reach::Host, move |url| {
        let visit = visits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let id = format!("{visit:032x}");
        let all = (0..3).flat_map(|n| {
            [
                (format!("/p{n}?PHPSESSID={id}"), "one"),
                (format!("/q{n};jsessionid={id}?n={visit}"), "two"),
                (format!("/f?a={n}&b={}&c=1", n + 1), "three"),
                (format!("/f?c=1&b={}&a={n}", n + 1), "four"),
            ]
        });
        // The second kind has a page of its own for each visit; it ends with the visits.
        let all = all.filter(|(href, _)| visit < 5 || !href.contains("?n="));
        Some(links(&format!("{url} {visit}"), all))
    });
    crawled.ended_by("but for a session id or the order of its query", 40);
    for kind in ["/p0?", "/p1?", "/p2?"] {
        assert_eq!(crawled.asked.iter().filter(|url| path_of(url).starts_with(kind)).count(), 1, "{kind}");
    }
    assert_eq!(crawled.asked.iter().filter(|url| path_of(url).starts_with("/f?")).count(), 3);
}

#[test]
fn filters_are_not_tried_in_every_combination() {
    let names = ["color", "size", "brand", "price", "stock", "sale", "sort", "view", "rating", "age"];
    let crawled = crawl("http://h.example/shop?start=1", Some(500), Reach::Host, move |url| {
        let chosen: HashSet<&str> =
            path_of(url).split_once('?')?.1.split('&').map(|one| one.split('=').next().unwrap()).collect();
        let more = names.iter().filter(|name| !chosen.contains(**name));
        Some(links(url, more.map(|name| (format!("{}&{name}=1", path_of(url)), *name))))
    });
    crawled.ended_by("50 combinations", 80);
}

/// Thirty boxes to tick, all in one parameter: a page of its own for each of a thousand million selections.
#[test]
fn selections_in_one_parameter_are_bounded() {
    let tweak = |plan: &mut Plan| {
        plan.scope.depth = Depth::Hops(20);
        plan.budget.pages = Some(150);
    };
    let seed = "http://h.example/shop?f[0]=0&f[1]=1&f[2]=2&f[3]=3";
    let crawled = crawl_as(tempfile::tempdir().unwrap(), &[seed], tweak, |url| {
        let (shop, ticked) = path_of(url).split_once('?')?;
        let ticked: std::collections::BTreeSet<u32> =
            ticked.split('&').map(|one| one.split_once('=').unwrap().1.parse().unwrap()).collect();
        let selection = |more: u32| {
            let all: std::collections::BTreeSet<u32> = ticked.iter().copied().chain([more]).collect();
            all.iter().enumerate().map(|(at, of)| format!("f[{at}]={of}")).collect::<Vec<_>>().join("&")
        };
        let open = (0..30).filter(|of| !ticked.contains(of));
        Some(links(url, open.map(|of| (format!("{shop}?{}", selection(of)), "tick"))))
    });
    assert!(crawled.kept_out().keys().any(|rule| rule.contains("more than 1,000 queries")), "{:?}", crawled.kept_out());
    let known = rows(crawled.archive.path(), "SELECT count(*) FROM url")[0][0].as_u64().unwrap();
    assert!(known <= 1_002, "{known}");
}

#[test]
fn a_sitemap_index_that_contains_itself_ends() {
    for width in [1_u64, 5] {
        let crawled = crawl("http://h.example/sitemap.xml?n=0", None, Reach::Host, move |url| {
            let n: u64 = url.split_once("n=")?.1.parse().ok()?;
            let own = "<sitemap><loc>http://h.example/sitemap.xml?n=0</loc></sitemap>".to_owned();
            let others = (1..=width).map(|more| {
                format!("<sitemap><loc>http://h.example/sitemap.xml?n={}</loc></sitemap>", n * width + more)
            });
            let body: String = std::iter::once(own).chain(others).collect();
            Some(Page::text("application/xml", &format!("<?xml version=\"1.0\"?><sitemapindex>{body}</sitemapindex>")))
        });
        crawled.ended_by("lists within lists", 40);
    }
}

#[test]
fn a_wide_nest_of_sitemap_indexes_ends() {
    let crawled = crawl("http://h.example/0.xml", None, Reach::Host, |url| {
        let n: u64 = path_of(url).trim_matches(['/', '.', 'x', 'm', 'l']).parse().unwrap_or(0);
        let body: String = (1..=200)
            .map(|m| format!("<sitemap><loc>http://h.example/{}.xml</loc></sitemap>", n % 2 * 1000 + m))
            .collect();
        Some(Page::text("application/xml", &format!("<?xml version=\"1.0\"?><sitemapindex>{body}</sitemapindex>")))
    });
    crawled.ended_by("more than 100 sitemap indexes", 500);
}

#[test]
fn a_feed_that_pages_for_ever_ends() {
    let crawled = crawl("http://h.example/feed?paged=1", None, Reach::Host, |url| {
        let Some(n) = url.split_once("paged=").and_then(|(_, n)| n.parse::<u64>().ok()) else {
            return Some(links(url, []));
        };
        let next = format!("http://h.example/feed?paged={}", n + 1);
        Some(Page::text(
            "application/rss+xml",
            &format!(
                "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>\
                 <title>t</title><atom:link rel=\"next\" href=\"{next}\"/><link>http://h.example/</link>\
                 <item><title>a</title><link>http://h.example/a{n}</link></item>\
                 <item><title>b</title><link>{next}</link></item></channel></rss>"
            ),
        ))
    });
    crawled.ended_by("lists within lists", 10);
}

#[test]
fn hosts_of_one_domain_are_numbered() {
    let crawled = crawl("http://a0.h.example/", Some(2_000), Reach::Domain, |url| {
        let n: u64 = url.split(['a', '.']).nth(1)?.parse().ok()?;
        Some(links(url, (1..=40).map(|more| (format!("http://a{}.h.example/", n * 40 + more), "on"))))
    });
    crawled.ended_by("500 hosts of one domain", 510);
}

#[test]
fn redirects_in_a_circle_end_at_once_and_say_so() {
    let crawled = crawl("http://h.example/", Some(1), Reach::Any, |url| {
        Some(match url {
            "http://h.example/" => {
                let all = ["/self", "/a", "/tls", "/slash", "/meta", "/mixed", "/field", "/long/0", "/deep/0", "/out"];
                links("t", all.map(|href| (href.to_owned(), href)))
            }
            "http://h.example/self" => redirect("/self#again"),
            "http://h.example/a" => redirect("/b"),
            "http://h.example/b" => redirect("/a"),
            "http://h.example/tls" => redirect("https://h.example/tls"),
            "https://h.example/tls" => redirect("http://h.example/tls"),
            "http://h.example/slash" => redirect("/slash/"),
            "http://h.example/slash/" => redirect("/slash"),
            "http://h.example/meta" => refresh("0; url=/atem"),
            "http://h.example/atem" => refresh("5; URL='/meta'"),
            "http://h.example/mixed" => refresh("0; url=/back"),
            "http://h.example/back" => redirect("/mixed"),
            "http://h.example/field" => Page::answer(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nRefresh: 0; url=/dleif\r\nContent-Length: 1\r\n\r\n.",
            ),
            "http://h.example/dleif" => redirect("/field"),
            "http://h.example/out" => refresh(&format!("0; url=/{}", "x".repeat(3_000))),
            _ => {
                let (chain, n) = path_of(url).trim_start_matches('/').split_once('/')?;
                let next = format!("/{chain}/{}", n.parse::<u64>().ok()? + 1);
                if chain == "long" { redirect(&next) } else { refresh(&format!("1;url={next}")) }
            }
        })
    });
    let circle = |url: &str, back: &str| {
        assert_eq!(crawled.failure(url).unwrap_or_default(), format!("redirects in a circle, back to {back}"), "{url}");
        assert_eq!(crawled.asked.iter().filter(|asked| *asked == url).count(), 1, "{url}");
    };
    circle("http://h.example/self", "http://h.example/self");
    circle("http://h.example/b", "http://h.example/a");
    circle("https://h.example/tls", "http://h.example/tls");
    circle("http://h.example/slash/", "http://h.example/slash");
    circle("http://h.example/atem", "http://h.example/meta");
    circle("http://h.example/back", "http://h.example/mixed");
    circle("http://h.example/dleif", "http://h.example/field");
    for chain in ["long", "deep"] {
        let last = format!("http://h.example/{chain}/10");
        let why = crawled.failure(&last).unwrap_or_default();
        assert_eq!(why, "the redirect is not followed: more than 10 redirects in a row", "{chain}");
        assert!(!crawled.asked.contains(&format!("http://h.example/{chain}/11")));
    }
    let why = crawled.failure("http://h.example/out").unwrap_or_default();
    assert!(why.ends_with("longer than 2,048 bytes"), "{why}");
}

#[test]
fn a_page_that_is_renewed_is_no_redirect() {
    let crawled = crawl("http://h.example/", None, Reach::Host, |url| match url {
        "http://h.example/" => Some(refresh("300; url=/?renewed=1")),
        _ => None,
    });
    assert_eq!(crawled.asked, ["http://h.example/"]);
    assert_eq!(crawled.summary.failed, 0);
    let crawled = crawl("http://h.example/", None, Reach::Host, |url| match url {
        "http://h.example/" => Some(refresh("0; url=http://h.example/")),
        _ => None,
    });
    assert_eq!(crawled.asked, ["http://h.example/"]);
    assert_eq!(crawled.summary.failed, 0);
    assert_eq!(crawled.summary.pages, 1);
}

/// A hundred front pages, two thousand articles, dates, tracking parameters, a language of its own: all of it is kept.
#[test]
fn an_ordinary_site_loses_nothing() {
    const LISTS: usize = 60;
    const ARTICLES: usize = 2_000;
    let article = |n: usize| match n % 4 {
        0 => format!("/article?id={n}"),
        1 => format!("/2011/11/{:02}/a-rather-long-slug-of-an-article-about-ferries-and-bridges-{n}.html", n % 28 + 1),
        2 => format!("/%E6%96%B0%E9%97%BB/%E6%96%87%E7%AB%A0-{n}.html"),
        _ => format!("/story.php?id={n}&section=news&utm_source=front&utm_medium=web"),
    };
    let crawled = crawl("http://h.example/list?page=1", Some(70), Reach::Host, move |url| {
        let path = path_of(url);
        let Some(page) = path.strip_prefix("/list?page=").and_then(|page| page.parse::<usize>().ok()) else {
            // Every story in its own words.
            let words = path.bytes().map(|byte| char::from(b'a' + byte % 26)).collect::<String>();
            return Some(Page::html(&format!(
                "<!doctype html><title>{words}</title><p>{words}</p><a href=\"/list?page=1\">Home</a>"
            )));
        };
        let of_page = (page - 1) * ARTICLES / LISTS..page * ARTICLES / LISTS;
        let articles = of_page.map(|n| (article(n), "Read"));
        let next = (page < LISTS).then(|| (format!("/list?page={}", page + 1), "next"));
        Some(links("News", articles.chain(next)))
    });
    let asked: HashSet<&String> = crawled.asked.iter().collect();
    assert_eq!(asked.len(), crawled.asked.len());
    assert_eq!(asked.len(), LISTS + ARTICLES, "{:?}", crawled.kept_out());
    assert_eq!(crawled.kept_out(), BTreeMap::new());
    assert_eq!(crawled.summary.failed, 0);
}
