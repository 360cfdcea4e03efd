//! Lanes with work that is told what to do by its jobs.

use std::collections::HashMap;
use std::sync::Mutex;

use futures_util::future::join_all;
use tokio::sync::Semaphore;

use super::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Job {
    Good(u32),
    /// Its batch fails.
    Bad,
    /// Its batch panics.
    Panics,
    /// Its batch fails the first time.
    Clumsy,
    /// Its batch loses what it works with, the first time.
    Loses,
    /// Its batch fails after a while.
    Slow,
    /// The whole world is down.
    Away,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum Wrong {
    #[error("bad")]
    Bad,
    #[error("away")]
    Away,
    #[error(transparent)]
    NotDone(#[from] NotDone),
}

/// Writes down every attempt, and does nothing before it is let.
struct Bench {
    attempts: Mutex<Vec<(Vec<Job>, Pass)>>,
    gate: Semaphore,
}

impl Work for Bench {
    type Job = Job;
    type Answer = u32;
    type Error = Wrong;

    fn weight(job: &Job) -> usize {
        match job {
            Job::Good(number) if *number >= 1_000 => Config::WEIGHT_OF_A_JOB * 2,
            _ => 1,
        }
    }

    async fn attempt(&self, jobs: &[&Job], pass: Pass) -> Result<Results<Self>, Failure<Wrong>> {
        drop(self.gate.acquire().await);
        let jobs: Vec<Job> = jobs.iter().map(|job| **job).collect();
        self.attempts.lock().unwrap().push((jobs.clone(), pass));
        assert!(!jobs.contains(&Job::Panics), "on purpose");
        if jobs.contains(&Job::Bad) {
            return Err(Failure::One(Wrong::Bad));
        }
        if jobs.contains(&Job::Slow) {
            tokio::time::sleep(Duration::from_millis(60)).await;
            return Err(Failure::One(Wrong::Bad));
        }
        if jobs.contains(&Job::Loses) && pass.tries == 0 {
            return Err(Failure::Lost(Wrong::Bad));
        }
        if jobs.contains(&Job::Away) {
            return Err(Failure::All(Wrong::Away));
        }
        if jobs.contains(&Job::Clumsy) && pass.tries == 0 {
            return Err(Failure::Again(Wrong::Bad));
        }
        Ok(jobs.iter().map(|job| if let Job::Good(number) = job { Ok(*number) } else { Ok(0) }).collect())
    }
}

struct Fixture {
    bench: Arc<Bench>,
    lane: Arc<Lane<Bench>>,
}

/// A lane that is busy with job 0, and what comes next waits in line.
async fn busy(config: &Config) -> Fixture {
    let bench = Arc::new(Bench { attempts: Mutex::default(), gate: Semaphore::new(0) });
    let (lane, run) = Lane::at_rest(Arc::clone(&bench), config);
    tokio::spawn(run);
    let lane = Arc::new(lane);
    let first = Arc::clone(&lane);
    tokio::spawn(async move { first.ask(Job::Good(0)).await });
    // The lane is waiting for the gate once the queue is empty again.
    while lane.queue.capacity() < lane.queue.max_capacity() || bench.gate.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    Fixture { bench, lane }
}

impl Fixture {
    /// Queues all of these while the lane is busy, then lets it go on.
    async fn ask(&self, jobs: &[Job]) -> Vec<Result<u32, Wrong>> {
        let asking = join_all(jobs.iter().map(|job| self.lane.ask(*job)));
        let (answers, ()) = tokio::join!(asking, async { self.bench.gate.add_permits(1) });
        answers
    }

    /// The attempts after that at the first job.
    fn attempts(&self) -> Vec<Vec<Job>> {
        self.bench.attempts.lock().unwrap().iter().skip(1).map(|(jobs, _)| jobs.clone()).collect()
    }
}

fn good(numbers: impl IntoIterator<Item = u32>) -> Vec<Job> {
    numbers.into_iter().map(Job::Good).collect()
}

#[tokio::test]
async fn what_waits_is_done_together_up_to_the_bound_in_order_of_arrival() {
    let fixture = busy(&Config { batch: 5, ..Config::default() }).await;
    let answers = fixture.ask(&good(1..=12)).await;
    assert_eq!(answers, (1..=12).map(Ok).collect::<Vec<_>>());
    assert_eq!(fixture.attempts(), [good(1..=5), good(6..=10), good(11..=12)]);
}

#[tokio::test]
async fn heavy_jobs_make_smaller_batches() {
    let fixture = busy(&Config { batch: 4, ..Config::default() }).await;
    let answers = fixture.ask(&good(1_000..1_005)).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fixture.attempts(), [good([1_000, 1_001]), good([1_002, 1_003]), good([1_004])]);
}

#[tokio::test]
async fn what_is_left_over_of_a_batch_is_not_done_alone_while_others_wait() {
    let fixture = busy(&Config { batch: 4, ..Config::default() }).await;
    let answers = fixture.ask(&[good(1_000..1_003), good(1..=7)].concat()).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(fixture.attempts(), [good([1_000, 1_001]), good([1_002, 1, 2, 3]), good(4..=7)]);
}

#[tokio::test]
async fn only_the_one_that_fails_suffers() {
    for (culprit, reason) in [(Job::Bad, Wrong::Bad), (Job::Panics, NotDone::Panicked.into())] {
        let fixture = busy(&Config::default()).await;
        let mut jobs = good(1..=100);
        jobs[37] = culprit;
        let mut expected: Vec<_> = (1..=100).map(Ok).collect();
        expected[37] = Err(reason);
        assert_eq!(fixture.ask(&jobs).await, expected);
        // Every good job was done once, and in order.
        let attempts = fixture.attempts();
        let done: Vec<Job> = attempts.iter().filter(|jobs| !jobs.contains(&culprit)).flatten().copied().collect();
        assert_eq!(done, good((1..=100).filter(|number| *number != 38)));
        assert!(attempts.len() <= 15, "{} attempts", attempts.len());
        // The lane lives on.
        assert_eq!(fixture.lane.ask(Job::Good(7)).await, Ok(7));
    }
}

#[tokio::test]
async fn what_fails_in_passing_is_tried_again_whole() {
    let fixture = busy(&Config::default()).await;
    let jobs = [Job::Good(1), Job::Clumsy, Job::Good(2)];
    assert_eq!(fixture.ask(&jobs).await, [Ok(1), Ok(0), Ok(2)]);
    assert_eq!(fixture.attempts(), [jobs, jobs]);
}

#[tokio::test]
async fn what_was_lost_is_tried_again_knowing_that() {
    let fixture = busy(&Config::default()).await;
    assert_eq!(fixture.ask(&[Job::Good(1), Job::Loses]).await, [Ok(1), Ok(0)]);
    let passes: Vec<Pass> = fixture.bench.attempts.lock().unwrap().iter().skip(1).map(|(_, pass)| *pass).collect();
    assert_eq!(passes, [Pass::default(), Pass { tries: 1, follows_loss: true, ..Pass::default() }]);
}

#[tokio::test]
async fn what_is_about_all_is_told_to_all_at_once() {
    let fixture = busy(&Config::default()).await;
    let jobs = [Job::Good(1), Job::Away, Job::Good(2)];
    assert_eq!(fixture.ask(&jobs).await, [const { Err(Wrong::Away) }; 3]);
    assert_eq!(fixture.attempts().len(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_and_nobody_waits_for_too_long() {
    let config = Config { queue: 3, patience: Duration::from_millis(20), ..Config::default() };
    let fixture = busy(&config).await;
    let asking = join_all((1..=4).map(|number| fixture.lane.ask(Job::Good(number))));
    let (answers, ()) = tokio::join!(asking, async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        fixture.bench.gate.add_permits(1);
    });
    let count = answers.into_iter().fold(HashMap::new(), |mut count, answer| {
        *count.entry(answer.unwrap_err().to_string()).or_insert(0) += 1;
        count
    });
    assert_eq!(count[&NotDone::Late.to_string()], 3);
    assert_eq!(count[&NotDone::Full.to_string()], 1);
    assert!(fixture.attempts().is_empty());
    // What nobody waits for any more leaves the queue when the lane comes to it.
    while fixture.lane.queue.capacity() < fixture.lane.queue.max_capacity() {
        tokio::task::yield_now().await;
    }
    assert_eq!(fixture.lane.ask(Job::Good(5)).await, Ok(5));
}

#[tokio::test]
async fn who_is_not_begun_in_time_hears_so_in_time_and_is_not_done_later() {
    let fixture = busy(&Config { patience: Duration::from_millis(20), ..Config::default() }).await;
    // The lane itself is stuck.
    let job = Job::Good(1);
    let answer = timeout(Duration::from_secs(5), fixture.lane.ask(job)).await.expect("an answer in time");
    assert_eq!(answer, Err(NotDone::Late.into()));
    fixture.bench.gate.add_permits(1);
    assert_eq!(fixture.lane.ask(Job::Good(2)).await, Ok(2));
    assert_eq!(fixture.attempts(), [good([2])]);
}

#[tokio::test]
async fn parts_are_not_begun_when_the_time_is_up() {
    let fixture = busy(&Config { patience: Duration::from_millis(40), ..Config::default() }).await;
    let jobs = [Job::Good(1), Job::Slow, Job::Good(2)];
    assert_eq!(fixture.ask(&jobs).await, [const { Err(Wrong::NotDone(NotDone::Late)) }; 3]);
    assert_eq!(fixture.attempts(), [jobs]);
    assert_eq!(fixture.lane.ask(Job::Good(3)).await, Ok(3));
}

#[tokio::test]
async fn a_job_is_done_even_if_nobody_waits_for_it() {
    let fixture = busy(&Config::default()).await;
    let lane = Arc::clone(&fixture.lane);
    let gone = tokio::spawn(async move { lane.ask(Job::Good(1)).await });
    while fixture.lane.queue.capacity() == fixture.lane.queue.max_capacity() {
        tokio::task::yield_now().await;
    }
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    assert_eq!(fixture.ask(&[Job::Good(2)]).await, [Ok(2)]);
    assert_eq!(fixture.attempts(), [good([1, 2])]);
}

#[tokio::test]
async fn a_lane_ends_with_its_last_handle_and_finishes_its_queue_before() {
    let Fixture { bench, lane } = busy(&Config::default()).await;
    let asking = tokio::spawn({
        let lane = Arc::clone(&lane);
        async move { lane.ask(Job::Good(1)).await }
    });
    while lane.queue.capacity() == lane.queue.max_capacity() {
        tokio::task::yield_now().await;
    }
    drop(lane);
    bench.gate.add_permits(1);
    assert_eq!(asking.await.unwrap(), Ok(1));
    while Arc::strong_count(&bench) > 1 {
        tokio::task::yield_now().await;
    }
}
