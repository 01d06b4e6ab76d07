use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use cryptoki::error::RvError;
use object_cipher_core::{EncryptionContext, Mode};
use object_cipher_kms::KmsCall;
use object_cipher_testkit::kms_suite::KmsSubject;

use super::*;
use crate::{
    MAX_WRAPS, Pin, TokenName, WrapCounter,
    fake::{FIT, FakeToken, Fault, IvMaker, Step},
    token::Facts,
};

const SERIAL: &str = "c6092ff1fdc8d5c3";

/// One worker, so that each test knows which session is used.
fn settings() -> Settings {
    let token = TokenName { label: "sse".into(), serial: SERIAL.into() };
    Settings::new("none", token, Pin::given("none")).key("photos").workers(1)
}

fn start(token: &FakeToken, settings: Settings) -> Result<Pkcs11Kms> {
    Pkcs11Kms::over(Arc::new(token.clone()), settings)
}

fn photos() -> (FakeToken, Pkcs11Kms) {
    let token = FakeToken::with(&[("photos", &[1])]);
    let kms = start(&token, settings()).unwrap();
    (token, kms)
}

/// Why it does not start.
fn refused(token: &FakeToken, settings: Settings) -> KeyError {
    match start(token, settings) {
        Err(Error::Key(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn name(text: &str) -> KeyName {
    KeyName::parse(text).unwrap()
}

fn call() -> KmsCall<'static> {
    KmsCall::new(Mode::SseKms)
}

fn context(object: &str) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("object", object).unwrap();
    context
}

async fn generate(kms: &Pkcs11Kms) -> KmsResult<DataKey> {
    let rq = Generate { key: &name("photos"), context: &context("a"), call: call() };
    kms.generate(rq).await
}

async fn unwrap(kms: &Pkcs11Kms, wrapped: &WrappedKey) -> KmsResult<Unwrapped> {
    kms.unwrap(Unwrap { wrapped, context: &context("a"), call: call() }).await
}

async fn rewrap(kms: &Pkcs11Kms, wrapped: &WrappedKey) -> KmsResult<Rewrap> {
    kms.rewrap(Unwrap { wrapped, context: &context("a"), call: call() }).await
}

async fn describe(kms: &Pkcs11Kms, key: &str) -> KmsResult<KeyInfo> {
    kms.describe(Describe { key: &name(key), call: call() }).await
}

#[tokio::test]
async fn it_keeps_what_every_kms_promises() {
    let token = FakeToken::with(&[("photos", &[1]), ("films", &[1])]);
    let kms = start(&token, settings().key("films").workers(3)).unwrap();
    let subject = KmsSubject {
        kms: &kms,
        key: name("photos"),
        other: name("films"),
        missing: name("songs"),
        gaps: &[],
    };
    subject.check().await;
    assert_eq!(token.late(), 0, "a session was used after an error");
}

#[tokio::test]
async fn a_key_is_stored_by_serial_and_label_with_its_version_beside_it() {
    let (_, kms) = photos();
    let made = generate(&kms).await.unwrap().wrapped;
    assert_eq!(made.id().as_str(), "pkcs11:c6092ff1fdc8d5c3/photos");
    assert_eq!(made.version(), Some("v01"));
    assert_eq!(made.ciphertext().len(), 60);
    assert_eq!(describe(&kms, "photos").await.unwrap().version.as_deref(), Some("v01"));
}

#[tokio::test]
async fn k1_a_token_that_answers_with_no_data_key_is_not_believed() {
    let (token, kms) = photos();
    let wrapped = generate(&kms).await.unwrap().wrapped;
    let answers = [vec![], vec![7; 31], vec![7; 33], vec![7; 100_000], vec![0; 32]];
    for answer in answers {
        token.plant(Step::Decrypt, Fault::Answer(answer));
        let error = unwrap(&kms, &wrapped).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Internal, false));
    }
    assert!(unwrap(&kms, &wrapped).await.is_ok() && token.spent());
}

#[tokio::test]
async fn k1_a_token_that_answers_with_no_wrapped_key_is_not_believed() {
    let (token, kms) = photos();
    for length in [0, 32, 47, 49, 100_000] {
        token.plant(Step::Encrypt, Fault::Answer(vec![7; length]));
        let error = generate(&kms).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Internal, false));
    }
    assert!(generate(&kms).await.is_ok() && token.spent());
}

