//! What a key management service does for objects: [`Kms`].

use std::sync::Arc;

use object_cipher_core::{
    BoxFuture, EncryptionContext, KeyBlob, KeyError, KeyErrorKind, SourceKey,
};

use crate::{KeyId, KeyInfo, KeyName, KmsCall};

/// A result of a KMS: errors are core's, with kind, whether to try again, and the provider's code.
pub type KmsResult<T> = Result<T, KeyError>;

/// A key management service: what a provider writes, and nothing else.
///
/// It is dyn-compatible and needs no runtime: a provider that has its keys at hand returns ready
/// futures. Administration of keys is a trait of its own, [`KmsAdmin`](crate::KmsAdmin).
///
/// A provider answers for one call as it is. Time-outs, retries, caches, authorisation and audit are
/// put over any provider by [`Stack`](crate::Stack).
pub trait Kms: Send + Sync {
    /// The provider's name, such as `local` or `aws`: for audit and errors.
    fn provider(&self) -> &str;

    /// The provider of a key: another one for some keys where several are one KMS, as in a
    /// [`Router`](crate::Router).
    fn provider_of(&self, _key: &str) -> &str {
        self.provider()
    }

    /// What it can do. Never more than it does.
    fn capabilities(&self) -> Capabilities;

    /// A new data key of 32 bytes, in clear and wrapped under a key.
    ///
    /// # Errors
    /// The KMS's.
    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>>;

    /// The data key that was wrapped, under the same context.
    ///
    /// # Errors
    /// [`KeyErrorKind::Integrity`] when blob or context are not what was wrapped; the KMS's.
    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>>;

    /// Wraps a data key under the current version of its key, with the same context; by the KMS
    /// itself where it can, so that the data key is never seen.
    ///
    /// # Errors
    /// [`KeyErrorKind::Unsupported`] where the KMS has no such call.
    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>>;

    /// What the KMS tells of a key, and above all which one a name means.
    ///
    /// # Errors
    /// [`KeyErrorKind::NotFound`]; the KMS's.
    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>>;

    /// Wraps a data key of the caller's.
    ///
    /// # Errors
    /// The KMS's.
    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>>;
}

/// What a KMS can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Rewraps without showing the data key to anyone.
    pub server_side_rewrap: bool,
    /// Tells the version that wrapped.
    pub tells_version: bool,
    /// Bytes of the longest encryption context in canonical form.
    pub max_context_len: usize,
}

/// Asks for a new data key.
#[derive(Clone, Debug)]
pub struct Generate<'a> {
    /// Under which key.
    pub key: &'a KeyName,
    /// Bound to it.
    pub context: &'a EncryptionContext,
    /// On whose behalf.
    pub call: KmsCall<'a>,
}

/// Asks for a wrapped data key, or to wrap it anew.
#[derive(Clone, Debug)]
pub struct Unwrap<'a> {
    /// What was wrapped.
    pub wrapped: &'a WrappedKey,
    /// What was bound to it.
    pub context: &'a EncryptionContext,
    /// On whose behalf.
    pub call: KmsCall<'a>,
}

/// Asks what a name means.
#[derive(Clone, Debug)]
pub struct Describe<'a> {
    /// The name.
    pub key: &'a KeyName,
    /// On whose behalf.
    pub call: KmsCall<'a>,
}

/// Asks to wrap a data key of the caller's.
#[derive(Clone, Debug)]
pub struct Encrypt<'a> {
    /// Under which key.
    pub key: &'a KeyName,
    /// What to wrap.
    pub data_key: &'a SourceKey,
    /// Bound to it.
    pub context: &'a EncryptionContext,
    /// On whose behalf.
    pub call: KmsCall<'a>,
}

/// A data key, in clear and wrapped.
#[derive(Clone, Debug)]
pub struct DataKey {
    /// In clear.
    pub key: Arc<SourceKey>,
    /// Wrapped.
    pub wrapped: WrappedKey,
}

/// A data key as a KMS wrapped it: the key it is under, that key's version if the KMS tells it, and
/// the KMS's own bytes. Fits an Envelope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrappedKey {
    id: KeyId,
    blob: KeyBlob,
}

/// A data key in clear, and the key that the KMS says it was under.
#[derive(Clone, Debug)]
pub struct Unwrapped {
    /// In clear.
    pub key: Arc<SourceKey>,
    /// Which key it was under.
    pub id: KeyId,
}

