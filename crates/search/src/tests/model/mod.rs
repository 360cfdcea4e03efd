//! The rules once more, by plain loops over all products: what the index must agree with.

mod advice;
mod closeness;
mod facets;
mod filters;
pub(super) mod find;
pub(super) mod ranking;
pub(super) mod snapshot;
pub(super) mod titles;
