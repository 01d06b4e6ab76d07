//! AES-256-GCM over `aes-gcm`.

use core::fmt;

use aes_gcm::aead::{AeadInOut, KeyInit};
use object_cipher_core::{Aes256Gcm, BackendError};
use zeroize::Zeroize;

/// AES-256-GCM of [`RustCrypto`](crate::RustCrypto), made by
/// [`CryptoBackend::aead`](object_cipher_core::CryptoBackend::aead).
///
/// Its key schedule is wiped on drop, and a failed open zeroes the buffer.
///
/// ```
/// use object_cipher_core::{Aes256Gcm, CryptoBackend};
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), object_cipher_core::BackendError> {
/// let aead = RustCrypto.aead(&[7; 32])?;
/// let (mut buf, mut tag) = (*b"hello", [0; 16]);
/// aead.seal(&[1; 12], b"header", &mut buf, &mut tag)?;
/// aead.open(&[1; 12], b"header", &mut buf, &tag)?;
/// assert_eq!(&buf, b"hello");
/// # Ok(())
/// # }
/// ```
pub struct Aead(aes_gcm::Aes256Gcm);

impl Aead {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::Aes256Gcm::new(key.into()))
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
        *tag = self
            .0
            .encrypt_inout_detached(nonce.into(), aad, buf.into())
            .map_err(|_| BackendError::Refused)?
            .into();
        Ok(())
    }

    fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buf: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), BackendError> {
        self.0.decrypt_inout_detached(nonce.into(), aad, (&mut *buf).into(), tag.into()).map_err(
            |_| {
                buf.zeroize();
                BackendError::Rejected
            },
        )
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aead").finish_non_exhaustive()
    }
}
