//! Deletes: the record first, then the body.

use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, path::Path};

use super::{EncryptedStore, put::is_nothing};
use crate::Result;

impl<S: ObjectStore> EncryptedStore<S> {
    /// Deletes an object. With its record the wrapped key is gone, whatever becomes of the body.
    pub(crate) async fn delete_object(&self, location: &Path) -> Result<()> {
        self.paths().check(location)?;
        let object = match self.find(location, GetOptions::new()).await {
            Ok(found) => found.owned_at(location),
            // What is no record has no body; to delete it is what the caller wants.
            Err(error) if is_nothing(&error) => None,
            Err(error) => return Err(error),
        };
        let deleted = self.inner().delete(location).await;
        self.forget(location);
        deleted?;
        if let Some(object) = object {
            self.remove_body(object).await;
        }
        Ok(())
    }
}
