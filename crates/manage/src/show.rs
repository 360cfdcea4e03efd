//! What people read: lines on stdout, figures, errors.

use std::io::{ErrorKind, Write};
use std::process;

/// The status of a program whose reader went away.
const NOBODY_READS: i32 = 128 + 13;

/// A line on stdout, which takes what `println!` does.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::show::text(&format!("{}\n", format_args!($($text)*)))
    };
}

/// Text on stdout. Where nobody reads it (any more), such as a `head` that has seen enough, the program ends quietly.
pub(crate) fn text(text: &str) {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => process::exit(NOBODY_READS),
        Err(error) => {
            eprintln!("manage: {error}");
            process::exit(1)
        }
        Ok(()) => {}
    }
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// An error and its causes in one line, leaving out causes that the message before them quotes already.
pub(crate) fn causes(error: &anyhow::Error) -> String {
    let mut shown = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !shown.contains(&cause) {
            if !shown.is_empty() {
                shown.push_str(": ");
            }
            shown.push_str(&cause);
        }
    }
    shown
}
