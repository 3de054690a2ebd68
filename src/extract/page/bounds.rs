//! How much of a page is parsed. A page of a few kilobytes can ask for any amount of work, so what it would cost is
//! reckoned before: roughly, in one pass that knows no more of HTML than names of tags.

/// Longer documents are cut: the longest article pages seen are 2 MB.
const LONGEST: usize = 8 << 20;

/// Deeper elements are left out. Real pages stay below 100; the walk needs a stack frame for each level.
pub const DEEPEST: usize = 200;

/// What parsing may cost, in elements open at each start tag: the parser looks through all of them, and repeats the
/// open formatting elements in each new block. A page of 2 MB with everyday nesting costs 2 million.
const WORK: usize = 24_000_000;

/// Elements and comments that are read. A page of 2 MB has 60,000; each takes some 300 bytes, and what is made of it
/// as much again.
const ELEMENTS: usize = 200_000;

/// Formatting elements that may stay open at once; each block inside them repeats them all.
const FORMATTING: usize = 64;

/// What attributes may cost: the parser compares each with all before it in its tag, so a million takes it minutes.
/// This is one tag with 5,000 of them; what is taken for a tag in scripts has a thousand at times.
const COMPARISONS: usize = 25_000_000;

/// As many attributes as pages have, and what looks like them: they cost nothing to speak of.
const FEW: usize = 100;

/// As much of the text as the parser can take in reasonable time, and why there is no more.
///
/// What looks like a tag is counted wherever it stands, in comments and attributes too: where it stands is known for
/// certain only to the parser. Scripts alone are full of tags that nobody parses; they are counted apart, by what
/// cannot be anything else, since a page can make this pass believe in a script where the parser sees none.
pub fn affordable(text: &str) -> (&str, Option<&'static str>) {
    let mut longest = text.len().min(LONGEST);
    while !text.is_char_boundary(longest) {
        longest -= 1;
    }
    let bytes = &text.as_bytes()[..longest];
    let (mut page, mut scripts) = (Cost::default(), Cost::default());
    let (mut at, mut script_ends, mut looked, mut compared) = (0, 0, 0, 0);
    while let Some(found) = memchr::memchr(b'<', &bytes[at..]) {
        at += found + 1;
        let tag = Tag::at(&bytes[at..]);
        let in_script = at < script_ends;
        let why = if in_script { scripts.add_certain(&tag) } else { page.add(&tag) };
        if let Some(why) = why {
            return (&text[..at - 1], Some(why));
        }
        if !tag.name().is_empty() && !tag.ends && (tag.is_certain || !in_script) {
            let (attributes, length) = attributes(&bytes[at..]);
            looked += length;
            compared += if attributes > FEW { attributes * attributes } else { 0 };
            // Tags in the attributes of tags, over and over: everything was looked at four times by then.
            if compared > COMPARISONS || looked > 4 * bytes.len() {
                return (&text[..at - 1], Some("the rest was left out: elements have thousands of attributes"));
            }
        }
        if tag.name() == b"script" && !tag.ends && !in_script {
            script_ends = at + end_of_script(&bytes[at..]);
        }
    }
    let why = (longest < text.len()).then_some("longer than 8 MiB, the rest was left out");
    (&text[..longest], why)
}

/// Where the next `</script` begins.
fn end_of_script(bytes: &[u8]) -> usize {
    let mut ends = memchr::memmem::find_iter(bytes, b"</");
    let is_script = |at: &usize| bytes[at + 2..].get(..6).is_some_and(|name| name.eq_ignore_ascii_case(b"script"));
    ends.find(is_script).unwrap_or(bytes.len())
}

/// What stands behind a `<`.
struct Tag {
    name: [u8; 10],
    length: usize,
    /// It is an end tag.
    ends: bool,
    /// The name ends where a name does, and not at a semicolon or a bracket as in scripts.
    is_certain: bool,
    /// It ends with a slash. Only short tags are looked through, so that the count stays linear.
    is_closed: bool,
    is_comment: bool,
}

impl Tag {
    fn at(bytes: &[u8]) -> Tag {
        let ends = bytes.first() == Some(&b'/');
        let rest = &bytes[usize::from(ends)..];
        let length = rest.iter().take(10).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let mut name = [0; 10];
        name[..length].copy_from_slice(&rest[..length]);
        name.make_ascii_lowercase();
        let is_certain = rest.get(length).is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'));
        let end = memchr::memchr(b'>', &rest[..rest.len().min(200)]);
        let is_closed = end.is_some_and(|end| rest[..end].ends_with(b"/"));
        Tag { name, length, ends, is_certain, is_closed, is_comment: bytes.starts_with(b"!") }
    }

