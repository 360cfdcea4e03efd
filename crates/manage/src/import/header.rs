//! The header row: which column of the file is which.

use std::io::Read;

use anyhow::{Context, Result, bail, ensure};

use super::fields::Fields;
use super::records::{Found, Record, Records};
use super::rows::Row;

/// What a file of rejects begins with; its rows can be mended and imported as they are.
pub(super) const REJECT_COLUMNS: [&str; 2] = ["line", "reason"];

/// The columns of a file.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// As the file names them, without those of a file of rejects.
    pub(super) columns: Vec<String>,
    /// Columns at the front that are passed over: those of a file of rejects.
    pub(super) skipped: usize,
    /// Where each expected column is.
    places: Vec<usize>,
}

impl Header {
    /// Reads the first record, which must name each of `expected` once, in any order and case, and nothing else.
    pub(super) fn read<R: Read>(records: &mut Records<R>, expected: &[&str]) -> Result<Self> {
        let expected_columns = expected.join(",");
        let record = match records.next().context("reading the file")? {
            Some(Found::Record(record)) => record,
            Some(Found::Broken { line, reason, .. }) => bail!("the header row on line {line} cannot be read: {reason}"),
            None => bail!("the file is empty; its first row must be the header {expected_columns}"),
        };
        let named: Vec<String> =
            record.fields().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect();
        let names: Vec<String> = named.iter().map(|name| name.to_lowercase()).collect();
        let skipped = if names.starts_with(&REJECT_COLUMNS.map(str::to_owned)) { REJECT_COLUMNS.len() } else { 0 };
        let quoted = |names: Vec<&str>| names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        let unknown: Vec<&str> =
            names[skipped..].iter().map(String::as_str).filter(|name| !expected.contains(name)).collect();
        let missing: Vec<&str> =
            expected.iter().copied().filter(|name| !names[skipped..].iter().any(|named| named == name)).collect();
        let wrong: Vec<String> = [("unknown", unknown), ("missing", missing)]
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(what, names)| format!("{what} columns: {}", quoted(names)))
            .collect();
        ensure!(wrong.is_empty(), "the header row must be {expected_columns}; {}", wrong.join("; "));
        ensure!(names.len() - skipped == expected.len(), "the header row must name each of {expected_columns} once");
        let places = expected.iter().filter_map(|name| names.iter().skip(skipped).position(|named| named == name));
        let places = places.map(|place| place + skipped).collect();
        Ok(Self { columns: named[skipped..].to_vec(), skipped, places })
    }

    /// The record as a row, or everything that is wrong with it.
    pub(super) fn row<L: Row>(&self, record: &Record<'_>) -> Result<L, String> {
        let fields: Vec<&[u8]> = record.fields().collect();
        let expected = self.columns.len() + self.skipped;
        if fields.len() != expected {
            return Err(format!("{} columns where the header has {expected}", fields.len()));
        }
        let mut fields = Fields::new(self.places.iter().map(|&place| fields[place]).collect());
        let row = L::parse(&mut fields);
        fields.faults().map_or(Ok(row), Err)
    }
}
