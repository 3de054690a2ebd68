//! The robots.txt files of every origin: which one holds, how old it may be, and when to ask for it again.
//!
//! RFC 9309, 2.3 and 2.4: an answer of 2xx is the file, 4xx means that there is none, anything else forbids everything;
//! five redirects are followed; a copy is good for a day, and serves for thirty while the host cannot be reached. One
//! deviation, and it is the stricter one: 429 counts as unreachable, because a server that asks for patience gives no
//! leave.

use std::collections::HashMap;
use std::time::Duration;

use super::robots::{Robots, Verdict};
use super::{ATTEMPTS, retry_wait};
use crate::web::exchange::{Exchange, Fault};
use crate::web::time::{Moment, Timestamp};
use crate::web::url::{Origin, WebUrl};

/// A copy of robots.txt is good for so long (RFC 9309, 2.4).
const FRESH: Duration = Duration::from_secs(24 * 3600);
/// While the host cannot be reached, an older copy serves for so long (RFC 9309, 2.3.1.4).
const STALE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Redirects of robots.txt that are followed (RFC 9309, 2.3.1.2).
const HOPS: u8 = 5;

/// A robots.txt as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RobotsCopy {
    /// When it was fetched.
    pub fetched: Timestamp,
    /// The final status.
    pub status: u16,
    /// The file, at most as much as is parsed; empty unless the status was 2xx.
    pub bytes: Vec<u8>,
}

/// What is known of one URL's origin.
pub(super) enum Look {
    /// Its rules, and what they say of the URL.
    Known(Verdict),
    /// They are being fetched.
    Asked,
    /// They are to be asked for again, not before then.
    NotBefore(Moment),
    /// They cannot be had in this run, so nothing may be fetched: why.
    Unreachable(String),
    /// They are to be fetched now.
    Unknown,
}

/// Whose rules an exchange was for.
pub(super) struct Asked<'a> {
    pub origin: &'a Origin,
    /// Redirects before it.
    pub hops: u8,
    /// The origin is given up for this run, whatever its robots.txt.
    pub given_up: bool,
}

/// What an answer for robots.txt brought.
pub(super) enum Learnt {
    /// It has moved there, which makes so many redirects.
    Moved(WebUrl, u8),
    /// The rules are known now, or known not to be had. A copy to keep, if there is one.
    Known(Option<RobotsCopy>),
}

enum Rules {
    Asked,
    Retry(Moment),
    Known { robots: Robots, until: Timestamp },
    Unreachable(String),
}

/// See the module's head.
pub(super) struct Rulebook {
    /// The product token that robots.txt knows us by.
    agent: String,
    rules: HashMap<Origin, Rules>,
    old_copies: HashMap<Origin, RobotsCopy>,
    attempts: HashMap<Origin, u32>,
}

impl Rulebook {
    pub(super) fn new(agent: String) -> Rulebook {
        Rulebook { agent, rules: HashMap::new(), old_copies: HashMap::new(), attempts: HashMap::new() }
    }

    /// Takes up a stored copy: it holds while it is fresh, and serves later while the host is unreachable.
    pub(super) fn remember(&mut self, origin: Origin, copy: RobotsCopy, wall: Timestamp) {
        if wall.since(copy.fetched) < FRESH {
            self.know(&origin, &copy, copy.fetched.after(FRESH));
        }
        self.old_copies.insert(origin, copy);
    }

    pub(super) fn look(&self, origin: &Origin, path_and_query: &str, now: Moment, wall: Timestamp) -> Look {
        match self.rules.get(origin) {
            Some(Rules::Asked) => Look::Asked,
            Some(Rules::Unreachable(reason)) => Look::Unreachable(reason.clone()),
            Some(Rules::Retry(at)) if *at > now => Look::NotBefore(*at),
            Some(Rules::Known { robots, until }) if *until > wall => Look::Known(robots.verdict(path_and_query)),
            _ => Look::Unknown,
        }
    }

