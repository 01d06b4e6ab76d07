//! A backend whose randomness follows from a seed, for known answers.

use std::sync::{Arc, Mutex, PoisonError};

use object_cipher_core::{BackendError, CryptoBackend, Lineage};

/// A backend over another whose draws follow from a seed and are remembered. Two with one seed give
/// the same objects, so never use it but to make test vectors.
#[derive(Clone, Debug)]
pub struct Seeded<B> {
    backend: B,
    seed: String,
    draws: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl<B: CryptoBackend> Seeded<B> {
    /// Draw number n is SHA-512(seed ‖ n as u32 ‖ block as u32), block after block.
    pub fn new(backend: B, seed: &str) -> Self {
        Self { backend, seed: seed.into(), draws: Arc::default() }
    }

    /// All draws so far, in order. An object's first begins with its data key.
    pub fn draws(&self) -> Vec<Vec<u8>> {
        self.draws.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<B: CryptoBackend> CryptoBackend for Seeded<B> {
    type Aead = B::Aead;
    type Expander = B::Expander;

    const LINEAGE: Lineage = B::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        self.backend.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        self.backend.hmac_sha512(key, data, mac)
    }

    fn expander(&self, prk: &[u8]) -> Result<Self::Expander, BackendError> {
        self.backend.expander(prk)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        self.backend.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        self.backend.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        let mut draws = self.draws.lock().unwrap_or_else(PoisonError::into_inner);
        let number = u32::try_from(draws.len()).map_err(|_| BackendError::Unavailable)?;
        for (block, out) in (0_u32..).zip(out.chunks_mut(64)) {
            let pieces = [self.seed.as_bytes(), &number.to_be_bytes(), &block.to_be_bytes()];
            out.copy_from_slice(&self.backend.sha512(&pieces)[..out.len()]);
        }
        draws.push(out.to_vec());
        Ok(())
    }
}
