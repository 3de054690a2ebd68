//! The network door, between reqwest and servers that do as they like: every answer is the one that was asked for,
//! byte for byte, nothing is sent twice or unasked, and each way to fail has its name.
//!
//! `PRESSMARK_DOOR_REQUESTS` raises the number of requests of the long test, `PRESSMARK_SEED` makes them others.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use pressmark::fetch::{self, Fetcher, Request, Transport};
use pressmark::politeness::Permit;
use pressmark::web::candidate::Role;
use pressmark::web::exchange::{Answer, Body, Exchange, Fault, Validators};
use pressmark::web::time::{Clock, Stamp, SystemClock};
use pressmark::web::url::WebUrl;
use pressmark::wire::{Door, Options, Resolve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::origin::{Authority, Line, Origin, self_signed};

// -------------------------------------------------------------------------------------------- many, and all at once

/// Requests of the long test, unless the environment says otherwise.
const REQUESTS: u64 = 20_000;
/// Origins of the long test, every second one behind TLS.
const ORIGINS: u64 = 20;
/// Exchanges in the air at once.
const AT_ONCE: usize = 96;
/// Exchanges that are cut together while the others go on.
const HELD: u64 = 64;
/// Bytes of a held answer that are sent.
const HELD_LEN: usize = 2_000;

#[test]
fn among_twenty_thousand_exchanges_none_gets_a_wrong_answer() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(many(number("PRESSMARK_DOOR_REQUESTS", REQUESTS), number("PRESSMARK_SEED", 1)));
}

async fn many(requests: u64, seed: u64) {
    let authority = Authority::new();
    let held = Arc::new(Held::default());
    let mut origins = Vec::new();
    let mut resolve = Vec::new();
    for n in 0..ORIGINS {
        let tls = (n % 2 == 1).then(|| authority.certify(&host_of(n)).0);
        let (own, held) = (origin_of(n), held.clone());
        let origin = Origin::start(tls, move |line| serve_bodies(line, own.clone(), held.clone())).await;
        resolve.push(Resolve { host: host_of(n), port: 80 + 363 * u16::from(n % 2 == 1), to: origin.address });
        origins.push(origin);
    }
    let options = Options { resolve, roots: authority.roots(), ..Options::default() };
    let door = Door::open(options, Arc::new(SystemClock::default())).unwrap();
    let crowd = Arc::new(Crowd {
        fetcher: Fetcher::new(door.clone(), &fetch::Options::default()).unwrap(),
        doomed: Fetcher::new(door.clone(), &fetch::Options::default()).unwrap(),
        next: AtomicU64::new(0),
        requests,
        seed,
        tally: Mutex::default(),
    });
    let start = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        let crowd = crowd.clone();
        workers.spawn(async move { crowd.work().await });
    }
    for n in 0..HELD {
        let crowd = crowd.clone();
        workers.spawn(async move { crowd.be_held(n).await });
    }
    held.all().await;
    crowd.doomed.cut();
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    let tally = std::mem::take(&mut *crowd.tally.lock().unwrap());
    tally.compare(&origins);
    let connects = door.connects();
    println!(
        "{} exchanges in {:.1} s from seed {seed}: {} whole ({} spooled), {} given up by their caller, {} cut, {} stale \
         (the origin had seen {}), {connects} connections, {:.1} % reused",
        tally.asked.values().sum::<u64>(),
        start.elapsed().as_secs_f64(),
        tally.whole,
        tally.spooled,
        tally.given_up,
        tally.cut,
        tally.stale,
        tally.stale_but_seen(&origins),
        tally.reused as f64 * 100.0 / tally.whole as f64,
    );
    assert_eq!(tally.whole + tally.given_up, requests);
    assert_eq!(tally.cut, HELD);
    // A pass that was dropped before the client came in with it: that client was turned away, and no other.
    assert!(door.turned_away() <= tally.given_up, "{} turned away", door.turned_away());
    // What the test is about must have happened: connections used again, and lost while idle.
    assert!(tally.reused * 4 > tally.whole && tally.given_up * 100 > requests && connects > requests / 100);
    assert!(tally.spooled * 2_000 > requests);
    assert!(tally.stale * 50 < requests, "{} stale connections", tally.stale);
}

struct Crowd {
    fetcher: Fetcher,
    /// All of its exchanges are cut.
    doomed: Fetcher,
    next: AtomicU64,
    requests: u64,
    seed: u64,
    tally: Mutex<Tally>,
}

/// What became of the exchanges.
#[derive(Default)]
struct Tally {
    /// Exchanges made for each URL.
    asked: HashMap<String, u64>,
    /// The request of each whole exchange, as the door says that it sent it.
    sent: HashMap<String, Vec<u8>>,
    whole: u64,
    spooled: u64,
    reused: u64,
    given_up: u64,
    cut: u64,
    stale: u64,
    stale_urls: Vec<String>,
}

impl Crowd {
    async fn work(&self) {
        loop {
            let n = self.next.fetch_add(1, Ordering::Relaxed);
            if n >= self.requests {
                return;
            }
            let url = format!("{}/{}/{n}", origin_of(n % ORIGINS), self.seed);
            self.fetch(&url).await;
        }
    }

    async fn fetch(&self, url: &str) {
        let mut dice = Dice::of(url, "caller");
        // Of some the future is dropped at any point of their way; others of them are over by then.
        let polls = dice.one_in(25).then(|| dice.below(8));
        for _ in 0..5 {
            self.count(|tally| *tally.asked.entry(url.to_owned()).or_default() += 1);
            let exchange = self.fetcher.exchange(request(url));
            let exchange = match polls {
                None => Some(exchange.await),
                Some(polls) => polled_at_most(polls, exchange).await,
            };
            let Some(exchange) = exchange else { return self.count(|tally| tally.given_up += 1) };
            let exchange = exchange.unwrap_or_else(|error| panic!("{url}: {error}"));
            if exchange.fault != Some(Fault::Stale) {
                return self.whole(url, &exchange);
            }
            assert!(exchange.answer.is_none() && exchange.reused, "{url}: stale, with {:?}", exchange.answer);
            self.count(|tally| {
                tally.stale += 1;
                tally.stale_urls.push(url.to_owned());
            });
        }
        panic!("{url}: stale five times over");
    }

