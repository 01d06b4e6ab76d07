//! The encryption context: string pairs that a KMS binds to a data key, and every wrap to an
//! object.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

/// The pairs take at most this many bytes in canonical form.
pub const MAX_ENCRYPTION_CONTEXT_LEN: usize = 8_192;

/// A map of string pairs, in AWS KMS's sense: exact, case-sensitive, without order.
///
/// Its canonical form is empty for an empty map, else a u16 count and, sorted by the bytes of the
/// key, each key and value with a u16 length before it (big-endian). No two maps share one form.
///
/// ```
/// use object_cipher_core::EncryptionContext;
///
/// let mut context = EncryptionContext::new();
/// context.insert("department", "finance")?;
/// assert_eq!(context.get("department"), Some("finance"));
/// assert!(context.insert("aws:s3:arn", "mine").is_err());
/// # Ok::<(), object_cipher_core::EncryptionContextError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct EncryptionContext {
    pairs: BTreeMap<String, String>,
    canonical_len: usize,
}

/// Why a pair was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptionContextError {
    /// The key is there already.
    #[error("a key occurs twice")]
    DuplicateKey,
    /// A key is empty.
    #[error("a key is empty")]
    EmptyKey,
    /// A key or value has a NUL character.
    #[error("a key or value contains a NUL character")]
    Nul,
    /// Keys that begin with `aws:` are the server's to set.
    #[error("keys that begin with `aws:` are reserved")]
    Reserved,
    /// The pairs take more than 8 KiB.
    #[error("the pairs take more than 8,192 bytes")]
    TooLong,
}

impl EncryptionContext {
    /// An empty context.
    pub const fn new() -> Self {
        Self { pairs: BTreeMap::new(), canonical_len: 0 }
    }

    /// Adds a caller's pair.
    ///
    /// # Errors
    /// When the key is empty, reserved (`aws:`) or there already, when either has a NUL character,
    /// or when the whole would exceed 8 KiB. The context is then unchanged.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), EncryptionContextError> {
        let key = key.into();
        if key.starts_with("aws:") {
            return Err(EncryptionContextError::Reserved);
        }
        self.insert_pair(key, value.into())
    }

    /// Adds a pair that the server sets, such as `aws:s3:arn`. Never pass a caller's key here.
    ///
    /// # Errors
    /// As [`EncryptionContext::insert`], but for reserved keys.
    pub fn insert_reserved(
        &mut self,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), EncryptionContextError> {
        self.insert_pair(key.into(), value.into())
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs.get(key).map(String::as_str)
    }

    /// The pairs, sorted by the bytes of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The canonical form: empty for an empty map.
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.canonical_len);
        if self.is_empty() {
            return out;
        }
        // The bound on the whole keeps every count and length below 2^16.
        let number = |out: &mut Vec<u8>, n: usize| {
            out.extend_from_slice(&u16::try_from(n).unwrap_or(u16::MAX).to_be_bytes());
        };
        number(&mut out, self.pairs.len());
        for text in self.pairs.iter().flat_map(|(key, value)| [key, value]) {
            number(&mut out, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    fn insert_pair(&mut self, key: String, value: String) -> Result<(), EncryptionContextError> {
        if key.is_empty() {
            return Err(EncryptionContextError::EmptyKey);
        }
        if key.contains('\0') || value.contains('\0') {
            return Err(EncryptionContextError::Nul);
        }
        if self.pairs.contains_key(&key) {
            return Err(EncryptionContextError::DuplicateKey);
        }
        let before = self.canonical_len.max(2);
        let length = [4, key.len(), value.len()]
            .iter()
            .try_fold(before, |sum: usize, n| sum.checked_add(*n))
            .filter(|length| *length <= MAX_ENCRYPTION_CONTEXT_LEN)
            .ok_or(EncryptionContextError::TooLong)?;
        self.canonical_len = length;
        self.pairs.insert(key, value);
        Ok(())
    }
}
