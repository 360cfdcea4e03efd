//! The document and the server agree: it is locked, and every operation of it is exercised.

use std::cell::RefCell;
use std::collections::BTreeSet;

use accounts::Scope;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp, unique_name};

use crate::authorization::Keys;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_committed_document_is_what_the_handlers_say() {
    let committed = std::fs::read_to_string(format!("{ROOT}/openapi.json")).unwrap();
    let committed: Value = serde_json::from_str(&committed).unwrap();
    let current = serde_json::to_value(gateway::openapi()).unwrap();
    assert!(committed == current, "openapi.json is out of date: run `make openapi`, and look at what changed");
}

/// Ids of the rows that the operations below are tried on.
struct Fixture {
    store: i64,
    product: i64,
    category: i64,
    order: i64,
    /// Rows that may be deleted, by the collection that they are in.
    spare: RefCell<Vec<(&'static str, i64)>>,
    /// A token with every scope.
    token: String,
}

impl Fixture {
    /// The address of a row that nobody needs any more.
    fn spare(&self, collection: &str) -> String {
        let mut spare = self.spare.borrow_mut();
        let place = spare.iter().position(|(of, _)| *of == collection).expect("there are enough");
        format!("/{collection}/{}/", spare.swap_remove(place).1)
    }
}

/// Method, path, and a request that succeeds: its path, and its body where it has one.
type Operation = (&'static str, &'static str, fn(&Fixture) -> (String, Value));

/// An operation of the document that is not here fails the test.
const OPERATIONS: &[Operation] = &[
    ("GET", "/api/search/products/", |_| {
        ("/api/search/products/?q=tea&facets=true&highlight=true".into(), Value::Null)
    }),
    ("GET", "/api/search/suggest/", |_| ("/api/search/suggest/?q=oolong".into(), Value::Null)),
    ("GET", "/categories/", |_| ("/categories/".into(), Value::Null)),
    ("POST", "/categories/", |_| ("/categories/".into(), json!({"name": unique_name("Category")}))),
    ("DELETE", "/categories/{id}/", |rows| (rows.spare("categories"), Value::Null)),
    ("GET", "/categories/{id}/", |rows| (format!("/categories/{}/", rows.category), Value::Null)),
    ("PATCH", "/categories/{id}/", |rows| (format!("/categories/{}/", rows.category), json!({"name": "Teas"}))),
    ("GET", "/healthz/", |_| ("/healthz/".into(), Value::Null)),
    ("POST", "/orders/", |rows| ("/orders/".into(), order(rows))),
    ("POST", "/orders/{order_id}/cancel/", |rows| (format!("/orders/{}/cancel/", rows.order), Value::Null)),
    ("GET", "/orders/{order_id}/", |rows| (format!("/orders/{}/", rows.order), Value::Null)),
    ("GET", "/products/", |_| ("/products/".into(), Value::Null)),
    ("POST", "/products/", |rows| {
        ("/products/".into(), json!({"title": "Green tea", "price": "3.10", "category_id": rows.category}))
    }),
    ("DELETE", "/products/{id}/", |rows| (rows.spare("products"), Value::Null)),
    ("PATCH", "/products/{id}/", |rows| (format!("/products/{}/", rows.product), json!({"price": "2.60"}))),
    ("GET", "/products/{id}/", |rows| (format!("/products/{}/", rows.product), Value::Null)),
    ("GET", "/readyz/", |_| ("/readyz/".into(), Value::Null)),
    ("GET", "/stores/", |_| ("/stores/".into(), Value::Null)),
    ("POST", "/stores/", |_| ("/stores/".into(), json!({"name": "Harbour"}))),
    ("DELETE", "/stores/{id}/", |rows| (rows.spare("stores"), Value::Null)),
    ("PATCH", "/stores/{id}/", |rows| (format!("/stores/{}/", rows.store), json!({"location": "Quay 12"}))),
    ("PATCH", "/stores/{store_id}/inventory/", |rows| {
        let changes = json!([{"product_id": rows.product, "delta": 1}]);
        (format!("/stores/{}/inventory/", rows.store), json!({"reason": "receipt", "changes": changes}))
    }),
    ("PATCH", "/stores/{store_id}/inventory/{product_id}/", |rows| {
        let path = format!("/stores/{}/inventory/{}/", rows.store, rows.product);
        (path, json!({"delta": -1, "reason": "damage"}))
    }),
    ("GET", "/stores/{id}/", |rows| (format!("/stores/{}/", rows.store), Value::Null)),
    ("GET", "/stores/{store_id}/inventory/", |rows| (format!("/stores/{}/inventory/", rows.store), Value::Null)),
    ("GET", "/stores/{store_id}/orders/", |rows| (format!("/stores/{}/orders/", rows.store), Value::Null)),
];

fn order(rows: &Fixture) -> Value {
    json!({"store_id": rows.store, "items": [{"product_id": rows.product, "quantity_requested": 1}]})
}

async fn fixture(app: &TestApp) -> Fixture {
    let build = app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Robust Oolong Tea", "Tea", "2.50").await);
    build.stock(store, product, 1_000).await;
    let mut spare = Vec::new();
    for number in 0..3 {
        spare.push(("categories", build.category(&format!("Spare {number}")).await));
        spare.push(("products", build.product(&format!("Spare {number}"), "Tea", "1.00").await));
        spare.push(("stores", build.store(&format!("Spare {number}")).await));
    }
    let category = build.category("Tea").await;
    let token = Keys::new(app).await.token(Scope::ALL).await;
    let mut rows = Fixture { store, product, category, order: 0, spare: RefCell::new(spare), token };
    rows.order = app.post("/orders/", &order(&rows)).await.expect(201)["id"].as_i64().unwrap();
    rows
}

async fn try_out(app: &TestApp, rows: &Fixture, method: &str, path: &str, body: &Value) -> Answer {
    let request = app.request(Method::from_bytes(method.as_bytes()).unwrap(), path).bearer_auth(&rows.token);
    app.send(if body.is_null() { request } else { request.json(body) }).await
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let app = TestApp::start().await;
    let rows = fixture(&app).await;
    let document = serde_json::to_value(gateway::openapi()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
            documented.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let exercised: BTreeSet<String> = OPERATIONS.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    assert_eq!(documented, exercised, "the table above lists every operation of the document, and no other");

    for (method, template, request) in OPERATIONS {
        let (path, body) = request(&rows);
        let answer = try_out(&app, &rows, method, &path, &body).await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.text);
        let operation = &document["paths"][template][method.to_lowercase()];
        let response = &operation["responses"][answer.status.as_str()];
        if answer.status == 204 {
            assert!(response.is_object() && response.get("content").is_none(), "{method} {template}: {response}");
        } else {
            let media_type = answer.header("content-type").unwrap_or_default();
            let schema = &response["content"][media_type]["schema"];
            assert!(schema.is_object(), "{method} {template} does not document {} {media_type}", answer.status);
            conforms(&answer.json(), schema, &document, &format!("{method} {template}"));
        }

        let (path, body) = request(&rows);
        let slashless = path.replacen("/?", "?", 1);
        let slashless = slashless.trim_end_matches('/');
        let same = try_out(&app, &rows, method, slashless, &body).await;
        assert_eq!(same.status, answer.status, "{method} {slashless}, without the slash");
        let (path, body) = request(&rows);
        let separator = if path.contains('?') { '&' } else { '?' };
        let refused = try_out(&app, &rows, method, &format!("{path}{separator}made_up=1"), &body).await;
        let problem = refused.expect_problem(400, "invalid");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "query" {
                let known = problem["detail"].as_str().unwrap();
                assert!(known.contains(name), "{method} {template} documents {name}, but knows: {known}");
            }
        }
    }
}

/// Checks the value against the parts of JSON Schema that the document uses.
fn conforms(value: &Value, schema: &Value, document: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target =
            document.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{place}: {reference}"));
        return conforms(value, target, document, place);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let fits = |choice: &&Value| (choice["type"] == "null") == value.is_null();
        let choice = choices.iter().find(fits).unwrap_or_else(|| panic!("{place}: {value} fits no choice"));
        return conforms(value, choice, document, place);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return,
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&found), "{place}: {value} is no {types:?}");
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        assert!(value.get(required).is_some(), "{place}: lacks {required}");
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        let described = &schema["properties"][name];
        assert!(
            described.is_object() || schema.get("additionalProperties").is_some(),
            "{place}: {name} is not documented"
        );
        conforms(member, described, document, &format!("{place}/{name}"));
    }
    for element in value.as_array().into_iter().flatten() {
        conforms(element, &schema["items"], document, &format!("{place}[]"));
    }
}
