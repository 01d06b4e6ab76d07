//! Reading a bare message of any length, without an Envelope.

use core::{fmt, ops::Range};

use super::{CHUNK_LEN, Derived, HEADER_LEN, Header, MAX_CHUNKS, TAG_LEN};
use crate::{
    BackendError, ChunkOpener, CryptoBackend, Error, Fault, Item, Result,
    chunk_cipher::Chunks,
    unit_stream::{UnitStream, Units, forward_body_stream},
    wiped::Buffer,
};

/// Opens a Cobblestone-256 message of any length, for tools that have a key and a context but no
/// Envelope.
///
/// # Security
/// The length of a bare message is not authenticated before its last chunk is. Open the last chunk
/// as last before trusting a length or an offset from the end; in order, [`DecryptStream`] ends
/// well only behind a verified last chunk.
///
/// ```
/// # fn read<B: object_cipher_core::CryptoBackend>(backend: &B) -> object_cipher_core::Result<()> {
/// use object_cipher_core::{ChunkOpener, cobblestone};
///
/// let message = cobblestone::seal_message(backend, &[7; 32], &[b"context"], b"hello")?;
/// let decryptor =
///     cobblestone::Decryptor::new(backend, &[7; 32], &[b"context"], &message[..56])?;
/// let mut chunk = message[56..].to_vec();
/// decryptor.chunks().open(0, true, &mut chunk)?;
/// assert_eq!(&chunk[..5], b"hello");
/// # Ok(())
/// # }
/// ```
pub struct Decryptor {
    chunks: Chunks,
}

/// Opens the chunks behind a message's header, in order.
pub struct DecryptStream(UnitStream<DecryptUnits>);

/// Stored chunks to open, of a message whose length nobody knows.
struct DecryptUnits {
    chunks: Chunks,
    index: u64,
}

impl Decryptor {
    /// Derives the key and compares the commitment in `header`, the message's first 56 bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the header has another length; [`BackendError::Rejected`] within
    /// [`Error::Backend`] for another key, context or header than was sealed.
    pub fn new<B: CryptoBackend>(
        backend: &B,
        key: &[u8; 32],
        context: &[&[u8]],
        header: &[u8],
    ) -> Result<Self> {
        let fault = if header.len() < HEADER_LEN { Fault::TooShort } else { Fault::TooLong };
        let malformed = Error::Malformed { item: Item::Message, fault };
        let header = Header::from_bytes(header.try_into().map_err(|_| malformed)?);
        let derived = Derived::recover(&CryptoBackend::expander(backend, key)?, context, &header)?;
        Ok(Self { chunks: Chunks::bare(derived.chunk_key(backend)?) })
    }

    /// Positioned access to the chunks.
    pub fn chunks(&self) -> &dyn ChunkOpener {
        &self.chunks
    }

    /// Opens in order from now on. The input is what follows the header.
    pub fn into_stream(self) -> DecryptStream {
        let units = DecryptUnits { chunks: self.chunks, index: 0 };
        DecryptStream(UnitStream::new(units, Buffer::zeroed(CHUNK_LEN + TAG_LEN)))
    }
}

impl DecryptUnits {
    fn open(&mut self, last: bool, chunk: &mut [u8]) -> Result<Range<usize>> {
        let length = chunk.len().checked_sub(TAG_LEN).ok_or(BackendError::Rejected)?;
        if self.index >= MAX_CHUNKS {
            return Err(Error::Limit("a body has at most 2^32 chunks"));
        }
        self.chunks.open(self.index, last, chunk)?;
        self.index += 1;
        Ok(0..length)
    }
}

impl Units for DecryptUnits {
    fn room(&self) -> Range<usize> {
        0..CHUNK_LEN + TAG_LEN
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>> {
        self.open(false, buffer)
    }

    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        self.open(true, &mut buffer[..filled])
    }
}

forward_body_stream!([] DecryptStream);

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptStream")
            .field("chunk", &self.0.units().index)
            .finish_non_exhaustive()
    }
}
