//! Vectors of the small things: bodies, wraps, encryption contexts, sizes.

use object_cipher_core::{EkSource, Mode};
use serde::{Deserialize, Serialize};

use super::{Base64, Hex, Plaintext, Verdict, names};

/// A body by its data key and context: `bodies.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BodyVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// 1: one Cobblestone-256 message. 2: two layers, composed per chunk.
    pub layers: u8,
    /// The data key of the only or inner layer.
    #[serde(rename = "dek_hex")]
    pub dek: Hex,
    /// The context of the only or inner layer.
    #[serde(rename = "context_hex")]
    pub context: Hex,
    /// The data key of the outer layer.
    #[serde(rename = "outer_dek_hex", default, skip_serializing_if = "Option::is_none")]
    pub outer_dek: Option<Hex>,
    /// The context of the outer layer.
    #[serde(rename = "outer_context_hex", default, skip_serializing_if = "Option::is_none")]
    pub outer_context: Option<Hex>,
    /// The stored body.
    #[serde(rename = "body_b64")]
    pub body: Base64,
    /// What it holds; of a body that must be refused, what was sealed before it was altered.
    pub plaintext: Plaintext,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// One wrapped data key with each step of its derivation: `wraps.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// The mode that the wrapping key is for.
    #[serde(with = "names")]
    pub mode: Mode,
    /// The kind of source key that it is for.
    #[serde(with = "names")]
    pub ek_source: EkSource,
    /// The layer that it is for.
    pub layer: u8,
    /// The source key.
    #[serde(rename = "source_key_hex")]
    pub source_key: Hex,
    /// EK, derived from mode, layer, kind and source key.
    #[serde(rename = "ek_hex")]
    pub ek: Hex,
    /// The clear fields of the Envelope.
    #[serde(rename = "clear_fields_hex")]
    pub clear_fields: Hex,
    /// The encoded identity.
    #[serde(rename = "identity_hex")]
    pub identity: Hex,
    /// The info message as stored; empty for uploads.
    #[serde(rename = "info_b64")]
    pub info: Base64,
    /// H: SHA-512 over the three.
    #[serde(rename = "bound_digest_hex")]
    pub bound_digest: Hex,
    /// The wrapped data key: 104 bytes.
    #[serde(rename = "wrapped_hex")]
    pub wrapped: Hex,
    /// The data key in it; absent when it must not open.
    #[serde(rename = "data_key_hex", default, skip_serializing_if = "Option::is_none")]
    pub data_key: Option<Hex>,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// An encryption context and its canonical form: `encryption_contexts.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncryptionContextVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// Key and value pairs, in the order they are given.
    pub pairs: Vec<(String, String)>,
    /// Whether the server sets them, so that keys with `aws:` before them are allowed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub server: bool,
    /// The canonical form.
    #[serde(rename = "canonical_hex", default, skip_serializing_if = "Option::is_none")]
    pub canonical: Option<Hex>,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The lengths of a body, before and after sealing: `sizes.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// Layers of the body: 1 or 2.
    pub layers: u8,
    /// The plaintext's length; absent when no plaintext has the sealed length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext_len: Option<u64>,
    /// The stored length; absent when the plaintext is too long for a body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_len: Option<u64>,
    /// How many chunks it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunks: Option<u64>,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}
