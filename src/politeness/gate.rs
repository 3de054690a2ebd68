//! The gate: one question per URL, one lesson per exchange. See the module's head.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::pace::{BURST, Lane, Turn};
use super::party::{Party, Trouble, spread};
use super::rulebook::{Asked, Learnt, Look, RobotsCopy, Rulebook};
use super::signs::{AnswerTimes, Sign};
use super::{ATTEMPTS, FIRST_RETRY, retry_wait};
use crate::web::candidate::Class;
use crate::web::exchange::{Exchange, Fault};
use crate::web::recent::Recent;
use crate::web::time::{Moment, Stamp, Timestamp};
use crate::web::url::{Origin, WebUrl};
use crate::web::verdict::RobotsVerdict;

/// No server keeps its host from the crawl for longer than this at a time, whatever it asks for.
pub const LONGEST_BACK_OFF: Duration = Duration::from_secs(24 * 3600);
/// Other names at its address wait with it for no longer than this: an address may serve half the web.
const NEIGHBOURS_WAIT: Duration = Duration::from_secs(60);
/// Connections to one address at a time, whatever the number of hosts behind it.
pub const PER_ADDRESS: usize = 16;
/// Hosts and addresses that are at rest are let go when so many are known.
const MANY: usize = 4096;
/// Origins that cannot be reached are given up for the whole run, as long as there are no more of them: 20 MB at most.
const UNREACHABLE: usize = 50_000;
/// What the gate obeys.
#[derive(Clone, Debug)]
pub struct Options {
    /// Least time between starts of page-like requests on one host.
    pub delay: Duration,
    /// The same for requisites, with a burst of [`BURST`].
    pub requisite_delay: Duration,
    /// Connections for page-like requests, a host.
    pub per_host: usize,
    /// Connections for requisites, a host.
    pub requisites_per_host: usize,
    /// Whether robots.txt binds.
    pub robots: RobotsPolicy,
    /// The product token that robots.txt knows us by.
    pub agent: String,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            delay: Duration::from_secs(1),
            requisite_delay: Duration::from_millis(200),
            per_host: 1,
            requisites_per_host: 2,
            robots: RobotsPolicy::Obey,
            agent: "pressmark".to_owned(),
        }
    }
}

/// Whether robots.txt binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RobotsPolicy {
    /// RFC 9309 to the letter.
    Obey,
    /// Neither fetched nor asked.
    Ignore,
}

/// What the gate says to one URL at one instant.
#[derive(Debug)]
pub enum Answer {
    /// Fetch it, now and once.
    Go(Permit),
    /// Ask again then.
    NotBefore(Moment),
    /// Ask again when something of this host is over.
    Busy,
    /// Its host's address is not known: look it up, and tell it by [`Gate::located`].
    NeedsAddress,
    /// Its origin's rules are not known: fetch them with this permit first.
    NeedsRobots(Permit),
    /// robots.txt forbids it.
    Forbidden(RobotsVerdict),
    /// Its origin, or that one's robots.txt, cannot be had in this run: why.
    Unreachable(String),
    /// Its origin's address is none that may be connected to.
    Guarded(String),
}

/// Proof that rules and pace allow one fetch; spent by that fetch.
#[derive(Debug)]
pub struct Permit {
    receipt: Receipt,
}

/// What is left of a permit once it is spent.
#[derive(Clone, Debug)]
pub struct Receipt {
    host: Arc<str>,
    /// The address that the exchange counts for.
    address: Option<IpAddr>,
    lane: Class,
    purpose: Purpose,
    granted: Moment,
    stamp: Stamp,
}

#[derive(Clone, Debug)]
enum Purpose {
    /// What a URL names, by leave of this verdict.
    Fetch(RobotsVerdict),
    /// robots.txt of that origin, after so many redirects.
    Robots(Origin, u8),
}

impl Receipt {
    /// The host that was asked.
    pub fn host(&self) -> &Arc<str> {
        &self.host
    }

