//! Reading products; [`edit`] changes them.

mod browse;
mod edit;
mod listed;

use chrono::{DateTime, Utc};
use db::{CachedDsl, Rows, Seek};
use diesel::dsl::{InnerJoinQuerySource, sql};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use web::Spot;

use crate::schema::{categories, products};
use crate::{Error, find_category};

pub use browse::{Order, Place, browse, count_in, several, with_sku, with_skus};
pub use edit::{NewProduct, ProductChange, change, create, delete};
pub use listed::Listed;

/// What can be sold.
#[derive(Debug, Clone, PartialEq, HasQuery)]
#[diesel(table_name = products, base_query = products::table.inner_join(categories::table), check_for_backend(Pg))]
pub struct Product {
    /// Id.
    pub id: i64,
    /// The merchant's own key, unique when given.
    pub sku: Option<String>,
    /// Title.
    pub title: String,
    /// Description, possibly empty.
    pub description: String,
    /// Price of one unit, with two decimals.
    pub price: Decimal,
    /// Name of its category.
    #[diesel(select_expression = categories::name)]
    pub category: String,
    /// Id of its category.
    pub category_id: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which products to list. All of them by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// Name of a category, in any case, or its id. An unknown one finds nothing.
    pub category: Option<String>,
    /// The exact key of the merchant.
    pub sku: Option<String>,
}

/// The product with this id.
///
/// # Errors
/// [`Error::NoSuchProduct`], and those of the database.
pub async fn get(mut conn: &AsyncPgConnection, id: i64) -> Result<Product, Error> {
    let found = Product::query().filter(products::id.eq(id)).first(&mut conn).await.optional();
    found.map_err(db::Error::from)?.ok_or(Error::NoSuchProduct(id))
}

/// A page of the products that `filter` lets through, by id, and how many those are in all.
///
/// # Errors
/// Those of the database.
pub async fn list(
    conn: &AsyncPgConnection,
    filter: &Filter,
    spot: &Spot<i64>,
) -> Result<(i64, Rows<Product>), db::Error> {
    let category = match &filter.category {
        None => None,
        Some(name) => match find_category(conn, name).await? {
            Some(id) => Some(id),
            None => return Ok((0, Rows { rows: Vec::new(), more: false })),
        },
    };
    let among = Among { category, sku: filter.sku.as_deref() };
    let count = match spot.count {
        Some(count) => count,
        None => among.count(conn).await?,
    };
    let limit = i64::try_from(spot.size + 1).unwrap_or(i64::MAX);
    let fetched = match spot.seek {
        Seek::Skip(rows) if rows >= count => Vec::new(),
        Seek::Skip(0) => among.after(conn, i64::MIN, limit).await?,
        Seek::Skip(rows) => match among.nth(conn, rows, count).await? {
            Some(last_skipped) => among.after(conn, last_skipped, limit).await?,
            None => Vec::new(),
        },
        Seek::After(id) => among.after(conn, id, limit).await?,
        Seek::Before(id) => among.before(conn, id, limit).await?,
    };
    Ok((count, Rows::new(fetched, spot.size, &spot.seek)))
}

/// The products of a list.
#[derive(Clone, Copy)]
struct Among<'a> {
    category: Option<i64>,
    sku: Option<&'a str>,
}

impl<'a> Among<'a> {
    fn ids(self) -> IdQuery<'a> {
        let mut query = products::table.select(products::id).into_boxed();
        if let Some(category) = self.category {
            query = query.filter(products::category_id.eq(category));
        }
        if let Some(sku) = self.sku {
            query = query.filter(products::sku.eq(sku));
        }
        query
    }

    async fn count(self, mut conn: &AsyncPgConnection) -> QueryResult<i64> {
        self.ids().count().get_result(&mut conn).await
    }

    /// The id of the `n`th of `count` products, from 1. Counted off from whichever end is nearer.
    async fn nth(self, mut conn: &AsyncPgConnection, n: i64, count: i64) -> QueryResult<Option<i64>> {
        let query = match count.checked_sub(n) {
            Some(after @ 0..) if after < n => self.ids().order_by(products::id.desc()).offset(after),
            _ => self.ids().order_by(products::id).offset(n - 1),
        };
        query.first(&mut conn).await.optional()
    }

    // The products of one category are read as a range of its index: given `category_id = $1`, the planner may prefer
    // to walk all products by id in the hope of soon meeting some of the category.

    async fn after(self, mut conn: &AsyncPgConnection, id: i64, limit: i64) -> QueryResult<Vec<Product>> {
        let mut query = Product::query().limit(limit).into_boxed();
        if let Some(sku) = self.sku {
            query = query.filter(products::sku.eq(sku));
        }
        query = match self.category {
            None => query.filter(products::id.gt(id)).order_by(products::id),
            Some(category) => query
                .filter(place(">", category, id))
                .filter(products::category_id.le(category))
                .order_by((products::category_id, products::id)),
        };
        query.cached().load(&mut conn).await
    }

    /// Nearest first.
    async fn before(self, mut conn: &AsyncPgConnection, id: i64, limit: i64) -> QueryResult<Vec<Product>> {
        let mut query = Product::query().limit(limit).into_boxed();
        if let Some(sku) = self.sku {
            query = query.filter(products::sku.eq(sku));
        }
        query = match self.category {
            None => query.filter(products::id.lt(id)).order_by(products::id.desc()),
            Some(category) => query
                .filter(place("<", category, id))
                .filter(products::category_id.ge(category))
                .order_by((products::category_id.desc(), products::id.desc())),
        };
        query.cached().load(&mut conn).await
    }
}

type IdQuery<'a> = products::BoxedQuery<'a, Pg, BigInt>;
type RowComparison =
    Box<dyn BoxableExpression<InnerJoinQuerySource<products::table, categories::table>, Pg, SqlType = Bool>>;

/// `(category_id, id)` compared with this place, as a row. The text is one of two, so the statement can be cached.
fn place(operator: &str, category: i64, id: i64) -> RowComparison {
    let comparison = sql::<Bool>("(products.category_id, products.id) ")
        .sql(operator)
        .sql(" (")
        .bind::<BigInt, _>(category)
        .sql(", ")
        .bind::<BigInt, _>(id)
        .sql(")");
    Box::new(comparison)
}
