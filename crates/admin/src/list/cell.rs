//! What stands in a table.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use web::Money;

use crate::render::moment;

/// How a word is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
    Waiting,
    Quiet,
}

impl Tone {
    /// Of the status of an order, or the state of a confirmation.
    pub(crate) fn of(word: &str) -> Self {
        match word {
            "CONFIRMED" | "sent" | "ok" | "active" => Self::Good,
            "REJECTED" | "failed" | "unreachable" | "disabled" | "revoked" | "expired" => Self::Bad,
            "PENDING" | "pending" | "building" | "behind" | "degraded" => Self::Waiting,
            _ => Self::Quiet,
        }
    }

    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Waiting => "waiting",
            Self::Quiet => "quiet",
        }
    }
}

/// A cell of a list.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// Words.
    Text(String),
    /// Words that lead to a page of ours; the list's address is added, so that one finds the way back.
    Link { to: String, text: String },
    /// A word in a colour.
    Badge(Tone, String),
    /// A moment.
    Moment(Option<DateTime<Utc>>),
    /// Stock, and the form that changes it.
    Stock {
        store: i64,
        product: i64,
        quantity: i32,
        /// The number of the latest adjustment.
        last: i64,
        title: String,
    },
}

impl Cell {
    pub(crate) fn number(number: impl std::fmt::Display) -> Self {
        Self::Text(number.to_string())
    }

    pub(crate) fn money(amount: Decimal) -> Self {
        Self::Text(Money(amount).to_string())
    }

    pub(crate) fn link(to: String, text: impl Into<String>) -> Self {
        Self::Link { to, text: text.into() }
    }

    pub(crate) fn badge(word: impl Into<String>) -> Self {
        let word = word.into();
        Self::Badge(Tone::of(&word), word)
    }

    /// What an export has of it.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) | Self::Link { text, .. } | Self::Badge(_, text) => text.clone(),
            Self::Moment(at) => {
                at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)).unwrap_or_default()
            }
            Self::Stock { quantity, .. } => quantity.to_string(),
        }
    }

    /// What a page has of it, where that is words.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Moment(at) => at.map(moment).unwrap_or_else(|| "–".into()),
            other => other.text(),
        }
    }
}
