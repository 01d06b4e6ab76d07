//! [`Parallel`]: sealing and opening on a thread pool.

mod content;
mod pipeline;

use std::{
    io::{Read, Seek, Write},
    sync::Arc,
};

use object_cipher_core::{
    BodySealer, ChunkSealer, Error as CoreError, ObjectId, Opener, ReadRange, SealChunks, Segment,
    Step, cobblestone::CHUNK_LEN,
};
use rayon::ThreadPool;
use zeroize::zeroize_bytes;

use crate::{
    Result, Sealed,
    transfer::{fetch, single_body},
    whole,
};
use content::{Opening, Sealing};
use pipeline::{CHUNKS_ALONE, run_alone};

/// Chunks of a window, unless [`Parallel::with_window`] sets another number: 1 MiB.
pub const DEFAULT_WINDOW: usize = 64;

/// 64 MiB.
const MAX_WINDOW: usize = 4_096;

/// Seals and opens many chunks at a time, on rayon's threads. The bytes are those of the sequential
/// form.
///
/// Reader and writer stay on the calling thread; the pool's threads have only chunks to work on, so a
/// slow reader holds nobody up, and a busy pool does not hold up the caller, which works on chunks
/// itself when it would wait. Meanwhile it reads ahead and writes behind: memory is two windows of a
/// bounded number of chunks. With one thread, for a segment of up to 16 chunks, or when called on a
/// thread of the pool itself, it goes without the pool, in the memory of a quarter of a window: for files,
/// which the system writes faster in long pieces than chunk by chunk, that pays with one thread, too.
///
/// # Errors
/// An error is that of the first bad chunk by position, whichever thread comes first. What was
/// given out before is verified, and incomplete; nothing behind the bad chunk is given out.
///
/// ```
/// # use object_cipher_core::{
/// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, resolve_now,
/// # };
/// # use object_cipher_rustcrypto::RustCrypto;
/// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
/// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
/// use object_cipher_io::Parallel;
///
/// let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
/// let parallel = Parallel::new().with_pool(&pool);
///
/// let cx = ObjectContext::new("prod", "films", "cat.mkv");
/// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
/// let content = vec![7; 1_000_000];
/// let mut body = Vec::new();
/// let sealed = parallel.seal_all(sealer, &mut &content[..], &mut body)?;
/// let envelope = sealed.finish(&Attributes::default())?;
///
/// let opener = resolve_now(cipher.open(&cx, &envelope)).expect("the key is at hand")?;
/// let mut opened = Vec::new();
/// parallel.open_all(&opener, &mut &body[..], &mut opened)?;
/// assert_eq!(opened, content);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Parallel<'a> {
    pool: Option<&'a ThreadPool>,
    is_alone: bool,
    window: usize,
}

impl<'a> Parallel<'a> {
    /// On the current pool of rayon, with the default window.
    pub fn new() -> Self {
        Self { pool: None, is_alone: false, window: DEFAULT_WINDOW }
    }

    /// On the calling thread alone.
    pub fn alone() -> Self {
        Self { is_alone: true, ..Self::new() }
    }

    /// On a pool of the caller's.
    #[must_use]
    pub fn with_pool(mut self, pool: &'a ThreadPool) -> Self {
        (self.pool, self.is_alone) = (Some(pool), false);
        self
    }

    /// Chunks of 16 KiB in each of the two windows: 1 to 4,096. Have eight or more a thread.
    #[must_use]
    pub fn with_window(mut self, chunks: usize) -> Self {
        self.window = chunks.clamp(1, MAX_WINDOW);
        self
    }

    /// Seals all of `source` into `sink`, flushed. What it gives leads to the Envelope or the
    /// receipt; after an error there is none.
    ///
    /// # Errors
    /// Those of the sealer, of `source` and of `sink`.
    pub fn seal_all<S, R, W>(&self, sealer: S, source: &mut R, sink: &mut W) -> Result<Sealed<S>>
    where
        S: BodySealer,
        R: Read + ?Sized,
        W: Write + ?Sized,
    {
        let chunks = Arc::new(SealChunks::new(sealer));
        sink.write_all(chunks.headers().as_bytes())?;
        let mut content = Sealing::new(&chunks, source, sink);
        let shared = Arc::clone(&chunks);
        let work = move |index, slot: &mut [u8]| seal_slot(&*shared, index, slot);
        self.run(chunks.layout(), 0, &mut content, Arc::new(work))?;
        let length = content.finish()?;
        let busy = CoreError::Misuse("a thread of the pool still seals");
        Ok(Sealed::new(Arc::into_inner(chunks).ok_or(busy)?, length))
    }

    /// Opens a whole stored body, all that `source` gives, into `sink`. Gives the number of
    /// plaintext bytes.
    ///
    /// # Errors
    /// As [`open_segment`](Parallel::open_segment); [`CoreError::Misuse`] for a multipart object.
    pub fn open_all<R, W>(&self, opener: &Opener, source: &mut R, sink: &mut W) -> Result<u64>
    where
        R: Read + ?Sized,
        W: Write + ?Sized,
    {
        self.open_segment(opener, &single_body(opener, &ReadRange::Whole)?, source, sink)
    }

