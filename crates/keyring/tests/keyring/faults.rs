//! X6: randomness that fails at any call.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use object_cipher_core::{BackendError, CryptoBackend, Lineage};
use object_cipher_keyring::{Error, KeyringFile};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, id};

/// A backend that runs out of entropy after some calls.
#[derive(Clone)]
struct Faulty {
    left: Arc<AtomicUsize>,
}

impl Faulty {
    fn after(calls: usize) -> Self {
        Self { left: Arc::new(AtomicUsize::new(calls)) }
    }
}

impl CryptoBackend for Faulty {
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

#[test]
fn x6_nothing_is_created_without_randomness() {
    // The key, the file's salt, the sealed key's salt.
    for calls in 0..3 {
        let fixture = Fixture::empty();
        let backend = Faulty::after(calls);
        let created = KeyringFile::create(fixture.path(), &id(), &fixture.unlock(), backend);
        assert_error!(created, Error::Crypto(_));
        assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn x6_nothing_is_changed_without_randomness() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.path()).unwrap();
    // The new key, and a salt for each sealed key.
    for calls in 0..3 {
        let file = KeyringFile::open(fixture.path(), &fixture.unlock(), Faulty::after(calls));
        let file = file.unwrap();
        assert_error!(file.rotate(), Error::Crypto(_));
        assert_eq!(fs::read(fixture.path()).unwrap(), before);
        assert_eq!(file.keyring().enabled().version(), 1);
    }
}
