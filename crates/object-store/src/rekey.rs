//! Changes of key of many objects, by their records alone: [`Rekey`].
//!
//! ```
//! use object_cipher_core::{EkSource, KeyRef, LayeredCipher, Mode};
//! use object_cipher_object_store::{
//!     CipherTable, EncryptedStore,
//!     rekey::{Goal, Journal, Rekey, Walk},
//! };
//! use object_cipher_rustcrypto::RustCrypto;
//! use object_store::{ObjectStoreExt, memory::InMemory, path::Path};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
//! # runtime.block_on(async {
//! # let old = LayeredCipher::sse_c(object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]), RustCrypto);
//! # let new = LayeredCipher::client(object_cipher_testkit::TestKeys::new(EkSource::Client, [8; 32]), RustCrypto);
//! # let inner = InMemory::new();
//! # let store = EncryptedStore::new(inner.fork(), "lake", old);
//! # store.put(&Path::from("2026/cats.csv"), "Tom".into()).await?;
//! # let old = LayeredCipher::sse_c(object_cipher_testkit::TestKeys::new(EkSource::Customer, [7; 32]), RustCrypto);
//! # let inner = store.inner().fork();
//! # let folder = tempfile::tempdir()?;
//! // What seals from now on, and what opens what is there.
//! let ciphers = CipherTable::new(new).also_open(old);
//! let store = EncryptedStore::builder(inner, "lake", ciphers).build();
//!
//! // The key that they are to be under: of a keyring `KeyRef::Master(keyring.enabled().key_ref().clone())`.
//! let goal = Goal::new(Mode::Client).under(KeyRef::Client("test-key".into()));
//! let report = Rekey::new(store, goal)
//!     .named("memory")
//!     .journal(Journal::open(folder.path().join("journal"))?)
//!     .run(Walk::list(None))
//!     .await?;
//! assert_eq!((report.changes[0].objects, report.failed), (1, 0));
//! println!("{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fault;
mod goal;
mod journal;
mod manifest;
mod object;
mod pace;
mod report;
mod shard;
mod under;
mod walk;

