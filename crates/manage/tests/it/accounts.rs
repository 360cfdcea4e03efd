//! `manage createsuperuser`, `staff` and `token`.

use crate::support::{Bench, Run, run};

const PASSWORD: &str = "correct horse battery";

async fn with_password(bench: &Bench, variable: &str, arguments: &[&str]) -> Run {
    run(bench.command().args(arguments).env(variable, PASSWORD), b"").await
}

async fn superuser(bench: &Bench) -> Run {
    let arguments = ["createsuperuser", "--email", "ann@shop.example", "--no-input"];
    with_password(bench, "SUPERUSER_PASSWORD", &arguments).await
}

#[tokio::test]
async fn a_superuser_is_an_owner() {
    let bench = Bench::new().await;
    let made = superuser(&bench).await.ok();
    assert_eq!(made.out, "ann@shop.example\towner\tactive\tlast signed in: never\n");
    assert_eq!(bench.manage(&["staff", "list"]).await.ok().out, made.out);
    let again = superuser(&bench).await;
    assert_eq!((again.status, again.err.as_str()), (1, "manage: There is already an account for ann@shop.example.\n"));
}

#[tokio::test]
async fn a_superuser_is_asked_for() {
    let bench = Bench::new().await;
    let answers = format!("ann@shop.example\n{PASSWORD}\n");
    let made = bench.manage_with_input(&["createsuperuser"], answers.as_bytes()).await.ok();
    assert!(made.err.contains("E-mail address") && made.err.contains("Password"), "{made:?}");
    assert!(!made.err.contains(PASSWORD) && !made.out.contains(PASSWORD));
    assert_eq!(bench.number("SELECT count(*) FROM staff WHERE role = 'owner'").await, 1);
}

#[tokio::test]
async fn what_cannot_be_an_account_is_refused_in_one_line() {
    let bench = Bench::new().await;
    let no_password = bench.manage(&["createsuperuser", "--email", "ann@shop.example", "--no-input"]).await;
    assert_eq!((no_password.status, no_password.err.as_str()), (1, "manage: SUPERUSER_PASSWORD is not set\n"));
    let no_email = with_password(&bench, "SUPERUSER_PASSWORD", &["createsuperuser", "--no-input"]).await;
    assert_eq!(no_email.status, 2, "{no_email:?}");
    let no_address = with_password(&bench, "STAFF_PASSWORD", &["staff", "add", "ann", "--no-input"]).await;
    assert_eq!((no_address.status, no_address.err.as_str()), (1, "manage: This is not an e-mail address.\n"));
    let weak = bench.manage_with_input(&["staff", "add", "ann@shop.example"], b"short\n").await;
    assert!(weak.status == 1 && weak.err.contains("8 to 200 characters"), "{weak:?}");
    let no_role = bench.manage(&["staff", "add", "ann@shop.example", "--role", "king"]).await;
    assert_eq!(no_role.status, 2, "{no_role:?}");
    assert_eq!(bench.number("SELECT count(*) FROM staff").await, 0);
}

#[tokio::test]
async fn staff_come_change_and_go() {
    let bench = Bench::new().await;
    superuser(&bench).await.ok();
    let add = ["staff", "add", "bob@shop.example", "--role", "manager", "--no-input"];
    with_password(&bench, "STAFF_PASSWORD", &add).await.ok();
    let role = bench.manage(&["staff", "role", "BOB@shop.example", "viewer"]).await.ok();
    assert_eq!(role.out, "bob@shop.example\tviewer\tactive\tlast signed in: never\n");
    let before = bench.checksum_of("password_hash", "staff").await;
    with_password(&bench, "STAFF_PASSWORD", &["staff", "password", "bob@shop.example", "--no-input"]).await.ok();
    assert_ne!(bench.checksum_of("password_hash", "staff").await, before);
    let gone = bench.manage(&["staff", "disable", "bob@shop.example"]).await.ok();
    assert_eq!(gone.out, "bob@shop.example\tviewer\tdisabled\tlast signed in: never\n");
    bench.manage(&["staff", "enable", "bob@shop.example"]).await.ok();
    let last = bench.manage(&["staff", "disable", "ann@shop.example"]).await;
    assert!(last.status == 1 && last.err.contains("last owner"), "{last:?}");
    assert_eq!(bench.number("SELECT count(*) FROM audit_log WHERE actor = 'manage'").await, 6);
}

#[tokio::test]
async fn a_token_is_shown_once() {
    let bench = Bench::new().await;
    superuser(&bench).await.ok();
    let create = ["token", "create", "--staff", "ann@shop.example", "--name", "till", "--scope"];
    let arguments =
        [&create[..], &["stock:write,orders:read", "--scope", "orders:cancel", "--expires-in", "90"]].concat();
    let made = bench.manage(&arguments).await.ok();
    let token = made.out.trim_end();
    assert!(token.starts_with("sr_") && token.len() == 46 && made.out.lines().count() == 1, "{made:?}");
    let listed = bench.manage(&["token", "list"]).await.ok().out;
    assert!(listed.starts_with(&format!("1\t{}…\ttill\tann@shop.example\t", &token[..11])), "{listed}");
    assert!(listed.contains("orders:cancel,orders:read,stock:write\texpires 20"), "{listed}");
    assert!(!listed.contains(token));
    bench.manage(&["token", "revoke", "1"]).await.ok();
    assert!(bench.manage(&["token", "list"]).await.ok().out.contains("\trevoked\t"));
    let unknown = bench.manage(&["token", "revoke", "2"]).await;
    assert_eq!((unknown.status, unknown.err.as_str()), (1, "manage: There is no token 2.\n"));
    let made_up = bench.manage(&[&create[..], &["everything"]].concat()).await;
    assert_eq!(made_up.status, 2, "{made_up:?}");
}
