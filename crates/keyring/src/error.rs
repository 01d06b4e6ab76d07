//! What can go wrong: [`Error`].

use std::{io, path::PathBuf};

use object_cipher_core::{KeyError, KeyErrorKind, KeyringId};

/// The result of this crate's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a keyring could not be made, opened, changed or used.
///
/// The text says what to do where something can be done. It never holds key bytes, a passphrase or
/// a name that was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The keyring never had this version, or not yet: a newer file may be on its way.
    #[error("keyring {keyring} has no version {version}")]
    VersionMissing {
        /// The keyring.
        keyring: KeyringId,
        /// The version asked for.
        version: u32,
    },
    /// The version was destroyed; what it wrapped cannot be opened any more.
    #[error("version {version} of keyring {keyring} was destroyed")]
    VersionDestroyed {
        /// The keyring.
        keyring: KeyringId,
        /// The version asked for.
        version: u32,
    },
    /// The version is there, but with other key bytes than the ones that wrapped.
    #[error(
        "version {version} of keyring {keyring} has other key bytes than the ones that wrapped"
    )]
    WrongBytes {
        /// The keyring.
        keyring: KeyringId,
        /// The version asked for.
        version: u32,
    },
    /// The key belongs to a keyring of another name.
    #[error("the key is of keyring {wanted}, this is keyring {keyring}")]
    OtherKeyring {
        /// This keyring.
        keyring: KeyringId,
        /// The keyring asked for.
        wanted: KeyringId,
    },
    /// The enabled version cannot be destroyed: there would be none to seal with.
    #[error(
        "version {version} of keyring {keyring} is the enabled one: rotate before it is destroyed"
    )]
    VersionEnabled {
        /// The keyring.
        keyring: KeyringId,
        /// The version.
        version: u32,
    },
    /// Exactly one version must be enabled.
    #[error("keyring {keyring} must have exactly one enabled version")]
    EnabledCount {
        /// The keyring.
        keyring: KeyringId,
    },
    /// Version numbers start at 1, and each is used once.
    #[error("keyring {keyring}: version number {version} is zero or used twice")]
    VersionNumber {
        /// The keyring.
        keyring: KeyringId,
        /// The number.
        version: u32,
    },
    /// The keyring has as many versions as it may have, destroyed ones included.
    #[error("keyring {keyring} has 1,024 versions, no more fit")]
    TooManyVersions {
        /// The keyring.
        keyring: KeyringId,
    },
    /// The version has wrapped 2^40 data keys and may wrap no more.
    #[error("version {version} of keyring {keyring} has reached 2^40 wraps: rotate")]
    WrapLimit {
        /// The keyring.
        keyring: KeyringId,
        /// The version.
        version: u32,
    },
    /// A key is absent or not fit to be one. There is no fallback.
    #[error("{name} is refused: {fault}")]
    WeakKey {
        /// Where the key came from.
        name: String,
        /// What is wrong with it.
        fault: WeakKey,
    },
    /// A name is not one of its kind. It was not used for anything.
    #[error("the {0} is not allowed: 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")]
    Name(&'static str),
    /// Master keys given as text are not in the form `id/version:base64[,id/version:base64…]`.
    #[error("entry {entry} of the master keys is not `id/version:base64` of one keyring")]
    Text {
        /// Which entry, from 1. Its text is not shown: it may be a key.
        entry: usize,
    },
    /// `$CREDENTIALS_DIRECTORY` is not set: the service was not started by systemd with
    /// `LoadCredential=` or `LoadCredentialEncrypted=`.
    #[error("there is no systemd credentials directory: set LoadCredentialEncrypted= in the unit")]
    NoCredentials,
    /// Argon2 costs are outside the allowed range.
    #[error("Argon2id costs must be 8·p to 1,048,576 KiB, 1 to 16 passes, 1 to 16 lanes")]
    Argon2Params,
    /// Argon2 could not get its memory.
    #[error("Argon2id could not get {kib} KiB of memory")]
    Argon2Memory {
        /// The memory asked for, in KiB.
        kib: u32,
    },
    /// The file is sealed under the other kind of unlock.
    #[error("{file} needs {needs} to be unlocked", file = file.display())]
    UnlockKind {
        /// The keyring file.
        file: PathBuf,
        /// `a passphrase` or `a key`.
        needs: &'static str,
    },
    /// The file is not a keyring file of a known version, or a public field in its header is out
    /// of bounds.
    #[error("{file} is not a keyring file: {what}", file = file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The unlock key is another one, or the file was altered. One error on purpose.
    #[error("{file} cannot be unlocked: wrong unlock key or altered file", file = file.display())]
    Rejected {
        /// The file.
        file: PathBuf,
    },
    /// Another process sealed the file under another unlock key.
    #[error("{file} is now sealed under another unlock key: open it again", file = file.display())]
    Resealed {
        /// The file.
        file: PathBuf,
    },
    /// An older or different keyring was put in the place of the known one.
    #[error(
        "keyring {keyring} fell back: generation {found} where {known} is known; \
         put the newer file back"
    )]
    GenerationFell {
        /// The keyring.
        keyring: KeyringId,
        /// The generation known.
        known: u64,
        /// The generation found. Equal to the known one when the contents differ.
        found: u64,
    },
    /// Something is already there, or what is left of a keyring. Nothing was changed.
    #[error("{file} exists already: nothing is created over it", file = file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A keyring writes and removes files of such a name beside itself. Nothing was changed.
    #[error(
        "{file} has a name of a keyring's own files: choose one that does not end in .previous, \
         .lock or .new",
        file = file.display()
    )]
    OwnName {
        /// The file.
        file: PathBuf,
    },
    /// Another writer held the lock for five seconds. Nothing was changed.
    #[error(
        "{} is changing the keyring, and has locked {file}: wait for it",
        process(*holder),
        file = file.display()
    )]
    Locked {
        /// The lock file.
        file: PathBuf,
        /// The process that holds it, if it left its number there.
        holder: Option<u32>,
    },
    /// The file can be read or written by others.
    #[error(
        "{file} is open to others (mode {mode:04o}): run `chmod 600 {file}`",
        file = file.display()
    )]
    Permissions {
        /// The file.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to another user.
    #[error(
        "{file} belongs to user {owner}, not to this process: run `chown {user} {file}`",
        file = file.display()
    )]
    Owner {
        /// The file.
        file: PathBuf,
        /// Its owner's user id.
        owner: u32,
        /// This process's effective user id.
        user: u32,
    },
    /// The file is a symbolic link. Links are not followed.
    #[error("{file} is a symbolic link: name the file itself", file = file.display())]
    Symlink {
        /// The link.
        file: PathBuf,
    },
    /// The file is a directory, pipe or device.
    #[error("{file} is not a regular file", file = file.display())]
    NotRegular {
        /// The file.
        file: PathBuf,
    },
    /// The file is larger than one of its kind can be. It was not read.
    #[error("{file} is larger than {limit} bytes", file = file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The most bytes it may have.
        limit: usize,
    },
    /// The operating system refused.
    #[error("cannot {action} {file}: {source}", file = file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The clock shows a time before 1970.
    #[error("the system clock is set before 1970")]
    Clock,
    /// The cryptographic library failed.
    #[error(transparent)]
    Crypto(#[from] object_cipher_core::Error),
}

