//! The gate: one question per URL, one lesson per exchange. See the module's head.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::pace::{BURST, Lane, Turn};
use super::robots::{Robots, Verdict};
use crate::web::candidate::Class;
use crate::web::exchange::{Exchange, Fault};
use crate::web::time::{Moment, Stamp, Timestamp};
use crate::web::url::{Origin, WebUrl};

/// A copy of robots.txt is good for so long (RFC 9309, 2.4).
const ROBOTS_FRESH: Duration = Duration::from_secs(24 * 3600);
/// While the host cannot be reached, an older copy serves for so long (RFC 9309, 2.3.1.4).
const ROBOTS_STALE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Redirects of robots.txt that are followed (RFC 9309, 2.3.1.2).
const ROBOTS_HOPS: u8 = 5;
/// Attempts at a host that cannot be reached, or at its robots.txt, before it is given up for this run.
const ATTEMPTS: u32 = 3;
/// The wait after the first failed attempt; each further one waits four times as long.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A server that only says 429 or 503 is left alone for this long at first, doubling each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(5);
/// No server keeps its host from the crawl for longer than this at a time, whatever it asks for.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(24 * 3600);
/// Answer times are compared with the mean of the first so many.
const BASELINE: u32 = 4;
/// Answers faster than this are never called slow.
const SLOW: Duration = Duration::from_millis(500);

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
    /// Its origin's rules are not known: fetch them with this permit first.
    NeedsRobots(Permit),
    /// robots.txt forbids it.
    Forbidden(Verdict),
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
    lane: Class,
    purpose: Purpose,
    stamp: Stamp,
}

#[derive(Clone, Debug)]
enum Purpose {
    Fetch,
    /// robots.txt of that origin, after so many redirects.
    Robots(Origin, u8),
}

impl Receipt {
    /// The host that was asked.
    pub fn host(&self) -> &Arc<str> {
        &self.host
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
        let purpose = Purpose::Fetch;
        Permit { receipt: Receipt { host: "".into(), lane: Class::PageLike, purpose, stamp: Stamp::default() } }
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
    /// The server asked for patience, until then.
    BackOff(Timestamp),
}

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

/// What of a host's clocks must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostClock {
    /// The host.
    pub host: Arc<str>,
    /// No page-like request before.
    pub page_next: Timestamp,
    /// No requisite before.
    pub requisite_next: Timestamp,
}

struct Host {
    page: Lane,
    requisite: Lane,
    /// One clock and one connection for everything, for the rest of the run.
    single: bool,
    back_offs: u32,
    answers: u32,
    baseline: Duration,
    recent: Duration,
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

enum Rules {
    /// In the air.
    Asked,
    /// Not to be asked for before.
    Retry(Moment),
    Known {
        robots: Robots,
        until: Timestamp,
    },
    /// Could not be had: nothing may be fetched.
    Unreachable(String),
}

/// May it be fetched now?
pub struct Gate {
    options: Options,
    hosts: HashMap<Arc<str>, Host>,
    reach: HashMap<Origin, Reach>,
    rules: HashMap<Origin, Rules>,
    old_copies: HashMap<Origin, RobotsCopy>,
    robots_attempts: HashMap<Origin, u32>,
}

impl Gate {
    /// A gate that knows nobody yet.
    pub fn new(options: Options) -> Gate {
        Gate {
            options,
            hosts: HashMap::new(),
            reach: HashMap::new(),
            rules: HashMap::new(),
            old_copies: HashMap::new(),
            robots_attempts: HashMap::new(),
        }
    }

    /// Takes up a stored clock, so that a restart does not hurry.
    pub fn remember_host(&mut self, clock: &HostClock, page: Moment, requisite: Moment) {
        let host = self.host(&clock.host);
        host.page.hold_until(page);
        host.requisite.hold_until(requisite);
    }

