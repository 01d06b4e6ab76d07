//! Files that have no name until they are complete.

use std::{
    fs::{self, File, Metadata, Permissions, TryLockError},
    io::{self, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempPath;

use crate::{
    error::{Error, Result},
    files::{expect_replaceable, with_end},
};

/// Another run has a folder locked for moments; this long it does not take.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_POLL: Duration = Duration::from_millis(5);

/// What an ordinary new file may have; the umask takes its part away.
const ORDINARY_MODE: u32 = 0o666;

/// A file that is being written, for its owner only. It gets a name and its permission bits when it
/// is complete and not before, so whatever ends the process early, `kill -9` too, leaves nothing.
///
/// Where the system has no nameless files it is a temporary file beside its goal, removed on every
/// way out but a killed process.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    named: Option<TempPath>,
    /// The permission bits that the umask leaves to new files.
    allowed: u32,
    mode: u32,
}

/// A folder, to be locked against other runs of this program while names in it change. Locks are held
/// for the moment of publishing only, never while content is written.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    handle: File,
}

impl Output {
    /// A new file that will get a name in `folder`.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        Self::in_folder(folder).map_err(Error::io("create a file in", folder))
    }

    fn in_folder(folder: &Path) -> io::Result<Self> {
        match nameless(folder)? {
            Some(file) => Self::begin(file, None),
            None => Self::temporary(folder),
        }
    }

    fn temporary(folder: &Path) -> io::Result<Self> {
        let temp = tempfile::Builder::new()
            .prefix(".object-cipher-")
            .permissions(Permissions::from_mode(ALL_BITS))
            .tempfile_in(folder)?;
        let (file, path) = temp.into_parts();
        Self::begin(file, Some(path))
    }

    /// Takes a file that was created with all bits: those that it has are those the umask leaves.
    fn begin(file: File, named: Option<TempPath>) -> io::Result<Self> {
        let allowed = file.metadata()?.permissions().mode() & ALL_BITS;
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(Self { file, named, allowed, mode: ORDINARY_MODE & allowed })
    }

    /// Takes over the permission bits of what the content comes from, as `cp` does: less the umask,
    /// and never those that give a program its owner's rights. The group goes with them; if this
    /// user may not give it, group and others get what both had, for who was one may now be the other.
    pub(crate) fn copy_mode(&mut self, source: &Metadata) {
        let mode = source.mode();
        let mode = if self.take_group(source.gid()).is_ok() { mode } else { narrowed(mode) };
        self.mode = mode & self.allowed;
    }

    fn take_group(&self, group: u32) -> io::Result<()> {
        if self.file.metadata()?.gid() == group {
            return Ok(());
        }
        fchown(&self.file, None, Some(group))
    }

    /// Takes over owner, group and permission bits, whatever the umask, of the file in whose place it
    /// goes.
    pub(crate) fn stand_in_for(&mut self, old: &Metadata) -> io::Result<()> {
        let new = self.file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(&self.file, Some(old.uid()), Some(old.gid()))?;
        }
        self.mode = old.mode() & ALL_BITS;
        Ok(())
    }

    /// Writes the file to disk and gives it its name, which must be free.
    pub(crate) fn publish(self, path: &Path) -> Result<()> {
        self.name(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists(path.to_path_buf()),
            _ => Error::io("write", path)(error),
        })
    }

    fn name(self, path: &Path) -> io::Result<()> {
        self.file.set_permissions(Permissions::from_mode(self.mode))?;
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
    /// A folder, not locked yet.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let handle = File::open(path).map_err(Error::io("open", path))?;
        Ok(Self { path: path.to_path_buf(), handle })
    }

    /// Opens and locks a folder.
    pub(crate) fn open_locked(path: &Path) -> Result<Self> {
        let folder = Self::open(path)?;
        folder.lock()?;
        Ok(folder)
    }

    /// Locks it, waiting for its turn, but not for ever.
    pub(crate) fn lock(&self) -> Result<()> {
        if self.try_lock_for(LOCK_WAIT) { Ok(()) } else { Err(Error::Busy(self.path.clone())) }
    }

    /// Whether it could be locked in that time.
    pub(crate) fn try_lock_for(&self, wait: Duration) -> bool {
        let deadline = Instant::now() + wait;
        loop {
            match self.handle.try_lock() {
                // Some network file systems cannot lock folders. Each run is safe there all the
                // same; only two at one time, on one pair, are not kept apart.
                Ok(()) | Err(TryLockError::Error(_)) => return true,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOCK_POLL);
                }
                Err(TryLockError::WouldBlock) => return false,
            }
        }
    }

    /// Makes the names given so far last through a loss of power.
    pub(crate) fn sync(&self) -> Result<()> {
        self.handle.sync_all().map_err(Error::io("write the folder", &self.path))
    }

    /// Whether a user who may write to the folder may rename and remove a file of `owner` in it. If
    /// it has the sticky bit that is for the file's owner, the folder's, and root.
    pub(crate) fn lets_change(&self, user: u32, owner: u32) -> Result<bool> {
        let folder = self.handle.metadata().map_err(Error::io("read", &self.path))?;
        let is_sticky = folder.permissions().mode() & STICKY_BIT != 0;
        Ok(!is_sticky || [owner, folder.uid(), 0].contains(&user))
    }

    /// Replaces the file at `path` in one step; the old one stays until then. `staged` is the name
    /// the new file has in between, and only this program uses it.
    pub(crate) fn replace(&self, output: Output, staged: &Path, path: &Path) -> Result<()> {
        expect_replaceable(path)?;
        remove_if_there(staged)?;
        output.publish(staged)?;
        fs::rename(staged, path)
            .inspect_err(|_| drop(fs::remove_file(staged)))
            .map_err(Error::io("replace", path))?;
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
    with_end(path, STAGED_SUFFIX)
}

