//! Signing in: who is let in, who waits, and for how long it takes.

use std::time::{Duration, Instant};

use accounts::{Role, SignIn, SignInError};
use chrono::TimeDelta;

use crate::support::{Fixture, PASSWORD, actor, attempt, password};

#[tokio::test]
async fn only_the_right_password_of_a_live_account_lets_in() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let gone = test.staff("gone@shop.example", Role::Viewer).await;
    test.accounts.disable_staff(actor(), gone.id).await.unwrap();
    for (email, password) in [
        ("ann@shop.example", "wrong horse battery"),
        ("ann@shop.example", ""),
        ("nobody@shop.example", PASSWORD),
        ("gone@shop.example", PASSWORD),
        ("no address", PASSWORD),
        ("nul\0@shop.example", PASSWORD),
    ] {
        let refused = test.sign_in(email, password).await;
        assert!(matches!(refused, Err(SignInError::Refused)), "{email:?}: {refused:?}");
        assert_eq!(refused.unwrap_err().to_string(), "The e-mail address or the password is wrong.");
    }
    let entered = test.sign_in(" ANN@shop.example ", PASSWORD).await.unwrap();
    assert_eq!((entered.session.email.as_str(), entered.session.role), ("ann@shop.example", Role::Owner));
}

#[tokio::test]
async fn failures_slow_an_account_down_and_never_lock_it() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let from = |number: u8| {
        let mut attempt = attempt("ann@shop.example", "wrong horse battery");
        attempt.address = Some([198, 51, 100, number].into());
        attempt
    };
    // Always from another address, so it is the account that is slowed down.
    for number in 0..5 {
        assert!(matches!(test.accounts.sign_in(from(number)).await, Err(SignInError::Refused)));
    }
    let mut waits = Vec::new();
    for number in 5..18 {
        let refused = test.accounts.sign_in(from(number)).await;
        let Err(SignInError::TooSoon(wait)) = refused else { panic!("{number}: {refused:?}") };
        waits.push(wait.num_seconds());
        let right = test.sign_in("Ann@shop.example", PASSWORD).await;
        assert!(matches!(right, Err(SignInError::TooSoon(_))), "the right password waits too");
        test.clock.advance(wait);
        assert!(matches!(test.accounts.sign_in(from(number)).await, Err(SignInError::Refused)));
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    test.clock.advance(TimeDelta::minutes(15));
    test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    assert!(matches!(test.accounts.sign_in(from(20)).await, Err(SignInError::Refused)), "all is forgiven");
}

#[tokio::test]
async fn failures_slow_an_address_down_for_every_account() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    for number in 0..20 {
        // One's own account opens no way to more guesses.
        test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
        let refused = test.sign_in(&format!("user{number}@shop.example"), PASSWORD).await;
        assert!(matches!(refused, Err(SignInError::Refused)), "{number}: {refused:?}");
    }
    let refused = test.sign_in("ann@shop.example", PASSWORD).await;
    assert!(matches!(refused, Err(SignInError::TooSoon(_))), "{refused:?}");
    let mut elsewhere = attempt("ann@shop.example", PASSWORD);
    elsewhere.address = Some("203.0.113.9".parse().unwrap());
    test.accounts.sign_in(elsewhere).await.unwrap();
}

