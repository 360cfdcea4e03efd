//! Who runs the stores: for owners alone.

use accounts::{Email, Error, Password, Role, Staff, Standing};
use db::Seek;
use secrecy::SecretString;
use web::Fault;

use super::choices;
use crate::desk::Desk;
use crate::form::{Field, Form, Input, history, saved};
use crate::list::{About, Asked, Cell, Choice, Choices, Column, Filter, Found, Key, Kind, List, sort};
use crate::render::Answer;
use crate::trouble::Trouble;

const LIST: (&str, &str) = ("/admin/staff/", "Staff");

/// The accounts.
pub(crate) struct Members;

impl List for Members {
    type Row = Staff;

    const ABOUT: About = About {
        path: LIST.0,
        title: LIST.1,
        hint: "A viewer reads, a manager changes catalogue, stock and orders, an owner also manages staff.",
        columns: &[
            Column::text("E-mail").sorted("email"),
            Column::text("Role").sorted("role"),
            Column::text("State"),
            Column::text("Last signed in (UTC)").sorted("signed-in"),
            Column::text("Made (UTC)").sorted("made"),
        ],
        filters: &[
            Filter::new("q", "Part of the address", Kind::Search),
            Filter::new("role", "Role", Kind::Choice),
            Filter::new("state", "State", Kind::Choice),
            Filter::new("from", "Made from", Kind::Day),
            Filter::new("to", "Made to", Kind::Day),
        ],
        sorts: &["email", "-email", "role", "-role", "-signed-in", "signed-in", "-made", "made"],
        actions: &[],
        new: Some(("New account", Role::Owner)),
        actors: Role::Owner,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Staff>, Trouble> {
        let part = asked.given("q").unwrap_or_default().to_lowercase();
        let mut staff = desk.accounts()?.list_staff().await?;
        staff.retain(|staff| {
            staff.email.to_lowercase().contains(&part)
                && asked.given("role").is_none_or(|role| role == staff.role.as_str())
                && asked.given("state").is_none_or(|wanted| wanted == state(staff))
                && asked.spans(staff.created_at)
        });
        match asked.order() {
            ("role", descending) => sort(&mut staff, descending, |staff| Some(staff.role)),
            ("signed-in", descending) => sort(&mut staff, descending, |staff| staff.last_sign_in_at),
            ("made", descending) => sort(&mut staff, descending, |staff| Some((staff.created_at, staff.id))),
            // They come by address.
            (_, descending) => {
                if descending {
                    staff.reverse();
                }
            }
        }
        Ok(Found::among(staff, seek, size, |staff| Key::new(staff.id, "")))
    }

    fn cells(staff: &Staff, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::link(format!("/admin/staff/{}/", staff.id), &staff.email),
            Cell::Text(staff.role.to_string()),
            Cell::badge(state(staff)),
            Cell::Moment(staff.last_sign_in_at),
            Cell::Moment(Some(staff.created_at)),
        ]
    }

    fn id(staff: &Staff) -> String {
        staff.id.to_string()
    }

    async fn choices(_: &Desk, filter: &str, given: &str) -> Result<Choices, Trouble> {
        let words = if filter == "role" { roles() } else { choices::words(["active", "disabled"]) };
        Ok(Choices::of(words, given))
    }
}

fn state(staff: &Staff) -> &'static str {
    if staff.disabled_at.is_some() { "disabled" } else { "active" }
}

fn roles() -> Vec<Choice> {
    choices::words(Role::ALL.map(Role::as_str))
}

fn secret() -> Field {
    Field::new("password", "Password", Input::Secret("new-password"), "")
        .hint("8 to 200 characters, whichever you like.")
}

fn new() -> Form {
    let fields = vec![
        Field::new("email", "E-mail", Input::Line("email", 254), ""),
        Field::one("role", "Role", Choices::of(roles(), "viewer")),
        secret(),
    ];
    Form { action: format!("{}new/", LIST.0), another: true, ..Form::new("New account", LIST, fields) }
}

async fn of(desk: &Desk, staff: &Staff) -> Result<Form, Trouble> {
    let fields = vec![
        Field::one("role", "Role", Choices::of(roles(), staff.role.as_str()))
            .hint("With another role its sessions end; its tokens open what the new role does."),
        Field::one("state", "State", Choices::of(choices::words(["active", "disabled"]), state(staff)))
            .hint("Disabled, it opens nothing: its sessions end, its tokens are revoked."),
    ];
    Ok(Form {
        action: format!("{}{}/", LIST.0, staff.id),
        seen: format!("{} {}", staff.role, state(staff)),
        links: vec![(format!("{}{}/password/", LIST.0, staff.id), "Set a password".into())],
        history: Some(history(desk, "staff", staff.id).await?),
        ..Form::new(staff.email.clone(), LIST, fields)
    })
}

