//! From a query to ids: what matches, how many there are, and in which order they come.
//!
//! **What matches.** Every word of the query must be found in the product: in its title, its category's name or its
//! description, each word wherever it likes. [`Typed::closeness`](crate::closeness::Typed::closeness) says when a
//! word is found; the query's last word is open. The first 16 words count. A query without any word (signs alone)
//! finds what contains its signs literally.
//!
//! **Which goes first.** Of the ways in which a product matches a word the best counts: not as a mere part of a word,
//! with the fewest typing errors, in the title before the category before the description, as the whole word before
//! another form of it before its beginning. Between products decides, in this order:
//!
//! 1. the title is the query, letter by letter before word by word;
//! 2. fewer words found only as a part of another word;
//! 3. fewer typing errors, all words together;
//! 4. words found in titles before categories before descriptions;
//! 5. fewer words of which only the beginning was typed;
//! 6. fewer words found in another form;
//! 7. of titles that hold all of several words side by side in the order of the query, those that begin with them,
//!    then the others; then all other titles;
//! 8. the shorter title;
//! 9. the lower id.
//!
//! **How.** Points 2 to 6 are one number, the [`Cost`](cost::Cost) of a match, made so that costs of words add up. For
//! each segment and word, the dictionaries tell which terms match at which cost, and these where their documents are
//! (`sources`). Filters narrow what may match beforehand (`sieve`). What has every word is counted (`gather`, `collect`),
//! and the first of it sorted by the columns: where few match by going through them all, where many do by going through
//! the segment's documents in the wanted order until enough were met. By relevance a single word is taken in portions,
//! each of what costs the same, until what costs more cannot be shown; several words are summed up only if those that
//! match each of them at its least cost are not enough.

mod advice;
mod collect;
pub(crate) mod cost;
mod find;
mod gather;
mod sieve;
mod sources;
mod suggest;
mod text;
mod top;

#[cfg(test)]
pub(crate) use find::Found;
pub(crate) use find::find;
pub(crate) use suggest::{SHORTEST, suggest};
pub(crate) use text::Text;
