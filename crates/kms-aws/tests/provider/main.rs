//! The provider against a KMS of this process.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod answers;
mod discovery;
mod fake;
mod faults;
mod keys;

use std::{future::Future, time::Duration};

use fake::{ACCESS_KEY, Fake, Spec};
use object_cipher_core::{EncryptionContext, Mode, SourceKey};
use object_cipher_kms::{
    DataKey, Describe, Encrypt, Generate, KeyInfo, KeyName, Kms, KmsCall, KmsResult, Rewrap,
    Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_kms_aws::{AwsKms, Timeouts, aws_sdk_kms::config::Credentials};
use object_cipher_testkit::kms_suite::KmsSubject;
use tokio::time::timeout;

const REGION: &str = "eu-central-1";
const ONE: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "00000000-12ab-34cd-56ef-1234567890ab";
const SIGNING: &str = "99999999-12ab-34cd-56ef-1234567890ab";
const MISSING: &str = "ffffffff-12ab-34cd-56ef-1234567890ab";

#[tokio::test]
async fn it_keeps_what_every_kms_promises() {
    let fake = fake().await;
    let kms = kms(&fake);
    for key in [ONE.to_owned(), arn(ONE), "alias/one".to_owned(), alias_arn("alias/one")] {
        let (key, other, missing) = (name(&key), name(OTHER), name(MISSING));
        KmsSubject { kms: &kms, key, other, missing, gaps: &[] }.check().await;
    }
}

/// A KMS with two keys for data, and one for signatures.
async fn fake() -> Fake {
    let fake = Fake::start(REGION).await;
    let mut world = fake.world();
    world.create(ONE, Spec::Symmetric, &[REGION]);
    world.create(OTHER, Spec::Symmetric, &[REGION]);
    world.create(SIGNING, Spec::RsaForSignatures, &[REGION]);
    world.alias("alias/one", ONE);
    drop(world);
    fake
}

fn kms(fake: &Fake) -> AwsKms {
    AwsKms::at_endpoint(&fake.endpoint, REGION, credentials(ACCESS_KEY)).unwrap()
}

fn credentials(access_key: &str) -> Credentials {
    Credentials::new(access_key, "example/secret/key", None, None, "test")
}

/// Such that a test of a time-out is soon over.
fn short() -> Timeouts {
    let milliseconds = Duration::from_millis;
    Timeouts { connect: milliseconds(150), attempt: milliseconds(300) }
}

fn arn(id: &str) -> String {
    arn_in(REGION, id)
}

fn arn_in(region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{}:key/{id}", fake::ACCOUNT)
}

fn alias_arn(alias: &str) -> String {
    format!("arn:aws:kms:{REGION}:{}:{alias}", fake::ACCOUNT)
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn call() -> KmsCall<'static> {
    KmsCall::new(Mode::SseKms)
}

fn context() -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert_reserved("aws:s3:arn", "arn:aws:s3:::photos/cat.jpg").unwrap();
    context.insert("team", "r\u{f6}t").unwrap();
    context
}

async fn generate(kms: &AwsKms, key: &str) -> KmsResult<DataKey> {
    ended(kms.generate(Generate { key: &name(key), context: &context(), call: call() })).await
}

async fn unwrap(kms: &AwsKms, wrapped: &WrappedKey) -> KmsResult<Unwrapped> {
    ended(kms.unwrap(Unwrap { wrapped, context: &context(), call: call() })).await
}

async fn rewrap(kms: &AwsKms, wrapped: &WrappedKey) -> KmsResult<Rewrap> {
    ended(kms.rewrap(Unwrap { wrapped, context: &context(), call: call() })).await
}

async fn describe(kms: &AwsKms, key: &str) -> KmsResult<KeyInfo> {
    ended(kms.describe(Describe { key: &name(key), call: call() })).await
}

async fn encrypt(kms: &AwsKms, key: &str) -> KmsResult<WrappedKey> {
    let data_key = SourceKey::from_bytes(&std::array::from_fn(|i| i.to_le_bytes()[0]));
    let (key, context) = (&name(key), &context());
    ended(kms.encrypt(Encrypt { key, data_key: &data_key, context, call: call() })).await
}

/// Any call ends by itself; the bound is there to tell one that does not.
async fn ended<T>(call: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), call).await.expect("it hangs")
}
