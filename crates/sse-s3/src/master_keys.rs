//! The key source of SSE-S3: [`MasterKeys`].

use std::{fmt, future, sync::Arc};

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, ObjectContext, Result,
    SourceKey,
};
use object_cipher_keyring::VersionedKeys;

/// Wraps data keys under the enabled version of a master keyring, and opens those that any of its
/// versions wrapped.
///
/// Every new data key counts one wrap. Now and then a keyring kept in a file reserves the next
/// block of wraps, which blocks for some milliseconds of disk work; see
/// [`KeyringFile::reserve_wraps`](object_cipher_keyring::KeyringFile::reserve_wraps) for how to
/// keep that out of requests.
#[derive(Clone)]
pub struct MasterKeys {
    keys: Arc<dyn VersionedKeys>,
}

impl MasterKeys {
    /// Over a keyring that may be rotated meanwhile: a
    /// [`KeyringFile`](object_cipher_keyring::KeyringFile) or a
    /// [`SharedKeyring`](object_cipher_keyring::SharedKeyring).
    pub fn new(keys: Arc<dyn VersionedKeys>) -> Self {
        Self { keys }
    }

    fn fresh_key(&self) -> Result<FreshKey> {
        let master = self.keys.wrap_key().map_err(KeyError::from)?;
        Ok(FreshKey {
            key: Arc::clone(master.key()),
            key_ref: KeyRef::Master(master.key_ref().clone()),
            blob: KeyBlob::empty(),
        })
    }

    fn recovered_key(&self, key_ref: &KeyRef) -> Result<Arc<SourceKey>> {
        let KeyRef::Master(key_ref) = key_ref else {
            let message = "the object was not wrapped under a master key";
            return Err(KeyError::new(KeyErrorKind::Invalid, message).into());
        };
        let master = self.keys.unwrap_key(key_ref).map_err(KeyError::from)?;
        Ok(Arc::clone(master.key()))
    }
}

impl KeySource for MasterKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async { self.fresh_key() })
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        _: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(future::ready(self.recovered_key(key_ref)))
    }

    /// The enabled version: the one that wrapped when the upload was created may have retired.
    fn renewed<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        Box::pin(async { self.fresh_key().map(Some) })
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKeys").field("keyring", self.keys.keyring().id()).finish()
    }
}
