//! What can go wrong: [`Error`].

use object_cipher_core::{Error as CoreError, KeyErrorKind, Mode};
use object_store::path::Path;

use crate::RecordFault;

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an object was not stored, read or rewrapped. Crosses `object_store`'s trait as the source of its
/// [`Error::Generic`](object_store::Error::Generic), or as the error of its own that says the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What stands at the path is no record of an [`EncryptedStore`](crate::EncryptedStore): it was put
    /// there past it, or altered. Its bytes are never given out as content.
    #[error("{path} is no record of an encrypted object: {fault}")]
    NoRecord {
        /// Where.
        path: Path,
        /// What is wrong with it.
        fault: RecordFault,
    },
    /// What a record says in clear is not what was sealed.
    #[error("{path}: the {item} in its record is not what was sealed")]
    Altered {
        /// Which object.
        path: Path,
        /// Length, attributes, or number of parts.
        item: &'static str,
    },
    /// The record is there and the body is not: it was removed beneath the store, or the store has another
    /// reserved prefix than the one that wrote it; or, amid a read, the object was replaced or deleted.
    #[error(
        "{path}: its body is gone: it is not at {body}, unless the object was replaced meanwhile"
    )]
    BodyGone {
        /// Which object.
        path: Path,
        /// Where the body was looked for.
        body: Path,
    },
    /// The body was cut short beneath the store, or written on.
    #[error("{path}: its body has another length than was sealed")]
    BodyLength {
        /// Which object.
        path: Path,
    },
    /// The record was written for another path, and copied or moved here beneath the store. Copy it through
    /// the store, or put it back.
    #[error("{path}: its record was written for another path, and copied here beneath the store")]
    Misplaced {
        /// Where it is.
        path: Path,
    },
    /// The path lies under the prefix that holds the bodies.
    #[error("{path} lies under the prefix that is reserved for bodies")]
    Reserved {
        /// Which path.
        path: Path,
    },
    /// No cipher was configured for objects of this mode.
    #[error("{path} is sealed by {mode}, and no cipher was given for that")]
    NoCipher {
        /// Which object.
        path: Path,
        /// Its mode.
        mode: Mode,
    },
    /// The object changed while it was being copied, renamed or rewrapped. Try again.
    #[error("{path} changed meanwhile")]
    Changed {
        /// Which object.
        path: Path,
    },
    /// The store cannot put a record on condition that it is still the one that was read, and nobody
    /// said that there is [one writer](crate::Builder::single_writer).
    #[error(
        "{path}: the store cannot put on condition that nobody else wrote meanwhile; where nobody does, \
         say so with `Builder::single_writer`"
    )]
    NoConditions {
        /// Which object was to be rewrapped.
        path: Path,
    },
    /// An encryption context for a mode that has none.
    #[error("{path}: an encryption context goes with a key of a KMS, and {mode} has none")]
    Context {
        /// Which object.
        path: Path,
        /// The mode that it was to be sealed in.
        mode: Mode,
    },
    /// An attribute that has no name in the record, or attributes that are too long.
    #[error("attributes: {0}")]
    Attributes(&'static str),
    /// A range that selects nothing.
    #[error(transparent)]
    Range(Box<dyn std::error::Error + Send + Sync>),
    /// The cipher's.
    #[error(transparent)]
    Cipher(#[from] CoreError),
    /// The cipher's, as it crosses `object_store`'s trait.
    #[error("{path}: {source}")]
    Object {
        /// Which object.
        path: Path,
        /// Why it was not sealed or opened.
        source: CoreError,
    },
    /// What a rekey, or a part of one, found wrong.
    #[cfg(feature = "rekey")]
    #[error(transparent)]
    Rekey(#[from] crate::rekey::RekeyFault),
    /// The store's.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

impl Error {
    /// Says of which object it is, where that is not said yet.
    pub(crate) fn of(self, path: &Path) -> Self {
        match self {
            Self::Cipher(source) => Self::Object { path: path.clone(), source },
            error => error,
        }
    }

    /// As the trait has it.
    pub(crate) fn at(self, path: &Path) -> object_store::Error {
        match self {
            Self::Store(error) => error,
            Self::Reserved { .. } | Self::NoConditions { .. } => {
                object_store::Error::NotSupported { source: self.into() }
            }
            Self::Cipher(_) => self.of(path).at(path),
            Self::Object { ref path, source: CoreError::Key(ref key) }
                if key.kind() == KeyErrorKind::Denied =>
            {
                let path = path.to_string();
                object_store::Error::PermissionDenied { path, source: self.into() }
            }
            Self::Changed { .. } => {
                let path = path.to_string();
                object_store::Error::Precondition { path, source: self.into() }
            }
            error => object_store::Error::Generic { store: "EncryptedStore", source: error.into() },
        }
    }
}
