//! Query parameters that name every fault at once.
//!
//! A type reads its parameters from a [`ParamReader`]; whatever it did not ask for is unknown, and refused with the
//! list of what it did ask for. An empty value counts as absent.

use std::collections::HashSet;
use std::future::{Ready, ready};
use std::num::{IntErrorKind, ParseIntError};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode;

use crate::{Code, Error, Fault};

/// Extractor of query parameters.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

/// A set of query parameters. Derive `utoipa::IntoParams` beside it for the documentation.
pub trait FromParams: Sized {
    /// Reads every parameter of the set; faults are collected by the reader.
    fn from_params(reader: &mut ParamReader) -> Self;
}

impl FromParams for () {
    fn from_params(_: &mut ParamReader) -> Self {}
}

impl<A: FromParams, B: FromParams> FromParams for (A, B) {
    fn from_params(reader: &mut ParamReader) -> Self {
        (A::from_params(reader), B::from_params(reader))
    }
}

/// A value that is written in a query string.
pub trait Param: Sized {
    /// Parses the value, which is never empty.
    ///
    /// # Errors
    /// With what would be legal.
    fn parse(text: &str) -> Result<Self, Rejected>;
}

/// Why a parameter's value is not legal.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// For programs.
    pub code: &'static str,
    /// For people: what would be legal.
    pub detail: String,
}

impl Rejected {
    /// A value that is not legal.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Parses one of a few names.
///
/// # Errors
/// With the list of the legal ones.
pub fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Rejected> {
    choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        Rejected::new("unknown_value", format!("Must be one of {}.", names.join(", ")))
    })
}

/// The parameters of one request, and the faults found in them so far.
#[derive(Debug)]
pub struct ParamReader {
    pairs: Vec<(String, String)>,
    unreadable: Vec<String>,
    known: Vec<&'static str>,
    faults: Vec<Fault>,
    no_such_page: bool,
}

impl ParamReader {
    /// The value given for `name`, if one was. Two that differ are a fault: taking either would be a guess.
    pub fn optional<T: Param>(&mut self, name: &'static str) -> Option<T> {
        let given = || self.pairs.iter().filter(|(given, text)| given == name && !text.is_empty());
        let contradicts = given().any(|pair| Some(pair) != given().next());
        let value = self.many(name).pop();
        if contradicts {
            self.refuse(name, Rejected::new("repeated", "Must be given once."));
        }
        value
    }

    /// The value given for `name`, which must be there.
    pub fn required<T: Param>(&mut self, name: &'static str) -> Option<T> {
        let is_given = self.pairs.iter().any(|(given, text)| given == name && !text.is_empty());
        if !is_given && !self.unreadable.iter().any(|given| given == name) {
            self.refuse(name, Rejected::new("required", "This parameter is required."));
        }
        self.optional(name)
    }

    /// Every value given for `name`, in their order.
    pub fn many<T: Param>(&mut self, name: &'static str) -> Vec<T> {
        self.known.push(name);
        let mut values = Vec::new();
        for (_, text) in self.pairs.iter().filter(|(given, text)| given == name && !text.is_empty()) {
            match T::parse(text) {
                Ok(value) => values.push(value),
                Err(Rejected { code, detail }) => self.faults.push(Fault::parameter(name, code, detail)),
            }
        }
        values
    }

    /// Notes a fault that lies in several parameters together, or is found after parsing.
    pub fn refuse(&mut self, name: &'static str, rejected: Rejected) {
        self.faults.push(Fault::parameter(name, rejected.code, rejected.detail));
    }

    /// Notes that the page asked for cannot exist. Other faults go first.
    pub(crate) fn no_such_page(&mut self) {
        self.no_such_page = true;
    }

    fn read<T: FromParams>(query: &str) -> Result<T, Error> {
        let Pairs { read, unreadable } = Pairs::of(query);
        let faults = unreadable
            .iter()
            .map(|name| Fault::parameter(name, "invalid_text", "Must be UTF-8 text without NUL characters."));
        let faults = faults.collect();
        let mut reader = Self { pairs: read, unreadable, known: Vec::new(), faults, no_such_page: false };
        let value = T::from_params(&mut reader);
        reader.refuse_unknown();
        // A parameter that is given several times has each fault once.
        let mut told = HashSet::new();
        reader.faults.retain(|fault| told.insert((fault.place.clone(), fault.code)));
        match (reader.faults.is_empty(), reader.no_such_page) {
            (false, _) => Err(Error::invalid(reader.faults)),
            (true, true) => Err(Error::new(Code::NoSuchPage)),
            (true, false) => Ok(value),
        }
    }

    fn refuse_unknown(&mut self) {
        let legal = match self.known.is_empty() {
            true => "This address takes no parameters.".to_owned(),
            false => format!("Unknown parameter. Known here: {}.", self.known.join(", ")),
        };
        let mut unknown: Vec<&str> = self.pairs.iter().map(|(name, _)| name.as_str()).collect();
        unknown.retain(|name| !self.known.contains(name));
        let faults = unknown.into_iter().map(|name| Fault::parameter(name, "unknown_parameter", legal.clone()));
        let faults: Vec<Fault> = faults.collect();
        self.faults.extend(faults);
    }
}

/// A query string, decoded.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    /// Names and values.
    pub(crate) read: Vec<(String, String)>,
    /// Names whose value is not UTF-8, or holds a NUL, which PostgreSQL cannot store; `?` where the name is like that.
    unreadable: Vec<String>,
}

impl Pairs {
    pub(crate) fn of(query: &str) -> Self {
        let mut pairs = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Some(name), Some(value)) => pairs.read.push((name, value)),
                (name, _) => pairs.unreadable.push(name.unwrap_or_else(|| "?".to_owned())),
            }
        }
        pairs
    }
}

fn decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    let text = percent_decode(spaced.as_bytes()).decode_utf8().ok()?;
    (!text.contains('\0')).then(|| text.into_owned())
}

impl<T: FromParams + 'static> FromRequest for Params<T> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(ParamReader::read(request.query_string()).map(Self))
    }
}

impl Param for String {
    fn parse(text: &str) -> Result<Self, Rejected> {
        Ok(text.to_owned())
    }
}

impl Param for i64 {
    fn parse(text: &str) -> Result<Self, Rejected> {
        text.parse().map_err(|error: ParseIntError| match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
                Rejected::new("out_of_range", format!("Must be an integer from {} to {}.", Self::MIN, Self::MAX))
            }
            _ => Rejected::new("invalid_type", "Must be an integer."),
        })
    }
}

impl Param for bool {
    fn parse(text: &str) -> Result<Self, Rejected> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Rejected::new("invalid_type", "Must be true or false.")),
        }
    }
}
