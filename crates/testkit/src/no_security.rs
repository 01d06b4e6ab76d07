//! A backend that protects nothing.

use object_cipher_core::{Aes256Gcm, BackendError, CryptoBackend, HkdfExpander, Lineage};

/// A [`CryptoBackend`] without any security: the ciphertext is the plaintext, every tag is good, every
/// hash and derived key is zero, and so is what it draws.
///
/// Whatever bytes a fuzzer makes up get through authentication (a message's commitment is 32 zero
/// bytes), and reach the code behind it. Never use it for anything else. `NoSecurity<true>` is the same
/// for the outer of two layers, which must be of another lineage.
#[derive(Clone, Copy, Debug)]
pub struct NoSecurity<const OUTER: bool = false>;

impl<const OUTER: bool> CryptoBackend for NoSecurity<OUTER> {
    type Aead = Self;
    type Expander = Self;

    const LINEAGE: Lineage =
        Lineage::new(if OUTER { "no security outside" } else { "no security" });

    fn aead(&self, _: &[u8; 32]) -> Result<Self, BackendError> {
        Ok(Self)
    }

    fn hmac_sha512(&self, _: &[u8], _: &[&[u8]], mac: &mut [u8; 64]) -> Result<(), BackendError> {
        mac.fill(0);
        Ok(())
    }

    fn expander(&self, _: &[u8]) -> Result<Self, BackendError> {
        Ok(Self)
    }

    fn sha256(&self, _: &[&[u8]]) -> [u8; 32] {
        [0; 32]
    }

    fn sha512(&self, _: &[&[u8]]) -> [u8; 64] {
        [0; 64]
    }

    fn random(&self, out: &mut [u8]) -> Result<(), BackendError> {
        out.fill(0);
        Ok(())
    }
}

impl<const OUTER: bool> Aes256Gcm for NoSecurity<OUTER> {
    fn seal(
        &self,
        _: &[u8; 12],
        _: &[u8],
        _: &mut [u8],
        tag: &mut [u8; 16],
    ) -> Result<(), BackendError> {
        tag.fill(0);
        Ok(())
    }

    fn open(&self, _: &[u8; 12], _: &[u8], _: &mut [u8], _: &[u8; 16]) -> Result<(), BackendError> {
        Ok(())
    }
}

impl<const OUTER: bool> HkdfExpander for NoSecurity<OUTER> {
    fn block(&self, _: &[u8], block: &mut [u8; 64]) -> Result<(), BackendError> {
        block.fill(0);
        Ok(())
    }
}
