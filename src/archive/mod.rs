//! The archive is the truth: WARC/1.1 files, written and read.
//!
//! An exchange becomes a *group* of records that is written as one: a response or revisit, its request, perhaps
//! resources (the certificate chain, the answer of the name server), and the metadata that always concludes it; a group
//! without its metadata record was cut off. [`encode()`] makes the bytes, on any thread; one [`Writer`] appends them.
//! Nothing is a [`Capture`] before [`Writer::sync`] has made it durable. A file ends in `.open` while it is being
//! written; [`recover`] takes whole groups out of such a file after a crash and cuts the rest.

pub mod cdxj;
mod dictionary;
mod encode;
mod framing;
mod groups;
mod notes;
mod read;
mod readme;
mod record;
mod recover;
mod revisit;
mod tombstone;
pub mod wacz;
mod writer;

use std::net::IpAddr;
use std::path::PathBuf;

pub use dictionary::{Codebook, Dictionary, DictionaryError, frame as zstd_frame};
pub use encode::{Encoded, Options, encode, encode_document, payload};
pub use framing::{Framing, Stored, entity, rebuild, received};
pub use groups::{Group, Groups, Tied, belongs, first, is_intact, of_web};
pub use notes::{ImageNote, Notes, TimesNote};
pub use read::{
    DictionaryFrame, End, Flaw, Head, Manner, Packing, ReadError, Reading, Record, Records, Source, Step, Wrong,
    ZSTD_MOST, ZstdFrame, read_at,
};
pub use readme::{README, write_readme};
pub use recover::{Found, Recovered, recover, seal_recovered};
pub use revisit::{Earlier, Original, Unchanged, holds};
pub use tombstone::{is_tombstone, tombstone};
pub use writer::{Compress, OPEN, Writer, WriterOptions, Written};

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
    use crate::web::exchange::{Answer, Exchange, Fault, NameAnswer, TlsFacts};
    use crate::web::url::WebUrl;
    use proptest::prelude::*;
    use std::sync::Arc;
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
        let (codebook, framing) = (Codebook::default(), Stored::Entity);
        Options { digest: Algorithm::Sha1, compress, codebook, framing, dns_records: false, spool_dir }
    }

    struct Shelf {
        folder: tempfile::TempDir,
        compress: Compress,
        codebook: std::cell::RefCell<Codebook>,
    }

    impl Shelf {
        fn new(compress: Compress) -> Shelf {
            Shelf { folder: tempfile::tempdir().unwrap(), compress, codebook: std::cell::RefCell::default() }
        }

        fn writer(&self, max_size: u64) -> Writer {
            let mut writer = Writer::new(WriterOptions {
                folder: self.folder.path().to_owned(),
                profile: "a-b".to_owned(),
                max_size,
                max_age: Duration::from_secs(3600),
                compress: self.compress,
                dictionary: None,
                info: vec![("software".to_owned(), "test".to_owned())],
            })
            .unwrap();
            let len = |name: &str| std::fs::metadata(self.folder.path().join(name)).map_or(0, |file| file.len());
            writer.resume(NOW, &len).unwrap();
            self.codebook.replace(writer.codebook());
            writer
        }

        fn encode(&self, exchange: &Exchange) -> Encoded {
            let spool_dir = self.folder.path().to_owned();
            let options = Options { codebook: self.codebook.borrow().clone(), ..options(self.compress, spool_dir) };
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

    fn packings() -> impl Strategy<Value = Compress> {
        prop_oneof![Just(Compress::Gzip), Just(Compress::Zstd), Just(Compress::None)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_is_read_back(bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2000), 1..5), compress in packings()) {
            let shelf = Shelf::new(compress);
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
        fn any_tail_is_cut_to_whole_groups(cut in 0u64..3000, junk in proptest::collection::vec(any::<u8>(), 0..50), compress in packings()) {
            let shelf = Shelf::new(compress);
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
            let cut_off = bytes.split_off(keep);
            bytes.extend_from_slice(&junk);
            // Junk may begin as what it replaces did.
            let keep = keep + cut_off.iter().zip(&junk).take_while(|(was, is)| was == is).count();
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

    /// A page like all the others of its site, and yet not the same.
    fn page(number: usize) -> Vec<u8> {
        let words: Vec<String> = (0..1500)
            .map(|i| digest(Algorithm::Sha1, &[number as u8, (i % 251) as u8]).as_str()[5..9].to_owned())
            .collect();
        format!("<!doctype html><title>{number}</title><nav class=\"site-menu\">Harbour News</nav>{}", words.join(" "))
            .into_bytes()
    }

    /// What the frames of a `.warc.zst` hold, and the number of the dictionary that each names.
    fn frames(bytes: &[u8], dictionary: Option<&Dictionary>) -> Vec<(Option<u32>, Vec<u8>)> {
        let mut rest = &bytes[dictionary.map_or(0, |dictionary| 8 + dictionary.bytes().len())..];
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let length = zstd::zstd_safe::find_frame_compressed_size(rest).unwrap();
            let frame;
            (frame, rest) = rest.split_at(length);
            assert_eq!(frame[4] & 0b100, 0b100, "a frame without a checksum");
            let content = zstd::decompressed_size(frame).expect("a frame says its length");
            let named = zstd::zstd_safe::get_dict_id_from_frame(frame).map(std::num::NonZero::get);
            let known = dictionary.map_or(&[][..], Dictionary::bytes);
            let plain = zstd::bulk::Decompressor::with_dictionary(known).unwrap().decompress(frame, content as usize);
            frames.push((named, plain.unwrap()));
        }
        frames
    }

    #[test]
    fn a_profile_learns_its_dictionary_and_keeps_it() {
        let shelf = Shelf::new(Compress::Zstd);
        let mut writer = shelf.writer(1 << 30);
        // Made before the writer knows a dictionary, appended after it does.
        let early = shelf.encode(&exchange(&page(0), None));
        let captures: Vec<Capture> = (0..200).map(|number| shelf.keep(&mut writer, &page(number))).collect();
        let (first, last) = (&captures[0].place.file, &captures[199].place.file);
        assert_ne!(first, last, "a file with the dictionary is begun");
        assert!(first.ends_with("-00001.warc.zst") && last.ends_with("-00002.warc.zst"));
        let early = writer.append(early, NOW).unwrap();
        assert_eq!(&writer.sync(vec![early]).unwrap()[0].place.file, last);
        writer.close().unwrap();

        let path = shelf.folder.path();
        assert_eq!(Dictionary::of_file(&path.join(first)).unwrap(), None);
        let dictionary = Dictionary::of_file(&path.join(last)).unwrap().unwrap();
        let plain = frames(&std::fs::read(path.join(first)).unwrap(), None);
        let with = frames(&std::fs::read(path.join(last)).unwrap(), Some(&dictionary));
        assert!(plain.iter().all(|(id, _)| id.is_none()));
        assert!(with.iter().all(|(id, _)| *id == Some(dictionary.id())), "every frame names it");
        assert_eq!(plain.len() + with.len(), 2 + 3 * 201, "a frame a record");
        assert!(plain.iter().chain(&with).all(|(_, record)| record.starts_with(b"WARC/1.1\r\n")));
        assert!(with.iter().all(|(_, record)| record.ends_with(b"\r\n\r\n")));

        // The next run goes on with the file; the one after a full file begins with the same dictionary.
        let mut writer = shelf.writer(1 << 30);
        assert_eq!(&shelf.keep(&mut writer, b"again").place.file, last);
        writer.close().unwrap();
        let mut writer = shelf.writer(1);
        let next = shelf.keep(&mut writer, b"again").place.file;
        writer.close().unwrap();
        assert_eq!(Dictionary::of_file(&path.join(&next)).unwrap(), Some(dictionary));
    }

    #[test]
    fn pages_of_an_earlier_run_teach_the_dictionary_too() {
        let shelf = Shelf::new(Compress::Zstd);
        let mut writer = shelf.writer(1 << 30);
        for number in 0..130 {
            shelf.keep(&mut writer, &page(number));
        }
        writer.close().unwrap();
        assert_eq!(shelf.files().len(), 1);
        let mut writer = shelf.writer(1 << 30);
        for number in 130..160 {
            shelf.keep(&mut writer, &page(number));
        }
        writer.close().unwrap();
        let files = shelf.files();
        let second =
            files.iter().find(|name| name.ends_with("-00002.warc.zst")).expect("what the first run kept counts");
        assert!(Dictionary::of_file(&shelf.folder.path().join(second)).unwrap().is_some());
    }

    #[test]
    fn every_way_of_being_cut_has_its_word() {
        let shelf = Shelf::new(Compress::None);
        let mut writer = shelf.writer(1 << 20);
        for (fault, word) in [
            (Fault::Cap, "length"),
            (Fault::Stall, "time"),
            (Fault::Cut, "disconnect"),
            (Fault::Request("reset".to_owned()), "disconnect"),
            (Fault::Abandoned, "unspecified"),
        ] {
            let encoded = shelf.encode(&exchange(b"half", Some(fault.clone())));
            assert!(encoded.whole_payload().is_none(), "{fault:?}: half an answer is like no other");
            let written = writer.append(encoded, NOW).unwrap();
            let capture = writer.sync(vec![written]).unwrap().remove(0);
            assert_eq!(capture.truncated.as_deref(), Some(word), "{fault:?}");
        }
    }

    #[test]
    fn what_only_comes_along_belongs_to_its_group() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(1 << 20);
        let mut exchange = exchange(b"body", None);
        let tls = TlsFacts {
            version: "1.3".to_owned(),
            cipher_suite: "TLS_X".to_owned(),
            chain: vec![vec![7; 60]],
            distrust: None,
        };
        exchange.tls = Some(Arc::new(tls));
        let records = vec!["h.example.\t60\tIN\tA\t192.0.2.7".to_owned()];
        exchange.names = Some(Arc::new(NameAnswer { host: "h.example".to_owned(), at: NOW, records }));
        let spool_dir = shelf.folder.path().to_owned();
        let options = Options { dns_records: true, ..options(Compress::Gzip, spool_dir) };
        let mut encoded = encode(&exchange, Notes::new("s", Role::Page), &options).unwrap().unwrap();
        assert_eq!(encoded.chain().unwrap().0, "h.example:80");
        encoded.keep_chain().unwrap();
        let len = encoded.len();
        let before = writer.append(shelf.encode(&exchange), NOW).unwrap();
        let written = writer.append(encoded, NOW).unwrap();
        let capture = writer.sync(vec![before, written]).unwrap().remove(1);
        assert_eq!(capture.metadata.offset + capture.metadata.length - capture.place.offset, len);
        let name = writer.current().unwrap().0.to_owned();
        drop(writer);
        let recovered = recover(shelf.folder.path(), &|_| 0).unwrap().remove(0);
        assert_eq!(recovered.found[1].capture, capture);
        seal_recovered(shelf.folder.path(), &recovered).unwrap();
        let records = Records::open(&shelf.folder.path().join(name), capture.place.offset).unwrap();
        let records: Vec<Record> = records.map(Result::unwrap).collect();
        let kinds: Vec<&str> = records.iter().map(Record::kind).collect();
        assert_eq!(kinds, ["response", "request", "resource", "resource", "metadata"]);
        for record in &records[1..] {
            assert_eq!(record.field("WARC-Concurrent-To"), Some(capture.record_id.as_str()));
            assert_eq!(record.field("WARC-Date"), records[0].field("WARC-Date"));
        }
        assert_eq!(records[2].field("WARC-Target-URI"), Some("dns:h.example"));
        assert_eq!(records[2].field("Content-Type"), Some("text/dns"));
        assert_eq!(records[2].block, b"20231114221320\nh.example.\t60\tIN\tA\t192.0.2.7\n");
        assert!(records[3].block.starts_with(b"-----BEGIN CERTIFICATE-----\nBwcH"));
    }

    #[test]
    fn wherever_a_file_is_cut_no_revisit_is_without_its_original() {
        let shelf = Shelf::new(Compress::Gzip);
        let mut writer = shelf.writer(1 << 20);
        let original = shelf.encode(&exchange(b"the same", None));
        let refers_to = original.as_original();
        let revisit = shelf.encode(&exchange(b"the same", None));
        assert_eq!(revisit.whole_payload(), original.whole_payload());
        let revisit = revisit.into_revisit(Unchanged::SamePayload(&refers_to)).unwrap();
        assert!(revisit.whole_payload().is_none(), "it is no original");
        let written = [original, revisit].map(|group| writer.append(group, NOW).unwrap());
        let captures = writer.sync(written.into()).unwrap();
        assert_eq!((captures[1].kind, &captures[1].refers_to), (Kind::Revisit, &Some(refers_to)));
        assert_eq!((&captures[1].truncated, captures[1].payload_len), (&None, 8));
        let name = format!("{}.open", writer.current().unwrap().0);
        drop(writer);
        let bytes = std::fs::read(shelf.folder.path().join(&name)).unwrap();
        for cut in 0..=bytes.len() {
            std::fs::write(shelf.folder.path().join(&name), &bytes[..cut]).unwrap();
            let found = recover(shelf.folder.path(), &|_| 0).unwrap().remove(0).found;
            let expected: &[Capture] = match found.len() {
                2 => &captures,
                len => &captures[..len],
            };
            for (found, expected) in found.iter().zip(expected) {
                let of_file = |capture: &Capture| Capture { payload_len: 0, ..capture.clone() };
                assert_eq!(of_file(&found.capture), of_file(expected));
            }
        }
    }

    #[test]
    fn no_answer_is_no_record() {
        let mut silent = exchange(b"", Some(Fault::NoAnswer));
        silent.answer = None;
        let options = options(Compress::Gzip, std::env::temp_dir());
        assert!(encode(&silent, Notes::new("s", Role::Page), &options).unwrap().is_none());
    }
}
