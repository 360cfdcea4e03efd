//! A store's orders as a list that may be long.

use chrono::{DateTime, Utc};
use db::{Database, Rows, Tx};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use web::{Growth, LongList, STEP, Spot, Survey};

use super::{EXCEPTIONS, Filter, ListError, SortKey, beside, matching};
use crate::order::{Status, Summary};

/// A store's orders that a filter lets through, newest first. New ones come before all others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Listed {
    pub(crate) store_id: i64,
    pub(crate) filter: Filter,
}

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl LongList for Listed {
    type Place = SortKey;
    type Row = Summary;
    type Error = ListError;

    async fn read(&self, database: &Database, spot: &Spot<SortKey>) -> Result<(i64, Rows<Summary>), ListError> {
        super::list(&*database.connection().await?, self.store_id, &self.filter, spot).await
    }

    async fn survey(&self, tx: &Tx) -> Result<Survey<SortKey>, db::Error> {
        let Filter { status, created_after, created_before } = &self.filter;
        // Word for word, for the indexes: see `matching`.
        let of_status = match status {
            None => "$2 IS NULL".to_owned(),
            Some(Status::Confirmed) => "orders.status = $2".to_owned(),
            Some(_) => format!("orders.status = $2 AND {EXCEPTIONS}"),
        };
        let numbered = format!(
            "SELECT created_at, id, number FROM ( \
                 SELECT created_at, id, row_number() OVER (ORDER BY created_at DESC, id DESC) AS number FROM orders \
                 WHERE store_id = $1 AND {of_status} AND created_at >= coalesce($3, '-infinity') \
                   AND created_at < coalesce($4, 'infinity')) AS numbered \
             WHERE number = 1 OR number % {STEP} = 0 ORDER BY number"
        );
        let places: Vec<Place> = diesel::sql_query(numbered)
            .bind::<BigInt, _>(self.store_id)
            .bind::<Nullable<Text>, _>(status.map(Status::as_str))
            .bind::<Nullable<Timestamptz>, _>(created_after)
            .bind::<Nullable<Timestamptz>, _>(created_before)
            .load(&mut &***tx)
            .await?;
        let key = |place: &Place| (place.created_at.timestamp_micros(), place.id);
        let rest = match places.iter().rev().find(|place| place.number != 1) {
            Some(last) => matching(self.store_id, &self.filter).filter(beside("<", key(last))),
            None => matching(self.store_id, &self.filter),
        };
        let rest = rest.count().get_result(&mut &***tx).await?;
        Ok(Survey::new(places.iter().map(|place| (place.number, key(place))), rest))
    }

    /// What is newer than the newest order of then is counted.
    async fn growth(&self, database: &Database, survey: &Survey<SortKey>, _: i64) -> Result<Option<Growth>, db::Error> {
        let newer = matching(self.store_id, &self.filter);
        let newer = match survey.first {
            Some(first) => newer.filter(beside(">", first)),
            None => newer,
        };
        let before: i64 = newer.count().get_result(&mut &*database.connection().await?).await?;
        Ok(Some(Growth { count: survey.count + before, before }))
    }
}
