//! All layers over a provider, in their one order: [`Stack`].

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    AllowAll, Audit, AuditPolicy, AuditSink, Authorize, Authorizer, Breaker, BreakerPolicy, Cache,
    CachePolicy, Kms, Observe, Retry, RetryPolicy, Timeout, Timer,
};

type Layers<K> = Cache<Breaker<Retry<Timeout<K>>>>;

/// A provider with everything that a server wants around it: spans and numbers over audit over authorisation over a cache
/// over a breaker over retries over time-outs. So what is denied and what the cache answers is
/// audited too, and what is denied reaches no cache.
///
#[cfg_attr(feature = "tokio", doc = "```")]
#[cfg_attr(not(feature = "tokio"), doc = "```ignore")]
/// use object_cipher_kms::{LocalKms, Scope, Stack, TokioTimer};
/// use object_cipher_rustcrypto::RustCrypto;
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let text = "1234abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
/// let provider = LocalKms::from_text(text, Scope::default(), RustCrypto)?;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let stack = Stack::new(provider, Arc::new(TokioTimer::new())).build();
/// assert_eq!(stack.kms().provider(), "local");
/// # });
/// # Ok(())
/// # }
/// ```
pub struct Stack<K> {
    provider: K,
    timer: Arc<dyn Timer>,
    attempt: Duration,
    retry: RetryPolicy,
    breaker: BreakerPolicy,
    cache: CachePolicy,
    authorizer: Arc<dyn Authorizer>,
    audit: Option<(Arc<dyn AuditSink>, AuditPolicy)>,
}

/// A provider with its layers.
pub struct Stacked<K> {
    kms: Arc<dyn Kms>,
    cache: Arc<Layers<K>>,
}

impl<K: Kms + 'static> Stack<K> {
    /// Over a provider, with the default policies, without authorisation and audit.
    pub fn new(provider: K, timer: Arc<dyn Timer>) -> Self {
        Self {
            provider,
            timer,
            attempt: Timeout::<K>::ATTEMPT,
            retry: RetryPolicy::default(),
            breaker: BreakerPolicy::default(),
            cache: CachePolicy::default(),
            authorizer: Arc::new(AllowAll),
            audit: None,
        }
    }

    /// How long an attempt may take.
    #[must_use]
    pub fn attempt(mut self, time: Duration) -> Self {
        self.attempt = time;
        self
    }

    /// How calls are tried again.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// When calls are let through.
    #[must_use]
    pub fn breaker(mut self, policy: BreakerPolicy) -> Self {
        self.breaker = policy;
        self
    }

    /// How long data keys are kept.
    #[must_use]
    pub fn cache(mut self, policy: CachePolicy) -> Self {
        self.cache = policy;
        self
    }

    /// Who may use which key.
    #[must_use]
    pub fn authorizer(mut self, authorizer: Arc<dyn Authorizer>) -> Self {
        self.authorizer = authorizer;
        self
    }

    /// Where events go.
    #[must_use]
    pub fn audit(mut self, sink: Arc<dyn AuditSink>, policy: AuditPolicy) -> Self {
        self.audit = Some((sink, policy));
        self
    }

    /// Puts the layers together.
    pub fn build(self) -> Stacked<K> {
        let timer = || Arc::clone(&self.timer);
        let timeout = Timeout::new(self.provider, timer(), self.attempt);
        let retry = Retry::new(timeout, timer(), self.retry);
        let breaker = Breaker::new(retry, timer(), self.breaker);
        let cache = Arc::new(Cache::new(breaker, timer(), self.cache));
        let authorize = Authorize::new(Arc::clone(&cache), self.authorizer);
        let kms: Arc<dyn Kms> = match self.audit {
            Some((sink, policy)) => Arc::new(Audit::new(authorize, sink, policy, timer())),
            None => Arc::new(authorize),
        };
        let kms = Arc::new(Observe::new(kms, timer()));
        Stacked { kms, cache }
    }
}

impl<K: Kms + 'static> Stacked<K> {
    /// What modes are made with.
    pub fn kms(&self) -> Arc<dyn Kms> {
        Arc::clone(&self.kms)
    }

    /// Forgets all data keys: what was disabled serves nobody from now on. Bucket Keys lie over the
    /// stack, and have a [`flush`](crate::BucketKeys::flush) of their own.
    pub fn flush(&self) {
        self.cache.flush();
    }

    /// Forgets data keys that are over their age.
    pub fn expire(&self) {
        self.cache.expire();
    }
}

impl<K> fmt::Debug for Stack<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}

impl<K> fmt::Debug for Stacked<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stacked").finish_non_exhaustive()
    }
}
