//! Takes up what a crash left: captures that stand in the archive and have no rows yet.
//!
//! The database may lag the archive, never lead it. So the second half of each such capture's journey is gone through
//! once more, from the bytes in the archive, and ends in the same rows.

use std::collections::HashMap;

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
    folder: &std::path::Path,
    now: Timestamp,
    tell: &mut dyn FnMut(Event),
) -> Result<(), Error> {
    let mut known = HashMap::new();
    for name in open_names(folder)? {
        let committed = store.committed_len(&name)?;
        known.insert(name, committed);
    }
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

fn open_names(folder: &std::path::Path) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".open").map(str::to_owned));
    }
    Ok(names)
}
