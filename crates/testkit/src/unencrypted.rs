//! A backend that only tells objects apart.

use std::sync::atomic::{AtomicU64, Ordering};

use object_cipher_core::{BackendError, CryptoBackend, Lineage};

use crate::NoSecurity;

/// [`NoSecurity`], but that draws differ from each other: a store keeps objects under random names. For
/// measuring what encryption costs a store, beside the same store without. Never use it for anything else.
#[derive(Clone, Copy, Debug)]
pub struct Unencrypted;

impl CryptoBackend for Unencrypted {
    type Aead = <NoSecurity as CryptoBackend>::Aead;
    type Expander = <NoSecurity as CryptoBackend>::Expander;

    const LINEAGE: Lineage = NoSecurity::<false>::LINEAGE;

    fn aead(&self, key: &[u8; 32]) -> Result<Self::Aead, BackendError> {
        NoSecurity::<false>.aead(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        NoSecurity::<false>.hmac_sha512(key, data, mac)
    }

    fn expander(&self, key: &[u8]) -> Result<Self::Expander, BackendError> {
        NoSecurity::<false>.expander(key)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        NoSecurity::<false>.sha256(data)
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        NoSecurity::<false>.sha512(data)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        static DRAWS: AtomicU64 = AtomicU64::new(1);
        let draw = DRAWS.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        out.iter_mut().zip(draw.iter().cycle()).for_each(|(out, byte)| *out = *byte);
        Ok(())
    }
}
