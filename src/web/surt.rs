//! SURT: the sort key of a URL with its host reversed, as CDX indexes use it.
//!
//! A key only sorts and looks up. It folds case, unescapes, and drops `www.` and session ids, so it must never decide
//! that two URLs are one (see [`super::url`]). Keys are those of the Python package `surt` 0.3.1, which cdxj-indexer,
//! pywb and other readers of indexes share; where they are odd, ours are odd in the same way, or look-ups miss.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// The key of any URL: `com,example)/path?a=1&b=2`. What cannot be taken apart is its own key.
///
/// ```
/// use pressmark::web::surt::surt;
/// assert_eq!(surt("https://www.News.example.com:443/A/?b=2&a=1"), "com,example,news)/a?a=1&b=2");
/// assert_eq!(surt("dns:News.example.com"), "dns:news.example.com");
/// ```
pub fn surt(url: &str) -> String {
    match url {
        "" => "-".to_owned(),
        // The names of old ARC files' first records.
        _ if url.starts_with("filedesc") => url.to_owned(),
        _ => key(url.as_bytes()).unwrap_or_else(|| url.to_owned()),
    }
}

fn key(url: &[u8]) -> Option<String> {
    let parts = Parts::split(url)?;
    let host = parts.host.as_deref().filter(|host| !host.is_empty()).map(host).filter(|host| !host.is_empty());
    let path = unescaped(parts.path.as_deref().unwrap_or_default());
    let path = escaped(&if host.is_some() { directories(&path) } else { path }).to_ascii_lowercase();
    let mut key = Vec::with_capacity(url.len() + 1);
    match host {
        Some(host) => {
            let massaged = if parts.scheme == b"dns" { &host } else { without_www(&host) };
            let labels: Vec<&[u8]> = massaged.split(|byte| *byte == b'.').rev().collect();
            key.extend_from_slice(&labels.join(&b','));
            if let Some(port) = parts.port.filter(|port| default_port(&parts.scheme) != Some(*port)) {
                key.extend_from_slice(format!(":{port}").as_bytes());
            }
            key.push(b')');
        }
        None => {
            key.extend_from_slice(&parts.scheme);
            key.push(b':');
        }
    }
    let path = without_path_session(path);
    key.extend_from_slice(if path.len() > 1 { path.strip_suffix(b"/").unwrap_or(&path) } else { &path });
    let query = sorted(&without_query_session(escaped(&unescaped(&parts.query))).to_ascii_lowercase());
    if !query.is_empty() {
        if path.is_empty() {
            key.push(b'/');
        }
        key.push(b'?');
        key.extend_from_slice(&query);
    }
    String::from_utf8(key).ok()
}

/// A URL taken apart by the generic syntax (RFC 3986, appendix B), bytes as they stand.
struct Parts {
    scheme: Vec<u8>,
    host: Option<Vec<u8>>,
    port: Option<u16>,
    path: Option<Vec<u8>>,
    query: Vec<u8>,
}

impl Parts {
    fn split(url: &[u8]) -> Option<Parts> {
        let url: Vec<u8> = trimmed(url).iter().copied().filter(|byte| !b"\n\r\t".contains(byte)).collect();
        if url.is_empty() {
            return None;
        }
        let url = if scheme_end(&url).is_some() { url } else { [b"http://", url.as_slice()].concat() };
        let url = after_repeats(&url);
        let colon = scheme_end(url)?;
        let (scheme, rest) = (&url[..colon], &url[colon + 1..]);
        let rest = rest.split(|byte| *byte == b'#').next().unwrap_or_default();
        let (hierarchy, query) = split_at_byte(rest, b'?');
        let (authority, path) = match hierarchy.strip_prefix(b"//") {
            Some(rest) => {
                let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
                rest.split_at(end)
            }
            None => (&[][..], hierarchy),
        };
        let (mut host, port) = host_and_port(authority)?;
        let mut path = Some(path.to_vec()).filter(|path| !path.is_empty());
        // «http:////host/path» means its first word for a host.
        if let (None, Some(given), true) = (&host, &path, scheme.starts_with(b"http")) {
            let start = given.iter().position(|byte| *byte != b'/').unwrap_or(given.len());
            let (name, rest) = split_at_byte(&given[start..], b'/');
            host = Some(name.to_vec());
            path = Some([b"/", rest].concat());
        }
        Some(Parts { scheme: scheme.to_vec(), host, port, path, query: query.to_vec() })
    }
}

/// Where the colon of a scheme stands.
fn scheme_end(url: &[u8]) -> Option<usize> {
    let colon = url.iter().position(|byte| !byte.is_ascii_alphanumeric() && !b"+-.".contains(byte))?;
    (url[colon] == b':' && url[0].is_ascii_alphabetic()).then_some(colon)
}

