//! A version as it is kept: [`Record`].

use std::{cmp::Ordering, sync::Arc};

use object_cipher_core::SourceKey;

/// What is known of one version.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) number: u32,
    /// Seconds since 1970; 0 when nobody said.
    pub(crate) created: u64,
    /// Wraps reserved in the file; none for a version that waits.
    pub(crate) wraps: u64,
    pub(crate) content: Content,
}

/// A version's state, with the key it has in that state.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Waiting(Arc<SourceKey>),
    Enabled(Arc<SourceKey>),
    DecryptOnly(Arc<SourceKey>),
    Destroyed,
}

/// The state of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersionState {
    /// Added, and never enabled yet: the next rotation promotes the newest of these. It opens
    /// already, for nodes that learn of the rotation later than others.
    Waiting,
    /// Wraps new data keys and opens old ones. Exactly one version is enabled.
    Enabled,
    /// Opens old data keys only: retired, or passed over, by a rotation. No rotation enables it
    /// again.
    DecryptOnly,
    /// Its key is gone.
    Destroyed,
}

impl Record {
    pub(crate) fn state(&self) -> VersionState {
        match self.content {
            Content::Waiting(_) => VersionState::Waiting,
            Content::Enabled(_) => VersionState::Enabled,
            Content::DecryptOnly(_) => VersionState::DecryptOnly,
            Content::Destroyed => VersionState::Destroyed,
        }
    }

    pub(crate) fn key(&self) -> Option<&Arc<SourceKey>> {
        match &self.content {
            Content::Waiting(key) | Content::Enabled(key) | Content::DecryptOnly(key) => Some(key),
            Content::Destroyed => None,
        }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.state() == VersionState::Enabled
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.state() == VersionState::Waiting
    }

    /// Takes the state that this version has once the version `promoted` is enabled.
    pub(crate) fn follow_promotion(&mut self, promoted: u32) {
        let Some(key) = self.key().cloned() else { return };
        self.content = match self.number.cmp(&promoted) {
            Ordering::Equal => Content::Enabled(key),
            Ordering::Greater if self.is_waiting() => return,
            // One that waited and was passed over retires too: rotation never goes back.
            _ => Content::DecryptOnly(key),
        };
    }
}
