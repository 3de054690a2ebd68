//! Who is spared as one: a host, and an address with every name behind it.
//!
//! A party is *calm* until its server shows that it has enough: 429, 503, `Retry-After`, or answers that take twice as
//! long as at first. Each such sign raises its trouble by one step, and [`ROW`] good answers in a row lower it by one.
//! A party in trouble has one clock and one connection for everything; its gap is the delay of pages, doubled with each
//! further step up to [`STEPS`]. Trouble outlives a run, and is forgotten when nothing has been heard of it for
//! [`TROUBLE_LASTS`] (`docs/decisions/0011-who-is-spared-as-one.md`).

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use super::gate::LONGEST_BACK_OFF;
use super::pace::Turn;
use crate::web::time::{Moment, Stamp, Timestamp};
use crate::web::url::Origin;

/// Good answers in a row that lower trouble by one step.
pub const ROW: u32 = 20;
/// Steps of trouble; at the last one the gap is sixteen times the delay of pages.
pub const STEPS: u32 = 5;
/// So long after the last sign of trouble, and the wait that it asked for, a party is calm again.
pub const TROUBLE_LASTS: Duration = Duration::from_secs(3600);
/// In trouble the gap is no shorter than this, whatever the delay.
const LEAST_GAP: Duration = Duration::from_millis(250);
/// A server that only says 429 or 503 is left alone for this long at first, doubling each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
/// The most doublings of that wait.
const DOUBLINGS: u32 = 12;
/// Hosts that wait for the same instant ask within so many milliseconds of it, in an order that changes: or the first
/// in the alphabet would always be first.
const SPREAD_MS: u64 = 16;

/// What of its trouble a party takes into the next run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Steps; none when it is calm.
    pub steps: u32,
    /// When they are forgotten.
    pub until: Timestamp,
}

