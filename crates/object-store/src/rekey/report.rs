//! What a run did, as evidence: [`Report`].

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::{
    Key, RekeyFault, Shard, Under,
    journal::{Change, Done},
};
use crate::{Error, Result};

const VERSION: u32 = 1;
/// A report names at most this many failures; it counts them all.
const MAX_FAILURES: usize = 10_000;

/// What a run found and did. Its form as JSON is that of its fields.
///
/// What objects are under is what their Envelopes say, and no key was used to find out. So the report is
/// as true as the store is: who can write to it can make any object unreadable anyway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The form of the report: 1.
    pub version: u32,
    /// What kind of run it was.
    pub kind: Kind,
    /// The store, and the part of it that was walked, as the caller named them.
    pub store: String,
    /// What objects were to be under, if anything was to be changed.
    pub goal: Option<String>,
    /// The parts of the paths that were walked.
    pub shards: Vec<Shard>,
    /// When it began, in seconds since 1970.
    pub began: u64,
    /// When it ended, in seconds since 1970.
    pub ended: u64,
    /// Paths that were looked at.
    pub objects: u64,
    /// What was changed, or in a dry run what would be; by earlier runs with the same journal, too.
    pub changes: Vec<Changed>,
    /// Objects that were as wanted.
    pub left_alone: u64,
    /// Paths where nothing was any more. What somebody else moved away meanwhile may be in no other number.
    pub gone: u64,
    /// Paths that failed.
    pub failed: u64,
    /// Which ones and why: the first 10,000.
    pub failures: Vec<Failure>,
    /// What objects are under at the end. An object counts once; a path that a manifest names twice, twice.
    pub census: Vec<Counted>,
    /// Objects of the census whose record was not read, because the journal says that they are done.
    pub by_journal: u64,
    /// Objects that are in no census, because they could not be read.
    pub unknown: u64,
    /// How many objects each key's deletion would make unreadable; of a key that they were under before,
    /// too, where that is none. Objects under Bucket Keys of a KMS's key are among that key's; where a KMS
    /// tells a key's versions, they are counted for each version too. Keys are told apart by the names
    /// that Envelopes have.
    pub keys: Vec<Needed>,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// To change keys.
    Rekey,
    /// To say what a rekey would do.
    DryRun,
    /// To say what objects are under.
    Census,
}

/// Objects that were changed in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Whether they went to other paths.
    pub moved: bool,
    /// What they were under.
    pub from: Under,
    /// What they are under.
    pub to: Under,
    /// How many.
    pub objects: u64,
}

/// A path that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which one, or as the manifest has it.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Objects that are under the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What they are under.
    #[serde(flatten)]
    pub under: Under,
    /// How many.
    pub objects: u64,
}

/// Objects that need a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needed {
    /// The key.
    #[serde(flatten)]
    pub key: Key,
    /// How many.
    pub objects: u64,
}

/// A report in the making.
#[derive(Debug, Default)]
pub(super) struct Tally {
    began: u64,
    objects: u64,
    changes: BTreeMap<Change, u64>,
    left_alone: u64,
    gone: u64,
    failed: u64,
    failures: Vec<Failure>,
    census: BTreeMap<Under, u64>,
    by_journal: u64,
    unknown: u64,
}

/// What a report is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) kind: Kind,
    pub(super) store: String,
    pub(super) goal: Option<String>,
}

impl Report {
    /// One report of the reports of several shards.
    ///
    /// # Errors
    /// [`RekeyFault::Merge`] unless they are of one store and goal, of the same number of shards, and each
    /// of another one.
    pub fn merge(reports: impl IntoIterator<Item = Self>) -> Result<Self> {
        let mut reports = reports.into_iter().peekable();
        let first = reports.peek().ok_or_else(|| merge("there is no report"))?;
        let (subject, mut ended) = (first.subject(), first.ended);
        let mut tally = Tally { began: first.began, ..Tally::default() };
        let mut shards: Vec<Shard> = Vec::new();
        for report in reports {
            if report.version != VERSION {
                return Err(merge(format!("one is of version {}, not {VERSION}", report.version)));
            }
            if report.subject() != subject {
                return Err(merge(format!("one is {}, another {subject}", report.subject())));
            }
            shards.extend(&report.shards);
            ended = ended.max(report.ended);
            tally.add(report)?;
        }
        shards.sort_unstable();
        if shards.iter().any(|shard| shard.of() != shards[0].of()) {
            return Err(merge("their shards are of different numbers"));
        }
        let mut twice = shards.iter().zip(shards.iter().skip(1)).filter(|(one, next)| one == next);
        if let Some((shard, _)) = twice.next() {
            return Err(merge(format!("the shard {shard} is in two of them")));
        }
        Ok(tally.into_report(subject, shards, ended))
    }

