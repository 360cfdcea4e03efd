//! The full-text index: a tantivy index that holds ids, words and what is filtered and sorted by, never what is shown.
//!
//! **Shape.** One document for each product:
//!
//! | field | kept as | for |
//! |---|---|---|
//! | `id` | term, column | replacing a product's document; the tie-break of every order |
//! | `title` | terms, column of words in their order | matching; "the title is the query"; suggestions |
//! | `description` | terms | matching |
//! | `category` | term, column | filter, facet, and matching: a category's words stand in [`Categories`] |
//! | `stock` | term for each store that has it, and one for any | `in_stock` |
//! | `price`, `created`, `length` | columns | filters, facets and orders; `length` is the title's |
//! | `key` | column | the title as it is compared and as it is shown, for suggestions in alphabetical order |
//!
//! Terms of a text are its words, folded, and its runs of signs (`tokens`). No positions, frequencies, norms or stored
//! documents are kept: the ranking (module `query`) needs none.
//!
//! **In memory.** tantivy's files are read into memory, not mapped (`folder`), so a file that somebody truncates under
//! us cannot kill the process. Beside them each segment keeps its columns as plain arrays and its words as one text
//! (`segment`, `words`): 100,000 matches are filtered, counted and sorted in a fraction of a millisecond, and all
//! words within a typing error, or holding a part, are found by one pass over a few hundred kilobytes, which words that
//! are typed again are spared (`kept`). Lists of documents are taken apart (`lists`), those of many into bits; and so is
//! the order of prices at a few cuts through it (`prices`): filters and common words then cost one pass over a bit for
//! each product.
//!
//! **Position.** Each commit carries in its payload what it is up to date with ([`Stamp`]), so that files and position
//! cannot disagree, whatever a crash leaves behind.

mod categories;
mod folder;
mod home;
mod kept;
mod lists;
mod prices;
mod schema;
mod segment;
mod store;
mod tokens;
mod view;
mod words;

pub(crate) use categories::Categories;
pub(crate) use home::Home;
pub(crate) use lists::Postings;
pub(crate) use schema::{ANYWHERE, Entry};
pub(crate) use segment::{Doc, Facet, Segment};
pub(crate) use store::{Stamp, Store, Volume};
pub(crate) use tokens::is_signs;
pub(crate) use view::{Living, View};
pub(crate) use words::WordId;
