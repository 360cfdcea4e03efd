//! Who may do what over HTTP: every operation of the document, with every kind of token that is not enough.

use accounts::{Accounts, Actor, Config, Email, NewToken, Password, Role, Scope, Staff};
use chrono::TimeDelta;
use db::Clock;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use testkit::{Answer, TestApp};

/// Makes tokens for the application's database.
pub(crate) struct Keys {
    accounts: Accounts,
    maker: Staff,
}

impl Keys {
    pub(crate) async fn new(app: &TestApp) -> Self {
        let accounts = Accounts::new(app.database.handle(), Clock::system(), Config::default());
        let maker = staff(&accounts, "ann@shop.example", Role::Owner).await;
        Self { accounts, maker }
    }

    /// A token with these scopes.
    pub(crate) async fn token(&self, scopes: &[Scope]) -> String {
        make(&self.accounts, &self.maker, scopes, None).await.1
    }
}

async fn staff(accounts: &Accounts, email: &str, role: Role) -> Staff {
    let password = Password::parse(SecretString::from("correct horse battery"), email).unwrap();
    accounts.add_staff(Actor::program("test"), Email::parse(email).unwrap(), role, password).await.unwrap()
}

async fn make(accounts: &Accounts, maker: &Staff, scopes: &[Scope], life: Option<(Clock, TimeDelta)>) -> (i64, String) {
    let expires_at = life.map(|(clock, span)| clock.now() + span);
    let token = NewToken { staff_id: maker.id, name: "test".into(), scopes: scopes.to_vec(), expires_at };
    let made = accounts.make_token(Actor::program("test"), token).await.unwrap();
    (made.id, made.secret.expose_secret().to_owned())
}

/// An operation of the document that names a scope.
struct Guarded {
    method: Method,
    /// With numbers in place of the parameters.
    path: String,
    scope: Scope,
    /// Whether it is everybody's where no token is required.
    is_open: bool,
}

/// Every operation of the document: method, path, and what is said of it.
pub(crate) fn operations() -> Vec<(Method, String, Value)> {
    let document = serde_json::to_value(gateway::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            operations.push((method, path.clone(), operation.clone()));
        }
    }
    operations
}

fn guarded() -> Vec<Guarded> {
    let mut guarded = Vec::new();
    for (method, path, operation) in operations() {
        let Some(alternatives) = operation["security"].as_array() else { continue };
        let scopes: Vec<&str> = alternatives
            .iter()
            .filter_map(|needs| needs["bearer"].as_array())
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let [scope] = scopes[..] else { panic!("{method} {path} names {scopes:?}: one operation, one scope") };
        let is_open = alternatives.iter().any(|needs| needs.as_object().unwrap().is_empty());
        let filled: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect();
        let scope: Scope = scope.parse().unwrap();
        assert_eq!(is_open, scope.is_open(), "{method} {path}: the document and the scope {scope} disagree");
        guarded.push(Guarded { method, path: filled.join("/"), scope, is_open });
    }
    guarded
}

/// Sends no body at all: whoever may not do this must not learn what it would have wanted.
async fn try_out(app: &TestApp, operation: &Guarded, authorization: Option<&str>) -> Answer {
    let request = app.request(operation.method.clone(), &operation.path);
    app.send(match authorization {
        Some(value) => request.header("Authorization", value),
        None => request,
    })
    .await
}

fn expect_challenge(answer: &Answer, operation: &Guarded, case: &str, status: u16, code: &str, challenge: &str) {
    let place = format!("{} {} with {case}", operation.method, operation.path);
    assert_eq!(answer.status.as_u16(), status, "{place}: {}", answer.text);
    answer.expect_problem(status, code);
    assert_eq!(answer.header("www-authenticate"), Some(challenge), "{place}");
}

