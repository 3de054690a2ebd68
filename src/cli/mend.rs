//! `repair`, `reindex`, `import`, `forget`, `block`: what keeps an archive whole, and what takes something out of it.

use std::path::PathBuf;

use super::args::Common;
use super::exit::{Exit, Outcome, usage};
use super::say;
use super::upkeep::watch;
use crate::crawl::{DATABASE, Lock};
use crate::report::counted;
use crate::store;
use crate::upkeep::verify::{Sort, sort};
use crate::upkeep::{self, Forgotten, Imported, Mended, Reindexed, Repaired, Watch, is_warc};
use crate::web::time::{Clock, SystemClock, Timestamp};
use crate::web::url::{WebUrl, without_credentials};

pub(super) fn repair(common: &Common, dry_run: bool) -> Outcome {
    let Repaired { files, strays } = locked(common, "repair", |watch| upkeep::repair(&common.archive, dry_run, watch))?;
    let mut text: String =
        files.iter().filter(|file| !file.was_whole()).map(|file| mended_words(file, dry_run)).collect();
    if text.is_empty() && strays.is_empty() && !common.quiet {
        text = format!("whole: {}\n", counted(files.len() as u64, "file"));
    }
    super::print_text(&text)?;
    for stray in &strays {
        say(&format!("{DATABASE}: {} lacks {}; run pressmark reindex", stray.row, stray.lacks));
    }
    Ok(if strays.is_empty() { Exit::Done } else { Exit::Damage })
}

fn mended_words(mended: &Mended, dry_run: bool) -> String {
    let will = |done: &str, would: &str| if dry_run { would.to_owned() } else { done.to_owned() };
    let mut parts: Vec<String> =
        mended.damage.iter().map(|damage| format!("offset {}: {}", damage.offset, damage.reason)).collect();
    let mut part = |count: u64, text: String| {
        if count > 0 {
            parts.push(text);
        }
    };
    let tail = counted(mended.cut, "byte");
    part(mended.cut, format!("{tail} at the end {}", will("cut off", "would be cut off")));
    part(
        u64::from(mended.repacked),
        format!("its records shared gzip members: {}", will("each has its own now", "each would get its own")),
    );
    part(u64::from(mended.sealed), will("sealed", "would be sealed"));
    let rows = &mended.rows;
    part(
        rows.moved as u64,
        format!("{} {}", counted(rows.moved as u64, "row"), will("put right", "would be put right")),
    );
    part(
        rows.missing.len() as u64,
        format!(
            "{} {}",
            counted(rows.missing.len() as u64, "capture"),
            will("brought into the database", "would be brought into the database")
        ),
    );
    part(
        rows.lost as u64,
        format!("{} {}", counted(rows.lost as u64, "capture"), will("lost, to be fetched again", "would be lost")),
    );
    part(
        rows.orphaned as u64,
        format!(
            "{} {} their payload{}",
            counted(rows.orphaned as u64, "revisit"),
            will("have lost", "would lose"),
            will(": what they revisit will be fetched again in full", "")
        ),
    );
    let kept = mended.kept.iter().map(|path| format!("\n  what was taken out is in {}", path.display()));
    format!(
        "{}: {}; {}{}\n",
        mended.file,
        counted(mended.captures as u64, "capture"),
        parts.join("; "),
        kept.collect::<String>()
    )
}

pub(super) fn reindex(common: &Common) -> Outcome {
    let Reindexed { files, captures, others, kept_old, damaged, begun, unread } =
        locked(common, "reindex", |watch| upkeep::reindex(&common.archive, watch))?;
    if !common.quiet {
        let old = match (&damaged, kept_old) {
            (Some(path), _) => format!("the old database was damaged: it is kept as {}", path.display()),
            (None, true) => "what only the old database knew is kept".to_owned(),
            (None, false) => "there was no old database: the queue and the history of runs begin anew".to_owned(),
        };
        say(&format!(
            "the database holds {} of {}; not counted: {} of other kinds; {old}",
            counted(captures as u64, "capture"),
            counted(files as u64, "file"),
            counted(others as u64, "record")
        ));
    }
    for damage in &unread {
        say(&format!("{damage}; run pressmark repair"));
    }
    for url in &begun {
        say(&format!("the take-down of {url} was interrupted: run pressmark forget on it again"));
    }
    Ok(if unread.is_empty() { Exit::Done } else { Exit::Damage })
}