    /// Takes up a stored robots.txt: it holds while it is fresh, and serves later while the host is unreachable.
    pub fn remember_robots(&mut self, origin: Origin, copy: RobotsCopy, wall: Timestamp) {
        if wall.since(copy.fetched) < ROBOTS_FRESH {
            self.know(&origin, &copy, copy.fetched.after(ROBOTS_FRESH));
        }
        self.old_copies.insert(origin, copy);
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
            return self.turn(&origin.host, class, Purpose::Fetch, now);
        }
        match self.rules.get(&origin) {
            Some(Rules::Asked) => Answer::Busy,
            Some(Rules::Unreachable(reason)) => Answer::Unreachable(reason.clone()),
            Some(Rules::Retry(at)) if *at > now => Answer::NotBefore(*at),
            Some(Rules::Known { robots, until }) if *until > wall => {
                let verdict = robots.verdict(url.path_and_query());
                if !verdict.allowed {
                    return Answer::Forbidden(verdict);
                }
                self.turn(&origin.host, class, Purpose::Fetch, now)
            }
            _ => self.ask_robots(&origin, now),
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
                self.rules.insert(origin.clone(), Rules::Asked);
                Answer::NeedsRobots(permit)
            }
            other => other,
        }
    }

    fn turn(&mut self, name: &Arc<str>, class: Class, purpose: Purpose, now: Moment) -> Answer {
        let stamp = Stamp::default();
        let host = self.host(name);
        let class = if host.single { Class::PageLike } else { class };
        if host.single && host.page.in_air() + host.requisite.in_air() > 0 {
            return Answer::Busy;
        }
        match host.lane(class).turn(now, &stamp) {
            Turn::Now => Answer::Go(Permit { receipt: Receipt { host: name.clone(), lane: class, purpose, stamp } }),
            Turn::NotBefore(at) => Answer::NotBefore(at),
            Turn::Busy => Answer::Busy,
        }
    }

    /// The permit was not used after all: our own side failed before anything was sent.
    pub fn returned(&mut self, receipt: &Receipt, now: Moment) {
        self.host(&receipt.host).lane(receipt.lane).over(now, &receipt.stamp, Duration::ZERO);
        if let Purpose::Robots(origin, _) = &receipt.purpose {
            self.rules.insert(origin.clone(), Rules::Retry(now.after(FIRST_RETRY)));
        }
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
        let host = self.host(&receipt.host);
        host.lane(receipt.lane).over(now, &receipt.stamp, exchange.took());
        host.note_pace(exchange);
        let patience = patience(exchange, wall);
        let back_off = patience.map(|asked| host.back_off(asked, now));
        self.reach.entry(exchange.url.origin()).or_default().note(exchange, now);
        match &receipt.purpose {
            Purpose::Fetch => back_off.map_or(Heard::Noted, |wait| Heard::BackOff(wall.after(wait))),
            Purpose::Robots(origin, hops) => self.heard_robots(&origin.clone(), *hops, exchange, body, now, wall),
        }
    }

    fn heard_robots(
        &mut self,
        origin: &Origin,
        hops: u8,
        exchange: &Exchange,
        body: &[u8],
        now: Moment,
        wall: Timestamp,
    ) -> Heard {
        let status = exchange.status();
        match (&exchange.fault, status) {
            // A file that was cut by the cap is longer than is parsed; any other half answer is none.
            (None | Some(Fault::Cap), Some(status @ 200..=299)) => {
                let bytes = body[..body.len().min(robotxt::BYTE_LIMIT)].to_vec();
                self.learn(origin, RobotsCopy { fetched: wall, status, bytes })
            }
            (None, Some(300..=399)) => match redirect(exchange) {
                Some(to) if hops < ROBOTS_HOPS => Heard::RobotsMoved { origin: origin.clone(), to, hops: hops + 1 },
                // RFC 9309, 2.3.1.2: more than five may be taken as unavailable.
                _ => self.learn(origin, RobotsCopy { fetched: wall, status: 404, bytes: Vec::new() }),
            },
            (None, Some(status @ (400..=428 | 430..=499))) => {
                self.learn(origin, RobotsCopy { fetched: wall, status, bytes: Vec::new() })
            }
            _ => self.robots_unreachable(origin, exchange, now, wall),
        }
    }

    fn learn(&mut self, origin: &Origin, copy: RobotsCopy) -> Heard {
        self.know(origin, &copy, copy.fetched.after(ROBOTS_FRESH));
        Heard::RobotsKnown(origin.clone(), Some(copy))
    }

    fn know(&mut self, origin: &Origin, copy: &RobotsCopy, until: Timestamp) {
        let robots = match copy.status {
            200..=299 => Robots::read(&copy.bytes, &self.options.agent),
            _ => Robots::allow_all(),
        };
        if let Some(delay) = robots.crawl_delay {
            self.host(&origin.host).crawl_delay(delay);
        }
        self.rules.insert(origin.clone(), Rules::Known { robots, until });
    }

    fn robots_unreachable(&mut self, origin: &Origin, exchange: &Exchange, now: Moment, wall: Timestamp) -> Heard {
        let why = match (&exchange.fault, exchange.status()) {
            (Some(fault), _) => fault.to_string(),
            (None, Some(status)) => format!("robots.txt answered {status}, so nothing may be fetched"),
            (None, None) => "robots.txt got no readable answer, so nothing may be fetched".to_owned(),
        };
        if let Some(copy) = self.old_copies.get(origin).filter(|copy| wall.since(copy.fetched) < ROBOTS_STALE) {
            let copy = copy.clone();
            self.know(origin, &copy, wall.after(ROBOTS_FRESH));
            return Heard::RobotsKnown(origin.clone(), None);
        }
        let attempts = self.robots_attempts.entry(origin.clone()).or_default();
        *attempts += 1;
        let attempts = *attempts;
        let is_dead = self.reach.get(origin).is_some_and(|reach| reach.dead.is_some());
        let is_final = exchange.fault.as_ref().is_some_and(Fault::is_final);
        let rules = if attempts >= ATTEMPTS || is_dead || is_final {
            Rules::Unreachable(why)
        } else {
            Rules::Retry(now.after(retry_wait(attempts)))
        };
        self.rules.insert(origin.clone(), rules);
        Heard::RobotsKnown(origin.clone(), None)
    }

    /// What robots.txt says of a URL, as far as it is known.
    pub fn verdict(&self, url: &WebUrl) -> Option<Verdict> {
        match self.rules.get(&url.origin()) {
            Some(Rules::Known { robots, .. }) => Some(robots.verdict(url.path_and_query())),
            _ => None,
        }
    }

    /// The gap between page-like starts on this host now.
    pub fn delay(&self, host: &str) -> Duration {
        self.hosts.get(host).map_or(self.options.delay, |host| host.page.gap())
    }

    /// What must survive a restart, in wall time.
    pub fn clock(&self, name: &Arc<str>, now: Moment, wall: Timestamp) -> Option<HostClock> {
        let host = self.hosts.get(name)?;
        let at = |moment: Moment| wall.after(moment.since(now));
        Some(HostClock {
            host: name.clone(),
            page_next: at(host.page.rested_at(now)),
            requisite_next: at(host.requisite.rested_at(now)),
        })
    }

    fn host(&mut self, name: &Arc<str>) -> &mut Host {
        let options = &self.options;
        self.hosts.entry(name.clone()).or_insert_with(|| Host::new(options))
    }
}

