//! Finding the rows of one page of an inventory.
//!
//! A store's inventory is kept by product, and titles belong to the catalogue, so no index has a store's rows in the
//! order of the list. There are two ways to a page, and which is better depends on how many rows there are to list:
//!
//! - **Walk** the catalogue in the order of titles from the place of the page, looking each product up in the store,
//!   until the page is full. Costs some 20 look-ups where the store carries most of the catalogue, at any depth, but
//!   one for each product of the catalogue where it carries nearly none.
//! - **Gather** all rows of the list and sort them. Costs a look-up for each.
//!
//! Left to itself, the planner decides by what it guesses of a store that it does not know, and is off by a factor of
//! a hundred for small stores beside large ones. But we know how many rows there are, since we tell the client. So few
//! rows are gathered, many are walked to, and the statements are written so that the planner has little to guess. A
//! walk goes in growing strides and gives up after the last, which happens where the titles of a store all lie in one
//! part of the alphabet.

use db::{CachedDsl, Seek};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{BoxedSqlQuery, SqlQuery};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use web::{STEP, Survey};

use super::{Filter, Place, Stocked};
use crate::schema::inventory;

/// As many rows as are gathered without a second thought: a few milliseconds.
const FEW: i64 = 2_000;

/// So few candidates are gathered by whoever does not know how many rows there are to list.
const CANDIDATES: i64 = 4_000;

/// How many products the strides of such a reader look at, before they would rather go on than wait.
const SHORT_STRIDES: [i64; 3] = [250, 750, 1_000];

/// How many products the strides of a walk look at: for most stores the first is enough, all of them take some tens of
/// milliseconds. Written into the statements, since they decide how these are planned.
const STRIDES: [i64; 4] = [250, 1_000, 4_000, 16_000];

/// As many rows as a walk skips, for pages by number. Farther ones are gathered.
const LITTLE: usize = 1_000;

/// The rows of a list.
#[derive(Clone, Copy)]
pub(super) struct Among<'a> {
    pub(super) store_id: i64,
    /// Part of the title, in any case; empty for all.
    part_of_title: &'a str,
    pub(super) category: Option<i64>,
    /// Fewest units.
    pub(super) least: i32,
    /// Most units.
    pub(super) most: i32,
}

/// A way through the list: from this place on, or back.
#[derive(Clone)]
struct Way {
    from: Place,
    backward: bool,
}

impl Way {
    /// How places on the way compare with its start, and in which order they come.
    fn sql(&self) -> (&'static str, &'static str) {
        if self.backward { ("<", "DESC") } else { (">", "ASC") }
    }
}

type Statement<'a> = BoxedSqlQuery<'a, Pg, SqlQuery>;

impl<'a> Among<'a> {
    /// What the filter lets through; `None` if its category does not exist.
    pub(super) async fn of(
        conn: &AsyncPgConnection,
        store_id: i64,
        filter: &'a Filter,
    ) -> Result<Option<Self>, db::Error> {
        let category = match &filter.category {
            None => None,
            Some(name) => match products::find_category(conn, name).await? {
                Some(id) => Some(id),
                None => return Ok(None),
            },
        };
        Ok(Some(Self::new(store_id, filter, category)))
    }

    /// The same of a category that is known to exist.
    pub(super) fn new(store_id: i64, filter: &'a Filter, category: Option<i64>) -> Self {
        let most = filter.low_stock.map_or(i32::MAX, |most| i32::try_from(most).unwrap_or(i32::MAX));
        let part_of_title = filter.q.as_deref().unwrap_or_default();
        Self { store_id, part_of_title, category, least: i32::from(filter.in_stock), most }
    }

    /// Counts the rows and notes every [`STEP`]th one.
    pub(super) async fn survey(self, mut conn: &AsyncPgConnection) -> QueryResult<Survey<Place>> {
        #[derive(QueryableByName)]
        struct Landmark {
            #[diesel(sql_type = Text)]
            title_key: String,
            #[diesel(sql_type = BigInt)]
            id: i64,
            #[diesel(sql_type = BigInt)]
            number: i64,
            #[diesel(sql_type = BigInt)]
            count: i64,
            #[diesel(sql_type = BigInt)]
            carried: i64,
        }
        let sql = format!(
            "WITH numbered AS MATERIALIZED ( \
                 SELECT products.title_key, products.id, \
                        row_number() OVER (ORDER BY products.title_key, products.id) AS number FROM {}), \
             counted AS (SELECT count(*) FROM numbered), \
             looked_at AS (SELECT count(*) AS carried FROM inventory WHERE store_id = $1) \
             SELECT numbered.*, counted.count, looked_at.carried FROM numbered, counted, looked_at \
             WHERE number = 1 OR number % {STEP} = 0 ORDER BY number",
            self.matching()
        );
        let marks: Vec<Landmark> = self.statement(sql).load(&mut conn).await?;
        let (count, looked_at) = marks.as_slice().first().map_or((0, 0), |mark| (mark.count, mark.carried));
        let places = marks.into_iter().map(|mark| (mark.number, (mark.title_key, mark.id)));
        Ok(Survey { looked_at, ..Survey::new(places, count % STEP) })
    }

