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

fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the tests with `make test`"))
}

/// `host:port` of the server that `url` names, for a [`Proxy`](crate::Proxy) in front of it.
pub fn address_of(url: &str) -> String {
    let url = url::Url::parse(url).expect("a URL");
    let port = url.port().or(match url.scheme() {
        "redis" => Some(6379),
        "amqp" => Some(5672),
        _ => Some(5432),
    });
    format!("{}:{}", url.host_str().unwrap_or("127.0.0.1"), port.unwrap_or_default())
}

/// `url` with the address of a proxy in place of the server's.
pub fn through(url: &str, proxy: &crate::Proxy) -> String {
    let mut url = url::Url::parse(url).expect("a URL");
    url.set_host(Some("127.0.0.1")).expect("a host can be set");
    url.set_port(Some(proxy.port())).expect("a port can be set");
    url.into()
}

/// Where PostgreSQL is.
pub fn database_url() -> String {
    required("DATABASE_URL")
}
