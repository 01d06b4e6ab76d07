//! What can go wrong, the exit code it gives, and what a person can do about it.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use object_cipher_core::{self as core, KeyErrorKind, Step};
use object_cipher_keyring::Error as KeyringError;

use crate::record::RecordError;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The system did not do what it was asked.
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    /// The reader of standard output went away.
    #[error("standard output was closed")]
    Closed,
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("{} is not the path of a file", .0.display())]
    NotAFileName(PathBuf),
    #[error("{}: names that end so are used while a sealed file is replaced", .0.display())]
    ReservedName(PathBuf),
    #[error("{} is what is being read", .0.display())]
    SameFile(PathBuf),
    /// An argument that clap cannot judge.
    #[error("{0}")]
    Usage(&'static str),
    #[error("there is no Envelope at {}", .0.display())]
    NoRecord(PathBuf),
    #[error("{}: {source}", path.display())]
    Record { path: PathBuf, source: RecordError },
    /// Core refused, or its keys did.
    #[error("{}: {source}", path.display())]
    Object { path: PathBuf, source: core::Error },
    /// The keyring, or what unlocks it.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("nothing unlocks the keyring, and there is no terminal to ask for a passphrase on")]
    NothingUnlocks,
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// The answer to a question was no.
    #[error("nothing was changed")]
    Declined,
    /// The demonstration found something that is not as it says.
    #[error("the demonstration failed: {0}")]
    Demo(String),
    /// The beginning of the content was written to standard output, and then something failed.
    #[error("{source}")]
    CutShort { written: u64, source: Box<Error> },
}

impl Error {
    /// Says what was being done to which file.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }

    /// Says what could not be written; a reader that went away is told apart.
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Io { action: "write", path: path.to_path_buf(), source },
        }
    }

    /// Says which object it is about.
    pub(crate) fn object(path: &Path) -> impl FnOnce(core::Error) -> Self {
        move |source| Self::Object { path: path.to_path_buf(), source }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Io { .. }
            | Self::Closed
            | Self::NoRecord(_)
            | Self::Threads(_)
            | Self::Demo(_) => SYSTEM,
            Self::Exists(_)
            | Self::NotAFileName(_)
            | Self::ReservedName(_)
            | Self::SameFile(_)
            | Self::Declined
            | Self::Usage(_) => USAGE,
            Self::NothingUnlocks => KEY,
            Self::Keyring(error) => keyring_code(error),
            Self::Record { .. } => REFUSED,
            Self::Object { source, .. } => core_code(source),
            Self::CutShort { source, .. } => source.code(),
        }
    }

    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Exists(_) => "choose another path; `seal` and `open` replace a file with --force",
            Self::SameFile(_) => "choose another --output",
            Self::NoRecord(_) => {
                "give the path of the body (`notes.sealed`) and keep `notes.sealed.envelope` beside \
                 it; a body without one is left by an interrupted `seal`: seal again with --force"
            }
            Self::Record { .. } => "restore the file from a copy; it was altered or is not ours",
            Self::Object { source, .. } => return core_help(source).map(String::from),
            Self::Keyring(error) => return keyring_help(error).map(String::from),
            Self::NothingUnlocks => "give --key-file, --key-env or --credential",
            Self::CutShort { written, .. } => {
                return Some(format!(
                    "the {written} bytes written are verified, but they are not all: discard them"
                ));
            }
            _ => return None,
        };
        Some(help.into())
    }
}

const SYSTEM: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const KEY: u8 = 4;

fn core_code(error: &core::Error) -> u8 {
    match error {
        core::Error::Key(key) if is_of_the_system(key.kind()) => SYSTEM,
        core::Error::Key(_) | core::Error::WrongMode { .. } => KEY,
        core::Error::RangeNotSatisfiable { .. } => USAGE,
        core::Error::Misuse(_) | core::Error::Limit(_) | core::Error::Backend(_) => SYSTEM,
        _ => REFUSED,
    }
}

fn is_of_the_system(kind: KeyErrorKind) -> bool {
    matches!(kind, KeyErrorKind::Unavailable | KeyErrorKind::Timeout | KeyErrorKind::Internal)
}

fn core_help(error: &core::Error) -> Option<&'static str> {
    Some(match error {
        core::Error::Rejected { step: Step::KeyWrap, .. } => {
            "the Envelope was altered or belongs to another file, or --name is not the name it was \
             sealed with (`inspect` tells)"
        }
        core::Error::Rejected { .. }
        | core::Error::Truncated { .. }
        | core::Error::TrailingBytes { .. } => {
            "the body was altered, cut short or belongs to another Envelope: restore the pair from \
             a copy"
        }
        core::Error::WrongMode { .. } => "this tool opens what SSE-S3 sealed under a keyring",
        core::Error::WrongState { .. } => "it is an upload that was not completed",
        core::Error::Identity { .. } => "it was sealed by a store that bound more than a name",
        core::Error::Key(key) => match key.kind() {
            KeyErrorKind::KeyVersionMissing => {
                "use a copy of the keyring that still has this version (`keyring list`)"
            }
            KeyErrorKind::WrongKey | KeyErrorKind::NotFound => {
                "use the keyring that `inspect` names; this is another one"
            }
            _ => return None,
        },
        _ => return None,
    })
}

fn keyring_code(error: &KeyringError) -> u8 {
    match error {
        KeyringError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => KEY,
        KeyringError::Io { .. }
        | KeyringError::Locked { .. }
        | KeyringError::Argon2Memory { .. }
        | KeyringError::Clock
        | KeyringError::Crypto(_) => SYSTEM,
        KeyringError::Exists { .. }
        | KeyringError::VersionEnabled { .. }
        | KeyringError::Name(_) => USAGE,
        _ => KEY,
    }
}

fn keyring_help(error: &KeyringError) -> Option<&'static str> {
    Some(match error {
        KeyringError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            "give the paths of the keyring and of what unlocks it, or create them with \
             `keyring init`"
        }
        KeyringError::Rejected { .. } => {
            "unlock with the key it was created with; if that is the one, restore the file from a \
             copy (the generation before is beside it, as `.previous`)"
        }
        KeyringError::UnlockKind { needs: "a passphrase", .. } => {
            "leave out --key-file, --key-env and --credential, and type the passphrase"
        }
        KeyringError::UnlockKind { .. } => "give --key-file, --key-env or --credential",
        KeyringError::VersionEnabled { .. } => "`keyring rotate` first",
        KeyringError::VersionMissing { .. } => "`keyring list` shows which versions there are",
        KeyringError::WrapLimit { .. } => "`keyring rotate` makes a new version",
        _ => return None,
    })
}
