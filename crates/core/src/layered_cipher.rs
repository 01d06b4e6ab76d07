//! The [`ObjectCipher`] of every chunked mode: [`LayeredCipher`].

use alloc::{boxed::Box, sync::Arc};
use core::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use crate::{
    Attributes, BoxFuture, CompletedUpload, Completion, CryptoBackend, Envelope, Error, KeySource,
    Mode, ObjectCipher, ObjectContext, ObjectId, Opener, PartReceipt, Result, Sealer, State,
    Uploader,
    backend::Library,
    cobblestone::SALT_LEN,
    context::Identity,
    data_keys::{DataKeys, Draw, Layer, Salts},
    per_layer::PerLayer,
    secret::Secret,
    wrapping::{self, LayerWrap, Wrapping},
};

/// An [`ObjectCipher`] over a [`KeySource`] and one [`CryptoBackend`] a layer. The crates of the
/// modes build it; use it directly for a key source of your own.
///
/// Making one is cheap: a server makes one for each request.
#[derive(Clone)]
pub struct LayeredCipher<S> {
    mode: Mode,
    source: S,
    libraries: PerLayer<Arc<dyn Library>>,
}

impl<S: KeySource> LayeredCipher<S> {
    /// SSE-S3 over keys of a master keyring.
    pub fn sse_s3<B: CryptoBackend>(source: S, backend: B) -> Self {
        Self::one_layer(Mode::SseS3, source, backend)
    }

    /// SSE-KMS over KMS data keys or Bucket Keys.
    pub fn sse_kms<B: CryptoBackend>(source: S, backend: B) -> Self {
        Self::one_layer(Mode::SseKms, source, backend)
    }

    /// SSE-C over a customer's key.
    pub fn sse_c<B: CryptoBackend>(source: S, backend: B) -> Self {
        Self::one_layer(Mode::SseC, source, backend)
    }

    /// Client-side encryption over a client's keys or KMS data keys.
    pub fn client<B: CryptoBackend>(source: S, backend: B) -> Self {
        Self::one_layer(Mode::Client, source, backend)
    }

    /// DSSE-KMS: two layers, each with a data key, a wrap and a library of its own. Two backends of
    /// one lineage do not compile:
    ///
    /// ```compile_fail,E0080
    /// # use object_cipher_core::{KeySource, LayeredCipher};
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # use object_cipher_testkit::TestKeys;
    /// # let keys = TestKeys::new(object_cipher_core::EkSource::Kms, [7; 32]);
    /// LayeredCipher::dsse_kms(keys, RustCrypto, RustCrypto);
    /// ```
    ///
    /// ```
    /// # use object_cipher_core::{KeySource, LayeredCipher};
    /// # use object_cipher_aws_lc::AwsLc;
    /// # use object_cipher_rustcrypto::RustCrypto;
    /// # use object_cipher_testkit::TestKeys;
    /// # let keys = TestKeys::new(object_cipher_core::EkSource::Kms, [7; 32]);
    /// LayeredCipher::dsse_kms(keys, RustCrypto, AwsLc);
    /// ```
    pub fn dsse_kms<I: CryptoBackend, O: CryptoBackend>(source: S, inner: I, outer: O) -> Self {
        const {
            assert!(
                !I::LINEAGE.is_same(O::LINEAGE),
                "the two layers of DSSE-KMS need libraries of different lineage"
            );
        }
        let libraries = PerLayer::two(Arc::new(inner) as Arc<dyn Library>, Arc::new(outer));
        Self { mode: Mode::DsseKms, source, libraries }
    }

    fn one_layer<B: CryptoBackend>(mode: Mode, source: S, backend: B) -> Self {
        Self { mode, source, libraries: PerLayer::one(Arc::new(backend)) }
    }

    /// A fresh key a layer, asked for at the same time.
    async fn fresh(&self, cx: &ObjectContext<'_>) -> Result<Wrapping> {
        let asked = self.libraries.as_ref().map(|_| self.source.fresh(cx));
        Wrapping::fresh(self.mode, &self.libraries, both(asked).await?)
    }

