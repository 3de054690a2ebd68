//! Takes up what a crash left: captures that stand in the archive and have no rows yet.
//!
//! The database may lag the archive, never lead it. So the second half of each such capture's journey is gone through
//! once more, from the bytes in the archive, and ends in the same rows.

use std::collections::HashMap;
use std::path::Path;

use super::step::Step;
use super::{Error, Event, robots};
use crate::archive::{self, Found, Kind, Place, Record};
use crate::store::{Batch, Reader, Run, Store};
use crate::web::claims::Claims;
use crate::web::time::Timestamp;
use crate::web::url::WebUrl;

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
    let (reader, mut originals) = (store.reader()?, HashMap::new());
    for mut file in recovered {
        cut += file.cut;
        let mut batch = Batch { counters: "{}".to_owned(), ..Batch::default() };
        batch.files.extend(file.len.map(|len| (file.file.clone(), len)));
        for found in &mut file.found {
            let original = original(found, &originals, &reader, folder)?;
            match &original {
                Some(original) => found.capture.payload_len = archive::entity(original).len() as u64,
                None if found.capture.kind == Kind::Response => {
                    originals.insert(found.capture.record_id.clone(), found.capture.place.clone());
                }
                None => {}
            }
            let seed = &found.notes.seed;
            let seed_id =
                if seed.is_empty() { 0 } else { store.add_seed(run.id, seed, "archive", 0, &Claims::default())? };
            let row = WebUrl::parse(&found.capture.url).ok().map(|url| reader.row(&url)).transpose()?.flatten();
            batch.settled.extend(step.found(found, original.as_ref(), seed_id, row));
            batch.robots.extend(robots::found(found, original.as_ref()));
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

/// The record that holds a revisit's payload: one found before it, or one the database knows. None for what is no
/// revisit, and when there is none that can be read.
fn original(
    found: &Found,
    before: &HashMap<String, Place>,
    reader: &Reader,
    folder: &Path,
) -> Result<Option<Record>, Error> {
    let Some(original) = &found.capture.refers_to else { return Ok(None) };
    let place = match before.get(&original.record_id) {
        Some(place) => Some(place.clone()),
        None => reader.place_of(&found.capture.payload, original)?,
    };
    Ok(place.and_then(|place| archive::read_at(folder, &place).ok()))
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
