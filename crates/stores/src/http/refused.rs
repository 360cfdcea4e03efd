//! Adjustments that were refused, as clients hear of them.

use web::{Code, Coded, Fault};

use crate::stock::{AdjustError, Refusal, Wish};

/// An [`AdjustError`], and where in the request its adjustments stand.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(crate) struct Refused {
    error: AdjustError,
    /// Whether they are the elements of `/changes`; else the body is the only one, and the path names its product.
    in_list: bool,
}

impl Refused {
    /// Of a request for one product.
    pub(crate) fn only(error: AdjustError) -> Self {
        Self { error, in_list: false }
    }

    /// Of a request for several.
    pub(crate) fn in_list(error: AdjustError) -> Self {
        Self { error, in_list: true }
    }

    fn at(&self, place: usize, key: &str) -> String {
        if self.in_list { format!("/changes/{place}/{key}") } else { format!("/{key}") }
    }

    fn fault(&self, refusal: &Refusal) -> Fault {
        let Refusal { place, wish, current, .. } = refusal;
        let fault = match wish {
            Wish::Set { expected, .. } => {
                let detail = format!("There are {current} units now, not {expected}.");
                Fault::at(self.at(*place, "expected_quantity"), "stale", detail)
            }
            Wish::Shift { delta, .. } if *delta < 0 => {
                Fault::at(self.at(*place, "delta"), "insufficient_stock", format!("There are only {current} units."))
            }
            Wish::Shift { .. } => {
                let detail = format!("There are {current} units, and no room for so many more.");
                Fault::at(self.at(*place, "delta"), "out_of_range", detail)
            }
        };
        fault.with_current(i64::from(*current))
    }
}

impl From<db::Error> for Refused {
    fn from(error: db::Error) -> Self {
        Self::only(error.into())
    }
}

impl Coded for Refused {
    fn code(&self) -> Code {
        match &self.error {
            AdjustError::NoSuchStore(_) => Code::NotFound,
            AdjustError::UnknownProducts(_) if self.in_list => Code::Invalid,
            AdjustError::UnknownProducts(_) => Code::NotFound,
            AdjustError::Refused(_) => Code::Conflict,
            AdjustError::Database(error) => error.code(),
        }
    }

    fn detail(&self) -> Option<String> {
        match &self.error {
            AdjustError::NoSuchStore(_) => Some(self.error.to_string()),
            AdjustError::UnknownProducts(unknown) if !self.in_list => {
                unknown.first().map(|(_, id)| format!("There is no product {id}."))
            }
            // The faults say it place by place.
            _ => None,
        }
    }

    fn faults(&self) -> Vec<Fault> {
        match &self.error {
            AdjustError::UnknownProducts(unknown) if self.in_list => {
                let fault = |(place, id): &(usize, i64)| {
                    Fault::at(self.at(*place, "product_id"), "unknown_product", format!("There is no product {id}."))
                };
                unknown.iter().map(fault).collect()
            }
            AdjustError::Refused(refusals) => refusals.iter().map(|refusal| self.fault(refusal)).collect(),
            _ => Vec::new(),
        }
    }
}
