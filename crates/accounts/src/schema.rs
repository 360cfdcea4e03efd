//! The tables that this crate owns. The SQL of `audit` writes `audit_log`.

pub(crate) use db::schema::{audit_log, sessions, sign_in_attempts, staff, tokens};

diesel::define_sql_function! {
    /// The text in lower case, as the indexes have it.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}
