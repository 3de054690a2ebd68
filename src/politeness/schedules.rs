//! The gate under every schedule: hosts that share addresses, slow connections, servers that have enough, a machine
//! that sleeps. Time is a number here; what is checked is what the servers would see.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use proptest::prelude::*;

use super::party::{ROW, TROUBLE_LASTS};
use super::{Answer, Gate, Options, Receipt, RobotsPolicy};
use crate::web::candidate::Class;
use crate::web::exchange::{Answer as Received, Exchange, Fault, Times};
use crate::web::time::{Moment, Stamp, Timestamp};
use crate::web::url::WebUrl;

const MS: u64 = 1_000_000;
/// So many that one address may have more requests than it may be asked at a time.
const HOSTS: usize = 9;
const WALL: Timestamp = Timestamp(1_780_000_000_000);

/// One request that is wanted, and what its server will do.
#[derive(Clone, Debug)]
struct Wanted {
    host: usize,
    class: Class,
    connect_ms: u64,
    answer_ms: u64,
    says: Says,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Says {
    Fine,
    Later(Option<u64>),
    Nothing,
}

#[derive(Clone, Debug)]
struct World {
    /// The address of each host.
    addresses: Vec<usize>,
    delay_ms: u64,
    per_host: usize,
    requisites_per_host: usize,
    wanted: Vec<Wanted>,
    /// The machine sleeps for so many hours after so many answers.
    sleep: (usize, u64),
}

/// What a server saw, and what it said.
#[derive(Clone, Debug)]
struct Seen {
    host: usize,
    address: usize,
    class: Class,
    granted: u64,
    written: u64,
    over: u64,
    says: Says,
}

struct Flight {
    receipt: Receipt,
    stamp: Stamp,
    wanted: Wanted,
    granted: u64,
}

impl Flight {
    fn written(&self) -> u64 {
        self.granted + self.wanted.connect_ms * MS
    }

    fn over(&self) -> u64 {
        self.written() + self.wanted.answer_ms * MS
    }
}

impl World {
    fn options(&self) -> Options {
        Options {
            delay: Duration::from_millis(self.delay_ms),
            requisite_delay: Duration::from_millis(self.delay_ms) / 5,
            per_host: self.per_host,
            requisites_per_host: self.requisites_per_host,
            robots: RobotsPolicy::Ignore,
            ..Options::default()
        }
    }

