//! The task behind a lane: makes batches of what waits, and answers every job, whatever happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::{Begun, Failure, NotDone, Pass, Results, Ticket, Work, refused, take};
use crate::config::Config;

/// Empties the queue of a lane.
pub(super) struct Runner<W: Work> {
    pub(super) work: Arc<W>,
    pub(super) batch: usize,
    pub(super) patience: Duration,
}

impl<W: Work> Runner<W> {
    pub(super) async fn run(self, mut queue: mpsc::Receiver<Ticket<W>>) {
        let mut waiting = Vec::new();
        loop {
            if waiting.is_empty() && queue.recv_many(&mut waiting, self.batch).await == 0 {
                return;
            }
            // What was left over is not served alone while others wait.
            while waiting.len() < self.batch
                && let Ok(ticket) = queue.try_recv()
            {
                waiting.push(ticket);
            }
            let later = waiting.split_off(self.fitting(&waiting));
            let begun = std::mem::replace(&mut waiting, later).into_iter().filter_map(|ticket| {
                Some(Begun { job: take(&ticket.slot)?, since: ticket.since, answer: ticket.answer })
            });
            self.serve(begun.collect()).await;
        }
    }

    /// How many of these, from the first, weigh no more than a batch may; one at least.
    fn fitting(&self, waiting: &[Ticket<W>]) -> usize {
        let most = self.batch * Config::WEIGHT_OF_A_JOB;
        let sums = waiting.iter().scan(0, |sum, ticket| {
            *sum += ticket.weight;
            Some(*sum)
        });
        sums.take_while(|sum| *sum <= most).count().max(1)
    }

    /// Answers all of them, whatever happens.
    async fn serve(&self, batch: Vec<Begun<W>>) {
        let batch = self.in_time(batch);
        if batch.is_empty() {
            return;
        }
        for job in &batch {
            metrics::histogram!("orders_queue_wait_seconds").record(job.since.elapsed());
        }
        metrics::histogram!("orders_batch_size").record(batch.len() as f64);

        // What is still to be done; the last comes next.
        let mut parts = vec![(batch, Pass::default())];
        while let Some((part, pass)) = parts.pop() {
            // What was tried before, and in vain, may have taken up all the time that there was.
            let mut part = self.in_time(part);
            if part.is_empty() {
                continue;
            }
            let again = Pass { tries: pass.tries + 1, ..pass };
            match self.attempt(&part, pass).await {
                Ok(results) => part.into_iter().zip(results).for_each(|(job, result)| job.answer(result)),
                Err(Failure::Again(reason)) => {
                    tracing::debug!(jobs = part.len(), tries = pass.tries, "trying again: {reason}");
                    metrics::counter!("orders_batch_retries_total", "cause" => "again").increment(1);
                    tokio::time::sleep(jitter(pass.tries)).await;
                    parts.push((part, again));
                }
                Err(Failure::Lost(reason)) => {
                    tracing::debug!(jobs = part.len(), tries = pass.tries, "trying again elsewhere: {reason}");
                    metrics::counter!("orders_batch_retries_total", "cause" => "lost").increment(1);
                    tokio::time::sleep(jitter(pass.tries)).await;
                    parts.push((part, Pass { follows_loss: true, ..again }));
                }
                Err(Failure::One(reason)) if part.len() > 1 => {
                    tracing::debug!(jobs = part.len(), "looking for the one that fails: {reason}");
                    metrics::counter!("orders_batch_retries_total", "cause" => "halved").increment(1);
                    let pass = Pass { tries: 0, is_part: true, ..pass };
                    let second = part.split_off(part.len() / 2);
                    parts.extend([(second, pass), (part, pass)]);
                }
                Err(Failure::One(reason) | Failure::All(reason)) => {
                    part.into_iter().for_each(|job| job.answer(Err(reason.clone())));
                }
            }
        }
    }

    /// Those who have not waited for too long; the others hear so.
    fn in_time(&self, jobs: Vec<Begun<W>>) -> Vec<Begun<W>> {
        let (jobs, late): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.since.elapsed() <= self.patience);
        late.into_iter().for_each(|job| job.answer(Err(refused(NotDone::Late).into())));
        jobs
    }

    /// A panic ends the attempt, not the lane.
    async fn attempt(&self, part: &[Begun<W>], pass: Pass) -> Result<Results<W>, Failure<W::Error>> {
        let jobs: Vec<&W::Job> = part.iter().map(|begun| &begun.job).collect();
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
