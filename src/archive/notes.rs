//! What the metadata record of a capture says, as one JSON object.
//!
//! It holds what a later reader cannot get from the response itself: why the URL was fetched, what the door noticed,
//! and what is needed to rebuild the bytes exactly as received. The article is not in it: it is read anew.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::framing::Framing;
use crate::web::candidate::Role;
use crate::web::claims::Claims;
use crate::web::exchange::Times;
use crate::web::verdict::RobotsVerdict;

/// The metadata of one capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notes {
    /// The seed it descends from, as given.
    pub seed: String,
    /// What it was fetched for.
    pub role: Role,
    /// Links followed from the seed.
    pub depth: u16,
    /// Redirects followed.
    pub hops: u16,
    /// The page, feed or redirect that named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The page whose requisite it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The `Referer` it was asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referer: Option<String>,
    /// Of a picture, what chose the `Referer`, or that there was none: `policy`, `table`, `none`, `origin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referer_by: Option<String>,
    /// Of a picture, how many other ways of asking for it had been refused before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rung: u8,
    /// Of a picture, in how many ways it may be asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rungs: u8,
    /// Of a redirect, what decides what its target is told: the policy, and who named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// Of a picture, what is wrong with what came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flaw: Option<String>,
    /// Of a picture that nobody named: it was guessed to be a larger form of another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guess: bool,
    /// The fields of the request whose values were withheld from its record: `authorization`, `cookie`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// What the seed or feed that named it said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Claims>,
    /// The profile and number of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// How the stored bytes differ from the received ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framing: Option<Framing>,
    /// What went wrong with the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How long each step of the exchange took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<TimesNote>,
    /// Anything odd about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<String>,
    /// What sort of page it was taken for: `article`, `list`, `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The page's links to other pages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlinks: Vec<String>,
    /// Its pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageNote>,
    /// `X-Robots-Tag` and the page's own robots directives, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robots: Vec<String>,
    /// By what leave of robots.txt it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<RobotsVerdict>,
}

/// One address of one picture of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageNote {
    /// The picture, counted from 0.
    pub image: usize,
    /// Its address.
    pub url: String,
    /// What the address is to the picture.
    pub role: String,
}

/// Milliseconds from the beginning of the exchange to the end of each step; a step that was not taken has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimesNote {
    /// The name was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_ms: Option<u64>,
    /// The connection stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_ms: Option<u64>,
    /// TLS stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls_ms: Option<u64>,
    /// The request was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ms: Option<u64>,
    /// The first byte came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<u64>,
    /// It was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<u64>,
}

impl From<Times> for TimesNote {
    fn from(times: Times) -> TimesNote {
        let ms = |step: Option<Duration>| step.map(|step| u64::try_from(step.as_millis()).unwrap_or(u64::MAX));
        TimesNote {
            dns_ms: ms(times.dns),
            connect_ms: ms(times.connect),
            tls_ms: ms(times.tls),
            sent_ms: ms(times.sent),
            first_ms: ms(times.first),
            end_ms: ms(times.end),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// The name under which the notes stand in a record's fields.
const FIELD: &str = "pressmark: ";

impl Notes {
    /// The block of the metadata record (WARC/1.1, 6.6): the standard's own `via`, and all of it as JSON in a field of
    /// ours. As `application/warc-fields` it is left out of every index; under any other type cdxj-indexer and pywb
    /// list it under the page's URL, and show it in the page's place.
    pub fn to_block(&self) -> serde_json::Result<Vec<u8>> {
        let json = serde_json::to_string(self)?;
        let via = self.via.as_deref().filter(|via| !via.contains(char::is_control));
        let via = via.map_or(String::new(), |via| format!("via: {via}\r\n"));
        Ok(format!("{via}{FIELD}{json}\r\n").into_bytes())
    }

    /// Reads the block of a metadata record; none when it is another tool's.
    pub fn of_block(block: &[u8]) -> Option<Notes> {
        let text = std::str::from_utf8(block).ok()?;
        let json = text.lines().find_map(|line| line.strip_prefix(FIELD))?;
        serde_json::from_str(json).ok()
    }

    /// Notes on a URL with this role and nothing else known.
    pub fn new(seed: impl Into<String>, role: Role) -> Notes {
        Notes {
            seed: seed.into(),
            role,
            depth: 0,
            hops: 0,
            via: None,
            page: None,
            referer: None,
            referer_by: None,
            rung: 0,
            rungs: 0,
            referrer: None,
            flaw: None,
            guess: false,
            withheld: Vec::new(),
            claims: None,
            run: None,
            framing: None,
            fault: None,
            times: None,
            oddities: Vec::new(),
            kind: None,
            outlinks: Vec::new(),
            images: Vec::new(),
            robots: Vec::new(),
            verdict: None,
        }
    }
}
