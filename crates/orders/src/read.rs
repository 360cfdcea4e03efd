//! Reading orders.

mod listed;
#[cfg(test)]
mod plans;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::dsl::sql;
use diesel::helper_types::{AsSelect, Select};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::try_join;
use outbox::Event;
use products::Prices;
use rust_decimal::Decimal;
use serde_json::json;
use stores::stock::Balances;
use web::Spot;

use crate::email::CustomerEmail;
use crate::events::OrderConfirmed;
use crate::order::{Confirmation, ConfirmationState, Line, Order, Reason, Rejection, Status, Summary, Terms};
use crate::place::Orders;
use crate::schema::{confirmations, order_items, orders};

pub(crate) use listed::Listed;

/// Place in a list of orders: moment in microseconds since 1970, and number. The number breaks ties.
pub type SortKey = (i64, i64);

/// Which orders of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Only those that stand here.
    pub status: Option<Status>,
    /// Only those decided at this moment or later.
    pub created_after: Option<DateTime<Utc>>,
    /// Only those decided before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// There is no such store.
    #[error("There is no store {0}.")]
    UnknownStore(i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Orders {
    /// One page of a store's orders, newest first, and how many there are in all: `counted` if that is known already.
    ///
    /// # Errors
    /// As [`ListError`] says.
    pub async fn list(
        &self,
        store_id: i64,
        filter: &Filter,
        seek: &Seek<SortKey>,
        size: usize,
        counted: Option<i64>,
    ) -> Result<(i64, Rows<Summary>), ListError> {
        let spot = Spot { count: counted, ..Spot::new(seek.clone(), size) };
        self.atlas.page(&self.database, &Listed { store_id, filter: filter.clone() }, &spot).await
    }

    /// An order with its lines, and how telling its customer went if there is something to tell.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find(&self, id: i64) -> Result<Option<(Order, Option<Confirmation>)>, db::Error> {
        let mut conn = self.database.connection().await?;
        let told = confirmations::store_id.eq(orders::store_id).and(confirmations::order_id.eq(orders::id));
        let found: Option<(i64, Summary, Option<CustomerEmail>, Option<Confirmation>)> = orders::table
            .left_join(confirmations::table.on(told))
            .filter(orders::id.eq(id))
            .select((
                orders::store_id,
                Summary::as_select(),
                orders::customer_email,
                Option::<Confirmation>::as_select(),
            ))
            .first(&mut conn)
            .await
            .optional()?;
        let Some((store_id, summary, customer_email, confirmation)) = found else { return Ok(None) };
        let (lines, confirmation) =
            try_join!(lines(&conn, store_id, id), unless_given_up(&conn, store_id, id, confirmation))?;
        let Summary { id, status, created_at, total_items, total_price } = summary;
        let terms = Terms { store_id, status, created_at, total_items, total_price, lines };
        Ok(Some((Order { id, customer_email, terms }, confirmation)))
    }
}

/// That telling a customer was given up is known to the outbox alone: an operator may have it tried again there.
async fn unless_given_up(
    conn: &AsyncPgConnection,
    store_id: i64,
    order_id: i64,
    confirmation: Option<Confirmation>,
) -> Result<Option<Confirmation>, db::Error> {
    match confirmation {
        Some(confirmation) if confirmation.state == ConfirmationState::Pending => {
            let about = json!({ "order_id": order_id });
            let state = match outbox::is_parked(conn, store_id, OrderConfirmed::KIND, about).await? {
                true => ConfirmationState::Failed,
                false => ConfirmationState::Pending,
            };
            Ok(Some(Confirmation { state, ..confirmation }))
        }
        told => Ok(told),
    }
}

pub(crate) async fn lines(mut conn: &AsyncPgConnection, store_id: i64, order_id: i64) -> Result<Vec<Line>, db::Error> {
    let rows: Vec<LineRow> = order_items::table
        .filter(order_items::store_id.eq(store_id).and(order_items::order_id.eq(order_id)))
        .order_by(order_items::line)
        .select(LineRow::as_select())
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(Line::from).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = order_items, check_for_backend(Pg))]
struct LineRow {
    product_id: i64,
    quantity_requested: i32,
    unit_price: Decimal,
    rejection: Option<Reason>,
    available: Option<i32>,
}

