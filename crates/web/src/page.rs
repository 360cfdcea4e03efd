//! Pages of lists, by number and by cursor.
//!
//! `next` and `previous` carry a cursor: the sort key of the row at the edge of this page. Following them costs the
//! same at any depth, and rows that come or go meanwhile neither repeat nor hide others. `count` is taken with the
//! first page and travels in the cursor, since counting is the one thing that grows with the list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use db::{Rows, Seek};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{Code, Error, FromParams, Links, Param, ParamReader, Rejected};

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// How many there are in all.
    pub count: i64,
    /// Address of the next page.
    #[schema(required, format = "uri")]
    pub next: Option<String>,
    /// Address of the previous page.
    #[schema(required, format = "uri")]
    pub previous: Option<String>,
    /// The rows of this page.
    pub results: Vec<T>,
}

/// Which page of a list.
#[derive(Debug, Clone, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "some fields are there for their documentation")]
pub struct Paging {
    /// Page, from 1.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// Rows on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    page_size: Option<i64>,
    /// Place in the list, as given in `next` and `previous`. Replaces `page`.
    cursor: Option<String>,
    #[param(ignore)]
    size: PageSize,
}

/// Where to read, and what is known already.
#[derive(Debug, Clone)]
pub struct Spot<K> {
    /// Where the page begins.
    pub seek: Seek<K>,
    /// Rows on a page, 1 to 100.
    pub size: usize,
    /// The page's number, counted along the way that led here.
    pub page: i64,
    /// How many rows there are in all, if an earlier page counted them.
    pub count: Option<i64>,
    /// The list that the cursor was made for.
    pub list: Option<u32>,
}

impl<K> Spot<K> {
    /// A page that begins there, of a list that nobody has counted yet.
    pub fn new(seek: Seek<K>, size: usize) -> Self {
        Self { seek, size, page: 1, count: None, list: None }
    }
}

#[derive(Serialize, Deserialize)]
struct Cursor<K> {
    /// Forward: after the key; else before it.
    f: bool,
    /// The key.
    k: K,
    /// The page's number.
    p: i64,
    /// How many rows there are in all.
    c: i64,
    /// Which list, with which filters: [`Links::list`].
    l: u32,
}

/// A page number that a page can have. Anything else is a page that does not exist, not a fault.
pub(crate) struct PageNumber(pub(crate) Option<i64>);

impl Param for PageNumber {
    fn parse(text: &str) -> Result<Self, Rejected> {
        Ok(Self(text.parse().ok().filter(|page| *page >= 1)))
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSize(pub(crate) usize);

impl Default for PageSize {
    fn default() -> Self {
        Self(20)
    }
}

impl Param for PageSize {
    fn parse(text: &str) -> Result<Self, Rejected> {
        let size = text.parse().ok().filter(|size| (1..=100).contains(size));
        size.map(Self).ok_or_else(|| Rejected::new("out_of_range", "Must be an integer from 1 to 100."))
    }
}

impl FromParams for Paging {
    fn from_params(reader: &mut ParamReader) -> Self {
        let page = reader.optional::<PageNumber>("page");
        let size = reader.optional("page_size").unwrap_or_default();
        let cursor = reader.optional("cursor");
        if matches!(page, Some(PageNumber(None))) && cursor.is_none() {
            reader.no_such_page();
        }
        Self { page: page.and_then(|page| page.0), page_size: None, cursor, size }
    }
}

impl Paging {
    /// Where to read, in a list whose total order is that of `K`.
    ///
    /// # Errors
    /// [`Code::NoSuchPage`] when the cursor is not one of ours.
    pub fn spot<K: DeserializeOwned>(&self) -> Result<Spot<K>, Error> {
        let size = self.size.0;
        let Some(text) = &self.cursor else {
            let page = self.page.unwrap_or(1);
            let skip = (page - 1).saturating_mul(i64::try_from(size).unwrap_or(i64::MAX));
            return Ok(Spot { seek: Seek::Skip(skip), size, page, count: None, list: None });
        };
        let json = URL_SAFE_NO_PAD.decode(text).ok().and_then(|json| serde_json::from_slice::<Value>(&json).ok());
        let cursor = json.filter(|json| !has_nul(json)).and_then(|json| serde_json::from_value::<Cursor<K>>(json).ok());
        let Some(Cursor { f, k, p, c, l }) = cursor.filter(|cursor| cursor.p >= 1 && cursor.c >= 0) else {
            return Err(foreign_cursor());
        };
        let seek = if f { Seek::After(k) } else { Seek::Before(k) };
        Ok(Spot { seek, size, page: p, count: Some(c), list: Some(l) })
    }
}

fn foreign_cursor() -> Error {
    Error::new(Code::NoSuchPage).with_detail("The cursor is not one of this list's.")
}

/// PostgreSQL has no NUL in text, and a cursor is whatever a client makes of it.
fn has_nul(json: &Value) -> bool {
    match json {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.values().any(has_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

impl<T> Page<T> {
    /// Makes the page from its rows; `key` is the sort key of a row.
    ///
    /// # Errors
    /// [`Code::NoSuchPage`] when a page past the last was asked for by number (the first page always exists), or the
    /// cursor is that of another list or of other filters.
    pub fn new<R, K: Serialize>(
        spot: &Spot<K>,
        count: i64,
        rows: Rows<R>,
        links: &Links,
        key: impl Fn(&R) -> K,
        show: impl FnMut(R) -> T,
    ) -> Result<Self, Error> {
        if spot.list.is_some_and(|list| list != links.list()) {
            return Err(foreign_cursor());
        }
        let by_number = matches!(spot.seek, Seek::Skip(_));
        if by_number && spot.page > 1 && rows.rows.is_empty() {
            return Err(Error::new(Code::NoSuchPage));
        }
        let backward = spot.seek.is_backward();
        let has_next = if backward { true } else { rows.more };
        let has_previous = if backward { rows.more } else { !by_number || spot.page > 1 };
        let link = |row: Option<&R>, forward: bool| {
            let page = if forward { spot.page.saturating_add(1) } else { (spot.page - 1).max(1) };
            let cursor = Cursor { f: forward, k: key(row?), p: page, c: count, l: links.list() };
            let text = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).ok()?);
            Some(links.with(&[("page", None), ("cursor", Some(text))]))
        };
        let next = has_next.then(|| link(rows.rows.last(), true)).flatten();
        let previous = has_previous.then(|| link(rows.rows.first(), false)).flatten();
        Ok(Self { count, next, previous, results: rows.rows.into_iter().map(show).collect() })
    }
}
