//! Words for what an Envelope says.

use std::fmt::Write;

use object_cipher_core::{KeyRef, LayerKey};

/// A key's name, for people.
pub(crate) fn key(key: &KeyRef) -> String {
    match key {
        KeyRef::Master(key) => format!("keyring {}, version {}", key.keyring(), key.version()),
        KeyRef::Kms(id) => format!("KMS key {id}"),
        KeyRef::BucketKey(id) => format!("Bucket Key of KMS key {id}"),
        KeyRef::Customer => "customer's key".into(),
        KeyRef::Client(name) => format!("client's key {name:?}"),
        _ => "unknown kind".into(),
    }
}

/// A layer's key and, where it is a KMS's, the version that the KMS told.
pub(crate) fn layer_key(layer: &LayerKey) -> String {
    let name = key(layer.key_ref());
    match layer.blob().kms_parts() {
        Some((version, _)) if is_kms(layer.key_ref()) && !version.is_empty() => {
            format!("{name}, version {version}")
        }
        _ => name,
    }
}

fn is_kms(key: &KeyRef) -> bool {
    matches!(key, KeyRef::Kms(_) | KeyRef::BucketKey(_))
}

/// A bound name, for people.
pub(crate) fn name(name: &str) -> String {
    if name.is_empty() { "none bound".into() } else { format!("{name:?}") }
}

/// Bytes in lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
