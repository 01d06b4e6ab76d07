//! Lists: records seen as the objects they are of.

use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, future};
#[cfg(feature = "rekey")]
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, Result as StoreResult};

use super::EncryptedStore;
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
    async fn object(&self, mut meta: ObjectMeta) -> Result<Option<ObjectMeta>> {
        let known = meta.e_tag.clone().map(|e_tag| (meta.location.clone(), e_tag));
        if let Some(length) = known.as_ref().and_then(|key| self.shared.lengths.get(key)) {
            meta.size = length;
            return Ok(Some(meta));
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
        let head = match self.inner().get_opts(&meta.location, options).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            found => found?.bytes().await?,
        };
        let length = plaintext_len(&head).map_err(no_record)?;
        if let Some(key) = known {
            self.shared.lengths.insert(key, length);
        }
        meta.size = length;
        Ok(Some(meta))
    }
}
