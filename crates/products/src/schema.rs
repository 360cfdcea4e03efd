//! The tables that this crate owns.

pub(crate) use db::schema::{categories, products};

diesel::define_sql_function! {
    /// The text in lower case, as the indexes and generated columns have it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
