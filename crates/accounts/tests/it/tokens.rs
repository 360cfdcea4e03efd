//! Tokens.

use accounts::{Error, NewToken, Role, Scope, TokenError};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use crate::support::{Fixture, actor};

#[tokio::test]
async fn a_token_speaks_for_its_maker() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Manager).await;
    let secret = test.token(&ann, &[Scope::StockWrite, Scope::CatalogueWrite, Scope::StockWrite]).await;
    assert!(secret.expose_secret().starts_with("sr_") && secret.expose_secret().len() == 46);
    let identity = test.accounts.identify(&secret).await.unwrap();
    assert_eq!((identity.staff_id, identity.email.as_str()), (ann.id, "ann@shop.example"));
    assert_eq!(identity.scopes, [Scope::CatalogueWrite, Scope::StockWrite]);
    assert_eq!(accounts::Actor::from(&identity).to_string(), "ann@shop.example (till)");
    let kept = test.column("SELECT to_jsonb(t)::text FROM tokens AS t").await;
    assert!(!kept[0].contains(secret.expose_secret()));
    let listed = test.accounts.list_tokens(Some(ann.id)).await.unwrap();
    assert_eq!(listed[0].prefix, secret.expose_secret()[..11]);
    assert_eq!(listed[0].last_used_at, Some(test.clock.now()));
    assert_eq!(test.accounts.list_tokens(Some(ann.id + 1)).await.unwrap(), []);
}

#[tokio::test]
async fn no_token_is_wider_than_its_makers_role() {
    let test = Fixture::new().await;
    test.staff("owner@shop.example", Role::Owner).await;
    let ann = test.staff("ann@shop.example", Role::Manager).await;
    let secret = test.token(&ann, Scope::ALL).await;
    test.accounts.set_role(actor(), ann.id, Role::Viewer).await.unwrap();
    let identity = test.accounts.identify(&secret).await.unwrap();
    assert_eq!(identity.scopes, [Scope::CatalogueRead, Scope::OrdersRead], "a token shrinks with the role");
    for scope in Scope::ALL.iter().filter(|scope| scope.least_role() > Role::Viewer) {
        let token = NewToken { staff_id: ann.id, name: "wide".into(), scopes: vec![*scope], expires_at: None };
        let refused = test.accounts.make_token(actor(), token).await;
        assert!(matches!(refused, Err(Error::TooWide { role: Role::Viewer, .. })), "{scope}: {refused:?}");
    }
}

#[tokio::test]
async fn tokens_end_by_time_by_hand_and_with_their_maker() {
    let test = Fixture::new().await;
    test.staff("owner@shop.example", Role::Owner).await;
    let ann = test.staff("ann@shop.example", Role::Manager).await;
    let hour = Some(test.clock.now() + TimeDelta::hours(1));
    let token =
        |expires_at| NewToken { staff_id: ann.id, name: "till".into(), scopes: vec![Scope::OrdersRead], expires_at };
    let short = test.accounts.make_token(actor(), token(hour)).await.unwrap();
    let long = test.accounts.make_token(actor(), token(None)).await.unwrap();
    test.accounts.identify(&short.secret).await.unwrap();
    test.clock.advance(TimeDelta::hours(1));
    let expired = test.accounts.identify(&short.secret).await;
    assert!(matches!(expired, Err(TokenError::Expired)), "{expired:?}");
    assert!(matches!(test.accounts.make_token(actor(), token(hour)).await, Err(Error::Expired)));

    test.accounts.identify(&long.secret).await.unwrap();
    test.accounts.revoke_token(actor(), long.id).await.unwrap();
    test.accounts.revoke_token(actor(), long.id).await.unwrap();
    assert!(matches!(test.accounts.identify(&long.secret).await, Err(TokenError::Revoked)));
    assert!(matches!(test.accounts.revoke_token(actor(), 999).await, Err(Error::NoSuchToken(999))));
    assert_eq!(test.column("SELECT count(*) FROM audit_log WHERE action = 'revoke'").await, ["1"]);

    let other = test.accounts.make_token(actor(), token(None)).await.unwrap();
    test.accounts.disable_staff(actor(), ann.id).await.unwrap();
    assert!(matches!(test.accounts.identify(&other.secret).await, Err(TokenError::Disabled)));
    assert!(matches!(test.accounts.make_token(actor(), token(None)).await, Err(Error::Disabled)));
}

#[tokio::test]
async fn a_token_has_a_name_a_purpose_and_a_maker() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Owner).await;
    let sound = NewToken { staff_id: ann.id, name: "till".into(), scopes: vec![Scope::OrdersRead], expires_at: None };
    for name in ["", "   ", "nul\0", "\u{1b}[2Jtill", "two\nlines", &"x".repeat(101)] {
        let refused = test.accounts.make_token(actor(), NewToken { name: name.into(), ..sound.clone() }).await;
        assert!(matches!(refused, Err(Error::TokenName)), "{name:?}: {refused:?}");
    }
    let refused = test.accounts.make_token(actor(), NewToken { scopes: vec![], ..sound.clone() }).await;
    assert!(matches!(refused, Err(Error::NoScopes)), "{refused:?}");
    let refused = test.accounts.make_token(actor(), NewToken { staff_id: 999, ..sound }).await;
    assert!(matches!(refused, Err(Error::NoSuchStaff(_))), "{refused:?}");
    for made_up in ["", "sr_", "sr_AAAAAAAA", "nul\0"] {
        let unknown = test.accounts.identify(&SecretString::from(made_up)).await;
        assert!(matches!(unknown, Err(TokenError::Unknown)), "{made_up:?}: {unknown:?}");
    }
}
