//! Names and values: of a page's address, and of a form.

use url::form_urlencoded::{self, Serializer};

/// Names and values, in the order they came. Unknown ones are passed over: people edit addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `a=b&c=d`. PostgreSQL has no NUL in text, so what has one is left out.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).into_owned();
        Self(pairs.filter(|(_, value)| !value.contains('\0')).collect())
    }

    /// The value of a field, without space around it; empty where there is none.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.exactly(name).trim()
    }

    /// A value as it was typed, a password above all.
    pub(crate) fn exactly(&self, name: &str) -> &str {
        self.0.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// The value of a field that is there and not empty.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// The same as a number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.trim())
    }

    /// The same, with another value for this field.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.retain(|(field, _)| field != name);
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a value.
    pub(crate) fn push(&mut self, name: String, value: String) {
        if !value.contains('\0') {
            self.0.push((name, value));
        }
    }

    /// All of them, as they stand in an address.
    pub(crate) fn whole(&self) -> String {
        Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Those of these names alone, as they stand in an address; empty ones are left out.
    pub(crate) fn query(&self, names: &[&str]) -> String {
        let kept = self.0.iter().filter(|(name, value)| names.contains(&name.as_str()) && !value.trim().is_empty());
        Serializer::new(String::new()).extend_pairs(kept).finish()
    }
}

/// The address of `path` with this query, which is left out where it is empty.
pub(crate) fn address(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
