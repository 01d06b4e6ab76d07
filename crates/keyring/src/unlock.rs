//! What unlocks a keyring file: [`Unlock`].

use std::{
    env,
    ffi::OsStr,
    fmt,
    path::{Path, PathBuf},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use object_cipher_core::{CryptoBackend, KeyringId};
use zeroize::Zeroizing;

use crate::{
    Error, Result, WeakKey, disk,
    secret::{self, Key32, KeyBytes, SecretBytes},
};

/// No key file is looked into beyond this size; one that holds a key has 32 to 46 bytes.
const MAX_KEY_FILE: usize = 4_096;
const MIN_PASSPHRASE: usize = 8;
const MAX_PASSPHRASE: usize = 1_024;
const INFO: &[u8] = b"object-cipher/v1/keyring/unlock";

/// The secret that unlocks a keyring file: a passphrase, or a key of 32 random bytes from a key
/// file, the environment, systemd or the program itself.
///
/// There is no fallback from one to another. A weak key is refused when it is read, a weak
/// passphrase when something is to be sealed under it.
///
/// ```no_run
/// use object_cipher_keyring::Unlock;
///
/// # fn main() -> Result<(), object_cipher_keyring::Error> {
/// // systemd: LoadCredentialEncrypted=sse-master
/// let unlock = Unlock::credential("sse-master")?;
/// # Ok(())
/// # }
/// ```
pub struct Unlock(Secret);

enum Secret {
    Key(Key32),
    Passphrase(SecretBytes, Argon2Params),
}

/// The costs of Argon2id, within bounds that no file can exceed: 8·p to 1,048,576 KiB of memory,
/// 1 to 16 passes, 1 to 16 lanes.
///
/// They are stored in the keyring file, so they can be raised later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Params {
    kib: u32,
    passes: u32,
    lanes: u32,
}

/// How the file's keys come from the unlock secret; public, stored in the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kdf {
    /// None: the secret is a key already.
    pub(crate) argon2: Option<Argon2Params>,
    pub(crate) salt: [u8; 32],
}

/// The keys of an unlocked file.
pub(crate) struct FileKey {
    pub(crate) kdf: Kdf,
    pub(crate) seal: Key32,
    pub(crate) mac: KeyBytes<64>,
}

impl Unlock {
    /// A passphrase, stretched by Argon2id with the default costs (64 MiB, 3 passes, 1 lane: about
    /// 0.2 s). Its bytes are taken as they are. To seal, it must have 8 to 1,024 bytes, not all the
    /// same; to open, another one is as wrong as any.
    ///
    /// A `String` is taken over and wiped; of a `&str`, the caller's own copy is the caller's to
    /// wipe.
    ///
    /// ```
    /// use object_cipher_keyring::Unlock;
    ///
    /// # fn main() -> Result<(), object_cipher_keyring::Error> {
    /// let unlock = Unlock::passphrase("correct horse battery staple")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::WeakKey`] when it is empty.
    pub fn passphrase(passphrase: impl Into<SecretBytes>) -> Result<Self> {
        Self::passphrase_with(passphrase, Argon2Params::default())
    }

    /// A passphrase with other costs for files that are sealed anew. A file that is opened uses
    /// the costs stored in it.
    ///
    /// # Errors
    /// As [`passphrase`](Self::passphrase).
    pub fn passphrase_with(
        passphrase: impl Into<SecretBytes>,
        params: Argon2Params,
    ) -> Result<Self> {
        let passphrase = passphrase.into();
        if passphrase.expose().is_empty() {
            return Err(weak_passphrase(WeakKey::Absent));
        }
        Ok(Self(Secret::Passphrase(passphrase, params)))
    }

