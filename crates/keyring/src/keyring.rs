//! A keyring in memory, as it stood at one moment: [`Keyring`].

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use object_cipher_core::{CryptoBackend, KeyringId, MasterKeyRef, SourceKey};

use crate::{
    Error, KeyringBuilder, Result, Unlock, VersionState, WeakKey, counter::WrapCounter, disk,
    format, record::Record, secret,
};

/// A keyring has at most this many versions, destroyed ones included.
pub const MAX_VERSIONS: usize = 1_024;

/// Versioned master keys as they stood at one moment. Never changes: rotation and reload make a
/// new one, and readers of the old one are never blocked.
///
/// Exactly one version is enabled and wraps new data keys; the others open old ones.
///
/// ```
/// use object_cipher_core::{KeyringId, SourceKey};
/// use object_cipher_keyring::Keyring;
/// use object_cipher_rustcrypto::RustCrypto;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let backend = RustCrypto;
/// let mut bytes = [0; 32];
/// object_cipher_core::CryptoBackend::random(&backend, &mut bytes)?;
///
/// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
/// let keyring = Keyring::builder(id)
///     .destroyed(1)
///     .enabled(2, SourceKey::from_bytes(&bytes))
///     .build(&backend)?;
/// assert_eq!(keyring.enabled().version(), 2);
/// assert!(keyring.version(1).is_err());
/// # Ok(())
/// # }
/// ```
pub struct Keyring {
    id: KeyringId,
    generation: u64,
    digest: [u8; 32],
    /// Rising by number.
    records: Vec<Record>,
    /// Those that are not destroyed, rising by number.
    keys: Vec<Arc<MasterKey>>,
    enabled: Arc<MasterKey>,
}

/// One version that can be used.
pub struct MasterKey {
    key_ref: MasterKeyRef,
    state: VersionState,
    key: Arc<SourceKey>,
    counter: Arc<WrapCounter>,
}

/// What may be shown of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionInfo {
    /// Its number, from 1.
    pub version: u32,
    /// Its state.
    pub state: VersionState,
    /// When it was made, if that is known.
    pub created: Option<SystemTime>,
    /// Data keys it has wrapped, never too few: blocks reserved by other processes count whole.
    pub wraps: u64,
    /// The check value of its key, which also stands in Envelopes; none once it is destroyed.
    pub check: Option<[u8; 8]>,
}

impl Keyring {
    /// A keyring from keys that the program has in memory. Its wraps are counted in this process
    /// only.
    pub fn builder(id: KeyringId) -> KeyringBuilder {
        KeyringBuilder::new(id)
    }

    /// Reads a keyring file without ever writing: for nodes that an operator distributes the file
    /// to, and for tools. Its wraps are counted in this process only, from the number in the file.
    /// A program that rotates the keyring or counts in the file opens a
    /// [`KeyringFile`](crate::KeyringFile).
    ///
    /// Blocks for the time of Argon2id when unlocked by passphrase.
    ///
    /// # Errors
    /// As [`KeyringFile::open`](crate::KeyringFile::open). Nothing is ever created.
    pub fn read<B: CryptoBackend>(
        path: impl AsRef<Path>,
        unlock: &Unlock,
        backend: &B,
    ) -> Result<Self> {
        let path = path.as_ref();
        let bytes = disk::read_private(path, format::MAX_FILE_LEN)?;
        let header = format::Header::parse(path, &bytes)?;
        let key = unlock.open(path, header.kdf(), backend)?;
        header.decode(&key, backend, WrapCounter::in_process)
    }

    /// The keyring's name.
    pub fn id(&self) -> &KeyringId {
        &self.id
    }

    /// How often the keyring file was written: rises with each change. 0 for a keyring that is not
    /// from a file.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// A digest of what nodes must agree on before a new version is promoted: the id, and each
    /// version's number, state and check value. Not secret.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The version that wraps new data keys.
    pub fn enabled(&self) -> &Arc<MasterKey> {
        &self.enabled
    }

