//! Captures become rows again: read by as many threads as there are cores, written in the order they came.

use std::collections::HashMap;

use super::Error;
use crate::archive::{Found, Record};
use crate::crawl::{Reread, Said};
use crate::store::{Batch, Run, Store};
use crate::web::claims::Claims;

/// So many captures are read and written at a time,
const CHUNK: usize = 128;
/// or so many bytes of them.
const CHUNK_BYTES: usize = 32 << 20;

/// What seeds are said to come from that nothing but their captures speaks of.
const SOURCE: &str = "archive";

/// Turns captures into rows of a store.
pub(super) struct Rows {
    reread: Reread,
    /// Rows of the seeds, by name.
    seeds: HashMap<String, i64>,
    run: Option<Run>,
    chunk: Vec<Told>,
    bytes: usize,
    /// Captures that have their rows.
    pub captures: usize,
}

/// A capture, and the record that holds its payload when that is not its own.
struct Told {
    found: Found,
    original: Option<Record>,
    seed: i64,
}

impl Rows {
    pub(super) fn new(store: &Store) -> Result<Rows, Error> {
        let seeds = store.seed_names()?.into_iter().map(|(id, name)| (name, id)).collect();
        Ok(Rows { reread: Reread::default(), seeds, run: None, chunk: Vec::new(), bytes: 0, captures: 0 })
    }

    /// Takes a capture of this run; captures come in the order they were made.
    pub(super) fn add(
        &mut self,
        store: &mut Store,
        run: Run,
        found: Found,
        original: Option<Record>,
    ) -> Result<(), Error> {
        if self.run != Some(run) {
            self.flush(store)?;
            self.run = Some(run);
        }
        let name = &found.notes.seed;
        let seed = match self.seeds.get(name) {
            _ if name.is_empty() => 0,
            Some(id) => *id,
            None => {
                let id = store.add_seed(run.id, name, SOURCE, 0, &Claims::default())?;
                self.seeds.insert(name.clone(), id);
                id
            }
        };
        self.bytes += found.first.block.len() + original.as_ref().map_or(0, |record| record.block.len());
        self.chunk.push(Told { found, original, seed });
        if self.chunk.len() >= CHUNK || self.bytes >= CHUNK_BYTES { self.flush(store) } else { Ok(()) }
    }

    /// Writes what has been taken so far.
    pub(super) fn flush(&mut self, store: &mut Store) -> Result<(), Error> {
        let chunk = std::mem::take(&mut self.chunk);
        self.bytes = 0;
        let Some(run) = self.run.filter(|_| !chunk.is_empty()) else { return Ok(()) };
        for (told, said) in chunk.iter().zip(read_all(&self.reread, &chunk)) {
            let Some(said) = said else { continue };
            let mut batch = Batch { counters: "{}".to_owned(), ..Batch::default() };
            batch.offers.extend(said.asked);
            batch.settled.push(said.settled);
            batch.robots.extend(said.robots);
            store.commit(run, &batch, told.found.capture.at)?;
            self.captures += 1;
        }
        Ok(())
    }
}

/// What each capture says, in order.
fn read_all(reread: &Reread, chunk: &[Told]) -> Vec<Option<Said>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = chunk.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let readers: Vec<_> = chunk
            .chunks(share)
            .map(|part| {
                scope.spawn(move || {
                    let read = |told: &Told| reread.read(&told.found, told.original.as_ref(), told.seed);
                    part.iter().map(read).collect::<Vec<_>>()
                })
            })
            .collect();
        // A panic there is one here.
        let join = |reader: std::thread::ScopedJoinHandle<'_, Vec<Option<Said>>>| {
            reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        readers.into_iter().flat_map(join).collect()
    })
}
