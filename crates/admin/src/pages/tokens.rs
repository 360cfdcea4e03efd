//! Keys to the API: their list, and making one.

use accounts::{NewToken, Role, Scope, Token};
use askama::Template;
use chrono::{DateTime, TimeDelta, Utc};
use db::Seek;
use secrecy::ExposeSecret;
use web::Fault;

use super::bulk::Bulk;
use crate::desk::Desk;
use crate::form::{Field, Form, Input, history};
use crate::list::{About, Action, Asked, Cell, Choice, Choices, Column, Filter, Found, Key, Kind, List, sort};
use crate::render::{self, Answer, Frame, page};
use crate::trouble::Trouble;

const LIST: (&str, &str) = ("/admin/tokens/", "Tokens");

/// Days that a token lasts unless its maker says otherwise.
const USUAL: &str = "90";

/// Tokens: an owner sees everybody's, others see their own.
pub(crate) struct Tokens;

impl List for Tokens {
    type Row = (Token, &'static str);

    const ABOUT: About = About {
        path: LIST.0,
        title: LIST.1,
        hint: "Keys to the API for programs. A token never opens more than its maker's role does, and ends with their account.",
        columns: &[
            Column::number("Id").sorted("id"),
            Column::text("Name").sorted("name"),
            Column::text("Begins with"),
            Column::text("Made by").sorted("maker"),
            Column::text("Opens"),
            Column::text("State"),
            Column::text("Made (UTC)").sorted("id"),
            Column::text("Expires (UTC)").sorted("expires"),
            Column::text("Last used (UTC)").sorted("used"),
        ],
        filters: &[
            Filter::new("q", "Name or maker", Kind::Search),
            Filter::new("state", "State", Kind::Choice),
            Filter::new("from", "Made from", Kind::Day),
            Filter::new("to", "Made to", Kind::Day),
        ],
        sorts: &["-id", "id", "name", "-name", "maker", "-maker", "expires", "-expires", "-used", "used"],
        actions: &[Action {
            name: "revoke",
            label: "Revoke",
            question: "Programs that use them are shut out at once.",
        }],
        new: Some(("New token", Role::Viewer)),
        actors: Role::Viewer,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Self::Row>, Trouble> {
        let now = desk.now()?;
        let part = asked.given("q").unwrap_or_default().to_lowercase();
        let mut tokens = visible(desk).await?;
        tokens.retain(|token| {
            asked.spans(token.created_at) && format!("{} {}", token.name, token.email).to_lowercase().contains(&part)
        });
        match asked.order() {
            ("name", descending) => sort(&mut tokens, descending, |token| Some(token.name.to_lowercase())),
            ("maker", descending) => sort(&mut tokens, descending, |token| Some(token.email.to_lowercase())),
            ("expires", descending) => sort(&mut tokens, descending, |token| token.expires_at),
            ("used", descending) => sort(&mut tokens, descending, |token| token.last_used_at),
            (_, descending) => sort(&mut tokens, descending, |token| Some(token.id)),
        }
        let rows = tokens.into_iter().map(|token| {
            let state = state(&token, now);
            (token, state)
        });
        let rows = rows.filter(|(_, state)| asked.given("state").is_none_or(|wanted| wanted == *state)).collect();
        Ok(Found::among(rows, seek, size, |(token, _)| Key::new(token.id, "")))
    }

    fn cells((token, state): &Self::Row, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::number(token.id),
            Cell::link(format!("{}{}/", LIST.0, token.id), &token.name),
            Cell::Text(token.prefix.clone()),
            Cell::Text(token.email.clone()),
            Cell::Text(token.scopes.join(", ")),
            Cell::badge(*state),
            Cell::Moment(Some(token.created_at)),
            Cell::Moment(token.expires_at),
            Cell::Moment(token.last_used_at),
        ]
    }

    async fn choices(_: &Desk, _: &str, given: &str) -> Result<Choices, Trouble> {
        Ok(Choices::of(super::choices::words(["active", "expired", "revoked"]), given))
    }

    fn id((token, _): &Self::Row) -> String {
        token.id.to_string()
    }
}

impl Bulk for Tokens {
    async fn act(desk: &Desk, _: &str, id: &str) -> Result<(), Trouble> {
        let id = id.parse().map_err(|_| Trouble::nothing())?;
        if !visible(desk).await?.iter().any(|token| token.id == id) {
            return Err(Trouble::nothing());
        }
        Ok(desk.accounts()?.revoke_token(desk.actor(), id).await?)
    }
}

fn state(token: &Token, now: DateTime<Utc>) -> &'static str {
    match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "active",
    }
}

