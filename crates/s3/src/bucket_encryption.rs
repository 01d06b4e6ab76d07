//! How a bucket encrypts new objects that do not say: [`BucketEncryption`].

mod json;
mod xml;

use object_cipher_core::Mode;
use serde::{Deserialize, Serialize};

use crate::{Error, Profile, Result};

/// Characters of a KMS key's id, ARN or alias, at most.
const MAX_KEY_LEN: usize = 2_048;

/// A bucket's encryption: what new objects get by default, and whether customers' keys are blocked.
///
/// It is what `PutBucketEncryption` sent, as it was sent, and its XML and JSON read back as the
/// same value. A bucket that never got one, or whose own was deleted, has one without a default,
/// which means SSE-S3.
///
/// ```
/// use object_cipher_core::Mode;
/// use object_cipher_s3::{BucketEncryption, Profile};
///
/// # fn main() -> object_cipher_s3::Result<()> {
/// let new_bucket = BucketEncryption::unset_blocking();
/// assert_eq!(new_bucket.default_encryption().mode(), Mode::SseS3);
///
/// let put = BucketEncryption::from_xml(
///     b"<ServerSideEncryptionConfiguration><Rule>\
///         <ApplyServerSideEncryptionByDefault>\
///           <SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/photos</KMSMasterKeyID>\
///         </ApplyServerSideEncryptionByDefault>\
///         <BucketKeyEnabled>true</BucketKeyEnabled>\
///       </Rule></ServerSideEncryptionConfiguration>",
/// )?;
/// let bucket = put.merged_over(&new_bucket);
/// assert!(bucket.blocks_customer_keys());
/// assert_eq!(
///     bucket.shown(Profile::Aws)?.to_json(),
///     r#"{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"aws:kms","#.to_owned()
///         + r#""KMSMasterKeyID":"alias/photos"},"BucketKeyEnabled":true,"#
///         + r#""BlockedEncryptionTypes":{"EncryptionType":["SSE-C"]}}]}"#
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketEncryption {
    default: Option<DefaultEncryption>,
    customer_keys_blocked: Option<bool>,
}

/// How a bucket protects new objects whose request does not say.
///
/// A KMS key is what the bucket's owner wrote: an id, an ARN or an alias; none for the account's
/// managed key, `aws/s3`. The host resolves it when an object is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultEncryption {
    /// Under the server's master keyring: `AES256`.
    SseS3 {
        /// `BucketKeyEnabled` as it was set; it means nothing here.
        bucket_key: bool,
    },
    /// Under a key of a KMS: `aws:kms`.
    SseKms {
        /// The KMS key as it was set.
        key: Option<String>,
        /// Whether a Bucket Key serves.
        bucket_key: bool,
    },
    /// Two layers, under a key of a KMS: `aws:kms:dsse`.
    DsseKms {
        /// The KMS key as it was set.
        key: Option<String>,
        /// `BucketKeyEnabled` as it was set; it means nothing here.
        bucket_key: bool,
    },
}

impl BucketEncryption {
    /// Of a bucket that nobody configured, and that takes customers' keys: as AWS began new buckets
    /// until April 2026, and as other implementations do.
    pub const fn unset() -> Self {
        Self { default: None, customer_keys_blocked: None }
    }

    /// Of a bucket that nobody configured, and that blocks customers' keys: as AWS begins new
    /// buckets since April 2026.
    pub const fn unset_blocking() -> Self {
        Self { default: None, customer_keys_blocked: Some(true) }
    }

    /// Of a bucket with a default, which says nothing of customers' keys.
    ///
    /// A KMS key is taken as it is; one that [`BucketEncryption::from_xml`] would refuse does not
    /// read back.
    pub const fn with_default(default: DefaultEncryption) -> Self {
        Self { default: Some(default), customer_keys_blocked: None }
    }

    /// Blocks new objects under customers' keys, or allows them. Old ones can be read either way.
    #[must_use]
    pub fn with_customer_keys_blocked(mut self, blocked: bool) -> Self {
        self.customer_keys_blocked = Some(blocked);
        self
    }

    /// The body of `PutBucketEncryption`. Check first that the bucket exists, and then what is in
    /// effect by [`BucketEncryption::merged_over`].
    ///
    /// # Errors
    /// [`Error::MalformedXml`] for what is no XML, is longer than 64 KiB, has not just one rule or
    /// is not of S3's schema; [`Error::DefaultKeyNotApplicable`] for a KMS key with `AES256`.
    pub fn from_xml(body: &[u8]) -> Result<Self> {
        Self::from_rules(xml::parse(body)?, &Error::MalformedXml)
    }

