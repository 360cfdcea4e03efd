//! How the fields of a record become a row of its kind.

use std::collections::HashMap;

use accounts::Actor;
use db::load::Load;
use products::bulk::ProductRow;
use stores::bulk::{MAX_QUANTITY, StockRow, StoreRow};

use super::fields::Fields;

/// A row that a file can hold.
pub(super) trait Row: Load<Actor = Actor> {
    /// The columns, in the order that they are parsed in.
    const NAMES: &'static [&'static str];

    /// The tables that it ends in.
    const TABLES: &'static str;

    /// Takes the row from its fields, which note what is wrong.
    fn parse(fields: &mut Fields<'_>) -> Self;

    /// Takes over how rows before it spelt what it names in another case.
    fn agree(&mut self, _: &mut Spellings) {}
}

/// How names were spelt where they first came, by their lower case.
pub(super) type Spellings = HashMap<String, String>;

impl Row for ProductRow {
    const NAMES: &'static [&'static str] = &["sku", "title", "category", "price", "description"];
    const TABLES: &'static str = "categories, products";

    fn parse(fields: &mut Fields<'_>) -> Self {
        Self {
            sku: fields.text("sku", 1..=100),
            title: fields.text("title", 1..=500),
            category: fields.text("category", 1..=200),
            price: fields.price("price"),
            description: fields.text("description", 0..=20_000),
        }
    }

    /// A category is called what the first row calls it, whichever is written first.
    fn agree(&mut self, spellings: &mut Spellings) {
        let first = spellings.entry(self.category.to_lowercase()).or_insert_with(|| self.category.clone());
        self.category.clone_from(first);
    }
}

impl Row for StoreRow {
    const NAMES: &'static [&'static str] = &["name", "location"];
    const TABLES: &'static str = "stores";

    fn parse(fields: &mut Fields<'_>) -> Self {
        Self { name: fields.text("name", 1..=200), location: fields.text("location", 0..=500) }
    }
}

impl Row for StockRow {
    const NAMES: &'static [&'static str] = &["store", "sku", "quantity"];
    const TABLES: &'static str = "inventory, stock_adjustments";

    fn parse(fields: &mut Fields<'_>) -> Self {
        Self {
            store: fields.text("store", 1..=200),
            sku: fields.text("sku", 1..=100),
            quantity: fields.quantity("quantity", MAX_QUANTITY),
        }
    }
}
