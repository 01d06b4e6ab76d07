//! Records opened, and objects read as streams.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Extensions;
use object_cipher_core::{Fetch, Opener, ReadRange};
use object_cipher_io::{Error as IoError, OpenBytes};
use object_store::{GetOptions, GetRange, GetResult, GetResultPayload, ObjectStore, path::Path};
use tracing::Instrument as _;

use super::{EncryptedStore, found::Found};
use crate::{Error, Result, record::attributes_digest, request::for_store, seal::cipher_error};

/// Times that a read starts anew because the object was replaced under it.
const READ_ATTEMPTS: u32 = 3;
/// Parts of an object that are under way at once.
const PARTS_AHEAD: usize = 2;

/// An object whose record was opened: lengths and attributes in it are what was sealed.
pub(super) struct OpenObject {
    pub(super) location: Path,
    pub(super) found: Arc<Found>,
    pub(super) opener: Opener,
    /// What the store beneath is given with every request for the body.
    extensions: Extensions,
}

impl<S: ObjectStore> EncryptedStore<S> {
    /// Opens a record, and compares what it says in clear with what was sealed.
    pub(super) async fn open(
        &self,
        location: &Path,
        found: Arc<Found>,
        extensions: &Extensions,
    ) -> Result<OpenObject> {
        let record = &found.record;
        if !record.is_of(location) {
            return Err(Error::Misplaced { path: location.clone() });
        }
        let mode = record.envelope.mode();
        let cipher = self.settings().ciphers.to_open(location, mode, extensions)?;
        let cx = self.context_of(location, record, extensions);
        let opener = cipher.open(&cx, &record.envelope).await?;
        let altered = |item| Error::Altered { path: location.clone(), item };
        if opener.plaintext_len() != record.plaintext_len {
            return Err(altered("length"));
        }
        if opener.attributes().metadata_digest != Some(attributes_digest(&record.attributes)?) {
            return Err(altered("set of attributes"));
        }
        found.parts(&opener)?;
        let extensions = for_store(extensions);
        Ok(OpenObject { location: location.clone(), found, opener, extensions })
    }

    pub(super) async fn get_object(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> Result<GetResult> {
        let span =
            tracing::debug_span!("get", %location, range = ?options.range, head = options.head);
        self.reading(location, || self.try_get(location, options.clone())).instrument(span).await
    }

    /// Reads, and once more if the object was replaced or deleted since its record was read.
    pub(super) async fn reading<T, F: Future<Output = Result<T>>>(
        &self,
        location: &Path,
        read: impl Fn() -> F,
    ) -> Result<T> {
        if self.paths().is_reserved(location) {
            return Err(not_found(location));
        }
        for _ in 1..READ_ATTEMPTS {
            match read().await {
                Err(Error::BodyGone { .. }) => self.forget(location),
                done => return done,
            }
        }
        read().await
    }

    async fn try_get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let GetOptions { head, range, extensions, .. } = options.clone();
        let found = self.find(location, options).await?;
        let (meta, attributes) = (found.meta.clone(), found.record.attributes.clone());
        let range = match &range {
            Some(range) => {
                range.as_range(meta.size).map_err(|error| Error::Range(error.to_string().into()))?
            }
            None => 0..meta.size,
        };
        let payload = if head {
            stream::empty().boxed()
        } else {
            let object = self.open(location, found, &extensions).await?;
            self.stream(object, range.clone()).await?
        };
        Ok(GetResult { payload: GetResultPayload::Stream(payload), meta, range, attributes })
    }

    /// A range of an object, in order. The first bytes are under way when this is done.
    pub(super) async fn stream(
        &self,
        object: OpenObject,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let whole = range == (0..object.plaintext_len());
        if range.is_empty() && !whole {
            return Ok(stream::empty().boxed());
        }
        let range = if whole { ReadRange::Whole } else { ReadRange::Bytes(range) };
        let mut fetches = object.fetches(&range)?.into_iter();
        let object = Arc::new(object);
        let Some(first) = fetches.next() else { return Ok(stream::empty().boxed()) };
        let first = self.fetch(Arc::clone(&object), first, whole).await?;
        let this = self.clone();
        let rest = stream::iter(fetches)
            .map(move |fetch| {
                let (this, object) = (this.clone(), Arc::clone(&object));
                async move {
                    let fetched = this.fetch(Arc::clone(&object), fetch, false).await;
                    fetched.map_err(|error| error.at(&object.location))
                }
            })
            .buffered(PARTS_AHEAD)
            .try_flatten();
        Ok(first.chain(rest).boxed())
    }

    /// The plaintext of a segment, from the body. With `whole` the body is compared with the length it
    /// must have, since no segment reaches behind its end.
    async fn fetch(
        &self,
        object: Arc<OpenObject>,
        fetch: Fetch,
        whole: bool,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let range = Some(GetRange::Bounded(fetch.bytes.clone()));
        let extensions = object.extensions.clone();
        let options = GetOptions { range, extensions, ..GetOptions::default() };
        let body = self.paths().body(object.opener.object_id());
        let found = self.inner().get_opts(&body, options).await.map_err(|error| match error {
            object_store::Error::NotFound { .. } => object.body_gone(body.clone()),
            error => error.into(),
        })?;
        if found.range != fetch.bytes || whole && found.meta.size != object.stored_len()? {
            return Err(Error::BodyLength { path: object.location.clone() });
        }
        let opened = OpenBytes::new(&object.opener, &fetch.segment, found.into_stream())?;
        Ok(opened
            .map_err(move |error| match error {
                IoError::Io(error) => error,
                error => Error::Cipher(cipher_error(error)).at(&object.location),
            })
            .inspect_ok(|bytes| {
                metrics::counter!("object_cipher_store_opened_bytes_total")
                    .increment(bytes.len() as u64);
            })
            .boxed())
    }
}

impl OpenObject {
    /// The plaintext's length, in bytes, as it was sealed.
    pub(super) fn plaintext_len(&self) -> u64 {
        self.opener.plaintext_len()
    }

    /// What to fetch of the body for a range, in order.
    pub(super) fn fetches(&self, range: &ReadRange) -> Result<Vec<Fetch>> {
        if self.plaintext_len() == 0 && *range != ReadRange::Whole {
            return Ok(Vec::new());
        }
        let plan = self.opener.plan(range)?;
        match (self.found.parts(&self.opener)?, plan.body()) {
            (Some(parts), _) => Ok(parts.fetches(&plan)?),
            (None, Some(segment)) => {
                Ok(vec![Fetch { bytes: segment.fetch(), segment: segment.clone() }])
            }
            (None, None) => Ok(Vec::new()),
        }
    }

    /// That nothing is where the body has to be.
    pub(super) fn body_gone(&self, body: Path) -> Error {
        Error::BodyGone { path: self.location.clone(), body }
    }

    /// The length that the body must have, in bytes.
    pub(super) fn stored_len(&self) -> Result<u64> {
        match self.found.parts(&self.opener)? {
            Some(parts) => Ok(parts.stored_len()),
            None => Ok(self.opener.layout().sealed_len(self.plaintext_len())?),
        }
    }
}

/// As a store says it of a path where nothing is.
pub(super) fn not_found(location: &Path) -> Error {
    let path = location.to_string();
    let source = Error::Reserved { path: location.clone() }.into();
    object_store::Error::NotFound { path, source }.into()
}
