//! What is sealed and opened, and where it comes from and goes to.

use std::{
    hint::black_box,
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll},
};

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, CryptoBackend, EkSource, Envelope, LayeredCipher, ObjectCipher, ObjectContext,
    Opener, Sealer,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{TestKeys, drive, now};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What goes through in one run: with a copy of it, still in the second-level cache.
pub(crate) const BLOCK: usize = 256 << 10;
pub(crate) const CHUNK: usize = 16_384;
pub(crate) const STRIDE: usize = CHUNK + 16;
pub(crate) const HEADER: usize = 56;

/// A cipher over a backend, or two.
pub(crate) struct Subject {
    cipher: LayeredCipher<TestKeys>,
}

impl Subject {
    pub(crate) fn new<B: CryptoBackend>(backend: B) -> Self {
        let keys = TestKeys::new(EkSource::Customer, [7; 32]);
        Self { cipher: LayeredCipher::sse_c(keys, backend) }
    }

    /// DSSE-KMS by its default pair.
    pub(crate) fn two_layers() -> Self {
        let keys = TestKeys::new(EkSource::Kms, [7; 32]);
        Self { cipher: LayeredCipher::dsse_kms(keys, RustCrypto, AwsLc) }
    }

    pub(crate) fn sealer(&self) -> Sealer {
        now(self.cipher.seal(&cx())).unwrap()
    }

    /// A stored body of `length` bytes, and its Envelope.
    pub(crate) fn sealed(&self, length: usize) -> (Vec<u8>, Envelope) {
        let mut stream = self.sealer().into_stream();
        let body = drive(&mut stream, &vec![0x5A; length], usize::MAX).complete().unwrap();
        (body, stream.finish(&Attributes::default()).unwrap())
    }

    pub(crate) fn open(&self, envelope: &Envelope) -> Opener {
        now(self.cipher.open(&cx(), envelope)).unwrap()
    }

    /// A stored body of `length` bytes, and its opener.
    pub(crate) fn object(&self, length: usize) -> (Vec<u8>, Opener) {
        let (body, envelope) = self.sealed(length);
        (body, self.open(&envelope))
    }
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "key")
}

/// Gives a block of memory again and again, up to a length: a long stream out of a small, hot
/// working set.
#[derive(Clone)]
pub(crate) struct Again<'a> {
    block: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Again<'a> {
    pub(crate) fn new(block: &'a [u8], length: usize) -> Self {
        Self { block, at: 0, left: length }
    }
}

impl Read for Again<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            self.at = 0;
        }
        let count = buf.len().min(self.left).min(self.block.len() - self.at);
        buf[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        self.left -= count;
        Ok(count)
    }
}

impl AsyncRead for Again<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let count = self.read(buf.initialize_unfilled())?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// Takes everything and does nothing with it, unseen by the optimizer.
#[derive(Clone, Copy)]
pub(crate) struct Sink;

impl Write for Sink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(black_box(buf).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(black_box(buf).len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Copies everything into one small buffer, as a reader's caller does.
pub(crate) struct Scratch(pub(crate) Vec<u8>);

impl Write for Scratch {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let count = buf.len().min(self.0.len());
        self.0[..count].copy_from_slice(&buf[..count]);
        black_box(&self.0[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
