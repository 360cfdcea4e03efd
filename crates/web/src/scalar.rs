//! The wire forms of money and time.

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::{Param, Rejected};

/// An amount of money: in JSON a string with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = r"^-?\d+\.\d{2}$", example = "12.50")]
pub struct Money(pub Decimal);

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Plain decimals with up to twelve digits before the point and six after it; no exponents.
impl Param for Money {
    fn parse(text: &str) -> Result<Self, Rejected> {
        Self::with_digits(text, 12, 6)
    }
}

impl Money {
    /// Plain decimals with so many digits before the point and after it at most, 28 in all; no exponents.
    ///
    /// # Errors
    /// `invalid_type` for what is no such number, `out_of_range` for one that has more digits.
    pub fn with_digits(text: &str, before: usize, after: usize) -> Result<Self, Rejected> {
        let refused = || Rejected::new("invalid_type", "Must be a decimal number, such as 12.50.");
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) {
            return Err(refused());
        }
        if whole.len() > before || fraction.len() > after {
            let detail = format!("Must have at most {before} digits before the point and {after} after it.");
            return Err(Rejected::new("out_of_range", detail));
        }
        text.parse().map(Self).map_err(|_| refused())
    }
}

/// A moment: in JSON RFC 3339 in UTC with microseconds, ending in `Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-01-31T12:00:00.000000Z")]
pub struct Timestamp(pub DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// RFC 3339 with any offset.
impl Param for Timestamp {
    fn parse(text: &str) -> Result<Self, Rejected> {
        // A plus sign that was not percent-encoded arrives as a space.
        DateTime::parse_from_rfc3339(&text.replacen(' ', "+", 1).replacen('t', "T", 1))
            .map(|moment| Self(moment.to_utc()))
            .ok()
            .filter(|moment| (0..=9999).contains(&chrono::Datelike::year(&moment.0)))
            .ok_or_else(|| Rejected::new("invalid_type", "Must be a time such as 2026-01-31T12:00:00Z."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_plain_decimals() {
        for legal in ["0", "12.5", "-3.10", "999999999999.999999"] {
            assert!(Money::parse(legal).is_ok(), "{legal}");
        }
        for illegal in ["", "NaN", "inf", "1e3", "1.", ".5", "--1", "+1", " 1", "1,5", "٣"] {
            assert_eq!(Money::parse(illegal).unwrap_err().code, "invalid_type", "{illegal}");
        }
        for beyond in ["1234567890123", "-1234567890123", "0.1234567", &"9".repeat(100_000)] {
            assert_eq!(Money::parse(beyond).unwrap_err().code, "out_of_range", "{beyond}");
        }
        assert_eq!(Money("3".parse().unwrap()).to_string(), "3.00");
    }

    #[test]
    fn times_have_microseconds_and_end_in_z() {
        let moment = Timestamp::parse("2026-01-31T13:00:00+01:00").unwrap();
        assert_eq!(serde_json::to_string(&moment).unwrap(), "\"2026-01-31T12:00:00.000000Z\"");
        assert_eq!(Timestamp::parse("2026-01-31T13:00:00 01:00").unwrap(), moment);
        for illegal in ["yesterday", "2026-01-31", "2026-13-01T00:00:00Z", "1"] {
            assert!(Timestamp::parse(illegal).is_err(), "{illegal}");
        }
    }
}
