use crate::support::Bench;

#[tokio::test]
async fn stores_are_matched_by_name_in_any_case() {
    let bench = Bench::new().await;
    let file = "name,location\nNorth,Oslo\nSouth,Rome\n";
    assert_eq!(bench.import("stores", file).await.ok().figures(), [2, 2, 0, 0, 0]);
    let before = bench.checksum().await;
    assert_eq!(bench.import("stores", file).await.ok().figures(), [2, 0, 0, 2, 0]);
    assert_eq!(bench.checksum().await, before);
    let run = bench.import("stores", "location,name\nBergen,NORTH\nRome,south\n\"Bonn, Germany\", East \n").await.ok();
    assert_eq!(run.figures(), [3, 1, 1, 1, 0]);
    assert_eq!(bench.number("SELECT count(*) FROM stores WHERE (name, location) = ('North', 'Bergen')").await, 1);
    assert_eq!(bench.number("SELECT count(*) FROM stores WHERE (name, location) = ('East', 'Bonn, Germany')").await, 1);
}

#[tokio::test]
async fn a_name_that_two_stores_have_names_neither() {
    let bench = Bench::new().await;
    let build = bench.database.build().await;
    build.store("Twin").await;
    build.store("TWIN").await;
    let run = bench.import("stores", "name,location\ntwin,Oslo\nNorth,Oslo\nNORTH,Rome\n").await;
    assert_eq!((run.status, run.figures()), (1, [3, 1, 0, 0, 2]));
    assert_eq!(
        bench.rejects(),
        [(2, "2 stores are called twin".to_owned()), (4, "the store NORTH is already on line 3".to_owned())]
    );
    assert_eq!(bench.number("SELECT count(*) FROM stores WHERE location = 'Oslo'").await, 1);
}

#[tokio::test]
async fn two_imports_at_once_make_each_store_once() {
    let bench = Bench::new().await;
    let rows: String = (0..500).map(|n| format!("Store {n},Town {n}\n")).collect();
    bench.write("in.csv", format!("name,location\n{rows}"));
    let arguments = ["import", "stores", "in.csv"];
    let (one, two) = tokio::join!(bench.manage(&arguments), bench.manage(&arguments));
    assert_eq!(one.ok().figures()[1] + two.ok().figures()[1], 500);
    assert_eq!(bench.number("SELECT count(*) FROM stores").await, 500);
}