/// What is wrong with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakKey {
    /// There is none.
    #[error("it is absent or empty")]
    Absent,
    /// It has too few bytes.
    #[error("it is too short: it must have {least} bytes at least")]
    Short {
        /// The fewest it may have: 32, a passphrase 8.
        least: usize,
    },
    /// It has too many bytes.
    #[error("it is too long: it must have {most} bytes at most")]
    Long {
        /// The most it may have: 32, a passphrase 1,024.
        most: usize,
    },
    /// All its bytes are zero.
    #[error("all its bytes are zero")]
    AllZero,
    /// It is one byte, repeated.
    #[error("it is one byte, repeated")]
    Repeated,
    /// Another version has the same bytes.
    #[error("another version has the same key")]
    Duplicate,
    /// It is neither 32 raw bytes nor canonical base64 of them (make one with
    /// `openssl rand -base64 32`).
    #[error("it is not base64 of 32 bytes: make one with `openssl rand -base64 32`")]
    Encoding,
}

impl Error {
    pub(crate) fn io(file: impl Into<PathBuf>, action: &'static str, source: io::Error) -> Self {
        Self::Io { file: file.into(), action, source }
    }

    pub(crate) fn weak(name: impl Into<String>, fault: WeakKey) -> Self {
        Self::WeakKey { name: name.into(), fault }
    }
}

/// How a keyring's error looks through a [`KeySource`](object_cipher_core::KeySource).
impl From<Error> for KeyError {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::VersionMissing { .. } | Error::VersionDestroyed { .. } => {
                KeyErrorKind::KeyVersionMissing
            }
            Error::WrongBytes { .. } => KeyErrorKind::WrongKey,
            Error::OtherKeyring { .. } => KeyErrorKind::NotFound,
            Error::WrapLimit { .. } | Error::VersionEnabled { .. } | Error::Resealed { .. } => {
                KeyErrorKind::InvalidState
            }
            Error::Rejected { .. } | Error::Malformed { .. } | Error::GenerationFell { .. } => {
                KeyErrorKind::Integrity
            }
            Error::Locked { .. } | Error::Io { .. } | Error::Argon2Memory { .. } => {
                KeyErrorKind::Unavailable
            }
            Error::Permissions { .. }
            | Error::Owner { .. }
            | Error::Symlink { .. }
            | Error::NotRegular { .. } => KeyErrorKind::Denied,
            Error::Clock | Error::Crypto(_) => KeyErrorKind::Internal,
            _ => KeyErrorKind::Invalid,
        };
        KeyError::new(kind, error.to_string())
    }
}

fn process(number: Option<u32>) -> String {
    number.map_or_else(|| "another process".into(), |number| format!("process {number}"))
}
