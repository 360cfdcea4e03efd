//! Passwords as argon2id, two at a time at most.

use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};

use crate::Error;

/// OWASP's least for argon2id: 19 MiB, 2 passes, 1 lane. Raise it, and passwords are hashed anew as their owners sign in.
const PARAMS: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(params) => params,
    Err(_) => panic!("the parameters are legal"),
};

/// Each hash takes a core and 19 MiB, so that a flood of sign-ins is a queue here and not a load on everybody else: on
/// half of the processors, two at most.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(at_once()));

fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).clamp(1, 2))
}

/// How long to queue.
const PATIENCE: Duration = Duration::from_secs(5);

/// Stands in for the hash of an account that does not exist: as much work, and never right.
const STAND_IN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What became of a password.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is another.
    Wrong,
    /// It is the one, kept as well as any.
    Right,
    /// It is the one, kept by parameters of old: here is what to keep instead.
    Outdated(String),
}

/// The PHC string to keep of a password.
///
/// # Errors
/// [`Error::Busy`] when no turn came in time.
pub(crate) async fn hash(password: &SecretString) -> Result<String, Error> {
    let password = password.clone();
    in_turn(move || digest(&password)).await
}

/// Whether `password` is the one that `stored` was made of. With `None` it works as hard, and says no.
///
/// # Errors
/// [`Error::Busy`] when no turn came in time.
pub(crate) async fn verify(password: &SecretString, stored: Option<String>) -> Result<Verdict, Error> {
    let password = password.clone();
    in_turn(move || {
        let Ok(parsed) = PasswordHash::new(stored.as_deref().unwrap_or(STAND_IN)) else { return Ok(Verdict::Wrong) };
        let is_right = Argon2::from(PARAMS).verify_password(password.expose_secret().as_bytes(), &parsed).is_ok();
        match is_right {
            false => Ok(Verdict::Wrong),
            true if is_outdated(&parsed) => digest(&password).map(Verdict::Outdated),
            true => Ok(Verdict::Right),
        }
    })
    .await
}

fn digest(password: &SecretString) -> Result<String, Error> {
    let hash = Argon2::from(PARAMS).hash_password(password.expose_secret().as_bytes());
    // Fails only where the system has no random bits.
    hash.map(|hash| hash.to_string()).map_err(|_| Error::Busy)
}

/// Whether any parameter is below ours.
fn is_outdated(hash: &PasswordHash) -> bool {
    Params::try_from(hash).is_ok_and(|kept| {
        kept.m_cost() < PARAMS.m_cost() || kept.t_cost() < PARAMS.t_cost() || kept.p_cost() < PARAMS.p_cost()
    })
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    let waiting = tokio::time::timeout(PATIENCE, TURNS.acquire());
    let turn: SemaphorePermit<'static> = waiting.await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)?;
    let (made, answer) = oneshot::channel();
    // The turn goes with the work: a client that hangs up does not let another in while its hash is still being made.
    let hashing = move || {
        give_way();
        let outcome = work();
        drop(turn);
        _ = made.send(outcome);
    };
    std::thread::Builder::new().name("password".into()).spawn(hashing).map_err(|_| Error::Busy)?;
    answer.await.map_err(|_| Error::Busy)?
}

/// Lets all others go before this thread, for good: a nice value can be raised by anybody and lowered by nobody. So a
/// flood of sign-ins takes the processors that nobody else wants, and hardly any where all are wanted.
///
/// As nice as can be, since it counts for less than it says: the kernel shares out between groups of processes first, and
/// in ours this thread is often the only one that has work, while PostgreSQL is in another.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        _ = rustix::process::nice(19);
    }
}

/// Takes every turn there is, so that nothing is hashed while this is held.
#[cfg(test)]
pub(crate) async fn stop() -> SemaphorePermit<'static> {
    TURNS.acquire_many(at_once() as u32).await.unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn hashes_are_argon2id_with_our_parameters_and_a_salt_each() {
        let (one, two) = (hash(&secret("correct horse")).await.unwrap(), hash(&secret("correct horse")).await.unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert_eq!(verify(&secret("correct horse"), Some(one.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(verify(&secret("correct house"), Some(one)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn weaker_parameters_are_made_anew() {
        let weak = Argon2::from(Params::new(8 * 1024, 1, 1, None).unwrap());
        let kept = weak.hash_password(b"correct horse").unwrap().to_string();
        let Verdict::Outdated(renewed) = verify(&secret("correct horse"), Some(kept)).await.unwrap() else {
            panic!("8 MiB are too few")
        };
        assert_eq!(verify(&secret("correct horse"), Some(renewed)).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn the_stand_in_is_as_hard_as_the_real_thing_and_never_right() {
        let stand_in = PasswordHash::new(STAND_IN).unwrap();
        let params = Params::try_from(&stand_in).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (PARAMS.m_cost(), PARAMS.t_cost(), PARAMS.p_cost())
        );
        let real = hash(&secret("anything")).await.unwrap();
        assert_eq!(STAND_IN.len(), real.len());
        assert_eq!(verify(&secret("anything"), None).await.unwrap(), Verdict::Wrong);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn whoever_hashes_lets_all_others_go_first() {
        let mine = || rustix::process::getpriority_process(None).unwrap();
        let usual = mine();
        assert_eq!(in_turn(move || Ok(mine())).await.unwrap(), (usual + 19).min(19));
        assert_eq!(mine(), usual);
    }

    #[tokio::test]
    async fn two_are_hashed_at_a_time() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static AT_WORK: AtomicUsize = AtomicUsize::new(0);
        static MOST: AtomicUsize = AtomicUsize::new(0);
        let tasks = (0..12).map(|_| {
            tokio::spawn(in_turn(|| {
                MOST.fetch_max(AT_WORK.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                let hash = digest(&secret("anything"));
                AT_WORK.fetch_sub(1, Ordering::SeqCst);
                hash
            }))
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap().unwrap();
        }
        assert!(MOST.load(Ordering::SeqCst) <= 2);
    }
}
