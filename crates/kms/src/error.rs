//! What can go wrong around a KMS: [`Error`].

use std::path::PathBuf;

use object_cipher_core::KeyError;

/// The result of what is not itself a call of a KMS.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a KMS could not be set up, or an audit log not be read. What a KMS answers is a
/// [`KeyError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key's id has to be a UUID.
    #[error("the id of a local key is a UUID, such as 1234abcd-12ab-34cd-56ef-1234567890ab")]
    KeyName,
    /// An environment variable is not there, or not text.
    #[error("the environment variable {0} is not set, or not text")]
    Variable(String),
    /// A file of keys was altered, or is not from this keyring.
    #[error("{file} was altered, or is not of this keyring", file = file.display())]
    Rejected {
        /// The file.
        file: PathBuf,
    },
    /// A file of keys is not one.
    #[error("{file} is not a catalog of keys: {what}", file = file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// An older catalog was put in the place of the known one.
    #[error(
        "{file} fell back: generation {found} where {known} is known; put the newer file back",
        file = file.display()
    )]
    GenerationFell {
        /// The file.
        file: PathBuf,
        /// The generation known.
        known: u64,
        /// The generation found.
        found: u64,
    },
    /// A key is to be made whose keyring is there, and of which the catalog tells nothing.
    #[error(
        "{file} is there, and the catalog has no such key: an older catalog was put back, or a crash came \
         while the key was made. Put the newer catalog back, or move the file away",
        file = file.display()
    )]
    LeftKeyring {
        /// The keyring.
        file: PathBuf,
    },
    /// A keyring or its file refused.
    #[error(transparent)]
    Keyring(#[from] object_cipher_keyring::Error),
    /// A KMS refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The master key version that an audit log was begun under is not to be had.
    #[error(
        "the audit log {file} was begun under a master key that is not here ({source}): verify it with a \
         copy of the keyring that has it, or move the log and its head aside and begin another",
        file = file.display()
    )]
    AuditKey {
        /// The log.
        file: PathBuf,
        /// Why.
        source: object_cipher_keyring::Error,
    },
    /// An audit log was altered.
    #[error("the audit log was altered: {0}")]
    Audit(#[from] crate::AuditFault),
    /// The operating system refused.
    #[error("cannot {action} {file}: {source}", file = file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] object_cipher_core::Error),
}

/// How such an error looks through a KMS.
impl From<Error> for KeyError {
    fn from(error: Error) -> Self {
        use object_cipher_core::KeyErrorKind;
        match error {
            Error::Key(error) => error,
            Error::Keyring(error) | Error::AuditKey { source: error, .. } => error.into(),
            Error::KeyName | Error::LeftKeyring { .. } => {
                Self::new(KeyErrorKind::Invalid, error.to_string())
            }
            Error::Rejected { .. }
            | Error::Malformed { .. }
            | Error::GenerationFell { .. }
            | Error::Audit(_) => Self::new(KeyErrorKind::Integrity, error.to_string()),
            Error::Io { .. } => Self::new(KeyErrorKind::Unavailable, error.to_string()),
            _ => Self::new(KeyErrorKind::Internal, error.to_string()),
        }
    }
}
