//! What S3 answers when encryption is asked for wrongly: [`Error`], and its [`Answer`].

use std::borrow::Cow;

use http::StatusCode;
use object_cipher_core::{KeyError, KeyErrorKind, Mode, Step};

use crate::{Profile, header};

/// The result of this crate's operations.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// Why S3 refuses a request, one variant a case. The text is S3's own message.
///
/// [`Error::answer`] gives the status, the code and the rest of what the client is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A customer's key and a mode were both asked for.
    #[error(
        "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
    )]
    CustomerKeyWithMethod {
        /// The mode asked for.
        method: String,
    },
    /// The customer's algorithm is not `AES256`.
    #[error("The Encryption request you specified is not valid. Supported value: AES256.")]
    UnsupportedCustomerAlgorithm {
        /// The algorithm asked for.
        algorithm: String,
    },
    /// A customer's key came without its algorithm.
    #[error(
        "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm."
    )]
    CustomerAlgorithmMissing,
    /// A customer's algorithm came without the key.
    #[error(
        "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key."
    )]
    CustomerKeyMissing,
    /// The customer's key is not base64 of 32 bytes.
    #[error("The secret key was invalid for the specified algorithm.")]
    CustomerKeyInvalid,
    /// The customer's key came without its MD5.
    #[error(
        "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key."
    )]
    CustomerKeyMd5Missing,
    /// The MD5 is not that of the customer's key.
    #[error("The calculated MD5 hash of the key did not match the hash that was provided.")]
    CustomerKeyMd5Mismatch,
    /// A customer's key came over a connection that others can read.
    #[error(
        "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection."
    )]
    CustomerKeyInsecure,
    /// The object is under a customer's key, and the request has none.
    #[error(
        "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object."
    )]
    CustomerKeyRequired,
    /// The customer's key is not the one that the object was stored with.
    #[error(
        "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key."
    )]
    CustomerKeyWrong,
    /// The request has a customer's key for an object that is under none.
    #[error("The encryption parameters are not applicable to this object.")]
    CustomerKeyNotApplicable,
    /// The bucket blocks new objects under customers' keys.
    #[error("Access Denied")]
    CustomerKeyBlocked,
    /// The upload has a customer's key and the part does not, or the reverse.
    #[error(
        "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters."
    )]
    PartKeyRequired,
    /// The part came with another customer's key than the upload.
    #[error("The provided encryption parameters did not match the ones used originally.")]
    PartKeyWrong,
    /// There is no such mode.
    #[error("The encryption method specified is not supported")]
    UnknownMethod {
        /// The mode asked for.
        method: String,
    },
    /// The operation does not take a mode.
    #[error("x-amz-server-side-encryption header is not supported for this operation.")]
    MethodNotTaken {
        /// The mode asked for.
        method: String,
    },
    /// A KMS key came without a mode that uses one.
    #[error(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
    )]
    KmsKeyWithoutMethod,
    /// The profile wants a KMS key with a mode that uses one.
    #[error(
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption-aws-kms-key-id"
    )]
    KmsKeyMissing,
    /// A KMS mode was asked for over a connection that others can read.
    #[error(
        "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection."
    )]
    KmsInsecure,
    /// A KMS mode was asked for without Signature Version 4.
    #[error(
        "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    )]
    KmsNeedsSignatureV4,
    /// The encryption context is not base64 of a JSON object of strings.
    #[error(
        "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map"
    )]
    ContextMalformed,
    /// The wish for a Bucket Key is neither `true` nor `false`.
    #[error(
        "The value of the header x-amz-server-side-encryption-bucket-key-enabled is not valid."
    )]
    BucketKeyMalformed {
        /// What was sent.
        value: String,
    },
    /// A header occurs more than once.
    #[error("The header {name} may occur only once.")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// The KMS refused or could not serve.
    #[error("{message}")]
    Kms {
        /// What was wrong, which gives the code.
        fault: KmsFault,
        /// S3's message.
        message: Cow<'static, str>,
    },
    /// A policy denies the request.
    #[error("Access Denied")]
    Denied,
    /// There is no part of that number.
    #[error("The requested partnumber is not satisfiable")]
    PartNumberNotSatisfiable,
    /// A range and a part number were both asked for.
    #[error("Cannot specify both Range header and partNumber query parameter")]
    RangeWithPartNumber,
    /// A copy of an object onto itself would change nothing.
    #[error(
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."
    )]
    CopyChangesNothing,
    /// There is no such checksum algorithm, or it is not computed here.
    #[error(
        "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
    )]
    ChecksumUnsupported,
    /// A checksum is not base64 of its algorithm's length.
    #[error("Value for {header} header is invalid.")]
    ChecksumInvalid {
        /// The header that holds it.
        header: &'static str,
    },
    /// The content has another checksum.
    #[error("The {algorithm} you specified did not match the calculated checksum.")]
    ChecksumMismatch {
        /// S3's name of the algorithm.
        algorithm: &'static str,
    },
    /// `Content-MD5` is not base64 of 16 bytes.
    #[error("The Content-MD5 you specified was invalid.")]
    ContentMd5Invalid,
    /// The content has another MD5.
    #[error("The Content-MD5 you specified did not match what we received.")]
    ContentMd5Mismatch,
    /// An XML body is not what its schema asks for.
    #[error(
        "The XML you provided was not well-formed or did not validate against our published schema"
    )]
    MalformedXml,
    /// A JSON text is not a bucket's encryption in the form of the AWS SDKs.
    #[error("The JSON is not a server-side encryption configuration in the form of the AWS SDKs")]
    MalformedJson,
    /// A bucket default names a KMS key for a mode that uses none.
    #[error(
        "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
    )]
    DefaultKeyNotApplicable,
    /// The bucket has no default of its own, which the profile tells as an error.
    #[error("The server side encryption configuration was not found")]
    DefaultNotFound,
    /// An update of an object's encryption asks for what cannot be, as the text says.
    #[error("{0}")]
    UpdateRefused(&'static str),
    /// An update of an object's encryption asks for what is not allowed, as the text says.
    #[error("{0}")]
    UpdateDenied(&'static str),
}

/// What a KMS refused, in S3's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KmsFault {
    /// There is no such key.
    NotFound,
    /// The key is disabled.
    Disabled,
    /// The key is in a state that forbids the use, such as pending deletion.
    InvalidState,
    /// The key is not one to encrypt with.
    InvalidUsage,
    /// What the client asks of the KMS is not valid, such as an encryption context with the ARN of
    /// another object.
    InvalidRequest,
    /// The caller may not use the key.
    Denied,
    /// Too many requests.
    Throttled,
    /// The KMS cannot be reached, or failed.
    Unavailable,
}

