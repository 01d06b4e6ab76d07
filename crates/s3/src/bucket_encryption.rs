//! How a bucket encrypts new objects that do not say: [`BucketEncryption`].

mod json;
mod xml;

use object_cipher_core::Mode;
use serde::{Deserialize, Serialize};

use crate::{Error, Profile, Result};

/// Bytes of a configuration, at most.
const MAX_LEN: usize = 64 * 1024;
/// Characters of a KMS key's id, ARN or alias, at most.
const MAX_KEY_LEN: usize = 2_048;

/// A bucket's encryption: what new objects get by default, and whether customers' keys are blocked.
///
/// It is what `PutBucketEncryption` sent, as it was sent, and its XML and JSON read back as the
/// same value. A bucket that never got one, or whose own was deleted, has one without a default,
/// which means SSE-S3.
///
/// ```
/// use object_cipher_s3::{BucketEncryption, CustomerKeyUse, DefaultEncryption, Profile};
///
/// # fn main() -> object_cipher_s3::Result<()> {
/// let new_bucket = BucketEncryption::unset_blocking();
/// assert_eq!(new_bucket.default_encryption(), &DefaultEncryption::SseS3);
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
    /// `BucketKeyEnabled` with a mode that has no Bucket Key: kept and shown, without effect.
    idle_bucket_key: bool,
    customer_keys: Option<CustomerKeyUse>,
}

/// What a bucket does with an object whose request does not name a mode.
///
/// A KMS key is what the bucket's owner wrote: an id, an ARN or an alias. Without one it is the
/// account's managed key, `aws/s3`. The host resolves it when an object is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefaultEncryption {
    /// SSE-S3: `AES256`.
    SseS3,
    /// SSE-KMS: `aws:kms`.
    SseKms {
        /// The KMS key.
        key: Option<String>,
        /// Whether a Bucket Key serves the objects.
        bucket_key: bool,
    },
    /// DSSE-KMS: `aws:kms:dsse`, which knows no Bucket Keys.
    DsseKms {
        /// The KMS key.
        key: Option<String>,
    },
}

/// Whether a bucket takes new objects under customers' keys. Old ones can be read either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CustomerKeyUse {
    /// It does not: `BlockedEncryptionTypes` is `SSE-C`.
    Blocked,
    /// It does: `BlockedEncryptionTypes` is `NONE`.
    Allowed,
}

impl BucketEncryption {
    /// Of a bucket that never got a configuration, and takes customers' keys: as AWS began new
    /// buckets until April 2026, and as all other implementations do.
    pub const fn unset() -> Self {
        Self { default: None, idle_bucket_key: false, customer_keys: None }
    }

    /// Of a bucket that never got a configuration, and blocks customers' keys: as AWS begins new
    /// buckets since April 2026.
    pub const fn unset_blocking() -> Self {
        Self { default: None, idle_bucket_key: false, customer_keys: Some(CustomerKeyUse::Blocked) }
    }

    /// Of a bucket that got this default, and leaves the use of customers' keys as it is.
    ///
    /// # Errors
    /// [`Error::MalformedXml`] unless the KMS key is 1 to 2,048 visible ASCII characters.
    pub fn new(default: DefaultEncryption) -> Result<Self> {
        if default.kms_key().is_some_and(|key| !is_key_name(key)) {
            return Err(Error::MalformedXml);
        }
        Ok(Self { default: Some(default), ..Self::unset() })
    }

    /// The same, with this use of customers' keys.
    #[must_use]
    pub fn with_customer_keys(self, allowed: CustomerKeyUse) -> Self {
        Self { customer_keys: Some(allowed), ..self }
    }

    /// The body of `PutBucketEncryption`. Check first that the bucket exists.
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
    /// [`Error::DefaultNotFound`] for such a bucket in profile `ceph`.
    pub fn shown(&self, profile: Profile) -> Result<Self> {
        match (&self.default, profile) {
            (None, Profile::Ceph) => Err(Error::DefaultNotFound),
            _ => Ok(Self { default: Some(self.default_encryption().clone()), ..self.clone() }),
        }
    }

    /// What is in effect after this was put over `previous`: a configuration that does not speak
    /// of customers' keys leaves their use as it was.
    #[must_use]
    pub fn merged_over(self, previous: &Self) -> Self {
        Self { customer_keys: self.customer_keys.or(previous.customer_keys), ..self }
    }