use std::{
    collections::HashSet,
    fmt,
    num::NonZeroU32,
    pin::pin,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_core::Stream;
use futures_util::{StreamExt as _, future};
use http::Extensions;
use object_store::{ObjectStore, path::Path};

use crate::{EncryptedStore, Error, Result};
use journal::Past;
use object::Outcome;
use pace::Pace;
use report::{Subject, Tally, now};
use walk::Found;

pub use fault::RekeyFault;
pub use goal::Goal;
pub use journal::Journal;
pub use manifest::Manifest;
pub use report::{Changed, Counted, Failure, Kind, Needed, Report};
pub use shard::Shard;
pub use under::{Key, Under};
pub use walk::Walk;

/// Puts many objects under other keys, or in another mode of the same number of layers, or moves them, or
/// counts what they are under. Bodies are not read.
///
/// An object that is as wanted is left alone, so that a run may be repeated at any time; one that somebody
/// writes meanwhile is tried again; one that fails is reported, and the walk goes on. Wants to be run in
/// tokio, with its timers if there is a [rate](Self::rate).
///
/// # Security
/// The data keys stay: who had one keeps it. Earlier versions in a bucket that keeps them stay under the
/// keys they are under, as do copies elsewhere; before a key is destroyed they have to go.
#[must_use]
pub struct Rekey<S> {
    store: EncryptedStore<S>,
    name: String,
    task: Task,
    extensions: Extensions,
    shard: Shard,
    concurrency: usize,
    rate: Option<NonZeroU32>,
    attempts: u32,
    is_dry: bool,
    journal: Option<Journal>,
    /// What a dry run has opened an object of.
    opened: Mutex<HashSet<Under>>,
    watch: Box<dyn Watch>,
}

/// What is to be done.
#[derive(Clone, Debug)]
enum Task {
    Census,
    Rewrap(Goal),
    Move { goal: Goal, from: Path, to: Path },
}

/// Sees how a run goes on.
pub trait Watch: Send + Sync {
    /// One more path was looked at.
    fn progress(&self, _progress: &Progress) {}

    /// A path failed, and that is one of the report's failures.
    fn failed(&self, _path: &str, _error: &Error) {}
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// Paths that were looked at.
    pub done: u64,
    /// Paths to look at, if that is known.
    pub total: Option<u64>,
    began: Instant,
}

impl<S: ObjectStore> Rekey<S> {
    /// Puts objects under another key or mode: the one that the store's cipher for their path gives, which
    /// has to be the goal's. Over a store without conditional puts, such as files, the store has to have a
    /// [single writer](crate::Builder::single_writer); for runs of different shards side by side that is so.
    pub fn new(store: EncryptedStore<S>, goal: Goal) -> Self {
        Self::with_task(store, Task::Rewrap(goal))
    }

    /// Moves all objects under one prefix to another, and puts them under the goal with that. What is at
    /// the new path is never replaced. Nobody else may write to the old paths meanwhile. An object whose new
    /// path would lie under the old prefix, as `a/b/b/x` when `a/b` is moved to `a`, fails.
    ///
    /// # Errors
    /// [`RekeyFault::MoveInto`] when the new prefix lies in the old one.
    pub fn moving(store: EncryptedStore<S>, goal: Goal, from: Path, to: Path) -> Result<Self> {
        if to.prefix_matches(&from) {
            return Err(RekeyFault::MoveInto { from, to }.into());
        }
        Ok(Self::with_task(store, Task::Move { goal, from, to }))
    }

    /// Counts what objects are under, and changes nothing. No key is needed.
    pub fn census(store: EncryptedStore<S>) -> Self {
        Self::with_task(store, Task::Census)
    }

    fn with_task(store: EncryptedStore<S>, task: Task) -> Self {
        Self {
            name: store.inner().to_string(),
            store,
            task,
            extensions: Extensions::new(),
            shard: Shard::ALL,
            concurrency: 16,
            rate: None,
            attempts: 5,
            is_dry: false,
            journal: None,
            opened: Mutex::default(),
            watch: Box::new(()),
        }
    }

    /// What reports and journals call the store, such as its URL and the prefix that is walked. By default
    /// what the store beneath calls itself, which not always tells one store from another.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// What each request says of encryption, such as a [`Caller`](crate::Caller).
    pub fn extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Looks at one shard of the paths only.
    pub fn shard(mut self, shard: Shard) -> Self {
        self.shard = shard;
        self
    }

    /// Objects that are under way at once: 16 by default.
    pub fn concurrency(mut self, objects: usize) -> Self {
        self.concurrency = objects.max(1);
        self
    }

    /// At most so many objects a second. What a journal says is done does not count.
    pub fn rate(mut self, objects: NonZeroU32) -> Self {
        self.rate = Some(objects);
        self
    }

    /// Times that an object is tried that others write meanwhile: 5 by default.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.max(1);
        self
    }

    /// Says what would be done, and writes nothing. Of what is under the same keys objects are opened until one
    /// could be: so a key that is missing, or another bucket's name, is told. Of customers' keys, which have no
    /// names, one stands for all. Nothing is wrapped, so that what the new key would refuse is not known.
    pub fn dry_run(mut self) -> Self {
        self.is_dry = true;
        self
    }

    /// Goes on from a journal, and notes there what is done.
    pub fn journal(mut self, journal: Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Who sees how it goes on.
    pub fn watch(mut self, watch: impl Watch + 'static) -> Self {
        self.watch = Box::new(watch);
        self
    }

    /// Looks at every path of the walk that is in the shard.
    ///
    /// # Errors
    /// Those of the journal, [`RekeyFault::Alias`] for a goal that is none, and [`Error::NoConditions`] where
    /// nothing can be rewrapped in place: an object's own are in the report.
    pub async fn run(mut self, walk: Walk) -> Result<Report> {
        self.task.expect_possible()?;
        let mut tally = Tally::begin();
        let (past, mut writer) = match self.journal.take() {
            Some(mut journal) => {
                if self.is_dry {
                    journal.stay_as_it_is();
                }
                journal.begin(&self.journal_of(), self.task.tells_done())?;
                journal.into_parts()
            }
            None => Default::default(),
        };
        let mut moved_anew = HashSet::new();
        let mut progress = Progress { done: 0, total: walk.total, began: Instant::now() };
        let mut settled = pin!(self.settled(walk, &past));
        while let Some((object, outcome)) = settled.next().await {
            match outcome {
                Outcome::Done { ref change, ref e_tag } => {
                    writer.note(&object, e_tag.as_deref(), change).await?;
                    if past.moved(&object).is_some() {
                        moved_anew.insert(object.clone());
                    }
                }
                Outcome::Failed(error @ Error::NoConditions { .. }, _) if self.task.is_rewrap() => {
                    writer.sync().await?;
                    return Err(error);
                }
                _ => {}
            }
            self.enter(&mut tally, &object, outcome);
            progress.done += 1;
            self.watch.progress(&progress);
        }
        past.all_moved_but(&moved_anew).for_each(|change| tally.count(change, true));
        if tally.failed() == 0 && !tally.found_nothing() {
            writer.end()?;
        }
        writer.sync().await?;
        Ok(tally.into_report(self.subject(), vec![self.shard], now()))
    }

    /// What becomes of every path that is in the shard, as it does.
    fn settled<'a>(
        &'a self,
        walk: Walk,
        past: &'a Past,
    ) -> impl Stream<Item = (String, Outcome)> + 'a {
        let mut pace = self.rate.map(Pace::new);
        walk.found(&self.store)
            .filter(|found| future::ready(found.path().is_none_or(|path| self.shard.has(path))))
            .map(move |found| (found.known_to(past).cloned(), found))
            .then(move |(known, found)| {
                let pace = pace.as_mut().filter(|_| known.is_none());
                let wait = pace.map_or(Duration::ZERO, |pace| pace.wait(Instant::now()));
                async move {
                    if !wait.is_zero() {
                        tokio::time::sleep(wait).await;
                    }
                    (known, found)
                }
            })
            .map(move |(known, found)| async move {
                match (known, found) {
                    (Some(change), found) => {
                        (found.name(), Outcome::Known { change, is_read: false })
                    }
                    (None, Found::Object { path, .. }) => {
                        let outcome = self.look_at(&path, past).await;
                        (path.into(), outcome)
                    }
                    (None, Found::Fault { at, error }) => (at, Outcome::Failed(error, None)),
                }
            })
            .buffer_unordered(self.concurrency)
    }

    fn enter(&self, tally: &mut Tally, object: &str, outcome: Outcome) {
        match outcome {
            Outcome::Done { change, .. } if self.is_dry => tally.plan(&change),
            Outcome::Done { change, .. } => tally.count(&change, false),
            Outcome::Known { change, is_read } => tally.count(&change, !is_read),
            Outcome::Seen(under) => tally.see(under),
            Outcome::Gone => tally.miss(),
            // It is among those that the journal tells at the end.
            Outcome::MovedBefore => {}
            Outcome::Failed(error, under) => {
                self.watch.failed(object, &error);
                tally.fail(Failure { path: object.into(), reason: error.to_string() }, under);
            }
        }
    }

    fn subject(&self) -> Subject {
        let (kind, goal) = match &self.task {
            Task::Census => (Kind::Census, None),
            task if self.is_dry => (Kind::DryRun, Some(task.to_string())),
            task => (Kind::Rekey, Some(task.to_string())),
        };
        Subject { kind, store: self.name.clone(), goal }
    }

    /// What a journal has to be of for its lines to count.
    fn journal_of(&self) -> String {
        format!("{}, shard {}: {}", self.name, self.shard, self.task)
    }
}

