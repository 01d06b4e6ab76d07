//! Objects that come in one piece, and the commit of every object: its record.

use object_cipher_core::{Attributes as Sealed, ObjectId};
use object_store::{
    Attribute, Attributes, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode,
    PutOptions, PutPayload, PutResult, path::Path,
};
use tracing::Instrument as _;

use super::EncryptedStore;
use crate::{
    Error, Record, Result,
    record::{Said, attributes_digest},
    request::{for_store, new_context},
    seal::seal_payload,
};

impl<S: ObjectStore> EncryptedStore<S> {
    pub(super) async fn put_object(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let span = tracing::debug_span!("put", %location, length = payload.content_length());
        self.seal_object(location, payload, options).instrument(span).await
    }

    async fn seal_object(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.paths().check(location)?;
        let PutOptions { mode, tags, attributes, extensions, .. } = options;
        let sealed = sealed_attributes(&attributes)?;
        let cipher = self.settings().ciphers.to_seal(location, &extensions)?;
        let context = new_context(location, cipher.mode(), &extensions)?;
        let said = Said { attributes, context };
        let cx = self.settings().identity.context(location, &said.context, &extensions);
        let sealer = cipher.seal(&cx).await?;
        let object = sealer.object_id();
        let (body_sealed, body) = seal_payload(sealer, &payload)?;
        let envelope = body_sealed.finish(&sealed)?;
        let length = payload.content_length() as u64;

        let extensions = for_store(&extensions);
        let storing = PutOptions {
            attributes: of_body(&said.attributes),
            tags: tags.clone(),
            extensions: extensions.clone(),
            ..PutOptions::default()
        };
        let at = self.paths().body(object);
        let put = self.inner().put_opts(&at, body.into(), storing);
        let (replaced, put) = futures_util::join!(self.replaced(location, &mode), put);
        put?;
        metrics::counter!("object_cipher_store_sealed_bytes_total").increment(length);
        let record = Record::of_body(location, length, envelope, said);
        let putting = PutOptions { mode, tags, extensions, ..PutOptions::default() };
        self.commit(location, &record, putting, replaced).await
    }

    /// Makes the object: puts its record, whose body is stored. If it cannot be, the body goes.
    pub(super) async fn commit(
        &self,
        location: &Path,
        record: &Record,
        putting: PutOptions,
        replaced: Option<ObjectId>,
    ) -> Result<PutResult> {
        let object = record.envelope.object_id();
        let put = self.put_record(location, record, putting).await;
        match &put {
            Ok(_) => {
                if let Some(replaced) = replaced.filter(|replaced| *replaced != object) {
                    self.remove_body(replaced).await;
                }
            }
            Err(error) if refused(error) && self.is_elsewhere(location, object).await => {
                self.remove_body(object).await;
            }
            // It is not known whether it was put: a sweep will tell.
            Err(_) => {}
        }
        put
    }

    /// Puts a record. A refusal may be that of a request sent again, whose first answer was lost: then the
    /// record that stands in the way is this one.
    pub(super) async fn put_record(
        &self,
        location: &Path,
        record: &Record,
        putting: PutOptions,
    ) -> Result<PutResult> {
        let put = self.inner().put_opts(location, record.to_bytes()?.into(), putting).await;
        self.forget(location);
        let refusal = match put.map_err(Error::from) {
            Err(error) if refused(&error) => error,
            put => return put,
        };
        match self.find(location, GetOptions::new()).await {
            Ok(found) if found.record.envelope == record.envelope => {
                let ObjectMeta { e_tag, version, .. } = found.meta.clone();
                Ok(PutResult { e_tag, version })
            }
            _ => Err(refusal),
        }
    }

    /// Whether the record at a path surely does not name a body.
    async fn is_elsewhere(&self, location: &Path, object: ObjectId) -> bool {
        match self.find(location, GetOptions::new()).await {
            Ok(found) => found.object() != object,
            Err(error) => is_nothing(&error),
        }
    }

    /// The object that a put is about to replace, whose body nobody will need then.
    pub(super) async fn replaced(&self, location: &Path, mode: &PutMode) -> Option<ObjectId> {
        if *mode == PutMode::Create || self.settings().keep_replaced {
            return None;
        }
        let found = self.find(location, GetOptions::new()).await.ok()?;
        found.owned_at(location)
    }

    /// Removes a body that no record names any more, unless more than one may have. What cannot be
    /// removed now is left to a sweep.
    pub(super) async fn remove_body(&self, object: ObjectId) {
        if self.settings().keep_replaced {
            return;
        }
        match self.inner().head(&self.paths().mark(object)).await {
            Err(object_store::Error::NotFound { .. }) => {}
            _ => return,
        }
        match self.inner().delete(&self.paths().body(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => tracing::warn!(%object, %error, "a body was left to the next sweep"),
        }
    }
}

/// What is sealed with an object: the digest of its attributes.
pub(super) fn sealed_attributes(attributes: &Attributes) -> Result<Sealed> {
    let metadata_digest = Some(attributes_digest(attributes)?);
    Ok(Sealed { metadata_digest, ..Sealed::default() })
}

/// What the store is told of a body: how to keep it. All else is the record's.
pub(super) fn of_body(attributes: &Attributes) -> Attributes {
    let class = attributes.get(&Attribute::StorageClass);
    class.map(|class| (Attribute::StorageClass, class.clone())).into_iter().collect()
}

/// Whether there is no record at a path.
pub(super) fn is_nothing(error: &Error) -> bool {
    matches!(error, Error::NoRecord { .. } | Error::Store(object_store::Error::NotFound { .. }))
}

/// Whether the store says that it did not put.
fn refused(error: &Error) -> bool {
    use object_store::Error as Store;
    matches!(
        error,
        Error::Store(
            Store::AlreadyExists { .. }
                | Store::Precondition { .. }
                | Store::NotImplemented { .. }
                | Store::NotSupported { .. }
                | Store::PermissionDenied { .. }
                | Store::Unauthenticated { .. }
        )
    )
}