pub(super) fn import(common: &Common, files: &[PathBuf]) -> Outcome {
    for path in files {
        let sort = sort(path).map_err(|cause| usage(format!("cannot read {}: {cause}", path.display())))?;
        // A name alone does not make a WARC.
        let is_warc = || is_warc(path).map_err(|cause| usage(format!("cannot read {}: {cause}", path.display())));
        if !(sort == Some(Sort::Wacz) || sort == Some(Sort::Warc) && is_warc()?) {
            return Err(usage(format!("{} is no WARC or WACZ", path.display())));
        }
    }
    let all = locked_or_new(common, "import", |watch| upkeep::import(&common.archive, files, now(), watch))?;
    let mut exit = Exit::Done;
    for Imported { from, name, captures, known, forgotten, unread } in &all {
        if !common.quiet {
            let was = |count: usize| if count == 1 { "was" } else { "were" };
            let part = |count: usize, text: String| if count > 0 { text } else { String::new() };
            let already = part(*known, format!(", {known} {} here already", was(*known)));
            let gone = counted(*forgotten as u64, "forgotten capture");
            let gone = part(*forgotten, format!("; {gone} {} left out", was(*forgotten)));
            let text = match name {
                Some(name) => format!("{}, now in warc/{name}{already}{gone}", counted(*captures as u64, "capture")),
                None => format!("nothing new{already}{gone}"),
            };
            super::print_text(&format!("{from}: {text}\n"))?;
        }
        for damage in unread {
            say(&format!("{damage}; left out"));
            exit = Exit::Damage;
        }
    }
    Ok(exit)
}

/// What `forget` was told.
pub(super) struct Forget<'a> {
    pub url: &'a str,
    pub reason: &'a str,
    pub dry_run: bool,
    pub undo: bool,
}

pub(super) fn forget(common: &Common, told: &Forget<'_>) -> Outcome {
    let url = canonical(told.url)?;
    if told.undo {
        locked(common, "forget", |_| upkeep::allow(&common.archive, &url, told.reason, now()))?;
        return done(common, &format!("{url} may be fetched again"));
    }
    let forgotten = locked(common, "forget", |watch| {
        upkeep::forget(&common.archive, &url, told.reason, told.dry_run, now(), watch)
    })?;
    let Forgotten { captures, derived, finished_earlier } = forgotten;
    let mut text = String::new();
    for (file, removed) in &captures {
        let why = if removed.url == url { "" } else { " (the same content)" };
        text.push_str(&format!("{} {} in {file}{why}\n", removed.date.iso(), removed.url));
    }
    for path in derived {
        text.push_str(&format!("removed: {}\n", path.display()));
    }
    text.push_str(&match (captures.len(), told.dry_run, finished_earlier) {
        (0, true, false) => format!("nothing of {url} is in the archive; it would not be fetched any more\n"),
        (0, false, false) => format!("nothing of {url} is in the archive; it is not fetched any more\n"),
        (_, false, true) => "what had been begun is finished: nothing of it is left\n".to_owned(),
        (count, false, false) => format!("{} forgotten\n", counted(count as u64, "capture")),
        (count, true, _) => format!("{} would be forgotten\n", counted(count as u64, "capture")),
    });
    if common.quiet { Ok(Exit::Done) } else { super::print_text(&text) }
}

pub(super) fn block(common: &Common, url: &str, undo: bool, reason: &str) -> Outcome {
    let url = canonical(url)?;
    locked(common, "block", |_| upkeep::block(&common.archive, &url, undo, reason, now()))?;
    done(common, &if undo { format!("{url} is shown again") } else { format!("{url} is hidden from replay") })
}

/// A URL as the archive knows it, or the URI of a document of the user's own.
fn canonical(text: &str) -> anyhow::Result<String> {
    if text.starts_with("file:///seeds/") {
        return Ok(text.to_owned());
    }
    let url = WebUrl::parse(text).map_err(|cause| usage(format!("«{}»: {cause}", without_credentials(text))))?;
    Ok(url.as_str().to_owned())
}

fn done(common: &Common, text: &str) -> Outcome {
    if common.quiet { Ok(Exit::Done) } else { super::print_text(&format!("{text}\n")) }
}

fn now() -> Timestamp {
    SystemClock::default().wall()
}

/// Does a long piece of work on an archive that there is, while nobody else writes to it.
fn locked<T>(
    common: &Common,
    command: &str,
    work: impl FnOnce(Watch<'_>) -> Result<T, upkeep::Error>,
) -> anyhow::Result<T> {
    // Taking the lock would make the folder.
    if !common.archive.join("warc").exists() && !common.archive.join(DATABASE).exists() {
        return Err(store::Error::Missing(common.archive.clone()).into());
    }
    locked_or_new(common, command, work)
}

/// The same, on an archive that is made when there is none.
fn locked_or_new<T>(
    common: &Common,
    command: &str,
    work: impl FnOnce(Watch<'_>) -> Result<T, upkeep::Error>,
) -> anyhow::Result<T> {
    let _lock = Lock::take_for(&common.archive, command)?;
    watch(common.quiet, work)
}
