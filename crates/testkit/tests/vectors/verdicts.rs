//! Which errors of core belong to which step of a reader.

use std::fmt::Debug;

use object_cipher_core::{Error, Item, Result, Step};
use object_cipher_testkit::vectors::{Verdict, VerdictStep};

/// Whether what a reader made of a vector is what the vector says.
pub(crate) fn judge<T: Debug>(name: &str, verdict: &Verdict, read: Result<T>) -> Option<T> {
    match (read, verdict.step) {
        (Ok(value), None) => Some(value),
        (Err(error), Some(step)) if belongs(&error, step) => None,
        (read, _) => panic!("{name}: must be {verdict}, and is {read:?}"),
    }
}

fn belongs(error: &Error, step: VerdictStep) -> bool {
    match error {
        Error::EncryptionContext(_) => step == VerdictStep::EncryptionContext,
        Error::WrongState { .. } => step == VerdictStep::State,
        Error::WrongMode { .. } => step == VerdictStep::Mode,
        Error::Identity { .. } => step == VerdictStep::Identity,
        Error::PartTable { .. } => step == VerdictStep::PartTable,
        Error::Part { .. } => step == VerdictStep::Part,
        Error::Truncated { .. } | Error::TrailingBytes { .. } => step == VerdictStep::Body,
        Error::Rejected { step: found, .. } => step == sealed(*found),
        Error::Malformed { item, .. } => parsed(*item).contains(&step),
        Error::Limit(_) => {
            [VerdictStep::Size, VerdictStep::Body, VerdictStep::PartTable].contains(&step)
        }
        _ => false,
    }
}

fn sealed(step: Step) -> VerdictStep {
    match step {
        Step::KeyWrap => VerdictStep::KeyWrap,
        Step::Info => VerdictStep::Info,
        Step::Receipt => VerdictStep::Receipt,
        _ => VerdictStep::Body,
    }
}

/// A message may be an info block, a receipt or a body: its length tells which is not one.
fn parsed(item: Item) -> &'static [VerdictStep] {
    match item {
        Item::Envelope | Item::KeyRef => &[VerdictStep::Envelope],
        Item::EnvelopeText => &[VerdictStep::EnvelopeText],
        Item::Info => &[VerdictStep::Info],
        Item::Receipt => &[VerdictStep::Receipt],
        Item::KeylessReceipts => &[VerdictStep::KeptReceipts],
        Item::PartIndex | Item::PartPage => &[VerdictStep::PartTable],
        _ => &[VerdictStep::Info, VerdictStep::Receipt, VerdictStep::Body, VerdictStep::Size],
    }
}
