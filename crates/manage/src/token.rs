//! `manage token`: keys to the API for programs.

use accounts::{Email, NewToken, Scope};
use anyhow::Result;
use chrono::TimeDelta;
use clap::Subcommand;
use db::{Clock, Config};
use secrecy::ExposeSecret;

use crate::ask;
use crate::staff::{actor, moment};

/// Tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token, and print it: it is shown this once
    Create {
        /// Who makes it: it never opens more than this account's role, and ends with the account
        #[arg(long, value_name = "EMAIL")]
        staff: String,
        /// What to call it
        #[arg(long)]
        name: String,
        /// What for (repeat it, or separate by commas): catalogue:read, catalogue:write, stores:write, stock:write,
        /// orders:read, orders:place, orders:cancel, orders:email
        #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// Days until it expires; never when not given
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
        expires_in: Option<u32>,
    },
    /// List every token
    List,
    /// Revoke a token
    Revoke {
        /// Its id, as `manage token list` shows it
        id: i64,
    },
}

/// Does what was asked. A new token stands alone on stdout, so that a script can take it.
pub(crate) async fn run(config: &Config, command: Token) -> Result<()> {
    let accounts = ask::accounts(config)?;
    match command {
        Token::Create { staff, name, scopes, expires_in } => {
            let maker = accounts.find_staff(&Email::parse(&staff)?).await?;
            let expires_at = expires_in.map(|days| Clock::system().now() + TimeDelta::days(days.into()));
            let token = NewToken { staff_id: maker.id, name, scopes, expires_at };
            let made = accounts.make_token(actor(), token).await?;
            eprintln!("Token {} of {}. It is shown this once:", made.id, maker.email);
            say!("{}", made.secret.expose_secret());
        }
        Token::List => {
            for token in accounts.list_tokens(None).await? {
                let state = match (token.revoked_at, token.expires_at) {
                    (Some(_), _) => "revoked".to_owned(),
                    (None, None) => "never expires".to_owned(),
                    (None, expires) => format!("expires {}", moment(expires)),
                };
                let (scopes, used) = (token.scopes.join(","), moment(token.last_used_at));
                say!(
                    "{}\t{}…\t{}\t{}\t{scopes}\t{state}\tlast used: {used}",
                    token.id,
                    token.prefix,
                    token.name,
                    token.email
                );
            }
        }
        Token::Revoke { id } => {
            accounts.revoke_token(actor(), id).await?;
            say!("Token {id} is revoked.");
        }
    }
    Ok(())
}
