//! `docs/politeness.md` promises things to the owners of sites: its numbers and examples are held against the program.

use std::path::Path;
use std::time::Duration;

use pressmark::politeness::{
    Answer, BURST, Gate, Heard, MOST_CRAWL_DELAY, Options, PER_ADDRESS, ROBOTS_FRESH, ROBOTS_HOPS, ROBOTS_LIMIT,
    ROBOTS_STALE, Robots, RobotsPolicy,
};
use pressmark::web::candidate::Class;
use pressmark::web::exchange::{self, Exchange, Fault};
use pressmark::web::time::{Moment, Timestamp};
use pressmark::web::url::WebUrl;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/politeness.md")).unwrap()
}

/// The rows of the tables with this head, as cells, table by table.
fn tables<'a>(page: &'a str, head: &str) -> Vec<Vec<Vec<&'a str>>> {
    let mut tables = Vec::new();
    let mut lines = page.lines();
    while lines.find(|line| *line == head).is_some() {
        let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
        tables.push(rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect());
    }
    tables
}

/// The longest that a server can keep this crawler waiting by asking for a year.
fn longest_patience() -> Duration {
    let mut gate = Gate::new(Options { robots: RobotsPolicy::Ignore, ..Options::default() });
    let (url, wall) = (WebUrl::parse("http://h.example/").unwrap(), Timestamp(1_780_000_000_000));
    let Answer::NeedsAddress = gate.ask(&url, Class::PageLike, Moment(1), wall) else { panic!("nobody knows where") };
    gate.located(&url.origin().host, None, Moment(1));
    let Answer::Go(permit) = gate.ask(&url, Class::PageLike, Moment(1), wall) else { panic!("a host nobody knows") };
    permit.stamp().set(Moment(1));
    let mut exchange = Exchange::faulty(url, wall, Fault::NoAnswer);
    exchange.fault = None;
    exchange.answer = Some(exchange::Answer::of(b"HTTP/1.1 429 Slow\r\nRetry-After: 31536000\r\n\r\n"));
    let Heard::BackOff(until) = gate.heard(&permit.receipt(), &exchange, b"", Moment(2), wall) else {
        panic!("no wait")
    };
    until.since(wall)
}

#[test]
fn its_numbers_are_the_program_s() {
    let page = page();
    let options = Options::default();
    let seconds = |delay: Duration| format!("{} s", delay.as_secs_f64());
    let days = |length: Duration| format!("{} d", length.as_secs_f64() / 86_400.0);
    let want = [
        ("from the beginning of one request for a page to the next".to_owned(), seconds(options.delay)),
        ("connections for pages".to_owned(), options.per_host.to_string()),
        (format!("from one requisite to the next, after the first {BURST}"), seconds(options.requisite_delay)),
        ("connections for requisites".to_owned(), options.requisites_per_host.to_string()),
        ("requests at a time to one address, by whatever name".to_owned(), PER_ADDRESS.to_string()),
        ("redirects of robots.txt that are followed".to_owned(), ROBOTS_HOPS.to_string()),
        ("of robots.txt is read".to_owned(), format!("{} KiB", ROBOTS_LIMIT / 1024)),
        ("a copy of robots.txt is good for".to_owned(), days(ROBOTS_FRESH)),
        ("and serves, while the host cannot be reached, for".to_owned(), days(ROBOTS_STALE)),
        ("the longest `Crawl-delay` that is kept".to_owned(), format!("{} h", MOST_CRAWL_DELAY.as_secs() / 3600)),
        ("the longest `Retry-After` that is kept".to_owned(), days(longest_patience())),
    ];
    let said = tables(&page, "| what | how much |").remove(0);
    let said: Vec<(String, String)> = said.iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    assert_eq!(said, want);
}

#[test]
fn its_examples_are_read_as_it_says() {
    let page = page();
    let files: Vec<&str> = page.split("```robots\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let tables = tables(&page, "| path | may be fetched |");
    assert_eq!((files.len(), tables.len()), (2, 2));
    for (file, rows) in files.iter().zip(&tables) {
        let robots = Robots::read(file.as_bytes(), &Options::default().agent);
        for row in rows {
            let verdict = robots.verdict(row[0].trim_matches('`'));
            let word = if verdict.allowed { "yes" } else { "no" };
            let line = verdict.line.map_or(String::new(), |line| format!(": line {line}"));
            assert_eq!(row[1], format!("{word}{line}"), "{} by\n{file}", row[0]);
        }
        let delay = file.contains("Crawl-delay: 10").then(|| Duration::from_secs(10));
        assert_eq!(robots.crawl_delay, delay);
    }
}