    /// How many rows there are in all.
    pub(super) async fn count(self, mut conn: &AsyncPgConnection) -> QueryResult<i64> {
        if self.part_of_title.is_empty() && self.category.is_none() {
            let rows = inventory::table.filter(inventory::store_id.eq(self.store_id)).into_boxed();
            // The primary key alone says how many there are, but not how much of each.
            let rows = match (self.least, self.most) {
                (..=0, i32::MAX) => rows,
                (least, most) => rows.filter(inventory::quantity.between(least, most)),
            };
            return rows.count().get_result(&mut conn).await;
        }
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            count: i64,
        }
        let count: Count =
            self.statement(format!("SELECT count(*) FROM {}", self.matching())).get_result(&mut conn).await?;
        Ok(count.count)
    }

    /// Up to `limit` rows from `seek` on, nearest first. `count` is how many there are in all; if it is wrong, only
    /// time is lost.
    pub(super) async fn page(
        self,
        conn: &AsyncPgConnection,
        seek: &Seek<Place>,
        limit: usize,
        count: i64,
    ) -> QueryResult<Vec<Stocked>> {
        let (from, skip) = match seek {
            Seek::Skip(rows) => ((String::new(), i64::MIN), usize::try_from(*rows).unwrap_or(usize::MAX)),
            Seek::After(place) | Seek::Before(place) => (place.clone(), 0),
        };
        let way = Way { from, backward: seek.is_backward() };
        if count > FEW
            && skip <= LITTLE
            && let Some(rows) = self.walk(conn, way.clone(), skip + limit).await?
        {
            return Ok(rows.into_iter().skip(skip).collect());
        }
        self.gather(conn, &way, skip, limit).await
    }

    /// Up to `limit` rows from `from` on, nearest first; and, where the walk ended before it had as many, the place
    /// where it did, unless that is the end of the catalogue. Where there are few candidates, all of them are
    /// gathered instead. For whoever does not know how many rows there are, and would rather go on than wait.
    pub(super) async fn browse(
        self,
        mut conn: &AsyncPgConnection,
        from: Place,
        backward: bool,
        limit: usize,
    ) -> QueryResult<(Vec<Stocked>, Option<Place>)> {
        let mut way = Way { from, backward };
        let carried = inventory::table.filter(inventory::store_id.eq(self.store_id)).select(inventory::product_id);
        let beyond: Option<i64> = carried.offset(CANDIDATES).first(&mut conn).await.optional()?;
        if beyond.is_none() {
            return Ok((self.gather(conn, &way, 0, limit).await?, None));
        }
        let mut found = Vec::new();
        for steps in SHORT_STRIDES {
            found.extend(self.stride(conn, &way, steps, limit - found.len()).await?);
            if found.len() == limit {
                return Ok((found, None));
            }
            match self.end_of_stride(conn, &way, steps).await? {
                Some(end) => way.from = end,
                None => return Ok((found, None)),
            }
        }
        Ok((found, Some(way.from)))
    }

    /// Up to `limit` rows; `None` if the walk gave up before it had as many.
    async fn walk(self, conn: &AsyncPgConnection, mut way: Way, limit: usize) -> QueryResult<Option<Vec<Stocked>>> {
        let mut found = Vec::new();
        for steps in STRIDES {
            found.extend(self.stride(conn, &way, steps, limit - found.len()).await?);
            if found.len() == limit {
                return Ok(Some(found));
            }
            match self.end_of_stride(conn, &way, steps).await? {
                Some(end) => way.from = end,
                None => return Ok(Some(found)),
            }
        }
        Ok(None)
    }

    /// `OFFSET 0` keeps a subquery one of its own, run for each product in turn. The statement is cached: the plan does
    /// not depend on what is bound.
    async fn stride(
        self,
        mut conn: &AsyncPgConnection,
        way: &Way,
        steps: i64,
        limit: usize,
    ) -> QueryResult<Vec<Stocked>> {
        let (_, order) = way.sql();
        let walked = self.walked(way);
        // In the very order of the walk, so that it ends as soon as there are enough rows.
        let sorted = match self.category {
            None => format!("walked.title_key {order}, walked.id {order}"),
            Some(_) => format!("walked.category_id {order}, walked.title_key {order}, walked.id {order}"),
        };
        let sql = format!(
            "SELECT shown.*, walked.title_key FROM ({walked} LIMIT {steps}) AS walked \
             CROSS JOIN LATERAL ( \
                 SELECT product_id, quantity FROM inventory \
                 WHERE {} AND quantity BETWEEN $4 AND $5 OFFSET 0) AS held \
             CROSS JOIN LATERAL ( \
                 SELECT {SHOWN}, held.quantity FROM products JOIN categories ON categories.id = products.category_id \
                 WHERE products.id = held.product_id OFFSET 0) AS shown \
             WHERE strpos(walked.title_key, lower($2)) > 0 ORDER BY {sorted} LIMIT $8",
            row_of("walked.id")
        );
        let statement = self.statement(sql).bind::<Text, _>(&way.from.0).bind::<BigInt, _>(way.from.1);
        statement.bind::<BigInt, _>(as_i64(limit)).cached().load(&mut conn).await
    }

    /// The products of a walk, which a limit is to follow: those of the category alone, if there is one. Its bounds are a
    /// span of the index: given `category_id = $3`, the planner may prefer to walk all products in the hope of soon
    /// meeting some of the category.
    fn walked(self, way: &Way) -> String {
        let (after, order) = way.sql();
        match self.category {
            None => format!(
                "SELECT title_key, id FROM products WHERE (title_key, id) {after} ($6, $7) \
                 ORDER BY title_key {order}, id {order}"
            ),
            Some(_) => format!(
                "SELECT category_id, title_key, id FROM products WHERE category_id >= $3 AND category_id <= $3 \
                 AND (category_id, title_key, id) {after} ($3, $6, $7) \
                 ORDER BY category_id {order}, title_key {order}, id {order}"
            ),
        }
    }

    /// The last place that a stride of so many steps reaches; `None` if what is walked ends before.
    async fn end_of_stride(self, mut conn: &AsyncPgConnection, way: &Way, steps: i64) -> QueryResult<Option<Place>> {
        #[derive(QueryableByName)]
        struct End {
            #[diesel(sql_type = Text)]
            title_key: String,
            #[diesel(sql_type = BigInt)]
            id: i64,
        }
        let sql = format!("{} OFFSET {} LIMIT 1", self.walked(way), steps - 1);
        let statement = self.statement(sql).bind::<Text, _>(&way.from.0).bind::<BigInt, _>(way.from.1);
        let end = statement.cached().get_result::<End>(&mut conn).await.optional()?;
        Ok(end.map(|end| (end.title_key, end.id)))
    }

    /// Not cached, so that it is planned for this very store and filter: there are several good plans, and
    /// materializing what matches before sorting rules out the bad ones, which hope to meet enough rows on a walk.
    async fn gather(
        self,
        mut conn: &AsyncPgConnection,
        way: &Way,
        skip: usize,
        limit: usize,
    ) -> QueryResult<Vec<Stocked>> {
        let (after, order) = way.sql();
        let matching = self.matching();
        let sql = format!(
            "WITH matching AS MATERIALIZED ( \
                 SELECT products.title_key, products.id, inventory.quantity FROM {matching} \
                 AND (products.title_key, products.id) {after} ($6, $7)), \
             page AS MATERIALIZED ( \
                 SELECT * FROM matching ORDER BY title_key {order}, id {order} OFFSET $8 LIMIT $9) \
             SELECT {SHOWN}, page.quantity, page.title_key \
             FROM page JOIN products ON products.id = page.id JOIN categories ON categories.id = products.category_id \
             ORDER BY page.title_key {order}, page.id {order}"
        );
        let statement = self.statement(sql).bind::<Text, _>(&way.from.0).bind::<BigInt, _>(way.from.1);
        statement.bind::<BigInt, _>(as_i64(skip)).bind::<BigInt, _>(as_i64(limit)).load(&mut conn).await
    }

    /// What matches $1 to $5, and room for another condition.
    fn matching(self) -> &'static str {
        "inventory JOIN products ON products.id = inventory.product_id WHERE inventory.store_id = $1 \
         AND strpos(products.title_key, lower($2)) > 0 AND ($3 IS NULL OR products.category_id = $3) \
         AND inventory.quantity BETWEEN $4 AND $5"
    }

    /// Binds $1 to $5.
    fn statement<'q>(self, sql: String) -> Statement<'q>
    where
        'a: 'q,
    {
        diesel::sql_query(sql)
            .into_boxed()
            .bind::<BigInt, _>(self.store_id)
            .bind::<Text, _>(self.part_of_title)
            .bind::<Nullable<BigInt>, _>(self.category)
            .bind::<Integer, _>(self.least)
            .bind::<Integer, _>(self.most)
    }
}

/// SQL that a row of the inventory is the store's ($1) of this product. A span of one, which the primary key alone has: the
/// index by product would do for an equality as well, and has the rows of one store on pages all over it.
pub(super) fn row_of(product: &str) -> String {
    format!("store_id = $1 AND product_id BETWEEN {product} AND {product}")
}

/// What is shown of a product, but for its quantity.
pub(super) const SHOWN: &str = "products.id AS product_id, products.sku, products.title, products.price, \
     categories.id AS category_id, categories.name AS category";

fn as_i64(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
