//! What can go wrong, for the whole crate and for everything behind [`ObjectCipher`].
//!
//! [`ObjectCipher`]: crate::ObjectCipher

use alloc::borrow::Cow;
use core::fmt;

use crate::{BackendError, Mode, ObjectId};

/// The result of this crate's operations.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why an object was not sealed, opened or rewrapped.
///
/// An error names the step and, once it is known, the object by its random [`ObjectId`]; never key
/// bytes, plaintext, or which layer or chunk failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The key, the identity or the stored bytes are not the ones that were sealed together. One
    /// error on purpose: telling them apart would help an attacker.
    #[error("object {object}: {step} failed authentication")]
    Rejected {
        /// Which object.
        object: ObjectId,
        /// What was being opened.
        step: Step,
    },
    /// A stored byte string is not in canonical form, or a count or size in it is out of bounds.
    #[error("{item}: {fault}")]
    Malformed {
        /// What was being parsed.
        item: Item,
        /// What is wrong with it.
        fault: Fault,
    },
    /// The body ended before its last chunk.
    #[error("object {object}: the stored body ends early")]
    Truncated {
        /// Which object.
        object: ObjectId,
    },
    /// The body goes on after its last chunk.
    #[error("object {object}: the stored body has bytes after its end")]
    TrailingBytes {
        /// Which object.
        object: ObjectId,
    },
    /// An identity item that the Envelope binds is missing from the context, or the reverse.
    #[error("object {object}: {fault} ({item})")]
    Identity {
        /// Which object.
        object: ObjectId,
        /// The item.
        item: IdentityItem,
        /// What is wrong with it.
        fault: IdentityFault,
    },
    /// The Envelope belongs to another mode than this [`ObjectCipher`](crate::ObjectCipher)'s.
    #[error("object {object} is sealed by {found}, this cipher is for {expected}")]
    WrongMode {
        /// Which object.
        object: ObjectId,
        /// The cipher's mode.
        expected: Mode,
        /// The Envelope's mode.
        found: Mode,
    },
    /// The Envelope is of an upload where an object was expected, or the reverse.
    #[error("object {object}: the Envelope is of {found}, not of {expected}")]
    WrongState {
        /// Which object.
        object: ObjectId,
        /// The state asked for.
        expected: State,
        /// The Envelope's state.
        found: State,
    },
    /// The part table is needed and was not given, or is not the one that was sealed.
    #[error("object {object}: the part table {fault}")]
    PartTable {
        /// Which object.
        object: ObjectId,
        /// What is wrong.
        fault: PartTableFault,
    },
    /// A part cannot be sealed, or is not the one its receipt tells of.
    #[error("object {object}, part {part}: {fault}")]
    Part {
        /// Which object.
        object: ObjectId,
        /// The part number, 1 to 10,000.
        part: u32,
        /// What is wrong.
        fault: PartFault,
    },
    /// The range asked for starts behind the end of the object, or is empty (HTTP 416).
    #[error("the range selects none of the object's {length} bytes")]
    RangeNotSatisfiable {
        /// The object's length in bytes.
        length: u64,
    },
    /// A caller broke a rule of the interface. The text says which.
    #[error("misuse: {0}")]
    Misuse(&'static str),
    /// A size is beyond what the format allows. The text says which.
    #[error("limit exceeded: {0}")]
    Limit(&'static str),
    /// An encryption context was refused.
    #[error("encryption context: {0}")]
    EncryptionContext(#[from] crate::EncryptionContextError),
    /// The source of keys refused or could not serve.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The cryptographic library failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

impl Error {
    pub(crate) fn message_too_long() -> Self {
        Self::Malformed { item: Item::Message, fault: Fault::TooLong }
    }
}

/// Which sealed thing failed authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The wrapped data key: another key, another identity, or an altered Envelope.
    KeyWrap,
    /// The info block.
    Info,
    /// A body, or a part of one.
    Body,
    /// A part receipt.
    Receipt,
}

/// What was being parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Item {
    /// An Envelope, binary.
    Envelope,
    /// An Envelope as base64 text.
    EnvelopeText,
    /// The `key_ref` or `ek_blob` of a layer.
    KeyRef,
    /// The info block.
    Info,
    /// A part receipt.
    Receipt,
    /// The receipts kept with a keyless upload.
    KeylessReceipts,
    /// The index of a part table.
    PartIndex,
    /// A page of a part table.
    PartPage,
    /// A Cobblestone-256 message.
    Message,
}

/// What is wrong with a parsed byte string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// It ends too early.
    TooShort,
    /// It is larger than allowed.
    TooLong,
    /// Bytes follow its end.
    TrailingBytes,
    /// It does not begin with the magic bytes.
    Magic,
    /// Its version is not known.
    Version,
    /// A field has a value that is not allowed, alone or beside the others. The text names it.
    Field(&'static str),
    /// It is not canonical base64.
    Base64,
}

/// Whether an Envelope is of a finished object or of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A finished object.
    Finished,
    /// A multipart upload in progress.
    Upload,
    /// An SSE-C upload that was completed without its key.
    KeylessUpload,
}

