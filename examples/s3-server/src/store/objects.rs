//! Objects that are stored as one body, and what changes a record.

use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use object_cipher_core::{Attributes, ObjectCipher, Sealer};
use object_cipher_io::Sealed;
use object_store::path::Path;
use tokio::sync::{OwnedMutexGuard, OwnedRwLockReadGuard};

use super::{
    BodyName, BucketName, Error, Metadata, ObjectKey, ObjectRecord, Result, Store,
    identity::Identity,
    in_use::Use,
    locks::to_its_end,
    record::{Content, PartsTable, now},
};

/// A body that is stored and that nothing names yet. Dropped, it goes.
#[must_use = "it is no object before it is committed"]
pub struct StagedObject {
    store: Store,
    identity: Identity,
    body: BodyName,
    sealed: Option<Sealed<Sealer>>,
    size: u64,
    in_use: Option<Use>,
}

/// What a write finds in the place of its object.
#[derive(Clone, Copy, Debug)]
pub enum There<'a> {
    /// Nothing.
    Nothing,
    /// An object.
    Object(&'a ObjectRecord),
    /// An object whose record cannot be read. It can be replaced and deleted.
    Damaged,
}

/// A record that nobody else changes meanwhile.
pub(super) struct Held {
    store: Store,
    identity: Identity,
    pub(super) record: Option<ObjectRecord>,
    damaged: bool,
    _key: OwnedMutexGuard<()>,
    _buckets: OwnedRwLockReadGuard<()>,
}

impl Store {
    /// Seals and stores the body of a new object. Nobody sees it before [`StagedObject::commit`].
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`]; [`Error::Source`] when the client's stream fails;
    /// [`Error::Cipher`]. Nothing is kept then.
    pub async fn stage<St, E>(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        cipher: &dyn ObjectCipher,
        source: St,
    ) -> Result<StagedObject>
    where
        St: Stream<Item = Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.bucket(bucket).await?;
        let (identity, body) = (self.identity(bucket, key), BodyName::random()?);
        let sealer = cipher.seal(&identity.object(&body)).await?;
        let in_use = Some(self.shared.in_use.keep(vec![body.clone()]));
        let mut staged =
            StagedObject { store: self.clone(), identity, body, sealed: None, size: 0, in_use };
        let sealed = self.write_body(&staged.body, sealer, source).await?;
        staged.size = sealed.plaintext_len();
        staged.sealed = Some(sealed);
        Ok(staged)
    }

    /// An object's record.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::NoSuchKey`].
    pub async fn head(&self, bucket: &BucketName, key: &ObjectKey) -> Result<ObjectRecord> {
        if let Some(record) = self.read(&key.path(bucket)).await? {
            return Ok(record);
        }
        self.bucket(bucket).await?;
        Err(Error::NoSuchKey)
    }

    /// Deletes an object; one that is not there is deleted too. No key is needed.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn delete(&self, bucket: &BucketName, key: &ObjectKey) -> Result<()> {
        let held = self.hold_to_replace(self.identity(bucket, key)).await?;
        let old = match held.there() {
            There::Nothing => return Ok(()),
            // What it names is swept.
            There::Damaged => return held.remove(Vec::new()).await,
            There::Object(old) => old,
        };
        // An object whose table of parts is damaged can be deleted too; its bodies are swept.
        let bodies = self.bodies_of(old).await.unwrap_or_default();
        self.forget_upload(old).await?;
        held.remove(bodies).await
    }

    /// Wraps an object's data key anew, by the same cipher or another: new key, other mode. Body and
    /// times stay, and so does the ETag, sealed or in clear as it was: one that is sealed tells of the
    /// plaintext, whatever mode the object comes to.
    ///
    /// # Errors
    /// [`Error::NoSuchKey`]; [`Error::Cipher`] when `from` does not open it.
    pub async fn rewrap(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        from: &dyn ObjectCipher,
        to: &dyn ObjectCipher,
    ) -> Result<()> {
        let identity = self.identity(bucket, key);
        // An upload that was completed without its key has to be finished first.
        self.finish_keyless(&identity, from).await?;
        let held = self.hold(identity).await?;
        let old = held.record.clone().ok_or(Error::NoSuchKey)?;
        let context = held.identity.object(old.body());
        let opener = from.open(&context, &old.envelope).await?;
        let envelope = to.rewrap(&opener, &context).await?;
        held.put(&ObjectRecord { envelope, ..old.clone() }).await
    }

    pub(super) fn identity(&self, bucket: &BucketName, key: &ObjectKey) -> Identity {
        let realm = self.realm().to_owned();
        Identity { realm, bucket: bucket.clone(), key: key.clone() }
    }

    /// Holds an object's record, there or not.
    pub(super) async fn hold(&self, identity: Identity) -> Result<Held> {
        let path = identity.key.path(&identity.bucket);
        let mut held = self.hold_unread(identity).await?;
        held.record = self.read(&path).await?;
        Ok(held)
    }

    /// Holds an object's record for who needs nothing of it: it may be damaged.
    pub(super) async fn hold_to_replace(&self, identity: Identity) -> Result<Held> {
        let path = identity.key.path(&identity.bucket);
        let mut held = self.hold_unread(identity).await?;
        match self.read(&path).await {
            Ok(record) => held.record = record,
            Err(error) if error.is_damage() => held.damaged = true,
            Err(error) => return Err(error),
        }
        Ok(held)
    }

    async fn hold_unread(&self, identity: Identity) -> Result<Held> {
        let buckets = Arc::clone(&self.shared.buckets).read_owned().await;
        let key = self.shared.keys.lock(&identity.name()).await;
        self.bucket(&identity.bucket).await?;
        let (store, record, damaged) = (self.clone(), None, false);
        Ok(Held { store, identity, record, damaged, _key: key, _buckets: buckets })
    }

    /// All bodies that a record names.
    pub(super) async fn bodies_of(&self, record: &ObjectRecord) -> Result<Vec<BodyName>> {
        let body = record.body().clone();
        let parts = match &record.content {
            Content::Body(_) => Vec::new(),
            Content::Parts { .. } | Content::Keyless { .. } => self.table(record).await?.parts,
        };
        Ok(parts.into_iter().map(|part| part.body).chain([body]).collect())
    }

    /// The table of an object's parts.
    pub(super) async fn table(&self, record: &ObjectRecord) -> Result<PartsTable> {
        self.read(&record.body().path()).await?.ok_or(Error::Altered("table of parts"))
    }

    /// Deletes what is left of the upload that an object came by, which would still name its parts.
    async fn forget_upload(&self, record: &ObjectRecord) -> Result<()> {
        match record.upload() {
            Some(upload) => self.remove(&upload.path()).await,
            None => Ok(()),
        }
    }
}