    /// A version by number, to open with.
    ///
    /// # Errors
    /// [`Error::VersionMissing`] and [`Error::VersionDestroyed`], which name the version.
    pub fn version(&self, number: u32) -> Result<&Arc<MasterKey>> {
        let keyring = || self.id.clone();
        if self.records.binary_search_by_key(&number, |record| record.number).is_err() {
            return Err(Error::VersionMissing { keyring: keyring(), version: number });
        }
        match self.keys.binary_search_by_key(&number, |key| key.version()) {
            Ok(index) => Ok(&self.keys[index]),
            Err(_) => Err(Error::VersionDestroyed { keyring: keyring(), version: number }),
        }
    }

    /// The version that wrapped a data key, as the Envelope names it.
    ///
    /// # Errors
    /// [`Error::OtherKeyring`] when it belongs to a keyring of another name, those of
    /// [`version`](Self::version), and [`Error::WrongBytes`] when the version's key is not the one
    /// that wrapped.
    pub fn find(&self, key_ref: &MasterKeyRef) -> Result<&Arc<MasterKey>> {
        if key_ref.keyring() != &self.id {
            let wanted = key_ref.keyring().clone();
            return Err(Error::OtherKeyring { keyring: self.id.clone(), wanted });
        }
        let key = self.version(key_ref.version())?;
        // Check values are public: they stand in clear in every Envelope.
        if key.key_ref.check() != key_ref.check() {
            return Err(Error::WrongBytes { keyring: self.id.clone(), version: key.version() });
        }
        Ok(key)
    }

    /// All versions, destroyed ones too, rising by number.
    pub fn versions(&self) -> impl Iterator<Item = VersionInfo> {
        self.records.iter().map(|record| {
            let key = self.version(record.number).ok();
            VersionInfo {
                version: record.number,
                state: record.state(),
                created: match record.created {
                    0 => None,
                    seconds => UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
                },
                wraps: key.map_or(record.wraps, |key| key.wraps()),
                check: key.map(|key| *key.key_ref.check()),
            }
        })
    }

    /// Checks the rules every keyring keeps, and computes what is derived from its keys.
    pub(crate) fn assemble<B: CryptoBackend>(
        id: KeyringId,
        generation: u64,
        records: Vec<Record>,
        backend: &B,
        counting: fn(u64) -> WrapCounter,
    ) -> Result<Self> {
        check_numbers(&id, &records)?;
        check_keys(&id, &records)?;
        let mut keys = Vec::with_capacity(records.len());
        for record in &records {
            let Some(key) = record.key() else { continue };
            let check = key.check_value(backend)?;
            keys.push(Arc::new(MasterKey {
                key_ref: MasterKeyRef::new(id.clone(), record.number, check),
                state: record.state(),
                key: Arc::clone(key),
                counter: Arc::new(counting(record.wraps)),
            }));
        }
        let enabled = only_enabled(&id, &keys)?;
        let digest = digest(&id, &records, &keys, backend);
        Ok(Self { id, generation, digest, records, keys, enabled })
    }

