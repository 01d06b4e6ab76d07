//! Records found: [`Found`].

use std::sync::{Arc, OnceLock};

use object_cipher_core::{ObjectId, Opener, PartTable, StoredParts};
use object_store::{GetOptions, ObjectMeta, ObjectStore, path::Path};
use quick_cache::{Weighter, sync::Cache};

use super::EncryptedStore;
use crate::{Error, MAX_RECORD_LEN, Record, RecordFault, Result, request::for_store};

/// What one record takes in memory, at the least.
const RECORD_WEIGHT: u64 = 1_024;

/// A record, and what the store says of it. There is nothing secret in it.
#[derive(Debug)]
pub(super) struct Found {
    /// What the store says, but for the length, which is the object's.
    pub(super) meta: ObjectMeta,
    pub(super) record: Record,
    /// Where the parts lie, once an opener of this record has verified it.
    parts: OnceLock<StoredParts>,
}

/// Records that were read, by their paths. Each is asked for again, on condition that it is another.
pub(super) type Records = Cache<Path, Arc<Found>, Weight>;

/// Counts records by their memory.
#[derive(Clone)]
pub(super) struct Weight;

/// An empty cache of so many bytes.
pub(super) fn records(bytes: u64) -> Records {
    let items = usize::try_from(bytes / RECORD_WEIGHT).unwrap_or(usize::MAX);
    Cache::with_weighter(items.min(1 << 16), bytes, Weight)
}

impl<S: ObjectStore> EncryptedStore<S> {
    /// The record at a path. One that is known is not fetched again.
    pub(super) async fn find(&self, location: &Path, options: GetOptions) -> Result<Arc<Found>> {
        let no_record = |fault| Error::NoRecord { path: location.clone(), fault };
        let plain = is_plain(&options);
        let known = if plain { self.shared.records.get(location) } else { None };
        let extensions = for_store(&options.extensions);
        let mut options = GetOptions { range: None, head: false, extensions, ..options };
        if let Some(known) = &known {
            options.if_none_match.clone_from(&known.meta.e_tag);
        }
        let found = match (self.inner().get_opts(location, options).await, known) {
            (Err(object_store::Error::NotModified { .. }), Some(known)) => return Ok(known),
            (found, _) => found?,
        };
        if found.meta.size > MAX_RECORD_LEN {
            return Err(no_record(RecordFault::TooLong));
        }
        let mut meta = found.meta.clone();
        let record = Record::parse(&found.bytes().await?).map_err(no_record)?;
        meta.size = record.plaintext_len;
        let found = Arc::new(Found::new(meta, record));
        if plain && found.meta.e_tag.is_some() {
            self.shared.records.insert(location.clone(), Arc::clone(&found));
        }
        Ok(found)
    }
}

impl Found {
    pub(super) fn new(meta: ObjectMeta, record: Record) -> Self {
        Self { meta, record, parts: OnceLock::new() }
    }

    /// The name of its body.
    pub(super) fn object(&self) -> ObjectId {
        self.record.envelope.object_id()
    }

    /// Where the parts lie in the body, if there are any, verified by an opener of this record.
    pub(super) fn parts(&self, opener: &Opener) -> Result<Option<&StoredParts>> {
        let Some(table) = &self.record.part_table else { return Ok(None) };
        if let Some(parts) = self.parts.get() {
            return Ok(Some(parts));
        }
        let parts = StoredParts::verify(opener, table)?;
        Ok(Some(self.parts.get_or_init(|| parts)))
    }
}

impl Weighter<Path, Arc<Found>> for Weight {
    fn weight(&self, _: &Path, found: &Arc<Found>) -> u64 {
        let pages = found.record.part_table.iter().flat_map(PartTable::pages);
        let table: usize = pages.map(Vec::len).sum();
        // A table is kept as it came, and again as what was read of it.
        RECORD_WEIGHT + 4 * table as u64
    }
}

/// Whether the record of now is asked for, whatever it is.
fn is_plain(options: &GetOptions) -> bool {
    let GetOptions {
        if_match, if_none_match, if_modified_since, if_unmodified_since, version, ..
    } = options;
    if_match.is_none()
        && if_none_match.is_none()
        && if_modified_since.is_none()
        && if_unmodified_since.is_none()
        && version.is_none()
}
