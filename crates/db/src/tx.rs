//! A transaction under way.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use crate::Error;

/// Proof of being inside a transaction. Commands that write take `&mut Tx`, or `&Tx` where several statements are sent
/// at once; reads inside it go through the connection that it derefs to. Made by
/// [`Database::transaction`](crate::Database::transaction) and [`Database::begin`](crate::Database::begin) alone.
///
/// BEGIN, COMMIT and ROLLBACK are sent as they are, past diesel's transaction manager, which wants the connection for
/// itself: so the first statements can travel with the BEGIN.
pub struct Tx {
    conn: Option<Object<AsyncPgConnection>>,
}

impl Tx {
    pub(crate) fn on(conn: Object<AsyncPgConnection>) -> Self {
        Self { conn: Some(conn) }
    }

    pub(crate) async fn begin(&self) -> Result<(), Error> {
        self.send("BEGIN").await
    }

    /// Waits for locks only this long from now on, instead of as long as the connection's settings say.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn limit_lock_wait(&self, limit: Duration) -> Result<(), Error> {
        self.send(&format!("SET LOCAL lock_timeout = {}", limit.as_millis())).await
    }

    /// Lets each statement take this long from now on, instead of as long as the connection's settings say.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn limit_statements(&self, limit: Duration) -> Result<(), Error> {
        self.send(&format!("SET LOCAL statement_timeout = {}", limit.as_millis())).await
    }

    /// Commits, and lends the connection back to the pool.
    ///
    /// # Errors
    /// Those of the database. After [`Error::Unavailable`] it is not known whether the transaction was committed.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.send("COMMIT").await?;
        drop(self.conn.take());
        Ok(())
    }

    /// Undoes everything, and lends the connection back to the pool if it is still of use.
    pub async fn roll_back(mut self) {
        if self.send("ROLLBACK").await.is_ok() {
            drop(self.conn.take());
        }
    }

    async fn send(&self, command: &str) -> Result<(), Error> {
        let mut conn: &AsyncPgConnection = self;
        Ok(conn.batch_execute(command).await?)
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
