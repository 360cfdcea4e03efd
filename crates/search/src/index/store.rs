//! The index being written: open or begin one, replace documents, commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tantivy::directory::{Directory, RamDirectory};
use tantivy::indexer::{IndexWriterOptions, LogMergePolicy};
use tantivy::schema::Term;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy, TantivyError};

use crate::index::folder::Folder;
use crate::index::schema::{self, Entry, FORMAT, Fields};
use crate::index::segment::Segment;
use crate::index::view::Living;

/// Memory for documents that are not committed yet: enough to build a million products in one segment, in which each
/// word of a query is looked up once; following needs next to nothing.
const BUILDING: usize = 400_000_000;
const FOLLOWING: usize = 15_000_000;

/// What a commit is up to date with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    format: u32,
    /// Whose products these are.
    pub(crate) database: String,
    /// The `pg_snapshot` that the commit shows.
    pub(crate) snapshot: String,
    /// How often titles had changed by then.
    pub(crate) generation: i64,
}

impl Stamp {
    pub(crate) fn new(database: impl Into<String>, snapshot: impl Into<String>, generation: i64) -> Self {
        Self { format: FORMAT, database: database.into(), snapshot: snapshot.into(), generation }
    }
}

/// An index with its one writer.
pub(crate) struct Store {
    path: Option<PathBuf>,
    fields: Fields,
    index: Index,
    reader: IndexReader,
    writer: IndexWriter,
    open: Vec<Living>,
}

/// How much is going to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Volume {
    /// Very many products.
    Many,
    /// So few that the memory for many would outweigh them; and changes, which are few at a time.
    Few,
}

impl Store {
    /// Begins an empty index, in a new folder or in memory.
    pub(crate) fn create(path: Option<&Path>, volume: Volume) -> Result<Self, TantivyError> {
        let directory: Box<dyn Directory> = match path {
            Some(path) => Box::new(Folder::open(path)?),
            None => Box::new(RamDirectory::create()),
        };
        let (schema, fields) = schema::schema();
        let index = Index::builder()
            .schema(schema)
            .tokenizers(schema::tokenizers())
            .fast_field_tokenizers(schema::tokenizers())
            .open_or_create(directory)?;
        Self::new(path, index, fields, volume)
    }

    /// Opens what an earlier process left in `path`, if it is whole and of this make.
    pub(crate) fn open(path: &Path) -> Result<Option<(Self, Stamp)>, TantivyError> {
        let directory: Box<dyn Directory> = Box::new(Folder::open(path)?);
        if !Index::exists(&*directory)? {
            return Ok(None);
        }
        let mut index = Index::open(directory)?;
        let (schema, fields) = schema::schema();
        let stamp = index.load_metas()?.payload.and_then(|payload| serde_json::from_str::<Stamp>(&payload).ok());
        let Some(stamp) = stamp.filter(|stamp| stamp.format == FORMAT) else { return Ok(None) };
        if index.schema() != schema || !index.validate_checksum()?.is_empty() {
            return Ok(None);
        }
        index.set_tokenizers(schema::tokenizers());
        index.set_fast_field_tokenizers(schema::tokenizers());
        Ok(Some((Self::new(Some(path), index, fields, Volume::Few)?, stamp)))
    }

    fn new(path: Option<&Path>, index: Index, fields: Fields, volume: Volume) -> Result<Self, TantivyError> {
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let writer = new_writer(&index, volume)?;
        Ok(Self { path: path.map(Path::to_owned), fields, index, reader, writer, open: Vec::new() })
    }

    /// Where it is; none for one in memory.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Gets ready for changes, after everything has been written.
    pub(crate) fn settle(self) -> Result<Self, TantivyError> {
        let Self { path, fields, index, reader, writer, open } = self;
        // Its lock must be free before the next one takes it.
        drop(writer);
        let writer = new_writer(&index, Volume::Few)?;
        Ok(Self { path, fields, index, reader, writer, open })
    }

    /// Adds a product that the index does not have.
    pub(crate) fn add(&self, entry: &Entry) -> Result<(), TantivyError> {
        self.writer.add_document(self.fields.document(entry))?;
        Ok(())
    }

    /// Takes a product out, if it is there.
    pub(crate) fn remove(&self, id: i64) {
        self.writer.delete_term(Term::from_field_i64(self.fields.id, id));
    }

    /// Makes all since the last commit durable and visible, all or nothing.
    pub(crate) fn commit(&mut self, stamp: &Stamp) -> Result<Vec<Living>, TantivyError> {
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(
            &serde_json::to_string(stamp).map_err(|error| TantivyError::InternalError(error.to_string()))?,
        );
        commit.commit()?;
        self.segments()
    }

    /// The segments as of the last commit. Those that were open before are not read again.
    pub(crate) fn segments(&mut self) -> Result<Vec<Living>, TantivyError> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let mut living = Vec::new();
        for reader in searcher.segment_readers() {
            let known = self.open.iter().find(|living| living.segment.segment_id == reader.segment_id());
            living.push(match known {
                // Documents die and never come back, so as many are the same ones.
                Some(known) if known.products == reader.num_docs() as usize => known.clone(),
                Some(known) => Living::new(known.segment.clone(), reader.alive_bitset()),
                None => Living::new(Arc::new(Segment::open(reader, self.fields)?), reader.alive_bitset()),
            });
        }
        self.open.clone_from(&living);
        // Looks at the files again: those of a segment that was merged away in this moment are gone.
        if let Ok(usage) = searcher.space_usage() {
            metrics::gauge!("search_bytes").set(usage.total().get_bytes() as f64);
        }
        Ok(living)
    }

    /// The stamp, products and bytes of an index that a process may be writing to.
    pub(crate) fn look(path: &Path) -> Result<Option<(Stamp, usize, u64)>, TantivyError> {
        let directory: Box<dyn Directory> = Box::new(Folder::open(path)?);
        if !Index::exists(&*directory)? {
            return Ok(None);
        }
        let metas = Index::open(directory)?.load_metas()?;
        let stamp = metas.payload.and_then(|payload| serde_json::from_str(&payload).ok());
        let products = metas.segments.iter().map(|segment| segment.num_docs() as usize).sum();
        let mut bytes = 0;
        for entry in std::fs::read_dir(path)?.flatten() {
            bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        }
        Ok(stamp.map(|stamp| (stamp, products, bytes)))
    }
}

fn new_writer(index: &Index, volume: Volume) -> Result<IndexWriter, TantivyError> {
    let memory = match volume {
        Volume::Many => BUILDING,
        Volume::Few => FOLLOWING,
    };
    let options = IndexWriterOptions::builder()
        // Two take in no faster what one connection reads, and leave a segment each.
        .num_worker_threads(1)
        .memory_budget_per_thread(memory)
        .num_merge_threads(1)
        .build();
    let writer = index.writer_with_options(options)?;
    let mut merging = LogMergePolicy::default();
    merging.set_del_docs_ratio_before_merge(0.3);
    writer.set_merge_policy(Box::new(merging));
    Ok(writer)
}