#[tokio::test]
async fn k1_a_blob_without_a_version_that_can_be_is_refused() {
    let (token, kms) = photos();
    let made = generate(&kms).await.unwrap().wrapped;
    let looked = token.looked();
    for version in ["", "1", "v", "v0A", "v../01"] {
        let other = WrappedKey::new(made.id().clone(), version, made.ciphertext()).unwrap();
        assert_eq!(unwrap(&kms, &other).await.unwrap_err().kind(), KeyErrorKind::Integrity);
    }
    assert_eq!(token.looked(), looked, "the token was asked");
}

#[tokio::test]
async fn k1_a_general_error_means_an_altered_blob_only_when_a_new_session_opens_the_canary() {
    let (token, kms) = photos();
    let wrapped = generate(&kms).await.unwrap().wrapped;
    let opened = token.opened();

    token.plant(Step::Decrypt, Fault::Code(RvError::GeneralError));
    let error = unwrap(&kms, &wrapped).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Integrity);
    assert_eq!(error.code(), Some("CKR_GENERAL_ERROR"));
    assert_eq!(token.opened(), opened + 1);

    for code in [RvError::GeneralError, RvError::VendorDefined(0x8000_0001)] {
        token.plant(Step::Decrypt, Fault::Code(code));
        token.plant(Step::Decrypt, Fault::Code(RvError::GeneralError));
        let error = unwrap(&kms, &wrapped).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Unavailable, true));
    }
    token.plant(Step::Decrypt, Fault::Code(RvError::GeneralError));
    token.plant(Step::Open, Fault::Code(RvError::DeviceRemoved));
    assert_eq!(unwrap(&kms, &wrapped).await.unwrap_err().kind(), KeyErrorKind::Unavailable);

    token.plant(Step::Decrypt, Fault::Code(RvError::GeneralError));
    token.plant(Step::Decrypt, Fault::Answer(vec![7; 32]));
    assert_eq!(unwrap(&kms, &wrapped).await.unwrap_err().kind(), KeyErrorKind::Unavailable);

    assert!(unwrap(&kms, &wrapped).await.is_ok() && token.spent());
    assert_eq!(token.late(), 0);
}

#[tokio::test]
async fn k4_an_error_at_any_step_is_typed_and_costs_the_session_but_not_the_next_call() {
    let (token, kms) = photos();
    let wrapped = generate(&kms).await.unwrap().wrapped;
    let codes = [
        (RvError::DeviceRemoved, KeyErrorKind::Unavailable),
        (RvError::SessionHandleInvalid, KeyErrorKind::Unavailable),
        (RvError::UserNotLoggedIn, KeyErrorKind::Unavailable),
        (RvError::PinLocked, KeyErrorKind::Denied),
        (RvError::KeyFunctionNotPermitted, KeyErrorKind::InvalidState),
        (RvError::MechanismParamInvalid, KeyErrorKind::Unsupported),
    ];
    for (code, kind) in codes {
        for step in [Step::Encrypt, Step::Decrypt, Step::Find, Step::Open] {
            if step == Step::Open {
                // Costs the session, so that the next call has to open one.
                token.plant(Step::Find, Fault::Code(code));
                describe(&kms, "photos").await.unwrap_err();
            }
            let opened = token.opened();
            token.plant(step, Fault::Code(code));
            let error = match step {
                Step::Encrypt => generate(&kms).await.map(drop),
                Step::Decrypt => unwrap(&kms, &wrapped).await.map(drop),
                Step::Find | Step::Open => describe(&kms, "photos").await.map(drop),
            };
            assert_eq!(error.unwrap_err().kind(), kind, "{step:?} {code:?}");
            assert!(unwrap(&kms, &wrapped).await.is_ok(), "{step:?} {code:?}");
            assert_eq!(token.opened(), opened + 1, "{step:?} {code:?}");
        }
    }
    assert!(token.spent());
    assert_eq!(token.late(), 0);
}

#[tokio::test]
async fn k4_a_token_that_hangs_is_not_waited_for() {
    let token = FakeToken::with(&[("photos", &[1])]);
    let kms = start(&token, settings().timeout(Duration::from_millis(50))).unwrap();
    let (until, end) = mpsc::channel();
    token.plant(Step::Encrypt, Fault::Hang(end));
    let begun = Instant::now();
    for _ in 0..2 {
        let error = generate(&kms).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Timeout, true));
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop(until);
    while generate(&kms).await.is_err() {}
}

