//! Whatever a server sends is kept, and comes out again byte for byte: a table of answers, served by a server that
//! knows what it sent, crawled by the built binary, and compared with what the archive holds.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use pressmark::archive::{self, Notes, Record, Records};
use pressmark::web::digest::{Algorithm, digest};
use tokio::runtime::Runtime;

use crate::lantern::{pressmark, rows, run, warcs};
use crate::origin::{Authority, Line, Origin};

/// Bodies are cut at so many bytes.
const MAX_BODY: usize = 20_000;
const HOST: &str = "wire.example";

/// What comes after the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The server would take another request.
    Keep,
    /// The connection ends in good order.
    Close,
    /// The connection ends, over TLS without the closing alert.
    Drop,
    /// The connection breaks.
    Reset,
    /// Nothing.
    Hang,
}

/// An answer, and what must be kept of it.
#[derive(Clone)]
struct Case {
    name: &'static str,
    sent: Vec<u8>,
    /// Sent byte by byte.
    drips: bool,
    then: Then,
    status: Option<u16>,
    /// The body with its transfer coding undone.
    payload: Vec<u8>,
    truncated: Option<&'static str>,
    /// How many of the bytes sent belong to the answer.
    kept: usize,
    /// What the metadata record says of it.
    odd: Option<&'static str>,
}

impl Case {
    fn then(self, then: Then) -> Case {
        Case { then, ..self }
    }

    fn status(self, status: impl Into<Option<u16>>) -> Case {
        Case { status: status.into(), ..self }
    }

    fn cut(self, then: Then, truncated: &'static str) -> Case {
        Case { then, truncated: Some(truncated), ..self }
    }

    /// Closed too early.
    fn closed(self) -> Case {
        self.cut(Then::Close, "disconnect")
    }

    fn excess(mut self, excess: &[u8]) -> Case {
        self.sent.extend_from_slice(excess);
        Case { odd: Some("bytes came after the end of the answer"), ..self }
    }

    fn malformed(self) -> Case {
        Case { odd: Some("the answer breaks HTTP's framing"), ..self }.then(Then::Close)
    }

    fn capped(mut self, body_at: usize) -> Case {
        self.kept = body_at + MAX_BODY;
        Case { truncated: Some("length"), ..self }
    }

    fn drips(self) -> Case {
        Case { drips: true, ..self }
    }

    fn path(&self) -> String {
        self.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
    }
}

/// A 200 whose body is whole: the head as given, and a body that no other case has.
fn whole(name: &'static str, head: &[u8], framed: impl FnOnce(&[u8]) -> Vec<u8>) -> Case {
    let payload = page(name);
    let sent = [head, &framed(&payload)].concat();
    let kept = sent.len();
    Case { name, sent, drips: false, then: Then::Keep, status: Some(200), payload, truncated: None, kept, odd: None }
}

fn page(name: &str) -> Vec<u8> {
    format!("<!doctype html><title>{name}</title><p>{}", name.repeat(9)).into_bytes()
}

/// A head with these lines and the right length.
fn sized(name: &'static str, lines: &[u8]) -> Case {
    let length = format!("Content-Length: {}\r\n\r\n", page(name).len());
    whole(name, &[b"HTTP/1.1 200 OK\r\n", lines, length.as_bytes()].concat(), <[u8]>::to_vec)
}

/// Exactly this head; `LEN` stands for the length.
fn head(name: &'static str, head: &str) -> Case {
    let head = head.replace("LEN", &page(name).len().to_string());
    whole(name, head.as_bytes(), <[u8]>::to_vec)
}

/// To the close of the connection.
fn closing(name: &'static str, head: &str) -> Case {
    whole(name, head.as_bytes(), <[u8]>::to_vec).then(Then::Close)
}

/// Chunks as `write` writes them.
fn chunked(name: &'static str, lines: &str, write: impl FnOnce(&[u8]) -> Vec<u8>) -> Case {
    whole(name, format!("HTTP/1.1 200 OK\r\n{lines}\r\n").as_bytes(), write)
}

const CHUNKED: &str = "Transfer-Encoding: chunked\r\n";

/// Two chunks and the end.
fn chunks(body: &[u8]) -> Vec<u8> {
    let (a, b) = body.split_at(7);
    chunks_with(&[a, b], &|size| format!("{size:x}\r\n"), "\r\n", "0\r\n\r\n")
}

