//! What staff do, in Debian's Chromium, driven through its chromedriver. `make test` installs both.

mod driver;
mod flow;
mod look;

pub(crate) use driver::{Chromium, Window};
