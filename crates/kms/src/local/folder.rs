//! Keys in a folder.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use object_cipher_core::{
    CryptoBackend, EncryptionContext, KeyError, KeyErrorKind, KeyringId, SourceKey,
};
use object_cipher_keyring::{KeyringFile, MasterKey, PrivateFile, Unlock, VersionedKeys};

use super::{
    Keys, LocalKey, LocalKms, Scope, blob,
    catalog::{Catalog, END_LEN, Entry, MAX_LEN, State},
};
use crate::{Error, KmsResult, Result};

/// The name of the file that holds the catalog.
const CATALOG: &str = "catalog";

/// The keys of a folder, as this process knows them.
pub(super) struct Folder<B> {
    path: PathBuf,
    file: PrivateFile,
    master: Arc<dyn VersionedKeys>,
    known: RwLock<Known>,
    keyrings: RwLock<HashMap<String, Opened<B>>>,
}

/// A key's keyring, and what unlocked it: that of a later key of the same id is another.
struct Opened<B> {
    unlock: Vec<u8>,
    file: Arc<KeyringFile<B>>,
}

#[derive(Clone)]
struct Known {
    catalog: Arc<Catalog>,
    /// What the file ended in: while it does, there is nothing new in it.
    end: [u8; END_LEN],
}

impl<B: CryptoBackend> LocalKms<B> {
    /// Makes a folder without keys. Nothing else ever makes one.
    ///
    /// `master` seals what unlocks the keys, and authenticates the catalog.
    ///
    /// ```
    /// use object_cipher_core::KeyringId;
    /// use object_cipher_keyring::{KeyringFile, Unlock};
    /// use object_cipher_kms::{KmsAdmin, LocalKms, Scope};
    /// use object_cipher_rustcrypto::RustCrypto;
    /// use std::sync::Arc;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let (path, folder) = (directory.path().join("keyring"), directory.path().join("kms"));
    /// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
    /// let unlock = Unlock::passphrase("correct horse battery staple")?;
    /// let master = Arc::new(KeyringFile::create(path, &id, &unlock, RustCrypto)?);
    ///
    /// let kms = LocalKms::create(&folder, master, Scope::default(), RustCrypto)?;
    /// let key = object_cipher_core::resolve_now(kms.create_key(&["alias/photos"]));
    /// assert!(key.ok_or("never waits")??.id.as_str().starts_with("arn:aws:kms:us-east-1:"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Keyring`] when there is a catalog already; [`Error::Io`].
    pub fn create(
        folder: impl AsRef<Path>,
        master: Arc<dyn VersionedKeys>,
        scope: Scope,
        backend: B,
    ) -> Result<Self> {
        let folder = folder.as_ref();
        make_private(folder)?;
        let key = master.wrap_key()?;
        let bytes = Catalog::new(&key).encode(&key, &backend)?;
        PrivateFile::new(folder.join(CATALOG)).create(&bytes)?;
        Self::open(folder, master, scope, backend)
    }

    /// Whether anything is in a folder, so that it is to be opened and none made there: a KMS whose
    /// catalog is gone is none to begin anew. A folder that is not there, or empty as a crash leaves it
    /// that came before the catalog, holds none.
    pub fn is_at(folder: impl AsRef<Path>) -> bool {
        match fs::read_dir(folder) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// [`Error::Keyring`] when the catalog is not there, or its master key version is not;
    /// [`Error::Rejected`] and [`Error::Malformed`] when it was altered.
    pub fn open(
        folder: impl AsRef<Path>,
        master: Arc<dyn VersionedKeys>,
        scope: Scope,
        backend: B,
    ) -> Result<Self> {
        let path = folder.as_ref().to_owned();
        let file = PrivateFile::new(path.join(CATALOG));
        let known = RwLock::new(read(&file, &*master, &backend)?);
        let folder = Folder { path, file, master, known, keyrings: RwLock::default() };
        Ok(Self { scope, backend, keys: Keys::Folder(Box::new(folder)) })
    }
}

impl<B: CryptoBackend> Folder<B> {
    pub(super) fn find(&self, id: &str, backend: &B) -> KmsResult<Option<LocalKey>> {
        let catalog = self.catalog(backend)?;
        let Some(entry) = catalog.find(id).filter(|entry| !is_due(entry, now())) else {
            return Ok(None);
        };
        Ok(Some(LocalKey {
            id: entry.id.clone(),
            state: entry.state.into(),
            aliases: entry.aliases.clone(),
            versions: self.keyring(entry, backend)?,
        }))
    }

