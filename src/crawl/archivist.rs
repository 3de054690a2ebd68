//! The one thread that writes: it owns the archive's writer and the database's writing connection.
//!
//! Order of durability: WARC bytes, their sync, then one transaction. Captures are committed in groups: when the
//! dispatcher says so (once a second, and at once when nothing is going on), after 256 of them, or after 16 MiB.
//!
//! Here, and nowhere else, an answer is found to repeat an earlier one: whatever was appended before it is known, and
//! nothing that comes after. So a revisit never stands before its original (`docs/decisions/0008-revisits.md`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use super::Error;
use super::step::Taken;
use crate::archive::{Encoded, Kind, Original, Unchanged, Writer, Written};
use crate::politeness::{Clocks, RobotsCopy};
use crate::store::{Batch, Run, Settled, Store};
use crate::web::digest::{Algorithm, Digest, digest};
use crate::web::time::{Clock, Hold};
use crate::web::url::Origin;

/// A group commit holds no more captures than this,
const GROUP: usize = 256;
/// and no more bytes.
const GROUP_BYTES: u64 = 16 << 20;

/// What the archivist is told.
pub(super) enum Order {
    /// Keep this.
    Keep(Box<Kept>),
    /// Commit what there is. Time stands still until that is done, where time is moved by hand.
    Commit { counters: String, hold: Hold },
    /// Commit what there is, close the file, end the run.
    End { stopped_by: String, counters: String },
}

/// A turn that is over, with what it taught about its host.
pub(super) struct Kept {
    pub taken: Taken,
    pub clocks: Option<Clocks>,
    pub robots: Option<(Origin, RobotsCopy)>,
    /// Time stands still until it is appended, where time is moved by hand.
    pub hold: Hold,
}

/// What the archivist answers.
pub(super) enum Done {
    /// These turns are safe; the URLs they offered are in the store, and so are the outcomes of those they settled.
    Committed {
        turns: usize,
        captures: usize,
        /// So many of them hold no payload of their own.
        revisits: usize,
        bytes: u64,
        offered: Vec<String>,
        settled: Vec<String>,
        /// Hosts whose pictures are queued again: a notice came in their place.
        recalled: BTreeSet<String>,
        files: BTreeSet<String>,
    },
    /// It cannot go on.
    Failed(Error),
}

/// The hand that gives the orders.
pub(super) struct Archivist {
    orders: SyncSender<Order>,
    thread: JoinHandle<()>,
}

impl Archivist {
    /// Starts the thread. Answers come by `done`; `room` orders fit before giving one waits.
    pub(super) fn start(
        writer: Writer,
        store: Store,
        run: Run,
        clock: Arc<dyn Clock>,
        room: usize,
        done: UnboundedSender<Done>,
    ) -> std::io::Result<Archivist> {
        let (orders, inbox) = sync_channel(room);
        let desk = Desk {
            writer,
            store,
            run,
            clock,
            done,
            pending: Vec::new(),
            bytes: 0,
            appended: HashMap::new(),
            chains: HashMap::new(),
            counters: "{}".to_owned(),
        };
        let thread = std::thread::Builder::new().name("archivist".to_owned()).spawn(move || desk.work(&inbox))?;
        Ok(Archivist { orders, thread })
    }

