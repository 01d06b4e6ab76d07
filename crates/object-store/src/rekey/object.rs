//! One object: what becomes of it.

use std::sync::PoisonError;

use object_cipher_core::Envelope;
use object_store::{Error as StoreError, ObjectMeta, ObjectStore, path::Path};

use super::{
    Goal, Rekey, RekeyFault, Task, Under,
    journal::{Change, Done, Past},
};
use crate::{
    Error, Record, Result,
    store::{Copied, Copying},
};

/// What became of a path.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is as wanted, or would be; with its record's ETag.
    Done { change: Change, e_tag: Option<String> },
    /// It is done, as the journal says; whether its record was read all the same.
    Known { change: Change, is_read: bool },
    /// It is counted.
    Seen(Under),
    /// Nothing is there.
    Gone,
    /// An earlier run moved it away.
    MovedBefore,
    /// What it is under now, if that is known.
    Failed(Error, Option<Under>),
}

impl<S: ObjectStore> Rekey<S> {
    pub(super) async fn look_at(&self, path: &Path, past: &Past) -> Outcome {
        let mut attempt = 1;
        let error = loop {
            match self.try_once(path, past).await {
                Ok(outcome) => return outcome,
                Err(Error::Changed { .. }) if attempt < self.attempts => attempt += 1,
                Err(error) => break error,
            }
        };
        if let Error::Misplaced { .. } = error {
            return Outcome::Failed(error, None);
        }
        if !matches!(error, Error::Store(StoreError::NotFound { .. })) {
            // What failed half-way may have been done.
            let now = self.store.record(path).await;
            return Outcome::Failed(error, now.ok().map(|(_, now)| Under::of(&now.envelope)));
        }
        if past.moved(path.as_ref()).is_some() { Outcome::MovedBefore } else { Outcome::Gone }
    }

    async fn try_once(&self, path: &Path, past: &Past) -> Result<Outcome> {
        let (meta, record) = self.store.record(path).await?;
        match &self.task {
            Task::Census if !record.is_of(path) => Err(Error::Misplaced { path: path.clone() }),
            Task::Census => Ok(Outcome::Seen(Under::of(&record.envelope))),
            Task::Rewrap(goal) => {
                if let Some(change) = past.done(path.as_ref(), meta.e_tag.as_deref()) {
                    return Ok(Outcome::Known { change: change.clone(), is_read: true });
                }
                if goal.is_met_by(&record.envelope) == Some(true) {
                    let under = Under::of(&record.envelope);
                    let change =
                        Change { outcome: Done::LeftAlone, from: under.clone(), to: under };
                    return Ok(Outcome::Done { change, e_tag: meta.e_tag });
                }
                self.rewrap(path, meta, &record, goal).await
            }
            Task::Move { goal, from, to } => {
                let rest = path.prefix_match(from).ok_or(RekeyFault::NotThere(from.clone()))?;
                let target: Path = to.parts().chain(rest).collect();
                if target.prefix_matches(from) {
                    // The next run would move it again.
                    return Err(RekeyFault::MoveInto { from: from.clone(), to: target }.into());
                }
                self.move_to(path, &target, (&meta, &record), goal).await
            }
        }
    }

    async fn rewrap(
        &self,
        path: &Path,
        meta: ObjectMeta,
        record: &Record,
        goal: &Goal,
    ) -> Result<Outcome> {
        expect_same_layers(record, goal)?;
        self.expect_mode(path, goal)?;
        let from = Under::of(&record.envelope);
        if self.is_dry {
            self.expect_key(path, &meta, record, &from).await?;
            return Ok(would(Done::Rewrapped, from, goal));
        }
        let rewrapped = self.store.rewrapped(path, &meta, record, &self.extensions).await?;
        expect_met(goal, &rewrapped.envelope)?;
        let to = Under::of(&rewrapped.envelope);
        let put = self.store.replace_record(path, &meta, &rewrapped, &self.extensions).await?;
        let e_tag = put.e_tag;
        Ok(Outcome::Done { change: Change { outcome: Done::Rewrapped, from, to }, e_tag })
    }

