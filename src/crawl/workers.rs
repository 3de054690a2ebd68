//! As many threads as cores read answers: parsing, digests and gzip are work, not waiting.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::run::IN_HAND;
use super::step::{Step, Taken, Turn};
use crate::archive;
use crate::frontier::Lease;
use crate::politeness::{Clocks, RobotsCopy};
use crate::web::time::Hold;
use crate::web::url::Origin;

/// What a worker gets.
pub(super) type Work = (Turn, Extra);
/// What it gives back.
pub(super) type Worked = Result<(Taken, Extra), archive::Error>;

/// What travels with a turn through the worker and comes back with it.
pub(super) struct Extra {
    pub lease: Option<Box<Lease>>,
    pub clocks: Option<Clocks>,
    pub robots: Option<(Origin, RobotsCopy)>,
    /// It is written down at once: a server asked for patience, and a kill must not forget that.
    pub urgent: bool,
    pub hold: Hold,
}

/// Starts the threads. They end when the sender is dropped.
pub(super) fn start(step: &Arc<Step>) -> std::io::Result<(SyncSender<Work>, mpsc::UnboundedReceiver<Worked>)> {
    let (work, inbox) = sync_channel::<Work>(IN_HAND * 2);
    let (outbox, taken) = mpsc::unbounded_channel();
    let inbox = Arc::new(Mutex::new(inbox));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    for number in 0..threads {
        let (step, inbox, outbox) = (step.clone(), inbox.clone(), outbox.clone());
        std::thread::Builder::new().name(format!("worker {number}")).spawn(move || {
            while let Some((turn, extra)) = next(&inbox) {
                let taken = step.take(turn).map(|taken| (taken, extra));
                if outbox.send(taken).is_err() {
                    break;
                }
            }
        })?;
    }
    Ok((work, taken))
}

fn next(inbox: &Mutex<Receiver<Work>>) -> Option<Work> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}
