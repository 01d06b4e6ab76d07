//! What an answer says of an object's encryption: [`ShownEncryption`].

use http::{HeaderMap, HeaderValue};
use object_cipher_core::{EncryptionContext, Mode};

use crate::{
    CUSTOMER_ALGORITHM, KeyMd5, Operation, Profile, context_header,
    header::{BUCKET_KEY_ENABLED, CONTEXT, CUSTOMER_KEY, KMS_KEY_ID, SSE},
};

/// An object's or upload's encryption, as the answer to the client shows it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ShownEncryption<'a> {
    /// SSE-S3.
    SseS3,
    /// SSE-KMS.
    SseKms {
        /// The full ARN of the KMS key, whatever the request named.
        key_arn: &'a str,
        /// Whether a Bucket Key serves.
        bucket_key: bool,
        /// The caller's encryption context, which only answers to writes show.
        context: &'a EncryptionContext,
    },
    /// DSSE-KMS.
    DsseKms {
        /// The full ARN of the KMS key.
        key_arn: &'a str,
        /// The caller's encryption context.
        context: &'a EncryptionContext,
    },
    /// SSE-C, to a request that brought the key.
    SseC {
        /// The MD5 of the key that the request brought.
        key_md5: KeyMd5,
    },
}

impl ShownEncryption<'_> {
    /// Sets the headers of the answer to an operation that went well.
    ///
    /// `CopyObject` shows the new object's encryption. The answers to `ListParts`,
    /// `GetObjectAttributes` and `SelectObjectContent` show none. Completing an SSE-C upload shows the customer's key in the
    /// profile [`Profile::Ceph`] only.
    pub fn write(&self, operation: Operation, profile: Profile, headers: &mut HeaderMap) {
        use Operation::{GetObjectAttributes, ListParts, SelectObjectContent};
        if matches!(operation, ListParts | GetObjectAttributes | SelectObjectContent) {
            return;
        }
        match self {
            Self::SseS3 => set(headers, SSE, "AES256"),
            Self::SseKms { key_arn, bucket_key, context } => {
                set(headers, SSE, "aws:kms");
                set(headers, KMS_KEY_ID, key_arn);
                if *bucket_key {
                    set(headers, BUCKET_KEY_ENABLED, "true");
                }
                write_context(operation, context, headers);
            }
            Self::DsseKms { key_arn, context } => {
                set(headers, SSE, "aws:kms:dsse");
                set(headers, KMS_KEY_ID, key_arn);
                write_context(operation, context, headers);
            }
            Self::SseC { .. }
                if operation == Operation::CompleteMultipartUpload && profile == Profile::Aws => {}
            Self::SseC { key_md5 } => {
                set(headers, CUSTOMER_KEY.algorithm, CUSTOMER_ALGORITHM);
                headers.insert(CUSTOMER_KEY.key_md5, key_md5.header_value());
            }
        }
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        match self {
            Self::SseS3 => Mode::SseS3,
            Self::SseKms { .. } => Mode::SseKms,
            Self::DsseKms { .. } => Mode::DsseKms,
            Self::SseC { .. } => Mode::SseC,
        }
    }
}

/// Shows the context to whoever chose it, and to nobody who reads.
fn write_context(operation: Operation, context: &EncryptionContext, headers: &mut HeaderMap) {
    if operation.chooses_mode() && !context.is_empty() {
        set(headers, CONTEXT, &context_header::write(context));
    }
}

/// Sets a header, unless the value cannot stand in one.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
