//! The page of an order.

use std::collections::HashMap;

use askama::Template;
use orders::events::OrderConfirmed;
use orders::{Confirmation, Order, Status};
use outbox::{Event, Parked};
use products::Product;
use web::Money;

use crate::desk::Desk;
use crate::form::{Past, back, crumb, history, keeping};
use crate::list::Tone;
use crate::render::{Answer, Frame, go_to, page};
use crate::trouble::Trouble;

#[derive(Template)]
#[template(path = "order.html")]
struct Page {
    frame: Frame,
    order: Order,
    store: String,
    lines: Vec<Line>,
    confirmation: Option<Confirmation>,
    /// The job that tells the customer, as long as it is not done.
    job: Option<Parked>,
    history: Vec<Past>,
    may_cancel: bool,
    may_resend: bool,
    back: String,
    crumb: (String, &'static str),
}

/// A line, with what became of it.
struct Line {
    product_id: i64,
    title: String,
    quantity: i32,
    unit_price: Money,
    price: Money,
    /// What it does to the stock, by the ledger.
    moved: i64,
    /// Why it could not be served.
    reason: Option<String>,
}

impl Page {
    fn tone(word: &str) -> &'static str {
        Tone::of(word).class()
    }
}

/// `GET /admin/orders/{id}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    let id = desk.id("id")?;
    let (order, confirmation) = desk.orders()?.find(id).await?.ok_or_else(Trouble::nothing)?;
    let terms = &order.terms;
    let conn = desk.connection().await?;
    let ids: Vec<i64> = terms.lines.iter().map(|line| line.product_id).collect();
    let named = products::several(&conn, &ids).await?;
    let titles: HashMap<i64, Product> = named.into_iter().map(|product| (product.id, product)).collect();
    let about = serde_json::json!({ "order_id": id });
    let may_change = desk.session.role >= accounts::Role::Manager;
    let is_confirmed = terms.status == Status::Confirmed;
    page(&Page {
        frame: Frame::new(&desk),
        store: stores::get(&conn, terms.store_id).await?.name,
        lines: terms.lines.iter().map(|line| shown(line, is_confirmed, &titles)).collect(),
        job: outbox::standing(&conn, OrderConfirmed::KIND, terms.store_id, &about).await?,
        history: history(&desk, "order", id).await?,
        may_cancel: may_change && is_confirmed,
        may_resend: may_change && is_confirmed && confirmation.is_some(),
        back: back(&desk),
        crumb: crumb(&desk, ("/admin/orders/", "Orders")),
        confirmation,
        order,
    })
}

fn shown(line: &orders::Line, is_confirmed: bool, titles: &HashMap<i64, Product>) -> Line {
    let reason = line.rejection.map(|rejection| match rejection.reason {
        orders::Reason::NotStocked => "not stocked: the store does not carry it".to_owned(),
        orders::Reason::InsufficientStock => format!("insufficient stock: {} were left", rejection.available),
    });
    Line {
        product_id: line.product_id,
        title: titles.get(&line.product_id).map(|product| product.title.clone()).unwrap_or_default(),
        quantity: line.quantity,
        unit_price: Money(line.unit_price),
        price: Money(line.unit_price * rust_decimal::Decimal::from(line.quantity)),
        moved: if is_confirmed { -i64::from(line.quantity) } else { 0 },
        reason,
    }
}

/// `POST /admin/orders/{id}/cancel/`
pub(crate) async fn cancel(desk: Desk) -> Answer {
    let id = desk.id("id")?;
    desk.orders()?.cancel(id, &desk.actor()).await?;
    Ok(go_to(&keeping(&desk, &format!("/admin/orders/{id}/?done=cancelled"))))
}

/// `POST /admin/orders/{id}/resend/`
pub(crate) async fn resend(desk: Desk) -> Answer {
    let id = desk.id("id")?;
    desk.orders()?.resend_confirmation(id, &desk.actor()).await?;
    Ok(go_to(&keeping(&desk, &format!("/admin/orders/{id}/?done=resent"))))
}
