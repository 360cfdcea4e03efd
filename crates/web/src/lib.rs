#![doc = include_str!("../README.md")]

mod all;
mod atlas;
mod body;
mod client;
mod code;
mod drain;
mod edge;
mod error;
mod etag;
mod fault;
mod healthcheck;
mod idempotency;
mod json;
mod links;
mod log;
mod numbered;
mod page;
mod params;
mod patience;
mod problem;
mod protection;
mod request_id;
mod scalar;
mod slash;
mod trace;

pub use all::All;
pub use atlas::{Atlas, Growth, LONG, LongList, STEP, Survey};
pub use body::{Given, Heard, Text};
pub use client::{Client, NotANetwork, TrustedProxies};
pub use code::Code;
pub use drain::Draining;
pub use edge::{begin_metrics, edge};
pub use error::{Coded, Error};
pub use etag::{Etag, IfMatch};
pub use fault::{Fault, Faults, Place};
pub use healthcheck::healthcheck;
pub use idempotency::{IdempotencyKey, Idempotent};
pub use json::{Bounded, Json};
pub use links::{Links, NotAnAddress, PublicUrl};
pub use log::log_to_stdout_without;
pub use numbered::Numbered;
pub use page::{Page, Paging, Spot};
pub use params::{FromParams, Param, ParamReader, Params, Rejected, one_of};
pub use patience::Patience;
pub use problem::Problem;
pub use request_id::RequestId;
pub use scalar::{Money, Timestamp};
pub use trace::TraceParent;

/// Answer of a handler.
pub type Result<T> = std::result::Result<T, Error>;

/// Makes actix's own extractors answer with problems too. Call it on the `App`.
pub fn configure(config: &mut actix_web::web::ServiceConfig) {
    config.app_data(
        actix_web::web::PathConfig::default()
            .error_handler(|_, _| Error::new(Code::NotFound).with_detail("There is nothing at this address.").into()),
    );
}
