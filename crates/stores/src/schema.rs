//! The tables that this crate owns. The SQL of `inventory::page` also reads `products` and `categories`.

pub(crate) use db::schema::{inventory, stores};

diesel::define_sql_function! {
    /// The text in lower case, as the indexes and generated columns have it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
