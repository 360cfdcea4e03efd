//! One's own password.

use accounts::{Password, SignIn, SignInError};
use secrecy::SecretString;
use web::Fault;

use crate::cookie;
use crate::desk::Desk;
use crate::form::{Field, Form, Input};
use crate::render::{Answer, go_to_with};

fn form() -> Form {
    let secret = |name, label, kind| Field::new(name, label, Input::Secret(kind), "");
    let fields = vec![
        secret("current", "Present password", "current-password"),
        secret("password", "New password", "new-password").hint("8 to 200 characters, whichever you like."),
        secret("again", "New password again", "new-password"),
    ];
    Form { action: "/admin/password/".into(), ..Form::new("Your password", ("/admin/", "Dashboard"), fields) }
}

/// `GET /admin/password/`
pub(crate) async fn show(desk: Desk) -> Answer {
    form().show(&desk)
}

/// `POST /admin/password/`: every session of the account ends, and a new one begins here.
pub(crate) async fn save(desk: Desk) -> Answer {
    let typed = |name: &str| SecretString::from(desk.form.exactly(name));
    let fault = |name: &str, words: String| form().again(&desk, &[Fault::at(format!("/{name}"), "refused", words)]);
    if desk.form.exactly("password") != desk.form.exactly("again") {
        return fault("again", "The two are not the same.".into());
    }
    let password = match Password::parse(typed("password"), &desk.session.email) {
        Ok(password) => password,
        Err(error) => return fault("password", error.to_string()),
    };
    let attempt = |password| SignIn {
        email: desk.session.email.clone(),
        password,
        address: desk.client().address,
        presented: None,
        request_id: desk.request_id(),
    };
    let accounts = desk.accounts()?;
    match accounts.sign_in(attempt(typed("current"))).await {
        Ok(_) => {}
        Err(SignInError::Failed(error)) => return Err(error.into()),
        Err(SignInError::Refused) => return fault("current", "This is not your present password.".into()),
        Err(error) => return fault("current", error.to_string()),
    }
    accounts.set_password(desk.actor(), desk.session.staff_id, password).await?;
    let is_secure = desk.client().is_secure;
    // The password is changed, whether there is room for signing in at this moment or not.
    Ok(match accounts.sign_in(attempt(typed("password"))).await {
        Ok(begun) => go_to_with("/admin/?done=password", cookie::made(&begun.secret, is_secure)),
        Err(_) => go_to_with("/admin/sign-in/?done=password", cookie::removed(is_secure)),
    })
}
