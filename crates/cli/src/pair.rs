//! The two files of a sealed object, and how both change as one.
//!
//! The body is `notes.sealed`, the record `notes.sealed.envelope`. Content is written to files
//! without a name ([`Output`]); only the steps below, short and under a lock on the folder, give
//! names.
//!
//! **A new pair**: 1. the body gets its name; 2. the record gets its name. Both must be free. A run
//! that ends between the two leaves a body without a record, which no command takes for an object.
//!
//! **A pair in place of another**, where *staged* is the name with `.object-cipher-new` behind:
//!
//! | step | on disk after it | what is current |
//! |---|---|---|
//! | – | old body, old record | old |
//! | 1. the new body gets its staged name | the same, staged body | old |
//! | 2. the new record gets its staged name | the same, staged body, staged record | **new** |
//! | 3. the staged body takes the body's name | new body, old record, staged record | new |
//! | 4. the staged record takes the record's name | new body, new record | new |
//!
//! Each step is on disk before the next begins. So one look tells what is current: if there is a
//! staged record, that record, with the staged body or, if there is none, the body; otherwise the
//! plain pair. Every command looks first, and takes the missing steps 3 and 4 once it has read that
//! the staged record is one. If it may not write here, a command that reads goes on with the files
//! where they are, and one that writes fails: the staged body may be the current one. Only where
//! there is no staged record, a staged body is refuse; it is removed before the next steps 1 and 2.
//!
//! In a folder with the sticky bit, such as /tmp, anybody may put files beside another's pair. There a
//! staged file counts only if its owner may take its steps: if it belongs to the owner of the file in
//! whose place it goes, to the folder's, or to root. For the same reason a replacement that the user
//! may not end is not begun.
//!
//! A command that reads and does not get the lock takes no steps. It looks, opens both files, and looks
//! again: if other files are current then, it begins anew.
//!
//! **A record in place of another** (`rewrap`): steps 2 and 4. The body has no part in it.

mod waiting;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

use self::waiting::Waiting;
use crate::{
    error::{Error, Result},
    files::{expect_ordinary_name, expect_replaceable, is_there, open_regular, with_end},
    output::{Folder, Output, folder_of, staged},
    record::{MAX_RECORD_LEN, Record, RecordError},
};

/// The end of a record's name, behind the body's.
const RECORD_END: &str = ".envelope";

/// So long a command that only reads waits for the lock, and so often it reads without: whoever may
/// read a folder may lock it, and keep it locked.
const READ_WAIT: Duration = Duration::from_secs(1);
const UNLOCKED_READS: usize = 100;

/// Where a sealed object is: its body and its record.
#[derive(Debug)]
pub(crate) struct Pair {
    body: PathBuf,
    record: PathBuf,
}

/// Where the current files of a pair are: under their staged names if they were not renamed.
#[derive(Debug)]
struct CurrentPair<'a> {
    pair: &'a Pair,
    body: PathBuf,
    record: PathBuf,
}

/// A pair that may be changed: it is locked, and nothing of it waits under a staged name.
#[derive(Debug)]
pub(crate) struct SettledPair<'a> {
    pair: &'a Pair,
    folder: Folder,
}

impl Pair {
    /// The pair whose body is, or will be, at `body`.
    pub(crate) fn new(body: &Path) -> Result<Self> {
        expect_ordinary_name(body)?;
        Ok(Self { body: body.to_path_buf(), record: with_end(body, RECORD_END) })
    }

    /// The pair that somebody may have meant who gave `path` for the body: the one whose record it
    /// is, or the sealed form of it.
    pub(crate) fn meant_by(path: &Path) -> Option<Self> {
        let candidates = [body_of(path), Some(with_end(path, ".sealed"))];
        let mut pairs = candidates.into_iter().flatten().filter_map(|body| Self::new(&body).ok());
        pairs.find(|pair| matches!(is_there(&pair.record), Ok(true)))
    }

    pub(crate) fn body_path(&self) -> &Path {
        &self.body
    }

    pub(crate) fn record_path(&self) -> &Path {
        &self.record
    }

    /// A file that can become part of the pair.
    pub(crate) fn new_file(&self) -> Result<Output> {
        Output::new(&folder_of(&self.body))
    }