    /// Gives an order. An archivist that has failed has said so by its answer, and takes no more.
    pub(super) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }

    /// Waits for the thread's end.
    pub(super) fn join(self) {
        drop(self.orders);
        // A panic there is one here.
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

struct Desk {
    writer: Writer,
    store: Store,
    run: Run,
    clock: Arc<dyn Clock>,
    done: UnboundedSender<Done>,
    pending: Vec<(Option<Written>, Pending)>,
    bytes: u64,
    /// Payloads that are appended and not committed yet: the database does not know them.
    appended: HashMap<(Digest, u64), Original>,
    /// What the certificates were that each host and port showed last in this run.
    chains: HashMap<String, Digest>,
    counters: String,
}

struct Pending {
    settled: Settled,
    clocks: Option<Clocks>,
    robots: Option<(Origin, RobotsCopy)>,
    bytes: u64,
}

impl Desk {
    fn work(mut self, orders: &Receiver<Order>) {
        for order in orders {
            let ends = matches!(order, Order::End { .. });
            if let Err(error) = self.obey(order) {
                // The dispatcher may be gone already; then nobody is left to tell.
                let _ = self.done.send(Done::Failed(error));
                return;
            }
            if ends {
                return;
            }
        }
    }

    fn obey(&mut self, order: Order) -> Result<(), Error> {
        match order {
            Order::Keep(kept) => self.keep(*kept),
            Order::Commit { counters, hold } => {
                self.counters = counters;
                let committed = self.commit();
                drop(hold);
                committed
            }
            Order::End { stopped_by, counters } => {
                self.counters.clone_from(&counters);
                self.commit()?;
                self.writer.close()?;
                Ok(self.store.end_run(self.run.id, self.clock.wall(), &stopped_by, &counters)?)
            }
        }
    }

    fn keep(&mut self, kept: Kept) -> Result<(), Error> {
        let Kept { taken, clocks, robots, hold } = kept;
        let encoded = taken.encoded.map(|encoded| self.completed(encoded)).transpose()?;
        let bytes = encoded.as_ref().map_or(0, Encoded::len);
        let written = encoded.map(|encoded| self.append(encoded)).transpose()?;
        self.bytes += bytes;
        self.pending.push((written, Pending { settled: taken.settled, clocks, robots, bytes }));
        drop(hold);
        if self.pending.len() >= GROUP || self.bytes >= GROUP_BYTES { self.commit() } else { Ok(()) }
    }

    /// The group as it is to be written: without a payload that is kept already, with certificates that are not.
    fn completed(&mut self, encoded: Encoded) -> Result<Encoded, Error> {
        let mut encoded = match self.original(&encoded)? {
            Some(original) => encoded.into_revisit(Unchanged::SamePayload(&original))?,
            None => encoded,
        };
        let shown =
            encoded.chain().map(|(origin, chain)| (origin.to_owned(), digest(Algorithm::Sha256, &chain.concat())));
        if let Some((origin, chain)) = shown
            && self.chains.get(&origin) != Some(&chain)
        {
            encoded.keep_chain()?;
            self.chains.insert(origin, chain);
        }
        Ok(encoded)
    }

    /// The capture that holds the same payload: appended a moment ago, or known to the database and still there.
    fn original(&self, encoded: &Encoded) -> Result<Option<Original>, Error> {
        let Some((payload, len)) = encoded.whole_payload() else { return Ok(None) };
        if let Some(original) = self.appended.get(&(payload.clone(), len)) {
            return Ok(Some(original.clone()));
        }
        let known = self.store.original(payload, len)?;
        Ok(known.filter(|(_, place)| self.writer.holds(place)).map(|(original, _)| original))
    }

    fn append(&mut self, encoded: Encoded) -> Result<Written, Error> {
        let payload = encoded.whole_payload().map(|(payload, len)| (payload.clone(), len));
        let original = encoded.as_original();
        let written = self.writer.append(encoded, self.clock.wall())?;
        self.appended.extend(payload.map(|payload| (payload, original)));
        Ok(written)
    }

    /// Syncs the archive, then commits the rows.
    fn commit(&mut self) -> Result<(), Error> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let (written, pending): (Vec<Option<Written>>, Vec<Pending>) =
            std::mem::take(&mut self.pending).into_iter().unzip();
        self.bytes = 0;
        let present: Vec<bool> = written.iter().map(Option::is_some).collect();
        let mut captures = self.writer.sync(written.into_iter().flatten().collect())?.into_iter();
        let mut batch = Batch { counters: self.counters.clone(), ..Batch::default() };
        let (mut bytes, mut files) = (0, BTreeSet::new());
        let mut lengths = std::collections::BTreeMap::new();
        for (mut pending, present) in pending.into_iter().zip(present) {
            if present {
                pending.settled.capture = captures.next();
            }
            if let Some(capture) = &pending.settled.capture {
                files.insert(capture.place.file.clone());
                lengths.insert(capture.place.file.clone(), capture.metadata.offset + capture.metadata.length);
            }
            bytes += pending.bytes;
            batch.settled.push(pending.settled);
            batch.clocks.extend(pending.clocks);
            batch.robots.extend(pending.robots);
        }
        batch.files = lengths.into_iter().collect();
        let recalled = self.store.commit(self.run, &batch, self.clock.wall())?;
        self.writer.committed()?;
        self.appended.clear();
        let offered =
            batch.settled.iter().flat_map(|settled| &settled.offers).map(|offer| offer.url.as_str().to_owned());
        let settled = batch.settled.iter().filter(|settled| settled.outcome.is_some());
        let done = Done::Committed {
            turns: batch.settled.len(),
            captures: batch.settled.iter().filter(|settled| settled.capture.is_some()).count(),
            revisits: batch.settled.iter().filter(|settled| is_revisit(settled)).count(),
            bytes,
            offered: offered.collect(),
            settled: settled.map(|settled| settled.url.clone()).collect(),
            recalled,
            files,
        };
        // The dispatcher may be gone already; then nobody counts any more.
        let _ = self.done.send(done);
        Ok(())
    }
}

fn is_revisit(settled: &Settled) -> bool {
    settled.capture.as_ref().is_some_and(|capture| capture.kind == Kind::Revisit)
}
