//! A backend that is watched, and can be made to fail.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use object_cipher_core::{BackendError, CryptoBackend, Lineage};
use object_cipher_rustcrypto::RustCrypto;

/// A backend that counts its MACs, and may run out of entropy after some calls.
#[derive(Clone)]
pub(crate) struct Watched {
    left: Arc<AtomicUsize>,
    macs: Arc<AtomicUsize>,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self::failing_after(usize::MAX)
    }

    pub(crate) fn failing_after(calls: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(calls)), macs: Arc::default() }
    }

    /// How many MACs were computed: at least one for each reading of a keyring file.
    pub(crate) fn macs(&self) -> usize {
        self.macs.load(Ordering::Relaxed)
    }
}

impl CryptoBackend for Watched {
    type Aead = <RustCrypto as CryptoBackend>::Aead;

    const LINEAGE: Lineage = RustCrypto::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        RustCrypto.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        self.macs.fetch_add(1, Ordering::Relaxed);
        RustCrypto.hmac_sha512(key, data, mac)
    }

    fn hkdf_expand_sha512(
        &self,
        prk: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        RustCrypto.hkdf_expand_sha512(prk, info, okm)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        RustCrypto.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        RustCrypto.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| BackendError::Unavailable)?;
        RustCrypto.random(out)
    }
}
