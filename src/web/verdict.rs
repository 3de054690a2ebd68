//! Whether robots.txt lets a URL be fetched, and what says so.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The verdict on one URL, with the rule that decided it.
///
/// ```
/// use pressmark::web::verdict::RobotsVerdict;
/// let verdict = RobotsVerdict { allowed: false, rule: "Disallow: /private/".to_owned(), line: Some(2) };
/// assert_eq!(verdict.to_string(), "Disallow: /private/ (robots.txt line 2)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotsVerdict {
    /// It may be fetched.
    pub allowed: bool,
    /// The rule as it is written, `Disallow: /private/`; without a line, why there is none: `no rule matches`.
    pub rule: String,
    /// Where the rule stands in robots.txt, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

impl RobotsVerdict {
    /// Forbidden, because there is no robots.txt to be had: why (RFC 9309, 2.3.1.4).
    pub fn unreachable(why: impl Into<String>) -> RobotsVerdict {
        RobotsVerdict { allowed: false, rule: why.into(), line: None }
    }

    /// Allowed, and by no rule: why.
    pub fn without_rule(why: impl Into<String>) -> RobotsVerdict {
        RobotsVerdict { allowed: true, rule: why.into(), line: None }
    }
}

impl fmt::Display for RobotsVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        self.line.map_or(Ok(()), |line| write!(f, " (robots.txt line {line})"))
    }
}
