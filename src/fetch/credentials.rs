//! What only some servers may see: logins, tokens and cookies that a person gave for them.
//!
//! They are known here and nowhere else. A request gets what is for its own origin, so a redirect elsewhere leaves
//! them behind by itself. [`Credentials::withhold`] takes them out of the recorded request before anybody else sees it
//! (docs/decisions/0009). Nothing here can be printed, and no error holds a value.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::BASE64;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION};

use super::cookies::{self, Cookie};
use crate::web::exchange::Exchange;
use crate::web::time::Timestamp;
use crate::web::url::{Login, Origin, WebUrl};

/// Logins, tokens and cookies, each with the servers it is for.
#[derive(Clone, Default)]
pub struct Credentials {
    fields: BTreeMap<Origin, HeaderMap>,
    logins: BTreeMap<Origin, Login>,
    cookies: std::sync::Arc<[Cookie]>,
}

/// Why a credential cannot be used; never the credential itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Not an origin, a name, a colon and a value.
    #[error("is not of the form «https://host Name: value»")]
    Form,
    /// The origin is none, or has a path.
    #[error("begins with no origin: scheme, host and port, as in https://news.example:8443")]
    Origin,
    /// The name or the value has characters that no field may have.
    #[error("names no field, or has a value that no field can carry")]
    Field,
    /// The field is not the user's to set.
    #[error("sets {name}, which {why}")]
    Reserved {
        /// The field.
        name: String,
        /// Whose it is.
        why: &'static str,
    },
    /// The same field twice.
    #[error("sets {name} for {origin} a second time")]
    Twice {
        /// The field.
        name: String,
        /// The origin.
        origin: Origin,
    },
    /// Two logins for one origin.
    #[error("there are two different logins for {0}, and a run has room for one; give them to two runs")]
    Logins(Origin),
    /// A line of a file of cookies.
    #[error("line {line}: {why}")]
    Cookie {
        /// Which, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// They say how far a message reaches and on which connection it goes (RFC 9110, 7.6 and 8.6; RFC 9112, 6).
const FRAMING: &str = "belongs to the connection";
/// What they say decides what an answer is; pressmark has to know it.
const OURS: &str = "pressmark sets itself";
/// They have options.
const OPTION: &str = "has an option of its own";

/// Fields that are not the user's to set, and whose they are.
const RESERVED: [(&str, &str); 23] = [
    ("connection", FRAMING),
    ("content-encoding", FRAMING),
    ("content-length", FRAMING),
    ("content-type", FRAMING),
    ("expect", FRAMING),
    ("host", FRAMING),
    ("keep-alive", FRAMING),
    ("proxy-authorization", FRAMING),
    ("proxy-connection", FRAMING),
    ("te", FRAMING),
    ("trailer", FRAMING),
    ("transfer-encoding", FRAMING),
    ("upgrade", FRAMING),
    ("accept", OURS),
    ("if-match", OURS),
    ("if-modified-since", OURS),
    ("if-none-match", OURS),
    ("if-range", OURS),
    ("if-unmodified-since", OURS),
    ("range", OURS),
    ("referer", OURS),
    ("accept-encoding", OPTION),
    ("user-agent", OPTION),
];

impl Credentials {
    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.logins.is_empty() && self.cookies.is_empty()
    }

    /// Takes up a field for one origin: `https://news.example Authorization: Bearer …`.
    ///
    /// # Errors
    /// When it is none, or not the user's to set.
    pub fn field(&mut self, text: &str) -> Result<(), Unfit> {
        let (origin, field) = text.trim().split_once([' ', '\t']).ok_or(Unfit::Form)?;
        let url = WebUrl::parse(origin).map_err(|_| Unfit::Origin)?;
        if Login::of(origin).is_some() || url.path_and_query() != "/" || origin.contains(['?', '#']) {
            return Err(Unfit::Origin);
        }
        let (name, value) = field.split_once(':').ok_or(Unfit::Form)?;
        let name: HeaderName = name.trim().parse().map_err(|_| Unfit::Field)?;
        let value: HeaderValue = value.trim().parse().map_err(|_| Unfit::Field)?;
        let rule = RESERVED.iter().find(|(reserved, _)| *reserved == name.as_str()).map(|(_, why)| *why);
        let rule = rule.or((name == "from").then_some("is --contact")).or(is_the_doors(&name).then_some(OURS));
        if let Some(why) = rule {
            return Err(Unfit::Reserved { name: name.to_string(), why });
        }
        let fields = self.fields.entry(url.origin()).or_default();
        match fields.insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => Err(Unfit::Twice { name: name.to_string(), origin: url.origin() }),
        }
    }

    /// Takes up the login that stood in the URL of a seed: HTTP Basic (RFC 7617), for every request to its origin.
    ///
    /// # Errors
    /// When there is another one for that origin.
    pub fn login(&mut self, login: Login) -> Result<(), Unfit> {
        match self.logins.get(&login.origin) {
            Some(known) if *known != login => Err(Unfit::Logins(login.origin)),
            _ => {
                self.logins.insert(login.origin.clone(), login);
                Ok(())
            }
        }
    }

    /// Takes up a file of cookies (`cookies.txt`), in place of those before.
    ///
    /// # Errors
    /// The first line that is no cookie.
    pub fn cookies(&mut self, text: &str) -> Result<(), Unfit> {
        self.cookies = cookies::read(text).map_err(|(line, why)| Unfit::Cookie { line, why })?.into();
        Ok(())
    }

    /// What a request for this URL carries. A field given by name goes before a login and before cookies.
    pub(super) fn for_url(&self, url: &WebUrl, now: Timestamp) -> HeaderMap {
        let origin = url.origin();
        let mut fields = self.fields.get(&origin).cloned().unwrap_or_default();
        if let Some(login) = self.logins.get(&origin) {
            let pair = format!("{}:{}", login.user, login.password);
            fields.entry(AUTHORIZATION).or_insert_with(|| ascii(&format!("Basic {}", BASE64.encode(pair.as_bytes()))));
        }
        if let Some(value) = cookies::field(&self.cookies, url, now) {
            // What a cookie may hold besides ASCII goes out as it stands in the file.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                fields.entry(COOKIE).or_insert(value);
            }
        }
        fields.values_mut().for_each(|value| value.set_sensitive(true));
        fields
    }

    /// Takes out of the recorded request what it carried of these.
    pub(super) fn withhold(&self, exchange: &mut Exchange, now: Timestamp) {
        let mut fields = self.for_url(&exchange.url, now);
        // What an upstream proxy is told, too, is between it and the user.
        fields.insert(PROXY_AUTHORIZATION, HeaderValue::from_static(""));
        exchange.withhold(|name| fields.contains_key(name));
    }
}

