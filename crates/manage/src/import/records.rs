//! Records of a CSV file with the physical lines on which they begin.
//!
//! The crate `csv` counts a record's position from the end of the one before, which is another line after blank lines
//! and CR LF; and one quote that is never closed would take the rest of the file with it. So this reads with its core,
//! `csv-core`, counts lines itself, and goes on after the line with the stray quote.

use std::borrow::Cow;
use std::io::{self, Read};

use csv_core::ReadRecordResult;

/// Longer records are refused: a quote that is never closed must not fill the memory.
const LONGEST: usize = 1 << 20;

/// Read from the source at a time.
const PIECE: usize = 1 << 16;

const BOM: &[u8] = b"\xef\xbb\xbf";

const TOO_LONG: &str = "the record is longer than 1 MiB";
const UNCLOSED: &str = "a quote is opened and not closed";

/// One record, as it lies in the file.
pub(super) struct Record<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: i64,
    raw: &'a [u8],
    fields: &'a [u8],
    ends: &'a [usize],
}

impl Record<'_> {
    /// Its fields, unquoted.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        self.ends.iter().enumerate().map(|(place, &end)| {
            let start = if place == 0 { 0 } else { self.ends[place - 1] };
            &self.fields[start..end]
        })
    }

    /// The record as text that PostgreSQL can store.
    pub(super) fn text(&self) -> Cow<'_, str> {
        text(self.raw)
    }
}

