//! Keeps an archive whole for decades: checks it, mends it, rebuilds what is derived from it, takes in what other tools
//! wrote, takes out what must go, and packs it for the journey.
//!
//! The WARC files are the truth and are treated so: nothing here changes one in place. What is rewritten is written
//! beside it, synced, and swapped in by one rename; whoever is interrupted leaves what was there before.

pub mod export;
mod files;
mod forget;
mod import;
mod reindex;
mod repair;
mod rewrite;
mod rows;
mod takedown;
mod unwanted;
pub mod verify;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

pub use forget::{Forgotten, forget};
pub use import::{Imported, import, is_warc};
pub use reindex::{Reindexed, reindex};
pub use repair::{Mended, Repaired, repair};
pub use takedown::{allow, block};

use crate::{archive, crawl, store};

/// How far a long piece of work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being worked on: a file's name.
    pub what: &'a str,
    /// Bytes dealt with, of all there are.
    pub done: u64,
    /// All there are.
    pub total: u64,
}

/// Whoever waits for a long piece of work: hears how far it is, and may call it off.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    tell: &'a (dyn Fn(Progress<'_>) + Sync),
    stop: &'a AtomicBool,
}

impl<'a> Watch<'a> {
    /// Progress goes to `tell`; work ends with [`Error::Interrupted`] soon after `stop` has become true.
    pub fn new(tell: &'a (dyn Fn(Progress<'_>) + Sync), stop: &'a AtomicBool) -> Watch<'a> {
        Watch { tell, stop }
    }

    /// Says how far the work is.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when it has been called off.
    pub fn at(&self, progress: Progress<'_>) -> Result<(), Error> {
        (self.tell)(progress);
        if self.stop.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
    }
}

/// Why upkeep could not be done, sorted by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was called off: the file at hand is as it was, and so is everything that comes after it.
    #[error("interrupted: what was not finished is as it was")]
    Interrupted,
    /// What was asked for cannot be: the text says why, and what could be asked instead.
    #[error("{0}")]
    Request(String),
    /// A file cannot be read or written: make room, check the folder.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The archive cannot be written.
    #[error(transparent)]
    Archive(#[from] archive::Error),
    /// The archive is held, or its folder cannot be used.
    #[error(transparent)]
    Crawl(#[from] crawl::Error),
    /// The database cannot be used.
    #[error("cannot use the archive's database")]
    Store(#[from] store::Error),
    /// What is read is damaged: run `pressmark verify` on it.
    #[error(transparent)]
    Damage(#[from] archive::ReadError),
}

impl Error {
    /// For `map_err` on a file operation.
    pub fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { doing, path, source }
    }
}
