//! Figures and errors as people read them.

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
