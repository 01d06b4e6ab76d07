//! [`Sealed`]: a body that was sealed to its end.

use std::fmt;

use object_cipher_core::{
    Attributes, Checksum, ETag, Envelope, PartSealer, Result, SealChunks, Sealer,
};

/// A body that was sealed to its end and given out whole; what is missing is its Envelope or
/// receipt. Of an [`AnnouncedSealer`](object_cipher_core::AnnouncedSealer) nothing is missing: this
/// confirms that exactly the announced length went through.
///
/// Store the body durably first, and what `finish` gives last.
pub struct Sealed<S> {
    chunks: SealChunks<S>,
    plaintext_len: u64,
}

impl<S> Sealed<S> {
    pub(crate) fn new(chunks: SealChunks<S>, plaintext_len: u64) -> Self {
        Self { chunks, plaintext_len }
    }

    /// The plaintext's length, in bytes.
    pub fn plaintext_len(&self) -> u64 {
        self.plaintext_len
    }
}

impl Sealed<Sealer> {
    /// Sets the version id, for hosts that learn it only when they commit.
    pub fn set_version_id(&mut self, id: &(impl AsRef<[u8]> + ?Sized)) {
        self.chunks.set_version_id(id);
    }

    /// The Envelope.
    ///
    /// # Errors
    /// As [`SealChunks::finish`].
    pub fn finish(self, attributes: &Attributes) -> Result<Envelope> {
        self.chunks.finish(self.plaintext_len, attributes)
    }
}

impl Sealed<PartSealer> {
    /// The sealed receipt.
    ///
    /// # Errors
    /// As [`SealChunks::finish`].
    pub fn finish(self, etag: ETag, checksums: &[Checksum]) -> Result<Vec<u8>> {
        self.chunks.finish(self.plaintext_len, etag, checksums)
    }
}

impl<S> fmt::Debug for Sealed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("plaintext_len", &self.plaintext_len).finish_non_exhaustive()
    }
}
