use chrono::{DateTime, TimeDelta, Utc};
use db::Seek;
use orders::{Filter, ListError, SortKey, Status, Summary};

use crate::support::Shop;

/// 25 orders, five a second, every fifth rejected.
async fn shop_with_orders() -> (Shop, DateTime<Utc>) {
    let shop = Shop::open().await;
    let pen = shop.product("0.10", Some(1_000)).await;
    let start = shop.clock.now();
    for number in 0..25 {
        if number % 5 == 0 {
            shop.clock.advance(TimeDelta::seconds(1));
        }
        shop.place(&[(pen, if number % 5 == 4 { 1_001 } else { 1 })]).await;
    }
    (shop, start)
}

fn key(order: &Summary) -> SortKey {
    (order.created_at.timestamp_micros(), order.id)
}

async fn ids(shop: &Shop, filter: &Filter, seek: Seek<SortKey>, size: usize) -> (Vec<i64>, bool) {
    let (_, rows) = shop.orders.list(shop.store, filter, &seek, size, None).await.unwrap();
    (rows.rows.iter().map(|order| order.id).collect(), rows.more)
}

#[tokio::test]
async fn the_list_is_newest_first_and_can_be_walked_both_ways() {
    let (shop, _) = shop_with_orders().await;
    let all = Filter::default();
    let mut seek = Seek::Skip(0);
    let mut seen: Vec<Summary> = Vec::new();
    loop {
        let (count, page) = shop.orders.list(shop.store, &all, &seek, 4, None).await.unwrap();
        assert_eq!(count, 25);
        seek = Seek::After(key(page.rows.last().unwrap()));
        seen.extend(page.rows);
        if !page.more {
            break;
        }
    }
    let expected: Vec<i64> = (1..=25).rev().collect();
    assert_eq!(seen.iter().map(|order| order.id).collect::<Vec<_>>(), expected);
    let back = ids(&shop, &all, Seek::Before(key(&seen[10])), 4).await;
    assert_eq!(back, (expected[6..10].to_vec(), true));
    let back = ids(&shop, &all, Seek::Before(key(&seen[3])), 4).await;
    assert_eq!(back, (expected[..3].to_vec(), false));
    assert_eq!(ids(&shop, &all, Seek::Skip(20), 10).await, (expected[20..].to_vec(), false));
    assert_eq!(ids(&shop, &all, Seek::Skip(i64::MAX), 10).await, (vec![], false));
}

#[tokio::test]
async fn filters_narrow_the_list_and_its_count() {
    let (shop, start) = shop_with_orders().await;
    let list = |filter: Filter| {
        let shop = &shop;
        async move {
            let (count, rows) = shop.orders.list(shop.store, &filter, &Seek::Skip(0), 100, None).await.unwrap();
            assert_eq!(count as usize, rows.rows.len());
            rows.rows.iter().map(|order| order.id).collect::<Vec<_>>()
        }
    };
    let rejected = Filter { status: Some(Status::Rejected), ..Filter::default() };
    assert_eq!(list(rejected.clone()).await, [25, 20, 15, 10, 5]);
    assert_eq!(list(Filter { status: Some(Status::Confirmed), ..Filter::default() }).await.len(), 20);
    assert_eq!(list(Filter { status: Some(Status::Cancelled), ..Filter::default() }).await.len(), 0);
    let at = |seconds| Some(start + TimeDelta::seconds(seconds));
    assert_eq!(list(Filter { created_after: at(5), ..Filter::default() }).await, [25, 24, 23, 22, 21], "includes");
    assert_eq!(list(Filter { created_before: at(2), ..Filter::default() }).await, [5, 4, 3, 2, 1], "excludes");
    assert_eq!(list(Filter { created_after: at(2), created_before: at(4), ..rejected }).await, [15, 10]);
    assert_eq!(list(Filter { created_after: at(4), created_before: at(2), status: None }).await.len(), 0);
}

#[tokio::test]
async fn a_count_that_is_known_is_not_taken_again() {
    let (shop, _) = shop_with_orders().await;
    let (count, _) = shop.orders.list(shop.store, &Filter::default(), &Seek::Skip(0), 4, Some(7)).await.unwrap();
    assert_eq!(count, 7);
}

#[tokio::test]
async fn keys_that_no_row_can_have_are_harmless() {
    let (shop, _) = shop_with_orders().await;
    let all = Filter::default();
    for micros in [i64::MAX, i64::MAX / 2, 253_402_300_800_000_000] {
        assert_eq!(ids(&shop, &all, Seek::After((micros, i64::MAX)), 100).await.0.len(), 25);
        assert_eq!(ids(&shop, &all, Seek::Before((micros, i64::MAX)), 100).await.0.len(), 0);
    }
    for micros in [i64::MIN, i64::MIN / 2, 0] {
        assert_eq!(ids(&shop, &all, Seek::After((micros, i64::MIN)), 100).await.0.len(), 0);
        assert_eq!(ids(&shop, &all, Seek::Before((micros, i64::MIN)), 100).await.0.len(), 25);
    }
}

#[tokio::test]
async fn a_store_without_orders_has_an_empty_list_and_an_unknown_store_none() {
    let shop = Shop::open().await;
    let empty = shop.orders.list(shop.store, &Filter::default(), &Seek::Skip(0), 20, None).await.unwrap();
    assert_eq!((empty.0, empty.1.rows.len(), empty.1.more), (0, 0, false));
    let unknown = shop.orders.list(shop.store + 1, &Filter::default(), &Seek::Skip(0), 20, None).await;
    assert!(matches!(unknown, Err(ListError::UnknownStore(_))), "{unknown:?}");
    assert!(shop.orders.find(1).await.unwrap().is_none());
    assert!(shop.orders.find(i64::MIN).await.unwrap().is_none());
}
