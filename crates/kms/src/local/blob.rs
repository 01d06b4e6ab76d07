//! How the local provider wraps a data key (SPEC, appendix B).

use std::sync::Arc;

use object_cipher_core::{
    CryptoBackend, EncryptionContext, Error, KeyError, KeyErrorKind, SourceKey, cobblestone,
};
use object_cipher_keyring::MasterKey;
use zeroize::Zeroizing;

use crate::KmsResult;

const PURPOSE: &[u8] = b"object-cipher/v1/kms\0";

/// The version, and then the data key as one message under it, bound to key and context.
pub(super) fn seal<B: CryptoBackend>(
    backend: &B,
    master: &MasterKey,
    (key_id, context): (&str, &EncryptionContext),
    data_key: &SourceKey,
) -> KmsResult<Vec<u8>> {
    let mut blob = master.version().to_be_bytes().to_vec();
    let wrapping = master.key().local_kms_key(backend).map_err(|error| internal(&error))?;
    let bound = bound(backend, key_id, context)?;
    let message = cobblestone::seal_message(
        backend,
        wrapping.expose_bytes(),
        &[PURPOSE, &bound],
        data_key.expose_bytes(),
    );
    blob.extend(message.map_err(|error| internal(&error))?);
    Ok(blob)
}

/// The version that made a blob.
pub(super) fn version(blob: &[u8]) -> KmsResult<u32> {
    let version = blob.first_chunk().map(|version| u32::from_be_bytes(*version));
    version.filter(|version| *version > 0).ok_or_else(rejected)
}

/// The data key in a blob that this version made.
pub(super) fn open<B: CryptoBackend>(
    backend: &B,
    master: &MasterKey,
    (key_id, context): (&str, &EncryptionContext),
    blob: &[u8],
) -> KmsResult<Arc<SourceKey>> {
    let message = blob.get(4..).ok_or_else(rejected)?;
    let wrapping = master.key().local_kms_key(backend).map_err(|error| internal(&error))?;
    let bound = bound(backend, key_id, context)?;
    let opened =
        cobblestone::open_message(backend, wrapping.expose_bytes(), &[PURPOSE, &bound], message);
    let opened: Zeroizing<Vec<u8>> = opened.map_err(|_| rejected())?;
    let bytes: &[u8; 32] = opened.as_slice().try_into().map_err(|_| rejected())?;
    Ok(SourceKey::from_bytes(bytes))
}

fn bound<B: CryptoBackend>(
    backend: &B,
    key_id: &str,
    context: &EncryptionContext,
) -> KmsResult<[u8; 64]> {
    let context = context.canonical();
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map(u32::to_be_bytes);
    let (Ok(id_len), Ok(context_len)) = (length(key_id.as_bytes()), length(&context)) else {
        return Err(KeyError::new(KeyErrorKind::Invalid, "the encryption context is too long"));
    };
    Ok(backend.sha512(&[&id_len, key_id.as_bytes(), &context_len, &context]))
}

/// AWS's answer, without telling what was wrong.
pub(super) fn rejected() -> KeyError {
    let message = "the wrapped key or its context is not what was wrapped";
    KeyError::new(KeyErrorKind::Integrity, message).with_code("InvalidCiphertextException")
}

pub(super) fn internal(error: &Error) -> KeyError {
    KeyError::new(KeyErrorKind::Internal, error.to_string())
}
