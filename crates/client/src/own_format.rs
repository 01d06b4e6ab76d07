//! How objects of our own format are kept in a bucket that knows nothing of it (appendix D of the
//! specification): an object's Envelope stands in its metadata, or, if it came in parts, in a
//! companion object beside it.

mod companion;
mod companion_name;
mod error;
mod stored_envelope;

pub use companion::{Companion, MAX_COMPANION_LEN};
pub use companion_name::{CompanionName, MAX_OBJECT_KEY_LEN};
pub use error::OwnFormatError;
pub use stored_envelope::{COMPANION_PAIR_NAME, MAX_PAIR_LEN, StoredEnvelope};

use object_cipher_core::{Envelope, Error, Mode, State};

/// Whether an Envelope is one of a finished client-side object that came in parts, or did not.
fn check(envelope: &Envelope, in_parts: bool) -> Result<(), OwnFormatError> {
    let (object, expected, found) = (envelope.object_id(), Mode::Client, envelope.mode());
    if found != expected {
        return Err(Error::WrongMode { object, expected, found }.into());
    }
    let (expected, found) = (State::Finished, envelope.state());
    if found != expected {
        return Err(Error::WrongState { object, expected, found }.into());
    }
    if envelope.is_multipart() != in_parts {
        return Err(OwnFormatError::OtherPlace { object });
    }
    Ok(())
}