    /// A key from a file: 32 raw bytes, or base64 of them (`openssl rand -base64 32`). On Unix the
    /// file must be a regular file of this user that others can neither read nor write.
    ///
    /// # Errors
    /// [`Error::WeakKey`]; [`Error::Permissions`], [`Error::Owner`], [`Error::Symlink`] and
    /// [`Error::NotRegular`], which say what to do; [`Error::Io`].
    pub fn key_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::from_contents(&disk::read_private(path, MAX_KEY_FILE)?, path)
    }

    /// A new random key, in a new file with mode 0600: base64 and a line end, as
    /// [`key_file`](Self::key_file) reads it. Keep a copy of the file elsewhere.
    ///
    /// ```
    /// use object_cipher_keyring::Unlock;
    /// use object_cipher_rustcrypto::RustCrypto;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("unlock");
    /// Unlock::new_key_file(&path, &RustCrypto)?;
    /// assert!(Unlock::key_file(&path).is_ok());
    /// assert!(Unlock::new_key_file(&path, &RustCrypto).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Exists`] when anything is at `path`, which stays as it is; [`Error::OwnName`] when
    /// the path ends in `.previous`, `.lock` or `.new`; [`Error::Io`]; [`Error::Crypto`] when there
    /// is no randomness.
    pub fn new_key_file<B: CryptoBackend>(path: impl AsRef<Path>, backend: &B) -> Result<Self> {
        let mut key = Key32::zeroed();
        backend.random(key.as_mut_slice()).map_err(object_cipher_core::Error::from)?;
        let unlock = Self::key(&key)?;
        disk::create(path.as_ref(), secret::key_to_line(&key).as_bytes())?;
        Ok(unlock)
    }

    /// A key from an environment variable: base64 of 32 bytes. Read it once, at start; child
    /// processes inherit it, so prefer a file or a credential.
    ///
    /// # Errors
    /// [`Error::WeakKey`], also when the variable is absent.
    pub fn env(variable: impl AsRef<OsStr>) -> Result<Self> {
        let weak = |fault| {
            let name = variable.as_ref().to_string_lossy();
            Error::weak(format!("the environment variable {name}"), fault)
        };
        let value = env::var_os(&variable).ok_or_else(|| weak(WeakKey::Absent))?;
        let value = Zeroizing::new(value.into_encoded_bytes());
        secret::key_from_base64(&value).map(Self::from_key).map_err(weak)
    }

    /// A key from systemd: `$CREDENTIALS_DIRECTORY/name`, with the contents of a
    /// [`key_file`](Self::key_file). The service's unit has `LoadCredentialEncrypted=name`, so the
    /// key is bound to the host or its TPM.
    ///
    /// The name is one of 1 to 64 of `A-Z a-z 0-9 . _ -`, the first a letter or digit, so it
    /// cannot lead out of the directory.
    ///
    /// # Errors
    /// [`Error::Name`] before any file is touched, [`Error::NoCredentials`], and those of
    /// [`key_file`](Self::key_file); systemd may let a group read the file.
    pub fn credential(name: &str) -> Result<Self> {
        let name = KeyringId::parse(name).ok_or(Error::Name("credential name"))?;
        let directory = env::var_os("CREDENTIALS_DIRECTORY").ok_or(Error::NoCredentials)?;
        let path = PathBuf::from(directory).join(name.as_str());
        Self::from_contents(&disk::read_credential(&path, MAX_KEY_FILE)?, &path)
    }

    /// A key the program has from elsewhere, such as an HSM. The caller wipes its own copy.
    ///
    /// # Errors
    /// [`Error::WeakKey`].
    pub fn key(bytes: &[u8; 32]) -> Result<Self> {
        let weak = |fault| Error::weak("the unlock key", fault);
        secret::key_from_raw(bytes).map(Self::from_key).map_err(weak)
    }

    /// The keys for a file that is sealed anew, under a new salt. A weak passphrase is refused.
    pub(crate) fn seal<B: CryptoBackend>(&self, backend: &B) -> Result<FileKey> {
        let mut salt = [0; 32];
        backend.random(&mut salt).map_err(object_cipher_core::Error::from)?;
        match &self.0 {
            Secret::Key(key) => FileKey::derive(key, Kdf { argon2: None, salt }, backend),
            Secret::Passphrase(passphrase, params) => {
                check_passphrase(passphrase).map_err(weak_passphrase)?;
                let key = params.stretch(passphrase, &salt)?;
                FileKey::derive(&key, Kdf { argon2: Some(*params), salt }, backend)
            }
        }
    }

    /// The keys of the file at `path`, whose header names `kdf`.
    pub(crate) fn open<B: CryptoBackend>(
        &self,
        path: &Path,
        kdf: &Kdf,
        backend: &B,
    ) -> Result<FileKey> {
        match (&self.0, kdf.argon2) {
            (Secret::Key(key), None) => FileKey::derive(key, kdf.clone(), backend),
            (Secret::Passphrase(passphrase, _), Some(params)) => {
                // No file is sealed under a weak one, so it is not stretched.
                if check_passphrase(passphrase).is_err() {
                    return Err(Error::Rejected { file: path.into() });
                }
                let key = params.stretch(passphrase, &kdf.salt)?;
                FileKey::derive(&key, kdf.clone(), backend)
            }
            (_, None) => Err(Error::UnlockKind { file: path.into(), needs: "a key" }),
            (_, Some(_)) => Err(Error::UnlockKind { file: path.into(), needs: "a passphrase" }),
        }
    }

    fn from_key(key: Key32) -> Self {
        Self(Secret::Key(key))
    }

    fn from_contents(contents: &[u8], path: &Path) -> Result<Self> {
        let weak = |fault| Error::weak(format!("the key in {}", path.display()), fault);
        secret::key_from_file(contents).map(Self::from_key).map_err(weak)
    }
}

