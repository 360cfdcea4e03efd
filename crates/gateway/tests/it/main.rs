//! The whole application over HTTP, and the shape of the workspace.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod architecture;
mod attacks;
mod audited;
mod authorization;
mod catalogue;
mod containers;
mod contract;
mod customer_email;
mod desk;
mod everywhere;
mod freshness;
mod indexes;
mod killed;
mod lists;
mod long_lists;
mod orders;
mod outages;
mod process;
mod products;
mod protection;
mod races;
mod search;
mod sign_ins;
mod stock;
mod stores;
mod system;
mod watching;
