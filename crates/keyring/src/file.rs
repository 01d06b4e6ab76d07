//! A keyring kept in one sealed file: [`KeyringFile`].

mod update;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::SystemTime,
};

use object_cipher_core::{CryptoBackend, KeyringId, MasterKeyRef};
use zeroize::Zeroizing;

use self::update::Update;
use crate::{
    Error, Keyring, MasterKey, Result, RotationPolicy, Unlock, VersionedKeys, WRAP_BLOCK,
    counter::WrapCounter,
    disk,
    format::{self, Header, MAC_LEN},
    record::{Content, Record},
    rotation,
    unlock::FileKey,
};

/// A keyring kept in one sealed file, which this process may change.
///
/// The file is replaced whole or not at all, with mode 0600, and the generation before the last
/// change of a version is kept beside it as `<file>.previous`. Writers take turns by `<file>.lock`,
/// within this process and with others; readers never wait for it. A file that cannot be read in
/// full is an error, never a reason to create one.
///
/// Several processes may share one file: each counts its wraps in blocks of its own, and before
/// each change, and each wrap, reads what the others wrote. A version that another process enabled
/// wraps from then on, and opens as soon as an object names it.
///
/// All methods but [`keyring`](Self::keyring) may block for some milliseconds of disk work; those
/// that write, and a wrap that needs a new block, for five seconds at most while another writes.
///
/// ```
/// use object_cipher_core::KeyringId;
/// use object_cipher_keyring::{KeyringFile, RotationPolicy, Unlock};
/// use object_cipher_rustcrypto::RustCrypto;
/// use std::time::SystemTime;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let path = directory.path().join("keyring");
/// let id = KeyringId::parse("main").ok_or("not a keyring id")?;
/// let unlock = Unlock::passphrase("correct horse battery staple")?;
/// KeyringFile::create(&path, &id, &unlock, RustCrypto)?;
///
/// // A server: at start, and then every hour.
/// let file = KeyringFile::open(&path, &unlock, RustCrypto)?;
/// file.reload()?;
/// file.rotate_if_due(&RotationPolicy::default(), SystemTime::now())?;
/// assert_eq!(file.keyring().enabled().version(), 1);
/// # Ok(())
/// # }
/// ```
pub struct KeyringFile<B> {
    path: PathBuf,
    backend: B,
    wrap_block: u64,
    state: RwLock<State>,
    /// Held while the file is read or written, and taken over, so that an older reading cannot
    /// overtake. Never while waiting for other processes.
    turn: Mutex<()>,
}

#[derive(Clone)]
struct State {
    keyring: Arc<Keyring>,
    key: Arc<FileKey>,
    /// The MAC of the file that this was read from: while the file ends in it, there is no other
    /// state to know.
    mac: [u8; MAC_LEN],
}

impl<B: CryptoBackend> KeyringFile<B> {
    /// Makes a new keyring with one enabled version. Nothing else ever makes one.
    ///
    /// # Errors
    /// [`Error::Exists`] when anything, or the previous generation of a lost keyring, is there;
    /// [`Error::OwnName`] when the path ends in `.previous`, `.lock` or `.new`; the errors of
    /// files; [`Error::WeakKey`] when the passphrase is weak; [`Error::Crypto`] when there is no
    /// randomness.
    pub fn create(
        path: impl AsRef<Path>,
        id: &KeyringId,
        unlock: &Unlock,
        backend: B,
    ) -> Result<Self> {
        let path = path.as_ref();
        let now = rotation::unix_seconds(SystemTime::now())?;
        let first = Record {
            number: 1,
            created: now,
            wraps: 0,
            content: Content::Enabled(update::draw(&backend)?),
        };
        let key = unlock.seal(&backend)?;
        let bytes = format::encode(id, 1, &[first], &key, &backend)?;
        disk::refuse_existing(&disk::beside(path, disk::PREVIOUS))?;
        disk::create(path, &bytes)?;
        Self::from_bytes(path, &bytes, key, backend)
    }

