//! What a person can do about an error.

use std::{io, path::Path};

use object_cipher_core::{self as core, KeyErrorKind, Mode, Step};
use object_cipher_keyring::Error as KeyringError;
use object_cipher_kms::Error as KmsError;
use object_cipher_object_store::{Error as StoreError, rekey::RekeyFault};

use super::{Error, KEEP_OWNER};
use crate::{
    args::{KEY_FILE_VARIABLE, KEYRING_VARIABLE},
    pair::Pair,
};

impl Error {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<String> {
        let help = match self {
            Self::Io { action: KEEP_OWNER, .. } => "have its owner do this, or root",
            Self::NotThere(path) => return meant(path),
            Self::NoRecord { body, .. } => return meant(body).or_else(|| Some(NO_RECORD.into())),
            Self::NoBody { .. } => {
                "restore the body, from where the Envelope came from or from a copy"
            }
            Self::Folder(_) => "give the path of a file; pack a folder first, as with tar",
            Self::NeedsForce(_) => "choose another --output, or say --force to replace it",
            Self::HalfPair { .. } => {
                "choose another --output: it may be all that is left of a sealed file"
            }
            Self::Exists(_) => "choose another path: it is not replaced",
            Self::PartOfPair(_) | Self::KeyFile(_) => {
                "choose another path: this one is not replaced, with --force neither"
            }
            Self::NotRegular(_) => "choose another --output; standard output is `--output -`",
            Self::ReservedName(_) => "choose a path with another end",
            Self::SameFile(_) => "choose another --output",
            Self::NoKeyring => {
                return Some(format!("give --keyring PATH, or set {KEYRING_VARIABLE}"));
            }
            Self::NoKms => {
                "say --kms FOLDER: what `kms init` made, or the server at its first start"
            }
            Self::LayerKey { .. } => "give the file that `dsse key --layer outer` wrote, to --key",
            Self::OtherLayerKey { .. } => {
                "restore the Envelope from a copy: key blobs were swapped, or put in from elsewhere. No \
                 key was written"
            }
            Self::WrongLayerKey { .. } => {
                "it may be the key of the inner layer, or of another file, or from before the file was \
                 rewrapped; or the Envelope was altered, or --name is another"
            }
            Self::Busy(_) => "try again when it is done",
            Self::OtherOwner(_) => {
                "have its owner do it or remove it, or keep sealed files in a folder of your own"
            }
            Self::Record { .. } => "restore the file from a copy; it was altered or is not ours",
            Self::Object { source, .. } => return of_core(source).map(String::from),
            Self::Kms(KmsError::Keyring(KeyringError::Io { file, source, .. }))
                if source.kind() == io::ErrorKind::NotFound && file.ends_with("catalog") =>
            {
                "--kms, and --folder of `kms`, name the folder that `kms init` made, or the server at \
                 its first start"
            }
            Self::Keyring(error) | Self::Kms(KmsError::Keyring(error)) => return of_keyring(error),
            Self::Kms(KmsError::Audit(_)) => {
                "compare it with a copy kept elsewhere: what is in it is not to be trusted"
            }
            Self::Kms(KmsError::Rejected { .. } | KmsError::Malformed { .. }) => {
                "restore the folder from a copy, or name the keyring that it was made under"
            }
            Self::Key(error) | Self::Kms(KmsError::Key(error)) => {
                return of_key(error.kind()).map(String::from);
            }
            Self::OtherWriters => {
                "say --single-writer if nobody else writes to these objects meanwhile; what somebody \
                 writes all the same is lost"
            }
            Self::NoBucket => "say --bucket, as the store was given it that wrote the objects",
            Self::MissingShards { .. } | Self::ObjectsFailed(_) => {
                "run the shards again that are missing or in which objects failed"
            }
            Self::NothingFound(_) => {
                "is it this store, and this --prefix or manifest? Of a move, all may be moved already"
            }
            Self::InStore(_) => {
                "choose a path outside: files in the store's folder are its objects"
            }
            Self::OtherThanReport(_) => "choose another --report: only a report is replaced",
            Self::Manifest { source: error, .. } | Self::Store(error) => {
                return of_store(error).map(String::from);
            }
            Self::NothingUnlocks => return Some(ways_to_unlock()),
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

/// What a wrap binds, in a store, is not what it was.
const OTHER_OBJECT: &str = "--bucket, --realm, the prefix in the store's URL and the keyring have to be those \
     that the store had when it was written; if they are, the record was altered";

const NO_RECORD: &str = "if it is a sealed file, put its Envelope back beside it: without it the \
     body cannot be opened. An interrupted `seal` may leave a body that has none";

/// The sealed file that was meant.
fn meant(path: &Path) -> Option<String> {
    let pair = Pair::meant_by(path)?;
    Some(format!("the sealed file is {}", pair.body_path().display()))
}

fn ways_to_unlock() -> String {
    format!("give --key-file (or set {KEY_FILE_VARIABLE}), --key-env or --credential")
}

pub(crate) fn of_store(error: &StoreError) -> Option<&'static str> {
    Some(match error {
        StoreError::Rekey(RekeyFault::JournalOfOther { .. }) => {
            "give each store, shard and goal, and each key after a rotation, a journal of its own"
        }
        StoreError::Rekey(RekeyFault::NoJournal(_)) => {
            "name a journal, or a file that is not there"
        }
        StoreError::Rekey(RekeyFault::JournalBusy(_)) => "give each process a journal of its own",
        StoreError::Rekey(RekeyFault::ManifestFormat(format)) if format == "Parquet" => {
            "have the inventory written as CSV, or build with the feature `parquet`"
        }
        StoreError::Rekey(RekeyFault::ManifestFormat(_)) => "have the inventory written as CSV",
        StoreError::NoConditions { .. } => {
            "say --single-writer if nobody else writes to these objects meanwhile"
        }
        StoreError::Rekey(RekeyFault::JournalEnded(_)) => "name a file that is not there",
        StoreError::Cipher(error) | StoreError::Object { source: error, .. } => match error {
            core::Error::Rejected { step: Step::KeyWrap, .. } => OTHER_OBJECT,
            error => return of_core(error),
        },
        StoreError::NoCipher { mode: Mode::SseKms | Mode::DsseKms, .. } => {
            "say --kms FOLDER, the KMS that their keys are in"
        }
        StoreError::Misplaced { .. } => {
            "put it back where it was written, and copy it through the store"
        }
        _ => return None,
    })
}

fn of_core(error: &core::Error) -> Option<&'static str> {
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
        core::Error::WrongMode { .. } => "`inspect` tells the mode",
        core::Error::WrongState { .. } => "it is an upload that was not completed",
        core::Error::Identity { .. } => "it was sealed by a store that bound more than a name",
        core::Error::Key(key) => match key.kind() {
            KeyErrorKind::KeyVersionMissing => {
                "use a copy of the keyring that still has this version (`keyring list`)"
            }
            kind => return of_key(kind),
        },
        _ => return None,
    })
}