    /// What is in effect after `DeleteBucketEncryption`: no default of its own, and customers' keys
    /// used as before, so that a deletion never unblocks them.
    #[must_use]
    pub fn deleted(&self) -> Self {
        Self::unset().merged_over(self)
    }

    /// What new objects get.
    pub fn default_encryption(&self) -> &DefaultEncryption {
        self.default.as_ref().unwrap_or(&DefaultEncryption::SseS3)
    }

    /// Whether the bucket got a default of its own, be it SSE-S3. If so, an object may be copied
    /// onto itself without another change.
    pub const fn is_set(&self) -> bool {
        self.default.is_some()
    }

    /// `BucketKeyEnabled` as it was put. It has an effect with SSE-KMS only.
    pub const fn bucket_key_enabled(&self) -> bool {
        match &self.default {
            Some(DefaultEncryption::SseKms { bucket_key, .. }) => *bucket_key,
            _ => self.idle_bucket_key,
        }
    }

    /// What the configuration says of customers' keys, if it does.
    pub const fn customer_key_use(&self) -> Option<CustomerKeyUse> {
        self.customer_keys
    }

    /// Whether new objects under customers' keys are refused.
    pub fn blocks_customer_keys(&self) -> bool {
        self.customer_keys == Some(CustomerKeyUse::Blocked)
    }

    fn from_rules(rules: Vec<Rule>, malformed: &Error) -> Result<Self> {
        let [rule] = <[Rule; 1]>::try_from(rules).map_err(|_| malformed.clone())?;
        let flag = rule.bucket_key_enabled.unwrap_or(false);
        let default = rule.apply.map(|apply| apply.parse(flag, malformed)).transpose()?;
        let customer_keys = rule.blocked.map(|blocked| blocked.parse(malformed)).transpose()?;
        let idle_bucket_key = flag && !matches!(default, Some(DefaultEncryption::SseKms { .. }));
        Ok(Self { default, idle_bucket_key, customer_keys })
    }

    fn to_rule(&self) -> Rule {
        Rule {
            apply: self.default.as_ref().map(|default| Apply {
                algorithm: default.algorithm().to_owned(),
                key: default.kms_key().map(str::to_owned),
            }),
            bucket_key_enabled: Some(self.bucket_key_enabled()),
            blocked: self
                .customer_keys
                .map(|allowed| Blocked { types: vec![allowed.encryption_type().to_owned()] }),
        }
    }
}

impl DefaultEncryption {
    /// The mode.
    pub const fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
        }
    }

    /// `SSEAlgorithm`.
    pub const fn algorithm(&self) -> &'static str {
        match self {
            Self::SseS3 => "AES256",
            Self::SseKms { .. } => "aws:kms",
            Self::DsseKms { .. } => "aws:kms:dsse",
        }
    }

    /// The KMS key, as the bucket's owner wrote it.
    pub fn kms_key(&self) -> Option<&str> {
        match self {
            Self::SseS3 => None,
            Self::SseKms { key, .. } | Self::DsseKms { key } => key.as_deref(),
        }
    }
}

impl CustomerKeyUse {
    const ALL: [Self; 2] = [Self::Blocked, Self::Allowed];

    const fn encryption_type(self) -> &'static str {
        match self {
            Self::Blocked => "SSE-C",
            Self::Allowed => "NONE",
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
            ("AES256", None) => Ok(DefaultEncryption::SseS3),
            ("AES256", Some(_)) => Err(Error::DefaultKeyNotApplicable),
            ("aws:kms", key) => Ok(DefaultEncryption::SseKms { key, bucket_key }),
            ("aws:kms:dsse", key) => Ok(DefaultEncryption::DsseKms { key }),
            _ => Err(malformed.clone()),
        }
    }
}

impl Blocked {
    fn parse(self, malformed: &Error) -> Result<CustomerKeyUse> {
        let found = match self.types.as_slice() {
            [only] => {
                CustomerKeyUse::ALL.into_iter().find(|allowed| allowed.encryption_type() == only)
            }
            _ => None,
        };
        found.ok_or_else(|| malformed.clone())
    }
}

/// Whether it can be a KMS key's id, ARN or alias, and stand in a header. Whether there is such a
/// key is not looked at.
fn is_key_name(key: &str) -> bool {
    (1..=MAX_KEY_LEN).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests;
