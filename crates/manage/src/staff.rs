//! `manage createsuperuser` and `manage staff`: accounts of those who run the stores.

use accounts::{Actor, Email, Password, Role, Staff as Account};
use anyhow::Result;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use db::Config;

use crate::ask;

/// The first owner, or another.
#[derive(Debug, Args)]
pub(crate) struct CreateSuperuser {
    /// E-mail address; asked for when it is not given
    #[arg(long, required_if_eq("no_input", "true"))]
    email: Option<String>,
    /// Ask nothing: the password is that of SUPERUSER_PASSWORD
    #[arg(long)]
    no_input: bool,
}

/// Accounts of staff.
#[derive(Debug, Subcommand)]
pub(crate) enum Staff {
    /// List every account
    List,
    /// Make an account
    Add {
        /// E-mail address
        email: String,
        /// viewer, manager or owner
        #[arg(long, default_value = "viewer")]
        role: Role,
        /// Ask nothing: the password is that of STAFF_PASSWORD
        #[arg(long)]
        no_input: bool,
    },
    /// Give an account another role; it must sign in again
    Role {
        /// E-mail address
        email: String,
        /// viewer, manager or owner
        role: Role,
    },
    /// Disable an account: its sessions end, its tokens are revoked
    Disable {
        /// E-mail address
        email: String,
    },
    /// Enable a disabled account again
    Enable {
        /// E-mail address
        email: String,
    },
    /// Set a password; the account must sign in again
    Password {
        /// E-mail address
        email: String,
        /// Ask nothing: the password is that of STAFF_PASSWORD
        #[arg(long)]
        no_input: bool,
    },
}

/// Makes an owner.
pub(crate) async fn create_superuser(config: &Config, options: CreateSuperuser) -> Result<()> {
    let email = match options.email {
        Some(email) => email,
        None => ask::line("E-mail address")?,
    };
    add(config, &email, Role::Owner, "SUPERUSER_PASSWORD", options.no_input).await
}

/// Does what was asked.
pub(crate) async fn run(config: &Config, command: Staff) -> Result<()> {
    let accounts = ask::accounts(config)?;
    match command {
        Staff::List => {
            for account in accounts.list_staff().await? {
                say!("{}", line(&account));
            }
        }
        Staff::Add { email, role, no_input } => add(config, &email, role, "STAFF_PASSWORD", no_input).await?,
        Staff::Role { email, role } => {
            let account = accounts.find_staff(&Email::parse(&email)?).await?;
            say!("{}", line(&accounts.set_role(actor(), account.id, role).await?));
        }
        Staff::Disable { email } => {
            let account = accounts.find_staff(&Email::parse(&email)?).await?;
            say!("{}", line(&accounts.disable_staff(actor(), account.id).await?));
        }
        Staff::Enable { email } => {
            let account = accounts.find_staff(&Email::parse(&email)?).await?;
            say!("{}", line(&accounts.enable_staff(actor(), account.id).await?));
        }
        Staff::Password { email, no_input } => {
            let account = accounts.find_staff(&Email::parse(&email)?).await?;
            let password = Password::parse(ask::password("STAFF_PASSWORD", no_input)?, &account.email)?;
            accounts.set_password(actor(), account.id, password).await?;
            say!("The password of {} is set, and its sessions are over.", account.email);
        }
    }
    Ok(())
}

async fn add(config: &Config, email: &str, role: Role, variable: &'static str, no_input: bool) -> Result<()> {
    let email = Email::parse(email)?;
    let password = Password::parse(ask::password(variable, no_input)?, email.as_str())?;
    let account = ask::accounts(config)?.add_staff(actor(), email, role, password).await?;
    say!("{}", line(&account));
    Ok(())
}

/// Who the audit log says it was.
pub(crate) fn actor() -> Actor {
    Actor::program("manage")
}

/// One account: address, role, state and last sign-in, separated by tabs.
fn line(account: &Account) -> String {
    let state = if account.disabled_at.is_some() { "disabled" } else { "active" };
    format!("{}\t{}\t{state}\tlast signed in: {}", account.email, account.role, moment(account.last_sign_in_at))
}

/// A moment to the second, or that there was none.
pub(crate) fn moment(moment: Option<DateTime<Utc>>) -> String {
    moment.map_or_else(|| "never".to_owned(), |moment| moment.to_rfc3339_opts(SecondsFormat::Secs, true))
}
