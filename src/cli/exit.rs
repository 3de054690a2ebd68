//! How the program ends: every exit code, and the one sentence that goes with an error.

use anyhow::anyhow;

use crate::{crawl, store, upkeep};

/// The exit codes (`pressmark --help` lists them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, a clean budget stop included.
    Done = 0,
    /// Failed, or no seed could be fetched at all.
    Failed = 1,
    /// Wrong usage or settings.
    Usage = 2,
    /// With `--strict`: done, but something is incomplete or failed.
    Incomplete = 3,
    /// Damage was found.
    Damage = 65,
    /// The archive cannot be written.
    CannotWrite = 74,
    /// Another run holds the archive.
    Held = 75,
    /// Interrupted.
    Interrupted = 130,
    /// Terminated.
    Terminated = 143,
}

pub(super) type Outcome = anyhow::Result<Exit>;

/// An error that knows its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Coded {
    exit: Exit,
    message: String,
}

/// The user asked for something that cannot be.
pub(super) fn usage(message: impl Into<String>) -> anyhow::Error {
    Coded { exit: Exit::Usage, message: message.into() }.into()
}

/// The process was asked to end.
pub(super) fn terminated(message: impl Into<String>) -> anyhow::Error {
    Coded { exit: Exit::Terminated, message: message.into() }.into()
}

/// Something failed.
pub(super) fn failed(doing: &str, cause: impl std::error::Error + Send + Sync + 'static) -> anyhow::Error {
    anyhow!(cause).context(format!("cannot {doing}"))
}

pub(super) fn code(outcome: &Outcome) -> u8 {
    let exit = match outcome {
        Ok(exit) => *exit,
        Err(error) => exit_of(error),
    };
    exit as u8
}

fn exit_of(error: &anyhow::Error) -> Exit {
    if let Some(coded) = error.downcast_ref::<Coded>() {
        return coded.exit;
    }
    if let Some(error) = error.downcast_ref::<crawl::Error>() {
        return exit_of_crawl(error);
    }
    match error.downcast_ref::<upkeep::Error>() {
        Some(upkeep::Error::Interrupted) => return Exit::Interrupted,
        Some(upkeep::Error::Request(_)) => return Exit::Usage,
        Some(upkeep::Error::Io { .. } | upkeep::Error::Archive(_)) => return Exit::CannotWrite,
        Some(upkeep::Error::Crawl(error)) => return exit_of_crawl(error),
        Some(upkeep::Error::Store(error)) => return exit_of_store(error),
        Some(upkeep::Error::Damage(_)) => return Exit::Damage,
        None => {}
    }
    error.downcast_ref::<store::Error>().map_or(Exit::Failed, |error| match exit_of_store(error) {
        // Who only reads has not failed to write.
        Exit::CannotWrite => Exit::Failed,
        other => other,
    })
}

fn exit_of_crawl(error: &crawl::Error) -> Exit {
    match error {
        crawl::Error::Held(_) => Exit::Held,
        crawl::Error::Archive(_) | crawl::Error::Folder { .. } => Exit::CannotWrite,
        crawl::Error::Store(error) => exit_of_store(error),
        crawl::Error::Fetch(_) => Exit::Usage,
        crawl::Error::Wire(_) => Exit::Failed,
    }
}

fn exit_of_store(error: &store::Error) -> Exit {
    match error {
        store::Error::Damaged(_) => Exit::Damage,
        store::Error::Sqlite { source, .. } if store::is_damage(source) => Exit::Damage,
        store::Error::Sqlite { .. } => Exit::CannotWrite,
        store::Error::Missing(_)
        | store::Error::Lost(_)
        | store::Error::Newer { .. }
        | store::Error::Older { .. }
        | store::Error::Foreign(_) => Exit::Failed,
        store::Error::Question(_) | store::Error::Refused(_) => Exit::Usage,
    }
}

/// An error and its causes in one line.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Some libraries repeat their cause in their own text, and SQLite its text behind a number.
        let news = text.strip_prefix("Error code ").and_then(|text| text.split_once(": ")).map(|(_, text)| text);
        if !parts.last().is_some_and(|last| last.contains(news.unwrap_or(&text))) {
            parts.push(text);
        }
    }
    let sqlite = || error.chain().find_map(|cause| cause.downcast_ref::<rusqlite::Error>());
    let advice = match exit_of(error) {
        Exit::CannotWrite => advice(error),
        Exit::Damage if sqlite().is_some_and(store::is_damage) => "; run pressmark reindex",
        _ => "",
    };
    format!("{}{advice}", parts.join(": "))
}

/// What to do about an archive that cannot be written: by what lies at the bottom of the error.
fn advice(error: &anyhow::Error) -> &'static str {
    use rusqlite::ErrorCode;
    use std::io::ErrorKind;
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind);
    let sqlite = error.chain().find_map(|cause| cause.downcast_ref::<rusqlite::Error>()?.sqlite_error_code());
    match (io, sqlite) {
        (Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded), _) | (_, Some(ErrorCode::DiskFull)) => {
            "; nothing captured is lost: make room there, then run the same command again"
        }
        (Some(ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied), _)
        | (_, Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied)) => {
            "; nothing captured is lost: make it writable, then run the same command again"
        }
        (_, Some(ErrorCode::CannotOpen)) => {
            "; nothing captured is lost: see that there is room and leave to write, then run the same command again"
        }
        (Some(ErrorKind::NotADirectory | ErrorKind::AlreadyExists), _) => {
            "; nothing was touched: name a folder with --archive, then run the same command again"
        }
        _ => "; nothing captured is lost: see to the disk, then run the same command again",
    }
}
