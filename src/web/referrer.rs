//! Referrer policies: what `Referer` a request carries (W3C Referrer Policy; Fetch, 3.1).
//!
//! Where a policy stands decides which words are read: [`Policy::from_token`] for the `referrerpolicy` attribute,
//! [`Policy::from_meta`] for `<meta name=referrer>`, [`Policy::from_header`] for the `Referrer-Policy` field.

use std::fmt;
use std::net::IpAddr;

use super::url::WebUrl;

/// A referrer policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// `no-referrer`
    NoReferrer,
    /// `no-referrer-when-downgrade`
    NoReferrerWhenDowngrade,
    /// `same-origin`
    SameOrigin,
    /// `origin`
    Origin,
    /// `strict-origin`
    StrictOrigin,
    /// `origin-when-cross-origin`
    OriginWhenCrossOrigin,
    /// `strict-origin-when-cross-origin`, what holds where nothing is said.
    #[default]
    StrictOriginWhenCrossOrigin,
    /// `unsafe-url`
    UnsafeUrl,
}

/// Who refers to something, and how much of that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The document, or the style sheet.
    pub from: WebUrl,
    /// The policy.
    pub policy: Policy,
}

impl Referrer {
    /// Reads what its [`Display`](fmt::Display) writes: `POLICY URL`.
    pub fn read(text: &str) -> Option<Referrer> {
        let (policy, from) = text.split_once(' ')?;
        Some(Referrer { policy: Policy::from_token(policy)?, from: WebUrl::parse(from).ok()? })
    }

    /// The value of `Referer` for a request to this URL.
    pub fn referer(&self, to: &WebUrl) -> Option<String> {
        referer(self.policy, &self.from, to)
    }

    /// What it is after a redirect, whose answer may change the policy (Fetch, 4.4, step 19).
    pub fn after(&self, header: Option<Policy>) -> Referrer {
        Referrer { from: self.from.clone(), policy: header.unwrap_or(self.policy) }
    }
}

impl fmt::Display for Referrer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.policy.as_str(), self.from)
    }
}

/// Longer referrers are cut to their origin (Referrer Policy, 8.3, step 6).
const LONGEST_REFERRER: usize = 4096;

impl Policy {
    /// Every policy, for tables and tests.
    pub const ALL: [Policy; 8] = [
        Policy::NoReferrer,
        Policy::NoReferrerWhenDowngrade,
        Policy::SameOrigin,
        Policy::Origin,
        Policy::StrictOrigin,
        Policy::OriginWhenCrossOrigin,
        Policy::StrictOriginWhenCrossOrigin,
        Policy::UnsafeUrl,
    ];

    /// The token of the standard.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::NoReferrer => "no-referrer",
            Policy::NoReferrerWhenDowngrade => "no-referrer-when-downgrade",
            Policy::SameOrigin => "same-origin",
            Policy::Origin => "origin",
            Policy::StrictOrigin => "strict-origin",
            Policy::OriginWhenCrossOrigin => "origin-when-cross-origin",
            Policy::StrictOriginWhenCrossOrigin => "strict-origin-when-cross-origin",
            Policy::UnsafeUrl => "unsafe-url",
        }
    }

    /// Reads one token, in any case; none when it is unknown or empty.
    pub fn from_token(token: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| token.trim().eq_ignore_ascii_case(policy.as_str()))
    }

    /// Reads the content of `<meta name=referrer>`, where four older words are still understood (HTML, 4.2.5.1).
    pub fn from_meta(content: &str) -> Option<Policy> {
        match content.trim().to_ascii_lowercase().as_str() {
            "never" => Some(Policy::NoReferrer),
            "default" => Some(Policy::default()),
            "always" => Some(Policy::UnsafeUrl),
            "origin-when-crossorigin" => Some(Policy::OriginWhenCrossOrigin),
            token => Policy::from_token(token),
        }
    }

    /// Reads `Referrer-Policy` fields: the last token that is known counts (Referrer Policy, 8.1).
    pub fn from_header(values: impl IntoIterator<Item = String>) -> Option<Policy> {
        values.into_iter().flat_map(|value| value.split(',').filter_map(Policy::from_token).collect::<Vec<_>>()).last()
    }
}