async fn found(desk: &Desk) -> Result<Staff, Trouble> {
    let id = desk.id("id")?;
    let staff = desk.accounts()?.list_staff().await?;
    staff.into_iter().find(|staff| staff.id == id).ok_or_else(Trouble::nothing)
}

/// Beside which field an error belongs.
fn fault(error: &Error) -> Option<Fault> {
    let field = match error {
        Error::NotAnEmail | Error::EmailTaken(_) => "/email",
        Error::WeakPassword => "/password",
        _ => return None,
    };
    Some(Fault::at(field, "refused", error.to_string()))
}

fn refused(form: Form, desk: &Desk, error: Error) -> Answer {
    match fault(&error) {
        Some(fault) => form.again(desk, &[fault]),
        None => form.refused(desk, error),
    }
}

/// `GET /admin/staff/new/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    new().show(&desk)
}

/// `POST /admin/staff/new/`
pub(crate) async fn create(desk: Desk) -> Answer {
    let typed = SecretString::from(desk.form.exactly("password"));
    let Ok(role) = desk.form.get("role").parse() else { return new().again(&desk, &[no_role()]) };
    let read = Email::parse(desk.form.get("email"))
        .and_then(|email| Password::parse(typed, email.as_str()).map(|password| (email, password)));
    let added = match read {
        Ok((email, password)) => desk.accounts()?.add_staff(desk.actor(), email, role, password).await,
        Err(error) => Err(error),
    };
    match added {
        Ok(staff) => Ok(saved(&desk, LIST.0, &format!("{}{}/", LIST.0, staff.id), "created")),
        Err(error) => refused(new(), &desk, error),
    }
}

/// `GET /admin/staff/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    of(&desk, &found(&desk).await?).await?.show(&desk)
}

/// `POST /admin/staff/{id}/`
pub(crate) async fn save(desk: Desk) -> Answer {
    let staff = found(&desk).await?;
    let Some(seen) = standing(desk.form.get("seen")) else {
        return refused(of(&desk, &staff).await?, &desk, Error::Stale);
    };
    let (role, state) = (desk.form.get("role"), desk.form.get("state"));
    let Some(wanted) = standing(&format!("{role} {state}")) else {
        let is_role = role.parse::<Role>().is_ok();
        let fault = if is_role { Fault::at("/state", "unknown", "Active or disabled.") } else { no_role() };
        return of(&desk, &staff).await?.again(&desk, &[fault]);
    };
    match desk.accounts()?.set_standing(desk.actor(), staff.id, seen, wanted).await {
        Ok(_) => Ok(saved(&desk, LIST.0, &format!("{}{}/", LIST.0, staff.id), "saved")),
        Err(error) => refused(of(&desk, &staff).await?, &desk, error),
    }
}

fn no_role() -> Fault {
    Fault::at("/role", "unknown", "Viewer, manager or owner.")
}

/// From a role and a state, as the form has them.
fn standing(text: &str) -> Option<Standing> {
    let (role, state) = text.split_once(' ')?;
    let is_disabled = match state {
        "active" => false,
        "disabled" => true,
        _ => return None,
    };
    Some(Standing { role: role.parse().ok()?, is_disabled })
}

fn password_of(staff: &Staff) -> Form {
    let field = secret().hint("8 to 200 characters, whichever you like. Every session of the account ends.");
    let action = format!("{}{}/password/", LIST.0, staff.id);
    Form { action, ..Form::new(format!("Password of {}", staff.email), LIST, vec![field]) }
}

/// `GET /admin/staff/{id}/password/`
pub(crate) async fn password_form(desk: Desk) -> Answer {
    password_of(&found(&desk).await?).show(&desk)
}

/// `POST /admin/staff/{id}/password/`
pub(crate) async fn password(desk: Desk) -> Answer {
    let staff = found(&desk).await?;
    let set = match Password::parse(SecretString::from(desk.form.exactly("password")), &staff.email) {
        Ok(password) => desk.accounts()?.set_password(desk.actor(), staff.id, password).await,
        Err(error) => Err(error),
    };
    match set {
        Ok(()) => Ok(saved(&desk, LIST.0, &format!("{}{}/", LIST.0, staff.id), "password")),
        Err(error) => refused(password_of(&staff), &desk, error),
    }
}
