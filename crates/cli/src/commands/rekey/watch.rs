//! What is shown and said while a run goes on: [`Watcher`].

use std::sync::{Arc, Mutex, PoisonError};

use indicatif::ProgressBar;
use object_cipher_object_store::{
    Error as StoreError,
    rekey::{Progress, Report, Watch},
};

use crate::{
    console::note,
    error::{self, Error, Result},
    progress,
};

/// Failures beyond these are in the report only.
const MAX_SAID: u64 = 100;

pub(super) struct Watcher {
    bar: ProgressBar,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    count: u64,
    gravest: Option<u8>,
}

impl Watcher {
    pub(super) fn new(verb: &'static str, total: Option<u64>, quiet: bool) -> Arc<Self> {
        let bar = progress::objects(verb, total, quiet);
        Arc::new(Self { bar, failures: Mutex::default() })
    }

    /// The error of the run, if any object failed.
    pub(super) fn sum_up(&self, report: &Report) -> Result<()> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.gravest {
            None => Ok(()),
            Some(gravest) => {
                let (failed, of) = (report.failed, report.objects);
                Err(Error::Objects { failed, of, gravest })
            }
        }
    }
}

impl Watch for Watcher {
    fn progress(&self, progress: &Progress) {
        self.bar.set_position(progress.done);
    }

    fn failed(&self, path: &str, error: &StoreError) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.gravest = error::graver(failures.gravest, error::store_code(error));
        failures.count += 1;
        self.bar.suspend(|| match failures.count {
            ..=MAX_SAID => note(format_args!("error: {path}: {error}")),
            count if count == MAX_SAID + 1 => {
                note(format_args!("note: further failures are in the report only"));
            }
            _ => {}
        });
    }
}
