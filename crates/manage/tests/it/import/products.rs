use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::support::Bench;

const HEADER: &str = "sku,title,category,price,description\n";

#[tokio::test]
async fn a_second_import_changes_nothing_at_all() {
    let bench = Bench::new().await;
    let file =
        format!("{HEADER}A-1,Apple,Fruit,0.50,A red one\nA-2,Pear,fruit,0.7,\nA-3,Leek,Vegetables,2,\"Long, green\"\n");
    let first = bench.import("products", &file).await.ok();
    assert_eq!(first.figures(), [3, 3, 0, 0, 0]);
    assert_eq!(bench.number("SELECT count(*) FROM categories").await, 2, "fruit is Fruit");
    let before = bench.checksum().await;
    let second = bench.import("products", &file).await.ok();
    assert_eq!(second.figures(), [3, 0, 0, 3, 0]);
    assert_eq!(bench.checksum().await, before, "not even the catalogue's generation");
    let third = bench.manage(&["import", "products", "in.csv", "--atomic"]).await.ok();
    assert_eq!(third.figures(), [3, 0, 0, 3, 0]);
    assert_eq!(bench.checksum().await, before);
}

#[tokio::test]
async fn only_products_that_differ_are_touched() {
    let bench = Bench::new().await;
    bench
        .import("products", format!("{HEADER}A-1,Apple,Fruit,0.50,\nA-2,Pear,Fruit,0.70,\nA-3,Plum,Fruit,0.90,\n"))
        .await
        .ok();
    let file =
        format!("{HEADER}A-1,Apple,FRUIT,0.5,\nA-2,Pear,Fruit,0.75,\nA-3,Plum,Stone fruit,0.90,\nA-4,Fig,fruit,1,\n");
    let again = bench.import("products", file).await.ok();
    assert_eq!(again.figures(), [4, 1, 2, 1, 0]);
    let touched = "SELECT count(*) FROM products WHERE updated_at > created_at AND sku IN ('A-2', 'A-3')";
    assert_eq!(bench.number(touched).await, 2);
    assert_eq!(bench.number("SELECT count(*) FROM products WHERE updated_at > created_at").await, 2);
    assert_eq!(bench.number("SELECT count(*) FROM categories").await, 2);
    assert_eq!(bench.number("SELECT (price * 100)::int FROM products WHERE sku = 'A-2'").await, 75);
}

#[tokio::test]
async fn wrong_rows_are_told_of_and_the_rest_is_kept() {
    let bench = Bench::new().await;
    let long = "x".repeat(501);
    let rows = [
        ("OK-1,Apple,Fruit,1.00,fine", ""),
        ("B-1,Apple,Fruit,1e3,", "price: not a price such as 12.50: \"1e3\""),
        ("B-2,Apple,Fruit,-1.00,", "price: negative: \"-1.00\""),
        ("B-3,Apple,Fruit,1.234,", "price: more than two decimals: \"1.234\""),
        ("B-4,Apple,Fruit,10000000000,", "price: more than 9999999999.99: \"10000000000\""),
        ("B-5,Apple,Fruit,\"1,50\",", "price: not a price such as 12.50: \"1,50\""),
        ("B-6,Apple,Fruit,NaN,", "price: not a price such as 12.50: \"NaN\""),
        ("B-7,Apple,Fruit,,", "price: not a price such as 12.50: \"\""),
        (",Apple,Fruit,1.00,", "sku: empty"),
        ("B-8,  ,,free,", "title: empty; category: empty; price: not a price such as 12.50: \"free\""),
        ("B-9,Apple,Fruit", "3 columns where the header has 5"),
        ("B-10,Apple,Fruit,1.00,fine,and more", "6 columns where the header has 5"),
        (&format!("B-11,{long},Fruit,1.00,"), "title: 501 characters, at most 500 are allowed"),
        ("B-12,Ap\0ple,Fruit,1.00,", "title: holds a NUL character"),
        ("OK-1,Another apple,Fruit,2.00,", "the sku OK-1 is already on line 2"),
        ("OK-2,Pear,Fruit, 3.50 ,fine", ""),
        ("OK-3,Rich,Fruit,9999999999.99,fine", ""),
        ("B-9,Apple again,Fruit,1.00,its first row was refused", ""),
    ];
    let file = HEADER.to_owned() + &rows.map(|(row, _)| row).join("\n");
    let run = bench.import("products", file).await;
    assert_eq!(run.status, 1);
    assert_eq!(run.figures(), [18, 4, 0, 0, 14]);
    assert_eq!(run.err, "manage: 14 rows were rejected, see in.csv.rejects.csv\n");
    let expected: Vec<(u64, String)> = (2..)
        .zip(&rows)
        .filter(|(_, (_, reason))| !reason.is_empty())
        .map(|(line, (_, reason))| (line, (*reason).to_owned()))
        .collect();
    assert_eq!(bench.rejects(), expected);
    let file = bench.read("in.csv.rejects.csv");
    assert_eq!(file.lines().next(), Some("line,reason,sku,title,category,price,description"));
    assert_eq!(file.lines().nth(2), Some("4,\"price: negative: \"\"-1.00\"\"\",B-2,Apple,Fruit,-1.00,"));
    assert_eq!(bench.number("SELECT (price * 100)::bigint FROM products WHERE sku = 'OK-2'").await, 350);
    assert_eq!(bench.number("SELECT (price * 100)::bigint FROM products WHERE sku = 'OK-1'").await, 100);
    assert_eq!(bench.number("SELECT (price * 100)::bigint FROM products WHERE sku = 'OK-3'").await, 999_999_999_999);
}

