//! Rows for tests, written with plain SQL so that no code under test has a part in them.

use tokio_postgres::Client;

/// Inserts rows and returns their ids.
pub struct Builder {
    client: Client,
}

impl Builder {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// A category; the id of the existing one if the name is taken.
    pub async fn category(&self, name: &str) -> i64 {
        self.id(
            "INSERT INTO categories (name) VALUES ($1) \
             ON CONFLICT (lower(name)) DO UPDATE SET name = categories.name RETURNING id",
            &[&name],
        )
        .await
    }

    /// A product of a category that is made when missing. `price` is a decimal, such as `"2.50"`.
    pub async fn product(&self, title: &str, category: &str, price: &str) -> i64 {
        let category = self.category(category).await;
        self.id(
            "INSERT INTO products (title, category_id, price) VALUES ($1, $2, $3::text::numeric) RETURNING id",
            &[&title, &category, &price],
        )
        .await
    }

    /// A store.
    pub async fn store(&self, name: &str) -> i64 {
        self.id("INSERT INTO stores (name, location) VALUES ($1, 'Testville') RETURNING id", &[&name]).await
    }

    /// Sets what a store has of a product, with the adjustment that accounts for it.
    pub async fn stock(&self, store: i64, product: i64, quantity: i32) {
        self.client
            .execute(
                "WITH before AS (SELECT quantity FROM inventory WHERE store_id = $1 AND product_id = $2), \
                      adjusted AS (INSERT INTO stock_adjustments (store_id, product_id, delta, reason) \
                                   SELECT $1, $2, $3 - coalesce((SELECT quantity FROM before), 0), 'test') \
                 INSERT INTO inventory (store_id, product_id, quantity) VALUES ($1, $2, $3) \
                 ON CONFLICT (store_id, product_id) DO UPDATE SET quantity = excluded.quantity",
                &[&store, &product, &quantity],
            )
            .await
            .expect("stock can be set");
    }

    /// Makes stores and products until there are so many, and has every store carry 1,000 of each product. For tests of
    /// cost: no adjustment accounts for it.
    pub async fn fill(&self, stores: usize, products: usize) {
        let fill = format!(
            "INSERT INTO categories (name) VALUES ('Things') ON CONFLICT DO NOTHING; \
             INSERT INTO stores (name) \
             SELECT 'Store ' || n FROM generate_series((SELECT count(*) + 1 FROM stores), {stores}) AS n; \
             INSERT INTO products (title, category_id, price) \
             SELECT 'Product ' || n, (SELECT min(id) FROM categories), 1 \
             FROM generate_series((SELECT count(*) + 1 FROM products), {products}) AS n; \
             INSERT INTO inventory (store_id, product_id, quantity) \
             SELECT stores.id, products.id, 1000 FROM stores, products ON CONFLICT DO NOTHING"
        );
        self.client.batch_execute(&fill).await.expect("the tables can be filled");
    }

    /// A statement that returns an id.
    async fn id(&self, sql: &str, params: &[&(dyn tokio_postgres::types::ToSql + Sync)]) -> i64 {
        self.client.query_one(sql, params).await.expect("the row can be inserted").get(0)
    }
}