    /// The successor of `known`: goes on counting where it stood, and keeps its loaded keys.
    ///
    /// Fails when this is not a later state of the same keyring, or has other bytes for a version.
    pub(crate) fn following(mut self, known: &Self) -> Result<Self> {
        if self.id != known.id {
            return Err(Error::OtherKeyring { keyring: known.id.clone(), wanted: self.id });
        }
        let is_fork = self.generation == known.generation && !self.is_same(known);
        if self.generation < known.generation || (is_fork && self.generation > 0) {
            return Err(Error::GenerationFell {
                keyring: self.id,
                known: known.generation,
                found: self.generation,
            });
        }
        for key in &mut self.keys {
            match known.find(&key.key_ref) {
                Ok(old) => *key = Arc::new(key.following(old)),
                Err(error @ Error::WrongBytes { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        self.enabled = only_enabled(&self.id, &self.keys)?;
        Ok(self)
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether two snapshots of one keyring tell the same of every version.
    fn is_same(&self, other: &Self) -> bool {
        let public = |record: &Record| (record.created, record.wraps);
        self.digest == other.digest
            && self.records.iter().map(public).eq(other.records.iter().map(public))
    }
}

impl MasterKey {
    /// The version's number.
    pub fn version(&self) -> u32 {
        self.key_ref.version()
    }

    /// Enabled, waiting or decrypt-only.
    pub fn state(&self) -> VersionState {
        self.state
    }

    /// The key.
    pub fn key(&self) -> &Arc<SourceKey> {
        &self.key
    }

    /// The name that goes into the Envelope: keyring, version and check value.
    pub fn key_ref(&self) -> &MasterKeyRef {
        &self.key_ref
    }

    /// Data keys wrapped so far, never too few: for a metric that warns long before
    /// [`MAX_WRAPS`](crate::MAX_WRAPS).
    pub fn wraps(&self) -> u64 {
        self.counter.wraps()
    }

    pub(crate) fn counter(&self) -> &WrapCounter {
        &self.counter
    }

    /// This version of a newer snapshot, with the loaded key and the counter of the older one.
    fn following(&self, old: &Self) -> Self {
        old.counter.follow(&self.counter);
        Self {
            key_ref: self.key_ref.clone(),
            state: self.state,
            key: Arc::clone(&old.key),
            counter: Arc::clone(&old.counter),
        }
    }

    /// The error of a version that may wrap no more.
    pub(crate) fn wrap_limit(&self) -> Error {
        Error::WrapLimit { keyring: self.key_ref.keyring().clone(), version: self.version() }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("id", &self.id)
            .field("generation", &self.generation)
            .field("versions", &self.versions().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MasterKey")
            .field("key_ref", &self.key_ref)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Numbers start at 1 and rise.
fn check_numbers(id: &KeyringId, records: &[Record]) -> Result<()> {
    if records.len() > MAX_VERSIONS {
        return Err(Error::TooManyVersions { keyring: id.clone() });
    }
    let mut last = 0;
    for record in records {
        if record.number <= last {
            return Err(Error::VersionNumber { keyring: id.clone(), version: record.number });
        }
        last = record.number;
    }
    Ok(())
}

/// No key is weak, and no two are the same.
fn check_keys(id: &KeyringId, records: &[Record]) -> Result<()> {
    for (index, record) in records.iter().enumerate() {
        let Some(key) = record.key() else { continue };
        let weak = |fault| Error::weak(format!("version {} of keyring {id}", record.number), fault);
        secret::check_bytes(key.expose_bytes()).map_err(weak)?;
        if records[..index].iter().filter_map(Record::key).any(|other| other.is_same(key)) {
            return Err(weak(WeakKey::Duplicate));
        }
    }
    Ok(())
}

fn only_enabled(id: &KeyringId, keys: &[Arc<MasterKey>]) -> Result<Arc<MasterKey>> {
    let mut enabled = keys.iter().filter(|key| key.state == VersionState::Enabled);
    match (enabled.next(), enabled.next()) {
        (Some(key), None) => Ok(Arc::clone(key)),
        _ => Err(Error::EnabledCount { keyring: id.clone() }),
    }
}

/// SHA-256 of the id and of each version's number, state and check value (zero once destroyed).
fn digest<B: CryptoBackend>(
    id: &KeyringId,
    records: &[Record],
    keys: &[Arc<MasterKey>],
    backend: &B,
) -> [u8; 32] {
    let mut text = Vec::with_capacity(records.len() * 13);
    for record in records {
        let check = keys.iter().find(|key| key.version() == record.number);
        text.extend_from_slice(&record.number.to_be_bytes());
        text.push(format::state_byte(record.state()));
        text.extend_from_slice(check.map_or(&[0; 8], |key| key.key_ref.check()));
    }
    backend.sha256(&[id.as_str().as_bytes(), &[0], &text])
}
