//! Paths as the command line gives them: which may be read, and which may be written.

use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::OFlags;

use crate::{
    error::{Error, Result},
    output::{STAGED_SUFFIX, folder_of},
};

/// What a keyring file has beside it, by the end of its name.
const BESIDE_A_KEYRING: [&str; 3] = [".previous", ".lock", ".new"];

/// The files that hold keys or belong to one that does. No output takes their place, with `--force`
/// neither.
#[derive(Debug, Default)]
pub(crate) struct KeyFiles {
    files: Vec<PathBuf>,
    /// Folders all of whose files are such.
    folders: Vec<PathBuf>,
}

impl KeyFiles {
    /// With a keyring, and the files that it has beside it.
    #[must_use]
    pub(crate) fn with_keyring(mut self, path: &Path) -> Self {
        self.files.push(path.to_path_buf());
        self.files.extend(BESIDE_A_KEYRING.map(|end| with_end(path, end)));
        self
    }

    /// With a file that unlocks a keyring, if there is one.
    #[must_use]
    pub(crate) fn with_key_file(mut self, path: Option<&Path>) -> Self {
        self.files.extend(path.map(Path::to_path_buf));
        self
    }

    /// With the folder of a KMS, if there is one.
    #[must_use]
    pub(crate) fn with_kms(mut self, folder: Option<&Path>) -> Self {
        self.folders.extend(folder.map(Path::to_path_buf));
        self
    }

    /// Refuses an output that is one of these, under whatever path.
    pub(crate) fn expect_none_is(&self, output: &Path) -> Result<()> {
        let folder = folder_of(output);
        if self.files.iter().any(|kept| is_same_place(kept, output))
            || self.folders.iter().any(|kept| is_same_place(kept, &folder))
        {
            return Err(Error::KeyFile(output.to_path_buf()));
        }
        Ok(())
    }

    /// Refuses files to be made that share one with these.
    pub(crate) fn expect_apart_from(&self, others: &Self) -> Result<()> {
        others.files.iter().try_for_each(|other| self.expect_none_is(other))
    }
}

/// Whether a path stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// The path with more behind its name.
pub(crate) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether there is anything of that name, a dangling link included.
pub(crate) fn is_there(path: &Path) -> Result<bool> {
    Ok(look_at(path)?.is_some())
}

/// What is of that name, a link as itself.
pub(crate) fn look_at(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(Error::io("look for", path)(error)),
    }
}

/// Refuses the path of no file, and names that this program uses in between.
pub(crate) fn expect_ordinary_name(path: &Path) -> Result<()> {
    let Some(name) = path.file_name() else {
        return Err(Error::NotAFileName(path.to_path_buf()));
    };
    if name.as_encoded_bytes().ends_with(STAGED_SUFFIX.as_bytes()) {
        return Err(Error::ReservedName(path.to_path_buf()));
    }
    Ok(())
}

/// Refuses an output that is the input itself, under whatever path.
pub(crate) fn expect_other_file(input: &Path, output: &Path) -> Result<()> {
    if is_same_place(input, output) {
        return Err(Error::SameFile(output.to_path_buf()));
    }
    Ok(())
}

/// Refuses to replace what is not a regular file: a folder, a device, a link.
pub(crate) fn expect_replaceable(path: &Path) -> Result<()> {
    match look_at(path)? {
        Some(there) if !there.is_file() => Err(Error::NotRegular(path.to_path_buf())),
        _ => Ok(()),
    }
}

/// Opens a part of a pair. A pipe or a device is refused, and not waited for.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path);
    let file = file.map_err(Error::io("open", path))?;
    expect_no_folder(&file, path)?;
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if metadata.is_file() { Ok(file) } else { Err(Error::NotAFile(path.to_path_buf())) }
}

/// Refuses a folder as an input; opening one goes well.
pub(crate) fn expect_no_folder(file: &File, path: &Path) -> Result<()> {
    let metadata = file.metadata().map_err(Error::io("open", path))?;
    if metadata.is_dir() { Err(Error::Folder(path.to_path_buf())) } else { Ok(()) }
}

/// An input's error: one that is not there is told apart.
pub(crate) fn cannot_open(path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotThere(path.to_path_buf()),
        _ => Error::io("open", path)(error),
    }
}

/// One file, where both are there; or else one name in one folder.
pub(crate) fn is_same_place(one: &Path, other: &Path) -> bool {
    let node = |path| fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let name = |path: &Path| {
        let folder = fs::canonicalize(folder_of(path)).ok()?;
        Some(folder.join(path.file_name()?))
    };
    node(one).is_some_and(|one| Some(one) == node(other))
        || name(one).is_some_and(|one| Some(one) == name(other))
}

/// Nothing is there either when a part of the path is no folder.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
