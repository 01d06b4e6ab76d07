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
//! plain pair. Every command looks first, and takes the missing steps 3 and 4 if it may write here;
//! if not, it reads the files where they are. A staged body alone is refuse and is removed before
//! the next steps 1 and 2.
//!
//! **A record in place of another** (`rewrap`): steps 2 and 4. The body has no part in it.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    output::{Folder, Output, STAGED_SUFFIX, folder_of, remove_if_there, staged},
    record::{MAX_RECORD_LEN, Record, RecordError},
};

/// Where a sealed object is: its body and its record.
#[derive(Debug)]
pub(crate) struct Pair {
    body: PathBuf,
    record: PathBuf,
}

/// A pair whose names do not change as long as this is held.
#[derive(Debug)]
pub(crate) struct LockedPair<'a> {
    pair: &'a Pair,
    folder: Folder,
    /// Where the current files are: under their staged names if they could not be renamed.
    body: PathBuf,
    record: PathBuf,
}

impl Pair {
    /// The pair whose body is, or will be, at `body`.
    pub(crate) fn new(body: &Path) -> Result<Self> {
        let Some(name) = body.file_name() else {
            return Err(Error::NotAFileName(body.to_path_buf()));
        };
        if name.as_encoded_bytes().ends_with(STAGED_SUFFIX.as_bytes()) {
            return Err(Error::ReservedName(body.to_path_buf()));
        }
        let mut record = body.as_os_str().to_owned();
        record.push(".envelope");
        Ok(Self { body: body.to_path_buf(), record: record.into() })
    }

    pub(crate) fn body_path(&self) -> &Path {
        &self.body
    }

    pub(crate) fn record_path(&self) -> &Path {
        &self.record
    }

    /// A file that can become part of the pair.
    pub(crate) fn new_file(&self) -> Result<Output> {
        let folder = folder_of(&self.body);
        Output::new(&folder).map_err(Error::io("create a file in", &folder))
    }

    /// A file that can become the record.
    pub(crate) fn new_record(
        &self,
        record: &Record,
        permissions: Option<fs::Permissions>,
    ) -> Result<Output> {
        let mut output = self.new_file()?;
        output
            .write_all(record.to_text().as_bytes())
            .and_then(|()| permissions.map_or(Ok(()), |bits| output.set_permissions(bits)))
            .map_err(Error::io("write", &self.record))?;
        Ok(output)
    }

    /// Refuses a pair of which anything is there.
    pub(crate) fn expect_free(&self) -> Result<()> {
        for path in [&self.body, &self.record] {
            if is_there(path).map_err(Error::io("look for", path))? {
                return Err(Error::Exists(path.clone()));
            }
        }
        Ok(())
    }

    /// Locks the pair, and first takes the steps that an interrupted run left undone.
    pub(crate) fn lock(&self) -> Result<LockedPair<'_>> {
        let folder = Folder::lock(&folder_of(&self.body)).map_err(Error::io("open", &self.body))?;
        let finished = self.finish(&folder);
        if let Err(error) = finished
            && !is_read_only(&error)
        {
            return Err(Error::Io {
                action: "finish replacing",
                path: self.body.clone(),
                source: error,
            });
        }
        let (body, record) = self.current().map_err(Error::io("look for", &self.body))?;
        Ok(LockedPair { pair: self, folder, body, record })
    }

    /// Where the current files are.
    fn current(&self) -> io::Result<(PathBuf, PathBuf)> {
        let (body, record) = (staged(&self.body), staged(&self.record));
        if !is_there(&record)? {
            return Ok((self.body.clone(), self.record.clone()));
        }
        Ok((if is_there(&body)? { body } else { self.body.clone() }, record))
    }

    /// Steps 3 and 4, if step 2 was taken.
    fn finish(&self, folder: &Folder) -> io::Result<()> {
        let (body, record) = (staged(&self.body), staged(&self.record));
        if !is_there(&record)? {
            return Ok(());
        }
        if is_there(&body)? {
            fs::rename(body, &self.body)?;
            folder.sync()?;
        }
        fs::rename(record, &self.record)?;
        folder.sync()
    }
}

impl LockedPair<'_> {
    /// The record.
    pub(crate) fn record(&self) -> Result<Record> {
        let path = &self.record;
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::NoRecord(self.pair.record.clone()));
            }
            opened => opened.map_err(Error::io("open", path))?,
        };
        let fault = |source| Error::Record { path: path.clone(), source };
        let mut text = Vec::new();
        file.take(MAX_RECORD_LEN + 1).read_to_end(&mut text).map_err(Error::io("read", path))?;
        if text.len() as u64 > MAX_RECORD_LEN {
            return Err(fault(RecordError::TooLong));
        }
        let text = str::from_utf8(&text).map_err(|_| fault(RecordError::Form))?;
        Record::parse(text).map_err(fault)
    }

    /// The body. It stays the one that goes with the record, also when the pair is replaced later.
    pub(crate) fn open_body(&self) -> Result<File> {
        File::open(&self.body).map_err(Error::io("open", &self.body))
    }

    /// Gives a new pair its names.
    pub(crate) fn create(&self, body: Output, record: Output) -> Result<()> {
        self.pair.expect_free()?;
        publish(body, &self.pair.body)?;
        self.sync()
            .and_then(|()| publish(record, &self.pair.record))
            .inspect_err(|_| drop(fs::remove_file(&self.pair.body)))?;
        self.sync()
    }

    /// Puts a new pair in the place of whatever is there.
    pub(crate) fn replace(&self, body: Output, record: Output) -> Result<()> {
        for path in [&self.pair.body, &self.pair.record] {
            // Found out now: once the record is staged there is no way back.
            if fs::symlink_metadata(path).is_ok_and(|there| there.is_dir()) {
                return Err(Error::io("replace", path)(io::ErrorKind::IsADirectory.into()));
            }
        }
        self.clear_staged_body()?;
        publish(body, &staged(&self.pair.body))?;
        self.replace_staged(record)
    }

    /// Puts a new record in the place of the old one.
    pub(crate) fn replace_record(&self, record: Output) -> Result<()> {
        self.clear_staged_body()?;
        self.replace_staged(record)
    }

    fn replace_staged(&self, record: Output) -> Result<()> {
        self.sync()?;
        publish(record, &staged(&self.pair.record))?;
        self.sync()?;
        self.pair.finish(&self.folder).map_err(Error::io("replace", &self.pair.body))
    }

    fn clear_staged_body(&self) -> Result<()> {
        let path = staged(&self.pair.body);
        remove_if_there(&path).map_err(Error::io("remove", &path))
    }

    fn sync(&self) -> Result<()> {
        self.folder.sync().map_err(Error::io("write the folder of", &self.pair.body))
    }
}

fn publish(output: Output, path: &Path) -> Result<()> {
    output.publish(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(path.to_path_buf()),
        _ => Error::Io { action: "write", path: path.to_path_buf(), source },
    })
}

/// Whether there is anything of that name, a dangling link included.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}
