//! The file of rejected rows: line, reason, then the columns as they were.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use csv::{ReaderBuilder, StringRecord, Writer, WriterBuilder};
use db::load::Refusal;

use super::header::{Header, REJECT_COLUMNS};

/// Made with the first rejected row. What is not UTF-8 stands in it as U+FFFD, and so do NULs.
pub(super) struct Rejects {
    path: PathBuf,
    header: Header,
    writer: Option<Writer<File>>,
    count: u64,
}

impl Rejects {
    /// Rejects go to `path`, which must not be the file that is read.
    pub(super) fn new(path: PathBuf, input: &Path, header: Header) -> Result<Self> {
        let same = fs::canonicalize(&path).is_ok_and(|path| fs::canonicalize(input).is_ok_and(|input| input == path));
        ensure!(!same, "{} is the file to import; rejects must go elsewhere", path.display());
        Ok(Self { path, header, writer: None, count: 0 })
    }

    /// Adds one.
    pub(super) fn write(&mut self, refusal: &Refusal) -> Result<()> {
        let row = [refusal.line.to_string(), refusal.reason.clone()].into_iter();
        let fields = fields(&refusal.record);
        let row = row.chain(fields.iter().skip(self.header.skipped).map(str::to_owned));
        self.writer()?.write_record(row)?;
        self.count += 1;
        Ok(())
    }

    /// Ends the file; returns how many rows are in it. When there are none, one that was left by an earlier import
    /// is deleted, as it would be mistaken for one of this.
    pub(super) fn finish(mut self) -> Result<u64> {
        match &mut self.writer {
            Some(writer) => writer.flush().with_context(|| self.path.display().to_string())?,
            None if fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file()) => {
                fs::remove_file(&self.path).with_context(|| self.path.display().to_string())?;
            }
            None => {}
        }
        Ok(self.count)
    }

    fn writer(&mut self) -> Result<&mut Writer<File>> {
        if self.writer.is_none() {
            let file = File::create(&self.path).with_context(|| self.path.display().to_string())?;
            let mut writer = WriterBuilder::new().flexible(true).from_writer(file);
            writer.write_record(REJECT_COLUMNS.into_iter().chain(self.header.columns.iter().map(String::as_str)))?;
            self.writer = Some(writer);
        }
        self.writer.as_mut().context("the file of rejects is open")
    }
}

/// The fields of a record that was staged as text.
fn fields(record: &str) -> StringRecord {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
    let mut fields = StringRecord::new();
    match reader.read_record(&mut fields) {
        Ok(true) => fields,
        _ => StringRecord::from(vec![record]),
    }
}
