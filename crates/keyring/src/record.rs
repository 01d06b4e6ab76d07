//! A version as it is kept: [`Record`].

use std::sync::Arc;

use object_cipher_core::SourceKey;

/// What is known of one version.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) number: u32,
    /// Seconds since 1970; 0 when nobody said.
    pub(crate) created: u64,
    /// Wraps reserved in the file, a multiple of [`WRAP_BLOCK`](crate::WRAP_BLOCK).
    pub(crate) wraps: u64,
    pub(crate) content: Content,
}

/// A version's state, with the key it has in that state.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Enabled(Arc<SourceKey>),
    DecryptOnly(Arc<SourceKey>),
    Destroyed,
}

/// The state of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VersionState {
    /// Wraps new data keys and opens old ones. Exactly one version is enabled.
    Enabled,
    /// Opens old data keys only: retired by a rotation, or added and not promoted yet.
    DecryptOnly,
    /// Its key is gone.
    Destroyed,
}

impl Record {
    pub(crate) fn state(&self) -> VersionState {
        match self.content {
            Content::Enabled(_) => VersionState::Enabled,
            Content::DecryptOnly(_) => VersionState::DecryptOnly,
            Content::Destroyed => VersionState::Destroyed,
        }
    }

    pub(crate) fn key(&self) -> Option<&Arc<SourceKey>> {
        match &self.content {
            Content::Enabled(key) | Content::DecryptOnly(key) => Some(key),
            Content::Destroyed => None,
        }
    }
}

impl Content {
    /// The same key, enabled or decrypt-only; a destroyed one stays destroyed.
    pub(crate) fn with_enabled(self, enabled: bool) -> Self {
        match self {
            Self::Enabled(key) | Self::DecryptOnly(key) if enabled => Self::Enabled(key),
            Self::Enabled(key) | Self::DecryptOnly(key) => Self::DecryptOnly(key),
            Self::Destroyed => Self::Destroyed,
        }
    }
}
