//! Who is spared as one: a host, and an address with every name behind it.
//!
//! A party is *calm* until its server shows that it has enough: 429, 503, `Retry-After`, or answers that take twice as
//! long as at first. Each such sign raises its trouble by one step, and [`ROW`] good answers in a row lower it by one.
//! A party in trouble has one clock and one connection for everything; its gap is the delay of pages, doubled with each
//! further step up to [`STEPS`] (`docs/decisions/0011-who-is-spared-as-one.md`).

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::pace::Turn;
use crate::web::time::{Moment, Stamp};

/// Good answers in a row that lower trouble by one step.
pub const ROW: u32 = 20;
/// Steps of trouble; at the last one the gap is sixteen times the delay of pages.
pub const STEPS: u32 = 5;
/// In trouble the gap is no shorter than this, whatever the delay.
const LEAST_GAP: Duration = Duration::from_millis(250);
/// A server that only says 429 or 503 is left alone for this long at first, doubling each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
/// The most doublings of that wait.
const DOUBLINGS: u32 = 12;
/// Hosts that wait for the same instant ask within so many milliseconds of it, in an order that changes: or the first
/// in the alphabet would always be first.
const SPREAD_MS: u64 = 16;

/// See the module's head.
pub(super) struct Party {
    /// Connections at most, while it is calm.
    connections: usize,
    /// The delay of pages.
    delay: Duration,
    /// What robots.txt asks for between any two starts.
    crawl_delay: Option<Duration>,
    /// Steps of trouble.
    trouble: u32,
    /// When the last sign of it was heard.
    since: Moment,
    /// Good answers in a row since then, or since it was lowered.
    good: u32,
    in_air: usize,
    last_start: Option<Moment>,
    not_before: Moment,
    /// Hosts that were turned away because its connections were taken: in that order, and each once.
    waiting: VecDeque<Arc<str>>,
    is_waiting: HashSet<Arc<str>>,
}

impl Party {
    pub(super) fn new(delay: Duration, connections: usize) -> Party {
        Party {
            connections,
            delay,
            crawl_delay: None,
            trouble: 0,
            since: Moment::default(),
            good: 0,
            in_air: 0,
            last_start: None,
            not_before: Moment::default(),
            waiting: VecDeque::new(),
            is_waiting: HashSet::new(),
        }
    }

    /// One clock and one connection for everything?
    fn is_spared(&self) -> bool {
        self.trouble > 0 || self.crawl_delay.is_some()
    }

    /// The least time between any two starts; zero while it is calm: then its lanes count alone.
    pub(super) fn gap(&self) -> Duration {
        let asked = self.crawl_delay.unwrap_or_default();
        match self.trouble {
            0 => asked,
            steps => asked.max(self.delay.max(LEAST_GAP) * 2u32.pow(steps.min(STEPS) - 1)),
        }
    }

    /// The instant before which nothing starts.
    pub(super) fn next(&self) -> Moment {
        self.not_before.max(self.last_start.map_or(Moment::default(), |last| last.after(self.gap())))
    }

    /// May this host start something now? Nothing is counted yet.
    pub(super) fn look(&mut self, host: &Arc<str>, now: Moment) -> Turn {
        let connections = if self.is_spared() { 1 } else { self.connections };
        if self.in_air >= connections {
            if self.is_waiting.insert(host.clone()) {
                self.waiting.push_back(host.clone());
            }
            return Turn::Busy;
        }
        let next = self.next();
        if now < next { Turn::NotBefore(next) } else { Turn::Now }
    }

    /// It may, and it does.
    pub(super) fn started(&mut self) {
        self.in_air += 1;
    }

    /// An exchange is over; `took` is how long its answer took. In trouble nothing starts faster than that.
    pub(super) fn over(&mut self, stamp: &Stamp, took: Duration) {
        self.in_air = self.in_air.saturating_sub(1);
        let Some(written) = stamp.at() else { return };
        self.last_start = self.last_start.max(Some(written));
        if self.is_spared() {
            self.hold_until(written.after(took));
        }
    }

    /// The hosts that may ask again, now that something is over: as many as there are connections, for some may want
    /// nothing any more; and all of them when nothing else would call them.
    pub(super) fn freed(&mut self) -> Vec<Arc<str>> {
        let most = if self.in_air == 0 { usize::MAX } else { self.connections };
        let freed: Vec<Arc<str>> = self.waiting.drain(..self.waiting.len().min(most)).collect();
        for host in &freed {
            self.is_waiting.remove(host);
        }
        freed
    }

