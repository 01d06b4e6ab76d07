//! A sealed file, opened: what `open`, `cat`, `verify` and `rewrap` begin with.

use std::{fs::File, path::Path};

use object_cipher_core::{Error as CoreError, ObjectCipher, ObjectContext, Opener, resolve_now};

use crate::{
    args::{BackendName, SealedArgs},
    error::{Error, Result},
    pair::Pair,
    record::Record,
    unlock,
};

/// The realm of every file's identity; the name is the only other part of it.
pub(crate) const REALM: &str = "file";

/// A sealed file whose Envelope was verified.
pub(crate) struct Sealed {
    pub(crate) pair: Pair,
    pub(crate) record: Record,
    pub(crate) body: File,
    pub(crate) opener: Opener,
}

impl Sealed {
    pub(crate) fn open(args: &SealedArgs, backend: BackendName) -> Result<Self> {
        let pair = Pair::new(&args.file)?;
        let (mut record, body) = {
            let locked = pair.lock()?;
            (locked.record()?, locked.open_body()?)
        };
        if let Some(name) = &args.name {
            record.name.clone_from(name);
        }
        let cipher = unlock::cipher(&args.keyring, backend)?;
        let opener = open_record(&*cipher, &record, &args.file)?;
        Ok(Self { pair, record, body, opener })
    }

    /// The path of the body, as it was given.
    pub(crate) fn path(&self) -> &Path {
        self.pair.body_path()
    }
}

/// The identity of a file.
pub(crate) fn context(name: &str) -> ObjectContext<'_> {
    ObjectContext::new(REALM, "", name)
}

/// Verifies a record.
pub(crate) fn open_record(
    cipher: &dyn ObjectCipher,
    record: &Record,
    path: &Path,
) -> Result<Opener> {
    now(cipher.open(&context(&record.name), &record.envelope)).map_err(Error::object(path))
}

/// The result of a cipher that has its keys at hand.
pub(crate) fn now<T>(future: impl Future<Output = Result<T, CoreError>>) -> Result<T, CoreError> {
    resolve_now(future).unwrap_or(Err(CoreError::Misuse("the keyring's keys are at hand")))
}
