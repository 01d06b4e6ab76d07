//! Files that hold secrets: read only when nobody else could, replaced whole or not at all.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, Instant},
};

use zeroize::Zeroizing;

use crate::{Error, Result};

/// A writer waits this long for another one before it gives up.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(5);
/// The digits of any process number.
const MAX_HOLDER: usize = 10;

/// What is added to the name of a keyring file for the files beside it: the generation before, the
/// writers' lock, and what is to replace a file.
pub(crate) const PREVIOUS: &str = "previous";
const LOCK: &str = "lock";
const NEW: &str = "new";

/// The right to change the file at a path; held by one writer of one process at a time. Readers need
/// none: a file is replaced, never changed.
#[derive(Debug)]
pub struct WriterLock {
    /// Closing it lets the lock go.
    _file: File,
}

/// Who may read a file beside its owner.
#[derive(Clone, Copy)]
enum Guard {
    /// Nobody.
    Private,
    /// The group, as systemd lets a service's user read root's file by an access list, which
    /// shows as group permission.
    Credential,
    /// Everybody: it holds no secret.
    Log,
}

/// Reads a file that must be this user's alone, at most `limit` bytes.
pub(crate) fn read_private(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    read(path, limit, Guard::Private)
}

/// Reads a file of systemd's credentials directory.
pub(crate) fn read_credential(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>> {
    read(path, limit, Guard::Credential)
}

/// Opens a file to read it and to change it in place, and makes it if it is not there. Others may
/// read it, and not write it.
pub(crate) fn open_log(path: &Path) -> Result<File> {
    let mut options = open_options(true);
    let file = open(path, options.read(true).create(true))?;
    check(path, &file, Guard::Log)?;
    Ok(file)
}

/// Whether a file that must be this user's alone ends in these bytes.
pub(crate) fn ends_with<const N: usize>(path: &Path, end: &[u8; N]) -> Result<bool> {
    let io = |source| Error::io(path, "read", source);
    let (mut file, length) = open_guarded(path, Guard::Private)?;
    let Some(start) = length.checked_sub(N as u64) else { return Ok(false) };
    let mut found = [0; N];
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut found)).map_err(io)?;
    Ok(found == *end)
}

/// Puts a file in place, whole or not at all: written beside as `<path>.new`, synced, renamed,
/// and the rename synced.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = staged(path);
    remove(&new)?;
    let mut file = open_options(true)
        .create_new(true)
        .open(&new)
        .map_err(|source| Error::io(&new, "create", source))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(|source| Error::io(&new, "write", source))?;
    fs::rename(&new, path).map_err(|source| Error::io(path, "replace", source))?;
    sync_directory(path)
}

/// Makes a file where none is, not even a dangling link. Another one that comes to be there
/// meanwhile is not replaced either.
pub(crate) fn create(path: &Path, bytes: &[u8]) -> Result<()> {
    refuse_own(path)?;
    let created = open_options(true).create_new(true).open(path);
    let mut file = created.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => Error::Exists { file: path.into() },
        _ => Error::io(path, "create", source),
    })?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(source) = written {
        // It is this call's own, a moment old, and not whole.
        drop(fs::remove_file(path));
        return Err(Error::io(path, "write", source));
    }
    sync_directory(path)
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_directory(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io(path, "remove", error)),
    }
}

/// Removes a file, and what an interrupted [`put`] of it may have left.
pub(crate) fn remove_all(path: &Path) -> Result<()> {
    remove(&staged(path))?;
    remove(path)
}

/// Refuses when anything is at the path, even a dangling link.
pub(crate) fn refuse_existing(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Error::Exists { file: path.into() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io(path, "look for", error)),
    }
}

/// The path with `.suffix` after its name.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".");
    name.push(suffix);
    name.into()
}

impl WriterLock {
    /// Locks `<path>.lock`, waiting at most [`LOCK_WAIT`] for another writer.
    pub(crate) fn acquire(path: &Path) -> Result<Self> {
        let path = beside(path, LOCK);
        let file = open_options(true)
            .create(true)
            .open(&path)
            .map_err(|source| Error::io(&path, "open", source))?;
        let deadline = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // Only for the message of those who wait in vain.
                    drop(sign(&file));
                    return Ok(Self { _file: file });
                }
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                    thread::sleep(LOCK_POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = holder(&path);
                    return Err(Error::Locked { file: path, holder });
                }
                Err(TryLockError::Error(source)) => return Err(Error::io(path, "lock", source)),
            }
        }
    }
}

