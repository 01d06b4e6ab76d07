//! What can go wrong with a run: [`RekeyFault`].

use std::{io, path::PathBuf};

use object_cipher_core::Mode;
use object_store::path::Path;

use super::Under;

/// Why a run, or a part of one, is not to be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyFault {
    /// It is no shard.
    #[error("a shard is I/N, with I from 0 to N-1, and N at most 1048576")]
    Shard,
    /// A journal cannot be read or written.
    #[error("the journal {}: {source}", path.display())]
    Journal {
        /// Its file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has the journal.
    #[error("the journal {} is in use by another process", .0.display())]
    JournalBusy(PathBuf),
    /// A file that is no journal, and to which nothing is appended.
    #[error("{} is no journal of a rekey", .0.display())]
    NoJournal(PathBuf),
    /// A journal is of another store or goal.
    #[error("the journal {} is of another run: of {found:?}, not of {wanted:?}", path.display())]
    JournalOfOther {
        /// Its file.
        path: PathBuf,
        /// What it is of.
        found: String,
        /// What the run is of.
        wanted: String,
    },
    /// A journal of a run that ended without a failure, to a goal that names no key. Whether the next run is
    /// to the same key cannot be told.
    #[error(
        "the journal {} is of a run that ended, and the goal names no key, so that this run may be to another \
         one: begin a journal, or name the key",
        .0.display()
    )]
    JournalEnded(PathBuf),
    /// A manifest that cannot be read.
    #[error("the manifest: {0}")]
    Manifest(String),
    /// A manifest in a format that is not read.
    #[error("the manifest is in the format {0}; CSV is what can be read, plain or gzip")]
    ManifestFormat(String),
    /// A line of a manifest that is no path of the store.
    #[error("{0}")]
    Row(String),
    /// Reports that do not belong together.
    #[error("reports cannot be merged: {0}")]
    Merge(String),
    /// A move to where the next run would find it again.
    #[error("{from} cannot be moved to {to}, which lies in it")]
    MoveInto {
        /// Where objects are.
        from: Path,
        /// Where they were to be.
        to: Path,
    },
    /// A path that does not lie where objects are moved from.
    #[error("it does not lie under {0}, from where objects are moved")]
    NotThere(Path),
    /// Something else is where an object is to be moved to.
    #[error("another object is at {0} already")]
    Taken(Path),
    /// Between one layer and two there is no way but through the plaintext.
    #[error(
        "it has another number of layers than wanted, and so has to be encrypted anew: copy it"
    )]
    Layers,
    /// An alias was named, and Envelopes name keys.
    #[error("{0} is an alias, which no Envelope names: say the key that it stands for")]
    Alias(String),
    /// The store's cipher seals in another mode than is wanted.
    #[error("the store's cipher for it seals by {found}, and {wanted} is wanted")]
    OtherMode {
        /// What the store's cipher is of.
        found: Mode,
        /// What is wanted.
        wanted: Mode,
    },
    /// The store's cipher wraps under another key than is wanted.
    #[error("it would come under {found}, and {wanted} is wanted: was a key rotated meanwhile?")]
    OtherKey {
        /// What a wrap gives.
        found: Box<Under>,
        /// What is wanted.
        wanted: Box<Under>,
    },
}