#[tokio::test]
async fn guesses_made_at_once_do_not_slip_through() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    let guesses = (0..12).map(|number| {
        let accounts = test.accounts.clone();
        let mut guess = attempt("ann@shop.example", "wrong horse battery");
        guess.address = Some([198, 51, 100, number].into());
        tokio::spawn(async move { accounts.sign_in(guess).await })
    });
    let mut looked_at = 0;
    for guess in guesses.collect::<Vec<_>>() {
        match guess.await.unwrap() {
            Err(SignInError::Refused) => looked_at += 1,
            Err(SignInError::TooSoon(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn an_account_in_another_guise_is_slowed_down_all_the_same() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    for (number, guise) in
        ["ann@shop.example", " ann@shop.example", "Ann@Shop.Example", "ann@shop.example\t", "  ANN@shop.example"]
            .into_iter()
            .enumerate()
    {
        let mut guess = attempt(guise, "wrong horse battery");
        guess.address = Some([198, 51, 100, u8::try_from(number).unwrap()].into());
        assert!(matches!(test.accounts.sign_in(guess).await, Err(SignInError::Refused)), "{guise:?}");
    }
    let refused = test.sign_in("   ann@shop.example   ", "wrong horse battery").await;
    assert!(matches!(refused, Err(SignInError::TooSoon(_))), "{refused:?}");
}

#[tokio::test]
async fn what_no_account_can_have_is_refused_without_work() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    // No two alike, as PostgreSQL would press what repeats into an index.
    let long: String =
        (0..20_000_u32).map(|n| char::from(b'a' + (n.wrapping_mul(2_654_435_761) >> 24) as u8 % 26)).collect();
    let huge = "x".repeat(8 << 20);
    let begun = Instant::now();
    for (number, (email, password)) in [
        (format!("{long}@shop.example").as_str(), PASSWORD),
        (&long, PASSWORD),
        ("\u{130}nn@shop.example", PASSWORD),
        ("ann@shop.example", &huge),
    ]
    .into_iter()
    .enumerate()
    {
        let mut guess = attempt(email, password);
        guess.address = Some([198, 51, 100, u8::try_from(number).unwrap()].into());
        let refused = test.accounts.sign_in(guess).await;
        assert!(matches!(refused, Err(SignInError::Refused)), "{number}: {refused:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let counted =
        "SELECT concat_ws(' ', subject, failures) FROM sign_in_attempts WHERE subject LIKE 'account:%' ORDER BY 1";
    assert_eq!(test.column(counted).await, ["account: 3", "account:ann@shop.example 1"]);
}

/// Attempts from one address wait for each other's row. Those that wait must not hold all connections of the pool.
#[tokio::test]
async fn sign_ins_that_wait_leave_the_database_to_others() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Owner).await;
    let token = test.token(&ann, &[accounts::Scope::OrdersRead]).await;
    let _ = test.sign_in("ann@shop.example", "wrong horse battery").await;
    let mut sql = test.database.sql().await;
    let holding = sql.transaction().await.unwrap();
    holding.execute("SELECT FROM sign_in_attempts FOR UPDATE", &[]).await.unwrap();
    let guesses: Vec<_> = (0..60)
        .map(|number| {
            let (accounts, guess) = (test.accounts.clone(), attempt(&format!("user{number}@shop.example"), PASSWORD));
            tokio::spawn(async move { accounts.sign_in(guess).await })
        })
        .collect();
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while test.column(waiting).await[0] == "0" {}
    for _ in 0..20 {
        test.accounts.identify(&token).await.unwrap();
    }
    assert!(test.column(waiting).await[0].parse::<u8>().unwrap() <= 4);
    holding.rollback().await.unwrap();
    for guess in guesses {
        assert!(guess.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn weaker_hashes_are_made_anew() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Owner).await;
    // `correct horse battery` at 8 MiB and one pass.
    let weak = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$HhdGxmsoo8pSkWu74EOdjWuyMCjKM2aof0XQCAMO4jU";
    let sql = format!("UPDATE staff SET password_hash = '{weak}' WHERE id = {}", ann.id);
    test.database.sql().await.batch_execute(&sql).await.unwrap();
    test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    let kept = test.column("SELECT password_hash FROM staff").await;
    assert!(kept[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept:?}");
    test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    assert_eq!(test.column("SELECT password_hash FROM staff").await, kept, "and then they are left alone");
}

#[tokio::test]
async fn a_password_that_changed_meanwhile_does_not_let_in() {
    let test = Fixture::new().await;
    let ann = test.staff("ann@shop.example", Role::Owner).await;
    test.accounts.set_password(actor(), ann.id, password("another horse")).await.unwrap();
    assert!(matches!(test.sign_in("ann@shop.example", PASSWORD).await, Err(SignInError::Refused)));
    test.sign_in("ann@shop.example", "another horse").await.unwrap();
}

#[tokio::test]
async fn who_goes_on_guessing_does_not_keep_the_owner_out() {
    let test = Fixture::new().await;
    test.staff("ann@shop.example", Role::Owner).await;
    test.sign_in("ann@shop.example", PASSWORD).await.unwrap();
    // From elsewhere somebody takes every opening there is.
    let mut guess = attempt("ann@shop.example", "wrong horse battery");
    guess.address = Some([198, 51, 100, 7].into());
    for _ in 0..25 {
        let attempt = SignIn {
            email: guess.email.clone(),
            password: guess.password.clone(),
            address: guess.address,
            presented: None,
            request_id: None,
        };
        if let Err(SignInError::TooSoon(wait)) = test.accounts.sign_in(attempt).await {
            test.clock.advance(wait);
        }
    }
    test.sign_in("ann@shop.example", PASSWORD).await.expect("she has signed in from here before");
    // Guesses from her own address count there.
    for _ in 0..5 {
        assert!(matches!(test.sign_in("ann@shop.example", "wrong horse").await, Err(SignInError::Refused)));
    }
    let refused = test.sign_in("ann@shop.example", PASSWORD).await;
    assert!(matches!(refused, Err(SignInError::TooSoon(_))), "{refused:?}");
    test.clock.advance(TimeDelta::days(31));
    test.staff("bob@shop.example", Role::Viewer).await;
    test.sign_in("bob@shop.example", PASSWORD).await.unwrap();
    let familiar = "SELECT subject FROM sign_in_attempts WHERE subject LIKE '% from %'";
    assert_eq!(test.column(familiar).await, ["account:bob@shop.example from 192.0.2.1"]);
}
