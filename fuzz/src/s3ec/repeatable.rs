//! A library whose draws repeat, so that an input finds the same again.

use object_cipher_core::{
    BackendError, CryptoBackend, Lineage, MessageBackend, MessageDecryptor, MessageEncryptor,
};
use object_cipher_testkit::Seeded;

/// A library, and the same with draws that follow from a seed.
#[derive(Clone)]
pub(super) struct Repeatable<B>(B, Seeded<B>);

impl<B: MessageBackend> Repeatable<B> {
    pub(super) fn new(backend: B) -> Self {
        Self(backend.clone(), Seeded::new(backend, "fuzzing"))
    }
}

impl<B: MessageBackend> CryptoBackend for Repeatable<B> {
    type Aead = B::Aead;
    type Expander = B::Expander;

    const LINEAGE: Lineage = B::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        self.0.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        self.0.hmac_sha512(key, data, mac)
    }

    fn expander(&self, prk: &[u8]) -> Result<Self::Expander, BackendError> {
        self.0.expander(prk)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        self.0.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        self.0.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        self.1.random(out)
    }
}

impl<B: MessageBackend> MessageBackend for Repeatable<B> {
    fn message_encryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageEncryptor>, BackendError> {
        self.0.message_encryptor(key, nonce, aad)
    }

    fn message_decryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageDecryptor>, BackendError> {
        self.0.message_decryptor(key, nonce, aad)
    }
}
