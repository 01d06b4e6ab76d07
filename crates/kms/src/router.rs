//! Several KMSs as one: [`Router`].

use std::{fmt, sync::Arc};

use object_cipher_core::BoxFuture;

use crate::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyInfo, Kms, KmsResult, Rewrap, Unwrap,
    Unwrapped, WrappedKey,
};

/// Sends each call to the KMS whose keys' ids begin as its does: `arn:aws:kms:eu-west-1:`,
/// `vault:transit/`, `pkcs11:`. The longest beginning that fits decides, and names that fit none (ids,
/// aliases) go to the first KMS.
///
/// What is stored is the resolved id, so an object goes on being read by the KMS that it was written
/// by, whichever is first by then.
pub struct Router {
    first: Arc<dyn Kms>,
    others: Vec<(String, Arc<dyn Kms>)>,
}

impl Router {
    /// Begins with the KMS that names without a beginning go to.
    pub fn new(first: Arc<dyn Kms>) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Adds a KMS for ids that begin so.
    #[must_use]
    pub fn with(mut self, beginning: impl Into<String>, kms: Arc<dyn Kms>) -> Self {
        self.others.push((beginning.into(), kms));
        self
    }

    fn route(&self, key: &str) -> &dyn Kms {
        let fitting = self.others.iter().filter(|(beginning, _)| key.starts_with(beginning));
        let longest = fitting.max_by_key(|(beginning, _)| beginning.len());
        longest.map_or(&*self.first, |(_, kms)| &**kms)
    }
}

impl Kms for Router {
    /// The first one's.
    fn provider(&self) -> &str {
        self.first.provider()
    }

    fn provider_of(&self, key: &str) -> &str {
        self.route(key).provider_of(key)
    }

    /// What all of them can do.
    fn capabilities(&self) -> Capabilities {
        let others = self.others.iter().map(|(_, kms)| kms.capabilities());
        others.fold(self.first.capabilities(), |all, one| Capabilities {
            server_side_rewrap: all.server_side_rewrap && one.server_side_rewrap,
            tells_version: all.tells_version && one.tells_version,
            max_context_len: all.max_context_len.min(one.max_context_len),
        })
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        self.route(rq.key.as_str()).generate(rq)
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        self.route(rq.wrapped.id().as_str()).unwrap(rq)
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        self.route(rq.wrapped.id().as_str()).rewrap(rq)
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        self.route(rq.key.as_str()).describe(rq)
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        self.route(rq.key.as_str()).encrypt(rq)
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beginnings = self.others.iter().map(|(beginning, _)| beginning);
        f.debug_list().entries(beginnings).finish()
    }
}
