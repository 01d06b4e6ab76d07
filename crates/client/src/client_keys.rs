//! Keys that the program itself holds, by name: [`ClientKeys`].

use std::{collections::BTreeMap, fmt, future, sync::Arc};

use object_cipher_core::{
    BoxFuture, Error, FreshKey, KeyBlob, KeyError, KeyErrorKind, KeyRef, KeySource,
    MAX_KEY_REF_LEN, ObjectContext, Result, SourceKey,
};

/// Raw 32-byte keys by name. One wraps the data keys of new objects, and any of them opens what it
/// wrapped: the name stands in the Envelope, in clear, bound by the wrap.
///
/// The keys may be of any origin, since wrapping keys are derived from them, but must not be
/// guessable: whoever holds an Envelope can test guesses.
///
/// ```
/// use object_cipher_client::ClientKeys;
/// use object_cipher_core::{CryptoBackend, SourceKey};
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let old = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
/// let new = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
/// let keys = ClientKeys::new("2026", new)?.decrypt_only("2025", old)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ClientKeys {
    wrapping: Arc<SourceKey>,
    name: String,
    keys: BTreeMap<String, Arc<SourceKey>>,
}

impl ClientKeys {
    /// The key that wraps new data keys, and its name: at most 1,024 bytes, perhaps empty.
    ///
    /// # Errors
    /// [`Error::Limit`] for a longer name; [`Error::Key`] with [`KeyErrorKind::Invalid`] for a key
    /// of one byte repeated, which nobody drew.
    pub fn new(name: impl Into<String>, key: Arc<SourceKey>) -> Result<Self> {
        let name = name.into();
        let keys = BTreeMap::new();
        Self { wrapping: Arc::clone(&key), name: name.clone(), keys }.decrypt_only(name, key)
    }

    /// Adds a key that opens what it wrapped, and wraps nothing.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Key`] with [`KeyErrorKind::Invalid`] for a name that is
    /// taken.
    pub fn decrypt_only(mut self, name: impl Into<String>, key: Arc<SourceKey>) -> Result<Self> {
        let name = name.into();
        if name.len() > MAX_KEY_REF_LEN {
            return Err(Error::Limit("the name of a client's key has at most 1,024 bytes"));
        }
        if is_one_byte_repeated(key.expose_bytes()) {
            return Err(invalid("a client's key is one byte repeated"));
        }
        if self.keys.insert(name, key).is_some() {
            return Err(invalid("two client's keys have one name"));
        }
        Ok(self)
    }

    fn fresh_key(&self) -> FreshKey {
        FreshKey {
            key: Arc::clone(&self.wrapping),
            key_ref: KeyRef::Client(self.name.clone()),
            blob: KeyBlob::empty(),
        }
    }

    fn recovered_key(&self, key_ref: &KeyRef, blob: &KeyBlob) -> Result<Arc<SourceKey>> {
        let KeyRef::Client(name) = key_ref else {
            return Err(invalid("the object was not wrapped under a client's key"));
        };
        if *blob != KeyBlob::empty() {
            return Err(invalid("the object was wrapped under a key of a keyring"));
        }
        self.keys.get(name).map(Arc::clone).ok_or_else(|| {
            let message = format!("there is no client's key of the name {name:?}");
            KeyError::new(KeyErrorKind::NotFound, message).into()
        })
    }
}

impl KeySource for ClientKeys {
    fn fresh<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<FreshKey>> {
        Box::pin(future::ready(Ok(self.fresh_key())))
    }

    fn recover<'a>(
        &'a self,
        _: &'a ObjectContext<'a>,
        key_ref: &'a KeyRef,
        blob: &'a KeyBlob,
    ) -> BoxFuture<'a, Result<Arc<SourceKey>>> {
        Box::pin(future::ready(self.recovered_key(key_ref, blob)))
    }

    /// The key that wraps now: the one that did when the upload was created may open only.
    fn renewed<'a>(&'a self, _: &'a ObjectContext<'a>) -> BoxFuture<'a, Result<Option<FreshKey>>> {
        Box::pin(future::ready(Ok(Some(self.fresh_key()))))
    }
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.keys.keys().collect();
        f.debug_struct("ClientKeys")
            .field("wrapping", &self.name)
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

/// Told without stopping at the first byte that differs.
fn is_one_byte_repeated(key: &[u8; 32]) -> bool {
    key.iter().fold(0, |all, byte| all | (byte ^ key[0])) == 0
}

fn invalid(message: &'static str) -> Error {
    KeyError::new(KeyErrorKind::Invalid, message).into()
}
