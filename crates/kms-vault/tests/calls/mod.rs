//! Calls of a KMS, all for the object `a`.

#![allow(dead_code, reason = "each test takes what it needs")]

use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode};
use object_cipher_kms::{
    DataKey, Generate, KeyName, Kms, KmsCall, KmsResult, Rewrap, Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_kms_vault::VaultKms;

pub(crate) fn call() -> KmsCall<'static> {
    KmsCall::new(Mode::SseKms)
}

pub(crate) fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

pub(crate) fn object(name: &str) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("object", name).unwrap();
    context
}

pub(crate) async fn generate(kms: &VaultKms, key: &str) -> KmsResult<DataKey> {
    kms.generate(Generate { key: &name(key), context: &object("a"), call: call() }).await
}

pub(crate) async fn unwrap(kms: &VaultKms, wrapped: &WrappedKey) -> KmsResult<Unwrapped> {
    kms.unwrap(Unwrap { wrapped, context: &object("a"), call: call() }).await
}

pub(crate) async fn rewrap(kms: &VaultKms, wrapped: &WrappedKey) -> KmsResult<Rewrap> {
    kms.rewrap(Unwrap { wrapped, context: &object("a"), call: call() }).await
}

pub(crate) fn kind<T>(outcome: KmsResult<T>) -> KeyErrorKind {
    outcome.err().unwrap().kind()
}
