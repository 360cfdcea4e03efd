//! The catalogue that is searched, loaded by COPY.

use std::collections::BTreeMap;

use anyhow::Result;
use db::copy::{CopyIn, Session};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use super::titles::{self, Described};
use crate::database::BenchDatabase;

/// Stores.
pub(crate) const STORES: usize = 24;

/// One product of so many is carried by a store.
const CARRIED: usize = 20;

/// Always the same catalogue.
const SEED: u64 = 20;

/// Loads `products` products, and stores that carry a twentieth of them each. Ends with statistics.
pub(crate) async fn fill(database: &BenchDatabase, real: &[Described], products: usize) -> Result<()> {
    let mut session = Session::open(&database.config()).await?;
    let mut rng = SmallRng::seed_from_u64(SEED);
    let tx = session.begin().await?;
    let names: BTreeMap<String, &str> =
        real.iter().map(|real| (real.category.to_lowercase(), real.category.as_str())).collect();
    let mut copy = CopyIn::begin(&tx, "COPY categories (id, name) FROM STDIN").await?;
    for (id, name) in (1_i64..).zip(names.values()) {
        copy.value(id);
        copy.text(name);
        copy.end_row().await?;
    }
    copy.finish().await?;
    let ids: BTreeMap<&str, i64> = names.keys().map(String::as_str).zip(1..).collect();

    let columns = "COPY products (id, sku, title, description, category_id, price, created_at) FROM STDIN";
    let mut copy = CopyIn::begin(&tx, columns).await?;
    for id in 1..=products {
        let made = real.get(id - 1).cloned().unwrap_or_else(|| titles::compose(real, &mut rng));
        copy.value(id);
        copy.value(format_args!("B-{id:07}"));
        copy.text(&made.title);
        copy.text(&made.description);
        copy.value(ids.get(made.category.to_lowercase().as_str()).copied().unwrap_or(1));
        // Cheap things are many: the logarithm of the price is even between 0.50 and 200.
        copy.value(format_args!("{:.2}", 0.5 * 400_f64.powf(rng.random::<f64>())));
        let (day, second) = (rng.random_range(0..1_000), rng.random_range(0..86_400));
        copy.value(format_args!("{}", moment(day, second)));
        copy.end_row().await?;
    }
    copy.finish().await?;

    tx.batch_execute(&format!(
        "INSERT INTO stores (id, name) SELECT n, 'Store ' || n FROM generate_series(1, {STORES}) AS n"
    ))
    .await?;
    let mut copy = CopyIn::begin(&tx, "COPY inventory (store_id, product_id, quantity) FROM STDIN").await?;
    for store in 1..=STORES {
        for product in (1 + store % CARRIED..=products).step_by(CARRIED) {
            copy.value(store);
            copy.value(product);
            // One shelf of five is empty.
            copy.value(if rng.random_range(0..5) == 0 { 0 } else { rng.random_range(1..=200) });
            copy.end_row().await?;
        }
    }
    copy.finish().await?;
    tx.batch_execute(
        "INSERT INTO stock_adjustments (store_id, product_id, delta, reason, actor)
             SELECT store_id, product_id, quantity, 'seed', 'bench' FROM inventory WHERE quantity <> 0;
         SELECT setval('categories_id_seq', (SELECT max(id) FROM categories)),
                setval('products_id_seq', (SELECT max(id) FROM products)),
                setval('stores_id_seq', (SELECT max(id) FROM stores))",
    )
    .await?;
    tx.commit().await?;
    Ok(session.batch_execute("VACUUM (ANALYZE)").await?)
}

/// A moment on one of the days of 2022 to 2024, as PostgreSQL reads it.
fn moment(day: u32, second: u32) -> String {
    let (year, day) = (2022 + day / 336, day % 336);
    let (month, day) = (day / 28 + 1, day % 28 + 1);
    format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        assert_eq!(moment(0, 0), "2022-01-01 00:00:00Z");
        assert_eq!(moment(999, 86_399), "2024-12-20 23:59:59Z");
    }
}
