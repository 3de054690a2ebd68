//! The archive is the truth: WARC/1.1 files, written and read.
//!
//! An exchange becomes a *group* of records that is written as one: a response or revisit, its request, perhaps
//! resources (the certificate chain, the answer of the name server), and the metadata that always concludes it; a group
//! without its metadata record was cut off. [`encode()`] makes the bytes, on any thread; one [`Writer`] appends them. Nothing is a [`Capture`] before [`Writer::sync`] has made it durable. A file ends in `.open` while it
//! is being written; [`recover`] takes whole groups out of such a file after a crash and cuts the rest.

pub mod cdxj;
mod encode;
mod framing;
mod notes;
mod read;
mod record;
mod recover;
mod revisit;
mod writer;

use std::net::IpAddr;
use std::path::PathBuf;

pub use encode::{Encoded, Options, encode, encode_document, payload};
pub use framing::{Framing, Stored, entity, rebuild, received};
pub use notes::{ImageNote, Notes, TimesNote};
pub use read::{
    Dictionary, End, Flaw, Head, Manner, Packing, ReadError, Reading, Record, Records, Source, Step, Wrong, ZSTD_MOST,
    ZstdFrame, read_at,
};
pub use recover::{Found, Recovered, recover, seal_recovered};
pub use revisit::{Earlier, Original, Unchanged, holds};
pub use writer::{OPEN, Compress, Writer, WriterOptions, Written};

use crate::web::digest::Digest;
use crate::web::exchange::Validators;
use crate::web::time::Timestamp;

/// Where a record stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name, without folder and without `.open`.
    pub file: String,
    /// Offset of the record's first byte (of its gzip member).
    pub offset: u64,
    /// Length in the file.
    pub length: u64,
}

/// An exchange, or a document of the user's own, that is safely in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    /// `WARC-Target-URI`.
    pub url: String,
    /// `WARC-Date`.
    pub at: Timestamp,
    /// Id of the first record.
    pub record_id: String,
    /// What the first record is.
    pub kind: Kind,
    /// The final status.
    pub status: Option<u16>,
    /// The media type as sent, parameters included.
    pub media: Option<String>,
    /// What the answer can be recognised by when it is asked for again.
    pub validators: Validators,
    /// Digest of the payload: the body with its transfer coding undone. A revisit's is its original's.
    pub payload: Digest,
    /// Its length. A revisit read back from a file says 0: only its original knows.
    pub payload_len: u64,
    /// Where a revisit's payload is; none for what holds its own, or when a foreign revisit does not say.
    pub refers_to: Option<Original>,
    /// `WARC-Truncated`; none for a revisit, whose payload is whole and elsewhere.
    pub truncated: Option<String>,
    /// `WARC-IP-Address`.
    pub address: Option<IpAddr>,
    /// Where the response, revisit or resource stands.
    pub place: Place,
    /// Where the request stands.
    pub request: Option<Place>,
    /// Where the metadata stands.
    pub metadata: Place,
}

/// What the first record of a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An answer.
    Response,
    /// An answer whose payload an earlier record holds.
    Revisit,
    /// A document of the user's own.
    Resource,
}

impl Kind {
    /// The word in `WARC-Type` and in columns.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Response => "response",
            Kind::Revisit => "revisit",
            Kind::Resource => "resource",
        }
    }
}

/// Why the archive cannot be written. Nothing captured is lost by it: what was synced stays, what was not is no
/// capture yet.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct Error {
    /// What was being done.
    pub doing: &'static str,
    /// To which file or folder.
    pub path: PathBuf,
    /// Why it failed.
    pub source: std::io::Error,
}