    /// The wrapping of an upload that is completed, if its own keys have retired.
    async fn renewed(&self, cx: &ObjectContext<'_>) -> Result<Option<Wrapping>> {
        let asked = self.libraries.as_ref().map(|_| self.source.renewed(cx));
        let PerLayer { inner, outer } = both(asked).await?;
        let keys = match (inner, outer) {
            (None, None | Some(None)) => return Ok(None),
            (Some(inner), None) => PerLayer::one(inner),
            (Some(inner), Some(Some(outer))) => PerLayer::two(inner, outer),
            _ => {
                return Err(Error::Misuse("a key source renews the keys of all layers or of none"));
            }
        };
        Wrapping::fresh(self.mode, &self.libraries, keys).map(Some)
    }

    /// The keys that wrapped an Envelope, recovered at the same time.
    async fn recover(
        &self,
        cx: &ObjectContext<'_>,
        envelope: &Envelope,
    ) -> Result<PerLayer<LayerWrap>> {
        let (mode, found) = (self.mode, envelope.mode());
        if mode != found {
            return Err(Error::WrongMode { object: envelope.object_id(), expected: mode, found });
        }
        let layers = envelope.layer_keys();
        let asked =
            layers.as_ref().map(|layer| self.source.recover(cx, layer.key_ref(), layer.blob()));
        let keys = both(asked).await?;
        self.libraries.zip(&keys)?.zip(layers)?.try_map(|number, ((library, key), layer)| {
            LayerWrap::new(library, mode, number, layer.key_ref().source(), key)
        })
    }

    /// The Envelope's data keys, and the keys that wrap them.
    async fn unwrap(
        &self,
        cx: &ObjectContext<'_>,
        envelope: &Envelope,
        state: State,
    ) -> Result<(DataKeys, PerLayer<LayerWrap>)> {
        envelope.expect_state(state)?;
        let identity = stored_identity(cx, envelope)?;
        let wraps = self.recover(cx, envelope).await?;
        let keys = wrapping::unwrap(&wraps, envelope, &identity)?;
        Ok((keys, wraps))
    }

    /// New data keys and an object id, with `N` salts a layer: one random draw a layer, of the data
    /// key, the salts and, in the inner layer, the object id.
    fn draw<const N: usize>(&self) -> Result<(DataKeys, [Salts; N])> {
        let mut object = ObjectId([0; 16]);
        let drawn = self.libraries.try_map(|number, library| {
            let (mut dek, mut salts) = (Secret::zeroed(), [[0; SALT_LEN]; N]);
            let mut draw = Draw::new(&**library, 32 + N * SALT_LEN + 16)?;
            draw.take(dek.expose_mut());
            draw.take(salts.as_flattened_mut());
            if number == 0 {
                draw.take(&mut object.0);
            }
            Ok::<_, Error>((Layer::new(library, dek)?, salts))
        })?;
        let salts = core::array::from_fn(|n| drawn.as_ref().map(|(_, salts)| salts[n]));
        Ok((DataKeys { object, layers: drawn.map(|(layer, _)| layer) }, salts))
    }

    async fn resume(
        &self,
        cx: &ObjectContext<'_>,
        envelope: &Envelope,
        state: State,
    ) -> Result<Uploader> {
        let (keys, wraps) = self.unwrap(cx, envelope, state).await?;
        let identity = stored_identity(cx, envelope)?;
        let wrapping = Wrapping::stored(wraps, envelope);
        Ok(Uploader::resume(keys, wrapping, identity, envelope.clone()))
    }
}

impl<S: KeySource> ObjectCipher for LayeredCipher<S> {
    fn mode(&self) -> Mode {
        self.mode
    }

    fn seal<'a>(&'a self, cx: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Sealer>> {
        Box::pin(async move {
            let identity = cx.object_identity()?;
            let wrapping = self.fresh(cx).await?;
            let (keys, salts) = self.draw()?;
            Sealer::new(keys, wrapping, identity, salts)
        })
    }

