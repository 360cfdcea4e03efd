//! How good and how fast the index is, printed; good it must be.
//!
//! `SEARCH_CATALOGUE` names a CSV file with the columns sku, title, category, price, description to measure on; without
//! it products are made up. `SEARCH_PRODUCTS` is how many products to time queries on, made up from the words of the
//! catalogue's titles. As in `make search-quality CATALOGUE=catalogue.csv SEARCH_PRODUCTS=1000000`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};

use crate::filters::Filters;
use crate::find::{Query, Sort};
use crate::index::{Categories, Entry, Stamp, Store, View, Volume};
use crate::query::{self, Text};

/// Titles that are drawn for each figure.
const DRAWN: usize = 300;

struct Catalogue {
    categories: Vec<(i64, String)>,
    products: Vec<Entry>,
}

impl Catalogue {
    fn load() -> Self {
        let path = std::env::var_os("SEARCH_CATALOGUE").filter(|path| !path.is_empty());
        let Some(path) = path else { return Self::made_up(2_000) };
        let mut categories: HashMap<String, i64> = HashMap::new();
        let mut products = Vec::new();
        for (id, row) in (1..).zip(csv::Reader::from_path(path).expect("the file opens").into_records()) {
            let row = row.expect("a CSV row");
            let next = i64::try_from(categories.len()).expect("few categories") + 1;
            let category = *categories.entry(row[2].to_owned()).or_insert(next);
            let price: rust_decimal::Decimal = row[3].parse().expect("a price");
            let price = i64::try_from((price * rust_decimal::Decimal::ONE_HUNDRED).mantissa()).expect("a price");
            products.push(entry(id, row[1].to_owned(), row[4].to_owned(), category, price));
        }
        let mut categories: Vec<(i64, String)> = categories.into_iter().map(|(name, id)| (id, name)).collect();
        categories.sort_unstable();
        Self { categories, products }
    }

    /// Titles of words that are made up of syllables, the common ones much more often than the rare ones.
    fn made_up(count: i64) -> Self {
        let mut random = StdRng::seed_from_u64(1);
        let syllables =
            ["ba", "cor", "di", "fen", "gla", "hu", "jo", "kri", "lem", "mo", "nut", "pra", "qui", "ros", "stu", "tel"];
        let word = |random: &mut StdRng| {
            let count = random.random_range(2..5);
            (0..count).map(|_| *syllables.choose(random).expect("some")).collect::<String>()
        };
        let words: Vec<String> = (0..1_500).map(|_| word(&mut random)).collect();
        let categories = (1..=20).map(|id| (id, word(&mut random))).collect();
        let products = (1..=count).map(|id| {
            let length = random.random_range(2..7);
            let title: Vec<&str> = (0..length).map(|_| common(&words, &mut random)).collect();
            let (category, price) = (random.random_range(1..=20), random.random_range(50..5_000));
            entry(id, title.join(" "), String::new(), category, price)
        });
        Self { categories, products: products.collect() }
    }

    /// As many products, each with the first half of one of these titles and the second of another.
    fn multiplied(&self, count: i64) -> Self {
        let mut random = StdRng::seed_from_u64(2);
        let products = (1..=count).map(|id| {
            let mut draw = || self.products.choose(&mut random).expect("some products");
            let (like, other) = (draw(), draw());
            let words = |entry: &Entry| entry.title.split_whitespace().count();
            let head = like.title.split_whitespace().take(words(like).div_ceil(2));
            let title: Vec<&str> = head.chain(other.title.split_whitespace().skip(words(other) / 2)).collect();
            let mut entry =
                entry(id, title.join(" "), like.description.clone(), like.category, random.random_range(50..5_000));
            entry.created = random.random_range(0..1_000_000_000_000);
            entry.in_stock = (1..=24).filter(|_| random.random_ratio(1, 20)).collect();
            entry
        });
        Self { categories: self.categories.clone(), products: products.collect() }
    }

    fn index(&self) -> (View, Duration) {
        let begun = Instant::now();
        let mut store = Store::create(None, Volume::Many).expect("an index in memory");
        for product in &self.products {
            store.add(product).expect("the document is taken in");
        }
        let segments = store.commit(&Stamp::new("test", "1:1:", 0)).expect("the commit succeeds");
        let view = View { segments, categories: Categories::new(self.categories.iter().cloned()).into() };
        (view, begun.elapsed())
    }
}

fn entry(id: i64, title: String, description: String, category: i64, price: i64) -> Entry {
    Entry { id, title, description, category, price, created: id, in_stock: Vec::new() }
}

/// One of the words, the earlier the more often.
fn common<'w>(words: &'w [String], random: &mut StdRng) -> &'w str {
    let (one, other) = (random.random_range(0..words.len()), random.random_range(0..words.len()));
    &words[one.min(other)]
}

