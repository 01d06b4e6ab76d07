//! One lock a name.

use std::hash::{BuildHasher as _, RandomState};

use tokio::sync::{Mutex, MutexGuard};

/// Locks by name. Two names may share one, so nobody holds two of one set.
pub(super) struct Locks {
    hasher: RandomState,
    shards: [Mutex<()>; 256],
}

impl Locks {
    pub(super) fn new() -> Self {
        Self { hasher: RandomState::new(), shards: std::array::from_fn(|_| Mutex::new(())) }
    }

    /// Waits for the lock of a name.
    pub(super) async fn lock(&self, name: &str) -> MutexGuard<'_, ()> {
        let shard = self.hasher.hash_one(name) % 256;
        self.shards[usize::try_from(shard).unwrap_or(0)].lock().await
    }
}
