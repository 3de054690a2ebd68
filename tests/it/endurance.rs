//! Kills with many requests in the air, many starts at once.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use pressmark::crawl::Lock;
use tokio::runtime::Runtime;

use crate::gazette::{Edition, Gazette};
use crate::invariants::{articles, check_after_a_good_end, check_at_any_moment, kept};
use crate::lantern::{pressmark, start};

/// Requests in the air.
const IN_THE_AIR: usize = 64;
/// Enough hosts to keep so many there, since an answer takes its time.
const HOSTS: usize = 48;

/// Numbers that follow from a seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

#[test]
fn kills_with_many_requests_in_the_air_cost_no_more_than_those() {
    let soak = std::env::var_os("PRESSMARK_SOAK").is_some();
    // More to crawl for more kills, or it would be over too soon.
    let (seeds, kills, articles) = if soak { (10, 10, 12) } else { (2, 5, 4) };
    let pause = Duration::from_millis(250);
    let edition = Edition { hosts: HOSTS, articles, pictures: 3, first_picture: 900, pause };
    let runtime = Runtime::new().unwrap();
    for seed in 1..=seeds {
        println!("seed {seed}");
        kill_and_kill_again(&runtime, edition, seed, kills);
    }
}

fn kill_and_kill_again(runtime: &Runtime, edition: Edition, seed: u64, kills: usize) {
    let (gazette, folder) = (Gazette::serve(runtime, edition), tempfile::tempdir().unwrap());
    let archive = folder.path().join("archive");
    let crawl = || {
        let mut command = gazette.crawl(&archive);
        command.args(["--delay", "0", "--warc-size", "40KB", "--concurrency", &IN_THE_AIR.to_string()]);
        command
    };
    let mut chance = Chance(seed);
    let (mut had, mut most_in_the_air) = (BTreeMap::new(), 0);
    for kill in 1..=kills {
        let asked = gazette.asked();
        let mut child = start(&mut crawl());
        let until = Instant::now() + Duration::from_millis(200 + chance.below(700));
        while Instant::now() < until {
            assert!(child.try_wait().unwrap().is_none(), "seed {seed}, kill {kill}: the crawl was over too soon");
            most_in_the_air = most_in_the_air.max(gazette.in_the_air());
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        check_at_any_moment(&archive);
        let now = kept(&archive);
        assert!(had.keys().all(|url| now.contains_key(url)), "seed {seed}, kill {kill}: something kept is gone");
        check_asked(&gazette, &asked, &had);
        // What was asked for in this life and is not kept is what the kill has cost.
        let is_lost = |(url, times): &(&String, &usize)| asked.get(*url) != Some(times) && !now.contains_key(*url);
        let lost = gazette.asked().iter().filter(is_lost).count();
        println!("seed {seed}, kill {kill}: {} kept, {lost} lost", now.len());
        // In the air, or landed and on the way to the archive.
        assert!(lost <= 3 * IN_THE_AIR, "seed {seed}, kill {kill}: {lost} lost");
        had = now;
    }
    let asked = gazette.asked();
    let output = crawl().output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check_asked(&gazette, &asked, &had);
    check_after_a_good_end(&archive);
    let articles = articles(&archive);
    assert_eq!(articles.len(), HOSTS * edition.articles);
    let is_whole = |(_, _, _, images, kept): &(String, String, String, i64, i64)| (*images, *kept) == (3, 3);
    assert!(articles.iter().all(is_whole), "{articles:?}");
    println!("seed {seed}: up to {most_in_the_air} requests were in the air");
    // On a busy machine a kill may come before all of them are.
    assert!(most_in_the_air * 2 >= IN_THE_AIR, "seed {seed}: no more than {most_in_the_air} requests were in the air");
}

/// Nothing kept before is asked for again.
fn check_asked(gazette: &Gazette, before: &BTreeMap<String, usize>, had: &BTreeMap<String, i64>) {
    let now = gazette.asked();
    let again: Vec<&String> = had.keys().filter(|url| before.get(*url) != now.get(*url)).collect();
    assert!(again.is_empty(), "kept, and fetched again: {again:?}");
}

#[test]
fn of_a_hundred_starts_at_once_one_runs() {
    let runtime = Runtime::new().unwrap();
    let edition =
        Edition { hosts: 1, articles: 1, pictures: 1, first_picture: 900, pause: Duration::from_millis(2500) };
    let (gazette, folder) = (Gazette::serve(&runtime, edition), tempfile::tempdir().unwrap());
    let starts = (0..100).map(|_| {
        let mut command = gazette.crawl(folder.path());
        command.args(["--delay", "0"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    let starts: Vec<_> = starts.collect();
    let mut ends: BTreeMap<Option<i32>, usize> = BTreeMap::new();
    for child in starts {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() || said.contains("another run holds the archive"), "{said}");
        *ends.entry(output.status.code()).or_default() += 1;
    }
    assert_eq!(ends, BTreeMap::from([(Some(0), 1), (Some(75), 99)]));
    assert!(gazette.asked().values().all(|times| *times == 1), "{:?}", gazette.asked());
    check_after_a_good_end(folder.path());
}

#[test]
fn a_start_that_finds_the_archive_held_reads_no_seeds() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path()).unwrap();
    // Standard input stays open: whoever reads it waits for ever.
    let mut command = pressmark();
    command.args(["crawl", "-", "--archive"]).arg(folder.path()).stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{}", String::from_utf8_lossy(&output.stderr));
    drop((open, lock));
}
