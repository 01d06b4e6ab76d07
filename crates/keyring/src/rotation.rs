//! When a new version is due: [`RotationPolicy`].

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{Error, MAX_WRAPS, Result, record::Record};

/// When the enabled version is old or worn enough to be replaced.
///
/// ```
/// use object_cipher_keyring::RotationPolicy;
///
/// let policy = RotationPolicy::default();
/// assert_eq!(policy.max_age.as_secs(), 365 * 24 * 60 * 60);
/// assert_eq!(policy.max_wraps, 1 << 39);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationPolicy {
    /// The age, since it was made, at which the enabled version is replaced.
    pub max_age: Duration,
    /// The number of wraps, reserved ones included, at which the enabled version is replaced.
    pub max_wraps: u64,
}

impl Default for RotationPolicy {
    /// One year, or half of the 2^40 wraps a version may make.
    fn default() -> Self {
        Self { max_age: Duration::from_secs(365 * 24 * 60 * 60), max_wraps: MAX_WRAPS / 2 }
    }
}

impl RotationPolicy {
    /// A clock that went back makes a version younger, never due too early.
    pub(crate) fn is_due(&self, enabled: &Record, now: u64) -> bool {
        let age = Duration::from_secs(now.saturating_sub(enabled.created));
        age >= self.max_age || enabled.wraps >= self.max_wraps
    }
}

/// Whole seconds since 1970.
pub(crate) fn unix_seconds(time: SystemTime) -> Result<u64> {
    time.duration_since(UNIX_EPOCH).map(|since| since.as_secs()).map_err(|_| Error::Clock)
}
