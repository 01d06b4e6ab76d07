//! Keys of the environment.

use std::{env, ffi::OsStr, sync::Arc};

use object_cipher_core::{CryptoBackend, KeyError, KeyErrorKind};
use object_cipher_keyring::{Keyring, SharedKeyring};
use zeroize::Zeroizing;

use super::{Keys, LocalKey, LocalKms, Scope};
use crate::{Error, KeyName, KeyNameKind, KeyState, Result};

/// Keys in memory; the first is what `alias/aws/s3` means.
pub(super) struct Memory(Vec<(String, Arc<SharedKeyring>)>);

impl<B: CryptoBackend> LocalKms<B> {
    /// Keys from text: `id:base64[,id:base64…]`, each id a UUID. Entries of one id are versions of
    /// one key, `id/version:base64`, of which the first wraps and the others only open. The first
    /// key is also the default key, `alias/aws/s3`.
    ///
    /// They cannot be administered: another text is another start.
    ///
    /// ```
    /// use object_cipher_kms::{LocalKms, Scope};
    /// use object_cipher_rustcrypto::RustCrypto;
    ///
    /// let text = "1234abcd-12ab-34cd-56ef-1234567890ab:5hSP6RqZoBS1pbBSXTlfZX9rLzNm3/2qkY4cNBdhe1A=";
    /// assert!(LocalKms::from_text(text, Scope::default(), RustCrypto).is_ok());
    /// ```
    ///
    /// # Errors
    /// [`Error::KeyName`] for an id that is no UUID; [`Error::Keyring`] for keys that are none.
    pub fn from_text(text: &str, scope: Scope, backend: B) -> Result<Self> {
        let mut entries: Vec<(&str, Zeroizing<String>)> = Vec::new();
        for entry in text.split(',') {
            let name = entry.split([':', '/']).next().unwrap_or_default();
            match entries.iter_mut().find(|(known, _)| *known == name) {
                // A longer text is a new one: what is left behind of a growing one is not wiped.
                Some((_, text)) => *text = Zeroizing::new([text.as_str(), entry].join(",")),
                None => entries.push((name, Zeroizing::new(entry.to_owned()))),
            }
        }
        let mut keys = Vec::with_capacity(entries.len());
        for (id, text) in entries {
            let is_id = KeyName::parse(id).is_ok_and(|name| name.kind() == KeyNameKind::Id);
            if !is_id {
                return Err(Error::KeyName);
            }
            let keyring = Keyring::from_text(&text, &backend)?;
            keys.push((id.to_owned(), Arc::new(SharedKeyring::new(keyring))));
        }
        Ok(Self { scope, backend, keys: Keys::Memory(Memory(keys)) })
    }

    /// Keys from an environment variable, in the form of [`from_text`](Self::from_text). Read it
    /// once, at start; child processes inherit it, so prefer a folder.
    ///
    /// # Errors
    /// As [`from_text`](Self::from_text); [`Error::Variable`] when it is not there.
    pub fn from_env(variable: impl AsRef<OsStr>, scope: Scope, backend: B) -> Result<Self> {
        let text = env::var(&variable).map_err(|error| {
            // It may be a key that is not UTF-8.
            drop(Zeroizing::new(error.to_string()));
            Error::Variable(variable.as_ref().to_string_lossy().into_owned())
        })?;
        Self::from_text(&Zeroizing::new(text), scope, backend)
    }
}

impl Memory {
    pub(super) fn find(&self, id: &str) -> Option<LocalKey> {
        let (id, keys) = self.0.iter().find(|(known, _)| known == id)?;
        let aliases = match self.aliased(KeyName::AWS_S3) {
            Some(first) if first == *id => vec![KeyName::AWS_S3.to_owned()],
            _ => Vec::new(),
        };
        Some(LocalKey {
            id: id.clone(),
            state: KeyState::Enabled,
            aliases,
            versions: Arc::clone(keys) as _,
        })
    }

    pub(super) fn aliased(&self, alias: &str) -> Option<String> {
        let (first, _) = self.0.first()?;
        (alias == KeyName::AWS_S3).then(|| first.clone())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = LocalKey> {
        self.0.iter().filter_map(|(id, _)| self.find(id))
    }
}

/// What keys of the environment cannot do.
pub(super) fn unchangeable() -> KeyError {
    let message = "keys of the environment cannot be administered: change the text";
    KeyError::new(KeyErrorKind::Unsupported, message)
}
