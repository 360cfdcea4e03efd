#![doc = include_str!("../README.md")]

mod cached;
mod clock;
mod config;
pub mod copy;
mod error;
pub mod load;
mod migrations;
mod page;
mod pool;
#[expect(missing_docs, reason = "the tables are documented by COMMENT ON in the migrations")]
pub mod schema;
mod tls;
mod tx;
pub mod upkeep;

pub use cached::{Cached, CachedDsl};
pub use clock::Clock;
pub use config::{Config, ConfigError, Role};
pub use error::Error;
pub use migrations::{MIGRATIONS_FINGERPRINT, migrate, pending_migrations, revert_all};
pub use page::{Rows, Seek};
pub use pool::{Connection, Database};
pub use tx::Tx;
