//! What is asked of PostgreSQL.

use chrono::{DateTime, Utc};
use db::Connection;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::schema::{categories, inventory, products, stores};

/// A product, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Shown {
    /// The product's id.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// Its price.
    pub price: Decimal,
    /// Its category's name.
    pub category: String,
    /// When it came into the catalogue.
    pub created_at: DateTime<Utc>,
    /// Units that the store asked about has; none where it does not carry the product, or none was asked about.
    pub quantity: Option<i32>,
}

pub(crate) async fn store_exists(conn: &mut Connection, store: i64) -> QueryResult<bool> {
    diesel::select(exists(stores::table.find(store))).get_result(conn).await
}

/// The products with these ids as they are now, in the order of the ids; those deleted meanwhile are left out. None at
/// all where there is no such store.
pub(crate) async fn shown(conn: &mut Connection, ids: &[i64], store: Option<i64>) -> QueryResult<Vec<Shown>> {
    // Joined rather than looked up for each row: categories are few, and read once.
    let rows = products::table.inner_join(categories::table).filter(products::id.eq_any(ids));
    let columns =
        (products::id, products::title, products::description, products::price, categories::name, products::created_at);
    let mut rows: Vec<Shown> = match store {
        None => {
            let nothing = None::<i32>.into_sql::<diesel::sql_types::Nullable<diesel::sql_types::Integer>>();
            rows.select((columns.0, columns.1, columns.2, columns.3, columns.4, columns.5, nothing)).load(conn).await?
        }
        Some(store) => {
            // Looked up for each row: planned in half the time that joins take, and read in two thirds.
            let carried = inventory::table.find((store, products::id)).select(inventory::quantity).single_value();
            rows.filter(exists(stores::table.find(store)))
                .select((columns.0, columns.1, columns.2, columns.3, columns.4, columns.5, carried))
                .load(conn)
                .await?
        }
    };
    let place = |row: &Shown| ids.iter().position(|id| *id == row.id);
    rows.sort_by_key(place);
    Ok(rows)
}
