//! From an exchange to the bytes of its records. Pure but for spool files; runs on a worker.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use data_encoding::BASE64;
use warc::{RecordType, WarcHeader};

use super::dictionary::Codebook;
use super::framing::{Stored, stored_head};
use super::notes::Notes;
use super::record::{Head, Packed, Packing, pack};
use super::revisit::{Original, Unchanged};
use super::writer::Compress;
use super::{Error, Kind};
use crate::web::digest::{Algorithm, Digest, Digester, digest};
use crate::web::exchange::{Answer, Body, Exchange, Fault, NameAnswer, TlsFacts, Validators};
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
    /// In which form chunked answers are stored.
    pub framing: Stored,
    /// Whether the answers of name servers are kept.
    pub dns_records: bool,
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
    pub(super) validators: Validators,
    pub(super) payload: Digest,
    pub(super) payload_len: u64,
    pub(super) refers_to: Option<Original>,
    pub(super) truncated: Option<String>,
    pub(super) address: Option<IpAddr>,
    pub(super) first: Packed,
    pub(super) request: Option<Packed>,
    pub(super) resources: Vec<Packed>,
    pub(super) metadata: Packed,
    answer: Option<Whole>,
    options: Options,
}

/// What is left to say of an answer when its payload need not be repeated.
struct Whole {
    /// The record's head, but for what depends on the block.
    head: Head,
    /// The HTTP head as stored.
    stored: Vec<u8>,
    /// It came whole, and by the rules of HTTP.
    complete: bool,
    /// The host and port of its origin, and what TLS showed of it.
    chain: Option<(String, Arc<TlsFacts>)>,
}

impl Encoded {
    /// Bytes it will take in the file.
    pub fn len(&self) -> u64 {
        let rest = self.request.iter().chain(&self.resources).map(|record| record.length);
        self.first.length + self.metadata.length + rest.sum::<u64>()
    }

    /// Never: a group has at least two records.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The payload of an answer that came whole, with its length: an earlier record may hold the same. None when there
    /// is nothing to save.
    pub fn whole_payload(&self) -> Option<(&Digest, u64)> {
        let complete = self.kind == Kind::Response && self.answer.as_ref().is_some_and(|answer| answer.complete);
        (complete && self.payload_len > 0).then_some((&self.payload, self.payload_len))
    }

    /// What a later revisit says of it.
    pub fn as_original(&self) -> Original {
        Original { record_id: self.record_id.clone(), url: self.url.clone(), at: self.at }
    }

    /// Leaves the payload out: the answer repeats an earlier one. The records that are concurrent to it stay as they
    /// are. A document of the user's own stays one.
    ///
    /// # Errors
    /// Only when a spool file cannot be written.
    pub fn into_revisit(mut self, unchanged: Unchanged<'_>) -> Result<Encoded, Error> {
        let Some(answer) = &self.answer else { return Ok(self) };
        let (options, original) = (&self.options, unchanged.original());
        if let Unchanged::NotModified(earlier) = unchanged {
            self.payload = earlier.payload.clone();
            self.payload_len = earlier.payload_len;
        }
        let head = answer.head.clone().of_kind(RecordType::Revisit);
        let head = head
            .with(WarcHeader::Profile, unchanged.profile())
            .with(WarcHeader::RefersTo, &original.record_id)
            .add("WARC-Refers-To-Target-URI", &original.url)
            .add("WARC-Refers-To-Date", &original.at.iso())
            .with(WarcHeader::PayloadDigest, self.payload.as_str())
            .with(WarcHeader::BlockDigest, digest(options.digest, &answer.stored).as_str())
            // WARC/1.1, 6.7.2: where the payload is left out, the record says that it is cut.
            .with(WarcHeader::Truncated, "length");
        let packing = options.packing(false);
        let (stored, folder) = (&answer.stored, &options.spool_dir);
        self.first = pack(head, stored.len() as u64, packing, folder, &mut |out| out.write_all(stored))
            .map_err(Error::new("spool a record in", folder))?;
        self.kind = Kind::Revisit;
        self.refers_to = Some(original.clone());
        Ok(self)
    }

