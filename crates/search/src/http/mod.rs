//! The endpoints.

mod limited;
mod search;
mod suggest;

use utoipa_actix_web::service_config::ServiceConfig;
use web::{Code, Coded, Fault};

use crate::Error;

/// Registers the endpoints. They extract `Data<Search>`.
pub fn routes(config: &mut ServiceConfig) {
    config.service(search::search_products).service(suggest::suggest_titles);
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::UnknownStore(_) | Self::TooShort => Code::Invalid,
            Self::NoSuchPage => Code::NoSuchPage,
            Self::TooDeep => Code::TooDeep,
            Self::Database(error) => error.code(),
            Self::Starting => Code::Unavailable,
            Self::Index(_) => Code::Internal,
        }
    }

    fn faults(&self) -> Vec<Fault> {
        match self {
            Self::UnknownStore(_) => vec![Fault::parameter("store_id", "unknown_store", self.to_string())],
            Self::TooShort => vec![Fault::parameter("q", "too_short", self.to_string())],
            Self::NoSuchPage | Self::TooDeep | Self::Database(_) | Self::Starting | Self::Index(_) => Vec::new(),
        }
    }
}
