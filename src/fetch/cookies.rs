//! Cookies that a person hands over, in the form browsers' exporters write (`cookies.txt`).
//!
//! Each line is `domain ⇥ below ⇥ path ⇥ secure ⇥ expires ⇥ name ⇥ value`. Which request gets which cookie is RFC 6265,
//! 5.1.3, 5.1.4 and 5.4. What servers set is recorded in their answers and never sent back: a crawl keeps no session.

use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

/// One cookie.
pub(super) struct Cookie {
    /// In the ASCII form of hosts.
    domain: String,
    /// Hosts below the domain get it too.
    below: bool,
    path: String,
    /// Over TLS only.
    secure: bool,
    /// None for a session's cookie.
    expires: Option<Timestamp>,
    name: String,
    value: String,
}

/// Before the domain of a cookie that scripts of a page must not see; to anybody but a browser it is like the others.
const HTTP_ONLY: &str = "#HttpOnly_";

/// Reads a file of cookies.
///
/// # Errors
/// The first line that is no cookie, counted from 1, and why; never its text.
pub(super) fn read(text: &str) -> Result<Vec<Cookie>, (usize, &'static str)> {
    let mut cookies = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.strip_prefix(HTTP_ONLY).unwrap_or(line);
        if !line.trim().is_empty() && !line.starts_with('#') {
            cookies.push(cookie(line).map_err(|why| (number, why))?);
        }
    }
    Ok(cookies)
}

fn cookie(line: &str) -> Result<Cookie, &'static str> {
    let cells: Vec<&str> = line.split('\t').collect();
    // Some exporters leave out the tab before an empty value.
    let (&[domain, below, path, secure, expires, name], value) = cells.split_at_checked(6).ok_or(CELLS)? else {
        return Err(CELLS);
    };
    let value = match *value {
        [] => "",
        [value] => value,
        _ => return Err(CELLS),
    };
    let domain = domain.trim().trim_start_matches('.');
    let host = WebUrl::parse(&format!("http://{domain}/")).ok().filter(|url| url.as_str().matches('/').count() == 3);
    let host = host.filter(|_| !domain.contains(['/', '\\', '?', '#', '@', ':']) || domain.starts_with('['));
    let host = host.ok_or("its first cell is no domain")?;
    let truth = |cell: &str| match cell.trim().to_ascii_uppercase().as_str() {
        "TRUE" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err("its second and fourth cells are TRUE or FALSE"),
    };
    let seconds = expires.trim().parse().ok().filter(|seconds: &f64| seconds.is_finite());
    let seconds = seconds.ok_or("its fifth cell is the second it expires, or 0")?;
    let fits = |text: &str| !text.contains(|c: char| c.is_control() || c == ';');
    if !fits(name) || !fits(value) || name.contains('=') || (name.is_empty() && value.is_empty()) {
        return Err("its name or value cannot stand in a Cookie field");
    }
    // 5.3, 5: a cookie for all of a public suffix is none; for a host that is one (`localhost`), it is the host's.
    let is_suffix = psl::domain_str(host.host()).is_none() || host.domain().parse::<std::net::IpAddr>().is_ok();
    Ok(Cookie {
        below: truth(below)? && !is_suffix,
        path: if path.starts_with('/') { path.to_owned() } else { "/".to_owned() },
        secure: truth(secure)?,
        // Milliseconds: beyond what they can count nothing expires.
        expires: (seconds > 0.0).then_some(Timestamp((seconds * 1000.0) as i64)),
        domain: host.host().to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
    })
}

const CELLS: &str = "it has not the seven cells of a cookie, with tabs between them";

