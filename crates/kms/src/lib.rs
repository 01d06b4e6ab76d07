#![doc = include_str!("../README.md")]

mod admin;
mod audit;
mod authorize;
mod breaker;
mod bucket_keys;
mod cache;
mod call;
mod context;
mod discovery;
mod error;
mod key_name;
mod key_source;
mod kms;
mod layer;
mod local;
mod master_key_ref;
mod observe;
mod retry;
mod router;
mod stack;
mod sync;
mod table;
mod timeout;
mod timer;
mod unseal;

pub use admin::{KeyInfo, KeyState, KmsAdmin};
pub use audit::{
    Audit, AuditEvent, AuditFault, AuditLog, AuditLogBuilder, AuditLost, AuditOutcome, AuditPolicy,
    AuditReport, AuditSink,
};
pub use authorize::{AllowAll, Authorize, Authorizer, denied};
pub use breaker::{Breaker, BreakerPolicy};
pub use bucket_keys::{BucketKeyPolicy, BucketKeys, bucket_context};
pub use cache::{Cache, CachePolicy};
pub use call::{KmsCall, Noted, Notes};
pub use context::{ARN_PAIR, bucket_arn, context_bytes, effective_context, object_arn};
pub use discovery::{Discover, KmsDiscovery};
pub use error::{Error, Result};
pub use key_name::{Arn, KeyId, KeyName, KeyNameKind};
pub use key_source::{KmsKeys, rewrap_blobs};
pub use kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, Kms, KmsResult, Rewrap, Unwrap, Unwrapped,
    WrappedKey, data_key,
};
pub use layer::Operation;
pub use local::{LocalKms, Scope};
pub use observe::Observe;
pub use retry::{Retry, RetryPolicy};
pub use router::Router;
pub use stack::{Stack, Stacked};
pub use timeout::Timeout;
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
pub use unseal::KmsUnlock;