    pub(super) fn aliased(&self, alias: &str, backend: &B) -> KmsResult<Option<String>> {
        let catalog = self.catalog(backend)?;
        let named = |entry: &&Entry| entry.aliases.iter().any(|name| name == alias);
        Ok(catalog.keys.iter().find(named).map(|entry| entry.id.clone()))
    }

    /// A version of a key that was found before; one that another process made is looked for.
    pub(super) fn version(
        &self,
        id: &str,
        version: u32,
    ) -> KmsResult<object_cipher_keyring::Result<Arc<MasterKey>>> {
        let keyrings = self.keyrings.read().unwrap_or_else(PoisonError::into_inner);
        let file = keyrings.get(id).map(|opened| Arc::clone(&opened.file));
        let file = file.ok_or_else(blob::rejected)?;
        drop(keyrings);
        Ok(match file.keyring().version(version) {
            Ok(found) => Ok(Arc::clone(found)),
            Err(_) => file.reload().and_then(|keyring| keyring.version(version).cloned()),
        })
    }

    /// The keys, as the file has them now.
    pub(super) fn catalog(&self, backend: &B) -> Result<Arc<Catalog>> {
        let known = self.known();
        if self.file.ends_with(&known.end)? {
            return Ok(known.catalog);
        }
        let mut found = read(&self.file, &*self.master, backend)?;
        loop {
            let end = found.end;
            let fell = match self.learn(found) {
                Err(fell) => fell,
                learned => return learned,
            };
            // Unless the file stays so, others changed it since it was read.
            found = read(&self.file, &*self.master, backend)?;
            if found.end == end {
                return Err(fell);
            }
        }
    }

    /// Changes the catalog, in this process and for others.
    pub(super) fn change<T>(
        &self,
        backend: &B,
        change: impl FnOnce(&mut Catalog) -> KmsResult<T>,
    ) -> KmsResult<T> {
        let lock = self.file.lock().map_err(Error::from)?;
        let mut catalog = Catalog::clone(&*self.catalog(backend)?);
        let changed = change(&mut catalog)?;
        catalog.generation += 1;
        let master = self.master.wrap_key().map_err(Error::from)?;
        let bytes = catalog.encode(&master, backend)?;
        if bytes.len() > MAX_LEN {
            let message = "the catalog has no room for it: remove keys or aliases";
            return Err(KeyError::new(KeyErrorKind::Invalid, message));
        }
        self.file.replace(&lock, &bytes).map_err(Error::from)?;
        self.learn(Known { catalog: Arc::new(catalog), end: end(&bytes) })?;
        Ok(changed)
    }

    /// A new key's keyring, and what unlocks it.
    pub(super) fn make_keyring(&self, id: &str, backend: &B) -> KmsResult<Vec<u8>> {
        let secret = SourceKey::try_fill(|bytes| backend.random(bytes))
            .map_err(|error| blob::internal(&error.into()))?;
        let unlock = Unlock::key(secret.expose_bytes()).map_err(Error::from)?;
        let keyring = KeyringId::parse(id).ok_or(Error::KeyName)?;
        let path = self.path_of(id);
        if path.exists() {
            return Err(Error::LeftKeyring { file: path }.into());
        }
        KeyringFile::create(path, &keyring, &unlock, backend.clone()).map_err(Error::from)?;
        self.sealed(id, &secret, backend)
    }

