//! The store itself: [`EncryptedStore`].

mod copy;
mod delete;
mod found;
mod list;
mod open;
mod put;
mod ranges;
mod rewrap;
mod sweep;
mod upload;

use std::{fmt, ops::Range, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use http::Extensions;
use object_cipher_core::{ObjectCipher, ObjectContext};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result as StoreResult, path::Path,
};
use quick_cache::sync::Cache;

use crate::{Builder, CipherTable, Ciphers, Record, paths::Paths, request::Identity};

#[cfg(feature = "rekey")]
pub(crate) use copy::{Copied, Copying};
use found::{Records, records};

pub use rewrap::Rewrapped;
pub use sweep::Swept;

/// Any [`ObjectStore`] with encryption around it, and an [`ObjectStore`] itself: what goes in is sealed,
/// what comes out is verified, and sizes and ranges are those of the plaintext.
///
/// At an object's own path stands its [`Record`]; its body has a random name under a reserved prefix.
/// The record's put is the only commit: a crash leaves the old object or the new one, and bodies that
/// nothing names, which a [sweep](EncryptedStore::sweep) removes. Copies, renames and changes of key
/// write records only.
///
/// Clones share everything.
///
/// ```
/// use std::sync::Arc;
///
/// use object_cipher_core::{EkSource, LayeredCipher};
/// use object_cipher_object_store::{CipherTable, EncryptedStore};
/// use object_cipher_rustcrypto::RustCrypto;
/// use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
/// let cipher = LayeredCipher::sse_c(keys, RustCrypto);
/// let store = EncryptedStore::new(InMemory::new(), "lake", cipher);
///
/// let path = Path::from("2026/cats.parquet");
/// store.put(&path, "all the cats".into()).await?;
/// assert_eq!(store.head(&path).await?.size, 12);
/// assert_eq!(store.get_range(&path, 8..12).await?, "cats");
/// # Ok::<(), object_store::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncryptedStore<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    inner: S,
    settings: Settings,
    /// Plaintext lengths by a record's path and ETag.
    lengths: Cache<(Path, String), u64>,
    records: Records,
}

/// What a [`Builder`] sets.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) ciphers: Box<dyn Ciphers>,
    pub(crate) identity: Identity,
    pub(crate) paths: Paths,
    pub(crate) concurrency: usize,
    pub(crate) cached_lengths: usize,
    pub(crate) cached_records: u64,
    pub(crate) single_writer: bool,
    pub(crate) keep_replaced: bool,
}

impl<S: ObjectStore> EncryptedStore<S> {
    /// One cipher around all objects of a store. The bucket's name is bound by every Envelope, beside
    /// the object's path.
    pub fn new(inner: S, bucket: impl Into<String>, cipher: impl ObjectCipher + 'static) -> Self {
        Self::builder(inner, bucket, CipherTable::new(cipher)).build()
    }

    /// A store that is set up in more detail.
    pub fn builder(inner: S, bucket: impl Into<String>, ciphers: impl Ciphers) -> Builder<S> {
        Builder::new(inner, bucket.into(), ciphers)
    }

    pub(crate) fn with_settings(inner: S, settings: Settings) -> Self {
        let lengths = Cache::new(settings.cached_lengths);
        let records = records(settings.cached_records);
        Self { shared: Arc::new(Shared { inner, settings, lengths, records }) }
    }

    /// The store that everything is kept in.
    pub fn inner(&self) -> &S {
        &self.shared.inner
    }

    fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    fn paths(&self) -> &Paths {
        &self.settings().paths
    }

    /// Who an object is that has a record.
    fn context_of<'a>(
        &'a self,
        location: &'a Path,
        record: &'a Record,
        extensions: &'a Extensions,
    ) -> ObjectContext<'a> {
        let cx = self.settings().identity.context(location, &record.context, extensions);
        match &record.part_table {
            Some(table) => cx.with_part_index(table.index()),
            None => cx,
        }
    }
}

#[async_trait]
impl<S: ObjectStore> ObjectStore for EncryptedStore<S> {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        self.put_object(location, payload, options).await.map_err(|error| error.at(location))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        let upload = self.begin_upload(location, options, PutMode::Overwrite).await;
        upload.map(|upload| Box::new(upload) as _).map_err(|error| error.at(location))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.get_object(location, options).await.map_err(|error| error.at(location))
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> StoreResult<Vec<Bytes>> {
        self.read_ranges(location, ranges).await.map_err(|error| error.at(location))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let this = self.clone();
        locations
            .map(move |location| {
                let this = this.clone();
                async move {
                    let location = location?;
                    this.delete_object(&location).await.map_err(|error| error.at(&location))?;
                    Ok(location)
                }
            })
            .buffered(self.settings().concurrency)
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.objects(self.inner().list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.objects(self.inner().list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        let mut found = self.inner().list_with_delimiter(prefix).await?;
        found.common_prefixes.retain(|prefix| !self.paths().is_reserved(prefix));
        let objects = futures_util::stream::iter(found.objects.into_iter().map(Ok)).boxed();
        found.objects = self.objects(objects).try_collect().await?;
        Ok(found)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.copy_object(from, to, options).await.map_err(|error| error.at(to))
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> StoreResult<()> {
        self.rename_object(from, to, options).await.map_err(|error| error.at(to))
    }
}

impl<S> Clone for EncryptedStore<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: fmt::Debug> fmt::Debug for EncryptedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedStore")
            .field("inner", &self.shared.inner)
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}

impl<S: fmt::Display> fmt::Display for EncryptedStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EncryptedStore({})", self.shared.inner)
    }
}
