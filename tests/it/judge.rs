//! A web of many hosts under one clock: it notes when each request came, and says afterwards whether a host was hurried.
//!
//! One thread looks at all its sockets about once a millisecond, and knows of each request two instants: when it had
//! surely not come, and when it surely had. A rule is broken when it is broken by the kindest pair of these. So the
//! judge is as strict as the machine is idle, and on a busy one it never blames a crawl for its own lateness.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::lantern::pressmark;

/// What the two rules forgive.
const TOLERANCE: Duration = Duration::from_millis(5);
/// Between two looks at all sockets.
const REST: Duration = Duration::from_millis(1);
/// Requisites that may start together.
const BURST: u32 = 4;

/// When something happened, as far as the judge can know; measured from its own beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Then it had happened; requests are put in order by it.
    pub by: Duration,
    /// Then it had not.
    pub after: Duration,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When its first byte came.
    pub at: Span,
    pub host: String,
    pub path: String,
    /// When its answer had been sent.
    pub answered: Option<Duration>,
}

impl Arrival {
    pub fn is_page(&self) -> bool {
        !self.is_requisite() && self.path != "/robots.txt"
    }

    pub fn is_requisite(&self) -> bool {
        self.path.ends_with(".png")
    }

    /// Its answer was on its way before the other one came, or may have been.
    pub fn is_over_before(&self, other: &Arrival) -> bool {
        self.answered.is_some_and(|answered| answered <= other.at.by)
    }
}

/// A connection, by the host that was asked on it first.
#[derive(Clone, Debug)]
struct Connection {
    host: Option<String>,
    opened: Duration,
    /// It was open until then at least.
    closed: Option<Duration>,
}

/// What is asked, and of whom.
pub struct Asked<'a> {
    pub host: &'a str,
    pub path: &'a str,
    /// Requests to this host before this one.
    pub before: usize,
}

/// What is said, and how long it is thought over.
pub struct Reply {
    bytes: Vec<u8>,
    pause: Duration,
}

impl Reply {
    /// An answer with these fields, each with its end of line.
    pub fn new(status: &str, fields: &str, body: &[u8]) -> Reply {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{fields}\r\n", body.len());
        Reply { bytes: [head.as_bytes(), body].concat(), pause: Duration::ZERO }
    }

    /// What the path names: a page with so many images of its own, one of those, or no robots.txt.
    pub fn by_path(path: &str, images: usize) -> Reply {
        if path.ends_with(".png") {
            return Reply::new("200 OK", "Content-Type: image/png\r\n", &image(path));
        }
        let Some(page) = path.strip_suffix(".html") else { return Reply::new("404 Not Found", "", b"") };
        let images: String = (0..images).map(|n| format!("<img src='{page}-{n}.png' alt='view {n}'>")).collect();
        let body = format!(
            "<!doctype html><title>{page}</title><article><h1>{page}</h1>{images}<p>The judge sat by the gate with a \
             clock in her hand and wrote down who came, and when. Nobody who kept to the pace had anything to \
             fear.</article>"
        );
        Reply::new("200 OK", "Content-Type: text/html\r\n", body.as_bytes())
    }

    /// Said after so long.
    pub fn after(self, pause: Duration) -> Reply {
        Reply { pause, ..self }
    }
}