impl Reach {
    /// An origin that cannot be reached is tried a few times, ever more rarely, and then given up for this run.
    fn note(&mut self, exchange: &Exchange, now: Moment) {
        match &exchange.fault {
            Some(fault @ Fault::Forbidden(_)) => self.dead = Some(fault.clone()),
            Some(fault) if fault.is_unreachable() => {
                self.failures += 1;
                self.not_before = now.after(retry_wait(self.failures));
                self.dead = Some(fault.clone()).filter(|fault| fault.is_final() || self.failures >= ATTEMPTS);
            }
            _ if exchange.answer.is_some() => self.failures = 0,
            _ => {}
        }
    }
}

impl Host {
    fn new(options: &Options) -> Host {
        Host {
            page: Lane::new(options.delay, 1, options.per_host),
            requisite: Lane::new(options.requisite_delay, BURST, options.requisites_per_host),
            single: false,
            back_offs: 0,
            answers: 0,
            baseline: Duration::ZERO,
            recent: Duration::ZERO,
        }
    }

    fn lane(&mut self, class: Class) -> &mut Lane {
        match class {
            Class::PageLike => &mut self.page,
            Class::Requisite => &mut self.requisite,
        }
    }

    fn crawl_delay(&mut self, delay: Duration) {
        self.single = true;
        self.page.slow_to(delay);
    }

    /// Answer times that double put the host on one clock and one connection.
    fn note_pace(&mut self, exchange: &Exchange) {
        if exchange.answer.is_none() {
            return;
        }
        let took = exchange.times.first.unwrap_or_default().saturating_sub(exchange.times.sent.unwrap_or_default());
        self.answers += 1;
        if self.answers <= BASELINE {
            self.baseline += took / BASELINE;
            self.recent = self.baseline;
            return;
        }
        self.recent = (self.recent * 3 + took) / 4;
        if self.recent > self.baseline * 2 && self.recent > SLOW {
            self.single = true;
        }
    }

    /// The server asked for patience; how long it gets.
    fn back_off(&mut self, asked: Option<Duration>, now: Moment) -> Duration {
        self.single = true;
        let own = FIRST_BACK_OFF * 2u32.saturating_pow(self.back_offs.min(12));
        self.back_offs += 1;
        let wait = asked.unwrap_or(own).min(LONGEST_BACK_OFF);
        self.page.hold_until(now.after(wait));
        self.requisite.hold_until(now.after(wait));
        wait
    }
}

/// Two seconds, then eight, then half a minute, …
fn retry_wait(failures: u32) -> Duration {
    FIRST_RETRY * 4u32.saturating_pow(failures.saturating_sub(1).min(6))
}

/// Whether an answer asks for patience, and for how much (RFC 9110, 10.2.3: seconds or a date). Nonsense asks for none
/// in particular.
fn patience(exchange: &Exchange, wall: Timestamp) -> Option<Option<Duration>> {
    let head = exchange.answer.as_ref()?.read_head();
    let asked = head.field("retry-after").map(|value| match value.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Timestamp::from_http(&value).map(|date| date.since(wall)),
    });
    match (head.status, asked) {
        (429 | 503, asked) => Some(asked.flatten()),
        // With a redirect or another answer it counts only when it can be read.
        (_, Some(Some(wait))) => Some(Some(wait)),
        _ => None,
    }
}

fn redirect(exchange: &Exchange) -> Option<WebUrl> {
    let location = exchange.answer.as_ref()?.read_head().field("location")?;
    exchange.url.join(&location, None).ok()
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

        fn ask(&mut self, text: &str, class: Class) -> Answer {
            self.gate.ask(&url(text), class, self.now, self.wall())
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
        assert_eq!(verdict.rule.as_deref(), Some("Disallow: /private/"));
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
