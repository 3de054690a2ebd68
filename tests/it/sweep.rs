//! The crash-point sweep: a short crawl dies, or the disk fails it, at one call after the other; the same command again
//! completes, and nothing is lost, doubled or claimed.
//!
//! `shim.c` counts the calls that change something below the archive's folder, those of SQLite included. A crawl that
//! nobody disturbs says how many there are; then each of a spread of them is disturbed in its own archive, in one of
//! six manners. `make test` takes [`POINTS`] of them, `make soak` (`PRESSMARK_SOAK=1`) every one in every manner.
//!
//! A killed process loses nothing that the system has taken; a machine that loses power does. That cannot be tried here.
//! What keeps it harmless is an order of calls, and the order is read from the shim's journal: before a commit is
//! written, the WARC bytes that it speaks of are synced, and so is the folder in which their file was made.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::gazette::{Edition, Gazette, front_page};
use crate::invariants::{
    Group, articles, check_after_a_good_end, check_at_any_moment, check_sentence, database, groups, kept,
};
use crate::lantern::warcs;
use crate::readers::{read_back, skipped};

/// How many points `make test` takes.
const POINTS: usize = 60;

/// About so many archives are read by another reader as well.
const SAMPLE: usize = 4;

/// Few pages and pictures, one of them long enough to be spooled.
const EDITION: Edition =
    Edition { hosts: 1, articles: 2, pictures: 2, first_picture: 1_200_000, pause: Duration::ZERO };

/// How a call is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// The process dies before the call.
    Kill,
    /// It dies when half of what the call writes is written.
    Half,
    /// The call fails, later ones do not.
    ErrorOnce,
    /// The call fails, and so do all later ones.
    Errors,
    /// The disk is full for a moment.
    FullOnce,
    /// The disk is full.
    Full,
}

const MANNERS: [Manner; 6] =
    [Manner::Kill, Manner::Half, Manner::ErrorOnce, Manner::Errors, Manner::FullOnce, Manner::Full];

impl Manner {
    /// `SHIM_DO` and `SHIM_ON`.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Manner::Kill => ("kill", "once"),
            Manner::Half => ("half", "once"),
            Manner::ErrorOnce => ("eio", "once"),
            Manner::Errors => ("eio", "always"),
            Manner::FullOnce => ("enospc", "once"),
            Manner::Full => ("enospc", "always"),
        }
    }

    fn kills(self) -> bool {
        matches!(self, Manner::Kill | Manner::Half)
    }
}

/// A call to disturb, by its number, and how.
#[derive(Clone, Copy, Debug)]
struct Point {
    at: usize,
    manner: Manner,
}

/// A line of the shim's journal.
#[derive(Debug)]
struct Call {
    name: String,
    path: String,
}

impl Call {
    /// Whether its failure must end the run. SQLite may do without what it only tidies up or copies from its log, and
    /// what is a mere removal can be done another time.
    fn matters(&self, manner: Manner) -> bool {
        let is_removal = matches!(self.name.as_str(), "unlink" | "rmdir");
        let needs_room = !matches!(self.name.as_str(), "rename" | "ftruncate");
        let is_full = matches!(manner, Manner::Full | Manner::FullOnce);
        let is_ours = self.path.contains("/warc/") || self.path.contains("/spool/") || self.path.ends_with("-wal");
        is_ours && !is_removal && (needs_room || !is_full)
    }
}

/// The shim, compiled once.
fn shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (new, library) = (folder.join(format!("shim-{}.so", std::process::id())), folder.join("shim.so"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/shim.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-o"]).arg(&new).arg(source).arg("-ldl");
        assert!(cc.status().unwrap().success(), "shim.c does not compile");
        std::fs::rename(new, &library).unwrap();
        library
    })
}

/// How records are compressed; the trials take turns.
const COMPRESS: [&str; 3] = ["gzip", "none", "zstd"];