    /// The configuration in the JSON form of the AWS SDKs and the AWS CLI.
    ///
    /// # Errors
    /// [`Error::MalformedJson`] and [`Error::DefaultKeyNotApplicable`], as
    /// [`BucketEncryption::from_xml`].
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_rules(json::parse(text)?, &Error::MalformedJson)
    }

    /// This configuration as XML. For the answer to `GetBucketEncryption`, take that of
    /// [`BucketEncryption::shown`].
    pub fn to_xml(&self) -> String {
        xml::write(&self.to_rule())
    }

    /// This configuration as JSON, in the form of the AWS SDKs.
    pub fn to_json(&self) -> String {
        json::write(self.to_rule())
    }

    /// What `GetBucketEncryption` shows: a bucket without a default of its own shows SSE-S3.
    ///
    /// # Errors
    /// [`Error::DefaultNotFound`] for such a bucket in profile [`Profile::Ceph`].
    pub fn shown(&self, profile: Profile) -> Result<Self> {
        match (&self.default, profile) {
            (None, Profile::Ceph) => Err(Error::DefaultNotFound),
            _ => Ok(Self { default: Some(self.default_encryption().clone()), ..self.clone() }),
        }
    }

    /// What is in effect after this was put over `previous`: a configuration that says nothing of
    /// customers' keys leaves them as they were.
    #[must_use]
    pub fn merged_over(mut self, previous: &Self) -> Self {
        self.customer_keys_blocked = self.customer_keys_blocked.or(previous.customer_keys_blocked);
        self
    }

    /// What is in effect after `DeleteBucketEncryption`: no default of its own, and customers' keys
    /// as before, so that a deletion never unblocks them.
    #[must_use]
    pub fn deleted(&self) -> Self {
        Self::unset().merged_over(self)
    }

    /// How new objects are protected whose request does not say.
    pub fn default_encryption(&self) -> &DefaultEncryption {
        self.default.as_ref().unwrap_or(&DefaultEncryption::SseS3 { bucket_key: false })
    }

    /// Whether the bucket has a default of its own, be it SSE-S3. If so, an object may be copied
    /// onto itself without another change.
    pub const fn is_set(&self) -> bool {
        self.default.is_some()
    }

    /// Whether new objects under customers' keys are refused.
    pub fn blocks_customer_keys(&self) -> bool {
        self.customer_keys_blocked.unwrap_or(false)
    }

    /// Whether SSE-KMS objects use a Bucket Key unless the request says otherwise.
    pub fn uses_bucket_key(&self) -> bool {
        matches!(self.default, Some(DefaultEncryption::SseKms { bucket_key: true, .. }))
    }

    fn from_rules(rules: Vec<Rule>, malformed: &Error) -> Result<Self> {
        let [rule] = <[Rule; 1]>::try_from(rules).map_err(|_| malformed.clone())?;
        let bucket_key = rule.bucket_key_enabled.unwrap_or(false);
        let default = match rule.apply {
            Some(apply) => Some(apply.parse(bucket_key, malformed)?),
            None => bucket_key.then_some(DefaultEncryption::SseS3 { bucket_key }),
        };
        let blocked = rule.blocked.map(|blocked| blocked.parse(malformed)).transpose()?;
        Ok(Self { default, customer_keys_blocked: blocked })
    }

    fn to_rule(&self) -> Rule {
        Rule {
            apply: self.default.as_ref().map(|default| Apply {
                algorithm: default.algorithm().to_owned(),
                key: default.kms_key().map(str::to_owned),
            }),
            bucket_key_enabled: self.default.as_ref().map(DefaultEncryption::bucket_key_enabled),
            blocked: self.customer_keys_blocked.map(Blocked::new),
        }
    }
}

impl DefaultEncryption {
    /// The mode.
    pub const fn mode(&self) -> Mode {
        match self {
            Self::SseS3 { .. } => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
        }
    }

    /// The KMS key as it was set.
    pub fn kms_key(&self) -> Option<&str> {
        match self {
            Self::SseS3 { .. } => None,
            Self::SseKms { key, .. } | Self::DsseKms { key, .. } => key.as_deref(),
        }
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::SseS3 { .. } => "AES256",
            Self::SseKms { .. } => "aws:kms",
            Self::DsseKms { .. } => "aws:kms:dsse",
        }
    }

    fn bucket_key_enabled(&self) -> bool {
        match self {
            Self::SseS3 { bucket_key }
            | Self::SseKms { bucket_key, .. }
            | Self::DsseKms { bucket_key, .. } => *bucket_key,
        }
    }
}

/// The rule of a configuration, before its values are looked at.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(
        rename = "ApplyServerSideEncryptionByDefault",
        skip_serializing_if = "Option::is_none"
    )]
    apply: Option<Apply>,
    #[serde(rename = "BucketKeyEnabled", skip_serializing_if = "Option::is_none")]
    bucket_key_enabled: Option<bool>,
    #[serde(rename = "BlockedEncryptionTypes", skip_serializing_if = "Option::is_none")]
    blocked: Option<Blocked>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    #[serde(rename = "SSEAlgorithm")]
    algorithm: String,
    #[serde(rename = "KMSMasterKeyID", skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Blocked {
    #[serde(rename = "EncryptionType")]
    types: Vec<String>,
}

impl Apply {
    fn parse(self, bucket_key: bool, malformed: &Error) -> Result<DefaultEncryption> {
        let Self { algorithm, key } = self;
        if key.as_deref().is_some_and(|key| !is_key_name(key)) {
            return Err(malformed.clone());
        }
        match (algorithm.as_str(), key) {
            ("AES256", None) => Ok(DefaultEncryption::SseS3 { bucket_key }),
            ("AES256", Some(_)) => Err(Error::DefaultKeyNotApplicable),
            ("aws:kms", key) => Ok(DefaultEncryption::SseKms { key, bucket_key }),
            ("aws:kms:dsse", key) => Ok(DefaultEncryption::DsseKms { key, bucket_key }),
            _ => Err(malformed.clone()),
        }
    }
}

impl Blocked {
    fn new(customer_keys_blocked: bool) -> Self {
        let kind = if customer_keys_blocked { "SSE-C" } else { "NONE" };
        Self { types: vec![kind.to_owned()] }
    }

    fn parse(self, malformed: &Error) -> Result<bool> {
        match self.types.as_slice() {
            [kind] if kind == "SSE-C" => Ok(true),
            [kind] if kind == "NONE" => Ok(false),
            _ => Err(malformed.clone()),
        }
    }
}

/// Whether it can be a KMS key's id, ARN or alias, and stand in a header. Whether there is such a
/// key is not looked at.
pub(crate) fn is_key_name(key: &str) -> bool {
    (1..=MAX_KEY_LEN).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
