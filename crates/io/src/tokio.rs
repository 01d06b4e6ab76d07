//! tokio's async traits for [`BodyReader`] and [`BodyWriter`].
//!
//! Between two polls everything is in the adapter: a call that is dropped loses nothing.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use object_cipher_core::BodyStream;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    BodyReader, BodyWriter,
    body_reader::{take_in, wants_input},
    body_writer::{open_still, put, some_written},
    error::carry,
};

impl<R: AsyncRead, B: BodyStream> AsyncBufRead for BodyReader<R, B> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let mut this = self.project();
        while wants_input(this.stream) {
            this.fault.check()?;
            let count = match this.stream.input() {
                [] => 0,
                room => {
                    let mut room = ReadBuf::new(room);
                    let read = ready!(this.inner.as_mut().poll_read(cx, &mut room));
                    this.fault.note(read)?;
                    room.filled().len()
                }
            };
            take_in(this.stream, count)?;
        }
        Poll::Ready(Ok(this.stream.output()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.project().stream.taken(count);
    }
}

impl<R: AsyncRead, B: BodyStream> AsyncRead for BodyReader<R, B> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let ready = ready!(self.as_mut().poll_fill_buf(cx))?;
        let count = ready.len().min(buf.remaining());
        buf.put_slice(&ready[..count]);
        self.consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite, B: BodyStream> BodyWriter<W, B> {
    /// Writes what is ready.
    fn poll_drain(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        this.fault.check()?;
        while !this.stream.output().is_empty() {
            let written = ready!(this.inner.as_mut().poll_write(cx, this.stream.output()));
            let count = this.fault.note(written.and_then(some_written))?;
            this.stream.taken(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite, B: BodyStream> AsyncWrite for BodyWriter<W, B> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        open_still(self.ended)?;
        ready!(self.as_mut().poll_drain(cx))?;
        Poll::Ready(put(self.project().stream, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_drain(cx))?;
        let this = self.project();
        let flushed = ready!(this.inner.poll_flush(cx));
        Poll::Ready(this.fault.note(flushed))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_drain(cx))?;
        let this = self.as_mut().project();
        this.stream.end().map_err(carry)?;
        *this.ended = true;
        ready!(self.as_mut().poll_drain(cx))?;
        let this = self.project();
        let shut_down = ready!(this.inner.poll_shutdown(cx));
        this.fault.note(shut_down)?;
        *this.closed = true;
        Poll::Ready(Ok(()))
    }
}
