//! Which key wrapped a data key: [`KeyRef`] and [`KeyBlob`], kept in the Envelope.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::fmt;

use crate::{Error, Fault, Item, Mode, Result};

/// A key reference is at most this many bytes in the Envelope.
pub const MAX_KEY_REF_LEN: usize = 1_024;
/// A key blob is at most this many bytes in the Envelope.
pub const MAX_KEY_BLOB_LEN: usize = 6_144;

/// The kind of key that a wrapping key is derived from (`ek_source` in the Envelope).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EkSource {
    /// A version of a master keyring (1).
    Master,
    /// A data key of a KMS (2).
    Kms,
    /// A Bucket Key (3).
    BucketKey,
    /// A customer's key, SSE-C (4).
    Customer,
    /// A client's own key (5).
    Client,
}

/// The name of the key that wrapped a data key. Its kind decides the Envelope's `ek_source`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyRef {
    /// A master key version.
    Master(MasterKeyRef),
    /// A KMS data key: the key's id or ARN as the KMS resolved it, never a version.
    Kms(String),
    /// A Bucket Key: the id or ARN of the KMS key above it.
    BucketKey(String),
    /// A customer's key: nameless.
    Customer,
    /// A client's key: its name, which may be empty.
    Client(String),
}

/// A master key version: which keyring, which version, and a check that its bytes are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterKeyRef {
    check: [u8; 8],
    version: u32,
    keyring: KeyringId,
}

/// The name of a keyring: 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyringId(Arc<str>);

/// What a key source needs to find its key again, beside the name: for a KMS the wrapped data key.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct KeyBlob(Vec<u8>);

impl EkSource {
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Master => 1,
            Self::Kms => 2,
            Self::BucketKey => 3,
            Self::Customer => 4,
            Self::Client => 5,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::Master, Self::Kms, Self::BucketKey, Self::Customer, Self::Client]
            .into_iter()
            .find(|source| source.byte() == byte)
    }

    /// Whether keys of this kind may wrap the data keys of a mode.
    pub fn serves(self, mode: Mode) -> bool {
        match self {
            Self::Master => mode == Mode::SseS3,
            Self::Kms => matches!(mode, Mode::SseKms | Mode::DsseKms | Mode::Client),
            Self::BucketKey => mode == Mode::SseKms,
            Self::Customer => mode == Mode::SseC,
            Self::Client => mode == Mode::Client,
        }
    }
}

impl KeyRef {
    /// The kind of key.
    pub fn source(&self) -> EkSource {
        match self {
            Self::Master(_) => EkSource::Master,
            Self::Kms(_) => EkSource::Kms,
            Self::BucketKey(_) => EkSource::BucketKey,
            Self::Customer => EkSource::Customer,
            Self::Client(_) => EkSource::Client,
        }
    }

    /// Whether an Envelope may hold this reference with this blob.
    pub(crate) fn check(&self, blob: &KeyBlob) -> Result<()> {
        let fits = match self {
            Self::Master(key) => key.version > 0,
            Self::Kms(id) | Self::BucketKey(id) => !id.is_empty() && id.len() <= MAX_KEY_REF_LEN,
            Self::Customer => true,
            Self::Client(name) => name.len() <= MAX_KEY_REF_LEN,
        };
        if fits && blob.fits(self.source()) {
            Ok(())
        } else {
            Err(Error::Misuse("the key source gave a reference or blob that no Envelope can hold"))
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Master(key) => {
                out.extend_from_slice(&key.check);
                out.extend_from_slice(&key.version.to_be_bytes());
                out.extend_from_slice(key.keyring.as_str().as_bytes());
            }
            Self::Customer => {}
            Self::Kms(name) | Self::BucketKey(name) | Self::Client(name) => {
                out.extend_from_slice(name.as_bytes());
            }
        }
    }

