//! A second opinion on WARC files: warcio and FastWARC, through `read_back.py`.
//!
//! `make test` puts both into `target/venv`. Where that cannot be, `PRESSMARK_SKIP=readers` lets the tests that need
//! them pass with a line saying so; without it they fail, so that nobody believes a comparison that did not happen.

use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE32;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// The readers there are.
pub const READERS: [&str; 2] = ["warcio", "fastwarc"];

/// A tool of that name was left out on purpose (`PRESSMARK_SKIP=readers,sqlite3`); says so.
pub fn skipped(tool: &str) -> bool {
    let skip = std::env::var("PRESSMARK_SKIP").unwrap_or_default();
    let skipped = skip.split(',').any(|word| word == tool);
    if skipped {
        eprintln!("not tested: {tool} is left out (PRESSMARK_SKIP)");
    }
    skipped
}

/// What `reader` sees in the files: one object a record, in order (the fields are named at the head of
/// `read_back.py`).
///
/// # Panics
///
/// When the reader is not installed, or gives up on a file.
pub fn read_back(reader: &str, files: &[PathBuf]) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/venv/bin/python");
    assert!(
        python.is_file(),
        "{} is missing: `make test` installs it, PRESSMARK_SKIP=readers does without",
        python.display()
    );
    let mut command = Command::new(python);
    let output = command.arg(root.join("tests/it/read_back.py")).arg(reader).args(files).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{reader} gives up:\n{out}{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sha1_of(bytes: &[u8]) -> String {
    BASE32.encode(&Sha1::digest(bytes))
}

/// A record by hand: type, block, payload.
fn record(kind: &str, block: &str, payload: &str) -> String {
    format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{}>\r\nWARC-Date: 2026-11-22T13:46:25.123Z\r\n\
         WARC-Target-URI: http://example.org/\r\nContent-Type: application/http; msgtype={kind}\r\n\
         WARC-Block-Digest: sha1:{}\r\nWARC-Payload-Digest: sha1:{}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
        uuid::Uuid::new_v4(),
        sha1_of(block.as_bytes()),
        sha1_of(payload.as_bytes()),
        block.len()
    )
}

#[test]
fn both_readers_see_what_was_written_and_notice_what_was_not() {
    if skipped("readers") {
        return;
    }
    let response = "HTTP/1.1 200 Fine By Me\r\nX-Odd:  a\r\nContent-Length: 5\r\n\r\nhello";
    let request = "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n";
    let first = record("response", response, "hello");
    let whole = format!("{first}{}", record("request", request, ""));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.warc");
    for reader in READERS {
        std::fs::write(&file, &whole).unwrap();
        let seen = read_back(reader, std::slice::from_ref(&file));
        assert_eq!(seen.len(), 2, "{reader}");
        assert_eq!((&seen[0]["type"], &seen[1]["offset"]), (&json!("response"), &json!(first.len())), "{reader}");
        assert_eq!(seen[0]["block_sha1"], sha1_of(response.as_bytes()), "{reader}");
        assert_eq!((&seen[0]["passed"], &seen[1]["passed"]), (&json!(true), &json!(true)), "{reader}");

        std::fs::write(&file, whole.replace("hello", "jello")).unwrap();
        let seen = read_back(reader, std::slice::from_ref(&file));
        assert_eq!((&seen[0]["passed"], &seen[1]["passed"]), (&json!(false), &json!(true)), "{reader}");
    }
}
