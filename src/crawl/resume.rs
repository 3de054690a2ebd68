//! Takes up what a crash left: captures that stand in the archive and have no rows yet.
//!
//! The database may lag the archive, never lead it. So the second half of each such capture's journey is gone through
//! once more, from the bytes in the archive, and ends in the same rows.

use std::collections::HashMap;
use std::path::Path;

use super::coding::robots_text;
use super::step::Step;
use super::{Error, Event};
use crate::archive::{self, Found};
use crate::politeness::RobotsCopy;
use crate::store::{Batch, Run, Store};
use crate::web::candidate::Role;
use crate::web::claims::Claims;
use crate::web::message::Head;
use crate::web::time::Timestamp;
use crate::web::url::{Origin, WebUrl};

/// Seals every `.open` file and commits what it held beyond the database's knowledge.
pub(super) fn resume(
    step: &Step,
    store: &mut Store,
    run: Run,
    folder: &Path,
    now: Timestamp,
    tell: &mut dyn FnMut(Event),
) -> Result<(), Error> {
    let known = store.committed()?;
    warn_of_gaps(folder, &known, tell);
    let recovered = archive::recover(folder, &|name| known.get(name).copied().unwrap_or(0))?;
    let (mut captures, mut cut) = (0, 0);
    let reader = store.reader()?;
    for file in recovered {
        cut += file.cut;
        let mut batch = Batch { counters: "{}".to_owned(), ..Batch::default() };
        batch.files.extend(file.len.map(|len| (file.file.clone(), len)));
        for found in &file.found {
            let seed = &found.notes.seed;
            let seed_id =
                if seed.is_empty() { 0 } else { store.add_seed(run.id, seed, "archive", 0, &Claims::default())? };
            let row = WebUrl::parse(&found.capture.url).ok().map(|url| reader.row(&url)).transpose()?.flatten();
            batch.settled.extend(step.found(found, seed_id, row));
            batch.robots.extend(robots(found));
        }
        captures += batch.settled.len();
        if file.lost {
            let lost = store.forget_lost(&file.file, file.len.unwrap_or(0))?;
            tell(Event::Warning(format!(
                "{} is shorter than it was: {lost} captures are lost and will be fetched again",
                file.file
            )));
        }
        store.commit(run, &batch, now)?;
        archive::seal_recovered(folder, &file)?;
    }
    if captures > 0 || cut > 0 {
        tell(Event::Recovered { captures, cut });
    }
    Ok(())
}

/// A robots.txt that was answered in full at its own place holds again, without being asked for once more.
fn robots(found: &Found) -> Option<(Origin, RobotsCopy)> {
    let (capture, url) = (&found.capture, WebUrl::parse(&found.capture.url).ok()?);
    let status = capture.status.filter(|status| matches!(status, 200..=299 | 400..=428 | 430..=499))?;
    if found.notes.role != Role::Robots || capture.truncated.is_some() || url.origin().robots() != url {
        return None;
    }
    let (head, body) = found.first.http();
    let is_file = (200..300).contains(&status);
    let bytes = if is_file { robots_text(&Head::read(head), body.to_vec()) } else { Vec::new() };
    Some((url.origin(), RobotsCopy { fetched: capture.at, status, bytes }))
}

/// Says which files are not what their rows say, as far as a look at the folder tells: those that are still `.open`
/// are mended in a moment.
fn warn_of_gaps(folder: &Path, known: &HashMap<String, u64>, tell: &mut dyn FnMut(Event)) {
    let mut known: Vec<(&String, u64)> = known.iter().map(|(name, len)| (name, *len)).collect();
    known.sort_unstable();
    for (name, committed) in known {
        let len = std::fs::metadata(folder.join(name)).map(|file| file.len());
        let what = match len {
            Ok(len) if len >= committed => continue,
            Ok(len) => format!("is {} bytes shorter than its rows say", committed - len),
            Err(_) if committed == 0 || folder.join(format!("{name}.open")).exists() => continue,
            Err(cause) => format!("holds captures and cannot be looked at ({cause})"),
        };
        tell(Event::Warning(format!("{} {what}: run `pressmark verify`", folder.join(name).display())));
    }
}
