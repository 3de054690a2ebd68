//! What a run may still begin: its budgets against what it has used.
//!
//! A budget of pages is exact. Budgets of time and bytes let no new page begin once nearly used up, so that pages that
//! have begun end whole; used up altogether, they end the run.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::Budget;
use crate::web::time::Moment;

/// Budgets of time and bytes stop new pages when so much of them is used.
const NEARLY: f64 = 0.9;
/// Before an hour of the day at which a run stops, no page begins for so long.
const LAST_MINUTE: Duration = Duration::from_secs(60);

/// The budgets of a run, and how far its pages have used them.
pub(super) struct Allowance {
    budget: Budget,
    began: Moment,
    /// Bytes of the WARC files when the run began.
    archived: u64,
    pages: u64,
    pages_by_seed: HashMap<i64, u64>,
    /// The first budget that let no new page begin.
    closed: Option<&'static str>,
}

impl Allowance {
    pub(super) fn new(budget: Budget, began: Moment, warc_folder: &Path) -> Allowance {
        let archived = if budget.archive.is_some() { bytes_in(warc_folder) } else { 0 };
        Allowance { budget, began, archived, pages: 0, pages_by_seed: HashMap::new(), closed: None }
    }

    /// Counts a page that begins. Was it the last one of its seed?
    pub(super) fn begin_page(&mut self, seed: i64) -> bool {
        self.pages += 1;
        let of_seed = self.pages_by_seed.entry(seed).or_default();
        *of_seed += 1;
        self.budget.per_seed.is_some_and(|most| *of_seed >= most)
    }

    /// Is a budget of time or bytes (received so far) used up altogether, so that nothing more is begun?
    pub(super) fn is_spent(&mut self, now: Moment, received: u64) -> bool {
        let Budget { bytes, time, until, .. } = self.budget;
        let by = if bytes.is_some_and(|bytes| received >= bytes) {
            "bytes"
        } else if time.into_iter().chain(until).any(|time| now.since(self.began) >= time) {
            "time"
        } else {
            return false;
        };
        self.closed.get_or_insert(by);
        true
    }

    /// May a page begin now, after so many bytes received, and written to WARC files or about to be?
    pub(super) fn admits_pages(&mut self, now: Moment, received: u64, written: u64) -> bool {
        let budget = &self.budget;
        let elapsed = now.since(self.began);
        let nearly = |used: f64, of: f64| used >= of * NEARLY;
        if budget.pages.is_some_and(|pages| self.pages >= pages) {
            self.closed.get_or_insert("pages");
        }
        if budget.bytes.is_some_and(|bytes| nearly(received as f64, bytes as f64)) {
            self.closed.get_or_insert("bytes");
        }
        if budget.time.is_some_and(|time| nearly(elapsed.as_secs_f64(), time.as_secs_f64())) {
            self.closed.get_or_insert("time");
        }
        // A night is long: a tenth of it would be an hour.
        if budget.until.is_some_and(|until| elapsed + LAST_MINUTE.min(until.mul_f64(1.0 - NEARLY)) >= until) {
            self.closed.get_or_insert("time");
        }
        if budget.archive.is_some_and(|most| self.archived + written >= most) {
            self.closed.get_or_insert("archive");
        }
        self.closed.is_none()
    }

    /// The budget that let no more pages begin, if one did.
    pub(super) fn closed(&self) -> Option<&'static str> {
        self.closed
    }
}

/// The length of all files of a folder; what cannot be looked at counts nothing.
fn bytes_in(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| file.metadata().ok()).filter(std::fs::Metadata::is_file).map(|file| file.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment(5_000_000_000);

    fn of(budget: Budget) -> Allowance {
        Allowance::new(budget, START, Path::new("no-such-folder"))
    }

    fn seconds(seconds: u64) -> Option<Duration> {
        Some(Duration::from_secs(seconds))
    }

    #[test]
    fn without_budgets_all_is_admitted() {
        let mut allowance = of(Budget::default());
        for _ in 0..1000 {
            assert!(!allowance.begin_page(1));
        }
        let late = START.after(Duration::from_secs(1_000_000));
        assert!(allowance.admits_pages(late, u64::MAX, u64::MAX / 2));
        assert!(!allowance.is_spent(late, u64::MAX));
        assert_eq!(allowance.closed(), None);
    }

    #[test]
    fn pages_are_counted_exactly() {
        let mut allowance = of(Budget { pages: Some(3), per_seed: Some(2), ..Budget::default() });
        let last: Vec<bool> = [1, 2, 1]
            .iter()
            .map(|seed| {
                assert!(allowance.admits_pages(START, 0, 0));
                allowance.begin_page(*seed)
            })
            .collect();
        assert_eq!(last, [false, false, true]);
        assert!(!allowance.admits_pages(START, 0, 0));
        assert!(!allowance.is_spent(START, u64::MAX), "what has begun goes on");
        assert_eq!(allowance.closed(), Some("pages"));
    }

    #[test]
    fn time_and_bytes_close_pages_first_and_end_the_run_when_they_are_used_up() {
        // A budget; seconds and bytes at which a page still begins, at which none does, at which nothing does.
        for (budget, open, nearly, spent, by) in [
            (Budget { bytes: Some(1000), ..Budget::default() }, (0, 899), (0, 900), (0, 1000), "bytes"),
            (Budget { time: seconds(100), ..Budget::default() }, (89, 0), (90, 0), (100, 0), "time"),
            (Budget { until: seconds(36_000), ..Budget::default() }, (35_939, 0), (35_940, 0), (36_000, 0), "time"),
            (Budget { until: seconds(100), ..Budget::default() }, (89, 0), (91, 0), (100, 0), "time"),
        ] {
            let mut allowance = of(budget);
            let at = |seconds| START.after(Duration::from_secs(seconds));
            assert!(allowance.admits_pages(at(open.0), open.1, 0), "{budget:?}");
            assert!(!allowance.is_spent(at(nearly.0), nearly.1), "{budget:?}");
            assert!(!allowance.admits_pages(at(nearly.0), nearly.1, 0), "{budget:?}");
            assert!(allowance.is_spent(at(spent.0), spent.1), "{budget:?}");
            assert_eq!(allowance.closed(), Some(by));
        }
    }

    #[test]
    fn the_archive_counts_what_earlier_runs_wrote() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.warc.gz"), [0; 700]).unwrap();
        let mut allowance = Allowance::new(Budget { archive: Some(1000), ..Budget::default() }, START, folder.path());
        assert!(allowance.admits_pages(START, 0, 299));
        assert!(!allowance.admits_pages(START, 0, 300));
        assert_eq!(allowance.closed(), Some("archive"));
    }
}
