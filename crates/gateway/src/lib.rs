#![doc = include_str!("../README.md")]

mod allowed;
mod openapi;
mod ops;
mod server;
mod services;
mod settings;
mod system;

pub use openapi::openapi;
pub use ops::serve_ops;
pub use server::serve;
pub use services::Services;
pub use settings::{Settings, http_addr};