    /// Opens a keyring file.
    ///
    /// Blocks for the time of Argon2id when unlocked by passphrase; the costs stored in the file
    /// are checked before they are paid.
    ///
    /// # Errors
    /// [`Error::Io`] when the file is not there; [`Error::Permissions`], [`Error::Owner`],
    /// [`Error::Symlink`], [`Error::NotRegular`]; [`Error::Malformed`] when it is not a keyring
    /// file; [`Error::UnlockKind`]; [`Error::Rejected`] when the unlock key is wrong or the file
    /// was altered.
    pub fn open(path: impl AsRef<Path>, unlock: &Unlock, backend: B) -> Result<Self> {
        let path = path.as_ref();
        let bytes = disk::read_private(path, format::MAX_FILE_LEN)?;
        let key = unlock.open(path, Header::parse(path, &bytes)?.kdf(), &backend)?;
        Self::from_bytes(path, &bytes, key, backend)
    }

    /// Reserves wraps in blocks of this many instead of [`WRAP_BLOCK`]; 0 counts as 1.
    ///
    /// What a process has reserved and not used is lost when it ends. A tool that seals one object
    /// and ends reserves 1; a server writes the file once a block, and so keeps the default.
    #[must_use]
    pub fn with_wrap_block(mut self, wraps: u64) -> Self {
        self.wrap_block = wraps.max(1);
        self
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keyring as this process knows it.
    pub fn keyring(&self) -> Arc<Keyring> {
        self.state().keyring
    }

    /// Reads the file again, if another process changed it, and goes on with it.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::GenerationFell`] when the file is older than the
    /// one known, or another of the same generation; [`Error::Resealed`] when its unlock key was
    /// changed. The keyring known so far stays in use.
    pub fn reload(&self) -> Result<Arc<Keyring>> {
        let _turn = self.turn();
        Ok(self.read()?.1.keyring)
    }

    /// Refuses a keyring older than `generation`, which the host has kept elsewhere: this is how
    /// a file put back from before the process started is noticed.
    ///
    /// # Errors
    /// [`Error::GenerationFell`].
    pub fn require_generation(&self, generation: u64) -> Result<()> {
        let keyring = self.keyring();
        if keyring.generation() >= generation {
            return Ok(());
        }
        Err(Error::GenerationFell {
            keyring: keyring.id().clone(),
            known: generation,
            found: keyring.generation(),
        })
    }

    /// Adds a version that waits, and gives its number. It opens, and wraps nothing yet. Where
    /// several nodes share or copy the file, [`rotate`](Self::rotate) promotes it once all of them
    /// have it.
    ///
    /// # Errors
    /// [`Error::TooManyVersions`], [`Error::Locked`], and those of [`reload`](Self::reload).
    pub fn add(&self) -> Result<u32> {
        let now = rotation::unix_seconds(SystemTime::now())?;
        let mut update = Update::begin(self)?;
        let number = update.add(now)?;
        update.commit()?;
        Ok(number)
    }

    /// Enables the newest version that waits, which [`add`](Self::add) made, or else a new one.
    /// The version enabled so far becomes decrypt-only, and so do those that waited and were
    /// passed over. A decrypt-only version is never enabled. Gives the enabled version.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn rotate(&self) -> Result<u32> {
        let now = rotation::unix_seconds(SystemTime::now())?;
        let mut update = Update::begin(self)?;
        let number = update.rotate(now)?;
        update.commit()?;
        Ok(number)
    }

    /// Enables one version in particular, also one that is decrypt-only, such as the one before a
    /// rotation that came too early. Does nothing when it is enabled already.
    ///
    /// # Errors
    /// [`Error::VersionMissing`], [`Error::VersionDestroyed`], and as [`add`](Self::add).
    pub fn promote(&self, version: u32) -> Result<()> {
        let mut update = Update::begin(self)?;
        if update.state.keyring.version(version)?.version() == update.enabled()?.number {
            return Ok(());
        }
        update.promote(version);
        update.commit()
    }

