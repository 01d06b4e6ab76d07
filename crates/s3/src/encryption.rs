//! What protects an object, once request and bucket are heard: [`Encryption`].

use object_cipher_core::{EncryptionContext, Mode};

use crate::CustomerKey;

/// How a new object is to be protected: the request's wish, or else the bucket's default.
///
/// A host makes an `ObjectCipher` of it. A KMS key is still as it was named (id, ARN or alias; none
/// for the managed key `aws/s3`), and the encryption context still lacks `aws:s3:arn`: the KMS side
/// resolves both.
#[derive(Debug)]
#[non_exhaustive]
pub enum Encryption {
    /// Under the server's master keyring.
    SseS3,
    /// Under a key of a KMS.
    SseKms {
        /// The KMS key as named.
        key: Option<String>,
        /// The caller's encryption context.
        context: EncryptionContext,
        /// Whether a Bucket Key serves.
        bucket_key: bool,
    },
    /// Two layers, under a key of a KMS.
    DsseKms {
        /// The KMS key as named.
        key: Option<String>,
        /// The caller's encryption context.
        context: EncryptionContext,
    },
    /// Under the customer's key.
    SseC(CustomerKey),
}

impl Encryption {
    /// The mode.
    pub fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
            Self::SseC(_) => Mode::SseC,
        }
    }

    /// Whether a KMS has the key.
    pub fn needs_kms(&self) -> bool {
        matches!(self, Self::SseKms { .. } | Self::DsseKms { .. })
    }
}
