//! Byte strings in JSON: [`Hex`] and [`Base64`].

use std::{fmt, ops::Deref};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes as lower-case hex digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Hex(pub Vec<u8>);

/// Bytes as base64 (RFC 4648 section 4) with padding.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Base64(pub Vec<u8>);

macro_rules! bytes_in_json {
    ($name:ident, $encode:expr, $decode:expr) => {
        impl Deref for $name {
            type Target = [u8];

            fn deref(&self) -> &[u8] {
                &self.0
            }
        }

        impl From<&[u8]> for $name {
            fn from(bytes: &[u8]) -> Self {
                Self(bytes.to_vec())
            }
        }

        impl<const N: usize> From<[u8; N]> for $name {
            fn from(bytes: [u8; N]) -> Self {
                Self(bytes.to_vec())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&$encode(&self.0))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$encode(&self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $decode(&text).map(Self).map_err(de::Error::custom)
            }
        }
    };
}

bytes_in_json!(Hex, hex::encode::<&Vec<u8>>, hex::decode::<&String>);
bytes_in_json!(Base64, |bytes: &Vec<u8>| STANDARD.encode(bytes), |text: &String| {
    STANDARD.decode(text)
});