    /// Rotates if the policy says so at the time `now`, and gives the new version if it did.
    ///
    /// The host calls it, at start and then every hour or so; nothing rotates by itself. Where
    /// several nodes share or copy one file it is not for use: there [`add`](Self::add) and,
    /// later, [`rotate`](Self::rotate) let every node read a version before one writes with it.
    ///
    /// # Errors
    /// As [`add`](Self::add), and [`Error::Clock`].
    pub fn rotate_if_due(&self, policy: &RotationPolicy, now: SystemTime) -> Result<Option<u32>> {
        let now = rotation::unix_seconds(now)?;
        let mut update = Update::begin(self)?;
        if !policy.is_due(update.enabled()?, now) {
            return Ok(None);
        }
        let number = update.rotate(now)?;
        update.commit()?;
        Ok(Some(number))
    }

    /// Destroys the key of a version that is not enabled, in the file and in all that this crate
    /// keeps beside it: the previous generation, and what interrupted writes left. What the
    /// version wrapped cannot be opened any more, by anyone. Does nothing when it is destroyed
    /// already.
    ///
    /// Copies elsewhere (backups, snapshots, escrow, blocks the disk has not reused) are the
    /// operator's to destroy. So is what other processes have in memory:
    ///
    /// - A [`KeyringFile`] of another process looks at the file before each wrap, so it wraps no
    ///   more under the version, but opens with it until it [`reload`](Self::reload)s. On a network
    ///   file system it may see the change only when its client does, seconds later.
    /// - A data key that was given out before, such as that of an upload under way, may still be
    ///   written after the version is destroyed. Destroy a version only when all that it wrapped
    ///   was wrapped anew, and the uploads begun before it retired have ended.
    /// - A [`SharedKeyring`](crate::SharedKeyring) learns nothing of files: it wraps under its
    ///   enabled version until it is replaced.
    ///
    /// # Errors
    /// [`Error::VersionEnabled`], [`Error::VersionMissing`], and as [`add`](Self::add).
    pub fn destroy(&self, version: u32) -> Result<()> {
        let mut update = Update::begin(self)?;
        match update.state.keyring.version(version) {
            Err(Error::VersionDestroyed { .. }) => return Ok(()),
            found => found?,
        };
        if update.enabled()?.number == version {
            let keyring = update.state.keyring.id().clone();
            return Err(Error::VersionEnabled { keyring, version });
        }
        update.destroy(version);
        update.commit_and_forget()
    }

    /// Reserves a block of wraps ahead, if less than half of the last one is left. A host that
    /// calls it now and then keeps the disk work of reserving out of its requests.
    ///
    /// # Errors
    /// [`Error::WrapLimit`], [`Error::Locked`], and those of [`reload`](Self::reload).
    pub fn reserve_wraps(&self) -> Result<()> {
        let enough = self.wrap_block / 2;
        if self.keyring().enabled().counter().left() > enough {
            return Ok(());
        }
        let update = Update::begin(self)?;
        // Another thread may have reserved, or another process rotated, meanwhile.
        if update.state.keyring.enabled().counter().left() > enough {
            return Ok(());
        }
        update.reserve(0)
    }

    /// Seals the file under another unlock secret, with a new salt. The previous generation,
    /// which the old secret opens, is removed. Other processes must open the file again.
    ///
    /// # Errors
    /// [`Error::WeakKey`] when the passphrase is weak, and as [`add`](Self::add).
    pub fn reseal(&self, unlock: &Unlock) -> Result<()> {
        let key = Arc::new(unlock.seal(&self.backend)?);
        let mut update = Update::begin(self)?;
        update.state.key = key;
        update.commit_and_forget()
    }

    /// Writes a copy sealed under another unlock secret, for escrow: a keyring that only a lost
    /// host could unlock is lost.
    ///
    /// # Errors
    /// [`Error::Exists`] when anything is at `path`, be it this keyring; [`Error::OwnName`] when the
    /// path ends in `.previous`, `.lock` or `.new`; [`Error::WeakKey`] when the passphrase is weak;
    /// those of [`reload`](Self::reload).
    pub fn export(&self, path: impl AsRef<Path>, unlock: &Unlock) -> Result<()> {
        let keyring = self.reload()?;
        let key = unlock.seal(&self.backend)?;
        let (id, generation) = (keyring.id(), keyring.generation());
        let bytes = format::encode(id, generation, keyring.records(), &key, &self.backend)?;
        disk::create(path.as_ref(), &bytes)
    }