#[tokio::test]
async fn k9_a_full_queue_is_unavailable_at_once() {
    let token = FakeToken::with(&[("photos", &[1])]);
    let kms = start(&token, settings().queue(1).timeout(Duration::from_secs(60))).unwrap();
    let (until, end) = mpsc::channel();
    token.plant(Step::Encrypt, Fault::Hang(end));
    let mut calls: Vec<_> = (0..3).map(|_| Box::pin(generate(&kms))).collect();
    let mut last = None;
    for call in &mut calls {
        // Until the thread has begun, the second finds the queue full, and not the third.
        last = last.or(object_cipher_core::resolve_now(call.as_mut()));
    }
    assert_eq!(last.unwrap().unwrap_err().kind(), KeyErrorKind::Unavailable);
    drop(until);
}

#[tokio::test]
async fn a_token_that_is_gone_is_unavailable_and_has_lost_no_key() {
    let (token, kms) = photos();
    let wrapped = generate(&kms).await.unwrap().wrapped;
    token.gone(true);
    let errors = [
        generate(&kms).await.map(drop),
        unwrap(&kms, &wrapped).await.map(drop),
        rewrap(&kms, &wrapped).await.map(drop),
        describe(&kms, "photos").await.map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::Unavailable, true));
    }
    token.gone(false);
    // Gone between two calls of one session: it finds no key then.
    assert!(unwrap(&kms, &wrapped).await.is_ok());
    token.gone(true);
    let error = describe(&kms, "photos").await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Unavailable);
    token.gone(false);
    assert!(unwrap(&kms, &wrapped).await.is_ok());

    token.remove("photos");
    let error = describe(&kms, "photos").await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::NotFound, false));
}

#[tokio::test]
async fn the_newest_version_wraps_and_older_ones_open() {
    let (token, kms) = photos();
    let old = generate(&kms).await.unwrap();
    assert_eq!(rewrap(&kms, &old.wrapped).await.unwrap(), Rewrap::Unchanged);
    token.add("photos", &[1, 0], FIT);
    token.add("photos", &[9], FIT);

    let Rewrap::Rewrapped(new) = rewrap(&kms, &old.wrapped).await.unwrap() else {
        panic!("it stays under the old version")
    };
    assert_eq!(new.version(), Some("v0100"));
    assert_eq!(rewrap(&kms, &new).await.unwrap(), Rewrap::Unchanged);
    for wrapped in [&old.wrapped, &new] {
        assert!(unwrap(&kms, wrapped).await.unwrap().key.is_same(&old.key));
    }
    assert_eq!(generate(&kms).await.unwrap().wrapped.version(), Some("v0100"));
}

#[tokio::test]
async fn a_new_version_wraps_once_what_is_known_is_old() {
    let token = FakeToken::with(&[("photos", &[1])]);
    let slow = start(&token, settings()).unwrap();
    let quick = start(&token, settings().refresh(Duration::ZERO)).unwrap();
    for kms in [&slow, &quick] {
        generate(kms).await.unwrap();
    }
    token.add("photos", &[2], FIT);
    assert_eq!(generate(&slow).await.unwrap().wrapped.version(), Some("v01"));
    assert_eq!(generate(&quick).await.unwrap().wrapped.version(), Some("v02"));
}

#[tokio::test]
async fn a_version_that_another_node_wrapped_with_first_is_looked_for() {
    let (token, kms) = photos();
    generate(&kms).await.unwrap();
    token.add("photos", &[2], FIT);
    let other = start(&token, settings()).unwrap();
    let made = generate(&other).await.unwrap();
    assert_eq!(made.wrapped.version(), Some("v02"));
    assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));

    let never = WrappedKey::new(made.wrapped.id().clone(), "v03", made.wrapped.ciphertext());
    let error = unwrap(&kms, &never.unwrap()).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::KeyVersionMissing, false));
}

#[tokio::test]
async fn two_keys_of_one_label_and_id_are_refused_at_start_and_later() {
    for twin in [&[1][..], &[0, 1]] {
        let (token, kms) = photos();
        token.add("photos", twin, FIT);
        assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::InvalidState);
        let error = describe(&kms, "photos").await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::InvalidState);
    }
}

#[tokio::test]
async fn an_unfit_key_is_refused_at_start_and_never_wraps_later() {
    let extractable = Facts { extractable: Some(true), ..FIT };
    let (token, kms) = photos();
    token.add("photos", &[2], extractable);
    assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::InvalidState);
    let refused_too = refused(&token, settings().imported_keys());
    assert_eq!(refused_too.kind(), KeyErrorKind::InvalidState);
    describe(&kms, "photos").await.unwrap_err();
    assert_eq!(generate(&kms).await.unwrap_err().kind(), KeyErrorKind::InvalidState);
}