/// The value of the `Cookie` field for a URL; none when no cookie is for it.
pub(super) fn field(cookies: &[Cookie], url: &WebUrl, now: Timestamp) -> Option<String> {
    let mut mine: Vec<&Cookie> = cookies.iter().filter(|cookie| cookie.is_for(url, now)).collect();
    // 5.4, 2: longer paths first; the sort keeps the file's order otherwise.
    mine.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
    let pair = |cookie: &Cookie| match (cookie.name.as_str(), cookie.value.as_str()) {
        ("", value) => value.to_owned(),
        (name, value) => format!("{name}={value}"),
    };
    let pairs: Vec<String> = mine.into_iter().map(pair).collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

impl Cookie {
    fn is_for(&self, url: &WebUrl, now: Timestamp) -> bool {
        let below = || url.host().strip_suffix(&self.domain).is_some_and(|rest| rest.ends_with('.'));
        let on_path = || match url.path().strip_prefix(&self.path) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        };
        (url.host() == self.domain || self.below && below())
            && on_path()
            && (!self.secure || url.origin().tls)
            && self.expires.is_none_or(|expires| expires > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\u{feff}# Netscape HTTP Cookie File\r\n\r\n\
        .news.example\tTRUE\t/\tFALSE\t0\tall\t1\r\n\
        news.example\tFALSE\t/\tFALSE\t0\thost\t2\r\n\
        #HttpOnly_.news.example\tTRUE\t/desk\tTRUE\t2000000000\tdesk\tx=y\r\n\
        .news.example\tTRUE\t/\tFALSE\t1000000000.5\told\t4\r\n\
        .example\tTRUE\t/\tFALSE\t0\tsuffix\t5\r\n\
        .BÜCHER.example\tTRUE\t/\tFALSE\t0\tidn\t6\r\n\
        127.0.0.1\tTRUE\t/\tFALSE\t0\taddress\t7\r\n\
        news.example\tFALSE\t/\tFALSE\t0\tempty\r\n";

    #[test]
    fn a_cookie_goes_where_it_belongs() {
        let cookies = read(FILE).unwrap_or_else(|(line, why)| panic!("line {line}: {why}"));
        let now = Timestamp(1_700_000_000_000);
        for (url, want) in [
            ("http://news.example/", "all=1; host=2; empty="),
            ("http://news.example./", "all=1; host=2; empty="),
            ("https://news.example/desk", "desk=x=y; all=1; host=2; empty="),
            ("https://a.news.example/desk/x", "desk=x=y; all=1"),
            ("https://a.news.example/desks", "all=1"),
            ("http://a.news.example/desk/x", "all=1"),
            ("http://evilnews.example/", ""),
            ("http://other.example/", ""),
            ("http://example/", "suffix=5"),
            ("http://xn--bcher-kva.example/", "idn=6"),
            ("http://127.0.0.1:8080/", "address=7"),
            ("http://1.127.0.0.1.example/", ""),
        ] {
            let got = field(&cookies, &WebUrl::parse(url).unwrap(), now).unwrap_or_default();
            assert_eq!(got, want, "{url}");
        }
        let after = field(&cookies, &WebUrl::parse("https://news.example/desk").unwrap(), Timestamp(2_100_000_000_000));
        assert_eq!(after.as_deref(), Some("all=1; host=2; empty="), "an expired cookie stays at home");
    }

    #[test]
    fn a_line_that_is_no_cookie_is_named() {
        for (line, why) in [
            ("nonsense", "seven cells"),
            ("a.example TRUE / FALSE 0 n v", "seven cells"),
            ("a.example\tTRUE\t/\tFALSE\t0\tn\tv\tw", "seven cells"),
            ("a b\tTRUE\t/\tFALSE\t0\tn\tv", "no domain"),
            ("http://a.example/\tTRUE\t/\tFALSE\t0\tn\tv", "no domain"),
            ("\tTRUE\t/\tFALSE\t0\tn\tv", "no domain"),
            ("a.example\tyes\t/\tFALSE\t0\tn\tv", "TRUE or FALSE"),
            ("a.example\tTRUE\t/\tFALSE\tnever\tn\tv", "expires"),
            ("a.example\tTRUE\t/\tFALSE\t0\tn\ta;b", "cannot stand"),
            ("a.example\tTRUE\t/\tFALSE\t0\t\t", "cannot stand"),
        ] {
            let (number, said) = read(&format!("# one\n{line}\n")).err().unwrap_or_else(|| panic!("{line} was read"));
            assert!(number == 2 && said.contains(why), "{line}: {number}, {said}");
        }
    }
}
