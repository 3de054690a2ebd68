//! What the database promises, through its own doors: one writer, readers, and the views that other programs read.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pressmark::archive::{Capture, Kind as RecordKind, Original, Place};
use pressmark::extract::{self, Article, CharsetFrom, Findings, Image, Person, Variant, VariantRole};
use pressmark::politeness::{AddressClock, Clocks, HostClock, RobotsCopy, Trouble};
use pressmark::store::{Batch, Error, KeptOut, Page, Reader, Run, Settled, Store};
use pressmark::web::candidate::{Candidate, Class, Role};
use pressmark::web::claims::Claims;
use pressmark::web::digest::{Algorithm, Digest, digest, fingerprint};
use pressmark::web::exchange::Validators;
use pressmark::web::outcome::{Manner, Outcome, Refusal};
use pressmark::web::referrer::Policy;
use pressmark::web::time::Timestamp;
use pressmark::web::url::WebUrl;
use pressmark::web::verdict::RobotsVerdict;
use rusqlite::Connection;
use serde_json::Value;

use crate::readers::skipped;

const PAGE: &str = "http://news.example/one.html";
const FILE: &str = "p-20261122T134625Z-7f3a9c1e-00001.warc.gz";

/// So many seconds after some beginning.
fn at(seconds: i64) -> Timestamp {
    Timestamp(1_780_000_000_000 + seconds * 1000)
}

fn url(text: &str) -> WebUrl {
    WebUrl::parse(text).unwrap()
}

/// A database and its writer.
struct Shelf {
    folder: tempfile::TempDir,
    store: Store,
    run: Run,
    captures: u64,
}

impl Shelf {
    fn new() -> Shelf {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("s.sqlite3")).unwrap();
        let run = store.begin_run("p", at(0), false).unwrap();
        Shelf { folder, store, run, captures: 0 }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("s.sqlite3")
    }

    fn reader(&self) -> Reader {
        self.store.reader().unwrap()
    }

    /// Another program's connection.
    fn other(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn rows(&self, sql: &str) -> Vec<Vec<Value>> {
        self.reader().sql(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}")).rows
    }

    fn state(&self, url: &str) -> String {
        self.rows(&format!("SELECT state FROM url WHERE text = '{url}'"))[0][0].as_str().unwrap().to_owned()
    }

    fn offer(&mut self, offers: &[Candidate], seconds: i64) {
        self.commit(&Batch { offers: offers.to_vec(), ..batch(Vec::new()) }, seconds);
    }

    fn settle(&mut self, settled: Vec<Settled>, seconds: i64) {
        self.commit(&batch(settled), seconds);
    }

    fn commit(&mut self, batch: &Batch, seconds: i64) {
        self.store.commit(self.run, batch, at(seconds)).unwrap();
    }

    /// Ends the run, unless it was killed, and begins another.
    fn next_run(&mut self, stopped_by: Option<&str>, seconds: i64, fresh: bool) {
        if let Some(stopped_by) = stopped_by {
            self.store.end_run(self.run.id, at(seconds), stopped_by, "{}").unwrap();
        }
        self.run = self.store.begin_run("p", at(seconds), fresh).unwrap();
    }

    /// A capture further down the file.
    fn capture(&mut self, url: &str, status: u16, media: &str) -> Capture {
        self.captures += 1;
        let place = |offset: u64| Place { file: FILE.to_owned(), offset: self.captures * 1000 + offset, length: 100 };
        Capture {
            url: url.to_owned(),
            at: at(i64::try_from(self.captures).unwrap()),
            record_id: format!("<urn:uuid:{}>", self.captures),
            kind: RecordKind::Response,
            status: Some(status),
            media: Some(media.to_owned()),
            payload: digest(Algorithm::Sha1, url.as_bytes()),
            payload_len: url.len() as u64,
            validators: Validators::default(),
            refers_to: None,
            truncated: None,
            address: Some("192.0.2.7".parse().unwrap()),
            place: place(0),
            request: Some(place(100)),
            metadata: place(200),
        }
    }

    /// A page that was fetched and read.
    fn read(&mut self, url: &str, findings: Findings) -> Settled {
        let capture = self.capture(url, 200, "text/html");
        Settled { capture: Some(capture), page: Some(Page(Box::new(findings))), ..settled(url, Role::Page) }
    }

    /// A picture that was fetched.
    fn picture(&mut self, url: &str, status: u16, media: &str, size: Option<(u32, u32)>) -> Settled {
        let capture = self.capture(url, status, media);
        let outcome = Some(Outcome::Done { status });
        Settled { capture: Some(capture), picture: size, outcome, ..settled(url, Role::Image) }
    }

    /// Every row of every table, as text.
    fn dump(&self) -> Vec<String> {
        let connection = self.other();
        let names = column(&connection, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
        let mut dump = Vec::new();
        for name in names {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name} ORDER BY 1, 2")).unwrap();
            let width = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values: Vec<String> = (0..width).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
                dump.push(format!("{name}: {}", values.join(", ")));
            }
        }
        dump
    }
}

