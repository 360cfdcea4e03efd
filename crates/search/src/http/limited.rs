//! The limit of requests as HTTP tells it (draft-ietf-httpapi-ratelimit-headers).

use std::net::{IpAddr, Ipv4Addr};

use web::{Client, Code, Error};

use crate::Search;
use crate::limit::Standing;

/// The fields that go with an answer: where the client stands, or nothing where there is no limit.
pub(crate) type Fields = Vec<(&'static str, String)>;

/// Counts the request.
///
/// # Errors
/// [`Code::RateLimited`] where the client has no request left.
pub(crate) fn count(search: &Search, client: Client) -> Result<Fields, Error> {
    let client = client.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let Some(standing) = search.count_request(client) else { return Ok(Fields::new()) };
    let fields = fields(standing);
    if standing.is_served {
        return Ok(fields);
    }
    let refused = Error::new(Code::RateLimited).with_header("Retry-After", standing.seconds.to_string());
    Err(fields.into_iter().fold(refused, |error, (name, value)| error.with_header(name, value)))
}

fn fields(Standing { most, left, seconds, .. }: Standing) -> Fields {
    vec![
        ("RateLimit-Policy", format!("\"suggest\";q={most};w=60")),
        ("RateLimit", format!("\"suggest\";r={left};t={seconds}")),
    ]
}