    /// What unlocks a keyring, sealed under the master keyring as it is now.
    pub(super) fn resealed(&self, entry: &Entry, backend: &B) -> KmsResult<Vec<u8>> {
        self.sealed(&entry.id, &*self.unsealed(entry, backend)?, backend)
    }

    /// The file of a key's versions, to administer them.
    pub(super) fn keyring(&self, entry: &Entry, backend: &B) -> KmsResult<Arc<KeyringFile<B>>> {
        let keyrings = self.keyrings.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = keyrings.get(&entry.id).filter(|opened| opened.unlock == entry.unlock)
        {
            return Ok(Arc::clone(&opened.file));
        }
        drop(keyrings);
        let unlock = Unlock::key(self.unsealed(entry, backend)?.expose_bytes());
        let unlock = unlock.map_err(Error::from)?;
        let file = KeyringFile::open(self.path_of(&entry.id), &unlock, backend.clone());
        let file = Arc::new(file.map_err(Error::from)?);
        let mut keyrings = self.keyrings.write().unwrap_or_else(PoisonError::into_inner);
        let opened = keyrings
            .entry(entry.id.clone())
            .insert_entry(Opened { unlock: entry.unlock.clone(), file });
        Ok(Arc::clone(&opened.get().file))
    }

    /// Removes a key's keyring: what was wrapped under it is gone.
    pub(super) fn destroy(&self, entry: &Entry) -> KmsResult<()> {
        self.keyrings.write().unwrap_or_else(PoisonError::into_inner).remove(&entry.id);
        for suffix in ["", ".previous", ".lock"] {
            let mut name = self.path_of(&entry.id).into_os_string();
            name.push(suffix);
            PrivateFile::new(name).remove().map_err(Error::from)?;
        }
        Ok(())
    }

    fn sealed(&self, id: &str, secret: &SourceKey, backend: &B) -> KmsResult<Vec<u8>> {
        let master = self.master.wrap_key().map_err(Error::from)?;
        blob::seal(backend, &master, (&unlock_name(id), &EncryptionContext::new()), secret)
    }

    fn unsealed(&self, entry: &Entry, backend: &B) -> KmsResult<Arc<SourceKey>> {
        let version = blob::version(&entry.unlock)?;
        let master = self.master.keyring().version(version).cloned().map_err(Error::from)?;
        let context = EncryptionContext::new();
        blob::open(backend, &master, (&unlock_name(&entry.id), &context), &entry.unlock)
    }

    /// Goes on with a catalog that is no older than the one known.
    fn learn(&self, found: Known) -> Result<Arc<Catalog>> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let (before, now) = (known.catalog.generation, found.catalog.generation);
        if now < before || (now == before && known.end != found.end) {
            let file = self.file.path().to_owned();
            return Err(Error::GenerationFell { file, known: before, found: now });
        }
        *known = found;
        Ok(Arc::clone(&known.catalog))
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn path_of(&self, id: &str) -> PathBuf {
        self.path.join(format!("{id}.keyring"))
    }
}

/// Whether a key's time is over.
pub(super) fn is_due(entry: &Entry, now: u64) -> bool {
    matches!(entry.state, State::PendingDeletion { deletion } if deletion <= now)
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// No key's id has a slash.
fn unlock_name(id: &str) -> String {
    format!("unlock/{id}")
}

fn read<B: CryptoBackend>(
    file: &PrivateFile,
    master: &dyn VersionedKeys,
    backend: &B,
) -> Result<Known> {
    let bytes = file.read(MAX_LEN)?;
    let catalog = Catalog::decode(file.path(), &bytes, master, backend)?;
    Ok(Known { catalog: Arc::new(catalog), end: end(&bytes) })
}

fn end(bytes: &[u8]) -> [u8; END_LEN] {
    bytes.last_chunk().copied().unwrap_or([0; END_LEN])
}

fn make_private(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    let made = builder.create(folder);
    made.map_err(|source| Error::Io { file: folder.into(), action: "make", source })
}
