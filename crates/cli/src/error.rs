//! What can go wrong, the exit code it gives, and what a person can do about it.

mod help;

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use object_cipher_core::{self as core, KeyErrorKind};
use object_cipher_keyring::Error as KeyringError;
use object_cipher_kms::Error as KmsError;
use object_cipher_object_store::{
    Error as StoreError,
    rekey::{RekeyFault, Shard},
};

pub(crate) use help::of_store as store_help;

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
    /// An input that is not there.
    #[error("there is no file {}", .0.display())]
    NotThere(PathBuf),
    #[error("there is no folder {}", .0.display())]
    NoFolder(PathBuf),
    #[error("{} is a folder", .0.display())]
    Folder(PathBuf),
    #[error("{} has no Envelope: there is no {}", body.display(), record.display())]
    NoRecord { body: PathBuf, record: PathBuf },
    #[error("there is no {}, only its Envelope, {}", body.display(), record.display())]
    NoBody { body: PathBuf, record: PathBuf },
    /// An output that is never replaced.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// An output that is replaced when that is asked for.
    #[error("{} exists already", .0.display())]
    NeedsForce(PathBuf),
    /// An output of which only one part is there.
    #[error("{} exists already, and there is no {}", there.display(), missing.display())]
    HalfPair { there: PathBuf, missing: PathBuf },
    #[error("{} is part of a sealed file", .0.display())]
    PartOfPair(PathBuf),
    #[error("{} is, or would be, a file of the keyring or of what unlocks it", .0.display())]
    KeyFile(PathBuf),
    #[error("{} is not a regular file, and nothing else is replaced", .0.display())]
    NotRegular(PathBuf),
    /// An input that has no place among the files of a pair.
    #[error("{} is not a regular file", .0.display())]
    NotAFile(PathBuf),
    #[error("{} is not the path of a file", .0.display())]
    NotAFileName(PathBuf),
    #[error("{}: names that end so are used while a file is replaced", .0.display())]
    ReservedName(PathBuf),
    #[error("{} is what is being read", .0.display())]
    SameFile(PathBuf),
    /// An argument that clap cannot judge.
    #[error("{0}")]
    Usage(&'static str),
    #[error("no keyring is named")]
    NoKeyring,
    /// A file under a key of a KMS, and no KMS is named.
    #[error("its key is one of a KMS, and none is named")]
    NoKms,
    /// What is no key of a layer.
    #[error("{} is not a key of a layer: {why}", path.display())]
    LayerKey { path: PathBuf, why: String },
    /// The key that the KMS gave is not that of the layer.
    #[error("{}: its Envelope does not lead to the {layer} layer's key, but to another", path.display())]
    OtherLayerKey { path: PathBuf, layer: &'static str },
    /// A layer does not open with the key of a file.
    #[error("{} does not open the outer layer of {}", key.display(), path.display())]
    WrongLayerKey { key: PathBuf, path: PathBuf },
    /// Another run has the folder locked.
    #[error("the lock on the folder {} was not to be had: another program holds it", .0.display())]
    Busy(PathBuf),
    /// A file in a folder such as /tmp.
    #[error("{} is another user's to replace", .0.display())]
    OtherOwner(PathBuf),
    #[error("{}: {source}", path.display())]
    Record { path: PathBuf, source: RecordError },
    /// Core refused, or its keys did.
    #[error("{}: {source}", path.display())]
    Object { path: PathBuf, source: core::Error },
    /// The keyring, or what unlocks it.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The local KMS, or its audit log.
    #[error(transparent)]
    Kms(#[from] KmsError),
    #[error(transparent)]
    Key(#[from] core::KeyError),
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
    /// Files, and nobody said that there is one writer.
    #[error("files on disk cannot tell what others write meanwhile")]
    OtherWriters,
    #[error("the name of the bucket that objects are bound to is not said")]
    NoBucket,
    /// A store of objects, or a rekey of them.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{} is no report of a rekey: {source}", path.display())]
    NoReport { path: PathBuf, source: serde_json::Error },
    /// Each was said already.
    #[error("{failed} of {of} objects failed")]
    Objects { failed: u64, of: u64, gravest: u8 },
    #[error("of the shards in the report {count} are missing, such as {first}")]
    MissingShards { count: usize, first: Shard },
    /// In the runs whose reports were merged.
    #[error("{0} objects failed")]
    ObjectsFailed(u64),
    #[error("no object was found in {0}")]
    NothingFound(String),
    #[error("{}: {source}", path.display())]
    Manifest { path: PathBuf, source: StoreError },
    /// An output that would be taken for an object.
    #[error("{} lies in the store", .0.display())]
    InStore(PathBuf),
    #[error("{} exists already, and is no report of a rekey", .0.display())]
    OtherThanReport(PathBuf),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    /// Each was said already.
    #[error("{failed} of {of} files failed")]
    Several { failed: usize, of: usize, gravest: Box<Error> },
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

    /// Says which file of a manifest it is about.
    pub(crate) fn manifest(path: &Path) -> impl FnOnce(StoreError) -> Self {
        move |source| Self::Manifest { path: path.to_path_buf(), source }
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
            | Self::NotThere(_)
            | Self::NoFolder(_)
            | Self::NoRecord { .. }
            | Self::NoBody { .. }
            | Self::Busy(_)
            | Self::OtherOwner(_)
            | Self::Threads(_)
            | Self::Runtime(_)
            | Self::MissingShards { .. }
            | Self::ObjectsFailed(_)
            | Self::NothingFound(_)
            | Self::Demo(_) => SYSTEM,
            Self::Folder(_)
            | Self::Exists(_)
            | Self::NeedsForce(_)
            | Self::HalfPair { .. }
            | Self::PartOfPair(_)
            | Self::KeyFile(_)
            | Self::NotRegular(_)
            | Self::NotAFile(_)
            | Self::NotAFileName(_)
            | Self::ReservedName(_)
            | Self::SameFile(_)
            | Self::NoKeyring
            | Self::NoKms
            | Self::OtherWriters
            | Self::NoBucket
            | Self::NoReport { .. }
            | Self::InStore(_)
            | Self::OtherThanReport(_)
            | Self::Declined
            | Self::Usage(_) => USAGE,
            Self::NothingUnlocks | Self::LayerKey { .. } | Self::WrongLayerKey { .. } => KEY,
            Self::Keyring(error) => keyring_code(error),
            Self::Kms(error) => kms_code(error),
            Self::Key(error) => key_code(error.kind()),
            Self::Record { .. } | Self::OtherLayerKey { .. } => REFUSED,
            Self::Object { source, .. } => core_code(source),
            Self::Store(error) | Self::Manifest { source: error, .. } => store_code(error),
            Self::Objects { gravest, .. } => *gravest,
            Self::CutShort { source, .. } => source.code(),
            Self::Several { gravest, .. } => gravest.code(),
        }
    }

    /// How bad it is beside the errors of other files; higher is worse.
    pub(crate) fn gravity(&self) -> usize {
        gravity(self.code())
    }
}

/// The graver of two exit codes, the first of which may be none yet.
pub(crate) fn graver(one: Option<u8>, other: u8) -> Option<u8> {
    one.filter(|one| gravity(*one) >= gravity(other)).or(Some(other))
}

fn gravity(code: u8) -> usize {
    let rising = [USAGE, SYSTEM, KEY, REFUSED];
    rising.iter().position(|risen| *risen == code).unwrap_or_default()
}

/// What an [`Error::Io`] says could not be done, where that needs advice of its own.
pub(crate) const KEEP_OWNER: &str = "keep the owner and the group of";

const SYSTEM: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const KEY: u8 = 4;

/// What exit code an object's error gives.
pub(crate) fn store_code(error: &StoreError) -> u8 {
    match error {
        StoreError::NoRecord { .. }
        | StoreError::Altered { .. }
        | StoreError::BodyGone { .. }
        | StoreError::BodyLength { .. }
        | StoreError::Misplaced { .. } => REFUSED,
        StoreError::NoCipher { .. } | StoreError::Rekey(RekeyFault::OtherKey { .. }) => KEY,
        StoreError::Cipher(error) | StoreError::Object { source: error, .. } => core_code(error),
        StoreError::Rekey(RekeyFault::Journal { .. } | RekeyFault::JournalBusy(_)) => SYSTEM,
        StoreError::Rekey(_) | StoreError::NoConditions { .. } | StoreError::Reserved { .. } => {
            USAGE
        }
        _ => SYSTEM,
    }
}

fn core_code(error: &core::Error) -> u8 {
    match error {
        core::Error::Key(error) if is_of_the_system(error.kind()) => SYSTEM,
        core::Error::Key(_) | core::Error::WrongMode { .. } => KEY,
        core::Error::RangeNotSatisfiable { .. } => USAGE,
        core::Error::Misuse(_) | core::Error::Limit(_) | core::Error::Backend(_) => SYSTEM,
        _ => REFUSED,
    }
}

fn is_of_the_system(kind: KeyErrorKind) -> bool {
    matches!(kind, KeyErrorKind::Unavailable | KeyErrorKind::Timeout | KeyErrorKind::Internal)
}

fn kms_code(error: &KmsError) -> u8 {
    match error {
        KmsError::Audit(_)
        | KmsError::Rejected { .. }
        | KmsError::Malformed { .. }
        | KmsError::GenerationFell { .. } => REFUSED,
        KmsError::Keyring(error) | KmsError::AuditKey { source: error, .. } => keyring_code(error),
        KmsError::Key(error) => key_code(error.kind()),
        _ => SYSTEM,
    }
}

fn key_code(kind: KeyErrorKind) -> u8 {
    match kind {
        KeyErrorKind::Invalid => USAGE,
        KeyErrorKind::Integrity => REFUSED,
        kind if is_of_the_system(kind) => SYSTEM,
        _ => KEY,
    }
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
        | KeyringError::OwnName { .. }
        | KeyringError::VersionEnabled { .. }
        | KeyringError::Name(_) => USAGE,
        _ => KEY,
    }
}
