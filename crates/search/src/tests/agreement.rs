//! The index agrees with the model: ids, order, counts, facets, advice and suggestions, for any catalogue and query.

use std::collections::{BTreeMap, HashSet};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rust_decimal::Decimal;

use super::model::{find, ranking, snapshot::Snapshot, titles};
use crate::filters::Filters;
use crate::find::{Query, Sort};
use crate::index::{Categories, Entry, Stamp, Store, View, Volume};
use crate::query::{self, Text};

/// Words that have much to do with each other.
const WORDS: &[&str] = &[
    "milk",
    "Milkshake",
    "mild",
    "Buttermilk",
    "silk",
    "mil",
    "chocolate",
    "Chocolat",
    "choclate",
    "organic",
    "inorganic",
    "ORGANICS",
    "orgánic",
    "Häagen",
    "Dazs",
    "haagendazs",
    "cafe",
    "Café",
    "tea",
    "teas",
    "steam",
    "100",
    "1980",
    "1930",
    "2%",
    "Ben",
    "Jerry's",
    "M&M",
    "strawberry",
    "strawberries",
    "Straße",
    "strasse",
    "a",
    "of",
    "C++",
    "ﬁg",
    "🥛",
    "o",
    "yogurt",
    "yoghurt",
    "Oreo™",
    "frozen",
    "frosen",
    "snack",
    "snacks",
    "snacking",
    "battery",
    "batteries",
    "battering",
    "chocolates",
    "L'Oréal",
    "loreal",
];
const GLUE: &[&str] = &[" ", " ", " ", "-", ", ", " & ", "® ", "  ", "'s ", "/", " (", ") "];
const CATEGORIES: &[(i64, &str)] =
    &[(1, "Milk & Cream"), (2, "frozen yogurt"), (5, "Tea"), (7, "snacks chocolate"), (8, "C++ 100%"), (9, "empty")];

fn text(words: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    vec((select(WORDS), select(GLUE)), words).prop_map(|parts| {
        parts.iter().map(|(word, glue)| format!("{word}{glue}")).collect::<String>().trim().to_owned()
    })
}

fn product() -> impl Strategy<Value = Entry> {
    let texts = (text(1..5), prop_oneof![Just(String::new()), text(1..6)]);
    let numbers = (0..CATEGORIES.len() - 1, select(&[0, 99, 100, 199, 250, 499, 500, 1999, 12_345][..]), 0..5_i64);
    let stores = subsequence(vec![1_i64, 2, 3], 0..=3);
    (texts, numbers, stores).prop_map(|((title, description), (category, price, created), in_stock)| Entry {
        id: 0,
        title,
        description,
        category: CATEGORIES[category].0,
        price,
        created: created * 1_000_000,
        in_stock,
    })
}

/// Changes: for an id, what it becomes, or nothing where it is deleted.
fn changes(ids: std::ops::Range<i64>) -> impl Strategy<Value = BTreeMap<i64, Option<Entry>>> {
    let most = usize::try_from(ids.end / 2).unwrap_or(1);
    btree_map(ids, prop::option::weighted(0.7, product()), 0..most)
}

/// A word as somebody may type it.
fn typed() -> impl Strategy<Value = String> {
    let word = (select(WORDS), any::<u32>(), 0..9_u8, select(vec!['a', 'e', 'o', 'l', 'x', '%', 'é']));
    let word = word.prop_map(|(word, place, edit, letter)| {
        let mut letters: Vec<char> = word.chars().collect();
        let place = place as usize % letters.len();
        match edit {
            0 => letters.insert(place, letter),
            1 => _ = letters.remove(place),
            2 => letters[place] = letter,
            3 if place > 0 => letters.swap(place - 1, place),
            4 => letters.truncate(place + 1),
            5 => _ = letters.drain(..place),
            6 => letters = letters[place / 2..=place].to_vec(),
            _ => {}
        }
        letters.into_iter().collect()
    });
    prop_oneof![8 => word, 1 => select(vec!["&", "%", "'", "+", "®", "🥛", "-", "…"]).prop_map(str::to_owned), 1 => ".{0,6}"]
}

fn filters() -> impl Strategy<Value = Filters> {
    let names = vec!["TEA", "milk & cream", "7", "frozen yogurt ", "nothing", "9"];
    let price = || prop::option::weighted(0.3, select(vec!["0", "0.99", "1", "1.005", "2.50", "5", "100", "-1"]));
    let decimal = |price: Option<&str>| price.map(|price| price.parse::<Decimal>().expect("a number"));
    let categories = prop_oneof![2 => Just(Vec::new()), 1 => subsequence(names, 1..3)];
    (categories, price(), price(), prop::bool::weighted(0.3)).prop_map(move |(categories, least, most, in_stock)| {
        Filters {
            categories: categories.into_iter().map(str::to_owned).collect(),
            min_price: decimal(least),
            max_price: decimal(most),
            in_stock,
        }
    })
}