    pub(crate) fn parse(source: EkSource, bytes: &[u8]) -> Result<Self> {
        let text = |bytes: &[u8]| {
            core::str::from_utf8(bytes).map(String::from).map_err(|_| malformed("key_ref"))
        };
        let key_id = |bytes: &[u8]| match text(bytes)? {
            id if id.is_empty() => Err(malformed("key_ref")),
            id => Ok(id),
        };
        Ok(match source {
            EkSource::Master => Self::Master(MasterKeyRef::parse(bytes)?),
            EkSource::Kms => Self::Kms(key_id(bytes)?),
            EkSource::BucketKey => Self::BucketKey(key_id(bytes)?),
            EkSource::Customer if bytes.is_empty() => Self::Customer,
            EkSource::Customer => return Err(malformed("key_ref")),
            EkSource::Client => Self::Client(text(bytes)?),
        })
    }
}

impl MasterKeyRef {
    /// Version `version`, from 1, of `keyring`, whose bytes have the check value `check`
    /// ([`SourceKey::check_value`](crate::SourceKey::check_value)).
    pub fn new(keyring: KeyringId, version: u32, check: [u8; 8]) -> Self {
        Self { check, version, keyring }
    }

    /// The keyring's name.
    pub fn keyring(&self) -> &KeyringId {
        &self.keyring
    }

    /// The version's number.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The check value of the version's bytes.
    pub fn check(&self) -> &[u8; 8] {
        &self.check
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let (check, rest) = bytes.split_first_chunk().ok_or(malformed("key_ref"))?;
        let (version, id) = rest.split_first_chunk().ok_or(malformed("key_ref"))?;
        let id = core::str::from_utf8(id).ok().and_then(KeyringId::parse);
        let version = u32::from_be_bytes(*version);
        if version == 0 {
            return Err(malformed("key_ref"));
        }
        Ok(Self { check: *check, version, keyring: id.ok_or(malformed("key_ref"))? })
    }
}

impl KeyringId {
    /// A keyring's name, if the text is one.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let first = text.bytes().next()?;
        let valid = first.is_ascii_alphanumeric() && text.len() <= 64 && text.bytes().all(allowed);
        valid.then(|| Self(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyringId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyBlob {
    /// No blob: master and customer keys need none.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// A blob of a KMS: its key material's version (empty if it tells none) and its own bytes.
    ///
    /// # Errors
    /// [`Error::Limit`] when both together exceed 6,142 bytes.
    pub fn kms(version: &str, wrapped: &[u8]) -> Result<Self> {
        let length = u16::try_from(version.len())
            .map_err(|_| Error::Limit("a KMS key version has at most 65,535 bytes"))?;
        let mut bytes = Vec::with_capacity(2 + version.len() + wrapped.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(version.as_bytes());
        bytes.extend_from_slice(wrapped);
        Self::client(bytes)
    }

    /// A blob of a client's keyring, any bytes.
    ///
    /// # Errors
    /// [`Error::Limit`] when it exceeds 6,144 bytes.
    pub fn client(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() > MAX_KEY_BLOB_LEN {
            return Err(Error::Limit("a key blob has at most 6,144 bytes"));
        }
        Ok(Self(bytes))
    }

    /// The bytes as they stand in the Envelope.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The version and the KMS's own bytes, for blobs of KMS data keys and Bucket Keys.
    pub fn kms_parts(&self) -> Option<(&str, &[u8])> {
        let (length, rest) = self.0.split_first_chunk()?;
        let (version, wrapped) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        Some((core::str::from_utf8(version).ok()?, wrapped))
    }

    pub(crate) fn parse(source: EkSource, bytes: &[u8]) -> Result<Self> {
        let blob = Self(bytes.to_vec());
        if blob.fits(source) { Ok(blob) } else { Err(malformed("ek_blob")) }
    }

    fn fits(&self, source: EkSource) -> bool {
        match source {
            EkSource::Master | EkSource::Customer => self.0.is_empty(),
            EkSource::Kms | EkSource::BucketKey => self.kms_parts().is_some(),
            EkSource::Client => true,
        }
    }
}

impl fmt::Debug for KeyBlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyBlob({} bytes)", self.0.len())
    }
}

fn malformed(field: &'static str) -> Error {
    Error::Malformed { item: Item::KeyRef, fault: Fault::Field(field) }
}
