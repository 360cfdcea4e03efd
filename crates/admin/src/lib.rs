#![doc = include_str!("../README.md")]

mod assets;
mod body;
mod cookie;
mod desk;
mod fields;
mod form;
mod guard;
mod list;
mod pages;
mod render;
mod routes;
mod site;
mod trouble;

pub use routes::{ROUTES, Route, configure};
pub use site::Site;
