//! [`ObjectReader`]: reading and seeking in the plaintext of a stored body.

use std::{
    fmt,
    io::{self, BufRead, Read, Seek, SeekFrom},
    ops::Range,
    sync::Arc,
};

use object_cipher_core::{
    ChunkOpener, Error as CoreError, Layout, ObjectId, Opener, ReadRange, Result, Segment,
};
use zeroize::Zeroizing;

use crate::{error::carry, transfer::single_body, whole};

/// [`Read`], [`BufRead`] and [`Seek`] over the *plaintext* of an object that is stored as one body.
///
/// Offsets are plaintext bytes, and the end is the sealed length, so seeking from the end needs no
/// fetch. A read fetches exactly the chunks that cover it, one at a time, and keeps the last one:
/// memory is one chunk, and small steps back and forth cost nothing.
///
/// `body` holds the stored body, from its position 0. Bytes behind the stored body's end, and
/// chunks that are not read, are not looked at: to check an object as a whole, use
/// [`open_all`](crate::open_all).
///
/// # Errors
/// A chunk that does not verify, or a body that ends early, fails this read and every later one.
/// Errors of `R` do not: the chunk is fetched again. Seeking behind the end is allowed, and reads
/// give nothing there; seeking before the beginning is refused.
///
/// ```
/// # use object_cipher_core::{
/// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, resolve_now,
/// # };
/// # use object_cipher_rustcrypto::RustCrypto;
/// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
/// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
/// # let cx = ObjectContext::new("prod", "photos", "cat.jpg");
/// # let stream = resolve_now(cipher.seal(&cx)).unwrap()?.into_stream();
/// # let mut body = Vec::new();
/// # let stream = object_cipher_io::seal_all(stream, &mut &b"meow! purr."[..], &mut body)?;
/// # let opener = resolve_now(cipher.open(&cx, &stream.finish(&Attributes::default())?)).unwrap()?;
/// use object_cipher_io::ObjectReader;
/// use std::io::{Cursor, Read, Seek, SeekFrom};
///
/// let mut reader = ObjectReader::new(&opener, Cursor::new(body))?;
/// reader.seek(SeekFrom::End(-5))?;
/// let mut text = String::new();
/// reader.read_to_string(&mut text)?;
/// assert_eq!(text, "purr.");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectReader<R> {
    body: R,
    /// Where `body` stands, if that is known.
    body_position: Option<u64>,
    object: ObjectId,
    layout: Layout,
    chunks: Arc<dyn ChunkOpener>,
    segment: Segment,
    buffer: Zeroizing<Box<[u8]>>,
    /// The chunk that lies opened in the buffer.
    held: Option<u64>,
    /// In the plaintext.
    position: u64,
    failed: Option<CoreError>,
}

impl<R> ObjectReader<R> {
    /// Reads the object of `opener` out of its stored body. No I/O yet.
    ///
    /// # Errors
    /// [`CoreError::Misuse`] for a multipart object; [`CoreError::Rejected`] when the body's headers
    /// do not commit to the object's key.
    pub fn new(opener: &Opener, body: R) -> Result<Self> {
        let segment = single_body(opener, &ReadRange::Whole)?;
        let layout = opener.layout();
        let buffer = vec![0; whole(layout.stride())];
        Ok(Self {
            body,
            body_position: None,
            object: opener.object_id(),
            layout,
            chunks: opener.chunks(&segment)?,
            segment,
            buffer: Zeroizing::new(buffer.into_boxed_slice()),
            held: None,
            position: 0,
            failed: None,
        })
    }

    /// The plaintext's length, in bytes.
    pub fn plaintext_len(&self) -> u64 {
        self.segment.plaintext().end
    }

    /// The stored body.
    pub fn into_inner(self) -> R {
        self.body
    }

    /// What is left to read in a chunk, from the position on.
    fn rest_of(&self, chunk: u64) -> Range<usize> {
        let offset = self.position - chunk * self.layout.chunk_len();
        let end = self.segment.wanted_of(chunk).end;
        whole(offset).min(end)..end
    }
}

impl<R: Read + Seek> ObjectReader<R> {
    /// Fetches a chunk and opens it.
    fn hold(&mut self, chunk: u64) -> io::Result<()> {
        if self.held == Some(chunk) {
            return Ok(());
        }
        self.held = None;
        let buffer = &mut self.buffer[..self.segment.chunk_len(chunk)];
        let start = self.layout.chunk_offset(chunk);
        // A seek is a system call, and discards what a reader has buffered.
        if self.body_position.take() != Some(start) {
            self.body.seek(SeekFrom::Start(start))?;
        }
        let opened = match self.body.read_exact(buffer) {
            Ok(()) => {
                self.body_position = Some(start + buffer.len() as u64);
                let last = self.segment.is_last(chunk);
                self.chunks.open(chunk, last, buffer)
            }
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(CoreError::Truncated { object: self.object })
            }
            Err(error) => return Err(error),
        };
        opened.inspect_err(|error| self.failed = Some(error.clone())).map_err(carry)?;
        self.held = Some(chunk);
        Ok(())
    }
}

impl<R: Read + Seek> BufRead for ObjectReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(error) = &self.failed {
            return Err(carry(error.clone()));
        }
        if self.position >= self.plaintext_len() {
            return Ok(&[]);
        }
        let chunk = self.position / self.layout.chunk_len();
        self.hold(chunk)?;
        Ok(&self.buffer[self.rest_of(chunk)])
    }

    fn consume(&mut self, count: usize) {
        self.position = self.position.saturating_add(count as u64);
    }
}

impl<R: Read + Seek> Read for ObjectReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let count = self.fill_buf()?.read(buf)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R> Seek for ObjectReader<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(offset) => self.plaintext_len().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = target.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a seek to before the beginning")
        })?;
        Ok(self.position)
    }
}

impl<R: fmt::Debug> fmt::Debug for ObjectReader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectReader")
            .field("object", &self.object)
            .field("body", &self.body)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}
