//! SURT: the sort key of a URL with its host reversed, as CDX indexes use it.
//!
//! A key only sorts and looks up. It folds case and drops `www.` and session ids, so it must never decide that two
//! URLs are one (see [`super::url`]). Follows what pywb's canonicaliser does: <https://pypi.org/project/surt/>.

use super::url::WebUrl;

/// Query parameters that carry a session and nothing else, in lower case.
const SESSION: [&str; 7] = ["jsessionid", "phpsessid", "sid", "sessionid", "cfid", "cftoken", "aspsessionid"];

/// The key: `com,example)/path?a=1&b=2`.
///
/// ```
/// use pressmark::web::{surt::surt, url::WebUrl};
/// let url = WebUrl::parse("https://www.News.example.com:443/A/?b=2&a=1").unwrap();
/// assert_eq!(surt(&url), "com,example,news)/a?a=1&b=2");
/// ```
pub fn surt(url: &WebUrl) -> String {
    let mut key = reversed(url.host());
    let origin = url.origin();
    if origin.port != if origin.tls { 443 } else { 80 } {
        key.push_str(&format!(":{}", origin.port));
    }
    key.push(')');
    let path = url.path().to_ascii_lowercase();
    let path = path.split_once(";jsessionid=").map_or(path.as_str(), |(before, _)| before);
    key.push_str(if path.len() > 1 { path.trim_end_matches('/') } else { "/" });
    let query = sorted_query(url.query().unwrap_or(""));
    if !query.is_empty() {
        key.push('?');
        key.push_str(&query);
    }
    key
}

fn reversed(host: &str) -> String {
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return host.to_owned();
    }
    let host = host.trim_end_matches('.');
    let mut labels: Vec<&str> = host.split('.').collect();
    let www = labels[0].strip_prefix("www").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if www && labels.len() > 1 {
        labels.remove(0);
    }
    labels.reverse();
    labels.join(",")
}

fn sorted_query(query: &str) -> String {
    let query = query.to_ascii_lowercase();
    let mut pairs: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !SESSION.contains(&pair.split('=').next().unwrap_or("")))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
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
            ("http://10.1.2.3/x", "10.1.2.3)/x"),
            ("http://h.example:8080/A//b/", "example,h:8080)/a//b"),
            ("http://h.example/a;jsessionid=12?sid=1&Z=1&a", "example,h)/a?a&z=1"),
        ] {
            assert_eq!(surt(&WebUrl::parse(url).unwrap()), want, "{url}");
        }
    }
}
