//! What those ask who run the stores: orders of all stores, figures, confirmations, and having one sent again.

mod browse;
mod confirmations;
mod figures;
mod resend;
mod sales;

use chrono::{DateTime, Utc};

use crate::read::SortKey;

pub use browse::{Browsed, browse};
pub use confirmations::{Outcome, Told, Wanted as WantedConfirmations, confirmation, confirmations};
pub use figures::{Count, Day, days, rejections, unsent};
pub use resend::ResendError;
pub use sales::{Sale, names, sales};

/// Where a walk through a span of time is begun: at `place`, or where the span begins if that comes later on the way.
/// An index is entered at its place, and goes through all that lies before the span otherwise.
fn begin(place: SortKey, from: Option<DateTime<Utc>>, before: Option<DateTime<Utc>>, upward: bool) -> SortKey {
    let edge = |moment: DateTime<Utc>| (moment.timestamp_micros(), i64::MIN);
    let nearer = if upward { from } else { before };
    match (nearer.map(edge), upward) {
        (None, _) => place,
        (Some(edge), true) => place.max(edge),
        (Some(edge), false) => place.min(edge),
    }
}
