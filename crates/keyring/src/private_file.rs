//! Other files that are kept as keyrings are: [`PrivateFile`].

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    Result,
    disk::{self, WriterLock},
};

/// A file of this user's alone, which is replaced whole or not at all: how keyrings are kept, for
/// whatever else a KMS or an audit log has to keep so.
///
/// What is in it is not sealed: whoever writes it does that. Links, other people's files and files
/// that others can read are refused; writers take turns by `<file>.lock`.
///
/// ```
/// use object_cipher_keyring::PrivateFile;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// let file = PrivateFile::new(directory.path().join("keys"));
/// file.create(b"first")?;
/// let lock = file.lock()?;
/// file.replace(&lock, b"second")?;
/// assert_eq!(*file.read(100)?, b"second");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PrivateFile {
    path: PathBuf,
}

impl PrivateFile {
    /// The file at a path. Nothing is looked at yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes, of which there are `limit` at most.
    ///
    /// # Errors
    /// Those of files: [`Error::Io`](crate::Error::Io) when it is not there,
    /// [`Error::Permissions`](crate::Error::Permissions) and its kin,
    /// [`Error::TooLarge`](crate::Error::TooLarge).
    pub fn read(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
        disk::read_private(&self.path, limit)
    }

    /// Whether it ends in these bytes. Looks at no others.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn ends_with<const N: usize>(&self, end: &[u8; N]) -> Result<bool> {
        disk::ends_with(&self.path, end)
    }

    /// Makes it where nothing is.
    ///
    /// # Errors
    /// [`Error::Exists`](crate::Error::Exists); those of files.
    pub fn create(&self, bytes: &[u8]) -> Result<()> {
        disk::create(&self.path, bytes)
    }

    /// Takes the turn to change it, and waits five seconds at most for another writer.
    ///
    /// # Errors
    /// [`Error::Locked`](crate::Error::Locked); those of files.
    pub fn lock(&self) -> Result<WriterLock> {
        WriterLock::acquire(&self.path)
    }

    /// Puts other bytes in its place, synced to disk. For the holder of its lock.
    ///
    /// # Errors
    /// Those of files.
    pub fn replace(&self, _: &WriterLock, bytes: &[u8]) -> Result<()> {
        disk::put(&self.path, bytes)
    }

    /// Opens it to read it and to change it in place, as logs are, and makes it if it is not there.
    /// A log holds no secret: others may have been let read it, but not write it.
    ///
    /// # Errors
    /// Those of files.
    pub fn open_log(&self) -> Result<File> {
        disk::open_log(&self.path)
    }

    /// Removes it, if it is there, and what an interrupted write left of it.
    ///
    /// # Errors
    /// Those of files.
    pub fn remove(&self) -> Result<()> {
        disk::remove_all(&self.path)
    }
}
