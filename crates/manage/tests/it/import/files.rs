//! What can be wrong with a file as such.

use crate::support::Bench;

const HEADER: &str = "name,location\n";

#[tokio::test]
async fn a_header_that_does_not_fit_is_a_clear_error() {
    let bench = Bench::new().await;
    let before = bench.checksum().await;
    for (content, said) in [
        ("", "the file is empty; its first row must be the header name,location"),
        ("\n\r\n", "the file is empty; its first row must be the header name,location"),
        (
            "name,place\nNorth,Oslo\n",
            "the header row must be name,location; unknown columns: \"place\"; missing columns: \"location\"",
        ),
        (
            "North,Oslo\n",
            "the header row must be name,location; unknown columns: \"north\", \"oslo\"; missing columns: \"name\", \"location\"",
        ),
        ("name,location,name\n", "the header row must name each of name,location once"),
        (
            "name;location\n",
            "the header row must be name,location; unknown columns: \"name;location\"; missing columns: \"name\", \"location\"",
        ),
        ("\"name,location\nNorth,Oslo\n", "the header row on line 1 cannot be read: a quote is opened and not closed"),
    ] {
        let run = bench.import("stores", content).await;
        assert_eq!((run.status, run.err), (1, format!("manage: {said}\n")), "{content:?}");
    }
    let run = bench.manage(&["import", "stores", "not there.csv"]).await;
    assert_eq!((run.status, run.err.lines().count()), (1, 1));
    assert!(run.err.starts_with("manage: not there.csv: No such file"), "{run:?}");
    assert_eq!(bench.manage(&["import", "orders", "in.csv"]).await.status, 2);
    assert_eq!(bench.checksum().await, before);
}

/// The line is the one that an editor shows, whatever ends lines and however many a record takes.
#[tokio::test]
async fn lines_are_counted_as_an_editor_counts_them() {
    let bench = Bench::new().await;
    for end in ["\n", "\r\n", "\r"] {
        let rows = [
            "\u{feff}NAME, Location ", // 1
            "",
            "North,Oslo", // 3
            ",nowhere",   // 4
            "",
            "",
            "\"South",     // 7
            "side\",Rome", // 8
            ",\"two",      // 9
            "lines\"",     // 10
            ",last",       // 11
        ];
        let run = bench.import("stores", rows.join(end)).await;
        assert_eq!(run.figures()[4], 3, "{end:?} {run:?}");
        let lines: Vec<u64> = bench.rejects().into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [4, 9, 11], "{end:?}");
    }
    assert_eq!(bench.number("SELECT count(*) FROM stores WHERE name = 'North'").await, 1);
}

#[tokio::test]
async fn bytes_that_are_not_utf8_cost_their_row_alone() {
    let bench = Bench::new().await;
    let run = bench.import("stores", b"name,location\nNorth,Oslo\nM\xfcnchen,Bavaria\nSouth,\xff\nEast,Bonn\n").await;
    assert_eq!((run.status, run.figures()), (1, [4, 2, 0, 0, 2]));
    assert_eq!(bench.rejects(), [(3, "name: not UTF-8".to_owned()), (4, "location: not UTF-8".to_owned())]);
    assert!(bench.read("in.csv.rejects.csv").contains("M\u{fffd}nchen,Bavaria"));
}

#[tokio::test]
async fn a_quote_that_is_never_closed_costs_its_line_alone() {
    let bench = Bench::new().await;
    let run = bench.import("stores", format!("{HEADER}North,Oslo\n\"South,Rome\nEast,Bonn\nWest,\"Cork")).await;
    assert_eq!((run.status, run.figures()), (1, [4, 2, 0, 0, 2]), "{:?}", bench.rejects());
    let reason = || "a quote is opened and not closed".to_owned();
    assert_eq!(bench.rejects(), [(3, reason()), (5, reason())]);

    let run = bench
        .import("stores", format!("{HEADER}\"Dublin,Ireland\nParis,\"France\nRiga,Latvia\nOslo,\"Nor\nway\"\n"))
        .await;
    assert_eq!((run.status, run.figures()), (1, [4, 2, 0, 0, 2]), "{:?}", bench.rejects());
    assert_eq!(bench.rejects(), [(2, reason()), (3, reason())]);

    let many: String = (0..60_000).map(|n| format!("Store {n},Town {n}\n")).collect();
    let run = bench.import("stores", format!("{HEADER}\"Stray,quote\n{many}")).await;
    assert_eq!((run.status, run.figures()), (1, [60_001, 60_000, 0, 0, 1]));
    assert_eq!(bench.rejects(), [(2, reason())]);
}

#[tokio::test]
async fn a_line_without_end_costs_itself_alone() {
    let bench = Bench::new().await;
    let run = bench.import("stores", format!("{HEADER}North,{}\nSouth,Rome\n", "x".repeat(3 << 20))).await;
    assert_eq!((run.status, run.figures()), (1, [2, 1, 0, 0, 1]));
    assert_eq!(bench.rejects(), [(2, "the record is longer than 1 MiB".to_owned())]);
    assert_eq!(bench.number("SELECT count(*) FROM stores WHERE name = 'South'").await, 1);
}

#[tokio::test]
async fn stdin_is_a_file_like_any_other() {
    let bench = Bench::new().await;
    let run = bench.manage_with_input(&["import", "stores", "-"], b"name,location\nNorth,Oslo\n,Rome\n").await;
    assert_eq!((run.status, run.figures()), (1, [2, 1, 0, 0, 1]));
    assert_eq!(bench.read("stdin.rejects.csv"), "line,reason,name,location\n3,name: empty,,Rome\n");
    let run =
        bench.manage_with_input(&["import", "stores", "-", "--rejects", "bad.csv"], b"name,location\n,Rome\n").await;
    assert_eq!(run.status, 1);
    assert!(bench.folder.join("bad.csv").exists());
}

#[tokio::test]
async fn rejects_never_overwrite_the_file_that_is_read() {
    let bench = Bench::new().await;
    bench.write("in.csv", format!("{HEADER},Rome\n"));
    let run = bench.manage(&["import", "stores", "in.csv", "--rejects", "./in.csv"]).await;
    assert_eq!(run.status, 1);
    assert_eq!(bench.read("in.csv"), format!("{HEADER},Rome\n"));
    let run = bench.manage(&["import", "stores", "in.csv", "--rejects", "no/such/folder.csv"]).await;
    assert_eq!((run.status, run.err.lines().count()), (1, 1), "{run:?}");
    let run = bench.manage(&["import", "stores", "in.csv", "--rejects", "/dev/null"]).await;
    assert_eq!(run.status, 1);
    bench.write("in.csv", HEADER);
    bench.manage(&["import", "stores", "in.csv", "--rejects", "/dev/null"]).await.ok();
    assert!(std::path::Path::new("/dev/null").exists());
}
