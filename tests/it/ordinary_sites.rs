//! Ordinary sites that look like traps: lists without end that all say the same, but for numbers. What they lead to
//! says something new, so nothing of them is lost, however deep they go; and a trap beside them ends all the same.

use std::collections::{BTreeMap, HashSet};

use pressmark::crawl::Reach;

use crate::scripted_web::Page;
use crate::traps::{Crawled, crawl, links, path_of, redirect};

const DEPTH: Option<u16> = Some(400);

/// Asserts that so many pages were asked for, each once, and that no rule kept anything out.
fn nothing_is_lost(crawled: &Crawled, pages: usize) {
    let asked: HashSet<&String> = crawled.asked.iter().collect();
    assert_eq!(asked.len(), crawled.asked.len());
    assert_eq!((asked.len(), crawled.kept_out()), (pages, BTreeMap::new()));
    assert_eq!(crawled.summary.failed, 0);
}

/// The number that stands behind this in a path.
fn number(path: &str, before: &str) -> Option<usize> {
    path.strip_prefix(before)?.parse().ok()
}

/// Words that nothing else of its number has.
fn words(n: usize) -> String {
    format!("story {}", n.to_string().bytes().map(|digit| char::from(b'a' + digit - b'0')).collect::<String>())
}

fn article(n: usize) -> Page {
    Page::html(&format!("<!doctype html><title>{0}</title><p>{0}</p><a href=/>Home</a>", words(n)))
}

/// So many links to the articles of a list, all with the same text.
fn read<'a>(list: usize, each: usize, url: impl Fn(usize) -> String) -> impl Iterator<Item = (String, &'a str)> {
    (list * each..(list + 1) * each).map(move |n| (url(n), "Read"))
}

fn next(list: usize, lists: usize, url: &str) -> Option<(String, &'static str)> {
    (list + 1 < lists).then(|| (format!("{url}{}", list + 1), "next"))
}

#[test]
fn lists_that_look_alike_lose_nothing() {
    const LISTS: usize = 100;
    let crawled = crawl("http://h.example/list/0", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        let Some(list) = number(path, "/list/") else {
            return path.strip_prefix("/story-").map(|words| Page::html(&format!("<!doctype html><p>{words}</p>")));
        };
        let slug = |n: usize| format!("/{}", words(n).replace(' ', "-"));
        Some(links("News", read(list, 20, slug).chain(next(list, LISTS, "/list/"))))
    });
    nothing_is_lost(&crawled, LISTS * 21);
}

#[test]
fn lists_and_articles_that_differ_in_numbers_alone_lose_nothing() {
    const LISTS: usize = 120;
    let crawled = crawl("http://h.example/?page=0", DEPTH, Reach::Host, |url| match path_of(url) {
        path if path.starts_with("/?page=") => {
            let list = number(path, "/?page=")?;
            let id = |n: usize| format!("/?id={n}");
            Some(links("News", next(list, LISTS, "/?page=").into_iter().chain(read(list, 4, id))))
        }
        path => number(path, "/?id=").map(|n| Page::html(&format!("<!doctype html><p>{}</p>", words(n)))),
    });
    nothing_is_lost(&crawled, LISTS * 5);
}

/// Every page names all others before its articles, so that all lists come before any article.
#[test]
fn lists_that_name_each_other_first_lose_nothing() {
    const LISTS: usize = 150;
    let crawled = crawl("http://h.example/", DEPTH, Reach::Host, |url| match path_of(url) {
        "/" => Some(links("Home", [("/list/0".to_owned(), "News")])),
        path => Some(match number(path, "/list/") {
            Some(list) => {
                let all = (0..LISTS).map(|list| (format!("/list/{list}"), "page"));
                links("News", all.chain(read(list, 2, |n| format!("/story/{n}"))))
            }
            None => article(number(path, "/story/")?),
        }),
    });
    nothing_is_lost(&crawled, 1 + LISTS * 3);
}

#[test]
fn numbered_issues_lose_nothing() {
    const ISSUES: usize = 120;
    let crawled = crawl("http://h.example/issue/0", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        Some(match number(path, "/issue/") {
            Some(issue) => {
                let to = |n: usize| format!("/issue/of/{n}");
                let title = format!("Issue {issue}");
                links(&title, read(issue, 3, to).chain(next(issue, ISSUES, "/issue/")))
            }
            None if path == "/" => links("Home", []),
            None => article(number(path, "/issue/of/")?),
        })
    });
    nothing_is_lost(&crawled, ISSUES * 4 + 1);
}

#[test]
fn lists_of_files_lose_nothing() {
    const LISTS: usize = 110;
    let crawled = crawl("http://h.example/list/0", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        Some(match number(path, "/list/") {
            Some(list) => {
                let file = |n: usize| format!("/papers/{n}.pdf");
                links("Papers", read(list, 3, file).chain(next(list, LISTS, "/list/")))
            }
            None => Page::text("application/pdf", &format!("%PDF-1.4\n% {path}\n")),
        })
    });
    nothing_is_lost(&crawled, LISTS * 4);
}

