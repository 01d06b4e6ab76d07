//! Calls as spans and numbers: [`Observe`].

use std::{fmt, sync::Arc, time::Duration};

use object_cipher_core::BoxFuture;

use crate::{
    Kms, KmsCall, KmsResult, Notes, Operation, Timer,
    layer::{About, kms_layer},
};

/// Tells `tracing` and `metrics` of every call, as far as the features of these names are on.
///
/// | | |
/// |---|---|
/// | span `kms` | fields `provider`, `operation`, `key`, `request_id`; around all that a call does |
/// | counter `object_cipher_kms_calls_total` | labels `provider`, `operation`, `outcome`: `ok`, the kind of the error, or `abandoned` when nobody waited any more |
/// | counter `object_cipher_kms_cache_hits_total` | labels `provider`, `operation` |
/// | histogram `object_cipher_kms_call_seconds` | labels `provider`, `operation` |
///
/// No key is in any of them, and no encryption context.
pub struct Observe<K> {
    inner: K,
    timer: Arc<dyn Timer>,
}

impl<K: Kms> Observe<K> {
    /// Over a KMS.
    pub fn new(inner: K, timer: Arc<dyn Timer>) -> Self {
        Self { inner, timer }
    }

    pub(crate) async fn around<'a, T>(
        &'a self,
        about: About<'a>,
        make: impl Fn(KmsCall<'a>) -> BoxFuture<'a, KmsResult<T>>,
    ) -> KmsResult<T> {
        let notes = about.call.notes.clone().unwrap_or_default();
        let call = KmsCall { notes: Some(Arc::clone(&notes)), ..about.call.clone() };
        let made = make(call);
        let mut watch = Watch {
            provider: self.inner.provider_of(about.key),
            operation: about.operation,
            timer: &*self.timer,
            start: self.timer.now(),
            notes,
            outcome: "abandoned".into(),
        };
        #[cfg(feature = "tracing")]
        let made = tracing::Instrument::instrument(
            made,
            tracing::info_span!(
                "kms",
                provider = watch.provider,
                operation = about.operation.name(),
                key = about.key,
                request_id = about.call.request_id,
            ),
        );
        let result = made.await;
        watch.outcome = match &result {
            Ok(_) => "ok".into(),
            Err(error) => format!("{:?}", error.kind()),
        };
        result
    }
}

/// Counts a call at its end, however it ends.
#[cfg_attr(not(feature = "metrics"), allow(dead_code, reason = "it counts with the feature"))]
struct Watch<'a> {
    provider: &'a str,
    operation: Operation,
    timer: &'a dyn Timer,
    start: Duration,
    notes: Arc<Notes>,
    outcome: String,
}

#[cfg(feature = "metrics")]
impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let seconds = self.timer.now().saturating_sub(self.start).as_secs_f64();
        let (provider, operation) = (self.provider.to_owned(), self.operation.name());
        let outcome = std::mem::take(&mut self.outcome);
        metrics::counter!(
            "object_cipher_kms_calls_total",
            "provider" => provider.clone(), "operation" => operation, "outcome" => outcome,
        )
        .increment(1);
        if self.notes.read().cache_hit {
            metrics::counter!(
                "object_cipher_kms_cache_hits_total",
                "provider" => provider.clone(), "operation" => operation,
            )
            .increment(1);
        }
        metrics::histogram!(
            "object_cipher_kms_call_seconds",
            "provider" => provider, "operation" => operation,
        )
        .record(seconds);
    }
}

kms_layer!(Observe);

impl<K> fmt::Debug for Observe<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observe").finish_non_exhaustive()
    }
}
