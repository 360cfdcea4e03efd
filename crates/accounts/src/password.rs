//! E-mail addresses and passwords that are fit to be kept.

use secrecy::{ExposeSecret, SecretString};

use crate::Error;

/// An e-mail address: 3 to 254 characters of ASCII with one `@` inside, as browsers take it (HTML, `type=email`). Its
/// case is kept and does not matter. Letters of other alphabets look like those of this one, and fold to it by rules
/// that no two programs share: nobody shall pass for somebody else in the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Takes off space around the address.
    ///
    /// # Errors
    /// [`Error::NotAnEmail`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let is_sane = (3..=254).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && text.split_once('@').is_some_and(|(name, host)| {
                !name.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.')
            });
        if is_sane { Ok(Self(text.to_owned())) } else { Err(Error::NotAnEmail) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password that may be set: 8 to 200 characters, and not the address of its account. Any characters do, and none
/// are asked for: rules of that kind make passwords worse (NIST SP 800-63B, 3.1.1.2).
#[derive(Debug, Clone)]
pub struct Password(pub(crate) SecretString);

impl Password {
    /// The password for the account of `email`.
    ///
    /// # Errors
    /// [`Error::WeakPassword`].
    pub fn parse(text: SecretString, email: &str) -> Result<Self, Error> {
        let is_address = text.expose_secret().eq_ignore_ascii_case(email);
        if has_fitting_length(&text) && !is_address { Ok(Self(text)) } else { Err(Error::WeakPassword) }
    }
}

/// Whether a password of this length can have been set. What cannot is not worth hashing.
pub(crate) fn has_fitting_length(password: &SecretString) -> bool {
    // A character has four bytes at most: what is longer need not be counted.
    let text = password.expose_secret();
    text.len() <= 800 && (8..=200).contains(&text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_at_inside() {
        for fine in ["a@b", " Ann@shop.example ", "o'neill+till@shop.example"] {
            assert!(Email::parse(fine).is_ok(), "{fine}");
        }
        let long = format!("a@{}", "b".repeat(253));
        for wrong in ["", "ann", "@shop", "ann@", "a@b@c", "a b@c", "a\0@b", "ann@.example", &long, "\u{430}nn@shop"] {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Email::parse(" Ann@shop.example ").unwrap().as_str(), "Ann@shop.example");
    }

    #[test]
    fn passwords_are_long_and_not_the_address() {
        let parse = |text: &str| Password::parse(SecretString::from(text), "ann@shop.example");
        assert!(parse("8 LETTER").is_ok() && parse("ünïcödé!").is_ok());
        for weak in ["", "short", "7777777", "Ann@Shop.Example", &"x".repeat(201)] {
            assert!(parse(weak).is_err(), "{weak}");
        }
    }
}
