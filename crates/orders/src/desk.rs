//! What those ask who run the stores: orders of all stores, figures, confirmations, and having one sent again.

mod browse;
mod confirmations;
mod discard;
mod figures;
mod resend;
mod sales;
mod walk;

pub use browse::{Browsed, browse};
pub use confirmations::{Outcome, Told, Wanted as WantedConfirmations, confirmation, confirmations};
pub use discard::discard;
pub use figures::{Count, Day, days, rejections, unsent};
pub use resend::ResendError;
pub use sales::{Sale, names, sales};
