//! The tables that this crate owns.

pub(crate) use db::schema::{categories, products};

diesel::define_sql_function! {
    /// The text in lower case, as the indexes and generated columns have it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

diesel::define_sql_function! {
    /// Where the second text begins in the first, from 1; 0 where it does not.
    fn strpos(text: diesel::sql_types::Text, part: diesel::sql_types::Text) -> diesel::sql_types::Integer;
}