    /// A file that can become the record.
    pub(crate) fn new_record(&self, record: &Record) -> Result<Output> {
        let mut output = self.new_file()?;
        output.write_all(record.to_text().as_bytes()).map_err(Error::io("write", &self.record))?;
        Ok(output)
    }

    /// Refuses to make a pair where anything of one is.
    pub(crate) fn expect_free(&self) -> Result<()> {
        let (body, record) = (self.body.clone(), self.record.clone());
        match (is_there(&body)?, is_there(&record)?) {
            (false, false) => Ok(()),
            (true, true) => Err(Error::NeedsForce(body)),
            (true, false) => Err(Error::HalfPair { there: body, missing: record }),
            (false, true) => Err(Error::HalfPair { there: record, missing: body }),
        }
    }

    /// Refuses to replace what is no pair of regular files.
    pub(crate) fn expect_replaceable(&self) -> Result<()> {
        expect_replaceable(&self.body)?;
        expect_replaceable(&self.record)
    }

    /// Refuses a body's path that is the record's of another pair.
    pub(crate) fn expect_no_record_of_another(&self) -> Result<()> {
        match body_of(&self.body) {
            Some(other) if is_there(&other)? => Err(Error::PartOfPair(self.body.clone())),
            _ => Ok(()),
        }
    }

    /// Refuses a path for content where a body or a record is.
    pub(crate) fn expect_no_part(path: &Path) -> Result<()> {
        let pair = Self::new(path)?;
        pair.expect_no_record_of_another()?;
        if is_there(&pair.record)? || is_there(&staged(&pair.record))? {
            return Err(Error::PartOfPair(pair.body));
        }
        Ok(())
    }

    /// The record and the body, which stays the one that goes with the record, also when the pair is
    /// replaced later. First takes the steps that an interrupted run left undone, if this user may.
    pub(crate) fn read(&self) -> Result<(Record, File)> {
        let folder = self.folder()?;
        if !folder.try_lock_for(READ_WAIT) {
            return self.read_unlocked(&folder);
        }
        match self.finish(&folder) {
            Err(Error::Io { source, .. }) if is_read_only(&source) => {}
            finished => finished?,
        }
        self.current(&folder)?.read()
    }

    /// Reads again until the same files were current before and after.
    fn read_unlocked(&self, folder: &Folder) -> Result<(Record, File)> {
        for _ in 0..UNLOCKED_READS {
            let before = self.current(folder)?;
            let identity = before.identity();
            let found = before.read();
            let after = self.current(folder)?;
            if (&after.body, &after.record) == (&before.body, &before.record)
                && after.identity() == identity
            {
                return found;
            }
        }
        Err(Error::Busy(folder_of(&self.body)))
    }

    /// Locks the pair to change it. The steps that an interrupted run left undone must be taken
    /// first.
    pub(crate) fn settle(&self) -> Result<SettledPair<'_>> {
        let folder = self.folder()?;
        folder.lock()?;
        self.finish(&folder)?;
        Ok(SettledPair { pair: self, folder })
    }

    fn folder(&self) -> Result<Folder> {
        let folder = folder_of(&self.body);
        if is_there(&folder)? { Folder::open(&folder) } else { Err(Error::NoFolder(folder)) }
    }

    fn current(&self, folder: &Folder) -> Result<CurrentPair<'_>> {
        let plain = self.plain();
        Ok(match Waiting::look(self, folder)? {
            Some(Waiting { record, body }) => {
                CurrentPair { body: body.unwrap_or(plain.body), record, ..plain }
            }
            None => plain,
        })
    }

    /// The files under the names that they have when nothing waits.
    fn plain(&self) -> CurrentPair<'_> {
        CurrentPair { pair: self, body: self.body.clone(), record: self.record.clone() }
    }

    /// Steps 3 and 4, if step 2 was taken.
    fn finish(&self, folder: &Folder) -> Result<()> {
        let Some(waiting) = Waiting::look(self, folder)? else { return Ok(()) };
        // What is no record was not put there by step 2, and destroys none.
        read_record(&waiting.record)?;
        waiting.place_body(self, folder)?;
        waiting.place_record(self, folder)
    }
}

