//! The sequential form of sealing and opening: [`BodyStream`].

use alloc::sync::Arc;
use core::{fmt, ops::Range};

use crate::{
    BodySealer, ChunkOpener, Error, ObjectId, Result, Segment, Step, chunk_cipher::Chunks,
    wiped::Buffer,
};

/// Bytes go in, bytes come out, in order; no I/O inside. Every format has this form, and adapters
/// for readers, writers and streams are built on it.
///
/// Fill [`input`](BodyStream::input), tell how much with [`filled`](BodyStream::filled), take
/// [`output`](BodyStream::output) away with [`taken`](BodyStream::taken); at the end of the input
/// call [`end`](BodyStream::end) once and take the rest. An error is final: it comes again from
/// every later call, and no further output is given.
///
/// ```
/// use object_cipher_core::{BodyStream, Result};
///
/// /// Sends `source` through, in memory.
/// fn run(stream: &mut impl BodyStream, mut source: &[u8]) -> Result<Vec<u8>> {
///     let mut out = Vec::new();
///     loop {
///         out.extend_from_slice(stream.output());
///         stream.taken(stream.output().len());
///         if stream.is_done() {
///             return Ok(out);
///         }
///         let count = stream.input().len().min(source.len());
///         if count == 0 {
///             stream.end()?;
///             continue;
///         }
///         stream.input()[..count].copy_from_slice(&source[..count]);
///         stream.filled(count)?;
///         source = &source[count..];
///     }
/// }
/// ```
pub trait BodyStream: Send {
    /// Room for input. Empty while output waits, and once the stream has ended or failed.
    fn input(&mut self) -> &mut [u8];

    /// Takes in the first `count` bytes of [`input`](BodyStream::input).
    ///
    /// # Errors
    /// When what came in does not verify, or is more than the format allows.
    fn filled(&mut self, count: usize) -> Result<()>;

    /// The input has ended. Call it when there is no output waiting.
    ///
    /// # Errors
    /// [`Error::Truncated`] when a body ends before its last chunk.
    fn end(&mut self) -> Result<()>;

    /// Bytes that are ready.
    fn output(&self) -> &[u8];

    /// The first `count` bytes of [`output`](BodyStream::output) are taken away.
    fn taken(&mut self, count: usize);

    /// Whether the stream has ended well and all output is taken.
    fn is_done(&self) -> bool;
}

/// Seals a body in order. Made by [`Sealer::into_stream`](crate::Sealer::into_stream) and
/// [`PartSealer::into_stream`](crate::PartSealer::into_stream).
pub struct SealStream<S> {
    sealer: S,
    /// Room for the headers, a chunk and its tags.
    buffer: Buffer,
    filled: usize,
    output: Range<usize>,
    index: u64,
    length: u64,
    status: Status,
}

/// Opens a segment's fetched bytes in order. Made by
/// [`Opener::open_segment`](crate::Opener::open_segment).
pub struct OpenStream {
    object: ObjectId,
    chunks: Arc<Chunks>,
    segment: Segment,
    buffer: Buffer,
    filled: usize,
    output: Range<usize>,
    unit: Unit,
    status: Status,
}

/// What an [`OpenStream`] reads next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Headers,
    Chunk(u64),
    /// Nothing: a byte more is an error.
    Nothing,
}

/// Whether a stream goes on.
pub(crate) enum Status {
    Running,
    Ended,
    Failed(Error),
}

impl<S: BodySealer> SealStream<S> {
    /// Takes the sealer of a body, of which nothing was sealed yet.
    pub fn new(sealer: S) -> Self {
        let layout = sealer.layout();
        let room = layout.header_len() + whole(layout.stride());
        let mut buffer = Buffer::zeroed(room);
        buffer[..layout.header_len()].copy_from_slice(sealer.headers().as_bytes());
        Self {
            sealer,
            buffer,
            filled: 0,
            output: 0..0,
            index: 0,
            length: 0,
            status: Status::Running,
        }
    }

    /// The plaintext bytes taken in so far.
    pub fn plaintext_len(&self) -> u64 {
        self.length
    }

    pub(crate) fn sealer_mut(&mut self) -> &mut S {
        &mut self.sealer
    }

    /// The sealer and the plaintext's length, once the stream is done.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the stream has not ended or output waits, or its own error.
    pub(crate) fn into_sealed(self) -> Result<(S, u64)> {
        if let Status::Failed(error) = &self.status {
            return Err(error.clone());
        }
        if !self.is_done() {
            return Err(Error::Misuse("call `end` and take all output before `finish`"));
        }
        Ok((self.sealer, self.length))
    }

    /// Where the chunk lies in the buffer.
    fn chunk_start(&self) -> usize {
        self.sealer.layout().header_len()
    }

    fn seal_chunk(&mut self, last: bool) -> Result<()> {
        let start = self.chunk_start();
        let end = start + self.filled + self.sealer.layout().overhead();
        self.sealer.chunks().seal(self.index, last, &mut self.buffer[start..end])?;
        // The headers go out with the first chunk.
        self.output = if self.index == 0 { 0..end } else { start..end };
        self.index += 1;
        self.filled = 0;
        Ok(())
    }

