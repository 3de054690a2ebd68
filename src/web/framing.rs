//! Where one HTTP/1 answer ends, decided from the raw bytes as they arrive (RFC 9112, sections 2 to 7).
//!
//! The machine is lenient where the web is sloppy: a bare LF ends a line, empty lines before the status line are
//! skipped, interim 1xx heads are passed over, names may have white space before the colon. What it cannot read as
//! HTTP/1 is *malformed*: everything up to the close is kept as it came, and the connection is not used again. Where
//! hyper accepts an answer, the two agree on its body (`tests/it/framing.rs`).

use super::message::trim;

/// Heads longer than this are none: interim heads and empty lines are counted in, or they could come for ever.
const HEAD_MAX: usize = 1 << 20;
/// A chunk-size or trailer line longer than this is not one.
const LINE_MAX: usize = 64 << 10;

/// Where the data of one chunk stands in the body as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Offset of the first byte.
    pub at: u64,
    /// Length in bytes.
    pub len: u64,
}

/// Reads one answer; see the module's head.
#[derive(Debug)]
pub struct Framing {
    answers_head: bool,
    state: State,
    /// Everything before the body as received: empty lines, interim heads, the final head.
    head: Vec<u8>,
    final_at: usize,
    /// The framing line that is being read.
    line: Vec<u8>,
    /// Bytes still to come of a sized body or chunk.
    left: u64,
    /// Body bytes seen so far.
    seen: u64,
    parts: Option<Vec<Part>>,
    keep_alive: bool,
    malformed: bool,
    until_close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Sized,
    ChunkSize,
    ChunkData,
    ChunkEnd,
    Trailer,
    ToClose,
    Done,
}

impl Framing {
    /// For the answer to one request; `answers_head` when that was a HEAD.
    pub fn new(answers_head: bool) -> Framing {
        Framing {
            answers_head,
            state: State::Head,
            head: Vec::new(),
            final_at: 0,
            line: Vec::new(),
            left: 0,
            seen: 0,
            parts: None,
            keep_alive: false,
            malformed: false,
            until_close: false,
        }
    }

    /// Takes what arrived, appends what belongs to the body to `body`, and says how many bytes belong to this answer.
    /// Fewer than were given: the answer has ended, the rest is nobody's.
    pub fn feed(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        let mut pos = 0;
        while pos < bytes.len() && self.state != State::Done {
            let rest = &bytes[pos..];
            pos += match self.state {
                State::Head => self.feed_head(rest, body),
                State::Sized | State::ChunkData => self.feed_sized(rest, body),
                State::ChunkSize | State::Trailer => self.feed_line(rest, body),
                State::ChunkEnd => self.feed_chunk_end(rest, body),
                State::ToClose => self.take(rest, body),
                State::Done => 0,
            };
        }
        pos
    }

    /// The connection has closed: an answer framed by the close is complete now.
    pub fn close(&mut self) {
        if self.state == State::ToClose {
            self.state = State::Done;
        }
    }

    /// The answer has ended by its own framing (or by a close that frames it).
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Another answer may follow on this connection.
    pub fn is_reusable(&self) -> bool {
        self.is_done() && self.keep_alive && !self.malformed && !self.until_close
    }

    /// Not HTTP/1 by our reading.
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// Everything before the body as received, and where in it the final head begins.
    pub fn into_head(self) -> (Vec<u8>, usize, Option<Vec<Part>>) {
        (self.head, self.final_at, self.parts)
    }

    fn take(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        body.extend_from_slice(bytes);
        self.seen += bytes.len() as u64;
        bytes.len()
    }

    fn feed_head(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        for (i, byte) in bytes.iter().enumerate() {
            self.head.push(*byte);
            let head = &self.head[self.final_at..];
            if self.head.len() > HEAD_MAX {
                self.not_http(body);
                return i + 1;
            } else if head.len() == 1 && matches!(byte, b'\r' | b'\n') {
                self.final_at += 1;
            } else if !b"HTTP/".starts_with(&head[..head.len().min(5)]) {
                self.not_http(body);
                return i + 1;
            } else if *byte == b'\n' && (head.ends_with(b"\n\n") || head.ends_with(b"\n\r\n")) {
                self.read_head();
                if self.state != State::Head {
                    return i + 1;
                }
            }
        }
        bytes.len()
    }

    /// What looked like a head is none: it is the beginning of the body.
    fn not_http(&mut self, body: &mut Vec<u8>) {
        let start = self.head.split_off(self.final_at);
        self.take(&start, body);
        self.broken();
    }

    fn broken(&mut self) {
        self.malformed = true;
        self.keep_to_close();
    }

    fn keep_to_close(&mut self) {
        self.until_close = true;
        self.state = State::ToClose;
    }