impl Argon2Params {
    const MAX_KIB: u32 = 1 << 20;
    const MAX_PASSES: u32 = 16;
    const MAX_LANES: u32 = 16;

    /// Memory in KiB, passes over it, lanes.
    ///
    /// # Errors
    /// [`Error::Argon2Params`] when they are out of bounds.
    pub fn new(kib: u32, passes: u32, lanes: u32) -> Result<Self> {
        Self::checked(kib, passes, lanes).ok_or(Error::Argon2Params)
    }

    /// Memory in KiB.
    pub fn kib(&self) -> u32 {
        self.kib
    }

    /// Passes over the memory.
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    pub(crate) fn checked(kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let valid = (1..=Self::MAX_LANES).contains(&lanes)
            && (1..=Self::MAX_PASSES).contains(&passes)
            && (8 * lanes..=Self::MAX_KIB).contains(&kib);
        valid.then_some(Self { kib, passes, lanes })
    }

    /// Argon2id version 1.3. Its memory is wiped before it is freed.
    fn stretch(&self, passphrase: &SecretBytes, salt: &[u8; 32]) -> Result<Key32> {
        let params = Params::new(self.kib, self.passes, self.lanes, Some(32))
            .map_err(|_| Error::Argon2Params)?;
        let blocks = params.block_count();
        let no_memory = Error::Argon2Memory { kib: self.kib };
        let mut memory = Zeroizing::new(Vec::<Block>::new());
        if memory.try_reserve_exact(blocks).is_err() {
            return Err(no_memory);
        }
        memory.resize(blocks, Block::new());
        let mut key = Key32::zeroed();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(
                passphrase.expose(),
                salt,
                key.as_mut_slice(),
                memory.as_mut_slice(),
            )
            .map_err(|_| Error::Argon2Params)?;
        Ok(key)
    }
}

impl Default for Argon2Params {
    /// 64 MiB, 3 passes, 1 lane.
    fn default() -> Self {
        Self { kib: 64 * 1_024, passes: 3, lanes: 1 }
    }
}

impl FileKey {
    /// HKDF-SHA-512 of the secret under the file's salt.
    fn derive<B: CryptoBackend>(secret: &Key32, kdf: Kdf, backend: &B) -> Result<Self> {
        let mut okm = KeyBytes::<96>::zeroed();
        backend
            .hkdf_sha512(&kdf.salt, secret.as_slice(), &[INFO], okm.as_mut_slice())
            .map_err(object_cipher_core::Error::from)?;
        let (mut seal, mut mac) = (Key32::zeroed(), KeyBytes::zeroed());
        seal.copy_from_slice(&okm[..32]);
        mac.copy_from_slice(&okm[32..]);
        Ok(Self { kdf, seal, mac })
    }
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Secret::Key(_) => "Unlock::Key([redacted])",
            Secret::Passphrase(..) => "Unlock::Passphrase([redacted])",
        })
    }
}

fn check_passphrase(passphrase: &SecretBytes) -> Result<(), WeakKey> {
    match passphrase.expose() {
        [] => Err(WeakKey::Absent),
        bytes if bytes.len() < MIN_PASSPHRASE => Err(WeakKey::Short { least: MIN_PASSPHRASE }),
        bytes if bytes.len() > MAX_PASSPHRASE => Err(WeakKey::Long { most: MAX_PASSPHRASE }),
        bytes => secret::check_bytes(bytes),
    }
}

fn weak_passphrase(fault: WeakKey) -> Error {
    Error::weak("the passphrase", fault)
}
