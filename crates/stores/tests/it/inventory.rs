//! Lists of inventory: what they hold, in which order, however their pages are reached.

use db::{Connection, Seek};
use stores::Error;
use stores::inventory::{self, Filter, Place, Stocked};
use testkit::TestDatabase;
use tokio_postgres::Client;
use web::Spot;

/// A first store that carries `carried` of the catalogue's `products`, and a second that carries none. Titles differ
/// in case, have accents and repeat; every seventh quantity is 0.
async fn fill(sql: &Client, products: i32, carried: &str) -> i64 {
    sql.batch_execute(&format!(
        "INSERT INTO categories (name) VALUES ('Tea'), ('Öl'), ('7');
         INSERT INTO stores (name) VALUES ('Full'), ('Empty');
         INSERT INTO products (title, category_id, price, sku)
             SELECT (ARRAY['Tea ', 'tea ', 'ÉCLAIR ', '100% _\\ ', 'Zebra '])[1 + n % 5] || n / 10,
                    1 + n % 3, n / 100.0, CASE WHEN n % 2 = 0 THEN 'SKU-' || n END
             FROM generate_series(1, {products}) AS n;
         INSERT INTO inventory (store_id, product_id, quantity)
             SELECT 1, id, id % 7 FROM products WHERE {carried};
         ANALYZE"
    ))
    .await
    .unwrap();
    1
}