/// What a client is told: status, code, message, and the argument at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// S3's code, such as `InvalidArgument`.
    pub code: &'static str,
    /// S3's message.
    pub message: String,
    /// `ArgumentName`, where S3 gives one.
    pub argument_name: Option<&'static str>,
    /// `ArgumentValue`, where S3 gives one. Never a key, even if one was sent under a wrong name:
    /// what is as long as a key's MD5 in base64 is not repeated.
    pub argument_value: Option<String>,
}

impl Error {
    /// What a failure to open a stored object of this mode tells the client. None for what is the
    /// host's own to tell: damage, or a fault in it.
    pub fn from_open(error: &object_cipher_core::Error, mode: Mode) -> Option<Self> {
        Self::from_unwrap(error, mode, Self::CustomerKeyWrong)
    }

    /// What a failure to go on with an upload of this mode tells the client; as
    /// [`Error::from_open`].
    pub fn from_upload(error: &object_cipher_core::Error, mode: Mode) -> Option<Self> {
        Self::from_unwrap(error, mode, Self::PartKeyWrong)
    }

    /// A KMS key is named by what can be no key's name.
    pub(crate) fn invalid_key_id(shown: &str) -> Self {
        let message = format!("Invalid keyId '{}'", shown.escape_debug());
        Self::Kms { fault: KmsFault::NotFound, message: Cow::Owned(message) }
    }

    fn from_unwrap(error: &object_cipher_core::Error, mode: Mode, wrong_key: Self) -> Option<Self> {
        use object_cipher_core::Error as Core;
        match (error, mode) {
            (Core::Rejected { step: Step::KeyWrap, .. }, Mode::SseC) => Some(wrong_key),
            (Core::Key(error), Mode::SseKms | Mode::DsseKms) => match error.kind() {
                // Of what is stored, and not of what was asked.
                KeyErrorKind::Integrity
                | KeyErrorKind::WrongKey
                | KeyErrorKind::KeyVersionMissing => None,
                _ => Some(Self::from(error)),
            },
            _ => None,
        }
    }

    /// The answer of a profile.
    pub fn answer(&self, profile: Profile) -> Answer {
        let (status, code) = self.status_and_code(profile);
        let (argument_name, argument_value) = self.argument();
        Answer { status, code, message: self.to_string(), argument_name, argument_value }
    }

