//! 32 secret bytes, wiped on drop.

use alloc::boxed::Box;
use core::fmt;

use zeroize::zeroize_bytes;

/// A 256-bit secret on the heap: never copied, never printed, wiped on drop.
pub(crate) struct Secret(Box<[u8; 32]>);

impl Secret {
    /// An all-zero secret, to be filled in place so that no copy is left elsewhere.
    pub(crate) fn zeroed() -> Self {
        Self(Box::new([0; 32]))
    }

    pub(crate) fn from_slice(bytes: &[u8; 32]) -> Self {
        let mut secret = Self::zeroed();
        secret.0.copy_from_slice(bytes);
        secret
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn expose_mut(&mut self) -> &mut [u8; 32] {
        &mut self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        zeroize_bytes(&mut *self.0);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