    fn from_bytes(path: &Path, bytes: &[u8], key: FileKey, backend: B) -> Result<Self> {
        let header = Header::parse(path, bytes)?;
        let mac = *header.mac();
        let keyring = header.decode(&key, &backend, WrapCounter::in_blocks)?;
        let state = State { keyring: Arc::new(keyring), key: Arc::new(key), mac };
        Ok(Self {
            path: path.into(),
            backend,
            wrap_block: WRAP_BLOCK,
            state: RwLock::new(state),
            turn: Mutex::new(()),
        })
    }

    fn state(&self) -> State {
        // The state is replaced in one assignment: whole also after a panic elsewhere.
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keyring as the file has it now: the one known, unless another process changed the file.
    fn current(&self) -> Result<Arc<Keyring>> {
        if let Some(keyring) = self.unchanged()? {
            return Ok(keyring);
        }
        let _turn = self.turn();
        // Another thread may have read it meanwhile.
        match self.unchanged()? {
            Some(keyring) => Ok(keyring),
            None => Ok(self.read()?.1.keyring),
        }
    }

    /// The keyring known, if the file is still the one it was read from. Waits for nobody.
    fn unchanged(&self) -> Result<Option<Arc<Keyring>>> {
        let state = self.state();
        Ok(disk::ends_with(&self.path, &state.mac)?.then_some(state.keyring))
    }

    /// Reads the file and takes it over. For the holder of the turn.
    fn read(&self) -> Result<(Zeroizing<Vec<u8>>, State)> {
        let bytes = disk::read_private(&self.path, format::MAX_FILE_LEN)?;
        let state = self.take_over(&bytes, &self.state().key)?;
        Ok((bytes, state))
    }

    /// Verifies the bytes of a file and, if they are a later state of the keyring, goes on with
    /// them.
    fn take_over(&self, bytes: &[u8], key: &Arc<FileKey>) -> Result<State> {
        let header = Header::parse(&self.path, bytes)?;
        if header.kdf() != &key.kdf {
            return Err(Error::Resealed { file: self.path.clone() });
        }
        let mac = *header.mac();
        let keyring = header.decode(key, &self.backend, WrapCounter::in_blocks)?;
        let keyring = Arc::new(keyring.following(&self.keyring())?);
        let state = State { keyring, key: Arc::clone(key), mac };
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state.clone();
        Ok(state)
    }
}

impl<B: CryptoBackend> VersionedKeys for KeyringFile<B> {
    fn keyring(&self) -> Arc<Keyring> {
        self.keyring()
    }

    /// Looks at the file first, at the cost of a few system calls: a version that another process
    /// retired or destroyed wraps no more. While the file cannot be read, or is not a later state
    /// of the keyring, nothing is wrapped.
    fn wrap_key(&self) -> Result<Arc<MasterKey>> {
        let keyring = self.current()?;
        if keyring.enabled().counter().take() {
            return Ok(Arc::clone(keyring.enabled()));
        }
        let update = Update::begin(self)?;
        let enabled = Arc::clone(update.state.keyring.enabled());
        // Another thread may have reserved, or another process rotated, meanwhile.
        if !enabled.counter().take() {
            update.reserve(1)?;
        }
        Ok(enabled)
    }

    /// A version that this process does not know may come from a rotation by another one: if the
    /// file has changed, it is read again before the version counts as missing.
    fn unwrap_key(&self, key_ref: &MasterKeyRef) -> Result<Arc<MasterKey>> {
        match self.keyring().find(key_ref) {
            Err(Error::VersionMissing { .. }) => self.current()?.find(key_ref).cloned(),
            found => found.cloned(),
        }
    }
}

impl<B> fmt::Debug for KeyringFile<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringFile").field("path", &self.path).finish_non_exhaustive()
    }
}
