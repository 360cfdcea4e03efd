//! One at a time: tasks whose process died before.
//!
//! Should such a task kill again, it takes no other of its kind with it, so no sound neighbour is ever condemned: one
//! that was beside a killer once is never again. Those without a past run on meanwhile. Whoever waits for our own
//! servers alone goes first, and does not stand behind one that waits for half the world.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::lane::Lane;

/// Lets one task in at a time.
#[derive(Debug, Default)]
pub(crate) struct Quarantine {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    is_taken: bool,
    waiting: [usize; Lane::ALL.len()],
}

/// The right to run as the only one; ends when dropped.
#[derive(Debug)]
pub(crate) struct Alone(Arc<Quarantine>);

/// One that stands in the queue.
struct Waiting<'a>(&'a Quarantine, Lane);

impl Quarantine {
    /// Waits until no other is in, and none is waiting that goes first.
    pub(crate) async fn enter(self: &Arc<Self>, lane: Lane) -> Alone {
        self.state().waiting[lane.place()] += 1;
        let waiting = Waiting(self, lane);
        loop {
            let mut left = std::pin::pin!(self.left.notified());
            // Listening begins before looking, or a departure between the two would go unheard.
            left.as_mut().enable();
            {
                let mut state = self.state();
                if !state.is_taken && state.waiting[..lane.place()].iter().all(|waiting| *waiting == 0) {
                    state.is_taken = true;
                    break;
                }
            }
            left.await;
        }
        drop(waiting);
        Alone(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.state().waiting[self.1.place()] -= 1;
        self.0.left.notify_waiters();
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.0.state().is_taken = false;
        self.0.left.notify_waiters();
    }
}