/// The tokens that are this person's business.
async fn visible(desk: &Desk) -> Result<Vec<Token>, Trouble> {
    let whose = (desk.session.role < Role::Owner).then_some(desk.session.staff_id);
    Ok(desk.accounts()?.list_tokens(whose).await?)
}

fn form(desk: &Desk) -> Form {
    let scopes = desk.session.role.scopes().map(|scope| Choice::new(scope.as_str(), scope.as_str())).collect();
    let days = [("30", "in 30 days"), ("90", "in 90 days"), ("365", "in a year"), ("never", "never")];
    let days = days.map(|(value, label)| Choice::new(value, label)).to_vec();
    let fields = vec![
        Field::line("name", "Name", 100, "").hint("What it is for, such as the till at the harbour."),
        Field { values: Vec::new(), ..Field::new("scopes", "What it opens", Input::Any(scopes), "") },
        Field::one("days", "Expires", Choices::of(days, USUAL)).optional(),
    ];
    Form { action: format!("{}new/", LIST.0), ..Form::new("New token", LIST, fields) }
}

/// `GET /admin/tokens/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    let (id, now) = (desk.id("id")?, desk.now()?);
    let token = visible(&desk).await?.into_iter().find(|token| token.id == id).ok_or_else(Trouble::nothing)?;
    let at = |moment: Option<DateTime<Utc>>| moment.map_or_else(|| "never".to_owned(), render::moment);
    let facts = [
        ("state", "State", state(&token, now).to_owned()),
        ("prefix", "Begins with", token.prefix),
        ("email", "Made by", token.email),
        ("scopes", "Opens", token.scopes.join(", ")),
        ("expires", "Expires (UTC)", at(token.expires_at)),
        ("used", "Last used (UTC)", at(token.last_used_at)),
    ];
    let fields = facts.map(|(name, label, value)| Field::line(name, label, 1_000, value)).to_vec();
    let history = Some(history(&desk, "token", id).await?);
    Form { may_save: false, history, ..Form::new(token.name, LIST, fields) }.show(&desk)
}

#[derive(Template)]
#[template(path = "token.html")]
struct Made<'a> {
    frame: Frame,
    name: &'a str,
    secret: &'a str,
}

/// `GET /admin/tokens/new/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    form(&desk).show(&desk)
}

/// `POST /admin/tokens/new/`: shows the token, once.
pub(crate) async fn create(desk: Desk) -> Answer {
    let now = desk.now()?;
    // Only who says so outright gets one that never expires.
    let days = match desk.form.given("days") {
        Some("never") => None,
        given => match given.unwrap_or(USUAL).parse().ok().filter(|days| (1..=3_650).contains(days)) {
            Some(days) => Some(TimeDelta::days(days)),
            None => {
                return form(&desk).again(&desk, &[Fault::at("/days", "refused", "From 1 to 3,650 days, or never.")]);
            }
        },
    };
    let name = desk.form.get("name");
    let new = NewToken {
        staff_id: desk.session.staff_id,
        name: name.to_owned(),
        scopes: desk.form.all("scopes").filter_map(|name| name.parse::<Scope>().ok()).collect(),
        expires_at: days.map(|days| now + days),
    };
    match desk.accounts()?.make_token(desk.actor(), new).await {
        Ok(made) => page(&Made { frame: Frame::new(&desk), name, secret: made.secret.expose_secret() }),
        Err(error) => {
            let field = match error {
                accounts::Error::TokenName => "/name",
                accounts::Error::NoScopes | accounts::Error::TooWide { .. } => "/scopes",
                error => return form(&desk).refused(&desk, error),
            };
            form(&desk).again(&desk, &[Fault::at(field, "refused", error.to_string())])
        }
    }
}
