//! HTTP/1 message heads, read leniently and kept as they came.
//!
//! A [`Head`] is a reading of bytes that are kept elsewhere; it never stands in for them. Field names compare without
//! case, values are bytes (Latin-1, UTF-8 or neither), repeats and order are kept.

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `HTTP/1.1` and the like, as sent.
    pub version: String,
    /// Three digits; 0 when there are none.
    pub status: u16,
    /// As sent, Latin-1.
    pub reason: String,
    /// Fields in order.
    pub fields: Vec<Field>,
}

/// One field line, unfolded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As sent.
    pub name: String,
    /// Without the white space around it.
    pub value: Vec<u8>,
}

impl Field {
    /// The value as text: UTF-8 when it is, else Latin-1.
    pub fn text(&self) -> String {
        text(&self.value)
    }
}

impl Head {
    /// Reads the bytes of one head, its status line first; lines end in LF, with or without CR. A line that begins
    /// with white space continues the one before (RFC 9112, 5.2); a line without a colon is dropped.
    pub fn read(bytes: &[u8]) -> Head {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let status_line = text(lines.next().unwrap_or(b""));
        let mut words = status_line.splitn(3, ' ');
        let mut head = Head {
            version: words.next().unwrap_or("").to_owned(),
            status: words.next().and_then(status).unwrap_or(0),
            reason: words.next().unwrap_or("").to_owned(),
            fields: Vec::new(),
        };
        for line in lines {
            if line.is_empty() {
                break;
            }
            head.read_line(line);
        }
        head
    }

    fn read_line(&mut self, line: &[u8]) {
        if let [b' ' | b'\t', ..] = line {
            if let Some(before) = self.fields.last_mut() {
                before.value.push(b' ');
                before.value.extend_from_slice(trim(line));
            }
        } else if let Some(colon) = line.iter().position(|byte| *byte == b':') {
            self.fields.push(Field { name: text(trim(&line[..colon])), value: trim(&line[colon + 1..]).to_vec() });
        }
    }

    /// The first field of that name.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields(name).next()
    }

    /// Every field of that name, in order.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(Field::text)
    }

    /// The content codings in the order they were applied, in lower case; `identity` is left out.
    pub fn content_codings(&self) -> Vec<String> {
        let all: Vec<String> = self.fields("content-encoding").collect();
        let words = all.iter().flat_map(|value| value.split(','));
        words
            .map(|word| word.trim().to_ascii_lowercase())
            .filter(|word| !matches!(word.as_str(), "" | "identity"))
            .collect()
    }
}

/// The length of the head at the beginning of these bytes, with the empty line that ends it; the first `looked` bytes
/// have been looked at before. None while it has no end.
pub fn head_len(bytes: &[u8], looked: usize) -> Option<usize> {
    let mut at = looked.saturating_sub(3);
    while let Some(newline) = memchr::memchr(b'\n', &bytes[at..]) {
        at += newline + 1;
        match &bytes[at..] {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

fn status(code: &str) -> Option<u16> {
    let code = code.trim();
    code.parse().ok().filter(|_| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Space and tab only: what else counts as white space is part of the value.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// UTF-8 when it is, else each byte a character (Latin-1).
pub fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| latin1(bytes), str::to_owned)
}

/// Each byte a character: reversible by [`from_latin1`], so that any bytes can stand in JSON.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes that [`latin1`] read; none when a character is beyond it.
pub fn from_latin1(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_heads_are_read() {
        let head = Head::read(
            b"HTTP/1.1 200 Fine By Me\r\nX-Odd:  a b \nSET-cookie: 1\r\nset-Cookie:2\r\nFolded: one\r\n\t two\r\nnonsense\r\nL: \xe9\r\n\r\nbody: no",
        );
        assert_eq!((head.version.as_str(), head.status, head.reason.as_str()), ("HTTP/1.1", 200, "Fine By Me"));
        assert_eq!(head.field("x-odd").as_deref(), Some("a b"));
        assert_eq!(head.fields("Set-Cookie").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(head.field("folded").as_deref(), Some("one two"));
        assert_eq!(head.field("l").as_deref(), Some("é"));
        assert_eq!(head.field("body"), None);
    }

    #[test]
    fn a_status_has_three_digits() {
        for (line, status) in
            [("HTTP/1.1 200", 200), ("HTTP/1.1 20", 0), ("HTTP/1.1 +20 OK", 0), ("HTTP/1.1 2000 OK", 0)]
        {
            assert_eq!(Head::read(line.as_bytes()).status, status, "{line}");
        }
    }

    #[test]
    fn content_codings_keep_their_order() {
        let head =
            Head::read(b"HTTP/1.1 200\r\nContent-Encoding: deflate, GZIP\r\ncontent-encoding: identity,br\r\n\r\n");
        assert_eq!(head.content_codings(), ["deflate", "gzip", "br"]);
    }

    #[test]
    fn latin_1_is_reversible() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_latin1(&latin1(&all)), Some(all));
        assert_eq!(from_latin1("中"), None);
    }
}