    async fn move_to(
        &self,
        path: &Path,
        target: &Path,
        (meta, record): (&ObjectMeta, &Record),
        goal: &Goal,
    ) -> Result<Outcome> {
        expect_same_layers(record, goal)?;
        self.expect_mode(target, goal)?;
        let from = Under::of(&record.envelope);
        if self.is_dry {
            self.expect_key(path, meta, record, &from).await?;
            return match self.store.record(target).await {
                Err(Error::Store(StoreError::NotFound { .. })) => {
                    Ok(would(Done::Moved, from, goal))
                }
                Ok((_, there)) if is_same_object(&there, record) => {
                    Ok(would(Done::Moved, from, goal))
                }
                Ok(_) => Err(RekeyFault::Taken(target.clone()).into()),
                Err(error) => Err(error),
            };
        }
        let copying = Copying::create(self.extensions.clone());
        let expect = |envelope: &Envelope| expect_met(goal, envelope);
        let (envelope, e_tag) = match self.store.copy_record(path, target, copying, expect).await {
            Err(Error::Store(StoreError::AlreadyExists { .. })) => {
                self.end_copy(target, record, goal).await?
            }
            copied => copied.map(|Copied { envelope, e_tag }| (envelope, e_tag))?,
        };
        self.end_move(path).await?;
        let change = Change { outcome: Done::Moved, from, to: Under::of(&envelope) };
        Ok(Outcome::Done { change, e_tag })
    }

    /// Takes for done what an interrupted move put, if it opens there: a record that somebody copied
    /// beneath the store does not.
    async fn end_copy(
        &self,
        target: &Path,
        record: &Record,
        goal: &Goal,
    ) -> Result<(Envelope, Option<String>)> {
        let (meta, there) = self.store.record(target).await?;
        if !is_same_object(&there, record) {
            return Err(RekeyFault::Taken(target.clone()).into());
        }
        let rewrapped = self.store.rewrapped(target, &meta, &there, &self.extensions).await?;
        if goal.is_met_by(&there.envelope) == Some(true) {
            return Ok((there.envelope, meta.e_tag));
        }
        expect_met(goal, &rewrapped.envelope)?;
        let put = self.store.replace_record(target, &meta, &rewrapped, &self.extensions).await?;
        Ok((rewrapped.envelope, put.e_tag))
    }

    /// Refuses a cipher of another mode than is wanted, before any key is asked for.
    fn expect_mode(&self, target: &Path, goal: &Goal) -> Result<()> {
        let (found, wanted) = (self.store.mode_to_seal(target, &self.extensions)?, goal.mode());
        if found == wanted {
            return Ok(());
        }
        Err(RekeyFault::OtherMode { found, wanted }.into())
    }

    /// Opens an object, unless one under the same keys could be: what a dry run has to find out.
    async fn expect_key(
        &self,
        path: &Path,
        meta: &ObjectMeta,
        record: &Record,
        under: &Under,
    ) -> Result<()> {
        if !record.is_of(path) {
            return Err(Error::Misplaced { path: path.clone() });
        }
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if !opened().contains(under) {
            self.store.expect_opens(path, meta, record, &self.extensions).await?;
            opened().insert(under.clone());
        }
        Ok(())
    }

    /// Removes the record at the old path. A deletion whose answer was lost is one.
    async fn end_move(&self, path: &Path) -> Result<()> {
        let Err(error) = self.store.delete_object(path).await else { return Ok(()) };
        match self.store.record(path).await {
            Err(Error::Store(StoreError::NotFound { .. })) => Ok(()),
            _ => Err(error),
        }
    }
}

fn would(outcome: Done, from: Under, goal: &Goal) -> Outcome {
    Outcome::Done { change: Change { outcome, from, to: goal.expected() }, e_tag: None }
}

fn expect_same_layers(record: &Record, goal: &Goal) -> Result<()> {
    let is_same = record.envelope.mode().suite() == goal.mode().suite();
    if is_same { Ok(()) } else { Err(RekeyFault::Layers.into()) }
}

/// Refuses what would be wrapped anew on every run.
fn expect_met(goal: &Goal, envelope: &Envelope) -> Result<()> {
    match goal.is_met_by(envelope) {
        Some(false) => Err(other_key(Under::of(envelope), goal)),
        _ => Ok(()),
    }
}

fn other_key(found: Under, goal: &Goal) -> Error {
    let (found, wanted) = (Box::new(found), Box::new(goal.expected()));
    RekeyFault::OtherKey { found, wanted }.into()
}

fn is_same_object(one: &Record, other: &Record) -> bool {
    one.envelope.object_id() == other.envelope.object_id()
}