fn asked(text: &str) -> Query {
    Query {
        text: Some(text.to_owned()),
        filters: Filters::default(),
        sort: None,
        page: 1,
        page_size: 20,
        facets: false,
    }
}

fn place(view: &View, text: &str, id: i64) -> usize {
    let found = query::find(view, &Text::read(Some(text)), &asked(text), None).expect("an answer");
    found.ids.iter().position(|found| *found == id).map_or(usize::MAX, |place| place + 1)
}

/// Per cent of `DRAWN` titles for which the typed text finds the product within the first `within`.
fn share(
    catalogue: &Catalogue,
    view: &View,
    within: usize,
    typed: impl Fn(&str, &mut StdRng) -> Option<String>,
) -> f64 {
    let mut random = StdRng::seed_from_u64(3);
    let (mut drawn, mut found) = (0, 0);
    while drawn < DRAWN {
        let product = catalogue.products.choose(&mut random).expect("some products");
        let Some(text) = typed(&product.title, &mut random) else { continue };
        drawn += 1;
        match place(view, &text, product.id) <= within {
            true => found += 1,
            false => println!("  missed {:?} by {text:?}", product.title),
        }
    }
    100.0 * f64::from(found) / DRAWN as f64
}

fn with_an_error(title: &str, random: &mut StdRng) -> Option<String> {
    let mut words: Vec<String> = title.split_whitespace().map(str::to_owned).collect();
    let long = |word: &String| word.chars().count() >= 5 && word.chars().all(char::is_alphabetic);
    let places: Vec<usize> = (0..words.len()).filter(|place| long(&words[*place])).collect();
    let word = &mut words[*places.choose(random)?];
    let mut letters: Vec<char> = word.chars().collect();
    let place = random.random_range(1..letters.len());
    let letter = char::from(random.random_range(b'a'..=b'z'));
    match random.random_range(0..4) {
        0 => letters.insert(place, letter),
        1 => _ = letters.remove(place),
        2 => letters[place] = letter,
        _ if place > 1 => letters.swap(place - 1, place),
        _ => letters.swap(1, 2),
    }
    let changed: String = letters.into_iter().collect();
    // A letter in its own place, or two alike swapped, is no error.
    let is_error = changed.to_lowercase() != word.to_lowercase();
    *word = changed;
    is_error.then(|| words.join(" "))
}

fn beginning(title: &str) -> Option<String> {
    let words: Vec<&str> = title.split_whitespace().collect();
    let [first, second, third, ..] = words[..] else { return None };
    let start: String = third.chars().take(3).collect();
    (start.chars().count() == 3).then(|| format!("{first} {second} {start}"))
}

fn inner_part(title: &str, random: &mut StdRng) -> Option<String> {
    let long = |word: &&str| word.chars().count() >= 7 && word.chars().all(char::is_alphabetic);
    let words: Vec<&str> = title.split_whitespace().filter(long).collect();
    let letters: Vec<char> = words.choose(random)?.chars().collect();
    let from = random.random_range(1..letters.len() - 4);
    Some(letters[from..from + 4].iter().collect())
}

#[test]
fn what_was_meant_is_found() {
    let catalogue = Catalogue::load();
    let (view, elapsed) = catalogue.index();
    println!("{} products indexed in {elapsed:?}", catalogue.products.len());
    let shuffled = |title: &str, random: &mut StdRng| {
        let mut words: Vec<&str> = title.split_whitespace().collect();
        words.shuffle(random);
        Some(words.join(" "))
    };
    let figures = [
        ("the title: first", 99.0, share(&catalogue, &view, 1, |title, _| Some(title.to_owned()))),
        ("with a typing error: in the first three", 94.0, share(&catalogue, &view, 3, with_an_error)),
        (
            "two words and three letters: in the first ten",
            98.0,
            share(&catalogue, &view, 10, |title, _| beginning(title)),
        ),
        ("words shuffled: in the first three", 95.0, share(&catalogue, &view, 3, shuffled)),
    ];
    let mut random = StdRng::seed_from_u64(4);
    let titles = std::iter::repeat_with(|| catalogue.products.choose(&mut random).map(|product| product.title.clone()));
    let titles: Vec<String> = titles.flatten().take(20 * DRAWN).collect();
    let parts: Vec<String> = titles.iter().filter_map(|title| inner_part(title, &mut random)).take(DRAWN).collect();
    let finds = |part: &&String| {
        query::find(&view, &Text::read(Some(part)), &asked(part), None).is_ok_and(|found| found.count > 0)
    };
    let inside = 100.0 * parts.iter().filter(finds).count() as f64 / parts.len() as f64;
    for (what, least, percent) in figures.into_iter().chain([("a part of a word: something", 99.0, inside)]) {
        println!("{percent:5.1} % {what} (at least {least} %)");
        assert!(percent >= least, "{what}");
    }
}

