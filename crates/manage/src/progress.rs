//! Progress bars on stderr; nothing is drawn where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// Counts rows.
pub(crate) fn rows(what: &'static str, total: u64) -> ProgressBar {
    bar(what, total, "{msg:>10} {wide_bar} {human_pos}/{human_len} {per_sec:.dim} {eta:>4}")
}

/// Counts bytes, of a total that may not be known.
pub(crate) fn bytes(what: &'static str, total: Option<u64>) -> ProgressBar {
    match total {
        Some(total) => bar(what, total, "{msg:>10} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec:.dim} {eta:>4}"),
        None => bar(what, 0, "{msg:>10} {spinner} {bytes} {bytes_per_sec:.dim}"),
    }
}

fn bar(what: &'static str, total: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style).with_message(what)
}
