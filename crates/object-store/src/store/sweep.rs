//! Sweeps: bodies that no record names are removed, and marks of bodies that are gone.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
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
    /// and shared bodies leave behind; and marks of bodies that are gone. It reads all records, and needs no key.
    ///
    /// `grace` must be longer than any put, upload, copy or rename takes, and any read: a body is stored
    /// before its record. A day is a good one. In a bucket that keeps versions only current records count.
    ///
    /// # Errors
    /// [`Error::NoRecord`] when what stands at a path is none, before anything is removed: it might have
    /// named a body.
    pub async fn sweep(&self, grace: Duration) -> Result<Swept> {
        let marks = self.listed(&self.paths().marks()).await?;
        let bodies = self.listed(&self.paths().bodies()).await?;
        let stored: HashSet<_> = bodies.iter().map(|(object, _)| *object).collect();
        // Only now, so that a record that was put before a body was listed is seen.
        let named = self.named().await?;
        let mut swept = Swept::default();
        let mut unnamed = Vec::new();
        for (object, meta) in bodies {
            if named.contains(&object) {
                swept.named += 1;
            } else if is_older(&meta, grace) && !self.is_shared_since(object, grace).await? {
                swept.removed += 1;
                swept.removed_bytes += meta.size;
                unnamed.push((meta.location, self.paths().mark(object)));
            } else {
                swept.young += 1;
            }
        }
        let (bodies, mut gone): (Vec<_>, Vec<_>) = unnamed.into_iter().unzip();
        // A delete came before the copy that left the mark, and had the body.
        let idle = |(object, meta): &(ObjectId, ObjectMeta)| {
            !stored.contains(object) && is_older(meta, grace)
        };
        gone.extend(marks.into_iter().filter(idle).map(|(_, meta)| meta.location));
        self.remove(bodies).await?;
        self.remove(gone).await?;
        tracing::info!(?swept, "swept");
        Ok(swept)
    }

    /// Whether a copy or a rename has marked a body of late. Its record may have gone from where the list
    /// had not been to where it had.
    async fn is_shared_since(&self, object: ObjectId, grace: Duration) -> Result<bool> {
        match self.inner().head(&self.paths().mark(object)).await {
            Ok(mark) => Ok(!is_older(&mark, grace)),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
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

    /// The bodies or marks under a prefix, by the objects they are of.
    async fn listed(&self, prefix: &Path) -> Result<Vec<(ObjectId, ObjectMeta)>> {
        let listed = self.inner().list(Some(prefix)).map_err(Error::from);
        let of_objects = listed.try_filter_map(|meta| {
            let object = Paths::object_at(&meta.location);
            future::ok(object.map(|object| (object, meta)))
        });
        of_objects.try_collect().await
    }

    async fn remove(&self, paths: Vec<Path>) -> Result<()> {
        let paths = stream::iter(paths.into_iter().map(Ok)).boxed();
        let mut removed = self.inner().delete_stream(paths);
        while let Some(removed) = removed.next().await {
            match removed {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// By the store's own clock, as far as it can be had: a body from the future is young.
fn is_older(meta: &ObjectMeta, grace: Duration) -> bool {
    let age = SystemTime::now().duration_since(meta.last_modified.into());
    age.is_ok_and(|age| age >= grace)
}