/// «http://https://host/» means the last of its beginnings.
fn after_repeats(url: &[u8]) -> &[u8] {
    let beginning = |url: &[u8]| [&b"http://"[..], b"https://"].iter().find(|b| url.starts_with(b)).map(|b| b.len());
    let mut url = url;
    while let Some(length) = beginning(url).filter(|length| beginning(&url[*length..]).is_some()) {
        url = &url[length..];
    }
    url
}

/// Host and port of an authority, the user left out; none when the port is no port.
fn host_and_port(authority: &[u8]) -> Option<(Option<Vec<u8>>, Option<u16>)> {
    let end = authority.iter().rposition(|byte| *byte != b':').map_or(0, |at| at + 1);
    let authority = &authority[..end];
    let place = authority.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    let (host, port) = match split_at_byte(place, b'[') {
        (before, bracketed) if before.len() < place.len() => {
            let (host, rest) = split_at_byte(bracketed, b']');
            (host, split_at_byte(rest, b':').1)
        }
        _ => split_at_byte(place, b':'),
    };
    // The zone of an address keeps its case.
    let zone = host.iter().position(|byte| *byte == b'%').unwrap_or(host.len());
    let host = [&host[..zone].to_ascii_lowercase(), &host[zone..]].concat();
    let port = match port {
        b"" => None,
        digits if digits.iter().all(u8::is_ascii_digit) => Some(std::str::from_utf8(digits).ok()?.parse().ok()?),
        _ => return None,
    };
    Some((Some(host).filter(|host| !host.is_empty()), port.filter(|port| *port > 0)))
}

fn split_at_byte(bytes: &[u8], byte: u8) -> (&[u8], &[u8]) {
    match bytes.iter().position(|b| *b == byte) {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

/// A host unescaped, in its ASCII form, an address in its usual form.
fn host(given: &[u8]) -> Vec<u8> {
    let host = unescaped(given);
    let host = if host.is_ascii() { host } else { ascii_host(&host).unwrap_or(host) };
    let host = replaced(&host, b"..", b".");
    let host: &[u8] = trimmed_of(&host, b'.');
    match address(host) {
        Some(address) => address.to_string().into_bytes(),
        None => escaped(&host.to_ascii_lowercase()).to_ascii_lowercase(),
    }
}

/// By IDNA 2003, which the package follows: it maps letters away that the web's IDNA keeps.
fn ascii_host(host: &[u8]) -> Option<Vec<u8>> {
    let host = String::from_utf8_lossy(host).replace(char::REPLACEMENT_CHARACTER, "");
    let mapped = host.replace('ß', "ss").replace('ς', "σ").replace(['\u{200c}', '\u{200d}'], "");
    match url::Host::parse(&mapped).ok()? {
        url::Host::Domain(name) => Some(name.into_bytes()),
        url::Host::Ipv4(_) | url::Host::Ipv6(_) => None,
    }
}

/// An IPv4 address in any of the forms that old resolvers took: one to four numbers, decimal or octal.
fn address(host: &[u8]) -> Option<Ipv4Addr> {
    let text = std::str::from_utf8(host).ok().filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number alone is cut to its lower four bytes.
        let number = text.bytes().fold(0_u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(u32::from(digit - b'0')));
        return Some(number.into());
    }
    let parse = |word: &str| match word.strip_prefix('0') {
        Some("") => Some(0),
        Some(octal) if octal.bytes().all(|byte| byte.is_ascii_digit()) => u32::from_str_radix(octal, 8).ok(),
        Some(_) => None,
        None if word.bytes().all(|byte| byte.is_ascii_digit()) => word.parse().ok(),
        None => None,
    };
    let numbers: Vec<u32> = text.split('.').map(parse).collect::<Option<_>>()?;
    let (last, bytes) = numbers.split_last()?;
    let room = 8 * (4 - u32::try_from(bytes.len()).ok()?.min(4));
    let is_too_big = bytes.iter().any(|byte| *byte > 255) || u64::from(*last) >= 1 << room;
    if bytes.len() > 3 || is_too_big {
        return None;
    }
    let high = bytes.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    u32::try_from(high << room | u64::from(*last)).ok().map(Ipv4Addr::from)
}

fn without_www(host: &[u8]) -> &[u8] {
    let Some(rest) = host.strip_prefix(b"www") else { return host };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    rest[digits..].strip_prefix(b".").unwrap_or(host)
}

fn default_port(scheme: &[u8]) -> Option<u16> {
    match scheme.to_ascii_lowercase().as_slice() {
        b"http" => Some(80),
        b"https" => Some(443),
        _ => None,
    }
}

/// A path without `.`, `..` and empty directories; what leads above the root stays.
fn directories(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/').skip(1) {
        match name {
            b"." => {}
            b".." if !kept.is_empty() => {
                kept.pop();
            }
            _ => kept.push(name),
        }
    }
    let last = kept.pop().unwrap_or_default();
    let mut path = b"/".to_vec();
    for name in kept.iter().filter(|name| !name.is_empty()) {
        path.extend_from_slice(name);
        path.push(b'/');
    }
    path.extend_from_slice(last);
    path
}

