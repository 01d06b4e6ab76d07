//! Deletes: the record first, then the body.

use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, path::Path};

use super::EncryptedStore;
use crate::{Error, Result};

impl<S: ObjectStore> EncryptedStore<S> {
    /// Deletes an object. With its record the wrapped key is gone, whatever becomes of the body.
    pub(crate) async fn delete_object(&self, location: &Path) -> Result<()> {
        self.paths().check(location)?;
        let object = match self.find(location, GetOptions::new()).await {
            Ok(found) => Some(found.object()),
            // What is no record has no body; to delete it is what the caller wants.
            Err(Error::NoRecord { .. } | Error::Store(object_store::Error::NotFound { .. })) => {
                None
            }
            Err(error) => return Err(error),
        };
        self.inner().delete(location).await?;
        if let Some(object) = object {
            self.remove_body(object).await;
        }
        Ok(())
    }
}
