//! The address that a confirmation goes to.

use std::fmt;

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::Text;

/// A customer's e-mail address, up to 254 characters of ASCII: a dot-atom, `@`, and a host name (RFC 5321, 4.1.2,
/// without its quoted names and address literals). Every mail server takes such a one, and nothing in it can end a line.
///
/// `Debug` does not show it: addresses of people do not belong in logs.
#[derive(Clone, PartialEq, Eq, FromSqlRow)]
pub struct CustomerEmail(String);

/// What was given is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Must be an e-mail address such as ann@customer.example.")]
pub struct NotAnAddress;

impl CustomerEmail {
    /// Takes the address as it is; its case is kept.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let is_legal = text.len() <= 254
            && text.split_once('@').is_some_and(|(name, host)| {
                name.len() <= 64 && name.split('.').all(is_atom) && host.split('.').all(is_label)
            });
        if is_legal { Ok(Self(text.to_owned())) } else { Err(NotAnAddress) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 5322, 3.2.3.
fn is_atom(text: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_legal)
}

/// RFC 1123, 2.1.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

impl fmt::Debug for CustomerEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerEmail(…)")
    }
}

/// As the table has it, whose check keeps out what could end a line.
impl FromSql<Text, Pg> for CustomerEmail {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Pg>>::from_sql(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_taken() {
        let longest = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
        for fine in ["ann@customer.example", "A.n-n+till@x", "o'neill@1.2.example", "{x}!#$%&*/=?^_`|~@a-b.c", &longest]
        {
            assert_eq!(CustomerEmail::parse(fine).unwrap().as_str(), fine);
        }
    }

    #[test]
    fn nothing_that_could_end_a_line_or_begin_another_address_is_taken() {
        let too_long = format!("{}@{}", "a".repeat(64), vec!["b".repeat(63); 3].join("."));
        for wrong in [
            "",
            "ann",
            "@x",
            "ann@",
            "a@b@c",
            "a b@c",
            " a@b",
            "a@b ",
            "a@b\r\nBcc: eve@evil.example",
            "a\r\n@b",
            "a@b\n",
            "a@b\0",
            "a@b,eve@evil.example",
            "Ann <a@b>",
            "\"a\"@b",
            "a@[127.0.0.1]",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b_c",
            "änn@customer.example",
            "ann@cüstomer.example",
            &format!("{}@b", "a".repeat(65)),
            &format!("a@{}", "b".repeat(64)),
            &too_long,
        ] {
            assert_eq!(CustomerEmail::parse(wrong), Err(NotAnAddress), "{wrong:?}");
        }
    }

    #[test]
    fn it_is_not_shown_by_mistake() {
        let address = CustomerEmail::parse("ann@customer.example").unwrap();
        assert_eq!(format!("{:?}", Some(address)), "Some(CustomerEmail(…))");
    }
}
