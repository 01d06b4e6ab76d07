//! [`BodyWriter`]: writing through a cipher.

use std::{
    fmt,
    io::{self, Write},
};

use object_cipher_core::{BodyStream, Error as CoreError, OpenStream, SealStream};
use pin_project_lite::pin_project;

use crate::{
    Result,
    error::{Fault, carry, uninterrupted},
};

/// Takes plaintext, writes the stored body below.
///
/// [`finish`](BodyWriter::finish) gives back the stream, whose own `finish` gives the Envelope or
/// the receipt. Without it there is no object.
pub type SealWriter<W, S> = BodyWriter<W, SealStream<S>>;

/// Takes stored bytes, writes verified plaintext below.
pub type OpenWriter<W> = BodyWriter<W, OpenStream>;

pin_project! {
    /// Writes to `W` through a [`BodyStream`]: [`SealWriter`] or [`OpenWriter`].
    ///
    /// Implements [`Write`] over a writer, and with the feature `tokio` `AsyncWrite` over an async
    /// one. Its memory is the stream's: one chunk. `flush` passes on whole chunks; the beginning
    /// of a chunk waits for the rest of it.
    ///
    /// What was written is complete only after [`finish`](BodyWriter::finish), or an async
    /// shutdown and [`into_parts`](BodyWriter::into_parts): the last chunk goes out then. Dropping
    /// the writer leaves a body without an end, which nothing opens. From the first attempt to close it on a
    /// writer takes nothing more, and what it took stays complete.
    ///
    /// # Errors
    /// As for [`BodyReader`](crate::BodyReader): final, unless the kind says that the call may be
    /// made again.
    ///
    /// ```
    /// # use object_cipher_core::{
    /// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, resolve_now,
    /// # };
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
    /// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
    /// use object_cipher_io::SealWriter;
    /// use std::io::Write;
    ///
    /// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    /// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
    ///
    /// let mut writer = SealWriter::new(sealer.into_stream(), Vec::new());
    /// writer.write_all(b"meow!")?;
    /// let (body, stream) = writer.finish()?;
    /// let envelope = stream.finish(&Attributes::default())?;
    /// # assert_eq!(body.len(), 56 + 5 + 16);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct BodyWriter<W, B> {
        #[pin]
        pub(crate) inner: W,
        pub(crate) stream: B,
        pub(crate) fault: Fault,
        // The content has ended; what is left of it may still have to be written.
        pub(crate) ended: bool,
        pub(crate) closed: bool,
    }
}

impl<W, B: BodyStream> BodyWriter<W, B> {
    /// Writes to `inner` through `stream`.
    pub fn new(stream: B, inner: W) -> Self {
        Self { inner, stream, fault: Fault::default(), ended: false, closed: false }
    }

    /// The stream.
    pub fn stream(&self) -> &B {
        &self.stream
    }

    /// The writer below and the stream, once the writer was closed: by
    /// [`close`](BodyWriter::close), or by an async shutdown.
    ///
    /// # Errors
    /// [`CoreError::Misuse`] when it was not, or not with success.
    pub fn into_parts(self) -> Result<(W, B)> {
        if !self.closed {
            return Err(
                CoreError::Misuse("a writer gives its stream back once it is closed").into()
            );
        }
        Ok((self.inner, self.stream))
    }
}

impl<W: Write, B: BodyStream> BodyWriter<W, B> {
    /// Closes the writer and gives back `W` and the stream.
    ///
    /// # Errors
    /// As [`close`](BodyWriter::close).
    pub fn finish(mut self) -> Result<(W, B)> {
        self.close()?;
        self.into_parts()
    }

    /// The content has ended: writes what is left and flushes. Call it again after an error of the
    /// kind `WouldBlock` or `TimedOut`.
    ///
    /// # Errors
    /// Those of `W`; [`CoreError::Truncated`] when a stored body has not come whole; what
    /// [`BodyStream::end`] says.
    pub fn close(&mut self) -> Result<()> {
        self.drain()?;
        self.stream.end()?;
        self.ended = true;
        self.drain()?;
        self.fault.note(uninterrupted(|| self.inner.flush()))?;
        self.closed = true;
        Ok(())
    }

    /// Writes what is ready.
    fn drain(&mut self) -> io::Result<()> {
        self.fault.check()?;
        while !self.stream.output().is_empty() {
            let written = uninterrupted(|| self.inner.write(self.stream.output()));
            let count = self.fault.note(written.and_then(some_written))?;
            self.stream.taken(count);
        }
        Ok(())
    }
}

impl<W: Write, B: BodyStream> Write for BodyWriter<W, B> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        open_still(self.ended)?;
        self.drain()?;
        put(&mut self.stream, buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.drain()?;
        self.fault.note(self.inner.flush())
    }
}

impl<W: fmt::Debug, B: fmt::Debug> fmt::Debug for BodyWriter<W, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter")
            .field("inner", &self.inner)
            .field("stream", &self.stream)
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

/// Refuses what comes behind the end, and leaves the ended stream as it is.
pub(crate) fn open_still(ended: bool) -> io::Result<()> {
    if ended { Err(carry(CoreError::Misuse("a closed writer takes nothing more"))) } else { Ok(()) }
}

/// Takes in as much of `buf` as there is room for.
pub(crate) fn put(stream: &mut impl BodyStream, buf: &[u8]) -> io::Result<usize> {
    if buf.is_empty() {
        return Ok(0);
    }
    let room = stream.input();
    let count = room.len().min(buf.len());
    room[..count].copy_from_slice(&buf[..count]);
    // Without room the stream has ended or failed, and says so when it is given too much.
    stream.filled(count.max(1)).map_err(carry)?;
    Ok(count)
}

/// A writer that takes nothing will never take the rest.
pub(crate) fn some_written(count: usize) -> io::Result<usize> {
    if count == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(count) }
}
