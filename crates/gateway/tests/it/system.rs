use std::time::Duration;

use testkit::{Proxy, TestApp, address_of, database_url};

#[tokio::test]
async fn it_is_alive_and_ready() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/healthz").await.expect(200)["status"], "ok");
    let ready = app.get("/readyz").await.expect(200);
    assert_eq!(ready["status"], "ready");
    assert_eq!(ready["parts"]["database"], "ok");
}

#[tokio::test]
async fn without_a_database_it_is_alive_but_not_ready() {
    let proxy = Proxy::to(address_of(&database_url())).await;
    let app = TestApp::start_with(|database, settings| {
        settings.database = db::Config::new(database.url_through(&proxy), db::Role::Gateway);
    })
    .await;
    app.get("/readyz/").await.expect(200);
    proxy.cut();
    app.get("/healthz/").await.expect(200);
    let ready = app.get("/readyz/").await;
    assert_eq!(ready.expect(503)["parts"]["database"], "unreachable");
    assert!(ready.header("retry-after").is_some());
    proxy.heal();
    app.get("/readyz/").await.expect(200);
}

#[tokio::test]
async fn a_database_without_its_migrations_is_outdated() {
    let app = TestApp::start().await;
    db::revert_all(&app.database.as_role(db::Role::CommandLine)).await.unwrap();
    assert_eq!(app.get("/readyz/").await.expect(503)["parts"]["database"], "outdated");
}

#[tokio::test]
async fn readiness_waits_for_nobody_who_migrates() {
    let app = TestApp::start().await;
    let migrating = app.database.sql().await;
    migrating.batch_execute("SELECT pg_advisory_lock(x'0053746f636b726d'::bigint)").await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(5), app.get("/readyz/")).await;
    asked.expect("it waits for the lock").expect(200);
}

#[tokio::test]
async fn the_pages_for_people_are_there() {
    let app = TestApp::start().await;
    for (path, holds) in [
        ("/", "/swagger-ui/"),
        ("/problems/", "not_found"),
        ("/problems/not_found/", "Nothing exists at this address"),
        ("/swagger-ui/", "swagger-ui.css"),
        ("/swagger-ui", "swagger-ui.css"),
        ("/swagger-ui/index.html", "swagger-ui.css"),
        ("/swagger-ui/swagger-initializer.js", "/openapi.json"),
        ("/openapi.json", "\"openapi\":\"3.1.0\""),
    ] {
        let page = app.get(path).await;
        page.expect(200);
        assert!(page.text.contains(holds), "{path} holds no {holds}: {}", page.text);
    }
}

#[tokio::test]
async fn every_problem_has_its_page() {
    let app = TestApp::start().await;
    for code in web::Code::ALL {
        let page = app.get(&format!("/problems/{}/", code.as_str())).await;
        page.expect(200);
        assert!(page.text.contains(code.title()));
    }
    app.get("/problems/made_up/").await.expect_problem(404, "not_found");
}
