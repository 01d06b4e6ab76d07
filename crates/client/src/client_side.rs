//! The mode itself: [`ClientSide`].

use std::sync::Arc;

use object_cipher_core::{CryptoBackend, KeySource, LayeredCipher, Mode, forward_object_cipher};
use object_cipher_keyring::VersionedKeys;
use object_cipher_kms::{KeyName, Kms, KmsKeys};

use crate::{ClientKeys, KeyringKeys};

/// Client-side encryption in this project's own format: the store sees ciphertext only. An
/// [`ObjectCipher`](object_cipher_core::ObjectCipher).
///
/// Where its Envelopes stand in a plain bucket say [`StoredEnvelope`](crate::StoredEnvelope) and
/// [`Companion`](crate::Companion). Clones share the keys. For a source of keys of your own use
/// [`LayeredCipher::client`].
///
/// ```
/// use object_cipher_client::{ClientKeys, ClientSide};
/// use object_cipher_core::{
///     CryptoBackend, Mode, ObjectCipher, ObjectContext, SourceKey, resolve_now,
/// };
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SourceKey::try_fill(|bytes| RustCrypto.random(bytes))?;
/// let cipher = ClientSide::with_keys(ClientKeys::new("2026", key)?, RustCrypto);
/// let cx = ObjectContext::new("prod", "photos", "cat.jpg");
/// let sealer = resolve_now(cipher.seal(&cx)).ok_or("never waits")??;
/// assert_eq!(sealer.mode(), Mode::Client);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClientSide(LayeredCipher<Arc<dyn KeySource>>);

impl ClientSide {
    /// Under keys that the program holds, by one cryptographic library. Its futures are ready at
    /// once.
    pub fn with_keys<B: CryptoBackend>(keys: ClientKeys, backend: B) -> Self {
        Self::from_source(keys, backend)
    }

    /// Under a keyring that may be rotated meanwhile, by one cryptographic library. Its futures are
    /// ready at once. See [`KeyringKeys::new`] for what serves as a keyring.
    pub fn with_keyring<B: CryptoBackend>(keys: Arc<dyn VersionedKeys>, backend: B) -> Self {
        Self::from_source(KeyringKeys::new(keys), backend)
    }

    /// Under a data key of a KMS for each object, by one cryptographic library. Objects under other
    /// keys of the KMS are opened too.
    ///
    /// The object's encryption context goes to the KMS as it is and is needed to open the object.
    pub fn with_kms<B: CryptoBackend>(kms: Arc<dyn Kms>, key: KeyName, backend: B) -> Self {
        Self::from_source(KmsKeys::new(kms, key, Mode::Client), backend)
    }

    fn from_source<B: CryptoBackend>(source: impl KeySource + 'static, backend: B) -> Self {
        Self(LayeredCipher::client(Arc::new(source), backend))
    }
}

forward_object_cipher!([] ClientSide, cipher => &cipher.0);
