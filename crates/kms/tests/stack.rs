//! What the layers over a KMS promise.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode};
use object_cipher_kms::{
    AuditEvent, AuditLost, AuditOutcome, AuditPolicy, AuditSink, Authorizer, BucketKeyPolicy,
    BucketKeys, CachePolicy, DataKey, Generate, KeyId, KeyName, KeyState, Kms, KmsCall, KmsResult,
    LocalKms, Operation, Router, Scope, Stack, Stacked, TokioTimer, Unwrap, WrappedKey, denied,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{FakeKms, KmsFault, kms_suite::KmsSubject};
use tokio::time::{Instant, advance, timeout};

const ONE: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "00000000-12ab-34cd-56ef-1234567890ab";
const MISSING: &str = "eeeeeeee-12ab-34cd-56ef-1234567890ab";

fn fake() -> Arc<FakeKms> {
    Arc::new(FakeKms::new().with_key(ONE).with_key(OTHER))
}

fn stack(fake: &Arc<FakeKms>) -> Stack<Arc<FakeKms>> {
    Stack::new(Arc::clone(fake), Arc::new(TokioTimer::new()))
}

fn call(principal: &str) -> KmsCall<'_> {
    KmsCall { principal: Some(principal), ..KmsCall::new(Mode::SseKms) }
}

fn context(object: &str) -> EncryptionContext {
    let mut context = EncryptionContext::new();
    context.insert("object", object).unwrap();
    context
}

async fn generate(kms: &dyn Kms, key: &str) -> KmsResult<DataKey> {
    let (key, context) = (KeyName::parse(key).unwrap(), context("a"));
    kms.generate(Generate { key: &key, context: &context, call: call("me") }).await
}

async fn unwrap_for(kms: &dyn Kms, wrapped: &WrappedKey, principal: &str) -> KmsResult<()> {
    let context = context("a");
    kms.unwrap(Unwrap { wrapped, context: &context, call: call(principal) }).await.map(drop)
}

async fn unwrap(kms: &dyn Kms, wrapped: &WrappedKey) -> KmsResult<()> {
    unwrap_for(kms, wrapped, "me").await
}

#[tokio::test(start_paused = true)]
async fn a_stack_keeps_every_promise_of_its_provider() {
    let (fake, name) = (fake(), |id| KeyName::parse(id).unwrap());
    let stacked: Stacked<_> = stack(&fake).build();
    for kms in [&*stacked.kms(), &*fake] {
        let (key, other, missing) = (name(ONE), name(OTHER), name(MISSING));
        KmsSubject { kms, key, other, missing, gaps: &[] }.check().await;
    }
}

#[tokio::test(start_paused = true)]
async fn k4_every_failure_is_typed_and_takes_bounded_time() {
    let rows = [
        (KmsFault::Fail(KeyErrorKind::Throttled), KeyErrorKind::Throttled, 3),
        (KmsFault::Fail(KeyErrorKind::Unavailable), KeyErrorKind::Unavailable, 3),
        (KmsFault::Hang, KeyErrorKind::Timeout, 3),
        (KmsFault::Fail(KeyErrorKind::Denied), KeyErrorKind::Denied, 1),
        (KmsFault::Fail(KeyErrorKind::Internal), KeyErrorKind::Internal, 1),
    ];
    for (fault, kind, attempts) in rows {
        let fake = fake();
        let kms = stack(&fake).build().kms();
        fake.fail_key(ONE, Some(fault));
        let start = Instant::now();
        let arn = Scope::default().arn(ONE);
        let error = generate(&*kms, &arn).await.unwrap_err();
        assert_eq!((error.kind(), fake.calls()), (kind, attempts), "{fault:?}");
        assert_eq!(error.is_retryable(), attempts > 1);
        assert!(start.elapsed() <= Duration::from_secs(7), "{fault:?}");
        // A clock that stands still, as here, leaves the attempts' own time-outs.
    }
}

