//! One lock a name.

use std::{
    hash::{BuildHasher as _, RandomState},
    panic,
    sync::Arc,
};

use tokio::sync::{Mutex, OwnedMutexGuard};

use super::Result;

/// Locks by name. Two names may share one, so nobody holds two of one set.
pub(super) struct Locks {
    hasher: RandomState,
    shards: [Arc<Mutex<()>>; 256],
}

impl Locks {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| Arc::default()) }
    }

    /// Waits for the lock of a name.
    pub(super) async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        let shard = self.hasher.hash_one(name) % 256;
        Arc::clone(&self.shards[usize::try_from(shard).unwrap_or(0)]).lock_owned().await
    }
}

/// Does what was begun under a lock to its end, also when the caller is dropped: an object store may
/// go on with what nobody waits for any more, and must not meet whoever gets the lock next.
pub(super) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    tokio::spawn(work).await.unwrap_or_else(|error| match error.try_into_panic() {
        Ok(panic) => panic::resume_unwind(panic),
        Err(source) => Err(object_store::Error::JoinError { source }.into()),
    })
}
