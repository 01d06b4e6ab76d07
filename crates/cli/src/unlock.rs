//! The keyring, unlocked.

use std::{
    env, fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use object_cipher_core::CryptoBackend;
use object_cipher_keyring::{Error as KeyringError, KeyringFile, Unlock};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::{
    args::{KEY_FILE_VARIABLE, KEYRING_VARIABLE, KeyringArgs, variable},
    console::{note, printable},
    error::{Error, Result},
    files::{KeyFiles, expect_ordinary_name, is_there},
};

/// Sixty runs at once have each had their turn by then.
const KEYRING_WAIT: Duration = Duration::from_secs(55);

/// What unlocks a keyring. None stands in for another.
#[derive(Debug)]
pub(crate) enum Means {
    /// A file to be made, with a random key.
    NewKeyFile(PathBuf),
    KeyFile(PathBuf),
    KeyEnv(String),
    Credential(String),
    /// Asked for on the terminal.
    Passphrase,
}

/// The keyring file, unlocked.
pub(crate) fn keyring<B: CryptoBackend>(args: &KeyringArgs, backend: &B) -> Result<KeyringFile<B>> {
    let path = &args.path()?;
    let unlock = match args.unlock.means().key()? {
        Some(key) => key,
        None => passphrase(path, backend)?,
    };
    Ok(KeyringFile::open(path, &unlock, backend.clone())?)
}

/// The files that hold the keys, or will.
pub(crate) fn key_files(args: &KeyringArgs) -> Result<KeyFiles> {
    let key_file = args.unlock.means().file();
    Ok(KeyFiles::default().with_keyring(&args.path()?).with_key_file(key_file.as_deref()))
}

/// The files that hold the keys, for a command that needs none, as far as the environment names them.
pub(crate) fn key_files_of_environment() -> KeyFiles {
    let keyring = variable(KEYRING_VARIABLE).map(|path| KeyFiles::default().with_keyring(&path));
    keyring.unwrap_or_default().with_key_file(variable(KEY_FILE_VARIABLE).as_deref())
}

/// Changes a keyring, again and again while other processes have it locked, but not for ever: many
/// may seal at one time, and each writes it.
pub(crate) fn patiently<T>(
    mut change: impl FnMut() -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    let deadline = Instant::now() + KEYRING_WAIT;
    let mut is_said = false;
    loop {
        // The keyring itself waits for seconds before it says so.
        match change() {
            Err(KeyringError::Locked { file, .. }) if Instant::now() < deadline => {
                if !is_said {
                    note(format_args!("note: waiting for the lock {}", file.display()));
                    is_said = true;
                }
            }
            changed => return changed,
        }
    }
}

/// Makes or changes the keyring at `path` with what will unlock it. A key file that was made for it
/// goes again after a failure, unless the keyring there needs it.
pub(crate) fn with_new<B: CryptoBackend, T>(
    means: &Means,
    path: &Path,
    backend: &B,
    work: impl FnOnce(&Unlock) -> Result<T, KeyringError>,
) -> Result<T> {
    let unlock = match (means, means.key()?) {
        (_, Some(key)) => key,
        (Means::NewKeyFile(file), _) => Unlock::new_key_file(file, backend)?,
        _ => new_passphrase(path)?,
    };
    let done = work(&unlock);
    if let (Err(_), Means::NewKeyFile(file)) = (&done, means) {
        if is_needed(path, &unlock, backend) {
            note(format_args!("note: {} stays, for the keyring may need it", file.display()));
        } else {
            let _ = fs::remove_file(file);
        }
    }
    Ok(done?)
}

impl Means {
    /// The key, if it is one that is there already.
    fn key(&self) -> Result<Option<Unlock>> {
        Ok(match self {
            Self::KeyFile(path) => Some(Unlock::key_file(path)?),
            Self::KeyEnv(variable) => Some(Unlock::env(variable)?),
            Self::Credential(name) => Some(Unlock::credential(name)?),
            Self::NewKeyFile(_) | Self::Passphrase => None,
        })
    }

    /// The file it is in.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::NewKeyFile(path) | Self::KeyFile(path) => Some(path.clone()),
            Self::Credential(name) => {
                Some(Path::new(&env::var_os("CREDENTIALS_DIRECTORY")?).join(name))
            }
            Self::KeyEnv(_) | Self::Passphrase => None,
        }
    }

    /// Refuses, before anybody is asked for something else, a key that cannot be read and a place
    /// for a new one that is taken.
    pub(crate) fn expect_usable(&self) -> Result<()> {
        match self {
            Self::NewKeyFile(path) if is_there(path)? => Err(Error::Exists(path.clone())),
            _ => self.key().map(drop),
        }
    }

    /// Refuses a file to be made that is one of those, or has a name of the kind that is used in
    /// between.
    pub(crate) fn expect_apart_from(&self, others: &KeyFiles) -> Result<()> {
        let Some(file) = self.file() else { return Ok(()) };
        if let Self::NewKeyFile(file) = self {
            expect_ordinary_name(file)?;
        }
        others.expect_none_is(&file)
    }
}

/// Asks for the passphrase of a keyring that has one.
fn passphrase<B: CryptoBackend>(path: &Path, backend: &B) -> Result<Unlock> {
    expect_passphrase(path, backend)?;
    let typed = prompt(&format!("Passphrase for {}: ", path.display()))?;
    // None at all is as wrong as any other.
    Unlock::passphrase(typed.as_str()).map_err(|error| match error {
        KeyringError::WeakKey { .. } => KeyringError::Rejected { file: path.into() }.into(),
        error => error.into(),
    })
}

/// Asks twice for a passphrase that is to be.
fn new_passphrase(path: &Path) -> Result<Unlock> {
    let typed = prompt(&format!("New passphrase for {}, 8 bytes at least: ", path.display()))?;
    let again = prompt("The same passphrase again: ")?;
    if bool::from(typed.as_bytes().ct_eq(again.as_bytes())) {
        Ok(Unlock::passphrase(typed.as_str())?)
    } else {
        Err(Error::Usage("the passphrases differ"))
    }
}

/// Refuses a keyring that no passphrase can unlock before anybody is asked for one. A key that is
/// nobody's tells: the file says of which kind its own is.
fn expect_passphrase<B: CryptoBackend>(path: &Path, backend: &B) -> Result<()> {
    let mut key = Zeroizing::new([0; 32]);
    backend.random(key.as_mut_slice()).map_err(|error| KeyringError::Crypto(error.into()))?;
    match KeyringFile::open(path, &Unlock::key(&key)?, backend.clone()) {
        Ok(_) | Err(KeyringError::Rejected { .. }) => {
            Err(KeyringError::UnlockKind { file: path.into(), needs: "a key" }.into())
        }
        Err(KeyringError::UnlockKind { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether the file at `path` may be a keyring under this key.
fn is_needed<B: CryptoBackend>(path: &Path, unlock: &Unlock, backend: &B) -> bool {
    match KeyringFile::open(path, unlock, backend.clone()) {
        Err(KeyringError::Io { source, .. }) => source.kind() != io::ErrorKind::NotFound,
        Err(KeyringError::Rejected { .. } | KeyringError::UnlockKind { .. }) => false,
        _ => true,
    }
}

/// Asks on the terminal, also when standard input is something else.
fn prompt(question: &str) -> Result<Zeroizing<String>> {
    if !io::stderr().is_terminal() {
        return Err(Error::NothingUnlocks);
    }
    let typed = rpassword::prompt_password(printable(question));
    typed.map(Zeroizing::new).map_err(|_| Error::NothingUnlocks)
}