    fn status_and_code(&self, profile: Profile) -> (StatusCode, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::CustomerKeyWrong if profile == Profile::Ceph => (BAD, "InvalidRequest"),
            Self::CustomerKeyWrong
            | Self::CustomerKeyBlocked
            | Self::Denied
            | Self::UpdateDenied(_) => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::UnsupportedCustomerAlgorithm { .. } => (BAD, "InvalidEncryptionAlgorithmError"),
            Self::CustomerKeyInsecure
            | Self::CustomerKeyRequired
            | Self::CustomerKeyNotApplicable
            | Self::PartKeyRequired
            | Self::PartKeyWrong
            | Self::RangeWithPartNumber
            | Self::CopyChangesNothing
            | Self::ChecksumUnsupported
            | Self::ChecksumInvalid { .. }
            | Self::UpdateRefused(_) => (BAD, "InvalidRequest"),
            Self::PartNumberNotSatisfiable if profile == Profile::Ceph => (BAD, "InvalidPart"),
            Self::PartNumberNotSatisfiable => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "InvalidPartNumber")
            }
            Self::Kms { fault, .. } => fault.status_and_code(),
            Self::ChecksumMismatch { .. } | Self::ContentMd5Mismatch => (BAD, "BadDigest"),
            Self::ContentMd5Invalid => (BAD, "InvalidDigest"),
            Self::MalformedXml => (BAD, "MalformedXML"),
            Self::DefaultNotFound => {
                (StatusCode::NOT_FOUND, "ServerSideEncryptionConfigurationNotFoundError")
            }
            _ => (BAD, "InvalidArgument"),
        }
    }

    /// `ArgumentName` and `ArgumentValue`.
    fn argument(&self) -> (Option<&'static str>, Option<String>) {
        let sse = Some(header::SSE);
        match self {
            Self::CustomerKeyWithMethod { method: value }
            | Self::UnknownMethod { method: value }
            | Self::MethodNotTaken { method: value }
            | Self::UnsupportedCustomerAlgorithm { algorithm: value } => (sse, Some(value.clone())),
            Self::CustomerAlgorithmMissing
            | Self::CustomerKeyMissing
            | Self::CustomerKeyInvalid
            | Self::CustomerKeyMd5Missing
            | Self::CustomerKeyMd5Mismatch
            | Self::KmsKeyWithoutMethod
            | Self::KmsKeyMissing => (sse, None),
            Self::KmsNeedsSignatureV4 => (Some("Authorization"), Some("null".into())),
            Self::DefaultKeyNotApplicable => (Some("ApplyServerSideEncryptionByDefault"), None),
            Self::Repeated { name } => (Some(name), None),
            _ => (None, None),
        }
    }
}

impl From<&KeyError> for Error {
    /// S3's answer to what a KMS said. The message is the provider's where S3 passes it on.
    fn from(error: &KeyError) -> Self {
        let own = |fault| Self::Kms { fault, message: Cow::Owned(error.message().to_owned()) };
        let fixed = |fault, message| Self::Kms { fault, message: Cow::Borrowed(message) };
        if error.code() == Some("InvalidKeyUsageException") {
            return own(KmsFault::InvalidUsage);
        }
        match error.kind() {
            KeyErrorKind::NotFound => own(KmsFault::NotFound),
            KeyErrorKind::Disabled => own(KmsFault::Disabled),
            KeyErrorKind::InvalidState => own(KmsFault::InvalidState),
            KeyErrorKind::Invalid => own(KmsFault::InvalidRequest),
            KeyErrorKind::Throttled => fixed(
                KmsFault::Throttled,
                "Please reduce your request rate for operations involving AWS KMS.",
            ),
            KeyErrorKind::Denied => fixed(
                KmsFault::Denied,
                "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
            ),
            _ => fixed(KmsFault::Unavailable, "The key management service is not available."),
        }
    }
}

impl KmsFault {
    fn status_and_code(self) -> (StatusCode, &'static str) {
        const BAD: StatusCode = StatusCode::BAD_REQUEST;
        match self {
            Self::NotFound => (BAD, "KMS.NotFoundException"),
            Self::Disabled => (BAD, "KMS.DisabledException"),
            Self::InvalidState => (BAD, "KMS.KMSInvalidStateException"),
            Self::InvalidUsage => (BAD, "KMS.InvalidKeyUsageException"),
            Self::InvalidRequest => (BAD, "InvalidArgument"),
            Self::Denied => (StatusCode::FORBIDDEN, "AccessDenied"),
            Self::Throttled => (StatusCode::SERVICE_UNAVAILABLE, "SlowDown"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        }
    }
}
