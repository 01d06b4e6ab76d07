//! Keys that stand in for a KMS, a customer, a client or a keyring.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use object_cipher_core::{
    BoxFuture, EkSource, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, KeyringId,
    MasterKeyRef, ObjectContext, Result, SourceKey,
};
use zeroize::Zeroizing;

/// A [`KeySource`] of any kind whose keys follow from 32 bytes. As a KMS it gives another data key
/// each time, and refuses a blob that it did not make.
#[derive(Debug)]
pub struct TestKeys {
    source: EkSource,
    root: Zeroizing<[u8; 32]>,
    name: String,
    issued: AtomicU64,
}

impl TestKeys {
    /// Keys of a kind, all following from `root`.
    pub fn new(source: EkSource, root: [u8; 32]) -> Self {
        Self {
            source,
            root: Zeroizing::new(root),
            name: "test-key".into(),
            issued: AtomicU64::new(0),
        }
    }

    /// The same with another key name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    fn issue(&self, number: u64) -> Result<FreshKey> {
        let number = if self.is_kms() { number } else { 0 };
        Ok(FreshKey { key: self.key(number), key_ref: self.key_ref()?, blob: self.blob(number)? })
    }

    fn is_kms(&self) -> bool {
        matches!(self.source, EkSource::Kms | EkSource::BucketKey)
    }

    fn key_ref(&self) -> Result<KeyRef> {
        Ok(match self.source {
            EkSource::Master => {
                let keyring = KeyringId::parse(&self.name)
                    .ok_or(KeyError::new(KeyErrorKind::Invalid, "not a keyring id"))?;
                KeyRef::Master(MasterKeyRef::new(keyring, 1, [self.root[0]; 8]))
            }
            EkSource::Kms => KeyRef::Kms(self.name.clone()),
            EkSource::BucketKey => KeyRef::BucketKey(self.name.clone()),
            EkSource::Customer => KeyRef::Customer,
            _ => KeyRef::Client(self.name.clone()),
        })
    }

    fn blob(&self, number: u64) -> Result<KeyBlob> {
        match self.source {
            _ if self.is_kms() => {
                let check = self.root.iter().fold(number, |check, byte| {
                    check.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from(*byte)
                });
                let wrapped = [number.to_be_bytes(), check.to_be_bytes()].concat();
                KeyBlob::kms("v1", &wrapped)
            }
            EkSource::Client => KeyBlob::client(b"client blob".to_vec()),
            _ => Ok(KeyBlob::empty()),
        }
    }

    fn key(&self, number: u64) -> Arc<SourceKey> {
        let mut bytes = self.root.clone();
        for (byte, counter) in bytes.iter_mut().zip(number.to_be_bytes()) {
            *byte ^= counter;
        }
        SourceKey::from_bytes(&bytes)
    }
}

impl KeySource for TestKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(self.issue(number)))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        let recover = || {
            if *key_ref != self.key_ref()? {
                return Err(KeyError::new(KeyErrorKind::NotFound, "no such test key").into());
            }
            let number = match blob.kms_parts() {
                Some((_, wrapped)) if self.is_kms() => wrapped
                    .first_chunk()
                    .map(|number| u64::from_be_bytes(*number))
                    .unwrap_or_default(),
                _ => 0,
            };
            if *blob != self.blob(number)? {
                return Err(KeyError::new(KeyErrorKind::Integrity, "not my blob").into());
            }
            Ok(self.key(number))
        };
        Box::pin(std::future::ready(recover()))
    }
}
