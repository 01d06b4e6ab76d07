//! The [`KeySource`](crate::KeySource)'s key, and the wrapping key derived from it.

use alloc::{boxed::Box, sync::Arc};
use core::fmt;

use once_cell::race::OnceBox;
use subtle::ConstantTimeEq;

use crate::{
    CryptoBackend, EkSource, HkdfExpander, Lineage, Mode, Result,
    backend::{BackendError, Library},
    secret::Secret,
};

const EK_SALT: &[u8] = b"object-cipher/v1/ek";
const CHECK_SALT: &[u8] = b"object-cipher/v1/check";

/// A key that wraps data keys: a master key version, a KMS data key, a Bucket Key, a customer key
/// or a client's key. 32 bytes, wiped on drop.
///
/// The bytes are never used as they are. The wrapping key (EK) is derived from them by HKDF, which
/// also serves keys that are not uniform or are used elsewhere; it is computed once and kept with
/// the key, so share a loaded key behind its [`Arc`].
///
/// ```
/// use object_cipher_core::SourceKey;
///
/// let key = SourceKey::from_bytes(&[7; 32]);
/// assert_eq!(format!("{key:?}"), "SourceKey([redacted])");
/// ```
pub struct SourceKey {
    bytes: Secret,
    wrapping: OnceBox<(EkUse, Arc<WrappingKey>)>,
}

/// EK: the key a layer's data key is wrapped with, set up.
pub(crate) struct WrappingKey(pub(crate) Box<dyn HkdfExpander>);

/// What an EK is for: it differs by mode, layer, kind of source, and by the library that made it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct EkUse {
    /// The mode byte; 0 for the local KMS.
    mode: u8,
    layer: u8,
    source: EkSource,
    lineage: Lineage,
}

impl SourceKey {
    /// A key from its 32 bytes. The caller wipes its own copy.
    pub fn from_bytes(bytes: &[u8; 32]) -> Arc<Self> {
        Self::new(Secret::from_slice(bytes))
    }

    /// A key whose 32 bytes `fill` writes in place, so that no other copy is made.
    ///
    /// # Errors
    /// Those of `fill`.
    pub fn try_fill<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Arc<Self>, E> {
        let mut bytes = Secret::zeroed();
        fill(bytes.expose_mut())?;
        Ok(Self::new(bytes))
    }

    fn new(bytes: Secret) -> Arc<Self> {
        Arc::new(Self { bytes, wrapping: OnceBox::new() })
    }

    /// The 32 bytes, for storing them sealed. Never log or compare them.
    pub fn expose_bytes(&self) -> &[u8; 32] {
        self.bytes.expose()
    }

    /// Whether two keys have the same bytes, in constant time.
    pub fn is_same(&self, other: &Self) -> bool {
        self.bytes.expose().ct_eq(other.bytes.expose()).into()
    }

    /// Eight bytes that tell whether a key of the same name has the same bytes, and nothing else
    /// about it: HKDF-SHA-512 with the salt `object-cipher/v1/check`.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) when the backend fails.
    pub fn check_value<B: CryptoBackend>(&self, backend: &B) -> Result<[u8; 8]> {
        let mut check = [0; 8];
        CryptoBackend::hkdf_sha512(backend, CHECK_SALT, self.bytes.expose(), &[], &mut check)?;
        Ok(check)
    }

    /// The wrapping key of a local KMS, which wraps KMS data keys under a master key: mode 0,
    /// layer 0, master-key source.
    ///
    /// # Errors
    /// [`Error::Backend`](crate::Error::Backend) when the backend fails.
    pub fn local_kms_key<B: CryptoBackend>(&self, backend: &B) -> Result<Arc<Self>> {
        let use_ = EkUse { mode: 0, layer: 0, source: EkSource::Master, lineage: B::LINEAGE };
        Ok(Self::new(self.derive(backend, use_)?))
    }

    /// The wrapping key for a mode, a layer and a kind of source.
    pub(crate) fn wrapping_key(
        &self,
        library: &dyn Library,
        mode: Mode,
        layer: u8,
        source: EkSource,
    ) -> Result<Arc<WrappingKey>, BackendError> {
        let wanted = EkUse { mode: mode.byte(), layer, source, lineage: library.lineage() };
        if let Some((kept, key)) = self.wrapping.get()
            && *kept == wanted
        {
            return Ok(Arc::clone(key));
        }
        let key = library.expander(self.derive(library, wanted)?.expose())?;
        let key = Arc::new(WrappingKey(key));
        // Kept for the first use; a key with a second use derives that one anew each time.
        let _ = self.wrapping.set(Box::new((wanted, Arc::clone(&key))));
        Ok(key)
    }

    fn derive(&self, library: &dyn Library, use_: EkUse) -> Result<Secret, BackendError> {
        let mut key = Secret::zeroed();
        let info = [use_.mode, use_.layer, use_.source.byte()];
        library.hkdf_sha512(EK_SALT, self.bytes.expose(), &[&info], key.expose_mut())?;
        Ok(key)
    }
}

impl fmt::Debug for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceKey").field(&self.bytes).finish()
    }
}
