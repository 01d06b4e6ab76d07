//! SSE-KMS and its source of keys through the testkit's suites.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::Mode;
use object_cipher_kms::{
    BucketKeyPolicy, BucketKeys, KeyName, Kms, KmsKeys, LocalKms, Scope, Stack, TokioTimer,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_sse_kms::SseKms;
use object_cipher_testkit::{FakeKms, key_source_tests, object_cipher_tests};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn key() -> KeyName {
    KeyName::parse(KEY).unwrap()
}

fn local() -> Arc<dyn Kms> {
    let text = format!("{KEY}:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=");
    Arc::new(LocalKms::from_text(&text, Scope::default(), AwsLc).unwrap())
}

fn fake() -> Arc<dyn Kms> {
    Arc::new(FakeKms::new().with_key(KEY))
}

/// The runtime that time-outs need; what is ready at once never waits for it.
fn stacked() -> Arc<dyn Kms> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let runtime: &'static _ = Box::leak(Box::new(runtime));
    std::mem::forget(runtime.enter());
    Stack::new(local(), Arc::new(TokioTimer::new())).build().kms()
}

fn bucket_keys(kms: Arc<dyn Kms>) -> Arc<BucketKeys> {
    let timer = Arc::new(TokioTimer::new());
    Arc::new(BucketKeys::new(kms, timer, BucketKeyPolicy::default()))
}

object_cipher_tests! {
    sse_kms_by_rustcrypto: SseKms::new(local(), key(), RustCrypto),
    sse_kms_by_aws_lc: SseKms::new(stacked(), key(), AwsLc),
    sse_kms_under_bucket_keys:
        SseKms::with_bucket_keys(local(), key(), bucket_keys(local()), RustCrypto),
}

key_source_tests! {
    local_kms: KmsKeys::new(local(), key(), Mode::SseKms),
    fake_kms: KmsKeys::new(fake(), key(), Mode::SseKms),
    kms_behind_all_layers: KmsKeys::new(stacked(), key(), Mode::SseKms),
    bucket_keys_of_a_local_kms:
        KmsKeys::new(local(), key(), Mode::SseKms).with_bucket_keys(bucket_keys(local())),
}
