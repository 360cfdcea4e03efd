//! Products that change while they are searched.

use std::time::Duration;

use anyhow::Result;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::database::BenchDatabase;

/// Between changes, and products in each: a hundred a second.
const PAUSE: Duration = Duration::from_millis(100);
const PRODUCTS: usize = 10;

/// Changes prices of products at random for as long as this lives.
pub(super) struct Changes(tokio::task::JoinHandle<Result<()>>);

impl Changes {
    /// Begins, among so many products.
    pub(super) async fn begin(database: &BenchDatabase, products: usize, stream: u64) -> Result<Self> {
        let sql = database.sql().await?;
        Ok(Self(tokio::spawn(async move {
            let mut rng = SmallRng::seed_from_u64(stream);
            let change = sql.prepare("UPDATE products SET price = price % 200 + 0.01 WHERE id = ANY ($1)").await?;
            loop {
                let most = i64::try_from(products)?;
                let ids: Vec<i64> = (0..PRODUCTS).map(|_| rng.random_range(1..=most)).collect();
                sql.execute(&change, &[&ids]).await?;
                tokio::time::sleep(PAUSE).await;
            }
        })))
    }

    /// Ends; fails if it had ended by itself before.
    pub(super) async fn end(mut self) -> Result<()> {
        self.0.abort();
        match (&mut self.0).await {
            Ok(outcome) => outcome,
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.0.abort();
    }
}