/// The same list, by the simplest SQL there is.
async fn expected(sql: &Client, condition: &str) -> Vec<i64> {
    let rows = format!(
        "SELECT product_id FROM inventory JOIN products ON products.id = product_id \
         WHERE store_id = 1 AND ({condition}) ORDER BY lower(title) COLLATE \"C\", product_id"
    );
    sql.query(&rows, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

fn start(size: usize) -> Spot<Place> {
    Spot { seek: Seek::Skip(0), size, page: 1, count: None, list: None }
}

fn place(row: &Stocked) -> Place {
    (row.title_key.clone(), row.product_id)
}

fn ids(rows: &[Stocked]) -> Vec<i64> {
    rows.iter().map(|row| row.product_id).collect()
}

/// The whole list, page by page, from the first on or from the last back.
async fn follow(conn: &Connection, filter: &Filter, size: usize, forward: bool) -> Vec<i64> {
    let mut spot = start(size);
    if !forward {
        // After every title that there is.
        let end = (char::MAX.to_string(), i64::MAX);
        let (count, _) = inventory::list(conn, 1, filter, &spot).await.unwrap();
        spot = Spot { seek: Seek::Before(end), count: Some(count), ..spot };
    }
    let mut found = Vec::new();
    loop {
        let (count, page) = inventory::list(conn, 1, filter, &spot).await.unwrap();
        assert!(page.rows.len() <= size);
        if forward {
            found.extend(ids(&page.rows))
        } else {
            found.extend(ids(&page.rows).iter().rev())
        };
        if !page.more {
            assert_eq!(found.len(), usize::try_from(count).unwrap(), "{filter:?}");
            return found;
        }
        assert_eq!(page.rows.len(), size, "only the last page may be short");
        let (first, last) = (page.rows.first().map(place).unwrap(), page.rows.last().map(place).unwrap());
        spot.seek = if forward { Seek::After(last) } else { Seek::Before(first) };
        spot.count = Some(count);
    }
}

fn filters() -> Vec<(Filter, &'static str)> {
    let q = |q: &str| Filter { q: Some(q.to_owned()), ..Filter::default() };
    let category = |name: &str| Filter { category: Some(name.to_owned()), ..Filter::default() };
    vec![
        (Filter::default(), "true"),
        (q("eA 1"), "title ILIKE '%ea 1%'"),
        (q("éclair"), "title LIKE 'ÉCLAIR%'"),
        (q("%"), "strpos(title, '%') > 0"),
        (q("_\\"), "strpos(title, '_\\') > 0"),
        (q("nowhere"), "false"),
        (category("öL"), "category_id = 2"),
        (category("1"), "category_id = 1"),
        // A name wins over an id of the same spelling.
        (category("7"), "category_id = 3"),
        (category("none"), "false"),
        (category("-1"), "false"),
        (Filter { in_stock: true, ..Filter::default() }, "quantity > 0"),
        (Filter { low_stock: Some(2), ..Filter::default() }, "quantity <= 2"),
        (Filter { low_stock: Some(0), ..Filter::default() }, "quantity = 0"),
        (Filter { low_stock: Some(i64::MAX), ..Filter::default() }, "true"),
        (Filter { low_stock: Some(0), in_stock: true, ..Filter::default() }, "false"),
        (
            Filter { in_stock: true, low_stock: Some(3), ..Filter { category: Some("tea".into()), ..q("TEA") } },
            "quantity BETWEEN 1 AND 3 AND title ILIKE '%tea%' AND category_id = 1",
        ),
    ]
}

/// A list of thousands is walked to, one of hundreds gathered; both must give the same list.
#[tokio::test]
async fn every_filter_gives_its_rows_in_order_both_ways() {
    for (products, carried) in [(3_500, "true"), (3_500, "id % 9 = 0")] {
        let test = TestDatabase::new().await;
        let sql = test.sql().await;
        fill(&sql, products, carried).await;
        let conn = test.as_role(db::Role::CommandLine).connection().await.unwrap();
        for (filter, condition) in filters() {
            let mut expected = expected(&sql, condition).await;
            assert_eq!(follow(&conn, &filter, 100, true).await, expected, "{filter:?}");
            expected.reverse();
            assert_eq!(follow(&conn, &filter, 97, false).await, expected, "{filter:?} backwards");
        }
    }
}

#[tokio::test]
async fn pages_by_number_are_the_same_pages() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    fill(&sql, 6_000, "id % 2 = 0").await;
    let conn = test.as_role(db::Role::CommandLine).connection().await.unwrap();
    let all = expected(&sql, "true").await;
    for (skip, size) in
        [(0, 20), (20, 20), (1_990, 100), (2_040, 20), (2_990, 10), (2_990, 20), (3_000, 20), (i64::MAX, 20)]
    {
        let spot = Spot { seek: Seek::Skip(skip), ..start(size) };
        let (count, page) = inventory::list(&conn, 1, &Filter::default(), &spot).await.unwrap();
        let from = usize::try_from(skip).unwrap().min(all.len());
        let to = (from + size).min(all.len());
        assert_eq!((count, ids(&page.rows)), (3_000, all[from..to].to_vec()));
        assert_eq!(page.more, to < all.len());
    }
}

#[tokio::test]
async fn a_row_shows_the_product_and_what_is_there() {
    let test = TestDatabase::new().await;
    fill(&test.sql().await, 20, "id IN (6, 7)").await;
    let conn = test.connection().await.unwrap();
    let (count, page) = inventory::list(&conn, 1, &Filter::default(), &start(20)).await.unwrap();
    let shown = Stocked {
        product_id: 6,
        sku: Some("SKU-6".into()),
        title: "tea 0".into(),
        price: "0.06".parse().unwrap(),
        category_id: 1,
        category: "Tea".into(),
        quantity: 6,
        title_key: "tea 0".into(),
    };
    assert_eq!((count, &page.rows[0]), (2, &shown));
    assert_eq!((page.rows[1].sku.as_deref(), page.rows[1].quantity), (None, 0));
}

/// All that the store carries comes after 25,000 products that it does not: farther than a walk goes.
#[tokio::test]
async fn a_store_whose_titles_lie_far_into_the_alphabet() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    fill(&sql, 42_000, "title LIKE 'Z%'").await;
    let conn = test.as_role(db::Role::CommandLine).connection().await.unwrap();
    let all = expected(&sql, "true").await;
    assert!(all.len() > 8_000);
    let (count, page) = inventory::list(&conn, 1, &Filter::default(), &start(20)).await.unwrap();
    assert_eq!((count, ids(&page.rows)), (i64::try_from(all.len()).unwrap(), all[..20].to_vec()));
    let before = Spot { seek: Seek::Before(("zebra 10".into(), 0)), count: Some(count), ..start(20) };
    let (_, page) = inventory::list(&conn, 1, &Filter::default(), &before).await.unwrap();
    assert!(!page.rows.is_empty() && page.rows.iter().all(|row| row.title_key.as_str() < "zebra 10"));
}

#[tokio::test]
async fn a_store_that_does_not_exist_is_told_from_an_empty_one() {
    let test = TestDatabase::new().await;
    fill(&test.sql().await, 3, "true").await;
    let conn = test.connection().await.unwrap();
    let (count, page) = inventory::list(&conn, 2, &Filter::default(), &start(20)).await.unwrap();
    assert_eq!((count, page.rows), (0, vec![]));
    for filter in [Filter::default(), Filter { category: Some("none".into()), ..Filter::default() }] {
        let unknown = inventory::list(&conn, 3, &filter, &start(20)).await;
        assert!(matches!(unknown, Err(Error::NoSuchStore(3))), "{unknown:?}");
    }
}

