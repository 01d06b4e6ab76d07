//! Bytes that are wiped on drop: [`Wiped`].

use alloc::boxed::Box;
use core::ops::{Deref, DerefMut};

use zeroize::zeroize_bytes;

/// Bytes that may hold a secret or plaintext, wiped on drop as fast as memory is filled: byte by
/// byte, as arrays and vectors wipe themselves, would cost as much as opening a chunk.
///
/// A vector must have its whole room from the beginning, and must not shrink but by what is public.
pub(crate) struct Wiped<B: AsMut<[u8]>>(B);

/// A fixed number of bytes on the heap, for streams.
pub(crate) type Buffer = Wiped<Box<[u8]>>;

impl Buffer {
    pub(crate) fn zeroed(length: usize) -> Self {
        Self(alloc::vec![0; length].into_boxed_slice())
    }
}

impl<B: AsMut<[u8]>> Wiped<B> {
    pub(crate) fn new(bytes: B) -> Self {
        Self(bytes)
    }

    pub(crate) fn wipe(&mut self) {
        zeroize_bytes(self.0.as_mut());
    }
}

impl<B: AsMut<[u8]>> Deref for Wiped<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B: AsMut<[u8]>> DerefMut for Wiped<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

impl<B: AsMut<[u8]>> Drop for Wiped<B> {
    fn drop(&mut self) {
        self.wipe();
    }
}
