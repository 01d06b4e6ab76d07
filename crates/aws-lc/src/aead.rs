//! AES-256-GCM over `aws_lc_rs::aead`.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use object_cipher_core::{Aes256Gcm, BackendError};
use zeroize::Zeroize;

/// AES-256-GCM of [`AwsLc`](crate::AwsLc), made by
/// [`CryptoBackend::aead`](object_cipher_core::CryptoBackend::aead).
///
/// Its key schedule is wiped on drop, and a failed open zeroes the buffer.
///
/// ```
/// use object_cipher_aws_lc::AwsLc;
/// use object_cipher_core::{Aes256Gcm, CryptoBackend};
///
/// # fn main() -> Result<(), object_cipher_core::BackendError> {
/// let aead = AwsLc.aead(&[7; 32])?;
/// let (mut buf, mut tag) = (*b"hello", [0; 16]);
/// aead.seal(&[1; 12], b"header", &mut buf, &mut tag)?;
/// aead.open(&[1; 12], b"header", &mut buf, &tag)?;
/// assert_eq!(&buf, b"hello");
/// # Ok(())
/// # }
/// ```
pub struct Aead(LessSafeKey);

impl Aead {
    pub(crate) fn new(key: &[u8; 32]) -> Result<Self, BackendError> {
        UnboundKey::new(&AES_256_GCM, key)
            .map(|key| Self(LessSafeKey::new(key)))
            .map_err(|_| BackendError::Unavailable)
    }
}

impl Aes256Gcm for Aead {
    fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError> {
        let sealed = self
            .0
            .seal_in_place_separate_tag(Nonce::from(nonce), Aad::from(aad), buf)
            .map_err(|_| BackendError::Refused)?;
        tag.copy_from_slice(sealed.as_ref());
        Ok(())
    }

    fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError> {
        let opened =
            self.0.open_in_place_separate_tag(Nonce::from(nonce), Aad::from(aad), tag, buf).is_ok();
        if !opened {
            // The library promises nothing about the buffer of a failed open.
            buf.zeroize();
            return Err(BackendError::Rejected);
        }
        Ok(())
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aead").finish_non_exhaustive()
    }
}
