//! What is sealed, and where bytes go.

use std::{
    hint::black_box,
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, ReadBuf};

/// A block, again and again up to a length.
pub(crate) struct Content {
    pub(crate) block: Vec<u8>,
    pub(crate) length: usize,
}

/// Reads it.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    content: &'a Content,
    at: usize,
}

/// Takes bytes and does nothing with them.
pub(crate) struct Sink;

impl Content {
    pub(crate) fn new(length: usize, block: usize) -> Self {
        Self { block: vec![0x5A; block], length }
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        Reader { content: self, at: 0 }
    }

    /// All of it at once.
    pub(crate) fn whole(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.length);
        self.reader().read_to_end(&mut whole).unwrap();
        whole
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Content { block, length } = self.content;
        let from = self.at % block.len();
        let left = &block[from..][..(block.len() - from).min(length - self.at)];
        let count = left.len().min(buffer.len());
        buffer[..count].copy_from_slice(&left[..count]);
        self.at += count;
        Ok(count)
    }
}

impl AsyncRead for Reader<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.read(buffer.initialize_unfilled())?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
