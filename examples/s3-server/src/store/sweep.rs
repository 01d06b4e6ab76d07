//! What a crash leaves behind.

use std::collections::HashSet;

use futures::TryStreamExt as _;
use object_store::path::Path;

use super::{
    BodyName, BucketName, Error, ObjectKey, ObjectRecord, Result, Store, UploadId, UploadRecord,
    paths,
};

impl Store {
    /// Ends uploads whose object stands or whose bucket has gone, and removes every body that no
    /// record names and nobody uses. Run it before the store is served: a crash leaves such bodies.
    /// Returns how many were removed.
    ///
    /// # Errors
    /// The store's own; [`Error::Damaged`] for a record that cannot be read. Nothing is removed then
    /// that something might name.
    pub async fn sweep(&self) -> Result<usize> {
        let mut named = HashSet::new();
        let mut done = HashSet::new();
        // Also in a bucket whose own record is lost: its objects are not.
        let records: Vec<_> = self.objects().list(Some(&paths::objects())).try_collect().await?;
        for meta in records {
            if let Some(record) = self.read::<ObjectRecord>(&meta.location).await? {
                named.extend(self.bodies_of(&record).await?);
                done.extend(record.upload().cloned());
            }
        }
        for (id, upload) in self.all_uploads().await? {
            let (bucket, key) = (BucketName::parse(upload.bucket)?, ObjectKey::parse(upload.key)?);
            if done.contains(&id) || matches!(self.bucket(&bucket).await, Err(Error::NoSuchBucket))
            {
                self.end_upload(&self.identity(&bucket, &key), &id).await?;
            } else {
                let parts = self.parts(&id).await?;
                named.extend(parts.into_iter().map(|(_, part)| part.body));
            }
        }
        self.remove_parts_without_upload().await?;
        self.remove_all_but(&named).await
    }

    /// An upload is ended from its record on; a crash leaves records of parts.
    async fn remove_parts_without_upload(&self) -> Result<()> {
        let folder = Path::from("uploads");
        let found = self.objects().list_with_delimiter(Some(&folder)).await?;
        for folder in found.common_prefixes {
            let Some(Ok(id)) = folder.filename().map(UploadId::parse) else { continue };
            if self.read::<UploadRecord>(&id.path()).await?.is_none() {
                let left: Vec<_> = self.objects().list(Some(&id.folder())).try_collect().await?;
                for meta in left {
                    self.remove(&meta.location).await?;
                }
            }
        }
        Ok(())
    }

    async fn remove_all_but(&self, named: &HashSet<BodyName>) -> Result<usize> {
        let bodies: Vec<_> = self.objects().list(Some(&paths::bodies())).try_collect().await?;
        let mut removed = 0;
        for meta in bodies {
            let Some(body) = BodyName::from_path(&meta.location) else { continue };
            if !named.contains(&body) && !self.shared.in_use.has(&body) {
                self.remove(&meta.location).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
