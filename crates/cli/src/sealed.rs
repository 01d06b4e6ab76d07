//! A sealed file, found and opened: what `open`, `cat`, `verify` and `rewrap` begin with.

use std::{cmp::Ordering, fs::File, path::Path};

use object_cipher_core::{Error as CoreError, ObjectCipher, ObjectContext, Opener, resolve_now};

use crate::{
    ciphers::Ciphers,
    error::{Error, Result},
    pair::Pair,
    record::Record,
};

/// The realm of every file's identity; the name is the only other part of it.
pub(crate) const REALM: &str = "file";

/// A sealed file as it lies there, before anything is verified.
pub(crate) struct Found {
    pub(crate) pair: Pair,
    pub(crate) record: Record,
    pub(crate) body: File,
}

/// A sealed file whose Envelope was verified, and whose body has the length that it says.
pub(crate) struct Sealed {
    pub(crate) pair: Pair,
    pub(crate) record: Record,
    pub(crate) body: File,
    pub(crate) opener: Opener,
}

impl Found {
    pub(crate) fn look(path: &Path) -> Result<Self> {
        let pair = Pair::new(path)?;
        let (record, body) = pair.read()?;
        Ok(Self { pair, record, body })
    }

    /// Verifies the Envelope, under the name that the caller insists on, if any.
    pub(crate) fn open(mut self, ciphers: &Ciphers, name: Option<&str>) -> Result<Sealed> {
        if let Some(name) = name {
            name.clone_into(&mut self.record.name);
        }
        let Self { pair, record, body } = self;
        let cipher = ciphers.of(&record.envelope)?;
        let opener = open_record(&*cipher, &record, pair.body_path())?;
        let sealed = Sealed { pair, record, body, opener };
        sealed.check_length()?;
        Ok(sealed)
    }
}

impl Sealed {
    /// The path of the body, as it was given.
    pub(crate) fn path(&self) -> &Path {
        self.pair.body_path()
    }

    /// Notices a body that was cut short or lengthened before any of it is read. Its content is
    /// verified all the same.
    fn check_length(&self) -> Result<()> {
        let (opener, path) = (&self.opener, self.path());
        let stored = self.body.metadata().map_err(Error::io("read", path))?;
        if opener.part_count().is_some() {
            return Ok(());
        }
        let object = opener.object_id();
        let sealed = opener.layout().sealed_len(opener.plaintext_len());
        let fits = sealed.and_then(|length| match stored.len().cmp(&length) {
            Ordering::Less => Err(CoreError::Truncated { object }),
            Ordering::Equal => Ok(()),
            Ordering::Greater => Err(CoreError::TrailingBytes { object }),
        });
        fits.map_err(Error::object(path))
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
