//! Lists: what is peculiar to one is declared, everything else is here.
//!
//! A list is read page by page along its sort key, so a page costs the same at any depth, and nothing is ever counted.

mod about;
mod cell;
mod export;
mod page;
mod place;

use crate::desk::Desk;
use crate::trouble::Trouble;

pub(crate) use about::{About, Action, Asked, Choice, Column, Filter, Kind, days};
pub(crate) use cell::{Cell, Tone};
pub(crate) use export::export;
pub(crate) use page::show;
pub(crate) use place::{Found, Key, number};

/// Rows on a page.
pub(crate) const PAGE: usize = 50;

/// A list of the site.
pub(crate) trait List: 'static {
    /// One of its rows.
    type Row;

    /// What is declared of it.
    const ABOUT: About;

    /// Reads one page.
    ///
    /// # Errors
    /// Those of the domain.
    async fn read(desk: &Desk, asked: &Asked, seek: &db::Seek<Key>, size: usize) -> Result<Found<Self::Row>, Trouble>;

    /// Its cells, in the order of the columns.
    fn cells(row: &Self::Row, asked: &Asked) -> Vec<Cell>;

    /// What an action on it names a row by.
    fn id(row: &Self::Row) -> String;

    /// What a filter of the kind [`Kind::Choice`] offers.
    ///
    /// # Errors
    /// Those of the domain.
    async fn choices(_: &Desk, _filter: &str) -> Result<Vec<Choice>, Trouble> {
        Ok(Vec::new())
    }
}
