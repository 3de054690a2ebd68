//! Which URL next: queues in memory over the queue in the store, and a heap of the instants the gate names.
//!
//! A *lane* is what one host has of one class. In memory stand, a lane, a window of its most urgent URLs and whatever
//! is not committed yet; the rest is read from the store when the window runs low. So memory grows with the hosts that
//! have work, not with the URLs that wait. A [`Lease`] is a claim in memory: it dies with the process, and the URL is
//! still queued in the store. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::politeness::LONGEST_BACK_OFF;
use crate::store::{Error, Queued, Reader, Run};
use crate::web::candidate::{Candidate, Class, Role};
use crate::web::outcome::{Manner, Outcome};
use crate::web::time::{Clock, Moment};

/// URLs of one lane that are kept in memory.
const WINDOW: usize = 64;

/// The queue of URLs not yet settled.
pub struct Frontier {
    reader: Reader,
    run: Run,
    clock: Arc<dyn Clock>,
    lanes: HashMap<LaneKey, Lane>,
    /// When each lane is to be looked at; a lane that waits for something else stands in here not at all.
    due: BTreeSet<(Moment, LaneKey)>,
    /// Accepted in this process and not committed yet: the store does not know them.
    uncommitted: HashSet<String>,
    /// Settled in this process and not committed yet: the store still has them in its queue.
    unwritten: HashMap<String, Unwritten>,
    leased: usize,
    sequence: u64,
    /// No new page begins any more.
    pages_closed: bool,
    /// Nor does one of these seeds.
    seeds_closed: BTreeSet<i64>,
}

/// One host and class.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct LaneKey {
    host: Arc<str>,
    class: Class,
}

#[derive(Default)]
struct Lane {
    /// By priority, then in order of arrival.
    ready: BTreeMap<(u8, u64), Queued>,
    /// Not before their instant.
    later: BTreeMap<(Moment, u64), Queued>,
    /// Everything of this lane that is in memory, leased, or settled without the store knowing it, so that it is not
    /// read from the store again.
    in_hand: HashSet<String>,
    /// The store may hold more than stands here.
    more: bool,
    /// When it stands in `due`.
    due: Option<Moment>,
    /// All its connections are taken: it waits until its host is woken.
    parked: bool,
}

/// Outcomes of one URL that the store does not know.
#[derive(Default)]
struct Unwritten {
    outcomes: usize,
    /// Its lane, when the last of them was final.
    over: Option<LaneKey>,
}

/// A worker's claim on a URL. Settle it, or put it back.
#[derive(Debug)]
#[must_use]
pub struct Lease {
    /// The URL, and what it is for.
    pub candidate: Candidate,
    /// Attempts made before this one.
    pub tries: u32,
    key: LaneKey,
    order: u64,
}

impl Lease {
    /// Whether this is a page that a budget counts: its first attempt, and no redirect of another.
    pub fn begins_page(&self) -> bool {
        begins_page(&self.candidate, self.tries)
    }
}

fn begins_page(candidate: &Candidate, tries: u32) -> bool {
    candidate.role == Role::Page && candidate.hops == 0 && tries == 0
}

/// What an offer brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// URLs that are in the queue by this.
    pub new: usize,
    /// URLs that were known.
    pub known: usize,
}

/// What comes next.
#[derive(Debug)]
pub enum Next {
    /// This.
    Lease(Box<Lease>),
    /// Nothing before then, unless something changes.
    NothingBefore(Moment),
    /// Nothing, until a lease is settled or put back.
    Waiting,
    /// Nothing at all.
    Exhausted,
}

