//! Calls are tried again: [`Retry`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use object_cipher_core::BoxFuture;

use crate::{
    Kms, KmsCall, KmsResult, Timer,
    layer::{About, kms_layer},
    timeout::{time_left, unix_now},
};

/// Tries again what was throttled, timed out or could not be reached, after a random time (full
/// jitter), and no more often than a tenth of all calls, so that retries do not keep an overloaded
/// KMS down.
///
/// All calls of a KMS may be repeated: a data key that nobody got is of no use to anyone.
pub struct Retry<K> {
    inner: K,
    timer: Arc<dyn Timer>,
    policy: RetryPolicy,
    /// Tenths of a retry that may be made.
    budget: AtomicU32,
}

/// How calls are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a call is made at most, the first time included.
    pub attempts: u32,
    /// The longest wait before the second attempt; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// All attempts together take so long at most.
    pub operation: Duration,
}

impl Default for RetryPolicy {
    /// Three attempts within five seconds; waits of up to 100 ms and 200 ms.
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(100),
            longest_wait: Duration::from_secs(1),
            operation: Duration::from_secs(5),
        }
    }
}

impl<K: Kms> Retry<K> {
    /// Retries that may be made before any call has earned one.
    const FULL: u32 = 100;
    /// What one retry costs; a call earns one.
    const COST: u32 = 10;

    /// Over a KMS.
    pub fn new(inner: K, timer: Arc<dyn Timer>, policy: RetryPolicy) -> Self {
        Self { inner, timer, policy, budget: AtomicU32::new(Self::FULL) }
    }

    pub(crate) async fn around<'a, T>(
        &'a self,
        about: About<'a>,
        make: impl Fn(KmsCall<'a>) -> BoxFuture<'a, KmsResult<T>>,
    ) -> KmsResult<T> {
        let start = self.timer.now();
        self.earn();
        // So that the last attempt ends in time too.
        let end = unix_now().saturating_add(self.policy.operation);
        let deadline = Some(about.call.deadline.map_or(end, |deadline| deadline.min(end)));
        let call = KmsCall { deadline, ..about.call };
        let mut attempt = 1;
        loop {
            call.note(|noted| noted.attempts += 1);
            let error = match make(call.clone()).await {
                Err(error) if error.is_retryable() && attempt < self.policy.attempts => error,
                result => return result,
            };
            let wait = self.wait(attempt);
            let spent = self.timer.now().saturating_sub(start).saturating_add(wait);
            let late = time_left(deadline).is_some_and(|left| left <= wait);
            if late || spent >= self.policy.operation || !self.spend() {
                return Err(error);
            }
            self.timer.sleep(wait).await;
            attempt += 1;
        }
    }

    /// A random part of the longest wait after this many attempts.
    fn wait(&self, attempt: u32) -> Duration {
        let RetryPolicy { first_wait, longest_wait, .. } = self.policy;
        let longest =
            first_wait.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(longest_wait);
        let mut part = [0; 2];
        // Without randomness the wait is the longest.
        if getrandom::fill(&mut part).is_err() {
            return longest;
        }
        longest.mul_f64(f64::from(u16::from_be_bytes(part)) / f64::from(u16::MAX))
    }

    fn earn(&self) {
        let earned = |budget: u32| Some((budget + 1).min(Self::FULL));
        let _ = self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
    }

    fn spend(&self) -> bool {
        let spent = |budget: u32| budget.checked_sub(Self::COST);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }
}

kms_layer!(Retry);

impl<K> fmt::Debug for Retry<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("policy", &self.policy).finish_non_exhaustive()
    }
}