    /// By what leave of robots.txt it was asked for; none for robots.txt itself.
    pub fn verdict(&self) -> Option<&RobotsVerdict> {
        match &self.purpose {
            Purpose::Fetch(verdict) => Some(verdict),
            Purpose::Robots(..) => None,
        }
    }
}

impl Permit {
    /// For [`Gate::heard`].
    pub fn receipt(&self) -> Receipt {
        self.receipt.clone()
    }

    /// Set when the request has been written.
    pub fn stamp(&self) -> &Stamp {
        &self.receipt.stamp
    }

    /// A permit for a test's own fetch, which no gate gave.
    #[doc(hidden)]
    pub fn for_test() -> Permit {
        let purpose = Purpose::Fetch(RobotsVerdict::without_rule("a test"));
        let (lane, granted, stamp) = (Class::PageLike, Moment::default(), Stamp::default());
        Permit { receipt: Receipt { host: "".into(), address: None, lane, purpose, granted, stamp } }
    }
}

/// What an exchange taught, as far as the caller must act on it.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing to do.
    Noted,
    /// robots.txt has moved: fetch it there, by [`Gate::ask_hop`].
    RobotsMoved {
        /// Whose rules these are.
        origin: Origin,
        /// Where they are now.
        to: WebUrl,
        /// How many redirects that makes.
        hops: u8,
    },
    /// The rules of this origin are known now, or known not to be had. A copy to keep, if there is one.
    RobotsKnown(Origin, Option<RobotsCopy>),
    /// The rules of this origin are not to be had; those fetched then serve on.
    RobotsOld(Origin, Timestamp),
    /// The server asked for patience, until then.
    BackOff(Timestamp),
}

/// What of a host's clocks must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostClock {
    /// The host.
    pub host: Arc<str>,
    /// No page-like request before.
    pub page_next: Timestamp,
    /// No requisite before.
    pub requisite_next: Timestamp,
    /// How much its server has had of us.
    pub trouble: Trouble,
}

/// What of an address's clock must survive a restart: it is that of every name behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressClock {
    /// The address.
    pub address: IpAddr,
    /// No request before.
    pub next: Timestamp,
    /// How much the server there has had of us.
    pub trouble: Trouble,
}

/// The clocks that an exchange has moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Of the host.
    pub host: HostClock,
    /// Of its address, where that is known.
    pub address: Option<AddressClock>,
}

impl AddressClock {
    /// Nothing of it matters any more.
    pub fn is_at_rest(&self, wall: Timestamp) -> bool {
        self.next <= wall && self.trouble.until <= wall
    }
}

struct Host {
    page: Lane,
    requisite: Lane,
    party: Party,
    place: Place,
    page_times: AnswerTimes,
    requisite_times: AnswerTimes,
}

/// Where a host is: whom else a request to it would trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Unknown,
    /// Somebody is looking it up.
    Asked,
    /// Where its name leads, or where it answered last; none when it cannot be known: its name has no address, or a
    /// proxy resolves it.
    Known(Option<IpAddr>),
}

impl Place {
    fn address(self) -> Option<IpAddr> {
        match self {
            Place::Known(address) => address,
            Place::Unknown | Place::Asked => None,
        }
    }
}

/// Whether an origin can be talked to.
#[derive(Default)]
struct Reach {
    /// Attempts in vain since it last answered.
    failures: u32,
    not_before: Moment,
    /// Why it is given up for this run.
    dead: Option<Fault>,
}

/// May it be fetched now?
pub struct Gate {
    options: Options,
    hosts: HashMap<Arc<str>, Host>,
    addresses: HashMap<IpAddr, Party>,
    /// Hosts are looked through for those at rest when there are so many.
    many: usize,
    reach: Recent<Origin, Reach>,
    rulebook: Rulebook,
}

impl Gate {
    /// A gate that knows nobody yet.
    pub fn new(options: Options) -> Gate {
        let rulebook = Rulebook::new(options.agent.clone());
        Gate {
            options,
            hosts: HashMap::new(),
            addresses: HashMap::new(),
            many: MANY,
            reach: Recent::new(UNREACHABLE),
            rulebook,
        }
    }