/// An item of an object's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityItem {
    /// The version id.
    VersionId,
    /// The upload id.
    UploadId,
    /// The encryption context.
    EncryptionContext,
    /// The host's extra item, such as a generation.
    Extra,
}

/// What is wrong with an identity item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdentityFault {
    /// The Envelope binds it, and the context does not give it.
    NotGiven,
    /// The host requires it, or gives it as the caller's claim, and the Envelope does not bind it.
    NotBound,
}

/// What is wrong with a part table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartTableFault {
    /// It is needed and was not given.
    Missing,
    /// It is not the one that was sealed.
    Rejected,
}

/// What is wrong with a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PartFault {
    /// Part numbers go from 1 to 10,000.
    Number,
    /// Parts must be named in rising order, each once.
    Order,
    /// The stored body is not the attempt that the receipt tells of.
    Body,
    /// The ETag the client named is not the part's.
    ETag,
    /// The checksum the client named is not the part's.
    Checksum,
    /// The receipt belongs to another upload.
    Foreign,
}

/// Why a source of keys did not give a key. Crosses [`ObjectCipher`](crate::ObjectCipher).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError {
    kind: KeyErrorKind,
    retryable: bool,
    code: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
}

/// The kinds of [`KeyError`], in S3's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyErrorKind {
    /// The wrapped key was altered or does not belong to this context.
    Integrity,
    /// The key of that name is not the one that wrapped.
    WrongKey,
    /// That version of the key is not there.
    KeyVersionMissing,
    /// No such key.
    NotFound,
    /// The key is disabled.
    Disabled,
    /// The key is in a state that does not allow the use, such as pending deletion.
    InvalidState,
    /// The caller may not use the key.
    Denied,
    /// Too many requests.
    Throttled,
    /// The service cannot be reached.
    Unavailable,
    /// The service did not answer in time.
    Timeout,
    /// The request is not valid.
    Invalid,
    /// The service cannot do that.
    Unsupported,
    /// A fault inside the service.
    Internal,
}

impl KeyError {
    /// An error of a kind with a message for people. Throttled, unavailable and timed-out calls
    /// count as retryable.
    pub fn new(kind: KeyErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        let retryable = matches!(
            kind,
            KeyErrorKind::Throttled | KeyErrorKind::Unavailable | KeyErrorKind::Timeout
        );
        Self { kind, retryable, code: None, message: message.into() }
    }

    /// Adds the provider's own error code, such as `DisabledException`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Overrides whether the same call may succeed later.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> KeyErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The provider's own error code.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// A message for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key: {}", self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for KeyError {}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::KeyWrap => "the wrapped data key (wrong key, wrong identity or altered Envelope)",
            Self::Info => "the info block",
            Self::Body => "the body",
            Self::Receipt => "the part receipt",
        })
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Envelope => "Envelope",
            Self::EnvelopeText => "Envelope text",
            Self::KeyRef => "key reference",
            Self::Info => "info block",
            Self::Receipt => "part receipt",
            Self::KeylessReceipts => "kept receipts",
            Self::PartIndex => "part table index",
            Self::PartPage => "part table page",
            Self::Message => "message",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => f.write_str("ends too early"),
            Self::TooLong => f.write_str("is larger than allowed"),
            Self::TrailingBytes => f.write_str("has bytes after its end"),
            Self::Magic => f.write_str("does not begin with the magic bytes"),
            Self::Version => f.write_str("has an unknown version"),
            Self::Field(name) => write!(f, "field {name} has a value that is not allowed"),
            Self::Base64 => f.write_str("is not canonical base64"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Finished => "a finished object",
            Self::Upload => "an upload in progress",
            Self::KeylessUpload => "an upload completed without its key",
        })
    }
}

impl fmt::Display for IdentityItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VersionId => "version id",
            Self::UploadId => "upload id",
            Self::EncryptionContext => "encryption context",
            Self::Extra => "extra item",
        })
    }
}

impl fmt::Display for IdentityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotGiven => "an identity item that was sealed is not given",
            Self::NotBound => "an identity item that is asked for was not sealed",
        })
    }
}

impl fmt::Display for PartTableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "is needed and was not given",
            Self::Rejected => "is not the one that was sealed",
        })
    }
}

impl fmt::Display for PartFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Number => "part numbers go from 1 to 10,000",
            Self::Order => "parts must be named in rising order, each once",
            Self::Body => "the stored body is not the attempt that the receipt tells of",
            Self::ETag => "the ETag is not the part's",
            Self::Checksum => "the checksum is not the part's",
            Self::Foreign => "the receipt belongs to another upload",
        })
    }
}
