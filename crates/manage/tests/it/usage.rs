use std::process::Stdio;
use std::time::Duration;

use testkit::{Proxy, address_of};

use crate::support::{Bench, run};

#[tokio::test]
async fn a_command_line_without_sense_is_status_2() {
    let bench = Bench::new().await;
    for arguments in [&[][..], &["frobnicate"], &["seed", "--products", "many"], &["seed", "--products", "-1"]] {
        let run = bench.manage(arguments).await;
        assert_eq!(run.status, 2, "{arguments:?}: {run:?}");
        assert!(run.err.contains("Usage") || run.err.contains("--help"), "{run:?}");
    }
}

#[tokio::test]
async fn a_missing_database_is_one_clear_line_and_status_1() {
    let bench = Bench::new().await;
    let missing = run(bench.command().args(["migrate"]).env_remove("DATABASE_URL"), b"").await;
    assert_eq!((missing.status, missing.err.as_str()), (1, "manage: DATABASE_URL is not set\n"));
    let away = "postgres://nobody@127.0.0.1:1/nothing";
    for arguments in [&["migrate"][..], &["seed"]] {
        let run = run(bench.command().args(arguments).env("DATABASE_URL", away), b"").await;
        assert_eq!((run.status, run.err.lines().count()), (1, 1), "{run:?}");
        assert!(run.err.starts_with("manage: the database cannot be reached"), "{run:?}");
    }
}

#[tokio::test]
async fn migrate_waits_for_a_database_that_comes_up_later() {
    let bench = Bench::new().await;
    let proxy = Proxy::to(address_of(bench.database.url())).await;
    proxy.cut();
    let url = bench.database.url_through(&proxy);
    let (waited, ()) = tokio::join!(
        async { run(bench.command().args(["migrate", "--wait", "60"]).env("DATABASE_URL", &url), b"").await.ok() },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            proxy.heal();
        }
    );
    assert!(waited.err.contains("asking again"), "{waited:?}");
    assert_eq!(waited.out, "The schema is up to date.\n");
}

#[tokio::test]
async fn migrate_says_what_it_ran_and_the_others_ask_for_it() {
    let bench = Bench::new().await;
    let again = bench.manage(&["migrate"]).await.ok();
    assert_eq!(again.out, "The schema is up to date.\n");
    db::revert_all(&bench.database.as_role(db::Role::CommandLine)).await.unwrap();
    let too_early = bench.manage(&["seed"]).await;
    assert_eq!(too_early.status, 1);
    assert!(too_early.err.ends_with("run `manage migrate` first\n"), "{too_early:?}");
    let first = bench.manage(&["migrate"]).await.ok();
    assert!(
        first.out.lines().count() >= 5 && first.out.lines().all(|line| line.starts_with("Migrated: ")),
        "{first:?}"
    );
    bench.manage(&["seed", "--products", "10", "--stores", "1"]).await.ok();
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_fault_of_the_program() {
    let bench = Bench::new().await;
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let program = bench.command().arg("openapi").stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    let ended = program.wait_with_output().await.unwrap();
    assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
}
