//! Larger forms of pictures, which nobody names: guessed from an address, asked for last, once each, and on no host for
//! long that has none of them.

use std::collections::HashMap;

use crate::web::candidate::Candidate;
use crate::web::exchange::{Exchange, Fault};
use crate::web::outcome::Outcome;

/// Why a larger form is not asked for.
pub(super) const VAIN: &str = "no larger form of a picture was had of its host";

/// So many guesses in a row in vain, and a host is left alone with them for the run.
const ENOUGH: u32 = 3;

/// What the guesses of a run came to.
#[derive(Default)]
pub(super) struct Guesses {
    /// Guesses in vain since the last good one, by host.
    vain: HashMap<String, u32>,
}

impl Guesses {
    /// Whether this is a guess at a host that has shown to have nothing of the sort.
    pub(super) fn is_vain(&self, candidate: &Candidate) -> bool {
        candidate.is_guess() && self.vain.get(candidate.url.host()).is_some_and(|vain| *vain >= ENOUGH)
    }

    /// Learns from an exchange.
    pub(super) fn heard(&mut self, candidate: &Candidate, exchange: &Exchange) {
        let host = candidate.url.host();
        match exchange.status() {
            _ if !candidate.is_guess() => {}
            Some(200 | 304) => _ = self.vain.remove(host),
            _ => *self.vain.entry(host.to_owned()).or_default() += 1,
        }
    }
}

/// A guess costs one request: what kept it from being had is the end of it.
pub(super) fn ended(outcome: Outcome, candidate: &Candidate, fault: Option<&Fault>, status: Option<u16>) -> Outcome {
    // Our own connection, and our own end.
    let is_ours = matches!(fault, Some(Fault::Stale | Fault::Abandoned));
    match outcome {
        Outcome::Again { .. } if candidate.is_guess() && !is_ours => {
            let reason = fault.map_or_else(|| "a guess is asked for once".to_owned(), ToString::to_string);
            Outcome::Failed { reason, transient: false, status }
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::candidate::{GUESS, Role};
    use crate::web::outcome::Manner;
    use crate::web::time::Timestamp;
    use crate::web::url::WebUrl;

    fn picture(priority: u8) -> Candidate {
        Candidate { priority, ..Candidate::new(WebUrl::parse("http://i.example/1.png").unwrap(), Role::Image) }
    }

    #[test]
    fn a_host_without_larger_forms_is_soon_left_alone() {
        let (mut guesses, guess) = (Guesses::default(), picture(GUESS));
        let silence = Exchange::faulty(guess.url.clone(), Timestamp(7), Fault::NoAnswer);
        for _ in 0..ENOUGH {
            assert!(!guesses.is_vain(&guess));
            guesses.heard(&picture(3), &silence);
            guesses.heard(&guess, &silence);
        }
        assert!(guesses.is_vain(&guess));
        assert!(!guesses.is_vain(&picture(3)), "what is named is asked for all the same");
    }

    #[test]
    fn only_our_own_trouble_is_a_reason_to_guess_again() {
        let again = || Outcome::Again { at: Timestamp(7), manner: Manner::Later };
        for (priority, fault, is_again) in [
            (3, Some(Fault::Stall), true),
            (GUESS, Some(Fault::Stall), false),
            (GUESS, None, false),
            (GUESS, Some(Fault::Stale), true),
            (GUESS, Some(Fault::Abandoned), true),
        ] {
            let ended = ended(again(), &picture(priority), fault.as_ref(), None);
            assert_eq!(matches!(ended, Outcome::Again { .. }), is_again, "{priority} {fault:?}");
        }
    }
}
