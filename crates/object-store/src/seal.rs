//! Payloads sealed into bodies.

use object_cipher_core::{BodySealer, Error as CoreError, Layout};
use object_cipher_io::{Error as IoError, Parallel, Sealed};
use object_store::PutPayload;

use crate::Result;

/// Seals a payload into one buffer, on rayon's threads if it is long.
pub(crate) fn seal_payload<S: BodySealer>(
    sealer: S,
    payload: &PutPayload,
) -> Result<(Sealed<S>, Vec<u8>)> {
    let mut body = lay_out(sealer.layout(), payload)?;
    let sealed = Parallel::new().seal_in_place(sealer, &mut body).map_err(cipher_error)?;
    Ok((sealed, body))
}

/// The payload as a body has it: room for the headers, and behind each chunk room for its tags.
fn lay_out(layout: Layout, payload: &PutPayload) -> Result<Vec<u8>> {
    let length = layout.sealed_len(payload.content_length() as u64)?;
    let mut body = Vec::with_capacity(whole(length));
    body.resize(layout.header_len(), 0);
    let chunk_len = whole(layout.chunk_len());
    let mut room = chunk_len;
    for mut piece in payload.iter().map(AsRef::as_ref) {
        while !piece.is_empty() {
            let (now, later) = piece.split_at(room.min(piece.len()));
            body.extend_from_slice(now);
            piece = later;
            room -= now.len();
            if room == 0 {
                body.resize(body.len() + layout.overhead(), 0);
                room = chunk_len;
            }
        }
    }
    body.resize(whole(length), 0);
    Ok(body)
}

/// What is not the error of a source is the cipher's.
pub(crate) fn cipher_error<E>(error: IoError<E>) -> CoreError {
    match error {
        IoError::Cipher(error) => error,
        _ => CoreError::Misuse("an adapter failed in a way of its own"),
    }
}

/// Lengths of what is in memory.
pub(crate) fn whole(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