impl From<LineRow> for Line {
    fn from(row: LineRow) -> Self {
        let rejection = row.rejection.zip(row.available).map(|(reason, available)| Rejection { reason, available });
        let LineRow { product_id, quantity_requested: quantity, unit_price, .. } = row;
        Self { product_id, quantity, unit_price, rejection }
    }
}

/// What a dry run is decided on.
pub(crate) struct Snapshot {
    pub(crate) prices: Prices,
    pub(crate) balances: Balances,
}

#[derive(QueryableByName)]
struct SnapshotRow {
    #[diesel(sql_type = Nullable<BigInt>)]
    product_id: Option<i64>,
    #[diesel(sql_type = Nullable<Numeric>)]
    price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Integer>)]
    quantity: Option<i32>,
}

impl Snapshot {
    /// Prices and stock at one moment, unlocked, since one statement reads them; `None` if there is no such store.
    pub(crate) async fn take(
        mut conn: &AsyncPgConnection,
        store_id: i64,
        product_ids: &[i64],
    ) -> Result<Option<Self>, db::Error> {
        let rows: Vec<SnapshotRow> = diesel::sql_query(
            "SELECT known.id AS product_id, known.price, held.quantity FROM stores \
             LEFT JOIN unnest($2) AS asked (product_id) ON true \
             LEFT JOIN LATERAL ( \
                 SELECT id, price FROM products WHERE products.id = asked.product_id OFFSET 0) AS known ON true \
             LEFT JOIN LATERAL ( \
                 SELECT quantity FROM inventory \
                 WHERE inventory.store_id = $1 AND inventory.product_id = asked.product_id OFFSET 0) AS held ON true \
             WHERE stores.id = $1",
        )
        .bind::<BigInt, _>(store_id)
        .bind::<Array<BigInt>, _>(product_ids)
        .cached()
        .load(&mut conn)
        .await?;
        if rows.is_empty() {
            return Ok(None);
        }
        let prices = rows.iter().filter_map(|row| row.product_id.zip(row.price)).collect();
        let balances = rows.iter().filter_map(|row| Some(((store_id, row.product_id?), row.quantity?))).collect();
        Ok(Some(Self { prices, balances }))
    }
}

async fn list(
    conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    spot: &Spot<SortKey>,
) -> Result<(i64, Rows<Summary>), ListError> {
    let store = stores::exists(conn, store_id);
    let count = count(conn, store_id, filter, spot.count);
    let (store_exists, count, rows) = match spot.seek {
        Seek::Skip(skipped @ 1..) => {
            let (store_exists, count) = try_join!(store, count)?;
            (store_exists, count, far_page(conn, store_id, filter, skipped, spot.size, count).await?)
        }
        _ => try_join!(store, count, page(conn, store_id, filter, &spot.seek, spot.size))?,
    };
    if store_exists { Ok((count, rows)) } else { Err(ListError::UnknownStore(store_id)) }
}

async fn count(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    counted: Option<i64>,
) -> Result<i64, db::Error> {
    if let Some(count) = counted {
        return Ok(count);
    }
    if filter.status == Some(Status::Confirmed) {
        // No index has confirmed orders alone. They are what remains of all, and two indexes count the rest.
        let all = Filter { status: None, ..filter.clone() };
        let others = matching(store_id, &all).filter(sql::<Bool>(EXCEPTIONS));
        let mut also: &AsyncPgConnection = conn;
        let (all, others): (i64, i64) = try_join!(
            matching(store_id, &all).count().cached().get_result(&mut conn),
            others.count().cached().get_result(&mut also)
        )?;
        return Ok((all - others).max(0));
    }
    Ok(matching(store_id, filter).count().cached().get_result(&mut conn).await?)
}

