//! Reading a bare message of any length, without an Envelope.

use core::{fmt, ops::Range};

use super::{CHUNK_LEN, Derived, HEADER_LEN, Header, MAX_CHUNKS, TAG_LEN};
use crate::{
    BackendError, BodyStream, ChunkOpener, CryptoBackend, Error, Fault, Item, Result,
    body_stream::Status, chunk_cipher::Chunks, wiped::Buffer,
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
pub struct DecryptStream {
    chunks: Chunks,
    buffer: Buffer,
    filled: usize,
    output: Range<usize>,
    index: u64,
    status: Status,
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
        DecryptStream {
            chunks: self.chunks,
            buffer: Buffer::zeroed(CHUNK_LEN + TAG_LEN),
            filled: 0,
            output: 0..0,
            index: 0,
            status: Status::Running,
        }
    }
}

impl DecryptStream {
    fn open_chunk(&mut self, last: bool) -> Result<()> {
        let chunk = &mut self.buffer[..self.filled];
        let length = chunk.len().checked_sub(TAG_LEN).ok_or(BackendError::Rejected)?;
        if self.index >= MAX_CHUNKS {
            return Err(Error::Limit("a body has at most 2^32 chunks"));
        }
        self.chunks.open(self.index, last, chunk)?;
        self.output = 0..length;
        self.index += 1;
        self.filled = 0;
        Ok(())
    }
}

impl BodyStream for DecryptStream {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        &mut self.buffer[self.filled..]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            self.buffer.wipe();
            return self.status.refuse("more input than there was room");
        }
        self.filled += count;
        if self.filled < self.buffer.len() {
            return Ok(());
        }
        let opened = self.open_chunk(false).inspect_err(|_| self.buffer.wipe());
        self.status.note(opened)
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if !self.output.is_empty() {
            self.buffer.wipe();
            return self.status.refuse("output must be taken before the stream ends");
        }
        if self.status.is_running() {
            let opened = self.open_chunk(true).inspect_err(|_| self.buffer.wipe());
            self.status.note(opened)?;
            self.status = Status::Ended;
        }
        Ok(())
    }

    fn output(&self) -> &[u8] {
        self.status.release(&self.buffer[self.output.clone()])
    }

    fn taken(&mut self, count: usize) {
        self.output.start = self.output.end.min(self.output.start.saturating_add(count));
    }

    fn is_done(&self) -> bool {
        matches!(self.status, Status::Ended) && self.output.is_empty()
    }
}

impl fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decryptor").finish_non_exhaustive()
    }
}

impl fmt::Debug for DecryptStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptStream").field("chunk", &self.index).finish_non_exhaustive()
    }
}
