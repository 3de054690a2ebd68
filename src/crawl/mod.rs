//! A crawl: from a [`Plan`] to an archive with its rows.
//!
//! [`run`] is the dispatcher; `step` is one URL from its exchange to what becomes of it; `archivist` owns the archive
//! and the database. `resume` takes up what a crash left behind.

mod alike;
mod allowance;
mod archivist;
mod coding;
mod dry;
mod event;
mod guesses;
mod lock;
mod plan;
mod refusal;
mod relays;
mod reread;
mod resume;
mod robots;
mod run;
mod saved;
mod scope;
mod seeding;
mod step;
mod tally;
mod traps;
mod workers;

pub use dry::Decision;
pub use event::{Event, Postponed, SeedSummary, Summary, TrapSummary};
pub use lock::Lock;
pub use plan::{Brings, Budget, DATABASE, Plan, Revisit, SeedInput, make_spool};
pub use reread::{Reread, Said};
pub use run::{Stop, run};
pub use scope::{Depth, Listing, Origin, Reach, Scope, Verdict};
pub use traps::is_trap;

use crate::{archive, fetch, store, wire};

/// Why a run could not be done, sorted by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another run holds the archive: try later.
    #[error("another run holds the archive {}", .0.display())]
    Held(std::path::PathBuf),
    /// The archive cannot be written: make room, check the folder. What was captured is safe.
    #[error("cannot write the archive")]
    Archive(#[from] archive::Error),
    /// The folder of the archive cannot be used.
    #[error("cannot use the folder {}", path.display())]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be used.
    #[error("cannot use the archive's database")]
    Store(#[from] store::Error),
    /// The door or the client cannot be set up.
    #[error("cannot set up the network side")]
    Fetch(#[from] fetch::Error),
    /// The door cannot be opened.
    #[error("cannot set up the network side")]
    Wire(#[from] wire::Error),
}