/// A year leads to months, those to days, and only those to articles.
#[test]
fn an_archive_by_day_loses_nothing() {
    const YEARS: usize = 8;
    let crawled = crawl("http://h.example/year/0", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        let below =
            |kind: &'static str, of: usize| (of * 10..of * 10 + 10).map(move |n| (format!("/{kind}/{n}"), "open"));
        Some(if let Some(year) = number(path, "/year/") {
            links(&format!("Year {year}"), below("month", year).chain(next(year, YEARS, "/year/")))
        } else if let Some(month) = number(path, "/month/") {
            links(&format!("Month {month}"), below("day", month))
        } else if let Some(day) = number(path, "/day/") {
            links(&format!("Day {day}"), [(format!("/story/{day}"), "Read")])
        } else if path == "/" {
            links("Home", [])
        } else {
            article(number(path, "/story/")?)
        })
    });
    nothing_is_lost(&crawled, 1 + YEARS * (1 + 10 + 100 + 100));
}

/// Articles stand behind a redirect, and a form to log in stands at each, the same for all.
#[test]
fn lists_with_detours_lose_nothing() {
    const LISTS: usize = 80;
    let crawled = crawl("http://h.example/list/0", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        Some(if let Some(list) = number(path, "/list/") {
            let login = (list * 60..list * 60 + 20).map(|n| (format!("/login?to={n}"), "Comment"));
            let read = read(list, 2, |n| format!("/go?to={n}"));
            links("News", next(list, LISTS, "/list/").into_iter().chain(login).chain(read))
        } else if let Some(n) = number(path, "/go?to=") {
            redirect(&format!("/story/{n}"))
        } else if path.starts_with("/login") || path == "/" {
            links("Log in", [("/".to_owned(), "Home")])
        } else {
            article(number(path, "/story/")?)
        })
    });
    nothing_is_lost(&crawled, 1 + LISTS * (1 + 20 + 2 + 2));
}

/// An endless calendar, with a file for every month, beside lists of articles.
#[test]
fn a_trap_beside_lists_ends_and_the_lists_do_not() {
    const LISTS: usize = 100;
    let crawled = crawl("http://h.example/", DEPTH, Reach::Host, |url| {
        let path = path_of(url);
        Some(if path == "/" {
            links("Home", [("/list/0".to_owned(), "News"), ("/cal/0".to_owned(), "Calendar")])
        } else if let Some(list) = number(path, "/list/") {
            let calendar = Some((format!("/cal/{list}"), "Calendar"));
            let read = read(list, 3, |n| format!("/story/{n}"));
            links("News", read.chain(next(list, LISTS, "/list/")).chain(calendar))
        } else if let Some(month) = number(path, "/cal/") {
            let title = format!("{} {}", ["January", "March", "May"][month % 3], 2026 + month / 12);
            let home = ("/".to_owned(), "Home");
            links(&title, [(format!("/cal/{}", month + 1), "next"), (format!("/ical/{month}"), "file"), home])
        } else if let Some(month) = number(path, "/ical/") {
            Page::text("text/calendar", &format!("BEGIN:VCALENDAR\nDTSTAMP:{month}\nEND:VCALENDAR\n"))
        } else {
            article(number(path, "/story/")?)
        })
    });
    let of = |kind: &str| crawled.asked.iter().filter(|url| path_of(url).starts_with(kind)).count();
    assert_eq!((of("/list/"), of("/story/")), (LISTS, LISTS * 3), "{:?}", crawled.kept_out());
    // The lists themselves name a hundred months.
    assert!(of("/cal/") <= LISTS + 160, "{}", of("/cal/"));
    crawled.ended_by("said nothing new", LISTS * 4 + 2 * (LISTS + 160) + 1);
}

/// A slug as the first parameter is a page's name, and forms name a parameter often.
#[test]
fn queries_of_ordinary_sites_are_followed() {
    const SLUGS: usize = 80;
    let form = "/find?q1=a&q2=b&q3=c&q4=d&q5=e&f[0]=a&f[1]=b&f[2]=c&f[3]=d&f[4]=e&f[5]=f&f[6]=g";
    let crawled = crawl("http://h.example/", DEPTH, Reach::Host, move |url| match path_of(url) {
        "/" => {
            let slugs =
                (0..SLUGS).map(|n| (format!("/index.php?{}&page=2&lang=en", words(n).replace(' ', "-")), "Read"));
            Some(links("Home", slugs.chain([(form.to_owned(), "find")])))
        }
        path => Some(Page::html(&format!("<!doctype html><p>{path}</p>"))),
    });
    nothing_is_lost(&crawled, SLUGS + 2);
}
