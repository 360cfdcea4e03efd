//! A few sign-ins at a time, and a bounded queue for the rest.
//!
//! Attempts on one account, or from one address, wait for each other's rows, and whoever waits there holds a
//! connection of the pool that everybody shares. So a flood of them is made to wait here instead, where waiting costs
//! nobody else anything; and what is more than the queue holds is sent away.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;

/// Two whose passwords are being hashed, and two with the database.
static DESKS: Semaphore = Semaphore::const_new(4);

/// As many as are served within [`PATIENCE`], or nearly.
static QUEUE: Semaphore = Semaphore::const_new(256);

/// The longest wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// The right to be served, until it is dropped.
pub(crate) struct Desk {
    _desk: SemaphorePermit<'static>,
}

/// Waits for a desk.
///
/// # Errors
/// [`Error::Busy`] when the queue is full, or no desk was free in time.
pub(crate) async fn take() -> Result<Desk, Error> {
    let _place = QUEUE.try_acquire().map_err(|_| Error::Busy)?;
    let desk = tokio::time::timeout(PATIENCE, DESKS.acquire()).await;
    Ok(Desk { _desk: desk.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whom_the_queue_cannot_hold_is_sent_away_at_once() {
        let mut served = Vec::new();
        for _ in 0..4 {
            served.push(take().await.unwrap());
        }
        let crowd: Vec<_> = (0..300).map(|_| tokio::spawn(take())).collect();
        while crowd.iter().filter(|waiting| waiting.is_finished()).count() < 44 {
            tokio::task::yield_now().await;
        }
        drop(served);
        let mut answers = Vec::new();
        for waiting in crowd {
            answers.push(waiting.await.unwrap().is_ok());
        }
        assert_eq!(answers.iter().filter(|is_served| **is_served).count(), 256);
    }
}