/// Undoes percent escapes until there is none left.
fn unescaped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while bytes.contains(&b'%') {
        let once: Vec<u8> = percent_encoding::percent_decode(&bytes).collect();
        if once == bytes {
            break;
        }
        bytes = once;
    }
    bytes
}

/// Escapes white space, control bytes, `#`, `%` and whatever is not ASCII.
fn escaped(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'!'..=b'~' if !b"#%".contains(byte) => out.push(*byte),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}

/// Session ids of ASP.NET, which stand as a directory before the page's name: what stays are the groups.
static PATH_SESSIONS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    [r"^(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)$", r"^(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)$"].map(pattern)
});

/// Parameters that carry a session and nothing else, with the form of their values: what stays are the groups.
static QUERY_SESSIONS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        "jsessionid=[0-9a-z]{32}",
        "phpsessid=[0-9a-z]{32}",
        "sid=[0-9a-z]{32}",
        "aspsessionid[a-z]{8}=[a-z]{24}",
        "cfid=[^&]+&cftoken=[^&]+",
    ]
    .map(|parameter| pattern(format!("^(.*){parameter}(?:&(.*))?$")))
});

fn pattern(pattern: impl AsRef<str>) -> Regex {
    Regex::new(&format!("(?i-u){}", pattern.as_ref()))
        .expect("the patterns are constants of this file, and tests use them")
}

fn without_path_session(path: Vec<u8>) -> Vec<u8> {
    let may_have = path.contains(&b'(');
    if may_have { without(&*PATH_SESSIONS, path) } else { path }
}

fn without_query_session(query: Vec<u8>) -> Vec<u8> {
    let may_have = query.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"id"));
    if may_have { without(&*QUERY_SESSIONS, query) } else { query }
}

fn without(patterns: &[Regex], mut text: Vec<u8>) -> Vec<u8> {
    for pattern in patterns {
        let kept = pattern.captures(&text).map(|found| {
            let group = |number| found.get(number).map_or(&[][..], |group| group.as_bytes());
            [group(1), group(2)].concat()
        });
        text = kept.unwrap_or(text);
    }
    text
}

/// Parameters by name, then by value; one without a value before the one with an empty value.
fn sorted(query: &[u8]) -> Vec<u8> {
    let mut pairs: Vec<(&[u8], Option<&[u8]>)> = query
        .split(|byte| *byte == b'&')
        .map(|pair| {
            let (name, value) = split_at_byte(pair, b'=');
            (name, (name.len() < pair.len()).then_some(value))
        })
        .collect();
    if pairs.len() < 2 {
        return query.to_vec();
    }
    pairs.sort_unstable();
    let joined = pairs.into_iter().map(|(name, value)| match value {
        Some(value) => [name, b"=", value].concat(),
        None => name.to_vec(),
    });
    joined.collect::<Vec<_>>().join(&b'&')
}

/// Without the white space at its ends, the vertical tab included.
fn trimmed(bytes: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !b" \t\n\r\x0b\x0c".contains(byte);
    let start = bytes.iter().position(is_text).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(is_text).map_or(start, |at| at + 1);
    &bytes[start..end]
}

fn trimmed_of(bytes: &[u8], byte: u8) -> &[u8] {
    let start = bytes.iter().position(|b| *b != byte).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| *b != byte).map_or(start, |at| at + 1);
    &bytes[start..end]
}

/// Every occurrence replaced, once, from the left.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_by_reversed_host() {
        for (url, want) in [
            ("http://example.org/", "org,example)/"),
            ("http://www2.example.org", "org,example)/"),
            ("http://www.com/", "com)/"),
            ("http://10.1.2.3/x", "3,2,1,10)/x"),
            ("http://h.example:8080/A//b/", "example,h:8080)/a/b"),
            ("http://h.example/a;jsessionid=12?sid=1&Z=1&a", "example,h)/a;jsessionid=12?a&sid=1&z=1"),
        ] {
            assert_eq!(surt(url), want, "{url}");
        }
    }
}
