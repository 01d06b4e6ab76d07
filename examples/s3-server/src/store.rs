//! Where buckets, objects and uploads are kept: [`Store`], over any [`ObjectStore`].
//!
//! # Layout
//!
//! | path | holds |
//! |---|---|
//! | `buckets/NAME.json` | a bucket's settings |
//! | `objects/BUCKET/KEY….json` | an object's **record**: Envelope, names of its bodies, size, metadata |
//! | `uploads/ID/upload.json`, `uploads/ID/parts/N.json` | an upload, and the last attempt of each part |
//! | `bodies/XX/NAME` | a sealed body, a part's body or a part table, under a random name |
//!
//! Bodies are written first and never changed. The record is put last and in one piece, and is the
//! only thing that makes an object: a crash leaves the old object or the new one, and bodies that no
//! record names, which [`Store::sweep`] removes at the next start. One process serves a store.

mod bodies;
mod buckets;
mod completion;
mod error;
mod identity;
mod in_use;
mod lists;
mod locks;
mod objects;
mod parts;
mod paths;
mod reading;
mod record;
mod sweep;
mod uploads;

use std::{fmt, sync::Arc};

use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload, path::Path};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::RwLock;

pub use bodies::BodyName;
pub use buckets::BucketName;
pub use error::{Error, Result};
pub use lists::{Listed, Page, Query};
pub use objects::{StagedObject, There};
pub use parts::StagedPart;
pub use paths::{ObjectKey, UploadId};
pub use reading::{OpenObject, StoredObject};
pub use record::{BucketRecord, Metadata, ObjectRecord, PartRecord, UploadRecord};
pub use uploads::{NamedPart, Upload};

use in_use::InUse;
use locks::Locks;

/// Bytes of the longest record: a table of 10,000 parts with their receipts takes half of it.
const MAX_RECORD_LEN: u64 = 16 * 1024 * 1024;

/// Buckets, objects and uploads. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    objects: Arc<dyn ObjectStore>,
    /// Which deployment this is: bound to every object.
    realm: String,
    /// Held while an object's record changes.
    keys: Locks,
    /// Held while an upload is completed or aborted.
    uploads: Locks,
    /// Written while buckets come and go, read while objects do.
    buckets: Arc<RwLock<()>>,
    in_use: InUse,
}

impl Store {
    /// A store over `objects` for the deployment `realm`, which every object is bound to: choose it
    /// once. Call [`Store::sweep`] before serving.
    pub fn new(objects: Arc<dyn ObjectStore>, realm: impl Into<String>) -> Self {
        let shared = Shared {
            in_use: InUse::new(Arc::clone(&objects)),
            objects,
            realm: realm.into(),
            keys: Locks::new(),
            uploads: Locks::new(),
            buckets: Arc::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    fn objects(&self) -> &dyn ObjectStore {
        &*self.shared.objects
    }

    fn realm(&self) -> &str {
        &self.shared.realm
    }

    /// Reads a record; none if it is not there.
    async fn read<T: DeserializeOwned>(&self, path: &Path) -> Result<Option<T>> {
        let bytes = match self.objects().get(path).await {
            Ok(found) if found.meta.size > MAX_RECORD_LEN => {
                return Err(Error::Altered("length of a record"));
            }
            Ok(found) => found.bytes().await?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let record = serde_json::from_slice(&bytes);
        record.map(Some).map_err(|error| Error::Damaged { path: path.clone(), error })
    }

    /// Writes a record in one piece.
    async fn write<T: Serialize>(&self, path: &Path, record: &T) -> Result<()> {
        let bytes = serde_json::to_vec(record)
            .map_err(|error| Error::Damaged { path: path.clone(), error })?;
        self.objects().put(path, PutPayload::from(bytes)).await?;
        Ok(())
    }

    /// Deletes what may be gone already.
    async fn remove(&self, path: &Path) -> Result<()> {
        match self.objects().delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("realm", &self.realm()).finish_non_exhaustive()
    }
}
