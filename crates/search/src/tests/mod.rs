//! What the index finds and suggests.

mod agreement;
mod find;
mod fixture;
mod fuzz;
mod measured;
mod model;
mod ranking;
mod titles;
