//! The pace of one host and class: at most a burst and then one start per gap, on the server's clock.
//!
//! governor computes (GCRA), nobody waits on it. Its clock stands still from the instant a start is granted until
//! its request has been written: however long a connection takes, starts cannot bunch up behind it, so the server
//! never sees more than *burst* + *t* ÷ gap starts in any time *t* (`docs/decisions/0006-governor-as-a-calculator.md`).

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use crate::web::time::{Moment, Stamp};

/// Requisites that may start together before the gap holds.
pub const BURST: u32 = 4;
/// How soon to ask again about a request that has not been written yet.
const UNWRITTEN_RETRY: Duration = Duration::from_millis(10);

type Limiter = RateLimiter<NotKeyed, InMemoryState, LaneClock, NoOpMiddleware<Nanos>>;

/// The starts of one host and class.
pub(super) struct Lane {
    gap: Duration,
    burst: u32,
    connections: usize,
    /// None when the gap is zero: then only connections are counted.
    limiter: Option<Limiter>,
    clock: LaneClock,
    /// How long the lane's clock has stood still in all, in nanoseconds.
    frozen: u64,
    /// The one start that has been granted and not been seen written.
    unwritten: Option<(Moment, Stamp)>,
    not_before: Moment,
    /// When the last request was written.
    last_start: Option<Moment>,
    in_air: usize,
}

/// What a lane says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Granted.
    Now,
    /// Ask again then.
    NotBefore(Moment),
    /// All its connections are taken; ask again when one is free.
    Busy,
}

impl Lane {
    pub(super) fn new(gap: Duration, burst: u32, connections: usize) -> Lane {
        let clock = LaneClock::default();
        Lane {
            gap,
            burst,
            connections,
            limiter: limiter(gap, burst, &clock),
            clock,
            frozen: 0,
            unwritten: None,
            not_before: Moment::default(),
            last_start: None,
            in_air: 0,
        }
    }

    pub(super) fn gap(&self) -> Duration {
        self.gap
    }

    /// Nothing starts before then.
    pub(super) fn hold_until(&mut self, moment: Moment) {
        self.not_before = self.not_before.max(moment);
    }

    /// The instant from which the lane is as good as new: nothing it did before matters.
    pub(super) fn rested_at(&self, now: Moment) -> Moment {
        let last = if self.unwritten.is_some() { Some(now) } else { self.last_start };
        self.not_before.max(last.map_or(Moment::default(), |last| last.after(self.gap * self.burst)))
    }

    /// May something start now? A yes counts as a start; `stamp` will say when it was written.
    pub(super) fn turn(&mut self, now: Moment, stamp: &Stamp) -> Turn {
        if self.in_air >= self.connections {
            return Turn::Busy;
        }
        if !self.settle() {
            return Turn::NotBefore(now.after(UNWRITTEN_RETRY));
        }
        if now < self.not_before {
            return Turn::NotBefore(self.not_before);
        }
        if let Some(limiter) = &self.limiter {
            self.clock.set(now.0.saturating_sub(self.frozen));
            if let Err(not_until) = limiter.check() {
                return Turn::NotBefore(now.after(not_until.wait_time_from(self.clock.now())));
            }
        }
        self.in_air += 1;
        self.unwritten = Some((now, stamp.clone()));
        Turn::Now
    }

    /// The exchange is over; `took` is how long its answer took. With a gap, nothing starts faster than that.
    pub(super) fn over(&mut self, now: Moment, stamp: &Stamp, took: Duration) {
        self.in_air = self.in_air.saturating_sub(1);
        if self.unwritten.as_ref().is_some_and(|(_, own)| own.is(stamp)) && !self.settle() {
            // Never written: the whole time counts as standing still.
            if let Some((granted, _)) = self.unwritten.take() {
                self.frozen += now.0.saturating_sub(granted.0);
            }
        }
        if !self.gap.is_zero()
            && let Some(last) = self.last_start
        {
            self.hold_until(last.after(took));
        }
    }

    /// Takes in the granted start if it has been written; false while it has not.
    fn settle(&mut self) -> bool {
        let Some((granted, stamp)) = &self.unwritten else { return true };
        let Some(written) = stamp.at() else { return false };
        self.frozen += written.0.saturating_sub(granted.0);
        self.last_start = Some(written);
        self.unwritten = None;
        true
    }
}

fn limiter(gap: Duration, burst: u32, clock: &LaneClock) -> Option<Limiter> {
    let quota = Quota::with_period(gap)?.allow_burst(NonZeroU32::new(burst)?);
    Some(RateLimiter::direct_with_clock(quota, clock.clone()))
}

/// The lane's own clock, set before every question.
#[derive(Clone, Default)]
struct LaneClock(Arc<AtomicU64>);

impl LaneClock {
    fn set(&self, nanos: u64) {
        self.0.fetch_max(nanos, Ordering::Relaxed);
    }
}

impl Clock for LaneClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// Runs one lane for a while with these connect and answer times; returns the instants of writing.
    fn starts(mut lane: Lane, delays: &[(u64, u64)]) -> Vec<u64> {
        let mut now = Moment(0);
        let mut air: Vec<(Moment, Moment, Stamp, Duration)> = Vec::new();
        let mut written = Vec::new();
        for (connect, answer) in delays {
            let stamp = Stamp::default();
            loop {
                for (at, _, stamp, _) in &air {
                    if *at <= now && stamp.at().is_none() {
                        stamp.set(*at);
                    }
                }
                air.retain(|(_, end, stamp, took)| {
                    let over = *end <= now;
                    if over {
                        lane.over(now, stamp, *took);
                    }
                    !over
                });
                match lane.turn(now, &stamp) {
                    Turn::Now => break,
                    Turn::NotBefore(at) => now = at.max(Moment(now.0 + MS)),
                    Turn::Busy => now = Moment(now.0 + MS),
                }
            }
            let at = Moment(now.0 + connect * MS);
            written.push(at.0);
            air.push((at, Moment(at.0 + answer * MS), stamp, Duration::from_millis(*answer)));
        }
        written.sort_unstable();
        written
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_a_burst_and_its_share(delays in proptest::collection::vec((0u64..400, 1u64..300), 2..40)) {
            let gap = 200 * MS;
            let written = starts(Lane::new(Duration::from_nanos(gap), BURST, 2), &delays);
            for (i, from) in written.iter().enumerate() {
                for (j, to) in written.iter().enumerate().skip(i) {
                    prop_assert!((j - i + 1) as u64 <= u64::from(BURST) + (to - from) / gap, "{:?}", written);
                }
            }
        }

        #[test]
        fn pages_never_start_closer_than_the_gap(delays in proptest::collection::vec((0u64..2000, 1u64..1500), 2..20)) {
            let written = starts(Lane::new(Duration::from_secs(1), 1, 1), &delays);
            for pair in written.windows(2) {
                prop_assert!(pair[1] - pair[0] >= 1000 * MS, "{:?}", written);
            }
        }
    }

    #[test]
    fn without_a_gap_only_connections_count() {
        let mut lane = Lane::new(Duration::ZERO, BURST, 2);
        let stamps = [Stamp::default(), Stamp::default(), Stamp::default()];
        assert_eq!(lane.turn(Moment(0), &stamps[0]), Turn::Now);
        stamps[0].set(Moment(0));
        assert_eq!(lane.turn(Moment(0), &stamps[1]), Turn::Now);
        stamps[1].set(Moment(0));
        assert_eq!(lane.turn(Moment(0), &stamps[2]), Turn::Busy);
    }
}
