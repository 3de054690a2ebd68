//! The robots.txt files of every origin: which one holds, how old it may be, and when to ask for it again.
//!
//! RFC 9309, 2.3 and 2.4: an answer of 2xx is the file, 4xx means that there is none, anything else forbids everything;
//! five redirects are followed; a copy is good for a day, and serves for thirty while the host cannot be reached. One
//! deviation, and it is the stricter one: 429 counts as unreachable, because a server that asks for patience gives no
//! leave.

use std::collections::HashMap;
use std::time::Duration;

use super::robots::{Robots, whole_lines, within_limit};
use super::{ATTEMPTS, retry_wait};
use crate::web::exchange::{Exchange, Fault};
use crate::web::time::{Moment, Timestamp};
use crate::web::url::{Origin, WebUrl};
use crate::web::verdict::RobotsVerdict;

/// A copy of robots.txt is good for so long, whatever its `Cache-Control` (RFC 9309, 2.4).
pub const FRESH: Duration = Duration::from_secs(24 * 3600);
/// While the host cannot be reached, an older copy serves for so long (RFC 9309, 2.3.1.4).
pub const STALE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Redirects of robots.txt that are followed (RFC 9309, 2.3.1.2).
pub const HOPS: u8 = 5;

/// What is known is held in memory up to so many bytes; then origins that nobody has been sent to are let go, to be taken
/// up from the store again, or asked once more. 100,000 origins with 15 rules each take 106 MB, and 23 MB when they have no robots.txt.
const ROOM: usize = 256 << 20;
/// What an origin takes without its rules.
const ENTRY: usize = 256;

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
    Known(RobotsVerdict),
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
    /// The rules are known now: a copy to keep.
    Known(RobotsCopy),
    /// They are not to be had; those of that time serve on.
    Old(Timestamp),
    /// They are not to be had.
    Nothing,
}

/// What is known of one origin.
#[derive(Default)]
struct Entry {
    file: Option<File>,
    asking: Asking,
    /// Attempts in vain since it was last had.
    attempts: u32,
}

/// A robots.txt that was had: what of it binds us, not its bytes.
struct File {
    /// None when there is no robots.txt.
    robots: Option<Robots>,
    status: u16,
    fetched: Timestamp,
    until: Timestamp,
}

/// How it stands with the question for the file.
#[derive(Default)]
enum Asking {
    /// Nobody is under way.
    #[default]
    Not,
    Now,
    NotBefore(Moment),
    /// In vain, for this run: why.
    GivenUp(String),
}

/// See the module's head.
pub(super) struct Rulebook {
    /// The product token that robots.txt knows us by.
    agent: String,
    entries: HashMap<Origin, Entry>,
    /// What all entries weigh, and what they may.
    weight: usize,
    room: usize,
}

impl Rulebook {
    pub(super) fn new(agent: String) -> Rulebook {
        Rulebook { agent, entries: HashMap::new(), weight: 0, room: ROOM }
    }

    /// Takes up a stored copy: it holds while it is fresh, and serves later while the host is unreachable.
    pub(super) fn remember(&mut self, origin: &Origin, copy: &RobotsCopy, wall: Timestamp) {
        let file = self.file(copy, wall);
        self.note(origin, |entry| entry.file = Some(file));
    }

    /// Changes what is known of an origin. When that makes too much in all, others are let go.
    fn note<T>(&mut self, origin: &Origin, change: impl FnOnce(&mut Entry) -> T) -> T {
        self.weight -= self.entries.get(origin).map_or(0, Entry::weight);
        let entry = self.entries.entry(origin.clone()).or_default();
        let changed = change(entry);
        self.weight += entry.weight();
        if self.weight > self.room {
            let is_awaited = |entry: &Entry| matches!(entry.asking, Asking::Now | Asking::NotBefore(_));
            self.entries.retain(|own, entry| own == origin || is_awaited(entry));
            self.weight = self.entries.values().map(Entry::weight).sum();
        }
        changed
    }

    pub(super) fn has_heard_of(&self, origin: &Origin) -> bool {
        self.entries.contains_key(origin)
    }

    pub(super) fn look(&self, origin: &Origin, path_and_query: &str, now: Moment, wall: Timestamp) -> Look {
        let Some(Entry { file, asking, .. }) = self.entries.get(origin) else { return Look::Unknown };
        match (asking, file) {
            (Asking::Now, _) => Look::Asked,
            (Asking::GivenUp(reason), _) => Look::Unreachable(reason.clone()),
            (Asking::NotBefore(at), _) if *at > now => Look::NotBefore(*at),
            (_, Some(file)) if file.until > wall => Look::Known(file.verdict(path_and_query)),
            _ => Look::Unknown,
        }
    }

    /// Somebody has been sent for the rules of this origin.
    pub(super) fn asked(&mut self, origin: &Origin) {
        self.note(origin, |entry| entry.asking = Asking::Now);
    }

    /// Nobody has got through with the question; it may be put again then.
    pub(super) fn ask_again(&mut self, origin: &Origin, at: Moment) {
        self.note(origin, |entry| entry.asking = Asking::NotBefore(at));
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
        let file = |status, bytes: &[u8]| RobotsCopy { bytes: within_limit(bytes).to_vec(), ..none(status) };
        match (&exchange.fault, readable_status(exchange)) {
            (None, Some(status @ 200..=299)) => self.learn(asked.origin, file(status, body), wall),
            // A file that the cap has cut may end within a line; any other half answer is none.
            (Some(Fault::Cap), Some(status @ 200..=299)) => {
                self.learn(asked.origin, file(status, whole_lines(body)), wall)
            }
            (None, Some(300..=399)) => match redirect(exchange) {
                Some(to) if asked.hops < HOPS => Learnt::Moved(to, asked.hops + 1),
                // RFC 9309, 2.3.1.2: more than five may be taken as unavailable.
                _ => self.learn(asked.origin, none(404), wall),
            },
            (None, Some(status @ (400..=428 | 430..=499))) => self.learn(asked.origin, none(status), wall),
            _ => self.unreachable(asked, exchange, now, wall),
        }
    }