#[tokio::test]
async fn what_is_guarded_opens_to_its_scope_alone() {
    let app = TestApp::start().await;
    let past = Clock::fixed(Clock::system().now() - TimeDelta::days(2));
    let accounts = Accounts::new(app.database.handle(), Clock::system(), Config::default());
    let accounts_of_old = Accounts::new(app.database.handle(), past.clone(), Config::default());
    let ann = staff(&accounts, "ann@shop.example", Role::Owner).await;
    let bob = staff(&accounts, "bob@shop.example", Role::Manager).await;
    let eve = staff(&accounts, "eve@shop.example", Role::Manager).await;
    let (_, expired) = make(&accounts_of_old, &ann, Scope::ALL, Some((past, TimeDelta::days(1)))).await;
    let (id, revoked) = make(&accounts, &ann, Scope::ALL, None).await;
    accounts.revoke_token(Actor::program("test"), id).await.unwrap();
    let (_, demoted) = make(&accounts, &bob, Scope::ALL, None).await;
    accounts.set_role(Actor::program("test"), bob.id, Role::Viewer).await.unwrap();
    let (_, disabled) = make(&accounts, &eve, Scope::ALL, None).await;
    accounts.disable_staff(Actor::program("test"), eve.id).await.unwrap();

    let guarded = guarded();
    let closed: Vec<&Guarded> = guarded.iter().filter(|operation| !operation.is_open).collect();
    assert!(closed.len() >= 6, "{} operations", closed.len());
    for operation in closed {
        for (case, authorization) in [("no token", None), ("another scheme", Some("Basic YTpi"))] {
            let answer = try_out(&app, operation, authorization).await;
            expect_challenge(&answer, operation, case, 401, "unauthorized", "Bearer");
        }
        for (case, token) in [
            ("nothing", ""),
            ("made up", "sr_x"),
            ("expired", &expired),
            ("revoked", &revoked),
            ("of a disabled maker", &disabled),
        ] {
            let answer = try_out(&app, operation, Some(&format!("Bearer {token}"))).await;
            expect_challenge(&answer, operation, case, 401, "unauthorized", r#"Bearer error="invalid_token""#);
        }
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != operation.scope).collect();
        let (_, narrow) = make(&accounts, &ann, &others, None).await;
        let challenge = format!(r#"Bearer error="insufficient_scope", scope="{}""#, operation.scope);
        for (case, token) in [("every other scope", &narrow), ("a demoted maker", &demoted)] {
            let answer = try_out(&app, operation, Some(&format!("Bearer {token}"))).await;
            expect_challenge(&answer, operation, case, 403, "forbidden", &challenge);
        }
        let (_, enough) = make(&accounts, &ann, &[operation.scope], None).await;
        for scheme in ["Bearer", "bearer"] {
            let answer = try_out(&app, operation, Some(&format!("{scheme} {enough}"))).await;
            assert!(![401, 403].contains(&answer.status.as_u16()), "{} {}", operation.path, answer.text);
        }
    }
}

#[tokio::test]
async fn reading_and_ordering_are_open() {
    let app = TestApp::start().await;
    let keys = Keys::new(&app).await;
    let elsewhere = keys.token(&[Scope::StockWrite]).await;
    for operation in guarded().iter().filter(|operation| operation.is_open) {
        for authorization in [None, Some("Basic YTpi".to_owned()), Some(format!("Bearer {elsewhere}"))] {
            let answer = try_out(&app, operation, authorization.as_deref()).await;
            assert!(![401, 403].contains(&answer.status.as_u16()), "{} {}", operation.path, answer.text);
        }
        // Who sends a token relies on it: it is not passed over when it is dead.
        let answer = try_out(&app, operation, Some("Bearer sr_x")).await;
        expect_challenge(&answer, operation, "a dead token", 401, "unauthorized", r#"Bearer error="invalid_token""#);
    }
}

#[tokio::test]
async fn with_api_auth_required_everything_needs_its_scope() {
    let app = TestApp::start_with(|_, settings| settings.accounts.token_required = true).await;
    let keys = Keys::new(&app).await;
    for operation in &guarded() {
        let answer = try_out(&app, operation, None).await;
        expect_challenge(&answer, operation, "no token", 401, "unauthorized", "Bearer");
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != operation.scope).collect();
        let narrow = format!("Bearer {}", keys.token(&others).await);
        try_out(&app, operation, Some(&narrow)).await.expect_problem(403, "forbidden");
        let enough = format!("Bearer {}", keys.token(&[operation.scope]).await);
        let answer = try_out(&app, operation, Some(&enough)).await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{} {}", operation.path, answer.text);
    }
    for open in ["/healthz/", "/readyz/", "/openapi.json", "/problems/", "/"] {
        app.get(open).await.expect(200);
    }
    let served = app.get("/openapi.json").await.json();
    for item in served["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values().filter(|operation| operation["tags"][0] != "system") {
            let alternatives = operation["security"].as_array().unwrap();
            assert!(alternatives.iter().all(|needs| needs["bearer"].is_array()), "{operation}");
        }
    }
}

#[test]
fn every_operation_but_the_systems_own_names_its_scope() {
    for (method, path, operation) in operations() {
        assert_eq!(operation["security"].is_array(), operation["tags"][0] != "system", "{method} {path}");
    }
}

#[tokio::test]
async fn an_idempotency_key_belongs_to_its_token() {
    let app = TestApp::start().await;
    let build = app.build().await;
    let (store, product) = (build.store("Corner").await, build.product("Tea", "Tea", "1.00").await);
    build.stock(store, product, 100).await;
    let keys = Keys::new(&app).await;
    let (one, two) = (keys.token(&[Scope::OrdersPlace]).await, keys.token(&[Scope::OrdersPlace]).await);
    let order = serde_json::json!({"store_id": store, "items": [{"product_id": product, "quantity_requested": 1}]});
    let mut ids = Vec::new();
    for token in [None, Some(&one), Some(&two), None, Some(&one), Some(&two)] {
        let request = app.request(Method::POST, "/orders/").header("Idempotency-Key", "same").json(&order);
        let answer = app.send(match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        });
        ids.push(answer.await.expect(201)["id"].as_i64().unwrap());
    }
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    assert_eq!(ids[..3], ids[3..], "each gets its own back");
}
