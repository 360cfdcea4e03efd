//! The fields, and a product as a document.

use tantivy::TantivyDocument;
use tantivy::schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{TextAnalyzer, TokenizerManager};

use crate::fold;
use crate::index::tokens::{Kind, Terms};

/// Changes whenever the fields or their content do, so that an index of another make is never read.
pub(super) const FORMAT: u32 = 2;

/// Stands in `stock` for having it in any store.
pub(crate) const ANYWHERE: i64 = i64::MIN;

/// Between the two parts of a key.
pub(super) const KEY_SEPARATOR: char = '\0';

/// A product, as the index takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) description: String,
    /// The category's id.
    pub(crate) category: i64,
    /// In hundredths.
    pub(crate) price: i64,
    /// Microseconds since 1970.
    pub(crate) created: i64,
    /// The stores that have it in stock.
    pub(crate) in_stock: Vec<i64>,
}

/// Handles on the fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) id: Field,
    pub(super) title: Field,
    pub(super) description: Field,
    pub(super) category: Field,
    pub(super) stock: Field,
    price: Field,
    created: Field,
    length: Field,
    key: Field,
}

pub(super) fn schema() -> (Schema, Fields) {
    let terms = TextFieldIndexing::default()
        .set_tokenizer("terms")
        .set_index_option(IndexRecordOption::Basic)
        .set_fieldnorms(false);
    let mut schema = Schema::builder();
    let title = TextOptions::default().set_indexing_options(terms.clone()).set_fast("words");
    let description = TextOptions::default().set_indexing_options(terms);
    let fields = Fields {
        id: schema.add_i64_field("id", INDEXED | FAST),
        title: schema.add_text_field("title", title),
        description: schema.add_text_field("description", description),
        category: schema.add_i64_field("category", INDEXED | FAST),
        stock: schema.add_i64_field("stock", INDEXED),
        price: schema.add_i64_field("price", FAST),
        created: schema.add_i64_field("created", FAST),
        length: schema.add_i64_field("length", FAST),
        key: schema.add_text_field("key", TextOptions::default().set_fast("raw")),
    };
    (schema.build(), fields)
}

/// For the terms of texts and for their columns.
pub(super) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register("terms", TextAnalyzer::from(Terms::new(Kind::All)));
    tokenizers.register("words", TextAnalyzer::from(Terms::new(Kind::Words)));
    tokenizers
}

impl Fields {
    pub(super) fn document(&self, entry: &Entry) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        document.add_i64(self.id, entry.id);
        document.add_text(self.title, &entry.title);
        document.add_text(self.description, &entry.description);
        document.add_i64(self.category, entry.category);
        document.add_i64(self.price, entry.price);
        document.add_i64(self.created, entry.created);
        document.add_i64(self.length, i64::try_from(entry.title.chars().count()).unwrap_or(i64::MAX));
        document.add_text(self.key, format!("{}{KEY_SEPARATOR}{}", fold::plain(&entry.title), entry.title));
        for store in &entry.in_stock {
            document.add_i64(self.stock, *store);
        }
        if !entry.in_stock.is_empty() {
            document.add_i64(self.stock, ANYWHERE);
        }
        document
    }
}
