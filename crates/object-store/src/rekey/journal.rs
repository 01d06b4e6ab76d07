//! What a run that ended early did already: [`Journal`].

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    fs::{File, TryLockError},
    io::{self, BufRead as _, BufReader, Write as _},
    mem,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{RekeyFault, Under};
use crate::Result;

/// Lines that are synced together, unless some have waited for [`SYNC_AFTER`]. Each is written at once.
const BATCH: usize = 256;
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// A file that a run appends what it did to, and that the next one goes on from: lines of JSON, the first
/// of which says what the run is of, each other one that a path, at the ETag that its record has since,
/// is done.
///
/// ```json
/// {"journal":"object-cipher-rekey","version":1,"of":"s3://lake, shard 0/1: SSE-S3 under keyring main, version 2"}
/// {"path":"2026/cats.csv","e_tag":"\"9b…\"","outcome":"rewrapped","from":{…},"to":{…}}
/// ```
///
/// Nothing is believed of it but that: a path whose record has another ETag is looked at anew, and so is
/// one whose line was torn by a crash. Of what is done the report takes over what the lines say it was under
/// and is: keep a journal as safe as the report. A line is written once its record is put, so that a process
/// that is killed loses no line but of what was under way; lines are synced in batches, against a loss of
/// power. A line that is lost is work that is found done; but under a customer's key, which has no name, it
/// is an object that fails, since the old key does not open it any more.
///
/// Where the goal names no key, the journal of a run that ended without a failure is not gone on with: the
/// next run may be to the next key. One process has it at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// How it begins.
    begin: Begin,
    of: Option<String>,
    /// Whether a run with it ended without a failure.
    has_ended: bool,
    past: Past,
    writer: Writer,
}

/// How a file begins that is to be a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// It is empty.
    Not,
    /// As journals do, but a crash tore the first line.
    Torn,
    /// As journals do.
    Journal,
    /// In another way.
    Other,
}

/// What was done before.
#[derive(Debug, Default)]
pub(super) struct Past {
    changes: Vec<Change>,
    /// By path and ETag, the change that was made.
    done: HashMap<[u8; 16], usize>,
    /// By path, the change of an object that went elsewhere.
    moved: HashMap<[u8; 16], usize>,
}

/// Where it is noted what is done, if anywhere.
#[derive(Debug, Default)]
pub(super) struct Writer(Option<Appender>);

/// What became of objects: what they were under, and are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) outcome: Done,
    pub(super) from: Under,
    pub(super) to: Under,
}

/// Ways in which an object is as wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Done {
    Rewrapped,
    Moved,
    LeftAlone,
}

#[derive(Serialize, Deserialize)]
struct Header {
    journal: String,
    version: u32,
    of: String,
}

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    path: Cow<'a, str>,
    e_tag: Option<Cow<'a, str>>,
    #[serde(flatten)]
    change: Cow<'a, Change>,
}

/// Of a run without a failure.
#[derive(Serialize, Deserialize)]
struct End {
    ended: bool,
}

#[derive(Debug)]
struct Appender {
    path: PathBuf,
    file: Arc<File>,
    line: Vec<u8>,
    /// Lines that were not synced yet, and since when that may be.
    unsynced: usize,
    synced: Instant,
}

impl Journal {
    /// Reads a journal to go on with it, or begins one.
    ///
    /// # Errors
    /// [`RekeyFault::Journal`] when the file cannot be read and written,
    /// [`RekeyFault::JournalBusy`] while another process has it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let file = File::options().read(true).append(true).create(true).open(&path);
        let file = file.map_err(RekeyFault::journal(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RekeyFault::JournalBusy(path).into()),
            Err(TryLockError::Error(error)) => return Err(RekeyFault::journal(&path)(error).into()),
        }
        let mut journal = Self::empty(path);
        let is_whole = journal.load(&file).map_err(RekeyFault::journal(&journal.path))?;
        // What a crash tore is ended, so that it does not tear the next line too; of a first line nothing
        // is left.
        let mended = match journal.begin {
            Begin::Torn => file.set_len(0),
            Begin::Journal if !is_whole => (&file).write_all(b"\n"),
            _ => Ok(()),
        };
        mended.map_err(RekeyFault::journal(&journal.path))?;
        let (path, file, synced) = (journal.path.clone(), Arc::new(file), Instant::now());
        journal.writer.0 = Some(Appender { path, file, line: Vec::new(), unsynced: 0, synced });
        Ok(journal)
    }

    /// Reads a journal for a run that writes nothing. One that is not there is empty.
    ///
    /// # Errors
    /// [`RekeyFault::Journal`] when the file cannot be read.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self> {
        let mut journal = Self::empty(path.into());
        let loaded = File::open(&journal.path).and_then(|file| journal.load(&file));
        match loaded {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RekeyFault::journal(&journal.path)(error).into())
            }
            _ => Ok(journal),
        }
    }

    fn empty(path: PathBuf) -> Self {
        let (past, writer) = (Past::default(), Writer::default());
        Self { path, begin: Begin::Not, of: None, has_ended: false, past, writer }
    }

    /// Refuses a journal of another run, and says in a new one what it is of.
    pub(super) fn begin(&mut self, of: &str, tells_done: bool) -> Result<()> {
        match &self.of {
            _ if self.has_ended && !tells_done => {
                Err(RekeyFault::JournalEnded(self.path.clone()).into())
            }
            _ if self.begin == Begin::Other => Err(RekeyFault::NoJournal(self.path.clone()).into()),
            Some(found) if found == of => Ok(()),
            None if self.past.is_empty() => {
                self.of = Some(of.into());
                self.writer.append(&Header {
                    journal: NAME.into(),
                    version: VERSION,
                    of: of.into(),
                })
            }
            found => {
                let (path, found) = (self.path.clone(), found.clone().unwrap_or_default());
                Err(RekeyFault::JournalOfOther { path, found, wanted: of.into() }.into())
            }
        }
    }

    /// Writes nothing into it from now on.
    pub(super) fn stay_as_it_is(&mut self) {
        self.writer = Writer::default();
    }

    pub(super) fn into_parts(self) -> (Past, Writer) {
        (self.past, self.writer)
    }

    /// Takes in every line that is whole, and says whether the last one is.
    fn load(&mut self, file: &File) -> io::Result<bool> {
        let mut reader = BufReader::with_capacity(1 << 18, file);
        let mut indices = HashMap::new();
        let (mut line, mut is_first) = (Vec::new(), true);
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line)? == 0 {
                return Ok(true);
            }
            if mem::take(&mut is_first) {
                self.begin = match &line[..] {
                    line if line.starts_with(BEGIN) && line.ends_with(b"\n") => Begin::Journal,
                    line if line.starts_with(BEGIN) || BEGIN.starts_with(line) => Begin::Torn,
                    _ => Begin::Other,
                };
            }
            let Some(line) = line.strip_suffix(b"\n") else { return Ok(false) };
            if let Ok(entry) = serde_json::from_slice(line) {
                self.past.take_in(entry, &mut indices);
            } else if serde_json::from_slice::<End>(line).is_ok() {
                self.has_ended = true;
            } else if let (None, Ok(header)) = (&self.of, serde_json::from_slice::<Header>(line)) {
                let is_ours = header.journal == NAME && header.version == VERSION;
                self.of = Some(if is_ours { header.of } else { header.journal });
            }
        }
    }
}