impl CurrentPair<'_> {
    fn read(&self) -> Result<(Record, File)> {
        Ok((self.record()?, self.open_body()?))
    }

    fn record(&self) -> Result<Record> {
        let Pair { body, record } = self.pair;
        match (is_there(&self.record)?, is_there(&self.body)?) {
            (true, _) => read_record(&self.record),
            (false, true) => Err(Error::NoRecord { body: body.clone(), record: record.clone() }),
            (false, false) => Err(Error::NotThere(body.clone())),
        }
    }

    fn open_body(&self) -> Result<File> {
        open_regular(&self.body).map_err(|error| match error {
            Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Error::NoBody { body: self.pair.body.clone(), record: self.pair.record.clone() }
            }
            error => error,
        })
    }
    /// Which files these are: a name's next one differs, also if it gets the same inode again.
    fn identity(&self) -> [Option<(u64, u64, i64, i64)>; 2] {
        [&self.record, &self.body].map(|path| {
            let found = fs::metadata(path).ok()?;
            Some((found.dev(), found.ino(), found.ctime(), found.ctime_nsec()))
        })
    }
}

impl SettledPair<'_> {
    /// The record.
    pub(crate) fn record(&self) -> Result<Record> {
        self.pair.plain().record()
    }

    /// Gives a new pair its names.
    pub(crate) fn create(&self, body: Output, record: Output) -> Result<()> {
        let pair = self.pair;
        pair.expect_free()?;
        body.publish(&pair.body)?;
        self.folder
            .sync()
            .and_then(|()| record.publish(&pair.record))
            .inspect_err(|_| self.withdraw_body())?;
        self.folder.sync()
    }

    /// Refuses, before any of it is begun, a replacement that could not be ended.
    pub(crate) fn expect_replaceable(&self) -> Result<()> {
        let Self { pair, folder } = self;
        pair.expect_replaceable()?;
        waiting::expect_changeable(&pair.body, folder)?;
        waiting::expect_changeable(&pair.record, folder)
    }

    /// Puts a new pair in the place of whatever is there.
    pub(crate) fn replace(&self, body: Output, record: Output) -> Result<()> {
        self.expect_replaceable()?;
        let Self { pair, folder } = self;
        let staged_body = staged(&pair.body);
        waiting::clear(&staged(&pair.record), folder)?;
        waiting::clear(&staged_body, folder)?;
        body.publish(&staged_body)?;
        self.replace_staged(record, Some(staged_body))
    }

    /// Puts a new record in the place of the old one.
    pub(crate) fn replace_record(&self, record: Output) -> Result<()> {
        let Self { pair, folder } = self;
        expect_replaceable(&pair.record)?;
        waiting::expect_changeable(&pair.record, folder)?;
        waiting::clear(&staged(&pair.record), folder)?;
        waiting::clear_body_that_counts(pair, folder)?;
        self.replace_staged(record, None)
    }

    /// Steps 2 to 4, and back again if they fail while the old files are in their places.
    fn replace_staged(&self, record: Output, body: Option<PathBuf>) -> Result<()> {
        let Self { pair, folder } = self;
        let waiting = Waiting { record: staged(&pair.record), body };
        let recorded = folder.sync().and_then(|()| record.publish(&waiting.record));
        recorded.inspect_err(|_| waiting.withdraw_body())?;
        folder
            .sync()
            .and_then(|()| waiting.place_body(pair, folder))
            .and_then(|()| waiting.place_record(pair, folder))
            .inspect_err(|_| waiting.withdraw())
    }

    /// Takes a new body back that got no record.
    fn withdraw_body(&self) {
        let Pair { body, record } = self.pair;
        if matches!(is_there(record), Ok(false)) {
            let _ = fs::remove_file(body);
        }
    }
}

fn read_record(path: &Path) -> Result<Record> {
    let file = open_regular(path)?;
    let fault = |source| Error::Record { path: path.to_path_buf(), source };
    let mut text = Vec::new();
    file.take(MAX_RECORD_LEN + 1).read_to_end(&mut text).map_err(Error::io("read", path))?;
    if text.len() as u64 > MAX_RECORD_LEN {
        return Err(fault(RecordError::TooLong));
    }
    let text = str::from_utf8(&text).map_err(|_| fault(RecordError::Form))?;
    Record::parse(text).map_err(fault)
}

/// The body that goes with a record of that name, if it is one.
fn body_of(record: &Path) -> Option<PathBuf> {
    let name = record.as_os_str().as_bytes().strip_suffix(RECORD_END.as_bytes())?;
    Some(PathBuf::from(OsStr::from_bytes(name)))
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
