//! What is shown and said while a run goes on: [`Watcher`].

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

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
    /// What was said of what can be done about them.
    helps: HashSet<&'static str>,
}

impl Watcher {
    pub(super) fn new(verb: &'static str, total: Option<u64>, quiet: bool) -> Arc<Self> {
        let bar = progress::objects(verb, total, quiet);
        Arc::new(Self { bar, failures: Mutex::default() })
    }

    /// The error of the run, if any object failed, or there was none.
    pub(super) fn sum_up(&self, report: &Report) -> Result<()> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        match failures.gravest {
            None if report.found_nothing() && report.missing().is_empty() => {
                Err(Error::NothingFound(report.store.clone()))
            }
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
        let Failures { count, helps, .. } = &mut *failures;
        self.bar.suspend(|| match *count {
            ..=MAX_SAID => {
                match error.to_string() {
                    said if said.starts_with(path) => note(format_args!("error: {said}")),
                    said => note(format_args!("error: {path}: {said}")),
                }
                if let Some(help) = error::store_help(error).filter(|help| helps.insert(help)) {
                    note(format_args!("help: {help}"));
                }
            }
            count if count == MAX_SAID + 1 => {
                note(format_args!("note: further failures are in the report only"));
            }
            _ => {}
        });
    }
}
