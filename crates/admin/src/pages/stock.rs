//! What a store has of one product: adjusting it, and its ledger.

use actix_web::http::StatusCode;
use askama::Template;
use orders::desk::{Sale, sales};
use products::Product;
use serde_json::json;
use stores::Store;
use stores::inventory::{self, Adjustment};
use stores::stock::{self, AdjustError, Refusal, Wish};
use web::{Code, Fault, Place};

use super::choices;
use crate::desk::Desk;
use crate::form::{Past, back, crumb, history, keeping, to_list};
use crate::render::{Answer, Frame, go_to, page_with};
use crate::trouble::Trouble;

/// Movements of each kind that are shown.
const RECENT: i64 = 30;

#[derive(Template)]
#[template(path = "stock.html")]
struct Page {
    frame: Frame,
    store: Store,
    product: Product,
    quantity: i32,
    /// The number of the latest adjustment, which a form that moves stock names.
    last: i64,
    is_carried: bool,
    adjustments: Vec<Adjustment>,
    sales: Vec<Sale>,
    history: Vec<Past>,
    back: String,
    crumb: (String, &'static str),
    /// What was typed, where it was refused.
    typed: Typed,
    problem: Option<String>,
}

/// What somebody typed.
#[derive(Default)]
struct Typed {
    quantity: String,
    delta: String,
    reason: String,
}

async fn answer(desk: &Desk, store: i64, product: i64, problem: Option<(StatusCode, String)>) -> Answer {
    let conn = desk.connection().await?;
    // Read first: what comes after it is refused rather than overlooked.
    let last = inventory::last_adjustments(&conn, store, &[product]).await?;
    let quantity = inventory::quantity(&conn, store, product).await?;
    let page = Page {
        frame: Frame::new(desk),
        store: stores::get(&conn, store).await?,
        product: products::get(&conn, product).await?,
        quantity: quantity.unwrap_or_default(),
        last: last.get(&product).copied().unwrap_or_default(),
        is_carried: quantity.is_some(),
        adjustments: inventory::adjustments(&conn, store, product, RECENT).await?,
        sales: sales(&conn, store, product, RECENT).await?,
        history: history(desk, "inventory", format!("{store}/{product}")).await?,
        back: back(desk),
        crumb: crumb(desk, ("/admin/inventory/", "Inventory")),
        typed: Typed {
            quantity: desk.form.get("quantity").to_owned(),
            delta: desk.form.get("delta").to_owned(),
            reason: desk.form.get("reason").to_owned(),
        },
        problem: problem.as_ref().map(|(_, words)| words.clone()),
    };
    page_with(problem.map_or(StatusCode::OK, |(status, _)| status), &page)
}

/// `GET /admin/inventory/open/?store=&product=`: leads to their page.
pub(crate) async fn open(desk: Desk) -> Answer {
    let store = choices::store_id(&desk.connection().await?, desk.query.get("store")).await?;
    match (store, desk.query.number("product")) {
        (Some(store), Some(product)) => Ok(go_to(&keeping(&desk, &format!("/admin/inventory/{store}/{product}/")))),
        (None, Some(_)) => Err(Trouble::new(Code::NotFound, "No store is called so, or several are.")),
        _ => Err(Trouble::nothing()),
    }
}

/// `GET /admin/inventory/{store}/{product}/`
pub(crate) async fn show(desk: Desk) -> Answer {
    answer(&desk, desk.id("store")?, desk.id("product")?, None).await
}

/// `POST /admin/inventory/adjust/`: sets what was counted, provided that the stock is still what the page said; or lets
/// units come or go.
pub(crate) async fn adjust(desk: Desk) -> Answer {
    let form = &desk.form;
    let (Some(store), Some(product)) = (form.number("store"), form.number("product")) else {
        return Err(Trouble::nothing());
    };
    let refused = |status, words: String| answer(&desk, store, product, Some((status, words)));
    let (wish, reason) = match understood(&desk) {
        Ok(understood) => understood,
        Err(faults) => return refused(StatusCode::UNPROCESSABLE_ENTITY, in_words(&faults)).await,
    };
    let (actor, now) = (desk.actor(), desk.now()?);
    let work = desk.database()?.transaction(move |tx| {
        Box::pin(async move {
            let asked = [stock::Adjustment { product_id: product, wish }];
            stock::adjust(tx, &actor, store, &asked, &reason, now).await
        })
    });
    match work.await {
        Ok(_) if form.get("then") == "stay" => {
            Ok(go_to(&keeping(&desk, &format!("/admin/inventory/{store}/{product}/?done=stock"))))
        }
        Ok(_) => Ok(go_to(&to_list("/admin/inventory/", &back(&desk), "stock"))),
        Err(AdjustError::Refused(refusals)) => {
            refused(StatusCode::CONFLICT, refusals.first().map_or_else(String::new, moved)).await
        }
        Err(AdjustError::Database(error)) => Err(error.into()),
        Err(AdjustError::NoSuchStore(_) | AdjustError::UnknownProducts(_)) => Err(Trouble::nothing()),
    }
}

/// The form as the API takes it.
fn understood(desk: &Desk) -> Result<(Wish, String), Vec<Fault>> {
    let mut body = json!({ "reason": desk.form.get("reason") });
    for (name, field) in [("quantity", "quantity"), ("expected_quantity", "expected"), ("delta", "delta")] {
        // The number that the page showed matters only to somebody who counted.
        if name == "expected_quantity" && desk.form.given("quantity").is_none() {
            continue;
        }
        if let Some(text) = desk.form.given(field) {
            body[name] =
                text.trim_start_matches('+').parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
        }
    }
    let (wish, reason) = stores::read_stock(body).map_err(|faults| faults.0)?;
    match (wish, desk.form.number("last")) {
        (Wish::Shift { delta, .. }, Some(last)) => Ok((Wish::Shift { delta, after: Some(last) }, reason)),
        (Wish::Shift { .. }, None) => Err(vec![Fault::at("/delta", "stale", "Open the page again.")]),
        _ => Ok((wish, reason)),
    }
}

/// The faults by the names that the form has for its fields.
fn in_words(faults: &[Fault]) -> String {
    let words = faults.iter().map(|fault| {
        let (Place::Pointer(place) | Place::Parameter(place)) = &fault.place;
        match (place.as_str(), fault.code) {
            ("/quantity", "required") => "Say how many were counted, or how many came or went.".to_owned(),
            ("/delta", "contradiction") => "Say either how many were counted, or how many came or went.".to_owned(),
            ("/delta", "stale") | ("/expected_quantity", _) => "Open the page again.".to_owned(),
            ("/quantity", _) => format!("Counted now: {}", fault.detail),
            ("/delta", _) => format!("Came / went: {}", fault.detail),
            _ => format!("Reason: {}", fault.detail),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn moved(refusal: &Refusal) -> String {
    let Refusal { wish, current, since, .. } = *refusal;
    match wish {
        _ if since.is_some() => format!(
            "This stock was adjusted since you opened the page, maybe by sending this twice. There are {current} units \
             now. Nothing more was changed."
        ),
        Wish::Set { expected, .. } if expected != current => format!(
            "There were {expected} units when you opened the page, and there are {current} now. Nothing was changed. \
             Count again, or say how many came or went."
        ),
        _ => format!("There are {current} units now, so that is not possible. Nothing was changed."),
    }
}