    fn learn(&mut self, origin: &Origin, copy: RobotsCopy, wall: Timestamp) -> Learnt {
        let file = Some(self.file(&copy, wall));
        self.note(origin, |entry| *entry = Entry { file, ..Entry::default() });
        Learnt::Known(copy)
    }

    fn file(&self, copy: &RobotsCopy, wall: Timestamp) -> File {
        let robots = (200..300).contains(&copy.status).then(|| Robots::read(&copy.bytes, &self.agent));
        // A copy from the future, by a clock that was put right since, is as old as can be and no younger.
        let fetched = copy.fetched.min(wall);
        File { robots, status: copy.status, fetched, until: fetched.after(FRESH) }
    }

    fn unreachable(&mut self, asked: &Asked<'_>, exchange: &Exchange, now: Moment, wall: Timestamp) -> Learnt {
        let why = match (&exchange.fault, readable_status(exchange)) {
            (Some(fault), _) => format!("robots.txt cannot be had ({fault}), so nothing may be fetched"),
            (None, Some(status)) => format!("robots.txt answered {status}, so nothing may be fetched"),
            (None, None) => "robots.txt got no readable answer, so nothing may be fetched".to_owned(),
        };
        let is_final = exchange.fault.as_ref().is_some_and(Fault::is_final);
        self.note(asked.origin, |entry| {
            if let Some(file) = entry.file.as_mut().filter(|file| wall.since(file.fetched) < STALE) {
                file.until = wall.after(FRESH).min(file.fetched.after(STALE));
                entry.asking = Asking::Not;
                return Learnt::Old(file.fetched);
            }
            entry.attempts += 1;
            entry.asking = if entry.attempts >= ATTEMPTS || asked.given_up || is_final {
                Asking::GivenUp(why)
            } else {
                Asking::NotBefore(now.after(retry_wait(entry.attempts)))
            };
            Learnt::Nothing
        })
    }

    /// The delay that the rules of this origin ask for.
    pub(super) fn crawl_delay(&self, origin: &Origin) -> Option<Duration> {
        self.entries.get(origin)?.file.as_ref()?.robots.as_ref()?.crawl_delay
    }

    /// What robots.txt says of a URL by the copy that is known, however old it is; or that there is none to be had.
    pub(super) fn verdict(&self, url: &WebUrl) -> Option<RobotsVerdict> {
        let entry = self.entries.get(&url.origin())?;
        match (&entry.asking, &entry.file) {
            (Asking::GivenUp(reason), _) => Some(RobotsVerdict::unreachable(reason)),
            (_, file) => file.as_ref().map(|file| file.verdict(url.path_and_query())),
        }
    }
}

impl Entry {
    fn weight(&self) -> usize {
        let rules = self.file.as_ref().and_then(|file| file.robots.as_ref());
        let why = if let Asking::GivenUp(why) = &self.asking { why.len() } else { 0 };
        ENTRY + why + rules.map_or(0, Robots::weight)
    }
}

impl File {
    fn verdict(&self, path_and_query: &str) -> RobotsVerdict {
        match &self.robots {
            Some(robots) => robots.verdict(path_and_query),
            None => RobotsVerdict::without_rule(format!("no robots.txt ({})", self.status)),
        }
    }
}

/// The status of an answer whose end is certain: one that breaks HTTP's framing may say anything.
fn readable_status(exchange: &Exchange) -> Option<u16> {
    exchange.status().filter(|_| exchange.answer.as_ref().is_some_and(|answer| !answer.malformed))
}

fn redirect(exchange: &Exchange) -> Option<WebUrl> {
    let location = exchange.answer.as_ref()?.read_head().field("location")?;
    exchange.url.join(&location, None).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(number: usize) -> Origin {
        WebUrl::parse(&format!("http://h{number}.example/")).unwrap().origin()
    }

    #[test]
    fn the_rules_of_many_origins_take_no_more_than_their_room() {
        let mut rulebook = Rulebook::new("pressmark".to_owned());
        rulebook.room = 20_000;
        rulebook.asked(&origin(0));
        for number in 0..1000 {
            let file = format!("User-agent: *\n{}", "Disallow: /a\n".repeat(number % 50));
            let copy = RobotsCopy { fetched: Timestamp(0), status: 200, bytes: file.into_bytes() };
            rulebook.remember(&origin(number + 1), &copy, Timestamp(1));
            assert!(rulebook.has_heard_of(&origin(number + 1)));
            let gone = Asked { origin: &origin(number + 2_000), hops: 0, given_up: true };
            let stalled = Exchange::faulty(gone.origin.robots(), Timestamp(1), Fault::Stall);
            rulebook.heard(&gone, &stalled, b"", Moment(1), Timestamp(1));
            assert!(matches!(rulebook.look(gone.origin, "/", Moment(1), Timestamp(1)), Look::Unreachable(_)));
            let weight = rulebook.entries.values().map(Entry::weight).sum::<usize>();
            assert_eq!(rulebook.weight, weight);
            assert!(weight <= rulebook.room, "{weight}");
        }
        // Whom somebody has been sent for is not forgotten.
        assert!(matches!(rulebook.look(&origin(0), "/", Moment(0), Timestamp(1)), Look::Asked));
    }
}
