use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use cache::{Cache, Config, Key, Outcome, State};

use crate::ask;

#[tokio::test]
async fn without_redis_values_are_kept_in_the_process() {
    let cache = Cache::new(&Config::local()).unwrap();
    assert_eq!(cache.state(), State::Local);
    assert_eq!(ask(&cache, "tea", 1, "green").await, ("green".into(), Outcome::Miss));
    assert_eq!(ask(&cache.clone(), "tea", 1, "black").await, ("green".into(), Outcome::Hit));
    assert_eq!(ask(&cache, "tea", 2, "black").await, ("black".into(), Outcome::Miss));
}

struct Brief;

impl Key for Brief {
    const PREFIX: &'static str = "brief";
    const TIME_TO_LIVE: Duration = Duration::from_millis(20);
    type Value = u32;

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}

#[tokio::test]
async fn a_value_lives_as_long_as_its_family_says() {
    let cache = Cache::new(&Config::local()).unwrap();
    let give = |number| async move { Ok::<u32, Infallible>(number) };
    cache.get_or_load(&Brief, 1, give(1)).await.unwrap();
    tokio::time::sleep(Brief::TIME_TO_LIVE * 2).await;
    let (value, outcome) = cache.get_or_load(&Brief, 1, give(2)).await.unwrap();
    assert_eq!((*value, outcome), (2, Outcome::Miss));
}
