//! Where logs go: standard output, one event a line.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `LOG_FORMAT` | `text` or `json` | `text` |
//! | `RUST_LOG` | what is logged, as `tracing` filters are written | `info,actix_server=warn` |

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Logs to standard output from now on, and passes over what these crates or modules say, unless `RUST_LOG` names them:
/// for those that log contents, or failures that we log ourselves. Does nothing when called again.
pub fn log_to_stdout_without(crates: &[&str]) {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    let silent = crates.iter().filter(|name| !asked.contains(**name));
    let directives = silent.filter_map(|name| format!("{name}=off").parse().ok());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    let filter = directives.fold(filter, EnvFilter::add_directive);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(std::io::stdout().is_terminal());
    _ = match std::env::var("LOG_FORMAT").as_deref() {
        Ok("json") => builder.json().flatten_event(true).try_init(),
        _ => builder.try_init(),
    };
}
