//! Who waits, and for how long: callers' own deadlines, others' fetches, slow and busy KMSs.
#![cfg(feature = "tokio")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    future::poll_fn,
    sync::Arc,
    task::Poll,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use object_cipher_core::{
    BoxFuture, EncryptionContext, KeyErrorKind, KeySource, Mode, ObjectContext,
};
use object_cipher_kms::{
    BreakerPolicy, BucketKeyPolicy, BucketKeys, Cache, CachePolicy, Capabilities, DataKey,
    Describe, Encrypt, Generate, KeyInfo, KeyName, KeyState, Kms, KmsCall, KmsKeys, KmsResult,
    Operation, Rewrap, Scope, Stack, Stacked, TokioTimer, Unwrap, Unwrapped, WrappedKey,
};
use object_cipher_testkit::{FakeKms, KmsFault};
use tokio::time::{Instant, advance, sleep, timeout};

const ONE: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const ALIAS: &str = "alias/photos";
const BUCKET: &str = "arn:aws:s3:::photos";

/// A KMS that takes its time to make data keys, and knows an alias.
struct Slow {
    kms: Arc<FakeKms>,
    time: Duration,
}

impl Slow {
    fn of_seconds(seconds: u64) -> (Arc<FakeKms>, Self) {
        let kms = Arc::new(FakeKms::new().with_key(ONE));
        (Arc::clone(&kms), Self { kms, time: Duration::from_secs(seconds) })
    }
}

impl Kms for Slow {
    fn provider(&self) -> &'static str {
        "slow"
    }

    fn capabilities(&self) -> Capabilities {
        self.kms.capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async {
            sleep(self.time).await;
            self.kms.generate(rq).await
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        self.kms.unwrap(rq)
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        self.kms.rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(async move {
            let one = key(ONE);
            let key = if rq.key.as_str() == ALIAS { &one } else { rq.key };
            self.kms.describe(Describe { key, call: rq.call }).await
        })
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        self.kms.encrypt(rq)
    }
}

fn key(name: &str) -> KeyName {
    KeyName::parse(name).unwrap()
}

fn timer() -> Arc<TokioTimer> {
    Arc::new(TokioTimer::new())
}

fn call() -> KmsCall<'static> {
    KmsCall { principal: Some("me"), ..KmsCall::new(Mode::SseKms) }
}

/// On behalf of one who waits so long.
fn call_within(time: Duration) -> KmsCall<'static> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    KmsCall { deadline: Some(now + time), ..call() }
}

async fn generate(kms: &dyn Kms) -> KmsResult<DataKey> {
    let (key, context) = (key(&Scope::default().arn(ONE)), EncryptionContext::new());
    kms.generate(Generate { key: &key, context: &context, call: call() }).await
}

async fn unwrap(kms: &dyn Kms, wrapped: &WrappedKey, call: KmsCall<'_>) -> KmsResult<()> {
    let context = EncryptionContext::new();
    kms.unwrap(Unwrap { wrapped, context: &context, call }).await.map(drop)
}

