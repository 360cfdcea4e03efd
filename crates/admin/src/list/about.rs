//! What is declared of a list, and what somebody asks of it.

use accounts::Role;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use crate::fields::Fields;

/// What is declared of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    /// Its address.
    pub(crate) path: &'static str,
    /// Its name.
    pub(crate) title: &'static str,
    /// A sentence about it, possibly empty.
    pub(crate) hint: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) filters: &'static [Filter],
    /// The orders it comes in, the usual one first; `-` goes before one that descends.
    pub(crate) sorts: &'static [&'static str],
    /// What can be done about several rows at once.
    pub(crate) actions: &'static [Action],
    /// What its button for another row says, and who may make one.
    pub(crate) new: Option<(&'static str, Role)>,
    /// Who may take actions.
    pub(crate) actors: Role,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// The order that its heading sorts by, without a sign.
    pub(crate) sort: Option<&'static str>,
    /// Whether it holds numbers.
    pub(crate) is_number: bool,
}

impl Column {
    /// A column of text.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, sort: None, is_number: false }
    }

    /// A column of numbers.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self { name, sort: None, is_number: true }
    }

    /// The same, to be sorted by.
    pub(crate) const fn sorted(self, sort: &'static str) -> Self {
        Self { sort: Some(sort), ..self }
    }
}

/// What narrows a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter {
    /// The parameter.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) kind: Kind,
}

/// How a filter is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// By typing.
    Search,
    /// By one of a few, or none.
    Choice,
    /// By one of a few, always.
    One,
    /// By a day.
    Day,
    /// By a whole number.
    Number,
}

impl Filter {
    pub(crate) const fn new(name: &'static str, label: &'static str, kind: Kind) -> Self {
        Self { name, label, kind }
    }
}

/// The two filters of a span of days, both inclusive.
pub(crate) const fn days() -> [Filter; 2] {
    [Filter::new("from", "From", Kind::Day), Filter::new("to", "To", Kind::Day)]
}

/// One of a few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }
}

/// What a filter or a field offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choices {
    pub(crate) all: Vec<Choice>,
    /// Whether there are more, so that one may type what is not among them.
    pub(crate) is_open: bool,
    /// What stands there.
    pub(crate) value: String,
}

impl Choices {
    /// These, and no others.
    pub(crate) fn of(all: Vec<Choice>, value: &str) -> Self {
        Self { all, is_open: false, value: value.to_owned() }
    }

    pub(crate) fn is_chosen(&self, choice: &Choice) -> bool {
        self.value == choice.value
    }
}

/// What can be done about several rows at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Action {
    pub(crate) name: &'static str,
    /// What the button says.
    pub(crate) label: &'static str,
    /// What is asked before, after the number of rows.
    pub(crate) question: &'static str,
}

/// What somebody asks of a list.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The filters, as typed.
    pub(crate) fields: Fields,
    /// One of the list's sorts.
    pub(crate) sort: &'static str,
    /// Whether somebody chose it.
    pub(crate) is_sorted: bool,
}

impl Asked {
    /// Reads an address; an unknown sort is the usual one, the first.
    pub(crate) fn read(sorts: &[&'static str], query: &Fields) -> Self {
        let asked = query.get("sort");
        let chosen = sorts.iter().find(|sort| **sort == asked);
        let sort = chosen.or(sorts.first()).copied().unwrap_or_default();
        Self { fields: query.clone(), sort, is_sorted: chosen.is_some() }
    }

    /// The order without its sign, and whether it descends.
    pub(crate) fn order(&self) -> (&'static str, bool) {
        self.sort.strip_prefix('-').map_or((self.sort, false), |name| (name, true))
    }

    /// A filter that is filled in.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.fields.given(name)
    }

    /// The first moment of the day `from`.
    pub(crate) fn from(&self) -> Option<DateTime<Utc>> {
        Some(midnight(self.day("from")?))
    }

    /// The first moment after the day `to`.
    pub(crate) fn before(&self) -> Option<DateTime<Utc>> {
        self.day("to")?.checked_add_days(Days::new(1)).map(midnight)
    }

    /// Whether a moment lies between the two days.
    pub(crate) fn spans(&self, moment: DateTime<Utc>) -> bool {
        self.from().is_none_or(|from| moment >= from) && self.before().is_none_or(|before| moment < before)
    }

    fn day(&self, name: &str) -> Option<NaiveDate> {
        use chrono::Datelike;
        self.given(name)?.parse::<NaiveDate>().ok().filter(|day| (1..=9998).contains(&day.year()))
    }

    /// The filters and the sort as they stand in an address.
    pub(crate) fn query(&self, about: &About) -> String {
        let mut names: Vec<&str> = about.filters.iter().map(|filter| filter.name).collect();
        if self.is_sorted {
            names.push("sort");
        }
        self.fields.query(&names)
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
