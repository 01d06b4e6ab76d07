//! Unwrapping without a word on which key it was.

use object_cipher_core::{EncryptionContext, KeyErrorKind};
use object_cipher_kms::{Discover, KmsDiscovery, KmsResult, Unwrapped};
use object_cipher_kms_aws::AwsKms;

use crate::{ONE, OTHER, arn, call, context, ended, fake::Fault, generate, kms};

#[tokio::test]
async fn the_key_is_found_by_the_wrapped_bytes_and_named() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    for key in [ONE, OTHER] {
        let made = generate(&kms, key).await.unwrap();
        let found = discover(&kms, made.wrapped.ciphertext(), &context()).await.unwrap();
        assert_eq!(found.id.as_str(), arn(key));
        assert!(found.key.is_same(&made.key));
    }
}

#[tokio::test]
async fn another_context_and_bytes_that_were_never_wrapped_are_refused() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let made = generate(&kms, ONE).await.unwrap();
    let none = EncryptionContext::new();
    for (bytes, context) in [(made.wrapped.ciphertext(), &none), (&[7; 184], &context())] {
        let error = discover(&kms, bytes, context).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Integrity);
    }
}

#[tokio::test]
async fn k1_an_answer_that_names_no_key_is_refused() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let made = generate(&kms, ONE).await.unwrap();
    fake.fail(Fault::Change(|answer| answer["KeyId"] = "alias/one".into()));
    let error = discover(&kms, made.wrapped.ciphertext(), &context()).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Internal);
}

async fn discover(
    kms: &AwsKms,
    ciphertext: &[u8],
    context: &EncryptionContext,
) -> KmsResult<Unwrapped> {
    ended(kms.discover(Discover { ciphertext, context, call: call() })).await
}
