use web::{Code, Coded};

/// Why an account or a token could not be read or changed. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The e-mail address is not one.
    #[error("This is not an e-mail address.")]
    NotAnEmail,
    /// The password is too short, too long, or the address itself.
    #[error("A password has 8 to 200 characters and is not the e-mail address.")]
    WeakPassword,
    /// The address is taken.
    #[error("There is already an account for {0}.")]
    EmailTaken(String),
    /// No account has this address or id.
    #[error("There is no account {0}.")]
    NoSuchStaff(String),
    /// The change would leave nobody to manage staff.
    #[error("This is the last owner: somebody must remain who manages staff.")]
    LastOwner,
    /// The account is disabled.
    #[error("The account is disabled.")]
    Disabled,
    /// Somebody else changed the account since it was looked at.
    #[error("Somebody else changed this account since you opened it. Nothing was changed.")]
    Stale,
    /// A token needs a name of 1 to 100 characters, which people can read.
    #[error("A token has a name of 1 to 100 characters, without control characters.")]
    TokenName,
    /// A token needs a scope.
    #[error("A token has at least one scope.")]
    NoScopes,
    /// The maker's role does not open this.
    #[error("The role {role} does not open {scope}.")]
    TooWide {
        /// The maker's.
        role: crate::Role,
        /// What was asked for.
        scope: crate::Scope,
    },
    /// The token would be dead at once.
    #[error("A token must expire in the future.")]
    Expired,
    /// No token has this id.
    #[error("There is no token {0}.")]
    NoSuchToken(i64),
    /// Too many passwords are being hashed. Trying later helps.
    #[error("too many passwords are being hashed")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] db::Error),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotAnEmail | Self::WeakPassword | Self::TokenName | Self::NoScopes | Self::Expired => Code::Invalid,
            Self::TooWide { .. } => Code::Forbidden,
            Self::NoSuchStaff(_) | Self::NoSuchToken(_) => Code::NotFound,
            Self::EmailTaken(_) | Self::LastOwner | Self::Disabled | Self::Stale => Code::Conflict,
            Self::Busy => Code::Unavailable,
            Self::Database(error) => error.code(),
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
