//! Disks that are full or cannot be written: exit 74, one sentence, nothing lost, and the same command goes on later.
//!
//! The disks are small ones in memory, mounted where only the command sees them (a mount namespace of its own): by root,
//! or by anyone where the system lets users have such. `PRESSMARK_SKIP=mounts` does without.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tokio::runtime::Runtime;

use crate::gazette::{Edition, Gazette};
use crate::invariants::{articles, check_after_a_good_end, check_at_any_moment, check_sentence, kept};
use crate::lantern::pressmark;
use crate::readers::skipped;

/// One of its pictures is long enough to be spooled.
const EDITION: Edition =
    Edition { hosts: 1, articles: 2, pictures: 2, first_picture: 1_200_000, pause: Duration::ZERO };

/// A disk with room for everything.
const ROOMY: &str = "size=64m";

/// A crawl of the gazette into an archive on a disk of its own; between runs the disk's content stands in a folder.
struct Shelf {
    gazette: Gazette,
    folder: tempfile::TempDir,
}

impl Shelf {
    fn new(runtime: &Runtime) -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        for name in ["disk", "small"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        Shelf { gazette: Gazette::serve(runtime, EDITION), folder }
    }

    fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn archive(&self) -> PathBuf {
        self.disk().join("archive")
    }

    fn crawl(&self) -> Command {
        let mut command = self.gazette.crawl(&self.archive());
        command.args(["--delay", "0", "--warc-size", "100KB"]);
        command
    }

    /// Runs the crawl on a disk with these options, on which stands what the last run left; `then` is done to it
    /// first. Nobody else sees the disk.
    fn crawl_on(&self, options: &str, then: &str) -> Output {
        let [disk, small, left] = ["disk", "small", "left"].map(|name| self.folder.path().join(name));
        let script = format!(
            "disk=$1; small=$2; left=$3; shift 3
             mount -t tmpfs -o {options} none \"$small\"; cp -a \"$disk/.\" \"$small\"; mount --bind \"$small\" \"$disk\"
             {then}
             code=0; \"$@\" || code=$?
             mkdir \"$left\"; cp -a \"$disk/.\" \"$left\"; exit $code"
        );
        let crawl = self.crawl();
        let way = way().expect("no disk can be mounted here; PRESSMARK_SKIP=mounts does without");
        let mut command = Command::new("unshare");
        command.args([way, "sh", "-ec", &script, "sh"]).args([&disk, &small, &left]);
        let output = command.arg(crawl.get_program()).args(crawl.get_args()).output().unwrap();
        assert!(left.exists(), "{options} {then}: {}", String::from_utf8_lossy(&output.stderr));
        std::fs::remove_dir_all(&disk).unwrap();
        std::fs::rename(left, disk).unwrap();
        output
    }

    /// The crawl cannot be done there; nothing that is kept is lost or asked for again.
    fn check_refused(&self, options: &str, then: &str) {
        let archive = self.archive();
        let (had, asked) = (kept(&archive), self.gazette.asked());
        let output = self.crawl_on(options, then);
        let said = String::from_utf8_lossy(&output.stderr);
        println!("{options} {then}: {said}");
        assert_eq!(output.status.code(), Some(74), "{options} {then}: {said}");
        check_sentence(&said, &archive);
        check_at_any_moment(&archive);
        let (has, asked_now) = (kept(&archive), self.gazette.asked());
        for url in had.keys() {
            assert!(has.contains_key(url), "{options} {then}: {url} is lost");
            assert_eq!(asked_now[url], asked[url], "{options} {then}: {url} is kept, and was asked for again");
        }
    }

    /// The same command, with room.
    fn check_completed(&self) {
        let archive = self.archive();
        let output = self.crawl().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        check_after_a_good_end(&archive);
        let kept_pictures: Vec<i64> = articles(&archive).into_iter().map(|(_, _, _, _, kept)| kept).collect();
        assert_eq!(kept_pictures, [2, 2]);
    }
}

/// How `unshare` gives a command mounts of its own here: as root, or as root of a user namespace.
pub fn way() -> Option<&'static str> {
    let can_mount = |way: &&str| {
        let tried = Command::new("unshare").args([way, "mount", "-t", "tmpfs", "none", "/mnt"]).output();
        tried.is_ok_and(|output| output.status.success())
    };
    ["-m", "-rm"].into_iter().find(can_mount)
}

#[test]
fn a_disk_that_is_full_from_the_start_is_named_and_with_room_the_crawl_goes_on() {
    if skipped("mounts") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let shelf = Shelf::new(&runtime);
    // The folder, the lock, the database and its log, the spool: each is the first that cannot be made.
    for inodes in 1..=8 {
        shelf.check_refused(&format!("nr_inodes={inodes}"), "");
    }
    shelf.check_completed();
}

#[test]
fn a_disk_that_runs_full_loses_nothing_and_with_room_the_crawl_goes_on() {
    if skipped("mounts") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let shelf = Shelf::new(&runtime);
    for size in ["4k", "40k", "100k", "300k", "400k", "700k", "1400k"] {
        shelf.check_refused(&format!("size={size}"), "");
    }
    shelf.check_completed();
}

#[test]
fn what_cannot_be_written_is_named_and_left_as_it_is() {
    if skipped("mounts") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let shelf = Shelf::new(&runtime);
    shelf.check_refused(ROOMY, r#"mount -o remount,ro,bind "$disk""#);
    shelf.check_refused("size=700k", "");
    let before = kept(&shelf.archive());
    let read_only =
        |path: &str| format!(r#"mount --bind "$disk/{path}" "$disk/{path}"; mount -o remount,ro,bind "$disk/{path}""#);
    for path in ["archive", "archive/warc"] {
        shelf.check_refused(ROOMY, &read_only(path));
    }
    assert_eq!(kept(&shelf.archive()), before);
    shelf.check_completed();
}

#[test]
fn a_full_spool_on_a_disk_of_its_own_is_named_and_with_room_the_crawl_goes_on() {
    if skipped("mounts") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let shelf = Shelf::new(&runtime);
    let spool = |size: &str| {
        format!(r#"mkdir -p "$disk/archive/spool"; mount -t tmpfs -o size={size} none "$disk/archive/spool""#)
    };
    shelf.check_refused(ROOMY, &spool("300k"));
    let output = shelf.crawl_on(ROOMY, &spool("64m"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    shelf.check_completed();
}

#[test]
fn an_archive_that_is_a_file_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("archive");
    std::fs::write(&file, "letters").unwrap();
    for archive in [file.clone(), file.join("below")] {
        let mut command = pressmark();
        let output = command.args(["crawl", "http://h.example/", "--archive"]).arg(&archive).output().unwrap();
        assert_eq!(output.status.code(), Some(74));
        check_sentence(&String::from_utf8_lossy(&output.stderr), &archive);
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"letters");
}
