//! Keyrings that change while they are used: [`VersionedKeys`] and [`SharedKeyring`].

use std::sync::{Arc, PoisonError, RwLock};

use object_cipher_core::MasterKeyRef;

use crate::{Keyring, MasterKey, Result};

/// Master keys that may be rotated while they are in use: a [`KeyringFile`](crate::KeyringFile),
/// or a [`SharedKeyring`] of the program's own keys.
pub trait VersionedKeys: Send + Sync {
    /// The keyring as it is now.
    fn keyring(&self) -> Arc<Keyring>;

    /// The enabled version, to wrap one data key with. Each call counts one wrap.
    ///
    /// # Errors
    /// [`Error::WrapLimit`](crate::Error::WrapLimit) when the version has wrapped 2^40 data keys;
    /// the errors of [`KeyringFile::reload`](crate::KeyringFile::reload), and
    /// [`Error::Locked`](crate::Error::Locked), when a file cannot be followed or written.
    fn wrap_key(&self) -> Result<Arc<MasterKey>>;

    /// The version that wrapped a data key, to open it with.
    ///
    /// # Errors
    /// Those of [`Keyring::find`].
    fn unwrap_key(&self, key_ref: &MasterKeyRef) -> Result<Arc<MasterKey>> {
        self.keyring().find(key_ref).cloned()
    }
}

/// A keyring in memory that can be replaced by a later one, such as one read from a file that an
/// operator distributes. Its wraps are counted in this process only.
///
/// ```
/// use object_cipher_core::{CryptoBackend, KeyringId, SourceKey};
/// use object_cipher_keyring::{Keyring, SharedKeyring, VersionedKeys};
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = RustCrypto;
/// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
/// let first = SourceKey::try_fill(|bytes| backend.random(bytes))?;
/// let second = SourceKey::try_fill(|bytes| backend.random(bytes))?;
///
/// let keys = SharedKeyring::new(
///     Keyring::builder(id.clone()).enabled(1, first.clone()).build(&backend)?,
/// );
/// keys.replace(
///     Keyring::builder(id).decrypt_only(1, first).enabled(2, second).build(&backend)?,
/// )?;
/// assert_eq!(keys.wrap_key()?.version(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SharedKeyring(RwLock<Arc<Keyring>>);

impl SharedKeyring {
    /// Begins with this keyring.
    pub fn new(keyring: Keyring) -> Self {
        Self(RwLock::new(Arc::new(keyring)))
    }

    /// Goes on with a later state of the same keyring. Wraps are counted on.
    ///
    /// # Errors
    /// [`Error::OtherKeyring`](crate::Error::OtherKeyring) when it has another name,
    /// [`Error::GenerationFell`](crate::Error::GenerationFell) when it is from an older file,
    /// [`Error::WrongBytes`](crate::Error::WrongBytes) when a version has other bytes than before.
    /// The keyring so far stays in use.
    pub fn replace(&self, keyring: Keyring) -> Result<()> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(keyring.following(&current)?);
        Ok(())
    }
}

impl VersionedKeys for SharedKeyring {
    fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn wrap_key(&self) -> Result<Arc<MasterKey>> {
        let keyring = self.keyring();
        if keyring.enabled().counter().take() {
            Ok(Arc::clone(keyring.enabled()))
        } else {
            Err(keyring.enabled().wrap_limit())
        }
    }
}