fn column(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn batch(settled: Vec<Settled>) -> Batch {
    Batch { settled, counters: "{}".to_owned(), ..Batch::default() }
}

fn settled(url: &str, role: Role) -> Settled {
    Settled { outcome: Some(Outcome::Done { status: 200 }), ..Settled::new(url, role) }
}

fn ended(url: &str, outcome: Outcome) -> Settled {
    Settled { outcome: Some(outcome), ..settled(url, Role::Page) }
}

fn by_robots(settled: Settled) -> Settled {
    let verdict = RobotsVerdict { allowed: false, rule: "Disallow: /".to_owned(), line: Some(2) };
    Settled { verdict: Some(verdict), robots_tags: vec!["noarchive".to_owned()], ..settled }
}

fn failed(transient: bool) -> Outcome {
    Outcome::Failed { reason: "cut off".to_owned(), transient, status: None }
}

fn refused(by: Refusal, transient: bool) -> Outcome {
    Outcome::Refused { by, rule: "Disallow: /".to_owned(), transient }
}

fn candidate(text: &str, role: Role) -> Candidate {
    Candidate {
        url: url(text),
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

fn seed(text: &str) -> Candidate {
    Candidate { again: true, ..candidate(text, Role::Page) }
}

fn part(text: &str, page: &str) -> Candidate {
    Candidate { page: Some(page.to_owned()), via: Some(page.to_owned()), ..candidate(text, Role::Image) }
}

fn image(addresses: &[(&str, VariantRole)], width: Option<u32>) -> Image {
    let variant = |(text, role): &(&str, VariantRole)| Variant { url: url(text), role: *role, wanted: true };
    Image {
        variants: addresses.iter().map(variant).collect(),
        alt: None,
        caption: None,
        width,
        height: None,
        position: Some(0),
        in_article: true,
        policy: Policy::default(),
    }
}

fn original(text: &str) -> Image {
    image(&[(text, VariantRole::Original)], None)
}

fn article(title: &str, images: Vec<Image>) -> Findings {
    let byline = vec![Person { name: "曾宪天".to_owned(), role: "author" }];
    Findings {
        kind: extract::Kind::Article,
        cut: false,
        charset: ("UTF-8", CharsetFrom::Header),
        declared_charset: Some("UTF-8".to_owned()),
        article: Article {
            title: Some(title.to_owned()),
            byline,
            text: "The ferry leaves at nine.".to_owned(),
            ..Article::default()
        },
        images,
        requisites: Vec::new(),
        links: Vec::new(),
        next: None,
        refresh: None,
        meta_robots: Vec::new(),
        oddities: Vec::new(),
    }
}

// ------------------------------------------------------------------------------------------------------- commits

/// A batch with everything a batch can hold; one article changes within it.
fn everything(shelf: &mut Shelf) -> Batch {
    let picture = "http://img.example/1.png";
    let mut first = shelf.read(PAGE, article("One", vec![original(picture)]));
    first.offers = vec![part(picture, PAGE), candidate("http://news.example/two.html", Role::Page)];
    first.kept_out = vec![KeptOut { urls: 2, ..KeptOut::example(1, "a rule", "http://else.example/") }];
    first.marks = vec![(1, 2)];
    let unchanged = shelf.read(PAGE, article("One", vec![original(picture)]));
    let changed = shelf.read(PAGE, article("One, corrected", vec![original(picture)]));
    let kept = shelf.picture(picture, 200, "image/png", Some((8, 8)));
    let mut moved = shelf.picture("http://img.example/2.png", 302, "image/png", None);
    moved.redirect = Some(url("http://img.example/3.png"));
    let again = Outcome::Again { at: at(60), manner: Manner::Later };
    Batch {
        offers: vec![seed(PAGE), seed("http://news.example/slow.html")],
        settled: vec![
            first,
            unchanged,
            changed,
            kept,
            moved,
            ended("http://news.example/slow.html", again),
            ended("http://news.example/dead.html", failed(true)),
            by_robots(ended("http://news.example/private.html", refused(Refusal::Robots, false))),
        ],
        clocks: vec![Clocks {
            host: HostClock {
                host: Arc::from("news.example"),
                page_next: at(3),
                requisite_next: at(2),
                trouble: Trouble { steps: 2, until: at(3_600) },
            },
            address: Some(AddressClock {
                address: "192.0.2.7".parse().unwrap(),
                next: at(9),
                trouble: Trouble { steps: 1, until: at(1_800) },
            }),
        }],
        robots: vec![(
            url(PAGE).origin(),
            RobotsCopy { fetched: at(1), status: 200, bytes: b"User-agent: *".to_vec() },
        )],
        files: vec![(FILE.to_owned(), 5300)],
        counters: r#"{"pages":1}"#.to_owned(),
    }
}

#[test]
fn the_same_batch_twice_changes_nothing() {
    let mut shelf = Shelf::new();
    let batch = everything(&mut shelf);
    shelf.commit(&batch, 5);
    let once = shelf.dump();
    let tables: BTreeSet<&str> = once.iter().filter_map(|row| row.split(':').next()).collect();
    for table in [
        "address",
        "article_version",
        "capture",
        "exclusion",
        "mark",
        "part",
        "picture",
        "picture_variant",
        "redirect",
        "robots",
        "robots_rule",
        "url",
    ] {
        assert!(tables.contains(table), "the batch writes no {table}");
    }
    assert_eq!(shelf.rows("SELECT count(*) FROM article_version")[0][0], 2);
    shelf.commit(&batch, 5);
    assert_eq!(shelf.dump(), once);
}

#[test]
fn a_batch_is_whole_or_not_at_all() {
    let mut shelf = Shelf::new();
    let batch = everything(&mut shelf);
    let before = shelf.dump();
    // The redirect stands in the middle of the batch.
    shelf
        .other()
        .execute_batch("CREATE TRIGGER t BEFORE INSERT ON redirect BEGIN SELECT raise(ABORT, 'no'); END")
        .unwrap();
    let error = shelf.store.commit(shelf.run, &batch, at(5)).unwrap_err();
    assert!(matches!(error, Error::Sqlite { doing: "write to", .. }), "{error:?}");
    assert_eq!(shelf.dump(), before);
    shelf.other().execute_batch("DROP TRIGGER t").unwrap();
    shelf.commit(&batch, 5);
    assert_ne!(shelf.dump(), before);
}

#[test]
fn an_offer_counts_once() {
    let mut shelf = Shelf::new();
    let offers = [candidate(PAGE, Role::Page), candidate("http://news.example/two.html", Role::Page)];
    assert!(shelf.reader().accepts(&offers[0], shelf.run).unwrap());
    shelf.offer(&[offers.clone(), offers.clone()].concat(), 1);
    let once = shelf.dump();
    assert!(!shelf.reader().accepts(&offers[0], shelf.run).unwrap());
    // Another referer or another way to it makes no other URL.
    let other = Candidate { via: Some("http://elsewhere.example/".to_owned()), depth: 3, ..offers[0].clone() };
    shelf.offer(&[other, offers[1].clone()], 1);
    assert_eq!(shelf.dump(), once);
    shelf.settle(vec![ended(PAGE, Outcome::Done { status: 200 })], 2);
    shelf.offer(&offers, 3);
    assert_eq!(shelf.state(PAGE), "done", "what is settled is not queued again");
}

#[test]
fn urls_that_share_a_fingerprint_are_told_apart_by_their_text() {
    let mut shelf = Shelf::new();
    let (known, new) = ("http://news.example/known", "http://news.example/new");
    shelf.offer(&[candidate(known, Role::Page)], 1);
    shelf.settle(vec![ended(known, failed(false))], 1);
    let clash = "UPDATE url SET fingerprint = ?1 WHERE text = ?2";
    shelf.other().execute(clash, (fingerprint(new), known)).unwrap();
    assert!(shelf.reader().row(&url(new)).unwrap().is_none());
    assert!(shelf.reader().accepts(&candidate(new, Role::Page), shelf.run).unwrap());
    for _ in 0..2 {
        shelf.offer(&[candidate(new, Role::Page)], 2);
        assert!(!shelf.reader().accepts(&candidate(new, Role::Page), shelf.run).unwrap());
    }
    assert_eq!((shelf.state(known), shelf.state(new)), ("failed".to_owned(), "queued".to_owned()));
    assert_eq!(shelf.rows("SELECT count(*) FROM url")[0][0], 2);
    let queued = shelf
        .reader()
        .queued("news.example", Class::PageLike, &std::collections::HashSet::new(), &BTreeSet::new(), 9)
        .unwrap();
    assert_eq!(queued.iter().map(|queued| queued.candidate.url.as_str()).collect::<Vec<_>>(), [new]);
    let row = shelf.reader().row(&url(new)).unwrap();
    assert_eq!(row.map(|row| row.candidate.url), Some(url(new)));
}

#[test]
fn every_outcome_has_its_state() {
    let cases = [
        (Outcome::Done { status: 200 }, "done", None),
        (Outcome::Done { status: 404 }, "done", Some("answered 404")),
        (Outcome::Again { at: at(60), manner: Manner::Later }, "queued", None),
        (Outcome::Again { at: at(60), manner: Manner::Fresh }, "queued", None),
        (refused(Refusal::Robots, false), "refused", Some("refused")),
        (refused(Refusal::Guard, false), "refused", Some("refused")),
        (refused(Refusal::Scope, true), "refused", Some("refused")),
        (failed(true), "failed", Some("failed")),
        (
            Outcome::Failed { reason: "answered 503".to_owned(), transient: true, status: Some(503) },
            "failed",
            Some("failed"),
        ),
    ];
    for (outcome, state, what) in cases {
        // Whether it was queued before, or a crash left its capture without the offer.
        for queued in [true, false] {
            let mut shelf = Shelf::new();
            if queued {
                shelf.offer(&[candidate(PAGE, Role::Page)], 1);
            }
            shelf.settle(vec![Settled { tries: 3, ..ended(PAGE, outcome.clone()) }], 2);
            assert_eq!(shelf.state(PAGE), state, "{outcome:?}");
            let row = &shelf.rows("SELECT tries, due_ms FROM url")[0];
            let due = if state == "queued" { at(60).0 } else { 0 };
            assert_eq!((&row[0], &row[1]), (&3.into(), &due.into()), "{outcome:?}");
            let failures = shelf.rows("SELECT what FROM failure");
            assert_eq!(failures.first().and_then(|row| row[0].as_str()), what, "{outcome:?}");
        }
    }
}

#[test]
fn a_document_of_the_users_own_is_done_without_a_turn() {
    let mut shelf = Shelf::new();
    let uri = "file:///seeds/post.md";
    let capture = Capture { kind: RecordKind::Resource, status: None, ..shelf.capture(uri, 200, "text/markdown") };
    let page = Some(Page(Box::new(article("A post", Vec::new()))));
    let document = settled(uri, Role::Document);
    shelf.settle(vec![Settled { capture: Some(capture), page, outcome: None, ..document }], 1);
    assert_eq!(shelf.state(uri), "done");
    assert_eq!(shelf.rows("SELECT url, complete FROM article"), [[Value::from(uri), 1.into()]]);
    assert!(shelf.reader().hosts().unwrap().is_empty(), "it is no host's");
    let payload = digest(Algorithm::Sha1, uri.as_bytes());
    assert_eq!(shelf.store.last_payload(uri).unwrap().as_deref(), Some(payload.as_str()));
}

#[test]
fn committed_lengths_only_grow() {
    let mut shelf = Shelf::new();
    for (len, known) in [(500, 500), (300, 500), (900, 900)] {
        shelf.commit(&Batch { files: vec![(FILE.to_owned(), len)], ..batch(Vec::new()) }, 1);
        assert_eq!(shelf.store.committed().unwrap()[FILE], known);
    }
    assert!(!shelf.store.committed().unwrap().contains_key("another.warc.gz"));
}

#[test]
fn a_seed_keeps_its_number() {
    let mut shelf = Shelf::new();
    let first = shelf.store.add_seed(shelf.run.id, PAGE, "list.txt", 3, &Claims::default()).unwrap();
    let other = shelf.store.add_seed(shelf.run.id, "http://b.example/", "list.txt", 4, &Claims::default()).unwrap();
    shelf.next_run(Some("done"), 9, false);
    let claims = Claims { title: Some("One".to_owned()), ..Claims::default() };
    assert_eq!(shelf.store.add_seed(shelf.run.id, PAGE, "other.txt", 1, &claims).unwrap(), first);
    assert_ne!(first, other);
    assert_eq!(shelf.store.seed_names().unwrap()[&first], PAGE);
    let row = &shelf.rows("SELECT source, claims, last_run FROM seed WHERE id = 1")[0];
    assert_eq!((&row[0], &row[1]), (&"other.txt".into(), &r#"{"title":"One"}"#.into()));
    assert_eq!(row[2], shelf.run.id);
}

// ---------------------------------------------------------------------------------------------------------- runs

#[test]
fn a_seed_is_asked_for_once_a_chain_of_runs() {
    let mut shelf = Shelf::new();
    shelf.offer(&[seed(PAGE)], 1);
    shelf.settle(vec![ended(PAGE, Outcome::Done { status: 200 })], 2);
    // Killed, and broken off: the work goes on, and what is done is done.
    for (stopped_by, seconds) in [(None, 10), (Some("signal"), 20), (None, 30)] {
        shelf.next_run(stopped_by, seconds, false);
        assert_eq!((shelf.run.chain, shelf.run.after_crash), (at(0), stopped_by.is_none()));
        assert!(!shelf.reader().accepts(&seed(PAGE), shelf.run).unwrap());
        shelf.offer(&[seed(PAGE)], seconds);
        assert_eq!(shelf.state(PAGE), "done");
    }
    // A budget is a clean end, too.
    for (stopped_by, seconds) in [("done", 40), ("pages", 50), ("bytes", 60), ("time", 70)] {
        shelf.next_run(Some(stopped_by), seconds, false);
        assert_eq!((shelf.run.chain, shelf.run.after_crash), (at(seconds), false), "after {stopped_by}");
        let link = candidate(PAGE, Role::Page);
        assert!(!shelf.reader().accepts(&link, shelf.run).unwrap(), "a mere link asks for nothing");
        assert!(shelf.reader().accepts(&seed(PAGE), shelf.run).unwrap());
        shelf.offer(&[seed(PAGE)], seconds);
        assert_eq!(shelf.state(PAGE), "queued");
        shelf.settle(vec![ended(PAGE, Outcome::Done { status: 200 })], seconds + 1);
    }
}

#[test]
fn another_profile_has_its_own_chain() {
    let mut shelf = Shelf::new();
    let run = shelf.store.begin_run("q", at(7), false).unwrap();
    assert_eq!((run.chain, run.after_crash), (at(7), true), "the run before it may have asked a moment ago");
}

#[test]
fn what_may_pass_is_tried_again_by_the_next_chain_only() {
    let mut shelf = Shelf::new();
    let cases = [
        ("http://news.example/cut", failed(true), "queued"),
        ("http://news.example/gone", failed(false), "failed"),
        ("http://news.example/robots-down", refused(Refusal::Robots, true), "queued"),
        ("http://news.example/private", refused(Refusal::Robots, false), "refused"),
        ("http://news.example/404", Outcome::Done { status: 404 }, "done"),
    ];
    shelf.settle(cases.iter().map(|(url, outcome, _)| ended(url, outcome.clone())).collect(), 1);
    let before: Vec<String> = cases.iter().map(|(url, ..)| shelf.state(url)).collect();
    shelf.next_run(None, 10, false);
    shelf.next_run(Some("signal"), 20, false);
    assert_eq!(cases.iter().map(|(url, ..)| shelf.state(url)).collect::<Vec<_>>(), before);
    shelf.next_run(Some("done"), 30, false);
    for (url, _, state) in &cases {
        assert_eq!(shelf.state(url), *state, "{url}");
    }
    assert_eq!(shelf.rows("SELECT sum(tries), sum(due_ms) FROM url WHERE state = 'queued'"), [[0, 0]]);
}

#[test]
fn fresh_forgets_the_queue_and_keeps_what_is_captured() {
    let mut shelf = Shelf::new();
    let (picture, other) = ("http://img.example/1.png", "http://news.example/two.html");
    let mut page = shelf.read(PAGE, article("One", vec![original(picture)]));
    page.offers = vec![part(picture, PAGE), candidate(other, Role::Page)];
    shelf.settle(vec![page], 1);
    shelf.next_run(Some("done"), 2, false);
    shelf.offer(&[seed(PAGE)], 2);
    assert_eq!(shelf.reader().hosts().unwrap().iter().map(|host| host.pages + host.requisites).sum::<u64>(), 3);
    let kept = shelf.rows("SELECT * FROM capture_log");

    shelf.next_run(Some("signal"), 3, true);
    assert_eq!(shelf.run.chain, at(3), "a new chain, although the last one was broken off");
    assert!(shelf.reader().hosts().unwrap().iter().all(|host| host.pages + host.requisites == 0));
    assert_eq!(shelf.rows("SELECT * FROM capture_log"), kept);
    // The article still says which picture it lacks.
    assert_eq!(shelf.rows("SELECT original, verdict FROM image"), [[picture, "missing"]]);
    assert_eq!(shelf.rows("SELECT complete FROM article"), [[0]]);
    for offer in [seed(PAGE), part(picture, PAGE), candidate(other, Role::Page)] {
        assert!(shelf.reader().accepts(&offer, shelf.run).unwrap());
        shelf.offer(std::slice::from_ref(&offer), 4);
        assert_eq!(shelf.state(offer.url.as_str()), "queued");
    }
}

// -------------------------------------------------------------------------------------------------------- views

#[test]
fn a_version_is_what_people_read() {
    let picture = |number: u32| original(&format!("http://img.example/{number}.png"));
    let base = || article("One", vec![picture(1), picture(2)]);
    let mut dated = base();
    dated.article.categories = vec!["local".to_owned()];
    dated.oddities = vec!["a build stamp".to_owned()];
    let mut decorated = base();
    decorated.images.push(Image { in_article: false, ..picture(9) });
    let mut text = base();
    text.article.text.push_str(" And comes back at noon.");
    let mut byline = base();
    byline.article.byline.clear();
    let cases = [
        ("nothing", base(), 1),
        ("what is around it", dated, 1),
        ("a picture of the page around it", decorated, 1),
        ("the headline", article("Two", vec![picture(1), picture(2)]), 2),
        ("the text", text, 2),
        ("the byline", byline, 2),
        ("a picture more", article("One", vec![picture(1), picture(2), picture(3)]), 2),
        ("a picture less", article("One", vec![picture(1)]), 2),
        ("another picture", article("One", vec![picture(1), picture(4)]), 2),
    ];
    for (what, changed, versions) in cases {
        let mut shelf = Shelf::new();
        let pages = vec![shelf.read(PAGE, base()), shelf.read(PAGE, changed)];
        shelf.settle(pages, 1);
        assert_eq!(shelf.rows("SELECT versions FROM article"), [[versions]], "changed: {what}");
        assert_eq!(shelf.rows("SELECT count(*) FROM capture_log"), [[2]]);
    }
}

#[test]
fn the_article_view_shows_the_latest_version() {
    let mut shelf = Shelf::new();
    let pages = vec![
        shelf.read(PAGE, article("One", vec![original("http://img.example/1.png")])),
        shelf.read(PAGE, article("Two", Vec::new())),
    ];
    shelf.settle(pages, 1);
    assert_eq!(shelf.rows("SELECT title, images, complete FROM article"), [[Value::from("Two"), 0.into(), 1.into()]]);
    assert!(shelf.rows("SELECT 1 FROM image").is_empty());
}

/// An article with a picture for every verdict: what became of it, its verdict, and the address that was kept.
fn gallery() -> (Shelf, Vec<(&'static str, Option<&'static str>)>) {
    use VariantRole::{Original, Placeholder, Proxied};
    let mut shelf = Shelf::new();
    let size = Some((800, 600));
    let images = vec![
        image(&[("http://i.example/complete", Original)], Some(800)),
        image(&[("http://i.example/gone", Original)], Some(800)),
        image(&[("http://i.example/private", Original)], None),
        image(&[("http://i.example/small", Original)], Some(1600)),
        image(&[("http://i.example/waits", Original)], None),
        image(&[("http://dead.example/a", Original), ("http://proxy.example/?a", Proxied)], Some(800)),
        image(&[("http://i.example/moved", Original)], Some(800)),
        image(&[("http://i.example/moving", Original)], None),
        image(&[("http://i.example/moved-private", Original)], None),
        image(&[("http://dead.example/b", Original), ("http://i.example/grey.gif", Placeholder)], None),
        image(&[("http://i.example/notice", Original)], None),
        image(&[("http://i.example/cut", Original)], None),
        image(&[("http://i.example/unsized", Original)], Some(800)),
        image(&[("http://i.example/mislabelled", Original)], Some(800)),
    ];
    let mut findings = article("Gallery", images);
    findings.article.lead_image = Some(3);
    findings.next = Some(url("http://news.example/second"));
    findings.images[0].caption = Some("A ferry".to_owned());
    let mut page = shelf.read(PAGE, findings);
    page.offers = vec![part("http://i.example/waits", PAGE), part("http://i.example/next", PAGE)];
    page.robots_tags = vec!["noarchive".to_owned()];
    page.verdict = Some(RobotsVerdict::without_rule("no rule matches"));
    page.kept_out = vec![KeptOut { urls: 3, ..KeptOut::example(1, "a rule", "http://else.example/") }];
    let mut all = vec![page];
    all.push(shelf.picture("http://i.example/mislabelled", 200, "text/plain", size));
    for kept in ["complete", "small", "target"] {
        all.push(shelf.picture(&format!("http://i.example/{kept}"), 200, "image/png", size));
    }
    all.push(shelf.picture("http://i.example/gone", 404, "text/html", None));
    let private = Settled { role: Role::Image, ..ended("http://i.example/private", refused(Refusal::Robots, false)) };
    all.push(by_robots(private));
    for dead in ["http://dead.example/a", "http://dead.example/b"] {
        all.push(Settled { role: Role::Image, ..ended(dead, failed(true)) });
    }
    all.push(shelf.picture("http://proxy.example/?a", 200, "image/png", size));
    for (from, to) in [("moved", "hop"), ("hop", "target"), ("moving", "next"), ("moved-private", "hidden")] {
        let mut moved = shelf.picture(&format!("http://i.example/{from}"), 302, "image/png", None);
        moved.redirect = Some(url(&format!("http://i.example/{to}")));
        all.push(moved);
    }
    all.push(Settled { role: Role::Image, ..ended("http://i.example/hidden", refused(Refusal::Robots, false)) });
    all.push(shelf.picture("http://i.example/grey.gif", 200, "image/gif", Some((1, 1))));
    all.push(shelf.picture("http://i.example/notice", 200, "text/html; charset=utf-8", None));
    let mut cut = shelf.picture("http://i.example/cut", 200, "image/png", size);
    cut.fault = Some("cut off".to_owned());
    cut.capture.as_mut().unwrap().truncated = Some("disconnect".to_owned());
    all.push(cut);
    all.push(shelf.picture("http://i.example/unsized", 200, "image/svg+xml", None));
    shelf.settle(all, 1);
    let expected = vec![
        ("complete", Some("http://i.example/complete")),
        ("missing", None),
        ("refused by robots", None),
        ("smaller than declared", Some("http://i.example/small")),
        ("queued", None),
        ("complete", Some("http://proxy.example/?a")),
        ("complete", Some("http://i.example/moved")),
        ("queued", None),
        ("refused by robots", None),
        ("missing", None),
        ("missing", None),
        ("damaged", None),
        ("complete", Some("http://i.example/unsized")),
        ("complete", Some("http://i.example/mislabelled")),
    ];
    (shelf, expected)
}

#[test]
fn every_picture_has_its_verdict() {
    let (shelf, expected) = gallery();
    let rows = shelf.rows("SELECT original, verdict, kept_url, kept_role FROM image ORDER BY position");
    assert_eq!(rows.len(), expected.len());
    for (row, (verdict, kept)) in rows.iter().zip(&expected) {
        assert_eq!((row[1].as_str(), row[2].as_str()), (Some(*verdict), *kept), "{}", row[0]);
    }
    assert_eq!((&rows[5][3], &rows[6][3]), (&"proxied copy".into(), &"original".into()));
    let article = &shelf.rows("SELECT images, images_kept, complete, lead_image FROM article")[0];
    let kept = expected.iter().filter(|(_, kept)| kept.is_some()).count();
    assert_eq!((&article[0], &article[1], &article[2]), (&expected.len().into(), &kept.into(), &0.into()));
    assert_eq!(article[3], "http://i.example/small");
    // A picture that has moved shows what stands where it went.
    let moved = &shelf.rows("SELECT width, size_bytes FROM image WHERE position = 6")[0];
    assert_eq!((&moved[0], &moved[1]), (&800.into(), &"http://i.example/target".len().into()));
    let variants = &shelf.rows("SELECT variants FROM image WHERE position = 5")[0][0];
    let variants: Value = serde_json::from_str(variants.as_str().unwrap()).unwrap();
    assert_eq!((&variants[0]["state"], &variants[1]["state"]), (&"failed".into(), &"done".into()));
    assert_eq!(variants[1]["role"], "proxied copy");
}

#[test]
fn an_article_is_complete_when_every_picture_is_kept() {
    let mut shelf = Shelf::new();
    let picture = "http://img.example/1.png";
    let page = shelf.read(PAGE, article("One", vec![original(picture)]));
    shelf.settle(vec![page], 1);
    let complete = |shelf: &Shelf| shelf.rows("SELECT complete FROM article")[0][0].clone();
    let incomplete = |shelf: &Shelf| shelf.reader().run_brought(shelf.run.id).unwrap().incomplete;
    assert_eq!((complete(&shelf), incomplete(&shelf)), (0.into(), 1));
    let kept = shelf.picture(picture, 200, "image/png", Some((8, 8)));
    shelf.settle(vec![kept], 2);
    assert_eq!((complete(&shelf), incomplete(&shelf)), (1.into(), 0));
}

#[test]
fn what_went_wrong_and_what_was_kept_can_be_looked_up() {
    let (shelf, _) = gallery();
    let failures = shelf.rows("SELECT url, what, refused_by, reason, status FROM failure ORDER BY url");
    let urls: Vec<&str> = failures.iter().map(|row| row[0].as_str().unwrap()).collect();
    let expected = ["dead.example/a", "dead.example/b", "i.example/gone", "i.example/hidden", "i.example/private"];
    assert_eq!(urls, expected.map(|rest| format!("http://{rest}")));
    assert_eq!(failures[0][1..4], [Value::from("failed"), Value::Null, "cut off".into()]);
    assert_eq!((&failures[2][1], &failures[2][4]), (&"answered 404".into(), &404.into()));
    assert_eq!(failures[4][1..4], [Value::from("refused"), "robots".into(), "Disallow: /".into()]);

    let log = shelf.rows(
        "SELECT fetched, status, fault, truncated, warc_file, warc_offset FROM capture_log WHERE url LIKE '%/cut'",
    );
    assert_eq!(log[0][1..4], [Value::from(200), "cut off".into(), "disconnect".into()]);
    assert_eq!(log[0][4], FILE);
    let last = shelf.reader().last_capture("http://i.example/cut").unwrap().unwrap();
    assert_eq!((Value::from(last.at.iso()), Value::from(last.place.offset)), (log[0][0].clone(), log[0][5].clone()));
}

// --------------------------------------------------------------------------------------------- files and readers

#[test]
fn a_file_that_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.sqlite3");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Store::open(&path), Err(Error::Foreign(_))));
    assert!(matches!(Reader::open(&path), Err(Error::Foreign(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, "Dear diary, ").unwrap();
    assert!(matches!(Store::open(&path), Err(Error::Sqlite { .. })));
    assert!(matches!(Reader::open(&path), Err(Error::Sqlite { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"Dear diary, ");
}

#[test]
fn a_newer_schema_is_refused() {
    let shelf = Shelf::new();
    let path = shelf.path();
    shelf.other().execute_batch("PRAGMA user_version = 99").unwrap();
    for error in [Store::open(&path).map(|_| ()), Reader::open(&path).map(|_| ())] {
        assert!(matches!(error, Err(Error::Newer { found: 99, .. })), "{error:?}");
    }
}

#[test]
fn a_missing_database_is_said_to_be_missing_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.sqlite3");
    assert!(matches!(Reader::open(&path), Err(Error::Missing(named)) if named == folder.path()));
    assert!(!path.exists());
}

#[test]
fn an_odd_path_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let name = "50% ?mode=ro#a 中.sqlite3";
    let path = folder.path().join(name);
    Store::open(&path).unwrap();
    Reader::open(&path).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let made = entry.unwrap().file_name().into_string().unwrap();
        // A reader leaves SQLite's own files beside it.
        assert!([name, &format!("{name}-wal"), &format!("{name}-shm")].contains(&made.as_str()), "{made}");
    }
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let mut shelf = Shelf::new();
    shelf.offer(&[candidate(PAGE, Role::Page)], 1);
    let count = |connection: &Connection| -> i64 {
        connection.query_row("SELECT count(*) FROM url", [], |row| row.get(0)).unwrap()
    };
    // A reader that holds on to what it sees.
    let reading = shelf.other();
    reading.execute_batch("BEGIN").unwrap();
    assert_eq!(count(&reading), 1);
    shelf.offer(&[candidate("http://news.example/two.html", Role::Page)], 2);
    assert_eq!(count(&reading), 1);
    assert_eq!(shelf.reader().status().unwrap().states, [("queued".to_owned(), 2)]);
    reading.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reading), 2);
    // A writer in the middle of its work.
    let writing = shelf.other();
    writing.execute_batch("BEGIN IMMEDIATE; DELETE FROM url;").unwrap();
    assert_eq!(shelf.reader().status().unwrap().states, [("queued".to_owned(), 2)]);
    writing.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_clean_end_leaves_one_file() {
    let mut shelf = Shelf::new();
    shelf.offer(&[candidate(PAGE, Role::Page)], 1);
    shelf.store.end_run(shelf.run.id, at(2), "done", "{}").unwrap();
    let Shelf { folder, store, .. } = shelf;
    drop(store);
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["s.sqlite3"]);
    let reader = Reader::open(&folder.path().join("s.sqlite3")).unwrap();
    assert_eq!(reader.status().unwrap().states, [("queued".to_owned(), 1)]);
}

#[test]
fn any_sqlite_shell_can_read_every_view() {
    if skipped("sqlite3") {
        return;
    }
    let (shelf, _) = gallery();
    for view in column(&shelf.other(), "SELECT name FROM sqlite_schema WHERE type = 'view'") {
        let mut shell = Command::new("sqlite3");
        let output =
            shell.arg("-readonly").arg("-json").arg(shelf.path()).arg(format!("SELECT * FROM {view}")).output();
        let output = output.expect("make test installs sqlite3; PRESSMARK_SKIP=sqlite3 does without");
        assert!(output.status.success(), "{view}: {}", String::from_utf8_lossy(&output.stderr));
        // It prints nothing where there is nothing.
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        assert_eq!(rows.len(), shelf.rows(&format!("SELECT * FROM {view}")).len(), "{view}");
    }
}

#[test]
fn a_question_may_only_read() {
    let (shelf, _) = gallery();
    let before = shelf.dump();
    let elsewhere = shelf.folder.path().join("elsewhere.sqlite3");
    let attach = format!("ATTACH '{}' AS e", elsewhere.display());
    let vacuum = format!("VACUUM INTO '{}'", elsewhere.display());
    for sql in [
        "INSERT INTO host (name, slot) VALUES ('x', 0)",
        "DELETE FROM url",
        "UPDATE url SET state = 'done' RETURNING id",
        "REPLACE INTO robots VALUES ('x', 0, 0, x'')",
        "WITH x AS (SELECT 1) DELETE FROM url",
        "CREATE TABLE t (a)",
        "CREATE TEMP TABLE t (a)",
        "DROP VIEW article",
        "PRAGMA query_only = OFF",
        "PRAGMA user_version = 7",
        "PRAGMA writable_schema = ON",
        "PRAGMA journal_mode = DELETE",
        &attach,
        "DETACH main",
        &vacuum,
        "VACUUM",
        "REINDEX",
        "ANALYZE",
        "BEGIN",
        "SELECT load_extension('x')",
        "SELECT 1; SELECT 2",
        "SELECT 1; DELETE FROM url",
        "SELECT nothing FROM nowhere",
        "SELEKT",
    ] {
        let answer = shelf.reader().sql(sql);
        assert!(matches!(answer, Err(Error::Question(_) | Error::Refused(_))), "{sql}: {answer:?}");
    }
    assert_eq!(shelf.dump(), before);
    assert!(!elsewhere.exists());
    for sql in [
        "SELECT 1;",
        "SELECT 1 -- why",
        "VALUES (1)",
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x % 3 + 1 FROM c) SELECT 1 FROM c LIMIT 1",
    ] {
        assert_eq!(shelf.rows(sql), [[1]], "{sql}");
    }
}

#[test]
fn a_question_without_end_is_ended() {
    let shelf = Shelf::new();
    let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT";
    for what in ["max(x) FROM c", "x FROM c WHERE x < 0"] {
        let began = Instant::now();
        let answer = shelf.reader().sql_within(&format!("{endless} {what}"), Duration::from_millis(30));
        assert!(matches!(answer, Err(Error::Question(_))), "{answer:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

// ------------------------------------------------------------------------------------------------------ payloads

/// A capture that repeats another one.
fn repeats(capture: Capture, original: &Capture) -> Capture {
    let Capture { record_id, url, at, payload, payload_len, .. } = original.clone();
    let refers_to = Some(Original { record_id, url, at });
    Capture { kind: RecordKind::Revisit, refers_to, payload, payload_len, ..capture }
}

fn kept(capture: &Capture) -> Settled {
    Settled { capture: Some(capture.clone()), ..settled(&capture.url, Role::Image) }
}

#[test]
fn a_payload_leads_to_the_first_full_answer_that_holds_it() {
    let mut shelf = Shelf::new();
    let cut = Capture { truncated: Some("time".to_owned()), ..shelf.capture("http://a.example/", 200, "image/png") };
    let full = Capture {
        payload: cut.payload.clone(),
        payload_len: cut.payload_len,
        truncated: None,
        ..shelf.capture("http://b.example/", 200, "image/png")
    };
    let revisit = repeats(shelf.capture("http://c.example/", 200, "image/png"), &full);
    let (payload, len) = (full.payload.clone(), full.payload_len);
    assert_eq!(shelf.store.original(&payload, len).unwrap(), None);
    shelf.settle([&cut, &full, &revisit].map(kept).into(), 1);
    let (original, place) = shelf.store.original(&payload, len).unwrap().unwrap();
    assert_eq!((original.url.as_str(), original.at, &place), ("http://b.example/", full.at, &full.place));
    assert_eq!(shelf.store.original(&payload, len + 1).unwrap(), None, "another length is another payload");
    assert_eq!(shelf.reader().place_of(&payload, &original).unwrap(), Some(full.place.clone()));

    let log = "SELECT kind, size_bytes, refers_to, payload_offset FROM capture_log ORDER BY capture";
    let at = |capture: &Capture| Value::from(capture.place.offset);
    let len = Value::from(len);
    assert_eq!(
        shelf.rows(log),
        [
            ["response".into(), len.clone(), Value::Null, at(&cut)],
            ["response".into(), len.clone(), Value::Null, at(&full)],
            ["revisit".into(), len, 2.into(), at(&full)],
        ]
    );
    let memento = shelf.reader().memento("http://c.example/", None).unwrap().unwrap();
    assert_eq!((memento.place, memento.original), (revisit.place, Some(full.place)));
}

#[test]
fn a_revisit_of_what_is_not_here_refers_to_nothing() {
    let mut shelf = Shelf::new();
    let elsewhere = shelf.capture("http://a.example/", 200, "image/png");
    let here = shelf.capture("http://b.example/", 200, "image/png");
    // Another tool may name no record, and write the digest otherwise.
    let mut foreign = repeats(shelf.capture("http://c.example/", 200, "image/png"), &here);
    foreign.refers_to.as_mut().unwrap().record_id = String::new();
    foreign.payload = digest(Algorithm::Sha256, b"");
    let orphan = repeats(shelf.capture("http://d.example/", 200, "image/png"), &elsewhere);
    shelf.settle([&here, &foreign, &orphan].map(kept).into(), 1);
    let refers = shelf.rows("SELECT refers_to, payload_file FROM capture_log WHERE kind = 'revisit' ORDER BY capture");
    assert_eq!(refers, [[Value::from(1), FILE.into()], [Value::Null, Value::Null]]);
}

#[test]
fn an_answer_is_recognised_by_what_was_last_sent_with_its_payload() {
    let mut shelf = Shelf::new();
    let named = |capture: Capture, etag: &str| Capture {
        validators: Validators { etag: Some(etag.to_owned()), last_modified: None },
        ..capture
    };
    let first = named(shelf.capture(PAGE, 200, "text/html"), "\"1\"");
    let unchanged = repeats(shelf.capture(PAGE, 304, "text/html"), &first);
    let plain = Capture { payload: digest(Algorithm::Sha1, b"new"), ..shelf.capture(PAGE, 200, "text/html") };
    let gone = named(shelf.capture(PAGE, 404, "text/html"), "\"404\"");
    let ask = |shelf: &Shelf| shelf.reader().earlier(&url(PAGE)).unwrap();
    assert_eq!(ask(&shelf), None);
    for (capture, expected) in
        [(&first, Some("\"1\"")), (&unchanged, Some("\"1\"")), (&gone, Some("\"1\"")), (&plain, None)]
    {
        shelf.settle(vec![kept(capture)], 1);
        let earlier = ask(&shelf);
        assert_eq!(earlier.as_ref().and_then(|earlier| earlier.validators.etag.as_deref()), expected);
        assert!(earlier.is_none_or(|earlier| earlier.place == first.place && earlier.payload == first.payload));
    }
}

#[test]
fn revisits_of_what_is_lost_are_fetched_again() {
    let mut shelf = Shelf::new();
    let original = shelf.capture("http://a.example/", 200, "image/png");
    let mut revisit = repeats(shelf.capture("http://b.example/", 200, "image/png"), &original);
    revisit.place.file = "another.warc.gz".to_owned();
    shelf.settle([&original, &revisit].map(kept).into(), 1);
    assert_eq!(shelf.store.forget_lost(FILE, original.place.offset).unwrap(), 1);
    assert_eq!(shelf.rows("SELECT url, refers_to FROM capture_log"), [["http://b.example/".into(), Value::Null]]);
    assert_eq!([shelf.state("http://a.example/"), shelf.state("http://b.example/")], ["queued", "queued"]);
}

#[test]
fn a_database_of_the_first_schema_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pressmark.sqlite3");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../src/store/schema/0001_first.sql")).unwrap();
    old.execute_batch(
        "PRAGMA application_id = 1347244619; PRAGMA user_version = 1;
         CREATE VIEW capture_log AS SELECT 1 AS of_before;
         CREATE VIEW mine AS SELECT 2 AS answer;
         INSERT INTO run VALUES (1, 'default', 0, 0, 0, 1, 'done', '0.1.0', '{}');
         INSERT INTO host VALUES (1, 'a.example', 7, 0, 0);
         INSERT INTO url (id, host, fingerprint, text, role, class, state, priority, due_ms, tries, depth, hops)
             VALUES (1, 1, 1, 'http://a.example/', 'page', 0, 'done', 1, 0, 1, 0, 0);
         INSERT INTO warc_file VALUES (1, 'old.warc.gz', 900);
         INSERT INTO payload VALUES (1, 'sha1:AAAA', 12);
         INSERT INTO capture (id, url, run, role, fetched_ms, record_id, kind, status, payload, file, offset, length,
             metadata_offset, metadata_length)
             VALUES (1, 1, 1, 'page', 5, '<urn:uuid:1>', 'response', 200, 1, 1, 400, 300, 700, 200);",
    )
    .unwrap();
    drop(old);
    assert!(matches!(Reader::open(&path), Err(Error::Older { found: 1, .. })));
    let store = Store::open(&path).unwrap();
    let (original, place) = store.original(&Digest::from_text("sha1:AAAA"), 12).unwrap().unwrap();
    assert_eq!((original.record_id.as_str(), original.at, place.offset), ("<urn:uuid:1>", Timestamp(5), 400));
    let rows = store.reader().unwrap().sql("SELECT capture, refers_to, payload_offset FROM capture_log").unwrap().rows;
    assert_eq!(rows, [[Value::from(1), Value::Null, 400.into()]]);
    let mine = store.reader().unwrap().sql("SELECT answer FROM mine").unwrap().rows;
    assert_eq!(mine, [[Value::from(2)]], "a view of the user's own stays");
    assert!(Reader::open(&path).is_ok());
}

// ------------------------------------------------------------------------------------------------- docs/schema.md

/// One view as `docs/schema.md` describes it.
struct Described {
    view: String,
    /// Name and type.
    columns: Vec<(String, String)>,
    examples: Vec<String>,
}

fn described() -> Vec<Described> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut views: Vec<Described> = Vec::new();
    let mut example: Option<String> = None;
    for line in text.lines() {
        if let Some(view) = line.strip_prefix("## `").and_then(|rest| rest.strip_suffix('`')) {
            views.push(Described { view: view.to_owned(), columns: Vec::new(), examples: Vec::new() });
        }
        let Some(view) = views.last_mut() else { continue };
        match &mut example {
            Some(sql) if line == "```" => {
                view.examples.push(std::mem::take(sql));
                example = None;
            }
            Some(sql) => sql.push_str(&format!("{line}\n")),
            None if line == "```sql" => example = Some(String::new()),
            None => {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                if let ["", name, kind, _, ""] = cells[..]
                    && let Some(name) = name.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'))
                {
                    view.columns.push((name.to_owned(), kind.to_owned()));
                }
            }
        }
    }
    views
}

#[test]
fn the_document_names_every_view_and_column() {
    let (shelf, _) = gallery();
    let connection = shelf.other();
    let described = described();
    let views: BTreeSet<String> =
        column(&connection, "SELECT name FROM sqlite_schema WHERE type = 'view'").into_iter().collect();
    // Some views are there for the others.
    let ours = ["picture_kept", "later_page", "standing_author"].map(str::to_owned);
    let public: BTreeSet<String> = described.iter().map(|described| described.view.clone()).chain(ours).collect();
    assert_eq!(public, views);
    for Described { view, columns, .. } in &described {
        let there = column(&connection, &format!("SELECT name FROM pragma_table_info('{view}')"));
        let named: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(named, there, "docs/schema.md, {view}");
    }
}

#[test]
fn the_document_is_right_about_types() {
    let (shelf, _) = gallery();
    let connection = shelf.other();
    for Described { view, columns, .. } in described() {
        for (name, kind) in columns {
            let (word, optional) = kind.strip_suffix(" or null").map_or((kind.as_str(), false), |word| (word, true));
            let is = match word {
                "text" | "integer" => format!("typeof({name}) = '{word}'"),
                "JSON" => format!("typeof({name}) = 'text' AND json_valid({name})"),
                other => panic!("{view}.{name}: what is «{other}»?"),
            };
            let null = if optional { "true" } else { "false" };
            let wrong = format!("SELECT count(*) FROM {view} WHERE NOT iif({name} IS NULL, {null}, {is})");
            let wrong: i64 = connection.query_row(&wrong, [], |row| row.get(0)).unwrap();
            assert_eq!(wrong, 0, "{view}.{name} is not always {kind}");
        }
    }
}

#[test]
fn the_document_s_examples_have_answers() {
    let (shelf, _) = gallery();
    for Described { view, examples, .. } in described() {
        assert!(!examples.is_empty(), "{view} has no example");
        for example in examples {
            assert!(!shelf.rows(&example).is_empty(), "no answer to:\n{example}");
        }
    }
}
