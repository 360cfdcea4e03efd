#![doc = include_str!("../README.md")]

mod actor;
pub mod audit;
mod config;
mod desk;
mod error;
mod hashing;
mod http;
mod identity;
mod password;
mod role;
mod schema;
pub mod scope;
mod secret;
mod service;
mod session;
mod sign_in;
mod slow_down;
mod staff;
mod token;

pub use actor::Actor;
pub use config::{Config, ConfigError};
pub use error::Error;
pub use http::{Authorized, SECURITY_SCHEME, identify, security_scheme};
pub use identity::{Identity, TokenError};
pub use password::{Email, Password};
pub use role::Role;
pub use scope::Scope;
pub use service::Accounts;
pub use session::{NewSession, Session};
pub use sign_in::{SignIn, SignInError};
pub use staff::{Staff, Standing};
pub use token::{MadeToken, NewToken, Token};
