//! Data keys that were unwrapped a moment ago: [`Cache`].

use std::{fmt, sync::Arc, time::Duration};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind, Mode};

use crate::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyName, Kms, KmsCall,
    KmsResult, Rewrap, Timer, Unwrap, Unwrapped, WrappedKey,
    table::{Failure, Limits, Table},
    timeout::{in_time, is_late},
};

/// Keeps unwrapped data keys, and what names mean, for a while.
///
/// An entry serves one principal, one blob, one key, one context and one mode, and no other. It
/// holds for as long as [`CachePolicy::age`] says, and so long does it take at most until a key that
/// was disabled serves nobody any more; [`Cache::flush`] makes it so at once. Of several who want one
/// key, one asks the KMS and the others wait. What is not kept any more is wiped.
///
/// Data keys that the KMS makes are never kept: each object gets its own.
pub struct Cache<K> {
    inner: K,
    timer: Arc<dyn Timer>,
    policy: CachePolicy,
    unwrapped: Table<Entry, Unwrapped>,
    described: Table<(Option<String>, KeyName), KeyInfo>,
}

/// What is kept, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachePolicy {
    /// How long a data key is kept. Zero keeps none.
    pub age: Duration,
    /// How often it serves.
    pub uses: u64,
    /// How many are kept.
    pub entries: usize,
    /// How long after [`age`](Self::age) a data key still serves while the KMS cannot be reached, or
    /// does not answer in time. Never after any other answer.
    pub grace: Duration,
}

/// What a data key was unwrapped for.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Entry {
    principal: Option<String>,
    mode: Mode,
    key: KeyId,
    blob: Vec<u8>,
    context: Vec<u8>,
}

impl Default for CachePolicy {
    /// 4,096 data keys for five minutes, 2^20 times each; no grace.
    fn default() -> Self {
        Self {
            age: Duration::from_secs(5 * 60),
            uses: 1 << 20,
            entries: 4_096,
            grace: Duration::ZERO,
        }
    }
}

impl<K: Kms> Cache<K> {
    /// What a name means is kept so long.
    const DESCRIBED: Duration = Duration::from_secs(60);

    /// Over a KMS.
    pub fn new(inner: K, timer: Arc<dyn Timer>, policy: CachePolicy) -> Self {
        let CachePolicy { age, uses, entries, grace } = policy;
        let unwrapped = Table::new(Limits { age, grace, uses, entries });
        let (age, grace) = (Self::DESCRIBED, Duration::ZERO);
        let limits = Limits { age, grace, uses: u64::MAX, entries };
        Self { inner, timer, policy, unwrapped, described: Table::new(limits) }
    }

    /// Forgets everything: what was disabled serves nobody from now on.
    pub fn flush(&self) {
        self.unwrapped.flush();
        self.described.flush();
    }

    /// Forgets what is over its age. A host that has quiet hours calls it now and then: otherwise
    /// what nobody asks for stays until room is needed.
    pub fn expire(&self) {
        let now = self.timer.now();
        self.unwrapped.expire(now);
        self.described.expire(now);
    }

    async fn kept(&self, rq: Unwrap<'_>) -> KmsResult<Unwrapped> {
        let entry = Entry {
            principal: rq.call.principal.map(str::to_owned),
            mode: rq.call.mode,
            key: rq.wrapped.id().clone(),
            blob: rq.wrapped.blob().as_bytes().to_vec(),
            context: rq.context.canonical(),
        };
        let judge = |error: &KeyError| judge(error, &rq.call);
        let fetch = || self.inner.unwrap(rq.clone());
        let had_time = !is_late(&rq.call);
        let found = Box::pin(self.unwrapped.get(&entry, &*self.timer, judge, fetch));
        let (value, hit) = match self.in_time(&rq.call, found).await {
            Ok(served) => (served.value, served.hit),
            Err(error) if had_time && is_outage(error.kind()) => {
                (self.unwrapped.stale(&entry, self.timer.now()).ok_or(error)?, true)
            }
            Err(error) => return Err(error),
        };
        rq.call.note(|noted| noted.cache_hit = hit);
        Ok(value)
    }

    async fn in_time<T>(
        &self,
        call: &KmsCall<'_>,
        found: BoxFuture<'_, KmsResult<T>>,
    ) -> KmsResult<T> {
        in_time(&*self.timer, self.provider(), call, found).await
    }

    async fn known(&self, rq: Describe<'_>) -> KmsResult<KeyInfo> {
        let entry = (rq.call.principal.map(str::to_owned), rq.key.clone());
        let fetch = || self.inner.describe(rq.clone());
        let judge = |error: &KeyError| judge(error, &rq.call);
        let found = Box::pin(self.described.get(&entry, &*self.timer, judge, fetch));
        let served = self.in_time(&rq.call, found).await?;
        rq.call.note(|noted| noted.cache_hit = served.hit);
        Ok(served.value)
    }
}

impl<K: Kms> Kms for Cache<K> {
    fn provider(&self) -> &str {
        self.inner.provider()
    }

    fn provider_of(&self, key: &str) -> &str {
        self.inner.provider_of(key)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        self.inner.generate(rq)
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        if self.policy.age.is_zero() {
            return self.inner.unwrap(rq);
        }
        Box::pin(self.kept(rq))
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        self.inner.rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(self.known(rq))
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        self.inner.encrypt(rq)
    }
}

/// How long a failure is told without asking again. One of integrity is no state of the KMS, and
/// a caller's deadline is none either.
fn judge(error: &KeyError, call: &KmsCall<'_>) -> Failure {
    let moment = Duration::from_secs(1);
    match error.kind() {
        KeyErrorKind::Timeout if is_late(call) => Failure::Own,
        kind if is_outage(kind) => Failure::Outage(moment),
        KeyErrorKind::NotFound => Failure::Known(Duration::from_secs(2 * 60)),
        _ if error.is_retryable() => Failure::Known(moment),
        _ => Failure::Answer,
    }
}

/// Whether the KMS could not be reached, or did not answer in time.
fn is_outage(kind: KeyErrorKind) -> bool {
    matches!(kind, KeyErrorKind::Unavailable | KeyErrorKind::Timeout)
}

impl<K> fmt::Debug for Cache<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("policy", &self.policy).finish_non_exhaustive()
    }
}
