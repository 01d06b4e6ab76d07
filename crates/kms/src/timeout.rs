//! Calls end in time: [`Timeout`].

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind};

use crate::{
    Kms, KmsCall, KmsResult, Timer,
    layer::{About, kms_layer},
    timer::within,
};

/// Gives each attempt so much time, and none more than the caller's deadline leaves.
pub struct Timeout<K> {
    inner: K,
    timer: Arc<dyn Timer>,
    attempt: Duration,
}

impl<K: Kms> Timeout<K> {
    /// The time that an attempt gets unless another is chosen.
    pub const ATTEMPT: Duration = Duration::from_secs(2);

    /// Over a KMS.
    pub fn new(inner: K, timer: Arc<dyn Timer>, attempt: Duration) -> Self {
        Self { inner, timer, attempt }
    }

    pub(crate) async fn around<'a, T>(
        &'a self,
        about: About<'a>,
        make: impl Fn(KmsCall<'a>) -> BoxFuture<'a, KmsResult<T>>,
    ) -> KmsResult<T> {
        let left = time_left(about.call.deadline).unwrap_or(self.attempt).min(self.attempt);
        let expired = || Err(expired(self.inner.provider_of(about.key)));
        if left.is_zero() {
            return expired();
        }
        within(&*self.timer, left, make(about.call)).await.unwrap_or_else(expired)
    }
}

kms_layer!(Timeout);

/// What the future gives, unless the caller's deadline comes before: for those who wait for what others
/// fetch.
pub(crate) async fn in_time<T>(
    timer: &dyn Timer,
    provider: &str,
    call: &KmsCall<'_>,
    future: BoxFuture<'_, KmsResult<T>>,
) -> KmsResult<T> {
    match time_left(call.deadline) {
        None => future.await,
        Some(left) => within(timer, left, future).await.unwrap_or_else(|| Err(expired(provider))),
    }
}

/// What a deadline, in time since the Unix epoch, leaves.
pub(crate) fn time_left(deadline: Option<Duration>) -> Option<Duration> {
    deadline.map(|deadline| deadline.saturating_sub(unix_now()))
}

fn expired(provider: &str) -> KeyError {
    KeyError::new(KeyErrorKind::Timeout, format!("the KMS ({provider}) did not answer in time"))
}

/// Whether the caller's own deadline has passed: what is late then may be no fault of the KMS.
pub(crate) fn is_late(call: &KmsCall<'_>) -> bool {
    time_left(call.deadline).is_some_and(|left| left.is_zero())
}

/// Time since the Unix epoch.
pub(crate) fn unix_now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

impl<K> fmt::Debug for Timeout<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
