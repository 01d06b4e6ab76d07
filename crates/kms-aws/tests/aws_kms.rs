//! The provider against an emulator: `crates/kms-aws/server/run` starts one and runs these.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::{env, time::Duration};

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode};
use object_cipher_kms::{
    DataKey, Describe, Generate, KeyInfo, KeyName, KeyState, Kms, KmsCall, KmsResult, Rewrap,
    Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_kms_aws::{
    AwsKms,
    aws_sdk_kms::{
        Client, Config,
        config::{BehaviorVersion, Credentials, Region},
        types::{KeySpec, KeyUsageType},
    },
};
use object_cipher_testkit::kms_suite::KmsSubject;
use tokio::time::timeout;

const REGION: &str = "eu-central-1";
const ELSEWHERE: &str = "us-east-1";
const MISSING: &str = "ffffffff-12ab-34cd-56ef-1234567890ab";

/// What emulators are known to do otherwise than AWS, by the names of tests and promises.
const GAPS: &[(&str, &[&str])] = &[
    (
        "localstack",
        &[
            // It binds a context by its keys and values run together.
            "k2_contexts_that_run_together_alike_are_different",
            // It tells a key's material only when it describes the key.
            "what_is_current_is_not_rewrapped",
        ],
    ),
    (
        "moto",
        &[
            "k2_contexts_that_run_together_alike_are_different",
            // It knows of no key material.
            "what_is_current_is_not_rewrapped",
            // It answers AccessDeniedException.
            "a_blob_under_another_key_is_refused",
            // Its ids of such keys are none of AWS's.
            "a_multi_region_key_opens_in_its_replica",
            // It looks neither at a key's state nor at its use.
            "a_key_that_may_not_be_used_is_of_no_use",
            "a_key_for_signatures_wraps_nothing",
        ],
    ),
];

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn it_keeps_what_every_kms_promises() {
    let (kms, one, other) = (kms(REGION), create(REGION).await, create(REGION).await);
    let alias = format!("alias/{one}");
    admin(REGION).create_alias().alias_name(&alias).target_key_id(&one).send().await.unwrap();
    for key in [&one, &alias] {
        let (key, other, missing) = (name(key), name(&other), name(MISSING));
        KmsSubject { kms: &kms, key, other, missing, gaps: gaps() }.check().await;
    }
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn what_was_wrapped_before_a_rotation_opens_and_can_be_rewrapped() {
    let (kms, key) = (kms(REGION), create(REGION).await);
    let made = generate(&kms, &key).await.unwrap();
    admin(REGION).rotate_key_on_demand().key_id(&key).send().await.unwrap();
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    let Rewrap::Rewrapped(new) = rewrap(&kms, &made.wrapped).await.unwrap() else {
        panic!("it is of the older version")
    };
    assert_ne!(new.ciphertext(), made.wrapped.ciphertext());
    assert!(unwrap(&kms, &new).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn what_is_current_is_not_rewrapped() {
    if skips("what_is_current_is_not_rewrapped") {
        return;
    }
    let (kms, key) = (kms(REGION), create(REGION).await);
    let wrapped = generate(&kms, &key).await.unwrap().wrapped;
    assert_eq!(wrapped.version(), describe(&kms, &key).await.unwrap().version.as_deref());
    assert_eq!(rewrap(&kms, &wrapped).await.unwrap(), Rewrap::Unchanged);
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn a_key_that_may_not_be_used_is_of_no_use() {
    if skips("a_key_that_may_not_be_used_is_of_no_use") {
        return;
    }
    let (kms, admin, key) = (kms(REGION), admin(REGION), create(REGION).await);
    let wrapped = generate(&kms, &key).await.unwrap().wrapped;
    assert_eq!(describe(&kms, &key).await.unwrap().state, KeyState::Enabled);

    admin.disable_key().key_id(&key).send().await.unwrap();
    assert_eq!(describe(&kms, &key).await.unwrap().state, KeyState::Disabled);
    all_refused(&kms, &key, &wrapped, KeyErrorKind::Disabled).await;

    let deletion = admin.schedule_key_deletion().key_id(&key).pending_window_in_days(7);
    deletion.send().await.unwrap();
    let state = describe(&kms, &key).await.unwrap().state;
    assert!(matches!(state, KeyState::PendingDeletion { deletion } if deletion > 1_700_000_000));
    all_refused(&kms, &key, &wrapped, KeyErrorKind::InvalidState).await;

    admin.cancel_key_deletion().key_id(&key).send().await.unwrap();
    all_refused(&kms, &key, &wrapped, KeyErrorKind::Disabled).await;
    admin.enable_key().key_id(&key).send().await.unwrap();
    unwrap(&kms, &wrapped).await.unwrap();
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn a_key_for_signatures_wraps_nothing() {
    if skips("a_key_for_signatures_wraps_nothing") {
        return;
    }
    let request = admin(REGION).create_key();
    let request = request.key_spec(KeySpec::Rsa2048).key_usage(KeyUsageType::SignVerify);
    let made = request.send().await.unwrap();
    let key = made.key_metadata().unwrap().key_id().to_owned();
    let error = generate(&kms(REGION), &key).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Invalid);
    assert_eq!(error.code(), Some("InvalidKeyUsageException"));
    assert_eq!(describe(&kms(REGION), &key).await.unwrap().state, KeyState::Other);
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn a_key_of_another_region_is_not_found() {
    if skips("a_key_of_another_region_is_not_found") {
        return;
    }
    let key = create(REGION).await;
    let wrapped = generate(&kms(REGION), &key).await.unwrap().wrapped;
    let there = kms(ELSEWHERE).with_related_regions([REGION]);
    assert_eq!(unwrap(&there, &wrapped).await.unwrap_err().kind(), KeyErrorKind::NotFound);
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn a_multi_region_key_opens_in_its_replica() {
    if skips("a_multi_region_key_opens_in_its_replica") {
        return;
    }
    let made = admin(REGION).create_key().multi_region(true).send().await.unwrap();
    let key = made.key_metadata().unwrap().key_id().to_owned();
    let replica = admin(REGION).replicate_key().key_id(&key).replica_region(ELSEWHERE);
    replica.send().await.unwrap();
    let made = generate(&kms(REGION), &key).await.unwrap();
    let closed = unwrap(&kms(ELSEWHERE), &made.wrapped).await.unwrap_err();
    assert_eq!(closed.kind(), KeyErrorKind::NotFound);
    let there = kms(ELSEWHERE).with_related_regions([REGION]);
    assert!(unwrap(&there, &made.wrapped).await.unwrap().key.is_same(&made.key));
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn when_its_certificate_is_not_trusted_nothing_is_asked() {
    let error = generate(&kms(REGION), MISSING).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error:?}");
    assert!(error.message().contains("certificate"), "{error:?}");
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn when_frozen_it_is_left_in_time() {
    let kms = kms(REGION);
    let call = timeout(Duration::from_secs(10), generate(&kms, MISSING));
    let error = call.await.expect("it hangs").unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Timeout, "{error:?}");
}

#[tokio::test]
#[ignore = "needs an emulator: run crates/kms-aws/server/run"]
async fn when_stopped_it_is_unavailable() {
    let error = generate(&kms(REGION), MISSING).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable, "{error:?}");
}

async fn all_refused(kms: &AwsKms, key: &str, wrapped: &WrappedKey, kind: KeyErrorKind) {
    let errors = [
        generate(kms, key).await.map(drop),
        unwrap(kms, wrapped).await.map(drop),
        rewrap(kms, wrapped).await.map(drop),
    ];
    for error in errors {
        assert_eq!(error.unwrap_err().kind(), kind);
    }
}

fn gaps() -> &'static [&'static str] {
    let server = variable("KMS_AWS_SERVER");
    GAPS.iter().find(|(name, _)| *name == server).map_or(&[], |(_, gaps)| gaps)
}

fn skips(test: &str) -> bool {
    let skipped = gaps().contains(&test);
    if skipped {
        println!("SKIPPED: {test}: {} is known not to keep it", variable("KMS_AWS_SERVER"));
    }
    skipped
}

fn kms(region: &str) -> AwsKms {
    AwsKms::at_endpoint(&variable("KMS_AWS_ENDPOINT"), region, credentials()).unwrap()
}

/// What makes and changes keys: a client as the SDK has it.
fn admin(region: &str) -> Client {
    let tls = Provider::Rustls(CryptoMode::AwsLc);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(variable("KMS_AWS_ENDPOINT"))
        .credentials_provider(credentials())
        .http_client(Builder::new().tls_provider(tls).build_https());
    Client::from_conf(config.build())
}

async fn create(region: &str) -> String {
    let made = admin(region).create_key().send().await.unwrap();
    made.key_metadata().unwrap().key_id().to_owned()
}

fn credentials() -> Credentials {
    Credentials::new("EXAMPLEACCESSKEY", "example/secret/key", None, None, "test")
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run crates/kms-aws/server/run"))
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn context() -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert_reserved("aws:s3:arn", "arn:aws:s3:::photos/cat.jpg").unwrap();
    context
}

async fn generate(kms: &AwsKms, key: &str) -> KmsResult<DataKey> {
    let (key, context) = (&name(key), &context());
    kms.generate(Generate { key, context, call: KmsCall::new(Mode::SseKms) }).await
}

async fn unwrap(kms: &AwsKms, wrapped: &WrappedKey) -> KmsResult<Unwrapped> {
    let call = KmsCall::new(Mode::SseKms);
    kms.unwrap(Unwrap { wrapped, context: &context(), call }).await
}

async fn rewrap(kms: &AwsKms, wrapped: &WrappedKey) -> KmsResult<Rewrap> {
    let call = KmsCall::new(Mode::SseKms);
    kms.rewrap(Unwrap { wrapped, context: &context(), call }).await
}

async fn describe(kms: &AwsKms, key: &str) -> KmsResult<KeyInfo> {
    kms.describe(Describe { key: &name(key), call: KmsCall::new(Mode::SseKms) }).await
}
