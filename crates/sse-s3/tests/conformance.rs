//! SSE-S3 under a real keyring, and its source of keys, through the testkit's suites.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{CryptoBackend, KeyringId, SourceKey};
use object_cipher_keyring::{Keyring, SharedKeyring};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_s3::{MasterKeys, SseS3};
use object_cipher_testkit::{key_source_tests, object_cipher_tests};

/// A keyring with a retired version below the enabled one.
fn keyring<B: CryptoBackend>(backend: &B) -> Arc<SharedKeyring> {
    let key = || SourceKey::try_fill(|bytes| backend.random(bytes)).unwrap();
    let id = KeyringId::parse("main").unwrap();
    let builder = Keyring::builder(id).decrypt_only(1, key()).enabled(2, key());
    Arc::new(SharedKeyring::new(builder.build(backend).unwrap()))
}

object_cipher_tests! {
    sse_s3_by_rustcrypto: SseS3::new(keyring(&RustCrypto), RustCrypto),
    sse_s3_by_aws_lc: SseS3::new(keyring(&AwsLc), AwsLc),
}

key_source_tests! {
    master_keys: MasterKeys::new(keyring(&RustCrypto)),
}