/// Cursors are held by clients, who may make their own.
#[tokio::test]
async fn a_wrong_count_and_a_strange_place_do_no_harm() {
    let test = TestDatabase::new().await;
    let sql = test.sql().await;
    fill(&sql, 3_000, "true").await;
    let conn = test.connection().await.unwrap();
    let all = expected(&sql, "true").await;
    for count in [i64::MIN, -1, 0, 1, i64::MAX] {
        let spot = Spot { seek: Seek::After((String::new(), i64::MIN)), count: Some(count), ..start(20) };
        let (_, page) = inventory::list(&conn, 1, &Filter::default(), &spot).await.unwrap();
        assert_eq!(ids(&page.rows), all[..20]);
    }
    let places = ["", "é", "\u{10ffff}", "'; --", &"x".repeat(10_000)];
    for seek in places.iter().flat_map(|title| {
        let place = ((*title).to_owned(), i64::MAX);
        [Seek::After(place.clone()), Seek::Before(place)]
    }) {
        let spot = Spot { seek, count: Some(3_000), ..start(20) };
        inventory::list(&conn, 1, &Filter::default(), &spot).await.unwrap();
    }
}

/// All that is found among these products, page by page, to the end and back; and how many pages ended early.
async fn follow_among(conn: &Connection, given: &[i64], most: Option<i64>, size: usize) -> (Vec<i64>, usize) {
    let (mut seek, mut there, mut early) = (Seek::Skip(0), Vec::new(), 0);
    let end = loop {
        let (page, reached) = inventory::among(conn, 1, given, most, &seek, size).await.unwrap();
        there.extend(page.rows.iter().map(|row| (row.place, row.stocked.product_id)));
        early += usize::from(page.more && reached.is_some());
        match (page.more, page.rows.last(), reached) {
            (true, Some(last), None) => seek = Seek::After(last.place),
            (true, _, Some(reached)) => seek = Seek::After(reached),
            (false, ..) => break i64::MAX,
            page => panic!("{page:?}"),
        }
    };
    assert!(there.iter().all(|(place, id)| given[usize::try_from(place - 1).unwrap()] == *id));
    let (mut seek, mut back) = (Seek::Before(end), Vec::new());
    loop {
        let (page, reached) = inventory::among(conn, 1, given, most, &seek, size).await.unwrap();
        back.splice(0..0, page.rows.iter().map(|row| (row.place, row.stocked.product_id)));
        match (page.more, page.rows.first(), reached) {
            (true, Some(first), None) => seek = Seek::Before(first.place),
            (true, _, Some(reached)) => seek = Seek::Before(reached),
            (false, ..) => break,
            page => panic!("{page:?}"),
        }
    }
    assert_eq!(back, there);
    (there.into_iter().map(|(_, id)| id).collect(), early)
}

#[tokio::test]
async fn rows_come_in_the_order_of_the_products_that_were_asked_for() {
    for (carried, is_large) in [("id % 2 = 0", true), ("id % 50 = 0", false), ("id > 9000", false), ("false", false)] {
        let test = TestDatabase::new().await;
        let sql = test.sql().await;
        fill(&sql, 10_000, carried).await;
        let conn = test.connection().await.unwrap();
        // In no order that the database has, with products that nobody has, and with half of them not asked for.
        let given: Vec<i64> = (1..=5_500).map(|n| n * 7_919 % 10_007).collect();
        for most in [None, Some(0)] {
            let least = most.map_or(String::new(), |most| format!("AND id % 7 <= {most}"));
            let rows = format!(
                "SELECT id FROM products JOIN unnest($1::bigint[]) WITH ORDINALITY AS given (id, place) USING (id) \
                 WHERE {carried} {least} ORDER BY place"
            );
            let expected = sql.query(&rows, &[&given]).await.unwrap();
            let expected: Vec<i64> = expected.iter().map(|row| row.get(0)).collect();
            for size in [50, 1_000, 4_000] {
                let (found, early) = follow_among(&conn, &given, most, size).await;
                assert_eq!(found, expected, "{carried}, {most:?}, {size} a page");
                // A page of a small store is always full, one of a large store where it can soon be.
                let is_wide = size > 50;
                assert!(early == 0 || is_large && is_wide, "{carried}, {most:?}, {size} a page: {early} early");
                assert!(early > 0 || !is_large || !is_wide || most.is_none(), "{carried}, {size} a page");
            }
        }
    }
}
