//! pressmark keeps articles and their pictures.
//!
//! It fetches pages politely, with all their images, keeps every answer byte for byte in WARC files, and writes down
//! in SQLite where each stands and what it says, so that years later a page can be found, read and shown as it was.
//! A pressmark is the mark in a library book that says in which press, and on which shelf of it, the book stands.
//!
//! # The journey of a URL
//!
//! ```text
//!  seeds ──► frontier ──► politeness ──► fetch ──► wire ──► archive ──► store
//!  what to    which is     may it be      ask       the only  WARC       SQLite
//!  crawl      next         fetched now    for it    door out  (truth)    (derived)
//!     ▲                                               │
//!     └──────────── extract ◄─────────────────────────┘
//!              links, images, article
//! ```
//!
//! Each hand-over is a value of another type, so that a wrong order does not compile.
//!
//! 1. `seeds::read` turns a URL list, a feed, a sitemap or a post into seeds and claims, and every line it cannot use
//!    into a reject with its place.
//! 2. `crawl::scope` decides for a seed or a link whether it belongs to this crawl: a candidate, or the rule that
//!    keeps it out.
//! 3. `frontier` takes candidates, each URL once, and gives out leases, the next due host first. A lease lives in
//!    memory: what a dying process held is simply asked again.
//! 4. `politeness::Gate` says whether the URL may be fetched now: a permit, an instant to come back at, the wish to
//!    know the host's address or to read `robots.txt` first, or the rule that forbids it. It does no I/O and keeps the
//!    clocks of hosts and addresses.
//! 5. `fetch` spends the permit on exactly one request. It drives an ordinary HTTP client, which can reach nothing but
//!    the door.
//! 6. `wire::Door` is the only way out. It resolves, checks the address, connects, does TLS, and records both
//!    directions as an exchange, whatever the network does: a broken answer is data.
//! 7. [`extract`] reads the page: the article, its images in every variant, its links. They become candidates of
//!    step 2.
//! 8. `archive::encode` makes WARC records of the exchange, with their digests; `archive::Writer` appends and syncs
//!    them. Only then is it a capture.
//! 9. `store::commit` writes captures, articles, images, outcomes and the clocks of the hosts in one transaction. The
//!    database may lag behind the archive, and never leads it.
//!
//! `crawl::step` is that walk as code, for one URL from start to end; `crawl::run` is the loop around it.
//! `docs/architecture.md` walks it again with a crash on the way.
//!
//! # Floors
//!
//! A module uses only modules on floors below its own. `tests/it/tidy.rs` reads this table and the sources, and names
//! file and line where they differ. A wish to look upwards means that a value is missing below: move the value, never
//! the call.
//!
//! ```text
//! 7  cli         the command line: settings, exit codes; it alone ends the process and opens the standard streams
//! 6  report      what happened, for people and for programs: bars, lines, tables, the summary
//!    demo        a small news site on loopback, crawled
//!    upkeep      an archive kept whole: verify, repair, reindex, import, forget, export
//! 5  crawl       the plan, the scope, the dispatcher, one URL's step, the archivist
//! 4  frontier    which URL is next
//!    fetch       one permit, one request, one exchange
//! 3  store       the database: schema, commits, questions
//!    wire        the door to the network
//! 2  seeds       what people ask for
//!    archive     WARC files: encoded, written, read, recovered
//!    extract     what a page says
//!    politeness  robots rules, clocks and caps
//! 1  web         values without I/O: URLs, messages, framing, digests, instants
//! ```

pub mod archive;
pub mod cli;
pub mod crawl;
pub mod demo;
pub mod extract;
pub mod fetch;
pub mod frontier;
pub mod politeness;
pub mod report;
pub mod seeds;
pub mod store;
pub mod upkeep;
pub mod web;
pub mod wire;
