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
    /// before its record. It counts from when the sweep begins, however long that takes. A day is a good one.
    /// In a bucket that keeps versions only current records count.
    ///
    /// # Errors
    /// [`Error::NoRecord`] when what stands at a path is none, before anything is removed: it might have
    /// named a body.
    pub async fn sweep(&self, grace: Duration) -> Result<Swept> {
        // What is stored or marked while this runs is young, however long it runs.
        let cutoff = SystemTime::now().checked_sub(grace).unwrap_or(SystemTime::UNIX_EPOCH);
        let marks = self.listed(&self.paths().marks()).await?;
        let bodies = self.listed(&self.paths().bodies()).await?;
        let stored: HashSet<_> = bodies.iter().map(|(object, _)| *object).collect();
        // Only now, so that a record that was put before a body was listed is seen.
        let named = self.named().await?;
        let (named, unnamed): (Vec<_>, Vec<_>) =
            bodies.into_iter().partition(|(object, _)| named.contains(object));
        let mut swept = Swept { named: named.len() as u64, ..Swept::default() };
        let judged = stream::iter(unnamed).map(|(object, meta)| async move {
            let is_old = is_older(&meta, cutoff) && !self.is_shared_since(object, cutoff).await?;
            Ok::<_, Error>((object, meta, is_old))
        });
        let mut judged = judged.buffer_unordered(self.settings().concurrency);
        let (mut bodies, mut gone) = (Vec::new(), Vec::new());
        while let Some((object, meta, is_old)) = judged.try_next().await? {
            if is_old {
                swept.removed += 1;
                swept.removed_bytes += meta.size;
                bodies.push(meta.location);
                gone.push(self.paths().mark(object));
            } else {
                swept.young += 1;
            }
        }
        // A delete came before the copy that left the mark, and had the body.
        let idle = |(object, meta): &(ObjectId, ObjectMeta)| {
            !stored.contains(object) && is_older(meta, cutoff)
        };
        gone.extend(marks.into_iter().filter(idle).map(|(_, meta)| meta.location));
        self.remove(bodies).await?;
        self.remove(gone).await?;
        tracing::info!(?swept, "swept");
        Ok(swept)
    }

    /// Whether a copy or a rename has marked a body of late. Its record may have gone from where the list
    /// had not been to where it had.
    async fn is_shared_since(&self, object: ObjectId, cutoff: SystemTime) -> Result<bool> {
        match self.inner().head(&self.paths().mark(object)).await {
            Ok(mark) => Ok(!is_older(&mark, cutoff)),
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
fn is_older(meta: &ObjectMeta, cutoff: SystemTime) -> bool {
    SystemTime::from(meta.last_modified) <= cutoff
}
