//! `Retry-After` in every form, within a run and over several: kept to the second, or capped at a day.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pressmark::crawl::{self, Plan, SeedInput, Stop, Summary};
use pressmark::web::time::{Clock, Moment, Timestamp};
use tokio::sync::watch;

use crate::hand_clock::HandClock;
use crate::lantern::{pressmark, run};
use crate::scripted_web::{Page, ScriptedWeb};

const START: Timestamp = Timestamp(1_780_000_000_000);
const SEED: &str = "http://tired.example/a";
/// Another name of the same server.
const OTHER: &str = "http://other.example/a";
const DAY: u64 = 24 * 3600;

/// Crawls the seed, whose server says this and nothing else, and says when it was asked for.
fn crawl(archive: &Path, start: Timestamp, answer: &str) -> (Summary, Vec<Moment>) {
    let (summary, asked) = crawl_from(archive, SEED, start, answer);
    (summary, asked.into_iter().filter(|(_, url)| url == SEED).map(|(at, _)| at).collect())
}

/// The same with any seed and everything that was asked for.
fn crawl_from(archive: &Path, seed: &'static str, start: Timestamp, answer: &str) -> (Summary, Vec<(Moment, String)>) {
    let clock = HandClock::new(start);
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let web = ScriptedWeb::new(shared.clone(), [(seed, Page::answer(answer))]).at([192, 0, 2, 1].into());
    let plan = Plan::new(archive, vec![SeedInput::Url(seed.to_owned())]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let summary = runtime.block_on(async {
        let (_stop, stopped) = watch::channel(Stop::Go);
        let mut tell = |_| {};
        let work = crawl::run(&plan, Arc::new(web.clone()), shared.clone(), stopped, &mut tell);
        clock.drive(work).await.unwrap()
    });
    (summary, web.asked())
}

fn answer(status: u16, retry_after: &str) -> String {
    let field = if retry_after.is_empty() { String::new() } else { format!("Retry-After: {retry_after}\r\n") };
    format!("HTTP/1.1 {status} So\r\n{field}Content-Length: 0\r\n\r\n")
}

#[test]
fn what_a_server_asks_for_is_kept_to_the_second() {
    // robots.txt is asked for at once, the page a second later: seven seconds from then is the date.
    let date = START.after(Duration::from_secs(8)).utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let past = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (status, retry_after, seconds) in [
        (429, "3", 3),
        (503, "40", 40),
        (429, date.as_str(), 7),
        (503, date.as_str(), 7),
        // A date that has passed asks for nothing, and the next start is a gap away.
        (503, past, 1),
        (503, "0", 1),
        // Without a length of time that can be read, five seconds.
        (429, "", 5),
        (503, "soon", 5),
        (429, "-5", 5),
        (429, "3.5", 5),
    ] {
        let archive = tempfile::tempdir().unwrap();
        let (_, asked) = crawl(archive.path(), START, &answer(status, retry_after));
        let waited = asked[1].since(asked[0]).as_secs_f64();
        let wanted = f64::from(seconds);
        assert!((wanted..=wanted + 1.0).contains(&waited), "{status} «{retry_after}»: {waited} s, not {seconds}");
    }
}

#[test]
fn each_further_refusal_without_a_time_waits_twice_as_long() {
    let archive = tempfile::tempdir().unwrap();
    let (summary, asked) = crawl(archive.path(), START, &answer(503, ""));
    let waits: Vec<u64> = asked.windows(2).map(|pair| pair[1].since(pair[0]).as_secs()).collect();
    assert_eq!(waits, [5, 10, 20, 40]);
    assert_eq!((summary.failed, summary.postponed), (1, None));
}

#[test]
fn a_long_wait_ends_the_run_and_binds_the_next_ones() {
    // A year, and more seconds than a number holds: a day.
    for (asked_for, kept) in [("7200", 7200), ("31536000", DAY), ("99999999999999999999999", DAY)] {
        let archive = tempfile::tempdir().unwrap();
        let says = answer(429, asked_for);
        let (first, asked) = crawl(archive.path(), START, &says);
        assert_eq!((asked.len(), first.stopped_by.as_str()), (1, "done"));
        assert_eq!(first.seeds[0].verdict, "waiting");
        let until = START.after(asked[0].since(Moment::default())).after(Duration::from_secs(kept));
        let postponed = first.postponed.expect("it says that something waits");
        assert_eq!(postponed.urls, 1);
        let said = Timestamp::from_iso(&postponed.until).unwrap();
        assert!(said.since(until).max(until.since(said)) <= Duration::from_secs(1), "{} for {asked_for}", said.iso());

        let halfway = START.after(Duration::from_secs(kept / 2));
        let (second, asked) = crawl(archive.path(), halfway, &says);
        assert_eq!((asked.len(), second.postponed), (0, Some(postponed)), "{asked_for}");
        let (_, asked) = crawl(archive.path(), until.after(Duration::from_secs(1)), &says);
        assert_eq!(asked.len(), 1, "{asked_for}");
    }
}

#[test]
fn a_server_that_had_enough_of_one_name_is_spared_in_the_next_run_by_another() {
    let archive = tempfile::tempdir().unwrap();
    let (_, asked) = crawl(archive.path(), START, &answer(429, "7200"));
    let refused = START.after(asked[0].since(Moment::default()));
    let output = run(pressmark().arg("reindex").arg("--archive").arg(archive.path()));
    assert!(output.status.success());
    // The name that asked for it waits two hours, and the others there for a minute: robots.txt first.
    let start = START.after(Duration::from_secs(5));
    let (summary, asked) = crawl_from(archive.path(), OTHER, start, &answer(200, ""));
    let waited = start.after(asked[0].0.since(Moment::default())).since(refused);
    assert!((60..62).contains(&waited.as_secs()), "{waited:?} after the answer");
    assert_eq!(
        asked.iter().map(|(_, url)| url.as_str()).collect::<Vec<_>>(),
        ["http://other.example/robots.txt", OTHER]
    );
    assert!(summary.postponed.is_some(), "the first name waits on");
    // A day later it is forgotten.
    let tomorrow = START.after(Duration::from_secs(DAY));
    let (_, asked) = crawl_from(archive.path(), "http://third.example/a", tomorrow, &answer(200, ""));
    assert!(asked.contains(&(Moment::default(), "http://third.example/robots.txt".to_owned())), "{asked:?}");
}

#[test]
fn a_clock_that_was_wrong_blocks_nobody_for_long() {
    let archive = tempfile::tempdir().unwrap();
    let year = Duration::from_secs(365 * DAY);
    let (summary, _) = crawl(archive.path(), START.after(year), &answer(429, "7200"));
    assert!(summary.postponed.is_some());
    // Back in the present: what was stored lies a year ahead, and nobody asks for that much.
    let (summary, asked) = crawl(archive.path(), START, &answer(200, ""));
    assert_eq!((asked.len(), summary.postponed), (1, None));
    assert!(asked[0].since(Moment::default()) >= Duration::from_secs(1), "and it does not hurry all the same");
}
