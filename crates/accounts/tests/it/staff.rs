//! Accounts.

use accounts::{Error, Role, Scope, Standing};

use crate::support::{Fixture, PASSWORD, actor, email, password};

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let test = Fixture::new().await;
    let ann = test.staff("Ann@shop.example", Role::Owner).await;
    let again = test.accounts.add_staff(actor(), email("ann@SHOP.example"), Role::Viewer, password(PASSWORD)).await;
    assert!(matches!(again, Err(Error::EmailTaken(_))), "{again:?}");
    assert_eq!(test.accounts.find_staff(&email("ANN@shop.example")).await.unwrap(), ann);
    let nobody = test.accounts.find_staff(&email("bob@shop.example")).await;
    assert!(matches!(nobody, Err(Error::NoSuchStaff(_))), "{nobody:?}");
    assert_eq!(test.accounts.list_staff().await.unwrap(), [ann]);
}

#[tokio::test]
async fn passwords_are_kept_as_argon2id_alone() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let kept = test.column("SELECT password_hash FROM staff").await;
    assert!(kept[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept:?}");
    let everything = test.column("SELECT to_jsonb(t)::text FROM (SELECT * FROM staff) AS t").await;
    assert!(!everything[0].contains(PASSWORD));
}

#[tokio::test]
async fn the_last_owner_stays() {
    let test = Fixture::new().await;
    let (ann, bob) =
        (test.staff("ann@shop.example", Role::Owner).await, test.staff("bob@shop.example", Role::Owner).await);
    test.staff("eve@shop.example", Role::Manager).await;
    // Both try to leave at once: one of them must not.
    let (one, two) = tokio::join!(
        test.accounts.disable_staff(actor(), ann.id),
        test.accounts.set_role(actor(), bob.id, Role::Viewer)
    );
    let refused = [one.is_err(), two.is_err()];
    assert_eq!(refused.iter().filter(|is| **is).count(), 1, "{one:?} {two:?}");
    let owners = test.column("SELECT count(*) FROM staff WHERE role = 'owner' AND disabled_at IS NULL").await;
    assert_eq!(owners, ["1"]);
    let left = if one.is_err() { ann } else { bob };
    for attempt in [
        test.accounts.disable_staff(actor(), left.id).await,
        test.accounts.set_role(actor(), left.id, Role::Manager).await,
    ] {
        assert!(matches!(attempt, Err(Error::LastOwner)), "{attempt:?}");
    }
}

#[tokio::test]
async fn disabling_ends_sessions_and_tokens_for_good() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let bob = test.staff("bob@shop.example", Role::Manager).await;
    let session = test.sign_in("bob@shop.example", PASSWORD).await.unwrap();
    let token = test.token(&bob, &[Scope::StockWrite]).await;
    test.accounts.disable_staff(actor(), bob.id).await.unwrap();
    assert_eq!(test.accounts.session(&session.secret).await.unwrap(), None);
    assert!(test.accounts.identify(&token).await.is_err());
    assert!(test.sign_in("bob@shop.example", PASSWORD).await.is_err());
    test.accounts.enable_staff(actor(), bob.id).await.unwrap();
    assert_eq!(test.accounts.session(&session.secret).await.unwrap(), None, "what ended stays so");
    assert!(test.accounts.identify(&token).await.is_err());
    test.sign_in("bob@shop.example", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn what_happens_to_accounts_is_in_the_log() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Owner).await;
    let session = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    let by_herself = session.session.actor().in_request("request-2");
    test.accounts.set_password(by_herself, ann.id, password("another horse")).await.unwrap();
    test.staff("bob@shop.example", Role::Owner).await;
    test.accounts.set_role(actor(), ann.id, Role::Manager).await.unwrap();
    let log = "SELECT concat_ws(' ', actor, action, object_kind, object_id, before, after, request_id) \
               FROM audit_log WHERE object_id = '1' ORDER BY id";
    let made = r#"{"role": "owner", "email": "ann@shop.example", "disabled": false}"#;
    let expected = [
        format!("test create staff 1 {made}"),
        "ann@shop.example sign in staff 1 request-1".into(),
        "ann@shop.example change password staff 1 request-2".into(),
        format!("test change staff 1 {made} {}", made.replace("owner", "manager")),
    ];
    assert_eq!(test.column(log).await, expected);
    let told = test.column("SELECT coalesce(string_agg(to_jsonb(l)::text, ''), '') FROM audit_log AS l").await;
    assert!(!told[0].contains("argon2") && !told[0].contains("horse"), "no password in any form");
}

#[tokio::test]
async fn a_standing_is_changed_by_who_saw_it() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let bob = test.staff("bob@shop.example", Role::Manager).await;
    let (active, viewer) = (bob.standing(), Standing { role: Role::Viewer, is_disabled: false });
    let gone = test.accounts.disable_staff(actor(), bob.id).await.unwrap();
    let late = test.accounts.set_standing(actor(), bob.id, active, viewer).await;
    assert!(matches!(late, Err(Error::Stale)), "{late:?}");
    let found = test.accounts.find_staff(&email("bob@shop.example")).await.unwrap();
    assert_eq!(found, gone);
    let back = test.accounts.set_standing(actor(), bob.id, gone.standing(), viewer).await.unwrap();
    assert_eq!(back.standing(), viewer);
    let entries = test.column("SELECT count(*) FROM audit_log WHERE action = 'change'").await;
    test.accounts.set_standing(actor(), bob.id, viewer, viewer).await.unwrap();
    assert_eq!(test.column("SELECT count(*) FROM audit_log WHERE action = 'change'").await, entries);
}
