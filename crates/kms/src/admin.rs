//! Administration of keys: [`KmsAdmin`].

use object_cipher_core::BoxFuture;

use crate::{KeyId, KeyName, KmsResult};

/// What a KMS tells of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyInfo {
    /// Which key it is.
    pub id: KeyId,
    /// Whether it can be used.
    pub state: KeyState,
    /// The version that wraps, if the KMS tells it.
    pub version: Option<String>,
    /// The aliases that lead to it.
    pub aliases: Vec<String>,
}

impl KeyInfo {
    /// What every KMS tells; the rest is added.
    pub fn new(id: KeyId, state: KeyState) -> Self {
        Self { id, state, version: None, aliases: Vec::new() }
    }
}

/// Whether a key can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyState {
    /// It can.
    Enabled,
    /// Not until somebody enables it.
    Disabled,
    /// Not any more, and at this time (seconds since 1970) it will be gone.
    PendingDeletion {
        /// Seconds since 1970.
        deletion: u64,
    },
    /// The KMS says something else.
    Other,
}

/// Makes and changes keys: what providers that manage keys themselves write.
///
/// No object's path needs it, and none is given it.
pub trait KmsAdmin: Send + Sync {
    /// Makes a key, with aliases that lead to it.
    ///
    /// # Errors
    /// The KMS's; an alias that is taken.
    fn create_key<'a>(&'a self, aliases: &'a [&'a str]) -> BoxFuture<'a, KmsResult<KeyInfo>>;

    /// All keys.
    ///
    /// # Errors
    /// The KMS's.
    fn list_keys(&self) -> BoxFuture<'_, KmsResult<Vec<KeyInfo>>>;

    /// Makes a new version wrap; older ones still open.
    ///
    /// # Errors
    /// The KMS's.
    fn rotate_key<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, KmsResult<KeyInfo>>;

    /// Lets a key be used, or forbids it.
    ///
    /// # Errors
    /// The KMS's.
    fn enable_key<'a>(&'a self, key: &'a KeyName, on: bool) -> BoxFuture<'a, KmsResult<KeyInfo>>;

    /// Forbids a key's use at once, and has it destroyed after so many days.
    ///
    /// # Errors
    /// The KMS's; [`KeyErrorKind::Invalid`](object_cipher_core::KeyErrorKind::Invalid) for a waiting
    /// time that is not of 7 to 30 days.
    fn schedule_key_deletion<'a>(
        &'a self,
        key: &'a KeyName,
        days: u32,
    ) -> BoxFuture<'a, KmsResult<KeyInfo>>;

    /// Takes a deletion back. The key is disabled then.
    ///
    /// # Errors
    /// The KMS's.
    fn cancel_key_deletion<'a>(&'a self, key: &'a KeyName) -> BoxFuture<'a, KmsResult<KeyInfo>>;
}
