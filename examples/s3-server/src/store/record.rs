//! What is kept in clear, as JSON.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use object_cipher_core::Envelope;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BodyName, UploadId};

/// A bucket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BucketRecord {
    /// When it was created: milliseconds since the Unix epoch.
    pub created: u64,
    /// The front's settings, such as the default encryption.
    pub settings: serde_json::Value,
}

/// An object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObjectRecord {
    /// The Envelope. Nobody can change a bit of it unseen.
    #[serde(with = "envelope")]
    pub envelope: Envelope,
    /// Where the content is.
    pub content: Content,
    /// The plaintext's length in bytes, which a read compares with the sealed one.
    pub size: u64,
    /// The ETag without quotes, if it is random: of a mode whose ETags tell nothing. Others are
    /// sealed in the Envelope.
    pub etag: Option<String>,
    /// When it was last written: milliseconds since the Unix epoch.
    pub modified: u64,
    /// What the client said of it.
    pub metadata: Metadata,
}

/// Where an object's content is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// In one body.
    Body(BodyName),
    /// In parts.
    Parts {
        /// The part table's index.
        #[serde(with = "base64_bytes")]
        index: Vec<u8>,
        /// The body that holds the table of parts.
        table: BodyName,
        /// How many parts there are.
        count: u32,
        /// The upload that they came by.
        upload: UploadId,
    },
    /// In the parts of an upload that was completed without its key.
    Keyless {
        /// The body that holds the table of parts.
        table: BodyName,
        /// How many parts there are.
        count: u32,
        /// The upload.
        upload: UploadId,
    },
}

/// The bodies of a multipart object, in a body of its own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartsTable {
    /// The pages of the part table, base64; none before the upload's key was there.
    pub(super) pages: Vec<Page>,
    /// The parts, in order.
    pub(super) parts: Vec<PartBody>,
}

/// A page of a part table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Page(#[serde(with = "base64_bytes")] pub(super) Vec<u8>);

/// A part of an object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PartBody {
    pub(super) part: u32,
    pub(super) body: BodyName,
    pub(super) size: u64,
    /// The sealed receipt, kept only until the upload's key was there.
    #[serde(with = "base64_bytes", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) receipt: Vec<u8>,
}

/// What a client says of an object: headers such as `content-type`, and user metadata.
///
/// S3 keeps it in clear. Its digest is sealed, so that nobody changes it unseen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata(pub BTreeMap<String, String>);

/// An upload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UploadRecord {
    /// The bucket.
    pub bucket: String,
    /// The key that the object will have.
    pub key: String,
    /// The upload's Envelope.
    #[serde(with = "envelope")]
    pub envelope: Envelope,
    /// When it was created: milliseconds since the Unix epoch.
    pub created: u64,
    /// What the client said of the object.
    pub metadata: Metadata,
    /// The front's own, such as the checksum algorithm.
    pub settings: serde_json::Value,
}

/// The last attempt of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartRecord {
    /// The attempt's body.
    pub body: BodyName,
    /// The sealed receipt.
    #[serde(with = "base64_bytes")]
    pub receipt: Vec<u8>,
    /// The plaintext's length in bytes.
    pub size: u64,
    /// The ETag without quotes, if it is random.
    pub etag: Option<String>,
    /// When it was written: milliseconds since the Unix epoch.
    pub modified: u64,
}

impl ObjectRecord {
    /// The number of parts, if it has parts.
    pub fn part_count(&self) -> Option<u32> {
        match &self.content {
            Content::Body(_) => None,
            Content::Parts { count, .. } | Content::Keyless { count, .. } => Some(*count),
        }
    }

    /// The body, or the table of parts: its name is bound in the Envelope.
    pub(super) fn body(&self) -> &BodyName {
        match &self.content {
            Content::Body(body) => body,
            Content::Parts { table, .. } | Content::Keyless { table, .. } => table,
        }
    }

    pub(super) fn upload(&self) -> Option<&UploadId> {
        match &self.content {
            Content::Body(_) => None,
            Content::Parts { upload, .. } | Content::Keyless { upload, .. } => Some(upload),
        }
    }
}

impl Metadata {
    /// SHA-256 of the pairs, each value and name with its length before it.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            hash.update(length.to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }
}

/// Milliseconds since the Unix epoch.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An Envelope in its text form.
mod envelope {
    use object_cipher_core::Envelope;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(envelope: &Envelope, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&envelope.to_text())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Envelope, D::Error> {
        Envelope::from_text(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// Bytes in base64.
mod base64_bytes {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}
