//! Opting statements into diesel's statement cache.
//!
//! diesel never caches UPDATE, upserts, batch inserts and `sql_query`, since their text may vary, so each costs
//! two round trips (prepare, execute) and a fresh plan. Wrapped in [`Cached`] the cache is keyed on the SQL text and
//! the second execution on a connection is one round trip. Use it only for statements whose text comes from a bounded
//! set: for a variable number of rows bind arrays and `unnest` them.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement that is prepared once per connection. Made by [`CachedDsl::cached`].
#[derive(Debug, Clone, Copy)]
pub struct Cached<Q>(Q);

/// Adds [`cached`](CachedDsl::cached) to every statement.
pub trait CachedDsl: Sized {
    /// Prepares the statement once per connection, keyed on its SQL text.
    fn cached(self) -> Cached<Self> {
        Cached(self)
    }
}

impl<Q: QueryFragment<Pg>> CachedDsl for Q {}

impl<Q> QueryId for Cached<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: QueryFragment<Pg>> QueryFragment<Pg> for Cached<Q> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Pg) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q: Query> Query for Cached<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Cached<Q> {}
