//! Words for what an Envelope says.

use std::fmt::Write;

use object_cipher_core::KeyRef;

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
