//! Sealing one body: [`Sealer`].

use core::fmt;

use crate::{
    Attributes, ChunkSealer, Envelope, Error, Headers, Layout, Mode, ObjectId, Result, SealChunks,
    SealStream, State,
    chunk_cipher::Chunks,
    context::Identity,
    data_keys::{DataKeys, Purpose, Salts},
    envelope::Head,
    info::{Content, Info},
    wrapping::Wrapping,
};

/// What [`Sealer`], [`AnnouncedSealer`] and [`PartSealer`](crate::PartSealer) have in common: a body
/// to be sealed once, in order by [`SealStream`] or by position by [`SealChunks`].
pub trait BodySealer: sealing::Body {
    /// The bytes that the stored body begins with.
    fn headers(&self) -> &Headers;

    /// The sizes of the body.
    fn layout(&self) -> Layout;

    /// Whether the plaintext may have this length so far, and, once it has ended, in all.
    ///
    /// # Errors
    /// [`Error::Limit`] for more than the body may hold, [`Error::Misuse`] for another length than
    /// was announced.
    fn check_len(&self, plaintext_len: u64, ended: bool) -> Result<()>;
}

/// The chunks are out of reach until it is said how they are sealed: both ways at once would repeat
/// nonces.
pub(crate) mod sealing {
    /// A body with chunks to seal.
    pub trait Body: Send + Sync + 'static {
        /// What seals them.
        fn chunks(&self) -> &dyn crate::ChunkSealer;
    }
}

/// Seals a new object that is stored as one body. Made by
/// [`ObjectCipher::seal`](crate::ObjectCipher::seal); sync, and free of I/O.
///
/// Seal the body in order ([`into_stream`](Sealer::into_stream)) or by position, on any threads
/// ([`into_chunks`](Sealer::into_chunks)), and store it; at the end `finish` gives the Envelope.
/// Without it there is no object.
pub struct Sealer {
    keys: DataKeys,
    wrapping: Wrapping,
    identity: Identity,
    chunks: Chunks,
    headers: Headers,
    info_salts: Salts,
    wrap_salts: Salts,
}

impl Sealer {
    pub(crate) fn new(
        keys: DataKeys,
        wrapping: Wrapping,
        identity: Identity,
        [body_salts, info_salts, wrap_salts]: [Salts; 3],
    ) -> Result<Self> {
        let (headers, chunks) = keys.derive(Purpose::Body { part: 0 }, &body_salts)?;
        Ok(Self { keys, wrapping, identity, chunks, headers, info_salts, wrap_salts })
    }

    /// The object's random name.
    pub fn object_id(&self) -> ObjectId {
        self.keys.object
    }

    /// The mode.
    pub fn mode(&self) -> Mode {
        self.wrapping.mode()
    }

    /// Sets the version id, for hosts that learn it only when they commit. S3's `null` counts as
    /// none.
    pub fn set_version_id(&mut self, id: &(impl AsRef<[u8]> + ?Sized)) {
        self.identity.set_version_id(id.as_ref());
    }

    /// Sets the extra item of the identity, for hosts that learn it only when they commit.
    pub fn set_extra(&mut self, extra: &(impl AsRef<[u8]> + ?Sized)) {
        self.identity.set_extra(extra.as_ref());
    }

    /// Seals in order from now on.
    pub fn into_stream(self) -> SealStream<Self> {
        SealStream::new(self)
    }

    /// Seals by position from now on.
    pub fn into_chunks(self) -> SealChunks<Self> {
        SealChunks::new(self)
    }

    /// The Envelope first, for stores that take metadata before the body: length and attributes
    /// must be known before the first byte. If other content comes, the stream fails and the put
    /// must be aborted. Core computes no checksum: whoever announces one compares it.
    ///
    /// # Errors
    /// [`Error::Limit`] when the body is too long, [`Error::Misuse`] for attributes that do not fit
    /// a single body, [`Error::Backend`] when the library fails.
    pub fn announce(
        self,
        plaintext_len: u64,
        attributes: &Attributes,
    ) -> Result<(Envelope, AnnouncedSealer)> {
        let envelope = self.commit(plaintext_len, attributes)?;
        let layout = self.layout();
        let Self { chunks, headers, .. } = self;
        Ok((envelope, AnnouncedSealer { chunks, headers, layout, plaintext_len }))
    }