#[test]
fn an_imported_key_is_refused_unless_it_is_asked_for() {
    let token = FakeToken::default();
    token.add("photos", &[1], Facts { local: Some(false), never_extractable: Some(false), ..FIT });
    assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::InvalidState);
    assert!(start(&token, settings().imported_keys()).is_ok());
}

#[test]
fn a_key_without_an_id_and_one_that_is_not_there_are_refused_at_start() {
    let token = FakeToken::with(&[("photos", &[])]);
    assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::InvalidState);
    assert_eq!(refused(&token, settings().key("films")).kind(), KeyErrorKind::NotFound);
}

#[test]
fn a_token_that_does_not_do_aes_gcm_right_is_refused_at_start() {
    let token = FakeToken::with(&[("photos", &[1])]);
    token.plant(Step::Decrypt, Fault::Answer(vec![7; 32]));
    assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::Unsupported, "opens to others");
    let canary = b"object-cipher/v1/pkcs11-canary/1";
    for _ in 0..2 {
        token.plant(Step::Decrypt, Fault::Answer(canary.to_vec()));
    }
    assert_eq!(
        refused(&token, settings()).kind(),
        KeyErrorKind::Unsupported,
        "ignores the context"
    );
    token.iv(IvMaker::Hidden);
    assert_eq!(refused(&token, settings()).kind(), KeyErrorKind::Unsupported, "keeps its IV");
    assert!(token.spent());
}

#[tokio::test]
async fn an_iv_that_the_token_made_is_taken() {
    for settings in [settings(), settings().iv_from_token()] {
        let token = FakeToken::with(&[("photos", &[1])]);
        token.iv(IvMaker::Token);
        let kms = start(&token, settings).unwrap();
        let made = generate(&kms).await.unwrap();
        assert!(unwrap(&kms, &made.wrapped).await.unwrap().key.is_same(&made.key));
    }
    let token = FakeToken::with(&[("photos", &[1])]);
    let error = refused(&token, settings().iv_from_token());
    assert_eq!(error.kind(), KeyErrorKind::Internal, "an IV of zeros");
}

#[tokio::test]
async fn no_more_than_2_to_the_31_data_keys_are_wrapped_under_a_version() {
    struct Full(AtomicU64);
    impl WrapCounter for Full {
        fn count(&self, key: &KeyId, version: &str) -> KmsResult<u64> {
            assert_eq!(key.as_str(), "pkcs11:c6092ff1fdc8d5c3/photos");
            let new = version == "v02";
            Ok(if new { 1 } else { self.0.fetch_add(1, Ordering::Relaxed) + 1 })
        }
    }
    let token = FakeToken::with(&[("photos", &[1])]);
    let counter = Arc::new(Full(AtomicU64::new(MAX_WRAPS - 1)));
    let kms = start(&token, settings().counter(counter)).unwrap();
    let last = generate(&kms).await.unwrap().wrapped;
    let error = generate(&kms).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (KeyErrorKind::InvalidState, false));
    assert!(unwrap(&kms, &last).await.is_ok(), "it opens still");
    token.add("photos", &[2], FIT);
    describe(&kms, "photos").await.unwrap();
    assert!(generate(&kms).await.is_ok());
}

#[tokio::test]
async fn only_keys_that_were_named_are_used() {
    let token = FakeToken::with(&[("photos", &[1]), ("payroll", &[1])]);
    let kms = start(&token, settings()).unwrap();
    let (made, looked) = (generate(&kms).await.unwrap().wrapped, token.looked());
    let stored = |id: &str| WrappedKey::new(KeyId::new(id).unwrap(), "v01", made.ciphertext());
    for id in ["pkcs11:c6092ff1fdc8d5c3/payroll", "pkcs11:0/photos", "pkcs11:photos"] {
        let error = unwrap(&kms, &stored(id).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotFound, "{id}");
    }
    for key in ["payroll", "alias/aws/s3"] {
        let error = describe(&kms, key).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::NotFound, "{key}");
    }
    assert_eq!(token.looked(), looked, "the token was asked");
}

#[tokio::test]
async fn a_panic_in_the_module_costs_one_call_only() {
    let (token, kms) = photos();
    token.plant(Step::Encrypt, Fault::Panic);
    assert_eq!(generate(&kms).await.unwrap_err().kind(), KeyErrorKind::Internal);
    assert!(generate(&kms).await.is_ok());
}