/// Where [`put`] writes what is to replace the file.
fn staged(path: &Path) -> PathBuf {
    beside(path, NEW)
}

/// Leaves the number of this process in the file that it has locked.
fn sign(mut lock: &File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.write_all(process::id().to_string().as_bytes())
}

/// The number of the process that locked the file, if it can be told.
fn holder(lock: &Path) -> Option<u32> {
    let number = read_private(lock, MAX_HOLDER).ok()?;
    str::from_utf8(&number).ok()?.parse().ok()
}

/// Refuses a name that some keyring may give, now or later, to a file beside it, which it writes
/// and removes without asking.
fn refuse_own(path: &Path) -> Result<()> {
    let is_own =
        |suffix: &OsStr| [PREVIOUS, LOCK, NEW].iter().any(|own| suffix.eq_ignore_ascii_case(own));
    match path.extension() {
        Some(suffix) if is_own(suffix) => Err(Error::OwnName { file: path.into() }),
        _ => Ok(()),
    }
}

fn read(path: &Path, limit: usize, guard: Guard) -> Result<Zeroizing<Vec<u8>>> {
    let io = |source| Error::io(path, "read", source);
    let (mut file, length) = open_guarded(path, guard)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= limit);
    let length = length.ok_or_else(|| Error::TooLarge { file: path.into(), limit })?;
    // One allocation of the full size: a buffer that grew would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; length]);
    file.read_exact(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Options for reading, or for writing a file that only this user may read; links are refused.
fn open_options(write: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(!write).write(write);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Non-blocking, so that a pipe in the file's place is noticed, not waited for.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
        options.mode(0o600).custom_flags(flags.cast_signed());
    }
    options
}

/// Opens a file for reading and checks what was opened, not what the name leads to a moment later.
/// Gives its length too.
fn open_guarded(path: &Path, guard: Guard) -> Result<(File, u64)> {
    let file = open(path, &open_options(false))?;
    let length = check(path, &file, guard)?;
    Ok((file, length))
}

/// Opens what is no link.
#[cfg(unix)]
fn open(path: &Path, options: &OpenOptions) -> Result<File> {
    use rustix::io::Errno;

    let link = [Errno::LOOP, Errno::MLINK].map(|errno| Some(errno.raw_os_error()));
    options.open(path).map_err(|source| {
        if link.contains(&source.raw_os_error()) {
            Error::Symlink { file: path.into() }
        } else {
            Error::io(path, "open", source)
        }
    })
}

/// Refuses a file that others may read or write, as far as the guard says. Gives its length.
#[cfg(unix)]
fn check(path: &Path, file: &File, guard: Guard) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file.metadata().map_err(|source| Error::io(path, "inspect", source))?;
    if !metadata.is_file() {
        return Err(Error::NotRegular { file: path.into() });
    }
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    let (forbidden, by_root) = match guard {
        Guard::Private => (0o077, false),
        Guard::Credential => (0o027, owner == 0),
        Guard::Log => (0o022, false),
    };
    if owner != user && !by_root {
        return Err(Error::Owner { file: path.into(), owner, user });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(Error::Permissions { file: path.into(), mode });
    }
    Ok(metadata.len())
}

/// Opens what is no link.
#[cfg(not(unix))]
fn open(path: &Path, options: &OpenOptions) -> Result<File> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_symlink() => Err(Error::Symlink { file: path.into() }),
        _ => options.open(path).map_err(|source| Error::io(path, "open", source)),
    }
}

/// Without Unix permissions the checks are the operator's: only the kind of file is checked.
#[cfg(not(unix))]
fn check(path: &Path, file: &File, _: Guard) -> Result<u64> {
    let metadata = file.metadata().map_err(|source| Error::io(path, "inspect", source))?;
    if !metadata.is_file() {
        return Err(Error::NotRegular { file: path.into() });
    }
    Ok(metadata.len())
}

/// Makes a rename or a removal last through a power cut.
fn sync_directory(path: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| Error::io(directory, "sync", source))
}
