//! Never faster than asked, never slower than it may be: whole crawls, judged by the clock of the servers they ask.
//!
//! The delays are scaled down so that many gaps fit into seconds. What is counted is counted at the server; of the
//! crawler is known only its command line.

use std::collections::BTreeMap;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use crate::judge::{Arrival, Judge, Reply, crowded, in_the_air, name};
use crate::lantern::{run, start};

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A server in trouble is asked no more often than this.
const LEAST_GAP: Duration = ms(250);

/// Requests to one address at a time, whatever the number of names behind it.
const PER_ADDRESS: usize = 16;

/// A crawl of fifty hosts, scaled.
#[derive(Clone, Copy)]
struct Circuit {
    addresses: u8,
    concurrency: usize,
    gap: Duration,
    /// How long each answer is thought over.
    pause: Duration,
    pages: usize,
    /// Of each page; six are more than may start together.
    images: usize,
}

impl Circuit {
    const HOSTS: usize = 50;

    /// Crawls it all; what it asked is with the judge.
    fn ride(self) -> Judge {
        let judge = Judge::sit(self.addresses, move |asked| Reply::by_path(asked.path, self.images).after(self.pause));
        let folder = tempfile::tempdir().unwrap();
        let mut command = judge.crawl(folder.path(), Self::HOSTS, self.pages);
        command.args(["--delay", &format!("{}ms", self.gap.as_millis())]);
        let output = run(command.args(["--concurrency", &self.concurrency.to_string()]));
        assert!(output.status.success());
        assert_eq!(judge.arrivals().len(), self.requests(), "each URL once, and robots.txt");
        judge
    }

    fn requests(self) -> usize {
        Self::HOSTS * (1 + self.pages * (1 + self.images))
    }

    /// It hurried nobody, and never did more at a time than was asked for.
    fn check(self) -> Judge {
        let judge = self.ride();
        assert_eq!(judge.hurried(self.gap, self.gap / 5), Vec::<String>::new());
        assert!(judge.most_connections() <= 3, "{} connections to one host", judge.most_connections());
        let arrivals = judge.arrivals();
        let (most, asked_for) =
            (in_the_air(&arrivals), self.concurrency.min(PER_ADDRESS * usize::from(self.addresses)));
        assert!(most <= asked_for, "{most} in the air, {asked_for} asked for");
        for lane in by_host(&arrivals, |_| true).values() {
            let (requisites, pages): (Vec<&Arrival>, Vec<&Arrival>) =
                lane.iter().partition(|arrival| arrival.is_requisite());
            let most = (in_the_air(pages), in_the_air(requisites));
            assert!(most.0 <= 1 && most.1 <= 2, "{most:?} pages and requisites of {} in the air", lane[0].host);
        }
        judge
    }

    /// Pages that came, as a share of those that the gap allows, over all hosts from the first page of any to the last
    /// of any. A host's first page is none that the gap allows: with it even a crawl that is too slow would seem fast.
    fn share(self, judge: &Judge) -> f64 {
        let pages: Vec<Arrival> = judge.arrivals().into_iter().filter(Arrival::is_page).collect();
        let time = pages.last().unwrap().at.by - pages[0].at.by;
        let allowed = Self::HOSTS as f64 * time.as_secs_f64() / self.gap.as_secs_f64();
        (pages.len() - Self::HOSTS) as f64 / allowed
    }

    /// Where the gap is all that holds it back, it is not slower than it may be. It may try a few times: other tests
    /// share the processor, and one moment without it makes all fifty hosts late.
    fn check_share(self) {
        let mut seen: Vec<f64> = Vec::new();
        let is_fast = |share: &f64| *share >= 0.97;
        while seen.len() < 4 && !seen.iter().any(is_fast) {
            seen.push(self.share(&self.check()));
        }
        println!("{seen:.4?} of the pages that the gap allows");
        assert!(seen.iter().any(is_fast), "{seen:.4?} of the pages that the gap allows");
    }
}