    /// Somebody has been sent for the rules of this origin.
    pub(super) fn asked(&mut self, origin: &Origin) {
        self.rules.insert(origin.clone(), Rules::Asked);
    }

    /// Nobody has got through with the question; it may be put again then.
    pub(super) fn ask_again(&mut self, origin: &Origin, at: Moment) {
        self.rules.insert(origin.clone(), Rules::Retry(at));
    }

    /// Takes in the answer for a robots.txt, or for where it has moved.
    pub(super) fn heard(
        &mut self,
        asked: &Asked<'_>,
        exchange: &Exchange,
        body: &[u8],
        now: Moment,
        wall: Timestamp,
    ) -> Learnt {
        let none = |status| RobotsCopy { fetched: wall, status, bytes: Vec::new() };
        match (&exchange.fault, exchange.status()) {
            // A file that was cut by the cap is longer than is parsed; any other half answer is none.
            (None | Some(Fault::Cap), Some(status @ 200..=299)) => {
                let bytes = body[..body.len().min(super::ROBOTS_LIMIT)].to_vec();
                self.learn(asked.origin, RobotsCopy { bytes, ..none(status) })
            }
            (None, Some(300..=399)) => match redirect(exchange) {
                Some(to) if asked.hops < HOPS => Learnt::Moved(to, asked.hops + 1),
                // RFC 9309, 2.3.1.2: more than five may be taken as unavailable.
                _ => self.learn(asked.origin, none(404)),
            },
            (None, Some(status @ (400..=428 | 430..=499))) => self.learn(asked.origin, none(status)),
            _ => self.unreachable(asked, exchange, now, wall),
        }
    }

    fn learn(&mut self, origin: &Origin, copy: RobotsCopy) -> Learnt {
        self.know(origin, &copy, copy.fetched.after(FRESH));
        Learnt::Known(Some(copy))
    }

    fn know(&mut self, origin: &Origin, copy: &RobotsCopy, until: Timestamp) {
        let robots = match copy.status {
            200..=299 => Robots::read(&copy.bytes, &self.agent),
            _ => Robots::allow_all(),
        };
        self.rules.insert(origin.clone(), Rules::Known { robots, until });
    }

    fn unreachable(&mut self, asked: &Asked<'_>, exchange: &Exchange, now: Moment, wall: Timestamp) -> Learnt {
        let why = match (&exchange.fault, exchange.status()) {
            (Some(fault), _) => fault.to_string(),
            (None, Some(status)) => format!("robots.txt answered {status}, so nothing may be fetched"),
            (None, None) => "robots.txt got no readable answer, so nothing may be fetched".to_owned(),
        };
        let old = self.old_copies.get(asked.origin).filter(|copy| wall.since(copy.fetched) < STALE);
        if let Some(copy) = old.cloned() {
            self.know(asked.origin, &copy, wall.after(FRESH));
            return Learnt::Known(None);
        }
        let attempts = self.attempts.entry(asked.origin.clone()).or_default();
        *attempts += 1;
        let rules = if *attempts >= ATTEMPTS || asked.given_up {
            Rules::Unreachable(why)
        } else {
            Rules::Retry(now.after(retry_wait(*attempts)))
        };
        self.rules.insert(asked.origin.clone(), rules);
        Learnt::Known(None)
    }

    /// The delay that the rules of this origin ask for.
    pub(super) fn crawl_delay(&self, origin: &Origin) -> Option<Duration> {
        match self.rules.get(origin) {
            Some(Rules::Known { robots, .. }) => robots.crawl_delay,
            _ => None,
        }
    }

    /// What robots.txt says of a URL, as far as it is known.
    pub(super) fn verdict(&self, url: &WebUrl) -> Option<Verdict> {
        match self.rules.get(&url.origin()) {
            Some(Rules::Known { robots, .. }) => Some(robots.verdict(url.path_and_query())),
            _ => None,
        }
    }
}

fn redirect(exchange: &Exchange) -> Option<WebUrl> {
    let location = exchange.answer.as_ref()?.read_head().field("location")?;
    exchange.url.join(&location, None).ok()
}
