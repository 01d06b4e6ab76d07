//! [`Told`]: a backend whose keys are told to the allocator.

use object_cipher_core::{BackendError, CryptoBackend, Lineage};

use crate::FreedMemory;

/// What is derived for a message: its key, and then base and commitment, which is stored in clear.
const MESSAGE_OKM: usize = 76;

/// A backend over another that tells an allocator every key it works with: AES keys, which are also
/// the first round keys, and what goes into and comes out of HKDF-Expand.
#[derive(Clone)]
pub struct Told<B> {
    backend: B,
    memory: &'static FreedMemory,
}

impl<B: CryptoBackend> Told<B> {
    /// Tells `memory`.
    pub fn new(backend: B, memory: &'static FreedMemory) -> Self {
        Self { backend, memory }
    }
}

impl<B: CryptoBackend> CryptoBackend for Told<B> {
    type Aead = B::Aead;

    const LINEAGE: Lineage = B::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        self.memory.tell(key);
        self.backend.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        // What it gives may be public, as the MAC of a file is; if it is a key, it comes back.
        self.backend.hmac_sha512(key, data, mac)
    }

    fn hkdf_expand_sha512(
        &self,
        prk: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        self.memory.tell(prk);
        self.backend.hkdf_expand_sha512(prk, info, okm)?;
        let secret = if okm.len() == MESSAGE_OKM { &okm[..32] } else { okm };
        secret.chunks(32).for_each(|key| self.memory.tell(key));
        Ok(())
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        self.backend.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        self.backend.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        self.backend.random(out)
    }
}
