//! What forms do where there is no JavaScript, what they say they change, and when there is no time for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use accounts::{Role, SignIn};
use secrecy::SecretString;
use testkit::TestApp;

use crate::browser::Browser;

const LISTS: [&str; 10] =
    ["orders", "confirmations", "jobs", "products", "categories", "stores", "inventory", "tokens", "staff", "audit"];

#[tokio::test]
async fn a_filter_is_a_plain_form_with_a_button() {
    let app = TestApp::start().await;
    app.build().await.fill(1, 1).await;
    let mut browser = Browser::signed_in(&app, Role::Owner).await;
    for list in LISTS {
        let page = browser.get(&format!("/admin/{list}/")).await.expect(200).text;
        let start = format!("<form class=\"filters\" method=\"get\" action=\"/admin/{list}/\"");
        let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("{list}: {page}"));
        let form = rest.split("</form>").next().unwrap();
        assert_eq!(form.matches("<button>Show</button>").count(), 1, "{list}: {form}");
        for handler in [" onchange", " onsubmit", " oninput", " onclick", "autosubmit", "http-equiv"] {
            assert!(!page.contains(handler), "{list}: {handler}");
        }
    }
    // Nor does the script send a form that nobody sent.
    let script = include_str!("../../assets/admin.js");
    assert!(!script.contains("submit()") && !script.contains("requestSubmit"), "{script}");
}

#[tokio::test]
async fn the_form_of_an_account_says_which_state_it_changes() {
    let app = TestApp::start().await;
    let mut owner = Browser::signed_in(&app, Role::Owner).await;
    let member = [("email", "new@shop.example"), ("role", "manager"), ("password", "12345678")];
    owner.fill("/admin/staff/new/", &member).await.expect(303);
    let shown = |text: &str, value: &str| text.contains(&format!("<option value=\"{value}\" selected>"));
    let page = owner.get("/admin/staff/2/").await.expect(200);
    assert!(
        shown(&page.text, "manager") && shown(&page.text, "active") && !shown(&page.text, "viewer"),
        "{}",
        page.text
    );
    assert_eq!(page.hidden("seen"), "manager active");
    let seen = page.hidden("seen");
    owner.fill("/admin/staff/2/", &[("role", "manager"), ("state", "disabled")]).await.expect(303);
    let page = owner.get("/admin/staff/2/").await.expect(200);
    assert!(shown(&page.text, "disabled") && page.hidden("seen") == "manager disabled", "{}", page.text);
    // The form that was opened before changes nothing, and goes on saying what it was made from.
    let stale = [("role", "owner"), ("state", "active"), ("seen", seen.as_str())];
    let refused = owner.act("/admin/staff/2/", &stale).await.expect(422);
    assert!(refused.text.contains("Somebody else changed this account"), "{}", refused.text);
    assert_eq!(refused.hidden("seen"), "manager active");
    let page = owner.get("/admin/staff/2/").await.expect(200);
    assert!(shown(&page.text, "disabled") && shown(&page.text, "manager"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_changed_later_where_too_many_are_being_hashed() {
    let app = TestApp::start().await;
    let mut browser = Browser::signed_in(&app, Role::Viewer).await;
    let csrf = browser.get("/admin/").await.expect(200).hidden("csrf");
    // Whoever is sent away from the queue comes again at once, so that it is full as long as this lasts.
    let is_over = Arc::new(AtomicBool::new(false));
    let crowd: Vec<_> = (0..400_u32)
        .map(|number| {
            let (accounts, is_over) = (app.services().accounts.clone(), is_over.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::Relaxed) {
                    let attempt = SignIn {
                        email: format!("nobody-{number}@shop.example"),
                        password: SecretString::from("wrong horse battery"),
                        address: None,
                        presented: None,
                        request_id: None,
                    };
                    _ = accounts.sign_in(attempt).await;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            })
        })
        .collect();
    let fields = [("csrf", csrf.as_str()), ("current", "wrong"), ("password", "87654321"), ("again", "87654321")];
    let mut refused = None;
    for _ in 0..50 {
        let page = browser.submit("/admin/password/", &fields).await;
        if page.status == 503 {
            refused = Some(page);
            break;
        }
    }
    is_over.store(true, Ordering::Relaxed);
    crowd.iter().for_each(|one| one.abort());
    let refused = refused.expect("the queue was full at some time");
    assert_eq!(refused.header("retry-after"), "1", "{:?}", refused.headers);
    assert!(refused.header("content-type").starts_with("text/html"), "{:?}", refused.headers);
    assert!(refused.text.contains("Try again"), "{}", refused.text);
}
