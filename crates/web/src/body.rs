//! Fields of JSON bodies that many endpoints share.

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, Value, ValueKind, ValuePointerRef, take_cf_content};

use crate::{Fault, Faults, Money, Param, Rejected};

/// Text of `MIN` to `MAX` characters once the space around it is taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<const MIN: usize, const MAX: usize>(pub String);

impl<const MIN: usize, const MAX: usize> Deserr<Faults> for Text<MIN, MAX> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let text = string(value, place)?;
        let text = text.trim();
        if text.contains('\0') {
            return Err(Fault::in_body(place, "invalid_text", "Must be text without NUL characters.").into());
        }
        if (MIN..=MAX).contains(&text.chars().count()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Fault::in_body(place, "invalid_length", format!("Must have {MIN} to {MAX} characters.")).into())
    }
}

/// A field of a change: absent it leaves things as they are, `null` is a value like any other (and a fault where `T`
/// knows none). To be read with `#[deserr(default)]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T>(pub Option<T>);

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Deserr<Faults>> Deserr<Faults> for Given<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        T::deserialize_from_value(value, place).map(|value| Self(Some(value)))
    }
}

/// A field that is read whether it is sound or not, so that what is wrong with several fields together is told with what
/// is wrong with each.
#[derive(Debug)]
pub struct Heard<T>(pub Result<T, Faults>);

impl<T: Default> Default for Heard<T> {
    fn default() -> Self {
        Self(Ok(T::default()))
    }
}

impl<T: Deserr<Faults>> Deserr<Faults> for Heard<T> {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        Ok(Self(T::deserialize_from_value(value, place)))
    }
}

impl<T> Heard<T> {
    /// The value; where it is not sound, its faults are noted.
    pub fn noting(self, faults: &mut Vec<Fault>) -> Option<T> {
        self.0.map_err(|found| faults.extend(found.0)).ok()
    }
}

impl<T> Heard<Option<T>> {
    /// Whether something was sent, sound or not.
    pub fn is_given(&self) -> bool {
        !matches!(self.0, Ok(None))
    }
}

impl<T> Given<Heard<T>> {
    /// The value of a field that must be there; otherwise its faults are noted.
    pub fn required(self, place: ValuePointerRef<'_>, faults: &mut Vec<Fault>) -> Option<T> {
        match self.0 {
            Some(heard) => heard.noting(faults),
            None => {
                faults.push(Fault::in_body(place, "required", "This field is required."));
                None
            }
        }
    }
}

/// An amount as it is shown: a string with at most two decimals, never a number, which would be a float.
impl Deserr<Faults> for Money {
    fn deserialize_from_value<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<Self, Faults> {
        let text = string(value, place)?;
        let rejected = match Self::parse(&text) {
            Ok(money) if money.0.normalize().scale() <= 2 => return Ok(money),
            Err(rejected) if rejected.code == "invalid_type" => rejected,
            Ok(_) | Err(_) => {
                Rejected::new("out_of_range", "Must have at most 12 digits before the point and 2 after it.")
            }
        };
        Err(Fault::in_body(place, rejected.code, rejected.detail).into())
    }
}

fn string<V: IntoValue>(value: Value<V>, place: ValuePointerRef<'_>) -> Result<String, Faults> {
    match value {
        Value::String(text) => Ok(text),
        actual => {
            let kind = ErrorKind::IncorrectValueKind { actual, accepted: &[ValueKind::String] };
            Err(take_cf_content(Faults::error::<V>(None, kind, place)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    type Short = Text<1, 3>;

    fn read<T: Deserr<Faults>>(value: serde_json::Value) -> Result<T, &'static str> {
        deserr::deserialize(value).map_err(|faults: Faults| faults.0[0].code)
    }

    #[test]
    fn text_is_trimmed_and_counted_in_characters() {
        assert_eq!(read::<Short>(json!(" äöü ")), Ok(Text("äöü".into())));
        assert_eq!(read::<Short>(json!("  ")), Err("invalid_length"));
        assert_eq!(read::<Short>(json!("long")), Err("invalid_length"));
        assert_eq!(read::<Short>(json!("a\0b")), Err("invalid_text"));
        assert_eq!(read::<Short>(json!(3)), Err("invalid_type"));
    }

    #[test]
    fn null_is_not_absence() {
        assert_eq!(read::<Given<Short>>(json!(null)), Err("invalid_type"));
        assert_eq!(read::<Given<Option<Short>>>(json!(null)), Ok(Given(Some(None))));
    }

    #[test]
    fn what_is_heard_is_told_later() {
        let mut faults = Vec::new();
        let wrong = deserr::deserialize::<Heard<Option<Short>>, _, Faults>(json!(3)).unwrap();
        assert!(wrong.is_given() && wrong.noting(&mut faults).is_none());
        let absent = deserr::deserialize::<Heard<Option<Short>>, _, Faults>(json!(null)).unwrap();
        assert!(!absent.is_given() && absent.noting(&mut faults) == Some(None));
        assert_eq!(Given::<Heard<Short>>::default().required(ValuePointerRef::Origin, &mut faults), None);
        let codes: Vec<&str> = faults.iter().map(|fault| fault.code).collect();
        assert_eq!(codes, ["invalid_type", "required"]);
    }

    #[test]
    fn money_is_a_string_with_two_decimals_at_most() {
        assert_eq!(read::<Money>(json!("12.5")).unwrap().to_string(), "12.50");
        assert_eq!(read::<Money>(json!("12.500")).unwrap().to_string(), "12.50");
        for beyond in ["12.505", "12.1234567", "1234567890123"] {
            assert_eq!(read::<Money>(json!(beyond)), Err("out_of_range"), "{beyond}");
        }
        assert_eq!(read::<Money>(json!("1e3")), Err("invalid_type"));
        assert_eq!(read::<Money>(json!(12.5)), Err("invalid_type"));
    }
}
