//! Vectors of stored objects: `objects.json`.

use std::collections::BTreeMap;

use object_cipher_core::{
    Attributes, Checksum, ChecksumAlgorithm, ChecksumKind, ETag, EkSource, EncryptionContext,
    IdentityItem, Mode, ObjectChecksum, ObjectContext, Result,
};
use serde::{Deserialize, Serialize};

use super::{Base64, Hex, Plaintext, Verdict, names};

/// A stored object: Envelope, bodies, part table, and what a reader with its keys sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectVector {
    /// Tells the vector from others in its file.
    pub name: String,
    /// The mode that the reader is for.
    #[serde(with = "names")]
    pub mode: Mode,
    /// The kind of source key.
    #[serde(with = "names")]
    pub ek_source: EkSource,
    /// What the key source answers, one key a layer: the only or inner layer's first.
    #[serde(rename = "source_keys_hex")]
    pub source_keys: Vec<Hex>,
    /// The identity that the reader gives.
    pub identity: IdentityRecord,
    /// Identity items that the reader wants bound: `version_id` or `extra`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// The Envelope in its text form.
    #[serde(rename = "envelope_b64")]
    pub envelope: String,
    /// The stored bodies by part number; `0` for a single body.
    #[serde(rename = "bodies_b64")]
    pub bodies: BTreeMap<u32, Base64>,
    /// The index of the part table.
    #[serde(rename = "part_index_b64", default, skip_serializing_if = "Option::is_none")]
    pub part_index: Option<Base64>,
    /// The pages of the part table, in order.
    #[serde(rename = "part_pages_b64", default, skip_serializing_if = "Vec::is_empty")]
    pub part_pages: Vec<Base64>,
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

/// An identity: the host's own bytes. An item that is not set is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRecord {
    /// The realm.
    #[serde(rename = "realm_hex")]
    pub realm: Hex,
    /// The bucket.
    #[serde(rename = "bucket_hex")]
    pub bucket: Hex,
    /// The key, in S3's sense.
    #[serde(rename = "key_hex")]
    pub key: Hex,
    /// The version id.
    #[serde(rename = "version_id_hex")]
    pub version_id: Hex,
    /// The upload id.
    #[serde(rename = "upload_id_hex")]
    pub upload_id: Hex,
    /// The encryption context.
    pub encryption_context: BTreeMap<String, String>,
    /// The host's extra item.
    #[serde(rename = "extra_hex")]
    pub extra: Hex,
}

/// Attributes sealed in the info block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedAttributes {
    /// The ETag's 16 bytes.
    #[serde(rename = "etag_hex", default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Hex>,
    /// The object's checksum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<SealedChecksum>,
    /// SHA-256 of the user metadata.
    #[serde(rename = "metadata_digest_hex", default, skip_serializing_if = "Option::is_none")]
    pub metadata_digest: Option<Hex>,
}

/// An object's checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedChecksum {
    /// S3's algorithm.
    #[serde(with = "names")]
    pub algorithm: ChecksumAlgorithm,
    /// S3's checksum type.
    #[serde(with = "names")]
    pub kind: ChecksumKind,
    /// The raw digest.
    #[serde(rename = "digest_hex")]
    pub digest: Hex,
}

impl ObjectVector {
    /// The identity items in [`required`](ObjectVector::required); unknown names are left out.
    pub fn required_items(&self) -> Vec<IdentityItem> {
        let item = |name: &String| match name.as_str() {
            "version_id" => Some(IdentityItem::VersionId),
            "extra" => Some(IdentityItem::Extra),
            _ => None,
        };
        self.required.iter().filter_map(item).collect()
    }
}

impl IdentityRecord {
    /// The encryption context, as the server sets it.
    ///
    /// # Errors
    /// When a pair is refused.
    pub fn encryption_context(&self) -> Result<EncryptionContext> {
        let mut context = EncryptionContext::new();
        for (key, value) in &self.encryption_context {
            context.insert_reserved(key, value)?;
        }
        Ok(context)
    }

    /// The identity with its encryption context, which
    /// [`encryption_context`](IdentityRecord::encryption_context) makes.
    pub fn object_context<'a>(
        &'a self,
        encryption_context: &'a EncryptionContext,
    ) -> ObjectContext<'a> {
        ObjectContext::new(&*self.realm, &*self.bucket, &*self.key)
            .with_version_id(&*self.version_id)
            .with_upload_id(&*self.upload_id)
            .with_encryption_context(encryption_context)
            .with_extra(&*self.extra)
    }
}

impl From<&Attributes> for SealedAttributes {
    fn from(attributes: &Attributes) -> Self {
        let checksum =
            attributes.checksum.map(|ObjectChecksum { checksum, kind }| SealedChecksum {
                algorithm: checksum.algorithm(),
                kind,
                digest: checksum.digest().into(),
            });
        Self {
            etag: attributes.etag.map(|ETag(bytes)| bytes.into()),
            checksum,
            metadata_digest: attributes.metadata_digest.map(Hex::from),
        }
    }
}

impl SealedChecksum {
    /// The checksum in core's terms.
    ///
    /// # Errors
    /// When the digest has not the algorithm's length.
    pub fn object_checksum(&self) -> Result<ObjectChecksum> {
        let checksum = Checksum::new(self.algorithm, &self.digest)?;
        Ok(ObjectChecksum { checksum, kind: self.kind })
    }
}