    fn take_in(&mut self, count: usize) -> Result<()> {
        let capacity = whole(self.sealer.layout().chunk_len());
        self.length += count as u64;
        self.sealer.check_len(self.length, false)?;
        self.filled += count;
        if self.filled == capacity { self.seal_chunk(false) } else { Ok(()) }
    }
}

impl<S: BodySealer> BodyStream for SealStream<S> {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        let start = self.chunk_start();
        let end = start + whole(self.sealer.layout().chunk_len());
        &mut self.buffer[start + self.filled..end]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            return self.status.refuse("more input than there was room");
        }
        let taken_in = self.take_in(count);
        self.status.note(taken_in)
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if !self.output.is_empty() {
            return self.status.refuse("output must be taken before the stream ends");
        }
        if matches!(self.status, Status::Ended) {
            return Ok(());
        }
        let sealed = self.sealer.check_len(self.length, true).and_then(|()| self.seal_chunk(true));
        self.status.note(sealed)?;
        self.status = Status::Ended;
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

impl OpenStream {
    pub(crate) fn new(object: ObjectId, chunks: Arc<Chunks>, segment: Segment) -> Self {
        // No chunk is longer than the first.
        let first_len = segment.chunk_len(segment.chunks.start);
        let room = first_len.max(segment.layout.header_len());
        let unit = match segment.chunks.start {
            _ if segment.whole => Unit::Headers,
            first if segment.chunks.contains(&first) => Unit::Chunk(first),
            _ => Unit::Nothing,
        };
        Self {
            object,
            chunks,
            buffer: Buffer::zeroed(room),
            segment,
            filled: 0,
            output: 0..0,
            unit,
            status: Status::Running,
        }
    }

    /// The segment it opens.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Stored bytes of the unit that is read next; one byte behind the end, to notice it.
    fn unit_len(&self) -> usize {
        match self.unit {
            Unit::Headers => self.segment.layout.header_len(),
            Unit::Chunk(index) => self.segment.chunk_len(index),
            Unit::Nothing => 1,
        }
    }

    fn take_in(&mut self, count: usize) -> Result<()> {
        self.filled += count;
        if self.filled < self.unit_len() {
            return Ok(());
        }
        self.filled = 0;
        match self.unit {
            Unit::Headers => {
                let length = self.segment.layout.header_len();
                if self.buffer[..length] != *self.segment.headers.as_bytes() {
                    return Err(Error::Rejected { object: self.object, step: Step::Body });
                }
                self.unit = Unit::Chunk(0);
            }
            Unit::Chunk(index) => {
                let chunk = &mut self.buffer[..self.segment.chunk_len(index)];
                self.chunks.open(index, self.segment.is_last(index), chunk)?;
                self.output = self.segment.wanted_of(index);
                let next = index + 1;
                let more = self.segment.chunks.contains(&next);
                self.unit = if more { Unit::Chunk(next) } else { Unit::Nothing };
            }
            Unit::Nothing => {
                return Err(Error::TrailingBytes { object: self.object });
            }
        }
        Ok(())
    }
}

impl BodyStream for OpenStream {
    fn input(&mut self) -> &mut [u8] {
        if !self.status.is_running() || !self.output.is_empty() {
            return &mut [];
        }
        let end = self.unit_len();
        &mut self.buffer[self.filled..end]
    }

    fn filled(&mut self, count: usize) -> Result<()> {
        self.status.check()?;
        if count > self.input().len() {
            self.buffer.wipe();
            return self.status.refuse("more input than there was room");
        }
        if count == 0 {
            return Ok(());
        }
        let taken_in = self.take_in(count).inspect_err(|_| self.buffer.wipe());
        self.status.note(taken_in)
    }

    fn end(&mut self) -> Result<()> {
        self.status.check()?;
        if self.unit != Unit::Nothing {
            let error = Error::Truncated { object: self.object };
            self.buffer.wipe();
            return self.status.note(Err(error));
        }
        if !self.output.is_empty() {
            self.buffer.wipe();
            return self.status.refuse("output must be taken before the stream ends");
        }
        self.status = Status::Ended;
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

impl Status {
    pub(crate) fn is_running(&self) -> bool {
        matches!(self, Self::Running)
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Failed(error) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Makes an error final.
    pub(crate) fn note(&mut self, result: Result<()>) -> Result<()> {
        if let Err(error) = &result {
            *self = Self::Failed(error.clone());
        }
        result
    }

    /// A call out of turn; it does not hide an earlier error.
    pub(crate) fn refuse(&mut self, rule: &'static str) -> Result<()> {
        self.check()?;
        self.note(Err(Error::Misuse(rule)))
    }

    pub(crate) fn release<'a>(&self, output: &'a [u8]) -> &'a [u8] {
        if matches!(self, Self::Failed(_)) { &[] } else { output }
    }
}

impl<S> fmt::Debug for SealStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealStream").field("plaintext_len", &self.length).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStream")
            .field("object", &self.object)
            .field("segment", &self.segment)
            .finish_non_exhaustive()
    }
}

/// Chunk lengths are far below any address space.
fn whole(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