impl Progress {
    /// Since it began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// How long the rest takes if it goes on so, when it is known how much that is.
    pub fn left(&self) -> Option<Duration> {
        let left = self.total?.saturating_sub(self.done);
        let each = self.elapsed().checked_div(u32::try_from(self.done).ok()?)?;
        Some(each.saturating_mul(u32::try_from(left).ok()?))
    }
}

impl Watch for () {}

impl<W: Watch + ?Sized> Watch for Arc<W> {
    fn progress(&self, progress: &Progress) {
        (**self).progress(progress);
    }

    fn failed(&self, path: &str, error: &Error) {
        (**self).failed(path, error);
    }
}

impl Task {
    /// Whether records are replaced where they are, without which it does nothing.
    fn is_rewrap(&self) -> bool {
        matches!(self, Self::Rewrap(_))
    }

    fn expect_possible(&self) -> Result<()> {
        match self {
            Self::Census => Ok(()),
            Self::Rewrap(goal) | Self::Move { goal, .. } => Ok(goal.expect_possible()?),
        }
    }

    /// Whether an object tells by itself that it is done.
    fn tells_done(&self) -> bool {
        match self {
            Self::Census => true,
            Self::Rewrap(goal) | Self::Move { goal, .. } => goal.is_named(),
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Census => f.write_str("a census"),
            Self::Rewrap(goal) => goal.fmt(f),
            Self::Move { goal, from, to } => write!(f, "from {from} to {to}, {goal}"),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Rekey<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rekey")
            .field("store", &self.store)
            .field("task", &self.task)
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}
