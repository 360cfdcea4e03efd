//! No text makes anything panic, however strange.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::fixture::{Catalogue, found, query, titled};
use crate::query::Text;

const PIECES: &[&str] = &[
    "a",
    "é",
    "e\u{301}",
    "\u{301}",
    "ß",
    "İ",
    "ſ",
    "ﬀ",
    "™",
    "®",
    "'",
    "’",
    "\"",
    "%",
    "_",
    "\\",
    "&",
    "<em>",
    " ",
    "\u{a0}",
    "\t",
    "🥛",
    "👩‍👩‍👧",
    "\u{200d}",
    "\u{202e}",
    "\u{feff}",
    "\u{fffd}",
    "漢字",
    "が",
    "각",
    "ا",
    "१",
    "½",
    "Ⅷ",
    "milk",
    "MILK",
    "chocolate",
    "co",
    "1",
    "0",
    "\u{10ffff}",
    "Ǆ",
    "\r\n",
    ";--",
    "{}",
    "$1",
    "ŉ",
    "\u{345}",
];

fn text(rng: &mut StdRng) -> String {
    let pieces = rng.random_range(0..12);
    (0..pieces).map(|_| PIECES[rng.random_range(0..PIECES.len())]).collect()
}

fn ask_everything(snapshot: &Catalogue, asked: &str) {
    let query = crate::Query { facets: true, ..query(asked) };
    let text = Text::read(query.text.as_deref());
    let found = snapshot.find(&query).unwrap();
    assert_eq!(found.advice.is_some(), found.count == 0, "{asked:?}");
    for product in &snapshot.products {
        let html = crate::highlight::title(&snapshot.shown(product), &text);
        let bare = html.replace("<em>", "").replace("</em>", "");
        assert!(!bare.contains(['<', '>', '"', '\'']), "{asked:?} in {:?}: {html}", product.title);
        let unescaped = bare.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
        assert_eq!(unescaped.replace("&#39;", "'").replace("&amp;", "&"), product.title, "{asked:?}");
    }
    assert!(snapshot.suggest(asked).len() <= 10);
}

#[test]
fn strange_queries_and_titles() {
    let mut rng = StdRng::seed_from_u64(7);
    for _ in 0..20 {
        let titles: Vec<String> = (0..20).map(|_| text(&mut rng)).collect();
        let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
        let snapshot = titled(&titles);
        for _ in 0..60 {
            ask_everything(&snapshot, &text(&mut rng));
        }
    }
}

#[test]
fn every_title_finds_itself() {
    let mut rng = StdRng::seed_from_u64(8);
    let titles: Vec<String> = (0..300).map(|_| text(&mut rng)).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let snapshot = titled(&titles);
    for title in titles.into_iter().filter(|title| !title.trim().is_empty()) {
        let found = found(&snapshot, &query(title));
        assert!(found.contains(&title), "{title:?} finds {found:?}");
    }
}

#[test]
fn long_queries() {
    let snapshot = titled(&["Milk", "Chocolate Milk"]);
    for piece in ["a", "milk ", "🥛", "chocolate", "%", "' ", "é"] {
        ask_everything(&snapshot, &piece.repeat(10_240 / piece.len()));
    }
}
