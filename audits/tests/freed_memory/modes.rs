//! Each mode as hosts use it: its own crate, under its own kind of keys.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_audits::MEMORY;
use object_cipher_aws_lc::AwsLc;
use object_cipher_client::{ClientKeys, ClientSide};
use object_cipher_core::{KeyringId, LayeredCipher, Mode, ObjectCipher, SourceKey};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_kms::{
    BucketKeyPolicy, BucketKeys, KeyName, Kms, KmsKeys, LocalKms, Scope, Stack, TokioTimer,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use object_cipher_sse_c::SseC;
use object_cipher_sse_kms::SseKms;
use object_cipher_sse_s3::SseS3;

use crate::{nothing_is_left_by, objects, told};

const KMS_KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// 32 bytes of a key, which are told.
pub(crate) fn key(byte: u8) -> [u8; 32] {
    let key = std::array::from_fn(|at| byte ^ (at as u8).wrapping_mul(5));
    MEMORY.tell(&key);
    key
}

fn source_key(byte: u8) -> Arc<SourceKey> {
    SourceKey::from_bytes(&key(byte))
}

pub(crate) fn kms_key() -> KeyName {
    KeyName::parse(&Scope::default().arn(KMS_KEY)).unwrap()
}

/// Its keys come as text, which is a secret too.
pub(crate) fn local_kms() -> Arc<dyn Kms> {
    let encoded = STANDARD.encode(key(0x31));
    MEMORY.tell(encoded.as_bytes());
    let text = format!("{KMS_KEY}:{encoded}");
    let kms = Arc::new(LocalKms::from_text(&text, Scope::default(), told(AwsLc)).unwrap());
    // These two are the caller's own.
    std::mem::forget((encoded, text));
    kms
}

fn keyring() -> Arc<SharedKeyring> {
    let id = KeyringId::parse("audit").unwrap();
    let builder =
        Keyring::builder(id).decrypt_only(1, source_key(0x51)).enabled(2, source_key(0x52));
    Arc::new(SharedKeyring::new(builder.build(&told(RustCrypto)).unwrap()))
}

/// Within a runtime, which time-outs need.
fn all_leave_nothing(ciphers: impl FnOnce() -> Vec<Box<dyn ObjectCipher>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    nothing_is_left_by(|| {
        for cipher in ciphers() {
            objects(&*cipher);
        }
    });
}

#[test]
fn z1_nothing_is_left_by_sse_s3() {
    all_leave_nothing(|| {
        vec![
            Box::new(SseS3::new(keyring(), told(RustCrypto))),
            Box::new(SseS3::new(keyring(), told(AwsLc))),
        ]
    });
}

#[test]
fn z1_nothing_is_left_by_sse_kms() {
    all_leave_nothing(|| {
        let stack = Stack::new(local_kms(), Arc::new(TokioTimer::new())).build().kms();
        let bucket_keys =
            BucketKeys::new(local_kms(), Arc::new(TokioTimer::new()), BucketKeyPolicy::default());
        vec![
            Box::new(SseKms::new(local_kms(), kms_key(), told(RustCrypto))),
            Box::new(SseKms::new(stack, kms_key(), told(AwsLc))),
            Box::new(SseKms::with_bucket_keys(
                local_kms(),
                kms_key(),
                Arc::new(bucket_keys),
                told(RustCrypto),
            )),
        ]
    });
}

/// As `DsseKms` makes it, which takes no watched library for an independent one.
#[test]
fn z1_nothing_is_left_by_dsse_kms() {
    all_leave_nothing(|| {
        let keys = || KmsKeys::new(local_kms(), kms_key(), Mode::DsseKms);
        vec![
            Box::new(LayeredCipher::dsse_kms(keys(), told(RustCrypto), told(AwsLc))),
            Box::new(LayeredCipher::dsse_kms(keys(), told(AwsLc), told(RustCrypto))),
        ]
    });
}

#[test]
fn z1_nothing_is_left_by_sse_c() {
    all_leave_nothing(|| {
        let customer = CustomerKey::from_bytes(&key(0x61));
        vec![
            Box::new(SseC::new(&customer, told(RustCrypto))),
            Box::new(SseC::new(&customer, told(AwsLc))),
        ]
    });
}

#[test]
fn z1_nothing_is_left_by_the_clients_own_format() {
    all_leave_nothing(|| {
        let keys = || ClientKeys::new("2026", source_key(0x71)).unwrap();
        vec![
            Box::new(ClientSide::with_keys(keys(), told(RustCrypto))),
            Box::new(ClientSide::with_keys(keys(), told(AwsLc))),
            Box::new(ClientSide::with_keyring(keyring(), told(RustCrypto))),
            Box::new(ClientSide::with_kms(local_kms(), kms_key(), told(AwsLc))),
        ]
    });
}
