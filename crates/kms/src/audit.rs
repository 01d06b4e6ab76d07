//! Who used which key for what: [`Audit`], [`AuditEvent`], [`AuditSink`].

mod chain;
mod head;
mod log;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use object_cipher_core::{BoxFuture, EncryptionContext, KeyError, KeyErrorKind, Mode};

use crate::{
    KeyId, Kms, KmsCall, KmsResult, Notes, Operation, Timer,
    layer::{About, kms_layer},
};

pub use chain::{AuditFault, AuditReport};
pub use log::{AuditLog, AuditLogBuilder};

/// One call of a KMS, or one that was refused before it. After the fields of AWS `CloudTrail`'s records
/// of KMS. No key is in it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditEvent<'a> {
    /// When the call began.
    pub time: SystemTime,
    /// What was asked for.
    pub operation: Operation,
    /// Who asked, in the host's own terms.
    pub principal: Option<&'a str>,
    /// The host's id of the request.
    pub request_id: Option<&'a str>,
    /// The KMS's.
    pub provider: &'a str,
    /// The key as it was named, or as it is stored.
    pub named: &'a str,
    /// The key that was meant, if that came to be known.
    pub key: Option<String>,
    /// The encryption context, in clear: it tells the object.
    pub context: Vec<(String, String)>,
    /// The mode of the object.
    pub mode: Mode,
    /// Whether the data key is a Bucket Key.
    pub bucket_key: bool,
    /// Whether a cache answered.
    pub cache_hit: bool,
    /// How often the KMS was asked.
    pub attempts: u32,
    /// The KMS's own id of its last request.
    pub kms_request_id: Option<String>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// How long it took.
    pub duration: Duration,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditOutcome {
    /// It was answered.
    Answered,
    /// It failed.
    Failed {
        /// Why.
        kind: KeyErrorKind,
        /// The KMS's own code.
        code: Option<String>,
    },
    /// Whoever asked was gone before the answer came. The KMS may have given it.
    Abandoned,
}

/// Where events go.
pub trait AuditSink: Send + Sync {
    /// Takes an event. It must not wait for anything slower than a local file.
    ///
    /// # Errors
    /// When the event could not be kept; what then becomes of the call is up to [`AuditPolicy`].
    fn emit(&self, event: &AuditEvent<'_>) -> Result<(), AuditLost>;
}

/// An event could not be kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit event was not kept: {0}")]
pub struct AuditLost(pub String);

/// What becomes of a call whose event could not be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditPolicy {
    /// It fails: no key is used unseen.
    Required,
    /// It goes on.
    BestEffort,
}

/// Tells a sink of every call, of those too that a cache answered, the host denied, or nobody waited
/// for any more.
pub struct Audit<K> {
    inner: K,
    sink: Arc<dyn AuditSink>,
    policy: AuditPolicy,
    timer: Arc<dyn Timer>,
}

/// A call under way. Dropped before its event was told, it was abandoned.
struct Watch<'a> {
    about: About<'a>,
    kms: &'a dyn Kms,
    sink: &'a dyn AuditSink,
    timer: &'a dyn Timer,
    time: SystemTime,
    start: Duration,
    notes: Arc<Notes>,
    told: bool,
}

impl<K: Kms> Audit<K> {
    /// Over a KMS.
    pub fn new(
        inner: K,
        sink: Arc<dyn AuditSink>,
        policy: AuditPolicy,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self { inner, sink, policy, timer }
    }

    pub(crate) async fn around<'a, T>(
        &'a self,
        about: About<'a>,
        make: impl Fn(KmsCall<'a>) -> BoxFuture<'a, KmsResult<T>>,
    ) -> KmsResult<T> {
        let notes = about.call.notes.clone().unwrap_or_default();
        let call = KmsCall { notes: Some(Arc::clone(&notes)), ..about.call.clone() };
        let mut watch = Watch {
            about,
            kms: &self.inner,
            sink: &*self.sink,
            timer: &*self.timer,
            time: SystemTime::now(),
            start: self.timer.now(),
            notes,
            told: false,
        };
        let result = make(call).await;
        let outcome = result.as_ref().err().map_or(AuditOutcome::Answered, AuditOutcome::of);
        match (watch.tell(outcome), self.policy) {
            (Err(lost), AuditPolicy::Required) => {
                Err(KeyError::new(KeyErrorKind::Unavailable, lost.to_string()))
            }
            _ => result,
        }
    }
}

impl AuditOutcome {
    fn of(error: &KeyError) -> Self {
        Self::Failed { kind: error.kind(), code: error.code().map(str::to_owned) }
    }
}

impl Watch<'_> {
    fn tell(&mut self, outcome: AuditOutcome) -> Result<(), AuditLost> {
        self.told = true;
        let (about, noted) = (&self.about, self.notes.read());
        let context = about.context.into_iter().flat_map(EncryptionContext::iter);
        self.sink.emit(&AuditEvent {
            time: self.time,
            operation: about.operation,
            principal: about.call.principal,
            request_id: about.call.request_id,
            provider: self.kms.provider_of(noted.key.as_ref().map_or(about.key, KeyId::as_str)),
            named: about.key,
            key: noted.key.map(|key| key.as_str().to_owned()),
            context: context.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            mode: about.call.mode,
            bucket_key: about.call.bucket_key,
            cache_hit: noted.cache_hit,
            attempts: noted.attempts,
            kms_request_id: noted.kms_request_id,
            outcome,
            duration: self.timer.now().saturating_sub(self.start),
        })
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if !self.told {
            // There is nobody left whom a lost event could be told.
            let _ = self.tell(AuditOutcome::Abandoned);
        }
    }
}

kms_layer!(Audit);

impl<K> fmt::Debug for Audit<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("policy", &self.policy).finish_non_exhaustive()
    }
}