    /// Takes up a stored clock, so that a restart does not hurry.
    pub fn remember_host(&mut self, clock: &HostClock, now: Moment, wall: Timestamp) {
        let at = |stored: Timestamp| self.stored(stored, now, wall);
        let (page, requisite) = (at(clock.page_next), at(clock.requisite_next));
        if page.max(requisite) > now || clock.trouble.until > wall {
            let host = self.host(&clock.host, now);
            host.page.hold_until(page);
            host.requisite.hold_until(requisite);
            host.party.remember(clock.trouble, now, wall);
        }
    }

    /// The same for an address.
    pub fn remember_address(&mut self, clock: &AddressClock, now: Moment, wall: Timestamp) {
        if !clock.is_at_rest(wall) {
            let next = self.stored(clock.next, now, wall);
            let party = shared(&mut self.addresses, clock.address, self.options.delay);
            party.hold_until(next);
            party.remember(clock.trouble, now, wall);
        }
    }

    /// A stored instant as one of this run. What lies further ahead than anybody is ever left alone was written by a
    /// wall clock that was wrong: then the wait is one gap.
    fn stored(&self, at: Timestamp, now: Moment, wall: Timestamp) -> Moment {
        let wait = at.since(wall);
        now.after(if wait > LONGEST_BACK_OFF { self.options.delay } else { wait })
    }

    /// What this host was asked for last is not known: it rests for one gap from then.
    pub fn rest(&mut self, host: &Arc<str>, since: Moment, now: Moment) {
        let rested = since.after(self.delay(host));
        let host = self.host(host, now);
        host.page.hold_until(rested);
        host.requisite.hold_until(rested);
    }

    /// Takes up a stored robots.txt: it holds while it is fresh, and serves later while the host is unreachable.
    pub fn remember_robots(&mut self, origin: &Origin, copy: &RobotsCopy, wall: Timestamp) {
        self.rulebook.remember(origin, copy, wall);
        self.obey_crawl_delay(origin, Moment::default());
    }

    /// Whether the rules of this origin are known, or have been asked for.
    pub fn has_heard_of(&self, origin: &Origin) -> bool {
        self.options.robots == RobotsPolicy::Ignore || self.rulebook.has_heard_of(origin)
    }

    /// The one question.
    pub fn ask(&mut self, url: &WebUrl, class: Class, now: Moment, wall: Timestamp) -> Answer {
        let origin = url.origin();
        if let Some(reach) = self.reach.get(&origin) {
            match &reach.dead {
                Some(fault @ Fault::Forbidden(_)) => return Answer::Guarded(fault.to_string()),
                Some(fault) => return Answer::Unreachable(fault.to_string()),
                None if reach.not_before > now => return Answer::NotBefore(reach.not_before),
                None => {}
            }
        }
        if self.options.robots == RobotsPolicy::Ignore {
            return self.turn(&origin.host, class, Purpose::Fetch(not_asked()), now);
        }
        // Hosts at rest are let go, and what slows them down with them.
        self.obey_crawl_delay(&origin, now);
        match self.rulebook.look(&origin, url.path_and_query(), now, wall) {
            Look::Known(verdict) if verdict.allowed => self.turn(&origin.host, class, Purpose::Fetch(verdict), now),
            Look::Known(verdict) => Answer::Forbidden(verdict),
            Look::Asked => Answer::Busy,
            Look::NotBefore(at) => Answer::NotBefore(at),
            Look::Unreachable(reason) => Answer::Unreachable(reason),
            Look::Unknown => self.ask_robots(&origin, now),
        }
    }

    /// The permit for the next hop of a robots.txt that has moved. It needs no rules of the host it leads to.
    pub fn ask_hop(&mut self, origin: &Origin, to: &WebUrl, hops: u8, now: Moment) -> Answer {
        let host = to.origin().host;
        self.turn(&host, Class::PageLike, Purpose::Robots(origin.clone(), hops), now)
    }