    /// The origin's host and port, and the certificates it showed, when it showed any.
    pub fn chain(&self) -> Option<(&str, &[Vec<u8>])> {
        let (origin, tls) = self.answer.as_ref()?.chain.as_ref()?;
        (!tls.chain.is_empty()).then_some((origin.as_str(), tls.chain.as_slice()))
    }

    /// Adds the certificates to the group, as a resource.
    ///
    /// # Errors
    /// Only when a spool file cannot be written.
    pub fn keep_chain(&mut self) -> Result<(), Error> {
        let Some((origin, chain)) = self.chain() else { return Ok(()) };
        let (uri, block) = (format!("{CHAIN}{origin}"), pem(chain));
        let resource = Resource { uri: &uri, media: "application/pem-certificate-chain", block: block.as_bytes() };
        let packed = resource.pack(self.at, &self.record_id, self.address, &self.options);
        self.resources.push(packed.map_err(Error::new("spool a record in", &self.options.spool_dir))?);
        Ok(())
    }
}

/// What the URI of a certificate chain begins with; host and port follow. A URN: indexers and replay tools know them
/// from other crawlers, sort them by their text, and never take them for a page of the host.
const CHAIN: &str = "urn:certificates:";

/// Certificates as RFC 8555, 9.1 writes a chain of them: the server's own first.
fn pem(chain: &[Vec<u8>]) -> String {
    let mut text = String::new();
    for certificate in chain {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in BASE64.encode(certificate).as_bytes().chunks(64) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}

/// A record that tells of a capture's circumstances.
struct Resource<'a> {
    uri: &'a str,
    media: &'a str,
    block: &'a [u8],
}

impl Resource<'_> {
    fn pack(self, at: Timestamp, first: &str, address: Option<IpAddr>, options: &Options) -> io::Result<Packed> {
        let digest = digest(options.digest, self.block);
        let head = Head::new(RecordType::Resource, at, self.media)
            .with(WarcHeader::TargetURI, self.uri)
            .maybe(WarcHeader::IPAddress, address.map(|address| address.to_string()).as_deref())
            .with(WarcHeader::ConcurrentTo, first)
            .with(WarcHeader::PayloadDigest, digest.as_str())
            .with(WarcHeader::BlockDigest, digest.as_str());
        let packing = options.packing(false);
        let block = self.block;
        pack(head, block.len() as u64, packing, &options.spool_dir, &mut |out| out.write_all(block))
    }
}