#[tokio::test(start_paused = true)]
async fn k4_a_failure_at_any_one_call_is_got_over() {
    for at in 1..=3 {
        for fault in [KmsFault::Fail(KeyErrorKind::Unavailable), KmsFault::Hang] {
            let fake = fake();
            let kms = stack(&fake).build().kms();
            fake.fail_at(at, fault);
            let made = generate(&*kms, ONE).await.unwrap();
            unwrap(&*kms, &made.wrapped).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_call() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    let (key, context) = (KeyName::parse(ONE).unwrap(), context("a"));
    let past = KmsCall { deadline: Some(Duration::from_secs(1)), ..call("me") };
    let error = kms.generate(Generate { key: &key, context: &context, call: past }).await;
    assert_eq!(error.unwrap_err().kind(), KeyErrorKind::Timeout);
    assert_eq!(fake.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn retries_stay_a_tenth_of_the_calls() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    fake.fail_key(ONE, Some(KmsFault::Fail(KeyErrorKind::Throttled)));
    for _ in 0..1_000 {
        let _ = generate(&*kms, &Scope::default().arn(ONE)).await;
    }
    // Ten are free at the start.
    assert!((1_100..=1_111).contains(&fake.calls()), "{} calls", fake.calls());
}

#[tokio::test(start_paused = true)]
async fn k5_a_data_key_is_asked_for_once_while_it_is_kept() {
    let fake = fake();
    let stacked = stack(&fake).build();
    let kms = stacked.kms();
    let made = generate(&*kms, ONE).await.unwrap();
    for _ in 0..10 {
        unwrap(&*kms, &made.wrapped).await.unwrap();
    }
    assert_eq!(fake.calls_of(Operation::Unwrap), 1);
    advance(Duration::from_secs(301)).await;
    unwrap(&*kms, &made.wrapped).await.unwrap();
    assert_eq!(fake.calls_of(Operation::Unwrap), 2);
    stacked.flush();
    unwrap(&*kms, &made.wrapped).await.unwrap();
    assert_eq!(fake.calls_of(Operation::Unwrap), 3);
    // Each object gets a data key of its own.
    assert_eq!(fake.calls_of(Operation::Generate), 1);
    generate(&*kms, ONE).await.unwrap();
    assert_eq!(fake.calls_of(Operation::Generate), 2);
}

#[tokio::test(start_paused = true)]
async fn a_data_key_serves_so_often_and_no_more() {
    let fake = fake();
    let policy = CachePolicy { uses: 3, ..CachePolicy::default() };
    let kms = stack(&fake).cache(policy).build().kms();
    let made = generate(&*kms, ONE).await.unwrap();
    for _ in 0..9 {
        unwrap(&*kms, &made.wrapped).await.unwrap();
    }
    assert_eq!(fake.calls_of(Operation::Unwrap), 3);
}

#[tokio::test(start_paused = true)]
async fn k6_another_principal_context_mode_or_blob_is_asked_for_anew() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    let (one, other) = (generate(&*kms, ONE).await.unwrap(), generate(&*kms, ONE).await.unwrap());
    unwrap(&*kms, &one.wrapped).await.unwrap();
    unwrap_for(&*kms, &one.wrapped, "you").await.unwrap();
    unwrap(&*kms, &other.wrapped).await.unwrap();
    let (context, mode) = (context("a"), Mode::Client);
    let call = KmsCall { mode, ..call("me") };
    kms.unwrap(Unwrap { wrapped: &one.wrapped, context: &context, call }).await.unwrap();
    assert_eq!(fake.calls_of(Operation::Unwrap), 4);
    let wrong = self::context("b");
    let rq = Unwrap { wrapped: &one.wrapped, context: &wrong, call: self::call("me") };
    assert_eq!(kms.unwrap(rq).await.unwrap_err().kind(), KeyErrorKind::Integrity);
}

/// Denies one principal.
struct NotYou;

impl Authorizer for NotYou {
    fn authorize(
        &self,
        _: Operation,
        key: &KeyId,
        _: Option<&EncryptionContext>,
        call: &KmsCall<'_>,
    ) -> KmsResult<()> {
        assert!(key.arn().is_some(), "the key that is authorised is resolved");
        if call.principal == Some("you") { Err(denied(key, call)) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn k6_k7_who_is_denied_gets_nothing_from_kms_or_cache() {
    let fake = fake();
    let kms = stack(&fake).authorizer(Arc::new(NotYou)).build().kms();
    let made = generate(&*kms, ONE).await.unwrap();
    unwrap(&*kms, &made.wrapped).await.unwrap();
    let before = fake.calls();
    let error = unwrap_for(&*kms, &made.wrapped, "you").await.unwrap_err();
    assert_eq!((error.kind(), fake.calls()), (KeyErrorKind::Denied, before));
    let (key, context) = (KeyName::from(made.wrapped.id()), context("a"));
    let rq = Generate { key: &key, context: &context, call: call("you") };
    assert_eq!(kms.generate(rq).await.unwrap_err().kind(), KeyErrorKind::Denied);
    assert_eq!(fake.calls(), before, "denied before any call");
}

#[tokio::test(start_paused = true)]
async fn k8_a_disabled_key_serves_until_the_cache_is_over_it_or_flushed() {
    for flush in [false, true] {
        let fake = fake();
        let stacked = stack(&fake).build();
        let kms = stacked.kms();
        let made = generate(&*kms, ONE).await.unwrap();
        unwrap(&*kms, &made.wrapped).await.unwrap();
        fake.set_state(ONE, KeyState::Disabled);
        unwrap(&*kms, &made.wrapped).await.unwrap();
        if flush {
            stacked.flush();
        } else {
            advance(Duration::from_secs(301)).await;
        }
        let error = unwrap(&*kms, &made.wrapped).await.unwrap_err();
        assert_eq!(error.kind(), KeyErrorKind::Disabled);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_go_on_in_an_outage_within_age_and_grace_and_after_no_other_failure() {
    let fake = fake();
    let grace = Duration::from_secs(600);
    let policy = CachePolicy { grace, ..CachePolicy::default() };
    let stacked = stack(&fake).cache(policy).build();
    let kms = stacked.kms();
    let made = generate(&*kms, ONE).await.unwrap();
    unwrap(&*kms, &made.wrapped).await.unwrap();
    fake.fail_key(ONE, Some(KmsFault::Fail(KeyErrorKind::Unavailable)));
    assert!(generate(&*kms, ONE).await.unwrap_err().is_retryable(), "writes fail closed");
    unwrap(&*kms, &made.wrapped).await.unwrap();
    advance(Duration::from_secs(301)).await;
    for _ in 0..3 {
        unwrap(&*kms, &made.wrapped).await.unwrap();
        stacked.expire();
        advance(Duration::from_secs(2)).await;
    }
    fake.fail_key(ONE, Some(KmsFault::Fail(KeyErrorKind::Disabled)));
    advance(Duration::from_secs(10)).await;
    advance(Duration::from_secs(2)).await;
    let error = unwrap(&*kms, &made.wrapped).await.unwrap_err();
    assert_eq!(error.kind(), KeyErrorKind::Disabled);
}

#[tokio::test(start_paused = true)]
async fn k9_a_key_that_hangs_stalls_no_other_and_its_calls_are_capped() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    generate(&*kms, OTHER).await.unwrap();
    fake.fail_key(ONE, Some(KmsFault::Hang));
    let arn = Scope::default().arn(ONE);
    let hanging: Vec<_> = (0..1_000)
        .map(|_| {
            let (kms, arn) = (Arc::clone(&kms), arn.clone());
            tokio::spawn(async move { generate(&*kms, &arn).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let start = Instant::now();
    for _ in 0..100 {
        generate(&*kms, OTHER).await.unwrap();
    }
    assert_eq!(start.elapsed(), Duration::ZERO, "the other key waits for nothing");
    for call in hanging {
        assert!(call.await.unwrap().unwrap_err().is_retryable());
    }
    let asked = fake.calls() - 102;
    assert!(asked <= 64 * 3, "{asked} calls for the key that hangs");
    // Let rest: nothing is asked, and then one.
    let before = fake.calls();
    assert!(generate(&*kms, &arn).await.is_err());
    assert_eq!(fake.calls(), before);
    fake.fail_key(ONE, None);
    advance(Duration::from_secs(6)).await;
    generate(&*kms, &arn).await.unwrap();
    generate(&*kms, &arn).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p1_a_hundred_who_want_one_key_ask_once_also_when_the_first_gives_up() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    let wrapped = generate(&*kms, ONE).await.unwrap().wrapped;
    fake.fail_at(fake.calls() + 1, KmsFault::Hang);
    let first = {
        let (kms, wrapped) = (Arc::clone(&kms), wrapped.clone());
        tokio::spawn(async move { unwrap(&*kms, &wrapped).await })
    };
    tokio::task::yield_now().await;
    let others: Vec<_> = (0..100)
        .map(|_| {
            let (kms, wrapped) = (Arc::clone(&kms), wrapped.clone());
            tokio::spawn(async move { unwrap(&*kms, &wrapped).await })
        })
        .collect();
    tokio::task::yield_now().await;
    // x3: the caller goes away.
    first.abort();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(fake.calls_of(Operation::Unwrap), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_key_serves_bucket_key_and_principal_for_a_while() {
    let fake = fake();
    let stacked = stack(&fake).build();
    let policy = BucketKeyPolicy { uses: 100, ..BucketKeyPolicy::default() };
    let keys = BucketKeys::new(stacked.kms(), Arc::new(TokioTimer::new()), policy);
    let arn = Scope::default().arn(ONE);
    let (one, other) = (KeyName::parse(&arn).unwrap(), KeyName::parse(OTHER).unwrap());
    let made = |keys, bucket: &'static str, key, principal| {
        let keys: &BucketKeys = keys;
        async move { keys.get(b"prod", bucket, key, &call(principal)).await.unwrap() }
    };
    let first = made(&keys, "arn:aws:s3:::photos", &one, "me").await;
    for _ in 0..99 {
        let again = made(&keys, "arn:aws:s3:::photos", &one, "me").await;
        assert!(again.key.is_same(&first.key));
    }
    assert_eq!(fake.calls_of(Operation::Generate), 1);
    made(&keys, "arn:aws:s3:::photos", &one, "me").await;
    assert_eq!(fake.calls_of(Operation::Generate), 2, "100 uses");
    made(&keys, "arn:aws:s3:::music", &one, "me").await;
    made(&keys, "arn:aws:s3:::photos", &one, "you").await;
    made(&keys, "arn:aws:s3:::photos", &other, "me").await;
    assert_eq!(fake.calls_of(Operation::Generate), 5);
    advance(Duration::from_secs(301)).await;
    made(&keys, "arn:aws:s3:::photos", &one, "me").await;
    assert_eq!(fake.calls_of(Operation::Generate), 6, "five minutes");
}

/// Keeps what an auditor would read, or nothing.
#[derive(Default)]
struct Kept {
    lines: Mutex<Vec<String>>,
    providers: Mutex<Vec<String>>,
    full: bool,
}

impl AuditSink for Kept {
    fn emit(&self, event: &AuditEvent<'_>) -> Result<(), AuditLost> {
        if self.full {
            return Err(AuditLost("the disk is full".into()));
        }
        self.providers.lock().unwrap().push(event.provider.to_owned());
        let AuditEvent { operation, principal, key, cache_hit, attempts, outcome, .. } = event;
        let outcome = match outcome {
            AuditOutcome::Failed { kind, .. } => format!("{kind:?}"),
            outcome => format!("{outcome:?}"),
        };
        let key = key.is_some();
        let line = format!("{operation:?} {principal:?} {key} {cache_hit} {attempts} {outcome}");
        self.lines.lock().unwrap().push(line);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_audited_cache_hits_and_denials_too() {
    let (fake, sink) = (fake(), Arc::new(Kept::default()));
    let stack = stack(&fake).authorizer(Arc::new(NotYou));
    let kms = stack.audit(Arc::clone(&sink) as _, AuditPolicy::Required).build().kms();
    let made = generate(&*kms, ONE).await.unwrap();
    fake.fail_at(fake.calls() + 1, KmsFault::Fail(KeyErrorKind::Unavailable));
    unwrap(&*kms, &made.wrapped).await.unwrap();
    unwrap(&*kms, &made.wrapped).await.unwrap();
    unwrap_for(&*kms, &made.wrapped, "you").await.unwrap_err();
    generate(&*kms, MISSING).await.unwrap_err();
    generate(&*kms, ONE).await.unwrap();
    let lines = sink.lines.lock().unwrap().clone();
    let expected = [
        // One to learn what the name means, one to generate.
        r#"Generate Some("me") true false 2 Answered"#,
        r#"Unwrap Some("me") true false 2 Answered"#,
        r#"Unwrap Some("me") true true 0 Answered"#,
        r#"Unwrap Some("you") true false 0 Denied"#,
        r#"Generate Some("me") false false 1 NotFound"#,
        // What the name means is kept; the data key is not.
        r#"Generate Some("me") true false 1 Answered"#,
    ];
    assert_eq!(lines, expected);
}

#[tokio::test(start_paused = true)]
async fn x3_a_call_that_nobody_waits_for_any_more_is_audited_too() {
    let (fake, sink) = (fake(), Arc::new(Kept::default()));
    let kms = stack(&fake).audit(Arc::clone(&sink) as _, AuditPolicy::Required).build().kms();
    fake.fail_key(ONE, Some(KmsFault::Hang));
    let arn = Scope::default().arn(ONE);
    timeout(Duration::from_millis(1), generate(&*kms, &arn)).await.unwrap_err();
    let lines = sink.lines.lock().unwrap().clone();
    assert_eq!(lines, [r#"Generate Some("me") true false 1 Abandoned"#]);
}

#[tokio::test(start_paused = true)]
async fn of_several_kmss_the_one_that_has_the_key_is_asked_and_named() {
    let (first, other, sink) = (fake(), fake(), Arc::new(Kept::default()));
    let text = "5678abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
    let scope = Scope::new("eu-west-1", "000000000000").unwrap();
    let local = LocalKms::from_text(text, scope, RustCrypto).unwrap();
    let router = Router::new(Arc::clone(&first) as _)
        .with("arn:aws:kms:eu-", Arc::clone(&other) as _)
        .with("arn:aws:kms:eu-west-1:", Arc::new(local) as _);
    let stack = Stack::new(router, Arc::new(TokioTimer::new()));
    let kms = stack.audit(Arc::clone(&sink) as _, AuditPolicy::Required).build().kms();
    let far = "arn:aws:kms:eu-west-1:000000000000:key/5678abcd-12ab-34cd-56ef-1234567890ab";
    for key in [ONE, far] {
        let made = generate(&*kms, key).await.unwrap();
        // The second time the cache answers.
        unwrap(&*kms, &made.wrapped).await.unwrap();
        unwrap(&*kms, &made.wrapped).await.unwrap();
    }
    let names = sink.providers.lock().unwrap().clone();
    assert_eq!(names, ["fake", "fake", "fake", "local", "local", "local"]);
    assert_eq!((first.calls(), other.calls()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn no_key_is_given_out_unseen_when_audit_is_required() {
    for (policy, passes) in [(AuditPolicy::Required, false), (AuditPolicy::BestEffort, true)] {
        let (fake, sink) = (fake(), Arc::new(Kept { full: true, ..Kept::default() }));
        let kms = stack(&fake).audit(sink, policy).build().kms();
        let made = generate(&*kms, ONE).await;
        assert_eq!(made.is_ok(), passes);
        assert!(made.err().is_none_or(|error| error.is_retryable()));
    }
}

#[tokio::test(start_paused = true)]
async fn k9_who_is_late_by_his_own_deadline_shuts_nobody_out() {
    let fake = fake();
    let kms = stack(&fake).build().kms();
    let made = generate(&*kms, ONE).await.unwrap();
    let context = context("a");
    for _ in 0..10 {
        let call = KmsCall { deadline: Some(Duration::ZERO), ..call("me") };
        let rq = Unwrap { wrapped: &made.wrapped, context: &context, call };
        assert_eq!(kms.unwrap(rq).await.unwrap_err().kind(), KeyErrorKind::Timeout);
    }
    unwrap(&*kms, &made.wrapped).await.unwrap();
    unwrap_for(&*kms, &made.wrapped, "you").await.unwrap();
}
