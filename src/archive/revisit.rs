//! Answers whose payload is in the archive already: what a revisit says instead of repeating it (WARC/1.1, 6.7).

use std::path::Path;

use super::Place;
use super::writer::OPEN;
use crate::web::digest::Digest;
use crate::web::exchange::Validators;
use crate::web::time::Timestamp;

/// The capture whose record holds a revisit's payload; never a revisit itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// `WARC-Refers-To`: the id of its record, in angle brackets; empty when a foreign revisit names none.
    pub record_id: String,
    /// `WARC-Refers-To-Target-URI`.
    pub url: String,
    /// `WARC-Refers-To-Date`.
    pub at: Timestamp,
}

/// The last complete answer of a URL, to ask with: has it changed since?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Where the payload is.
    pub original: Original,
    /// The original's record.
    pub place: Place,
    /// The payload's digest.
    pub payload: Digest,
    /// Its length.
    pub payload_len: u64,
    /// What the server said the answer could be recognised by.
    pub validators: Validators,
}

/// Whether the file that should hold a record is there, and long enough. `folder` holds the files.
pub fn holds(folder: &Path, place: &Place) -> bool {
    let len = |name: &str| std::fs::metadata(folder.join(name)).map(|file| file.len());
    let len = len(&place.file).or_else(|_| len(&format!("{}{OPEN}", place.file)));
    len.is_ok_and(|len| len >= place.offset + place.length)
}

/// How an answer is known to repeat an earlier one: the two profiles of WARC/1.1, 6.7.2 and 6.7.3.
#[derive(Clone, Copy, Debug)]
pub enum Unchanged<'a> {
    /// Its payload has the digest of one that is kept.
    SamePayload(&'a Original),
    /// The server said so when asked with validators.
    NotModified(&'a Earlier),
}

impl<'a> Unchanged<'a> {
    /// The value of `WARC-Profile`.
    pub(super) fn profile(self) -> &'static str {
        match self {
            Unchanged::SamePayload(_) => "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest",
            Unchanged::NotModified(_) => "http://netpreserve.org/warc/1.1/revisit/server-not-modified",
        }
    }

    pub(super) fn original(self) -> &'a Original {
        match self {
            Unchanged::SamePayload(original) => original,
            Unchanged::NotModified(earlier) => &earlier.original,
        }
    }
}
