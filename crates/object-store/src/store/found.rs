//! Records found: [`Found`].

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use futures_util::TryStreamExt as _;
use object_cipher_core::{ObjectId, Opener, PartTable, StoredParts};
use object_store::{Attribute, GetOptions, GetResult, ObjectMeta, ObjectStore, path::Path};
use quick_cache::{Weighter, sync::Cache};

use super::EncryptedStore;
use crate::{Error, MAX_RECORD_LEN, Record, RecordFault, Result, request::for_store};

/// What one record takes in memory, at the least: itself and its Envelope.
const RECORD_WEIGHT: u64 = 1_024;
/// What an attribute, or a pair of an encryption context, takes beside its texts.
const PAIR_WEIGHT: usize = 128;
/// The coarsest clock of a file system's, FAT's.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// A record, and what the store says of it. There is nothing secret in it.
#[derive(Debug)]
pub(super) struct Found {
    /// What the store says, but for the length, which is the object's, and the path, which was asked for.
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
    /// The record at a path. One that is known is not fetched again; one that was put just now is not kept,
    /// since stores that make ETags of the time give the next one the same.
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
        let meta = found.meta.clone();
        let record = Record::parse(&read_record(found).await?).map_err(no_record)?;
        // Stores that are wrapped say of what they get where it lies beneath.
        let meta = ObjectMeta { size: record.plaintext_len, location: location.clone(), ..meta };
        let found = Arc::new(Found::new(meta, record));
        if plain && is_settled(&found.meta) {
            self.shared.records.insert(location.clone(), Arc::clone(&found));
        }
        Ok(found)
    }

    /// Forgets the record at a path, which is another now.
    pub(super) fn forget(&self, location: &Path) {
        self.shared.records.remove(location);
    }
}

impl Found {
    pub(super) fn new(meta: ObjectMeta, record: Record) -> Self {
        Self { meta, record, parts: OnceLock::new() }
    }

    /// The object whose body goes with the record at a path: none for a record that was written for
    /// another path and copied beneath the store.
    pub(super) fn owned_at(&self, location: &Path) -> Option<ObjectId> {
        self.record.is_of(location).then(|| self.object())
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
    fn weight(&self, path: &Path, found: &Arc<Found>) -> u64 {
        let pages = found.record.part_table.iter().flat_map(PartTable::pages);
        let table: usize = pages.map(Vec::len).sum();
        let attributes = found.record.attributes.iter().map(|(name, value)| {
            let key = if let Attribute::Metadata(key) = name { key.len() } else { 0 };
            PAIR_WEIGHT + key + value.len()
        });
        let context = found.record.context.iter();
        let context = context.map(|(name, value)| PAIR_WEIGHT + name.len() + value.len());
        let pairs: usize = attributes.chain(context).sum();
        // A table is kept as it came, and again as what was read of it.
        RECORD_WEIGHT + (path.as_ref().len() + pairs + 4 * table) as u64
    }
}

/// Whether a record's ETag is no other's: in stores that make it of the time, after the time has gone on.
pub(super) fn is_settled(meta: &ObjectMeta) -> bool {
    let age = SystemTime::now().duration_since(meta.last_modified.into());
    meta.e_tag.is_some() && age.is_ok_and(|age| age >= SETTLED_AFTER)
}

/// The bytes of a record, however many the store gives.
async fn read_record(found: GetResult) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut stream = found.into_stream();
    while let Some(more) = stream.try_next().await? {
        bytes.extend_from_slice(&more);
        if bytes.len() as u64 > MAX_RECORD_LEN {
            break;
        }
    }
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test stops")]

    use object_cipher_core::EkSource;
    use object_cipher_rustcrypto::RustCrypto;
    use object_cipher_testkit::TestKeys;
    use object_store::{AttributeValue, Attributes, PutOptions, memory::InMemory};
    use quick_cache::Weighter as _;

    use super::*;

    async fn weight(attributes: &[(String, String)]) -> u64 {
        let keys = TestKeys::new(EkSource::Client, [7; 32]);
        let cipher = object_cipher_core::LayeredCipher::client(keys, RustCrypto);
        let store = EncryptedStore::new(InMemory::new(), "lake", cipher);
        let path = Path::from("cats.csv");
        let metadata = |key: &str| Attribute::Metadata(key.to_owned().into());
        let value = |value: &str| AttributeValue::from(value.to_owned());
        let pairs = attributes.iter().map(|(key, text)| (metadata(key), value(text)));
        let attributes: Attributes = pairs.collect();
        store.put_opts(&path, "Tom".into(), PutOptions::from(attributes)).await.unwrap();
        let found = store.find(&path, GetOptions::new()).await.unwrap();
        Weight.weight(&path, &found)
    }

    #[tokio::test]
    async fn a_record_counts_with_what_the_caller_says_of_the_object() {
        let bare = weight(&[]).await;
        let long = weight(&[("note".into(), "x".repeat(60_000))]).await;
        assert!(long >= bare + 60_000);
        let many: Vec<_> = (0..2_000).map(|number| (number.to_string(), String::new())).collect();
        assert!(weight(&many).await >= bare + 2_000 * PAIR_WEIGHT as u64);
    }
}