    /// Runs until everything wanted is over; returns what was seen, in the order it was heard.
    fn run(&self) -> Vec<Seen> {
        let mut gate = Gate::new(self.options());
        let mut queues: HashMap<(usize, Class), VecDeque<Wanted>> = HashMap::new();
        for wanted in &self.wanted {
            queues.entry((wanted.host, wanted.class)).or_default().push_back(wanted.clone());
        }
        let (mut now, mut air, mut seen) = (Moment(1), Vec::<Flight>::new(), Vec::new());
        while seen.len() < self.wanted.len() {
            let mut next = u64::MAX;
            for (key, queue) in &mut queues {
                while let Some(wanted) = queue.front() {
                    match gate.ask(&url(wanted.host), key.1, now, WALL) {
                        Answer::Go(permit) => {
                            let (receipt, stamp) = (permit.receipt(), permit.stamp().clone());
                            let flight = Flight { receipt, stamp, wanted: wanted.clone(), granted: now.0 };
                            if flight.written() <= now.0 {
                                flight.stamp.set(now);
                            }
                            air.push(flight);
                            queue.pop_front();
                        }
                        Answer::NotBefore(at) => {
                            assert!(at > now, "an instant that has passed");
                            next = next.min(at.0);
                            break;
                        }
                        Answer::Busy => break,
                        Answer::NeedsAddress => {
                            gate.located(&url(wanted.host).origin().host, Some(self.address(wanted.host).ip()), now);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            let soonest = |flight: &Flight| if flight.written() > now.0 { flight.written() } else { flight.over() };
            let next = air.iter().map(soonest).min().unwrap_or(u64::MAX).min(next);
            assert!(next < u64::MAX, "nothing is going on, and something is wanted");
            now = Moment(next.max(now.0 + 1));
            for flight in &air {
                if flight.written() <= now.0 {
                    flight.stamp.set(Moment(flight.written()));
                }
            }
            let (over, rest) = air.into_iter().partition(|flight| flight.over() <= now.0);
            air = rest;
            for flight in over {
                gate.heard(&flight.receipt, &self.exchange(&flight.wanted), b"", now, WALL);
                gate.freed(&flight.receipt);
                seen.push(self.seen(&flight, now));
                if seen.len() == self.sleep.0 {
                    now = now.after(Duration::from_secs(3600 * self.sleep.1));
                }
            }
        }
        seen
    }

    fn seen(&self, flight: &Flight, now: Moment) -> Seen {
        let Wanted { host, class, says, .. } = flight.wanted;
        let (granted, written) = (flight.granted, flight.written());
        Seen { host, address: self.addresses[host], class, granted, written, over: now.0, says }
    }

    fn address(&self, host: usize) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::new(192, 0, 2, u8::try_from(self.addresses[host]).unwrap()), 80))
    }

    fn exchange(&self, wanted: &Wanted) -> Exchange {
        let mut exchange = Exchange::faulty(url(wanted.host), WALL, Fault::NoAnswer);
        exchange.peer = Some(self.address(wanted.host));
        let sent = Duration::from_millis(wanted.connect_ms);
        let end = sent + Duration::from_millis(wanted.answer_ms);
        exchange.times = Times { sent: Some(sent), first: Some(end), end: Some(end), ..Times::default() };
        let head = match wanted.says {
            Says::Fine => "HTTP/1.1 200 OK\r\n\r\n".to_owned(),
            Says::Later(None) => "HTTP/1.1 503 Busy\r\n\r\n".to_owned(),
            Says::Later(Some(seconds)) => format!("HTTP/1.1 429 Slow\r\nRetry-After: {seconds}\r\n\r\n"),
            Says::Nothing => return exchange,
        };
        exchange.fault = None;
        exchange.answer = Some(Received::of(head.as_bytes()));
        exchange
    }

    fn check(&self, seen: &[Seen]) {
        let gap = self.delay_ms * MS;
        for host in 0..self.addresses.len() {
            let mine: Vec<&Seen> = seen.iter().filter(|seen| seen.host == host).collect();
            let starts = |class: Class| {
                let mut starts: Vec<u64> = mine.iter().filter(|s| s.class == class).map(|s| s.written).collect();
                starts.sort_unstable();
                starts
            };
            for pair in starts(Class::PageLike).windows(2) {
                assert!(pair[1] - pair[0] >= gap, "pages {} ms apart", (pair[1] - pair[0]) / MS);
            }
            let requisites = starts(Class::Requisite);
            for (i, from) in requisites.iter().enumerate() {
                for (j, to) in requisites.iter().enumerate().skip(i) {
                    let most = 4 + (to - from) / (gap / 5);
                    assert!((j - i + 1) as u64 <= most, "{} starts in {} ms", j - i + 1, (to - from) / MS);
                }
            }
            for (class, most) in [(Class::PageLike, self.per_host), (Class::Requisite, self.requisites_per_host)] {
                for one in mine.iter().filter(|seen| seen.class == class) {
                    let during = |other: &&&Seen| {
                        other.class == class && other.granted <= one.granted && other.over > one.granted
                    };
                    assert!(mine.iter().filter(during).count() <= most, "more than {most} connections");
                }
            }
        }
        for (at, trouble) in seen.iter().enumerate() {
            let Says::Later(asked) = trouble.says else { continue };
            let wait = asked.unwrap_or(5) * 1000 * MS;
            let is_news =
                !seen[..at].iter().any(|seen| seen.host == trouble.host && matches!(seen.says, Says::Later(_)));
            // Only after so many good answers, or in so much peace, may a party be calm again.
            let heard: Vec<&Seen> = seen[at + 1..].iter().filter(|seen| seen.address == trouble.address).collect();
            let last = heard.get(ROW as usize - 1).map_or(u64::MAX, |seen| seen.over);
            let last = last.min(Moment(trouble.over).after(TROUBLE_LASTS).0);
            let after = |seen: &&Seen| seen.granted >= trouble.over && seen.granted < last;
            for one in seen.iter().filter(after) {
                if one.address == trouble.address {
                    let until = match one.host == trouble.host {
                        true => trouble.over + wait,
                        false if is_news => trouble.over + wait.min(60_000 * MS),
                        false => 0,
                    };
                    assert!(one.granted >= until, "asked {} ms too soon", (until - one.granted) / MS);
                    let beside = |other: &&Seen| {
                        let is_it = std::ptr::eq(*other, one);
                        !is_it
                            && other.address == one.address
                            && other.granted <= one.granted
                            && other.over > one.granted
                    };
                    let other = seen.iter().find(beside);
                    assert!(other.is_none(), "two at a time: {one:?} and {other:?} after {trouble:?}");
                }
            }
        }
        for one in seen {
            let during = |other: &&Seen| {
                other.address == one.address && other.granted <= one.granted && other.over > one.granted
            };
            assert!(seen.iter().filter(during).count() <= 16, "more than 16 connections to an address");
        }
    }
}

fn url(host: usize) -> WebUrl {
    WebUrl::parse(&format!("http://h{host}.example/x")).unwrap()
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let says = prop_oneof![
        12 => Just(Says::Fine),
        1 => Just(Says::Later(None)),
        1 => (0u64..40).prop_map(|seconds| Says::Later(Some(seconds))),
        1 => Just(Says::Nothing),
    ];
    let class = prop_oneof![Just(Class::PageLike), Just(Class::Requisite)];
    (0usize..HOSTS, class, 0u64..300, 1u64..2500, says).prop_map(|(host, class, connect_ms, answer_ms, says)| {
        // What says nothing has not been connected to either.
        Wanted { host, class, connect_ms, answer_ms, says }
    })
}

fn world() -> impl Strategy<Value = World> {
    let wanted = proptest::collection::vec(wanted(), 1..120);
    (proptest::collection::vec(0usize..3, HOSTS), 50u64..1500, 1usize..3, 1usize..4, wanted, (0usize..40, 0u64..9))
        .prop_map(|(addresses, delay_ms, per_host, requisites_per_host, wanted, sleep)| World {
            addresses,
            // Divisible, so that the fifth of it is exact.
            delay_ms: delay_ms / 5 * 5,
            per_host,
            requisites_per_host,
            wanted,
            sleep,
        })
}

proptest! {
    #[test]
    fn for_every_schedule_the_two_rules_hold(world in world()) {
        world.check(&world.run());
    }
}

#[test]
fn it_is_not_slower_than_it_may_be() {
    let page =
        |n: usize| Wanted { host: n % 5, class: Class::PageLike, connect_ms: 0, answer_ms: 20, says: Says::Fine };
    let world = World {
        addresses: vec![0; HOSTS],
        delay_ms: 1000,
        per_host: 1,
        requisites_per_host: 2,
        wanted: (0..500).map(page).collect(),
        sleep: (0, 0),
    };
    let last = world.run().iter().map(|seen| seen.written).max().unwrap();
    assert!(last <= 99 * 1000 * MS + MS, "{} ms for 100 pages a host", last / MS);
}

#[test]
fn a_slow_host_is_spared_and_recovers() {
    let page = |answer_ms| Wanted { host: 0, class: Class::PageLike, connect_ms: 0, answer_ms, says: Says::Fine };
    let mut wanted = vec![page(300); 6];
    wanted.extend(vec![page(900); 10]);
    wanted.extend(vec![page(300); 120]);
    let world =
        World { addresses: vec![0; HOSTS], delay_ms: 1000, per_host: 2, requisites_per_host: 2, wanted, sleep: (0, 0) };
    let seen = world.run();
    let gaps: Vec<u64> = seen.windows(2).map(|pair| (pair[1].written - pair[0].written) / MS).collect();
    assert!(gaps.iter().all(|gap| *gap >= 1000), "{gaps:?}");
    assert_eq!(gaps.last(), Some(&1000), "recovered: {gaps:?}");
}

#[test]
fn many_hosts_take_little_memory_and_are_let_go() {
    let mut gate = Gate::new(Options { robots: RobotsPolicy::Ignore, ..Options::default() });
    let mut now = Moment(1);
    for host in 0..20_000 {
        let Answer::NeedsAddress = gate.ask(&url(host), Class::PageLike, now, WALL) else { panic!() };
        let address = Ipv4Addr::from(0xc000_0200 + u32::try_from(host).unwrap());
        gate.located(&url(host).origin().host, Some(address.into()), now);
        let Answer::Go(permit) = gate.ask(&url(host), Class::PageLike, now, WALL) else { panic!() };
        permit.stamp().set(now);
        let mut exchange = Exchange::faulty(url(host), WALL, Fault::NoAnswer);
        exchange.fault = None;
        exchange.answer = Some(Received::of(b"HTTP/1.1 200 OK\r\n\r\n"));
        now = now.after(Duration::from_millis(10));
        gate.heard(&permit.receipt(), &exchange, b"", now, WALL);
    }
    assert!(gate.known() < 10_000, "{} hosts are remembered", gate.known());
}
