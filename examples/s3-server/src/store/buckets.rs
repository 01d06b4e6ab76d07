//! Buckets.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use tokio::sync::OwnedRwLockWriteGuard;

use super::{BucketRecord, Error, Result, Store, locks::to_its_end, paths, record::now};

/// The name of a bucket, by S3's rules: 3 to 63 lower-case letters, digits, hyphens and dots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(String);

impl BucketName {
    /// A name.
    ///
    /// # Errors
    /// [`Error::BucketName`].
    pub fn parse(name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = name.as_bytes();
        let fits = (3..=63).contains(&bytes.len())
            && bytes.iter().all(|byte| plain(*byte) || b"-.".contains(byte))
            && bytes.first().is_some_and(|byte| plain(*byte))
            && bytes.last().is_some_and(|byte| plain(*byte))
            && !name.contains("..");
        if fits { Ok(Self(name)) } else { Err(Error::BucketName) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn path(&self) -> Path {
        Path::from_iter(["buckets", &format!("{}.json", self.0)])
    }
}

impl Store {
    /// Creates a bucket with its settings.
    ///
    /// # Errors
    /// [`Error::BucketExists`].
    pub async fn create_bucket(
        &self,
        name: &BucketName,
        settings: serde_json::Value,
    ) -> Result<()> {
        let buckets = Arc::clone(&self.shared.buckets).write_owned().await;
        if self.read::<BucketRecord>(&name.path()).await?.is_some() {
            return Err(Error::BucketExists);
        }
        self.write_bucket(buckets, name, BucketRecord { created: now(), settings }).await
    }

    /// A bucket.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn bucket(&self, name: &BucketName) -> Result<BucketRecord> {
        self.read(&name.path()).await?.ok_or(Error::NoSuchBucket)
    }

    /// Changes a bucket's settings.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`].
    pub async fn change_bucket(
        &self,
        name: &BucketName,
        change: impl FnOnce(&mut serde_json::Value) + Send,
    ) -> Result<()> {
        let buckets = Arc::clone(&self.shared.buckets).write_owned().await;
        let mut bucket = self.bucket(name).await?;
        change(&mut bucket.settings);
        self.write_bucket(buckets, name, bucket).await
    }

    /// All buckets, by name.
    ///
    /// # Errors
    /// The store's own.
    pub async fn buckets(&self) -> Result<Vec<(BucketName, BucketRecord)>> {
        let folder = Path::from("buckets");
        let mut buckets = Vec::new();
        let mut found = self.objects().list(Some(&folder));
        while let Some(meta) = found.try_next().await? {
            let name = meta.location.filename().and_then(|name| name.strip_suffix(".json"));
            let Some(Ok(name)) = name.map(BucketName::parse) else { continue };
            if let Some(record) = self.read(&meta.location).await? {
                buckets.push((name, record));
            }
        }
        buckets.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(buckets)
    }

    /// Deletes a bucket that has no objects. Its uploads go at the next sweep.
    ///
    /// # Errors
    /// [`Error::NoSuchBucket`], [`Error::BucketNotEmpty`].
    pub async fn delete_bucket(&self, name: &BucketName) -> Result<()> {
        let buckets = Arc::clone(&self.shared.buckets).write_owned().await;
        self.bucket(name).await?;
        let folder = paths::folder(name);
        if self.objects().list(Some(&folder)).next().await.transpose()?.is_some() {
            return Err(Error::BucketNotEmpty);
        }
        let (store, path) = (self.clone(), name.path());
        to_its_end(async move {
            store.remove(&path).await?;
            drop(buckets);
            Ok(())
        })
        .await
    }

    async fn write_bucket(
        &self,
        buckets: OwnedRwLockWriteGuard<()>,
        name: &BucketName,
        record: BucketRecord,
    ) -> Result<()> {
        let (store, path) = (self.clone(), name.path());
        to_its_end(async move {
            store.write(&path, &record).await?;
            drop(buckets);
            Ok(())
        })
        .await
    }
}
