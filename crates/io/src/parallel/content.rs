//! What goes through the pipeline: plaintext to seal, stored bytes to open.

use std::io::{self, Read, Write};

use object_cipher_core::{BodySealer, Error as CoreError, ObjectId, SealChunks, Segment};

use super::{
    check_headers,
    pipeline::{Content, Piece},
};
use crate::{Result, error::uninterrupted, whole};

/// Plaintext from a reader, the sealed chunks to a writer.
pub(super) struct Sealing<'a, S, R: ?Sized, W: ?Sized> {
    chunks: &'a SealChunks<S>,
    source: &'a mut R,
    sink: &'a mut W,
    length: u64,
    ended: bool,
}

/// A segment's stored bytes from a reader, the plaintext to a writer.
pub(super) struct Opening<'a, R: ?Sized, W: ?Sized> {
    object: ObjectId,
    segment: &'a Segment,
    source: &'a mut R,
    sink: &'a mut W,
    /// The chunk that is read next.
    next: u64,
    written: u64,
}

impl<'a, S: BodySealer, R: Read + ?Sized, W: Write + ?Sized> Sealing<'a, S, R, W> {
    pub(super) fn new(chunks: &'a SealChunks<S>, source: &'a mut R, sink: &'a mut W) -> Self {
        Self { chunks, source, sink, length: 0, ended: false }
    }

    /// Flushes; gives the plaintext's length.
    pub(super) fn finish(self) -> Result<u64> {
        uninterrupted(|| self.sink.flush())?;
        Ok(self.length)
    }
}

impl<S: BodySealer, R: Read + ?Sized, W: Write + ?Sized> Content for Sealing<'_, S, R, W> {
    fn fill(&mut self, piece: &mut Piece) -> Result<()> {
        let layout = self.chunks.layout();
        let (chunk_len, overhead) = (whole(layout.chunk_len()), layout.overhead());
        while !self.ended && !piece.free().is_empty() {
            let (count, read) = read_full(self.source, &mut piece.free()[..chunk_len]);
            read?;
            self.ended = count < chunk_len;
            self.length += count as u64;
            self.chunks.check_len(self.length, self.ended)?;
            piece.filled(count + overhead);
        }
        Ok(())
    }

    fn drain(&mut self, piece: &Piece) -> Result<()> {
        Ok(self.sink.write_all(piece.bytes())?)
    }
}

impl<'a, R: Read + ?Sized, W: Write + ?Sized> Opening<'a, R, W> {
    /// Reads and compares the headers, if the segment has them.
    pub(super) fn begin(
        object: ObjectId,
        segment: &'a Segment,
        source: &'a mut R,
        sink: &'a mut W,
    ) -> Result<Self> {
        let mut headers = vec![0; segment.header_len()];
        let (count, read) = read_full(source, &mut headers);
        read?;
        if count < headers.len() {
            return Err(CoreError::Truncated { object }.into());
        }
        check_headers(object, segment, &headers)?;
        Ok(Self { object, segment, source, sink, next: segment.chunks().start, written: 0 })
    }

    /// Flushes; gives the number of bytes written.
    pub(super) fn finish(self) -> Result<u64> {
        uninterrupted(|| self.sink.flush())?;
        Ok(self.written)
    }

    /// The chunks that come next and fit into `room`: the index behind them, and their bytes.
    fn fitting(&self, room: usize) -> (u64, usize) {
        let (mut next, mut bytes) = (self.next, 0);
        while next < self.segment.chunks().end && bytes + self.segment.chunk_len(next) <= room {
            bytes += self.segment.chunk_len(next);
            next += 1;
        }
        (next, bytes)
    }

    /// All chunks have come: nothing may follow.
    fn expect_end(&mut self) -> Result<()> {
        let (count, read) = read_full(self.source, &mut [0]);
        read?;
        if count > 0 {
            return Err(CoreError::TrailingBytes { object: self.object }.into());
        }
        Ok(())
    }
}

impl<R: Read + ?Sized, W: Write + ?Sized> Content for Opening<'_, R, W> {
    fn fill(&mut self, piece: &mut Piece) -> Result<()> {
        if self.next == self.segment.chunks().end {
            return self.expect_end();
        }
        let (_, due) = self.fitting(piece.free().len());
        let (count, read) = read_full(self.source, &mut piece.free()[..due]);
        let (next, whole) = self.fitting(count);
        self.next = next;
        piece.filled(whole);
        read?;
        if count < due {
            return Err(CoreError::Truncated { object: self.object }.into());
        }
        Ok(())
    }

    fn drain(&mut self, piece: &Piece) -> Result<()> {
        for (index, chunk) in piece.chunks() {
            let wanted = &chunk[self.segment.wanted_of(index)];
            self.sink.write_all(wanted)?;
            self.written += wanted.len() as u64;
        }
        Ok(())
    }
}

/// Reads until `buf` is full or the end; tells how much came, also before an error.
fn read_full(source: &mut (impl Read + ?Sized), buf: &mut [u8]) -> (usize, io::Result<()>) {
    let mut count = 0;
    while count < buf.len() {
        match uninterrupted(|| source.read(&mut buf[count..])) {
            Ok(0) => break,
            Ok(more) => count = buf.len().min(count + more),
            Err(error) => return (count, Err(error)),
        }
    }
    (count, Ok(()))
}
