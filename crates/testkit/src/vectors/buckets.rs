//! Vectors of client-side objects in a plain bucket: `metadata_pairs.json`, `companion_names.json`
//! and `bucket_objects.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Base64, Hex, IdentityRecord, Plaintext, SealedAttributes, Verdict};

/// An S3 object's metadata, and where they say that its Envelope stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataPairVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// The S3 object's key.
    pub key: String,
    /// Its user metadata: names and values.
    pub metadata: Vec<(String, String)>,
    /// The Envelope, if it stands in the metadata.
    #[serde(rename = "envelope_b64", default, skip_serializing_if = "Option::is_none")]
    pub envelope: Option<Base64>,
    /// The companion's key, if they name one. Without both the object is not of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub companion: Option<String>,
    /// Whether a writer must refuse the pair, which S3 would not keep.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_long: bool,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The key of a companion, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanionNameVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// A key of the bucket; absent where none may be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The key of the object that it belongs to; absent when it is no companion's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_key: Option<String>,
    /// The id of that object.
    #[serde(rename = "object_id_hex", default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<Hex>,
    /// Whether no writer makes it, though it has the form.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_read: bool,
    /// What a reader, or without `key` a writer, must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// An S3 object with its metadata and the companions that are in the bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketObjectVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// The keys that the reader has.
    pub keys: HeldKeys,
    /// The identity that the reader gives.
    pub identity: IdentityRecord,
    /// The S3 object's key.
    pub key: String,
    /// Its user metadata: names and values.
    pub metadata: Vec<(String, String)>,
    /// Its content.
    #[serde(rename = "content_b64")]
    pub content: Base64,
    /// The content of the bucket's other objects, by their keys.
    #[serde(rename = "companions_b64", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub companions: BTreeMap<String, Base64>,
    /// What the object holds; absent when it must be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plaintext: Option<Plaintext>,
    /// The sealed attributes; absent when it must be refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<SealedAttributes>,
    /// What a reader must make of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What a client finds its source keys in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldKeys {
    /// Keys that the program holds, by name.
    #[serde(rename = "program_hex")]
    Program(BTreeMap<String, Hex>),
    /// The versions of a keyring.
    Keyring {
        /// The keyring's id.
        id: String,
        /// Its keys by version.
        #[serde(rename = "versions_hex")]
        versions: BTreeMap<u32, Hex>,
    },
    /// A KMS, and what it answers.
    #[serde(rename = "kms_hex")]
    Kms(Hex),
}
