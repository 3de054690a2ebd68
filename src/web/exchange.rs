//! One request and its answer, byte for byte, whatever the network did.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::framing::{Framing, Part};
use super::message::Head;
use super::time::Timestamp;
use super::url::WebUrl;

/// What the door recorded of one exchange. A fault is part of it: the broken web is data.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked for.
    pub url: WebUrl,
    /// When the exchange began; every record made of it carries this date.
    pub at: Timestamp,
    /// The request as written to the origin, byte for byte but for what is [`WITHHELD`]; empty when nothing was.
    pub request: Vec<u8>,
    /// What came back; none when not a byte did.
    pub answer: Option<Answer>,
    /// The address really connected to; through a proxy, the one it was told. None where the proxy resolves names.
    pub peer: Option<SocketAddr>,
    /// Facts of the TLS session.
    pub tls: Option<Arc<TlsFacts>>,
    /// What the name server answered, when it was asked for this exchange.
    pub names: Option<Arc<NameAnswer>>,
    /// The connection had served an exchange before.
    pub reused: bool,
    /// How long each step took, from the beginning.
    pub times: Times,
    /// What went wrong, if anything did.
    pub fault: Option<Fault>,
}

/// An answer as received.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Everything before the body: interim 1xx heads and the final head.
    pub head: Vec<u8>,
    /// Where in `head` the final head begins, or what came of it before it was cut off. Equal to its length when
    /// nothing of one came (malformed answers).
    pub final_at: usize,
    /// Everything after the head that belongs to the answer, chunk framing included.
    pub body: Body,
    /// Where the data of the chunks stands in `body`; none when it was not chunked, or was and is malformed: chunks
    /// that cannot be told apart to the end are none, and what came is kept as it came.
    pub parts: Option<Vec<Part>>,
    /// The framing was satisfied.
    pub complete: bool,
    /// Not HTTP/1 by our reading; kept as received.
    pub malformed: bool,
    /// Bytes that came after the end, which nobody asked for.
    pub excess: u64,
    /// TLS ended without its closing alert: a body that ends with the close may be cut.
    pub unclean_close: bool,
}

impl Answer {
    /// Reads an answer whose bytes are all at hand, as if the connection had closed after them.
    pub fn of(bytes: &[u8]) -> Answer {
        let (mut framing, mut body) = (Framing::new(false), Vec::new());
        let taken = framing.feed(bytes, &mut body);
        framing.close();
        let (complete, malformed) = (framing.is_done(), framing.is_malformed());
        let (head, final_at, parts) = framing.into_head();
        let parts = parts.filter(|_| !malformed);
        let excess = (bytes.len() - taken) as u64;
        let body = Body::Bytes(body.into());
        Answer { head, final_at, body, parts, complete, malformed, excess, unclean_close: false }
    }

    /// The final head's bytes.
    pub fn final_head(&self) -> &[u8] {
        &self.head[self.final_at..]
    }

    /// The final head, read.
    pub fn read_head(&self) -> Head {
        Head::read(self.final_head())
    }

    /// Length of the body once transfer coding is undone.
    pub fn payload_len(&self) -> u64 {
        self.parts.as_ref().map_or(self.body.len(), |parts| parts.iter().map(|part| part.len).sum())
    }

    /// Where the payload stands in `body`.
    pub fn payload_parts(&self) -> Vec<Part> {
        self.parts.clone().unwrap_or_else(|| vec![Part { at: 0, len: self.body.len() }])
    }
}

/// Bytes in memory, or the path of a spool file that the door wrote.
#[derive(Clone, Debug)]
pub enum Body {
    /// At hand.
    Bytes(Arc<[u8]>),
    /// Too long for memory. The file goes when the last copy of the value does.
    Spool {
        /// Where it stands.
        path: Arc<tempfile::TempPath>,
        /// Its length.
        len: u64,
    },
}

impl Body {
    /// Length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Spool { len, .. } => *len,
        }
    }

    /// No bytes at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The answer of a name server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAnswer {
    /// The host that was asked for.
    pub host: String,
    /// When the answer came.
    pub at: Timestamp,
    /// Its resource records, each a line of a master file: name, time to live, class, type, data (RFC 1035, 5.1).
    pub records: Vec<String>,
}

/// What is known of a TLS session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `1.2` or `1.3`.
    pub version: String,
    /// The IANA name of the cipher suite, such as `TLS_AES_128_GCM_SHA256`.
    pub cipher_suite: String,
    /// The certificates as sent, the server's own first, in DER.
    pub chain: Vec<Vec<u8>>,
    /// Why the certificate would have been refused, had it not been let through all the same.
    pub distrust: Option<String>,
}

/// What an answer can be recognised by when it is asked for again (RFC 9110, 8.8).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`, as sent.
    pub etag: Option<String>,
    /// `Last-Modified`, as sent.
    pub last_modified: Option<String>,
}