impl Error {
    fn new(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error { doing, path, source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::candidate::Role;
    use crate::web::digest::{Algorithm, digest};
    use crate::web::exchange::{Answer, Exchange, Fault};
    use crate::web::url::WebUrl;
    use proptest::prelude::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_700_000_000_123);

    fn exchange(body: &[u8], fault: Option<Fault>) -> Exchange {
        let url = WebUrl::parse("http://h.example/a?b").unwrap();
        let mut exchange = Exchange::faulty(url, NOW, Fault::NoAnswer);
        exchange.fault = fault;
        exchange.request = b"GET /a?b HTTP/1.1\r\nHost: h.example\r\n\r\n".to_vec();
        exchange.peer = Some("127.0.0.1:80".parse().unwrap());
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n";
        exchange.answer = Some(Answer::of(&[head, body].concat()));
        exchange
    }

    fn options(compress: Compress, spool_dir: PathBuf) -> Options {
        Options { digest: Algorithm::Sha1, compress, framing: Stored::Entity, dns_records: false, spool_dir }
    }

    struct Shelf {
        folder: tempfile::TempDir,
        compress: Compress,
    }

    impl Shelf {
        fn new(compress: Compress) -> Shelf {
            Shelf { folder: tempfile::tempdir().unwrap(), compress }
        }

        fn writer(&self, max_size: u64) -> Writer {
            let mut writer = Writer::new(WriterOptions {
                folder: self.folder.path().to_owned(),
                profile: "a-b".to_owned(),
                max_size,
                max_age: Duration::from_secs(3600),
                compress: self.compress,
                info: vec![("software".to_owned(), "test".to_owned())],
            })
            .unwrap();
            let len = |name: &str| std::fs::metadata(self.folder.path().join(name)).map_or(0, |file| file.len());
            writer.resume(NOW, &len).unwrap();
            writer
        }

        fn encode(&self, exchange: &Exchange) -> Encoded {
            let spool_dir = self.folder.path().to_owned();
            let options = options(self.compress, spool_dir);
            encode(exchange, Notes::new("http://h.example/", Role::Page), &options).unwrap().unwrap()
        }

        fn keep(&self, writer: &mut Writer, body: &[u8]) -> Capture {
            let written = writer.append(self.encode(&exchange(body, None)), NOW).unwrap();
            writer.sync(vec![written]).unwrap().remove(0)
        }

        fn files(&self) -> Vec<String> {
            let mut names: Vec<String> = std::fs::read_dir(self.folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_is_read_back(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2000), 1..5), gzip: bool) {
            let shelf = Shelf::new(if gzip { Compress::Gzip } else { Compress::None });
            let mut writer = shelf.writer(1 << 30);
            for body in &bodies {
                let capture = shelf.keep(&mut writer, body);
                let record = read_at(shelf.folder.path(), &capture.place).unwrap();
                prop_assert_eq!(record.http().1, body.as_slice());
                let (payload, block) = (digest(Algorithm::Sha1, body), digest(Algorithm::Sha1, &record.block));
                prop_assert_eq!(record.field("WARC-Payload-Digest"), Some(payload.as_str()));
                prop_assert_eq!(record.field("WARC-Block-Digest"), Some(block.as_str()));

                prop_assert_eq!(record.field("WARC-Date"), Some("2023-11-14T22:13:20.123Z"));
                let request = read_at(shelf.folder.path(), capture.request.as_ref().unwrap()).unwrap();
                prop_assert!(request.block.starts_with(b"GET /a?b"));
            }
            writer.close().unwrap();
            let file = &shelf.files()[0];
            let records: Vec<Record> =
                Records::open(&shelf.folder.path().join(file), 0).unwrap().map(|record| record.unwrap()).collect();
            prop_assert_eq!(records.len(), 1 + 3 * bodies.len());
            prop_assert_eq!(records[0].field("WARC-Filename"), Some(file.as_str()));
        }

        #[test]
        fn any_tail_is_cut_to_whole_groups(cut in 0u64..3000, junk in proptest::collection::vec(any::<u8>(), 0..50)) {
            let shelf = Shelf::new(Compress::Gzip);
            let mut writer = shelf.writer(1 << 30);
            let ends: Vec<u64> = (0u8..3)
                .map(|i| {
                    let capture = shelf.keep(&mut writer, &[i; 200]);
                    capture.metadata.offset + capture.metadata.length
                })
                .collect();
            let name = writer.current().unwrap().0.to_owned();
            drop(writer);
            let path = shelf.folder.path().join(format!("{name}.open"));
            let mut bytes = std::fs::read(&path).unwrap();
            let keep = bytes.len().saturating_sub(cut as usize);
            bytes.truncate(keep);
            bytes.extend_from_slice(&junk);
            std::fs::write(&path, &bytes).unwrap();
            let recovered = recover(shelf.folder.path(), &|_| 0).unwrap().remove(0);
            let whole = ends.iter().filter(|end| **end <= keep as u64).count();
            prop_assert_eq!(recovered.found.len(), whole);
            prop_assert_eq!(recovered.len, (whole > 0).then(|| ends[whole - 1]));
            prop_assert_eq!(shelf.files().len(), usize::from(whole > 0));
        }
    }

    #[test]
    fn a_full_file_is_followed_by_another_and_a_small_one_is_taken_up_again() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(600);
        let first = shelf.keep(&mut writer, b"one");
        let second = shelf.keep(&mut writer, b"two");
        assert_ne!(first.place.file, second.place.file);
        writer.close().unwrap();
        let mut names = [first.place.file.clone(), second.place.file.clone()];
        names.sort();
        assert_eq!(shelf.files(), names);
        let mut writer = shelf.writer(1 << 20);
        let third = shelf.keep(&mut writer, b"three");
        assert_eq!(third.place.file, second.place.file);
        assert!(shelf.files().contains(&format!("{}.open", second.place.file)));
    }

    #[test]
    fn what_was_recovered_is_found_again_until_it_is_sealed() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(1 << 20);
        shelf.keep(&mut writer, b"one");
        drop(writer);
        for _ in 0..2 {
            assert_eq!(recover(shelf.folder.path(), &|_| 0).unwrap()[0].found.len(), 1);
        }
        let recovered = recover(shelf.folder.path(), &|_| 0).unwrap().remove(0);
        seal_recovered(shelf.folder.path(), &recovered).unwrap();
        assert_eq!(shelf.files(), [recovered.file]);
        assert!(recover(shelf.folder.path(), &|_| 0).unwrap().is_empty());
    }

    #[test]
    fn a_full_file_keeps_its_open_until_its_rows_are_committed() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(600);
        let first = shelf.keep(&mut writer, b"one");
        shelf.keep(&mut writer, b"two");
        assert!(shelf.files().contains(&format!("{}.open", first.place.file)));
        writer.committed().unwrap();
        assert!(shelf.files().contains(&first.place.file));
    }

    #[test]
    fn a_cut_answer_says_so() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(1 << 20);
        let written = writer.append(shelf.encode(&exchange(b"half", Some(Fault::Stall))), NOW).unwrap();
        let capture = writer.sync(vec![written]).unwrap().remove(0);
        assert_eq!(capture.truncated.as_deref(), Some("time"));
        let record = read_at(shelf.folder.path(), &capture.place).unwrap();
        assert_eq!(record.field("WARC-Truncated"), Some("time"));
    }

    #[test]
    fn no_answer_is_no_record() {
        let mut silent = exchange(b"", Some(Fault::NoAnswer));
        silent.answer = None;
        let options = options(Compress::Gzip, std::env::temp_dir());
        assert!(encode(&silent, Notes::new("s", Role::Page), &options).unwrap().is_none());
    }
}
