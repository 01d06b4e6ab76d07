//! What a reader must make of a vector: [`Verdict`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whether a vector must be refused, where and why. A vector without one must be accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether it must be refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reject: bool,
    /// Where a reader refuses it that goes through the steps in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<VerdictStep>,
    /// The one fault in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The steps of a reader, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VerdictStep {
    /// An encryption context is not valid.
    EncryptionContext,
    /// No plaintext or no body has this length.
    Size,
    /// The metadata has no pair of the format, or more than one, or a value that is no object id.
    Metadata,
    /// A key is one that no object has.
    ObjectKey,
    /// A key is no companion's.
    CompanionName,
    /// The companion is missing, not canonical, or another object's.
    Companion,
    /// The text form of the Envelope is not canonical base64.
    EnvelopeText,
    /// The Envelope is not canonical.
    Envelope,
    /// The Envelope is of an upload and not of an object, or the reverse.
    State,
    /// The Envelope is of another mode.
    Mode,
    /// The Envelope is of an object in one piece and not of one in parts, or the reverse.
    Place,
    /// An identity item is missing, or given but not bound.
    Identity,
    /// The wrapped data key does not open: other key, other identity, or altered Envelope.
    KeyWrap,
    /// The info block does not open, or is not canonical.
    Info,
    /// The part table is not the one that was sealed.
    PartTable,
    /// The receipts kept with a keyless upload are not canonical.
    KeptReceipts,
    /// A part receipt does not open, or is not canonical.
    Receipt,
    /// A part is not the one that its receipt tells of, or not the one that the client named.
    Part,
    /// A body, or a part of one, does not open.
    Body,
}

impl Verdict {
    /// The vector must be accepted.
    pub fn accept() -> Self {
        Self::default()
    }

    /// The vector must be refused at a step, for a reason.
    pub fn reject(step: VerdictStep, reason: impl Into<String>) -> Self {
        Self { reject: true, step: Some(step), reason: Some(reason.into()) }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.step, &self.reason) {
            (Some(step), Some(reason)) => write!(f, "refused at {step:?}: {reason}"),
            _ => f.write_str("accepted"),
        }
    }
}
