//! The page of a product: its form, where it is in stock, its history.

use accounts::Actor;
use db::Database;
use products::{Error, Product, ProductChange};
use serde_json::{Value, json};
use web::Fault;

use super::choices;
use crate::desk::Desk;
use crate::fields::lines;
use crate::form::{Confirm, Field, Form, Input, Jump, back, history, keeping, saved, state, to_list};
use crate::render::{Answer, Frame, go_to};
use crate::trouble::Trouble;

/// Stores that are named one by one.
const SHOWN: i64 = 50;

const LIST: (&str, &str) = ("/admin/products/", "Products");

/// A product's state.
fn state_of(product: &Product) -> String {
    let Product { sku, title, description, price, category_id, updated_at, .. } = product;
    state(&(sku, title, description, price.to_string(), category_id, updated_at))
}

async fn form(desk: &Desk, product: Option<&Product>) -> Result<Form, Trouble> {
    let value = |get: fn(&Product) -> String| product.map(get).unwrap_or_default();
    let category = value(|product| product.category_id.to_string());
    let categories = choices::categories(desk, &category).await?;
    let fields = vec![
        Field::line("title", "Title", 500, value(|product| product.title.clone())),
        Field::one("category_id", "Category", categories),
        Field::new(
            "price",
            "Price of one unit",
            Input::Line("decimal", 16),
            value(|product| format!("{:.2}", product.price)),
        )
        .hint("With at most two decimals, such as 12.50."),
        Field::line("sku", "SKU", 100, value(|product| product.sku.clone().unwrap_or_default()))
            .optional()
            .hint("Your own key; no other product has it. Imports match by it."),
        Field::new("description", "Description", Input::Lines(20_000), value(|product| product.description.clone()))
            .optional(),
    ];
    let title = product.map_or_else(|| "New product".to_owned(), |product| product.title.clone());
    Ok(Form {
        action: product
            .map_or_else(|| "/admin/products/new/".into(), |product| format!("/admin/products/{}/", product.id)),
        another: true,
        ..Form::new(title, LIST, fields)
    })
}

async fn of(desk: &Desk, product: &Product) -> Result<Form, Trouble> {
    let carried = stores::inventory::carrying(&*desk.connection().await?, product.id, SHOWN).await?;
    let stock = carried.into_iter().map(|row| {
        let at = keeping(desk, &format!("/admin/inventory/{}/{}/", row.store_id, product.id));
        (at, format!("{}: {} in stock", row.store, row.quantity))
    });
    let may_change = desk.session.role >= accounts::Role::Manager;
    Ok(Form {
        seen: state_of(product),
        may_save: may_change,
        delete: may_change.then(|| format!("/admin/products/{}/delete/", product.id)),
        links: stock.collect(),
        jump: Some(Jump {
            action: "/admin/inventory/open/",
            label: "Stock at",
            name: "store",
            choices: choices::stores(desk, "").await?,
            hidden: ("product", product.id.to_string()),
        })
        .filter(|jump| !jump.choices.all.is_empty()),
        history: Some(history(desk, "product", product.id).await?),
        ..form(desk, Some(product)).await?
    })
}

/// The form as the API takes it, so that both are held to the same rules. The category may have been typed.
async fn body(desk: &Desk) -> Result<Result<Value, Fault>, Trouble> {
    let fields = &desk.form;
    let mut body = json!({
        "sku": fields.given("sku"),
        "title": fields.get("title"),
        "description": fields.get("description"),
        "price": fields.get("price"),
    });
    if let Some(given) = fields.given("category_id") {
        match choices::category_id(&desk.connection().await?, given).await? {
            Some(id) => body["category_id"] = id.into(),
            None => return Ok(Err(Fault::at("/category_id", "unknown", format!("No category is called {given}.")))),
        }
    }
    Ok(Ok(body))
}

/// Leaves out what nobody touched: a browser cannot send every text back as it was.
fn only_changed(mut change: ProductChange, product: &Product) -> ProductChange {
    let in_lines = |text: &str| lines(text).trim().to_owned();
    let in_one = |text: &str| text.replace(['\r', '\n'], "").trim().to_owned();
    change.description = change.description.filter(|given| *given != in_lines(&product.description));
    change.title = change.title.filter(|given| *given != in_one(&product.title));
    let kept = product.sku.as_deref().map(in_one);
    change.sku = change.sku.filter(|given| *given != kept);
    change
}

/// `GET /admin/products/new/`
pub(crate) async fn blank(desk: Desk) -> Answer {
    form(&desk, None).await?.show(&desk)
}

