//! One field of a form.

use crate::fields::Fields;
use crate::list::{Choice, Choices};

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// A line: its type (`text`, `email`, …) and longest length.
    Line(&'static str, usize),
    /// Several lines.
    Lines(usize),
    /// A secret, which is never shown again: what browsers complete it with.
    Secret(&'static str),
    /// One of these; where there are more, it may be typed.
    One(Choices),
    /// Any of these.
    Any(Vec<Choice>),
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) input: Input,
    pub(crate) hint: &'static str,
    pub(crate) is_required: bool,
    /// What stands in it; several where any of several may be chosen.
    pub(crate) values: Vec<String>,
    /// What is wrong with it.
    pub(crate) fault: Option<String>,
}

impl Field {
    /// A field that must be filled in.
    pub(crate) fn new(name: &'static str, label: &'static str, input: Input, value: impl Into<String>) -> Self {
        let values = vec![value.into()];
        Self { name, label, input, hint: "", is_required: true, values, fault: None }
    }

    /// A line of text.
    pub(crate) fn line(name: &'static str, label: &'static str, most: usize, value: impl Into<String>) -> Self {
        Self::new(name, label, Input::Line("text", most), value)
    }

    /// The same, to be left empty if one likes.
    #[must_use]
    pub(crate) fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }

    /// The same, with a sentence of help.
    #[must_use]
    pub(crate) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// One of these, of which one is chosen already.
    pub(crate) fn one(name: &'static str, label: &'static str, choices: Choices) -> Self {
        let value = choices.value.clone();
        Self::new(name, label, Input::One(choices), value)
    }

    pub(crate) fn value(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    pub(crate) fn has(&self, choice: &Choice) -> bool {
        self.values.contains(&choice.value)
    }

    /// What describes it, for screen readers.
    pub(crate) fn described(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        let fault = self.fault.is_some().then(|| format!("{}-fault", self.name));
        [hint, fault].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// Takes over what was sent; secrets are to be typed again.
    pub(crate) fn fill(&mut self, given: &Fields) {
        if !matches!(self.input, Input::Secret(_)) {
            self.values = given.all(self.name).map(str::to_owned).collect();
        }
    }
}
