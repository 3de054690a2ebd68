//! One record's head, and its bytes in the file.
//!
//! Types and fields are the `warc` crate's. The order, the spelling and the digits of a date are ours: that crate keeps
//! fields in a hash map, writes names in lower case and cuts dates to the second.

use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::SpooledTempFile;
use warc::{RecordBuilder, RecordType, WarcHeader};

use super::dictionary::{self, Dictionary};
use super::writer::Compress;
use crate::web::time::Timestamp;

/// Encoded records longer than this wait in a file.
const IN_MEMORY: usize = 4 << 20;

/// The order in which fields stand, with the standard's spelling (WARC/1.1, section 5).
const ORDER: [(WarcHeader, &str); 15] = [
    (WarcHeader::WarcType, "WARC-Type"),
    (WarcHeader::RecordID, "WARC-Record-ID"),
    (WarcHeader::Date, "WARC-Date"),
    (WarcHeader::TargetURI, "WARC-Target-URI"),
    (WarcHeader::Filename, "WARC-Filename"),
    (WarcHeader::WarcInfoID, "WARC-Warcinfo-ID"),
    (WarcHeader::IPAddress, "WARC-IP-Address"),
    (WarcHeader::ConcurrentTo, "WARC-Concurrent-To"),
    (WarcHeader::Profile, "WARC-Profile"),
    (WarcHeader::RefersTo, "WARC-Refers-To"),
    (WarcHeader::PayloadDigest, "WARC-Payload-Digest"),
    (WarcHeader::BlockDigest, "WARC-Block-Digest"),
    (WarcHeader::Truncated, "WARC-Truncated"),
    (WarcHeader::ContentType, "Content-Type"),
    (WarcHeader::ContentLength, "Content-Length"),
];

/// The head of a record to be written.
#[derive(Clone)]
pub(super) struct Head {
    builder: RecordBuilder,
    id: String,
    date: Timestamp,
    /// Fields that may be repeated, or that the builder has no name for.
    others: Vec<(&'static str, String)>,
}

impl Head {
    pub(super) fn new(kind: RecordType, date: Timestamp, content_type: &str) -> Head {
        let id = format!("<urn:uuid:{}>", uuid::Uuid::new_v4());
        let builder = RecordBuilder::default()
            .version("1.1".to_owned())
            .warc_type(kind)
            .warc_id(id.clone())
            .date(date.utc())
            .header(WarcHeader::ContentType, content_type);
        Head { builder, id, date, others: Vec::new() }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Sets a field; what would break the line is taken out of the value.
    pub(super) fn with(mut self, field: WarcHeader, value: &str) -> Head {
        self.builder = self.builder.header(field, clean(value));
        self
    }

    pub(super) fn maybe(self, field: WarcHeader, value: Option<&str>) -> Head {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// Makes it the head of another kind of record.
    pub(super) fn of_kind(mut self, kind: RecordType) -> Head {
        self.builder = self.builder.warc_type(kind);
        self
    }

    /// Adds a field that may stand more than once, or that the builder has no name for.
    pub(super) fn add(mut self, name: &'static str, value: &str) -> Head {
        self.others.push((name, clean(value)));
        self
    }

    fn into_bytes(self, length: u64) -> Vec<u8> {
        let (mut raw, _) = self.builder.build_raw();
        raw.headers.insert(WarcHeader::Date, self.date.iso().into_bytes());
        raw.headers.insert(WarcHeader::ContentLength, length.to_string().into_bytes());
        let mut out = format!("WARC/{}\r\n", raw.version).into_bytes();
        for (field, name) in &ORDER {
            if let Some(value) = raw.headers.get(field) {
                line(&mut out, name, value);
            }
            if *field == WarcHeader::RefersTo {
                self.others.iter().for_each(|(name, value)| line(&mut out, name, value.as_bytes()));
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }
}

fn line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn clean(value: &str) -> String {
    value.chars().filter(|c| !c.is_control()).collect()
}

/// How a record's block is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    pub compress: Compress,
    /// The block is compressed already: a second time would cost much and gain nothing.
    pub packed_already: bool,
    /// What zstd frames are packed with.
    pub dictionary: Option<Arc<Dictionary>>,
}

/// A record's bytes as they will stand in the file.
pub(super) struct Packed {
    pub bytes: SpooledTempFile,
    pub length: u64,
    /// Its length before it was packed.
    plain: u64,
    packing: Packing,
}

/// Writes a record: its head, its block as `block` writes it, two line ends; one gzip member or zstd frame a record.
pub(super) fn pack(
    head: Head,
    length: u64,
    packing: Packing,
    folder: &Path,
    block: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<Packed> {
    const END: &[u8] = b"\r\n\r\n";
    let head = head.into_bytes(length);
    let plain = (head.len() + END.len()) as u64 + length;
    Packed::new(plain, packing, folder, &mut |out| {
        out.write_all(&head)?;
        block(out)?;
        out.write_all(END)
    })
}

impl Packed {
    fn new(
        plain: u64,
        packing: Packing,
        folder: &Path,
        record: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<Packed> {
        let mut file = tempfile::spooled_tempfile_in(IN_MEMORY, folder);
        let mut file = match packing.compress {
            Compress::None => {
                record(&mut file)?;
                file
            }
            Compress::Gzip => {
                let level = if packing.packed_already { Compression::none() } else { Compression::new(6) };
                let mut encoder = GzEncoder::new(file, level);
                record(&mut encoder)?;
                encoder.finish()?
            }
            Compress::Zstd => {
                let dictionary = packing.dictionary.as_deref();
                let mut encoder = dictionary::frame(file, plain, packing.packed_already, dictionary)?;
                record(&mut encoder)?;
                encoder.finish()?
            }
        };
        let length = file.stream_position()?;
        file.rewind()?;
        Ok(Packed { bytes: file, length, plain, packing })
    }

    /// Packs the record anew where a file wants another dictionary than was wanted when the record was made.
    pub(super) fn suit(&mut self, wanted: Option<&Arc<Dictionary>>, folder: &Path) -> io::Result<()> {
        if self.packing.compress != Compress::Zstd || self.packing.dictionary.as_ref() == wanted {
            return Ok(());
        }
        let packing = Packing { dictionary: wanted.cloned(), ..self.packing.clone() };
        let frame = BufReader::new(&mut self.bytes);
        let mut plain = dictionary::unpacked(frame, self.packing.dictionary.as_deref())?;
        let packed = Packed::new(self.plain, packing, folder, &mut |out| io::copy(&mut plain, out).map(drop))?;
        drop(plain);
        *self = packed;
        Ok(())
    }

    /// Lets a dictionary be trained from the record, too.
    pub(super) fn teach(&mut self, samples: &mut dictionary::Samples) -> io::Result<()> {
        samples.add_frame(BufReader::new(&mut self.bytes), self.plain, self.length)?;
        self.bytes.rewind()
    }

    /// Appends the record to a file.
    pub(super) fn write_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let copied = io::copy(&mut Read::by_ref(&mut self.bytes).take(self.length), out)?;
        if copied == self.length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}
