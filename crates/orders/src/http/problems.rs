//! Which problem each of our errors is.

use web::{Code, Coded, Fault, Money};

use crate::cancel::CancelError;
use crate::lane::NotDone;
use crate::place::PlaceError;
use crate::read::ListError;

impl Coded for PlaceError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownStore(_) => Code::NotFound,
            Self::UnknownProducts(_) => Code::Invalid,
            Self::TotalDiffers(_) => Code::TotalDiffers,
            Self::KeyInFlight => Code::IdempotencyKeyInFlight,
            Self::KeyReused => Code::IdempotencyKeyReused,
            Self::Database(error) => error.code(),
            Self::NotDone(NotDone::Panicked) | Self::Answer(_) | Self::Forgotten => Code::Internal,
            Self::NotDone(_) | Self::Unknown | Self::Overtaken(_) | Self::RowHeld { .. } | Self::Lingers => {
                Code::Unavailable
            }
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            // The faults say it line by line.
            Self::UnknownProducts(_) => None,
            Self::Unknown => Some(
                "It is not known whether the order was placed. Send the same request with the same Idempotency-Key, or \
                 look at the store's orders."
                    .into(),
            ),
            _ if self.code().status().is_server_error() => None,
            _ => Some(self.to_string()),
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let unknown = |line: &crate::UnknownProduct| {
            let detail = format!("There is no product {}.", line.product_id);
            Fault::at(format!("/items/{}/product_id", line.line), "unknown_product", detail)
        };
        match self {
            Self::UnknownProducts(lines) => lines.iter().map(unknown).collect(),
            Self::TotalDiffers(total) => {
                let total = Money(*total);
                let fault = Fault::at("/expected_total", "total_differs", format!("The items cost {total}."));
                vec![fault.with_current_total(total)]
            }
            _ => Vec::new(),
        }
    }
}

impl Coded for CancelError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownOrder(_) => Code::NotFound,
            Self::NotConfirmed { .. } | Self::StockIsFull { .. } => Code::Conflict,
            Self::Database(error) => error.code(),
        }
    }
}

impl Coded for ListError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownStore(_) => Code::NotFound,
            Self::Database(error) => error.code(),
        }
    }
}