#[tokio::test]
async fn atomic_keeps_all_or_nothing() {
    let bench = Bench::new().await;
    let before = bench.checksum().await;
    bench.write("in.csv", format!("{HEADER}A-1,Apple,Fruit,0.50,\nA-2,Pear,Fruit,cheap,\nA-3,Plum,Fruit,1.00,\n"));
    let run = bench.manage(&["import", "products", "--atomic", "in.csv"]).await;
    assert_eq!((run.status, run.figures()), (1, [3, 0, 0, 0, 1]));
    assert_eq!(run.err, "manage: nothing was kept: 1 rows were rejected, see in.csv.rejects.csv\n");
    assert_eq!(bench.rejects().len(), 1);
    assert_eq!(bench.checksum().await, before);
    bench.write("in.csv", format!("{HEADER}A-1,Apple,Fruit,0.50,\nA-3,Plum,Fruit,1.00,\n"));
    let run = bench.manage(&["import", "products", "--atomic", "in.csv"]).await.ok();
    assert_eq!(run.figures(), [2, 2, 0, 0, 0]);
    assert!(!bench.folder.join("in.csv.rejects.csv").exists(), "rejects of the import before would mislead");
}

#[tokio::test]
async fn rejects_can_be_mended_and_imported_as_they_are() {
    let bench = Bench::new().await;
    let file = "price,title,sku,description,Category\n1.00,Apple,A-1,,Fruit\n1.0.0,\"Pear, \"\"green\"\"\",A-2,\"two\nlines\",Fruit\n";
    assert_eq!(bench.import("products", file).await.status, 1);
    let rejects = bench.read("in.csv.rejects.csv");
    assert!(rejects.starts_with("line,reason,price,title,sku,description,Category\n3,"), "{rejects}");
    bench.write("mended.csv", rejects.replace(",1.0.0,", ",1.00,"));
    let run = bench.manage(&["import", "products", "mended.csv"]).await.ok();
    assert_eq!(run.figures(), [1, 1, 0, 0, 0]);
    assert_eq!(
        bench
            .number("SELECT count(*) FROM products WHERE title = 'Pear, \"green\"' AND description = E'two\\nlines'")
            .await,
        1
    );
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_agree() {
    let bench = Bench::new().await;
    let rows: String = (0..3_000).map(|n| format!("A-{n},Apple {n},Fruit {},1.00,\n", n % 40)).collect();
    bench.write("in.csv", format!("{HEADER}{rows}"));
    let arguments = ["import", "products", "in.csv"];
    let (one, two) = tokio::join!(bench.manage(&arguments), bench.manage(&arguments));
    let (one, two) = (one.ok().figures(), two.ok().figures());
    assert_eq!(one[1] + two[1], 3_000, "{one:?} {two:?}");
    assert_eq!(one[2] + two[2], 0, "{one:?} {two:?}");
    assert_eq!(bench.number("SELECT count(*) FROM categories").await, 40);
}

/// Whatever text a row holds, it arrives as it is, and a second import finds it so. (Space around a text is dropped,
/// so here none is there.)
#[tokio::test]
async fn any_text_arrives_as_it_is() {
    let bench = Bench::new().await;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let rng = &mut SmallRng::seed_from_u64(seed);
    let pieces = [
        "\"", "\"\"", ",", "\n", "\r\n", "\r", "\\", "\\N", "\\.", "\t", "'", "%", "é", "雪", "🍎", "a", "Z", " b",
        ";", "{", "}",
    ];
    let mut text = |most: usize| -> String {
        (0..rng.random_range(0..most)).filter_map(|_| pieces.choose(rng).copied()).collect()
    };
    let rows: Vec<[String; 3]> =
        (0..400).map(|n| [format!("S{}-{n}", text(4)), format!("t{}t", text(12)), format!("d{}d", text(30))]).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["sku", "title", "category", "price", "description"]).unwrap();
    for [sku, title, description] in &rows {
        writer.write_record([sku, title, "Fruit", "1.00", description]).unwrap();
    }
    let file = writer.into_inner().unwrap();
    let run = bench.import("products", &file).await.ok();
    assert_eq!(run.figures(), [400, 400, 0, 0, 0]);
    let found = bench
        .database
        .sql()
        .await
        .query("SELECT sku, title, description FROM products ORDER BY id", &[])
        .await
        .unwrap();
    let found: Vec<[String; 3]> = found.iter().map(|row| [0, 1, 2].map(|column| row.get(column))).collect();
    assert_eq!(found, rows);
    let again = bench.import("products", &file).await.ok();
    assert_eq!(again.figures(), [400, 0, 0, 400, 0]);
}

