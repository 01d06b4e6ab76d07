//! HMAC-SHA-512 and HKDF over `aws_lc_rs::hmac` and `aws_lc_rs::hkdf`.

use aws_lc_rs::{
    hkdf::{HKDF_SHA512, KeyType, Prk, Salt},
    hmac::{Context, HMAC_SHA512, Key},
};
use object_cipher_core::BackendError;

/// Bytes of a SHA-512 hash, and the longest pseudorandom key that the library's HKDF takes.
const HASH_LEN: usize = 64;

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
    fill(&Salt::new(HKDF_SHA512, salt).extract(ikm), info, okm)
}

pub(crate) fn hkdf_expand_sha512(
    prk: &[u8],
    info: &[&[u8]],
    okm: &mut [u8],
) -> Result<(), BackendError> {
    if prk.len() > HASH_LEN {
        return Err(BackendError::Refused);
    }
    fill(&Prk::new_less_safe(HKDF_SHA512, prk), info, okm)
}

impl KeyType for OkmLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// The library's HKDF-Expand, which wipes its blocks.
fn fill(prk: &Prk, info: &[&[u8]], okm: &mut [u8]) -> Result<(), BackendError> {
    prk.expand(info, OkmLen(okm.len()))
        .and_then(|expanded| expanded.fill(okm))
        .map_err(|_| BackendError::Refused)
}
