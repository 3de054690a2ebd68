//! URL lists: one absolute URL a line, `#` begins a comment, blank lines are nothing.

use super::{Format, Harvest, Seed};
use crate::web::claims::Claims;
use crate::web::message;
use crate::web::url::{Login, WebUrl};

/// Reads a list. A line that is not UTF-8 is read as Latin-1.
pub(super) fn read(bytes: &[u8]) -> Harvest {
    let mut harvest = Harvest::of(Format::List);
    for (line, text) in (1..).zip(lines(bytes)) {
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match url(&text) {
            Ok(url) => harvest.seeds.push(Seed { url, line, claims: Claims::default() }),
            Err(reason) => harvest.reject(line, &text, reason),
        }
    }
    harvest
}

/// The logins in its URLs, in order.
pub(super) fn logins(bytes: &[u8]) -> Vec<(u32, Login)> {
    let lines = (1..).zip(lines(bytes)).filter(|(_, text)| text.contains('@') && !text.starts_with('#'));
    let seeds = lines.filter(|(_, text)| url(text).is_ok());
    seeds.filter_map(|(line, text)| Some((line, Login::of(text.split_whitespace().next()?)?))).collect()
}

/// Whether a text is a list rather than prose: some line is a URL, or there is nothing but comments, or the name says
/// so.
pub(super) fn is_likely(name: &str, bytes: &[u8]) -> bool {
    let named = [".txt", ".list", ".lst", ".urls"].iter().any(|end| name.to_ascii_lowercase().ends_with(end));
    let mut filled = lines(bytes).filter(|text| !text.is_empty() && !text.starts_with('#')).peekable();
    named || filled.peek().is_none() || filled.any(|text| url(&text).is_ok())
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = String> {
    // The end of the last line is not the beginning of another.
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n').map(|line| message::text(line).trim().to_owned())
}

/// The URL of a line. The WHATWG parser would take `http://h/a b` and `http://h/ # why` as one URL each.
fn url(text: &str) -> Result<WebUrl, String> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let url = WebUrl::parse(word).map_err(|cause| cause.to_string())?;
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with('#') {
        Ok(url)
    } else {
        Err("more than a URL on the line; a space inside a URL is written %20, a comment begins with #".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a list of this one line gives: the URL, or `!` and the reason.
    fn outcome(line: &[u8]) -> String {
        let harvest = read(line);
        let seeds = harvest.seeds.iter().map(|seed| seed.url.as_str().to_owned());
        seeds.chain(harvest.rejects.iter().map(|reject| format!("!{}", reject.reason))).collect()
    }

    #[track_caller]
    fn check(line: &[u8], want: &str) {
        let got = outcome(line);
        assert!(got == want || want.starts_with('!') && got.starts_with(want), "{got:?}, not {want:?}");
    }

    #[test]
    fn a_line_is_a_url_or_nothing_or_a_reject() {
        check(b"http://a.example/b", "http://a.example/b");
        check(b"\t HTTPS://A.example:443/b#c \r", "https://a.example/b");
        check(b"http://a.example/ # the front page", "http://a.example/");
        check(b"http://a.example/\xe9", "http://a.example/%C3%A9");
        check("http://a.example/中".as_bytes(), "http://a.example/%E4%B8%AD");
        check(b"", "");
        check(b"# http://a.example/", "");
        check(b"http://a.example/b c", "!more than a URL");
        check(b"http://a.example/ http://b.example/", "!more than a URL");
        check(b"a.example/b", "!not a URL");
        check(b"//a.example/b", "!not a URL");
        check(b"ftp://a.example/b", "!scheme ftp: is not crawled");
        check(b"http://", "!not a URL");
        check(b"\xff\xfe\x00junk", "!not a URL");
    }

    #[test]
    fn every_reject_has_its_line_and_its_text() {
        let harvest = read(b"# one\r\n\r\nhttp://a.example/\r\nnonsense\r\n\r\nmailto:a@b.example\r\n");
        let rejects: Vec<_> = harvest.rejects.iter().map(|reject| (reject.line, reject.text.as_str())).collect();
        assert_eq!(rejects, [(4, "nonsense"), (6, "mailto:a@b.example")]);
        assert_eq!(harvest.seeds[0].line, 3);
        let long = read("中".repeat(300).as_bytes());
        assert_eq!(long.rejects[0].text.chars().count(), 200);
    }

    proptest! {
        #[test]
        fn a_list_that_is_written_is_read_back(paths in proptest::collection::btree_set("[a-z0-9/?=&%.中é-]{0,20}", 0..20)) {
            let urls: Vec<WebUrl> =
                paths.iter().map(|path| WebUrl::parse(&format!("https://h.example/{path}")).unwrap()).collect();
            let text: String = urls.iter().map(|url| format!("{url}\r\n\r\n# then\r\n")).collect();
            let harvest = read(text.as_bytes());
            prop_assert_eq!(harvest.seeds.into_iter().map(|seed| seed.url).collect::<Vec<_>>(), urls);
            prop_assert_eq!(harvest.rejects, []);
        }
    }
}