fn query() -> impl Strategy<Value = (Query, Option<i64>)> {
    let sort =
        select(vec![None, Some(Sort::Price), Some(Sort::PriceDescending), Some(Sort::Newest), Some(Sort::Relevance)]);
    let text = prop::option::weighted(0.9, vec(typed(), 1..5).prop_map(|words| words.join(" ")));
    let page = (-1..4_i64, select(vec![1_usize, 3, 20]), any::<bool>());
    (text, filters(), sort, page, prop::option::of(1..5_i64)).prop_map(
        |(text, filters, sort, (page, page_size, facets), store)| {
            (Query { text, filters, sort, page, page_size, facets }, store)
        },
    )
}

struct Both {
    store: Store,
    products: BTreeMap<i64, Entry>,
}

impl Both {
    fn apply(&mut self, changes: BTreeMap<i64, Option<Entry>>) -> (View, Snapshot) {
        for (id, entry) in changes {
            self.store.remove(id);
            self.products.remove(&id);
            if let Some(entry) = entry {
                let entry = Entry { id, ..entry };
                self.store.add(&entry).expect("the document is taken in");
                self.products.insert(id, entry);
            }
        }
        let segments = self.store.commit(&Stamp::new("test", "1:1:", 0)).expect("the commit succeeds");
        let categories: Vec<(i64, String)> = CATEGORIES.iter().map(|(id, name)| (*id, (*name).to_owned())).collect();
        let products: Vec<Entry> = self.products.values().cloned().collect();
        let snapshot = Snapshot::new(&categories, &products);
        (View { segments, categories: Categories::new(categories).into() }, snapshot)
    }

    fn in_stock(&self, store: Option<i64>) -> HashSet<i64> {
        let has = |entry: &&Entry| store.map_or(!entry.in_stock.is_empty(), |store| entry.in_stock.contains(&store));
        self.products.values().filter(has).map(|entry| entry.id).collect()
    }
}

/// How many catalogues are made up; each is asked dozens of things.
fn cases() -> u32 {
    u32::try_from(testkit::size(96, 600)).unwrap_or(u32::MAX)
}

impl Both {
    fn new() -> Self {
        Self { store: Store::create(None, Volume::Few).expect("an index in memory"), products: BTreeMap::new() }
    }

    fn agrees_on(
        &self,
        (view, snapshot): (&View, &Snapshot),
        query: &Query,
        store: Option<i64>,
    ) -> Result<(), TestCaseError> {
        let in_stock = query.filters.in_stock.then(|| self.in_stock(store));
        let text = ranking::Text::read(query.text.as_deref(), snapshot);
        let wanted = find::find(snapshot, &text, query, in_stock.as_ref());
        let found = query::find(view, &Text::read(query.text.as_deref()), query, store);
        prop_assert_eq!(format!("{found:?}"), format!("{wanted:?}"), "{:?} {:?}", query, store);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_agrees_with_the_model(
        rounds in vec((changes(1..80), vec(query(), 12), vec(vec(typed(), 1..4), 6)), 1..4),
    ) {
        let mut both = Both::new();
        for (changes, queries, beginnings) in rounds {
            let (view, snapshot) = both.apply(changes);
            for (query, store) in queries {
                both.agrees_on((&view, &snapshot), &query, store)?;
            }
            for words in beginnings {
                let query = words.join(" ");
                let found = query::suggest(&view, &query).expect("the index can be read");
                prop_assert_eq!(found, titles::suggest(&snapshot, &query), "{}", query);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases() / 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// A few hundred products, changed so often that segments are merged.
    #[test]
    fn the_index_agrees_with_the_model_when_much_has_happened(
        first in changes(1..400),
        rounds in vec((changes(1..400), vec(query(), 3)), 14),
        last in vec(query(), 12),
    ) {
        let mut both = Both::new();
        both.apply(first);
        for (changes, queries) in rounds {
            let (view, snapshot) = both.apply(changes);
            for (query, store) in queries {
                both.agrees_on((&view, &snapshot), &query, store)?;
            }
        }
        // Merging goes on beside us: it is waited for, for a while.
        let mut patience = 100;
        let merged = loop {
            let (view, snapshot) = both.apply(BTreeMap::new());
            if view.segments.len() < 8 || patience == 0 {
                break (view, snapshot);
            }
            patience -= 1;
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        prop_assert!(merged.0.segments.len() < 8, "{} segments", merged.0.segments.len());
        for (query, store) in last {
            both.agrees_on((&merged.0, &merged.1), &query, store)?;
        }
    }
}
