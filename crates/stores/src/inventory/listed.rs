//! A store's inventory as a list that may be long.

use db::{Database, Rows, Tx};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use web::{LONG, LongList, Spot, Survey};

use super::page::Among;
use super::{Filter, Place, Stocked};
use crate::Error;
use crate::schema::inventory;

/// What a store carries and a filter lets through, by title.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Listed {
    /// The store.
    pub store_id: i64,
    /// Which rows.
    pub filter: Filter,
}

impl LongList for Listed {
    type Place = Place;
    type Row = Stocked;
    type Error = Error;

    /// Titles are in another table: to skip rows is to look at all of them.
    const SKIPS_FAST: bool = false;

    async fn read(&self, database: &Database, spot: &Spot<Place>) -> Result<(i64, Rows<Stocked>), Error> {
        super::list(&*database.connection().await?, self.store_id, &self.filter, spot).await
    }

    /// Few may be found, but all that the store carries is looked at for them.
    async fn is_long(&self, database: &Database, count: i64) -> Result<bool, db::Error> {
        if count >= LONG {
            return Ok(true);
        }
        let carried = inventory::table.filter(inventory::store_id.eq(self.store_id)).select(inventory::product_id);
        let beyond: Option<i64> =
            carried.offset(LONG - 1).first(&mut &*database.connection().await?).await.optional()?;
        Ok(beyond.is_some())
    }

    async fn survey(&self, tx: &Tx) -> Result<Survey<Place>, db::Error> {
        let nothing = Survey { count: 0, first: None, landmarks: Vec::new() };
        match Among::of(tx, self.store_id, &self.filter).await? {
            Some(among) => Ok(among.survey(tx).await?),
            None => Ok(nothing),
        }
    }
}
