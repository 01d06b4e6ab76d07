//! A customer's key, as the three headers of SSE-C send it: [`CustomerKey`].

use std::{fmt, sync::Arc};

use base64ct::{Base64, Encoding as _};
use http::HeaderValue;
use md5::{Digest as _, Md5};
use object_cipher_core::SourceKey;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use crate::{Error, Result};

/// The only algorithm of SSE-C.
pub const CUSTOMER_ALGORITHM: &str = "AES256";

/// A customer's 256-bit key with its MD5: wiped on drop, redacted in `Debug`, without `Clone`.
///
/// ```
/// use object_cipher_s3::CustomerKey;
///
/// let key = CustomerKey::parse(
///     b"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
///     b"vqt++nM3p37m8uOC86j4pQ==",
/// );
/// assert_eq!(
///     key.unwrap_err().to_string(),
///     "The calculated MD5 hash of the key did not match the hash that was provided."
/// );
/// ```
pub struct CustomerKey {
    key: Arc<SourceKey>,
    md5: KeyMd5,
}

/// The MD5 of a customer's key, which answers repeat to the client.
///
/// Never store it: it tells whether two objects are under one key. It lives in requests and answers
/// only, and `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct KeyMd5([u8; 16]);

impl CustomerKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// The key in these bytes. The caller wipes its own copy.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        Self { key: SourceKey::from_bytes(bytes), md5: KeyMd5::of(bytes) }
    }

    /// The key in the values of the headers: base64 of the key, and base64 of the MD5 of the key.
    ///
    /// Time depends on the lengths of the values and on the verdict only.
    ///
    /// # Errors
    /// [`Error::CustomerKeyInvalid`] unless the key is base64 (RFC 4648 section 4, padded) of 32
    /// bytes, and the MD5 of 16; [`Error::CustomerKeyMd5Mismatch`] for the MD5 of another key.
    pub fn parse(key: &[u8], md5: &[u8]) -> Result<Self> {
        let key = SourceKey::try_fill(|bytes| decode(key, bytes))?;
        let mut claimed = [0; 16];
        decode(md5, &mut claimed)?;
        let md5 = KeyMd5::of(key.expose_bytes());
        if bool::from(md5.0.ct_eq(&claimed)) {
            Ok(Self { key, md5 })
        } else {
            Err(Error::CustomerKeyMd5Mismatch)
        }
    }

    /// The key, to wrap data keys under.
    pub fn source_key(&self) -> &Arc<SourceKey> {
        &self.key
    }

    /// The MD5 of the key, for the answer.
    pub fn md5(&self) -> KeyMd5 {
        self.md5
    }

    /// Whether both are the same key, in constant time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key.is_same(&other.key)
    }
}

impl KeyMd5 {
    /// Base64 of the 16 bytes, marked as sensitive.
    pub fn header_value(&self) -> HeaderValue {
        let mut text = [0; 24];
        // 16 bytes are 24 characters of base64, all of which a header may hold.
        let text = Base64::encode(&self.0, &mut text).unwrap_or_default();
        let mut value =
            HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
        value.set_sensitive(true);
        value
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    fn of(key: &[u8; CustomerKey::LEN]) -> Self {
        Self(Md5::digest(key).into())
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey([redacted])")
    }
}

impl fmt::Debug for KeyMd5 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyMd5([redacted])")
    }
}

/// Decodes base64 that must be of just as many bytes as `out` has, in constant time.
fn decode(text: &[u8], out: &mut [u8]) -> Result<()> {
    let wanted = out.len().div_ceil(3) * 4;
    if text.len() != wanted {
        return Err(Error::CustomerKeyInvalid);
    }
    let length = Base64::decode(text, out).map(<[u8]>::len);
    if length == Ok(out.len()) {
        Ok(())
    } else {
        out.zeroize();
        Err(Error::CustomerKeyInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_canonical_base64_of_32_bytes_and_its_md5_is_a_key() {
        let bytes: [u8; 32] = core::array::from_fn(|i| u8::try_from(i * 7).unwrap_or(0));
        let key = Base64::encode_string(&bytes);
        let md5 = Base64::encode_string(&Md5::digest(bytes));
        let parsed = CustomerKey::parse(key.as_bytes(), md5.as_bytes());
        assert!(parsed.is_ok_and(|parsed| parsed.is_same(&CustomerKey::from_bytes(&bytes))));

        let invalid =
            |key: &str, md5: &str| CustomerKey::parse(key.as_bytes(), md5.as_bytes()).err();
        for length in (0..=64).filter(|length| *length != 32) {
            let other = Base64::encode_string(&vec![1; length]);
            assert_eq!(invalid(&other, &md5), Some(Error::CustomerKeyInvalid), "{length} bytes");
        }
        let forms = [
            format!(" {key}"),
            format!("{key}\n"),
            key.trim_end_matches('=').to_owned(),
            key.replace(['+', '/'], "-"),
            format!("\"{key}\""),
            key.replace('A', "\u{0}"),
        ];
        for form in forms.iter().filter(|form| **form != key) {
            assert_eq!(invalid(form, &md5), Some(Error::CustomerKeyInvalid), "{form}");
        }
        assert_eq!(invalid(&key, ""), Some(Error::CustomerKeyInvalid));
        let other = Base64::encode_string(&[0; 16]);
        assert_eq!(invalid(&key, &other), Some(Error::CustomerKeyMd5Mismatch));
    }

    #[test]
    fn z3_a_key_and_its_md5_do_not_show() {
        let key = CustomerKey::from_bytes(&[0x41; 32]);
        assert_eq!(
            format!("{key:?} {:?}", key.md5()),
            "CustomerKey([redacted]) KeyMd5([redacted])"
        );
        assert!(!format!("{:?}", key.md5().header_value()).contains('='));
    }
}
