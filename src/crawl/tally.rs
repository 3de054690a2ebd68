//! What a run counts of itself, and the summary that it comes to.

use std::collections::{BTreeSet, HashMap};

use super::step::Taken;
use super::traps;
use super::{Postponed, SeedSummary, Summary, TrapSummary};
use crate::store::{self, Reader, Run};
use crate::web::candidate::{Candidate, Role};
use crate::web::outcome::Outcome;
use crate::web::time::Timestamp;

/// The counters of a run that goes on.
pub(super) struct Tally {
    /// The counters that every commit writes down; what only the end knows is empty.
    summary: Summary,
    began: Timestamp,
    failed_by_seed: HashMap<i64, u64>,
    files: BTreeSet<String>,
}

/// What only the end of a run knows.
pub(super) struct End<'a> {
    pub(super) at: Timestamp,
    /// `done`, or what stopped it.
    pub(super) by: &'static str,
    /// What is left is not due before then.
    pub(super) postponed: Option<Timestamp>,
    /// The seeds of the run, in order.
    pub(super) seeds: &'a [(i64, String)],
}

impl Tally {
    pub(super) fn new(run: Run, began: Timestamp) -> Tally {
        Tally {
            summary: Summary { run: run.id, ..Summary::default() },
            began,
            failed_by_seed: HashMap::new(),
            files: BTreeSet::new(),
        }
    }

    /// A request goes out.
    pub(super) fn requested(&mut self) {
        self.summary.requests += 1;
    }

    /// An answer of so many bytes has come.
    pub(super) fn received(&mut self, bytes: u64) {
        self.summary.bytes_received += bytes;
    }

    /// Robots.txt forbids a URL.
    pub(super) fn forbidden(&mut self) {
        self.summary.refused_by_robots += 1;
    }

    /// A URL is given up.
    pub(super) fn failed(&mut self, candidate: &Candidate) {
        self.summary.failed += 1;
        *self.failed_by_seed.entry(candidate.seed).or_default() += 1;
    }

    /// An answer has been read.
    pub(super) fn read(&mut self, taken: &Taken) {
        let settled = &taken.settled;
        let traps = &mut self.summary.traps;
        for out in settled.kept_out.iter().filter(|out| traps::is_trap(&out.rule)) {
            match traps.iter_mut().find(|trap| trap.rule == out.rule) {
                Some(trap) => trap.urls += out.urls,
                None => traps.push(TrapSummary { rule: out.rule.clone(), urls: out.urls }),
            }
        }
        let is_over = matches!(settled.outcome, Some(Outcome::Done { .. })) && settled.redirect.is_none();
        if taken.encoded.is_some() && is_over {
            match settled.role {
                Role::Page => self.summary.pages += 1,
                Role::Image => self.summary.images += 1,
                _ => {}
            }
        }
    }

    /// A batch is safe: so many bytes of it were written, to these files, and so many captures are revisits.
    pub(super) fn committed(&mut self, bytes: u64, revisits: usize, files: impl IntoIterator<Item = String>) {
        self.summary.bytes_written += bytes;
        self.summary.revisits += revisits as u64;
        self.files.extend(files);
    }

    /// Bytes of answers so far.
    pub(super) fn bytes_received(&self) -> u64 {
        self.summary.bytes_received
    }

    /// Bytes that stand in WARC files by this run.
    pub(super) fn bytes_written(&self) -> u64 {
        self.summary.bytes_written
    }

    /// The counters as the run's row keeps them.
    pub(super) fn json(&self) -> String {
        json(&self.summary)
    }

    /// What the run comes to, once everything is in the database.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) fn sum_up(self, end: &End<'_>, reader: &Reader) -> Result<Summary, store::Error> {
        let mut summary = self.summary;
        summary.started = self.began.iso();
        summary.finished = end.at.iso();
        summary.elapsed_s = end.at.since(self.began).as_secs_f64();
        end.by.clone_into(&mut summary.stopped_by);
        summary.warc_files = self.files.into_iter().collect();
        summary.peak_rss_bytes = peak_rss().unwrap_or(0);
        let brought = reader.run_brought(summary.run)?;
        summary.articles = brought.articles;
        summary.articles_incomplete = brought.incomplete;
        for (id, seed) in end.seeds {
            let (articles_new, articles_changed) = brought.by_seed.get(id).copied().unwrap_or_default();
            // What a budget has left for the next run is as it should be.
            let verdict = if end.postponed.is_some() && brought.waiting_seeds.contains(id) {
                "waiting"
            } else if brought.failed_seeds.contains(id) {
                "failed"
            } else {
                "ok"
            };
            summary.seeds.push(SeedSummary {
                seed: seed.clone(),
                verdict: verdict.to_owned(),
                articles_new,
                articles_changed,
                failed: self.failed_by_seed.get(id).copied().unwrap_or(0),
            });
        }
        if let Some(until) = end.postponed {
            let urls = reader.hosts()?.iter().map(|host| host.pages + host.requisites).sum();
            summary.postponed = Some(Postponed { urls, until: until.iso() });
        }
        Ok(summary)
    }
}

/// A summary as the run's row keeps it.
pub(super) fn json(summary: &Summary) -> String {
    serde_json::to_string(summary).unwrap_or_else(|_| "{}".to_owned())
}

/// The most memory this process has held, where the system tells.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024)
}
