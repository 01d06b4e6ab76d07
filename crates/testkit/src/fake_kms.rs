//! A KMS in memory that can be told to fail: [`FakeKms`].

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::HashMap,
    future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use object_cipher_core::{BoxFuture, KeyError, KeyErrorKind, SourceKey};
use object_cipher_kms::{
    Capabilities, DataKey, Describe, Encrypt, Generate, KeyId, KeyInfo, KeyName, KeyNameKind,
    KeyState, Kms, KmsResult, Operation, Rewrap, Scope, Unwrap, Unwrapped, WrappedKey,
    context_bytes,
};

/// What is to go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KmsFault {
    /// It fails so.
    Fail(KeyErrorKind),
    /// It never ends.
    Hang,
    /// It answers with another key's id.
    OtherKey,
    /// It draws a data key that it drew before.
    SameDataKey,
    /// It panics.
    Panic,
}

/// A strict KMS in memory. It counts its calls, and fails where it is told to.
///
/// Keys are made by [`FakeKms::with_key`]; their ARNs are those of [`Scope::default`]. Wrapped keys
/// are handles to what the fake remembers, so any other bytes are refused.
#[derive(Default)]
pub struct FakeKms {
    state: Mutex<State>,
    calls: [AtomicU64; 5],
    drawn: AtomicU64,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, KeyState>,
    wrapped: HashMap<Vec<u8>, Wrapped>,
    /// By the number of the call, from 1, of all calls.
    at: HashMap<u64, KmsFault>,
    /// For a key, by its id.
    of: HashMap<String, KmsFault>,
}

struct Wrapped {
    key: String,
    context: Vec<u8>,
    data_key: Arc<SourceKey>,
}

impl FakeKms {
    /// Without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key by its id, a UUID.
    #[must_use]
    pub fn with_key(self, id: &str) -> Self {
        self.set_state(id, KeyState::Enabled);
        self
    }

    /// Sets a key's state.
    pub fn set_state(&self, id: &str, state: KeyState) {
        self.state().keys.insert(id.to_owned(), state);
    }

    /// Lets the call of this number, from 1, go wrong.
    pub fn fail_at(&self, call: u64, fault: KmsFault) {
        self.state().at.insert(call, fault);
    }

    /// Lets all calls for a key go wrong, or none.
    pub fn fail_key(&self, id: &str, fault: Option<KmsFault>) {
        let mut state = self.state();
        match fault {
            Some(fault) => state.of.insert(id.to_owned(), fault),
            None => state.of.remove(id),
        };
    }

    /// Forgets every data key that it wrapped: none of them opens any more.
    pub fn forget(&self) {
        self.state().wrapped.clear();
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.calls.iter().map(|calls| calls.load(Ordering::Relaxed)).sum()
    }

    /// How many calls of a kind there were.
    pub fn calls_of(&self, operation: Operation) -> u64 {
        self.counter(operation).load(Ordering::Relaxed)
    }

