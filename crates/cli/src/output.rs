//! Files that have no name until they are complete.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::TempPath;

/// A file that is being written. It gets a name when it is complete and not before, so whatever
/// ends the process early, `kill -9` too, leaves nothing.
///
/// Where the system has no nameless files it is a temporary file beside its goal, removed on every
/// way out but a killed process.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    named: Option<TempPath>,
}

/// A folder, locked against other runs of this program while names in it change. Locks are held
/// for the moment of publishing only, never while content is written.
#[derive(Debug)]
pub(crate) struct Folder {
    handle: File,
}

impl Output {
    /// A new file that will get a name in `folder`.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        match nameless(folder)? {
            Some(file) => Ok(Self { file, named: None }),
            None => Self::temporary(folder),
        }
    }

    fn temporary(folder: &Path) -> io::Result<Self> {
        let temp = tempfile::Builder::new()
            .prefix(".object-cipher-")
            .permissions(new_file_mode())
            .tempfile_in(folder)?;
        let (file, path) = temp.into_parts();
        Ok(Self { file, named: Some(path) })
    }

    /// Takes over the permission bits of what the content comes from, as gzip does.
    pub(crate) fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        self.file.set_permissions(permissions)
    }

    /// Writes the file to disk and gives it its name, which must be free.
    pub(crate) fn publish(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        match self.named {
            Some(temp) => Ok(temp.persist_noclobber(path)?),
            None => link(&self.file, path),
        }
    }
}

impl Write for Output {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Folder {
    /// Locks a folder, waiting for its turn.
    pub(crate) fn lock(path: &Path) -> io::Result<Self> {
        let handle = File::open(path)?;
        // Some network file systems cannot lock folders. Each run is safe there all the same; only
        // two at one time, on one pair, are not kept apart.
        let _ = handle.lock();
        Ok(Self { handle })
    }

    /// Makes the names given so far last through a loss of power.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    /// Replaces the file at `path` in one step; the old one stays until then. `staged` is the name
    /// the new file has in between, and only this program uses it.
    pub(crate) fn replace(&self, output: Output, staged: &Path, path: &Path) -> io::Result<()> {
        remove_if_there(staged)?;
        output.publish(staged)?;
        fs::rename(staged, path).inspect_err(|_| drop(fs::remove_file(staged)))?;
        self.sync()
    }
}

/// The folder a file is in.
pub(crate) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The name a file has while it waits to take the place of `path`.
pub(crate) fn staged(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(STAGED_SUFFIX);
    name.into()
}

/// The end of the names that [`staged`] makes.
pub(crate) const STAGED_SUFFIX: &str = ".object-cipher-new";

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What an ordinary new file may have; the umask takes its part away.
fn new_file_mode() -> Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

#[cfg(target_os = "linux")]
fn nameless(folder: &Path) -> io::Result<Option<File>> {
    use rustix::{
        fs::{Mode, OFlags},
        io::Errno,
    };

    // The way from a descriptor to a name leads through /proc.
    if !Path::new(DESCRIPTORS).is_dir() {
        return Ok(None);
    }
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::fs::open(folder, flags, Mode::from_raw_mode(0o666)) {
        Ok(descriptor) => Ok(Some(descriptor.into())),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(target_os = "linux")]
fn link(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD};

    let descriptor = Path::new(DESCRIPTORS).join(file.as_raw_fd().to_string());
    Ok(rustix::fs::linkat(CWD, &descriptor, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

#[cfg(target_os = "linux")]
const DESCRIPTORS: &str = "/proc/self/fd";

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

#[cfg(not(target_os = "linux"))]
fn link(_: &File, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        io::{self, Write},
        path::Path,
    };

    use super::{Folder, Output, staged};

    const MAKERS: [fn(&Path) -> io::Result<Output>; 2] = [Output::new, Output::temporary];

    #[test]
    fn a_file_has_its_name_once_it_is_published() {
        for new in MAKERS {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            let mut output = new(folder.path()).unwrap();
            output.write_all(b"content").unwrap();
            assert!(!path.exists());
            output.publish(&path).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"content");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_file_that_is_given_up_leaves_nothing() {
        for new in MAKERS {
            let folder = tempfile::tempdir().unwrap();
            new(folder.path()).unwrap().write_all(b"content").unwrap();
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        }
    }

    #[test]
    fn publishing_never_replaces() {
        for new in MAKERS {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            fs::write(&path, "old").unwrap();
            let error = new(folder.path()).unwrap().publish(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read(&path).unwrap(), b"old");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_replacement_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::create_dir(&path).unwrap();
        let output = Output::new(folder.path()).unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        locked.replace(output, &staged(&path), &path).unwrap_err();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn replacing_removes_what_a_killed_run_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "old").unwrap();
        fs::write(staged(&path), "left behind").unwrap();
        let mut output = Output::new(folder.path()).unwrap();
        output.write_all(b"new").unwrap();
        let locked = Folder::lock(folder.path()).unwrap();
        locked.replace(output, &staged(&path), &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
