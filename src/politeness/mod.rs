//! May it be fetched now? Rules and clocks of hosts, as a machine without I/O.
//!
//! [`Gate::ask`] answers for one URL at one instant; [`Gate::heard`] learns from every exchange. The gate never
//! fetches: it asks for robots.txt by handing out a permit for it. Nothing here waits, sleeps or reads a clock.

mod gate;
mod pace;
mod robots;

pub use gate::{Answer, Gate, Heard, HostClock, Options, Permit, Receipt, RobotsCopy, RobotsPolicy};
pub use pace::BURST;
pub use robots::{LIMIT as ROBOTS_LIMIT, Robots, Verdict};
