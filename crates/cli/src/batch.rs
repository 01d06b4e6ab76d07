//! Several files in one run: one that fails does not keep the others from their turn.

use std::path::{Path, PathBuf};

use crate::{
    console,
    error::{Error, Result},
};

/// How it goes so far.
#[derive(Default)]
struct Tally {
    done: usize,
    gravest: Option<Error>,
}

/// Looks at each file, then unlocks, which may ask, and then does its work on each that is there.
/// Of one file the error is its own; of several it is said at once, and counted.
pub(crate) fn run<K>(
    files: &[PathBuf],
    look: impl Fn(&Path) -> Result<()>,
    unlock: impl FnOnce() -> Result<K>,
    work: impl Fn(&Path, &K) -> Result<()>,
) -> Result<()> {
    if let [file] = files {
        look(file)?;
        return work(file, &unlock()?);
    }
    let mut tally = Tally::default();
    let ended = each(files, look, unlock, work, &mut tally);
    tally.sum_up(ended, files.len())
}

/// Does all that can be done. An error is the end for all files that are left.
fn each<K>(
    files: &[PathBuf],
    look: impl Fn(&Path) -> Result<()>,
    unlock: impl FnOnce() -> Result<K>,
    work: impl Fn(&Path, &K) -> Result<()>,
    tally: &mut Tally,
) -> Result<()> {
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        if tally.went_well(look(file))? {
            found.push(file);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let key = unlock()?;
    for file in found {
        tally.done += usize::from(tally.went_well(work(file, &key))?);
    }
    Ok(())
}

impl Tally {
    /// Whether it went well. Without a reader on standard output there is no going on.
    fn went_well(&mut self, result: Result<()>) -> Result<bool> {
        let Err(error) = result else { return Ok(true) };
        if matches!(error, Error::Closed) {
            return Err(error);
        }
        console::report(&error);
        self.weigh(error);
        Ok(false)
    }

    /// The error of the run. What ended it early is said alone if no file failed before.
    fn sum_up(mut self, ended: Result<()>, of: usize) -> Result<()> {
        if self.gravest.is_none() {
            return ended;
        }
        if let Err(error) = ended {
            console::report(&error);
            self.weigh(error);
        }
        let failed = of - self.done;
        self.gravest.map_or(Ok(()), |gravest| {
            Err(Error::Several { failed, of, gravest: Box::new(gravest) })
        })
    }

    fn weigh(&mut self, error: Error) {
        if self.gravest.as_ref().is_none_or(|gravest| gravest.gravity() < error.gravity()) {
            self.gravest = Some(error);
        }
    }
}
