//! What a bucket does with new objects: [`BucketEncryption`].

/// A bucket's encryption settings: what it does by default and what it blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketEncryption {
    default: DefaultEncryption,
    customer_keys_blocked: bool,
}

/// How a bucket protects new objects whose request does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultEncryption {
    /// Under the server's master keyring.
    SseS3 {
        /// `BucketKeyEnabled` as it was set; it means nothing here.
        bucket_key: bool,
    },
    /// Under a key of a KMS.
    SseKms {
        /// The KMS key as it was set: an id, an ARN or an alias.
        key: Option<String>,
        /// Whether a Bucket Key serves.
        bucket_key: bool,
    },
    /// Two layers, under a key of a KMS.
    DsseKms {
        /// The KMS key as it was set.
        key: Option<String>,
        /// `BucketKeyEnabled` as it was set; it means nothing here.
        bucket_key: bool,
    },
}

impl BucketEncryption {
    /// A bucket that nobody configured: `AES256`, and nothing blocked.
    pub const fn unset() -> Self {
        Self {
            default: DefaultEncryption::SseS3 { bucket_key: false },
            customer_keys_blocked: false,
        }
    }

    /// A bucket with a default.
    pub const fn with_default(default: DefaultEncryption) -> Self {
        Self { default, customer_keys_blocked: false }
    }

    /// Blocks new objects under customers' keys, or allows them.
    #[must_use]
    pub fn with_customer_keys_blocked(mut self, blocked: bool) -> Self {
        self.customer_keys_blocked = blocked;
        self
    }

    /// How new objects are protected whose request does not say.
    pub fn default_encryption(&self) -> &DefaultEncryption {
        &self.default
    }

    /// Whether new objects under customers' keys are refused.
    pub fn blocks_customer_keys(&self) -> bool {
        self.customer_keys_blocked
    }

    /// Whether SSE-KMS objects use a Bucket Key unless the request says otherwise.
    pub fn uses_bucket_key(&self) -> bool {
        matches!(self.default, DefaultEncryption::SseKms { bucket_key: true, .. })
    }
}
