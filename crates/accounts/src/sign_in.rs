//! Signing in.

use std::net::IpAddr;

use chrono::TimeDelta;
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::{ExposeSecret, SecretString};
use web::{Code, Coded};

use crate::audit::{self, Action, Object};
use crate::hashing::{self, Verdict};
use crate::schema::{lower, staff};
use crate::session::{self, NewSession, Session};
use crate::slow_down::{self, Subject};
use crate::{Accounts, Actor, Email, Error, Role, desk, password, secret};

/// An attempt to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Whose account.
    pub email: String,
    /// The password given.
    pub password: SecretString,
    /// Where the attempt comes from.
    pub address: Option<IpAddr>,
    /// The session that the browser has already: it ends when the attempt succeeds.
    pub presented: Option<SecretString>,
    /// The request, for the logs.
    pub request_id: Option<String>,
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// No such account, another password, or a disabled account: which of them is nobody's business.
    #[error("The e-mail address or the password is wrong.")]
    Refused,
    /// Too many attempts failed before. This one was not looked at.
    #[error("Too many attempts failed. Try again in {}.", in_words(seconds(*.0)))]
    TooSoon(TimeDelta),
    /// Too many passwords are being looked at, or the database failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl SignInError {
    /// Seconds to wait before the next attempt, if that is the matter.
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::TooSoon(wait) => Some(seconds(*wait)),
            _ => None,
        }
    }
}

/// Whole seconds after which the time is over for certain.
fn seconds(wait: TimeDelta) -> i64 {
    wait.num_seconds().max(0) + 1
}

fn in_words(seconds: i64) -> String {
    if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") }
}

impl Coded for SignInError {
    fn code(&self) -> Code {
        match self {
            Self::Refused => Code::Unauthorized,
            Self::TooSoon(_) => Code::RateLimited,
            Self::Failed(error) => error.code(),
        }
    }
}

impl From<db::Error> for SignInError {
    fn from(error: db::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// An account as far as signing in needs it.
#[derive(Debug, Clone, HasQuery)]
#[diesel(table_name = staff, check_for_backend(diesel::pg::Pg))]
struct Candidate {
    id: i64,
    email: String,
    #[diesel(deserialize_as = String)]
    role: Role,
    password_hash: String,
    disabled_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Accounts {
    /// Signs somebody in: always a new session, and the one presented ends. Known and unknown accounts cost the same
    /// work, statement by statement and hash by hash.
    ///
    /// # Errors
    /// As [`SignInError`] says.
    pub async fn sign_in(&self, attempt: SignIn) -> Result<NewSession, SignInError> {
        let _desk = desk::take().await?;
        let email = Email::parse(&attempt.email).ok();
        let account = Subject::account(email.as_ref());
        let address = attempt.address.map(Subject::address);
        let here = attempt.address.map(|address| Subject::account_from(email.as_ref(), address));
        let account = self.claim(account, here.clone(), address.clone()).await?;
        // What no account can have, be it address or password, counts, but is not worth the work.
        let email = email.filter(|_| password::has_fitting_length(&attempt.password)).ok_or(SignInError::Refused)?;
        let candidate = self.candidate(&email).await?;
        let kept = candidate.as_ref().map(|candidate| candidate.password_hash.clone());
        let verdict = hashing::verify(&attempt.password, kept).await?;
        let candidate = candidate.filter(|candidate| verdict != Verdict::Wrong && candidate.disabled_at.is_none());
        let candidate = candidate.ok_or(SignInError::Refused)?;

        let (clock, SignIn { presented, request_id, .. }) = (self.clock.clone(), attempt);
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let now = clock.now();
                    slow_down::forgive(tx, &account, address.as_ref(), now).await?;
                    if let Some(here) = &here {
                        slow_down::welcome(tx, here, now).await?;
                    }
                    slow_down::prune(tx, now).await?;
                    session::prune(tx, now).await?;
                    if let Some(presented) = &presented {
                        session::end(tx, presented).await?;
                    }
                    enter(tx, &candidate, verdict, request_id, now).await
                })
            })
            .await
    }

    /// Counts the attempt, unless it comes too soon; against the account, or where that is familiar with the address,
    /// against the account `here`. Which of them it was.
    async fn claim(
        &self,
        account: Subject,
        here: Option<Subject>,
        address: Option<Subject>,
    ) -> Result<Subject, SignInError> {
        let now = self.clock.now();
        self.database
            .transaction(move |tx| {
                Box::pin(async move {
                    let account = match here {
                        Some(here) if slow_down::is_familiar(tx, &here).await? => here,
                        _ => account,
                    };
                    for subject in std::iter::once(&account).chain(&address) {
                        if let Some(wait) = slow_down::claim(tx, subject, now).await? {
                            return Err(SignInError::TooSoon(wait));
                        }
                    }
                    Ok(account)
                })
            })
            .await
    }

    async fn candidate(&self, email: &Email) -> Result<Option<Candidate>, db::Error> {
        let conn = self.database.connection().await?;
        let query = Candidate::query().filter(lower(staff::email).eq(lower(email.as_str())));
        Ok(query.first(&mut &*conn).await.optional()?)
    }
}

