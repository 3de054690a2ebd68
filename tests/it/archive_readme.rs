//! The README in every archive is followed by a stranger: a shell, `sqlite3`, and what the README says.

use std::fs;
use std::path::Path;
use std::process::Command;

use pressmark::archive::README;
use pressmark::demo::world::truths;

use crate::lantern::{Lantern, rows, run};
use crate::readers::skipped;

/// The commands of the README, in its order.
fn commands() -> String {
    let mut commands = String::new();
    let mut inside = false;
    for line in README.lines() {
        match (line, inside) {
            ("```sh", _) => inside = true,
            ("```", true) => inside = false,
            (line, true) => commands.extend([line, "\n"]),
            _ => {}
        }
    }
    commands
}

/// Does what the README says.
fn follow(archive: &Path) {
    let program = format!("set -e\n{}", commands());
    let output = Command::new("sh").arg("-c").arg(&program).current_dir(archive).output().unwrap();
    assert!(output.status.success(), "{program}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The newest article of the demo site, by the README's own query, and the page as the site serves it.
fn check(more: &[&str]) {
    if skipped("sqlite3") || (more.contains(&"zstd") && skipped("zstd")) {
        return;
    }
    let (lantern, folder) = (Lantern::new(), tempfile::tempdir().unwrap());
    let archive = folder.path().join("archive");
    let mut command = lantern.crawl(&archive);
    // One host of the site is dead: it is not waited for.
    command.args("--delay 0s --robots ignore --max-time 5s --quiet".split(' ')).args(more);
    assert!(run(&mut command).status.success());
    assert_eq!(fs::read_to_string(archive.join("README.md")).unwrap(), README);
    follow(&archive);
    let rows = rows(&archive, "SELECT url FROM article ORDER BY published DESC LIMIT 1");
    let url = rows[0][0].as_str().unwrap();
    let page = fs::read(archive.join("page")).unwrap();
    let served = truths().files.into_iter().find(|file| file.url == url).unwrap().bytes;
    assert!(page == served, "{url}: {}", String::from_utf8_lossy(&page));
}

#[test]
fn a_stranger_reads_a_page() {
    check(&[]);
}

#[test]
fn a_stranger_reads_a_page_packed_with_zstd() {
    check(&["--compress", "zstd"]);
}

#[test]
fn a_stranger_reads_a_page_packed_with_a_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    let sample = folder.path().join("sample");
    let pages = truths().files.into_iter().flat_map(|file| file.bytes).take(400_000);
    fs::write(&sample, pages.collect::<Vec<u8>>()).unwrap();
    check(&["--compress", "zstd", "--dictionary", sample.to_str().unwrap()]);
}

#[test]
fn a_stranger_reads_a_page_that_is_not_packed() {
    check(&["--compress", "none"]);
}
