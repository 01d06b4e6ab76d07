//! Vectors of multipart uploads: `uploads.json`.

use object_cipher_core::{Checksum, ChecksumAlgorithm, EkSource, Mode, Result};
use serde::{Deserialize, Serialize};

use super::{Base64, Hex, IdentityRecord, Plaintext, Verdict, names};

/// An upload in progress, or one that was completed without its key: Envelope, parts, receipts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// The mode that the reader is for.
    #[serde(with = "names")]
    pub mode: Mode,
    /// The kind of source key.
    #[serde(with = "names")]
    pub ek_source: EkSource,
    /// What the key source answers, one key a layer.
    #[serde(rename = "source_keys_hex")]
    pub source_keys: Vec<Hex>,
    /// The identity that the reader gives.
    pub identity: IdentityRecord,
    /// The state that the reader expects of the Envelope.
    pub state: UploadState,
    /// The Envelope in its text form.
    #[serde(rename = "envelope_b64")]
    pub envelope: String,
    /// The receipts kept with an upload that was completed without its key.
    #[serde(rename = "kept_receipts_b64", default, skip_serializing_if = "Option::is_none")]
    pub kept_receipts: Option<Base64>,
    /// The parts that the object is completed from, in the client's order.
    pub parts: Vec<PartVector>,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The two states of an upload's Envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadState {
    /// State 2.
    InProgress,
    /// State 3.
    CompletedWithoutKey,
}

/// One attempt of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartVector {
    /// The part number.
    pub part: u32,
    /// The stored body.
    #[serde(rename = "body_b64")]
    pub body: Base64,
    /// The sealed receipt; in state 3 it is among the kept ones.
    #[serde(rename = "receipt_b64", default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Base64>,
    /// The ETag that the client names at Complete.
    #[serde(rename = "named_etag_hex", default, skip_serializing_if = "Option::is_none")]
    pub named_etag: Option<Hex>,
    /// The checksum that the client names at Complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named_checksum: Option<PartChecksum>,
    /// What the part holds; absent when the upload must be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Plaintext>,
    /// The ETag in the receipt; absent when the upload must be refused.
    #[serde(rename = "etag_hex", default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Hex>,
    /// The checksums in the receipt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checksums: Vec<PartChecksum>,
}

/// A part's checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartChecksum {
    /// S3's algorithm.
    #[serde(with = "names")]
    pub algorithm: ChecksumAlgorithm,
    /// The raw digest.
    #[serde(rename = "digest_hex")]
    pub digest: Hex,
}

impl PartChecksum {
    /// The checksum in core's terms.
    ///
    /// # Errors
    /// When the digest has not the algorithm's length.
    pub fn checksum(&self) -> Result<Checksum> {
        Checksum::new(self.algorithm, &self.digest)
    }
}

impl From<&Checksum> for PartChecksum {
    fn from(checksum: &Checksum) -> Self {
        Self { algorithm: checksum.algorithm(), digest: checksum.digest().into() }
    }
}
