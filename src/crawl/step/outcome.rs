//! How a turn ended, and whether it is worth another.

use std::time::Duration;

use super::Reading;
use crate::web::exchange::{Exchange, Fault};
use crate::web::outcome::{Manner, Outcome, Refusal};
use crate::web::time::Timestamp;

/// Attempts at a URL, all in all.
const TRIES: u32 = 3;
/// Attempts at a URL whose server asks for patience.
const PATIENT_TRIES: u32 = 5;
/// The wait before the second attempt; the next one waits four times as long.
pub(super) const FIRST_WAIT: Duration = Duration::from_secs(5);

/// An answer that breaks HTTP's framing, or leads nowhere, is kept and is no success.
pub(super) fn sobered(outcome: Outcome, exchange: &Exchange, reading: &Reading) -> Outcome {
    let Outcome::Done { status } = outcome else { return outcome };
    let broken = exchange.fault.is_none() && exchange.answer.as_ref().is_some_and(|answer| answer.malformed);
    let reason = if broken { Some("the answer breaks HTTP's framing") } else { reading.dead_end.as_deref() };
    match reason {
        Some(reason) => Outcome::Failed { reason: reason.to_owned(), transient: broken, status: Some(status) },
        None => outcome,
    }
}

/// How the turn ended, from what the exchange was.
pub(super) fn outcome(
    fault: Option<&Fault>,
    status: Option<u16>,
    tries: u32,
    back_off: Option<Timestamp>,
    now: Timestamp,
) -> Outcome {
    let again = |at| Outcome::Again { at, manner: Manner::Later };
    let next = now.after(FIRST_WAIT * 4u32.saturating_pow(tries));
    let failed = |reason: String| Outcome::Failed { reason, transient: true, status };
    match (fault, status) {
        (Some(fault @ Fault::Forbidden(_)), _) => {
            let rule = fault.to_string();
            Outcome::Refused { by: Refusal::Guard, rule, transient: false }
        }
        (Some(Fault::Stale), _) if tries + 1 < TRIES => Outcome::Again { at: now, manner: Manner::Fresh },
        // What was received up to the cap is all that was wanted.
        (Some(Fault::Cap), Some(status)) => Outcome::Done { status },
        // Cut by ourselves: it goes first next time.
        (Some(Fault::Abandoned), _) => again(now),
        (Some(fault), _) if tries + 1 < TRIES && !fault.is_final() => again(next),
        (Some(fault), _) => failed(fault.to_string()),
        (None, Some(status @ (429 | 503))) => match back_off {
            Some(at) if tries + 1 < PATIENT_TRIES => again(at),
            _ => failed(format!("answered {status} {} times", tries + 1)),
        },
        (None, Some(500 | 502 | 504)) if tries + 1 < TRIES => again(next),
        (None, Some(status @ (500 | 502 | 504))) => failed(format!("answered {status} {} times", tries + 1)),
        (None, Some(status)) => Outcome::Done { status },
        (None, None) => failed("the answer is not HTTP".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_three_times() {
        let now = Timestamp(1000);
        assert!(matches!(outcome(Some(&Fault::Stall), None, 0, None, now), Outcome::Again { at: Timestamp(6000), .. }));
        assert!(matches!(
            outcome(Some(&Fault::Stall), None, 1, None, now),
            Outcome::Again { at: Timestamp(21000), .. }
        ));
        assert!(matches!(outcome(Some(&Fault::Stall), None, 2, None, now), Outcome::Failed { transient: true, .. }));
        let stale = outcome(Some(&Fault::Stale), None, 0, None, now);
        assert_eq!(stale, Outcome::Again { at: now, manner: Manner::Fresh });
    }

    #[test]
    fn the_guard_s_refusal_is_final() {
        let fault = Fault::Forbidden("10.0.0.1".parse().unwrap());
        assert!(matches!(
            outcome(Some(&fault), None, 0, None, Timestamp(0)),
            Outcome::Refused { by: Refusal::Guard, .. }
        ));
    }
}