/// The end of the names that [`staged`] makes.
pub(crate) const STAGED_SUFFIX: &str = ".object-cipher-new";

pub(crate) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The bits with those only of group and others that both have.
fn narrowed(mode: u32) -> u32 {
    let both = mode >> 3 & mode & 0o7;
    mode & 0o700 | both << 3 | both
}

/// Reading, writing and running, for owner, group and others.
const ALL_BITS: u32 = 0o777;
const STICKY_BIT: u32 = 0o1000;

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
    match rustix::fs::open(folder, flags, Mode::RWXU | Mode::RWXG | Mode::RWXO) {
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
        fs::{self, File},
        io::{self, Write},
        os::unix::fs::PermissionsExt,
        path::Path,
        time::Duration,
    };

    use super::{Folder, Output, staged};
    use crate::error::Error;

    #[test]
    fn group_and_others_keep_what_both_had() {
        for (mode, left) in [(0o640, 0o600), (0o644, 0o644), (0o604, 0o600), (0o100_775, 0o755)] {
            assert_eq!(super::narrowed(mode), left, "{mode:o}");
        }
    }

    const MAKERS: [fn(&Path) -> io::Result<Output>; 2] = [Output::in_folder, Output::temporary];

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
            assert!(matches!(error, Error::Exists(_)), "{error}");
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
        let locked = Folder::open_locked(folder.path()).unwrap();
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
        let locked = Folder::open_locked(folder.path()).unwrap();
        locked.replace(output, &staged(&path), &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
    #[test]
    fn a_file_is_its_owners_alone_until_it_is_published() {
        for new in MAKERS {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            let mut output = new(folder.path()).unwrap();
            output.mode = 0o640;
            assert_eq!(output.file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
            output.publish(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        }
    }

    #[test]
    fn a_lock_that_is_never_given_up_is_not_waited_for_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let other = File::open(folder.path()).unwrap();
        other.lock().unwrap();
        let locked = Folder::open(folder.path()).unwrap();
        assert!(!locked.try_lock_for(Duration::from_millis(20)));
        drop(other);
        assert!(locked.try_lock_for(Duration::ZERO));
    }
}
