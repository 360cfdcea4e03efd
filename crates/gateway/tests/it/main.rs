//! The whole application over HTTP.

mod everywhere;
mod system;
