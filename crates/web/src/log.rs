//! Where logs go: standard output, one event a line.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `LOG_FORMAT` | `text` or `json` | `text` |
//! | `RUST_LOG` | what is logged, as `tracing` filters are written | `info` |

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs to standard output from now on. Does nothing when called again.
pub fn log_to_stdout() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stdout().is_terminal());
    _ = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().flatten_event(true).try_init(),
        _ => builder.try_init(),
    };
}