/// Lets a candidate in whose password was right, unless account or password changed meanwhile.
async fn enter(
    tx: &Tx,
    candidate: &Candidate,
    verdict: Verdict,
    request_id: Option<String>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<NewSession, SignInError> {
    let mut conn: &AsyncPgConnection = tx;
    let to_keep = match verdict {
        Verdict::Outdated(renewed) => renewed,
        _ => candidate.password_hash.clone(),
    };
    let unchanged = staff::table
        .find(candidate.id)
        .filter(staff::password_hash.eq(&candidate.password_hash))
        .filter(staff::disabled_at.is_null());
    let entered = diesel::update(unchanged)
        .set((staff::password_hash.eq(to_keep), staff::last_sign_in_at.eq(now)))
        .execute(&mut conn)
        .await
        .map_err(db::Error::from)?;
    if entered == 0 {
        return Err(SignInError::Refused);
    }
    let (id, new_secret) = session::begin(tx, candidate.id, now).await?;
    let actor = Actor::staff(candidate.id, &candidate.email);
    let actor = request_id.into_iter().fold(actor, |actor, id| actor.in_request(id));
    audit::record(tx, &actor, Action::SignIn, Object::new("staff", candidate.id), None, None).await?;
    let session = Session {
        id,
        staff_id: candidate.id,
        email: candidate.email.clone(),
        role: candidate.role,
        csrf_token: secret::derive(new_secret.expose_secret(), "csrf"),
    };
    Ok(NewSession { secret: new_secret, session })
}

#[cfg(test)]
mod tests {
    use db::Clock;
    use testkit::TestDatabase;

    use super::*;
    use crate::{Config, Password};

    fn wrong(email: &str) -> SignIn {
        let password = SecretString::from("wrong horse battery");
        SignIn { email: email.into(), password, address: None, presented: None, request_id: None }
    }

    #[test]
    fn who_is_too_soon_hears_when_to_come_again() {
        for (wait, told, seconds) in [(700, "in 1 second.", 1), (1_000, "in 2 seconds.", 2), (900_000, "901 s", 901)] {
            let refused = SignInError::TooSoon(TimeDelta::milliseconds(wait));
            assert!(refused.to_string().contains(told), "{refused}");
            assert_eq!(refused.retry_after(), Some(seconds));
        }
        assert_eq!(SignInError::Refused.retry_after(), None);
    }

    /// The time it takes must not tell whether an account exists: `make bench ARGS=sign-ins` measures it.
    #[tokio::test]
    async fn a_password_is_hashed_whether_there_is_an_account_or_not() {
        let test = TestDatabase::new().await;
        let accounts = Accounts::new(test.handle(), Clock::system(), Config::default());
        for (email, is_disabled) in [("ann@shop.example", false), ("gone@shop.example", true)] {
            let password = Password::parse(SecretString::from("correct horse"), email).unwrap();
            let made = accounts.add_staff(Actor::program("test"), Email::parse(email).unwrap(), Role::Viewer, password);
            let made = made.await.unwrap();
            if is_disabled {
                accounts.disable_staff(Actor::program("test"), made.id).await.unwrap();
            }
        }
        let _nothing_is_hashed = hashing::stop().await;
        let tries = ["ann@shop.example", "gone@shop.example", "nobody@shop.example"].map(|email| {
            let accounts = accounts.clone();
            tokio::spawn(async move { accounts.sign_in(wrong(email)).await })
        });
        for (place, attempt) in tries.into_iter().enumerate() {
            let answer = attempt.await.unwrap();
            assert!(matches!(answer, Err(SignInError::Failed(Error::Busy))), "{place}: {answer:?}");
        }
    }
}
