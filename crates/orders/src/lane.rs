//! Lanes: what arrives while work is under way waits, and is done together next.
//!
//! A lane is a queue and the one task that empties it. A lone job is begun at once; under load whatever has gathered
//! meanwhile makes the next batch, so batches grow by themselves and no timer makes anybody wait for company. What is
//! done with a batch is the business of [`Work`]; here it is only known that it succeeds or fails as a whole.

mod runner;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, thread};

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use self::runner::Runner;
use crate::config::Config;

/// What is done with the jobs of a lane.
pub(crate) trait Work: Send + Sync + 'static {
    /// What is asked for.
    type Job: Send + Sync + 'static;
    /// What one asker hears.
    type Answer: Send + 'static;
    /// Why an asker hears of no answer.
    type Error: From<NotDone> + Clone + std::fmt::Display + Send + 'static;

    /// How much of a batch the job takes up.
    fn weight(job: &Self::Job) -> usize;

    /// Does all of these together, in their order, or nothing: one result for each.
    fn attempt(
        &self,
        jobs: &[&Self::Job],
        pass: Pass,
    ) -> impl Future<Output = Result<Results<Self>, Failure<Self::Error>>> + Send;
}

/// One result for each job, in the order of the jobs.
pub(crate) type Results<W> = Vec<Result<<W as Work>::Answer, <W as Work>::Error>>;

/// Which attempt at some jobs it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Pass {
    /// How often these very jobs were attempted before.
    pub(crate) tries: u32,
    /// Whether they are a part of a batch that failed: one of its jobs may stand in the way again.
    pub(crate) is_part: bool,
    /// Whether an attempt before it lost its connection: what that one held may be held still.
    pub(crate) follows_loss: bool,
}

/// Why nothing was done about any job of a batch.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// The same may succeed when it is tried again.
    Again(E),
    /// The same, but what was begun may linger for a moment where it was begun.
    Lost(E),
    /// One of the jobs may be the cause: the others may succeed without it.
    One(E),
    /// It is about all of them: this is the answer to each.
    All(E),
}

/// Why the lane itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDone {
    /// The queue is full.
    #[error("too many orders wait already")]
    Full,
    /// It waited for too long.
    #[error("it was not begun in time")]
    Late,
    /// The work panicked, and this job is the cause.
    #[error("the work panicked")]
    Panicked,
    /// The process is stopping.
    #[error("the process is stopping")]
    Stopping,
}

/// The way into a lane. The lane ends when this is dropped and everything in the queue is done.
pub(crate) struct Lane<W: Work> {
    queue: mpsc::Sender<Ticket<W>>,
    patience: Duration,
}

/// A job in the queue. Whoever takes it out of its slot answers for it: the lane that begins it, or the asker whose
/// patience ends before.
struct Ticket<W: Work> {
    slot: Slot<W::Job>,
    weight: usize,
    since: Instant,
    answer: oneshot::Sender<Result<W::Answer, W::Error>>,
}

type Slot<J> = Arc<Mutex<Option<J>>>;

/// A job that was begun.
struct Begun<W: Work> {
    job: W::Job,
    since: Instant,
    answer: oneshot::Sender<Result<W::Answer, W::Error>>,
}

impl<W: Work> Lane<W> {
    /// Starts a lane on a thread of its own, with `work` that is made there. So its connection is served there, too: what
    /// the server answers wakes one thread and not two, and a lone order waits for nothing else that the process does.
    ///
    /// # Errors
    /// Those of `work`, and when there is no thread to be had.
    pub(crate) fn open(config: &Config, work: impl FnOnce() -> io::Result<W>) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let work = {
            let _inside = runtime.enter();
            work()?
        };
        let (lane, run) = Self::at_rest(Arc::new(work), config);
        thread::Builder::new().name("orders-lane".into()).spawn(move || runtime.block_on(run))?;
        Ok(lane)
    }

    /// A lane, and what has to run for it to be served.
    fn at_rest(work: Arc<W>, config: &Config) -> (Self, impl Future<Output = ()> + Send + use<W>) {
        let (queue, asked) = mpsc::channel(config.queue);
        let runner = Runner { work, batch: config.batch, patience: config.patience };
        (Self { queue, patience: config.patience }, runner.run(asked))
    }

    /// Has a job done. It is done even if nobody waits for the answer any more; one that is not begun in time never is.
    pub(crate) async fn ask(&self, job: W::Job) -> Result<W::Answer, W::Error> {
        let (answer, mut answered) = oneshot::channel();
        let (weight, slot) = (W::weight(&job), Arc::new(Mutex::new(Some(job))));
        let ticket = Ticket { slot: Arc::clone(&slot), weight, since: Instant::now(), answer };
        self.queue.try_send(ticket).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => refused(NotDone::Full),
            mpsc::error::TrySendError::Closed(_) => NotDone::Stopping,
        })?;
        let answer = match timeout(self.patience, &mut answered).await {
            Ok(answer) => answer,
            // However long the batch before it takes.
            Err(_) if take(&slot).is_some() => return Err(refused(NotDone::Late).into()),
            // It was begun, so only the end of it tells what became of it.
            Err(_) => answered.await,
        };
        answer.unwrap_or_else(|_| Err(NotDone::Stopping.into()))
    }
}

fn take<J>(slot: &Slot<J>) -> Option<J> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Counts what the lane refuses.
fn refused(why: NotDone) -> NotDone {
    let cause = if why == NotDone::Full { "full" } else { "late" };
    metrics::counter!("orders_refused_total", "cause" => cause).increment(1);
    why
}

impl<W: Work> Begun<W> {
    /// Ends the job before anybody hears of it, so that whatever it held is free by then.
    fn answer(self, answer: Result<W::Answer, W::Error>) {
        drop(self.job);
        // Whoever asked may have gone away.
        _ = self.answer.send(answer);
    }
}

/// Has the numbers of batches begin at zero: of one that first appears at 1, nobody can tell that it rose.
pub(crate) fn begin_metrics() {
    for cause in ["again", "lost", "halved"] {
        metrics::counter!("orders_batch_retries_total", "cause" => cause).increment(0);
    }
    for cause in ["full", "late"] {
        metrics::counter!("orders_refused_total", "cause" => cause).increment(0);
    }
    for outcome in ["committed", "rolled back", "unknown"] {
        metrics::counter!("orders_commits_settled_total", "outcome" => outcome).increment(0);
    }
    metrics::counter!("orders_rows_stuck_total").increment(0);
    for name in ["orders_queue_wait_seconds", "orders_batch_size", "orders_commit_seconds"] {
        _ = metrics::histogram!(name);
    }
}

#[cfg(test)]
mod tests;