    fn read_head(&mut self) {
        let head = Fields::read(&self.head[self.final_at..]);
        if (100..200).contains(&head.status) && head.status != 101 {
            self.final_at = self.head.len();
            return;
        }
        self.keep_alive = head.keep_alive;
        let no_body = self.answers_head || head.status == 204 || head.status == 304;
        match () {
            // 101: what follows is another protocol.
            () if head.status == 101 => self.keep_to_close(),
            () if !head.known_version => self.broken(),
            () if no_body => self.state = State::Done,
            () if head.chunked => {
                // RFC 9112, 6.1: a length beside it may be an attempt at smuggling.
                self.keep_alive &= head.length == Length::None;
                self.parts = Some(Vec::new());
                self.state = State::ChunkSize;
            }
            () if !(100..=999).contains(&head.status) => self.broken(),
            () if head.coded => self.keep_to_close(),
            () => match head.length {
                Length::None => self.keep_to_close(),
                Length::Clash => self.broken(),
                Length::Known(0) => self.state = State::Done,
                Length::Known(length) => {
                    self.left = length;
                    self.state = State::Sized;
                }
            },
        }
    }

    fn feed_sized(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        if self.state == State::ChunkData
            && let Some(part) = self.parts.as_mut().and_then(|parts| parts.last_mut())
        {
            part.len += want as u64;
        }
        self.take(&bytes[..want], body);
        self.left -= want as u64;
        if self.left == 0 {
            self.state = if self.state == State::Sized { State::Done } else { State::ChunkEnd };
        }
        want
    }

    fn feed_line(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|i| i + 1);
        let taken = end.unwrap_or(bytes.len());
        self.line.extend_from_slice(&bytes[..taken]);
        self.take(&bytes[..taken], body);
        if self.line.len() > LINE_MAX {
            self.line.clear();
            self.broken();
        } else if end.is_some() {
            let line = std::mem::take(&mut self.line);
            self.read_line(&line);
        }
        taken
    }

    fn read_line(&mut self, line: &[u8]) {
        if self.state == State::Trailer {
            if matches!(line, b"\n" | b"\r\n") {
                self.state = State::Done;
            }
            return;
        }
        match chunk_size(line) {
            None => self.broken(),
            Some(0) => self.state = State::Trailer,
            Some(size) => {
                self.left = size;
                if let Some(parts) = &mut self.parts {
                    parts.push(Part { at: self.seen, len: 0 });
                }
                self.state = State::ChunkData;
            }
        }
    }

    /// The line end after a chunk's data: CRLF, or a bare LF.
    fn feed_chunk_end(&mut self, bytes: &[u8], body: &mut Vec<u8>) -> usize {
        self.take(&bytes[..1], body);
        match (self.line.as_slice(), bytes[0]) {
            (b"", b'\r') => self.line.push(b'\r'),
            (_, b'\n') => {
                self.line.clear();
                self.state = State::ChunkSize;
            }
            _ => {
                self.line.clear();
                self.broken();
            }
        }
        1
    }
}

/// Hexadecimal digits, then only an extension, white space or the end of the line.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let after = matches!(line.get(digits), Some(b';' | b' ' | b'\t' | b'\r' | b'\n'));
    let size = std::str::from_utf8(&line[..digits]).ok().and_then(|hex| u64::from_str_radix(hex, 16).ok());
    size.filter(|_| after)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    None,
    Known(u64),
    Clash,
}

/// What the head says about framing.
struct Fields {
    status: u16,
    known_version: bool,
    keep_alive: bool,
    chunked: bool,
    coded: bool,
    length: Length,
}

impl Fields {
    fn read(head: &[u8]) -> Fields {
        let mut lines = head.split(|byte| *byte == b'\n');
        let status_line = lines.next().unwrap_or(b"");
        let code = status_line.split(|byte| *byte == b' ').nth(1).unwrap_or(b"");
        let code = code.strip_suffix(b"\r").unwrap_or(code);
        let three = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
        let mut fields = Fields {
            status: std::str::from_utf8(code).ok().filter(|_| three).and_then(|code| code.parse().ok()).unwrap_or(0),
            known_version: status_line.starts_with(b"HTTP/1.1 ") || status_line.starts_with(b"HTTP/1.0 "),
            keep_alive: status_line.starts_with(b"HTTP/1.1"),
            chunked: false,
            coded: false,
            length: Length::None,
        };
        for line in unfold(lines) {
            fields.read_line(&line);
        }
        fields
    }

