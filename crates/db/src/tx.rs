//! A transaction under way.

use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::{join, poll};

use crate::{CachedDsl, Error};

/// Proof of being inside a transaction. Commands that write take `&mut Tx`, or `&Tx` where several statements are sent
/// at once; reads inside it go through the connection that it derefs to. Made by
/// [`Database::transaction`](crate::Database::transaction) and [`Database::begin`](crate::Database::begin) alone.
///
/// BEGIN, COMMIT and ROLLBACK are sent as they are, past diesel's transaction manager, which wants the connection for
/// itself: so the first statements can travel with the BEGIN.
pub struct Tx {
    conn: Option<Object<AsyncPgConnection>>,
    /// Whether the server said that it is over.
    ended: AtomicBool,
}

impl Tx {
    pub(crate) fn on(conn: Object<AsyncPgConnection>) -> Self {
        Self { conn: Some(conn), ended: AtomicBool::new(false) }
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
    pub async fn commit(self) -> Result<(), Error> {
        self.end("COMMIT").await
    }

    /// Sends the `last` statements and the COMMIT behind them, in one round trip. The transaction is over then; what is
    /// left to do is to drop it, which lends the connection back to the pool.
    ///
    /// A statement that the server refuses undoes everything: it takes the COMMIT behind it for a ROLLBACK. So will
    /// whatever `last` finds wrong before it waits for the first time. What it would find wrong in the answers comes too
    /// late: it has to have the server refuse that.
    ///
    /// # Errors
    /// Those of `last`, and of the database. After [`Error::Unavailable`], from wherever, it is not known whether the
    /// transaction was committed.
    pub async fn commit_with<E: From<Error>>(&self, last: impl Future<Output = Result<(), E>>) -> Result<(), E> {
        let mut last = pin!(last);
        match poll!(&mut last) {
            Poll::Ready(Ok(())) => Ok(self.end("COMMIT").await?),
            Poll::Ready(Err(error)) => {
                _ = self.end("ROLLBACK").await;
                Err(error)
            }
            Poll::Pending => {
                let (written, committed) = join!(last, self.end_in_turn("COMMIT"));
                written.and(committed.map_err(E::from))
            }
        }
    }

    /// Undoes everything, and lends the connection back to the pool if it is still of use.
    pub async fn roll_back(self) {
        _ = self.end("ROLLBACK").await;
    }

    async fn end(&self, command: &str) -> Result<(), Error> {
        self.send(command).await?;
        self.ended.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The same, never before the statements that were begun earlier. All of them, this one included, take their turn at
    /// the connection's cache of prepared statements, and are sent when they leave it: one that has to be prepared first
    /// is not overtaken.
    async fn end_in_turn(&self, command: &str) -> Result<(), Error> {
        diesel::sql_query(command).cached().execute(&mut &***self).await?;
        self.ended.store(true, Ordering::Relaxed);
        Ok(())
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
        if let Some(conn) = self.conn.take()
            && !*self.ended.get_mut()
        {
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
