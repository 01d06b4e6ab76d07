//! Keyrings from keys in memory: [`KeyringBuilder`], and the text form for the environment.

use std::{env, ffi::OsStr, sync::Arc};

use object_cipher_core::{CryptoBackend, KeyringId, SourceKey};
use zeroize::Zeroizing;

use crate::{
    Error, Keyring, Result, WeakKey,
    counter::WrapCounter,
    record::{Content, Record},
    secret,
};

/// Collects the versions of a [`Keyring`] in memory, in any order.
#[derive(Debug)]
#[must_use]
pub struct KeyringBuilder {
    id: KeyringId,
    records: Vec<Record>,
}

impl KeyringBuilder {
    pub(crate) fn new(id: KeyringId) -> Self {
        Self { id, records: Vec::new() }
    }

    /// The version that wraps new data keys.
    pub fn enabled(self, version: u32, key: Arc<SourceKey>) -> Self {
        self.with(version, Content::Enabled(key))
    }

    /// A version that is to be enabled later, and opens already.
    pub fn waiting(self, version: u32, key: Arc<SourceKey>) -> Self {
        self.with(version, Content::Waiting(key))
    }

    /// A version that only opens old data keys.
    pub fn decrypt_only(self, version: u32, key: Arc<SourceKey>) -> Self {
        self.with(version, Content::DecryptOnly(key))
    }

    /// A version whose key is gone on purpose, so that errors can say so.
    pub fn destroyed(self, version: u32) -> Self {
        self.with(version, Content::Destroyed)
    }

    /// The keyring.
    ///
    /// # Errors
    /// [`Error::EnabledCount`] unless exactly one version is enabled, [`Error::VersionNumber`],
    /// [`Error::TooManyVersions`], [`Error::WeakKey`], and [`Error::Crypto`] when the backend
    /// fails.
    pub fn build<B: CryptoBackend>(mut self, backend: &B) -> Result<Keyring> {
        self.records.sort_by_key(|record| record.number);
        Keyring::assemble(self.id, 0, self.records, backend, WrapCounter::in_process)
    }

    fn with(mut self, number: u32, content: Content) -> Self {
        self.records.push(Record { number, created: 0, wraps: 0, content });
        self
    }
}

impl Keyring {
    /// Reads master keys from text: `id/version:base64[,id/version:base64…]`.
    ///
    /// All entries are of one keyring; the first is the enabled version, the others are
    /// decrypt-only. So a rotation puts a new entry in front. `id:base64` without a version is
    /// version 1. There is no white space.
    ///
    /// Its wraps are counted in this process only. The caller wipes the text.
    ///
    /// # Errors
    /// [`Error::WeakKey`] for no text at all and for each key that is unfit, [`Error::Text`] for
    /// an entry of another form, and those of [`KeyringBuilder::build`].
    pub fn from_text<B: CryptoBackend>(text: &str, backend: &B) -> Result<Self> {
        let absent = || Error::weak("the list of master keys", WeakKey::Absent);
        if text.is_empty() {
            return Err(absent());
        }
        let mut builder: Option<KeyringBuilder> = None;
        for (index, entry) in text.split(',').enumerate() {
            let malformed = || Error::Text { entry: index + 1 };
            let (id, version, key) = parse_entry(entry).ok_or_else(malformed)?;
            let key = decode_key(&id, version, key)?;
            builder = Some(match builder {
                None => Self::builder(id).enabled(version, key),
                Some(builder) if builder.id == id => builder.decrypt_only(version, key),
                Some(_) => return Err(malformed()),
            });
        }
        builder.ok_or_else(absent)?.build(backend)
    }

    /// Reads master keys from an environment variable, in the form of
    /// [`from_text`](Self::from_text). Read it once, at start.
    ///
    /// Child processes inherit the environment, and other tools may show it: prefer a keyring
    /// file.
    ///
    /// # Errors
    /// [`Error::WeakKey`] when the variable is absent or empty, and those of
    /// [`from_text`](Self::from_text).
    pub fn from_env<B: CryptoBackend>(variable: impl AsRef<OsStr>, backend: &B) -> Result<Self> {
        let name = || format!("the environment variable {}", variable.as_ref().to_string_lossy());
        let value = env::var_os(&variable).ok_or_else(|| Error::weak(name(), WeakKey::Absent))?;
        let text = value.into_string().map(Zeroizing::new).map_err(|value| {
            drop(Zeroizing::new(value.into_encoded_bytes()));
            Error::weak(name(), WeakKey::Encoding)
        })?;
        Self::from_text(&text, backend)
    }
}

/// `id/version:base64` or `id:base64`.
fn parse_entry(entry: &str) -> Option<(KeyringId, u32, &str)> {
    let (name, key) = entry.split_once(':')?;
    let (id, version) = match name.split_once('/') {
        None => (name, 1),
        Some((id, version)) => (id, parse_version(version)?),
    };
    Some((KeyringId::parse(id)?, version, key))
}

/// A decimal number without sign or leading zero.
fn parse_version(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| is_plain)
}

fn decode_key(id: &KeyringId, version: u32, text: &str) -> Result<Arc<SourceKey>> {
    match secret::key_from_base64(text.as_bytes()) {
        Ok(key) => Ok(SourceKey::from_bytes(&key)),
        Err(fault) => Err(Error::weak(format!("version {version} of keyring {id}"), fault)),
    }
}
