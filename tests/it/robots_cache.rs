//! How long a robots.txt holds: whole crawls on a scripted web and a hand-moved clock, days and weeks apart.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pressmark::crawl::{self, Event, Plan, SeedInput, Stop};
use pressmark::web::exchange::Fault;
use pressmark::web::time::{Clock, Moment, Timestamp};
use tokio::sync::watch;

use crate::hand_clock::HandClock;
use crate::lantern::rows;
use crate::scripted_web::{Page, ScriptedWeb};

const START: Timestamp = Timestamp(1_780_000_000_000);
const ROBOTS: &str = "http://news.example/robots.txt";
const OPEN: &str = "http://news.example/open.html";
const CLOSED: &str = "http://news.example/closed.html";

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

fn file(text: &str) -> Page {
    Page::text("text/plain", text)
}

fn broken() -> Page {
    Page::answer("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
}

/// What a run asked for, and the warnings it gave.
struct Ran {
    asked: Vec<String>,
    /// When the first of them was.
    first: Option<Timestamp>,
    /// And the last.
    last: Option<Timestamp>,
    warnings: Vec<String>,
}

impl Ran {
    fn asked(&self, url: &str) -> usize {
        self.asked.iter().filter(|asked| *asked == url).count()
    }
}

/// A run so long after the first, on a site whose robots.txt is this.
fn crawl(archive: &Path, later: Duration, robots: Page) -> Ran {
    let clock = HandClock::new(START.after(later));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let page = || Page::html("<p>A page.</p>");
    let web = ScriptedWeb::new(shared.clone(), [(ROBOTS, robots), (OPEN, page()), (CLOSED, page())]);
    let seeds = [OPEN, CLOSED].map(|url| SeedInput::Url(url.to_owned()));
    let plan = Plan::new(archive, seeds.to_vec());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut warnings = Vec::new();
    runtime.block_on(async {
        let (_stop, stopped) = watch::channel(Stop::Go);
        let mut tell = |event| {
            if let Event::Warning(text) = event {
                warnings.push(text);
            }
        };
        let work = crawl::run(&plan, Arc::new(web.clone()), shared.clone(), stopped, &mut tell);
        clock.drive(work).await.unwrap()
    });
    let asked = web.asked();
    let at = |asked: Option<&(Moment, String)>| asked.map(|(at, _)| START.after(later).after(at.since(Moment(0))));
    let (first, last) = (at(asked.first()), at(asked.last()));
    Ran { asked: asked.into_iter().map(|(_, url)| url).collect(), first, last, warnings }
}

const FILE: &str = "User-agent: *\nDisallow: /closed";

#[test]
fn a_copy_holds_for_a_day_over_all_runs() {
    let archive = tempfile::tempdir().unwrap();
    let first = crawl(archive.path(), hours(0), file(FILE));
    assert_eq!((first.asked(ROBOTS), first.asked(OPEN), first.asked(CLOSED)), (1, 1, 0), "{:?}", first.asked);
    // Within the day the next run knows the rules, whatever the file says by now.
    let soon = crawl(archive.path(), hours(23), file(""));
    assert_eq!((soon.asked(ROBOTS), soon.asked(OPEN), soon.asked(CLOSED)), (0, 1, 0), "{:?}", soon.asked);
    // After it the file is asked for again, before anything else.
    let later = crawl(archive.path(), hours(25), file(""));
    assert_eq!((later.asked(ROBOTS), later.asked(OPEN), later.asked(CLOSED)), (1, 1, 1), "{:?}", later.asked);
    assert_eq!(later.asked[0], ROBOTS);
    // The newer copy holds from then on.
    assert_eq!(crawl(archive.path(), hours(48), file(FILE)).asked(ROBOTS), 0);
}

#[test]
fn an_old_copy_serves_for_thirty_days_while_the_file_is_not_to_be_had() {
    for gone in [broken(), Page::fault(Fault::Stall)] {
        let archive = tempfile::tempdir().unwrap();
        crawl(archive.path(), hours(0), file(FILE));
        let later = crawl(archive.path(), hours(29 * 24), gone.clone());
        assert_eq!((later.asked(ROBOTS), later.asked(OPEN), later.asked(CLOSED)), (1, 1, 0), "{:?}", later.asked);
        assert!(
            later.warnings.iter().any(|text| text.contains(ROBOTS) && text.contains("the copy of 20")),
            "{:?}",
            later.warnings
        );
        let rule = rows(archive.path(), &format!("SELECT rule, line FROM robots_verdict WHERE url = '{CLOSED}'"));
        assert_eq!(rule, [[serde_json::Value::from("Disallow: /closed"), 2.into()]]);
        let too_late = crawl(archive.path(), hours(30 * 24 + 1), gone);
        assert_eq!(
            (too_late.asked(ROBOTS), too_late.asked(OPEN), too_late.asked(CLOSED)),
            (3, 0, 0),
            "{:?}",
            too_late.asked
        );
    }
}

#[test]
fn that_there_is_none_is_kept_as_long() {
    let archive = tempfile::tempdir().unwrap();
    let missing = || Page::answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(crawl(archive.path(), hours(0), missing()).asked(CLOSED), 1);
    let soon = crawl(archive.path(), hours(2), file(FILE));
    assert_eq!((soon.asked(ROBOTS), soon.asked(CLOSED)), (0, 1), "{:?}", soon.asked);
    let later = crawl(archive.path(), hours(25), file(FILE));
    assert_eq!((later.asked(ROBOTS), later.asked(CLOSED)), (1, 0), "{:?}", later.asked);
}

/// A file that is answered, but cut off within, is none: half a file may lack what keeps the crawler out.
#[test]
fn a_file_that_was_cut_off_is_asked_for_again() {
    let archive = tempfile::tempdir().unwrap();
    let cut = crawl(archive.path(), hours(0), Page::fault(Fault::Cut));
    assert_eq!((cut.asked(ROBOTS), cut.asked(OPEN)), (3, 0), "{:?}", cut.asked);
    let whole = crawl(archive.path(), hours(1), file(FILE));
    assert_eq!((whole.asked(ROBOTS), whole.asked(OPEN), whole.asked(CLOSED)), (1, 1, 0), "{:?}", whole.asked);
}

/// A delay that robots.txt asks for holds from one run to the next, and after a kill, when nobody knows any more what
/// was asked for last.
#[test]
fn the_next_run_keeps_the_crawl_delay() {
    const SLOW: &str = "User-agent: *\nCrawl-delay: 100";
    let delay = Duration::from_secs(100);
    let archive = tempfile::tempdir().unwrap();
    let first = crawl(archive.path(), hours(0), file(SLOW));
    assert_eq!(first.asked, [ROBOTS, OPEN, CLOSED]);
    let last = first.last.unwrap();
    assert!(last.since(first.first.unwrap()) >= delay * 2);
    let soon = last.since(START) + Duration::from_secs(2);
    let next = crawl(archive.path(), soon, file(SLOW));
    assert_eq!(next.asked, [OPEN, CLOSED]);
    assert!(next.first.unwrap().since(last) >= delay, "{:?}", next.first.unwrap().since(last));
    let database = rusqlite::Connection::open(archive.path().join("pressmark.sqlite3")).unwrap();
    let killed =
        "UPDATE run SET finished_ms = NULL, stopped_by = NULL; UPDATE host SET page_next_ms = 0, requisite_next_ms = 0;
        UPDATE url SET state = 'queued', due_ms = 0 WHERE role = 'page'";
    database.execute_batch(killed).unwrap();
    drop(database);
    let restart = next.last.unwrap().since(START) + Duration::from_secs(2);
    let killed = crawl(archive.path(), restart, file(SLOW));
    assert!(!killed.asked.is_empty());
    assert!(killed.first.unwrap().since(START.after(restart)) >= delay, "{:?}", killed.first);
}
