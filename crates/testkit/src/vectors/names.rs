//! Core's enumerations by their names in the schema.

use object_cipher_core::{ChecksumAlgorithm, ChecksumKind, EkSource, Mode};
use serde::{Deserialize, Deserializer, Serializer, de, ser};

/// An enumeration whose values have names.
pub(super) trait Named: Copy + PartialEq + 'static {
    const NAMES: &'static [(&'static str, Self)];
}

impl Named for Mode {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("sse-s3", Self::SseS3),
        ("sse-kms", Self::SseKms),
        ("dsse-kms", Self::DsseKms),
        ("sse-c", Self::SseC),
        ("client", Self::Client),
    ];
}

impl Named for EkSource {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("master", Self::Master),
        ("kms", Self::Kms),
        ("bucket-key", Self::BucketKey),
        ("customer", Self::Customer),
        ("client", Self::Client),
    ];
}

impl Named for ChecksumKind {
    const NAMES: &'static [(&'static str, Self)] =
        &[("FULL_OBJECT", Self::FullObject), ("COMPOSITE", Self::Composite)];
}

impl Named for ChecksumAlgorithm {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("CRC32", Self::Crc32),
        ("CRC32C", Self::Crc32C),
        ("CRC64NVME", Self::Crc64Nvme),
        ("SHA1", Self::Sha1),
        ("SHA256", Self::Sha256),
        ("SHA512", Self::Sha512),
        ("MD5", Self::Md5),
        ("XXHASH64", Self::XxHash64),
        ("XXHASH3", Self::XxHash3),
        ("XXHASH128", Self::XxHash128),
    ];
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn serialize<T: Named, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let named = T::NAMES.iter().find(|(_, known)| known == value);
    let (name, _) = named.ok_or(ser::Error::custom("a value without a name"))?;
    serializer.serialize_str(name)
}

pub(super) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let name = String::deserialize(deserializer)?;
    let named = T::NAMES.iter().find(|(known, _)| *known == name);
    named.map(|(_, value)| *value).ok_or(de::Error::custom(format!("unknown name {name}")))
}
