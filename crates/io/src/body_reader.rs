//! [`BodyReader`]: reading through a cipher.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use object_cipher_core::{BodyStream, OpenStream, SealStream};
use pin_project_lite::pin_project;

use crate::error::{Fault, carry};

/// Reads plaintext below, gives the stored body.
///
/// After the end, [`into_parts`](BodyReader::into_parts) gives back the stream, whose `finish`
/// gives the Envelope or the receipt.
pub type SealReader<R, S> = BodyReader<R, SealStream<S>>;

/// Reads stored bytes below, gives verified plaintext.
pub type OpenReader<R> = BodyReader<R, OpenStream>;

pin_project! {
    /// Reads from `R` through a [`BodyStream`]: [`SealReader`] or [`OpenReader`].
    ///
    /// Implements [`Read`] and [`BufRead`] over a reader, and with the feature `tokio` `AsyncRead`
    /// and `AsyncBufRead` over an async one. Its memory is the stream's: one chunk. Read small
    /// pieces through `BufRead`, which copies nothing; a buffer around it is never needed.
    ///
    /// # Errors
    /// Reads end clean only when the stream did. An error of the cipher comes again from every
    /// later read, and an error of `R` is final too, unless its kind says that the call may be made
    /// again (`Interrupted`, `WouldBlock`, `TimedOut`).
    ///
    /// ```
    /// # use object_cipher_core::{
    /// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, ReadRange, resolve_now,
    /// # };
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
    /// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
    /// use object_cipher_io::{OpenReader, SealReader};
    /// use std::io::Read;
    ///
    /// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    /// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
    ///
    /// let mut reader = SealReader::new(sealer.into_stream(), &b"meow!"[..]);
    /// let mut body = Vec::new();
    /// reader.read_to_end(&mut body)?;
    /// let (_, stream) = reader.into_parts();
    /// let envelope = stream.finish(&Attributes::default())?;
    ///
    /// let opener = resolve_now(cipher.open(&cx, &envelope)).expect("the key is at hand")?;
    /// let plan = opener.plan(&ReadRange::Whole)?;
    /// let segment = plan.body().expect("a single body");
    /// let mut plaintext = String::new();
    /// OpenReader::new(opener.open_segment(segment)?, &body[..]).read_to_string(&mut plaintext)?;
    /// assert_eq!(plaintext, "meow!");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct BodyReader<R, B> {
        #[pin]
        pub(crate) inner: R,
        pub(crate) stream: B,
        pub(crate) fault: Fault,
    }
}

impl<R, B: BodyStream> BodyReader<R, B> {
    /// Reads from `inner` through `stream`.
    pub fn new(stream: B, inner: R) -> Self {
        Self { inner, stream, fault: Fault::default() }
    }

    /// The stream.
    pub fn stream(&self) -> &B {
        &self.stream
    }

    /// The reader below and the stream, in whatever state they are.
    pub fn into_parts(self) -> (R, B) {
        (self.inner, self.stream)
    }
}

impl<R: Read, B: BodyStream> BufRead for BodyReader<R, B> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while wants_input(&self.stream) {
            self.fault.check()?;
            let count = match self.stream.input() {
                [] => 0,
                room => self.fault.note(self.inner.read(room))?,
            };
            take_in(&mut self.stream, count)?;
        }
        Ok(self.stream.output())
    }

    fn consume(&mut self, count: usize) {
        self.stream.taken(count);
    }
}

impl<R: Read, B: BodyStream> Read for BodyReader<R, B> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: fmt::Debug, B: fmt::Debug> fmt::Debug for BodyReader<R, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader")
            .field("inner", &self.inner)
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// Whether a stream must read on before it can give something.
pub(crate) fn wants_input(stream: &impl BodyStream) -> bool {
    stream.output().is_empty() && !stream.is_done()
}

/// Tells a stream what a read brought; nothing is the end. A failed stream answers with its error.
pub(crate) fn take_in<B: BodyStream + ?Sized>(stream: &mut B, count: usize) -> io::Result<()> {
    let taken_in = if count == 0 { stream.end() } else { stream.filled(count) };
    taken_in.map_err(carry)
}
