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
        /// Length, attributes, number of parts, or the body's length.
        item: &'static str,
    },
    /// The record is there and the body is not.
    #[error("{path}: its body is gone")]
    BodyGone {
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
    #[error("the store has no conditional put, which a rewrap in place needs beside other writers")]
    NoConditions,
    /// An attribute that has no name in the record, or attributes that are too long.
    #[error("attributes: {0}")]
    Attributes(&'static str),
    /// A range that selects nothing.
    #[error(transparent)]
    Range(Box<dyn std::error::Error + Send + Sync>),
    /// The cipher's.
    #[error(transparent)]
    Cipher(#[from] CoreError),
    /// What a rekey, or a part of one, found wrong.
    #[cfg(feature = "rekey")]
    #[error(transparent)]
    Rekey(#[from] crate::rekey::RekeyFault),
    /// The store's.
    #[error(transparent)]
    Store(#[from] object_store::Error),
}

impl Error {
    /// As the trait has it.
    pub(crate) fn at(self, path: &Path) -> object_store::Error {
        match self {
            Self::Store(error) => error,
            Self::Reserved { .. } | Self::NoConditions => {
                object_store::Error::NotSupported { source: self.into() }
            }
            Self::Cipher(CoreError::Key(ref key)) if key.kind() == KeyErrorKind::Denied => {
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
