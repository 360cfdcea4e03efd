//! Lists: what is peculiar to one is declared, everything else is here.
//!
//! A list is read page by page along its sort key, so a page costs the same at any depth, and nothing is ever counted.

mod about;
mod cell;
mod export;
mod page;
mod place;

use crate::desk::Desk;
use crate::fields::Fields;
use crate::trouble::Trouble;

pub(crate) use about::{About, Action, Asked, Choice, Choices, Column, Filter, Kind, days};
pub(crate) use cell::{Cell, Tone};
pub(crate) use export::export;
pub(crate) use page::show;
pub(crate) use place::{Found, Key, number, sort};

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

    /// Whether its actions can be taken on all rows that the filters let through, besides those that are ticked.
    const ALL_AT_ONCE: bool = false;

    /// Columns that an export has besides.
    const MORE: &[&str] = &[];

    /// Their cells.
    fn more(_: &Self::Row) -> Vec<String> {
        Vec::new()
    }

    /// What an action on it names a row by.
    fn id(row: &Self::Row) -> String;

    /// What a filter of the kinds [`Kind::Choice`] and [`Kind::One`] offers, when this stands in it.
    ///
    /// # Errors
    /// Those of the domain.
    async fn choices(_: &Desk, _filter: &str, _given: &str) -> Result<Choices, Trouble> {
        Ok(Choices::default())
    }

    /// The orders it comes in where this is asked, the usual one first.
    fn sorts(_: &Fields) -> &'static [&'static str] {
        Self::ABOUT.sorts
    }

    /// What is asked, with what must not stay open, and with ids for names that were typed.
    ///
    /// # Errors
    /// Those of the domain.
    async fn settle(_: &Desk, asked: Asked) -> Result<Asked, Trouble> {
        Ok(asked)
    }

    /// What the page is called.
    ///
    /// # Errors
    /// Those of the domain.
    async fn title(_: &Desk, _: &Asked) -> Result<String, Trouble> {
        Ok(Self::ABOUT.title.to_owned())
    }
}
