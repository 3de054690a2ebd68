//! Which pages belong to a crawl, and when it stops: `--scope`, `--depth`, `--include`, `--exclude` and the budgets, as
//! COMMANDS says, on a scripted web.

use std::collections::BTreeSet;
use std::time::Duration;

use pressmark::crawl::{Depth, Plan, Reach};
use regex::Regex;

use crate::lantern::{self, pressmark, rows};
use crate::scripted_web::Page;
use crate::traps::{Crawled, crawl_as, links, path_of, redirect, refresh};

/// A site with a section, an article in it, hosts beside it, a feed, and redirects of both kinds that leave it.
fn site(url: &str) -> Option<Page> {
    let all = |hrefs: &[&str]| links(url, hrefs.iter().map(|href| ((*href).to_owned(), "A headline of some length")));
    Some(match url {
        "http://www.h.example/s/" => all(&[
            "/s/1",
            "/t/1",
            "http://en.h.example/1",
            "http://i.example/1",
            "/s/out",
            "/s/refresh",
            "https://www.h.example/s/tls",
        ]),
        "http://www.h.example/s/1" => all(&["/s/2", "http://en.h.example/2", "http://i.example/2"]),
        "http://www.h.example/s/out" => redirect("http://o.example/moved"),
        "http://www.h.example/s/refresh" => refresh("0; url=http://o.example/refreshed"),
        "http://www.h.example/feed" => Page::text(
            "application/rss+xml",
            "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>t</title><link>http://www.h.example/</link>\
             <item><title>a</title><link>http://www.h.example/s/1</link></item>\
             <item><title>b</title><link>http://i.example/1</link></item></channel></rss>",
        ),
        _ if url.contains(".example/") => all(&[]),
        _ => return None,
    })
}

/// What a crawl of this seed asks for beside it; `www.h.example` is left out of the names, and `.example` of others.
fn check(seed: &str, depth: Depth, reach: Reach, patterns: (&str, &str), want: &[&str]) {
    let regexes = |text: &str| if text.is_empty() { Vec::new() } else { vec![Regex::new(text).unwrap()] };
    let tweak = |plan: &mut Plan| {
        plan.scope.depth = depth;
        plan.scope.reach = reach;
        plan.scope.include = regexes(patterns.0);
        plan.scope.exclude = regexes(patterns.1);
    };
    let crawled = crawl_as(tempfile::tempdir().unwrap(), &[seed], tweak, site);
    let short = |url: &String| {
        let url = url.replace("https://www.h.example", "tls:").replace("http://www.h.example", "");
        url.replace("http://", "").replace(".example", "")
    };
    let asked: BTreeSet<String> = crawled.asked.iter().filter(|url| *url != seed).map(short).collect();
    let want: BTreeSet<String> = want.iter().map(|url| (*url).to_owned()).collect();
    assert_eq!(asked, want, "{seed} {depth:?} {reach:?} {patterns:?}");
    assert_eq!(asked.len() + 1, crawled.asked.len(), "each once");
}