fn by_host(arrivals: &[Arrival], which: fn(&Arrival) -> bool) -> BTreeMap<String, Vec<Arrival>> {
    let mut lanes: BTreeMap<String, Vec<Arrival>> = BTreeMap::new();
    for arrival in arrivals.iter().filter(|arrival| which(arrival)) {
        lanes.entry(arrival.host.clone()).or_default().push(arrival.clone());
    }
    lanes
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

// ------------------------------------------------------------------------------ ten thousand requests, fifty hosts

/// Requisites of a page that has six come in a burst and then a gap apart; and both gaps are long beside what the judge
/// forgives.
const CIRCUIT: Circuit = Circuit { addresses: 2, concurrency: 64, gap: ms(500), pause: ms(20), pages: 6, images: 6 };

#[test]
fn ten_thousand_requests_to_fifty_hosts() {
    let circuit = Circuit { pages: 29, ..CIRCUIT };
    let judge = circuit.check();
    assert!(judge.arrivals().len() >= 10_000);
    // It went to the limit: a rule that is a little stricter would have been broken.
    let stricter = judge.hurried(circuit.gap * 21 / 20, circuit.gap / 5 * 21 / 20);
    assert!(!stricter.is_empty(), "a crawl that never comes near the gap proves nothing");
}

#[test]
fn fifty_hosts_one_request_at_a_time() {
    Circuit { addresses: 50, concurrency: 1, pause: ms(4), pages: 2, ..CIRCUIT }.check();
}

#[test]
fn fifty_hosts_eight_requests_at_a_time() {
    Circuit { addresses: 1, concurrency: 8, ..CIRCUIT }.check();
}

#[test]
fn fifty_hosts_as_many_requests_as_there_are() {
    Circuit { addresses: 1, concurrency: 500, ..CIRCUIT }.check();
}

#[test]
fn fifty_hosts_no_slower_than_may_be() {
    Circuit { addresses: 50, gap: ms(1000), pause: ms(4), pages: 10, images: 1, ..CIRCUIT }.check_share();
}

#[test]
fn fifty_hosts_of_one_address_no_slower_than_may_be() {
    Circuit { addresses: 1, gap: ms(1000), pause: ms(4), pages: 10, images: 1, ..CIRCUIT }.check_share();
}

// ------------------------------------------------------------------------------------------- what servers ask for

/// How a server says that it has enough, and when it is asked again: after so long, to the second.
const PATIENCE: [(&str, &str, Wait); 8] = [
    ("429 Too Many Requests", "2", Wait::Seconds(2)),
    ("503 Service Unavailable", "3", Wait::Seconds(3)),
    ("429 Too Many Requests", "a date, in 3 s", Wait::Seconds(3)),
    // Nonsense asks for patience all the same: as much as without the field.
    ("503 Service Unavailable", "soon", Wait::Seconds(5)),
    ("429 Too Many Requests", "-1", Wait::Seconds(5)),
    ("429 Too Many Requests", "", Wait::Seconds(5)),
    // No server keeps a crawl for longer than it lasts.
    ("503 Service Unavailable", "31536000", Wait::NotInThisRun),
    ("429 Too Many Requests", "99999999999999999999999", Wait::NotInThisRun),
];

#[derive(Clone, Copy)]
enum Wait {
    Seconds(u64),
    NotInThisRun,
}

/// One host each: its second page, asked for the first time, answers so.
fn impatient() -> Judge {
    Judge::sit(PATIENCE.len() as u8, |asked| {
        let (status, wait, _) = PATIENCE[(0..PATIENCE.len()).find(|host| name(*host) == asked.host).unwrap()];
        let date = || (Utc::now() + TimeDelta::seconds(3)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let wait = if wait.starts_with("a date") { date() } else { wait.to_owned() };
        // robots.txt, the first page, and then this.
        match asked.before {
            2 => Reply::new(status, &format!("Retry-After: {wait}\r\n"), b""),
            _ => Reply::by_path(asked.path, 0),
        }
    })
}

/// Every host waited as it was told, and no longer.
fn check_patience(judge: &Judge) {
    for (host, lane) in by_host(&judge.arrivals(), |_| true) {
        let (status, field, wait) = PATIENCE[(0..PATIENCE.len()).find(|number| name(*number) == host).unwrap()];
        match wait {
            Wait::NotInThisRun => assert_eq!(lane.len(), 3, "{host}, {status} with «{field}»: asked again"),
            Wait::Seconds(seconds) => {
                let waited = lane[3].at.by - lane[2].answered.unwrap();
                let wanted = Duration::from_secs(seconds);
                assert!(waited.abs_diff(wanted) <= ms(1000), "{host}, {status} with «{field}»: {waited:?}");
            }
        }
    }
}

#[test]
fn patience_outlives_a_kill() {
    let (judge, folder) = (impatient(), tempfile::tempdir().unwrap());
    let crawl = || {
        let mut command = judge.crawl(folder.path(), PATIENCE.len(), 4);
        command.args(["--delay", "100ms"]);
        command
    };
    let mut child = start(&mut crawl());
    judge.await_arrivals(PATIENCE.len() * 3);
    // What a server asked for is written down at once, which takes its time on a busy machine.
    std::thread::sleep(ms(2000));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(run(&mut crawl()).status.success());
    check_patience(&judge);
}

#[test]
fn patience_with_a_robots_txt_outlives_a_kill() {
    let judge = Judge::sit(1, |asked| match asked.before {
        0 => Reply::new("429 Too Many Requests", "Retry-After: 3\r\n", b""),
        _ => Reply::by_path(asked.path, 0),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&mut judge.crawl(folder.path(), 1, 1));
    judge.await_arrivals(1);
    std::thread::sleep(ms(700));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(run(&mut judge.crawl(folder.path(), 1, 1)).status.success());
    let asked = judge.arrivals();
    let waited = asked[1].at.by - asked[0].answered.unwrap();
    assert!(waited.abs_diff(ms(3000)) <= ms(1000), "{waited:?}");
    assert_eq!(
        asked.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(),
        ["/robots.txt", "/robots.txt", "/page-0.html"]
    );
}

/// What one host is spared, from this arrival on: one clock and one connection for everything.
fn check_spared(lane: &[Arrival], gap: Duration) {
    assert_eq!(crowded(lane, gap, 1), None);
    for pair in lane.windows(2) {
        assert!(pair[0].is_over_before(&pair[1]), "{} and {} overlap", pair[0].path, pair[1].path);
    }
}

#[test]
fn enough_of_one_name_is_enough_of_its_address() {
    const HOSTS: usize = 6;
    let judge = Judge::sit(1, |asked| match (asked.host == name(2), asked.before) {
        (true, 8) => Reply::new("429 Too Many Requests", "Retry-After: 2\r\n", b""),
        _ => Reply::by_path(asked.path, 2).after(ms(15)),
    });
    let folder = tempfile::tempdir().unwrap();
    assert!(run(judge.crawl(folder.path(), HOSTS, 6).args(["--delay", "100ms"])).status.success());
    let arrivals = judge.arrivals();
    let of_it: Vec<&Arrival> = arrivals.iter().filter(|arrival| arrival.host == name(2)).collect();
    let enough = of_it[8].answered.unwrap();
    // What was in the air when it was said is no disobedience.
    let after: Vec<Arrival> = arrivals.iter().filter(|arrival| arrival.at.after > enough + ms(1000)).cloned().collect();
    assert!(after[0].at.by >= enough + ms(2000), "somebody did not wait");
    // Twenty good answers, and it is trusted again.
    let spared = &after[..20];
    check_spared(spared, LEAST_GAP);
    let hosts = by_host(spared, |_| true).len();
    assert!(hosts >= HOSTS / 2, "only {hosts} of {HOSTS} names had a turn");
}

#[test]
fn enough_of_one_name_is_enough_for_names_never_asked_before() {
    const STRANGERS: usize = 12;
    // The first page thinks for a while, and then shows an image of every other name. Before that the second one has
    // said that it is enough.
    let judge = Judge::sit(1, |asked| match asked.path {
        "/page-0.html" => {
            let images: String =
                (1..=STRANGERS).map(|host| format!("<img src='http://{}/x-{host}.png'>", name(host))).collect();
            let body = format!("<!doctype html><title>Others</title><article>{images}</article>");
            Reply::new("200 OK", "Content-Type: text/html\r\n", body.as_bytes()).after(ms(800))
        }
        "/page-1.html" if asked.before < 3 => Reply::new("429 Too Many Requests", "Retry-After: 3\r\n", b""),
        path => Reply::by_path(path, 0).after(ms(15)),
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = judge.crawl(folder.path(), 1, 2);
    judge.resolve(&mut command, 1..STRANGERS + 1);
    assert!(run(command.args(["--delay", "100ms", "--per-host", "2"])).status.success());
    let arrivals = judge.arrivals();
    // robots.txt and two pages of the one name; then the second page again, and robots.txt and an image of each other.
    assert_eq!(arrivals.len(), 3 + 1 + 2 * STRANGERS);
    let (asked, answered) = (|n: usize| arrivals[n].at.by, |n: usize| arrivals[n].answered.unwrap());
    assert!(answered(2) < answered(1), "the strangers were shown before it was enough");
    let others = &arrivals[3..];
    let early = others.iter().filter(|arrival| arrival.at.by < answered(2) + ms(3000)).count();
    assert_eq!(early, 0, "so many did not wait");
    assert!(asked(3) <= answered(2) + ms(4000), "nobody is kept for longer");
    // Twenty good answers, and it is trusted again.
    check_spared(&others[..20], LEAST_GAP);
}

#[test]
fn answers_that_take_ever_longer_slow_it_down_and_it_recovers() {
    const GAP: Duration = ms(100);
    let judge = Judge::sit(1, |asked| {
        let pause = if (6..9).contains(&asked.before) { ms(1000) } else { ms(20) };
        Reply::by_path(asked.path, 0).after(pause)
    });
    let folder = tempfile::tempdir().unwrap();
    assert!(run(judge.crawl(folder.path(), 1, 40).args(["--delay", "100ms"])).status.success());
    let lane = judge.arrivals();
    assert_eq!(crowded(&lane, GAP, 1), None);
    // The third slow answer has made the mean twice what it was.
    check_spared(&lane[9..28], LEAST_GAP);
    let last: Vec<Duration> = lane[32..].windows(2).map(|pair| pair[1].at.by - pair[0].at.by).collect();
    assert!(last.iter().filter(|gap| **gap < LEAST_GAP).count() > last.len() / 2, "still slow: {last:?}");
}

// ------------------------------------------------------------------------------------------------- runs that end

#[test]
fn a_run_that_follows_another_never_hurries() {
    const GAP: Duration = ms(300);
    const HOSTS: usize = 8;
    let judge = Judge::sit(1, |asked| Reply::by_path(asked.path, 6).after(ms(10)));
    let folder = tempfile::tempdir().unwrap();
    let crawl = |profile: &str| {
        let mut command = judge.crawl(folder.path(), HOSTS, 40);
        command.args(["--delay", "300ms", "--profile", profile]);
        command
    };
    // So many requests more, and then this signal; the first one at once, before anything is written down.
    let ends = [
        ("one", 1, "-KILL"),
        ("one", 40, "-KILL"),
        ("one", 60, "-INT"),
        ("two", 60, "-KILL"),
        ("one", 60, "-KILL"),
        ("two", 60, "-INT"),
        ("one", 60, "-KILL"),
    ];
    for (profile, more, name) in ends {
        let before = judge.arrivals().len();
        let mut child = start(&mut crawl(profile));
        judge.await_arrivals(before + more);
        signal(&child, name);
        child.wait().unwrap();
    }
    assert_eq!(judge.hurried(GAP, GAP / 5), Vec::<String>::new());
}

#[test]
fn a_machine_asleep_and_awake_again_makes_no_burst() {
    const GAP: Duration = ms(100);
    let judge = Judge::sit(1, |asked| Reply::by_path(asked.path, 6));
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(judge.crawl(folder.path(), 8, 12).args(["--delay", "100ms"]));
    judge.await_arrivals(100);
    signal(&child, "-STOP");
    std::thread::sleep(ms(3000));
    let asleep = judge.arrivals().len();
    signal(&child, "-CONT");
    judge.await_arrivals(asleep + 200);
    assert!(child.wait().unwrap().success());
    assert_eq!(judge.hurried(GAP, GAP / 5), Vec::<String>::new());
}

// ------------------------------------------------------------------------------------- connections, and everyone

#[test]
fn without_a_delay_connections_alone_bound_it() {
    let judge = Judge::sit(1, |asked| Reply::by_path(asked.path, 6).after(ms(20)));
    let folder = tempfile::tempdir().unwrap();
    let mut command = judge.crawl(folder.path(), 1, 30);
    let began = Instant::now();
    assert!(run(command.args(["--delay", "0", "--per-host", "2", "--requisites-per-host", "4"])).status.success());
    println!("{:?}", began.elapsed());
    let arrivals = judge.arrivals();
    assert_eq!(in_the_air(arrivals.iter().filter(|arrival| arrival.is_page())), 2);
    assert_eq!(in_the_air(arrivals.iter().filter(|arrival| arrival.is_requisite())), 4);
    assert!(judge.most_connections() <= 6, "{} connections", judge.most_connections());
}

#[test]
fn of_three_hundred_hosts_none_is_forgotten() {
    const HOSTS: usize = 300;
    const PAGES: usize = 5;
    let judge = Judge::sit(50, |asked| Reply::by_path(asked.path, 0));
    let folder = tempfile::tempdir().unwrap();
    let mut command = judge.crawl(folder.path(), HOSTS, PAGES);
    assert!(run(command.args(["--delay", "300ms", "--concurrency", "16"])).status.success());
    let lanes = by_host(&judge.arrivals(), Arrival::is_page);
    assert_eq!(lanes.len(), HOSTS);
    // Nobody has its third page before everybody has the first, and so on.
    for page in 2..PAGES {
        let soonest = lanes.values().map(|lane| lane[page].at.by).min().unwrap();
        let late = lanes.values().filter(|lane| lane[page - 2].at.by > soonest).count();
        assert_eq!(late, 0, "{late} hosts had not had {} pages when one had {}", page - 1, page + 1);
    }
}
