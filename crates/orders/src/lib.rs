#![doc = include_str!("../README.md")]

mod answer;
mod basket;
mod batch;
pub mod bulk;
mod cancel;
mod commit;
mod config;
mod decide;
pub mod desk;
mod email;
pub mod events;
mod http;
mod idempotency;
mod in_flight;
mod lane;
pub mod ledger;
mod order;
mod place;
pub mod reactions;
mod read;
mod schema;
mod write;

pub use basket::{Basket, BasketFault, MAX_LINES, MAX_QUANTITY, Wanted};
pub use cancel::CancelError;
pub use config::{Config, ConfigError};
pub use decide::UnknownProduct;
pub use email::{CustomerEmail, NotAnAddress};
pub use http::routes;
pub use idempotency::{Key, forget_old_keys};
pub use lane::NotDone;
pub use order::{Confirmation, ConfirmationState, Line, Order, Reason, Rejection, Status, Summary, Terms};
pub use place::{Orders, PlaceError, Placed, Request};
pub use read::{Filter, ListError, SortKey};
