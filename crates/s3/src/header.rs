//! The names of the headers in which S3 speaks of encryption. In POST forms the same names are
//! fields. Source: the API reference of Amazon S3.

/// The mode: `AES256`, `aws:kms` or `aws:kms:dsse`.
pub const SSE: &str = "x-amz-server-side-encryption";
/// The KMS key: an id, an ARN or an alias. Answers name the full ARN.
pub const KMS_KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
/// The encryption context: base64 of a JSON object of strings.
pub const CONTEXT: &str = "x-amz-server-side-encryption-context";
/// Whether a Bucket Key serves the object: `true` or `false`.
pub const BUCKET_KEY_ENABLED: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// The three headers in which a customer's key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerKeyHeaders {
    /// The algorithm, always `AES256`.
    pub algorithm: &'static str,
    /// The key: base64 of 32 bytes.
    pub key: &'static str,
    /// Base64 of the MD5 of the key's bytes.
    pub key_md5: &'static str,
}

/// The key of the object that a request writes or reads.
pub const CUSTOMER_KEY: CustomerKeyHeaders = CustomerKeyHeaders {
    algorithm: "x-amz-server-side-encryption-customer-algorithm",
    key: "x-amz-server-side-encryption-customer-key",
    key_md5: "x-amz-server-side-encryption-customer-key-md5",
};
/// The key of the object that a request copies from.
pub const COPY_SOURCE_CUSTOMER_KEY: CustomerKeyHeaders = CustomerKeyHeaders {
    algorithm: "x-amz-copy-source-server-side-encryption-customer-algorithm",
    key: "x-amz-copy-source-server-side-encryption-customer-key",
    key_md5: "x-amz-copy-source-server-side-encryption-customer-key-md5",
};
