//! Answers that a KMS should not give.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_core::KeyErrorKind;
use object_cipher_kms::{KmsResult, WrappedKey};
use serde_json::{Value, json};

use crate::{
    ONE, OTHER, arn, describe, encrypt,
    fake::{Fake, Fault},
    generate, kms, rewrap, unwrap,
};

type Change = fn(&mut Value);

#[tokio::test]
async fn k1_a_data_key_that_is_none_is_refused() {
    let changes: [Change; 8] = [
        |answer| answer["Plaintext"] = encoded(&[]),
        |answer| answer["Plaintext"] = encoded(&[7, 9]),
        |answer| answer["Plaintext"] = encoded(&[[1; 16], [2; 16]].concat()[..31]),
        |answer| answer["Plaintext"] = encoded(&[[1; 16], [2; 16]].concat().repeat(2)),
        |answer| answer["Plaintext"] = encoded(&[0; 32]),
        |answer| answer["Plaintext"] = encoded(&[0xFF; 32]),
        |answer| answer["Plaintext"] = Value::Null,
        |answer| drop(answer.as_object_mut().unwrap().remove("Plaintext")),
    ];
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    for (row, change) in changes.into_iter().enumerate() {
        fake.fail(Fault::Change(change));
        refused(generate(&kms, ONE).await, KeyErrorKind::Internal, row);
        fake.fail(Fault::Change(change));
        refused(unwrap(&kms, &wrapped).await, KeyErrorKind::Internal, row);
    }
    unwrap(&kms, &wrapped).await.unwrap();
}

#[tokio::test]
async fn k1_a_blob_that_cannot_be_stored_is_refused() {
    let changes: [Change; 4] = [
        |answer| answer["CiphertextBlob"] = encoded(&[]),
        |answer| answer["CiphertextBlob"] = encoded(&[7; 6_143]),
        |answer| answer["CiphertextBlob"] = encoded(&vec![7; 1 << 20]),
        |answer| drop(answer.as_object_mut().unwrap().remove("CiphertextBlob")),
    ];
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    fake.world().rotate(ONE);
    for (row, change) in changes.into_iter().enumerate() {
        fake.fail(Fault::Change(change));
        refused(generate(&kms, ONE).await, KeyErrorKind::Internal, row);
        fake.fail(Fault::Change(change));
        refused(encrypt(&kms, ONE).await, KeyErrorKind::Internal, row);
        fake.fail(Fault::Change(change));
        refused(rewrap(&kms, &wrapped).await, KeyErrorKind::Internal, row);
    }
}

#[tokio::test]
async fn k1_an_answer_for_another_key_is_refused() {
    let other: Change = |answer| answer["KeyId"] = arn(OTHER).into();
    let source: Change = |answer| answer["SourceKeyId"] = arn(OTHER).into();
    let described: Change = |answer| answer["KeyMetadata"]["Arn"] = arn(OTHER).into();
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    let kind = KeyErrorKind::WrongKey;
    for (row, key) in [ONE, &arn(ONE)].into_iter().enumerate() {
        refused(generate_with(&fake, key, other).await, kind, row);
        fake.fail(Fault::Change(other));
        refused(encrypt(&kms, key).await, kind, row);
        fake.fail(Fault::Change(described));
        refused(describe(&kms, key).await, kind, row);
    }
    fake.fail(Fault::Change(other));
    refused(unwrap(&kms, &wrapped).await, kind, 2);
    for (row, change) in [other, source].into_iter().enumerate() {
        fake.fail(Fault::Change(change));
        refused(rewrap(&kms, &wrapped).await, kind, row);
    }
}

#[tokio::test]
async fn k1_what_is_no_keys_arn_is_never_stored() {
    let changes: [Change; 5] = [
        |answer| answer["KeyId"] = ONE.into(),
        |answer| answer["KeyId"] = crate::alias_arn("alias/one").into(),
        |answer| answer["KeyId"] = "alias/one".into(),
        |answer| answer["KeyId"] = "".into(),
        |answer| drop(answer.as_object_mut().unwrap().remove("KeyId")),
    ];
    let fake = crate::fake().await;
    for (row, change) in changes.into_iter().enumerate() {
        refused(generate_with(&fake, "alias/one", change).await, KeyErrorKind::Internal, row);
    }
}

#[tokio::test]
async fn k1_a_stored_alias_opens_nothing() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    let alias = WrappedKey::stored("alias/one", wrapped.blob());
    refused(alias, KeyErrorKind::Integrity, 0);
    let forged = WrappedKey::stored(ONE, wrapped.blob()).unwrap();
    refused(unwrap(&kms, &forged).await, KeyErrorKind::WrongKey, 1);
    refused(rewrap(&kms, &forged).await, KeyErrorKind::WrongKey, 2);
}

#[tokio::test]
async fn k1_an_answer_that_is_empty_is_refused() {
    let fake = crate::fake().await;
    let kms = kms(&fake);
    let empty: Change = |answer| *answer = json!({});
    let wrapped = generate(&kms, ONE).await.unwrap().wrapped;
    fake.fail(Fault::Change(empty));
    refused(describe(&kms, ONE).await, KeyErrorKind::Internal, 0);
    fake.fail(Fault::Change(empty));
    refused(rewrap(&kms, &wrapped).await, KeyErrorKind::WrongKey, 1);
    fake.fail(Fault::Change(empty));
    refused(encrypt(&kms, ONE).await, KeyErrorKind::Internal, 2);
}

async fn generate_with(fake: &Fake, key: &str, change: Change) -> KmsResult<impl Sized> {
    fake.fail(Fault::Change(change));
    generate(&kms(fake), key).await
}

fn refused<T>(answer: KmsResult<T>, kind: KeyErrorKind, row: usize) {
    let Err(error) = answer else { panic!("row {row} was taken") };
    assert_eq!(error.kind(), kind, "row {row}: {error:?}");
    assert!(!error.is_retryable(), "row {row}: {error:?}");
}

fn encoded(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}
