//! What is asked of PostgreSQL.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use db::{Connection, Tx};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::schema::{catalogue_generations, categories, inventory, products, stores};

/// A category, to be searched.
#[derive(HasQuery)]
#[diesel(table_name = categories)]
pub(crate) struct CategoryRow {
    pub(crate) id: i64,
    pub(crate) name: String,
}

/// A product, to be searched.
#[derive(HasQuery)]
#[diesel(table_name = products)]
pub(crate) struct ProductRow {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) category_id: i64,
    pub(crate) price: Decimal,
    pub(crate) created_at: DateTime<Utc>,
}

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

/// How often the catalogue has changed.
pub(crate) async fn generation(conn: &mut Connection) -> QueryResult<i64> {
    catalogue_generations::table.count().get_result(conn).await
}

pub(crate) async fn store_exists(conn: &mut Connection, store: i64) -> QueryResult<bool> {
    diesel::select(exists(stores::table.find(store))).get_result(conn).await
}

/// Ids of the products that the store, or any store, has in stock.
pub(crate) async fn in_stock(conn: &mut Connection, store: Option<i64>) -> QueryResult<HashSet<i64>> {
    let ids = inventory::table.filter(inventory::quantity.gt(0)).select(inventory::product_id);
    let ids: Vec<i64> = match store {
        Some(store) => ids.filter(inventory::store_id.eq(store)).load(conn).await?,
        None => ids.distinct().load(conn).await?,
    };
    Ok(ids.into_iter().collect())
}

/// The whole catalogue with its generation, all of one moment: the transaction must not have read anything yet.
pub(crate) async fn catalogue(tx: &mut Tx) -> QueryResult<(i64, Vec<CategoryRow>, Vec<ProductRow>)> {
    diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(&mut **tx).await?;
    // Reading everything may take longer than a request's statement may.
    diesel::sql_query("SET LOCAL statement_timeout = '60s'").execute(&mut **tx).await?;
    let generation = generation(tx).await?;
    let categories = CategoryRow::query().order(categories::id).load(&mut **tx).await?;
    let products = ProductRow::query().order(products::id).load(&mut **tx).await?;
    Ok((generation, categories, products))
}

/// The products with these ids as they are now, in the order of the ids; those deleted meanwhile are left out.
pub(crate) async fn shown(conn: &mut Connection, ids: &[i64], store: Option<i64>) -> QueryResult<Vec<Shown>> {
    let rows = products::table.inner_join(categories::table).filter(products::id.eq_any(ids));
    let columns =
        (products::id, products::title, products::description, products::price, categories::name, products::created_at);
    let mut rows: Vec<Shown> = match store {
        None => {
            let nothing = None::<i32>.into_sql::<diesel::sql_types::Nullable<diesel::sql_types::Integer>>();
            rows.select((columns.0, columns.1, columns.2, columns.3, columns.4, columns.5, nothing)).load(conn).await?
        }
        Some(store) => {
            let carried = inventory::product_id.eq(products::id).and(inventory::store_id.eq(store));
            rows.left_join(inventory::table.on(carried))
                .select((
                    columns.0,
                    columns.1,
                    columns.2,
                    columns.3,
                    columns.4,
                    columns.5,
                    inventory::quantity.nullable(),
                ))
                .load(conn)
                .await?
        }
    };
    let place = |row: &Shown| ids.iter().position(|id| *id == row.id);
    rows.sort_by_key(place);
    Ok(rows)
}
