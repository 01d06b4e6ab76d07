//! Several keys, told apart by what is stored with a wrapped key: [`DescribedKeyrings`].

use std::{fmt, sync::Arc};

use object_cipher_core::BoxFuture;

use super::{KeyRequest, Keyring};
use crate::{
    Result,
    s3ec::{
        CEK_ALGORITHM_PAIR, DataKey, Description, EncryptedDataKey, LEGACY_KEY_ID_PAIR,
        WrapAlgorithm,
    },
};

/// A keyring that writes, and others that read what is described as theirs: keys before a rotation.
///
/// For a KMS's the description is the encryption context; the pairs that the client itself adds to it do not
/// count. A description that none of the others has exactly leads to the one that writes. Descriptions are not
/// authenticated: a changed one leads to a key that does not unwrap.
pub struct DescribedKeyrings {
    writes: Arc<dyn Keyring>,
    reads: Vec<(Description, Arc<dyn Keyring>)>,
}

impl DescribedKeyrings {
    /// The keyring for new objects, and for all objects that no other one is named for.
    pub fn new(writes: impl Keyring + 'static) -> Self {
        Self { writes: Arc::new(writes), reads: Vec::new() }
    }

    /// A keyring for objects of exactly this description.
    #[must_use]
    pub fn with<K: Into<String>, V: Into<String>>(
        mut self,
        description: impl IntoIterator<Item = (K, V)>,
        keyring: impl Keyring + 'static,
    ) -> Self {
        self.reads.push((description.into_iter().collect(), Arc::new(keyring)));
        self
    }

    fn of(&self, description: &Description) -> &dyn Keyring {
        let own = |pair: &(&str, &str)| ![CEK_ALGORITHM_PAIR, LEGACY_KEY_ID_PAIR].contains(&pair.0);
        let same = |of: &Description| of.iter().eq(description.iter().filter(own));
        let named = self.reads.iter().find(|(of, _)| of == description || same(of));
        named.map_or(&*self.writes, |(_, keyring)| &**keyring)
    }
}

impl Keyring for DescribedKeyrings {
    fn unwraps_by(
        &self,
        wrap: Option<WrapAlgorithm>,
        description: &Description,
    ) -> Option<WrapAlgorithm> {
        self.of(description).unwraps_by(wrap, description)
    }

    fn generate<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
    ) -> BoxFuture<'a, Result<(DataKey, EncryptedDataKey)>> {
        self.writes.generate(rq)
    }

    fn unwrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        wrap: WrapAlgorithm,
        key: &'a EncryptedDataKey,
    ) -> BoxFuture<'a, Result<DataKey>> {
        self.of(&key.description).unwrap(rq, wrap, key)
    }

    fn wrap<'a>(
        &'a self,
        rq: &'a KeyRequest<'a>,
        data_key: &'a DataKey,
    ) -> BoxFuture<'a, Result<EncryptedDataKey>> {
        self.writes.wrap(rq, data_key)
    }
}

impl fmt::Debug for DescribedKeyrings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptions = self.reads.iter().map(|(description, _)| description);
        f.debug_tuple("DescribedKeyrings").field(&descriptions.collect::<Vec<_>>()).finish()
    }
}