    /// The shards that are missing for all paths to be covered.
    pub fn missing(&self) -> Vec<Shard> {
        let of = self.shards.first().map_or(1, |shard| shard.of());
        let all = (0..of).filter_map(|index| Shard::new(index, of).ok());
        all.filter(|shard| !self.shards.contains(shard)).collect()
    }

    /// Whether all paths were covered and none failed. One that [found nothing](Self::found_nothing) is not.
    pub fn is_complete(&self) -> bool {
        let is_covered = self.missing().is_empty() && !self.found_nothing();
        self.failed == 0 && self.unknown == 0 && is_covered
    }

    /// Whether there was no path, or nothing at any: then the paths, the prefix or the store may be others
    /// than were meant. A shard of a small store may be empty.
    pub fn found_nothing(&self) -> bool {
        self.gone == self.objects
    }

    fn subject(&self) -> Subject {
        Subject { kind: self.kind, store: self.store.clone(), goal: self.goal.clone() }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Rekey => "a rekey",
            Kind::DryRun => "a dry run",
            Kind::Census => "a census",
        };
        write!(f, "{kind} of {}", self.store)?;
        match &self.goal {
            Some(goal) => write!(f, " to {goal}"),
            None => Ok(()),
        }
    }
}

impl Tally {
    pub(super) fn begin() -> Self {
        Self { began: now(), ..Self::default() }
    }

    /// An object that is done.
    pub(super) fn count(&mut self, change: &Change, is_by_journal: bool) {
        self.see(change.to.clone());
        self.by_journal += u64::from(is_by_journal);
        self.note(change);
    }

    /// An object that would be done: it still is under what it was.
    pub(super) fn plan(&mut self, change: &Change) {
        self.see(change.from.clone());
        self.note(change);
    }

    fn note(&mut self, change: &Change) {
        match change.outcome {
            Done::LeftAlone => self.left_alone += 1,
            _ => *self.changes.entry(change.clone()).or_default() += 1,
        }
    }

    /// An object, and what it is under.
    pub(super) fn see(&mut self, under: Under) {
        self.objects += 1;
        *self.census.entry(under).or_default() += 1;
    }

