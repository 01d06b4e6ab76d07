//! A master keyring as a source of a client's keys: [`KeyringKeys`].

use std::{fmt, future, sync::Arc};

use object_cipher_core::{
    BoxFuture, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource, KeyringId,
    MasterKeyRef, ObjectContext, Result, SourceKey,
};
use object_cipher_keyring::VersionedKeys;

/// Wraps data keys under the enabled version of a client's keyring, and opens those that any of its
/// versions wrapped.
///
/// In the Envelope the key's name is `KEYRING/VERSION`, such as `main/3`, and the blob is the
/// version's check value. So a keyring of another name, a version that is gone, and a version of the
/// same number with other bytes are told apart, each by an error of its own.
///
/// One keyring may also serve SSE-S3: wrapping keys differ by mode. Every new data key counts one
/// wrap, which now and then blocks for some milliseconds of disk work; see
/// [`KeyringFile::reserve_wraps`](object_cipher_keyring::KeyringFile::reserve_wraps).
///
/// ```
/// use std::sync::Arc;
///
/// use object_cipher_client::KeyringKeys;
/// use object_cipher_core::{CryptoBackend, KeyringId, SourceKey};
/// use object_cipher_keyring::{Keyring, SharedKeyring};
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
/// let key = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
/// let keyring = Keyring::builder(id).enabled(1, key).build(&RustCrypto)?;
/// let keys = KeyringKeys::new(Arc::new(SharedKeyring::new(keyring)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeyringKeys {
    keys: Arc<dyn VersionedKeys>,
}

impl KeyringKeys {
    /// Over a keyring that may be rotated meanwhile: a
    /// [`KeyringFile`](object_cipher_keyring::KeyringFile) or a
    /// [`SharedKeyring`](object_cipher_keyring::SharedKeyring).
    pub fn new(keys: Arc<dyn VersionedKeys>) -> Self {
        Self { keys }
    }

    fn fresh_key(&self) -> Result<FreshKey> {
        let master = self.keys.wrap_key().map_err(KeyError::from)?;
        let version = master.key_ref();
        Ok(FreshKey {
            key: Arc::clone(master.key()),
            key_ref: KeyRef::Client(format!("{}/{}", version.keyring(), version.version())),
            blob: KeyBlob::client(version.check().to_vec())?,
        })
    }

    fn recovered_key(&self, key_ref: &KeyRef, blob: &KeyBlob) -> Result<Arc<SourceKey>> {
        let version = version(key_ref, blob).ok_or_else(|| {
            let message = "the object was not wrapped under a client's keyring";
            KeyError::new(KeyErrorKind::Invalid, message)
        })?;
        let master = self.keys.unwrap_key(&version).map_err(KeyError::from)?;
        Ok(Arc::clone(master.key()))
    }
}

impl KeySource for KeyringKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(async { self.fresh_key() })
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(future::ready(self.recovered_key(key_ref, blob)))
    }

    /// The enabled version: the one that wrapped when the upload was created may have retired.
    fn renewed<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        Box::pin(async { self.fresh_key().map(Some) })
    }
}

impl fmt::Debug for KeyringKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringKeys").field("keyring", self.keys.keyring().id()).finish()
    }
}

/// The version that an Envelope names, which has one form.
fn version(key_ref: &KeyRef, blob: &KeyBlob) -> Option<MasterKeyRef> {
    let KeyRef::Client(name) = key_ref else { return None };
    let (keyring, digits) = name.split_once('/')?;
    let number: u32 = digits.parse().ok()?;
    if number == 0 || number.to_string() != digits {
        return None;
    }
    let check = blob.as_bytes().try_into().ok()?;
    Some(MasterKeyRef::new(KeyringId::parse(keyring)?, number, check))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_name() {
        let check = KeyBlob::client(vec![7; 8]).unwrap();
        let named = |name: &str, blob: &KeyBlob| version(&KeyRef::Client(name.into()), blob);
        let expected = MasterKeyRef::new(KeyringId::parse("main").unwrap(), 12, [7; 8]);
        assert_eq!(named("main/12", &check), Some(expected));
        for name in [
            "",
            "/",
            "main",
            "main/",
            "/12",
            "main/0",
            "main/012",
            "main/+12",
            "main/12 ",
            "main/-1",
            "main/12/12",
            "ma in/12",
            "main/4294967296",
            "main/१२",
        ] {
            assert_eq!(named(name, &check), None, "{name}");
        }
        for length in (0..20).filter(|length| *length != 8) {
            let blob = KeyBlob::client(vec![7; length]).unwrap();
            assert_eq!(named("main/12", &blob), None, "a check value of {length} bytes");
        }
    }
}