fn chunks_with(parts: &[&[u8]], size: &dyn Fn(usize) -> String, line_end: &str, last: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(size(part.len()).as_bytes());
        out.extend_from_slice(part);
        out.extend_from_slice(line_end.as_bytes());
    }
    out.extend_from_slice(last.as_bytes());
    out
}

/// Not HTTP: everything is kept, to the close.
fn junk(name: &'static str, sent: &[u8]) -> Case {
    let case = whole(name, sent, |_| Vec::new()).status(None).malformed();
    Case { payload: sent.to_vec(), ..case }
}

/// An answer without a body.
fn bodiless(name: &'static str, head: &str) -> Case {
    Case { payload: Vec::new(), ..whole(name, head.as_bytes(), |_| Vec::new()) }
}

fn interim(name: &'static str, before: &str) -> Case {
    head(name, &format!("{before}HTTP/1.1 200 OK\r\nContent-Length: LEN\r\n\r\n"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body that is coded, or said to be.
fn coded(name: &'static str, coding: &str, body: Vec<u8>) -> Case {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {}\r\n\r\n", body.len());
    Case { payload: body.clone(), ..whole(name, head.as_bytes(), |_| body) }
}

/// The same, ending so many bytes earlier.
fn shortened(mut case: Case, by: usize) -> Case {
    case.sent.truncate(case.sent.len() - by);
    case.payload.truncate(case.payload.len() - by);
    Case { kept: case.sent.len(), ..case }
}

/// Exactly these bytes, of which this much is payload.
fn partly(name: &'static str, sent: &str, payload: &str) -> Case {
    let sent = sent.replace("CHUNKED", &format!("HTTP/1.1 200 OK\r\n{CHUNKED}\r\n"));
    Case { payload: payload.as_bytes().to_vec(), ..whole(name, sent.as_bytes(), |_| Vec::new()) }
}

fn over_the_cap(name: &'static str, head: &str, then: Then) -> Case {
    let body: Vec<u8> = name.bytes().cycle().take(MAX_BODY * 2).collect();
    let case = whole(name, head.as_bytes(), |_| body.clone()).capped(head.len()).then(then);
    Case { payload: body[..MAX_BODY].to_vec(), ..case }
}

fn cases() -> Vec<Case> {
    let many: String = (0..300).fold(String::new(), |mut fields, n| {
        let _ = write!(fields, "X-Field-{n}: {n}\r\n");
        fields
    });
    let one_chunk = |body: &[u8]| chunks_with(&[body], &|size| format!("{size:X}\r\n"), "\r\n", "0\r\n\r\n");
    let chunks_of = |size: fn(usize) -> String| move |body: &[u8]| chunks_with(&[body], &size, "\r\n", "0\r\n\r\n");
    let last =
        |last: &'static str| move |body: &[u8]| chunks_with(&[body], &|size| format!("{size:x}\r\n"), "\r\n", last);
    vec![
        // Whole, by a length.
        sized("sized", b"Content-Type: text/html\r\n"),
        sized("byte by byte", b"X-Slow: yes\r\n").drips(),
        sized("whole, then closed", b"").then(Then::Close),
        sized("whole, then dropped", b"").then(Then::Drop),
        sized("whole, then reset", b"").then(Then::Reset),
        sized("Connection: close", b"Connection: close\r\n").then(Then::Close),
        bodiless("an empty body", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        head("length, list of equals", "HTTP/1.1 200 OK\r\nContent-Length: LEN, LEN\r\n\r\n"),
        head("length, twice the same", "HTTP/1.1 200 OK\r\nContent-Length: LEN\r\ncontent-length: LEN\r\n\r\n"),
        head("length, folded", "HTTP/1.1 200 OK\r\nContent-Length:\r\n LEN\r\n\r\n"),
        head("length, leading zeros", "HTTP/1.1 200 OK\r\nContent-Length: 000LEN\r\n\r\n"),
        // Whole, by the close.
        closing("to the close", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"),
        closing("to the drop", "HTTP/1.1 200 OK\r\n\r\n").then(Then::Drop),
        closing("an unknown transfer coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        closing("chunked, but not last", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
        closing("HTTP/1.0 to the close", "HTTP/1.0 200 OK\r\nServer: old\r\n\r\n"),
        // Other statuses.
        bodiless("204", "HTTP/1.1 204 No Content\r\nX-None: 204\r\n\r\n").status(204),
        bodiless("204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n").status(204),
        bodiless("304 nobody asked for", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n").status(304),
        bodiless("304 chunked", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n").status(304),
        head("206", "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-9/99\r\nContent-Length: LEN\r\n\r\n")
            .status(206),
        head("404", "HTTP/1.1 404 Not Found\r\nContent-Length: LEN\r\n\r\n").status(404),
        head("an unknown status", "HTTP/1.1 799 Odd\r\nContent-Length: LEN\r\n\r\n").status(799),
        head("a redirect with a body", "HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: LEN\r\n\r\n")
            .status(302),
        closing("101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n").status(101),
        // Interim heads.
        interim("100 first", "HTTP/1.1 100 Continue\r\n\r\n"),
        interim("102 first", "HTTP/1.1 102 Processing\r\nX-Wait: 1\r\n\r\n"),
        interim("103 first", "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"),
        interim("199 first", "HTTP/1.1 199 \u{e9}\r\n\r\n"),
        interim("three interim heads", "HTTP/1.1 103 A\r\nLink: <b>\r\n\r\nHTTP/1.1 102 B\n\nHTTP/1.1 100\r\n\r\n"),
        interim("an interim head, byte by byte", "HTTP/1.1 100 Continue\r\n\r\n").drips(),
        interim("an interim head with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"),
        chunked("interim, then chunks", CHUNKED, chunks).interim(),
        bodiless("interim, then 204", "HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 204 No\r\n\r\n").status(204),
        bodiless("interim, then nothing", "HTTP/1.1 103 Hint\r\nLink: <c>\r\n\r\n").status(None).closed(),
        bodiless("interim, then a cut head", "HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 200 OK\r\nX-Cut").closed(),
        // Chunks.
        chunked("chunks", CHUNKED, chunks),
        chunked("chunks, byte by byte", CHUNKED, chunks).drips(),
        chunked("a chunk a byte", CHUNKED, |body| {
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            chunks_with(&bytes, &|size| format!("{size}\r\n"), "\r\n", "0\r\n\r\n")
        }),
        chunked("sizes in capitals", CHUNKED, one_chunk),
        chunked("sizes with zeros", CHUNKED, chunks_of(|size| format!("0000{size:x}\r\n"))),
        chunked("sizes with extensions", CHUNKED, chunks_of(|size| format!("{size:x};name=\"a;b\";\u{e9}\r\n"))),
        chunked("sizes with white space", CHUNKED, chunks_of(|size| format!("{size:x} \t\r\n"))),
        chunked("bare line feeds in chunks", CHUNKED, |body| {
            chunks_with(&[body], &|size| format!("{size:x}\n"), "\n", "0\n\n")
        }),
        chunked("line ends mixed in chunks", CHUNKED, |body| {
            chunks_with(&[body], &|size| format!("{size:x}\n"), "\r\n", "0\r\n\n")
        }),
        chunked("trailers", CHUNKED, last("0\r\nX-Digest: abc\r\nX-Digest: abc\r\n\r\n")),
        chunked("a trailer with bare line feeds", CHUNKED, last("0\nX-Trailer: \u{e9}\n\n")),
        chunked("a last chunk of many zeros", CHUNKED, last("00000;the=end\r\n\r\n")),
        partly("chunks of nothing", "CHUNKED0\r\n\r\n", ""),
        chunked("chunks beside a length", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", chunks),
        chunked(
            "chunks beside two lengths",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            chunks,
        ),
        chunked("gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", chunks),
        chunked("gzip and chunked on two lines", "Transfer-Encoding: gzip\r\nTRANSFER-ENCODING : chunked\r\n", chunks),
        chunked("Chunked in capitals, folded", "Transfer-Encoding:\r\n\tCHUNKED \r\n", chunks),
        chunked("a prefix like ours", "X-Crawler-Transfer-Encoding: mine\r\nTransfer-Encoding: chunked\r\n", chunks),
        chunked("chunked, the head with bare line feeds", CHUNKED, chunks).bare_line_feeds(),
        // Too little.
        shortened(sized("shorter than said", b""), 5).closed(),
        shortened(sized("shorter than said, dropped", b""), 5).cut(Then::Drop, "disconnect"),
        shortened(sized("reset in the body", b""), 5).cut(Then::Reset, "disconnect"),
        shortened(closing("reset, no length", "HTTP/1.1 200 OK\r\n\r\n"), 0).cut(Then::Reset, "disconnect"),
        bodiless("cut in the head", "HTTP/1.1 200 OK\r\nContent-Le").closed(),
        bodiless("cut in the status line", "HTTP/1.1 20").status(None).closed(),
        bodiless("cut before the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n").closed(),
        partly("cut in a size line", "CHUNKED5\r\nlines\r\n1", "lines").closed(),
        partly("cut in a chunk", "CHUNKEDa\r\nchunk", "chunk").closed(),
        partly("cut after a chunk", "CHUNKED5\r\nafter\r", "after").closed(),
        partly("cut before the last chunk", "CHUNKED6\r\nbefore\r\n", "before").closed(),
        partly("cut in a trailer", "CHUNKED7\r\ntrailer\r\n0\r\nX-Trai", "trailer").closed(),
        partly("cut before the first chunk", "CHUNKED", "").closed(),
        bodiless("stalled in the head", "HTTP/1.1 200 OK\r\nX-Stalled").cut(Then::Hang, "time"),
        shortened(sized("stalled in the body", b""), 5).cut(Then::Hang, "time"),
        closing("stalled, no length", "HTTP/1.1 200 OK\r\n\r\n").cut(Then::Hang, "time"),
        partly("stalled in a chunk", "CHUNKED8\r\nstalls", "stalls").cut(Then::Hang, "time"),
        // Too much.
        over_the_cap("over the cap", "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n", Then::Hang),
        over_the_cap("over the cap, to the close", "HTTP/1.1 200 OK\r\n\r\n", Then::Close),
        chunked("over the cap, chunked", CHUNKED, |_| {
            format!("9c40\r\n{}", "chunk over the cap ".repeat(2000)).into_bytes()
        })
        .chunk_over_the_cap(),
        sized("longer than said", b"").excess(b"!!"),
        sized("two answers at once", b"").excess(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"),
        bodiless("a 204 with a body", "HTTP/1.1 204 No Content\r\nX-Body: yes\r\n\r\n").status(204).excess(b"wrong"),
        chunked("more after the last chunk", CHUNKED, chunks).excess(b"\r\n"),
        // Odd heads.
        head(
            "a field of 64 KB",
            &format!("HTTP/1.1 200 OK\r\nX-Big: {}\r\nContent-Length: LEN\r\n\r\n", "b".repeat(64 << 10)),
        ),
        sized("300 fields", many.as_bytes()),
        sized("repeated fields", b"Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-A: 1\r\nSet-Cookie: a=1\r\n"),
        sized("folded fields", b"X-Long: one\r\n\ttwo\r\n  three\r\n"),
        sized("Latin-1", b"X-Name: caf\xe9 \xff\r\n"),
        sized("UTF-8", "X-Name: 報紙 ü\r\n".as_bytes()),
        sized("control bytes", b"X-Ctl: a\x00b\x01\x7f\r\nX-Vt: \x0b\r\n"),
        sized("spaces and odd names", b"x-ODD : a  \r\nX-Odd:b\t\r\n: nameless\r\nX-Empty:\r\n"),
        sized("a line without a colon", b"no colon here\r\n"),
        sized("a carriage return within", b"X-Cr: a\rb\r\n"),
        whole(
            "a fold first",
            format!("HTTP/1.1 200 OK\r\n  of nothing\r\nContent-Length: {}\r\n\r\n", page("a fold first").len())
                .as_bytes(),
            <[u8]>::to_vec,
        ),
        head("bare line feeds", "HTTP/1.1 200 OK\nX-A: b\nContent-Length: LEN\n\n"),
        head("line ends mixed", "HTTP/1.1 200 OK\r\nX-A: b\nContent-Length: LEN\r\n\n"),
        head("line ends mixed the other way", "HTTP/1.1 200 OK\nX-A: b\r\nContent-Length: LEN\n\r\n"),
        head("no reason", "HTTP/1.1 200\r\nContent-Length: LEN\r\n\r\n"),
        head("an empty reason", "HTTP/1.1 200 \r\nContent-Length: LEN\r\n\r\n"),
        head("an odd reason", "HTTP/1.1 200 Fine  By\tMe; charset=\u{e9}\r\nContent-Length: LEN\r\n\r\n"),
        head("empty lines first", "\r\n\n\r\nHTTP/1.1 200 OK\r\nContent-Length: LEN\r\n\r\n"),
        head("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: LEN\r\n\r\n").then(Then::Close),
        head("HTTP/1.0, kept alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: LEN\r\n\r\n"),
        // Content codings, right and wrong: a body is kept as it was sent.
        coded("gzip", "gzip", gzip(&page("gzip"))),
        coded("gzip, two members", "gzip", [gzip(&page("gzip, two")), gzip(b"members")].concat()),
        coded("gzip that is none", "gzip", page("gzip that is none")),
        coded("gzip, cut", "gzip", gzip(&page("gzip, cut"))[..40].to_vec()),
        coded("gzip of nothing", "gzip", Vec::new()),
        coded("twice gzip", "gzip, gzip", gzip(&gzip(&page("twice gzip")))),
        coded("an unknown coding", "pack200", page("an unknown coding")),
        coded("identity", "identity", page("identity")),
        chunked("gzip in chunks", "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", chunks),
        // Not HTTP/1, or not quite.
        junk("HTTP/0.9", b"<html>a page of 1991</html>\n"),
        junk("ICY", b"ICY 200 OK\r\nicy-name: radio\r\n\r\nmusic"),
        junk("lower case", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        junk("SSH", b"SSH-2.0-OpenSSH_9.9\r\n"),
        junk("bytes of chance", b"\x16\x03\x01\x02\x00\x01\xff\x00\r\n\r\n\x00"),
        junk("interim, then junk", b"ICY after an interim head").interim(),
        bodiless("a short word", "HT").status(None).closed(),
        closing("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n").malformed(),
        closing("two digits", "HTTP/1.1 20 OK\r\n\r\n").status(None).malformed(),
        closing("lengths that clash", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n").malformed(),
        closing("a list of lengths that clash", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n").malformed(),
        closing("a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n").malformed(),
        closing("a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n").malformed(),
        closing("a length beyond numbers", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n")
            .malformed(),
        partly("a bad chunk size", "CHUNKEDzz\r\nbad\r\n0\r\n\r\n", "zz\r\nbad\r\n0\r\n\r\n").malformed(),
        partly("a chunk longer than said", "CHUNKED2\r\ntoo long\r\n0\r\n\r\n", "2\r\ntoo long\r\n0\r\n\r\n")
            .malformed(),
        partly("a chunk size beyond numbers", "CHUNKED11112222333344445\r\nx", "11112222333344445\r\nx").malformed(),
    ]
}

impl Case {
    /// The same after an interim head.
    fn interim(self) -> Case {
        const HINT: &[u8] = b"HTTP/1.1 103 Hint\r\nX: \xe9\r\n\r\n";
        Case { kept: self.kept + HINT.len(), sent: [HINT, &self.sent].concat(), ..self }
    }

    fn bare_line_feeds(self) -> Case {
        let head = self.sent.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let (head, body) = self.sent.split_at(head);
        let head: Vec<u8> = head.iter().copied().filter(|byte| *byte != b'\r').collect();
        let sent = [&head, body].concat();
        Case { kept: sent.len(), sent, ..self }
    }

    /// The cap counts what comes over the wire, the size line included.
    fn chunk_over_the_cap(self) -> Case {
        let body = self.sent.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
        let data = body + "9c40\r\n".len();
        let payload = self.sent[data..body + MAX_BODY].to_vec();
        Case { payload, ..self.capped(body).then(Then::Hang) }
    }
}

async fn follow(mut line: Line, cases: Arc<HashMap<String, Case>>) {
    while let Some(head) = line.request().await {
        let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
        let Some(case) = cases.get(&path) else { return line.close().await };
        if case.drips {
            for byte in &case.sent {
                line.say(std::slice::from_ref(byte)).await;
            }
        } else {
            line.say(&case.sent).await;
        }
        match case.then {
            Then::Keep => {}
            Then::Close => return line.close().await,
            Then::Drop => return,
            Then::Reset => return line.reset(),
            Then::Hang => return line.hang().await,
        }
    }
}

/// Crawls all cases, each once, and compares what was sent with what is kept.
fn check(tls: bool, framing: &str) {
    let cases = cases();
    let folder = tempfile::tempdir().unwrap();
    let (archive, pem) = (folder.path().join("archive"), folder.path().join("ca.pem"));
    let by_path: HashMap<String, Case> = cases.iter().map(|case| (case.path(), case.clone())).collect();
    assert_eq!(by_path.len(), cases.len(), "two cases share a path");
    let (authority, runtime) = (Authority::new(), Runtime::new().unwrap());
    std::fs::write(&pem, authority.pem()).unwrap();
    let acceptor = tls.then(|| authority.certify(HOST).0);
    let by_path = Arc::new(by_path);
    let origin = runtime.block_on(Origin::start(acceptor, move |line| follow(line, by_path.clone())));

    let (scheme, port) = if tls { ("https", 443) } else { ("http", 80) };
    let url = |case: &Case| format!("{scheme}://{HOST}/{}", case.path());
    let seeds: String = cases.iter().map(|case| url(case) + "\n").collect();
    let list = folder.path().join("seeds.txt");
    std::fs::write(&list, seeds).unwrap();
    let mut command = pressmark();
    command.arg("crawl").arg(&list).arg("--archive").arg(&archive).arg("--ca-file").arg(&pem);
    command.args(["--resolve", &format!("{HOST}:{port}:{}", origin.address), "--framing", framing]);
    command.args(["--max-body", &MAX_BODY.to_string(), "--timeout", "700ms", "--max-time", "4s"]);
    // What was cut is asked again after five seconds: by then the run is over.
    command.args("--delay 0s --per-host 64 --robots ignore --images none --requisites none --quiet".split(' '));
    assert!(run(&mut command).status.success());

    let groups = groups(&archive);
    let statuses = rows(&archive, "SELECT url, status, truncated FROM capture_log");
    let row = |url: &str| statuses.iter().find(|row| row[0] == url).unwrap_or_else(|| panic!("no row for {url}"));
    for case in &cases {
        let (name, url) = (case.name, url(case));
        let (record, notes) = groups.get(&url).unwrap_or_else(|| panic!("{name}: lost"));
        let row = row(&url);
        assert_eq!((row[1].as_u64(), row[2].as_str()), (case.status.map(u64::from), case.truncated), "{name}: row");
        assert_eq!(record.kind(), "response", "{name}");
        let received = archive::received(record, None, notes.framing.as_ref()).expect(name);
        assert!(
            received == case.sent[..case.kept],
            "{name}: sent\n{}\nkept\n{}",
            case.sent[..case.kept].escape_ascii(),
            received.escape_ascii()
        );
        let shown = pressmark().args(["show", &url, "--wire", "--archive"]).arg(&archive).output().unwrap();
        assert!(shown.stdout == received, "{name}: shown {}", shown.stdout.escape_ascii());
        if case.status.is_some() {
            let payload = archive::entity(record);
            assert!(payload == case.payload, "{name}: payload {}", payload.escape_ascii());
            let digest = digest(Algorithm::Sha1, &payload);
            assert_eq!(record.field("WARC-Payload-Digest"), Some(digest.as_str()), "{name}");
        }
        let block = digest(Algorithm::Sha1, &record.block);
        assert_eq!(record.field("WARC-Block-Digest"), Some(block.as_str()), "{name}");
        assert_eq!(record.field("WARC-Truncated"), case.truncated, "{name}");
        let odd = case.odd.is_none_or(|odd| notes.oddities.iter().any(|said| said.contains(odd)));
        assert!(odd, "{name}: {:?} does not say «{}»", notes.oddities, case.odd.unwrap_or_default());
    }
    assert_eq!(groups.len(), cases.len(), "something came more than once");
}

/// The first record of each group, and the notes that conclude it.
fn groups(archive: &Path) -> HashMap<String, (Record, Notes)> {
    let mut groups = HashMap::new();
    let mut first: Option<Record> = None;
    for file in warcs(archive) {
        for record in Records::open(&file, 0).unwrap().map(Result::unwrap) {
            match record.kind() {
                "response" | "revisit" => first = Some(record),
                "metadata" => {
                    let first = first.take().unwrap();
                    let notes = Notes::of_block(&record.block).unwrap();
                    groups.insert(first.field("WARC-Target-URI").unwrap().to_owned(), (first, notes));
                }
                _ => {}
            }
        }
    }
    groups
}

#[test]
fn every_answer_is_kept_as_it_was_sent() {
    assert!(cases().len() >= 60);
    check(false, "entity");
}

#[test]
fn every_answer_is_kept_as_it_was_sent_over_tls() {
    check(true, "entity");
}

#[test]
fn every_answer_is_kept_as_it_was_sent_with_its_chunks() {
    check(false, "wire");
}