/// A crawl of the gazette in an archive of its own.
struct Trial {
    gazette: Gazette,
    compress: &'static str,
    folder: tempfile::TempDir,
}

impl Trial {
    fn new(runtime: &Runtime, number: usize) -> Trial {
        let compress = COMPRESS[number % COMPRESS.len()];
        Trial { gazette: Gazette::serve(runtime, EDITION), compress, folder: tempfile::tempdir().unwrap() }
    }

    fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// The command that is repeated. Its pauses make many small commits, its small files many rotations.
    fn crawl(&self) -> Command {
        let mut command = self.gazette.crawl(&self.archive());
        command.args(["--delay", "15ms", "--requisite-delay", "15ms", "--warc-size", "3KB", "--concurrency", "4"]);
        command.args(["--compress", self.compress]);
        command
    }

    /// The crawl behind the shim, disturbed at a point if there is one.
    fn shimmed(&self, point: Option<Point>) -> Command {
        let mut command = self.crawl();
        command.env("LD_PRELOAD", shim()).env("SHIM_FOLDER", self.archive());
        command.env("SHIM_LOG", self.folder.path().join("journal"));
        if let Some(Point { at, manner }) = point {
            let (what, on) = manner.words();
            command.env("SHIM_AT", at.to_string()).env("SHIM_DO", what).env("SHIM_ON", on);
        }
        command
    }

    /// Runs it, and reads the journal of its calls.
    fn disturbed(&self, point: Option<Point>) -> (Output, Vec<Call>) {
        let output = self.shimmed(point).output().unwrap();
        (output, self.journal())
    }

    fn journal(&self) -> Vec<Call> {
        let call = |line: &str| {
            let (name, rest) = line.split_once(' ').unwrap();
            let (_length, path) = rest.split_once(' ').unwrap();
            Call { name: name.to_owned(), path: path.to_owned() }
        };
        std::fs::read_to_string(self.folder.path().join("journal")).unwrap().lines().map(call).collect()
    }
}

/// What the crawl comes to when nobody disturbs it.
struct Undisturbed {
    calls: Vec<Call>,
    articles: Vec<(String, String, String, i64, i64)>,
}