    fn ask_robots(&mut self, origin: &Origin, now: Moment) -> Answer {
        match self.turn(&origin.host, Class::PageLike, Purpose::Robots(origin.clone(), 0), now) {
            Answer::Go(permit) => {
                self.rulebook.asked(origin);
                Answer::NeedsRobots(permit)
            }
            other => other,
        }
    }

    /// Where a host is, as somebody has found out who was sent by [`Answer::NeedsAddress`]; none when that cannot be
    /// known. It may turn out to be elsewhere, and is counted there from then on.
    pub fn located(&mut self, host: &Arc<str>, address: Option<IpAddr>, now: Moment) {
        self.host(host, now).place = Place::Known(address);
    }

    fn turn(&mut self, name: &Arc<str>, class: Class, purpose: Purpose, now: Moment) -> Answer {
        let stamp = Stamp::default();
        self.host(name, now);
        let Some(host) = self.hosts.get_mut(name) else { return Answer::Busy };
        let counted = match host.place {
            Place::Known(address) => address,
            Place::Asked => return Answer::Busy,
            Place::Unknown => {
                host.place = Place::Asked;
                return Answer::NeedsAddress;
            }
        };
        let delay = self.options.delay;
        let mut address = counted.map(|address| shared(&mut self.addresses, address, delay));
        // A lane's yes counts as a start, so the parties are asked before it.
        let own = host.party.look(name, now);
        // Names that wait for one address draw lots, the one in trouble too: or it would always be first.
        let both = address.as_mut().map_or(Turn::Now, |party| party.look(name, now));
        match (own, both) {
            (Turn::Now, Turn::Now) => {}
            (Turn::Busy, _) | (_, Turn::Busy) => return Answer::Busy,
            (Turn::NotBefore(at), Turn::Now) => return Answer::NotBefore(at),
            (Turn::Now, Turn::NotBefore(at)) => return Answer::NotBefore(at.after(spread(name, at))),
            (Turn::NotBefore(own), Turn::NotBefore(at)) => {
                return Answer::NotBefore(own.max(at.after(spread(name, at))));
            }
        }
        match host.lane(class).turn(now, &stamp) {
            Turn::Now => {
                host.party.started();
                address.map(Party::started);
                let receipt =
                    Receipt { host: name.clone(), address: counted, lane: class, purpose, granted: now, stamp };
                Answer::Go(Permit { receipt })
            }
            Turn::NotBefore(at) => Answer::NotBefore(at),
            Turn::Busy => Answer::Busy,
        }
    }

    /// The permit was not used after all: our own side failed before anything was sent.
    pub fn returned(&mut self, receipt: &Receipt, now: Moment) {
        self.over(receipt, Duration::ZERO, now);
        if let Purpose::Robots(origin, _) = &receipt.purpose {
            self.rulebook.ask_again(origin, now.after(FIRST_RETRY));
        }
    }

    fn over(&mut self, receipt: &Receipt, took: Duration, now: Moment) {
        let host = self.host(&receipt.host, now);
        host.lane(receipt.lane).over(now, &receipt.stamp, took);
        host.party.over(&receipt.stamp, took);
        if let Some(party) = receipt.address.and_then(|address| self.addresses.get_mut(&address)) {
            party.over(&receipt.stamp, took);
        }
    }

    /// The hosts that may ask again, now that this is over: its own, and those that waited for the same address.
    pub fn freed(&mut self, receipt: &Receipt) -> Vec<Arc<str>> {
        let party = receipt.address.and_then(|address| self.addresses.get_mut(&address));
        let mut freed = party.map(Party::freed).unwrap_or_default();
        freed.push(receipt.host.clone());
        freed
    }

