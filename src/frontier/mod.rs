//! Which URL next: queues in memory over the queue in the store, and a heap of the instants the gate names.
//!
//! A *lane* is what one host has of one class. In memory stand, a lane, a window of its most urgent URLs and whatever
//! is not committed yet; the rest is read from the store when the window runs low. So memory grows with the hosts that
//! have work, not with the URLs that wait. A [`Lease`] is a claim in memory: it dies with the process, and the URL is
//! still queued in the store. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::store::{Error, Queued, Reader, Run};
use crate::web::candidate::{Candidate, Class};
use crate::web::outcome::Outcome;
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
    leased: usize,
    sequence: u64,
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
    /// Everything of this lane that is in memory or leased, so that it is not read from the store again.
    in_hand: HashSet<String>,
    /// The store may hold more than stands here.
    more: bool,
    /// When it stands in `due`.
    due: Option<Moment>,
    /// All its connections are taken: it waits until its host is woken.
    parked: bool,
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
            leased: 0,
            sequence: 0,
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

    /// The store knows these now. Windows that have grown too long are cut to their most urgent part.
    pub fn committed<'a>(&mut self, urls: impl Iterator<Item = &'a str>) {
        for url in urls {
            self.uncommitted.remove(url);
        }
        for lane in self.lanes.values_mut() {
            while lane.ready.len() > WINDOW * 2 {
                let Some((_, last)) = lane.ready.last_key_value() else { break };
                let url = last.candidate.url.as_str();
                if self.uncommitted.contains(url) {
                    break;
                }
                lane.in_hand.remove(url);
                lane.ready.pop_last();
                lane.more = true;
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
        if lane.ready.is_empty() && lane.more {
            let rows = self.reader.queued(&key.host, key.class, &lane.in_hand, WINDOW)?;
            lane.more = rows.len() == WINDOW;
            for queued in rows {
                self.sequence += 1;
                lane.in_hand.insert(queued.candidate.url.as_str().to_owned());
                let due = self.clock.moment_at(queued.due);
                if due > now {
                    lane.later.insert((due, self.sequence), queued);
                } else {
                    lane.ready.insert((queued.candidate.priority, self.sequence), queued);
                }
            }
        }
        let Some(((_, order), queued)) = lane.ready.pop_first() else {
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

    /// The turn is over. `Again` puts the URL back for its instant.
    pub fn settle(&mut self, lease: Lease, outcome: &Outcome, now: Moment) {
        self.leased -= 1;
        let url = lease.candidate.url.as_str().to_owned();
        if let Some(lane) = self.lanes.get_mut(&lease.key) {
            if let Outcome::Again { at, .. } = outcome {
                let queued = Queued { candidate: lease.candidate, tries: lease.tries + 1, due: *at };
                lane.later.insert((self.clock.moment_at(*at), lease.order), queued);
            } else {
                lane.in_hand.remove(&url);
            }
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
            self.due.remove(&(due, key.clone()));
        }
    }
}