/// Two words of a title that stand side by side, the common ones as often as they do.
fn neighbours(catalogue: &Catalogue, random: &mut StdRng) -> Option<String> {
    let words: Vec<&str> = catalogue.products.choose(random)?.title.split_whitespace().collect();
    let pairs: Vec<_> = words.windows(2).filter(|pair| pair.iter().all(|word| word.len() >= 3)).collect();
    pairs.choose(random).map(|pair| pair.join(" "))
}

/// What makes a query of its kind.
type Change = fn(&mut Query);

#[test]
fn every_kind_of_query_is_answered_and_timed() {
    let count = std::env::var("SEARCH_PRODUCTS").ok().and_then(|count| count.parse().ok()).unwrap_or(3_000);
    let catalogue = Catalogue::load().multiplied(count);
    let (view, elapsed) = catalogue.index();
    println!("{count} products indexed in {elapsed:?}, {} segments", view.segments.len());
    let mut words: HashMap<String, usize> = HashMap::new();
    for word in catalogue.products.iter().flat_map(|product| crate::fold::words(&product.title)) {
        *words.entry(word).or_default() += 1;
    }
    let mut words: Vec<(usize, String)> =
        words.into_iter().map(|(word, count)| (count, word)).filter(|(_, word)| word.len() > 4).collect();
    words.sort_unstable_by(|one, other| other.cmp(one));
    let broad: Vec<String> = words.iter().take(10).map(|(_, word)| word.clone()).collect();
    let word = |place: usize| words[place * 7 % words.len().min(500)].1.clone();
    let two: Vec<String> = (0..50).map(|place| format!("{} {}", word(place), word(place * 3 + 1))).collect();
    let begun: Vec<String> = (0..50).map(|place| word(place)[..4].to_owned()).collect();
    let wrong: Vec<String> = (0..50)
        .map(|place| {
            let mut word = word(place);
            word.remove(2);
            word
        })
        .collect();
    let mut random = StdRng::seed_from_u64(5);
    let neighbours: Vec<String> =
        std::iter::repeat_with(|| neighbours(&catalogue, &mut random)).flatten().take(500).collect();
    let none = [String::new()];
    let kinds: [(&str, &[String], Change); 15] = [
        ("broad word", &broad, |_| {}),
        ("two words", &two, |_| {}),
        ("two neighbours", &neighbours, |_| {}),
        ("prefix", &begun, |_| {}),
        ("typing error", &wrong, |_| {}),
        ("in stock", &broad, |query| query.filters.in_stock = true),
        ("price", &broad, |query| query.filters.max_price = Some(10.into())),
        ("by price", &broad, |query| query.sort = Some(Sort::Price)),
        ("dearest first", &broad, |query| query.sort = Some(Sort::PriceDescending)),
        ("newest first", &broad, |query| query.sort = Some(Sort::Newest)),
        ("facets", &broad, |query| query.facets = true),
        ("browse", &none, |_| {}),
        ("browse by price", &none, |query| query.sort = Some(Sort::Price)),
        ("browse, facets", &none, |query| query.facets = true),
        ("browse in stock", &none, |query| query.filters.in_stock = true),
    ];
    for (kind, texts, change) in kinds {
        let mut count = 0;
        print_times(kind, texts, |text| {
            let mut query = asked(text);
            change(&mut query);
            count = query::find(&view, &Text::read(query.text.as_deref()), &query, Some(3)).expect("an answer").count;
        });
        println!("    (the last found {count})");
        assert!(count > 0, "{kind}");
    }
    for (kind, texts) in [
        ("suggest, beginning", &begun),
        ("suggest, two words", &two),
        ("suggest, error", &wrong),
        ("suggest, word", &broad),
    ] {
        print_times(kind, texts, |text| _ = query::suggest(&view, text).expect("an answer"));
    }
}

fn print_times(kind: &str, texts: &[String], mut ask: impl FnMut(&str)) {
    // The best of each text, so that other work on the machine does not count; and each in its turn, so that what the
    // processor keeps at hand is not what it needs.
    let mut times = vec![Duration::MAX; texts.len()];
    for _ in 0..9 {
        for (text, best) in texts.iter().zip(&mut times) {
            let begun = Instant::now();
            ask(text);
            *best = begun.elapsed().min(*best);
        }
    }
    times.sort_unstable();
    let mean = times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(1);
    println!(
        "{kind:20} mean {:9.1?}  median {:9.1?}  worst {:9.1?}",
        mean,
        times[times.len() / 2],
        times[times.len() - 1]
    );
}
