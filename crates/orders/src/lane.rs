//! Lanes: what arrives while work is under way waits, and is done together next.
//!
//! A lane is a queue and the one task that empties it. A lone job is begun at once; under load whatever has gathered
//! meanwhile makes the next batch, so batches grow by themselves and no timer makes anybody wait for company. What is
//! done with a batch is the business of [`Work`]; here it is only known that it succeeds or fails as a whole.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

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
}

/// Why nothing was done about any job of a batch.
#[derive(Debug)]
pub(crate) enum Failure<E> {
    /// The same may succeed when it is tried again.
    Again(E),
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
pub(crate) struct Lane<W: Work>(mpsc::Sender<Ticket<W>>);

struct Ticket<W: Work> {
    job: W::Job,
    since: Instant,
    answer: oneshot::Sender<Result<W::Answer, W::Error>>,
}

impl<W: Work> Lane<W> {
    /// Starts a lane on the current runtime.
    pub(crate) fn open(work: Arc<W>, config: &Config) -> Self {
        let (sender, queue) = mpsc::channel(config.queue);
        tokio::spawn(Runner { work, batch: config.batch, patience: config.patience }.run(queue));
        Self(sender)
    }

    /// Has a job done. It is done even if nobody waits for the answer any more.
    pub(crate) async fn ask(&self, job: W::Job) -> Result<W::Answer, W::Error> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Ticket { job, since: Instant::now(), answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotDone::Full,
            mpsc::error::TrySendError::Closed(_) => NotDone::Stopping,
        })?;
        answered.await.unwrap_or_else(|_| Err(NotDone::Stopping.into()))
    }
}

impl<W: Work> Ticket<W> {
    /// Ends the job before anybody hears of it, so that whatever it held is free by then.
    fn answer(self, answer: Result<W::Answer, W::Error>) {
        drop(self.job);
        // Whoever asked may have gone away.
        _ = self.answer.send(answer);
    }
}

/// The task behind a lane.
struct Runner<W: Work> {
    work: Arc<W>,
    batch: usize,
    patience: Duration,
}

impl<W: Work> Runner<W> {
    async fn run(self, mut queue: mpsc::Receiver<Ticket<W>>) {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() && queue.recv_many(&mut waiting, self.batch).await == 0 {
                return;
            }
            let later = waiting.split_off(self.fitting(&waiting));
            self.serve(std::mem::replace(&mut waiting, later)).await;
        }
    }

    /// How many of these, from the first, weigh no more than a batch may; one at least.
    fn fitting(&self, waiting: &[Ticket<W>]) -> usize {
        let most = self.batch * Config::WEIGHT_OF_A_JOB;
        let sums = waiting.iter().scan(0, |sum, ticket| {
            *sum += W::weight(&ticket.job);
            Some(*sum)
        });
        sums.take_while(|sum| *sum <= most).count().max(1)
    }

    /// Answers all of them, whatever happens.
    async fn serve(&self, batch: Vec<Ticket<W>>) {
        let (batch, late): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| job.since.elapsed() <= self.patience);
        late.into_iter().for_each(|ticket| ticket.answer(Err(NotDone::Late.into())));
        for ticket in &batch {
            metrics::histogram!("orders_queue_wait_seconds").record(ticket.since.elapsed());
        }
        metrics::histogram!("orders_batch_size").record(batch.len() as f64);

        // What is still to be done; the last comes next.
        let mut parts = vec![(batch, Pass::default())];
        while let Some((mut part, pass)) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.attempt(&part, pass).await {
                Ok(results) => part.into_iter().zip(results).for_each(|(ticket, result)| ticket.answer(result)),
                Err(Failure::Again(reason)) => {
                    tracing::debug!(jobs = part.len(), tries = pass.tries, "trying again: {reason}");
                    metrics::counter!("orders_batch_retries_total", "cause" => "again").increment(1);
                    tokio::time::sleep(jitter(pass.tries)).await;
                    parts.push((part, Pass { tries: pass.tries + 1, ..pass }));
                }
                Err(Failure::One(reason)) if part.len() > 1 => {
                    tracing::debug!(jobs = part.len(), "looking for the one that fails: {reason}");
                    metrics::counter!("orders_batch_retries_total", "cause" => "halved").increment(1);
                    let pass = Pass { tries: 0, is_part: true };
                    let second = part.split_off(part.len() / 2);
                    parts.extend([(second, pass), (part, pass)]);
                }
                Err(Failure::One(reason) | Failure::All(reason)) => {
                    part.into_iter().for_each(|ticket| ticket.answer(Err(reason.clone())));
                }
            }
        }
    }

    /// A panic ends the attempt, not the lane.
    async fn attempt(&self, part: &[Ticket<W>], pass: Pass) -> Result<Results<W>, Failure<W::Error>> {
        let jobs: Vec<&W::Job> = part.iter().map(|ticket| &ticket.job).collect();
        match AssertUnwindSafe(self.work.attempt(&jobs, pass)).catch_unwind().await {
            Ok(results) => results,
            Err(_) => Err(Failure::One(NotDone::Panicked.into())),
        }
    }
}

/// Up to 5 ms before the first retry, twice that before each further one, so that those who met do not meet again.
fn jitter(tries: u32) -> Duration {
    Duration::from_micros(rand::random_range(0..5_000_u64 << tries.min(8)))
}

#[cfg(test)]
mod tests;
