//! [`InspectReader`]: what else is to be done with the content as it goes by.

use std::io::{self, Read};

use pin_project_lite::pin_project;

pin_project! {
    /// Shows what a reader gives to a function, piece by piece, and passes it on.
    ///
    /// For what wants to see the plaintext beside the cipher, as a checksum does: put it around the source
    /// of a seal. The cipher reads a chunk at a time, so each piece is inspected and sealed while it is
    /// in the nearest cache; the content goes through memory once, not twice. With the feature `tokio` it is
    /// an `AsyncRead` too.
    ///
    /// ```
    /// # use object_cipher_core::{EkSource, LayeredCipher, ObjectCipher, ObjectContext, resolve_now};
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
    /// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
    /// use object_cipher_io::{InspectReader, seal_all};
    ///
    /// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    /// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
    ///
    /// // Any checksum: here a poor one.
    /// let mut sum = 0_u64;
    /// let inspect = |bytes: &[u8]| sum += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    /// let mut source = InspectReader::new(&b"meow!"[..], inspect);
    /// seal_all(sealer.into_stream(), &mut source, &mut Vec::new())?;
    /// assert_eq!(sum, 473);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Clone, Debug)]
    pub struct InspectReader<R, F> {
        #[pin]
        inner: R,
        inspect: F,
    }
}

impl<R, F: FnMut(&[u8])> InspectReader<R, F> {
    /// Shows to `inspect` all that is read from `inner`, each byte once and in order.
    pub fn new(inner: R, inspect: F) -> Self {
        Self { inner, inspect }
    }

    /// The reader below.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: Read, F: FnMut(&[u8])> Read for InspectReader<R, F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buf)?;
        if let Some(read) = buf.get(..count) {
            (self.inspect)(read);
        }
        Ok(count)
    }
}

#[cfg(feature = "tokio")]
mod asynchronous {
    use std::{
        io,
        pin::Pin,
        task::{Context, Poll, ready},
    };

    use tokio::io::{AsyncRead, ReadBuf};

    use super::InspectReader;

    impl<R: AsyncRead, F: FnMut(&[u8])> AsyncRead for InspectReader<R, F> {
        fn poll_read(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let this = self.project();
            let before = buf.filled().len();
            ready!(this.inner.poll_read(cx, buf))?;
            if let Some(read) = buf.filled().get(before..) {
                (this.inspect)(read);
            }
            Poll::Ready(Ok(()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interrupted at every other call, and never gives more than it likes to.
    struct Halting<'a>(&'a [u8], usize, bool);

    impl Read for Halting<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.2 = !self.2;
            if self.2 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let most = buf.len().min(self.1);
            self.0.read(&mut buf[..most])
        }
    }

    #[test]
    fn each_byte_is_shown_once_and_in_order_however_it_comes() {
        let content: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for most in [1, 7, 333, 2_000] {
            let (mut seen, mut read) = (Vec::new(), Vec::new());
            let source = Halting(&content, most, false);
            let mut reader = InspectReader::new(source, |bytes: &[u8]| seen.extend(bytes));
            reader.read_to_end(&mut read).unwrap();
            assert_eq!((&read, &seen), (&content, &content), "by {most}");
        }
    }

    #[cfg(feature = "tokio")]
    #[test]
    fn async_reads_show_what_came_and_not_what_was_there_before() {
        use tokio::io::{AsyncRead as _, ReadBuf};

        let mut seen = Vec::new();
        let mut reader = InspectReader::new(&b"meow"[..], |bytes: &[u8]| seen.extend(bytes));
        let mut memory = [0; 16];
        let mut buf = ReadBuf::new(&mut memory);
        buf.put_slice(b"purr");
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(std::pin::Pin::new(&mut reader).poll_read(&mut cx, &mut buf).is_ready());
        assert_eq!((buf.filled(), &seen[..]), (&b"purrmeow"[..], &b"meow"[..]));
    }
}
