//! Several files in one run: one that fails does not keep the others from their turn.

use std::path::{Path, PathBuf};

use crate::{
    console,
    error::{Error, Result},
};

/// What failed so far.
#[derive(Default)]
struct Failures {
    count: usize,
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
    let mut failures = Failures::default();
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        if failures.count(look(file))? {
            found.push(file);
        }
    }
    if !found.is_empty() {
        let key = unlock()?;
        for file in found {
            failures.count(work(file, &key))?;
        }
    }
    match failures.gravest {
        None => Ok(()),
        Some(gravest) => Err(Error::Several {
            failed: failures.count,
            of: files.len(),
            gravest: Box::new(gravest),
        }),
    }
}

impl Failures {
    /// Whether it went well. Without a reader on standard output there is no going on.
    fn count(&mut self, result: Result<()>) -> Result<bool> {
        let Err(error) = result else { return Ok(true) };
        if matches!(error, Error::Closed) {
            return Err(error);
        }
        console::report(&error);
        self.count += 1;
        if self.gravest.as_ref().is_none_or(|gravest| gravest.gravity() < error.gravity()) {
            self.gravest = Some(error);
        }
        Ok(false)
    }
}
