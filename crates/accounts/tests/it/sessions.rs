//! Sessions: how they begin, and every way they end.

use accounts::Role;
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Fixture, PASSWORD, actor, attempt, password};

#[tokio::test]
async fn a_session_is_known_by_its_hash_alone() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Manager).await;
    let begun = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    assert_eq!(begun.secret.expose_secret().len(), 43, "256 bits");
    assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), Some(begun.session.clone()));
    assert_eq!((begun.session.staff_id, begun.session.role), (ann.id, Role::Manager));
    let kept = test.column("SELECT to_jsonb(s)::text FROM sessions AS s").await;
    assert!(!kept[0].contains(begun.secret.expose_secret()) && !kept[0].contains(&begun.session.csrf_token));
    for made_up in ["", "x", &"A".repeat(43), "nul\0"] {
        assert_eq!(test.accounts.session(&SecretString::from(made_up)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn signing_in_always_makes_a_new_one_and_ends_the_one_presented() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Manager).await;
    let first = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    let elsewhere = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    let mut again = attempt("ann@shop.example", PASSWORD);
    again.presented = Some(first.secret.clone());
    let second = test.accounts.sign_in(again).await.unwrap();
    assert_ne!(first.secret.expose_secret(), second.secret.expose_secret());
    assert_ne!(first.session.csrf_token, second.session.csrf_token);
    assert_eq!(test.accounts.session(&first.secret).await.unwrap(), None);
    assert!(test.accounts.session(&second.secret).await.unwrap().is_some());
    assert!(test.accounts.session(&elsewhere.secret).await.unwrap().is_some(), "another browser's goes on");
}

#[tokio::test]
async fn half_an_hour_without_use_ends_it() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Manager).await;
    let begun = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    for _ in 0..4 {
        test.clock.advance(TimeDelta::minutes(29));
        assert!(test.accounts.session(&begun.secret).await.unwrap().is_some());
    }
    test.clock.advance(TimeDelta::minutes(30));
    assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), None);
}

#[tokio::test]
async fn eight_hours_end_it_whatever_happens() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Manager).await;
    let begun = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    for _ in 0..31 {
        test.clock.advance(TimeDelta::minutes(15));
        assert!(test.accounts.session(&begun.secret).await.unwrap().is_some());
    }
    test.clock.advance(TimeDelta::minutes(15));
    assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), None);
    test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    assert_eq!(test.column("SELECT count(*) FROM sessions").await, ["1"], "the dead are cleared away");
}

#[tokio::test]
async fn signing_out_ends_it() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Manager).await;
    let begun = test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    test.accounts.sign_out(&begun.session).await.unwrap();
    assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_password_or_role_ends_all_of_them() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Manager).await;
    let begun = [
        test.sign_in("ann@shop.example", PASSWORD).await.unwrap(),
        test.sign_in("ann@shop.example", PASSWORD).await.unwrap(),
    ];
    test.accounts.set_password(actor(), ann.id, password("another horse")).await.unwrap();
    for begun in &begun {
        assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), None);
    }
    let begun = test.sign_in("ann@shop.example", "another horse").await.unwrap();
    test.accounts.set_role(actor(), ann.id, Role::Viewer).await.unwrap();
    assert_eq!(test.accounts.session(&begun.secret).await.unwrap(), None);
}
