//! A transaction under way.

use std::ops::{Deref, DerefMut};

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};

use crate::Error;

type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;

/// Proof of being inside a transaction. Commands that write take `&mut Tx`; reads inside it go through the
/// connection that it derefs to. Made by [`Database::transaction`](crate::Database::transaction) alone.
pub struct Tx {
    conn: Option<Object<AsyncPgConnection>>,
}

impl Tx {
    pub(crate) async fn begin(mut conn: Object<AsyncPgConnection>) -> Result<Self, Error> {
        Manager::begin_transaction(&mut *conn).await?;
        Ok(Self { conn: Some(conn) })
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        let result = Manager::commit_transaction(&mut **self).await;
        if result.is_ok() {
            drop(self.conn.take());
        }
        Ok(result?)
    }

    pub(crate) async fn roll_back(mut self) {
        if Manager::rollback_transaction(&mut **self).await.is_ok() {
            drop(self.conn.take());
        }
    }
}

/// A transaction that was neither committed nor rolled back (a panic, a runtime that shuts down) takes its
/// connection with it: back in the pool it would go on holding its locks.
impl Drop for Tx {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            drop(Object::take(conn));
        }
    }
}

impl Deref for Tx {
    type Target = Object<AsyncPgConnection>;

    fn deref(&self) -> &Self::Target {
        self.conn.as_ref().expect("the connection stays until the end of the transaction")
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.conn.as_mut().expect("the connection stays until the end of the transaction")
    }
}
