//! Instants: [`Timestamp`] for what is written down, [`Moment`] for pace and timers, and the one [`Clock`].
//!
//! Pace is kept on the monotonic clock, so that a corrected wall clock never makes a burst; what goes into records
//! and rows is wall time. Only a [`Clock`] knows both.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};

/// A point in wall time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The form of `WARC-Date` (WARC/1.1, 5.4) and of every time we print: `2026-11-22T13:46:25.123Z`.
    pub fn iso(self) -> String {
        self.utc().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Fourteen digits, as in file names and CDX lines: `20261122134625`.
    pub fn compact(self) -> String {
        self.utc().format("%Y%m%d%H%M%S").to_string()
    }

    /// Reads what [`Timestamp::iso`] writes, and any other RFC 3339 date.
    pub fn from_iso(text: &str) -> Option<Timestamp> {
        let date = DateTime::parse_from_rfc3339(text.trim()).ok()?;
        Some(Timestamp(date.timestamp_millis()))
    }

    /// Reads the three date forms of HTTP (RFC 9110, 5.6.7): IMF-fixdate, RFC 850 and asctime.
    pub fn from_http(text: &str) -> Option<Timestamp> {
        let text = text.trim();
        if let Ok(date) = DateTime::parse_from_rfc2822(text) {
            return Some(Timestamp(date.timestamp_millis()));
        }
        ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|date| Timestamp(date.and_utc().timestamp_millis()))
    }

    /// This instant and `by` more.
    pub fn after(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As chrono's type. Instants outside chrono's range (some 260,000 years) read as 1970.
    pub fn utc(self) -> DateTime<Utc> {
        Utc.timestamp_millis_opt(self.0).single().unwrap_or_default()
    }
}

/// A point on the monotonic clock: nanoseconds since the clock's own beginning. Never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub u64);

impl Moment {
    /// This moment and `by` more; saturates.
    pub fn after(self, by: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A moment that another party will set once: when a request was written.
#[derive(Clone, Debug, Default)]
pub struct Stamp(Arc<AtomicU64>);

impl Stamp {
    /// Sets it; the first call counts. The clock's very beginning is stored as its first nanosecond.
    pub fn set(&self, moment: Moment) {
        let _ = self.0.compare_exchange(0, moment.0.max(1), Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The moment, once it is set.
    pub fn at(&self) -> Option<Moment> {
        Some(self.0.load(Ordering::Relaxed)).filter(|nanos| *nanos > 0).map(Moment)
    }

    /// Both are the same stamp.
    pub fn is(&self, other: &Stamp) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A sleep on some clock.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Keeps a hand-moved clock from moving while something it cannot see is at work; nothing to a real clock.
pub struct Hold(pub Option<Arc<dyn std::any::Any + Send + Sync>>);

/// Where every instant comes from.
pub trait Clock: Send + Sync + 'static {
    /// Now, for pace and timers. Never goes back.
    fn now(&self) -> Moment;
    /// Now, for records and rows.
    fn wall(&self) -> Timestamp;
    /// Completes once [`Clock::now`] has reached `moment`.
    fn sleep_until(&self, moment: Moment) -> Sleep;
    /// While the value lives, work is going on in a thread; a hand-moved clock stands still.
    fn hold(&self) -> Hold;

    /// The wall time that `moment` is expected to be.
    fn wall_at(&self, moment: Moment) -> Timestamp {
        self.wall().after(moment.since(self.now()))
    }

    /// The moment at which the wall clock is expected to show `at`.
    fn moment_at(&self, at: Timestamp) -> Moment {
        self.now().after(at.since(self.wall()))
    }
}

/// The machine's own clocks.
pub struct SystemClock {
    start: tokio::time::Instant,
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock { start: tokio::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    fn wall(&self) -> Timestamp {
        Timestamp(Utc::now().timestamp_millis())
    }

    fn sleep_until(&self, moment: Moment) -> Sleep {
        Box::pin(tokio::time::sleep_until(self.start + Duration::from_nanos(moment.0)))
    }

    fn hold(&self) -> Hold {
        Hold(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_and_read_back() {
        let at = Timestamp(1_792_676_785_123);
        assert_eq!(at.iso(), "2026-10-22T13:46:25.123Z");
        assert_eq!(at.compact(), "20261022134625");
        assert_eq!(Timestamp::from_iso(&at.iso()), Some(at));
    }

    #[test]
    fn http_has_three_date_forms() {
        let want = Some(Timestamp(784_111_777_000));
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(Timestamp::from_http(text), want, "{text}");
        }
        assert_eq!(Timestamp::from_http("tomorrow"), None);
    }
}
