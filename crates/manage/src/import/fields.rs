//! Fields of a record, taken one after the other; every fault is noted.

use std::ops::RangeInclusive;

use rust_decimal::Decimal;

/// The fields of one record, in the order that its kind expects them.
pub(super) struct Fields<'a> {
    left: std::vec::IntoIter<&'a [u8]>,
    faults: Vec<String>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(fields: Vec<&'a [u8]>) -> Self {
        Self { left: fields.into_iter(), faults: Vec::new() }
    }

    /// Everything that was wrong, in one line; none when nothing was.
    pub(super) fn faults(self) -> Option<String> {
        (!self.faults.is_empty()).then(|| self.faults.join("; "))
    }

    /// A text of so many characters, not counting space around it, which is dropped.
    pub(super) fn text(&mut self, column: &str, length: RangeInclusive<usize>) -> String {
        let text = self.utf8(column).trim();
        let characters = text.chars().count();
        if characters > *length.end() {
            self.fault(column, format!("{characters} characters, at most {} are allowed", length.end()));
        } else if characters < *length.start() && !self.faulty(column) {
            self.fault(column, "empty".into());
        }
        text.to_owned()
    }

    /// A price: digits, and up to two decimals after a point.
    pub(super) fn price(&mut self, column: &str) -> Decimal {
        let text = self.utf8(column).trim();
        if self.faulty(column) {
            return Decimal::ZERO;
        }
        match price(text) {
            Ok(price) => price,
            Err(fault) => {
                self.fault(column, format!("{fault}: {}", shortened(text)));
                Decimal::ZERO
            }
        }
    }

    /// A whole number from 0 to `most`.
    pub(super) fn quantity(&mut self, column: &str, most: i32) -> i32 {
        let text = self.utf8(column).trim();
        if self.faulty(column) {
            return 0;
        }
        match quantity(text, most) {
            Ok(quantity) => quantity,
            Err(fault) => {
                self.fault(column, format!("{fault}: {}", shortened(text)));
                0
            }
        }
    }

    fn utf8(&mut self, column: &str) -> &'a str {
        let bytes = self.left.next().unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains('\0') => self.fault(column, "holds a NUL character".into()),
            Ok(text) => return text,
            Err(_) => self.fault(column, "not UTF-8".into()),
        }
        ""
    }

    fn fault(&mut self, column: &str, fault: String) {
        self.faults.push(format!("{column}: {fault}"));
    }

    fn faulty(&self, column: &str) -> bool {
        self.faults.last().is_some_and(|fault| fault.split(':').next() == Some(column))
    }
}

fn price(text: &str) -> Result<Decimal, &'static str> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    if whole.is_empty() || decimals.is_empty() || !(whole.bytes().chain(decimals.bytes())).all(|b| b.is_ascii_digit()) {
        return Err("not a price such as 12.50");
    }
    if sign == "-" {
        return Err("negative");
    }
    if decimals.len() > 2 {
        return Err("more than two decimals");
    }
    if whole.trim_start_matches('0').len() > 10 {
        return Err("more than 9999999999.99");
    }
    let mut price = digits.parse::<Decimal>().map_err(|_| "not a price such as 12.50")?;
    price.rescale(2);
    Ok(price)
}

fn quantity(text: &str, most: i32) -> Result<i32, String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("not a whole number".into());
    }
    if sign == "-" {
        return Err("negative".into());
    }
    digits.parse().ok().filter(|quantity| *quantity <= most).ok_or_else(|| format!("more than {most}"))
}

/// Enough of a text to know it by.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
