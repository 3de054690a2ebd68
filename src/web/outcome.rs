//! How a URL's turn ended.

use super::time::Timestamp;

/// What the frontier and the store learn when a lease is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer was captured and nothing more is wanted of this URL in this run; the status may well be 404.
    Done {
        /// The final status.
        status: u16,
    },
    /// Try again, not before `at`.
    Again {
        /// The earliest instant.
        at: Timestamp,
        /// What is different then.
        manner: Manner,
    },
    /// It was not asked for, by a rule.
    Refused {
        /// Who refused.
        by: Refusal,
        /// The rule, as it can be shown to a person.
        rule: String,
        /// Whether a later run should ask again: robots.txt could not be had.
        transient: bool,
    },
    /// It was asked for in vain.
    Failed {
        /// One line for a person.
        reason: String,
        /// Whether a later run should try again.
        transient: bool,
        /// The status, when there was an answer.
        status: Option<u16>,
    },
}

/// Why a URL is tried once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// The server asked for patience (429, 503, `Retry-After`), or failed in a way that passes.
    Later,
    /// A reused connection closed without a byte: the same request on a fresh one (RFC 9110, 9.2.2).
    Fresh,
    /// The host refuses it: asked for in the way of this number ([`super::ladder`]).
    Rung(u8),
}

/// Who keeps the crawl from a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The host's robots.txt.
    Robots,
    /// The address guard.
    Guard,
    /// The crawl's own scope.
    Scope,
}

impl Refusal {
    /// The word in columns and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Robots => "robots",
            Refusal::Guard => "guard",
            Refusal::Scope => "scope",
        }
    }
}
