//! `<meta http-equiv=refresh>` and the field `Refresh`: a page that leads elsewhere by itself.

use std::time::Duration;

use crate::web::url::WebUrl;

/// Where a page leads by itself, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// How long it is shown before.
    pub after: Duration,
    /// Where it leads.
    pub to: WebUrl,
}

/// Reads the value of a field `Refresh`, whose address resolves against this page; none when it names no address of the
/// web: a page that reloads itself leads nowhere.
pub fn refresh(value: &str, page: &WebUrl) -> Option<Refresh> {
    read(value, |href| page.join(href, None).ok())
}

/// Reads `5; url=/there` as the HTML standard does (4.2.5.3, shared declarative refresh steps).
pub fn read(value: &str, join: impl FnOnce(&str) -> Option<WebUrl>) -> Option<Refresh> {
    let value = value.trim_start();
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let seconds: u64 = match &value[..digits] {
        "" if value.starts_with('.') => 0,
        "" => return None,
        // What is too large for a number is a long time.
        digits => digits.parse().unwrap_or(u64::from(u32::MAX)),
    };
    let rest = value[digits..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let href = named(rest).unwrap_or(rest);
    let href = match href.chars().next() {
        Some(quote @ ('"' | '\'')) => href[1..].split(quote).next().unwrap_or(""),
        _ => href,
    };
    if href.is_empty() {
        return None;
    }
    Some(Refresh { after: Duration::from_secs(seconds), to: join(href)? })
}

/// What stands behind `url=`.
fn named(text: &str) -> Option<&str> {
    let rest = text.get(3..).filter(|_| text[..3].eq_ignore_ascii_case("url"))?;
    rest.trim_start().strip_prefix('=').map(str::trim_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_as_browsers_read_it() {
        let page = WebUrl::parse("http://h.example/a/b").unwrap();
        let check = |value: &str, want: Option<(u64, &str)>| {
            let read = refresh(value, &page).map(|read| (read.after.as_secs(), read.to.as_str().to_owned()));
            assert_eq!(read, want.map(|(after, to)| (after, to.to_owned())), "{value}");
        };
        check("0; url=/c", Some((0, "http://h.example/c")));
        check("0;URL='c'", Some((0, "http://h.example/a/c")));
        check(" 5.5 , Url = \"http://i.example/?a='b'\" x", Some((5, "http://i.example/?a=%27b%27")));
        check("3 /c", Some((3, "http://h.example/c")));
        check(".5; url=c", Some((0, "http://h.example/a/c")));
        check("99999999999999999999999;url=c", Some((u64::from(u32::MAX), "http://h.example/a/c")));
        check("300", None);
        check("0;", None);
        check("x; url=/c", None);
        check("", None);
        check("0; url=javascript:void(0)", None);
        check("0; ur\u{e9}", Some((0, "http://h.example/a/ur%C3%A9")));
    }
}
