//! Staff, sessions and tokens against a real PostgreSQL, under a clock that tests hold still.

#![expect(clippy::unwrap_used, reason = "a test that meets an error must fail")]

mod sessions;
mod signing_in;
mod staff;
mod support;
mod tokens;