async fn is_pending<T>(future: &mut BoxFuture<'_, T>) -> bool {
    poll_fn(|task| Poll::Ready(future.as_mut().poll(task).is_pending())).await
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_what_another_fetches_waits_no_longer_than_his_own_deadline() {
    // After five seconds he asks himself.
    for (seconds, calls) in [(3, 3), (60, 5)] {
        let (kms, _) = Slow::of_seconds(0);
        let made = generate(&*kms).await.unwrap();
        let cache = Cache::new(Arc::clone(&kms), timer(), CachePolicy::default());
        let policy = BucketKeyPolicy::default();
        let bucket_keys = BucketKeys::new(Arc::clone(&kms) as _, timer(), policy);
        kms.fail_key(ONE, Some(KmsFault::Hang));
        let one = key(ONE);
        let unwrapped = async |call| unwrap(&cache, &made.wrapped, call).await;
        let bucket_key =
            async |call: KmsCall<'_>| bucket_keys.get(b"", BUCKET, &one, &call).await.map(drop);
        let mut first = Box::pin(async { tokio::join!(unwrapped(call()), bucket_key(call())) });
        assert!(timeout(Duration::from_millis(1), &mut first).await.is_err());
        let (start, time) = (Instant::now(), Duration::from_secs(seconds));
        let late = tokio::join!(unwrapped(call_within(time)), bucket_key(call_within(time)));
        for late in <[_; 2]>::from(late) {
            assert_eq!(late.unwrap_err().kind(), KeyErrorKind::Timeout);
        }
        assert!(start.elapsed() <= time + Duration::from_secs(1));
        assert_eq!(kms.calls(), calls);
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_fetches_and_is_given_no_time_holds_up_nobody_for_ever() {
    let (fake, slow) = Slow::of_seconds(0);
    let kms = Stack::new(slow, timer()).build().kms();
    let made = generate(&*kms).await.unwrap();
    // So that the first sleeps between its attempts, and then nobody polls it.
    fake.fail_at(2, KmsFault::Fail(KeyErrorKind::Unavailable));
    let mut first: BoxFuture<'_, _> = Box::pin(unwrap(&*kms, &made.wrapped, call()));
    assert!(is_pending(&mut first).await);
    let second = timeout(Duration::from_secs(6), unwrap(&*kms, &made.wrapped, call())).await;
    second.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn those_whom_a_value_cannot_serve_ask_side_by_side() {
    for policy in [
        BucketKeyPolicy { uses: 1, ..BucketKeyPolicy::default() },
        BucketKeyPolicy { age: Duration::ZERO, ..BucketKeyPolicy::default() },
    ] {
        let (fake, slow) = Slow::of_seconds(1);
        let keys = Arc::new(BucketKeys::new(Arc::new(slow), timer(), policy));
        let start = Instant::now();
        let tasks: Vec<_> = (0..30)
            .map(|_| {
                let keys = Arc::clone(&keys);
                tokio::spawn(async move { keys.get(b"", BUCKET, &key(ONE), &call()).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        assert_eq!(fake.calls_of(Operation::Generate), 30);
    }
}

/// In real time, as deadlines are.
#[tokio::test]
async fn within_its_grace_a_data_key_serves_those_too_who_wait_only_shortly() {
    let (fake, slow) = Slow::of_seconds(0);
    let (age, grace) = (Duration::from_millis(500), Duration::from_secs(3_600));
    let policy = CachePolicy { age, grace, ..CachePolicy::default() };
    let kms = Stack::new(slow, timer()).cache(policy).build().kms();
    let made = generate(&*kms).await.unwrap();
    unwrap(&*kms, &made.wrapped, call()).await.unwrap();
    fake.fail_key(ONE, Some(KmsFault::Hang));
    sleep(age).await;
    for _ in 0..3 {
        let call = call_within(age);
        unwrap(&*kms, &made.wrapped, call).await.unwrap();
    }
    // Who had no time from the start learns nothing of the KMS.
    let late = unwrap(&*kms, &made.wrapped, call_within(Duration::ZERO)).await;
    assert_eq!(late.unwrap_err().kind(), KeyErrorKind::Timeout);
}

/// In real time, as deadlines are.
#[tokio::test]
async fn k9_a_kms_that_hangs_is_let_rest_though_its_callers_wait_less_than_an_attempt() {
    let (fake, slow) = Slow::of_seconds(0);
    let policy = BreakerPolicy { failures: 2, ..BreakerPolicy::default() };
    let kms = Stack::new(slow, timer()).breaker(policy).build().kms();
    let made = generate(&*kms).await.unwrap();
    fake.fail_key(ONE, Some(KmsFault::Hang));
    for _ in 0..2 {
        let call = call_within(Duration::from_millis(600));
        unwrap(&*kms, &made.wrapped, call).await.unwrap_err();
    }
    sleep(Duration::from_secs(1)).await;
    let calls = fake.calls();
    let told = unwrap(&*kms, &made.wrapped, call()).await.unwrap_err();
    assert_eq!(told.kind(), KeyErrorKind::Unavailable);
    assert_eq!(fake.calls(), calls, "it is told without asking");
}

#[tokio::test(start_paused = true)]
async fn k8_a_busy_kms_is_no_outage_and_gives_a_disabled_key_no_grace() {
    let (fake, slow) = Slow::of_seconds(1);
    let cache = CachePolicy { grace: Duration::from_secs(3_600), ..CachePolicy::default() };
    let breaker = BreakerPolicy { in_flight: 1, ..BreakerPolicy::default() };
    let kms = Stack::new(slow, timer()).cache(cache).breaker(breaker).build().kms();
    let made = generate(&*kms).await.unwrap();
    unwrap(&*kms, &made.wrapped, call()).await.unwrap();
    advance(Duration::from_secs(301)).await;
    fake.set_state(ONE, KeyState::Disabled);
    let mut busy: BoxFuture<'_, _> = Box::pin(generate(&*kms));
    assert!(is_pending(&mut busy).await);
    let told = unwrap(&*kms, &made.wrapped, call()).await.unwrap_err();
    assert_eq!((told.kind(), told.is_retryable()), (KeyErrorKind::Throttled, true));
    assert_eq!(busy.await.unwrap_err().kind(), KeyErrorKind::Disabled);
}

#[tokio::test(start_paused = true)]
async fn k1_a_kms_that_uses_another_key_than_an_alias_meant_is_not_believed() {
    let (fake, slow) = Slow::of_seconds(0);
    let kms = Stack::new(slow, timer()).build().kms();
    let keys = KmsKeys::new(kms, key(ALIAS), Mode::SseKms);
    let cx = ObjectContext::new("realm", "bucket", "key");
    assert!(keys.fresh(&cx).await.is_ok());
    // What the alias means is known by now.
    fake.fail_at(fake.calls() + 1, KmsFault::OtherKey);
    assert!(keys.fresh(&cx).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_over_its_age_is_wiped_when_the_host_says_so() {
    let (fake, slow) = Slow::of_seconds(0);
    let stacked: Stacked<_> = Stack::new(slow, timer()).build();
    let policy = BucketKeyPolicy::default();
    let bucket_keys = BucketKeys::new(Arc::clone(&fake) as _, timer(), policy);
    let made = bucket_keys.get(b"", BUCKET, &key(ONE), &call()).await.unwrap();
    let context = EncryptionContext::new();
    let mut bucket = context.clone();
    bucket.insert_reserved("aws:s3:arn", BUCKET).unwrap();
    let rq = Unwrap { wrapped: &made.wrapped, context: &bucket, call: call() };
    let opened = stacked.kms().unwrap(rq).await.unwrap();
    let kept = [Arc::downgrade(&made.key), Arc::downgrade(&opened.key)];
    fake.forget();
    drop((made, opened));
    for (seconds, left) in [(299, 2), (1, 0)] {
        advance(Duration::from_secs(seconds)).await;
        stacked.expire();
        bucket_keys.expire();
        assert_eq!(kept.iter().filter(|key| key.strong_count() > 0).count(), left);
    }
    assert!(bucket_keys.is_empty());
}
