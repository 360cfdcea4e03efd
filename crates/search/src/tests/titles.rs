//! The rules of what is suggested.

use super::fixture::titled;

fn suggested(titles: &[&str], query: &str) -> Vec<String> {
    titled(titles).suggest(query)
}

#[test]
fn the_steps_follow_each_other_and_each_is_alphabetical() {
    let titles = [
        "Dark Chocolate",
        "Hot Chocolate Drink",
        "chocolate bar",
        "Chocolate Apples",
        "Mochocolate",
        "Chocalate Bits",
        "Vanilla",
    ];
    assert_eq!(
        suggested(&titles, "chocolate"),
        ["Chocolate Apples", "chocolate bar", "Dark Chocolate", "Hot Chocolate Drink", "Mochocolate", "Chocalate Bits"]
    );
}

#[test]
fn misspelt_matches_come_only_while_there_is_room() {
    let mut titles: Vec<String> = (0..10).map(|number| format!("Old Milk {number}")).collect();
    titles.push("Mild Cheese".into());
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    assert!(!suggested(&titles, "milk").contains(&"Mild Cheese".to_owned()));
    assert_eq!(suggested(&titles, "milk").len(), 10);
    assert_eq!(suggested(&titles[1..], "milk").last().unwrap(), "Mild Cheese");
    assert_eq!(suggested(&["2% Milk", "Milk", "Milk & Honey"], "milkk"), ["Milk", "Milk & Honey", "2% Milk"]);
}

#[test]
fn case_accents_signs_and_white_space_do_not_matter() {
    let titles = ["Häagen-Dazs® Crème Brûlée", "Ben & Jerry's", "Half  &\u{a0}Half"];
    for (query, wanted) in [
        ("HAAGEN", 0),
        ("häagen-dazs crem", 0),
        ("haagen dazs creme", 0),
        ("brulee", 0),
        ("jerrys", 1),
        ("jerry's", 1),
        ("ben & j", 1),
        ("ben jerry", 1),
        ("half & half", 2),
    ] {
        assert_eq!(suggested(&titles, query), [titles[wanted]], "{query}");
    }
}

#[test]
fn titles_that_begin_with_the_signs_as_well_come_before_the_others() {
    let mut titles: Vec<String> = (0..12).map(|number| format!("Cold Pressed {number}")).collect();
    titles.extend(["Cold-Pressed Oil", "cold-pressed Apple", "Ice Cold-Pressed"].map(String::from));
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let found = suggested(&titles, "Cold-Pre");
    assert_eq!(found[..3], ["cold-pressed Apple", "Cold-Pressed Oil", "Cold Pressed 0"]);
    assert_eq!(found.len(), 10);
    assert_eq!(suggested(&["\"Tea\" Zed", "#2 Milk", "2% Milk", "2 Milk"], "2% m"), ["2% Milk", "#2 Milk", "2 Milk"]);
    assert_eq!(suggested(&["Teas", "Tea, Black", "\"Tea,\" he said"], "tea,")[0], "Tea, Black");
}

#[test]
fn no_title_comes_twice() {
    assert_eq!(suggested(&["Tea", "Tea", "TEA", "tea", "Téa"], "tea").len(), 2);
}

#[test]
fn signs_find_what_contains_them_and_never_everything() {
    let titles = ["100% Juice", "Apples", "*** Stars"];
    assert_eq!(suggested(&titles, "***"), ["*** Stars"]);
    assert_eq!(suggested(&titles, "00%"), ["100% Juice"]);
    for query in ["%%%", "___", "''''", "®®®", "\u{301}\u{301}\u{301}", "🥛🥛🥛", "&&a"] {
        assert_eq!(suggested(&titles, query), [""; 0], "{query}");
    }
}

#[test]
fn places_may_overlap() {
    assert_eq!(suggested(&["xanan anan", "an anan"], "anan"), ["an anan", "xanan anan"]);
    assert_eq!(suggested(&["Banan an an"], "an an"), ["Banan an an"]);
}

#[test]
fn signs_have_their_place_in_the_alphabet() {
    let titles = ["Teapot", "Tea, Black", "Tea Biscuits", "Tea & Honey", "Tea 2%", "Tea", "\"Tea\" Cups"];
    let wanted = ["\"Tea\" Cups", "Tea", "Tea & Honey", "Tea 2%", "Tea Biscuits", "Tea, Black", "Teapot"];
    assert_eq!(suggested(&titles, "tea"), wanted);
}
