//! Addresses on the web: [`WebUrl`], the identity of a resource, and [`Origin`], what one connection serves.
//!
//! Identity is the WHATWG serialisation without fragment and nothing else folded: image hosts exist whose paths are
//! case-sensitive, so a looser key (see [`super::surt`]) may sort but never merge.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use encoding_rs::Encoding;
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

/// Why a text is no address that can be crawled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not a URL by the WHATWG parser.
    #[error("not a URL ({0})")]
    Syntax(String),
    /// A URL of another kind: `data:`, `mailto:`, `javascript:`, …
    #[error("scheme {0}: is not crawled")]
    Scheme(String),
}

impl WebUrl {
    /// Reads an absolute URL, trimming what the WHATWG parser trims. Fragment and credentials are dropped.
    ///
    /// # Errors
    /// [`UrlError::Syntax`] when it is not an absolute URL, [`UrlError::Scheme`] when it is not `http` or `https`.
    pub fn parse(text: &str) -> Result<WebUrl, UrlError> {
        let url = url::Url::parse(text).map_err(|cause| UrlError::Syntax(cause.to_string()))?;
        WebUrl::from_url(url)
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
        WebUrl::from_url(joined.map_err(|cause| UrlError::Syntax(cause.to_string()))?)
    }

    fn from_url(mut url: url::Url) -> Result<WebUrl, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme(url.scheme().to_owned()));
        }
        url.set_fragment(None);
        // Both succeed for every URL with a host, which http and https URLs always have.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(WebUrl(url))
    }

    /// The URL as text; this is its identity.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host: a name in its ASCII form, or an address (IPv6 in brackets).
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or("")
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
    /// As [`WebUrl::host`].
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
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            let _ = WebUrl::parse(&text);
            let _ = WebUrl::parse("http://h.example/x").unwrap().join(&text, Some(encoding_rs::GBK));
        }
    }
}
