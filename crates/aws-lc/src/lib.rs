#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "sys"), forbid(unsafe_code))]

mod aead;
mod mac;
#[cfg(feature = "sys")]
#[allow(unsafe_code, reason = "calls into C, nowhere else in the workspace's crates")]
mod sys;

use aws_lc_rs::{
    digest::{self, Digest},
    rand,
};
use object_cipher_core::{BackendError, CryptoBackend, Lineage};

pub use aead::Aead;
pub use mac::Expander;
#[cfg(feature = "sys")]
pub use sys::OaepSha256Mgf1Sha1Key;

/// AWS-LC as a [`CryptoBackend`]. Has no state; every value is the same backend.
///
/// ```
/// use object_cipher_aws_lc::AwsLc;
/// use object_cipher_core::CryptoBackend;
///
/// let digest = AwsLc.sha256(&[b"a", b"bc"]);
/// assert_eq!(digest, AwsLc.sha256(&[b"abc"]));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AwsLc;

impl CryptoBackend for AwsLc {
    type Aead = Aead;
    type Expander = Expander;

    const LINEAGE: Lineage = Lineage::new("boringssl");

    fn aead(&self, key: &[u8; 32]) -> Result<Aead, BackendError> {
        Aead::new(key)
    }

    fn hmac_sha512(
        &self,
        key: &[u8],
        data: &[&[u8]],
        mac: &mut [u8; 64],
    ) -> Result<(), BackendError> {
        mac::hmac_sha512(key, data, mac);
        Ok(())
    }

    fn expander(&self, prk: &[u8]) -> Result<Expander, BackendError> {
        Expander::new(prk)
    }

    fn sha256(&self, data: &[&[u8]]) -> [u8; 32] {
        copied(&hash(&digest::SHA256, data))
    }

    fn sha512(&self, data: &[&[u8]]) -> [u8; 64] {
        copied(&hash(&digest::SHA512, data))
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        rand::fill(out).map_err(|_| BackendError::Unavailable)
    }

    // The library's own HKDF keeps the pseudorandom key to itself.
    fn hkdf_sha512(
        &self,
        salt: &[u8],
        ikm: &[u8],
        info: &[&[u8]],
        okm: &mut [u8],
    ) -> Result<(), BackendError> {
        mac::hkdf_sha512(salt, ikm, info, okm)
    }
}

fn hash(algorithm: &'static digest::Algorithm, data: &[&[u8]]) -> Digest {
    let mut hash = digest::Context::new(algorithm);
    for piece in data {
        hash.update(piece);
    }
    hash.finish()
}

/// The digest as an array of the algorithm's length.
fn copied<const N: usize>(digest: &Digest) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(digest.as_ref());
    bytes
}
