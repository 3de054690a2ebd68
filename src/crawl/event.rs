//! What a run tells of itself, as it happens; `report` listens.

use serde::Serialize;

use crate::web::candidate::Role;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A seed or a line of a seed document cannot be used.
    Rejected {
        /// The document, or «command line».
        source: String,
        /// The line, from 1; 0 when there are none.
        line: u32,
        /// What stood there.
        text: String,
        /// Why not.
        reason: String,
    },
    /// Bytes and captures that a crash left behind were taken up.
    Recovered {
        /// Captures taken up.
        captures: usize,
        /// Bytes cut off.
        cut: u64,
    },
    /// The run begins.
    Started {
        /// Seeds to ask for.
        seeds: usize,
        /// On so many hosts.
        hosts: usize,
        /// Documents of the user's own.
        documents: usize,
        /// URLs left from an earlier run.
        left: u64,
    },
    /// An exchange is over.
    Fetched {
        /// What was asked for.
        url: String,
        /// Its host.
        host: String,
        /// For what.
        role: Role,
        /// The final status.
        status: Option<u16>,
        /// What went wrong.
        fault: Option<String>,
        /// Payload bytes received.
        bytes: u64,
    },
    /// A URL was refused by a rule.
    Refused {
        /// Which.
        url: String,
        /// Who refused it.
        by: &'static str,
        /// The rule.
        rule: String,
    },
    /// In a dry run: what is decided about a URL.
    Decided(super::Decision),
    /// A URL is given up for this run.
    Failed {
        /// Which.
        url: String,
        /// Why.
        reason: String,
    },
    /// Captures are safe.
    Committed {
        /// How many in this batch.
        captures: usize,
    },
    /// How far it is, about once a second.
    Progress {
        /// Settled so far in this run.
        settled: u64,
        /// URLs that wait, as far as they are in memory.
        waiting: usize,
        /// Requests in the air.
        in_air: usize,
        /// Payload bytes received so far.
        bytes: u64,
    },
    /// Something that a person should know and can do nothing about now.
    Warning(String),
}

/// What a run did: the object that `crawl --json` prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// Its number.
    pub run: i64,
    /// When it began, ISO 8601.
    pub started: String,
    /// When it ended.
    pub finished: String,
    /// `done`, or what stopped it: `time`, `pages`, `bytes`, `archive`, `signal`.
    pub stopped_by: String,
    /// Page-like answers captured.
    pub pages: u64,
    /// Articles that are new or have changed.
    pub articles: u64,
    /// Pictures captured.
    pub images: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes written to WARC files.
    pub bytes_written: u64,
    /// Captures stored as a reference to an earlier one.
    pub revisits: u64,
    /// URLs given up.
    pub failed: u64,
    /// URLs that robots.txt forbids.
    pub refused_by_robots: u64,
    /// Links that rules against traps kept out, by rule, in the order they were met.
    pub traps: Vec<TrapSummary>,
    /// Articles of this run that lack a picture.
    pub articles_incomplete: u64,
    /// The seeds, in order.
    pub seeds: Vec<SeedSummary>,
    /// What is queued and not due for so long that the run did not stay up for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postponed: Option<Postponed>,
    /// Files written to.
    pub warc_files: Vec<String>,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
    /// The most memory the process held.
    pub peak_rss_bytes: u64,
}

/// URLs that wait longer than a run does: mostly because their servers asked for patience.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Postponed {
    /// How many there are.
    pub urls: u64,
    /// Nothing of them before then, ISO 8601.
    pub until: String,
}

/// What one seed brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SeedSummary {
    /// The seed.
    pub seed: String,
    /// `ok`, `failed` when it could not be fetched, or `waiting` when its server wants it asked for in a later run.
    pub verdict: String,
    /// Articles seen for the first time.
    pub articles_new: u64,
    /// Articles that changed.
    pub articles_changed: u64,
    /// URLs below it that were given up.
    pub failed: u64,
}

/// What one rule against traps kept out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TrapSummary {
    /// The rule.
    pub rule: String,
    /// Links it kept out.
    pub urls: u64,
}