/// What the next bytes are.
pub(super) enum Found<'a> {
    /// A record.
    Record(Record<'a>),
    /// A line on which no record begins that could be read. Reading goes on with the next line.
    Broken { line: i64, text: String, reason: &'static str },
}

/// Reads records one by one.
pub(super) struct Records<R> {
    source: R,
    core: csv_core::Reader,
    /// From `start` the current record, of which the core has read the bytes before `next`.
    buffer: Vec<u8>,
    start: usize,
    next: usize,
    at_end: bool,
    /// How many bytes of the source lie before `start`, and on which line that is.
    passed: u64,
    line: i64,
    /// Whether the byte before `start` was a CR: an LF then ends no line of its own.
    after_cr: bool,
    fields: Vec<u8>,
    ends: Vec<usize>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            core: csv_core::Reader::new(),
            buffer: Vec::with_capacity(2 * PIECE),
            start: 0,
            next: 0,
            at_end: false,
            passed: 0,
            line: 1,
            after_cr: false,
            fields: vec![0; 1024],
            ends: vec![0; 16],
        }
    }

    /// How many bytes of the source have been dealt with.
    pub(super) fn consumed(&self) -> u64 {
        self.passed
    }

    /// The next record; none at the end. Blank lines are passed over.
    pub(super) fn next(&mut self) -> io::Result<Option<Found<'_>>> {
        self.pass_to(self.next);
        self.core.reset();
        if !self.pass_blank()? {
            return Ok(None);
        }
        let (mut fields, mut ends) = (0, 0);
        loop {
            if self.next == self.buffer.len() && !self.at_end {
                if self.next - self.start > LONGEST {
                    let misquoted = is_misquoted(&self.buffer[self.start..]);
                    return self.broken(if misquoted { UNCLOSED } else { TOO_LONG }).map(Some);
                }
                self.fill()?;
                continue;
            }
            let unread = &self.buffer[self.next..];
            let (result, read, written, ended) =
                self.core.read_record(unread, &mut self.fields[fields..], &mut self.ends[ends..]);
            self.next += read;
            fields += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => break,
            }
        }
        let end = self.start + without_line_end(&self.buffer[self.start..self.next]).len();
        if self.runs_on(end) {
            return self.broken(UNCLOSED).map(Some);
        }
        Ok(Some(Found::Record(Record {
            line: self.line,
            raw: &self.buffer[self.start..end],
            fields: &self.fields[..fields],
            ends: &self.ends[..ends],
        })))
    }

    /// Whether the record that ends here took lines that are not its own.
    fn runs_on(&self, end: usize) -> bool {
        let record = &self.buffer[self.start..end];
        let is_last = self.at_end && self.next == self.buffer.len();
        (is_last || record.contains(&b'\n') || record.contains(&b'\r')) && is_misquoted(record)
    }

    /// Gives up the record that begins here: only its first line is passed over.
    fn broken(&mut self, reason: &'static str) -> io::Result<Found<'_>> {
        let record = &self.buffer[self.start..];
        let line = self.line;
        let end = record.iter().position(|&byte| byte == b'\n');
        let text = text(without_line_end(&record[..end.unwrap_or(record.len().min(PIECE))])).into_owned();
        match end {
            Some(end) => self.next = self.start + end + 1,
            None => self.skip_line()?,
        }
        Ok(Found::Broken { line, text, reason })
    }

    /// Passes over bytes to the end of a line that is longer than the buffer should get.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            self.pass_to(self.buffer.len());
            if !self.fill()? {
                return Ok(());
            }
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                self.next = end + 1;
                return Ok(());
            }
        }
    }

    /// Passes over line ends, and the byte order mark, to where a record begins; false when nothing is left.
    fn pass_blank(&mut self) -> io::Result<bool> {
        loop {
            let left = &self.buffer[self.start..];
            if left.len() < BOM.len() && !self.at_end {
                self.fill()?;
            } else if self.passed == 0 && left.starts_with(BOM) {
                self.pass_to(self.start + BOM.len());
            } else {
                match left.iter().position(|byte| !matches!(byte, b'\r' | b'\n')) {
                    Some(blank) => {
                        self.pass_to(self.start + blank);
                        return Ok(true);
                    }
                    None if self.at_end => return Ok(false),
                    None => self.pass_to(self.buffer.len()),
                }
            }
        }
    }

    /// The bytes before `end` are done with.
    fn pass_to(&mut self, end: usize) {
        for &byte in &self.buffer[self.start..end] {
            self.line += i64::from(byte == b'\r' || byte == b'\n' && !self.after_cr);
            self.after_cr = byte == b'\r';
        }
        self.passed += (end - self.start) as u64;
        (self.start, self.next) = (end, end);
    }

    /// Drops what was passed and reads a piece more; false at the end of the source.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.start);
        (self.start, self.next) = (0, self.next - self.start);
        let filled = self.buffer.len();
        self.buffer.resize(filled + PIECE, 0);
        let read = loop {
            match self.source.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.at_end = matches!(read, Ok(0));
        read.map(|read| read > 0)
    }
}

/// Whether a quote is missing, so that a field runs on into lines that are not its own: the last field lacks the
/// closing quote, or a field of several lines goes on after it.
fn is_misquoted(record: &[u8]) -> bool {
    enum At {
        FieldBegin,
        Plain,
        Quoted { lines: bool },
        AfterQuote { lines: bool },
    }
    let mut at = At::FieldBegin;
    for &byte in record {
        at = match (at, byte) {
            (At::FieldBegin, b'"') => At::Quoted { lines: false },
            (At::Quoted { lines }, b'"') => At::AfterQuote { lines },
            (At::Quoted { .. }, b'\r' | b'\n') => At::Quoted { lines: true },
            (quoted @ At::Quoted { .. }, _) => quoted,
            // The second of two quotes, which stand for one.
            (At::AfterQuote { lines }, b'"') => At::Quoted { lines },
            (_, b',' | b'\r' | b'\n') => At::FieldBegin,
            (At::AfterQuote { lines: true }, _) => return true,
            _ => At::Plain,
        };
    }
    matches!(at, At::Quoted { .. })
}

fn without_line_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., b'\r' | b'\n'] = bytes {
        bytes = rest;
    }
    bytes
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(bytes) {
        text if text.contains('\0') => Cow::Owned(text.replace('\0', "\u{fffd}")),
        text => text,
    }
}
