//! The lists of the staff site, entered by key at places all over them.

use anyhow::Result;
use tokio_postgres::Client;
use url::form_urlencoded::byte_serialize;

use super::{List, Pages};

/// Places of a list that are read.
const PLACES: i64 = 300;

/// What the cookie holds. It opens a database of ours alone, for as long as it is measured.
const SECRET: &str = "bench";

/// As hard to verify as any, and of no password.
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Signs an owner in; the header that says so.
pub(super) async fn sign_in(sql: &Client) -> Result<String> {
    let session = format!(
        "INSERT INTO staff (email, role, password_hash) VALUES ('bench@shop.example', 'owner', '{HASH}') \
             ON CONFLICT DO NOTHING; \
         DELETE FROM sessions WHERE secret_hash = sha256('{SECRET}'); \
         INSERT INTO sessions (staff_id, secret_hash) SELECT id, sha256('{SECRET}') FROM staff LIMIT 1"
    );
    sql.batch_execute(&session).await?;
    Ok(format!("session={SECRET}"))
}

/// Each list with addresses of its pages: the first, and those after places that are drawn by lot.
pub(super) async fn lists(sql: &Client, cookie: &str) -> Result<Vec<List>> {
    let large: i64 = sql.query_one("SELECT id FROM stores WHERE name = 'Everything'", &[]).await?.get(0);
    let sparse: i64 = sql.query_one("SELECT id FROM stores WHERE name = 'Sparse'", &[]).await?.get(0);
    let category: i64 = sql.query_one("SELECT min(category_id) FROM products", &[]).await?.get(0);
    let entry: String = sql.query_one("SELECT max(object_id) FROM audit_log", &[]).await?.get(0);
    let time = "id || ':' || (extract(epoch FROM created_at) * 1000000)::bigint";
    let title = "id || ':' || title_key";
    let products = |key: &str| format!("SELECT {key} AS key FROM products");
    let inventory = |store: i64| {
        format!("SELECT {title} AS key FROM products JOIN inventory ON product_id = id AND store_id = {store}")
    };
    let (all, few) = (inventory(large), inventory(sparse));
    // What is searched is entered by place among the results.
    let found = "SELECT n || ':' AS key FROM generate_series(1, 9999) AS n";
    let orders = |rest: &str| format!("SELECT {time} AS key FROM orders {rest}");
    let log = format!("SELECT {time} AS key FROM audit_log");
    let wanted = [
        ("staff: products", "products/?".to_owned(), products("id || ':'")),
        ("staff: products by title", "products/?sort=title".into(), products("id || ':' || title")),
        ("staff: products by price", "products/?sort=-price".into(), products("id || ':' || price")),
        (
            "staff: products of a category, by title",
            format!("products/?category={category}&sort=title"),
            products("id || ':' || title"),
        ),
        ("staff: products of some days", "products/?from=2020-01-01".into(), products(time)),
        (
            "staff: products of a category and some days",
            format!("products/?category={category}&from=2020-01-01&sort=made"),
            products(time),
        ),
        (
            "staff: products searched",
            "products/?q=steel".into(),
            "SELECT n || ':' AS key FROM generate_series(1, 150) AS n".into(),
        ),
        ("staff: categories", "categories/?".into(), "SELECT id || ':' || lower(name) AS key FROM categories".into()),
        ("staff: stores", "stores/?".into(), "SELECT id || ':' || lower(name) AS key FROM stores".into()),
        ("staff: stores, q", "stores/?q=every".into(), "SELECT id || ':' || lower(name) AS key FROM stores".into()),
        ("staff: inventory of a million", format!("inventory/?store={large}"), all.clone()),
        ("staff: inventory of a million, q", format!("inventory/?store={large}&q=steel"), found.into()),
        ("staff: sparse inventory, q", format!("inventory/?store={sparse}&q=steel"), found.into()),
        ("staff: inventory of a million, rare q", format!("inventory/?store={large}&q=xyzzy"), found.into()),
        ("staff: inventory of a million, sold out", format!("inventory/?store={large}&most=0"), all.clone()),
        ("staff: inventory of a million, of a category", format!("inventory/?store={large}&category={category}"), all),
        ("staff: sparse inventory", format!("inventory/?store={sparse}"), few.clone()),
        ("staff: sparse inventory, sold out", format!("inventory/?store={sparse}&most=0"), few),
        ("staff: inventory of a usual store", "inventory/?store=1".into(), inventory(1)),
        ("staff: orders", "orders/?".into(), orders("")),
        ("staff: orders, oldest first", "orders/?sort=placed".into(), orders("")),
        ("staff: orders rejected", "orders/?status=REJECTED".into(), orders("")),
        (
            "staff: orders of a large store",
            format!("orders/?store={large}"),
            orders(&format!("WHERE store_id = {large}")),
        ),
        ("staff: orders of some days", "orders/?from=2020-01-01&to=2035-12-31".into(), orders("")),
        ("staff: confirmations", "confirmations/?".into(), orders("")),
        ("staff: confirmations, oldest first", "confirmations/?sort=placed".into(), orders("")),
        ("staff: confirmations not sent", "confirmations/?state=unsent".into(), orders("")),
        ("staff: confirmations sent", "confirmations/?state=sent".into(), orders("")),
        ("staff: confirmations parked", "confirmations/?state=parked".into(), orders("")),
        ("staff: confirmations of some days", "confirmations/?from=2020-01-01&to=2035-12-31".into(), orders("")),
        ("staff: audit log", "audit/?".into(), log.clone()),
        ("staff: audit log, of one kind", "audit/?kind=store".into(), log.clone()),
        ("staff: audit log, of one object", format!("audit/?kind=product&object={entry}"), log.clone()),
        ("staff: audit log, of somebody", "audit/?who=nobody".into(), log),
    ];
    let mut lists = Vec::new();
    for (name, address, keys) in wanted {
        let drawn = format!("SELECT key FROM ({keys}) AS keys ORDER BY random() LIMIT {PLACES}");
        let address = format!("/admin/{address}");
        let after = |key: String| format!("{address}&after={}", byte_serialize(key.as_bytes()).collect::<String>());
        let mut addresses = vec![address.clone()];
        addresses.extend(sql.query(&drawn, &[]).await?.iter().map(|row| after(row.get(0))));
        let rows = sql.query_one(&format!("SELECT count(*) FROM ({keys}) AS keys"), &[]).await?.get(0);
        lists.push(List { name, rows, pages: Pages::Listed { addresses, cookie: cookie.to_owned() } });
    }
    Ok(lists)
}
