//! Relays of pictures that do not answer: each costs a few attempts in a run, however many pictures pass through it.
//!
//! What stands behind a relay is asked for by itself (`web::wrapped`), so nothing but its copy is given up.

use std::collections::HashMap;

use crate::web::candidate::{Candidate, Role};
use crate::web::exchange::{Exchange, Fault};
use crate::web::outcome::Outcome;
use crate::web::wrapped::unwrapped;

/// Why the copy of a picture is not asked for.
pub(super) const DEAD: &str = "its relay does not answer";

/// So many exchanges in a row without an answer, and a relay is given up for the run.
const ENOUGH: u32 = 2;

/// What the relays of a run were like.
#[derive(Default)]
pub(super) struct Relays {
    /// Exchanges without an answer since the last one that had one, by host.
    silent: HashMap<String, u32>,
}

impl Relays {
    /// Whether this is a copy behind a relay that does not answer.
    pub(super) fn is_dead(&self, candidate: &Candidate) -> bool {
        self.silent.get(candidate.url.host()).is_some_and(|silent| *silent >= ENOUGH) && is_copy(candidate)
    }

    /// Learns from an exchange.
    pub(super) fn heard(&mut self, candidate: &Candidate, exchange: &Exchange) {
        let host = candidate.url.host();
        if is_silence(exchange.fault.as_ref(), exchange.status()) {
            if is_copy(candidate) {
                *self.silent.entry(host.to_owned()).or_default() += 1;
            }
        } else if exchange.answer.is_some() {
            self.silent.remove(host);
        }
    }
}

/// What is only the copy of something else deserves one attempt: a relay's silence is the end of it.
pub(super) fn ended(outcome: Outcome, candidate: &Candidate, fault: Option<&Fault>, status: Option<u16>) -> Outcome {
    match outcome {
        Outcome::Again { .. } if is_silence(fault, status) && is_copy(candidate) => {
            let answered = || format!("answered {}", status.unwrap_or_default());
            Outcome::Failed { reason: fault.map_or_else(answered, ToString::to_string), transient: true, status }
        }
        outcome => outcome,
    }
}

/// Whether the relay has nothing to say: a fault of its own, not of our connection or our guard, or the answer of one
/// that is overrun or cannot reach what it stands for (RFC 9110, 15.6; RFC 6585, 4).
fn is_silence(fault: Option<&Fault>, status: Option<u16>) -> bool {
    match fault {
        Some(fault) => !matches!(fault, Fault::Stale | Fault::Abandoned | Fault::Forbidden(_) | Fault::Cap),
        None => status.is_some_and(|status| status == 429 || (500..600).contains(&status)),
    }
}

/// Whether this is the copy of a picture on another host. A page behind a relay is what somebody asked for.
fn is_copy(candidate: &Candidate) -> bool {
    let url = &candidate.url;
    candidate.role == Role::Image && unwrapped(url).last().is_some_and(|inner| inner.host() != url.host())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::outcome::Manner;
    use crate::web::time::Timestamp;
    use crate::web::url::WebUrl;

    const COPY: &str = "http://cors.example/?http://i.example/1.png";

    fn candidate(url: &str, role: Role) -> Candidate {
        Candidate::new(WebUrl::parse(url).unwrap(), role)
    }

    #[test]
    fn two_silences_over_copies_of_pictures_give_a_relay_up() {
        use Fault::{Abandoned, NoAnswer, Stale};
        let (copy, page) = ((COPY, Role::Image), (COPY, Role::Page));
        let own = ("http://cors.example/logo.png", Role::Image);
        for (heard, is_dead) in [
            (vec![(copy, NoAnswer)], false),
            (vec![(copy, NoAnswer), (copy, Fault::Stall)], true),
            (vec![(copy, Stale), (copy, Abandoned)], false),
            (vec![(page, NoAnswer), (page, NoAnswer)], false),
            (vec![(own, NoAnswer), (own, NoAnswer)], false),
        ] {
            let mut relays = Relays::default();
            let asked = format!("{heard:?}");
            for ((url, role), fault) in heard {
                let candidate = candidate(url, role);
                relays.heard(&candidate, &Exchange::faulty(candidate.url.clone(), Timestamp(7), fault));
            }
            assert_eq!(relays.is_dead(&candidate(COPY, Role::Image)), is_dead, "{asked}");
            assert!(!relays.is_dead(&candidate(COPY, Role::Page)), "a page is asked for all the same: {asked}");
            assert!(!relays.is_dead(&candidate(own.0, Role::Image)), "and what is its own: {asked}");
        }
    }

    #[test]
    fn a_copy_is_tried_once() {
        let again = || Outcome::Again { at: Timestamp(7), manner: Manner::Later };
        for (url, role, fault, status, is_again) in [
            ("http://i.example/1.png", Role::Image, Some(Fault::Stall), None, true),
            ("http://i.example/1.png", Role::Image, None, Some(503), true),
            (COPY, Role::Image, Some(Fault::Stall), None, false),
            (COPY, Role::Image, Some(Fault::Stale), None, true),
            (COPY, Role::Image, Some(Fault::Abandoned), None, true),
            (COPY, Role::Image, None, Some(429), false),
            (COPY, Role::Image, None, Some(503), false),
            (COPY, Role::Image, None, Some(403), true),
            (COPY, Role::Page, Some(Fault::Stall), None, true),
            (COPY, Role::Page, None, Some(503), true),
        ] {
            let ended = ended(again(), &candidate(url, role), fault.as_ref(), status);
            assert_eq!(matches!(ended, Outcome::Again { .. }), is_again, "{url} {role:?} {fault:?} {status:?}");
        }
    }
}
