//! A clock that a test moves: it jumps to the next instant somebody sleeps for, once nothing else is going on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use pressmark::web::time::{Clock, Hold, Moment, Sleep, Timestamp};
use tokio::sync::oneshot;

/// Rounds of the runtime after which every task that can go on has gone on.
const ROUNDS: usize = 64;

#[derive(Clone)]
pub struct HandClock {
    state: Arc<Mutex<State>>,
    start: Timestamp,
}

#[derive(Default)]
struct State {
    now: Moment,
    sleepers: BTreeMap<(Moment, u64), oneshot::Sender<()>>,
    sequence: u64,
    /// Cloned into every hold.
    token: Arc<()>,
}

impl HandClock {
    pub fn new(start: Timestamp) -> HandClock {
        HandClock { state: Arc::default(), start }
    }

    /// Moves time on whenever everybody sleeps, for as long as `work` takes. Needs a runtime of one thread.
    pub async fn drive<F: Future>(&self, work: F) -> F::Output {
        let mut work = std::pin::pin!(work);
        let mut idle = 0;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            idle += 1;
            if self.is_held() {
                std::thread::yield_now();
                idle = 0;
            } else if idle > ROUNDS {
                idle = 0;
                self.jump();
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await
    }

    fn is_held(&self) -> bool {
        Arc::strong_count(&self.state.lock().unwrap().token) > 1
    }

    fn jump(&self) {
        let mut state = self.state.lock().unwrap();
        while let Some(((at, _), sleeper)) = state.sleepers.pop_first() {
            // One whose sleeper has gone wakes nobody.
            if sleeper.send(()).is_ok() {
                state.now = state.now.max(at);
                return;
            }
        }
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        self.state.lock().unwrap().now
    }

    fn wall(&self) -> Timestamp {
        self.start.after(self.now().since(Moment::default()))
    }

    fn sleep_until(&self, moment: Moment) -> Sleep {
        let mut state = self.state.lock().unwrap();
        if moment <= state.now {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        state.sequence += 1;
        let key = (moment, state.sequence);
        state.sleepers.insert(key, wake);
        Box::pin(async move {
            let _ = woken.await;
        })
    }

    fn hold(&self) -> Hold {
        Hold(Some(self.state.lock().unwrap().token.clone()))
    }
}
