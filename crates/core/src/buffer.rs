//! A buffer of a stream, wiped on drop.

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};

use zeroize::zeroize_bytes;

/// A fixed number of bytes on the heap that may hold plaintext. Wiped on drop, as fast as memory is
/// filled: byte by byte would cost as much as opening a chunk.
pub(crate) struct Buffer(Box<[u8]>);

impl Buffer {
    pub(crate) fn zeroed(length: usize) -> Self {
        Self(alloc::vec![0; length].into_boxed_slice())
    }

    pub(crate) fn wipe(&mut self) {
        zeroize_bytes(&mut self.0);
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.wipe();
    }
}
