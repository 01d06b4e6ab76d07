//! How an [`EncryptedStore`] is set up: [`Builder`].

use object_store::{ObjectStore, path::Path};

use crate::{Ciphers, EncryptedStore, paths::Paths, request::Identity, store::Settings};

/// Sets up an [`EncryptedStore`]. Made by [`EncryptedStore::builder`].
#[derive(Debug)]
#[must_use]
pub struct Builder<S> {
    inner: S,
    settings: Settings,
}

impl<S: ObjectStore> Builder<S> {
    pub(crate) fn new(inner: S, bucket: String, ciphers: impl Ciphers) -> Self {
        let settings = Settings {
            ciphers: Box::new(ciphers),
            identity: Identity { realm: String::new(), bucket },
            paths: Paths::new(Path::from(DEFAULT_PREFIX)),
            concurrency: 16,
            cached_lengths: 65_536,
            cached_records: 16 << 20,
            single_writer: false,
            keep_replaced: false,
        };
        Self { inner, settings }
    }

    /// The deployment or tenant, which every Envelope binds beside the bucket and the path. Empty by
    /// default.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.settings.identity.realm = realm.into();
        self
    }

    /// The prefix under which bodies are kept and that nobody sees through the store:
    /// `.object-cipher` by default. It stays what it was, and had better be one name: folders above it show
    /// in lists. `.Object-Cipher` is reserved with it, since some file systems take both for one.
    pub fn reserved_prefix(mut self, prefix: impl Into<Path>) -> Self {
        self.settings.paths = Paths::new(prefix.into());
        self
    }

    /// Requests that a list, a bulk delete or a sweep makes at once: 16 by default.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.settings.concurrency = requests.max(1);
        self
    }

    /// Plaintext lengths that are kept for lists, by the record's ETag: 65,536 by default.
    pub fn cached_lengths(mut self, entries: usize) -> Self {
        self.settings.cached_lengths = entries;
        self
    }

    /// Bytes of records that are kept, so that reading an object again does not fetch its record again:
    /// 16 MiB by default. The store is asked each time whether it still has this one, and the key is asked
    /// for each time: nothing secret is kept.
    pub fn cached_records(mut self, bytes: u64) -> Self {
        self.settings.cached_records = bytes;
        self
    }

    /// Says that nobody else writes while this store [rewraps](EncryptedStore::rewrap) in place, so that
    /// it may do so over stores without conditional puts, such as local files. If it is not so, what the
    /// other wrote meanwhile is lost.
    pub fn single_writer(mut self) -> Self {
        self.settings.single_writer = true;
        self
    }

    /// Leaves the bodies of replaced and deleted objects where they are: for buckets that keep versions,
    /// whose earlier records name them. [`EncryptedStore::sweep`] removes them.
    pub fn keep_replaced(mut self) -> Self {
        self.settings.keep_replaced = true;
        self
    }

    /// The store.
    pub fn build(self) -> EncryptedStore<S> {
        EncryptedStore::with_settings(self.inner, self.settings)
    }
}

const DEFAULT_PREFIX: &str = ".object-cipher";
