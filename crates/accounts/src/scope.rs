//! What a token may be made for: each scope as a value, and as a type for handlers to name.

use std::fmt;
use std::str::FromStr;

use crate::Role;

/// A scope as a type, so that a handler's signature says what it needs: `Authorized<scope::StockWrite>`.
pub trait Needs: 'static {
    /// The scope.
    const SCOPE: Scope;
}

/// Makes the enum, its table and a type for each scope in one act.
macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $least:ident, $is_open:literal;)*) => {
        /// What a token may be made for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[$doc])* $name,)* }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name, as stored and as written in the API's description.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// The least role whose tokens it opens anything for.
            pub fn least_role(self) -> Role {
                match self { $(Self::$name => Role::$least),* }
            }

            /// Whether it is everybody's as long as `API_AUTH=required` is not set.
            pub fn is_open(self) -> bool {
                match self { $(Self::$name => $is_open),* }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $name {}

            impl Needs for $name {
                const SCOPE: Scope = Scope::$name;
            }
        )*
    };
}

scopes! {
    /// Read products, categories, stores and what they have in stock, and search.
    CatalogueRead = "catalogue:read", Viewer, true;
    /// Change the catalogue: products and categories.
    CatalogueWrite = "catalogue:write", Manager, false;
    /// Change the list of stores.
    StoresWrite = "stores:write", Manager, false;
    /// Set and adjust stock.
    StockWrite = "stock:write", Manager, false;
    /// Read orders.
    OrdersRead = "orders:read", Viewer, true;
    /// Place orders.
    OrdersPlace = "orders:place", Manager, true;
    /// Cancel orders.
    OrdersCancel = "orders:cancel", Manager, false;
    /// Name the customer's e-mail address on an order.
    OrdersEmail = "orders:email", Manager, false;
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is no scope's.
#[derive(Debug, thiserror::Error)]
#[error("there is no scope {0}")]
pub struct UnknownScope(String);

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Self::ALL.iter().copied().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_nothing_of_ours_is_open() {
        let open: Vec<&str> = Scope::ALL.iter().filter(|scope| scope.is_open()).map(|scope| scope.as_str()).collect();
        assert_eq!(open, ["catalogue:read", "orders:read", "orders:place"]);
    }

    #[test]
    fn a_viewer_only_reads() {
        assert!(Role::Viewer.scopes().all(|scope| scope.as_str().ends_with(":read")));
        assert_eq!(Role::Owner.scopes().count(), Scope::ALL.len());
    }
}
