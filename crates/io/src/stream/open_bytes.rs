//! [`OpenBytes`]: a stream of stored bytes, opened.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use futures_core::Stream;
use object_cipher_core::{
    ChunkOpener, Error as CoreError, ObjectId, Opener, Result, Segment, Step,
};
use pin_project_lite::pin_project;

use super::{
    Cut, Progress,
    pieces::{Pieces, Unit},
    poll_through,
};
use crate::Error;

pin_project! {
    /// Takes a stream of a segment's stored bytes, gives verified plaintext.
    ///
    /// A chunk that lies whole in a piece that nobody else holds is opened in its own memory,
    /// without a copy. Chunks that lie across two pieces, or in shared ones, are gathered into one
    /// buffer of a few chunks.
    ///
    /// The stream ends clean only when the segment's last chunk was verified and nothing came behind
    /// it. An error ends it too; what was given out before is verified, and incomplete. For an example
    /// see [`SealBytes`](crate::SealBytes).
    pub struct OpenBytes<St> {
        #[pin]
        stream: St,
        open: Open,
        progress: Progress,
    }
}

/// What opens the pieces.
struct Open {
    object: ObjectId,
    chunks: Arc<dyn ChunkOpener>,
    segment: Segment,
    next: Next,
    pieces: Pieces,
}

/// What is read next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Headers,
    Chunk(u64),
    /// Nothing: a byte more is an error.
    Nothing,
}

impl<St> OpenBytes<St> {
    /// Opens what `stream` gives: the bytes that `segment` asks to fetch, and no others.
    ///
    /// # Errors
    /// [`CoreError::Rejected`] when the body's headers do not commit to this object's key.
    pub fn new(opener: &Opener, segment: &Segment, stream: St) -> Result<Self> {
        let open = Open {
            object: opener.object_id(),
            chunks: opener.chunks(segment)?,
            next: if segment.header_len() > 0 { Next::Headers } else { Next::first(segment) },
            segment: segment.clone(),
            pieces: Pieces::new(),
        };
        Ok(Self { stream, open, progress: Progress::Running })
    }
}

impl<St, E> Stream for OpenBytes<St>
where
    St: Stream<Item = Result<Bytes, E>>,
{
    type Item = Result<Bytes, Error<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        poll_through(this.stream, this.open, this.progress, cx)
    }
}

impl Next {
    fn first(segment: &Segment) -> Self {
        Self::chunk(segment, segment.chunks().start)
    }

    fn chunk(segment: &Segment, index: u64) -> Self {
        if segment.chunks().contains(&index) { Self::Chunk(index) } else { Self::Nothing }
    }
}

impl Open {
    fn take(&mut self, length: usize) -> Option<BytesMut> {
        self.pieces.take(length, 0).map(|(Unit::InPlace(unit) | Unit::Copied(unit))| unit)
    }

    fn check_headers(&mut self, headers: &[u8]) -> Result<()> {
        if headers != self.segment.headers().as_bytes() {
            return Err(CoreError::Rejected { object: self.object, step: Step::Body });
        }
        self.next = Next::first(&self.segment);
        Ok(())
    }

    /// The plaintext of a chunk, as much of it as is wanted.
    fn open(&mut self, index: u64, mut chunk: BytesMut) -> Result<Bytes> {
        let last = self.segment.is_last(index);
        self.chunks.open(index, last, &mut chunk)?;
        self.next = Next::chunk(&self.segment, index + 1);
        let wanted = self.segment.wanted_of(index);
        chunk.truncate(wanted.end);
        chunk.advance(wanted.start);
        Ok(chunk.freeze())
    }
}

impl Cut for Open {
    fn put(&mut self, piece: Bytes) -> Result<()> {
        self.pieces.put(piece);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        match self.next {
            Next::Nothing => Ok(()),
            _ => Err(CoreError::Truncated { object: self.object }),
        }
    }

    fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.next {
                Next::Headers => match self.take(self.segment.header_len()) {
                    Some(headers) => self.check_headers(&headers)?,
                    None => return Ok(None),
                },
                Next::Chunk(index) => match self.take(self.segment.chunk_len(index)) {
                    Some(chunk) => {
                        let plaintext = self.open(index, chunk)?;
                        if !plaintext.is_empty() {
                            return Ok(Some(plaintext));
                        }
                    }
                    None => return Ok(None),
                },
                Next::Nothing if self.pieces.is_empty() => return Ok(None),
                Next::Nothing => return Err(CoreError::TrailingBytes { object: self.object }),
            }
        }
    }
}

impl<St: fmt::Debug> fmt::Debug for OpenBytes<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBytes")
            .field("stream", &self.stream)
            .field("segment", &self.open.segment)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
