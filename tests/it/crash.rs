//! kill -9 at any moment, and the same command again: nothing kept is lost, nothing kept is fetched twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use pressmark::demo::world::truths;

use crate::archive_run::check_every_reader;
use crate::gazette::{Edition, Gazette};
use crate::invariants::{check_after_a_good_end, check_at_any_moment, groups, kept};
use crate::lantern::{Lantern, pressmark, rows, run, start, warcs};
use crate::origin::{Line, Origin};

/// How often the crawl is killed.
const KILLS: u32 = 20;

/// Runs the crawl, kills it after `after`; false when it had ended by then.
fn kill(lantern: &Lantern, archive: &Path, after: Duration) -> bool {
    let mut child = start(lantern.crawl(archive).args(["--delay", "350ms"]));
    let until = Instant::now() + after;
    while Instant::now() < until {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

#[test]
fn twenty_kills_lose_nothing_and_fetch_nothing_kept_again() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    let mut killed = 0;
    let mut kept = BTreeSet::new();
    let mut asked_before = 0;
    let mut again: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..KILLS {
        // Different moments of the start, of the crawl, of a commit.
        let after = Duration::from_millis(60 + u64::from(round) * 37 % 700);
        if !kill(&lantern, archive, after) {
            break;
        }
        killed += 1;
        check_at_any_moment(archive);
        let now = groups(archive);
        let lost: Vec<_> = kept.difference(&now).collect();
        assert!(lost.is_empty(), "kill {round} lost {lost:?}");
        let had: BTreeSet<&String> = kept.iter().map(|group| &group.url).collect();
        let arrivals = lantern.site.arrivals();
        for arrival in &arrivals[asked_before..] {
            let url = format!("http://{}{}", arrival.host, arrival.path_and_query);
            if had.contains(&url) {
                *again.entry(url).or_default() += 1;
            }
        }
        asked_before = arrivals.len();
        kept = now;
    }
    assert_eq!(killed, KILLS, "the crawl was over too soon");
    assert!(again.is_empty(), "kept, and fetched again: {again:?}");

    let output = run(lantern.crawl(archive).args(["--delay", "350ms"]));
    assert!(output.status.success());
    assert!(kept.is_subset(&groups(archive)));
    check_every_reader(archive);
    check_after_a_good_end(archive);
    let articles: BTreeSet<String> =
        rows(archive, "SELECT url FROM article").iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    for truth in truths().articles {
        assert!(articles.contains(&truth.url), "{} is missing", truth.url);
    }
    let incomplete = rows(archive, "SELECT url FROM article WHERE NOT complete");
    assert_eq!(incomplete.len(), 1, "only the article whose picture is not there: {incomplete:?}");
}

#[test]
fn one_run_at_a_time() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let mut first = start(&mut lantern.crawl(folder.path()));
    while !folder.path().join("warc").exists() {
        assert!(first.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(run(&mut lantern.crawl(folder.path())).status.code(), Some(75));
    assert_eq!(run(lantern.crawl(folder.path()).args(["--if-running", "skip"])).status.code(), Some(0));
    assert_eq!(run(lantern.crawl(folder.path()).args(["--if-running", "wait=300ms"])).status.code(), Some(75));
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn the_first_signal_drains_and_the_rest_goes_first_next_time() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let child = start(lantern.crawl(folder.path()).args(["--delay", "300ms"]));
    while lantern.site.arrivals().len() < 5 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupted = Instant::now();
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(interrupted.elapsed() < Duration::from_secs(10));
    let run_row = &rows(folder.path(), "SELECT stopped_by, finished_ms IS NOT NULL FROM run")[0];
    assert_eq!((&run_row[0], &run_row[1]), (&"signal".into(), &1.into()));
    let kept = kept(folder.path());
    let before = lantern.site.arrivals().len();
    assert!(run(lantern.crawl(folder.path()).args(["--delay", "50ms", "--max-pages", "3"])).status.success());
    for arrival in &lantern.site.arrivals()[before..] {
        let url = format!("http://{}{}", arrival.host, arrival.path_and_query);
        assert!(!kept.contains_key(&url), "{url} was kept before the signal");
    }
}

#[test]
fn the_second_signal_cuts_and_keeps_what_had_come() {
    let (runtime, folder) = (tokio::runtime::Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let origin = runtime.block_on(Origin::start(None, |mut line: Line| async move {
        while let Some(head) = line.request().await {
            if head.starts_with(b"GET /robots.txt") {
                line.say(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n").await;
            } else {
                line.say(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n<p>half").await;
            }
        }
    }));
    let mut command = pressmark();
    command
        .arg("crawl")
        .arg("--archive")
        .arg(folder.path())
        .arg("--resolve")
        .arg(format!("slow.example:80:{}", origin.address));
    let child = start(command.args(["--delay", "0", "--timeout", "60s", "http://slow.example/page"]));
    while origin.requests().len() < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let interrupted = Instant::now();
    for pause in [500, 0] {
        let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        assert!(kill.unwrap().success());
        std::thread::sleep(Duration::from_millis(pause));
    }
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert!(interrupted.elapsed() < Duration::from_secs(10), "{:?}", interrupted.elapsed());
    let kept = rows(folder.path(), "SELECT truncated FROM capture_log WHERE url = 'http://slow.example/page'");
    assert_eq!(kept, [[serde_json::Value::from("unspecified")]]);
    let state = rows(folder.path(), "SELECT state FROM url WHERE text = 'http://slow.example/page'");
    assert_eq!(state, [[serde_json::Value::from("queued")]], "it goes first next time");
}

#[test]
fn a_file_that_lost_its_end_is_cut_and_what_is_gone_is_fetched_again() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path();
    assert!(kill(&lantern, archive, Duration::from_millis(3500)));
    let file = warcs(archive).pop().unwrap();
    let committed = rows(archive, "SELECT committed_len FROM warc_file")[0][0].as_u64().unwrap();
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(committed - 6000).unwrap();
    let left = groups(archive).len();
    let output = run(lantern.crawl(archive).args(["--delay", "50ms"]));
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("is shorter than it was"));
    assert!(left < groups(archive).len());
    check_after_a_good_end(archive);
    check_every_reader(archive);
    let rows = rows(archive, "SELECT count(*), sum(complete) FROM article");
    assert_eq!(rows, [[serde_json::Value::from(12), 11.into()]]);
}

#[test]
fn a_closed_file_that_is_gone_or_cut_is_named_by_the_next_run() {
    let (runtime, folder) = (tokio::runtime::Runtime::new().unwrap(), tempfile::tempdir().unwrap());
    let pause = Duration::ZERO;
    let edition = Edition { hosts: 1, articles: 2, pictures: 2, first_picture: 900, pause };
    let (gazette, archive) = (Gazette::serve(&runtime, edition), folder.path());
    let crawl = || run(gazette.crawl(archive).args(["--delay", "0", "--warc-size", "1KB"]));
    assert!(crawl().stderr.is_empty());
    let files = warcs(archive);
    std::fs::remove_file(&files[0]).unwrap();
    std::fs::OpenOptions::new().write(true).open(&files[1]).unwrap().set_len(100).unwrap();
    let output = crawl();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    let warned =
        |file: &Path, what: &str| said.lines().any(|line| line.contains(file.to_str().unwrap()) && line.contains(what));
    assert!(warned(&files[0], "cannot be looked at") && warned(&files[1], "shorter than its rows say"), "{said}");
    assert_eq!(said.matches("run `pressmark verify`").count(), 2, "{said}");
}

#[test]
fn status_knows_a_run_at_work_from_a_killed_one() {
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let status = || {
        let output = run(pressmark().args(["status", "--archive"]).arg(folder.path()));
        String::from_utf8(output.stdout).unwrap().lines().last().unwrap().to_owned()
    };
    let mut child = start(&mut lantern.crawl(folder.path()));
    while lantern.site.arrivals().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(status().contains("running"), "{}", status());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(status().contains("killed") && !status().contains("running"), "{}", status());
}

#[test]
fn even_a_quiet_run_says_why_it_failed() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = crate::lantern::nobody();
    let quiet = |arguments: &[&str]| {
        let mut command = pressmark();
        command.args(["crawl", "--quiet", "--archive"]).arg(folder.path());
        let output = run(command.args(["--resolve", &format!("gone.example:80:{nobody}")]).args(arguments));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = quiet(&["--delay", "0", "http://gone.example/"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("no seed could be fetched: http://gone.example/"), "{said}");
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "# nothing\nftp://h.example/\n").unwrap();
    let (code, said) = quiet(&[list.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(said.contains("list.txt:2") && said.contains("there was no seed to crawl"), "{said}");
}