impl StagedObject {
    /// The plaintext's length in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Makes it the object of its key, in place of what was there. `etag` is shown in clear: none for
    /// a mode whose ETag is sealed. `admit` may refuse on sight of what is replaced.
    ///
    /// # Errors
    /// That of `admit`; [`Error::NoSuchBucket`] when the bucket has gone meanwhile;
    /// [`Error::Cipher`]. What was there stays then.
    pub async fn commit(
        mut self,
        metadata: Metadata,
        etag: Option<String>,
        mut attributes: Attributes,
        admit: impl FnOnce(There<'_>) -> Result<()> + Send,
    ) -> Result<ObjectRecord> {
        attributes.metadata_digest = Some(metadata.digest());
        let sealed = self.sealed.take().ok_or(Error::Altered("staged body"))?;
        let record = ObjectRecord {
            envelope: sealed.finish(&attributes)?,
            content: Content::Body(self.body.clone()),
            size: self.size,
            etag,
            modified: now(),
            metadata,
        };
        let store = self.store.clone();
        let held = store.hold_to_replace(self.identity.clone()).await?;
        admit(held.there())?;
        // From here on a record may name it: it stays, whatever becomes of this call.
        let _in_use = self.in_use.take();
        held.put(&record).await?;
        Ok(record)
    }
}

impl Drop for StagedObject {
    fn drop(&mut self) {
        if let Some(in_use) = self.in_use.take() {
            in_use.discard();
        }
    }
}

impl Held {
    /// Puts a record in the place of what was there, whose bodies go unless it has them too.
    pub(super) async fn put(self, record: &ObjectRecord) -> Result<()> {
        let gone = match &self.record {
            Some(old) if old.body() != record.body() => {
                self.store.forget_upload(old).await?;
                self.store.bodies_of(old).await.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        self.replace(record, gone).await
    }

    /// Puts a record in the place of what was there; then these bodies go.
    pub(super) async fn replace(self, record: &ObjectRecord, gone: Vec<BodyName>) -> Result<()> {
        let record = record.clone();
        to_its_end(async move {
            self.store.write(&self.path(), &record).await?;
            self.store.shared.in_use.remove(gone);
            Ok(())
        })
        .await
    }

    /// Removes the record; then these bodies go.
    async fn remove(self, gone: Vec<BodyName>) -> Result<()> {
        to_its_end(async move {
            self.store.remove(&self.path()).await?;
            self.store.shared.in_use.remove(gone);
            Ok(())
        })
        .await
    }

    pub(super) fn there(&self) -> There<'_> {
        match &self.record {
            Some(record) => There::Object(record),
            None if self.damaged => There::Damaged,
            None => There::Nothing,
        }
    }

    fn path(&self) -> Path {
        self.identity.key.path(&self.identity.bucket)
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }
}
