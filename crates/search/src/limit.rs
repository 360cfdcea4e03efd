//! A limit of requests a minute, for each client, in this process: with several gateways a client gets as much from
//! each. A client is an address, as `web::Client` has it: behind a proxy that is not trusted all are one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(60);
/// Clients that are counted at once. Beyond, those whose minute is over are forgotten, or else all.
const CLIENTS: usize = 10_000;

pub(crate) struct Limiter {
    most: NonZeroU32,
    clients: Mutex<HashMap<IpAddr, Window>>,
}

struct Window {
    begun: Instant,
    requests: u32,
}

/// Where a client stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether this request is served.
    pub(crate) is_served: bool,
    /// Requests a minute.
    pub(crate) most: u32,
    /// Requests that are left.
    pub(crate) left: u32,
    /// Seconds until they are all there again, at least 1.
    pub(crate) seconds: u64,
}

impl Limiter {
    pub(crate) fn new(most: NonZeroU32) -> Self {
        Self { most, clients: Mutex::default() }
    }

    /// Counts a request.
    pub(crate) fn count(&self, client: IpAddr, now: Instant) -> Standing {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |window: &Window| now.duration_since(window.begun) >= WINDOW;
        if clients.len() >= CLIENTS && !clients.contains_key(&client) {
            clients.retain(|_, window| !is_over(window));
            if clients.len() >= CLIENTS {
                clients.clear();
            }
        }
        let window = clients.entry(client).or_insert(Window { begun: now, requests: 0 });
        if is_over(window) {
            *window = Window { begun: now, requests: 0 };
        }
        let is_served = window.requests < self.most.get();
        window.requests += u32::from(is_served);
        let rest = WINDOW.saturating_sub(now.duration_since(window.begun));
        Standing {
            is_served,
            most: self.most.get(),
            left: self.most.get() - window.requests,
            seconds: rest.as_secs_f64().ceil().max(1.0) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_a_minute() {
        let limiter = Limiter::new(NonZeroU32::new(2).unwrap());
        let (one, other) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from([127, 0, 0, 2]));
        let begun = Instant::now();
        let after = |seconds| begun + Duration::from_secs(seconds);
        let standing = |is_served, left, seconds| Standing { is_served, most: 2, left, seconds };
        assert_eq!(limiter.count(one, begun), standing(true, 1, 60));
        assert_eq!(limiter.count(one, after(10)), standing(true, 0, 50));
        assert_eq!(limiter.count(one, after(59)), standing(false, 0, 1));
        assert_eq!(limiter.count(other, after(59)), standing(true, 1, 60));
        assert_eq!(limiter.count(one, after(60)), standing(true, 1, 60));
    }

    #[test]
    fn memory_is_bounded() {
        let limiter = Limiter::new(NonZeroU32::MIN);
        let now = Instant::now();
        for number in 0..=u32::try_from(CLIENTS).unwrap() * 2 {
            limiter.count(IpAddr::from(number.to_be_bytes()), now);
        }
        assert!(limiter.clients.lock().unwrap().len() <= CLIENTS);
    }
}
