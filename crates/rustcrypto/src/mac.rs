//! HMAC-SHA-512, for itself and under the key of HKDF-Expand.
//!
//! The crate `hkdf` takes no pseudorandom key shorter than a hash; Cobblestone-256 has one of 32
//! bytes.

use core::fmt;

use hmac::{Hmac, KeyInit, Mac, digest::FixedOutput};
use object_cipher_core::{BackendError, HkdfExpander};
use sha2::Sha512;

type HmacSha512 = Hmac<Sha512>;

/// Bytes of a SHA-512 hash.
const HASH_LEN: usize = 64;

/// HKDF-Expand of [`RustCrypto`](crate::RustCrypto), made by
/// [`CryptoBackend::expander`](object_cipher_core::CryptoBackend::expander).
///
/// Its hash states are wiped on drop.
pub struct Expander(HmacSha512);

pub(crate) fn hmac_sha512(
    key: &[u8],
    data: &[&[u8]],
    mac: &mut [u8; HASH_LEN],
) -> Result<(), BackendError> {
    // A key of any length is taken, so this does not fail.
    let Ok(mut keyed) = HmacSha512::new_from_slice(key) else {
        return Err(BackendError::Unavailable);
    };
    for piece in data {
        keyed.update(piece);
    }
    keyed.finalize_into(mac.into());
    Ok(())
}

impl Expander {
    pub(crate) fn new(prk: &[u8]) -> Result<Self, BackendError> {
        if prk.len() > HASH_LEN {
            return Err(BackendError::Refused);
        }
        HmacSha512::new_from_slice(prk).map(Self).map_err(|_| BackendError::Unavailable)
    }
}

impl HkdfExpander for Expander {
    fn block(&self, input: &[u8], block: &mut [u8; HASH_LEN]) -> Result<(), BackendError> {
        let mut mac = self.0.clone();
        mac.update(input);
        mac.finalize_into(block.into());
        Ok(())
    }
}

impl fmt::Debug for Expander {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expander").finish_non_exhaustive()
    }
}
