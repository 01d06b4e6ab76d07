//! What can go wrong, for the whole crate.

use object_cipher_core::{BackendError, KeyError};

use crate::s3ec::{CommitmentPolicy, ContentAlgorithm, WrapAlgorithm};

/// The result of this crate's operations.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why an object was not sealed or opened.
///
/// Never holds key bytes or plaintext.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stored metadata or instruction file is not that of an encrypted object.
    #[error("metadata of the S3 Encryption Client: {0}")]
    Metadata(#[from] MetadataFault),
    /// Legacy content, and the client does not read it.
    #[error(
        "content encrypted by {0} is legacy: it takes `enable_legacy_unauthenticated_modes`, and a policy that \
         reads it"
    )]
    LegacyContent(ContentAlgorithm),
    /// A legacy wrap, and the client does not unwrap it.
    #[error("keys wrapped by {0} are legacy: they take `enable_legacy_wrapping_algorithms`")]
    LegacyWrap(WrapAlgorithm),
    /// A range, which cannot be verified, and the client does not read it.
    #[error("ranges cannot be verified: they take `enable_legacy_unauthenticated_modes`")]
    LegacyRange,
    /// Content that does not commit to its key, and the policy is not to read it.
    #[error(
        "{policy} does not read content encrypted by {content}, which does not commit to its key: \
         REQUIRE_ENCRYPT_ALLOW_DECRYPT does"
    )]
    Policy {
        /// The policy.
        policy: CommitmentPolicy,
        /// The content's algorithm.
        content: ContentAlgorithm,
    },
    /// The keyring has no key of the kind that the wrap needs.
    #[error("the keyring has no key that unwraps {0}")]
    OtherKeyring(WrapAlgorithm),
    /// An object of V1, which does not say how its key is wrapped, and a keyring without a raw key.
    #[error("the object is of V1, which does not name its wrap: it takes a raw AES or RSA keyring")]
    UnnamedWrap,
    /// The encryption context in the request is not the stored one.
    #[error(
        "the object was written with another encryption context than the request's: give all of its pairs"
    )]
    Context,
    /// An encryption context in a request that cannot bind it.
    #[error("keys wrapped by {0} are bound to no encryption context of a request: give none")]
    ContextNotBound(WrapAlgorithm),
    /// The data key was wrapped for another content algorithm.
    #[error("the data key was wrapped for another content algorithm than the object's")]
    OtherContentAlgorithm,
    /// The wrapped key did not open: another key, or it was changed. One error for all raw wraps.
    #[error("the data key could not be unwrapped")]
    Unwrap,
    /// The data key is not the one that the content commits to.
    #[error("the content is not committed to this data key")]
    Commitment,
    /// What is asked for is not in this build or cannot be done by this keyring.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
    /// The configuration contradicts itself. The text says how.
    #[error("configuration: {0}")]
    Configuration(&'static str),
    /// A key in the configuration is none: what was expected.
    #[error("not a key: {0}")]
    MalformedKey(&'static str),
    /// The source of keys refused or could not serve.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What is kept of an object in our own format.
    #[error(transparent)]
    OwnFormat(#[from] crate::OwnFormatError),
    /// Content, range or limit, as in all formats.
    #[error(transparent)]
    Core(#[from] object_cipher_core::Error),
}

/// What is wrong with stored metadata or an instruction file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataFault {
    /// Keys of several versions stand together: made to slip past a policy.
    #[error("keys of several format versions stand together")]
    Mixed,
    /// A key occurs twice.
    #[error("{0} occurs twice")]
    Repeated(&'static str),
    /// A key is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value is not allowed, alone or beside the others.
    #[error("{0} has a value that is not allowed")]
    Value(&'static str),
    /// A key stands where it must not.
    #[error("{0} may not stand there")]
    Misplaced(&'static str),
    /// A description is not a JSON object of strings, or too long.
    #[error("a description is not a JSON object of strings")]
    Json,
    /// A description is not in the form that S3 answers text in that is not ASCII.
    #[error("a description is not in the encoding that S3 gives non-ASCII metadata")]
    DoubleEncoding,
    /// The instruction file is not a JSON object of strings, or too long.
    #[error("the instruction file is not a JSON object of strings")]
    InstructionFile,
    /// The instruction file is not there: the object is not encrypted, or its key is lost.
    #[error(
        "the object has no keys in its metadata and there is no instruction file: it was not encrypted \
         by an S3 Encryption Client, or the file was removed"
    )]
    NoInstructionFile,
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        Self::Core(error.into())
    }
}
