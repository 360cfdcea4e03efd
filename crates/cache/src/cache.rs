//! The cache's face: get a value, or load it and keep it.

use std::any::TypeId;
use std::sync::Arc;

use deadpool_redis::redis::cmd;
use serde::{Deserialize, Serialize};

use crate::flight::Flights;
use crate::link::{Failure, Link};
use crate::local::{Local, Shared};
use crate::tolerance::Tolerance;
use crate::{Config, Key, Outcome};

/// Why the cache cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is none.
    #[error("REDIS_URL: {0}")]
    Url(String),
}

/// How the cache fares, for the details of a health check. It is never a reason not to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Redis answers.
    Ok,
    /// Redis is away: everything is loaded anew.
    Degraded,
    /// No Redis is configured: values are kept in this process.
    Local,
}

impl State {
    /// `ok`, `degraded` or `local`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Local => "local",
        }
    }
}

/// A handle on the cache. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Cache(Arc<Inner>);

struct Inner {
    place: Place,
    flights: Flights<(TypeId, String, i64), (Shared, Outcome)>,
}

enum Place {
    Local(Local),
    Redis(Redis),
}

struct Redis {
    link: Link,
    /// In front of it, for the keys that want that.
    near: Local,
    prefix: String,
    reading: Tolerance,
    writing: Tolerance,
}

/// What lies under a key in Redis.
#[derive(Serialize, Deserialize)]
struct Stamped<V> {
    /// What the value was made from, such as a generation.
    stamp: i64,
    value: V,
}

/// What a key was found to hold.
enum Found<V> {
    Value(V),
    /// Nothing, or nothing that can be used.
    Nothing,
    /// It could not be asked.
    Away,
}

impl Cache {
    /// Sets up the cache. Redis is looked for in the background, so this succeeds while it is away.
    ///
    /// Must be called on the runtime that shall drive the connection: the web server's workers have single-threaded
    /// runtimes, and a connection driven by one of those would stall with it.
    ///
    /// # Errors
    /// When the URL cannot be parsed.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let Some(url) = &config.url else { return Ok(Self::local()) };
        Ok(Self::in_place(Place::Redis(Redis {
            link: Link::new(url)?,
            near: Local::new(),
            prefix: config.prefix.clone(),
            reading: Tolerance::of("cache read"),
            writing: Tolerance::of("cache write"),
        })))
    }

    /// A cache in this process alone.
    pub fn local() -> Self {
        Self::in_place(Place::Local(Local::new()))
    }

    fn in_place(place: Place) -> Self {
        Self(Arc::new(Inner { place, flights: Flights::new() }))
    }

    /// The value under `key` that was made from `stamp`; where there is none, the one that `load` gives, which is
    /// kept. Of callers in this process who want the same value at the same moment one loads it, and all get it,
    /// with its outcome. Trouble with Redis fails nobody.
    ///
    /// # Errors
    /// Those of `load`.
    pub async fn get_or_load<K: Key, E>(
        &self,
        key: &K,
        stamp: i64,
        load: impl Future<Output = Result<K::Value, E>>,
    ) -> Result<(Arc<K::Value>, Outcome), E> {
        let name = format!("{}{}", K::PREFIX, key.name());
        if let Some(value) = self.near::<K>(&name, stamp).await {
            count::<K>(Outcome::Hit);
            return Ok((value, Outcome::Hit));
        }
        let flight = (TypeId::of::<K::Value>(), name.clone(), stamp);
        let work = async {
            let (value, outcome) = match &self.0.place {
                Place::Local(local) => through_memory::<K, E>(local, name, stamp, load).await?,
                Place::Redis(redis) => through_redis::<K, E>(redis, name, stamp, load).await?,
            };
            Ok((value as Shared, outcome))
        };
        let (value, outcome) = self.0.flights.run(flight, work).await?;
        count::<K>(outcome);
        Ok((value.downcast().expect("flights are told apart by type"), outcome))
    }

    /// What this process has of it, without asking anybody else.
    async fn near<K: Key>(&self, name: &str, stamp: i64) -> Option<Arc<K::Value>> {
        match &self.0.place {
            Place::Local(local) => local.read(name, stamp).await,
            Place::Redis(redis) if K::IN_PROCESS => redis.near.read(name, stamp).await,
            Place::Redis(_) => None,
        }
    }

    /// How the cache fares, having asked Redis within the last second. Takes 25 ms at most.
    pub async fn check(&self) -> State {
        match &self.0.place {
            Place::Redis(redis) if !redis.link.answers().await => State::Degraded,
            _ => self.state(),
        }
    }

    /// How the cache fares, as far as its last request knows.
    pub fn state(&self) -> State {
        match &self.0.place {
            Place::Local(_) => State::Local,
            Place::Redis(redis) if redis.link.is_up() => State::Ok,
            Place::Redis(_) => State::Degraded,
        }
    }
}

