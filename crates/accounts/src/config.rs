//! Who is let in without a token.
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `API_AUTH` | `open`: reading and ordering need no token; `required`: they do | `open` |

/// Settings of the accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Config {
    /// Whether reading and ordering need a token too.
    pub token_required: bool,
}

/// What keeps a configuration from being read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The variable holds something else. Taking that for either would be a guess about who is let in.
    #[error("API_AUTH must be open or required")]
    ApiAuth,
}

impl Config {
    /// Reads the variable in the module's table. Empty counts as absent.
    ///
    /// # Errors
    /// When it is neither `open` nor `required`.
    pub fn from_env() -> Result<Self, ConfigError> {
        match std::env::var("API_AUTH").as_deref() {
            Ok("required") => Ok(Self { token_required: true }),
            Ok("open" | "") | Err(std::env::VarError::NotPresent) => Ok(Self::default()),
            _ => Err(ConfigError::ApiAuth),
        }
    }
}
