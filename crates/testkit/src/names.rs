//! Names that no other test uses, and where the real servers are.

/// `prefix` with a suffix that no other test has: for queues, keys and databases.
pub fn unique_name(prefix: &str) -> String {
    format!("{prefix}_{:016x}", rand::random::<u64>())
}

/// Where Redis is.
pub fn redis_url() -> String {
    required("REDIS_URL")
}

/// Where RabbitMQ is.
pub fn amqp_url() -> String {
    required("AMQP_URL")
}

pub(crate) fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test`"))
}
