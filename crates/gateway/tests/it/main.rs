//! The whole application over HTTP, and the shape of the workspace.

mod architecture;
mod everywhere;
mod orders;
mod search;
mod system;
