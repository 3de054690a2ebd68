//! Addresses on the web: [`WebUrl`], the identity of a resource, and [`Origin`], what one connection serves.
//!
//! Identity is the WHATWG serialisation without fragment and nothing else folded: image hosts exist whose paths are
//! case-sensitive, so a looser key (see [`super::surt`]) may sort but never merge.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use encoding_rs::Encoding;
use percent_encoding::percent_decode_str;
use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

/// An absolute `http` or `https` URL without fragment and without credentials.
///
/// ```
/// use pressmark::web::url::WebUrl;
/// let url = WebUrl::parse("HTTP://News.example:80/a/../b?q=1#top").unwrap();
/// assert_eq!(url.as_str(), "http://news.example/b?q=1");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebUrl(url::Url);

/// Why a text is no address that can be crawled; it never holds the text itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL by the WHATWG parser.
    #[error("not a URL ({0})")]
    Syntax(&'static str),
    /// A URL of another kind: `data:`, `mailto:`, `javascript:`, …
    #[error("scheme {0}: is not crawled")]
    Scheme(String),
    /// Nothing listens on port 0: it means «any port» (RFC 6335, 6).
    #[error("port 0 cannot be connected to")]
    PortZero,
    /// Longer than any server reads: see [`LONGEST`].
    #[error("longer than {LONGEST} characters")]
    Long,
}

/// No longer URL is crawled. RFC 9110, 4.1 wants 8,000 octets to be understood; servers give up between 8 KiB and
/// 32 KiB, and what is longer is a page's data in disguise.
pub const LONGEST: usize = 16_384;

/// What the parser's complaints mean to a person.
fn reason(cause: url::ParseError) -> &'static str {
    use url::ParseError;
    match cause {
        ParseError::RelativeUrlWithoutBase | ParseError::RelativeUrlWithCannotBeABaseBase => {
            "it does not begin with http:// or https://"
        }
        ParseError::EmptyHost => "it names no host",
        ParseError::InvalidPort => "its port is no number up to 65535",
        ParseError::IdnaError => "its host is no valid name",
        ParseError::InvalidDomainCharacter => "its host has a character that no name has",
        ParseError::InvalidIpv4Address => "its host ends in a number, and is no IPv4 address",
        ParseError::InvalidIpv6Address => "what stands in brackets is no IPv6 address, which has no zone in a URL",
        _ => "it cannot be read",
    }
}

impl WebUrl {
    /// Reads an absolute URL, trimming what the WHATWG parser trims. Fragment and credentials are dropped.
    ///
    /// # Errors
    /// [`UrlError::Syntax`] when it is not an absolute URL, [`UrlError::Scheme`] when it is not `http` or `https`, and
    /// the other causes where nothing could be asked for.
    pub fn parse(text: &str) -> Result<WebUrl, UrlError> {
        WebUrl::from_url(url::Url::parse(text).map_err(|cause| UrlError::Syntax(reason(cause)))?)
    }

    /// Resolves a link found on this page. `encoding` is the page's charset: by the URL standard the query of a link
    /// on a GBK page is encoded in GBK, its path in UTF-8.
    ///
    /// # Errors
    /// As [`WebUrl::parse`].
    pub fn join(&self, href: &str, encoding: Option<&'static Encoding>) -> Result<WebUrl, UrlError> {
        let options = url::Url::options().base_url(Some(&self.0));
        let joined = match encoding.filter(|encoding| *encoding != encoding_rs::UTF_8) {
            None => options.parse(href),
            Some(encoding) => options
                .encoding_override(Some(&|text| Cow::Owned(encode_query(encoding.output_encoding(), text))))
                .parse(href),
        };
        WebUrl::from_url(joined.map_err(|cause| UrlError::Syntax(reason(cause)))?)
    }

    fn from_url(mut url: url::Url) -> Result<WebUrl, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        if url.port() == Some(0) {
            return Err(UrlError::PortZero);
        }
        let host = without_root(url.host_str().unwrap_or(""));
        if host.is_empty() {
            return Err(UrlError::Syntax(reason(url::ParseError::EmptyHost)));
        }
        // The URL standard lets them pass; no name is like that (RFC 1034, 3.1), and `h.example..` is no second host.
        if host.split('.').any(str::is_empty) {
            return Err(UrlError::Syntax(reason(url::ParseError::IdnaError)));
        }
        url.set_fragment(None);
        // Both succeed for every URL with a host, which http and https URLs always have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        if url.as_str().len() > LONGEST { Err(UrlError::Long) } else { Ok(WebUrl(url)) }
    }

    /// The URL as text; this is its identity.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host: a name in its ASCII form, or an address (IPv6 in brackets). The dot that may end a name (the root of
    /// RFC 1034, 3.1) is left out: `news.example.` is the same server, and must not get a pace of its own.
    pub fn host(&self) -> &str {
        without_root(self.0.host_str().unwrap_or(""))
    }

    /// The path, always beginning with `/`.
    pub fn path(&self) -> &str {
        self.0.path()
    }

    /// The query without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.0.query()
    }

    /// Path and query as they stand in the request line.
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..url::Position::AfterQuery]
    }

    /// What one connection serves.
    pub fn origin(&self) -> Origin {
        Origin {
            tls: self.0.scheme() == "https",
            host: self.host().into(),
            port: self.0.port_or_known_default().unwrap_or(80),
        }
    }

    /// The registrable domain by the public suffix list; the host itself for addresses and bare names.
    pub fn domain(&self) -> &str {
        registrable_domain(self.host())
    }
}

fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// A name and a password for one origin, as they may stand in the URL that a person gives. Neither is ever printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Whom they are for, and nobody else.
    pub origin: Origin,
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Login {
    /// The login in a URL, if it is one and has one.
    pub fn of(text: &str) -> Option<Login> {
        let url = url::Url::parse(text).ok()?;
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or("")));
        let origin = WebUrl::from_url(url).ok()?.origin();
        (!user.is_empty() || !password.is_empty()).then_some(Login { origin, user, password })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a login for {}", self.origin)
    }
}

/// The text with whatever stands before an `@` in the place of a login as `***`, for messages: `https://***@h.example/`.
/// It need not be a URL, nor a valid one: a sentence that quotes some is fine. `h.example/@name` stays.
pub fn without_credentials(text: &str) -> Cow<'_, str> {
    /// `scheme:` with or without slashes, or slashes alone; then all up to the last `@` before the path begins. Where
    /// what follows a colon there is no port, it is a password with a `/`, `?`, `#` or space in it: up to the last `@`.
    static LOGIN: LazyLock<Regex> = LazyLock::new(|| {
        let at = r"(?i)([a-z][a-z0-9+.-]*:[/\\]*|[/\\]{2})";
        let plain = r"[^\s/\\?#]*@";
        let broken = r"[^\s/\\?#@:\[]*:[^\s/\\?#@]*[^\s/\\?#@0-9][^\s/\\?#@]*[\s/\\?#][^\n]*@";
        Regex::new(&format!("{at}(?:{plain}|{broken})")).expect("the pattern is a constant, and a test uses it")
    });
    let masked = |found: &Captures<'_>| match &found[1] {
        // An address, and no secret.
        scheme if scheme.eq_ignore_ascii_case("mailto:") => found[0].to_owned(),
        before => format!("{before}***@"),
    };
    if text.contains('@') { LOGIN.replace_all(text, masked) } else { Cow::Borrowed(text) }
}

/// The registrable domain of a host; the host itself for addresses, bare names and public suffixes.
pub fn registrable_domain(host: &str) -> &str {
    let address = host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok();
    if address { host } else { psl::domain_str(host).unwrap_or(host) }
}

/// By the URL standard, what a charset cannot express becomes a percent-encoded numeric reference.
fn encode_query(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = encoding.encode(text);
    if !unmappable {
        return bytes.into_owned();
    }
    let mut out = Vec::with_capacity(text.len() * 2);
    let mut buffer = [0u8; 4];
    for c in text.chars() {
        let (bytes, _, unmappable) = encoding.encode(c.encode_utf8(&mut buffer));
        if unmappable {
            out.extend_from_slice(format!("%26%23{}%3B", u32::from(c)).as_bytes());
        } else {
            out.extend_from_slice(&bytes);
        }
    }
    out
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for WebUrl {
    type Error = UrlError;
    fn try_from(text: String) -> Result<WebUrl, UrlError> {
        WebUrl::parse(&text)
    }
}

impl From<WebUrl> for String {
    fn from(url: WebUrl) -> String {
        url.0.into()
    }
}

/// Scheme, host and port: the unit of robots rules (RFC 9309, 2.3) and of connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// `https` when true.
    pub tls: bool,
    /// As [`WebUrl::host`], so `https://h.example./` is the origin `https://h.example`.
    pub host: Arc<str>,
    /// The port, default ports filled in.
    pub port: u16,
}