impl Frontier {
    /// Takes up the queue where the store has it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(reader: Reader, run: Run, clock: Arc<dyn Clock>) -> Result<Frontier, Error> {
        let mut frontier = Frontier {
            run,
            clock,
            lanes: HashMap::new(),
            due: BTreeSet::new(),
            uncommitted: HashSet::new(),
            unwritten: HashMap::new(),
            leased: 0,
            sequence: 0,
            pages_closed: false,
            seeds_closed: BTreeSet::new(),
            reader,
        };
        let now = frontier.clock.now();
        for host in frontier.reader.hosts()? {
            for (class, count) in [(Class::PageLike, host.pages), (Class::Requisite, host.requisites)] {
                if count > 0 {
                    let key = LaneKey { host: host.clock.host.clone(), class };
                    frontier.lanes.entry(key.clone()).or_default().more = true;
                    frontier.schedule(&key, now);
                }
            }
        }
        Ok(frontier)
    }

    /// Offers URLs. What is known already is not queued again; the caller commits all of them all the same.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn offer(&mut self, candidates: &[Candidate]) -> Result<Offered, Error> {
        let mut offered = Offered::default();
        for candidate in candidates {
            let text = candidate.url.as_str();
            if self.uncommitted.contains(text) || !self.reader.accepts(candidate, self.run)? {
                offered.known += 1;
                continue;
            }
            offered.new += 1;
            self.uncommitted.insert(text.to_owned());
            let key = LaneKey { host: candidate.url.host().into(), class: candidate.role.class() };
            self.sequence += 1;
            let lane = self.lanes.entry(key.clone()).or_default();
            lane.in_hand.insert(text.to_owned());
            let queued = Queued { candidate: candidate.clone(), tries: 0, due: self.clock.wall() };
            lane.ready.insert((candidate.priority, self.sequence), queued);
            // A lane that waits for the gate goes on waiting.
            if lane.due.is_none() && !lane.parked {
                let now = self.clock.now();
                self.schedule(&key, now);
            }
        }
        Ok(offered)
    }

    /// The store knows these offers now. Windows that have grown too long are cut to their most urgent part.
    pub fn committed<'a>(&mut self, urls: impl Iterator<Item = &'a str>) {
        for url in urls {
            self.uncommitted.remove(url);
        }
        for lane in self.lanes.values_mut() {
            while lane.ready.len() > WINDOW * 2 {
                let Some((_, last)) = lane.ready.last_key_value() else { break };
                let url = last.candidate.url.as_str();
                if self.uncommitted.contains(url) || self.unwritten.contains_key(url) {
                    break;
                }
                lane.in_hand.remove(url);
                lane.ready.pop_last();
                lane.more = true;
            }
        }
    }

    /// The store has queued URLs of this host again that were over.
    pub fn recalled(&mut self, host: &str, now: Moment) {
        let key = LaneKey { host: host.into(), class: Class::Requisite };
        self.lanes.entry(key.clone()).or_default().more = true;
        self.schedule(&key, now);
    }

    /// The store knows an outcome of each of these now: what is over is no longer queued there, and is let go.
    pub fn outcomes_committed<'a>(&mut self, urls: impl Iterator<Item = &'a str>) {
        for url in urls {
            let Some(unwritten) = self.unwritten.get_mut(url) else { continue };
            unwritten.outcomes -= 1;
            if unwritten.outcomes > 0 {
                continue;
            }
            let Some(key) = self.unwritten.remove(url).and_then(|unwritten| unwritten.over) else { continue };
            let Some(lane) = self.lanes.get_mut(&key) else { continue };
            lane.in_hand.remove(url);
            if lane.in_hand.is_empty() && !lane.more && lane.due.is_none() {
                self.lanes.remove(&key);
            }
        }
    }

    /// The most urgent URL of a lane that is due. After it, that lane is looked at again only when the lease is taken,
    /// put back or settled, or its host is woken.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn next(&mut self, now: Moment) -> Result<Next, Error> {
        loop {
            let Some((at, key)) = self.due.first().cloned() else {
                return Ok(if self.leased > 0 || self.has_ready() { Next::Waiting } else { Next::Exhausted });
            };
            if at > now {
                return Ok(Next::NothingBefore(at));
            }
            self.unschedule(&key);
            if let Some(lease) = self.lease(&key, now)? {
                return Ok(Next::Lease(Box::new(lease)));
            }
        }
    }

    fn lease(&mut self, key: &LaneKey, now: Moment) -> Result<Option<Lease>, Error> {
        let Some(lane) = self.lanes.get_mut(key) else { return Ok(None) };
        while let Some(entry) = lane.later.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, order), queued) = entry.remove_entry();
            lane.ready.insert((queued.candidate.priority, order), queued);
        }
        let closed = &self.seeds_closed;
        let is_over =
            |queued: &Queued| closed.contains(&queued.candidate.seed) && begins_page(&queued.candidate, queued.tries);
        if !closed.is_empty() {
            let over: Vec<(u8, u64)> =
                lane.ready.iter().filter(|(_, queued)| is_over(queued)).map(|(at, _)| *at).collect();
            for queued in over.iter().filter_map(|at| lane.ready.remove(at)) {
                // They wait in the store, which does not name them again; what it does not know yet stays in mind.
                let url = queued.candidate.url.as_str();
                if !self.uncommitted.contains(url) && !self.unwritten.contains_key(url) {
                    lane.in_hand.remove(url);
                    lane.more = true;
                }
            }
        }
        // A window may be full of URLs that are not due, while the store holds some that are.
        while lane.ready.is_empty() && lane.more {
            let rows = self.reader.queued(&key.host, key.class, &lane.in_hand, &self.seeds_closed, WINDOW)?;
            lane.more = rows.len() == WINDOW;
            for queued in rows {
                self.sequence += 1;
                lane.in_hand.insert(queued.candidate.url.as_str().to_owned());
                let due = self.clock.moment_at(queued.due);
                // Further ahead than anything is put off: the wall clock that wrote it was wrong.
                if due > now && due <= now.after(LONGEST_BACK_OFF) {
                    lane.later.insert((due, self.sequence), queued);
                } else {
                    lane.ready.insert((queued.candidate.priority, self.sequence), queued);
                }
            }
        }
        let pages_closed = self.pages_closed;
        let first = lane
            .ready
            .iter()
            .find(|(_, queued)| !(pages_closed && begins_page(&queued.candidate, queued.tries)))
            .map(|(at, _)| *at);
        let Some(((_, order), queued)) = first.and_then(|at| lane.ready.remove_entry(&at)) else {
            match lane.later.first_key_value() {
                Some(((at, _), _)) => {
                    let at = *at;
                    self.schedule(key, at);
                }
                None if lane.in_hand.is_empty() => {
                    self.lanes.remove(key);
                }
                None => {}
            }
            return Ok(None);
        };
        self.leased += 1;
        Ok(Some(Lease { candidate: queued.candidate, tries: queued.tries, key: key.clone(), order }))
    }

    /// From now on no page is leased for the first time; what has begun (redirects, further attempts, requisites) is.
    pub fn close_pages(&mut self) {
        self.pages_closed = true;
    }

    /// From now on no page of this seed is leased for the first time; they stay in the store's queue.
    pub fn close_seed(&mut self, seed: i64) {
        self.seeds_closed.insert(seed);
    }

    /// Whether pages wait in the store that [`Frontier::close_seed`] keeps from being leased.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn passes_over(&self) -> Result<bool, Error> {
        Ok(!self.seeds_closed.is_empty() && self.reader.waits_for(&self.seeds_closed)?)
    }

    /// The lease is being worked on: its lane may be looked at again at once.
    pub fn taken(&mut self, lease: &Lease, now: Moment) {
        self.schedule(&lease.key, now);
    }

    /// Puts a lease back unused: its lane is looked at again at `at`, or when its host is woken.
    pub fn put_back(&mut self, lease: Lease, at: Option<Moment>) {
        self.leased -= 1;
        let due = self.clock.wall();
        let queued = Queued { candidate: lease.candidate, tries: lease.tries, due };
        if let Some(lane) = self.lanes.get_mut(&lease.key) {
            lane.ready.insert((queued.candidate.priority, lease.order), queued);
        }
        match at {
            Some(at) => self.schedule(&lease.key, at),
            None => {
                if let Some(lane) = self.lanes.get_mut(&lease.key) {
                    lane.parked = true;
                }
            }
        }
    }

    /// Something of this host is over: its lanes may be looked at.
    pub fn wake(&mut self, host: &Arc<str>, now: Moment) {
        for class in [Class::PageLike, Class::Requisite] {
            let key = LaneKey { host: host.clone(), class };
            if self.lanes.contains_key(&key) {
                self.schedule(&key, now);
            }
        }
    }

    /// Every lane that waits for its host may be looked at.
    pub fn wake_all(&mut self, now: Moment) {
        let parked: Vec<LaneKey> =
            self.lanes.iter().filter(|(_, lane)| lane.parked).map(|(key, _)| key.clone()).collect();
        parked.iter().for_each(|key| self.schedule(key, now));
    }

    /// The turn is over. `Again` puts the URL back for its instant. Until [`Frontier::outcomes_committed`] names it,
    /// the URL is kept in mind.
    pub fn settle(&mut self, lease: Lease, outcome: &Outcome, now: Moment) {
        self.leased -= 1;
        let unwritten = self.unwritten.entry(lease.candidate.url.as_str().to_owned()).or_default();
        unwritten.outcomes += 1;
        if let Outcome::Again { at, manner } = outcome {
            if let Some(lane) = self.lanes.get_mut(&lease.key) {
                let mut candidate = lease.candidate;
                if let Manner::Rung(rung) = manner {
                    candidate.rung = *rung;
                }
                let queued = Queued { candidate, tries: lease.tries + 1, due: *at };
                lane.later.insert((self.clock.moment_at(*at), lease.order), queued);
            }
        } else {
            unwritten.over = Some(lease.key.clone());
        }
        self.schedule(&lease.key, now);
    }

    /// URLs in memory that wait, without those only the store knows.
    pub fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.ready.len() + lane.later.len()).sum()
    }

    fn has_ready(&self) -> bool {
        self.lanes.values().any(|lane| !lane.ready.is_empty() || lane.more)
    }

    /// The earlier of two instants counts.
    fn schedule(&mut self, key: &LaneKey, at: Moment) {
        let Some(lane) = self.lanes.get_mut(key) else { return };
        match lane.due {
            Some(due) if due <= at => return,
            Some(due) => {
                self.due.remove(&(due, key.clone()));
            }
            None => {}
        }
        lane.due = Some(at);
        lane.parked = false;
        self.due.insert((at, key.clone()));
    }

    fn unschedule(&mut self, key: &LaneKey) {
        if let Some(lane) = self.lanes.get_mut(key)
            && let Some(due) = lane.due.take()
        {
            lane.parked = false;
            self.due.remove(&(due, key.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, Settled, Store};
    use crate::web::time::{Hold, Sleep, Timestamp};
    use crate::web::url::WebUrl;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    /// A clock that stands still until a test moves it.
    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Hand {
        fn forward_to(&self, moment: Moment) {
            self.0.fetch_max(moment.0, Ordering::Relaxed);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Moment {
            Moment(self.0.load(Ordering::Relaxed))
        }

        fn wall(&self) -> Timestamp {
            Timestamp(1_780_000_000_000).after(self.now().since(Moment::default()))
        }

        fn sleep_until(&self, _: Moment) -> Sleep {
            Box::pin(std::future::pending())
        }

        fn hold(&self) -> Hold {
            Hold(None)
        }
    }

    /// A frontier over a real store, and what a dispatcher would not have committed yet.
    struct Desk {
        _folder: tempfile::TempDir,
        store: Store,
        run: Run,
        clock: Arc<Hand>,
        frontier: Frontier,
        batch: Batch,
    }

    impl Desk {
        fn new() -> Desk {
            let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Hand::default()));
            let mut store = Store::open(&folder.path().join("f.sqlite3")).unwrap();
            let run = store.begin_run("p", clock.wall(), false).unwrap();
            let frontier = Frontier::new(store.reader().unwrap(), run, clock.clone()).unwrap();
            Desk { _folder: folder, store, run, clock, frontier, batch: Batch::default() }
        }

        fn with(candidates: &[Candidate]) -> Desk {
            let mut desk = Desk::new();
            desk.offer(candidates);
            desk.commit();
            desk
        }

        fn offer(&mut self, candidates: &[Candidate]) -> Offered {
            self.batch.offers.extend_from_slice(candidates);
            self.frontier.offer(candidates).unwrap()
        }

        fn next(&mut self) -> Next {
            self.frontier.next(self.clock.now()).unwrap()
        }

        fn lease(&mut self) -> Lease {
            match self.next() {
                Next::Lease(lease) => {
                    self.frontier.taken(&lease, self.clock.now());
                    *lease
                }
                other => panic!("no lease but {other:?}"),
            }
        }

        fn settle(&mut self, lease: Lease, outcome: &Outcome) {
            self.batch.settled.push(Settled {
                outcome: Some(outcome.clone()),
                tries: lease.tries + 1,
                ..Settled::new(text(&lease), lease.candidate.role)
            });
            self.frontier.settle(lease, outcome, self.clock.now());
        }

        fn commit(&mut self) {
            let batch = std::mem::take(&mut self.batch);
            self.store.commit(self.run, &batch, self.clock.wall()).unwrap();
            self.frontier.committed(batch.offers.iter().map(|offer| offer.url.as_str()));
            self.frontier.outcomes_committed(batch.settled.iter().map(|settled| settled.url.as_str()));
        }

        /// Another process takes over; leases and what was not committed are gone.
        fn restart(&mut self) {
            self.batch = Batch::default();
            self.frontier = Frontier::new(self.store.reader().unwrap(), self.run, self.clock.clone()).unwrap();
        }

        /// Leases and settles until nothing is left; commits after every `every` URLs.
        fn drain(&mut self, every: usize) -> Vec<String> {
            let mut drained = Vec::new();
            loop {
                match self.next() {
                    Next::Lease(lease) => {
                        self.frontier.taken(&lease, self.clock.now());
                        drained.push(text(&lease));
                        self.settle(*lease, &DONE);
                        if drained.len().is_multiple_of(every) {
                            self.commit();
                        }
                    }
                    Next::NothingBefore(at) => self.clock.forward_to(at),
                    Next::Waiting => self.frontier.wake_all(self.clock.now()),
                    Next::Exhausted => break,
                }
            }
            self.commit();
            drained
        }
    }

    const DONE: Outcome = Outcome::Done { status: 200 };

    fn again(at: Timestamp) -> Outcome {
        Outcome::Again { at, manner: Manner::Later }
    }

    fn text(lease: &Lease) -> String {
        lease.candidate.url.as_str().to_owned()
    }

    fn candidate(host: &str, number: usize, role: Role) -> Candidate {
        Candidate {
            url: WebUrl::parse(&format!("http://{host}.example/{}/{number}", role.as_str())).unwrap(),
            via: None,
            seed: 0,
            depth: 0,
            hops: 0,
            role,
            page: None,
            referer: None,
            referrer: None,
            rung: 0,
            priority: 3,
            claims: None,
            again: false,
        }
    }

    fn pages(host: &str, numbers: std::ops::Range<usize>) -> Vec<Candidate> {
        numbers.map(|number| candidate(host, number, Role::Page)).collect()
    }

    fn each_once(mut drained: Vec<String>, offered: &[Candidate]) {
        let mut expected: Vec<String> = offered.iter().map(|offer| offer.url.as_str().to_owned()).collect();
        drained.sort();
        expected.sort();
        assert_eq!(drained, expected);
    }

    #[test]
    fn each_url_is_leased_once() {
        let mut desk = Desk::new();
        let offered = [pages("a", 0..3), pages("b", 0..2)].concat();
        assert_eq!(desk.offer(&offered), Offered { new: 5, known: 0 });
        assert_eq!(desk.offer(&offered), Offered { new: 0, known: 5 });
        desk.commit();
        assert_eq!(desk.offer(&offered), Offered { new: 0, known: 5 });
        each_once(desk.drain(1), &offered);
        assert_eq!(desk.offer(&offered), Offered { new: 0, known: 5 });
        assert!(matches!(desk.next(), Next::Exhausted));
    }

    #[test]
    fn the_more_urgent_goes_first_and_equals_in_order() {
        let mut desk = Desk::new();
        let mut offered = pages("a", 0..4);
        offered[2].priority = 1;
        desk.offer(&offered);
        let order: Vec<String> = desk.drain(10).iter().map(|url| url[url.len() - 1..].to_owned()).collect();
        assert_eq!(order, ["2", "0", "1", "3"]);
    }

    #[test]
    fn requisites_do_not_wait_for_pages_of_their_host() {
        let mut desk = Desk::with(&[candidate("a", 0, Role::Page), candidate("a", 0, Role::Image)]);
        let Next::Lease(first) = desk.next() else { panic!("no lease") };
        let class = first.candidate.role.class();
        desk.frontier.put_back(*first, Some(Moment::default().after(SECOND)));
        let Next::Lease(second) = desk.next() else { panic!("no lease") };
        assert_ne!(second.candidate.role.class(), class);
        desk.frontier.put_back(*second, None);
        assert!(matches!(desk.next(), Next::NothingBefore(at) if at == Moment::default().after(SECOND)));
    }

    #[test]
    fn what_is_put_back_comes_at_its_instant_and_not_before() {
        let mut desk = Desk::with(&pages("a", 0..1));
        let (lease, at) = (desk.lease(), Moment::default().after(SECOND * 7));
        let url = text(&lease);
        // The lane was looked at again when the lease was taken: nothing else is there.
        assert!(matches!(desk.next(), Next::Waiting));
        desk.frontier.put_back(lease, Some(at));
        assert!(matches!(desk.next(), Next::NothingBefore(then) if then == at));
        desk.clock.forward_to(at);
        let lease = desk.lease();
        assert_eq!((text(&lease), lease.tries), (url, 0), "a lease put back is no attempt");
    }

    #[test]
    fn what_is_parked_waits_until_its_host_is_woken() {
        let mut desk = Desk::with(&pages("a", 0..2));
        for wake in [
            (|desk: &mut Desk| desk.frontier.wake(&Arc::from("a.example"), desk.clock.now())) as fn(&mut Desk),
            |desk| desk.frontier.wake_all(desk.clock.now()),
        ] {
            let Next::Lease(lease) = desk.next() else { panic!("no lease") };
            desk.frontier.put_back(*lease, None);
            desk.clock.forward_to(desk.clock.now().after(SECOND * 1000));
            assert!(matches!(desk.next(), Next::Waiting));
            desk.frontier.wake(&Arc::from("elsewhere.example"), desk.clock.now());
            assert!(matches!(desk.next(), Next::Waiting));
            // A new URL of the host does not wake it.
            desk.offer(&pages("a", 5..6));
            assert!(matches!(desk.next(), Next::Waiting));
            wake(&mut desk);
        }
        assert_eq!(desk.drain(1).len(), 3);
    }

    #[test]
    fn what_is_to_be_asked_again_comes_at_its_instant_with_its_tries() {
        for restarts in [false, true] {
            let mut desk = Desk::with(&pages("a", 0..1));
            let lease = desk.lease();
            desk.settle(lease, &again(desk.clock.wall().after(SECOND * 9)));
            if restarts {
                desk.commit();
                desk.restart();
            }
            let at = Moment::default().after(SECOND * 9);
            assert!(matches!(desk.next(), Next::NothingBefore(then) if then == at), "restarted: {restarts}");
            desk.clock.forward_to(at);
            assert_eq!(desk.lease().tries, 1, "restarted: {restarts}");
        }
    }

    #[test]
    fn exhausted_is_not_waiting_and_waiting_is_not_later() {
        let mut desk = Desk::new();
        assert!(matches!(desk.next(), Next::Exhausted));
        desk.offer(&pages("a", 0..1));
        let lease = desk.lease();
        assert!(matches!(desk.next(), Next::Waiting), "a lease is out");
        desk.settle(lease, &again(desk.clock.wall().after(SECOND)));
        assert!(matches!(desk.next(), Next::NothingBefore(_)), "it comes back");
        desk.clock.forward_to(Moment::default().after(SECOND));
        let lease = desk.lease();
        desk.settle(lease, &DONE);
        assert!(matches!(desk.next(), Next::Exhausted));
        assert_eq!(desk.frontier.waiting(), 0);
    }

    #[test]
    fn a_window_that_is_cut_loses_nothing() {
        let mut desk = Desk::new();
        let offered = pages("a", 0..WINDOW * 5 + 7);
        desk.offer(&offered);
        assert_eq!(desk.frontier.waiting(), offered.len(), "what the store does not know stays in memory");
        desk.commit();
        assert_eq!(desk.frontier.waiting(), WINDOW * 2);
        each_once(desk.drain(50), &offered);
        assert!(desk.frontier.lanes.is_empty(), "a host without work takes no memory");
    }

    #[test]
    fn a_restart_in_the_middle_loses_nothing() {
        let offered = [pages("a", 0..WINDOW * 3), pages("b", 0..5)].concat();
        let mut desk = Desk::with(&offered);
        let mut drained = Vec::new();
        for _ in 0..WINDOW + 10 {
            let lease = desk.lease();
            drained.push(text(&lease));
            desk.settle(lease, &DONE);
        }
        desk.commit();
        let _in_the_air = (desk.lease(), desk.lease());
        desk.restart();
        assert!(desk.frontier.waiting() <= WINDOW * 2);
        drained.extend(desk.drain(50));
        each_once(drained, &offered);
    }

    #[test]
    fn what_is_settled_and_not_committed_is_not_leased_again() {
        let offered = pages("a", 0..WINDOW * 3);
        let mut desk = Desk::with(&offered);
        desk.restart();
        each_once(desk.drain(usize::MAX), &offered);
    }

    #[test]
    fn a_window_of_urls_that_are_not_due_hides_none_that_is() {
        let mut offered = pages("a", 0..WINDOW + 1);
        offered[WINDOW].priority = 9;
        let mut desk = Desk::with(&offered);
        for _ in 0..WINDOW {
            let lease = desk.lease();
            desk.settle(lease, &again(desk.clock.wall().after(SECOND * 3600)));
        }
        desk.commit();
        desk.restart();
        assert_eq!(desk.lease().candidate.url, offered[WINDOW].url);
    }

    #[derive(Clone, Debug)]
    enum Act {
        Offer { host: usize, image: bool, from: usize, count: usize },
        Lease { take: bool },
        Done(usize),
        Again(usize, u64),
        PutBack(usize, Option<u64>),
        Wake(usize),
        Commit,
        Forward(u64),
        Restart,
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            2 => (0..3usize, any::<bool>(), 0..300usize, 1..120usize)
                .prop_map(|(host, image, from, count)| Act::Offer { host, image, from, count }),
            8 => any::<bool>().prop_map(|take| Act::Lease { take }),
            4 => any::<usize>().prop_map(Act::Done),
            2 => (any::<usize>(), 0..100u64).prop_map(|(which, after)| Act::Again(which, after)),
            2 => (any::<usize>(), proptest::option::of(0..100u64)).prop_map(|(which, at)| Act::PutBack(which, at)),
            1 => (0..3usize).prop_map(Act::Wake),
            1 => Just(Act::Commit),
            1 => (0..200u64).prop_map(Act::Forward),
            1 => Just(Act::Restart),
        ]
    }

    const HOSTS: [&str; 3] = ["a", "b", "c"];

    /// What is known to have happened: safely, and as far as this process knows.
    #[derive(Default)]
    struct Model {
        offered: [BTreeSet<String>; 2],
        done: [BTreeSet<String>; 2],
    }

    impl Model {
        fn committed(&mut self) {
            self.offered[0] = self.offered[1].clone();
            self.done[0] = self.done[1].clone();
        }

        fn restarted(&mut self) {
            self.offered[1] = self.offered[0].clone();
            self.done[1] = self.done[0].clone();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn whatever_happens_nothing_is_lost_and_nothing_is_done_twice(acts in proptest::collection::vec(act(), 1..120)) {
            let (mut desk, mut model) = (Desk::new(), Model::default());
            let mut leases: Vec<Lease> = Vec::new();
            for act in acts {
                let now = desk.clock.now();
                let wall = desk.clock.wall();
                match act {
                    Act::Offer { host, image, from, count } => {
                        let role = if image { Role::Image } else { Role::Page };
                        let offers: Vec<_> =
                            (from..from + count).map(|number| candidate(HOSTS[host], number, role)).collect();
                        let before = model.offered[1].len();
                        model.offered[1].extend(offers.iter().map(|offer| offer.url.as_str().to_owned()));
                        let new = model.offered[1].len() - before;
                        prop_assert_eq!(desk.offer(&offers), Offered { new, known: count - new });
                    }
                    Act::Lease { take } => {
                        if let Next::Lease(lease) = desk.next() {
                            let url = text(&lease);
                            prop_assert!(model.offered[1].contains(&url), "{} came from nowhere", url);
                            prop_assert!(!model.done[1].contains(&url), "{} is done", url);
                            prop_assert!(leases.iter().all(|lease| text(lease) != url), "{} is leased twice", url);
                            if take {
                                desk.frontier.taken(&lease, now);
                            }
                            leases.push(*lease);
                        }
                    }
                    Act::Done(which) if !leases.is_empty() => {
                        let lease = leases.swap_remove(which % leases.len());
                        model.done[1].insert(text(&lease));
                        desk.settle(lease, &DONE);
                    }
                    Act::Again(which, after) if !leases.is_empty() => {
                        let lease = leases.swap_remove(which % leases.len());
                        desk.settle(lease, &again(wall.after(SECOND * after as u32)));
                    }
                    Act::PutBack(which, after) if !leases.is_empty() => {
                        let lease = leases.swap_remove(which % leases.len());
                        desk.frontier.put_back(lease, after.map(|after| now.after(SECOND * after as u32)));
                    }
                    Act::Done(_) | Act::Again(..) | Act::PutBack(..) => {}
                    Act::Wake(host) => {
                        desk.frontier.wake(&Arc::from(format!("{}.example", HOSTS[host])), now);
                    }
                    Act::Commit => {
                        desk.commit();
                        model.committed();
                    }
                    Act::Forward(by) => desk.clock.forward_to(now.after(SECOND * by as u32)),
                    Act::Restart => {
                        leases.clear();
                        desk.restart();
                        model.restarted();
                    }
                }
            }
            for lease in leases {
                model.done[1].insert(text(&lease));
                desk.settle(lease, &DONE);
            }
            for url in desk.drain(100) {
                prop_assert!(model.done[1].insert(url.clone()), "{} is done twice", url);
            }
            prop_assert_eq!(&model.done[1], &model.offered[1]);
            prop_assert!(desk.frontier.lanes.is_empty() && desk.frontier.unwritten.is_empty());
        }
    }
}