/// The value of `Referer` for a request from the document at `from` to `to`; none when none is sent. For what a style
/// sheet loads, `from` is the sheet.
pub fn referer(policy: Policy, from: &WebUrl, to: &WebUrl) -> Option<String> {
    let origin = format!("{}/", from.origin());
    // A WebUrl has neither credentials nor a fragment, so it is stripped as 8.4 asks.
    let full = if from.as_str().len() > LONGEST_REFERRER { origin.clone() } else { from.as_str().to_owned() };
    let same = from.origin() == to.origin();
    let downgrade = is_trustworthy(from) && !is_trustworthy(to);
    match policy {
        Policy::NoReferrer => None,
        Policy::Origin => Some(origin),
        Policy::UnsafeUrl => Some(full),
        Policy::StrictOrigin => (!downgrade).then_some(origin),
        Policy::SameOrigin => same.then_some(full),
        Policy::OriginWhenCrossOrigin => Some(if same { full } else { origin }),
        Policy::NoReferrerWhenDowngrade => (!downgrade).then_some(full),
        Policy::StrictOriginWhenCrossOrigin if same => Some(full),
        Policy::StrictOriginWhenCrossOrigin => (!downgrade).then_some(origin),
    }
}

/// Potentially trustworthy (Secure Contexts, 3.2): TLS, or this very machine.
fn is_trustworthy(url: &WebUrl) -> bool {
    let host = url.host();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    url.origin().tls
        || address.is_ok_and(|address| address.is_loopback())
        || host == "localhost"
        || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "https://news.example/a/1?x=1";
    const ORIGIN: Option<&str> = Some("https://news.example/");
    const FULL: Option<&str> = Some(PAGE);

    #[test]
    fn each_policy_tells_as_much_as_the_standard_says() {
        // To the same origin, to another one, and down to plain http.
        for (policy, same, cross, down) in [
            ("no-referrer", None, None, None),
            ("no-referrer-when-downgrade", FULL, FULL, None),
            ("same-origin", FULL, None, None),
            ("origin", ORIGIN, ORIGIN, ORIGIN),
            ("strict-origin", ORIGIN, ORIGIN, None),
            ("origin-when-cross-origin", FULL, ORIGIN, ORIGIN),
            ("strict-origin-when-cross-origin", FULL, ORIGIN, None),
            ("unsafe-url", FULL, FULL, FULL),
        ] {
            let policy = Policy::from_token(policy).unwrap();
            check(policy, PAGE, "https://news.example/i.jpg", same);
            check(policy, PAGE, "https://img.example/i.jpg", cross);
            check(policy, PAGE, "http://img.example/i.jpg", down);
        }
    }

    #[test]
    fn loopback_is_as_good_as_tls_and_long_referrers_shrink() {
        let strict = Policy::StrictOrigin;
        check(strict, PAGE, "http://127.3.2.1:8080/", ORIGIN);
        check(strict, PAGE, "http://[::1]/", ORIGIN);
        check(strict, PAGE, "http://localhost/", ORIGIN);
        check(strict, PAGE, "http://128.0.0.1/", None);
        check(Policy::SameOrigin, "http://news.example/", "https://news.example/", None);
        let long = format!("https://news.example/{}", "a".repeat(4090));
        check(Policy::UnsafeUrl, &long, PAGE, ORIGIN);
        check(Policy::UnsafeUrl, "https://u:p@news.example/a/1?x=1#top", "http://img.example/", FULL);
    }

    #[test]
    fn words_depend_on_where_they_stand() {
        assert_eq!(Policy::from_token(" No-Referrer "), Some(Policy::NoReferrer));
        assert_eq!(Policy::from_token("never"), None);
        for (word, want) in [
            ("never", Some(Policy::NoReferrer)),
            ("Always", Some(Policy::UnsafeUrl)),
            ("default", Some(Policy::default())),
            ("origin-when-crossorigin", Some(Policy::OriginWhenCrossOrigin)),
            ("origin", Some(Policy::Origin)),
            ("", None),
        ] {
            assert_eq!(Policy::from_meta(word), want, "{word}");
        }
        let header = ["origin, same-origin".to_owned(), "strict-origin, some-day".to_owned()];
        assert_eq!(Policy::from_header(header), Some(Policy::StrictOrigin));
        assert_eq!(Policy::from_header(["some-day".to_owned()]), None);
    }

    fn check(policy: Policy, from: &str, to: &str, want: Option<&str>) {
        let sent = referer(policy, &WebUrl::parse(from).unwrap(), &WebUrl::parse(to).unwrap());
        assert_eq!(sent.as_deref(), want, "{policy:?} from {from} to {to}");
    }
}
