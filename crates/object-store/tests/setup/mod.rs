//! Ciphers and stores for the tests.

#![allow(dead_code, unused_imports, reason = "each test file takes what it needs")]

mod hooked;
#[cfg(feature = "rekey")]
pub(crate) mod lake;
mod probe;

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{EkSource, LayeredCipher, ObjectCipher};
use object_cipher_dsse_kms::DsseKms;
use object_cipher_kms::KeyName;
use object_cipher_object_store::EncryptedStore;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use object_cipher_sse_c::SseC;
use object_cipher_sse_kms::SseKms;
use object_cipher_testkit::{FakeKms, TestKeys};
use object_store::{ObjectStore, ObjectStoreExt as _, path::Path};

pub(crate) use hooked::Hooked;
pub(crate) use probe::Probe;

pub(crate) const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

pub(crate) type Cipher = Arc<dyn ObjectCipher>;

/// One cipher of each mode.
pub(crate) fn ciphers() -> Vec<Cipher> {
    vec![sse_s3(), sse_kms(), dsse_kms(), sse_c(7), client()]
}

pub(crate) fn sse_s3() -> Cipher {
    Arc::new(LayeredCipher::sse_s3(keys(EkSource::Master), RustCrypto))
}

pub(crate) fn sse_kms() -> Cipher {
    Arc::new(SseKms::new(Arc::new(kms()), key(), AwsLc))
}

pub(crate) fn dsse_kms() -> Cipher {
    Arc::new(DsseKms::new(Arc::new(kms()), key(), RustCrypto, AwsLc))
}

pub(crate) fn sse_c(byte: u8) -> Cipher {
    Arc::new(SseC::new(&CustomerKey::from_bytes(&[byte; 32]), RustCrypto))
}

pub(crate) fn client() -> Cipher {
    Arc::new(LayeredCipher::client(keys(EkSource::Client), RustCrypto))
}

pub(crate) fn kms() -> FakeKms {
    FakeKms::new().with_key(KEY)
}

pub(crate) fn key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

pub(crate) fn keys(source: EkSource) -> TestKeys {
    TestKeys::new(source, [7; 32])
}

pub(crate) fn store<S: ObjectStore>(inner: S, cipher: Cipher) -> EncryptedStore<S> {
    EncryptedStore::new(inner, "lake", cipher)
}

/// Content that no other content resembles.
pub(crate) fn content(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

pub(crate) async fn read<S: ObjectStore>(store: &S, path: &Path) -> object_store::Result<Vec<u8>> {
    Ok(store.get(path).await?.bytes().await?.to_vec())
}

/// Puts an object in parts.
pub(crate) async fn put_parts<S: ObjectStore>(store: &S, path: &Path, parts: &[&[u8]]) {
    let mut upload = store.put_multipart(path).await.unwrap();
    for part in parts {
        upload.put_part(part.to_vec().into()).await.unwrap();
    }
    upload.complete().await.unwrap();
}
