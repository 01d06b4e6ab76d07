//! Multipart uploads, up to their completion.

use std::sync::Arc;

use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_cipher_core::{Completion, ETag, ObjectCipher, PartReceipt, StoredPart, Uploader};
use object_store::path::Path;

use super::{
    BodyName, BucketName, Error, Metadata, ObjectKey, ObjectRecord, PartRecord, Result, Store,
    UploadId, UploadRecord, identity::Identity, record::now,
};

/// Requests that are under way to the store at once when all parts are looked at.
pub(super) const UNDER_WAY: usize = 16;

/// An upload whose keys are at hand. Clones are the same upload.
#[derive(Clone)]
pub struct Upload {
    store: Store,
    id: UploadId,
    record: Arc<UploadRecord>,
    pub(super) identity: Identity,
    uploader: Arc<Uploader>,
}

/// A part as the client names it when it completes an upload.
#[derive(Clone, Copy, Debug)]
pub struct NamedPart {
    /// Its number.
    pub part: u32,
    /// Its ETag.
    pub etag: ETag,
    /// Its checksum, if the client named one.
    pub checksum: Option<object_cipher_core::Checksum>,
}

impl Store {
    /// Creates an upload.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::Cipher`].
    pub async fn create_upload(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        cipher: &dyn ObjectCipher,
        completion: Completion,
        metadata: Metadata,
        settings: serde_json::Value,
    ) -> Result<Upload> {
        self.bucket(bucket).await?;
        let (identity, id) = (self.identity(bucket, key), UploadId::random()?);
        let uploader = cipher.create_upload(&identity.upload(&id), completion).await?;
        let record = UploadRecord {
            bucket: bucket.as_str().into(),
            key: key.as_str().into(),
            envelope: uploader.envelope().clone(),
            created: now(),
            metadata,
            settings,
        };
        self.write(&id.path(), &record).await?;
        let (record, uploader) = (Arc::new(record), Arc::new(uploader));
        Ok(Upload { store: self.clone(), id, record, identity, uploader })
    }

    /// An upload's record. No key is needed.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`] when there is none of that id for that object.
    pub async fn upload(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: &UploadId,
    ) -> Result<UploadRecord> {
        let record: UploadRecord = self.read(&id.path()).await?.ok_or(Error::NoSuchUpload)?;
        let fits = record.bucket == bucket.as_str() && record.key == key.as_str();
        if fits { Ok(record) } else { Err(Error::NoSuchUpload) }
    }

    /// Goes on with an upload.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`]; [`Error::Cipher`] when the key is not the upload's.
    pub async fn resume(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: &UploadId,
        cipher: &dyn ObjectCipher,
    ) -> Result<Upload> {
        let record = Arc::new(self.upload(bucket, key, id).await?);
        let identity = self.identity(bucket, key);
        let uploader = cipher.resume_upload(&identity.upload(id), &record.envelope).await?;
        let (store, id) = (self.clone(), id.clone());
        Ok(Upload { store, id, record, identity, uploader: Arc::new(uploader) })
    }

    /// The parts that an upload has so far, by number. No key is needed.
    ///
    /// # Errors
    /// The store's own.
    pub async fn parts(&self, id: &UploadId) -> Result<Vec<(u32, PartRecord)>> {
        let folder = id.parts_folder();
        let found: Vec<_> = self.objects().list(Some(&folder)).try_collect().await?;
        let numbers = found.iter().filter_map(|meta| part_number(&meta.location));
        let numbered: Vec<_> = numbers.map(|part| self.numbered_part(id, part).boxed()).collect();
        let parts = futures::stream::iter(numbered).buffer_unordered(UNDER_WAY);
        let parts: Vec<_> = parts.try_collect().await?;
        let mut parts: Vec<_> = parts.into_iter().flatten().collect();
        parts.sort_by_key(|(part, _)| *part);
        Ok(parts)
    }

    async fn numbered_part(&self, id: &UploadId, part: u32) -> Result<Option<(u32, PartRecord)>> {
        let record: Option<PartRecord> = self.read(&id.part_path(part)).await?;
        Ok(record.map(|record| (part, record)))
    }

