//! What the commands of upkeep share: they show how far they are, and a signal calls them off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::crawl::{block_on, style};
use super::exit::terminated;
use crate::report::Work;
use crate::upkeep::{Error, Watch};

/// Does a long piece of work: a bar on a terminal, a line a minute otherwise, neither when `quiet`. The first signal
/// calls it off, which a piece of work obeys by leaving everything as it was.
pub(super) fn watch<T>(quiet: bool, work: impl FnOnce(Watch<'_>) -> Result<T, Error>) -> anyhow::Result<T> {
    let shown = Work::new(style(quiet));
    let (stop, is_termination) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let result = block_on(async {
        // Before the work begins, so that no signal falls between.
        let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
        let listener = tokio::spawn(listen(signals, stop.clone(), is_termination.clone()));
        // On this thread, which belongs to nobody else; the runtime's own threads hear the signals.
        let result = work(Watch::new(&|at| shown.at(at.what, at.done, at.total), &stop));
        listener.abort();
        result
    });
    shown.finish();
    match result {
        Err(error @ Error::Interrupted) if is_termination.load(Ordering::Relaxed) => Err(terminated(error.to_string())),
        result => Ok(result?),
    }
}

type Signals = (std::io::Result<Signal>, std::io::Result<Signal>);

async fn listen(signals: Signals, stop: Arc<AtomicBool>, is_termination: Arc<AtomicBool>) {
    let (Ok(mut interrupt), Ok(mut terminate)) = signals else { return };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => is_termination.store(true, Ordering::Relaxed),
    }
    stop.store(true, Ordering::Relaxed);
}