/// The records of an exchange: response, request, metadata, and the answer of the name server if it is to be kept. None
/// when nothing at all was received.
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
        let (stored, framing) = stored_head(answer, options.framing, &mut |at, len| source.range(at, len))?;
        notes.framing = framing;
        notes.fault = exchange.trouble();
        notes.times = Some(exchange.times.into());
        notes.withheld = exchange.withheld();
        notes.oddities.extend(oddities(answer));

        let (mut payload, mut block) = (Digester::new(options.digest), Digester::new(options.digest));
        block.update(&stored);
        let parts = answer.payload_parts();
        let kept = match options.framing {
            Stored::Entity => parts.clone(),
            Stored::Wire => vec![Part { at: 0, len: answer.body.len() }],
        };
        let same = kept == parts;
        source.each(&parts, &mut |bytes| {
            payload.update(bytes);
            if same {
                block.update(bytes);
            }
            Ok(())
        })?;
        if !same {
            source.each(&kept, &mut |bytes| {
                block.update(bytes);
                Ok(())
            })?;
        }
        let payload = payload.finish();

        let is_http = !stored.is_empty();
        let truncated = exchange.fault.as_ref().and_then(Fault::truncation);
        let mut base = self
            .head(RecordType::Response, if is_http { HTTP } else { "application/octet-stream" })
            .add("WARC-Protocol", protocol(answer));
        if let Some(tls) = &exchange.tls {
            base = base.add("WARC-Protocol", &format!("tls/{}", tls.version));
            base = base.add("WARC-Cipher-Suite", &tls.cipher_suite);
        }
        let record_id = base.id().to_owned();
        let head = base
            .clone()
            // Readers look for the payload behind a head; without one there is a block and nothing more.
            .maybe(WarcHeader::PayloadDigest, is_http.then_some(payload.as_str()))
            .with(WarcHeader::BlockDigest, block.finish().as_str())
            .maybe(WarcHeader::Truncated, truncated);
        let read = answer.read_head();
        let media = read.field("content-type");
        let packed_already = !read.content_codings().is_empty() || media.as_deref().is_some_and(is_compressed);
        let length = stored.len() as u64 + kept.iter().map(|part| part.len).sum::<u64>();
        let packing = options.packing(packed_already);
        let first = pack(head, length, packing, &options.spool_dir, &mut |out| {
            out.write_all(&stored)?;
            source.each(&kept, &mut |bytes| out.write_all(bytes))
        })?;

        let request = self.request(&record_id)?;
        let names = exchange.names.as_ref().filter(|_| options.dns_records);
        let names = names.map(|names| name_record(names, exchange.at, &record_id, options)).transpose()?;
        let metadata = metadata(&notes, exchange.url.as_str(), exchange.at, &record_id, options)?;
        let origin = exchange.url.origin();
        let whole = Whole {
            head: base,
            stored,
            complete: is_http && answer.complete && !answer.malformed && exchange.fault.is_none(),
            chain: exchange.tls.clone().map(|tls| (format!("{}:{}", origin.host, origin.port), tls)),
        };
        Ok(Encoded {
            url: exchange.url.as_str().to_owned(),
            at: exchange.at,
            record_id,
            kind: Kind::Response,
            status: exchange.status(),
            media,
            validators: Validators::of(&read),
            payload,
            payload_len: answer.payload_len(),
            refers_to: None,
            truncated: truncated.map(str::to_owned),
            address: exchange.peer.map(|peer| peer.ip().to_canonical()),
            first,
            request: Some(request),
            resources: names.into_iter().collect(),
            metadata,
            answer: Some(whole),
            options: options.clone(),
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

/// What the door noticed and no record field can say.
fn oddities(answer: &Answer) -> Vec<String> {
    let mut odd = Vec::new();
    if answer.malformed {
        odd.push("the answer breaks HTTP's framing: kept as received, up to the close".to_owned());
    }
    if answer.excess > 0 {
        odd.push(format!("{} bytes came after the end of the answer; they are not kept", answer.excess));
    }
    if answer.unclean_close {
        odd.push("TLS ended without its closing alert: the end of the body may be missing".to_owned());
    }
    odd
}

/// What a name server answered, in the form that Heritrix began and others read: the instant, then lines of a master
/// file. Which server it was is not known: the system's resolver does not say.
fn name_record(names: &NameAnswer, at: Timestamp, first: &str, options: &Options) -> io::Result<Packed> {
    let mut block = format!("{}\n", names.at.utc().format("%Y%m%d%H%M%S"));
    for line in &names.records {
        block.push_str(line);
        block.push('\n');
    }
    let uri = format!("dns:{}", names.host);
    Resource { uri: &uri, media: "text/dns", block: block.as_bytes() }.pack(at, first, None, options)
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
        validators: Validators::default(),
        payload,
        payload_len: bytes.len() as u64,
        refers_to: None,
        truncated: None,
        address: None,
        first,
        request: None,
        resources: Vec::new(),
        metadata,
        answer: None,
        options: options.clone(),
    })
}

fn metadata(notes: &Notes, url: &str, at: Timestamp, first: &str, options: &Options) -> io::Result<Packed> {
    let block = notes.to_block()?;
    let head = Head::new(RecordType::Metadata, at, "application/warc-fields")
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
