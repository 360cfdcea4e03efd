//! Orders of one store or of all, newest first or oldest first.

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::confirmations::given_up;
use super::walk::{Walk, Which};
use crate::order::{ConfirmationState, Status};
use crate::read::{Filter, SortKey};

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Browsed {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Its store.
    #[diesel(sql_type = BigInt)]
    pub store_id: i64,
    /// The store's name.
    #[diesel(sql_type = Text)]
    pub store: String,
    /// Where it stands.
    #[diesel(sql_type = Text)]
    pub status: Status,
    /// When it was decided.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Sum of the lines' quantities.
    #[diesel(sql_type = BigInt)]
    pub total_items: i64,
    /// Sum of quantity times unit price.
    #[diesel(sql_type = Numeric)]
    pub total_price: Decimal,
    /// Whether its customer was told; `None` where there is nothing to tell.
    #[diesel(sql_type = Nullable<Text>)]
    pub confirmation: Option<ConfirmationState>,
}

impl Browsed {
    /// Its place in the list.
    pub fn key(&self) -> SortKey {
        (self.created_at.timestamp_micros(), self.id)
    }
}

/// A page of orders, of one store or of all. Nothing is counted. Where confirmed orders lie far apart, a page of them ends
/// early, and the place where the look ended comes with it.
///
/// # Errors
/// Those of the database.
pub async fn browse(
    mut conn: &AsyncPgConnection,
    store_id: Option<i64>,
    filter: &Filter,
    oldest_first: bool,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<(Rows<Browsed>, Option<SortKey>), db::Error> {
    let walk = Walk::new(store_id, seek, filter.created_after, filter.created_before, oldest_first);
    let which = filter.status.map_or(Which::All, Which::Of);
    let (_, order) = walk.direction();
    let sql = format!(
        "WITH page AS MATERIALIZED ({}) \
         SELECT orders.id, orders.store_id, stores.name AS store, orders.status, orders.created_at, \
                orders.total_items, orders.total_price, confirmations.state AS confirmation \
         FROM page JOIN orders ON orders.store_id = page.store_id AND orders.id = page.order_id \
         JOIN stores ON stores.id = page.store_id \
         LEFT JOIN confirmations \
             ON confirmations.store_id = page.store_id AND confirmations.order_id = page.order_id \
         ORDER BY orders.created_at {order}, orders.id {order}",
        walk.keys(which, size + 1)
    );
    let mut fetched: Vec<Browsed> = walk.bind(sql).cached().load(&mut conn).await?;
    let given_up = given_up(conn, fetched.iter().map(|row| (row.id, row.confirmation))).await?;
    for row in fetched.iter_mut().filter(|row| given_up.contains(&row.id)) {
        row.confirmation = Some(ConfirmationState::Failed);
    }
    walk.page(conn, which, fetched, size, seek, Browsed::key).await
}
