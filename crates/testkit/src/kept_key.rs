//! One master key that is kept loaded.

use std::{future::ready, sync::Arc};

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, KeyringId,
    MasterKeyRef, ObjectContext, Result, SourceKey,
};

/// A [`KeySource`] of one master key version that stays loaded, as a server keeps it: its wrapping
/// key is derived once.
#[derive(Debug)]
pub struct KeptKey {
    key: Arc<SourceKey>,
    key_ref: KeyRef,
}

impl KeptKey {
    /// Version 1 of the keyring `main`, with these bytes and this check value, which is not checked.
    pub fn new(bytes: &[u8; 32], check: [u8; 8]) -> Self {
        let Some(keyring) = KeyringId::parse("main") else { unreachable!("a keyring's name") };
        let key_ref = KeyRef::Master(MasterKeyRef::new(keyring, 1, check));
        Self { key: SourceKey::from_bytes(bytes), key_ref }
    }
}

impl KeySource for KeptKey {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let (key, key_ref) = (Arc::clone(&self.key), self.key_ref.clone());
        Box::pin(ready(Ok(FreshKey { key, key_ref, blob: KeyBlob::empty() })))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(ready(if *key_ref == self.key_ref {
            Ok(Arc::clone(&self.key))
        } else {
            Err(KeyError::new(KeyErrorKind::NotFound, "no such key").into())
        }))
    }
}
