//! On whose behalf a KMS is asked: [`KmsCall`].

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use object_cipher_core::Mode;

use crate::KeyId;

/// On whose behalf, and for what, a KMS is asked: what audit, authorisation and time-outs go by.
#[derive(Clone, Debug)]
pub struct KmsCall<'a> {
    /// Who asks, in the host's own terms.
    pub principal: Option<&'a str>,
    /// The request's id.
    pub request_id: Option<&'a str>,
    /// When the call must have ended: time since the Unix epoch.
    pub deadline: Option<Duration>,
    /// The mode of the object that the key is for.
    pub mode: Mode,
    /// Whether the data key is a Bucket Key.
    pub bucket_key: bool,
    /// Where layers put what they saw.
    pub notes: Option<Arc<Notes>>,
}

/// What the layers below saw of a call: for its audit event.
#[derive(Debug, Default)]
pub struct Notes(Mutex<Noted>);

/// See [`Notes`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Noted {
    /// The key that was meant, as the KMS resolved it.
    pub key: Option<KeyId>,
    /// The KMS's own id of its last request.
    pub kms_request_id: Option<String>,
    /// Whether a cache answered.
    pub cache_hit: bool,
    /// How often the provider was asked.
    pub attempts: u32,
}

impl<'a> KmsCall<'a> {
    /// A call for an object of a mode, on nobody's behalf.
    pub const fn new(mode: Mode) -> Self {
        Self {
            principal: None,
            request_id: None,
            deadline: None,
            mode,
            bucket_key: false,
            notes: None,
        }
    }

    /// A call on behalf of whom an object's context names.
    pub fn of(call: &object_cipher_core::Call<'a>, mode: Mode) -> Self {
        Self {
            principal: call.principal,
            request_id: call.request_id,
            deadline: call.deadline,
            ..Self::new(mode)
        }
    }

    /// Puts down what a layer saw.
    pub fn note(&self, note: impl FnOnce(&mut Noted)) {
        if let Some(notes) = &self.notes {
            note(&mut notes.0.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Notes {
    /// What was put down.
    pub fn read(&self) -> Noted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