/// `POST /admin/products/new/`
pub(crate) async fn create(desk: Desk) -> Answer {
    let body = match body(&desk).await? {
        Ok(body) => body,
        Err(fault) => return form(&desk, None).await?.again(&desk, &[fault]),
    };
    let new = match products::read_new(body) {
        Ok(new) => new,
        Err(faults) => return form(&desk, None).await?.again(&desk, &faults.0),
    };
    let (actor, now) = (desk.actor(), desk.now()?);
    let work =
        desk.database()?.transaction(move |tx| Box::pin(async move { products::create(tx, &actor, &new, now).await }));
    match work.await {
        Ok(product) => Ok(saved(&desk, LIST.0, &format!("/admin/products/{}/", product.id), "created")),
        Err(error) => form(&desk, None).await?.refused(&desk, error),
    }
}

/// `GET /admin/products/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    let product = products::get(&*desk.connection().await?, desk.id("id")?).await?;
    of(&desk, &product).await?.show(&desk)
}

/// `POST /admin/products/{id}/`
pub(crate) async fn save(desk: Desk) -> Answer {
    let id = desk.id("id")?;
    let product = products::get(&*desk.connection().await?, id).await?;
    let body = match body(&desk).await? {
        Ok(body) => body,
        Err(fault) => return of(&desk, &product).await?.again(&desk, &[fault]),
    };
    let change = match products::read_change(body) {
        Ok(change) => only_changed(change, &product),
        Err(faults) => return of(&desk, &product).await?.again(&desk, &faults.0),
    };
    let (actor, now, seen) = (desk.actor(), desk.now()?, desk.form.get("seen").to_owned());
    let work = desk.database()?.transaction(move |tx| {
        Box::pin(
            async move { products::change(tx, &actor, id, change, |product| state_of(product) == seen, now).await },
        )
    });
    match work.await {
        Ok(_) => Ok(saved(&desk, LIST.0, &format!("/admin/products/{id}/"), "saved")),
        Err(Error::Stale(_)) => {
            let problem = "Somebody else changed this product since you opened it. Nothing was saved.";
            Form { problem: Some(problem.into()), ..of(&desk, &product).await? }.again(&desk, &[])
        }
        Err(error) => of(&desk, &product).await?.refused(&desk, error),
    }
}

async fn confirm(desk: &Desk, id: i64) -> Result<Confirm, Trouble> {
    let conn = desk.connection().await?;
    let product = products::get(&conn, id).await?;
    let carried = stores::inventory::carrying(&conn, id, SHOWN).await?;
    let in_all = stores::inventory::count_carrying(&conn, id).await?;
    let mut notes: Vec<String> = carried
        .iter()
        .map(|row| format!("{} has {} of it in stock, which goes with it.", row.store, row.quantity))
        .collect();
    if in_all > SHOWN {
        notes.push(format!("And {} stores more: {in_all} in all.", in_all - SHOWN));
    }
    notes.push(match orders::desk::names(&conn, id).await {
        Ok(true) => "Orders refer to it, so it cannot be deleted. Set its stock to 0 to stop selling it.".into(),
        Ok(false) => "No order refers to it. Its history stays in the audit log.".into(),
        // There are so many orders that it takes too long for a page to tell.
        Err(db::Error::Timeout(_)) => "If an order refers to it, it stays.".into(),
        Err(error) => return Err(error.into()),
    });
    Ok(Confirm {
        frame: Frame::new(desk),
        title: format!("Delete {}?", product.title),
        list: LIST,
        notes,
        button: "Delete the product".into(),
        action: format!("/admin/products/{id}/delete/"),
        hidden: vec![("back".into(), back(desk))],
        cancel: keeping(desk, &format!("/admin/products/{id}/")),
        problem: None,
    })
}

/// `GET /admin/products/{id}/delete/`
pub(crate) async fn ask(desk: Desk) -> Answer {
    confirm(&desk, desk.id("id")?).await?.show()
}

/// `POST /admin/products/{id}/delete/`
pub(crate) async fn delete(desk: Desk) -> Answer {
    let id = desk.id("id")?;
    match remove(desk.database()?, desk.actor(), id).await {
        Ok(()) => Ok(go_to(&to_list(LIST.0, &back(&desk), "deleted"))),
        Err(error) => confirm(&desk, id).await?.refused(error),
    }
}

/// Deletes a product.
///
/// # Errors
/// Those of [`products::delete`].
pub(crate) async fn remove(database: &Database, actor: Actor, id: i64) -> Result<(), Error> {
    database.transaction(move |tx| Box::pin(async move { products::delete(tx, &actor, id, |_| true).await })).await
}
