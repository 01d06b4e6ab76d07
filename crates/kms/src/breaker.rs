//! One key that hangs stalls no other: [`Breaker`].

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind};

use crate::{
    Kms, KmsCall, KmsResult, Timer,
    layer::{About, kms_layer},
    timeout::is_late,
};

/// So many keys are known at most, beside those with calls under way: names come from requests.
const MAX_KEYS: usize = 4_096;

/// A KMS that took so long and did not answer has failed, whoever's deadline it was.
const FAIR_TIME: Duration = Duration::from_millis(500);

/// Lets so many calls for a key be under way at once, and after some failures in a row none at all
/// for a while: then one, and all again when it succeeds. Whoever is not let through is told at once,
/// by an error that may be retried.
pub struct Breaker<K> {
    inner: K,
    timer: Arc<dyn Timer>,
    policy: BreakerPolicy,
    keys: Mutex<HashMap<String, Circuit>>,
}

/// When calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Calls for one key that may be under way at once.
    pub in_flight: u32,
    /// Failures in a row (unreachable, or not in time) after which none is let through.
    pub failures: u32,
    /// For how long.
    pub pause: Duration,
}

/// What is known of a key whose calls are under way or fail; of others, nothing is kept.
#[derive(Default)]
struct Circuit {
    in_flight: u32,
    failures: u32,
    /// When it may be tried again.
    open_until: Option<Duration>,
    probing: bool,
}

/// A call that was let through. Dropped without an outcome, it counts as neither.
struct Passed<'a, K: Kms> {
    breaker: &'a Breaker<K>,
    key: &'a str,
    probe: bool,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answered,
    Failed,
}

impl Default for BreakerPolicy {
    /// 64 calls a key; five failures; five seconds.
    fn default() -> Self {
        Self { in_flight: 64, failures: 5, pause: Duration::from_secs(5) }
    }
}

impl<K: Kms> Breaker<K> {
    /// Over a KMS.
    pub fn new(inner: K, timer: Arc<dyn Timer>, policy: BreakerPolicy) -> Self {
        Self { inner, timer, policy, keys: Mutex::default() }
    }

    pub(crate) async fn around<'a, T>(
        &'a self,
        about: About<'a>,
        make: impl Fn(KmsCall<'a>) -> BoxFuture<'a, KmsResult<T>>,
    ) -> KmsResult<T> {
        let mut passed = self.pass(about.key)?;
        let start = self.timer.now();
        let result = make(about.call.clone()).await;
        let took = self.timer.now().saturating_sub(start);
        passed.outcome = match &result {
            // The caller had next to no time: that tells nothing of the KMS, nor may it close the key
            // for others.
            Err(error)
                if error.kind() == KeyErrorKind::Timeout
                    && is_late(&about.call)
                    && took < FAIR_TIME =>
            {
                None
            }
            Err(error) if failed(error) => Some(Outcome::Failed),
            _ => Some(Outcome::Answered),
        };
        result
    }

    fn pass<'a>(&'a self, key: &'a str) -> KmsResult<Passed<'a, K>> {
        let now = self.timer.now();
        let mut keys = self.keys();
        if keys.len() >= MAX_KEYS && !keys.contains_key(key) {
            keys.retain(|_, circuit| circuit.in_flight > 0 || circuit.is_open(now));
        }
        if keys.len() >= MAX_KEYS && !keys.contains_key(key) {
            keys.retain(|_, circuit| circuit.in_flight > 0);
        }
        let circuit = keys.entry(key.to_owned()).or_default();
        let refused = |kind, why: &str| {
            let message = format!("the KMS ({}) {why}", self.inner.provider_of(key));
            Err(KeyError::new(kind, message))
        };
        let probe = match circuit.open_until {
            Some(until) if now < until || circuit.probing => {
                return refused(
                    KeyErrorKind::Unavailable,
                    "has failed too often for this key: it is let rest",
                );
            }
            Some(_) => true,
            None => false,
        };
        if circuit.in_flight >= self.policy.in_flight {
            // No outage: the KMS may well answer.
            return refused(KeyErrorKind::Throttled, "has too many calls for this key under way");
        }
        circuit.in_flight += 1;
        circuit.probing |= probe;
        Ok(Passed { breaker: self, key, probe, outcome: None })
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Circuit>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    /// Whether calls are not let through for now.
    fn is_open(&self, now: Duration) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }
}

impl<K: Kms> Drop for Passed<'_, K> {
    fn drop(&mut self) {
        let now = self.breaker.timer.now();
        let policy = self.breaker.policy;
        let mut keys = self.breaker.keys();
        let Some(circuit) = keys.get_mut(self.key) else { return };
        circuit.in_flight = circuit.in_flight.saturating_sub(1);
        if self.probe {
            circuit.probing = false;
        }
        match self.outcome {
            Some(Outcome::Answered) => {
                circuit.failures = 0;
                circuit.open_until = None;
            }
            Some(Outcome::Failed) => {
                circuit.failures = circuit.failures.saturating_add(1);
                if circuit.failures >= policy.failures {
                    circuit.open_until = Some(now.saturating_add(policy.pause));
                }
            }
            None => {}
        }
        if circuit.in_flight == 0 && circuit.failures == 0 {
            keys.remove(self.key);
        }
    }
}

kms_layer!(Breaker);

/// A throttled call was answered: the KMS is there.
fn failed(error: &KeyError) -> bool {
    matches!(error.kind(), KeyErrorKind::Unavailable | KeyErrorKind::Timeout)
}

impl<K> fmt::Debug for Breaker<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("policy", &self.policy).finish_non_exhaustive()
    }
}
