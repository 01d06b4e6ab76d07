//! What a request that writes asks for: [`SseRequest`].

use object_cipher_core::{EncryptionContext, Mode};

use crate::{
    Arrival, BucketEncryption, DefaultEncryption, Encryption, Error, Fields, Profile, Result,
    bucket_encryption::is_key_name,
    context_header,
    fields::{one, shown, text},
    header::{BUCKET_KEY_ENABLED, CONTEXT, CUSTOMER_KEY, KMS_KEY_ID, SSE},
    sent_key::SentKey,
};

/// What `PutObject`, `PostObject`, `CreateMultipartUpload` and `CopyObject` ask for, with what the
/// bucket does by default.
///
/// ```
/// use http::HeaderMap;
/// use object_cipher_core::Mode;
/// use object_cipher_s3::{Arrival, BucketEncryption, Profile, SseRequest, header};
///
/// let arrival = Arrival { secure: true, signature_v4: true };
/// let mut headers = HeaderMap::new();
/// headers.insert(header::SSE, "aws:kms".parse().unwrap());
///
/// let bucket = BucketEncryption::unset();
/// let request = SseRequest::parse(&headers, arrival, &bucket, Profile::Aws)?;
/// assert_eq!(request.encryption.mode(), Mode::SseKms);
/// # Ok::<(), object_cipher_s3::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct SseRequest {
    /// How the new object is to be protected.
    pub encryption: Encryption,
    /// Whether the request chose, and not the bucket's default.
    pub explicit: bool,
}

impl SseRequest {
    /// Reads a request's headers or form fields, in the order in which S3 judges them: customers'
    /// keys blocked, connection, customer's key beside a mode, the customer's key itself, mode and
    /// KMS key. Bucket policy comes before all of it and is the host's.
    ///
    /// With a customer's key, and with `AES256`, an encryption context and a wish for a Bucket Key
    /// mean nothing and are passed over, as S3 does. For `aws:kms` without a wish of its own the
    /// bucket's Bucket Key setting holds.
    ///
    /// # Errors
    /// The first fault in that order.
    pub fn parse<F: Fields>(
        fields: &F,
        arrival: Arrival,
        bucket: &BucketEncryption,
        profile: Profile,
    ) -> Result<Self> {
        if bucket.blocks_customer_keys() && SentKey::is_in(fields, CUSTOMER_KEY) {
            return Err(Error::CustomerKeyBlocked);
        }
        let sent = SentKey::take(fields, CUSTOMER_KEY, arrival)?;
        let method = one(fields, SSE)?;
        let explicit = sent.is_some() || method.is_some();
        let encryption = match (sent, method) {
            (Some(_), Some(method)) => {
                return Err(Error::CustomerKeyWithMethod { method: shown(method) });
            }
            (Some(sent), None) => {
                let key = sent.to_write()?;
                refuse_kms_key(fields)?;
                Encryption::SseC(key)
            }
            (None, Some(method)) => by_method(method, fields, arrival, bucket, profile)?,
            (None, None) => by_default(fields, bucket)?,
        };
        arrival.admit(encryption.mode())?;
        Ok(Self { encryption, explicit })
    }
}

/// Refuses a mode where an operation takes none; Ceph passes over it within an upload.
pub(crate) fn refuse_method<F: Fields>(fields: &F, profile: Profile) -> Result<()> {
    if profile == Profile::Ceph {
        return Ok(());
    }
    match one(fields, SSE)? {
        Some(method) => Err(Error::MethodNotTaken { method: shown(method) }),
        None => Ok(()),
    }
}

/// What the header `x-amz-server-side-encryption` asks for.
fn by_method<F: Fields>(
    method: &[u8],
    fields: &F,
    arrival: Arrival,
    bucket: &BucketEncryption,
    profile: Profile,
) -> Result<Encryption> {
    match method {
        b"AES256" => {
            refuse_kms_key(fields)?;
            Ok(Encryption::SseS3)
        }
        b"aws:kms" => {
            arrival.admit(Mode::SseKms)?;
            Ok(Encryption::SseKms {
                key: kms_key(fields, profile)?,
                context: context(fields)?,
                bucket_key: bucket_key(fields)?.unwrap_or(bucket.uses_bucket_key()),
            })
        }
        b"aws:kms:dsse" => {
            arrival.admit(Mode::DsseKms)?;
            Ok(Encryption::DsseKms { key: kms_key(fields, profile)?, context: context(fields)? })
        }
        _ => Err(Error::UnknownMethod { method: shown(method) }),
    }
}

/// What the bucket does by default. The request may still bring a context and a wish for a Bucket
/// Key.
fn by_default<F: Fields>(fields: &F, bucket: &BucketEncryption) -> Result<Encryption> {
    refuse_kms_key(fields)?;
    Ok(match bucket.default_encryption() {
        DefaultEncryption::SseS3 { .. } => Encryption::SseS3,
        DefaultEncryption::SseKms { key, bucket_key: by_default } => Encryption::SseKms {
            key: key.clone(),
            context: context(fields)?,
            bucket_key: bucket_key(fields)?.unwrap_or(*by_default),
        },
        DefaultEncryption::DsseKms { key, .. } => {
            Encryption::DsseKms { key: key.clone(), context: context(fields)? }
        }
    })
}

fn refuse_kms_key<F: Fields>(fields: &F) -> Result<()> {
    match one(fields, KMS_KEY_ID)? {
        Some(_) => Err(Error::KmsKeyWithoutMethod),
        None => Ok(()),
    }
}

/// The KMS key as named; an empty name counts as none. What no KMS could have a key by is answered
/// here as a KMS would, and so is what may be a customer's key in base64: a KMS would repeat it.
fn kms_key<F: Fields>(fields: &F, profile: Profile) -> Result<Option<String>> {
    match one(fields, KMS_KEY_ID)?.filter(|key| !key.is_empty()).map(text) {
        Some(key) if is_key_name(&key) && !key.ends_with('=') => Ok(Some(key)),
        Some(key) => Err(Error::invalid_key_id(&shown(key.as_bytes()))),
        None if profile == Profile::Ceph => Err(Error::KmsKeyMissing),
        None => Ok(None),
    }
}

fn context<F: Fields>(fields: &F) -> Result<EncryptionContext> {
    one(fields, CONTEXT)?.map_or_else(|| Ok(EncryptionContext::new()), context_header::parse)
}

fn bucket_key<F: Fields>(fields: &F) -> Result<Option<bool>> {
    match one(fields, BUCKET_KEY_ENABLED)? {
        None => Ok(None),
        Some(wish) if wish.eq_ignore_ascii_case(b"true") => Ok(Some(true)),
        Some(wish) if wish.eq_ignore_ascii_case(b"false") => Ok(Some(false)),
        Some(wish) => Err(Error::BucketKeyMalformed { value: shown(wish) }),
    }
}
