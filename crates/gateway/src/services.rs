//! The parts behind the routes, connected once and shared by all threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use accounts::Accounts;
use actix_web::web::{Data, ServiceConfig};
use cache::Cache;
use db::{Clock, Database};
use orders::Orders;
use search::Search;
use web::Atlas;

use crate::Settings;

/// Everything that handlers extract. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    /// PostgreSQL.
    pub database: Database,
    /// The time of day.
    pub clock: Clock,
    /// Staff and their tokens.
    pub accounts: Accounts,
    /// What is known of the list of products, where it is long.
    pub products: Atlas<products::Listed>,
    /// What is known of long inventories.
    pub inventory: Atlas<stores::inventory::Listed>,
    /// Placing and reading orders.
    pub orders: Orders,
    /// Redis, or memory.
    pub cache: Cache,
    /// The catalogue, to be searched.
    pub search: Search,
    schema_is_current: Arc<AtomicBool>,
    was_ready: Arc<AtomicBool>,
}

impl Services {
    /// Sets the parts up on the current runtime. Connects to nothing yet: servers may be away when we start.
    ///
    /// # Errors
    /// When a setting cannot be used.
    pub fn connect(settings: &Settings) -> anyhow::Result<Self> {
        let database = Database::new(&settings.database)?;
        let clock = Clock::system();
        let accounts = Accounts::new(database.clone(), clock.clone(), settings.accounts);
        let orders = Orders::new(database.clone(), clock.clone(), &settings.orders)?;
        let cache = Cache::new(&settings.cache)?;
        let search = Search::new(database.clone(), cache.clone(), &settings.search)?;
        Ok(Self {
            database,
            clock,
            accounts,
            products: Atlas::default(),
            inventory: Atlas::default(),
            orders,
            cache,
            search,
            schema_is_current: Arc::default(),
            was_ready: Arc::default(),
        })
    }

    /// Makes the parts available to handlers.
    pub(crate) fn provide(&self, config: &mut ServiceConfig) {
        config
            .app_data(Data::new(self.database.clone()))
            .app_data(Data::new(self.clock.clone()))
            .app_data(Data::new(self.accounts.clone()))
            .app_data(Data::new(self.products.clone()))
            .app_data(Data::new(self.inventory.clone()))
            .app_data(Data::new(self.orders.clone()))
            .app_data(Data::new(self.cache.clone()))
            .app_data(Data::new(self.search.clone()))
            .app_data(Data::new(self.clone()));
    }

    /// Notes whether we are ready; true where that is news.
    pub(crate) fn turned(&self, is_ready: bool) -> bool {
        self.was_ready.swap(is_ready, Ordering::Relaxed) != is_ready
    }

    /// `ok`, `unreachable`, or `outdated` while migrations are missing. Asked of the server each time, but for the
    /// migrations: once they are all there, they stay.
    pub(crate) async fn database_state(&self) -> &'static str {
        if self.database.ping().await.is_err() {
            return "unreachable";
        }
        if !self.schema_is_current.load(Ordering::Relaxed) {
            match db::pending_migrations(&self.database).await {
                Ok(0) => self.schema_is_current.store(true, Ordering::Relaxed),
                Ok(_) => return "outdated",
                Err(_) => return "unreachable",
            }
        }
        "ok"
    }
}