    /// Learns from an exchange: frees the connection, adjusts the pace, takes in robots.txt.
    pub fn heard(
        &mut self,
        receipt: &Receipt,
        exchange: &Exchange,
        body: &[u8],
        now: Moment,
        wall: Timestamp,
    ) -> Heard {
        self.over(receipt, exchange.took(), now);
        let back_off = self.adjust_pace(receipt, exchange, now, wall);
        self.note_reach(exchange, now);
        match &receipt.purpose {
            Purpose::Fetch(_) => back_off.map_or(Heard::Noted, |wait| Heard::BackOff(wall.after(wait))),
            Purpose::Robots(origin, hops) => {
                let given_up = self.reach.get(origin).is_some_and(|reach| reach.dead.is_some());
                let asked = Asked { origin, hops: *hops, given_up };
                let learnt = self.rulebook.heard(&asked, exchange, body, now, wall);
                self.obey_crawl_delay(origin, now);
                match learnt {
                    Learnt::Moved(to, hops) => Heard::RobotsMoved { origin: origin.clone(), to, hops },
                    Learnt::Known(copy) => Heard::RobotsKnown(origin.clone(), Some(copy)),
                    Learnt::Old(fetched) => Heard::RobotsOld(origin.clone(), fetched),
                    Learnt::Nothing => Heard::RobotsKnown(origin.clone(), None),
                }
            }
        }
    }

    /// A delay that robots.txt asks for slows its host down, for as long as it does.
    fn obey_crawl_delay(&mut self, origin: &Origin, now: Moment) {
        let delay = self.rulebook.crawl_delay(origin);
        self.host(&origin.host, now).party.crawl_delay(origin, delay);
    }

    /// Spares a server that has enough, and trusts one that does well. Returns how long its host is left alone.
    fn adjust_pace(
        &mut self,
        receipt: &Receipt,
        exchange: &Exchange,
        now: Moment,
        wall: Timestamp,
    ) -> Option<Duration> {
        let (delay, granted) = (self.options.delay, receipt.granted);
        let host = self.hosts.get_mut(&receipt.host)?;
        if let Some(peer) = exchange.peer {
            host.place = Place::Known(Some(peer.ip()));
        }
        exchange.answer.as_ref()?;
        let address = host.place.address().map(|address| shared(&mut self.addresses, address, delay));
        if host.party.is_calm() {
            host.page_times.forgive();
            host.requisite_times.forgive();
        }
        let times = match receipt.lane {
            Class::PageLike => &mut host.page_times,
            Class::Requisite => &mut host.requisite_times,
        };
        let patience = match times.read(exchange, wall) {
            Sign::Good => {
                address.into_iter().chain([&mut host.party]).for_each(|party| party.pleased(granted));
                return None;
            }
            Sign::Slow => {
                address.into_iter().chain([&mut host.party]).for_each(|party| party.endured(now));
                return None;
            }
            Sign::Slower => None,
            Sign::Patience(asked) => Some(asked),
        };
        let own = host.party.troubled(granted, now);
        let wait = patience.map(|asked| asked.unwrap_or(own).min(LONGEST_BACK_OFF));
        host.party.hold_until(now.after(wait.unwrap_or_default()));
        if let Some(party) = address
            && party.troubled_by(&receipt.host, wait.is_some(), granted, now)
        {
            party.hold_until(now.after(wait.unwrap_or_default().min(NEIGHBOURS_WAIT)));
        }
        wait
    }

    /// An origin that cannot be reached is tried a few times, ever more rarely, and then given up for this run.
    fn note_reach(&mut self, exchange: &Exchange, now: Moment) {
        let origin = exchange.url.origin();
        match &exchange.fault {
            Some(fault @ Fault::Forbidden(_)) => {
                self.reach.get_or_default(&origin).dead = Some(fault.clone());
            }
            Some(fault) if fault.is_unreachable() => {
                let reach = self.reach.get_or_default(&origin);
                reach.failures += 1;
                reach.not_before = now.after(retry_wait(reach.failures));
                reach.dead = Some(fault.clone()).filter(|fault| fault.is_final() || reach.failures >= ATTEMPTS);
            }
            _ if exchange.answer.is_some() => self.reach.remove(&origin),
            _ => {}
        }
    }

    /// What robots.txt says of a URL, as far as it is known.
    pub fn verdict(&self, url: &WebUrl) -> Option<RobotsVerdict> {
        match self.options.robots {
            RobotsPolicy::Ignore => Some(not_asked()),
            RobotsPolicy::Obey => self.rulebook.verdict(url),
        }
    }

