//! What can go wrong, for the whole crate.

use std::error::Error as StdError;

use aws_sdk_s3::{error::ProvideErrorMetadata, primitives::ByteStreamError};

/// The result of this crate's operations.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why an operation of the encrypting client failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The object was not sealed or opened.
    #[error(transparent)]
    Client(#[from] object_cipher_client::Error),
    /// S3 refused, or could not be reached.
    #[error("{operation}: {}", told(source))]
    S3 {
        /// The operation.
        operation: &'static str,
        /// What the SDK says.
        source: Box<aws_sdk_s3::Error>,
    },
    /// A body could not be read to its end.
    #[error("reading a body: {}", innermost(.0))]
    Body(#[from] ByteStreamError),
    /// The answer of S3 is not one to the request: the text says why.
    #[error("the answer of S3 cannot be used: {0}")]
    Answer(&'static str),
    /// The request is not one of this client's: the text says why.
    #[error("request: {0}")]
    Request(&'static str),
    /// S3 would not keep the object's metadata. Nothing was sent.
    #[error(
        "the object's metadata has {total} bytes, {user} of them the user's, and S3 keeps 2,048: keep \
         the wrapped key in an instruction file (`HeaderStorage::InstructionFile`), or give less"
    )]
    MetadataTooLong {
        /// Bytes of the user's metadata: names and values.
        user: usize,
        /// Bytes of all metadata, as far as they are known: if they are the user's alone, no key was
        /// asked for.
        total: usize,
    },
    /// The configuration contradicts itself. The text says how.
    #[error("configuration: {0}")]
    Configuration(&'static str),
    /// A part was not sent, since the task that sent it panicked or the runtime ended.
    #[error("the upload of a part was cut off")]
    PartCutOff,
    /// A write to the upload failed or was dropped before, so that its content has a gap.
    #[error("a write to the upload failed before: it can only be aborted")]
    BrokenUpload,
}

impl From<object_cipher_core::Error> for Error {
    fn from(error: object_cipher_core::Error) -> Self {
        Self::Client(error.into())
    }
}

/// An error of the SDK, with the operation's name.
pub(crate) fn of<E: Into<aws_sdk_s3::Error>>(operation: &'static str) -> impl FnOnce(E) -> Error {
    move |error| Error::S3 { operation, source: Box::new(error.into()) }
}

/// What S3 says, or why it was not reached.
fn told(error: &aws_sdk_s3::Error) -> String {
    match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => innermost(error),
    }
}

/// What went wrong first: the SDK's own words name the layer only.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
