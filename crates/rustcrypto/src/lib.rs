#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod aead;
mod mac;
mod message;

use object_cipher_core::{BackendError, CryptoBackend, Lineage};
use sha2::{Digest, Sha256, Sha512, digest::Output};

pub use aead::Aead;
pub use mac::Expander;

/// The RustCrypto crates as a [`CryptoBackend`]. Has no state; every value is the same backend.
///
/// ```
/// use object_cipher_core::CryptoBackend;
/// use object_cipher_rustcrypto::RustCrypto;
///
/// let digest = RustCrypto.sha256(&[b"a", b"bc"]);
/// assert_eq!(digest, RustCrypto.sha256(&[b"abc"]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

impl CryptoBackend for RustCrypto {
    type Aead = Aead;
    type Expander = Expander;

    const LINEAGE: Lineage = Lineage::new("rustcrypto");

    fn aead(&self, key: &[u8; 32]) -> Result<Aead, BackendError> {
        Ok(Aead::new(key))
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        mac::hmac_sha512(key, data, mac)
    }

    fn expander(&self, prk: &[u8]) -> Result<Expander, BackendError> {
        Expander::new(prk)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        hash::<Sha256>(data).into()
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        hash::<Sha512>(data).into()
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        getrandom::fill(out).map_err(|_| BackendError::Unavailable)
    }
}

fn hash<D: Digest>(data: &[&[u8]]) -> Output<D> {
    data.iter().fold(D::new(), D::chain_update).finalize()
}