    /// Hosts whose past still counts, or might.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.hosts.len()
    }

    /// The gap between page-like starts on this host now.
    pub fn delay(&self, host: &str) -> Duration {
        self.hosts.get(host).map_or(self.options.delay, |host| host.page.gap().max(host.party.gap()))
    }

    /// What of a host must survive a restart, in wall time.
    pub fn clocks(&self, name: &Arc<str>, now: Moment, wall: Timestamp) -> Option<Clocks> {
        let host = self.hosts.get(name)?;
        let shared = host.place.address().and_then(|address| Some((address, self.addresses.get(&address)?)));
        let together = host.party.next().max(shared.map_or(Moment::default(), |(_, party)| party.next()));
        let at = |moment: Moment| wall.after(moment.since(now));
        let host = HostClock {
            host: name.clone(),
            page_next: at(host.page.rested_at(now).max(together)),
            requisite_next: at(host.requisite.rested_at(now).max(together)),
            trouble: host.party.trouble(now, wall),
        };
        let address = shared.map(|(address, party)| AddressClock {
            address,
            next: at(party.next()),
            trouble: party.trouble(now, wall),
        });
        Some(Clocks { host, address })
    }

    fn host(&mut self, name: &Arc<str>, now: Moment) -> &mut Host {
        if self.hosts.len() >= self.many && !self.hosts.contains_key(name) {
            self.hosts.retain(|_, host| !host.is_at_rest(now));
            self.addresses.retain(|_, party| !party.is_at_rest(now));
            self.many = MANY.max(self.hosts.len() * 2);
        }
        let options = &self.options;
        self.hosts.entry(name.clone()).or_insert_with(|| Host::new(options))
    }
}

fn shared(addresses: &mut HashMap<IpAddr, Party>, address: IpAddr, delay: Duration) -> &mut Party {
    addresses.entry(address).or_insert_with(|| Party::new(delay, PER_ADDRESS))
}

fn not_asked() -> RobotsVerdict {
    RobotsVerdict::without_rule("not asked (--robots ignore)")
}

impl Host {
    fn new(options: &Options) -> Host {
        Host {
            page: Lane::new(options.delay, 1, options.per_host),
            requisite: Lane::new(options.requisite_delay, BURST, options.requisites_per_host),
            party: Party::new(options.delay, usize::MAX),
            place: Place::Unknown,
            page_times: AnswerTimes::default(),
            requisite_times: AnswerTimes::default(),
        }
    }

    fn lane(&mut self, class: Class) -> &mut Lane {
        match class {
            Class::PageLike => &mut self.page,
            Class::Requisite => &mut self.requisite,
        }
    }

