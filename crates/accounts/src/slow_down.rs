//! Failed sign-ins make the next one wait. Nothing is ever locked.
//!
//! Whoever goes on guessing for an account would keep its owner waiting as well. So an account is slowed down apart
//! where it is tried from an address that it has signed in from: there, others' guesses do not count.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use db::Tx;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::Email;
use crate::schema::sign_in_attempts as table;

/// After so long without an attempt the failures are forgotten.
const MEMORY: TimeDelta = TimeDelta::days(1);

/// After so long without a sign-in an address is no longer familiar to its account.
const FAMILIARITY: TimeDelta = TimeDelta::days(30);

/// Who attempts, or whose account it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    name: String,
    /// Failures that cost no wait.
    free: i32,
}

impl Subject {
    /// An account, whether there is one or not. All that is no address counts as one account.
    pub(crate) fn account(email: Option<&Email>) -> Self {
        let email = email.map(|email| email.as_str().to_ascii_lowercase()).unwrap_or_default();
        Self { name: format!("account:{email}"), free: 5 }
    }

    /// An account that is tried from this address.
    pub(crate) fn account_from(email: Option<&Email>, address: IpAddr) -> Self {
        let Self { name, free } = Self::account(email);
        Self { name: format!("{name} from {}", network(address)), free }
    }

    /// An address; of IPv6 the network, since whoever has one address there has billions.
    pub(crate) fn address(address: IpAddr) -> Self {
        Self { name: format!("address:{}", network(address)), free: 20 }
    }

    /// How long to wait after so many failures: nothing, then 1 s and twice that each time, at most 15 minutes.
    fn wait(&self, failures: i32) -> TimeDelta {
        match failures - self.free {
            ..0 => TimeDelta::zero(),
            over @ 0..10 => TimeDelta::seconds(1 << over),
            _ => TimeDelta::minutes(15),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => IpAddr::from((u128::from(six) >> 64 << 64).to_be_bytes()),
        four => four,
    }
}

/// Whether the account has signed in from the address.
///
/// # Errors
/// Those of the database.
pub(crate) async fn is_familiar(tx: &Tx, subject: &Subject) -> Result<bool, db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let found = table::table.find(&subject.name).select(table::failures).first::<i32>(&mut conn).await.optional()?;
    Ok(found.is_some())
}

/// Notes that the account has signed in from the address.
///
/// # Errors
/// Those of the database.
pub(crate) async fn welcome(tx: &Tx, subject: &Subject, now: DateTime<Utc>) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let fresh = (table::failures.eq(0), table::last_at.eq(now), table::open_at.eq(now));
    let row = (table::subject.eq(&subject.name), fresh);
    let insert = diesel::insert_into(table::table).values(row).on_conflict(table::subject).do_update().set(fresh);
    insert.execute(&mut conn).await?;
    Ok(())
}

/// Counts an attempt as failed, until [`forgive`] says otherwise: so those made in parallel do not slip through. The
/// answer is how long the subject must still wait, if it must; the attempt is not to be made then, and does not count.
///
/// # Errors
/// Those of the database.
pub(crate) async fn claim(tx: &Tx, subject: &Subject, now: DateTime<Utc>) -> Result<Option<TimeDelta>, db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let fresh =
        (table::subject.eq(&subject.name), table::failures.eq(0), table::last_at.eq(now), table::open_at.eq(now));
    diesel::insert_into(table::table).values(fresh).on_conflict_do_nothing().execute(&mut conn).await?;
    let (failures, last_at, open_at): (i32, DateTime<Utc>, DateTime<Utc>) = table::table
        .find(&subject.name)
        .select((table::failures, table::last_at, table::open_at))
        .for_update()
        .first(&mut conn)
        .await?;
    if open_at > now {
        return Ok(Some(open_at - now));
    }
    let failures = if now - last_at > MEMORY { 1 } else { failures.saturating_add(1) };
    let counted =
        (table::failures.eq(failures), table::last_at.eq(now), table::open_at.eq(now + subject.wait(failures)));
    diesel::update(table::table.find(&subject.name)).set(counted).execute(&mut conn).await?;
    Ok(None)
}

/// Takes back the attempt that was claimed, since it succeeded: all failures of the account, and one of the address,
/// so that somebody with an account of their own cannot go on guessing for others'.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forgive(
    tx: &Tx,
    account: &Subject,
    address: Option<&Subject>,
    now: DateTime<Utc>,
) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    diesel::delete(table::table.find(&account.name)).execute(&mut conn).await?;
    if let Some(address) = address {
        diesel::update(table::table.find(&address.name))
            .set((table::failures.eq(table::failures - 1), table::open_at.eq(now)))
            .filter(table::failures.gt(0))
            .execute(&mut conn)
            .await?;
    }
    Ok(())
}

/// Forgets attempts of long ago.
///
/// # Errors
/// Those of the database.
pub(crate) async fn prune(tx: &Tx, now: DateTime<Utc>) -> Result<(), db::Error> {
    let mut conn: &AsyncPgConnection = tx;
    let is_over = table::last_at.lt(now - MEMORY).and(table::subject.not_like("% from %"));
    let is_over = is_over.or(table::last_at.lt(now - FAMILIARITY));
    diesel::delete(table::table.filter(is_over)).execute(&mut conn).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let account = Subject::account(Some(&Email::parse("Ann@Shop.example").unwrap()));
        assert_eq!(account.name, "account:ann@shop.example");
        let waits = [1, 4, 5, 6, 7, 14, 15, 1_000_000].map(|failures| account.wait(failures).num_seconds());
        assert_eq!(waits, [0, 0, 1, 2, 4, 512, 900, 900]);
        assert_eq!(account.wait(i32::MAX).num_minutes(), 15);
    }

    #[test]
    fn an_address_is_a_network_where_there_are_plenty() {
        let name = |text: &str| Subject::address(text.parse().unwrap()).name;
        assert_eq!(name("192.0.2.7"), "address:192.0.2.7");
        assert_eq!(name("::ffff:192.0.2.7"), "address:192.0.2.7");
        assert_eq!(name("2001:db8:1:2:3:4:5:6"), "address:2001:db8:1:2::");
    }
}