impl Origin {
    /// The value of the `Host` field: the default port is left out (RFC 9110, 7.2).
    pub fn authority(&self) -> String {
        let default = if self.tls { 443 } else { 80 };
        if self.port == default { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }

    /// Where this origin's robots rules stand.
    pub fn robots(&self) -> WebUrl {
        // An origin is made of the parts of a URL, so they make one again.
        WebUrl::parse(&format!("{self}/robots.txt")).expect("an origin came from a URL")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_web_is_crawled() {
        for (text, want) in [
            ("https://u:p@h.example/p#f", Some("https://h.example/p")),
            ("http://127.1/", Some("http://127.0.0.1/")),
            ("http://0x7f000001/", Some("http://127.0.0.1/")),
            ("http://[::1]:8080/x", Some("http://[::1]:8080/x")),
            ("http://例え.jp/あ?い", Some("http://xn--r8jz45g.jp/%E3%81%82?%E3%81%84")),
            ("http:\\\\h.example\\a", Some("http://h.example/a")),
            ("data:text/plain,x", None),
            ("mailto:a@b.example", None),
            ("//h.example/", None),
            ("", None),
        ] {
            assert_eq!(WebUrl::parse(text).ok().as_ref().map(WebUrl::as_str), want, "{text}");
        }
    }

    #[test]
    fn the_query_of_a_link_is_in_the_charset_of_its_page() {
        let page = WebUrl::parse("http://h.example/a/").unwrap();
        let link = page.join("b中?q=中☃", Some(encoding_rs::GBK)).unwrap();
        assert_eq!(link.as_str(), "http://h.example/a/b%E4%B8%AD?q=%D6%D0%26%239731%3B");
    }

    #[test]
    fn a_login_is_read_and_never_shown() {
        let check = |text: &str, want: Option<(&str, &str, &str)>| {
            let login = Login::of(text);
            let got =
                login.as_ref().map(|login| (login.origin.to_string(), login.user.as_str(), login.password.as_str()));
            assert_eq!(got, want.map(|(origin, user, password)| (origin.to_owned(), user, password)), "{text}");
            assert!(!format!("{login:?}").contains("p%"), "{login:?}");
        };
        check("https://u:p%40%3a@H.example:443/x", Some(("https://h.example", "u", "p@:")));
        check("http://u@h.example:8080/", Some(("http://h.example:8080", "u", "")));
        check("http://:p@h.example./", Some(("http://h.example", "", "p")));
        check("http://h.example/", None);
        check("http://@h.example/", None);
        check("ftp://u:p@h.example/", None);
        check("u:p@h.example", None);
    }

    #[test]
    fn a_message_holds_no_login() {
        for (text, want) in [
            ("https://u:p@h.example/", "https://***@h.example/"),
            ("HTTPS:\\\\u:p@h.example", "HTTPS:\\\\***@h.example"),
            ("https:u:p@h.example", "https:***@h.example"),
            ("//u:p@h.example", "//***@h.example"),
            ("u:p@h.example/x", "u:***@h.example/x"),
            ("https://u:p@p@h.example/@name", "https://***@h.example/@name"),
            ("https://u:p/a?b#c@h.example/", "https://***@h.example/"),
            ("https://u:p a@h.example/", "https://***@h.example/"),
            (
                "«http://u:p@a.example/» and «http://v:q@b.example/»",
                "«http://***@a.example/» and «http://***@b.example/»",
            ),
            ("https://h.example:8080/@name", "https://h.example:8080/@name"),
            ("https://h.example/@name/x?a=b@c", "https://h.example/@name/x?a=b@c"),
            ("http://[::1]/@name", "http://[::1]/@name"),
            ("mailto:a@h.example", "mailto:a@h.example"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_credentials(text), want, "{text}");
        }
    }

    #[test]
    fn an_origin_names_its_robots() {
        let origin = WebUrl::parse("https://h.example:8443/x").unwrap().origin();
        assert_eq!(origin.robots().as_str(), "https://h.example:8443/robots.txt");
        assert_eq!(WebUrl::parse("http://h.example:80/").unwrap().origin().authority(), "h.example");
    }

    proptest! {
        #[test]
        fn canonical_form_is_a_fixed_point(text in "https?://[a-zA-Z0-9.-]{1,12}(:[0-9]{1,5})?/[ -~é中]{0,30}") {
            if let Ok(once) = WebUrl::parse(&text) {
                let twice = WebUrl::parse(once.as_str()).unwrap();
                prop_assert_eq!(once.as_str(), twice.as_str());
                prop_assert!(!once.as_str().contains('#'));
            }
        }

        #[test]
        fn every_origin_has_a_robots_txt_and_no_host_ends_in_a_dot(host in "[a1.x%-]{1,9}") {
            if let Ok(url) = WebUrl::parse(&format!("http://{host}/x")) {
                prop_assert_eq!(url.origin().robots().origin(), url.origin());
                prop_assert!(!url.host().ends_with('.'));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = WebUrl::parse(&text);
            let _ = WebUrl::parse("http://h.example/x").unwrap().join(&text, Some(encoding_rs::GBK));
        }
    }
}
