//! Relays of pictures that do not answer: each costs a few attempts in a run, however many pictures pass through it.
//!
//! What stands behind a relay is asked for by itself (`web::wrapped`), so nothing but its copy is given up.

use std::collections::HashMap;

use crate::web::exchange::{Exchange, Fault};
use crate::web::url::WebUrl;
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
    /// Whether this URL is a copy behind a relay that does not answer.
    pub(super) fn is_dead(&self, url: &WebUrl) -> bool {
        self.silent.get(url.host()).is_some_and(|silent| *silent >= ENOUGH) && is_copy(url)
    }

    /// Learns from an exchange.
    pub(super) fn heard(&mut self, exchange: &Exchange) {
        if exchange.answer.is_some() {
            self.silent.remove(exchange.url.host());
        } else if exchange.fault.as_ref().is_some_and(is_silence) && is_copy(&exchange.url) {
            *self.silent.entry(exchange.url.host().to_owned()).or_default() += 1;
        }
    }
}

/// Whether this fault is the relay's own: not our connection's, and not our guard's.
pub(super) fn is_silence(fault: &Fault) -> bool {
    !matches!(fault, Fault::Stale | Fault::Abandoned | Fault::Forbidden(_) | Fault::Cap)
}

/// Whether this is the copy of something on another host.
pub(super) fn is_copy(url: &WebUrl) -> bool {
    unwrapped(url).last().is_some_and(|inner| inner.host() != url.host())
}