    /// Opens a range of the stored body in `body`, as [`open_range`](crate::open_range).
    ///
    /// # Errors
    /// As [`open_range`](crate::open_range).
    pub fn open_range<R, W>(
        &self,
        opener: &Opener,
        range: &ReadRange,
        body: &mut R,
        sink: &mut W,
    ) -> Result<u64>
    where
        R: Read + Seek + ?Sized,
        W: Write + ?Sized,
    {
        let segment = single_body(opener, range)?;
        self.open_segment(opener, &segment, &mut fetch(body, &segment)?, sink)
    }

    /// Opens what was fetched for a segment, all that `source` gives, into `sink`. Gives the number
    /// of plaintext bytes.
    ///
    /// # Errors
    /// [`CoreError::Rejected`] when something does not verify, [`CoreError::Truncated`],
    /// [`CoreError::TrailingBytes`]; those of `source` and of `sink`.
    pub fn open_segment<R, W>(
        &self,
        opener: &Opener,
        segment: &Segment,
        source: &mut R,
        sink: &mut W,
    ) -> Result<u64>
    where
        R: Read + ?Sized,
        W: Write + ?Sized,
    {
        let chunks = opener.chunks(segment)?;
        let mut content = Opening::begin(opener.object_id(), segment, source, sink)?;
        let shared = segment.clone();
        let work = move |index, slot: &mut [u8]| chunks.open(index, shared.is_last(index), slot);
        let (layout, first) = (opener.layout(), segment.chunks().start);
        if segment.chunks().end - first <= CHUNKS_ALONE {
            let chunks = segment.chunks().end - first;
            let chunks = usize::try_from(chunks).map_or(1, |chunks| chunks.clamp(1, self.piece()));
            run_alone(layout, first, &mut content, &work, chunks)?;
        } else {
            self.run(layout, first, &mut content, Arc::new(work))?;
        }
        content.finish()
    }

    /// Seals a body where it lies, when a thread of the pool comes free. `body` is laid out as it will be stored: room for the headers,
    /// then each chunk of 16,384 plaintext bytes and behind it room for its tags; the last chunk,
    /// and only the last, is shorter and may be empty. See [`Layout`](object_cipher_core::Layout).
    ///
    /// # Errors
    /// [`CoreError::Malformed`] when no body has this length; those of the sealer. `body` is then
    /// wiped.
    pub fn seal_in_place<S: BodySealer>(&self, sealer: S, body: &mut [u8]) -> Result<Sealed<S>> {
        let chunks = SealChunks::new(sealer);
        let sealed = self.seal_slots(&chunks, body).inspect_err(|_| zeroize_bytes(body));
        Ok(sealed.map(|length| Sealed::new(chunks, length))?)
    }

    /// Opens what was fetched for a segment where it lies, and gives its plaintext, piece by piece
    /// in order.
    ///
    /// # Errors
    /// As [`open_segment`](Parallel::open_segment). `fetched` is then wiped.
    pub fn open_in_place<'b>(
        &self,
        opener: &Opener,
        segment: &'b Segment,
        fetched: &'b mut [u8],
    ) -> Result<impl Iterator<Item = &'b [u8]> + use<'b>> {
        self.open_slots(opener, segment, fetched).inspect_err(|_| zeroize_bytes(fetched))?;
        let slots = fetched[segment.header_len()..].chunks(whole(opener.layout().stride()));
        let opened = segment.chunks().zip(slots);
        Ok(opened.map(|(index, slot)| &slot[segment.wanted_of(index)]))
    }

    fn seal_slots<S: BodySealer>(
        &self,
        chunks: &SealChunks<S>,
        body: &mut [u8],
    ) -> Result<u64, CoreError> {
        let layout = chunks.layout();
        let length = layout.plaintext_len(body.len() as u64)?;
        chunks.check_len(length, true)?;
        let (headers, slots) = body.split_at_mut(layout.header_len());
        headers.copy_from_slice(chunks.headers().as_bytes());
        self.work(layout, 0, slots, &|index, slot| seal_slot(chunks, index, slot))
            .map_err(|(_, error)| error)?;
        Ok(length)
    }

    fn open_slots(
        &self,
        opener: &Opener,
        segment: &Segment,
        fetched: &mut [u8],
    ) -> Result<(), CoreError> {
        let object = opener.object_id();
        let expected = segment.fetch().end - segment.fetch().start;
        if (fetched.len() as u64) < expected {
            return Err(CoreError::Truncated { object });
        }
        if fetched.len() as u64 > expected {
            return Err(CoreError::TrailingBytes { object });
        }
        let (headers, slots) = fetched.split_at_mut(segment.header_len());
        check_headers(object, segment, headers)?;
        let chunks = opener.chunks(segment)?;
        self.work(opener.layout(), segment.chunks().start, slots, &|index, slot| {
            chunks.open(index, segment.is_last(index), slot)
        })
        .map_err(|(_, error)| error)
    }
}

impl Default for Parallel<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Seals a chunk that lies in a slot of exactly its sealed length: a short one is the last.
fn seal_slot(chunks: &impl ChunkSealer, index: u64, slot: &mut [u8]) -> Result<(), CoreError> {
    let last = slot.len() < CHUNK_LEN + chunks.overhead();
    chunks.seal(index, last, slot)
}

/// Compares the headers that were fetched, if any.
fn check_headers(object: ObjectId, segment: &Segment, fetched: &[u8]) -> Result<(), CoreError> {
    if !fetched.is_empty() && fetched != segment.headers().as_bytes() {
        return Err(CoreError::Rejected { object, step: Step::Body });
    }
    Ok(())
}
