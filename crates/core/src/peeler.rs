//! The outer layer of a DSSE-KMS object, taken off by itself: [`Peeler`].

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use zeroize::zeroize_bytes;

use crate::{
    CryptoBackend, Envelope, Error, Headers, Layout, Mode, ObjectContext, ObjectId, Result,
    SourceKey, State, Step, Suite,
    backend::{BackendError, Library},
    chunk_cipher::{check, open_layer},
    cobblestone::{CHUNK_LEN, ChunkKey, Derived, TAG_LEN},
    data_keys::{Layer, Purpose, reject},
    layered_cipher::stored_identity,
    per_layer::{INNER, OUTER, PerLayer},
    wrapping::{self, LayerWrap},
};

/// Takes the outer layer off a DSSE-KMS object, with the outer layer's key alone. What is left is
/// encrypted still: a body of one layer, which opens with the inner layer's key alone.
///
/// It is for auditors, who can so see that there are two layers, by two keys, and judge each with tools
/// of their own. Nothing else needs it: an [`Opener`](crate::Opener) opens both layers at once.
///
/// Nothing of the inner layer is verified, as it cannot be without its key.
pub struct Peeler {
    object: ObjectId,
    layer: Layer,
    /// The info block as it is stored.
    info: Vec<u8>,
}

/// One of two layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerPosition {
    /// The one that encrypted the content.
    Inner,
    /// The one around it.
    Outer,
}

/// Takes the outer layer off the chunks of one body. Stateless: `&self`, any order, any thread.
pub struct BodyPeeler {
    object: ObjectId,
    headers: Headers,
    key: ChunkKey,
}

impl Peeler {
    /// Unwraps the outer data key of an Envelope by the outer layer's source key, such as the KMS
    /// gives it for [`Envelope::layers`]' second key blob.
    ///
    /// # Errors
    /// [`Error::WrongMode`] when there is one layer only, [`Error::WrongState`] for an upload,
    /// [`Error::Rejected`] when key, identity or Envelope are not the sealed ones.
    pub fn new<B: CryptoBackend>(
        backend: B,
        cx: &ObjectContext<'_>,
        envelope: &Envelope,
        key: &SourceKey,
    ) -> Result<Self> {
        let layer = unwrap(backend, cx, envelope, LayerPosition::Outer, key)?;
        Ok(Self { object: envelope.object_id(), layer, info: envelope.info().to_vec() })
    }

    /// The object's random name.
    pub fn object_id(&self) -> ObjectId {
        self.object
    }

    /// Begins with a body, by the 112 bytes that it starts with; `part` is its number, or 0 for a
    /// single body.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the body does not commit to this object's key.
    pub fn body(&self, headers: &Headers, part: u32) -> Result<BodyPeeler> {
        let (derived, inner) = self.recover(Purpose::Body { part }, headers)?;
        let key = derived.chunk_key(&*self.layer.library)?;
        Ok(BodyPeeler { object: self.object, headers: inner, key })
    }

    /// The info block without its outer layer: a message of one layer.
    ///
    /// # Errors
    /// [`Error::Rejected`] when it is not the one that was sealed.
    pub fn info(&self) -> Result<Vec<u8>> {
        // Long enough, as was checked at the start.
        let (headers, chunk) = self.info.split_at(Layout::new(Suite::TwoLayers).header_len());
        let headers = Headers::parse(Suite::TwoLayers, headers)?;
        let (derived, inner) = self.recover(Purpose::Info, &headers)?;
        let mut chunk = chunk.to_vec();
        derived
            .open_only_chunk(&*self.layer.library, &mut chunk)
            .map_err(|error| reject(self.object, Step::Info, error.into()))?;
        chunk.truncate(chunk.len() - TAG_LEN);
        Ok([inner.as_bytes(), &chunk].concat())
    }

    /// The outer key of a message, and the headers of the one inside.
    fn recover(&self, purpose: Purpose, headers: &Headers) -> Result<(Derived, Headers)> {
        let PerLayer { inner, outer } = headers.layers();
        let outer = outer.ok_or(Error::Misuse("a body of two layers begins with two headers"))?;
        let derived = self
            .layer
            .recover(purpose, self.object, OUTER, &outer)
            .map_err(|error| reject(self.object, purpose.step(), error))?;
        Ok((derived, Headers::new(&PerLayer::one(inner))))
    }
}

impl BodyPeeler {
    /// The bytes that the peeled body begins with.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Peels a chunk in place: what is left is `buf` without its last 16 bytes.
    ///
    /// # Errors
    /// As [`ChunkOpener::open`](crate::ChunkOpener::open). `buf` is then wiped.
    pub fn peel(&self, index: u64, last: bool, buf: &mut [u8]) -> Result<()> {
        check(index, last, buf.len().checked_sub(2 * TAG_LEN))
            .and_then(|()| {
                open_layer(&self.key, index, buf).map_err(|error| match error {
                    BackendError::Rejected => {
                        Error::Rejected { object: self.object, step: Step::Body }
                    }
                    error => error.into(),
                })
            })
            .inspect_err(|_| zeroize_bytes(buf))
    }
}

/// Whether a source key is that of one layer of an Envelope, which verifies the Envelope but for the
/// other layer's wrap. What a KMS gives for a stored key blob may be any key of its, as nothing but the
/// wrap tells which object and layer a blob belongs to.
///
/// # Errors
/// As [`Peeler::new`].
pub fn verify_layer_key<B: CryptoBackend>(
    backend: B,
    cx: &ObjectContext<'_>,
    envelope: &Envelope,
    layer: LayerPosition,
    key: &SourceKey,
) -> Result<()> {
    unwrap(backend, cx, envelope, layer, key).map(drop)
}

/// One layer's data key.
fn unwrap<B: CryptoBackend>(
    backend: B,
    cx: &ObjectContext<'_>,
    envelope: &Envelope,
    layer: LayerPosition,
    key: &SourceKey,
) -> Result<Layer> {
    let (object, found) = (envelope.object_id(), envelope.mode());
    let PerLayer { inner, outer } = envelope.layer_keys();
    let outer = outer.as_ref();
    let outer = outer.ok_or(Error::WrongMode { object, expected: Mode::DsseKms, found })?;
    envelope.expect_state(State::Finished)?;
    check_message_len(envelope.info())?;
    let (number, stored) = match layer {
        LayerPosition::Inner => (INNER, inner),
        LayerPosition::Outer => (OUTER, outer),
    };
    let identity = stored_identity(cx, envelope)?;
    let library: Arc<dyn Library> = Arc::new(backend);
    let wrap = LayerWrap::new(&library, found, number, stored.key_ref().source(), key)?;
    wrapping::unwrap_layer(number, &wrap, stored, envelope, &identity)
}

/// Whether a message of two layers has one chunk, and a whole one.
fn check_message_len(message: &[u8]) -> Result<()> {
    let length = Layout::new(Suite::TwoLayers).plaintext_len(message.len() as u64)?;
    if length < CHUNK_LEN as u64 { Ok(()) } else { Err(Error::message_too_long()) }
}

impl fmt::Debug for Peeler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peeler").field("object_id", &self.object).finish_non_exhaustive()
    }
}

impl fmt::Debug for BodyPeeler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyPeeler").field("object_id", &self.object).finish_non_exhaustive()
    }
}
