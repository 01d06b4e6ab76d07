//! HMAC-SHA-512 and HKDF over `aws_lc_rs::hmac` and `aws_lc_rs::hkdf`.

use std::fmt;

use aws_lc_rs::{
    hkdf::{HKDF_SHA512, KeyType, Salt},
    hmac::{Context, HMAC_SHA512, Key, sign_to_buffer},
};
use object_cipher_core::{BackendError, HkdfExpander};

/// Bytes of a SHA-512 hash, and the longest pseudorandom key.
const HASH_LEN: usize = 64;

/// HKDF-Expand of [`AwsLc`](crate::AwsLc), made by
/// [`CryptoBackend::expander`](object_cipher_core::CryptoBackend::expander).
///
/// Over the library's HMAC, as its own HKDF-Expand sets the key up anew for every use. Its hash states
/// are wiped on drop.
pub struct Expander(Key);

/// How many bytes HKDF shall give.
struct OkmLen(usize);

pub(crate) fn hmac_sha512(key: &[u8], data: &[&[u8]], mac: &mut [u8; HASH_LEN]) {
    let mut context = Context::with_key(&Key::new(HMAC_SHA512, key));
    for piece in data {
        context.update(piece);
    }
    mac.copy_from_slice(context.sign().as_ref());
}

pub(crate) fn hkdf_sha512(
    salt: &[u8],
    ikm: &[u8],
    info: &[&[u8]],
    okm: &mut [u8],
) -> Result<(), BackendError> {
    let prk = Salt::new(HKDF_SHA512, salt).extract(ikm);
    prk.expand(info, OkmLen(okm.len()))
        .and_then(|expanded| expanded.fill(okm))
        .map_err(|_| BackendError::Refused)
}

impl Expander {
    pub(crate) fn new(prk: &[u8]) -> Result<Self, BackendError> {
        if prk.len() > HASH_LEN {
            return Err(BackendError::Refused);
        }
        Ok(Self(Key::new(HMAC_SHA512, prk)))
    }
}

impl HkdfExpander for Expander {
    fn block(&self, input: &[u8], block: &mut [u8; HASH_LEN]) -> Result<(), BackendError> {
        sign_to_buffer(&self.0, input, block).map(|_| ()).map_err(|_| BackendError::Unavailable)
    }
}

impl fmt::Debug for Expander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expander").finish_non_exhaustive()
    }
}

impl KeyType for OkmLen {
    fn len(&self) -> usize {
        self.0
    }
}