    fn is_at_rest(&self, now: Moment) -> bool {
        self.party.is_at_rest(now) && self.page.rested_at(now) <= now && self.requisite.rested_at(now) <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::exchange::Answer as Received;

    const WALL: Timestamp = Timestamp(1_700_000_000_000);

    fn url(text: &str) -> WebUrl {
        WebUrl::parse(text).unwrap()
    }

    fn answered(url: &WebUrl, head: &str) -> Exchange {
        let mut exchange = Exchange::faulty(url.clone(), WALL, Fault::NoAnswer);
        exchange.fault = None;
        exchange.answer = Some(Received::of(head.as_bytes()));
        exchange
    }

    struct World {
        gate: Gate,
        now: Moment,
    }

    impl World {
        fn new() -> World {
            World { gate: Gate::new(Options::default()), now: Moment(1_000_000_000) }
        }

        fn wall(&self) -> Timestamp {
            WALL.after(self.now.since(Moment(0)))
        }

        /// Every host has an address of its own, which cannot be known.
        fn ask(&mut self, text: &str, class: Class) -> Answer {
            let answer = self.gate.ask(&url(text), class, self.now, self.wall());
            if matches!(answer, Answer::NeedsAddress) {
                self.gate.located(&url(text).origin().host, None, self.now);
                return self.ask(text, class);
            }
            answer
        }

        fn answer(&mut self, permit: &Permit, head: &str, body: &str) -> Heard {
            permit.stamp().set(self.now);
            let exchange = answered(&permit_url(permit), head);
            self.gate.heard(&permit.receipt(), &exchange, body.as_bytes(), self.now, self.wall())
        }

        fn pass(&mut self, seconds: u64) {
            self.now = self.now.after(Duration::from_secs(seconds));
        }

        /// A world in which the robots.txt of h.example is this.
        fn with_robots(file: &str) -> World {
            let mut world = World::new();
            let Answer::NeedsRobots(permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
            assert!(matches!(world.ask("http://h.example/b", Class::PageLike), Answer::Busy));
            world.answer(&permit, "HTTP/1.1 200 OK\r\n\r\n", file);
            world.pass(1);
            world
        }
    }

    fn permit_url(permit: &Permit) -> WebUrl {
        url(&format!("http://{}/x", permit.receipt.host))
    }

    #[test]
    fn robots_come_first_and_forbid() {
        let mut world = World::with_robots("User-agent: *\nDisallow: /private/");
        let Answer::Forbidden(verdict) = world.ask("http://h.example/private/x", Class::PageLike) else { panic!() };
        assert_eq!(verdict.rule, "Disallow: /private/");
        assert!(matches!(world.ask("http://h.example/x", Class::PageLike), Answer::Go(_)));
    }

    #[test]
    fn a_crawl_delay_binds_pages_and_requisites() {
        let mut world = World::with_robots("User-agent: *\nCrawl-delay: 3");
        let Answer::NotBefore(at) = world.ask("http://h.example/x", Class::Requisite) else { panic!() };
        assert_eq!(at, Moment(4_000_000_000));
        world.pass(2);
        let Answer::Go(permit) = world.ask("http://h.example/x", Class::Requisite) else { panic!() };
        assert!(matches!(world.ask("http://h.example/y", Class::PageLike), Answer::Busy));
        world.answer(&permit, "HTTP/1.1 200 OK\r\n\r\n", "");
        world.pass(2);
        assert!(matches!(world.ask("http://h.example/y", Class::PageLike), Answer::NotBefore(_)));
    }

    #[test]
    fn a_503_on_robots_forbids_everything_after_three_attempts() {
        let mut world = World::new();
        for _ in 0..3 {
            world.pass(60);
            let Answer::NeedsRobots(permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
            world.answer(&permit, "HTTP/1.1 503 Busy\r\n\r\n", "");
        }
        assert!(matches!(world.ask("http://h.example/", Class::PageLike), Answer::Unreachable(_)));
    }

    #[test]
    fn a_missing_robots_allows() {
        let mut world = World::new();
        let Answer::NeedsRobots(permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
        let heard = world.answer(&permit, "HTTP/1.1 404 No\r\n\r\n", "");
        assert!(matches!(heard, Heard::RobotsKnown(_, Some(RobotsCopy { status: 404, .. }))));
        world.pass(1);
        assert!(matches!(world.ask("http://h.example/", Class::PageLike), Answer::Go(_)));
    }

    #[test]
    fn robots_redirects_are_followed_five_times() {
        let mut world = World::new();
        let Answer::NeedsRobots(mut permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
        for hop in 1..=5 {
            let heard = world.answer(&permit, "HTTP/1.1 301 Moved\r\nLocation: http://o.example/r\r\n\r\n", "");
            let Heard::RobotsMoved { origin, to, hops } = heard else { panic!("hop {hop}") };
            assert_eq!(hops, hop);
            world.pass(2);
            if hop == 1 {
                assert!(matches!(world.gate.ask_hop(&origin, &to, hops, world.now), Answer::NeedsAddress));
                assert!(matches!(world.gate.ask_hop(&origin, &to, hops, world.now), Answer::Busy));
                world.gate.located(&to.origin().host, None, world.now);
            }
            let Answer::Go(next) = world.gate.ask_hop(&origin, &to, hops, world.now) else { panic!() };
            permit = next;
        }
        let heard = world.answer(&permit, "HTTP/1.1 301 Moved\r\nLocation: /again\r\n\r\n", "");
        assert!(matches!(heard, Heard::RobotsKnown(_, Some(RobotsCopy { status: 404, .. }))));
    }

    #[test]
    fn patience_is_granted_to_the_second() {
        let mut world = World::with_robots("");
        let Answer::Go(permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
        let heard = world.answer(&permit, "HTTP/1.1 429 Slow\r\nRetry-After: 17\r\n\r\n", "");
        assert_eq!(heard, Heard::BackOff(world.wall().after(Duration::from_secs(17))));
        let Answer::NotBefore(at) = world.ask("http://h.example/i.png", Class::Requisite) else { panic!() };
        assert_eq!(at, world.now.after(Duration::from_secs(17)));
    }

    #[test]
    fn names_never_asked_before_wait_for_their_address() {
        let (mut gate, mut now) =
            (Gate::new(Options { robots: RobotsPolicy::Ignore, ..Options::default() }), Moment(1));
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let ask = |gate: &mut Gate, host: &str, now| {
            let url = url(&format!("http://{host}.example/x"));
            let answer = gate.ask(&url, Class::PageLike, now, WALL);
            if matches!(answer, Answer::NeedsAddress) {
                gate.located(&url.origin().host, Some(address), now);
                return gate.ask(&url, Class::PageLike, now, WALL);
            }
            answer
        };
        let Answer::Go(permit) = ask(&mut gate, "a", now) else { panic!() };
        permit.stamp().set(now);
        let mut busy = answered(&permit_url(&permit), "HTTP/1.1 429 Slow\r\nRetry-After: 20\r\n\r\n");
        busy.peer = Some((address, 80).into());
        gate.heard(&permit.receipt(), &busy, b"", now, WALL);
        let clock = gate.clocks(permit.receipt().host(), now, WALL).unwrap().address.unwrap();
        // The next run knows as much.
        let mut next = Gate::new(Options { robots: RobotsPolicy::Ignore, ..Options::default() });
        next.remember_address(&clock, now, WALL);
        for gate in [&mut gate, &mut next] {
            for host in ["b", "c", "d"] {
                let Answer::NotBefore(at) = ask(gate, host, now) else { panic!("{host}") };
                assert!(at >= now.after(Duration::from_secs(20)), "{host}: {at:?}");
            }
        }
        now = now.after(Duration::from_millis(20_020));
        for gate in [&mut gate, &mut next] {
            assert!(matches!(ask(gate, "b", now), Answer::Go(_)));
            assert!(matches!(ask(gate, "c", now), Answer::Busy), "one at a time");
        }
    }

    #[test]
    fn an_answer_that_asks_for_no_patience_is_no_trouble() {
        let mut world = World::with_robots("");
        for asked in ["0", "Wed, 21 Oct 2015 07:28:00 GMT"] {
            let Answer::Go(permit) = world.ask("http://h.example/", Class::PageLike) else { panic!() };
            let heard = world.answer(&permit, &format!("HTTP/1.1 200 OK\r\nRetry-After: {asked}\r\n\r\n"), "");
            assert_eq!((heard, world.gate.delay("h.example")), (Heard::Noted, Duration::from_secs(1)), "{asked}");
            world.pass(1);
        }
    }

    #[test]
    fn a_dead_host_is_given_up_after_three_attempts() {
        let mut world = World::new();
        for _ in 0..3 {
            world.pass(60);
            let Answer::NeedsRobots(permit) = world.ask("http://dead.example/", Class::PageLike) else { panic!() };
            let exchange = Exchange::faulty(permit_url(&permit), WALL, Fault::Connect("connection refused".to_owned()));
            world.gate.heard(&permit.receipt(), &exchange, b"", world.now, WALL);
        }
        let Answer::Unreachable(why) = world.ask("http://dead.example/", Class::PageLike) else { panic!() };
        assert!(why.contains("refused"), "{why}");
    }
}