    fn whole(&self, url: &str, exchange: &Exchange) {
        assert_eq!(exchange.fault, None, "{url}");
        assert_eq!((exchange.url.as_str(), exchange.status()), (url, Some(200)));
        let answer = exchange.answer.as_ref().unwrap();
        assert_eq!((answer.complete, answer.malformed, answer.excess), (true, false, 0), "{url}");
        assert!(payload(answer) == body_of(url), "{url}: another's payload, or a broken one");
        assert_eq!(exchange.tls.is_some(), url.starts_with("https:"), "{url}");
        self.count(|tally| {
            tally.whole += 1;
            tally.spooled += u64::from(matches!(answer.body, Body::Spool { .. }));
            tally.reused += u64::from(exchange.reused);
            tally.sent.insert(url.to_owned(), exchange.request.clone());
        });
    }

    /// Asks for an answer that stops half-way, and is cut with all the others of its kind.
    async fn be_held(&self, n: u64) {
        let url = format!("{}/held/{n}", origin_of(n % ORIGINS));
        self.count(|tally| *tally.asked.entry(url.clone()).or_default() += 1);
        let exchange = self.doomed.exchange(request(&url)).await.unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(exchange.fault, Some(Fault::Abandoned), "{url}");
        // How much of it had arrived is chance; what had arrived is this URL's.
        if let Some(answer) = &exchange.answer {
            assert!(!answer.complete && body_of(&url).starts_with(&payload(answer)), "{url}");
        }
        self.count(|tally| tally.cut += 1);
        let after = self.doomed.exchange(request(&url)).await;
        assert!(after.is_err(), "{url}: after the cut nothing is sent");
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap());
    }
}

impl Tally {
    /// Each origin got what the door says that it sent, and no URL more often than an exchange was made for it.
    fn compare(&self, origins: &[Origin]) {
        let seen = seen(origins);
        for (url, requests) in &seen {
            let asked = self.asked.get(url).copied().unwrap_or_default();
            assert!(requests.len() as u64 <= asked, "{url}: asked for {asked} times, sent {} times", requests.len());
        }
        for (url, sent) in &self.sent {
            let requests = seen.get(url).unwrap_or_else(|| panic!("{url}: answered without a request"));
            assert!(requests.contains(sent), "{url}: the request is not the one recorded");
        }
    }

    /// Stale exchanges whose request the origin had read all the same.
    fn stale_but_seen(&self, origins: &[Origin]) -> u64 {
        let seen = seen(origins);
        let urls = self.stale_urls.iter().collect::<std::collections::HashSet<_>>();
        urls.into_iter().filter(|url| seen.get(*url).is_some_and(|requests| requests.len() > 1)).count() as u64
    }
}

/// The requests that the origins have read, by URL.
fn seen(origins: &[Origin]) -> HashMap<String, Vec<Vec<u8>>> {
    let mut seen: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for (origin, n) in origins.iter().zip(0..) {
        for request in origin.requests() {
            seen.entry(asked_url(&request, &origin_of(n))).or_default().push(request);
        }
    }
    seen
}

fn host_of(n: u64) -> String {
    format!("o{n}.example")
}

fn origin_of(n: u64) -> String {
    format!("{}://{}", if n % 2 == 1 { "https" } else { "http" }, host_of(n))
}

/// The URL that a request asks for; it must be for this origin.
fn asked_url(head: &[u8], origin: &str) -> String {
    let head = std::str::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let target = lines.next().unwrap().strip_prefix("GET ").unwrap().strip_suffix(" HTTP/1.1").unwrap();
    let host = lines.next().unwrap().strip_prefix("Host: ").unwrap();
    assert!(origin.ends_with(&format!("//{host}")), "{origin} got a request for {host}");
    format!("{origin}{target}")
}

/// The body that belongs to a URL: anybody can tell it, and no two are alike.
fn body_of(url: &str) -> Vec<u8> {
    let mut dice = Dice::of(url, "body");
    let len = match dice.below(1_000) {
        0..2 => (1 << 20) + dice.below(300_000),
        2..100 => dice.below(100_000),
        100..150 => 0,
        _ => dice.below(4_000),
    };
    let len = if url.contains("/held/") { 100_000 } else { len };
    let mut body = Vec::with_capacity(usize::try_from(len).unwrap() + 8);
    // The URL itself first, so that a body of a few bytes is its own as well.
    body.extend_from_slice(url.as_bytes());
    while (body.len() as u64) < len {
        body.extend_from_slice(&dice.roll().to_le_bytes());
    }
    body
}

/// Held answers that have been sent in part.
#[derive(Default)]
struct Held {
    count: AtomicU64,
    changed: Notify,
}

impl Held {
    fn one_more(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }

    async fn all(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count.load(Ordering::SeqCst) >= HELD {
                return;
            }
            changed.await;
        }
    }
}

/// Serves one connection of the long test: the body of every URL asked for, framed and timed as chance will have it.
async fn serve_bodies(mut line: Line, origin: String, held: Arc<Held>) {
    let mut next = line.request().await;
    while let Some(head) = next {
        let url = asked_url(&head, &origin);
        let mut dice = Dice::of(&url, "server");
        if url.contains("/held/") {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
            line.say(&[head.as_slice(), &body_of(&url)[..HELD_LEN]].concat()).await;
            held.one_more();
            return line.hang().await;
        }
        if !answer(&mut line, &url, &mut dice).await {
            return line.close().await;
        }
        // Some servers do not wait long for the next request, and the end of their patience meets it on its way.
        next = if dice.one_in(6) {
            let patience = Duration::from_micros(dice.below(5_000));
            tokio::time::timeout(patience, line.request()).await.ok().flatten()
        } else {
            line.request().await
        };
        if next.is_none() {
            return if dice.one_in(2) { line.close().await } else { drop(line) };
        }
    }
}