fn undisturbed(runtime: &Runtime) -> Undisturbed {
    let trial = Trial::new(runtime, 0);
    let (output, calls) = trial.disturbed(None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check_after_a_good_end(&trial.archive());
    let articles = articles(&trial.archive());
    assert_eq!(articles.len(), EDITION.articles);
    assert!(articles.iter().all(|(_, _, _, images, kept)| (*images, *kept) == (2, 2)), "{articles:?}");
    Undisturbed { calls, articles }
}

/// Disturbs a crawl and then the next one, which takes up what the first one left; checks what they leave; and lets the
/// same command complete it. False when the point was not reached: a crawl does not always make as many calls.
fn disturb(trial: &Trial, point: Point, undisturbed: &Undisturbed) -> bool {
    let archive = trial.archive();
    let calls = disturb_one_run(trial, point, undisturbed);
    // Recovery is among the first calls of a run.
    let second = Point { at: 1 + point.at * 5 % 37, manner: MANNERS[point.at % MANNERS.len()] };
    disturb_one_run(trial, second, undisturbed);

    let before = Before::look(trial);
    let output = trial.crawl().output().unwrap();
    assert!(output.status.success(), "the last run: {:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    before.check_nothing_is_lost_or_asked_again(trial);
    check_after_a_good_end(&archive);
    assert_eq!(articles(&archive), undisturbed.articles);
    calls >= point.at
}

/// Returns how many calls the run made.
fn disturb_one_run(trial: &Trial, point: Point, undisturbed: &Undisturbed) -> usize {
    let archive = trial.archive();
    let before = Before::look(trial);
    let (output, calls) = trial.disturbed(Some(point));
    let said = String::from_utf8_lossy(&output.stderr);
    if point.manner.kills() {
        assert!(output.status.success() || output.status.signal() == Some(9), "{point:?}: {:?} {said}", output.status);
    } else if !output.status.success() {
        assert_eq!(output.status.code(), Some(74), "{point:?}: {said}");
        check_sentence(&said, &archive);
    }
    check_at_any_moment(&archive);
    if !point.manner.kills()
        && let Some(call) = calls.get(point.at - 1).filter(|call| call.matters(point.manner))
    {
        assert!(!output.status.success(), "{point:?}: the failure of {call:?} went unheard");
    }
    if output.status.success() {
        // It is claimed, so it must be so.
        check_after_a_good_end(&archive);
        assert_eq!(articles(&archive), undisturbed.articles);
    }
    before.check_nothing_is_lost_or_asked_again(trial);
    calls.len()
}

/// What stood in the archive before a run, and what had been asked for by then.
struct Before {
    /// URLs that are kept, and when they were fetched last.
    kept: BTreeMap<String, i64>,
    groups: BTreeSet<Group>,
    asked: BTreeMap<String, usize>,
    /// Since when the work has been going on that the next run continues; none when the last run had ended, or there
    /// was none.
    since: Option<i64>,
}

impl Before {
    fn look(trial: &Trial) -> Before {
        let archive = trial.archive();
        let since = database(&archive).and_then(|(_copy, connection)| {
            let last = "SELECT iif(finished_ms IS NULL, chain_ms, NULL) FROM run ORDER BY id DESC LIMIT 1";
            connection.query_row(last, [], |row| row.get(0)).unwrap_or_default()
        });
        Before { kept: kept(&archive), groups: groups(&archive), asked: trial.gazette.asked(), since }
    }

    /// Nothing is lost, and nothing that is kept is asked for again. A seed alone is, once, by the work that begins
    /// after another has ended.
    fn check_nothing_is_lost_or_asked_again(&self, trial: &Trial) {
        let lost: Vec<_> = self.groups.difference(&groups(&trial.archive())).cloned().collect();
        assert!(lost.is_empty(), "whole groups are gone: {lost:#?}");
        let asked = trial.gazette.asked();
        let is_stale = |fetched: i64| self.since.is_none_or(|since| fetched < since);
        for (url, fetched) in &self.kept {
            let times = asked[url] - self.asked[url];
            let may = usize::from(*url == front_page(0) && is_stale(*fetched));
            assert!(times <= may, "{url} is kept, and was asked for again");
        }
    }
}

/// Every call in every manner, or a spread of them.
fn points(calls: usize) -> Vec<Point> {
    if std::env::var_os("PRESSMARK_SOAK").is_some() {
        return (1..=calls).flat_map(|at| MANNERS.map(|manner| Point { at, manner })).collect();
    }
    (0..POINTS).map(|i| Point { at: 1 + i * calls / POINTS, manner: MANNERS[i % MANNERS.len()] }).collect()
}

#[test]
fn a_crawl_that_dies_or_fails_at_any_call_is_completed_by_the_same_command() {
    let runtime = Runtime::new().unwrap();
    let undisturbed = undisturbed(&runtime);
    let points = points(undisturbed.calls.len());
    let (next, reached, failures) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let sample = Mutex::new(Vec::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(point) = points.get(number) else { return };
            let trial = Trial::new(&runtime, number);
            let tried = std::panic::AssertUnwindSafe(|| disturb(&trial, *point, &undisturbed));
            match std::panic::catch_unwind(tried) {
                Ok(true) => drop(reached.fetch_add(1, Ordering::Relaxed)),
                Ok(false) => {}
                Err(_) => failures.lock().unwrap().push(*point),
            }
            if number % (points.len() / SAMPLE) == 0 {
                sample.lock().unwrap().push(trial);
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let (reached, failures) = (reached.into_inner(), failures.into_inner().unwrap());
    println!("{} calls; {} points, {reached} of them reached", undisturbed.calls.len(), points.len());
    assert!(failures.is_empty(), "failed at {failures:?}");
    assert!(reached * 10 >= points.len() * 9, "only {reached} of {} points were reached", points.len());
    check_with_warcio(&sample.into_inner().unwrap());
}

fn check_with_warcio(sample: &[Trial]) {
    if skipped("readers") {
        return;
    }
    // It knows no zstd.
    let is_known = |path: &PathBuf| path.extension().is_none_or(|packed| packed != "zst");
    let files: Vec<PathBuf> = sample.iter().flat_map(|trial| warcs(&trial.archive())).filter(is_known).collect();
    let records = read_back("warcio", &files);
    assert!(records.len() > SAMPLE, "{files:?}");
    for record in records {
        assert_ne!(record["passed"], false, "warcio finds a wrong digest in {record}");
    }
}

/// No commit is written before the bytes it speaks of are synced; returns how many pieces of commits were written.
fn check_order(calls: &[Call]) -> usize {
    // What a power loss could take: bytes of a file, names in a folder.
    let (mut bytes, mut names) = (BTreeSet::new(), BTreeMap::new());
    let mut commits = 0;
    for call in calls {
        let path = call.path.as_str();
        let in_warc = path.contains("/warc/");
        match call.name.as_str() {
            "write" | "pwrite64" | "writev" | "ftruncate" if in_warc => drop(bytes.insert(path)),
            "fsync" | "fdatasync" => {
                bytes.remove(path);
                names.retain(|_, folder| *folder != path);
            }
            "create" | "mkdir" if in_warc || path.ends_with("/warc") => {
                let (folder, _) = path.rsplit_once('/').unwrap();
                names.insert(path, folder);
            }
            "pwrite64" if path.ends_with("-wal") => {
                commits += 1;
                assert!(
                    bytes.is_empty() && names.is_empty(),
                    "not synced at a commit: {bytes:?} {names:?}\n{calls:#?}"
                );
            }
            _ => {}
        }
    }
    commits
}

#[test]
fn no_commit_is_written_before_the_bytes_it_speaks_of_are_synced() {
    let runtime = Runtime::new().unwrap();
    let undisturbed = undisturbed(&runtime);
    assert!(check_order(&undisturbed.calls) > 20);
    // Nor by a run that takes up what another has left.
    for at in (1..undisturbed.calls.len()).step_by(40) {
        let trial = Trial::new(&runtime, at);
        trial.disturbed(Some(Point { at, manner: Manner::Kill }));
        let (output, calls) = trial.disturbed(None);
        assert!(output.status.success());
        check_order(&calls);
    }
}

#[test]
fn what_stood_in_memory_when_a_sync_failed_is_written_again_before_it_is_called_kept() {
    let runtime = Runtime::new().unwrap();
    for at in 1..=5 {
        let trial = Trial::new(&runtime, 0);
        let mut crawl = trial.shimmed(Some(Point { at, manner: Manner::ErrorOnce }));
        let output = crawl.env("SHIM_ONLY", "fdatasync").output().unwrap();
        if output.status.success() {
            // A slow machine commits more at a time, and has fewer syncs.
            assert!(at > 2, "there is no sync number {at}");
            break;
        }
        assert_eq!(output.status.code(), Some(74));
        let failed = trial.journal().into_iter().filter(|call| call.name == "fdatasync").nth(at - 1).unwrap();
        // On a slow machine it may be the database's.
        if !failed.path.ends_with(".open") {
            continue;
        }
        let (_, calls) = trial.disturbed(None);
        let position = |name: &str| calls.iter().position(|call| call.name == name && call.path == failed.path);
        let (written, synced) = (position("pwrite64").unwrap(), position("fsync").unwrap());
        assert!(written < synced, "{calls:#?}");
        check_after_a_good_end(&trial.archive());
    }
}
