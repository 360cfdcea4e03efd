//! Names and values: of a page's address, and of a form.

use url::form_urlencoded::{self, Serializer};

/// Names and values, in the order they came. Unknown ones are passed over: people edit addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the query of an address. PostgreSQL has no NUL in text, so what has one is left out; what is not UTF-8 is
    /// replaced, since an address only says what is shown.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(text).into_owned() {
            fields.push(name, value);
        }
        fields
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

    /// Adds a value. Browsers write line ends of their own into what they send, so all become one.
    pub(crate) fn push(&mut self, name: String, value: String) {
        if !value.contains('\0') {
            self.0.push((name, lines(&value)));
        }
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

/// The address with another parameter.
pub(crate) fn with(address: &str, name: &str, value: &str) -> String {
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}{name}={}", encoded(value))
}

/// A text whose lines all end alike.
pub(crate) fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The address of a page of the site, if it is one. So nobody is led elsewhere by a link that somebody else made.
pub(crate) fn local(address: &str) -> Option<&str> {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = address.split('?').next().unwrap_or_default();
    let is_ours = path.starts_with("/admin/") && is_plain && !path.contains("//") && !path.contains("..");
    is_ours.then_some(address)
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_pages_of_the_site_alone() {
        for ours in ["/admin/", "/admin/products/?category=Tea&after=7", "/admin/products/?q=..//"] {
            assert_eq!(local(ours), Some(ours));
        }
        for other in [
            "",
            "/",
            "//evil.example/admin/",
            "https://evil.example",
            "/admin",
            "/admin/\\evil",
            "/admin//evil",
            "/admin/../orders/",
            "/admin/\r\nSet-Cookie: a=b",
        ] {
            assert_eq!(local(other), None, "{other}");
        }
    }

    #[test]
    fn lines_end_alike_whoever_wrote_them() {
        let fields = Fields::parse(b"text=a%0D%0Ab%0Dc%0Ad");
        assert_eq!(fields.get("text"), "a\nb\nc\nd");
    }
}
