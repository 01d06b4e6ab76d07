//! The positioned form of sealing: [`SealChunks`].

use alloc::vec::Vec;
use core::fmt;

use crate::{
    AnnouncedSealer, Attributes, BodySealer, Checksum, ChunkSealer, ETag, Envelope, Headers,
    Layout, PartSealer, Result, Sealer,
};

/// Seals a body by position, on any threads. Mind the [security note](ChunkSealer#security).
///
/// Store [`headers`](SealChunks::headers) and then the sealed chunks; at the end `finish` takes the
/// plaintext's length and gives the Envelope or the receipt.
pub struct SealChunks<S>(S);

impl<S: BodySealer> SealChunks<S> {
    /// Takes the sealer of a body, of which nothing was sealed yet.
    pub fn new(sealer: S) -> Self {
        Self(sealer)
    }

    /// The bytes that the stored body begins with.
    pub fn headers(&self) -> &Headers {
        self.0.headers()
    }

    /// The sizes of the body.
    pub fn layout(&self) -> Layout {
        self.0.layout()
    }

    /// As [`BodySealer::check_len`].
    ///
    /// # Errors
    /// As [`BodySealer::check_len`].
    pub fn check_len(&self, plaintext_len: u64, ended: bool) -> Result<()> {
        self.0.check_len(plaintext_len, ended)
    }
}

impl SealChunks<Sealer> {
    /// As [`Sealer::set_version_id`].
    pub fn set_version_id(&mut self, id: &(impl AsRef<[u8]> + ?Sized)) {
        self.0.set_version_id(id);
    }

    /// As [`Sealer::set_extra`].
    pub fn set_extra(&mut self, extra: &(impl AsRef<[u8]> + ?Sized)) {
        self.0.set_extra(extra);
    }

    /// The Envelope of a body of `plaintext_len` bytes. Store the body durably first and the
    /// Envelope last.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit) when the body is too long,
    /// [`Error::Misuse`](crate::Error::Misuse) for attributes that do not fit a single body,
    /// [`Error::Backend`](crate::Error::Backend) when the library fails.
    pub fn finish(self, plaintext_len: u64, attributes: &Attributes) -> Result<Envelope> {
        self.0.commit(plaintext_len, attributes)
    }
}

impl SealChunks<AnnouncedSealer> {
    /// Confirms that exactly the announced length was sealed. If not, abort the put.
    ///
    /// # Errors
    /// [`Error::Misuse`](crate::Error::Misuse) for another length.
    pub fn finish(self, plaintext_len: u64) -> Result<()> {
        self.0.check_len(plaintext_len, true)
    }
}

impl SealChunks<PartSealer> {
    /// The sealed receipt of a body of `plaintext_len` bytes.
    ///
    /// # Errors
    /// [`Error::Limit`](crate::Error::Limit) above 5 GiB, [`Error::Misuse`](crate::Error::Misuse)
    /// for more than four checksums or two of one algorithm,
    /// [`Error::Backend`](crate::Error::Backend) when the library fails.
    pub fn finish(self, plaintext_len: u64, etag: ETag, checksums: &[Checksum]) -> Result<Vec<u8>> {
        self.0.receipt(plaintext_len, etag, checksums)
    }
}

impl<S: BodySealer> ChunkSealer for SealChunks<S> {
    fn overhead(&self) -> usize {
        self.0.chunks().overhead()
    }

    fn seal(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()> {
        self.0.chunks().seal(index, last, buf)
    }

    fn seal_detached(&self, index: u64, last: bool, buf: &mut [u8], tags: &mut [u8]) -> Result<()> {
        self.0.chunks().seal_detached(index, last, buf, tags)
    }
}

impl<S: fmt::Debug> fmt::Debug for SealChunks<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SealChunks").field(&self.0).finish()
    }
}
