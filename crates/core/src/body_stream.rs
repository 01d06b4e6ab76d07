//! The sequential form of sealing and opening: [`BodyStream`].

use alloc::sync::Arc;
use core::{fmt, ops::Range};

use crate::{
    BodySealer, ChunkOpener, Error, ObjectId, Result, Segment, Step,
    chunk_cipher::Chunks,
    unit_stream::{UnitStream, Units, end_without_output, forward_body_stream},
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
pub struct SealStream<S>(UnitStream<SealUnits<S>>);

/// Opens a segment's fetched bytes in order. Made by
/// [`Opener::open_segment`](crate::Opener::open_segment).
pub struct OpenStream(UnitStream<OpenUnits>);

/// Chunks to seal. The buffer has room for the headers, a chunk and its tags.
struct SealUnits<S> {
    sealer: S,
    index: u64,
    length: u64,
}

/// Stored units to open.
struct OpenUnits {
    object: ObjectId,
    chunks: Arc<Chunks>,
    segment: Segment,
    unit: Unit,
}

/// What an [`OpenStream`] reads next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Headers,
    Chunk(u64),
    /// Nothing: a byte more is an error.
    Nothing,
}

impl<S: BodySealer> SealStream<S> {
    /// Takes the sealer of a body, of which nothing was sealed yet.
    pub fn new(sealer: S) -> Self {
        let layout = sealer.layout();
        let mut buffer = Buffer::zeroed(layout.header_len() + whole(layout.stride()));
        buffer[..layout.header_len()].copy_from_slice(sealer.headers().as_bytes());
        Self(UnitStream::new(SealUnits { sealer, index: 0, length: 0 }, buffer))
    }

    /// The plaintext bytes taken in so far.
    pub fn plaintext_len(&self) -> u64 {
        self.0.units().length
    }

    pub(crate) fn sealer_mut(&mut self) -> &mut S {
        &mut self.0.units_mut().sealer
    }

    /// The sealer and the plaintext's length, once the stream is done.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the stream has not ended or output waits, or its own error.
    pub(crate) fn into_sealed(self) -> Result<(S, u64)> {
        let SealUnits { sealer, length, .. } = self.0.into_ended()?;
        Ok((sealer, length))
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
        let units = OpenUnits { object, chunks, segment, unit };
        Self(UnitStream::new(units, Buffer::zeroed(room)))
    }

    /// The segment it opens.
    pub fn segment(&self) -> &Segment {
        &self.0.units().segment
    }
}

impl<S: BodySealer> SealUnits<S> {
    fn seal(&mut self, last: bool, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        let start = self.room().start;
        let end = start + filled + self.sealer.layout().overhead();
        self.sealer.chunks().seal(self.index, last, &mut buffer[start..end])?;
        // The headers go out with the first chunk.
        let output = if self.index == 0 { 0..end } else { start..end };
        self.index += 1;
        Ok(output)
    }
}

impl<S: BodySealer> Units for SealUnits<S> {
    fn room(&self) -> Range<usize> {
        let layout = self.sealer.layout();
        layout.header_len()..layout.header_len() + whole(layout.chunk_len())
    }

    fn admit(&mut self, count: usize) -> Result<()> {
        self.length += count as u64;
        self.sealer.check_len(self.length, false)
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>> {
        self.seal(false, buffer, self.room().len())
    }

    fn end(&mut self, buffer: &mut [u8], filled: usize) -> Result<Range<usize>> {
        self.sealer.check_len(self.length, true)?;
        self.seal(true, buffer, filled)
    }
}

impl OpenUnits {
    fn open(&mut self, index: u64, buffer: &mut [u8]) -> Result<Range<usize>> {
        let chunk = &mut buffer[..self.segment.chunk_len(index)];
        self.chunks.open(index, self.segment.is_last(index), chunk)?;
        let next = index + 1;
        let more = self.segment.chunks.contains(&next);
        self.unit = if more { Unit::Chunk(next) } else { Unit::Nothing };
        Ok(self.segment.wanted_of(index))
    }
}

impl Units for OpenUnits {
    /// One byte behind the end, to notice it.
    fn room(&self) -> Range<usize> {
        match self.unit {
            Unit::Headers => 0..self.segment.layout.header_len(),
            Unit::Chunk(index) => 0..self.segment.chunk_len(index),
            Unit::Nothing => 0..1,
        }
    }

    fn whole(&mut self, buffer: &mut [u8]) -> Result<Range<usize>> {
        match self.unit {
            Unit::Headers if buffer[self.room()] == *self.segment.headers.as_bytes() => {
                self.unit = Unit::Chunk(0);
                Ok(0..0)
            }
            Unit::Headers => Err(Error::Rejected { object: self.object, step: Step::Body }),
            Unit::Chunk(index) => self.open(index, buffer),
            Unit::Nothing => Err(Error::TrailingBytes { object: self.object }),
        }
    }

    fn may_end(&self, waiting: bool) -> Result<()> {
        if self.unit != Unit::Nothing {
            return Err(Error::Truncated { object: self.object });
        }
        end_without_output(waiting)
    }

    fn end(&mut self, _: &mut [u8], _: usize) -> Result<Range<usize>> {
        Ok(0..0)
    }
}

forward_body_stream!([S: BodySealer] SealStream<S>);
forward_body_stream!([] OpenStream);

impl<S> fmt::Debug for SealStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealStream")
            .field("plaintext_len", &self.0.units().length)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenStream")
            .field("object", &self.0.units().object)
            .field("segment", self.segment())
            .finish_non_exhaustive()
    }
}

/// Chunk lengths are far below any address space.
fn whole(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
