//! Sweeps: bodies that no record names are removed.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use futures_util::{TryStreamExt as _, future};
use object_cipher_core::ObjectId;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt as _, path::Path};

use super::EncryptedStore;
use crate::{Error, Result, paths::Paths};

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// Bodies that records name.
    pub named: u64,
    /// Bodies that no record names, but too young to be judged.
    pub young: u64,
    /// Bodies that were removed.
    pub removed: u64,
    /// Their stored bytes.
    pub removed_bytes: u64,
}

impl<S: ObjectStore> EncryptedStore<S> {
    /// Removes the bodies that no record names and that are older than `grace`: what crashes, lost races
    /// and shared bodies leave behind. It reads all records, and needs no key.
    ///
    /// `grace` must be longer than any put, upload, copy or rename takes, and any read: a body is stored
    /// before its record. A day is a good one. In a bucket that keeps versions only current records count.
    ///
    /// # Errors
    /// [`Error::NoRecord`] when what stands at a path is none, before anything is removed: it might have
    /// named a body.
    pub async fn sweep(&self, grace: Duration) -> Result<Swept> {
        let marks = self.meta_by_object(self.paths().marks()).await?;
        let bodies = self.meta_by_object(self.paths().bodies()).await?;
        // Only now, so that a record that was put before a body was listed is seen.
        let named = self.named().await?;
        let mut swept = Swept::default();
        let mut unnamed = Vec::new();
        let marked: HashMap<_, _> =
            marks.iter().map(|(object, meta)| (*object, is_older(meta, grace))).collect();
        for (object, meta) in bodies {
            if named.contains(&object) {
                swept.named += 1;
            } else if is_older(&meta, grace) && marked.get(&object).copied().unwrap_or(true) {
                unnamed.push((object, meta));
            } else {
                swept.young += 1;
            }
        }
        for (object, meta) in &unnamed {
            self.remove(&meta.location).await?;
            self.remove(&self.paths().mark(*object)).await?;
            swept.removed += 1;
            swept.removed_bytes += meta.size;
        }
        tracing::info!(?swept, "swept");
        Ok(swept)
    }

    /// Every object that has a record.
    async fn named(&self) -> Result<HashSet<ObjectId>> {
        let records = self.inner().list(None).map_err(Error::from).try_filter(|meta| {
            let reserved = self.paths().is_reserved(&meta.location);
            future::ready(!reserved)
        });
        records
            .map_ok(|meta| async move {
                match self.find(&meta.location, GetOptions::new()).await {
                    Ok(found) => Ok(Some(found.object())),
                    Err(Error::Store(object_store::Error::NotFound { .. })) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .try_buffer_unordered(self.settings().concurrency)
            .try_filter_map(future::ok)
            .try_collect()
            .await
    }

    async fn meta_by_object(&self, prefix: Path) -> Result<Vec<(ObjectId, ObjectMeta)>> {
        let listed = self.inner().list(Some(&prefix)).map_err(Error::from);
        listed
            .try_filter_map(|meta| {
                let object = Paths::object_at(&meta.location);
                future::ok(object.map(|object| (object, meta)))
            })
            .try_collect()
            .await
    }

    async fn remove(&self, path: &Path) -> Result<()> {
        match self.inner().delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// By the store's own clock, as far as it can be had: a body from the future is young.
fn is_older(meta: &ObjectMeta, grace: Duration) -> bool {
    let age = SystemTime::now().duration_since(meta.last_modified.into());
    age.is_ok_and(|age| age >= grace)
}