    fn read_line(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { return };
        let name = trim(&line[..colon]);
        let value = trim(&line[colon + 1..]).to_ascii_lowercase();
        if value.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
            return; // hyper drops a line with control characters too
        }
        let parts = || value.split(|byte| *byte == b',').map(trim);
        if name.eq_ignore_ascii_case(b"content-length") {
            parts().for_each(|part| self.read_length(part));
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.coded = true;
            // hyper reads the value as text: with a byte beyond ASCII anywhere in it, it knows no coding.
            self.chunked = value.is_ascii() && parts().next_back() == Some(b"chunked");
        } else if name.eq_ignore_ascii_case(b"connection") {
            for part in parts() {
                match part {
                    b"close" => self.keep_alive = false,
                    b"keep-alive" => self.keep_alive = true,
                    _ => {}
                }
            }
        }
    }

    /// `5, 5` is 5; anything that is not the same plain number everywhere is a clash.
    fn read_length(&mut self, part: &[u8]) {
        let digits = !part.is_empty() && part.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(part).ok().filter(|_| digits).and_then(|digits| digits.parse().ok());
        self.length = match (self.length, number) {
            (Length::None, Some(n)) => Length::Known(n),
            (Length::Known(before), Some(n)) if before == n => Length::Known(n),
            _ => Length::Clash,
        };
    }
}

/// Joins continued lines (RFC 9112, 5.2). A continuation of nothing is dropped.
fn unfold<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), out.last_mut()) {
            (Some(b' ' | b'\t'), Some(before)) => before.extend_from_slice(line),
            (Some(b' ' | b'\t'), None) => {}
            _ => out.push(line.to_vec()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Read {
        payload: Vec<u8>,
        taken: usize,
        framing: Framing,
    }

    /// Reads it in pieces of every size, which must make no difference.
    fn read(bytes: &[u8]) -> Read {
        let whole = read_in(bytes, bytes.len().max(1));
        for size in 1..bytes.len().min(7) {
            let pieces = read_in(bytes, size);
            assert_eq!((&pieces.payload, pieces.taken), (&whole.payload, whole.taken), "in pieces of {size}");
        }
        whole
    }

    fn read_in(bytes: &[u8], size: usize) -> Read {
        let mut framing = Framing::new(false);
        let (mut body, mut taken) = (Vec::new(), 0);
        for piece in bytes.chunks(size) {
            let n = framing.feed(piece, &mut body);
            taken += n;
            if n < piece.len() {
                break;
            }
        }
        if taken == bytes.len() {
            framing.close();
        }
        let payload = match &framing.parts {
            None => body,
            Some(parts) => {
                parts.iter().flat_map(|part| body[part.at as usize..][..part.len as usize].to_vec()).collect()
            }
        };
        Read { payload, taken, framing }
    }

    fn check(answer: &str, payload: &str, done: bool, reusable: bool) {
        let got = read(answer.as_bytes());
        assert_eq!(String::from_utf8_lossy(&got.payload), payload, "payload of {answer:?}");
        assert_eq!((got.framing.is_done(), got.framing.is_reusable()), (done, reusable), "{answer:?}");
    }

    #[test]
    fn answers_end_where_their_framing_says() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabX", "ab", true, true);
        check("HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nabcde", "abcde", true, true);
        check("\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\nContent-Length:1\n\na", "a", true, true);
        check("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "", true, true);
        check("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "a", true, false);
        check("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na", "a", true, true);
        check("HTTP/1.1 200 OK\r\n\r\nto the close", "to the close", true, false);
        check("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na", "a", true, false);
    }

    #[test]
    fn chunks_are_taken_apart() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        check(&format!("{head}2;x=y\r\nab\r\n1\nc\n0\r\nT: 1\r\n\r\nX"), "abc", true, true);
        check(&format!("{head}5\r\nab"), "ab", false, false);
        check(&format!("{head}zz\r\nab"), "", true, false);
        check(&format!("{head}1\r\nabc"), "a", true, false);
        check(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 9\r\n\r\n1\r\na\r\n0\r\n\r\n",
            "a",
            true,
            false,
        );
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\nabc", "abc", true, false);
        check("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzïp, chunked\r\n\r\n0\r\n\r\n", "0\r\n\r\n", true, false);
    }

    #[test]
    fn what_is_not_http_is_kept_to_the_close() {
        for answer in ["ICY 200 OK\r\n\r\nmusic", "<html>", "http/1.1 200 OK\r\n\r\nx", "HTTQ"] {
            let got = read(answer.as_bytes());
            assert!(got.framing.is_malformed() && got.payload == answer.as_bytes(), "{answer:?}");
        }
        for head in [
            "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n",
        ] {
            let got = read(format!("{head}ab").as_bytes());
            assert!(got.framing.is_malformed() && got.payload == b"ab", "{head:?}");
        }
    }

    #[test]
    fn heads_without_end_are_no_heads() {
        for endless in ["HTTP/1.1 100 Continue\r\n\r\n", "\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n"] {
            let bytes = endless.repeat(HEAD_MAX / endless.len() + 2);
            let got = read_in(bytes.as_bytes(), 64 << 10);
            assert!(got.framing.is_malformed() && got.taken == bytes.len(), "{endless:?}");
            assert!(got.framing.head.len() <= HEAD_MAX, "{endless:?}");
        }
    }

    #[test]
    fn a_cut_answer_is_not_done() {
        check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "ab", false, false);
        check("HTTP/1.1 200 OK\r\nContent-Le", "", false, false);
    }
}