fn of_key(kind: KeyErrorKind) -> Option<&'static str> {
    Some(match kind {
        KeyErrorKind::WrongKey => {
            "use the keyring or KMS that `inspect` names; this is another one"
        }
        KeyErrorKind::NotFound => {
            "`kms list` shows the keys and aliases there are, and `kms create --alias` makes one; of a \
             stored file, `inspect` names the key: its region and account are those of --kms-region \
             and --kms-account"
        }
        KeyErrorKind::Disabled => "`kms enable` lets it be used again",
        KeyErrorKind::InvalidState => {
            "`kms cancel-deletion`, and then `kms enable`, let it be used again"
        }
        _ => return None,
    })
}

fn of_keyring(error: &KeyringError) -> Option<String> {
    let help = match error {
        KeyringError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            "give the paths of the keyring and of what unlocks it, or create them with \
             `keyring init`"
        }
        KeyringError::Io { action, source, .. } if is_not_writable(action, source) => {
            "sealing counts its wraps in the keyring, and changing keys replaces it: its folder and \
             the files beside it (`.lock`, `.previous`) must be writable by this user"
        }
        KeyringError::Locked { .. } => "try again when it is done",
        KeyringError::Malformed { .. }
        | KeyringError::TooLarge { .. }
        | KeyringError::NotRegular { .. }
        | KeyringError::Permissions { .. } => {
            "--keyring names the file that `keyring init` made, --key-file the key that unlocks it; \
             a sealed file is named without an option"
        }
        KeyringError::Rejected { .. } => {
            "unlock with the key or passphrase that it was last sealed under; if that is the one, \
             restore the file from a copy (the generation before is beside it, as `.previous`)"
        }
        KeyringError::UnlockKind { needs: "a passphrase", .. } => {
            return Some(format!(
                "leave out --key-file, --key-env and --credential (and unset {KEY_FILE_VARIABLE}), \
                 and type the passphrase"
            ));
        }
        KeyringError::UnlockKind { .. } => return Some(ways_to_unlock()),
        KeyringError::WeakKey { name, .. } if name.contains("passphrase") => {
            "choose one of 8 to 1,024 bytes, such as six words"
        }
        KeyringError::VersionEnabled { .. } => "`keyring rotate` first",
        KeyringError::VersionMissing { .. } => "`keyring list` shows which versions there are",
        KeyringError::WrapLimit { .. } => "`keyring rotate` makes a new version",
        _ => return None,
    };
    Some(help.into())
}

/// Reading needs another remedy than writing.
fn is_not_writable(action: &str, error: &io::Error) -> bool {
    let is_refused =
        matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
    is_refused && !matches!(action, "read" | "inspect")
}
