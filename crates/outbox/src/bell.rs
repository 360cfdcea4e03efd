//! Waking whoever carries events on, once they are committed.
//!
//! A NOTIFY inside the transaction that records an event would make all such transactions commit one after another.
//! So it is sent afterwards, from a connection of its own, and once for all that was recorded meanwhile. It is a hint:
//! whoever is not woken looks into the outbox by himself before long.

use std::pin::pin;
use std::time::Duration;

use db::{CachedDsl, Connection, Database};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Between two notifications. Many orders a second are one wake-up in so long; a lone one goes at once.
const PAUSE: Duration = Duration::from_millis(50);

/// The longest that a notification, or a sign of life, may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a connection that hears nothing is asked whether it still lives: one that broke would be silent, too.
const SILENCE: Duration = Duration::from_secs(5);

/// Until a connection that was lost is replaced.
const AGAIN: Duration = Duration::from_secs(1);

/// Rung by whoever has committed events. Clones ring the same one.
#[derive(Debug, Clone)]
pub struct Bell(mpsc::Sender<()>);

impl Bell {
    /// A bell in this database, which a task of the current runtime tolls, on one connection beside the pool that is
    /// opened when it is first rung.
    ///
    /// # Errors
    /// When the database's configuration cannot be used.
    pub fn hang(database: &Database) -> Result<Self, db::Error> {
        let (bell, rung) = mpsc::channel(1);
        tokio::spawn(toll(database.apart(1)?, rung));
        Ok(Self(bell))
    }

    /// Has those who [`listen`] look into the outbox soon. Costs next to nothing, waits for nothing and cannot fail.
    pub fn ring(&self) {
        // A full channel has been rung already.
        _ = self.0.try_send(());
    }
}

/// Until nobody can ring any more.
async fn toll(database: Database, mut rung: mpsc::Receiver<()>) {
    while rung.recv().await.is_some() {
        // What fails here is made good by the next one, or by those who look by themselves.
        _ = timeout(PATIENCE, notify(&database)).await;
        sleep(PAUSE).await;
    }
}

/// A NOTIFY writes a commit record, which nobody needs to wait for.
async fn notify(database: &Database) -> Result<(), db::Error> {
    let sql = "SELECT set_config('synchronous_commit', 'off', true), pg_notify('outbox', '')";
    diesel::sql_query(sql).cached().execute(&mut database.connection().await?).await?;
    Ok(())
}

/// Calls `woken` when a [`Bell`] has rung in this database, and whenever it may have rung unheard. Ends never; keeps one
/// connection beside the pool.
pub async fn listen(database: Database, woken: impl Fn()) {
    loop {
        // Whoever needs the database says that it is away.
        _ = attend(&database, &woken).await;
        sleep(AGAIN.mul_f64(rand::random_range(0.5..1.0))).await;
    }
}

async fn attend(database: &Database, woken: &impl Fn()) -> Result<(), db::Error> {
    // A pool that lives no longer than the connection: nobody else gets one that still listens.
    let apart = database.apart(1)?;
    let mut conn = apart.connection().await?;
    ask(&mut conn, "LISTEN outbox").await?;
    woken();
    loop {
        let heard = {
            let mut notifications = pin!(conn.notifications_stream());
            timeout(SILENCE, notifications.next()).await
        };
        match heard {
            Ok(Some(notification)) => {
                notification?;
                woken();
            }
            Ok(None) => return Ok(()),
            Err(_) => ask(&mut conn, "SELECT 1").await?,
        }
    }
}

async fn ask(conn: &mut Connection, sql: &str) -> Result<(), db::Error> {
    match timeout(PATIENCE, conn.batch_execute(sql)).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(db::Error::Unavailable(format!("no answer within {PATIENCE:?}"))),
    }
}
