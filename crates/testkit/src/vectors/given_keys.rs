//! A [`KeySource`] that answers what a vector says: [`GivenKeys`].

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, ObjectContext, Result,
    SourceKey,
};

use super::Hex;

/// Stands in for a vector's keyring, KMS, customer or client: whatever is asked, it answers the
/// vector's source keys in turn, one a layer. It gives no fresh keys.
#[derive(Debug)]
pub struct GivenKeys {
    keys: Vec<Hex>,
    asked: AtomicUsize,
}

impl GivenKeys {
    /// The source keys of a vector.
    pub fn new(source_keys: &[Hex]) -> Self {
        Self { keys: source_keys.to_vec(), asked: AtomicUsize::new(0) }
    }

    fn next(&self) -> Result<Arc<SourceKey>> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed) % self.keys.len().max(1);
        let key = self.keys.get(number).and_then(|key| key.0.as_slice().try_into().ok());
        let missing = KeyError::new(KeyErrorKind::NotFound, "a source key has 32 bytes");
        Ok(key.map(SourceKey::from_bytes).ok_or(missing)?)
    }
}

impl KeySource for GivenKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let unsupported = KeyError::new(KeyErrorKind::Unsupported, "vectors are only read");
        Box::pin(std::future::ready(Err(unsupported.into())))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        _: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(std::future::ready(self.next()))
    }
}