/// A page by number: the place of the last order before it is counted off in the index, from whichever end is nearer.
async fn far_page(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    skipped: i64,
    size: usize,
    count: i64,
) -> Result<Rows<Summary>, db::Error> {
    if skipped >= count {
        return Ok(Rows { rows: Vec::new(), more: false });
    }
    let place: Vec<(DateTime<Utc>, i64)> =
        place_query(store_id, filter, skipped, count).cached().load(&mut conn).await?;
    match place.into_iter().next() {
        Some((moment, id)) => page(conn, store_id, filter, &Seek::After((moment.timestamp_micros(), id)), size).await,
        None => Ok(Rows { rows: Vec::new(), more: false }),
    }
}

async fn page(
    mut conn: &AsyncPgConnection,
    store_id: i64,
    filter: &Filter,
    seek: &Seek<SortKey>,
    size: usize,
) -> Result<Rows<Summary>, db::Error> {
    let fetched = page_query(store_id, filter, seek, size).cached().load(&mut conn).await?;
    Ok(Rows::new(fetched, size, seek))
}

/// The place of the `n`th of `count` orders, from 1. No more is asked, so that the index alone can tell.
fn place_query(store_id: i64, filter: &Filter, n: i64, count: i64) -> Select<Boxed, (orders::created_at, orders::id)> {
    let places = matching(store_id, filter).limit(1);
    let places = match count.checked_sub(n) {
        Some(after @ 0..) if after < n => places.order_by((orders::created_at.asc(), orders::id.asc())).offset(after),
        _ => places.order_by((orders::created_at.desc(), orders::id.desc())).offset(n - 1),
    };
    places.select((orders::created_at, orders::id))
}

/// The predicate of `orders_exceptions_idx`, word for word.
const EXCEPTIONS: &str = "orders.status <> 'CONFIRMED'";

type Boxed = orders::BoxedQuery<'static, Pg>;

/// The rows of a page, and one more; its text is one of a few, so that it can be cached.
fn page_query(
    store_id: i64,
    filter: &Filter,
    seek: &Seek<SortKey>,
    size: usize,
) -> Select<Boxed, AsSelect<Summary, Pg>> {
    let query = matching(store_id, filter);
    let query = match seek {
        Seek::Skip(rows) => query.offset(*rows),
        Seek::After(key) => query.filter(beside("<", *key)),
        Seek::Before(key) => query.filter(beside(">", *key)),
    };
    let query = match seek.is_backward() {
        false => query.order_by((orders::created_at.desc(), orders::id.desc())),
        true => query.order_by((orders::created_at.asc(), orders::id.asc())),
    };
    let limit = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(1);
    query.limit(limit).select(Summary::as_select())
}

fn matching(store_id: i64, filter: &Filter) -> Boxed {
    let mut query = orders::table.filter(orders::store_id.eq(store_id)).into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(orders::status.eq(status.as_str()));
        if status != Status::Confirmed {
            // The planner cannot see that the value bound above implies it.
            query = query.filter(sql::<Bool>(EXCEPTIONS));
        }
    }
    if let Some(moment) = filter.created_after {
        query = query.filter(orders::created_at.ge(moment));
    }
    if let Some(moment) = filter.created_before {
        query = query.filter(orders::created_at.lt(moment));
    }
    query
}

/// Orders beside `key`, as a row comparison, which the index serves as a whole.
fn beside(operator: &str, (micros, id): SortKey) -> Box<dyn BoxableExpression<orders::table, Pg, SqlType = Bool>> {
    Box::new(
        sql::<Bool>(&format!("(orders.created_at, orders.id) {operator} ("))
            .bind::<Timestamptz, _>(moment(micros))
            .sql(", ")
            .bind::<BigInt, _>(id)
            .sql(")"),
    )
}

/// Keys travel in cursors, which clients hold: a moment outside of the years that PostgreSQL knows is taken to the
/// nearer end of them.
pub(crate) fn moment(micros: i64) -> DateTime<Utc> {
    const YEAR_1: i64 = -62_135_596_800_000_000;
    const YEAR_10000: i64 = 253_402_300_800_000_000;
    DateTime::from_timestamp_micros(micros.clamp(YEAR_1, YEAR_10000)).unwrap_or_default()
}
