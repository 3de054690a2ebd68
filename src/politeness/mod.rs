//! May it be fetched now? Rules and clocks of hosts, as a machine without I/O.
//!
//! [`Gate::ask`] answers for one URL at one instant; [`Gate::heard`] learns from every exchange. The gate never
//! fetches: it asks for robots.txt by handing out a permit for it. Nothing here waits, sleeps or reads a clock.

mod gate;
mod pace;
mod party;
mod robots;
mod rulebook;
#[cfg(test)]
mod schedules;
mod signs;

use std::time::Duration;

pub use gate::{
    AddressClock, Answer, Clocks, Gate, Heard, HostClock, LONGEST_BACK_OFF, Options, PER_ADDRESS, Permit, Receipt,
    RobotsPolicy,
};
pub use pace::BURST;
pub use party::Trouble;
pub use robots::{LIMIT as ROBOTS_LIMIT, MOST_CRAWL_DELAY, Robots, Survey, product_token, survey, within_limit};
pub use rulebook::{FRESH as ROBOTS_FRESH, HOPS as ROBOTS_HOPS, RobotsCopy, STALE as ROBOTS_STALE};

/// Attempts at a host that cannot be reached, or at its robots.txt, before it is given up for this run.
const ATTEMPTS: u32 = 3;
/// The wait after the first failed attempt; each further one waits four times as long.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// Two seconds, then eight, then half a minute, …
fn retry_wait(failures: u32) -> Duration {
    FIRST_RETRY * 4u32.saturating_pow(failures.saturating_sub(1).min(6))
}
