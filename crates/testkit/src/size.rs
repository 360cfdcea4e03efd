//! How large a test is.

/// `modest`, or `full` where the variable `TEST_SIZE` is `full`: for tests whose full size takes minutes.
pub fn size(modest: usize, full: usize) -> usize {
    match std::env::var("TEST_SIZE").as_deref() {
        Ok("full") => full,
        _ => modest,
    }
}
