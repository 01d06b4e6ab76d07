//! The tokens that `server/run` made.

use std::{env, fs, path::PathBuf};

use object_cipher_core::{EncryptionContext, Mode};
use object_cipher_kms::{
    DataKey, Generate, KeyName, Kms, KmsCall, KmsResult, Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_kms_pkcs11::{Pkcs11Kms, TokenName};

pub(crate) fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run server/run"))
}

pub(crate) fn folder() -> PathBuf {
    variable("PKCS11_FOLDER").into()
}

pub(crate) fn token(label: &str) -> TokenName {
    let serials = fs::read_to_string(folder().join("serials")).unwrap();
    let mut lines = serials.lines().filter_map(|line| line.split_once(' '));
    let (_, serial) = lines.find(|(name, _)| *name == label).unwrap();
    TokenName { label: label.to_owned(), serial: serial.to_owned() }
}

pub(crate) fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

pub(crate) fn call() -> KmsCall<'static> {
    KmsCall::new(Mode::SseKms)
}

pub(crate) fn context(object: &str) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("object", object).unwrap();
    context
}

pub(crate) async fn generate(kms: &Pkcs11Kms, object: &str) -> KmsResult<DataKey> {
    let rq = Generate { key: &name("photos"), context: &context(object), call: call() };
    kms.generate(rq).await
}

pub(crate) async fn unwrap(
    kms: &Pkcs11Kms,
    wrapped: &WrappedKey,
    object: &str,
) -> KmsResult<Unwrapped> {
    kms.unwrap(Unwrap { wrapped, context: &context(object), call: call() }).await
}