    pub(super) fn found_nothing(&self) -> bool {
        self.gone == self.objects
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    pub(super) fn miss(&mut self) {
        self.objects += 1;
        self.gone += 1;
    }

    /// A path that failed, and what its object is under if that is known.
    pub(super) fn fail(&mut self, failure: Failure, under: Option<Under>) {
        self.objects += 1;
        self.failed += 1;
        match under {
            Some(under) => *self.census.entry(under).or_default() += 1,
            None => self.unknown += 1,
        }
        if self.failures.len() < MAX_FAILURES {
            self.failures.push(failure);
        }
    }

    pub(super) fn into_report(self, subject: Subject, shards: Vec<Shard>, ended: u64) -> Report {
        let keys = self.keys();
        let Subject { kind, store, goal } = subject;
        let changed = |(change, objects): (Change, u64)| Changed {
            moved: change.outcome == Done::Moved,
            from: change.from,
            to: change.to,
            objects,
        };
        let census = self.census.into_iter().map(|(under, objects)| Counted { under, objects });
        Report {
            version: VERSION,
            kind,
            store,
            goal,
            shards,
            began: self.began,
            ended,
            objects: self.objects,
            changes: self.changes.into_iter().map(changed).collect(),
            left_alone: self.left_alone,
            gone: self.gone,
            failed: self.failed,
            failures: self.failures,
            census: census.collect(),
            by_journal: self.by_journal,
            unknown: self.unknown,
            keys,
        }
    }

    /// By what can be destroyed. An object needs a key once, however many of its layers do.
    fn keys(&self) -> Vec<Needed> {
        let mut keys: BTreeMap<Key, u64> = BTreeMap::new();
        for key in self.changes.keys().flat_map(|change| &change.from.keys) {
            key.stands_on().for_each(|key| _ = keys.entry(key).or_default());
        }
        for (under, objects) in &self.census {
            let needed: BTreeSet<_> = under.keys.iter().flat_map(Key::stands_on).collect();
            for key in needed {
                let sum = keys.entry(key).or_default();
                *sum = sum.saturating_add(*objects);
            }
        }
        keys.into_iter().map(|(key, objects)| Needed { key, objects }).collect()
    }

    fn add(&mut self, report: Report) -> Result<()> {
        self.began = self.began.min(report.began);
        for (sum, more) in [
            (&mut self.objects, report.objects),
            (&mut self.left_alone, report.left_alone),
            (&mut self.gone, report.gone),
            (&mut self.failed, report.failed),
            (&mut self.by_journal, report.by_journal),
            (&mut self.unknown, report.unknown),
        ] {
            add(sum, more)?;
        }
        for Changed { moved, from, to, objects } in report.changes {
            let outcome = if moved { Done::Moved } else { Done::Rewrapped };
            add(self.changes.entry(Change { outcome, from, to }).or_default(), objects)?;
        }
        let room = MAX_FAILURES - self.failures.len();
        self.failures.extend(report.failures.into_iter().take(room));
        for Counted { under, objects } in report.census {
            add(self.census.entry(under).or_default(), objects)?;
        }
        Ok(())
    }
}

fn merge(why: impl Into<String>) -> Error {
    RekeyFault::Merge(why.into()).into()
}

fn add(sum: &mut u64, more: u64) -> Result<()> {
    *sum = sum.checked_add(more).ok_or_else(|| merge("there are not so many objects"))?;
    Ok(())
}

/// For people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, changed) = match self.kind {
            Kind::Rekey => ("rekey", "changed"),
            Kind::DryRun => ("dry run: nothing was changed", "to change"),
            Kind::Census => ("census", "changed"),
        };
        writeln!(f, "{title}")?;
        writeln!(f, "store       {}", self.store)?;
        if let Some(goal) = &self.goal {
            writeln!(f, "goal        {goal}")?;
        }
        writeln!(f, "shards      {}", list(&self.shards))?;
        if !self.missing().is_empty() {
            writeln!(
                f,
                "missing     {}: their objects are in no number here",
                list(&self.missing())
            )?;
        }
        let none = if self.objects == 0 { ": is it this store, and this prefix?" } else { "" };
        writeln!(f, "objects     {}{none}", self.objects)?;
        for Changed { moved, from, to, objects } in &self.changes {
            let moved = if *moved { ", to another path" } else { "" };
            writeln!(f, "{changed:<11} {objects}: from {from} to {to}{moved}")?;
        }
        if self.kind != Kind::Census {
            writeln!(f, "left alone  {}", self.left_alone)?;
        }
        if self.gone > 0 {
            let all = if self.found_nothing() { ": are the paths this store's?" } else { "" };
            writeln!(f, "gone        {}{all}", self.gone)?;
        }
        writeln!(f, "failed      {}", self.failed)?;
        for Failure { path, reason } in &self.failures {
            writeln!(f, "            {path:?}: {reason}")?;
        }
        for Counted { under, objects } in &self.census {
            writeln!(f, "now under   {under}: {objects}")?;
        }
        if self.by_journal > 0 {
            writeln!(f, "            {} of them as the journal says", self.by_journal)?;
        }
        self.write_keys(f)
    }
}

impl Report {
    fn write_keys(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Needed { key, objects } in &self.keys {
            writeln!(f, "deletion    of {key} makes {objects} of these objects unreadable")?;
        }
        match self.unknown {
            0 => Ok(()),
            unknown => writeln!(f, "unknown     {unknown}: which key they need could not be read"),
        }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Ranges where there are any: `0-2/8, 5/8`.
fn list(shards: &[Shard]) -> String {
    let runs = shards.chunk_by(|one, next| one.index() + 1 == next.index());
    let texts = runs.filter_map(|run| match run {
        [first, .., last] => Some(format!("{}-{last}", first.index())),
        [only] => Some(only.to_string()),
        [] => None,
    });
    texts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