impl Validators {
    /// Those of an answer's head. What could not be sent back as it came is none.
    pub fn of(head: &Head) -> Validators {
        let plain = |name| head.field(name).filter(|value| !value.is_empty() && value.bytes().all(is_plain));
        Validators { etag: plain("etag"), last_modified: plain("last-modified") }
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// Time from the beginning of the exchange to the end of each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// The name was resolved.
    pub dns: Option<Duration>,
    /// The connection stood.
    pub connect: Option<Duration>,
    /// TLS stood.
    pub tls: Option<Duration>,
    /// The request was written.
    pub sent: Option<Duration>,
    /// The first byte came.
    pub first: Option<Duration>,
    /// It was over.
    pub end: Option<Duration>,
}

/// What went wrong, sorted by where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The name server knows that there is no such name, or no address of it.
    #[error("name does not resolve ({0})")]
    NoName(String),
    /// The name does not resolve, for want of a usable answer.
    #[error("name does not resolve ({0})")]
    Dns(String),
    /// The guard refused the address.
    #[error("address {0} is private, local or reserved")]
    Forbidden(IpAddr),
    /// The connection was refused or broke while being made.
    #[error("cannot connect ({0})")]
    Connect(String),
    /// No connection within the time limit.
    #[error("connection timed out")]
    ConnectTimeout,
    /// The upstream proxy did not let us through.
    #[error("proxy {0}")]
    Proxy(String),
    /// The server's certificate is not to be trusted.
    #[error("certificate: {0}")]
    Certificate(String),
    /// The TLS handshake failed.
    #[error("TLS failed ({0})")]
    Tls(String),
    /// The TLS handshake made no progress within the time limit.
    #[error("TLS handshake timed out")]
    TlsTimeout,
    /// A reused connection closed without a byte of answer.
    #[error("a reused connection had closed")]
    Stale,
    /// A fresh connection closed without a byte of answer.
    #[error("closed without an answer")]
    NoAnswer,
    /// Closed before the framing said so.
    #[error("cut off")]
    Cut,
    /// No byte for the time limit.
    #[error("stalled")]
    Stall,
    /// Longer than the cap.
    #[error("longer than the cap")]
    Cap,
    /// The caller gave it up.
    #[error("given up")]
    Abandoned,
    /// The request could not be written.
    #[error("the request could not be sent ({0})")]
    Request(String),
}

impl Fault {
    /// The value of `WARC-Truncated` for what was received until then (WARC/1.1, 5.13).
    pub fn truncation(&self) -> Option<&'static str> {
        match self {
            Fault::Cap => Some("length"),
            Fault::Stall => Some("time"),
            Fault::Cut | Fault::Request(_) => Some("disconnect"),
            Fault::Abandoned => Some("unspecified"),
            _ => None,
        }
    }

    /// The host could not be talked to at all, so its other URLs have no better prospects.
    pub fn is_unreachable(&self) -> bool {
        use Fault::{Certificate, Connect, ConnectTimeout, Dns, NoName, Proxy, Tls, TlsTimeout};
        matches!(
            self,
            NoName(_) | Dns(_) | Connect(_) | ConnectTimeout | Proxy(_) | Certificate(_) | Tls(_) | TlsTimeout
        )
    }

    /// It will not have passed in a few seconds, so that trying again in this run is of no use.
    pub fn is_final(&self) -> bool {
        matches!(self, Fault::NoName(_) | Fault::Forbidden(_) | Fault::Certificate(_))
    }
}

/// What stands in a recorded request for the value of a field that is nobody else's business.
pub const WITHHELD: &str = "[withheld]";

impl Exchange {
    /// An exchange of which nothing but a fault is known.
    pub fn faulty(url: WebUrl, at: Timestamp, fault: Fault) -> Exchange {
        Exchange {
            url,
            at,
            request: Vec::new(),
            answer: None,
            peer: None,
            tls: None,
            names: None,
            reused: false,
            times: Times::default(),
            fault: Some(fault),
        }
    }

    /// The final status; none when there was no readable head.
    pub fn status(&self) -> Option<u16> {
        let answer = self.answer.as_ref()?;
        Some(answer.read_head().status).filter(|status| *status > 0)
    }

    /// Takes the values of these fields out of the request. A line that continues one goes with it.
    pub fn withhold(&mut self, is_secret: impl Fn(&str) -> bool) {
        let mut kept = Vec::with_capacity(self.request.len());
        let mut in_secret = false;
        for (number, line) in self.request.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let continues = matches!(line, [b' ' | b'\t', ..]);
            let name = line.split(|byte| *byte == b':').next().and_then(|name| std::str::from_utf8(name).ok());
            let name = name.filter(|name| number > 0 && name.len() < line.len());
            match name {
                _ if continues && in_secret => {}
                Some(name) if !continues && is_secret(name) => {
                    in_secret = true;
                    kept.extend_from_slice(format!("{name}: {WITHHELD}\r\n").as_bytes());
                }
                _ => {
                    in_secret = false;
                    kept.extend_from_slice(line);
                }
            }
        }
        self.request = kept;
    }

    /// The request's fields whose value was withheld, in lower case.
    pub fn withheld(&self) -> Vec<String> {
        let fields = Head::read(&self.request).fields.into_iter();
        let withheld = fields.filter(|field| field.value == WITHHELD.as_bytes());
        withheld.map(|field| field.name.to_ascii_lowercase()).collect()
    }

    /// What was wrong with it, for a person: its fault, or the certificate that was let through all the same.
    pub fn trouble(&self) -> Option<String> {
        let distrust = || self.tls.as_ref()?.distrust.clone().map(|why| Fault::Certificate(why).to_string());
        self.fault.as_ref().map(ToString::to_string).or_else(distrust)
    }

    /// From the request's last byte to the answer's last.
    pub fn took(&self) -> Duration {
        let (sent, end) = (self.times.sent.unwrap_or_default(), self.times.end.unwrap_or_default());
        end.saturating_sub(sent)
    }
}