    /// Nothing starts before then.
    pub(super) fn hold_until(&mut self, moment: Moment) {
        self.not_before = self.not_before.max(moment);
    }

    /// robots.txt asks for this much between any two starts.
    pub(super) fn crawl_delay(&mut self, delay: Duration) {
        self.crawl_delay = self.crawl_delay.max(Some(delay));
    }

    /// The server has enough, by an answer to a request that was granted then. What was on its way when it said so
    /// first is no second sign. Returns how long it is left alone when it does not say for how long.
    pub(super) fn troubled(&mut self, granted: Moment, now: Moment) -> Duration {
        self.good = 0;
        if self.trouble == 0 || granted > self.since {
            self.trouble += 1;
            self.since = now;
        }
        FIRST_BACK_OFF * 2u32.pow((self.trouble - 1).min(DOUBLINGS))
    }

    /// An answer that is no sign of trouble and is not good either: the row begins anew.
    pub(super) fn endured(&mut self) {
        self.good = 0;
    }

    /// A good answer to a request that was granted then; true when it has made the party calm again. What was on its
    /// way when the last sign was heard is no good sign either.
    pub(super) fn pleased(&mut self, granted: Moment) -> bool {
        if self.trouble == 0 || granted <= self.since {
            return false;
        }
        self.good += 1;
        if self.good >= ROW {
            self.good = 0;
            self.trouble = self.trouble.min(STEPS) - 1;
        }
        self.trouble == 0
    }

    /// Nothing it did before matters any more.
    pub(super) fn is_at_rest(&self, now: Moment) -> bool {
        self.in_air == 0 && !self.is_spared() && self.waiting.is_empty() && self.next() <= now
    }
}

/// How long after an instant that many hosts wait for this one asks.
pub(super) fn spread(host: &Arc<str>, next: Moment) -> Duration {
    let mut hasher = DefaultHasher::new();
    (host, next).hash(&mut hasher);
    Duration::from_millis(hasher.finish() % SPREAD_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn trouble_doubles_the_gap_and_good_answers_halve_it() {
        let mut party = Party::new(SECOND, 9);
        assert_eq!(party.gap(), Duration::ZERO);
        let mut sign = |n| party.troubled(Moment(n), Moment(n)).as_secs();
        assert_eq!([1, 2, 3, 4, 5, 6, 7].map(&mut sign), [5, 10, 20, 40, 80, 160, 320]);
        assert_eq!(sign(6), 320, "it was in the air when the last sign was heard");
        assert_eq!(party.gap(), SECOND * 16);
        for gap in [8, 4, 2, 1] {
            (0..ROW).for_each(|_| assert!(!party.pleased(Moment(8))));
            assert_eq!(party.gap(), SECOND * gap);
        }
        (0..ROW).for_each(|_| assert!(!party.pleased(Moment(7))));
        assert!((1..=ROW).map(|_| party.pleased(Moment(8))).last().unwrap());
        assert_eq!(party.gap(), Duration::ZERO);
    }

    #[test]
    fn in_trouble_one_host_at_a_time_and_the_others_are_told() {
        let (a, b): (Arc<str>, Arc<str>) = ("a.example".into(), "b.example".into());
        let mut party = Party::new(SECOND, 2);
        let (one, two) = (Stamp::default(), Stamp::default());
        assert_eq!(party.look(&a, Moment(1)), Turn::Now);
        party.started();
        assert_eq!(party.look(&b, Moment(1)), Turn::Now);
        party.started();
        assert_eq!(party.look(&a, Moment(1)), Turn::Busy);
        assert_eq!(party.freed(), std::slice::from_ref(&a));
        one.set(Moment(1));
        party.over(&one, SECOND);
        party.troubled(Moment(1), Moment(1));
        assert_eq!(party.look(&b, Moment(2)), Turn::Busy);
        two.set(Moment(2));
        party.over(&two, SECOND / 2);
        assert_eq!(party.look(&b, Moment(3)), Turn::NotBefore(Moment(2).after(SECOND)));
        assert!(spread(&b, Moment(2)) < Duration::from_millis(SPREAD_MS));
    }
}