/// A PNG of 32 by 20 and no pixels, and behind its end what makes it different for each path.
fn image(path: &str) -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x20\0\0\0\x14\x08\x02\0\0\0....\0\0\0\0IEND\xaeB`\x82", path.as_bytes()]
        .concat()
}

#[derive(Default)]
struct Log {
    arrivals: Vec<Arrival>,
    connections: Vec<Connection>,
}

/// The server; it ends with the value.
pub struct Judge {
    addresses: Vec<SocketAddr>,
    log: Arc<Mutex<Log>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Judge {
    /// Listens on one port of so many addresses of loopback, and says to everyone what `reply` makes up.
    pub fn sit(addresses: u8, reply: impl Fn(&Asked) -> Reply + Send + 'static) -> Judge {
        let listeners = listen(addresses);
        let addresses = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let (log, over) = (Arc::new(Mutex::new(Log::default())), Arc::new(AtomicBool::new(false)));
        let bench =
            Bench { listeners, lines: Vec::new(), log: log.clone(), start: Instant::now(), counts: BTreeMap::new() };
        let told = over.clone();
        let thread = std::thread::spawn(move || bench.watch(&reply, &told));
        Judge { addresses, log, over, thread: Some(thread) }
    }

    /// `pressmark crawl` of so many pages on each of so many hosts, written down as seeds in `folder`; the archive
    /// stands there too.
    pub fn crawl(&self, folder: &Path, hosts: usize, pages: usize) -> Command {
        let seeds: String = (0..pages)
            .flat_map(|page| (0..hosts).map(move |host| format!("http://{}/page-{page}.html\n", name(host))))
            .collect();
        let list = folder.join("seeds.txt");
        std::fs::write(&list, seeds).unwrap();
        let mut command = pressmark();
        command.arg("crawl").arg(list).arg("--archive").arg(folder.join("archive"));
        command.args(["--quiet", "--contact", "test@judge.example"]);
        self.resolve(&mut command, 0..hosts);
        command
    }

    /// Lets the crawl find these hosts here.
    pub fn resolve(&self, command: &mut Command, hosts: Range<usize>) {
        for host in hosts {
            let address = self.addresses[host % self.addresses.len()];
            command.arg("--resolve").arg(format!("{}:80:{address}", name(host)));
        }
    }

    /// The requests so far, in the order they came.
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut arrivals = self.log().arrivals.clone();
        arrivals.sort_by_key(|arrival| arrival.at);
        arrivals
    }

    /// Waits until so many requests have come.
    pub fn await_arrivals(&self, count: usize) {
        let since = Instant::now();
        while self.log().arrivals.len() < count {
            assert!(since.elapsed() < Duration::from_secs(60), "{count} requests do not come");
            std::thread::sleep(REST);
        }
    }

    /// The most connections that stood open at a time, over all hosts: of the one that had most.
    pub fn most_connections(&self) -> usize {
        let mut stays: BTreeMap<String, Vec<(Duration, Option<Duration>)>> = BTreeMap::new();
        for connection in &self.log().connections {
            let Some(host) = &connection.host else { continue };
            stays.entry(host.clone()).or_default().push((connection.opened, connection.closed));
        }
        stays.into_values().map(most_at_a_time).max().unwrap_or_default()
    }

    /// The two rules, over everything that came: pages never closer than the gap, and no more than a burst of
    /// requisites and their share in any time.
    #[must_use]
    pub fn hurried(&self, gap: Duration, requisite_gap: Duration) -> Vec<String> {
        let mut lanes: BTreeMap<(String, bool), Vec<Arrival>> = BTreeMap::new();
        for arrival in self.arrivals() {
            lanes.entry((arrival.host.clone(), arrival.is_requisite())).or_default().push(arrival);
        }
        let of_lane = |((_, is_requisite), lane): ((String, bool), Vec<Arrival>)| match is_requisite {
            true => crowded(&lane, requisite_gap, BURST),
            false => crowded(&lane, gap, 1),
        };
        lanes.into_iter().filter_map(of_lane).collect()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap()
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its panic has been printed; the test fails by what is missing.
            let _ = thread.join();
        }
    }
}

/// The host of that number.
pub fn name(host: usize) -> String {
    format!("h{host}.judge.example")
}

/// The worst time with more than `burst` + *t* ÷ `gap` of these requests in it.
pub fn crowded(lane: &[Arrival], gap: Duration, burst: u32) -> Option<String> {
    let mut worst: Option<(Duration, String)> = None;
    for (i, first) in lane.iter().enumerate() {
        for (j, last) in lane.iter().enumerate().skip(i + burst as usize) {
            let least = gap * (j - i + 1 - burst as usize) as u32;
            let most = last.at.by.saturating_sub(first.at.after) + TOLERANCE;
            if most < least && worst.as_ref().is_none_or(|(short, _)| least - most > *short) {
                let (count, time) = (j - i + 1, most - TOLERANCE);
                let text = format!("{}: {count} in {time:?}, {} to {}, gap {gap:?}", first.host, first.path, last.path);
                worst = Some((least - most, text));
            }
        }
    }
    worst.map(|(_, text)| text)
}

/// The most of these requests that waited for their answer at a time.
pub fn in_the_air<'a>(arrivals: impl IntoIterator<Item = &'a Arrival>) -> usize {
    most_at_a_time(arrivals.into_iter().map(|arrival| (arrival.at.by, arrival.answered)))
}

/// The most that were there at a time: each came then, and went then or never. Who goes makes room for who comes.
fn most_at_a_time(stays: impl IntoIterator<Item = (Duration, Option<Duration>)>) -> usize {
    let stays = stays.into_iter().map(|(came, went)| (came, went.unwrap_or(Duration::MAX)));
    let mut steps: Vec<(Duration, isize)> =
        stays.filter(|(came, went)| came < went).flat_map(|(came, went)| [(came, 1), (went, -1)]).collect();
    steps.sort_unstable();
    let there = steps.iter().scan(0, |there, (_, step)| {
        *there += step;
        Some(*there)
    });
    there.max().unwrap_or_default() as usize
}

/// One free port on 127.0.0.1 and as many addresses after it as are wanted.
fn listen(addresses: u8) -> Vec<TcpListener> {
    let on = |last: u8, port: u16| TcpListener::bind(SocketAddr::from(([127, 0, 0, last], port)));
    for _ in 0..50 {
        let first = on(1, 0).unwrap();
        let port = first.local_addr().unwrap().port();
        // Somebody may have that port on another address.
        let others: Result<Vec<TcpListener>, _> = (2..=addresses).map(|last| on(last, port)).collect();
        let Ok(others) = others else { continue };
        let all: Vec<TcpListener> = [first].into_iter().chain(others).collect();
        all.iter().for_each(|listener| listener.set_nonblocking(true).unwrap());
        return all;
    }
    panic!("no port is free on {addresses} addresses")
}

/// What the judge's thread holds.
struct Bench {
    listeners: Vec<TcpListener>,
    lines: Vec<Line>,
    log: Arc<Mutex<Log>>,
    start: Instant,
    /// Requests of each host.
    counts: BTreeMap<String, usize>,
}

/// A connection that is open.
struct Line {
    stream: TcpStream,
    /// Its number in the log.
    number: usize,
    /// Nothing was there to be read then, or had been read.
    looked: Duration,
    head: Vec<u8>,
    /// When the head's first byte came.
    began: Option<Span>,
    /// What will be said when, in answer to which arrival.
    reply: Option<(Duration, Vec<u8>, usize)>,
    open: bool,
}

impl Bench {
    fn watch(mut self, reply: &dyn Fn(&Asked) -> Reply, over: &AtomicBool) {
        let mut looked = Duration::ZERO;
        while !over.load(Ordering::Relaxed) {
            let now = self.start.elapsed();
            self.accept(looked);
            looked = now;
            let mut lines = std::mem::take(&mut self.lines);
            for line in &mut lines {
                self.read(line, reply);
                self.say(line);
            }
            lines.retain(|line| line.open);
            self.lines = lines;
            std::thread::sleep(REST);
        }
    }

    /// Whoever knocked since `looked`.
    fn accept(&mut self, looked: Duration) {
        for listener in &self.listeners {
            while let Ok((stream, _)) = listener.accept() {
                stream.set_nonblocking(true).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut log = self.log.lock().unwrap();
                let number = log.connections.len();
                log.connections.push(Connection { host: None, opened: self.start.elapsed(), closed: None });
                self.lines.push(Line {
                    stream,
                    number,
                    looked,
                    head: Vec::new(),
                    began: None,
                    reply: None,
                    open: true,
                });
            }
        }
    }

    fn read(&mut self, line: &mut Line, reply: &dyn Fn(&Asked) -> Reply) {
        let (after, looked) = (line.looked, self.start.elapsed());
        let mut piece = [0; 4096];
        match line.stream.read(&mut piece) {
            Ok(count) if count > 0 => {
                line.head.extend_from_slice(&piece[..count]);
                let by = self.start.elapsed();
                line.began.get_or_insert(Span { by, after });
                if line.head.ends_with(b"\r\n\r\n") {
                    self.note(line, reply);
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // Closed or broken, at some time after the last look.
            _ => {
                line.open = false;
                self.log.lock().unwrap().connections[line.number].closed = Some(after);
            }
        }
        line.looked = looked;
    }

    fn note(&mut self, line: &mut Line, reply: &dyn Fn(&Asked) -> Reply) {
        let head = String::from_utf8(std::mem::take(&mut line.head)).unwrap();
        let at = line.began.take().unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        let of_field = |row: &str| row.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned);
        let host = head.lines().find_map(of_field).unwrap();
        let count = self.counts.entry(host.clone()).or_default();
        let said = reply(&Asked { host: &host, path: &path, before: *count });
        *count += 1;
        let mut log = self.log.lock().unwrap();
        log.connections[line.number].host.get_or_insert(host.clone());
        line.reply = Some((self.start.elapsed() + said.pause, said.bytes, log.arrivals.len()));
        log.arrivals.push(Arrival { at, host, path, answered: None });
    }

    fn say(&self, line: &mut Line) {
        let Some((_, bytes, arrival)) = line.reply.take_if(|(due, ..)| *due <= self.start.elapsed()) else { return };
        // A client that is gone does not mind.
        if line.open && line.stream.write_all(&bytes).is_ok() {
            self.log.lock().unwrap().arrivals[arrival].answered = Some(self.start.elapsed());
        }
    }
}
