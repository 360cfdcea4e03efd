//! Accounts over a database of their own.

use accounts::{
    Accounts, Actor, Config, Email, NewSession, NewToken, Password, Role, Scope, SignIn, SignInError, Staff,
};
use db::Clock;
use secrecy::SecretString;
use testkit::TestDatabase;

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) accounts: Accounts,
    pub(crate) clock: Clock,
}

pub(crate) fn actor() -> Actor {
    Actor::program("test")
}

pub(crate) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(crate) fn password(text: &str) -> Password {
    Password::parse(SecretString::from(text), "").unwrap()
}

/// An attempt from the same address as all others.
pub(crate) fn attempt(email: &str, password: &str) -> SignIn {
    SignIn {
        email: email.into(),
        password: SecretString::from(password),
        address: Some("192.0.2.1".parse().unwrap()),
        presented: None,
        request_id: Some("request-1".into()),
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await;
        let clock = Clock::fixed("2026-01-31T12:00:00Z".parse().unwrap());
        let accounts = Accounts::new(database.handle(), clock.clone(), Config::default());
        Self { database, accounts, clock }
    }

    /// An account with [`PASSWORD`].
    pub(crate) async fn staff(&self, address: &str, role: Role) -> Staff {
        self.accounts.add_staff(actor(), email(address), role, password(PASSWORD)).await.unwrap()
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Result<NewSession, SignInError> {
        self.accounts.sign_in(attempt(email, password)).await
    }

    /// A token without end; the secret.
    pub(crate) async fn token(&self, staff: &Staff, scopes: &[Scope]) -> SecretString {
        let token = NewToken { staff_id: staff.id, name: "till".into(), scopes: scopes.to_vec(), expires_at: None };
        self.accounts.make_token(actor(), token).await.unwrap().secret
    }

    /// The first column of every row, as text.
    pub(crate) async fn column(&self, sql: &str) -> Vec<String> {
        let rows = self.database.sql().await.simple_query(sql).await.unwrap();
        let text = |message: &_| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
            _ => None,
        };
        rows.iter().filter_map(text).collect()
    }
}
