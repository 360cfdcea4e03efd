//! A store's inventory as a list that may be long.

use db::{Database, Rows, Tx};
use diesel_async::SimpleAsyncConnection;
use web::{Growth, LongList, Spot, Survey};

use super::page::Among;
use super::{Filter, Place, Stocked};
use crate::Error;

/// So many rows are counted again for every page: some ten milliseconds where titles have to be read for it.
const RECOUNTED: i64 = 20_000;

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

    async fn survey(&self, tx: &Tx) -> Result<Survey<Place>, db::Error> {
        let nothing = Survey { count: 0, first: None, landmarks: Vec::new(), looked_at: 0 };
        // All of a large inventory is sorted.
        (&mut &***tx).batch_execute("SET LOCAL work_mem = '128MB'").await?;
        match Among::of(tx, self.store_id, &self.filter).await? {
            Some(among) => Ok(among.survey(tx).await?),
            None => Ok(nothing),
        }
    }

    /// What comes or goes does so anywhere among the titles. Where few rows have to be looked at they are counted again,
    /// and another number means that places have moved. Where many, that is done at the end of the list alone, so that
    /// nothing that is there is said not to be.
    async fn growth(
        &self,
        database: &Database,
        survey: &Survey<Place>,
        until: i64,
    ) -> Result<Option<Growth>, db::Error> {
        let is_cheap = survey.looked_at <= RECOUNTED;
        if !is_cheap && until < survey.count {
            return Ok(Some(Growth { count: survey.count, before: 0 }));
        }
        let conn = database.connection().await?;
        let Some(among) = Among::of(&conn, self.store_id, &self.filter).await? else { return Ok(None) };
        let count = among.count(&conn).await?;
        Ok((!is_cheap || count == survey.count).then_some(Growth { count, before: 0 }))
    }
}
