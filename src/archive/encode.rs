//! From an exchange to the bytes of its records. Pure but for spool files; runs on a worker.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::path::PathBuf;

use warc::{RecordType, WarcHeader};

use super::dictionary::Codebook;
use super::framing::stored_head;
use super::notes::Notes;
use super::record::{Head, Packed, Packing, pack};
use super::writer::Compress;
use super::{Error, Kind};
use crate::web::digest::{Algorithm, Digest, Digester, digest};
use crate::web::exchange::{Answer, Body, Exchange, Fault};
use crate::web::framing::Part;
use crate::web::time::Timestamp;

/// What an answer with a head is.
const HTTP: &str = "application/http;msgtype=response";
/// How much of a spooled body is in memory at a time.
const PIECE: usize = 256 << 10;

/// How records are made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which digest stands in the records.
    pub digest: Algorithm,
    /// How records are compressed.
    pub compress: Compress,
    /// The dictionary of zstd; the writer sets it.
    pub codebook: Codebook,
    /// Where long records wait until they are appended.
    pub spool_dir: PathBuf,
}

impl Options {
    fn packing(&self, packed_already: bool) -> Packing {
        let dictionary = if self.compress == Compress::Zstd { self.codebook.current() } else { None };
        Packing { compress: self.compress, packed_already, dictionary }
    }
}

/// A group of records, ready to be appended.
pub struct Encoded {
    pub(super) url: String,
    pub(super) at: Timestamp,
    pub(super) record_id: String,
    pub(super) kind: Kind,
    pub(super) status: Option<u16>,
    pub(super) media: Option<String>,
    pub(super) payload: Digest,
    pub(super) payload_len: u64,
    pub(super) truncated: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) first: Packed,
    pub(super) request: Option<Packed>,
    pub(super) metadata: Packed,
}

impl Encoded {
    /// Bytes it will take in the file.
    pub fn len(&self) -> u64 {
        self.first.length + self.request.as_ref().map_or(0, |request| request.length) + self.metadata.length
    }

    /// Never: a group has at least two records.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// The records of an exchange: response, request, metadata. None when nothing at all was received.
///
/// # Errors
/// Only when a spool file cannot be read or written.
pub fn encode(exchange: &Exchange, notes: Notes, options: &Options) -> Result<Option<Encoded>, Error> {
    let Some(answer) = &exchange.answer else { return Ok(None) };
    let encoded = Group { exchange, answer, options }.encode(notes);
    encoded.map(Some).map_err(Error::new("spool a record in", &options.spool_dir))
}

struct Group<'a> {
    exchange: &'a Exchange,
    answer: &'a Answer,
    options: &'a Options,
}

impl Group<'_> {
    fn encode(&self, mut notes: Notes) -> io::Result<Encoded> {
        let Group { exchange, answer, options } = *self;
        let mut source = Source::open(&answer.body)?;
        let (stored, framing) = stored_head(answer, &mut |at, len| source.range(at, len))?;
        notes.framing = framing;
        notes.fault = exchange.fault.as_ref().map(ToString::to_string);
        let parts = answer.payload_parts();

        let mut payload = Digester::new(options.digest);
        let mut block = Digester::new(options.digest);
        block.update(&stored);
        source.each(&parts, &mut |bytes| {
            payload.update(bytes);
            block.update(bytes);
            Ok(())
        })?;
        let payload = payload.finish();

        let is_http = !stored.is_empty();
        let truncated = exchange.fault.as_ref().and_then(Fault::truncation);
        let mut head = self
            .head(RecordType::Response, if is_http { HTTP } else { "application/octet-stream" })
            // Readers look for the payload behind a head; without one there is a block and nothing more.
            .maybe(WarcHeader::PayloadDigest, is_http.then_some(payload.as_str()))
            .with(WarcHeader::BlockDigest, block.finish().as_str())
            .maybe(WarcHeader::Truncated, truncated)
            .repeat("WARC-Protocol", protocol(answer));
        if let Some(tls) = &exchange.tls {
            head = head.repeat("WARC-Protocol", &format!("tls/{}", tls.version));
            head = head.repeat("WARC-Cipher-Suite", &tls.cipher_suite);
        }
        let record_id = head.id().to_owned();
        let read = answer.read_head();
        let media = read.field("content-type");
        let packed_already = !read.content_codings().is_empty() || media.as_deref().is_some_and(is_compressed);
        let length = stored.len() as u64 + answer.payload_len();
        let packing = options.packing(packed_already);
        let first = pack(head, length, packing, &options.spool_dir, &mut |out| {
            out.write_all(&stored)?;
            source.each(&parts, &mut |bytes| out.write_all(bytes))
        })?;

        let request = self.request(&record_id)?;
        let metadata = metadata(&notes, exchange.url.as_str(), exchange.at, &record_id, options)?;
        Ok(Encoded {
            url: exchange.url.as_str().to_owned(),
            at: exchange.at,
            record_id,
            kind: Kind::Response,
            status: exchange.status(),
            media,
            payload,
            payload_len: answer.payload_len(),
            truncated: truncated.map(str::to_owned),
            address: exchange.peer.map(|peer| peer.ip().to_canonical()),
            first,
            request: Some(request),
            metadata,
        })
    }

    fn head(&self, kind: RecordType, content_type: &str) -> Head {
        let address = self.exchange.peer.map(|peer| peer.ip().to_canonical().to_string());
        Head::new(kind, self.exchange.at, content_type)
            .with(WarcHeader::TargetURI, self.exchange.url.as_str())
            .maybe(WarcHeader::IPAddress, address.as_deref())
    }

    fn request(&self, response: &str) -> io::Result<Packed> {
        let sent = &self.exchange.request;
        let head = self
            .head(RecordType::Request, "application/http;msgtype=request")
            .with(WarcHeader::ConcurrentTo, response)
            .with(WarcHeader::BlockDigest, digest(self.options.digest, sent).as_str());
        let packing = self.options.packing(false);
        pack(head, sent.len() as u64, packing, &self.options.spool_dir, &mut |out| out.write_all(sent))
    }
}

