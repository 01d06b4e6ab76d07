//! What a bucket policy sees of a request's encryption: [`ConditionKeys`].

use std::{borrow::Cow, fmt};

use crate::{
    Fields,
    fields::shown,
    header::{CUSTOMER_KEY, SSE},
};

/// The values of the three condition keys by which a policy speaks of encryption.
///
/// Two of them see the request's header and nothing else: the bucket's default does not satisfy
/// them, and a value that means nothing is seen all the same, since policy is judged before the
/// headers are. The third sees the KMS key that the object will be under, as a full ARN, wherever
/// it came from.
///
/// ```
/// use http::HeaderMap;
/// use object_cipher_s3::ConditionKeys;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("x-amz-server-side-encryption", "AES192".parse()?);
/// let keys = ConditionKeys::of(&headers, None);
/// assert_eq!(keys.get("s3:x-amz-server-side-encryption"), Some("AES192"));
/// assert_eq!(keys.get(ConditionKeys::CUSTOMER_ALGORITHM), None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone)]
pub struct ConditionKeys<'a> {
    sse: Option<Cow<'a, str>>,
    customer_algorithm: Option<Cow<'a, str>>,
    kms_key_arn: Option<&'a str>,
}

impl<'a> ConditionKeys<'a> {
    /// Sees the header of the mode.
    pub const SSE: &'static str = "s3:x-amz-server-side-encryption";
    /// Sees the header of the customer's algorithm.
    pub const CUSTOMER_ALGORITHM: &'static str =
        "s3:x-amz-server-side-encryption-customer-algorithm";
    /// Sees the KMS key.
    pub const KMS_KEY_ID: &'static str = "s3:x-amz-server-side-encryption-aws-kms-key-id";

    /// What a policy sees of a request's headers or form fields: the first value of each. What is
    /// not UTF-8 is seen with replacement characters.
    ///
    /// `kms_key_arn` is the KMS key that the object will be under: the request's or the bucket's,
    /// resolved by the host to a full ARN. None when it will be under no KMS key.
    pub fn of<F: Fields>(fields: &'a F, kms_key_arn: Option<&'a str>) -> Self {
        let first = |name| fields.values(name).next().map(String::from_utf8_lossy);
        Self { sse: first(SSE), customer_algorithm: first(CUSTOMER_KEY.algorithm), kms_key_arn }
    }

    /// The value of a condition key, whose name is in any case. None for one that is not there, and
    /// for keys that do not speak of encryption.
    pub fn get(&self, condition_key: &str) -> Option<&str> {
        let values = [
            (Self::SSE, self.sse.as_deref()),
            (Self::CUSTOMER_ALGORITHM, self.customer_algorithm.as_deref()),
            (Self::KMS_KEY_ID, self.kms_key_arn),
        ];
        let found = values.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(condition_key));
        found.and_then(|(_, value)| value)
    }

    /// Whether the name, in any case, is one of the three.
    pub fn contains(condition_key: &str) -> bool {
        [Self::SSE, Self::CUSTOMER_ALGORITHM, Self::KMS_KEY_ID]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(condition_key))
    }
}

impl fmt::Debug for ConditionKeys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = |value: &Option<Cow<'_, str>>| value.as_ref().map(|v| shown(v.as_bytes()));
        f.debug_struct("ConditionKeys")
            .field("sse", &value(&self.sse))
            .field("customer_algorithm", &value(&self.customer_algorithm))
            .field("kms_key_arn", &self.kms_key_arn)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::{FormFields, header::KMS_KEY_ID};

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd";

    fn headers(pairs: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    }

    #[test]
    fn the_first_value_is_seen_before_any_validation() {
        let headers = headers(&[
            (SSE, b""),
            (SSE, b"AES256"),
            (CUSTOMER_KEY.algorithm, b"\xff192"),
            (CUSTOMER_KEY.key, b"never seen"),
        ]);
        let keys = ConditionKeys::of(&headers, None);
        assert_eq!(keys.get(ConditionKeys::SSE), Some(""));
        assert_eq!(keys.get(ConditionKeys::CUSTOMER_ALGORITHM), Some("\u{fffd}192"));
        assert!(!format!("{keys:?}").contains("never seen"));
    }

    #[test]
    fn a_request_without_headers_has_no_values_whatever_the_bucket_does() {
        let headers = headers(&[]);
        let keys = ConditionKeys::of(&headers, Some(ARN));
        assert_eq!(keys.get(ConditionKeys::SSE), None, "4");
        assert_eq!(keys.get(ConditionKeys::CUSTOMER_ALGORITHM), None, "4");
        assert_eq!(keys.get(ConditionKeys::KMS_KEY_ID), Some(ARN), "4");
    }

    #[test]
    fn the_kms_key_is_the_one_that_will_be_used() {
        let headers = headers(&[(SSE, b"aws:kms"), (KMS_KEY_ID, b"alias/photos")]);
        for arn in [Some(ARN), None] {
            let keys = ConditionKeys::of(&headers, arn);
            assert_eq!(keys.get(ConditionKeys::KMS_KEY_ID), arn);
        }
    }

    #[test]
    fn form_fields_are_seen_like_headers_and_names_in_any_case() {
        let form = [("X-Amz-Server-Side-Encryption".to_owned(), "AES256".to_owned())];
        let form = FormFields(&form);
        let keys = ConditionKeys::of(&form, None);
        assert_eq!(keys.get("S3:X-Amz-Server-Side-Encryption"), Some("AES256"));
        assert_eq!(keys.get("s3:prefix"), None);
        assert!(ConditionKeys::contains("s3:X-AMZ-server-side-encryption-AWS-kms-key-id"));
        assert!(!ConditionKeys::contains("x-amz-server-side-encryption"));
    }
}
