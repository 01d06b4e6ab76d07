//! [`SealBytes`]: a stream of plaintext, sealed.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use object_cipher_core::{
    BodySealer, ChunkSealer, Error as CoreError, Result, SealChunks, cobblestone::TAG_LEN,
};
use pin_project_lite::pin_project;

use super::{
    Cut, Progress,
    pieces::{Pieces, Unit},
    poll_through,
};
use crate::{Error, Sealed, whole};

/// Tags that one block of memory serves.
const TAGS_A_BLOCK: usize = 64;

pin_project! {
    /// Takes a stream of plaintext, gives the stored body.
    ///
    /// A piece of one chunk (16 KiB) or more that nobody else holds is sealed in its own memory,
    /// without a copy; its tags come as pieces of their own. Small and shared pieces are gathered
    /// into one buffer of a few chunks, and so is everything in DSSE-KMS, whose outer layer covers
    /// the inner tags. So hand over large pieces, and do not keep clones.
    ///
    /// When the stream has ended, [`finish`](SealBytes::finish) leads to the Envelope or the
    /// receipt. An error ends the stream; after it there is no Envelope. For a consumer that takes
    /// the stream away, [announce](object_cipher_core::Sealer::announce) the length first.
    ///
    /// ```
    /// # use object_cipher_core::{
    /// #     Attributes, EkSource, LayeredCipher, ObjectCipher, ObjectContext, ReadRange, resolve_now,
    /// # };
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # let keys = object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]);
    /// # let cipher = LayeredCipher::sse_c(keys, RustCrypto);
    /// use bytes::Bytes;
    /// use futures::{executor::block_on, stream, TryStreamExt};
    /// use object_cipher_io::{OpenBytes, SealBytes};
    ///
    /// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
    /// let sealer = resolve_now(cipher.seal(&cx)).expect("the key is at hand")?;
    ///
    /// let source = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![7; 40_000]))]);
    /// let mut sealing = SealBytes::new(sealer, source);
    /// let body: Vec<Bytes> = block_on((&mut sealing).try_collect())?;
    /// let envelope = sealing.finish()?.finish(&Attributes::default())?;
    ///
    /// let opener = resolve_now(cipher.open(&cx, &envelope)).expect("the key is at hand")?;
    /// let plan = opener.plan(&ReadRange::Whole)?;
    /// let segment = plan.body().expect("a single body");
    /// let source = stream::iter(body.into_iter().map(Ok::<_, std::io::Error>));
    /// let opening = OpenBytes::new(&opener, segment, source)?;
    /// let plaintext: Vec<Bytes> = block_on(opening.try_collect())?;
    /// assert_eq!(plaintext.concat(), vec![7; 40_000]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct SealBytes<St, S> {
        #[pin]
        stream: St,
        seal: Seal<S>,
        progress: Progress,
    }
}

/// What seals the pieces.
struct Seal<S> {
    chunks: SealChunks<S>,
    index: u64,
    length: u64,
    pieces: Pieces,
    tags: BytesMut,
    /// What goes out next: the headers, or the tag of the chunk before.
    ready: Option<Bytes>,
}

impl<St, S: BodySealer> SealBytes<St, S> {
    /// Seals what `stream` gives. Pin-free for a pin-free stream.
    pub fn new(sealer: S, stream: St) -> Self {
        let chunks = SealChunks::new(sealer);
        let ready = Some(Bytes::copy_from_slice(chunks.headers().as_bytes()));
        let seal = Seal {
            chunks,
            index: 0,
            length: 0,
            pieces: Pieces::new(),
            tags: BytesMut::new(),
            ready,
        };
        Self { stream, seal, progress: Progress::Running }
    }

    /// The body that went through, once the stream has given everything.
    ///
    /// # Errors
    /// [`CoreError::Misuse`] before the stream's end, or after an error.
    pub fn finish(self) -> Result<Sealed<S>> {
        if self.progress != Progress::Ended || self.seal.ready.is_some() {
            return Err(CoreError::Misuse("a stream is finished once it has given everything"));
        }
        Ok(Sealed::new(self.seal.chunks, self.seal.length))
    }
}

impl<St, S, E> Stream for SealBytes<St, S>
where
    St: Stream<Item = Result<Bytes, E>>,
    S: BodySealer,
{
    type Item = Result<Bytes, Error<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        poll_through(this.stream, this.seal, this.progress, cx)
    }
}

impl<S: BodySealer> Seal<S> {
    /// A full chunk, cut out of what came.
    fn next_chunk(&mut self) -> Option<Unit> {
        let layout = self.chunks.layout();
        let (length, overhead) = (whole(layout.chunk_len()), layout.overhead());
        if overhead == TAG_LEN {
            self.pieces.take(length, overhead)
        } else {
            self.pieces.take_copy(length, overhead).map(Unit::Copied)
        }
    }

    fn seal(&mut self, chunk: Unit, last: bool) -> Result<Bytes> {
        let (index, chunks) = (self.index, &self.chunks);
        self.index += 1;
        match chunk {
            Unit::InPlace(mut chunk) => {
                let mut tag = room_for_tag(&mut self.tags);
                chunks.seal_detached(index, last, &mut chunk, &mut tag)?;
                self.ready = Some(tag.freeze());
                Ok(chunk.freeze())
            }
            Unit::Copied(mut chunk) => {
                chunks.seal(index, last, &mut chunk)?;
                Ok(chunk.freeze())
            }
        }
    }
}

impl<S: BodySealer> Cut for Seal<S> {
    fn put(&mut self, piece: Bytes) -> Result<()> {
        self.length += piece.len() as u64;
        self.chunks.check_len(self.length, false)?;
        self.pieces.put(piece);
        Ok(())
    }

    fn end(&mut self) -> Result<()> {
        self.chunks.check_len(self.length, true)?;
        let last = self.pieces.take_gathered(self.chunks.layout().overhead());
        self.ready = Some(self.seal(Unit::Copied(last), true)?);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<Bytes>> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        match self.next_chunk() {
            Some(chunk) => self.seal(chunk, false).map(Some),
            None => Ok(None),
        }
    }
}

impl<St: fmt::Debug, S> fmt::Debug for SealBytes<St, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealBytes")
            .field("stream", &self.stream)
            .field("plaintext_len", &self.seal.length)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// Room for one tag, out of a block for many.
#[inline]
fn room_for_tag(block: &mut BytesMut) -> BytesMut {
    if block.is_empty() {
        block.resize(TAG_LEN * TAGS_A_BLOCK, 0);
    }
    block.split_to(TAG_LEN)
}
