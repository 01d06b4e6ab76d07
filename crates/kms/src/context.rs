//! Encryption contexts as S3 makes them and as providers take them.

use object_cipher_core::{EncryptionContext, KeyError, KeyErrorKind};

use crate::KmsResult;

/// The pair that the server sets: which object, or with a Bucket Key which bucket.
pub const ARN_PAIR: &str = "aws:s3:arn";

const BYTES: &[u8] = b"object-cipher/v1/kms-context\0";

/// The ARN of an object.
pub fn object_arn(bucket: &str, key: &str) -> String {
    format!("arn:aws:s3:::{bucket}/{key}")
}

/// The ARN of a bucket: what a Bucket Key is bound to.
pub fn bucket_arn(bucket: &str) -> String {
    format!("arn:aws:s3:::{bucket}")
}

/// The whole context of an object: the caller's pairs and [`ARN_PAIR`].
///
/// ```
/// use object_cipher_core::EncryptionContext;
/// use object_cipher_kms::{ARN_PAIR, effective_context, object_arn};
///
/// let arn = object_arn("photos", "cat.jpg");
/// let context = effective_context(&EncryptionContext::new(), &arn)?;
/// assert_eq!(context.get(ARN_PAIR), Some("arn:aws:s3:::photos/cat.jpg"));
/// # Ok::<(), object_cipher_core::KeyError>(())
/// ```
///
/// # Errors
/// [`KeyErrorKind::Invalid`] when the caller names another ARN, and when the whole is longer than
/// 8 KiB.
pub fn effective_context(caller: &EncryptionContext, arn: &str) -> KmsResult<EncryptionContext> {
    let invalid = |message: String| KeyError::new(KeyErrorKind::Invalid, message);
    match caller.get(ARN_PAIR) {
        Some(named) if named == arn => Ok(caller.clone()),
        Some(_) => Err(invalid(format!("the encryption context names another {ARN_PAIR}"))),
        None => {
            let mut context = caller.clone();
            let added = context.insert_reserved(ARN_PAIR, arn);
            added.map_err(|error| invalid(format!("encryption context: {error}")))?;
            Ok(context)
        }
    }
}

/// A context for providers that bind bytes and not pairs: no two contexts are the same.
///
/// `object-cipher/v1/kms-context`, a zero byte, and the canonical form
/// ([`EncryptionContext::canonical`]).
pub fn context_bytes(context: &EncryptionContext) -> Vec<u8> {
    let mut bytes = BYTES.to_vec();
    bytes.extend(context.canonical());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &str)]) -> EncryptionContext {
        let mut context = EncryptionContext::new();
        for (key, value) in pairs {
            context.insert(*key, *value).unwrap();
        }
        context
    }

    #[test]
    fn k2_contexts_that_look_alike_have_different_bytes() {
        let contexts = [
            context(&[]),
            context(&[("a", "1b2")]),
            context(&[("a", "1"), ("b", "2")]),
            context(&[("a", "1"), ("b2", "")]),
            context(&[("A", "1"), ("b", "2")]),
        ];
        for (index, one) in contexts.iter().enumerate() {
            for other in &contexts[index + 1..] {
                assert_ne!(context_bytes(one), context_bytes(other));
            }
        }
    }

    #[test]
    fn the_arn_is_added_and_a_wrong_one_is_refused() {
        let arn = bucket_arn("photos");
        let mut own = context(&[("team", "red")]);
        assert_eq!(effective_context(&own, &arn).unwrap().len(), 2);
        own.insert_reserved(ARN_PAIR, arn.clone()).unwrap();
        assert_eq!(effective_context(&own, &arn).unwrap(), own);
        let error = effective_context(&own, &object_arn("photos", "cat.jpg")).unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Invalid);
    }
}