/// See the module's head.
pub(super) struct Party {
    /// Connections at most, while it is calm.
    connections: usize,
    /// The delay of pages.
    delay: Duration,
    /// What the robots.txt of each origin asks for between any two starts.
    crawl_delays: Vec<(Origin, Duration)>,
    /// Steps of trouble.
    trouble: u32,
    /// When the last sign of it was heard.
    since: Moment,
    /// When it is forgotten.
    until: Moment,
    /// The hosts of an address that have shown it, and whether by refusing or by being slow.
    tired: HashSet<(Arc<str>, bool)>,
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
            crawl_delays: Vec::new(),
            trouble: 0,
            since: Moment::default(),
            until: Moment::default(),
            tired: HashSet::new(),
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
        self.trouble > 0 || !self.crawl_delays.is_empty()
    }

    /// The least time between any two starts; zero while it is calm: then its lanes count alone.
    pub(super) fn gap(&self) -> Duration {
        let asked = self.crawl_delays.iter().map(|(_, delay)| *delay).max().unwrap_or_default();
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
        if self.trouble > 0 && now >= self.until {
            self.calm_down(0);
        }
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
            self.not_before = self.not_before.max(written.after(took));
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

    /// Nothing starts before then; trouble is not forgotten before that is over.
    pub(super) fn hold_until(&mut self, moment: Moment) {
        self.not_before = self.not_before.max(moment);
        if self.trouble > 0 {
            self.until = self.until.max(moment.after(TROUBLE_LASTS));
        }
    }

    /// The robots.txt of this origin asks for so much between any two starts, or for nothing (any more).
    pub(super) fn crawl_delay(&mut self, origin: &Origin, delay: Option<Duration>) {
        match (self.crawl_delays.iter_mut().find(|(of, _)| of == origin), delay) {
            (Some((_, known)), Some(delay)) => *known = delay,
            (None, Some(delay)) => self.crawl_delays.push((origin.clone(), delay)),
            (Some(_), None) => self.crawl_delays.retain(|(of, _)| of != origin),
            (None, None) => {}
        }
    }

    /// What the next run should know of its trouble.
    pub(super) fn trouble(&self, now: Moment, wall: Timestamp) -> Trouble {
        if self.trouble == 0 || self.until <= now {
            return Trouble::default();
        }
        Trouble { steps: self.trouble, until: wall.after(self.until.since(now)) }
    }

    /// Takes up the trouble of an earlier run.
    pub(super) fn remember(&mut self, trouble: Trouble, now: Moment, wall: Timestamp) {
        if trouble.until > wall {
            self.trouble = trouble.steps;
            // A wall clock that was wrong makes it no longer than it can be.
            self.until = now.after(trouble.until.since(wall).min(LONGEST_BACK_OFF + TROUBLE_LASTS));
        }
    }

    /// The server has enough, by an answer to a request that was granted then. What was on its way when it said so
    /// first is no second sign. Returns how long it is left alone when it does not say for how long.
    pub(super) fn troubled(&mut self, granted: Moment, now: Moment) -> Duration {
        if self.trouble == 0 || granted > self.since {
            self.trouble += 1;
            self.since = now;
        }
        self.endured(now);
        FIRST_BACK_OFF * 2u32.pow((self.trouble - 1).min(DOUBLINGS))
    }

    /// The same for an address, which hears of each host's trouble once, and once more when that refuses: many names may
    /// be one small server, and one tired name may be one of a thousand at a large one. Whether this was news.
    pub(super) fn troubled_by(&mut self, host: &Arc<str>, refuses: bool, granted: Moment, now: Moment) -> bool {
        let is_news = self.tired.insert((host.clone(), refuses));
        if is_news {
            self.troubled(granted, now);
        } else {
            self.endured(now);
        }
        is_news
    }

    /// An answer that is no new sign of trouble and is not good either: the row begins anew, and so does forgetting.
    pub(super) fn endured(&mut self, now: Moment) {
        self.good = 0;
        self.until = self.not_before.max(now).after(TROUBLE_LASTS);
    }

    /// A good answer to a request that was granted then. What was on its way when the last sign was heard is no good
    /// sign either.
    pub(super) fn pleased(&mut self, granted: Moment) {
        if self.trouble == 0 || granted <= self.since {
            return;
        }
        self.good += 1;
        if self.good >= ROW {
            self.calm_down(self.trouble.min(STEPS) - 1);
        }
    }

    fn calm_down(&mut self, steps: u32) {
        (self.trouble, self.good) = (steps, 0);
        if self.is_calm() {
            self.tired.clear();
        }
    }

    pub(super) fn is_calm(&self) -> bool {
        self.trouble == 0
    }

    /// Nothing it did before matters any more.
    pub(super) fn is_at_rest(&self, now: Moment) -> bool {
        let is_calm = self.trouble == 0 || self.until <= now;
        self.in_air == 0 && is_calm && self.waiting.is_empty() && self.next() <= now
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
            (0..ROW).for_each(|_| party.pleased(Moment(8)));
            assert_eq!(party.gap(), SECOND * gap);
        }
        (0..ROW).for_each(|_| party.pleased(Moment(7)));
        assert!(!party.is_calm());
        (0..ROW).for_each(|_| party.pleased(Moment(8)));
        assert_eq!((party.is_calm(), party.gap()), (true, Duration::ZERO));
    }

    #[test]
    fn trouble_outlives_a_run_and_is_forgotten_in_peace() {
        let (host, wall, start): (Arc<str>, _, _) = ("a.example".into(), Timestamp(1_780_000_000_000), Moment(1));
        let mut party = Party::new(SECOND, 9);
        party.troubled(start, start);
        party.hold_until(start.after(SECOND * 30));
        let kept = party.trouble(start, wall);
        assert_eq!(kept, Trouble { steps: 1, until: wall.after(SECOND * 30 + TROUBLE_LASTS) });
        // A minute later, on another machine's clock.
        let (now, wall) = (Moment(77), wall.after(SECOND * 60));
        let mut next = Party::new(SECOND, 9);
        next.remember(kept, now, wall);
        assert_eq!((next.gap(), next.trouble(now, wall)), (SECOND, kept));
        let later = now.after(TROUBLE_LASTS - SECOND * 31);
        assert_eq!((next.look(&host, later), next.is_calm()), (Turn::Now, false));
        assert_eq!((next.look(&host, later.after(SECOND)), next.is_calm()), (Turn::Now, true));
        let mut last = Party::new(SECOND, 9);
        last.remember(kept, now, wall.after(TROUBLE_LASTS));
        assert!(last.is_calm());
    }

    #[test]
    fn an_address_hears_of_each_host_once_until_it_is_calm() {
        let [a, b]: [Arc<str>; 2] = ["a.example".into(), "b.example".into()];
        let mut party = Party::new(SECOND, 9);
        for (n, host, refuses, is_news, gap) in [
            (1, &a, true, true, 1),
            (2, &a, true, false, 1),
            (3, &b, false, true, 2),
            (4, &a, true, false, 2),
            (5, &b, true, true, 4),
        ] {
            assert_eq!(party.troubled_by(host, refuses, Moment(n), Moment(n)), is_news, "{n}");
            assert_eq!(party.gap(), SECOND * gap, "{n}");
        }
        (0..ROW * 3).for_each(|_| party.pleased(Moment(9)));
        assert!(party.is_calm() && party.troubled_by(&a, true, Moment(9), Moment(9)));
    }

    #[test]
    fn the_longest_delay_that_robots_ask_for_now_is_kept() {
        let origin = |text: &str| crate::web::url::WebUrl::parse(text).unwrap().origin();
        let (plain, tls) = (origin("http://a.example/"), origin("https://a.example/"));
        let mut party = Party::new(SECOND, 9);
        party.crawl_delay(&plain, Some(SECOND * 9));
        party.crawl_delay(&tls, Some(SECOND * 4));
        assert_eq!(party.gap(), SECOND * 9);
        party.crawl_delay(&plain, Some(SECOND * 2));
        assert_eq!(party.gap(), SECOND * 4);
        party.crawl_delay(&tls, None);
        assert_eq!(party.gap(), SECOND * 2);
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