    fn open<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Opener>> {
        Box::pin(async move {
            let (keys, _) = self.unwrap(cx, envelope, State::Finished).await?;
            Opener::new(keys, envelope, cx.part_index())
        })
    }

    fn rewrap<'a>(
        &'a self,
        from: &'a Opener,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>> {
        Box::pin(async move {
            let identity = to.object_identity()?;
            if from.layout().suite() != self.mode.suite() {
                return Err(Error::Misuse("to and from DSSE-KMS an object is encrypted anew"));
            }
            from.rewrap(&self.fresh(to).await?, &identity)
        })
    }

    fn create_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        completion: Completion,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(async move {
            let keyless = completion == Completion::Keyless;
            if keyless && self.mode != Mode::SseC {
                return Err(Error::Misuse("only SSE-C uploads are completed without their key"));
            }
            let identity = cx.upload_identity()?;
            let wrapping = self.fresh(cx).await?;
            let (keys, [salts]) = self.draw()?;
            Uploader::create(keys, wrapping, identity, keyless, &salts)
        })
    }

    fn resume_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(self.resume(cx, envelope, State::Upload))
    }

    fn resume_keyless_upload<'a>(
        &'a self,
        cx: &'a ObjectContext<'a>,
        envelope: &'a Envelope,
    ) -> BoxFuture<'a, Result<Uploader>> {
        Box::pin(self.resume(cx, envelope, State::KeylessUpload))
    }

    fn complete_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
        parts: &'a [PartReceipt],
        attributes: &'a Attributes,
    ) -> BoxFuture<'a, Result<CompletedUpload>> {
        Box::pin(async move {
            if from.envelope().mode() != self.mode {
                return Err(Error::Misuse("an upload is completed in its own mode"));
            }
            let identity = from.object_identity(to)?;
            let renewed = self.renewed(to).await?;
            from.complete(renewed.as_ref(), &identity, parts, attributes)
        })
    }

    fn rewrap_upload<'a>(
        &'a self,
        from: &'a Uploader,
        to: &'a ObjectContext<'a>,
    ) -> BoxFuture<'a, Result<Envelope>> {
        Box::pin(async move {
            let identity = to.upload_identity()?;
            from.rewrap(&self.fresh(to).await?, &identity)
        })
    }
}

impl<S> fmt::Debug for LayeredCipher<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayeredCipher").field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// The identity that an Envelope was sealed with.
pub(crate) fn stored_identity(cx: &ObjectContext<'_>, envelope: &Envelope) -> Result<Identity> {
    let (object, bound) = (envelope.object_id(), envelope.bound());
    match envelope.state() {
        State::Finished => cx.stored_identity(object, bound),
        State::Upload | State::KeylessUpload => cx.stored_upload_identity(object, bound),
    }
}

/// Waits for one or two futures at the same time; the first error ends the wait.
async fn both<T: Send>(futures: PerLayer<BoxFuture<'_, Result<T>>>) -> Result<PerLayer<T>> {
    let PerLayer { mut inner, outer } = futures;
    let Some(mut outer) = outer else { return Ok(PerLayer::one(inner.await?)) };
    let (mut inner_key, mut outer_key) = (None, None);
    poll_fn(|task| {
        for (future, key) in [(&mut inner, &mut inner_key), (&mut outer, &mut outer_key)] {
            if key.is_none()
                && let Poll::Ready(ready) = Pin::as_mut(future).poll(task)
            {
                *key = Some(ready?);
            }
        }
        match (inner_key.take(), outer_key.take()) {
            (Some(inner), Some(outer)) => Poll::Ready(Ok(PerLayer::two(inner, outer))),
            (inner, outer) => {
                (inner_key, outer_key) = (inner, outer);
                Poll::Pending
            }
        }
    })
    .await
}

/// The result of a future that is ready at once, as those of an
/// [`ObjectCipher`] with its keys at hand are; none when it must wait.
pub fn resolve_now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut task = core::task::Context::from_waker(core::task::Waker::noop());
    match core::pin::pin!(future).poll(&mut task) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
