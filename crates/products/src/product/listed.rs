//! The list of products as one that may be long.

use db::{Database, Rows, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use web::{Growth, LongList, STEP, Spot, Survey};

use super::{Filter, Product};
use crate::find_category;
use crate::schema::products;

/// The products that a filter lets through, by id. New ones come at the end.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listed(pub Filter);

impl LongList for Listed {
    type Place = i64;
    type Row = Product;
    type Error = db::Error;

    async fn read(&self, database: &Database, spot: &Spot<i64>) -> Result<(i64, Rows<Product>), db::Error> {
        super::list(&*database.connection().await?, &self.0, spot).await
    }

    async fn survey(&self, tx: &Tx) -> Result<Survey<i64>, db::Error> {
        #[derive(QueryableByName)]
        struct Place {
            #[diesel(sql_type = BigInt)]
            id: i64,
            #[diesel(sql_type = BigInt)]
            number: i64,
        }
        let category = self.category(tx).await?;
        // An id that no category has where the name is unknown: the list is empty then, and not surveyed.
        let numbered = format!(
            "SELECT id, number FROM ( \
                 SELECT id, row_number() OVER (ORDER BY id) AS number FROM products {}) AS numbered \
             WHERE number = 1 OR number % {STEP} = 0 ORDER BY number",
            if category.is_some() { "WHERE category_id = $1" } else { "WHERE $1 IS NULL" }
        );
        let places: Vec<Place> =
            diesel::sql_query(numbered).bind::<Nullable<BigInt>, _>(category).load(&mut &***tx).await?;
        let last = places.iter().rev().find(|place| place.number != 1).map_or(i64::MIN, |place| place.id);
        let rest = self.after(tx, category, last).await?;
        Ok(Survey::new(places.into_iter().map(|place| (place.number, place.id)), rest))
    }

    /// What comes after the last landmark is counted anew.
    async fn growth(&self, database: &Database, survey: &Survey<i64>, _: i64) -> Result<Option<Growth>, db::Error> {
        let conn = database.connection().await?;
        let category = self.category(&conn).await?;
        let last = survey.landmarks.last().copied().unwrap_or(i64::MIN);
        let known = i64::try_from(survey.landmarks.len()).unwrap_or(i64::MAX).saturating_mul(STEP);
        Ok(Some(Growth { count: known + self.after(&conn, category, last).await?, before: 0 }))
    }
}

impl Listed {
    async fn category(&self, conn: &AsyncPgConnection) -> Result<Option<i64>, db::Error> {
        match &self.0.category {
            Some(name) => Ok(Some(find_category(conn, name).await?.unwrap_or(i64::MIN))),
            None => Ok(None),
        }
    }

    async fn after(&self, mut conn: &AsyncPgConnection, category: Option<i64>, id: i64) -> QueryResult<i64> {
        let rows = products::table.filter(products::id.gt(id)).into_boxed();
        let rows = match category {
            Some(category) => rows.filter(products::category_id.eq(category)),
            None => rows,
        };
        rows.count().get_result(&mut conn).await
    }
}