/// Rows are shared among sessions that load at the same time, some of them the same categories.
#[tokio::test]
async fn many_rows_end_as_if_one_session_had_loaded_them() {
    let bench = Bench::new().await;
    let mut file = HEADER.to_owned();
    for row in 0..45_000 {
        // Every tenth row is of the sku before it; every thousandth is wrong in itself; categories differ in case.
        let sku = if row % 10 == 9 { row - 1 } else { row };
        let price = if row % 1_000 == 501 { "free" } else { "1.50" };
        let category = format!("{} {}", ["Tea", "TEA", "tea"][row % 3], row / 700);
        file.push_str(&format!("S-{sku},Title {row},{category},{price},\n"));
    }
    let run = bench.import("products", &file).await;
    assert_eq!(run.figures(), [45_000, 45_000 - 4_500 - 45, 0, 0, 4_545], "{run:?}");
    let rejects = bench.rejects();
    assert!(rejects.len() == 4_545 && rejects.is_sorted_by_key(|reject| reject.0), "in the order of the file");
    assert_eq!(bench.number("SELECT count(*) FROM categories").await, 65);
    let spelt = "SELECT count(*) FROM categories WHERE name <> (ARRAY['Tea', 'TEA', 'tea'])[split_part(name, ' ', 2)::int * 700 % 3 + 1] \
                 || ' ' || split_part(name, ' ', 2)";
    assert_eq!(bench.number(spelt).await, 0, "as on the first line that names it");
    let logged =
        "SELECT count(*) FROM audit_log JOIN products p ON object_id = p.id::text WHERE object_kind = 'product'";
    assert_eq!(bench.number(logged).await, 40_455);
    let again = bench.import("products", &file).await;
    assert_eq!(again.figures(), [45_000, 0, 0, 40_455, 4_545]);
}

/// The triggers are silent during an import, which has to tell of the same.
#[tokio::test]
async fn the_search_is_told_of_what_changed_and_of_nothing_else() {
    let bench = Bench::new().await;
    let sql = bench.database.sql().await;
    let told = async || {
        let told = "WITH told AS (DELETE FROM search_changes RETURNING kind, product_id) \
                    SELECT DISTINCT concat_ws(' ', kind, sku) FROM told LEFT JOIN products p ON p.id = product_id ORDER BY 1";
        sql.query(told, &[]).await.unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    bench.import("products", format!("{HEADER}A,Apple,Fruit,1,\nB,Bean,Fruit,1,\nC,Corn,Fruit,1,\n")).await.ok();
    assert_eq!(told().await, ["category", "title A", "title B", "title C"]);
    let changed = format!("{HEADER}A,Apple,Fruit,2,\nB,Broad bean,Fruit,1,\nC,Corn,Fruit,1.00,\nD,Date,fruit,1,\n");
    bench.import("products", changed).await.ok();
    assert_eq!(told().await, ["product A", "title B", "title D"]);

    bench.import("stores", "name,location\nHere,\n").await.ok();
    let stock = "store,sku,quantity\n";
    bench.import("inventory", format!("{stock}Here,A,5\nHere,B,0\nHere,C,7\nHere,D,9\n")).await.ok();
    assert_eq!(told().await, ["product A", "product C", "product D"], "B came without stock");
    bench.import("inventory", format!("{stock}Here,A,0\nHere,B,3\nHere,C,8\nHere,D,9\n")).await.ok();
    assert_eq!(told().await, ["product A", "product B"], "sold out, restocked");
    // What is no import tells by its triggers.
    sql.batch_execute("UPDATE products SET price = 3 WHERE sku = 'C'; UPDATE inventory SET quantity = 0")
        .await
        .unwrap();
    assert_eq!(told().await, ["product B", "product C", "product D"]);
}