    /// Its first ten letters.
    fn name(&self) -> &[u8] {
        &self.name[..self.length]
    }
}

/// What was counted so far.
#[derive(Default)]
struct Cost {
    open: usize,
    formatting: usize,
    work: usize,
    elements: usize,
}

impl Cost {
    /// Counts a tag: elements whose end tag may be left out do not stay open, and every end tag ends one. Tells why it
    /// is one too many.
    fn add(&mut self, tag: &Tag) -> Option<&'static str> {
        let (opens, formats) = match tag.name() {
            b"b" | b"big" | b"code" | b"em" | b"font" | b"i" | b"nobr" | b"s" | b"small" | b"strike" | b"strong"
            | b"tt" | b"u" => (1, 1),
            b"" | b"a" | b"p" | b"li" | b"td" | b"tr" | b"th" | b"dd" | b"dt" | b"option" | b"br" | b"hr" | b"img"
            | b"meta" | b"link" | b"input" | b"source" | b"area" | b"base" | b"col" | b"embed" | b"wbr" => (0, 0),
            _ if tag.is_closed => (0, 0),
            _ => (1, 0),
        };
        if tag.ends {
            self.open = self.open.saturating_sub(opens);
            self.formatting = self.formatting.saturating_sub(formats);
        } else {
            self.open += opens;
            self.formatting += formats;
            self.elements += usize::from(!tag.name().is_empty() || tag.is_comment);
            self.work += 1 + self.open + 16 * self.formatting;
        }
        if self.work > WORK || self.open > 4 * DEEPEST || self.formatting > FORMATTING {
            return Some("the rest was left out: too many elements are open at once");
        }
        (self.elements > ELEMENTS).then_some("the rest was left out: more than 200,000 elements")
    }

    /// Counts a tag in what seems to be a script, as far as its name is certain.
    fn add_certain(&mut self, tag: &Tag) -> Option<&'static str> {
        const COSTLY: [&[u8]; 22] = [
            b"div", b"section", b"article", b"ul", b"ol", b"dl", b"table", b"tbody", b"form", b"b", b"i", b"u", b"s",
            b"em", b"strong", b"font", b"small", b"big", b"code", b"nobr", b"strike", b"p",
        ];
        if !tag.is_certain {
            return None;
        }
        if !COSTLY.contains(&tag.name()) {
            self.elements += usize::from(!tag.ends);
            return (self.elements > ELEMENTS).then_some("the rest was left out: more than 200,000 elements");
        }
        // Half a tag is in one text and half in the next: what stays open is not believed, but what it would cost is.
        let why = self.add(tag)?;
        (self.work > WORK / 4 || self.elements > ELEMENTS).then_some(why)
    }
}

/// How many attributes stand here at most, up to the end of the tag, and how many bytes were looked at.
fn attributes(tag: &[u8]) -> (usize, usize) {
    let (mut count, mut at) = (0, 0);
    let blank = |byte: u8| byte.is_ascii_whitespace() || byte == b'/';
    while at < tag.len() && count * count <= COMPARISONS {
        match tag[at] {
            b'>' => break,
            byte if blank(byte) => {
                count += usize::from(tag.get(at + 1).is_some_and(|next| !blank(*next) && !matches!(next, b'>' | b'=')));
                at += 1;
            }
            b'=' => {
                at += 1 + tag[at + 1..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
                match tag.get(at) {
                    Some(quote @ (b'"' | b'\'')) => {
                        at += 2 + memchr::memchr(*quote, &tag[at + 1..]).unwrap_or(tag.len());
                        // The next may follow at once.
                        count += usize::from(tag.get(at).is_some_and(|next| !blank(*next) && *next != b'>'));
                    }
                    _ => {
                        let end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
                        at += tag[at.min(tag.len())..].iter().position(end).unwrap_or(tag.len());
                    }
                }
            }
            _ => at += 1,
        }
    }
    (count, at.min(tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_counted_up_to_the_end_of_their_tag() {
        for (tag, count) in [
            ("p>", 0),
            ("p >", 0),
            ("br/>", 0),
            ("p a>b c", 1),
            ("p a b/c>", 3),
            ("p a = b c='>' d=\">\">", 3),
            ("p a='x'b='y'/c>", 3),
            ("p a=x/y b", 2),
            ("img src='data:image/png;base64,a/b c/d", 1),
            ("p a=", 1),
        ] {
            assert_eq!(attributes(tag.as_bytes()).0, count, "{tag}");
        }
    }
}