/// Sends a whole answer; false when the connection must end for it.
async fn answer(line: &mut Line, url: &str, dice: &mut Dice) -> bool {
    let body = body_of(url);
    let mut bytes = Vec::with_capacity(body.len() + 1_000);
    if dice.one_in(40) {
        bytes.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    }
    bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nServer: origin\r\n");
    let keep = match dice.below(20) {
        0..9 => {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
            true
        }
        9..17 => {
            bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
            chunk(&body, &mut bytes, dice);
            true
        }
        17 => {
            bytes.extend_from_slice(format!("Connection: close\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
            bytes.extend_from_slice(&body);
            false
        }
        _ => {
            bytes.extend_from_slice(b"\r\n");
            bytes.extend_from_slice(&body);
            false
        }
    };
    // Slow or in pieces, so that heads, chunk lines and bodies are torn anywhere.
    let (slow, pieces) = (dice.one_in(50), 1 + dice.below(3));
    let mut rest = bytes.as_slice();
    for piece in (1..=pieces).rev() {
        let len = if piece == 1 { rest.len() } else { usize::try_from(dice.below(rest.len() as u64)).unwrap() };
        let (now, later) = rest.split_at(len);
        if !line.say(now).await {
            return false;
        }
        rest = later;
        if slow && !rest.is_empty() {
            tokio::time::sleep(Duration::from_micros(dice.below(15_000))).await;
        }
    }
    keep
}

fn chunk(body: &[u8], bytes: &mut Vec<u8>, dice: &mut Dice) {
    let most = [7, 1_000, 70_000][usize::try_from(dice.below(3)).unwrap()].max(body.len() as u64 / 500);
    let mut rest = body;
    while !rest.is_empty() {
        let len = usize::try_from(1 + dice.below(most)).unwrap().min(rest.len());
        let (data, after) = rest.split_at(len);
        let size = if dice.one_in(4) { format!("{len:04X} ;a=b\r\n") } else { format!("{len:x}\r\n") };
        bytes.extend_from_slice(size.as_bytes());
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(b"\r\n");
        rest = after;
    }
    let trailer = if dice.one_in(3) { "0\r\nX-Sum: 1\r\n\r\n" } else { "0\r\n\r\n" };
    bytes.extend_from_slice(trailer.as_bytes());
}

/// Chance that is the same for the same URL and purpose (splitmix64 on FNV-1a).
struct Dice(u64);

impl Dice {
    fn of(url: &str, purpose: &str) -> Dice {
        let bytes = url.bytes().chain(purpose.bytes());
        Dice(bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)))
    }

    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// What a future gives within so many polls; after that it is dropped.
async fn polled_at_most<F: Future>(mut polls: u64, future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|cx| {
        if polls == 0 {
            return std::task::Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |value| value.parse().unwrap())
}

// ------------------------------------------------------------------------------------------------------ odd answers

/// What comes after the bytes of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The server would take another request.
    Keep,
    /// The connection ends in good order.
    Close,
    /// The connection ends, over TLS without the closing alert.
    Drop,
    /// The connection breaks.
    Reset,
    /// Nothing.
    Hang,
}

/// An answer that a server gives, and what must be recorded of it.
struct Odd {
    name: &'static str,
    sent: Vec<u8>,
    then: Then,
    fault: Option<Fault>,
    status: Option<u16>,
    payload: Vec<u8>,
    complete: bool,
    malformed: bool,
    excess: usize,
    /// How many of the bytes sent belong to the answer; all but the excess, unless it was cut.
    kept: Option<usize>,
    reused: bool,
}

/// The usual: a 200 that is whole, and the connection is used again.
fn odd(name: &'static str, head: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Odd {
    Odd {
        name,
        sent: [head.as_ref(), payload.as_ref()].concat(),
        then: Then::Keep,
        fault: None,
        status: Some(200),
        payload: payload.as_ref().to_vec(),
        complete: true,
        malformed: false,
        excess: 0,
        kept: None,
        reused: true,
    }
}

/// Not HTTP: everything is body, to the close.
fn junk(name: &'static str, sent: impl AsRef<[u8]>) -> Odd {
    Odd { status: None, malformed: true, ..odd(name, "", sent).then(Then::Close) }
}

impl Odd {
    fn then(self, then: Then) -> Odd {
        Odd { then, reused: self.reused && then == Then::Keep, ..self }
    }

    fn fails(self, fault: Fault) -> Odd {
        Odd { fault: Some(fault), complete: false, reused: false, ..self }
    }

    fn status(self, status: u16) -> Odd {
        Odd { status: Some(status), ..self }
    }

    fn payload(self, payload: &str) -> Odd {
        Odd { payload: payload.as_bytes().to_vec(), ..self }
    }

    fn excess(self, excess: &str) -> Odd {
        Odd { sent: [&self.sent, excess.as_bytes()].concat(), excess: excess.len(), reused: false, ..self }
    }

    fn malformed(self) -> Odd {
        Odd { malformed: true, reused: false, ..self }
    }

    fn not_reused(self) -> Odd {
        Odd { reused: false, ..self }
    }

    fn kept(self, kept: usize) -> Odd {
        Odd { kept: Some(kept), payload: self.sent[self.sent.len() - self.payload.len()..kept].to_vec(), ..self }
    }
}

/// Bodies are cut at so many bytes.
const MAX_BODY: usize = 100_000;

fn odd_answers() -> Vec<Odd> {
    use Fault::{Cap, Cut, NoAnswer, Stall};
    let sized = |len: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let long = vec![b'x'; MAX_BODY];
    let longer = vec![b'x'; MAX_BODY * 3 / 2];
    let one_more = vec![b'x'; MAX_BODY + 1];
    let big_field = format!("HTTP/1.1 200 OK\r\nX-Big: {}\r\nContent-Length: 2\r\n\r\n", "b".repeat(64 << 10));
    let many_fields: String = (0..300).map(|n| format!("X-Field-{n}: {n}\r\n")).collect();
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n";
    let flood = "HTTP/1.1 100 Continue\r\n\r\n".repeat(60_000);
    let empty_lines = "\r\n".repeat(600_000);
    vec![
        odd("sized", sized(2), "ok"),
        odd("sized, nothing", sized(0), ""),
        odd("interim heads", format!("{interim}{}", sized(2)), "ok"),
        odd("empty lines first", format!("\r\n\r\n{}", sized(2)), "ok"),
        odd("204", "HTTP/1.1 204 No Content\r\n\r\n", "").status(204),
        odd("304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "").status(304),
        odd("an unknown status", "HTTP/1.1 799 Odd\r\nContent-Length: 2\r\n\r\n", "ok").status(799),
        odd("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("chunks", chunked, "2\r\nok\r\n0\r\n\r\n").payload("ok"),
        odd("odd chunks", chunked, "0001 ;x=\"y\"\r\no\r\n1\nk\n0;end\r\nX-Trailer: 1\r\n\r\n").payload("ok"),
        odd("to the close", "HTTP/1.1 200 OK\r\n\r\n", "ok").then(Then::Close),
        odd("to the drop", "HTTP/1.1 200 OK\r\n\r\n", "ok").then(Then::Drop),
        odd("Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", "ok")
            .not_reused(),
        odd("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n", "ok").not_reused(),
        odd("HTTP/1.0, kept", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("whole, then closed", sized(2), "ok").then(Then::Close),
        odd("whole, then dropped", sized(2), "ok").then(Then::Drop),
        odd("whole, then reset", sized(2), "ok").then(Then::Reset),
        // Too little.
        odd("shorter than said", sized(10), "short").then(Then::Close).fails(Cut),
        odd("shorter than said, dropped", sized(10), "short").then(Then::Drop).fails(Cut),
        odd("a cut chunk", chunked, "a\r\nshort").payload("short").then(Then::Close).fails(Cut),
        odd("no last chunk", chunked, "2\r\nok\r\n").payload("ok").then(Then::Close).fails(Cut),
        odd("a cut head", "HTTP/1.1 200 OK\r\nContent-Le", "").then(Then::Close).fails(Cut),
        odd("reset in the body", sized(10), "short").then(Then::Reset).fails(Cut),
        odd("reset, no length", "HTTP/1.1 200 OK\r\n\r\n", "short").then(Then::Reset).fails(Cut),
        odd("stall in the head", "HTTP/1.1 200 OK\r\nX-", "").then(Then::Hang).fails(Stall),
        odd("stall in the body", sized(10), "short").then(Then::Hang).fails(Stall),
        odd("stall, no length", "HTTP/1.1 200 OK\r\n\r\n", "short").then(Then::Hang).fails(Stall),
        Odd { status: None, ..odd("interim, then nothing", interim, "").then(Then::Close).fails(Cut) },
        Odd { status: None, ..odd("silence", "", "").then(Then::Hang).fails(Stall) },
        Odd { status: None, ..odd("no answer", "", "").then(Then::Close).fails(NoAnswer) },
        Odd { status: None, ..odd("no answer, dropped", "", "").then(Then::Drop).fails(NoAnswer) },
        Odd { status: None, ..odd("no answer, reset", "", "").then(Then::Reset).fails(NoAnswer) },
        // Too much.
        odd("longer than said", sized(2), "ok").excess("!HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"),
        odd("two answers", sized(2), "ok").excess("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"),
        odd("a 204 with a body", "HTTP/1.1 204 No Content\r\n\r\n", "").status(204).excess("wrong"),
        odd("after the last chunk", chunked, "2\r\nok\r\n0\r\n\r\n").payload("ok").excess("\r\n"),
        odd("as long as may be", sized(MAX_BODY), &long),
        odd("a byte too long", sized(MAX_BODY + 1), &one_more).fails(Cap).kept(sized(MAX_BODY + 1).len() + MAX_BODY),
        odd("too long", sized(longer.len()), &longer).fails(Cap).kept(sized(longer.len()).len() + MAX_BODY),
        odd("too long, to the close", "HTTP/1.1 200 OK\r\n\r\n", &longer)
            .then(Then::Close)
            .fails(Cap)
            .kept(19 + MAX_BODY),
        // Odd heads.
        odd("a field of 64 KB", big_field, "ok"),
        odd("300 fields", format!("HTTP/1.1 200 OK\r\n{many_fields}Content-Length: 2\r\n\r\n"), "ok"),
        odd("Latin-1", b"HTTP/1.1 200 D\xe9j\xe0 vu\r\nX-Name: caf\xe9\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("UTF-8", "HTTP/1.1 200 Gut\r\nX-Name: 報紙 ü\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\n", "ok"),
        odd("a folded field", "HTTP/1.1 200 OK\r\nX-Long: one\r\n\ttwo\r\nContent-Length:\r\n 2\r\n\r\n", "ok"),
        odd("odd names", "HTTP/1.1 200 OK\r\nx-ODD : a\r\nX-Odd:b  \r\nno colon\r\nContent-Length : 2\r\n\r\n", "ok"),
        odd("control characters", b"HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("the same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", "ok"),
        odd("101", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", "\x01\x02").status(101).then(Then::Close),
        // Not HTTP/1.
        junk("ICY", "ICY 200 OK\r\nicy-name: radio\r\n\r\nmusic"),
        junk("HTTP/0.9", "<html>a page</html>\n"),
        junk("lower case", "http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        junk("SSH", "SSH-2.0-OpenSSH_9.9\r\n"),
        Odd { status: None, ..odd("a short word", "HT", "").then(Then::Close).fails(Cut) },
        odd("HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\n", "ok and more").malformed().then(Then::Close),
        odd("a bad chunk size", chunked, "zz\r\nok\r\n0\r\n\r\n").malformed().then(Then::Close),
        odd("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n", "okay")
            .malformed()
            .then(Then::Close),
        odd("a length with a sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n", "okay")
            .malformed()
            .then(Then::Close),
        // Heads without end are not kept for ever: they count as a body, and a body has a cap.
        Odd { status: None, ..odd("interim heads without end", &flood, "").malformed().fails(Cap).kept_any() },
        Odd { status: None, ..odd("empty lines without end", &empty_lines, "").malformed().fails(Cap).kept_any() },
    ]
}

impl Odd {
    /// How much is kept is the door's business, as long as it is a beginning.
    fn kept_any(self) -> Odd {
        Odd { kept: Some(usize::MAX), ..self }
    }
}

#[tokio::test]
async fn odd_answers_are_recorded_as_they_came() {
    let authority = Authority::new();
    for tls in [false, true] {
        for odd in odd_answers() {
            check(Arc::new(odd), tls, &authority).await;
        }
    }
}

/// Gets the odd answer, and then another from the same origin: that one must be its own, whatever came before.
async fn check(odd: Arc<Odd>, tls: bool, authority: &Authority) {
    let name = format!("{}{}", odd.name, if tls { " over TLS" } else { "" });
    let script = odd.clone();
    let site = Site::start(tls, authority, move |line| follow(line, script.clone())).await;
    let patient = odd.fault != Some(Fault::Stall);
    let door = site.door(authority, |options| {
        options.max_body = MAX_BODY as u64;
        options.timeout = if patient { Duration::from_secs(60) } else { Duration::from_millis(300) };
    });
    let fetcher = Fetcher::new(door.clone(), &fetch::Options::default()).unwrap();
    let exchange = fetcher.exchange(site.request("/odd")).await.unwrap();

    assert_eq!(exchange.fault, odd.fault, "{name}");
    assert_eq!(exchange.status(), odd.status, "{name}");
    assert_eq!(site.origin.requests(), std::slice::from_ref(&exchange.request), "{name}");
    let times = exchange.times;
    assert!(times.sent.is_some() && times.end >= times.sent, "{name}: {times:?}");
    assert_eq!(exchange.answer.is_some(), !odd.sent.is_empty(), "{name}");
    if let Some(answer) = &exchange.answer {
        let kept =
            odd.kept.unwrap_or(odd.sent.len() - odd.excess).min(answer.head.len() + bytes_of(&answer.body).len());
        let recorded = [answer.head.as_slice(), &bytes_of(&answer.body)].concat();
        assert!(recorded == odd.sent[..kept], "{name}: recorded {:?}", String::from_utf8_lossy(&recorded));
        let facts = (answer.complete, answer.malformed, answer.excess);
        assert_eq!(facts, (odd.complete, odd.malformed, odd.excess as u64), "{name}");
        if odd.kept != Some(usize::MAX) {
            assert!(payload(answer) == odd.payload, "{name}: {:?}", String::from_utf8_lossy(&payload(answer)));
            assert_eq!(recorded.len(), kept, "{name}");
        }
    }
    if let Some(facts) = &exchange.tls {
        assert_eq!((facts.version.as_str(), &facts.chain), ("1.3", &site.chain), "{name}");
        assert!(facts.cipher_suite.starts_with("TLS_"), "{name}: {}", facts.cipher_suite);
    }
    assert_eq!((exchange.tls.is_some(), exchange.peer), (tls, Some(site.origin.address)), "{name}");

    let again = fetch_again(&fetcher, &site).await;
    assert_eq!(payload(again.answer.as_ref().unwrap()), b"again", "{name}: the next answer");
    assert_eq!(again.reused, odd.reused, "{name}: the connection of the next answer");
}

/// Another exchange with the same origin. That the first one's connection has ended may be news to the door.
async fn fetch_again(fetcher: &Fetcher, site: &Site) -> Exchange {
    let again = fetcher.exchange(site.request("/again")).await.unwrap();
    if again.fault == Some(Fault::Stale) {
        return fetcher.exchange(site.request("/again")).await.unwrap();
    }
    again
}

async fn follow(mut line: Line, odd: Arc<Odd>) {
    while let Some(head) = line.request().await {
        if head.starts_with(b"GET /again") {
            line.say(AGAIN).await;
            continue;
        }
        line.say(&odd.sent).await;
        match odd.then {
            Then::Keep => {}
            Then::Close => return line.close().await,
            Then::Drop => return,
            Then::Reset => return line.reset(),
            Then::Hang => return line.hang().await,
        }
    }
}

const AGAIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nagain";

#[tokio::test]
async fn bytes_that_tls_has_already_read_are_not_the_next_answer() {
    let authority = Authority::new();
    // Of these sizes one fills the door's buffer to the brim, so that the rest waits inside TLS, where no look at the
    // socket finds it.
    for (size, name) in [(1 << 10, "1 KiB"), (16 << 10, "16 KiB"), (32 << 10, "32 KiB"), (64 << 10, "64 KiB")] {
        let site = Site::start(true, &authority, move |line| say_too_much(line, size)).await;
        let fetcher = site.fetcher(&authority);
        for _ in 0..10 {
            let first = fetcher.exchange(site.request("/odd")).await.unwrap();
            assert_eq!((first.fault, first.answer.unwrap().complete), (None, true), "{name}");
            let again = fetch_again(&fetcher, &site).await;
            assert_eq!((again.fault, payload(&again.answer.unwrap())), (None, b"again".to_vec()), "{name}");
        }
    }
}

/// Answers in `size` bytes, head included, and in the same go with an answer that nobody asked for.
async fn say_too_much(mut line: Line, size: usize) {
    while let Some(head) = line.request().await {
        if head.starts_with(b"GET /again") {
            line.say(AGAIN).await;
            continue;
        }
        let head = |len: usize| format!("HTTP/1.1 200 OK\r\nContent-Length: {len:06}\r\n\r\n");
        let len = size - head(0).len();
        let answer = [head(len).into_bytes(), vec![b'x'; len]].concat();
        // The end of the answer is short, so that it and the excess are read from the socket together.
        let (most, end) = answer.split_at(size - 20);
        line.say_at_once(&[most, end, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"]).await;
    }
}

#[tokio::test]
async fn a_tls_session_that_was_signed_off_is_not_used_again() {
    let authority = Authority::new();
    let site = Site::start(true, &authority, |mut line: Line| async move {
        while line.request().await.is_some() {
            line.say_and_sign_off(AGAIN).await;
        }
    })
    .await;
    let fetcher = site.fetcher(&authority);
    for _ in 0..20 {
        let exchange = fetcher.exchange(site.request("/")).await.unwrap();
        assert_eq!((exchange.fault, exchange.reused), (None, false));
    }
}

#[tokio::test]
async fn a_close_delimited_body_without_tls_closing_alert_is_marked() {
    let authority = Authority::new();
    for polite in [true, false] {
        let site = Site::start(true, &authority, move |mut line: Line| async move {
            line.request().await;
            line.say(b"HTTP/1.1 200 OK\r\n\r\nbody").await;
            if polite {
                line.close().await;
            }
        })
        .await;
        let exchange = site.fetcher(&authority).exchange(site.request("/")).await.unwrap();
        let answer = exchange.answer.unwrap();
        assert_eq!((answer.complete, answer.unclean_close), (true, !polite));
    }
}

// --------------------------------------------------------------------------------------------- what is sent, or not

#[tokio::test]
async fn the_request_is_recorded_as_it_was_sent() {
    let authority = Authority::new();
    for tls in [false, true] {
        let site = Site::start(tls, &authority, answer_again).await;
        let fetcher = site.fetcher(&authority);
        for target in [
            "/",
            "/a/b?c=d&e=%20f",
            "/web/https://other.example/page",
            "/?u=https://other.example/&v=http://third.example/",
            "/%E2%82%AC/%2F;p=1/a%20b",
            "/a|b/{c}/[d]/^e?q=`f|g'h{i}^j\\k",
            "//twice//",
        ] {
            let asked = site.request(target);
            let target = asked.url.path_and_query().to_owned();
            let exchange = fetcher.exchange(asked).await.unwrap();
            assert_eq!(exchange.fault, None, "{target}");
            let seen = site.origin.requests().pop().unwrap();
            assert_eq!(exchange.request, seen, "{target}");
            let seen = String::from_utf8(seen).unwrap();
            let mut lines = seen.split("\r\n");
            assert_eq!(lines.next().unwrap(), format!("GET {target} HTTP/1.1"));
            assert_eq!(lines.next().unwrap(), "Host: site.example");
            let mut names: Vec<&str> = lines.filter_map(|line| line.split_once(": ").map(|(name, _)| name)).collect();
            names.sort_unstable();
            assert_eq!(names, ["Accept", "Accept-Encoding", "User-Agent"], "{seen}");
        }
    }
}

#[tokio::test]
async fn a_request_says_who_asks_and_where_it_read_the_address() {
    let authority = Authority::new();
    let site = Site::start(false, &authority, answer_again).await;
    let options = fetch::Options {
        user_agent: "pressmark/x (+https://crawler.example/)".to_owned(),
        contact: Some("desk@crawler.example".to_owned()),
        accept_encoding: String::new(),
        ..fetch::Options::default()
    };
    let fetcher = Fetcher::new(site.door(&authority, |_| {}), &options).unwrap();
    let request = Request { role: Role::Style, referer: Some("http://site.example/a".to_owned()), ..site.request("/") };
    fetcher.exchange(request).await.unwrap();
    let seen = String::from_utf8(site.origin.requests().remove(0)).unwrap();
    let mut lines: Vec<&str> = seen.trim_end().split("\r\n").collect();
    assert_eq!(lines.drain(..2).collect::<Vec<_>>(), ["GET / HTTP/1.1", "Host: site.example"]);
    lines.sort_unstable();
    let want = [
        "Accept: text/css,*/*;q=0.1",
        "From: desk@crawler.example",
        "Referer: http://site.example/a",
        "User-Agent: pressmark/x (+https://crawler.example/)",
    ];
    assert_eq!(lines, want);
}

#[tokio::test]
async fn a_port_of_its_own_stands_in_the_host_field() {
    let origin = Origin::start(None, answer_again).await;
    let door = open(|options| options.guard.allow = vec!["127.0.0.0/8".parse().unwrap()]);
    let fetcher = Fetcher::new(door, &fetch::Options::default()).unwrap();
    let exchange = fetcher.exchange(request(&format!("http://{}/", origin.address))).await.unwrap();
    assert_eq!(exchange.fault, None);
    let head = format!("GET / HTTP/1.1\r\nHost: {}\r\n", origin.address);
    assert!(origin.requests()[0].starts_with(head.as_bytes()), "{head}");
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_only_recorded() {
    let authority = Authority::new();
    let inside = Origin::start(None, answer_again).await;
    let location = format!("http://{}/secret", inside.address);
    let site = Site::start(false, &authority, move |mut line: Line| {
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        async move {
            while line.request().await.is_some() {
                line.say(answer.as_bytes()).await;
            }
        }
    })
    .await;
    let door = site.door(&authority, |_| {});
    let fetcher = Fetcher::new(door.clone(), &fetch::Options::default()).unwrap();
    let exchange = fetcher.exchange(site.request("/")).await.unwrap();
    assert_eq!((exchange.fault, door.connects()), (None, 1));
    // And who follows it meets the guard.
    let location = exchange.answer.unwrap().read_head().field("location").unwrap();
    let followed = fetcher.exchange(request(&location)).await.unwrap();
    assert_eq!(followed.fault, Some(Fault::Forbidden(inside.address.ip())));
    assert_eq!((door.connects(), inside.connections().await), (1, 0));
}

#[tokio::test]
async fn a_private_address_is_not_connected_to_unless_it_is_allowed() {
    let inside = Origin::start(None, answer_again).await;
    let port = inside.address.port();
    for (url, allowed) in [
        (format!("http://127.0.0.1:{port}/"), false),
        (format!("http://2130706433:{port}/"), false),
        (format!("http://0x7f.1:{port}/"), false),
        (format!("http://[::ffff:127.0.0.1]:{port}/"), false),
        (format!("https://127.0.0.1:{port}/"), false),
        (format!("http://0.0.0.0:{port}/"), false),
        (format!("http://127.0.0.1:{port}/"), true),
    ] {
        let door = open(|options| {
            if allowed {
                options.guard.allow = vec!["127.0.0.1/32".parse().unwrap()];
            }
        });
        let permit = Permit::for_test();
        let stamp = permit.stamp().clone();
        let fetcher = Fetcher::new(door.clone(), &fetch::Options::default()).unwrap();
        let exchange = fetcher.exchange(Request { permit, ..request(&url) }).await.unwrap();
        assert_eq!(matches!(exchange.fault, Some(Fault::Forbidden(_))), !allowed, "{url}: {:?}", exchange.fault);
        assert_eq!((door.connects() > 0, stamp.at().is_some()), (allowed, allowed), "{url}");
        assert_eq!(exchange.request.is_empty(), !allowed, "{url}");
    }
    assert_eq!(inside.connections().await, 1);
}

/// Serves [`AGAIN`] for every request.
async fn answer_again(mut line: Line) {
    while line.request().await.is_some() {
        line.say(AGAIN).await;
    }
}

// --------------------------------------------------------------------------------------- no connection, and the stamp

#[tokio::test]
async fn a_failure_before_the_request_has_a_name_and_sets_no_stamp() {
    let authority = Authority::new();
    // Bound, so that nobody else gets the port, and deaf.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mute = Origin::start(None, Line::hang).await;
    let plain = Origin::start(None, |mut line: Line| async move {
        line.say(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        line.hang().await;
    })
    .await;
    let closing = Origin::start(None, Line::close).await;
    let own = Origin::start(Some(self_signed("own.example")), Line::hang).await;
    let other = Origin::start(Some(authority.certify("other.example").0), Line::hang).await;
    let resolve = [
        ("deaf.example", 80, deaf.local_addr().unwrap()),
        ("mute.example", 443, mute.address),
        ("plain.example", 443, plain.address),
        ("closing.example", 443, closing.address),
        ("own.example", 443, own.address),
        ("wrong.example", 443, other.address),
    ];
    let door = open(|options| {
        options.resolve = resolve.map(|(host, port, to)| Resolve { host: host.to_owned(), port, to }).to_vec();
        options.roots = authority.roots();
        options.timeout = Duration::from_millis(1_000);
    });
    let fetcher = Fetcher::new(door.clone(), &fetch::Options::default()).unwrap();
    for (url, want) in [
        ("http://deaf.example/", Fault::Connect("connection refused".to_owned())),
        ("https://mute.example/", Fault::TlsTimeout),
        ("https://plain.example/", Fault::Tls(String::new())),
        ("https://closing.example/", Fault::Tls(String::new())),
        ("https://own.example/", Fault::Certificate("self-signed".to_owned())),
        ("https://wrong.example/", Fault::Certificate("not for wrong.example".to_owned())),
        // RFC 6761, 6.4: resolvers answer for it themselves.
        ("http://nowhere.invalid/", Fault::NoName("there is no such name".to_owned())),
    ] {
        let permit = Permit::for_test();
        let stamp = permit.stamp().clone();
        let exchange = fetcher.exchange(Request { permit, ..request(url) }).await.unwrap();
        let fault = exchange.fault.unwrap();
        let same = match (&fault, &want) {
            (Fault::Tls(why), Fault::Tls(_)) => !why.is_empty(),
            (fault, want) => fault == want,
        };
        assert!(same, "{url}: {fault:?}");
        assert!(fault.is_unreachable() && exchange.answer.is_none() && exchange.request.is_empty(), "{url}");
        assert_eq!((stamp.at(), exchange.times.sent), (None, None), "{url}");
    }
    for origin in [&mute, &plain, &closing, &own, &other] {
        assert!(origin.requests().is_empty() && origin.connections().await == 1);
    }
}

#[tokio::test]
async fn the_stamp_is_set_once_the_request_is_written() {
    let authority = Authority::new();
    for tls in [false, true] {
        let site = Site::start(tls, &authority, stop_half_way).await;
        let clock = Arc::new(SystemClock::default());
        let door = Door::open(site.options(&authority), clock.clone()).unwrap();
        let stamp = Stamp::default();
        let (pass, recording) = door.pass(&site.url("/"), stamp.clone()).await;
        assert_eq!(stamp.at(), None);
        let before = clock.now();
        let mut client = by_hand(&door, Some(pass.id())).await;
        client.read_u8().await.unwrap();
        // The first byte of the answer is here, its last will never be.
        let at = stamp.at().unwrap();
        assert!(before <= at && at <= clock.now());
        drop(pass);
        assert_eq!(recording.finished().await.unwrap().unwrap().fault, Some(Fault::Abandoned));
        assert_eq!(stamp.at(), Some(at));
    }
}

// ------------------------------------------------------------------------------------------------------------ passes

/// A head as the client writes it, with that pass; the door's end of it is open.
async fn by_hand(door: &Door, pass: Option<u64>) -> UnixStream {
    let mut client = UnixStream::connect(door.socket()).await.unwrap();
    let pass = pass.map_or_else(String::new, |id| format!("X-Pressmark-Pass: {id}\r\n"));
    let head = format!("GET / HTTP/1.1\r\nAccept: */*\r\n{pass}Host: site.example\r\n\r\n");
    // A door that has closed already says so when it is read from.
    let _ = client.write_all(head.as_bytes()).await;
    client
}

/// Everything that the door says; a broken connection says nothing more.
async fn heard(mut client: UnixStream) -> Vec<u8> {
    let mut heard = Vec::new();
    while client.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {}
    heard
}

#[tokio::test]
async fn a_request_without_a_live_pass_causes_no_traffic() {
    let authority = Authority::new();
    let site = Site::start(false, &authority, answer_again).await;
    let door = site.door(&authority, |_| {});
    assert!(heard(by_hand(&door, Some(4_711)).await).await.is_empty());
    assert_eq!(door.turned_away(), 1);
    assert!(heard(by_hand(&door, None).await).await.is_empty());
    let (pass, recording) = door.pass(&site.url("/"), Stamp::default()).await;
    assert!(pass.take_back());
    assert!(heard(by_hand(&door, Some(pass.id())).await).await.is_empty());
    assert!(recording.finished().await.unwrap().is_none());
    let (pass, recording) = door.pass(&site.url("/"), Stamp::default()).await;
    let id = pass.id();
    drop(pass);
    assert!(heard(by_hand(&door, Some(id)).await).await.is_empty());
    assert!(recording.finished().await.unwrap().is_none());
    assert_eq!((door.turned_away(), door.connects(), site.origin.connections().await), (4, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pass_is_good_once() {
    let authority = Authority::new();
    let site = Site::start(false, &authority, answer_again).await;
    let door = site.door(&authority, |_| {});
    for round in 1..=20 {
        let (pass, recording) = door.pass(&site.url("/"), Stamp::default()).await;
        let mut clients = JoinSet::new();
        for _ in 0..8 {
            let (door, id) = (door.clone(), pass.id());
            clients.spawn(async move { heard(by_hand(&door, Some(id)).await).await });
        }
        let heard = clients.join_all().await;
        let answers = heard.iter().filter(|bytes| !bytes.is_empty()).collect::<Vec<_>>();
        assert_eq!(answers, [AGAIN]);
        assert!(!pass.take_back());
        let exchange = recording.finished().await.unwrap().unwrap();
        assert_eq!(exchange.request, b"GET / HTTP/1.1\r\nHost: site.example\r\nAccept: */*\r\n\r\n");
        assert_eq!((site.origin.requests().len(), door.turned_away()), (round, round as u64 * 7));
    }
}

#[tokio::test]
async fn dropping_the_pass_ends_a_stalled_exchange() {
    let authority = Authority::new();
    for tls in [false, true] {
        let site = Site::start(tls, &authority, stop_half_way).await;
        // No timer can end it: the time limit is an hour.
        let door = site.door(&authority, |options| options.timeout = Duration::from_secs(3_600));
        let (pass, recording) = door.pass(&site.url("/"), Stamp::default()).await;
        let mut client = by_hand(&door, Some(pass.id())).await;
        let mut half = vec![0; HALF.len()];
        client.read_exact(&mut half).await.unwrap();
        assert_eq!(half, HALF);
        drop(pass);
        let exchange = recording.finished().await.unwrap().unwrap();
        let answer = exchange.answer.unwrap();
        assert_eq!((exchange.fault, answer.complete), (Some(Fault::Abandoned), false));
        assert_eq!([answer.head, bytes_of(&answer.body)].concat(), HALF);
    }
}

#[tokio::test]
async fn dropping_the_pass_ends_a_stalled_handshake() {
    let authority = Authority::new();
    let connected = Arc::new(Notify::new());
    let seen = connected.clone();
    let origin = Origin::start(None, move |line: Line| {
        seen.notify_one();
        line.hang()
    })
    .await;
    let resolve = Resolve { host: "site.example".to_owned(), port: 443, to: origin.address };
    let door = open(|options| {
        options.resolve = vec![resolve];
        options.roots = authority.roots();
        options.timeout = Duration::from_secs(3_600);
    });
    let stamp = Stamp::default();
    let url = WebUrl::parse("https://site.example/").unwrap();
    let (pass, recording) = door.pass(&url, stamp.clone()).await;
    let _client = by_hand(&door, Some(pass.id())).await;
    connected.notified().await;
    drop(pass);
    let exchange = recording.finished().await.unwrap().unwrap();
    assert_eq!((exchange.fault, exchange.request, stamp.at()), (Some(Fault::Abandoned), Vec::new(), None));
}

#[tokio::test]
async fn a_client_that_has_had_enough_does_not_end_the_recording() {
    let authority = Authority::new();
    let site = Site::start(false, &authority, |mut line: Line| async move {
        line.request().await;
        line.say(b"HTTP/1.1 200 OK\r\n\r\n").await;
        line.say(&vec![b'x'; 3 << 20]).await;
        line.close().await;
    })
    .await;
    let door = site.door(&authority, |_| {});
    let (pass, recording) = door.pass(&site.url("/"), Stamp::default()).await;
    let mut client = by_hand(&door, Some(pass.id())).await;
    client.read_u8().await.unwrap();
    drop(client);
    let exchange = recording.finished().await.unwrap().unwrap();
    let answer = exchange.answer.unwrap();
    assert_eq!((exchange.fault, answer.complete, answer.body.len()), (None, true, 3 << 20));
    // It was spooled, and the file goes with the answer.
    let Body::Spool { path, .. } = &answer.body else { panic!("3 MiB in memory") };
    let path = path.to_path_buf();
    assert!(path.exists());
    drop(answer);
    assert!(!path.exists());
}

const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";

/// Answers with [`HALF`] of an answer.
async fn stop_half_way(mut line: Line) {
    line.request().await;
    line.say(HALF).await;
    line.hang().await;
}

// --------------------------------------------------------------------------------------------------------- the stage

/// An origin at `site.example`.
struct Site {
    origin: Origin,
    tls: bool,
    chain: Vec<Vec<u8>>,
}

impl Site {
    async fn start<F, Served>(tls: bool, authority: &Authority, serve: F) -> Site
    where
        F: Fn(Line) -> Served + Clone + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let (acceptor, certificate) = authority.certify("site.example");
        let origin = Origin::start(tls.then_some(acceptor), serve).await;
        Site { origin, tls, chain: vec![certificate.to_vec()] }
    }

    fn url(&self, target: &str) -> WebUrl {
        let scheme = if self.tls { "https" } else { "http" };
        WebUrl::parse(&format!("{scheme}://site.example{target}")).unwrap()
    }

    fn request(&self, target: &str) -> Request {
        request(self.url(target).as_str())
    }

    fn options(&self, authority: &Authority) -> Options {
        let to: SocketAddr = self.origin.address;
        let rule = Resolve { host: "site.example".to_owned(), port: if self.tls { 443 } else { 80 }, to };
        Options { resolve: vec![rule], roots: authority.roots(), ..Options::default() }
    }

    fn door(&self, authority: &Authority, change: impl FnOnce(&mut Options)) -> Door {
        let mut options = self.options(authority);
        change(&mut options);
        Door::open(options, Arc::new(SystemClock::default())).unwrap()
    }

    fn fetcher(&self, authority: &Authority) -> Fetcher {
        Fetcher::new(self.door(authority, |_| {}), &fetch::Options::default()).unwrap()
    }
}

fn open(change: impl FnOnce(&mut Options)) -> Door {
    let mut options = Options::default();
    change(&mut options);
    Door::open(options, Arc::new(SystemClock::default())).unwrap()
}

fn request(url: &str) -> Request {
    Request {
        permit: Permit::for_test(),
        url: WebUrl::parse(url).unwrap(),
        role: Role::Page,
        referer: None,
        validators: Validators::default(),
    }
}

fn bytes_of(body: &Body) -> Vec<u8> {
    match body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::Spool { path, .. } => std::fs::read(path.as_ref()).unwrap(),
    }
}

/// The payload, put together from the places where it is said to be.
fn payload(answer: &Answer) -> Vec<u8> {
    let body = bytes_of(&answer.body);
    let place = |n: u64| usize::try_from(n).unwrap();
    let parts = answer.payload_parts();
    parts.iter().flat_map(|part| &body[place(part.at)..place(part.at + part.len)]).copied().collect()
}
