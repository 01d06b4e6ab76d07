//! Expected content, in full or by its digest: [`Plaintext`].

use object_cipher_core::CryptoBackend;
use serde::{Deserialize, Serialize};

use super::{Base64, Hex};

/// What a body holds. Long content is told by its length and SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Plaintext {
    /// The content as base64.
    Base64 {
        /// The bytes.
        b64: Base64,
    },
    /// The content as hex.
    Hex {
        /// The bytes.
        hex: Hex,
    },
    /// What identifies the content.
    Digest {
        /// Its length in bytes.
        len: u64,
        /// Its SHA-256.
        sha256: Hex,
    },
}

impl Plaintext {
    /// Tells short content in hex, a little more in base64, and long content by its digest.
    pub fn of<B: CryptoBackend>(backend: &B, content: &[u8]) -> Self {
        match content.len() {
            0..=32 => Self::Hex { hex: content.into() },
            33..=256 => Self::Base64 { b64: content.into() },
            length => {
                Self::Digest { len: length as u64, sha256: backend.sha256(&[content]).into() }
            }
        }
    }

    /// Whether `content` is what the vector expects.
    pub fn is<B: CryptoBackend>(&self, backend: &B, content: &[u8]) -> bool {
        match self {
            Self::Base64 { b64 } => **b64 == *content,
            Self::Hex { hex } => **hex == *content,
            Self::Digest { len, sha256 } => {
                *len == content.len() as u64 && **sha256 == backend.sha256(&[content])
            }
        }
    }
}
