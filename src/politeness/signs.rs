//! What answers say of how a server bears us: it asks for patience, or it takes ever longer.

use std::time::Duration;

use crate::web::exchange::Exchange;
use crate::web::time::Timestamp;

/// Answer times are compared with the mean of the first so many.
const BASELINE: u32 = 4;
/// Answers faster than this are never called slow.
const SLOW: Duration = Duration::from_millis(500);

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// As at first, or nothing to speak of.
    Good,
    /// Slow, as has been said.
    Slow,
    /// Twice as slow as when it was last said, or as at first.
    Slower,
    /// It asks for patience: for how long, where it says so.
    Patience(Option<Duration>),
}

/// How long a host's answers of one class take, from the request's last byte to the answer's first.
#[derive(Default)]
pub(super) struct AnswerTimes {
    count: u32,
    /// The mean of the first [`BASELINE`].
    first: Duration,
    /// A running mean.
    recent: Duration,
    /// What `recent` was when answers were last called slow.
    slow: Option<Duration>,
}

impl AnswerTimes {
    /// Takes in an answer.
    pub(super) fn read(&mut self, exchange: &Exchange, wall: Timestamp) -> Sign {
        let took = exchange.times.first.unwrap_or_default().saturating_sub(exchange.times.sent.unwrap_or_default());
        let sign = self.note(took);
        patience(exchange, wall).map_or(sign, Sign::Patience)
    }

    /// What was called slow is forgotten: it will be said anew.
    pub(super) fn forgive(&mut self) {
        self.slow = None;
    }

    fn note(&mut self, took: Duration) -> Sign {
        self.count = self.count.saturating_add(1);
        if self.count <= BASELINE {
            self.first += took / BASELINE;
            self.recent = self.first;
            return Sign::Good;
        }
        self.recent = (self.recent * 3 + took) / 4;
        if self.recent <= SLOW || self.recent <= self.first * 2 {
            return Sign::Good;
        }
        if self.slow.is_some_and(|slow| self.recent <= slow * 2) {
            return Sign::Slow;
        }
        self.slow = Some(self.recent);
        Sign::Slower
    }
}

/// Whether an answer asks for patience, and for how much (RFC 9110, 10.2.3: seconds or a date). Nonsense asks for none
/// in particular.
fn patience(exchange: &Exchange, wall: Timestamp) -> Option<Option<Duration>> {
    let head = exchange.answer.as_ref()?.read_head();
    let asked = head.field("retry-after").map(|value| {
        // More digits than a number holds are a very long time, and no nonsense.
        if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
        }
        Timestamp::from_http(&value).map(|date| date.since(wall))
    });
    match (head.status, asked) {
        (429 | 503, asked) => Some(asked.flatten()),
        // With a redirect or another answer it counts only when it can be read, and asks for something.
        (_, Some(Some(wait))) if !wait.is_zero() => Some(Some(wait)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_is_said_when_answers_take_twice_as_long_and_again_at_each_doubling() {
        let mut times = AnswerTimes::default();
        let mut note = |ms| times.note(Duration::from_millis(ms));
        assert_eq!([300, 300, 300, 300, 900, 900].map(&mut note), [Sign::Good; 6]);
        // The running mean is above twice the first one from here on; then it has doubled again.
        assert_eq!([900, 900, 900].map(&mut note), [Sign::Slower, Sign::Slow, Sign::Slow]);
        assert_eq!([3_000, 3_000, 3_000].map(&mut note), [Sign::Slower, Sign::Slow, Sign::Slow]);
        let mut quick = AnswerTimes::default();
        assert!(
            (0..9).all(|n| quick.note(Duration::from_millis(10 << n.min(5))) == Sign::Good),
            "it is quick all the same"
        );
    }
}