/// The records of a document of the user's own: resource and metadata. `url` is `file:///seeds/NAME`.
///
/// # Errors
/// Only when a spool file cannot be written.
pub fn encode_document(
    url: &str,
    at: Timestamp,
    media: &str,
    bytes: &[u8],
    notes: &Notes,
    options: &Options,
) -> Result<Encoded, Error> {
    let payload = digest(options.digest, bytes);
    let head = Head::new(RecordType::Resource, at, media)
        .with(WarcHeader::TargetURI, url)
        .with(WarcHeader::PayloadDigest, payload.as_str())
        .with(WarcHeader::BlockDigest, payload.as_str());
    let record_id = head.id().to_owned();
    let packing = options.packing(false);
    let spooled = Error::new("spool a record in", &options.spool_dir);
    let records = || {
        let first = pack(head, bytes.len() as u64, packing, &options.spool_dir, &mut |out| out.write_all(bytes))?;
        Ok((first, metadata(notes, url, at, &record_id, options)?))
    };
    let (first, metadata) = records().map_err(spooled)?;
    Ok(Encoded {
        url: url.to_owned(),
        at,
        record_id,
        kind: Kind::Resource,
        status: None,
        media: Some(media.to_owned()),
        payload,
        payload_len: bytes.len() as u64,
        truncated: None,
        address: None,
        first,
        request: None,
        metadata,
    })
}

fn metadata(notes: &Notes, url: &str, at: Timestamp, first: &str, options: &Options) -> io::Result<Packed> {
    let block = serde_json::to_vec(notes)?;
    let head = Head::new(RecordType::Metadata, at, "application/json")
        .with(WarcHeader::TargetURI, url)
        .with(WarcHeader::ConcurrentTo, first)
        .with(WarcHeader::BlockDigest, digest(options.digest, &block).as_str());
    let packing = options.packing(false);
    pack(head, block.len() as u64, packing, &options.spool_dir, &mut |out| out.write_all(&block))
}

/// Media types whose files are compressed in themselves.
fn is_compressed(media: &str) -> bool {
    const COMPRESSED: [&str; 9] = [
        "image/",
        "video/",
        "audio/",
        "font/woff",
        "application/font-woff",
        "application/zip",
        "application/gzip",
        "application/x-gzip",
        "application/pdf",
    ];
    let media = media.trim_start().to_ascii_lowercase();
    COMPRESSED.iter().any(|prefix| media.starts_with(prefix)) && !media.starts_with("image/svg")
}

fn protocol(answer: &Answer) -> &'static str {
    if answer.final_head().starts_with(b"HTTP/1.0") { "http/1.0" } else { "http/1.1" }
}

/// A body to be read in ranges.
enum Source<'a> {
    Bytes(&'a [u8]),
    File(File),
}

impl Source<'_> {
    fn open(body: &Body) -> io::Result<Source<'_>> {
        Ok(match body {
            Body::Bytes(bytes) => Source::Bytes(bytes),
            Body::Spool { path, .. } => Source::File(File::open(&**path)?),
        })
    }

    fn range(&mut self, at: u64, len: u64) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        self.each(&[Part { at, len }], &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok(out)
    }

    fn each(&mut self, parts: &[Part], take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for part in parts {
            match self {
                Source::Bytes(bytes) => {
                    let end = part.at + part.len;
                    let range = usize::try_from(part.at).ok().zip(usize::try_from(end).ok());
                    let slice = range.and_then(|(at, end)| bytes.get(at..end));
                    take(slice.ok_or(io::ErrorKind::UnexpectedEof)?)?;
                }
                Source::File(file) => {
                    file.seek(SeekFrom::Start(part.at))?;
                    let mut left = part.len;
                    let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE)).max(1)];
                    while left > 0 {
                        let want = piece.len().min(usize::try_from(left).unwrap_or(piece.len()));
                        file.read_exact(&mut piece[..want])?;
                        take(&piece[..want])?;
                        left -= want as u64;
                    }
                }
            }
        }
        Ok(())
    }
}

/// At most `limit` bytes of an answer's payload, for reading it.
///
/// # Errors
/// Only when a spool file cannot be read.
pub fn payload(answer: &Answer, limit: u64) -> io::Result<Vec<u8>> {
    let mut source = Source::open(&answer.body)?;
    let mut out = Vec::new();
    for part in answer.payload_parts() {
        let len = part.len.min(limit - out.len() as u64);
        out.extend_from_slice(&source.range(part.at, len)?);
        if out.len() as u64 >= limit {
            break;
        }
    }
    Ok(out)
}