/// What came of wrapping a data key anew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Rewrap {
    /// It is under the current version already.
    Unchanged,
    /// The new blob, under the same key.
    Rewrapped(WrappedKey),
}

impl WrappedKey {
    /// A data key that `id` has wrapped; `version` is empty if the KMS tells none.
    ///
    /// # Errors
    /// [`KeyErrorKind::Internal`] for an empty blob, and for one that no Envelope can hold: version
    /// and blob have at most 6,142 bytes.
    pub fn new(id: KeyId, version: &str, blob: &[u8]) -> KmsResult<Self> {
        let fits = !blob.is_empty() && !version.chars().any(char::is_control);
        let kept = KeyBlob::kms(version, blob).ok().filter(|_| fits);
        let blob = kept.ok_or_else(|| {
            let message = "the KMS answered with a wrapped key that is empty or too long";
            KeyError::new(KeyErrorKind::Internal, message)
        })?;
        Ok(Self { id, blob })
    }

    /// One out of an Envelope.
    ///
    /// # Errors
    /// [`KeyErrorKind::Integrity`] when it is none of a KMS.
    pub fn stored(id: &str, blob: &KeyBlob) -> KmsResult<Self> {
        let malformed =
            || KeyError::new(KeyErrorKind::Integrity, "the stored wrapped key is none of a KMS");
        blob.kms_parts().ok_or_else(malformed)?;
        let id = KeyId::new(id).map_err(|_| malformed())?;
        Ok(Self { id, blob: blob.clone() })
    }

    /// The key it is under.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// That key's version, if the KMS told it.
    pub fn version(&self) -> Option<&str> {
        self.blob.kms_parts().map(|(version, _)| version).filter(|version| !version.is_empty())
    }

    /// The KMS's own bytes.
    pub fn ciphertext(&self) -> &[u8] {
        self.blob.kms_parts().map_or(&[], |(_, ciphertext)| ciphertext)
    }

    /// Version and bytes as an Envelope keeps them.
    pub fn blob(&self) -> &KeyBlob {
        &self.blob
    }
}

/// A data key from the bytes that a KMS answered.
///
/// # Errors
/// [`KeyErrorKind::Internal`] when they are not 32, or all the same: no KMS that works draws such a
/// key.
pub fn data_key(bytes: &[u8]) -> KmsResult<Arc<SourceKey>> {
    let bytes: Option<&[u8; 32]> = bytes.try_into().ok();
    bytes.filter(|bytes| is_drawn(bytes)).map(SourceKey::from_bytes).ok_or_else(no_data_key)
}

/// Whether a data key may have been drawn: not all its bytes are the same.
pub(crate) fn is_drawn(key: &[u8; 32]) -> bool {
    key.iter().fold(0, |all, byte| all | (byte ^ key[0])) != 0
}

pub(crate) fn no_data_key() -> KeyError {
    KeyError::new(KeyErrorKind::Internal, "the KMS answered with a data key that is none")
}

pub(crate) fn other_key(answered: &KeyId) -> KeyError {
    let message = format!("the KMS answered for another key: {answered}");
    KeyError::new(KeyErrorKind::WrongKey, message)
}

impl<K: Kms + ?Sized> Kms for Arc<K> {
    fn provider(&self) -> &str {
        (**self).provider()
    }

    fn provider_of(&self, key: &str) -> &str {
        (**self).provider_of(key)
    }

    fn capabilities(&self) -> Capabilities {
        (**self).capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        (**self).generate(rq)
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        (**self).unwrap(rq)
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        (**self).rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        (**self).describe(rq)
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        (**self).encrypt(rq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k1_what_is_no_key_and_no_blob_is_refused() {
        let drawn: [u8; 32] = std::array::from_fn(|at| at.to_le_bytes()[0]);
        assert!(data_key(&drawn).is_ok());
        for bad in [&drawn[..31], &[], &[1; 33], &[0; 32], &[7; 32], &[1; 8_192]] {
            assert_eq!(data_key(bad).unwrap_err().kind(), KeyErrorKind::Internal);
        }
        let id = || KeyId::new("key").unwrap();
        assert!(WrappedKey::new(id(), "v1", &[1; 6_000]).is_ok());
        for (version, blob) in [("", &[][..]), ("", &[1; 6_143]), ("v1", &[1; 6_142]), ("\n", &[1])]
        {
            let error = WrappedKey::new(id(), version, blob).unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::Internal);
        }
    }
}