    pub(crate) fn commit(&self, plaintext_len: u64, attributes: &Attributes) -> Result<Envelope> {
        self.layout().chunk_count(plaintext_len)?;
        let info = Info {
            length: plaintext_len,
            content: Content::Body(self.headers),
            attributes: attributes.clone(),
        };
        commit(
            &self.keys,
            &self.wrapping,
            &self.identity,
            &info,
            [&self.info_salts, &self.wrap_salts],
        )
    }
}

/// Seals the body of an object whose Envelope went out first. Made by [`Sealer::announce`].
pub struct AnnouncedSealer {
    chunks: Chunks,
    headers: Headers,
    layout: Layout,
    plaintext_len: u64,
}

impl AnnouncedSealer {
    /// Seals in order from now on.
    pub fn into_stream(self) -> SealStream<Self> {
        SealStream::new(self)
    }

    /// Seals by position from now on.
    pub fn into_chunks(self) -> SealChunks<Self> {
        SealChunks::new(self)
    }
}

impl SealStream<AnnouncedSealer> {
    /// Confirms that exactly the announced content went through. If not, abort the put.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the stream has not ended or output waits, or its own error.
    pub fn finish(self) -> Result<()> {
        self.into_sealed().map(|_| ())
    }
}

impl SealStream<Sealer> {
    /// The Envelope of the body that went through. Store the body durably first and the Envelope
    /// last.
    ///
    /// # Errors
    /// [`Error::Misuse`] when the stream has not ended or output waits, or for attributes that do
    /// not fit a single body; [`Error::Backend`] when the library fails.
    pub fn finish(self, attributes: &Attributes) -> Result<Envelope> {
        let (sealer, length) = self.into_sealed()?;
        sealer.commit(length, attributes)
    }

    /// As [`Sealer::set_version_id`].
    pub fn set_version_id(&mut self, id: &(impl AsRef<[u8]> + ?Sized)) {
        self.sealer_mut().set_version_id(id);
    }

    /// As [`Sealer::set_extra`].
    pub fn set_extra(&mut self, extra: &(impl AsRef<[u8]> + ?Sized)) {
        self.sealer_mut().set_extra(extra);
    }
}

impl sealing::Body for Sealer {
    fn chunks(&self) -> &dyn ChunkSealer {
        &self.chunks
    }
}

impl sealing::Body for AnnouncedSealer {
    fn chunks(&self) -> &dyn ChunkSealer {
        &self.chunks
    }
}

impl BodySealer for Sealer {
    fn headers(&self) -> &Headers {
        &self.headers
    }

    fn layout(&self) -> Layout {
        self.keys.layout()
    }

    fn check_len(&self, plaintext_len: u64, _: bool) -> Result<()> {
        self.layout().chunk_count(plaintext_len).map(|_| ())
    }
}

impl BodySealer for AnnouncedSealer {
    fn headers(&self) -> &Headers {
        &self.headers
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn check_len(&self, plaintext_len: u64, ended: bool) -> Result<()> {
        if plaintext_len > self.plaintext_len || ended && plaintext_len < self.plaintext_len {
            return Err(Error::Misuse("the content has not the length that was announced"));
        }
        Ok(())
    }
}

impl fmt::Debug for AnnouncedSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnnouncedSealer")
            .field("plaintext_len", &self.plaintext_len)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("object_id", &self.object_id())
            .field("mode", &self.mode())
            .finish_non_exhaustive()
    }
}

/// Seals the info block and wraps the data keys: the Envelope of a finished object.
pub(crate) fn commit(
    keys: &DataKeys,
    wrapping: &Wrapping,
    identity: &Identity,
    info: &Info,
    [info_salts, wrap_salts]: [&Salts; 2],
) -> Result<Envelope> {
    let mut message = alloc::vec::Vec::new();
    keys.seal_message(Purpose::Info, info_salts, &info.encode()?, &mut message)?;
    let multipart = matches!(info.content, Content::Parts { .. });
    let head = finished_head(keys, wrapping, identity, multipart)?;
    wrapping.wrap(keys, head, identity, &message, wrap_salts)
}

/// The fixed part of a finished object's Envelope.
pub(crate) fn finished_head(
    keys: &DataKeys,
    wrapping: &Wrapping,
    identity: &Identity,
    multipart: bool,
) -> Result<Head> {
    if wrapping.mode().suite() != keys.suite() {
        return Err(Error::Misuse("to and from DSSE-KMS an object is encrypted anew"));
    }
    Ok(Head {
        mode: wrapping.mode(),
        state: State::Finished,
        multipart,
        bucket_key: wrapping.has_bucket_key(),
        keyless: false,
        bound: identity.bound(),
        object: keys.object,
    })
}
