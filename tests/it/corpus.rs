//! The corpus kept for the fuzzer, as plain tests: what must hold of any bytes is said in `fuzz/src/lib.rs`.

use std::path::Path;

include!("../../fuzz/src/lib.rs");

/// Runs the check over every file kept for its target, and over each of them cut short.
fn holds_for_all(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "nothing is kept in {}", folder.display());
    for file in files {
        println!("{}", file.display());
        let bytes = std::fs::read(&file).unwrap();
        check(&bytes);
        let step = bytes.len() / 40 + 1;
        (0..bytes.len()).step_by(step).for_each(|len| check(&bytes[..len]));
    }
}

#[test]
fn warc_files_of_any_packing() {
    holds_for_all("warc", warc);
}

#[test]
fn gzip_members() {
    holds_for_all("gzip", gzip);
}

#[test]
fn zstd_frames() {
    holds_for_all("zstd", zstd);
}

#[test]
fn lines_of_an_index() {
    holds_for_all("cdxj", cdxj);
}

#[test]
fn robots_files() {
    holds_for_all("robots", robots);
}

#[test]
fn heads_of_answers() {
    holds_for_all("http", http);
}

#[test]
fn pages_in_any_charset() {
    holds_for_all("page", page);
}