#[test]
fn scope_depth_and_patterns_do_what_they_say_together() {
    use Depth::{Auto, Hops};
    use Reach::{Any, Domain, Host, Prefix};
    let (section, feed) = ("http://www.h.example/s/", "http://www.h.example/feed");
    let (one, out, refreshed) = ("/s/1", "o/moved", "o/refreshed");
    let below = [one, "/s/out", out, "/s/refresh", refreshed, "tls:/s/tls"];
    let with = |more: &[&'static str]| [&below[..], more].concat();
    check(section, Hops(0), Any, ("", ""), &[]);
    check(section, Hops(1), Prefix, ("", ""), &below);
    check(section, Hops(1), Host, ("", ""), &with(&["/t/1"]));
    check(section, Hops(1), Domain, ("", ""), &with(&["/t/1", "en.h/1"]));
    check(section, Hops(1), Any, ("", ""), &with(&["/t/1", "en.h/1", "i/1"]));
    check(section, Hops(2), Prefix, ("", ""), &with(&["/s/2"]));
    check(section, Hops(2), Host, ("", ""), &with(&["/t/1", "/s/2"]));
    check(section, Hops(2), Domain, ("", ""), &with(&["/t/1", "en.h/1", "/s/2", "en.h/2"]));
    check(section, Hops(2), Any, ("", ""), &with(&["/t/1", "en.h/1", "i/1", "/s/2", "en.h/2", "i/2"]));
    check(section, Hops(2), Any, ("/[12]$", ""), &[one, "/t/1", "en.h/1", "i/1", "/s/2", "en.h/2", "i/2"]);
    check(section, Hops(2), Any, ("/[12]$", "h\\.example/s/."), &["/t/1", "en.h/1", "i/1"]);
    check(section, Hops(2), Host, ("", "/1$"), &["/s/out", out, "/s/refresh", refreshed, "tls:/s/tls"]);
    // A redirect may leave the host, and need not match, but may not lead to what is excluded, whatever its kind.
    check(section, Hops(1), Prefix, ("/s/", ""), &below);
    check(section, Hops(1), Prefix, ("", "o\\.example"), &[one, "/s/out", "/s/refresh", "tls:/s/tls"]);
    // A seed need not match, and is not fetched when it is excluded.
    check(section, Hops(1), Host, ("/t/", ""), &["/t/1"]);
    // What a feed lists is in scope on any host, unless a pattern says otherwise.
    for reach in [Host, Domain, Prefix, Any] {
        check(feed, Auto, reach, ("", ""), &[one, "i/1"]);
        check(feed, Auto, reach, ("www", ""), &[one]);
        check(feed, Auto, reach, ("", "www\\.h\\.example/s/"), &["i/1"]);
        check(feed, Hops(0), reach, ("", ""), &[]);
    }
    check(feed, Hops(2), Host, ("", ""), &[one, "i/1", "/s/2"]);
}

#[test]
fn an_excluded_seed_is_not_asked_for_and_said_to_be() {
    let tweak = |plan: &mut Plan| plan.scope.exclude = vec![Regex::new("/s/").unwrap()];
    let crawled = crawl_as(tempfile::tempdir().unwrap(), &["http://www.h.example/s/"], tweak, site);
    assert_eq!(crawled.asked, [""; 0]);
    assert_eq!(crawled.summary.seeds, []);
    let archive = tempfile::tempdir().unwrap();
    let mut command = pressmark();
    command.args(["crawl", "http://www.h.example/s/", "--exclude", "/s/", "--archive"]).arg(archive.path());
    let output = lantern::run(&mut command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("rejected: command line: --exclude /s/: http://www.h.example/s/"), "{said}");
    assert_eq!(output.status.code(), Some(1));
}

/// Two lists of ten articles each, on one host.
fn lists(url: &str) -> Option<Page> {
    let path = path_of(url);
    Some(match path.strip_prefix("/list") {
        Some(list) => links(url, (0..10).map(|n| (format!("/{list}/{n}"), "A headline of some length"))),
        None => links(url, []),
    })
}

const LISTS: [&str; 2] = ["http://h.example/lista", "http://h.example/listb"];

fn run(archive: tempfile::TempDir, tweak: impl FnOnce(&mut Plan)) -> Crawled {
    let tweak = |plan: &mut Plan| {
        plan.scope.depth = Depth::Hops(1);
        tweak(plan);
    };
    crawl_as(archive, &LISTS, tweak, lists)
}

fn of(crawled: &Crawled, start: &str) -> usize {
    crawled.asked.iter().filter(|url| path_of(url).starts_with(start)).count()
}

#[test]
fn each_seed_has_its_pages_and_the_rest_goes_first_next_time() {
    let most = |n| move |plan: &mut Plan| plan.budget.per_seed = Some(n);
    let first = run(tempfile::tempdir().unwrap(), most(4));
    assert_eq!(first.summary.stopped_by, "pages");
    assert_eq!((of(&first, "/a/"), of(&first, "/b/"), of(&first, "/list")), (3, 3, 2));
    let waiting = rows(first.archive.path(), "SELECT count(*) FROM url WHERE state = 'queued'");
    assert_eq!(waiting[0][0], 14);
    // The seeds are asked again; what waits goes on.
    let second = run(first.archive, most(6));
    assert_eq!((of(&second, "/a/"), of(&second, "/b/"), of(&second, "/list")), (5, 5, 2));
    assert!(second.asked.iter().all(|url| !first.asked.contains(url) || url.contains("/list")), "{:?}", second.asked);
    let third = run(second.archive, most(100));
    assert_eq!(third.summary.stopped_by, "done");
    assert_eq!((of(&third, "/a/"), of(&third, "/b/")), (2, 2));
}

#[test]
fn many_pages_of_a_seed_that_is_over_do_not_stand_in_another_ones_way() {
    let pages = |url: &str| {
        let path = path_of(url);
        Some(match path.strip_prefix("/list") {
            Some("a") => links(url, (0..300).map(|n| (format!("/a/{n}"), "A headline of some length"))),
            Some(list) => links(url, (0..5).map(|n| (format!("/{list}/{n}"), "A headline of some length"))),
            None => links(url, []),
        })
    };
    let tweak = |most: u64| {
        move |plan: &mut Plan| {
            plan.scope.depth = Depth::Hops(1);
            plan.budget.per_seed = Some(most);
        }
    };
    let first = crawl_as(tempfile::tempdir().unwrap(), &LISTS, tweak(3), pages);
    assert_eq!((of(&first, "/a/"), of(&first, "/b/")), (2, 2));
    let second = crawl_as(first.archive, &LISTS, tweak(4), pages);
    assert_eq!((of(&second, "/a/"), of(&second, "/b/")), (3, 3));
    assert_eq!(second.summary.stopped_by, "pages");
}

#[test]
fn a_run_stops_before_the_hour() {
    let tweak = |plan: &mut Plan| {
        plan.politeness.delay = Duration::from_secs(20);
        plan.budget.until = Some(Duration::from_secs(200));
    };
    let crawled = run(tempfile::tempdir().unwrap(), tweak);
    assert_eq!(crawled.summary.stopped_by, "time");
    assert!(crawled.summary.elapsed_s <= 200.0, "{}", crawled.summary.elapsed_s);
    assert!((8..=11).contains(&crawled.asked.len()), "{:?}", crawled.asked);
}

#[test]
fn an_archive_of_its_full_size_takes_no_new_page() {
    let warcs = |crawled: &Crawled| -> u64 {
        let files = lantern::warcs(crawled.archive.path());
        files.iter().map(|file| file.metadata().unwrap().len()).sum()
    };
    let tweak = |plan: &mut Plan| {
        plan.politeness.delay = Duration::from_secs(2);
        plan.budget.archive = Some(10_000);
    };
    let first = run(tempfile::tempdir().unwrap(), tweak);
    assert_eq!(first.summary.stopped_by, "archive");
    let bytes = warcs(&first);
    // One page more at most than there was room for: a group of records is 2 kB.
    assert!((10_000..14_000).contains(&bytes), "{bytes}");
    let second = run(first.archive, tweak);
    assert_eq!((second.summary.stopped_by.as_str(), second.asked.len()), ("archive", 0));
    assert_eq!(warcs(&second), bytes);
    let third = run(second.archive, |_| {});
    assert_eq!(third.summary.stopped_by, "done");
    assert_eq!(of(&third, "/a/") + of(&third, "/b/") + of(&Crawled { asked: first.asked, ..third }, "/"), 22);
}