/// The field by which a request finds its pass, and whatever else the door may come to read.
fn is_the_doors(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-pressmark-")
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("base64 is ASCII")
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(withheld)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_for_one_origin() {
        let mut all = Credentials::default();
        all.field("https://news.example Authorization: Bearer t0ken").unwrap();
        all.field("http://news.example:8080\tX-Key:  k: v ").unwrap();
        all.login(Login::of("https://u:p@news.example/").unwrap()).unwrap();
        all.login(Login::of("http://ü:p@other.example/").unwrap()).unwrap();
        let sent = |url: &str| {
            let fields = all.for_url(&WebUrl::parse(url).unwrap(), Timestamp(0));
            fields.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(sent("https://news.example/any/thing"), ["authorization: Bearer t0ken"]);
        assert_eq!(sent("http://news.example:8080/"), ["x-key: k: v"]);
        assert_eq!(sent("http://other.example/"), ["authorization: Basic w7w6cA=="]);
        for elsewhere in ["http://news.example/", "https://news.example:8443/", "https://a.news.example/"] {
            assert_eq!(sent(elsewhere), [""; 0], "{elsewhere}");
        }
        assert_eq!(format!("{all:?}"), "Credentials(withheld)");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_value() {
        for (text, want) in [
            ("Authorization: Bearer hush", "begins with no origin"),
            ("hush", "is not of the form"),
            ("https://h.example hush", "is not of the form"),
            ("https://h.example/path X-Key: hush", "begins with no origin"),
            ("https://u:p@h.example X-Key: hush", "begins with no origin"),
            ("h.example X-Key: hush", "begins with no origin"),
            ("https://h.example X Key: hush", "names no field"),
            ("https://h.example X-Key: hush\r\nX-Other: 1", "names no field"),
            ("https://h.example hOsT: hush", "sets host, which belongs to the connection"),
            ("https://h.example Transfer-Encoding: hush", "sets transfer-encoding, which belongs to the connection"),
            ("https://h.example User-Agent: hush", "sets user-agent, which has an option of its own"),
            ("https://h.example From: hush", "sets from, which is --contact"),
            ("https://h.example X-Pressmark-Pass: 1", "sets x-pressmark-pass, which pressmark sets itself"),
            ("https://h.example X-Once: hush", "sets x-once for https://h.example a second time"),
        ] {
            let mut all = Credentials::default();
            all.field("https://h.example x-once: 1").unwrap();
            let error = all.field(text).unwrap_err().to_string();
            assert!(error.starts_with(want) && !error.contains("hush"), "{text}: {error}");
        }
    }

    #[test]
    fn an_origin_has_one_login() {
        let mut all = Credentials::default();
        all.login(Login::of("https://u:p@h.example/a").unwrap()).unwrap();
        all.login(Login::of("https://u:p@h.example/b").unwrap()).unwrap();
        let error = all.login(Login::of("https://u:q@h.example/").unwrap()).unwrap_err();
        assert!(error.to_string().contains("two different logins for https://h.example"), "{error}");
    }
}
