//! How many data keys a key has wrapped: [`WrapCounter`].

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use object_cipher_kms::{KeyId, KmsResult};

/// A version of a key wraps so many data keys and no more: half of what random 96-bit IVs under one
/// AES-GCM key allow (NIST SP 800-38D, 8.3).
///
/// The other half covers what is not counted: one wrap for each start of a process, which proves the
/// key.
pub const MAX_WRAPS: u64 = 1 << 31;

/// Counts the wraps of each version of a key, in a place that all who use the key share.
///
/// ```
/// use object_cipher_kms::{KeyId, KmsResult};
/// use object_cipher_kms_pkcs11::{ProcessCounter, WrapCounter};
///
/// let counter = ProcessCounter::default();
/// let id = KeyId::new("pkcs11:c6092ff1fdc8d5c3/photos")?;
/// assert_eq!(counter.count(&id, "v01")?, 1);
/// assert_eq!(counter.count(&id, "v01")?, 2);
/// assert_eq!(counter.count(&id, "v02")?, 1);
/// # Ok::<(), object_cipher_core::KeyError>(())
/// ```
pub trait WrapCounter: Send + Sync {
    /// Counts one wrap more, and tells how many there were with it; more than [`MAX_WRAPS`] are
    /// refused. It is called before the wrap, on a thread that may block, within the time of the
    /// call.
    ///
    /// # Errors
    /// Its own; nothing is wrapped then.
    fn count(&self, key: &KeyId, version: &str) -> KmsResult<u64>;
}

/// Counts in this process only: a process that starts anew counts from zero, and does not know of
/// others.
///
/// So it refuses too late where several processes or many restarts share a key. There, give a
/// [`WrapCounter`] that all share, or rotate well before: at 1,000 wraps a second in all, 2^31 are
/// 24 days.
#[derive(Debug, Default)]
pub struct ProcessCounter(Mutex<BTreeMap<(KeyId, String), u64>>);

impl WrapCounter for ProcessCounter {
    fn count(&self, key: &KeyId, version: &str) -> KmsResult<u64> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((key.clone(), version.to_owned())).or_default();
        *count += 1;
        Ok(*count)
    }
}
