//! What can go wrong at start: [`Error`].

use std::path::PathBuf;

use object_cipher_core::KeyError;

/// The result of starting a KMS over PKCS#11.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a KMS over PKCS#11 could not be started. What it answers later is a [`KeyError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The module could not be loaded or initialised.
    #[error("cannot load the PKCS#11 module {file}: {source}", file = file.display())]
    Module {
        /// The module.
        file: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Other code of this process uses the module, and may end it at any time.
    #[error("other code of this process has initialised {file} already", file = file.display())]
    ModuleTaken {
        /// The module.
        file: PathBuf,
    },
    /// No key was named.
    #[error("name the label of at least one key")]
    NoKey,
    /// A label that cannot be the name of a key.
    #[error("the label of a key has 1 to 255 of A-Z a-z 0-9 _ . - and is no UUID: {0:?}")]
    Label(String),
    /// No workers, no queue, or a time that is zero or longer than an hour.
    #[error("there have to be a worker, a queue, and a timeout of an hour at most")]
    Limits,
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// The token refused, or a key in it is missing or unfit.
    #[error(transparent)]
    Key(#[from] KeyError),
}
