//! Pages by number alone, for results that have no key to seek by.

use utoipa::IntoParams;

use crate::page::{PageNumber, PageSize};
use crate::{FromParams, ParamReader};

/// Which page of a list that knows no cursors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Numbered {
    /// Page, from 1.
    #[param(required = false, minimum = 1, default = 1)]
    pub page: i64,
    /// Rows on a page.
    #[param(required = false, minimum = 1, maximum = 100, default = 20)]
    pub page_size: usize,
}

impl FromParams for Numbered {
    fn from_params(reader: &mut ParamReader) -> Self {
        let page = reader.optional::<PageNumber>("page").unwrap_or(PageNumber(Some(1)));
        let PageSize(page_size) = reader.optional("page_size").unwrap_or_default();
        if page.0.is_none() {
            reader.no_such_page();
        }
        Self { page: page.0.unwrap_or(1), page_size }
    }
}