impl Past {
    /// What the journal says of a path at an ETag.
    pub(super) fn done(&self, path: &str, e_tag: Option<&str>) -> Option<&Change> {
        self.changes.get(*self.done.get(&digest(path, Some(e_tag?)))?)
    }

    /// What the journal says of a path where nothing is any more.
    pub(super) fn moved(&self, path: &str) -> Option<&Change> {
        self.changes.get(*self.moved.get(&digest(path, None))?)
    }

    /// The moves in the journal, but of these paths: nobody finds what was moved where it was.
    pub(super) fn all_moved_but(&self, paths: &HashSet<String>) -> impl Iterator<Item = &Change> {
        let but: HashSet<_> = paths.iter().map(|path| digest(path, None)).collect();
        let moved = self.moved.iter().filter(move |(path, _)| !but.contains(*path));
        moved.filter_map(|(_, index)| self.changes.get(*index))
    }

    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.moved.is_empty()
    }

    fn take_in(&mut self, entry: Entry<'_>, indices: &mut HashMap<Change, usize>) {
        let Entry { path, e_tag, change } = entry;
        let is_moved = change.outcome == Done::Moved;
        let index = *indices.entry(change.into_owned()).or_insert_with_key(|change| {
            self.changes.push(change.clone());
            self.changes.len() - 1
        });
        if is_moved {
            self.moved.insert(digest(&path, None), index);
        } else if let Some(e_tag) = e_tag {
            self.done.insert(digest(&path, Some(&e_tag)), index);
        }
    }
}

impl Writer {
    /// Notes that a path is done, and syncs what has waited long enough.
    pub(super) async fn note(
        &mut self,
        path: &str,
        e_tag: Option<&str>,
        change: &Change,
    ) -> Result<()> {
        self.append(&Entry {
            path: path.into(),
            e_tag: e_tag.map(Into::into),
            change: Cow::Borrowed(change),
        })?;
        let is_due =
            |file: &Appender| file.unsynced >= BATCH || file.synced.elapsed() >= SYNC_AFTER;
        if self.0.as_ref().is_some_and(is_due) { self.sync().await } else { Ok(()) }
    }

    /// Makes all that was noted last through a loss of power.
    pub(super) async fn sync(&mut self) -> Result<()> {
        let Some(Appender { path, file, unsynced, synced, .. }) = &mut self.0 else {
            return Ok(());
        };
        let file = Arc::clone(file);
        let done = tokio::task::spawn_blocking(move || file.sync_data()).await;
        (*unsynced, *synced) = (0, Instant::now());
        let done = done.unwrap_or_else(|error| Err(io::Error::other(error)));
        Ok(done.map_err(RekeyFault::journal(path))?)
    }

    /// Notes that all was looked at, and nothing failed.
    pub(super) fn end(&mut self) -> Result<()> {
        self.append(&End { ended: true })
    }

    fn append(&mut self, line: &impl Serialize) -> Result<()> {
        if let Some(Appender { path, file, line: bytes, unsynced, .. }) = &mut self.0 {
            bytes.clear();
            let made = serde_json::to_writer(&mut *bytes, line).map_err(io::Error::other);
            bytes.push(b'\n');
            let written = made.and_then(|()| (&**file).write_all(bytes));
            written.map_err(RekeyFault::journal(path))?;
            *unsynced += 1;
        }
        Ok(())
    }
}

impl RekeyFault {
    fn journal(path: &FilePath) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Journal { path: path.into(), source }
    }
}

const NAME: &str = "object-cipher-rekey";
/// How a first line begins, so that nothing is appended to any other file.
const BEGIN: &[u8] = br#"{"journal":"object-cipher-rekey","#;
const VERSION: u32 = 1;

/// Sixteen bytes an object, however long its path is.
fn digest(path: &str, e_tag: Option<&str>) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update((path.len() as u64).to_be_bytes());
    hash.update(path);
    if let Some(e_tag) = e_tag {
        hash.update([1]);
        hash.update(e_tag);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
