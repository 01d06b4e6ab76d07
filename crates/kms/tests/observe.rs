//! Calls as numbers.
#![cfg(all(feature = "metrics", feature = "tokio"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName as Name, Metadata, Recorder, SharedString, Unit,
};
use object_cipher_core::{EncryptionContext, KeyErrorKind, Mode};
use object_cipher_kms::{Generate, KeyName, Kms as _, KmsCall, Stack, TokioTimer, Unwrap};
use object_cipher_testkit::{FakeKms, KmsFault};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

#[derive(Default)]
struct Numbers(Mutex<BTreeMap<String, Arc<AtomicU64>>>);

impl Recorder for Numbers {
    fn describe_counter(&self, _: Name, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: Name, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: Name, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| label.value().to_owned()).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        let mut numbers = self.0.lock().unwrap();
        Counter::from_arc(Arc::clone(numbers.entry(name).or_default()))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        assert_eq!(key.name(), "object_cipher_kms_call_seconds");
        Histogram::noop()
    }
}

#[test]
fn calls_failures_and_cache_hits_are_counted() {
    let numbers = Numbers::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    metrics::with_local_recorder(&numbers, || {
        runtime.block_on(async {
            let fake = Arc::new(FakeKms::new().with_key(KEY));
            let kms = Stack::new(Arc::clone(&fake), Arc::new(TokioTimer::new())).build().kms();
            let (key, context) = (KeyName::parse(KEY).unwrap(), EncryptionContext::new());
            let call = || KmsCall::new(Mode::SseKms);
            let rq = || Generate { key: &key, context: &context, call: call() };
            let wrapped = kms.generate(rq()).await.unwrap().wrapped;
            for _ in 0..3 {
                let rq = Unwrap { wrapped: &wrapped, context: &context, call: call() };
                kms.unwrap(rq).await.unwrap();
            }
            fake.fail_key(KEY, Some(KmsFault::Fail(KeyErrorKind::Denied)));
            kms.generate(rq()).await.unwrap_err();
        });
    });
    let numbers = numbers.0.lock().unwrap();
    let of = |name: &str| numbers.get(name).map(|number| number.load(Ordering::Relaxed));
    let calls = "object_cipher_kms_calls_total fake";
    assert_eq!(of(&format!("{calls} GenerateDataKey ok")), Some(1));
    assert_eq!(of(&format!("{calls} GenerateDataKey Denied")), Some(1));
    assert_eq!(of(&format!("{calls} Decrypt ok")), Some(3));
    assert_eq!(of("object_cipher_kms_cache_hits_total fake Decrypt"), Some(2));
}
