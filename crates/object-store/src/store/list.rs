//! Lists: records seen as the objects they are of.

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, future};
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, Result as StoreResult, path::Path,
};

use super::{EncryptedStore, found::is_settled};
use crate::{
    Error, MAX_RECORD_LEN, RecordFault, Result,
    record::{HEAD_LEN, plaintext_len},
};

impl<S: ObjectStore> EncryptedStore<S> {
    /// The records under a prefix, as the store lists them: what it says is of them, not of the objects.
    #[cfg(feature = "rekey")]
    pub(crate) fn records(
        &self,
        prefix: Option<&Path>,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let this = self.clone();
        let records = self.inner().list(prefix);
        records.try_filter(move |meta| future::ready(!this.is_reserved(&meta.location))).boxed()
    }

    /// Whether a path is the store's own.
    #[cfg(feature = "rekey")]
    pub(crate) fn is_reserved(&self, path: &Path) -> bool {
        self.paths().is_reserved(path)
    }

    /// What the store lists, without what is reserved, each with its object's length.
    pub(super) fn objects(
        &self,
        records: BoxStream<'static, StoreResult<ObjectMeta>>,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        let (this, reader) = (self.clone(), self.clone());
        records
            .try_filter(move |meta| future::ready(!this.paths().is_reserved(&meta.location)))
            .map(move |meta| {
                let this = reader.clone();
                async move {
                    let meta = meta?;
                    let location = meta.location.clone();
                    this.object(meta).await.map_err(|error| error.at(&location))
                }
            })
            .buffered(self.settings().concurrency)
            .try_filter_map(future::ok)
            .boxed()
    }

    /// A record's object: none if it was deleted meanwhile. No key is needed, and nobody vouches for the
    /// length but the store.
    async fn object(&self, meta: ObjectMeta) -> Result<Option<ObjectMeta>> {
        if let Some(size) = length_key(&meta).and_then(|key| self.shared.lengths.get(&key)) {
            return Ok(Some(ObjectMeta { size, ..meta }));
        }
        let no_record = |fault| Error::NoRecord { path: meta.location.clone(), fault };
        if meta.size > MAX_RECORD_LEN {
            return Err(no_record(RecordFault::TooLong));
        }
        if meta.size < HEAD_LEN {
            return Err(no_record(RecordFault::TooShort));
        }
        let range = Some(GetRange::Bounded(0..HEAD_LEN));
        let options = GetOptions { range, ..GetOptions::default() };
        let found = match self.inner().get_opts(&meta.location, options).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        // It may have been replaced since it was listed. Where it lies beneath is not asked for.
        let found_meta = ObjectMeta { location: meta.location.clone(), ..found.meta.clone() };
        let size = plaintext_len(&found.bytes().await?).map_err(no_record)?;
        if let Some(key) = length_key(&found_meta).filter(|_| is_settled(&found_meta)) {
            self.shared.lengths.insert(key, size);
        }
        Ok(Some(ObjectMeta { size, ..found_meta }))
    }
}

/// By what a length is known again.
fn length_key(record: &ObjectMeta) -> Option<(Path, String)> {
    record.e_tag.clone().map(|e_tag| (record.location.clone(), e_tag))
}
