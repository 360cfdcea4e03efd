//! What the site knows besides the services.

use std::sync::Arc;

use crate::pages::dashboard::Figures;

/// The site's own state. App data; clones share it.
#[derive(Clone, Default)]
pub struct Site {
    /// The dashboard's figures, which are dear where there are many orders.
    pub(crate) figures: Arc<Figures>,
}
