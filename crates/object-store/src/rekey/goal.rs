//! What objects are to be under: [`Goal`].

use std::fmt;

use object_cipher_core::{Envelope, KeyRef, Mode};

use super::{Key, RekeyFault, Under};

/// The mode that objects are to be sealed in and, where that can be told beforehand, the key that they
/// are to be under. It says which objects are left alone; what seals is the store's cipher, which has to
/// agree with it.
///
/// An object is under the key wanted when the key references in its Envelope are those that a fresh wrap
/// would name, which takes no call of a KMS. Customers' keys have no names: there only the
/// [`Journal`](super::Journal) tells.
///
/// ```
/// use object_cipher_core::{KeyRef, Mode};
/// use object_cipher_object_store::rekey::Goal;
///
/// let key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// let goal = Goal::new(Mode::SseKms).under(KeyRef::Kms(key.into()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Goal {
    mode: Mode,
    key: Option<KeyRef>,
    version: Option<String>,
}

impl Goal {
    /// A mode, under a key that is not named: every object of that mode is wrapped anew on every run, but
    /// for those that a journal says are done. Name the key with [`under`](Self::under) wherever it has a
    /// name.
    pub fn new(mode: Mode) -> Self {
        Self { mode, key: None, version: None }
    }

    /// The key that each layer is to be under: of a keyring its enabled version, of a KMS the key's id or
    /// ARN as the KMS gives it with what it wraps, not an alias. [`KeyRef::Customer`] names none.
    pub fn under(mut self, key: KeyRef) -> Self {
        self.key = Some(key).filter(|key| *key != KeyRef::Customer);
        self
    }

    /// The version of a KMS's key, of a KMS that tells it with what it wraps. Without it any version is
    /// as good.
    pub fn of_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Refuses what no Envelope will ever name.
    pub(super) fn expect_possible(&self) -> Result<(), RekeyFault> {
        match &self.key {
            Some(KeyRef::Kms(id) | KeyRef::BucketKey(id)) if is_alias(id) => {
                Err(RekeyFault::Alias(id.clone()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it says which key is wanted.
    pub(super) fn is_named(&self) -> bool {
        self.key.is_some()
    }

    /// Whether an Envelope is as wanted; none when it does not tell.
    pub(super) fn is_met_by(&self, envelope: &Envelope) -> Option<bool> {
        if envelope.mode() != self.mode {
            return Some(false);
        }
        let wanted = self.key.as_ref()?;
        Some(envelope.layers().all(|layer| {
            let version = layer.blob().kms_parts().map(|(version, _)| version);
            let is_version = self.version.is_none() || self.version.as_deref() == version;
            layer.key_ref() == wanted && is_version
        }))
    }

    /// What an object will be under, as far as it is known.
    pub(super) fn expected(&self) -> Under {
        let key = self.key.as_ref().map(|key| Key::new(key, self.version.as_deref()));
        let keys = key.map_or_else(Vec::new, |key| vec![key; self.mode.suite().layers()]);
        Under { mode: self.mode.to_string(), keys }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expected().fmt(f)
    }
}

/// Whether AWS reads it as an alias: <https://docs.aws.amazon.com/kms/latest/developerguide/alias-about.html>.
fn is_alias(id: &str) -> bool {
    id.starts_with("alias/") || id.starts_with("arn:") && id.contains(":alias/")
}