    /// The uploads in progress, by key and id.
    ///
    /// # Errors
    /// The store's own.
    pub async fn uploads(&self, bucket: &BucketName) -> Result<Vec<(UploadId, UploadRecord)>> {
        self.bucket(bucket).await?;
        let mut uploads = self.all_uploads().await?;
        uploads.retain(|(_, record)| record.bucket == bucket.as_str());
        uploads.sort_by(|(id, one), (other_id, other)| (&one.key, id).cmp(&(&other.key, other_id)));
        Ok(uploads)
    }

    pub(super) async fn all_uploads(&self) -> Result<Vec<(UploadId, UploadRecord)>> {
        let folder = Path::from("uploads");
        let found = self.objects().list_with_delimiter(Some(&folder)).await?;
        let mut uploads = Vec::new();
        for folder in found.common_prefixes {
            let id = folder.filename().map(UploadId::parse);
            let Some(Ok(id)) = id else { continue };
            if let Some(record) = self.read(&id.path()).await? {
                uploads.push((id, record));
            }
        }
        Ok(uploads)
    }

    /// What the receipt of an attempt tells (its body, its receipt and its size in clear), held
    /// against the stored body.
    pub(super) async fn receipt(
        &self,
        uploader: &Uploader,
        part: u32,
        (body, receipt, size): (&BodyName, &[u8], u64),
        named: Option<&NamedPart>,
    ) -> Result<PartReceipt> {
        let (body_headers, body_len) = self.body_head(body, uploader.layout().header_len()).await?;
        let stored = StoredPart {
            part,
            receipt,
            body_headers: &body_headers,
            body_len,
            etag: named.map(|named| named.etag),
            checksum: named.and_then(|named| named.checksum),
        };
        let receipt = uploader.open_receipt(&stored).map_err(|error| match error {
            object_cipher_core::Error::Part { part, .. } => Error::Part(part),
            error => error.into(),
        })?;
        let fits = receipt.plaintext_len() == size;
        if fits { Ok(receipt) } else { Err(Error::Altered("size of a part")) }
    }

    /// Ends an upload without an object. No key is needed.
    ///
    /// # Errors
    /// [`Error::NoSuchUpload`], also when it was completed meanwhile.
    pub async fn abort(&self, bucket: &BucketName, key: &ObjectKey, id: &UploadId) -> Result<()> {
        let _lock = self.shared.uploads.lock(id.as_str()).await;
        self.upload(bucket, key, id).await?;
        self.end_upload(&self.identity(bucket, key), id).await
    }

    /// Removes an upload, and the bodies of those attempts that no object has.
    pub(super) async fn end_upload(&self, identity: &Identity, id: &UploadId) -> Result<()> {
        let record = self.read::<ObjectRecord>(&identity.key.path(&identity.bucket)).await;
        let named = match record {
            Ok(Some(record)) if record.upload() == Some(id) => Some(self.bodies_of(&record).await?),
            Ok(_) => Some(Vec::new()),
            // What it names nobody knows: all are left to the next sweep.
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error),
        };
        self.remove(&id.path()).await?;
        let parts = self.parts(id).await?;
        for (part, _) in &parts {
            self.remove(&id.part_path(*part)).await?;
        }
        if let Some(named) = named {
            let bodies = parts.into_iter().map(|(_, record)| record.body);
            self.shared.in_use.remove(bodies.filter(|body| !named.contains(body)));
        }
        Ok(())
    }
}

impl Upload {
    /// The id.
    pub fn id(&self) -> &UploadId {
        &self.id
    }

    /// The record.
    pub fn record(&self) -> &UploadRecord {
        &self.record
    }

    /// What a part's receipt tells, held against the stored body.
    ///
    /// # Errors
    /// [`Error::Part`] when they are not of one attempt, or the client named another ETag or
    /// checksum.
    pub async fn receipt(
        &self,
        part: u32,
        record: &PartRecord,
        named: Option<&NamedPart>,
    ) -> Result<PartReceipt> {
        let attempt = (&record.body, &record.receipt[..], record.size);
        self.store.receipt(&self.uploader, part, attempt, named).await
    }

    pub(super) async fn expect_there(&self) -> Result<()> {
        let Identity { bucket, key, .. } = &self.identity;
        self.store.upload(bucket, key, &self.id).await.map(drop)
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn uploader(&self) -> &Uploader {
        &self.uploader
    }
}

fn part_number(path: &Path) -> Option<u32> {
    path.filename()?.strip_suffix(".json")?.parse().ok()
}
