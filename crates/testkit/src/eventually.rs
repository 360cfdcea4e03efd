//! Waiting for what happens in the background.

use std::time::Duration;

/// Asks `question` every 20 ms until it answers with something, at most for `limit`.
///
/// # Panics
/// When the time is over, with `what` did not come about.
pub async fn eventually<T>(what: &str, limit: Duration, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = question().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(limit, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("not within {limit:?}: {what}"),
    }
}
