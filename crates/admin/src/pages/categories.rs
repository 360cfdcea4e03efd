//! Categories: their list and their form.

use accounts::Role;
use db::Seek;
use products::{Category, CategoryOrder, Error};
use serde_json::json;

use crate::desk::Desk;
use crate::form::{Confirm, Field, Form, back, history, keeping, saved, state, to_list};
use crate::list::{About, Asked, Cell, Column, Filter, Found, Key, Kind, List};
use crate::render::{Answer, Frame, go_to};
use crate::trouble::Trouble;

const LIST: (&str, &str) = ("/admin/categories/", "Categories");

/// As many products as are counted.
const MANY: i64 = 1_000;

/// What products are filed under.
pub(crate) struct Categories;

impl List for Categories {
    type Row = Category;

    const ABOUT: About = About {
        path: LIST.0,
        title: LIST.1,
        hint: "",
        columns: &[Column::number("Id").sorted("id"), Column::text("Name").sorted("name"), Column::text("Products")],
        filters: &[Filter::new("q", "Part of the name", Kind::Search)],
        sorts: &["name", "-name", "id", "-id"],
        actions: &[],
        new: Some(("New category", Role::Manager)),
        actors: Role::Manager,
    };

    async fn read(desk: &Desk, asked: &Asked, seek: &Seek<Key>, size: usize) -> Result<Found<Category>, Trouble> {
        let place = |key: &Key| (key.text.clone(), key.id);
        let along = match seek {
            Seek::Skip(rows) => Seek::Skip(*rows),
            Seek::After(key) => Seek::After(place(key)),
            Seek::Before(key) => Seek::Before(place(key)),
        };
        let part = asked.given("q").unwrap_or_default();
        let (by, descending) = asked.order();
        let order = if by == "id" { CategoryOrder::Id } else { CategoryOrder::Name };
        let conn = desk.connection().await?;
        let rows = products::browse_categories(&conn, part, order, descending, &along, size).await?;
        Ok(Found::new(rows, seek, |category| Key::new(category.id, &category.name_key)))
    }

    fn cells(category: &Category, _: &Asked) -> Vec<Cell> {
        vec![
            Cell::number(category.id),
            Cell::link(format!("/admin/categories/{}/", category.id), &category.name),
            Cell::link(format!("/admin/products/?category={}", category.id), "show"),
        ]
    }

    fn id(category: &Category) -> String {
        category.id.to_string()
    }
}

fn form(category: Option<&Category>) -> Form {
    let name = category.map(|category| category.name.clone()).unwrap_or_default();
    let title = if name.is_empty() { "New category".to_owned() } else { name.clone() };
    let field = Field::line("name", "Name", 200, name).hint("No two categories have the same, whatever its case.");
    Form {
        action: category.map_or_else(|| format!("{}new/", LIST.0), |category| format!("{}{}/", LIST.0, category.id)),
        another: true,
        ..Form::new(title, LIST, vec![field])
    }
}

async fn of(desk: &Desk, category: &Category) -> Result<Form, Trouble> {
    let may_change = desk.session.role >= Role::Manager;
    Ok(Form {
        seen: state(&category.name),
        may_save: may_change,
        delete: may_change.then(|| format!("{}{}/delete/", LIST.0, category.id)),
        links: vec![(format!("/admin/products/?category={}", category.id), "Its products".into())],
        history: Some(history(desk, "category", category.id).await?),
        ..form(Some(category))
    })
}

async fn found(desk: &Desk) -> Result<Category, Trouble> {
    Ok(products::get_category(&*desk.connection().await?, desk.id("id")?).await?)
}

/// `GET /admin/categories/new/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    form(None).show(&desk)
}

/// `POST /admin/categories/new/`
pub(crate) async fn create(desk: Desk) -> Answer {
    let name = match products::read_category(json!({ "name": desk.form.get("name") })) {
        Ok(name) => name,
        Err(faults) => return form(None).again(&desk, &faults.0),
    };
    let (actor, now) = (desk.actor(), desk.now()?);
    let work = desk
        .database()?
        .transaction(move |tx| Box::pin(async move { products::create_category(tx, &actor, &name, now).await }));
    match work.await {
        Ok(category) => Ok(saved(&desk, LIST.0, &format!("{}{}/", LIST.0, category.id), "created")),
        Err(error) => form(None).refused(&desk, error),
    }
}

/// `GET /admin/categories/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    of(&desk, &found(&desk).await?).await?.show(&desk)
}

/// `POST /admin/categories/{id}/`
pub(crate) async fn save(desk: Desk) -> Answer {
    let category = found(&desk).await?;
    let name = match products::read_category(json!({ "name": desk.form.get("name") })) {
        Ok(name) => name,
        Err(faults) => return of(&desk, &category).await?.again(&desk, &faults.0),
    };
    let (actor, id, seen) = (desk.actor(), category.id, desk.form.get("seen").to_owned());
    let work = desk.database()?.transaction(move |tx| {
        Box::pin(async move { products::rename_category(tx, &actor, id, &name, |name| state(&name) == seen).await })
    });
    match work.await {
        Ok(_) => Ok(saved(&desk, LIST.0, &format!("{}{id}/", LIST.0), "saved")),
        Err(Error::StaleCategory(_)) => {
            let problem = "Somebody else renamed this category since you opened it. Nothing was saved.";
            Form { problem: Some(problem.into()), ..of(&desk, &category).await? }.again(&desk, &[])
        }
        Err(error) => of(&desk, &category).await?.refused(&desk, error),
    }
}

async fn confirm(desk: &Desk) -> Result<Confirm, Trouble> {
    let Category { id, name, .. } = found(desk).await?;
    let filed = products::count_in(&*desk.connection().await?, id, MANY).await?;
    let note = match filed {
        0 => "No product is filed under it.".to_owned(),
        MANY => format!("{MANY} products or more are filed under it, so it cannot be deleted."),
        filed => {
            format!("{filed} products are filed under it, so it cannot be deleted before they are filed elsewhere.")
        }
    };
    Ok(Confirm {
        frame: Frame::new(desk),
        title: format!("Delete {name}?"),
        list: LIST,
        notes: vec![note],
        button: "Delete the category".into(),
        action: format!("{}{id}/delete/", LIST.0),
        hidden: vec![("back".into(), back(desk))],
        cancel: keeping(desk, &format!("{}{id}/", LIST.0)),
        problem: None,
    })
}

/// `GET /admin/categories/{id}/delete/`
pub(crate) async fn ask(desk: Desk) -> Answer {
    confirm(&desk).await?.show()
}

/// `POST /admin/categories/{id}/delete/`
pub(crate) async fn delete(desk: Desk) -> Answer {
    let (actor, id) = (desk.actor(), desk.id("id")?);
    let work = desk
        .database()?
        .transaction(move |tx| Box::pin(async move { products::delete_category(tx, &actor, id).await }));
    match work.await {
        Ok(()) => Ok(go_to(&to_list(LIST.0, &back(&desk), "deleted"))),
        Err(error) => confirm(&desk).await?.refused(error),
    }
}