    fn counter(&self, operation: Operation) -> &AtomicU64 {
        let all = [
            Operation::Generate,
            Operation::Unwrap,
            Operation::Rewrap,
            Operation::Describe,
            Operation::Encrypt,
        ];
        &self.calls[all.iter().position(|one| *one == operation).unwrap()]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call and tells the id of its key; what goes wrong with it, goes wrong.
    async fn begin(&self, operation: Operation, name: &KeyName) -> KmsResult<(String, bool)> {
        self.counter(operation).fetch_add(1, Ordering::Relaxed);
        let id = match (name.kind(), name.arn()) {
            (_, Some(arn)) => arn.resource.rsplit('/').next().unwrap().to_owned(),
            (KeyNameKind::Id, _) => name.as_str().to_owned(),
            _ => String::new(),
        };
        let fault = {
            let state = self.state();
            state.at.get(&self.calls()).or_else(|| state.of.get(&id)).copied()
        };
        match fault {
            Some(KmsFault::Fail(kind)) => return Err(KeyError::new(kind, "told to fail")),
            Some(KmsFault::Hang) => future::pending().await,
            Some(KmsFault::Panic) => panic!("told to panic"),
            _ => {}
        }
        match self.state().keys.get(&id) {
            None => Err(KeyError::new(KeyErrorKind::NotFound, "there is no such key")),
            Some(KeyState::Enabled) => Ok((id, fault == Some(KmsFault::OtherKey))),
            Some(_) if operation == Operation::Describe => Ok((id, false)),
            Some(KeyState::PendingDeletion { .. }) => {
                Err(KeyError::new(KeyErrorKind::InvalidState, "the key is pending deletion"))
            }
            Some(_) => Err(KeyError::new(KeyErrorKind::Disabled, "the key is disabled")),
        }
    }

    fn draw(&self, id: &str) -> Arc<SourceKey> {
        let same = self.state().of.get(id) == Some(&KmsFault::SameDataKey);
        let number = if same { 0 } else { self.drawn.fetch_add(1, Ordering::Relaxed) + 1 };
        let mut bytes = [0xD5; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        SourceKey::from_bytes(&bytes)
    }

    fn wrap(
        &self,
        id: &str,
        context: Vec<u8>,
        data_key: Arc<SourceKey>,
        other: bool,
    ) -> KmsResult<WrappedKey> {
        let mut state = self.state();
        let handle = format!("handle {} of a data key that was wrapped", state.wrapped.len());
        let wrapped = Wrapped { key: id.to_owned(), context, data_key };
        state.wrapped.insert(handle.clone().into_bytes(), wrapped);
        WrappedKey::new(answered(id, other)?, "v1", handle.as_bytes())
    }
}

impl Kms for FakeKms {
    fn provider(&self) -> &'static str {
        "fake"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { server_side_rewrap: true, tells_version: true, max_context_len: 8_192 }
    }

    fn generate<'a>(&'a self, rq: Generate<'a>) -> BoxFuture<'a, KmsResult<DataKey>> {
        Box::pin(async move {
            let (id, other) = self.begin(Operation::Generate, rq.key).await?;
            let key = self.draw(&id);
            let wrapped = self.wrap(&id, context_bytes(rq.context), Arc::clone(&key), other)?;
            Ok(DataKey { key, wrapped })
        })
    }

    fn unwrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Unwrapped>> {
        Box::pin(async move {
            let name = KeyName::from(rq.wrapped.id());
            let (id, other) = self.begin(Operation::Unwrap, &name).await?;
            let state = self.state();
            let found = state.wrapped.get(rq.wrapped.ciphertext());
            let found = found.filter(|found| found.context == context_bytes(rq.context));
            let refused = |kind| KeyError::new(kind, "not what was wrapped");
            let found = found.ok_or_else(|| refused(KeyErrorKind::Integrity))?;
            if found.key != id {
                return Err(refused(KeyErrorKind::WrongKey));
            }
            Ok(Unwrapped { key: Arc::clone(&found.data_key), id: answered(&id, other)? })
        })
    }

    fn rewrap<'a>(&'a self, rq: Unwrap<'a>) -> BoxFuture<'a, KmsResult<Rewrap>> {
        Box::pin(async move {
            let name = KeyName::from(rq.wrapped.id());
            self.begin(Operation::Rewrap, &name).await?;
            Ok(Rewrap::Unchanged)
        })
    }

    fn describe<'a>(&'a self, rq: Describe<'a>) -> BoxFuture<'a, KmsResult<KeyInfo>> {
        Box::pin(async move {
            let (id, other) = self.begin(Operation::Describe, rq.key).await?;
            let state = *self.state().keys.get(&id).unwrap();
            Ok(KeyInfo::new(answered(&id, other)?, state))
        })
    }

    fn encrypt<'a>(&'a self, rq: Encrypt<'a>) -> BoxFuture<'a, KmsResult<WrappedKey>> {
        Box::pin(async move {
            let (id, other) = self.begin(Operation::Encrypt, rq.key).await?;
            let data_key = SourceKey::from_bytes(rq.data_key.expose_bytes());
            self.wrap(&id, context_bytes(rq.context), data_key, other)
        })
    }
}

impl std::fmt::Debug for FakeKms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeKms").finish_non_exhaustive()
    }
}

fn answered(id: &str, other: bool) -> KmsResult<KeyId> {
    let id = if other { "ffffffff-ffff-ffff-ffff-ffffffffffff" } else { id };
    KeyId::new(Scope::default().arn(id))
}