async fn through_memory<K: Key, E>(
    local: &Local,
    name: String,
    stamp: i64,
    load: impl Future<Output = Result<K::Value, E>>,
) -> Result<(Arc<K::Value>, Outcome), E> {
    if let Some(value) = local.read(&name, stamp).await {
        return Ok((value, Outcome::Hit));
    }
    let value = Arc::new(load.await?);
    local.write(name, stamp, Arc::clone(&value) as Shared, K::TIME_TO_LIVE).await;
    Ok((value, Outcome::Miss))
}

async fn through_redis<K: Key, E>(
    redis: &Redis,
    name: String,
    stamp: i64,
    load: impl Future<Output = Result<K::Value, E>>,
) -> Result<(Arc<K::Value>, Outcome), E> {
    let (value, outcome) = match redis.read::<K>(&name).await {
        Found::Value(found) if found.stamp == stamp => (found.value, Outcome::Hit),
        Found::Value(_) | Found::Nothing => {
            let value = load.await?;
            redis.write::<K>(&name, &Stamped { stamp, value: &value }).await;
            (value, Outcome::Miss)
        }
        Found::Away => (load.await?, Outcome::Bypass),
    };
    let value = Arc::new(value);
    if K::IN_PROCESS {
        redis.near.write(name, stamp, Arc::clone(&value) as Shared, K::TIME_TO_LIVE).await;
    }
    Ok((value, outcome))
}

fn count<K: Key>(outcome: Outcome) {
    metrics::counter!("cache_requests_total", "key" => K::PREFIX, "outcome" => outcome.as_str()).increment(1);
}

impl Redis {
    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    async fn read<K: Key>(&self, name: &str) -> Found<Stamped<K::Value>> {
        let name = self.name(name);
        let answer = match self.link.send::<Option<Vec<u8>>>(cmd("GET").arg(name)).await {
            // The breaker has told of the outage, once for all requests.
            Err(Failure::Away | Failure::Lost(_)) => return Found::Away,
            Err(Failure::Refused(error)) if error.code() == Some("WRONGTYPE") => return garbage::<K, _>(),
            answer => self.reading.tolerate(answer),
        };
        match answer {
            None => Found::Away,
            Some(None) => Found::Nothing,
            Some(Some(bytes)) => serde_json::from_slice(&bytes).map_or_else(|_| garbage::<K, _>(), Found::Value),
        }
    }

    async fn write<K: Key>(&self, name: &str, value: &Stamped<&K::Value>) {
        match self.try_write::<K>(name, value).await {
            Err(Failure::Away | Failure::Lost(_)) => {}
            answer => _ = self.writing.tolerate(answer),
        }
    }

    async fn try_write<K: Key>(&self, name: &str, value: &Stamped<&K::Value>) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(value)?;
        let millis = u64::try_from(K::TIME_TO_LIVE.as_millis()).unwrap_or(u64::MAX);
        self.link.send(cmd("SET").arg(self.name(name)).arg(bytes).arg("PX").arg(millis)).await
    }
}

/// What another program wrote there counts as nothing, and will be overwritten.
fn garbage<K: Key, V>() -> Found<V> {
    metrics::counter!("cache_garbage_total", "key" => K::PREFIX).increment(1);
    Found::Nothing
}
