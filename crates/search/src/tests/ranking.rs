//! The rules of what matches and what goes first.

use super::fixture::{found, query, snapshot, titled};

#[test]
fn title_goes_before_category_before_description() {
    let snapshot = snapshot(&[
        ("Oat Drink", "other", "Instead of milk.", 100),
        ("Oat Drink", "milk", "", 100),
        ("A Very Long Title of Some Milk", "other", "", 100),
    ]);
    let titles = found(&snapshot, &query("milk"));
    assert_eq!(titles, ["A Very Long Title of Some Milk", "Oat Drink", "Oat Drink"]);
    assert_eq!(snapshot.find(&query("milk")).unwrap().ids, [3, 2, 1]);
}

#[test]
fn exact_goes_before_prefix_before_error_before_inside() {
    let snapshot = titled(&["Buttermilk", "Mild Cheese", "Milkshake Drink", "Some Milk, Whole"]);
    assert_eq!(found(&snapshot, &query("milk")), ["Some Milk, Whole", "Milkshake Drink", "Mild Cheese", "Buttermilk"]);
}

#[test]
fn another_form_goes_after_the_word_and_before_its_beginning() {
    let snapshot = titled(&["Mugful", "Mugs", "A Mug to Hold", "Mud Mask"]);
    assert_eq!(found(&snapshot, &query("mug")), ["A Mug to Hold", "Mugs", "Mugful"]);
    let snapshot = titled(&["Rechargeable Battery", "Insulated Bottle"]);
    assert_eq!(found(&snapshot, &query("rechargeable batteries")), ["Rechargeable Battery"]);
    assert_eq!(found(&snapshot, &query("bottles insulating")), ["Insulated Bottle"]);
}

#[test]
fn a_description_that_has_the_word_goes_before_a_title_that_has_it_misspelt_or_inside() {
    let products =
        [("Buttermilk", "other", "", 100), ("Mild", "other", "", 100), ("Oats", "other", "Like with milk.", 100)];
    assert_eq!(found(&snapshot(&products), &query("milk")), ["Oats", "Mild", "Buttermilk"]);
}

#[test]
fn one_error_goes_before_two() {
    let snapshot = titled(&["Chacolade Bar", "Chocolade"]);
    assert_eq!(found(&snapshot, &query("chocolate bar")), ["Chacolade Bar"]);
    assert_eq!(found(&snapshot, &query("chocolate")), ["Chocolade", "Chacolade Bar"]);
}

#[test]
fn short_titles_go_first_among_equals_and_then_ids() {
    let snapshot = titled(&["Milk for Cats", "Goat Milk", "Oats Milk", "Goat Milk"]);
    assert_eq!(found(&snapshot, &query("milk")), ["Goat Milk", "Oats Milk", "Goat Milk", "Milk for Cats"]);
}

#[test]
fn a_title_that_is_the_query_goes_first() {
    let titles = ["Cream Cheese", "Cheese Cream", "Cheese", "Cheeses"];
    let snapshot = titled(&titles);
    for title in titles {
        assert_eq!(found(&snapshot, &query(title))[0], title);
        assert_eq!(found(&snapshot, &query(&title.to_uppercase()))[0], title);
    }
}

#[test]
fn of_titles_with_the_same_words_the_one_that_was_typed_goes_first() {
    let titles =
        ["Honey Lemon Drops", "Honey/Lemon Drops", "Honey  Lemon Drops", "honey lemon drops", "Honey, Lemon Drops"];
    let snapshot = titled(&titles);
    for title in titles {
        assert_eq!(found(&snapshot, &query(title))[0], title);
    }
}

#[test]
fn every_word_must_match_in_whichever_field() {
    let snapshot = snapshot(&[
        ("Chocolate Drink", "milk", "From Belgium.", 100),
        ("Chocolate Drink", "other", "From Belgium.", 100),
    ]);
    assert_eq!(found(&snapshot, &query("chocolate milk belgium")).len(), 1);
    assert_eq!(found(&snapshot, &query("belgium drink choco")).len(), 2);
    assert_eq!(found(&snapshot, &query("chocolate milk france")).len(), 0);
}

#[test]
fn only_the_last_word_may_be_a_beginning() {
    let snapshot = titled(&["Chips of Corn"]);
    assert_eq!(found(&snapshot, &query("corn ch")).len(), 1);
    assert_eq!(found(&snapshot, &query("ch corn")).len(), 0);
    assert_eq!(found(&snapshot, &query("chi corn")).len(), 1, "as a part, from three letters");
}

#[test]
fn the_first_sixteen_words_count() {
    let snapshot = titled(&["a b c d e f g h i j k l m n o p"]);
    assert_eq!(found(&snapshot, &query("a b c d e f g h i j k l m n o p q r s")).len(), 1);
    assert_eq!(found(&snapshot, &query("a b c d e f g h i j k l m n o q p")).len(), 0);
}

#[test]
fn signs_alone_find_what_contains_them() {
    let snapshot = snapshot(&[
        ("100% Juice", "other", "", 100),
        ("Mac & Cheese", "other", "It's \"good\".", 100),
        ("Oreo®", "a_b", "", 100),
    ]);
    for (signs, wanted) in [
        ("%", &["100% Juice"][..]),
        ("&", &["Mac & Cheese"]),
        ("'", &["Mac & Cheese"]),
        ("\"", &["Mac & Cheese"]),
        ("& %", &[]),
        ("_", &["Oreo®"]),
        ("®", &["Oreo®"]),
        ("%%", &[]),
        ("\\", &[]),
        ("🥛", &[]),
        ("\u{301}", &[]),
        ("\u{200b}", &[]),
    ] {
        assert_eq!(found(&snapshot, &query(signs)), wanted, "{signs}");
    }
    assert_eq!(found(&snapshot, &query("100%")), ["100% Juice"]);
    assert_eq!(found(&snapshot, &query(" \t ")).len(), 3, "nothing at all asks for everything");
}
