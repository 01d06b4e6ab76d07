//! Secret bytes and what makes a key unfit.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::{Zeroize, Zeroizing};

use crate::WeakKey;

/// A key on the heap, wiped on drop. Filled in place, so that no copy is left elsewhere.
pub(crate) struct KeyBytes<const N: usize>(Box<[u8; N]>);

/// A 256-bit key.
pub(crate) type Key32 = KeyBytes<32>;

/// The longest base64 text that is looked at: more than any 32-byte key has.
const MAX_TEXT: usize = 64;

/// Secret bytes of any length, such as a passphrase: never printed, wiped on drop.
///
/// A `String` or `Vec<u8>` is taken over. What is borrowed is copied: the caller's own copy is the
/// caller's to wipe.
///
/// ```
/// use object_cipher_keyring::SecretBytes;
///
/// let typed = String::from("correct horse battery staple");
/// let secret = SecretBytes::from(typed);
/// assert_eq!(format!("{secret:?}"), "SecretBytes([redacted])");
/// ```
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes over the bytes. Copies made while `bytes` grew are the caller's to avoid: give it its
    /// full capacity first.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes.to_vec())
    }
}

impl From<&str> for SecretBytes {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&String> for SecretBytes {
    fn from(text: &String) -> Self {
        text.as_bytes().into()
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

impl<const N: usize> KeyBytes<N> {
    /// All zero, to be filled in place.
    pub(crate) fn zeroed() -> Self {
        Self(Box::new([0; N]))
    }
}

impl<const N: usize> Deref for KeyBytes<N> {
    type Target = [u8; N];

    fn deref(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> DerefMut for KeyBytes<N> {
    fn deref_mut(&mut self) -> &mut [u8; N] {
        &mut self.0
    }
}

impl<const N: usize> Drop for KeyBytes<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Refuses bytes that nobody drew at random. Looks at every byte, whatever they are.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), WeakKey> {
    let Some(first) = bytes.first() else { return Err(WeakKey::Absent) };
    let difference = bytes.iter().fold(0, |all, byte| all | (byte ^ first));
    match (difference, first) {
        (0, 0) => Err(WeakKey::AllZero),
        (0, _) => Err(WeakKey::Repeated),
        _ => Ok(()),
    }
}

/// A key from canonical base64, RFC 4648 section 4 with padding.
pub(crate) fn key_from_base64(text: &[u8]) -> Result<Key32, WeakKey> {
    if text.is_empty() {
        return Err(WeakKey::Absent);
    }
    if text.len() > MAX_TEXT {
        return Err(WeakKey::Long { most: 32 });
    }
    let mut decoded = Zeroizing::new([0; MAX_TEXT]);
    let length =
        STANDARD.decode_slice(text, decoded.as_mut_slice()).map_err(|_| WeakKey::Encoding)?;
    key_from_raw(&decoded[..length])
}

/// A key from the contents of a file: 32 raw bytes, or base64 with at most one line end.
pub(crate) fn key_from_file(contents: &[u8]) -> Result<Key32, WeakKey> {
    if contents.len() == 32 {
        // Raw bytes that are all printable are text that somebody took for a key.
        let is_text = contents.iter().all(|byte| (b' '..=b'~').contains(byte));
        check_bytes(contents)?;
        return if is_text { Err(WeakKey::Encoding) } else { key_from_raw(contents) };
    }
    let line = contents.strip_suffix(b"\n").unwrap_or(contents);
    key_from_base64(line.strip_suffix(b"\r").unwrap_or(line))
}

/// The contents of a file that [`key_from_file`] reads: base64 and a line end.
pub(crate) fn key_to_line(key: &Key32) -> Zeroizing<String> {
    // All the room it needs from the start: a text that grew would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(MAX_TEXT));
    STANDARD.encode_string(key.as_slice(), &mut line);
    line.push('\n');
    line
}

/// A key from exactly 32 bytes that are not weak.
pub(crate) fn key_from_raw(bytes: &[u8]) -> Result<Key32, WeakKey> {
    match bytes.len() {
        0 => return Err(WeakKey::Absent),
        1..32 => return Err(WeakKey::Short { least: 32 }),
        32 => check_bytes(bytes)?,
        _ => return Err(WeakKey::Long { most: 32 }),
    }
    let mut key = Key32::zeroed();
    key.copy_from_slice(bytes);
    Ok(key)
}
