//! Asking the person at the terminal, or whoever writes to stdin in their place.

use anyhow::{Context, Result, bail, ensure};
use console::Term;
use db::{Clock, Config, Database};
use secrecy::{ExposeSecret, SecretString};

/// A line that everybody may see.
pub(crate) fn line(question: &str) -> Result<String> {
    eprint!("{question}: ");
    read_line()
}

/// A password: from the variable where it is set, else asked for (twice, and unseen, at a terminal).
///
/// # Errors
/// When there is none, and with `no_input` when the variable is not set.
pub(crate) fn password(variable: &'static str, no_input: bool) -> Result<SecretString> {
    match std::env::var(variable) {
        Ok(password) if !password.is_empty() => return Ok(password.into()),
        _ if no_input => bail!("{variable} is not set"),
        _ => {}
    }
    let term = Term::stderr();
    if !console::user_attended() || !term.is_term() {
        return Ok(line("Password")?.into());
    }
    let ask = |question: &str| -> Result<SecretString> {
        eprint!("{question}: ");
        Ok(term.read_secure_line()?.into())
    };
    let (first, second) = (ask("Password")?, ask("Password (again)")?);
    ensure!(first.expose_secret() == second.expose_secret(), "the two passwords differ");
    Ok(first)
}

fn read_line() -> Result<String> {
    let mut line = String::new();
    let length = std::io::stdin().read_line(&mut line).context("stdin cannot be read")?;
    ensure!(length > 0, "nothing was given on stdin");
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// The accounts kept in the database.
pub(crate) fn accounts(config: &Config) -> Result<accounts::Accounts> {
    let database = Database::new(config)?;
    Ok(accounts::Accounts::new(database, Clock::system(), accounts::Config::default()))
}
