//! RSA decryption with OAEP over `EVP_PKEY`.

use std::{
    ffi::c_int,
    fmt,
    ptr::{self, NonNull},
};

use aws_lc_sys::{
    CBS, EVP_PKEY, EVP_PKEY_CTX, EVP_PKEY_CTX_free, EVP_PKEY_CTX_new, EVP_PKEY_CTX_set_rsa_mgf1_md,
    EVP_PKEY_CTX_set_rsa_oaep_md, EVP_PKEY_CTX_set_rsa_padding, EVP_PKEY_RSA, EVP_PKEY_bits,
    EVP_PKEY_decrypt, EVP_PKEY_decrypt_init, EVP_PKEY_free, EVP_PKEY_id, EVP_PKEY_size,
    EVP_parse_private_key, EVP_sha1, EVP_sha256, RSA_PKCS1_OAEP_PADDING,
};
use object_cipher_core::BackendError;
use zeroize::Zeroizing;

/// Bits of the moduli that are taken.
const BITS: std::ops::RangeInclusive<c_int> = 2_048..=8_192;

/// A private RSA key that decrypts with OAEP by SHA-256, its mask (MGF1) by SHA-1 and an empty label:
/// what Java calls `RSA/ECB/OAEPWithSHA-256AndMGF1Padding`, and `aws-lc-rs` does not offer. With the
/// feature `sys` only.
///
/// # Security
/// SHA-1 as the mask is not known to weaken OAEP, but serves to read what is there, not to make more.
/// The library blinds the private operation and checks the padding in constant time. The key is wiped
/// on drop.
///
/// ```
/// use object_cipher_aws_lc::OaepSha256Mgf1Sha1Key;
/// use object_cipher_core::BackendError;
///
/// let refused = OaepSha256Mgf1Sha1Key::from_pkcs8(b"not a key");
/// assert_eq!(refused.err(), Some(BackendError::Refused));
/// ```
pub struct OaepSha256Mgf1Sha1Key(NonNull<EVP_PKEY>);

/// Owns the library's context of one decryption.
struct Decryption(NonNull<EVP_PKEY_CTX>);

impl OaepSha256Mgf1Sha1Key {
    /// Reads a private key in PKCS#8's DER.
    ///
    /// # Errors
    /// [`BackendError::Refused`] unless that is what `der` is, with nothing behind it, and its modulus
    /// has 2,048 to 8,192 bits.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, BackendError> {
        let mut rest = CBS { data: der.as_ptr(), len: der.len() };
        // SAFETY: `rest` is a live view of `der`, which outlives the call; the library moves the view on
        // and copies what it keeps. What it gives is owned here, or null.
        let key = unsafe { EVP_parse_private_key(&raw mut rest) };
        let key = Self(NonNull::new(key).ok_or(BackendError::Refused)?);
        // SAFETY: the key is live, and is only read.
        let kind = unsafe { EVP_PKEY_id(key.0.as_ptr()) };
        // SAFETY: as before.
        let bits = unsafe { EVP_PKEY_bits(key.0.as_ptr()) };
        if rest.len == 0 && kind == EVP_PKEY_RSA && BITS.contains(&bits) {
            Ok(key)
        } else {
            Err(BackendError::Refused)
        }
    }

    /// Decrypts what was encrypted to this key.
    ///
    /// # Errors
    /// [`BackendError::Rejected`], and nothing more, whatever is wrong with the ciphertext;
    /// [`BackendError::Unavailable`] when the library has no memory.
    pub fn decrypt(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, BackendError> {
        let mut decryption = Decryption::new(self)?;
        let mut plaintext = Zeroizing::new(vec![0; self.modulus_len()?]);
        let len = decryption.run(ciphertext, &mut plaintext)?;
        plaintext.truncate(len);
        Ok(plaintext)
    }

    /// Bytes of the modulus, and the most that a decryption can write.
    fn modulus_len(&self) -> Result<usize, BackendError> {
        // SAFETY: the key is live, and is only read.
        let len = unsafe { EVP_PKEY_size(self.0.as_ptr()) };
        usize::try_from(len).map_err(|_| BackendError::Unavailable)
    }
}

impl Decryption {
    fn new(key: &OaepSha256Mgf1Sha1Key) -> Result<Self, BackendError> {
        // SAFETY: the key is live; the context counts its own reference to it, atomically. No engine is
        // null. What is given is owned here, or null.
        let context = unsafe { EVP_PKEY_CTX_new(key.0.as_ptr(), ptr::null_mut()) };
        let context = Self(NonNull::new(context).ok_or(BackendError::Unavailable)?);
        let raw = context.0.as_ptr();
        // SAFETY: the context is live and ours alone.
        succeeded(unsafe { EVP_PKEY_decrypt_init(raw) })?;
        // SAFETY: as before, and it is set up to decrypt by RSA.
        succeeded(unsafe { EVP_PKEY_CTX_set_rsa_padding(raw, RSA_PKCS1_OAEP_PADDING) })?;
        // SAFETY: takes nothing; gives a table that lives as long as the program.
        let sha256 = unsafe { EVP_sha256() };
        // SAFETY: as before, and the padding is OAEP.
        succeeded(unsafe { EVP_PKEY_CTX_set_rsa_oaep_md(raw, sha256) })?;
        // SAFETY: takes nothing; gives a table that lives as long as the program.
        let sha1 = unsafe { EVP_sha1() };
        // SAFETY: as before, and the padding is OAEP.
        succeeded(unsafe { EVP_PKEY_CTX_set_rsa_mgf1_md(raw, sha1) })?;
        Ok(context)
    }

    /// Writes the plaintext to the beginning of `out` and gives its length.
    fn run(&mut self, ciphertext: &[u8], out: &mut [u8]) -> Result<usize, BackendError> {
        let mut len = out.len();
        // SAFETY: the context is live and ours alone, and set up to decrypt. `ciphertext` is readable for
        // its length. `out`, which does not overlap it, is writable for `len` bytes, and the library
        // fails if those are fewer than the modulus has.
        let done = unsafe {
            EVP_PKEY_decrypt(
                self.0.as_ptr(),
                out.as_mut_ptr(),
                &raw mut len,
                ciphertext.as_ptr(),
                ciphertext.len(),
            )
        };
        succeeded(done).map_err(|_| BackendError::Rejected)?;
        Ok(len)
    }
}

impl Drop for OaepSha256Mgf1Sha1Key {
    fn drop(&mut self) {
        // SAFETY: this reference to the key is live and not used again. The library wipes what it frees.
        unsafe { EVP_PKEY_free(self.0.as_ptr()) }
    }
}

impl Drop for Decryption {
    fn drop(&mut self) {
        // SAFETY: the context is live, ours alone, and not used again. The library wipes what it frees.
        unsafe { EVP_PKEY_CTX_free(self.0.as_ptr()) }
    }
}

// SAFETY: no thread is tied to the key, and the last reference to it may be given back on any.
unsafe impl Send for OaepSha256Mgf1Sha1Key {}

// SAFETY: a key that is set up is not changed by decrypting, but for its count of references, which is
// atomic, and its cache of blinding factors, which the library locks.
unsafe impl Sync for OaepSha256Mgf1Sha1Key {}

impl fmt::Debug for OaepSha256Mgf1Sha1Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OaepSha256Mgf1Sha1Key").finish_non_exhaustive()
    }
}

/// The library's word for success is 1.
fn succeeded(done: c_int) -> Result<(), BackendError> {
    if done == 1 { Ok(()) } else { Err(BackendError::Unavailable) }
}
