//! The page of a store.

use accounts::Role;
use db::Seek;
use serde_json::{Value, json};
use stores::{Error, Store};

use crate::desk::Desk;
use crate::fields::Fields;
use crate::form::{Confirm, Field, Form, back, history, keeping, saved, state, to_list};
use crate::render::{Answer, Frame, go_to};
use crate::trouble::Trouble;

const LIST: (&str, &str) = ("/admin/stores/", "Stores");

/// As many products as are counted.
const MANY: i64 = 1_000;

fn form(store: Option<&Store>) -> Form {
    let value = |get: fn(&Store) -> &String| store.map(get).cloned().unwrap_or_default();
    let fields = vec![
        Field::line("name", "Name", 200, value(|store| &store.name)),
        Field::line("location", "Location", 500, value(|store| &store.location)).optional(),
    ];
    Form {
        action: store.map_or_else(|| format!("{}new/", LIST.0), |store| format!("{}{}/", LIST.0, store.id)),
        another: true,
        ..Form::new(store.map_or("New store", |store| &store.name), LIST, fields)
    }
}

async fn of(desk: &Desk, store: &Store) -> Result<Form, Trouble> {
    let may_change = desk.session.role >= Role::Manager;
    Ok(Form {
        seen: state_of(store),
        may_save: may_change,
        delete: may_change.then(|| format!("{}{}/delete/", LIST.0, store.id)),
        links: vec![
            (format!("/admin/inventory/?store={}", store.id), "What it has in stock".into()),
            (format!("/admin/orders/?store={}", store.id), "Its orders".into()),
        ],
        history: Some(history(desk, "store", store.id).await?),
        ..form(Some(store))
    })
}

fn state_of(store: &Store) -> String {
    state(&(&store.name, &store.location))
}

async fn found(desk: &Desk) -> Result<Store, Trouble> {
    Ok(stores::get(&*desk.connection().await?, desk.id("id")?).await?)
}

/// The form as the API takes it.
fn body(fields: &Fields) -> Value {
    json!({ "name": fields.get("name"), "location": fields.get("location") })
}

/// `GET /admin/stores/new/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    form(None).show(&desk)
}

/// `POST /admin/stores/new/`
pub(crate) async fn create(desk: Desk) -> Answer {
    let new = match stores::read_new(body(&desk.form)) {
        Ok(new) => new,
        Err(faults) => return form(None).again(&desk, &faults.0),
    };
    let (actor, now) = (desk.actor(), desk.now()?);
    let work =
        desk.database()?.transaction(move |tx| Box::pin(async move { stores::create(tx, &actor, &new, now).await }));
    match work.await {
        Ok(store) => Ok(saved(&desk, LIST.0, &format!("{}{}/", LIST.0, store.id), "created")),
        Err(error) => form(None).refused(&desk, error),
    }
}

/// `GET /admin/stores/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    of(&desk, &found(&desk).await?).await?.show(&desk)
}

/// `POST /admin/stores/{id}/`
pub(crate) async fn save(desk: Desk) -> Answer {
    let store = found(&desk).await?;
    let change = match stores::read_change(body(&desk.form)) {
        Ok(change) => change,
        Err(faults) => return of(&desk, &store).await?.again(&desk, &faults.0),
    };
    let (actor, id, seen) = (desk.actor(), store.id, desk.form.get("seen").to_owned());
    let work = desk.database()?.transaction(move |tx| {
        Box::pin(async move { stores::change(tx, &actor, id, change, |store| state_of(store) == seen).await })
    });
    match work.await {
        Ok(_) => Ok(saved(&desk, LIST.0, &format!("{}{id}/", LIST.0), "saved")),
        Err(Error::Stale(_)) => {
            let problem = "Somebody else changed this store since you opened it. Nothing was saved.";
            Form { problem: Some(problem.into()), ..of(&desk, &store).await? }.again(&desk, &[])
        }
        Err(error) => of(&desk, &store).await?.refused(&desk, error),
    }
}

async fn confirm(desk: &Desk) -> Result<Confirm, Trouble> {
    let Store { id, name, .. } = found(desk).await?;
    let conn = desk.connection().await?;
    let carried = match stores::inventory::count_carried(&conn, id, MANY).await? {
        MANY => format!("{MANY} products or more"),
        1 => "1 product".to_owned(),
        carried => format!("{carried} products"),
    };
    let all = orders::Filter::default();
    let (ordered, _) = orders::desk::browse(&conn, Some(id), &all, false, &Seek::Skip(0), 1).await?;
    Ok(Confirm {
        frame: Frame::new(desk),
        title: format!("Delete {name}?"),
        list: LIST,
        notes: vec![
            format!("It carries {carried}: that stock, and the ledger of it, go with it."),
            match ordered.rows.is_empty() {
                true => "It never took an order.".to_owned(),
                false => "It has taken orders, so it cannot be deleted.".to_owned(),
            },
        ],
        button: "Delete the store".into(),
        action: format!("{}{id}/delete/", LIST.0),
        hidden: vec![("back".into(), back(desk))],
        cancel: keeping(desk, &format!("{}{id}/", LIST.0)),
        problem: None,
    })
}

/// `GET /admin/stores/{id}/delete/`
pub(crate) async fn ask(desk: Desk) -> Answer {
    confirm(&desk).await?.show()
}

/// `POST /admin/stores/{id}/delete/`
pub(crate) async fn delete(desk: Desk) -> Answer {
    let (actor, id) = (desk.actor(), desk.id("id")?);
    let work = desk.database()?.transaction(move |tx| Box::pin(async move { stores::delete(tx, &actor, id).await }));
    match work.await {
        Ok(()) => Ok(go_to(&to_list(LIST.0, &back(&desk), "deleted"))),
        Err(error) => confirm(&desk).await?.refused(error),
    }
}
