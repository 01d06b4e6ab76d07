//! What is stored beside a body to open it: [`Header`].

use super::{ContentAlgorithm, Description, FormatVersion, WrapAlgorithm, data_key::DataKey};
use crate::{Error, Result, s3ec::engine::Engine};
use object_cipher_core::ObjectId;
use subtle::ConstantTimeEq;

/// Bytes of a message id, and of a commitment.
pub(crate) const COMMITMENT_LEN: usize = 28;
/// Bytes of a block of AES, and so of an IV of CBC.
pub(crate) const BLOCK_LEN: usize = 16;

/// What an encrypted object's metadata, or its metadata and instruction file, say: how the content
/// is encrypted, and the wrapped data key. In one of the versions, never a mixture.
///
/// Read by [`Found::read`](super::Found::read). Nothing in it is to be trusted before the object has
/// opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub(crate) content: Content,
    pub(crate) key: EncryptedDataKey,
}

/// How the content is encrypted, with what is public of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    AesCbc { iv: [u8; BLOCK_LEN] },
    AesGcm { iv: [u8; 12] },
    CommittingAesGcm { message_id: [u8; COMMITMENT_LEN], commitment: [u8; COMMITMENT_LEN] },
}

/// A data key as a keyring wrapped it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedDataKey {
    /// How. None in V1, which does not say: the kind of the reader's key decides.
    pub wrap: Option<WrapAlgorithm>,
    /// The wrapped bytes.
    pub bytes: Vec<u8>,
    /// Which key, or the encryption context.
    pub description: Description,
}

impl Header {
    /// The version of the format.
    pub fn version(&self) -> FormatVersion {
        match (self.content, self.key.wrap) {
            (Content::CommittingAesGcm { .. }, _) => FormatVersion::V3,
            (_, None) => FormatVersion::V1,
            _ => FormatVersion::V2,
        }
    }

    /// How the content is encrypted.
    pub fn content_algorithm(&self) -> ContentAlgorithm {
        match self.content {
            Content::AesCbc { .. } => ContentAlgorithm::AesCbc,
            Content::AesGcm { .. } => ContentAlgorithm::AesGcm,
            Content::CommittingAesGcm { .. } => ContentAlgorithm::CommittingAesGcm,
        }
    }

    /// The wrapped data key.
    pub fn encrypted_data_key(&self) -> &EncryptedDataKey {
        &self.key
    }

    /// The length of the content, of a body of that many stored bytes; none for AES-CBC, whose padding
    /// has to be decrypted first. Not authenticated.
    pub fn plaintext_len(&self, stored_len: u64) -> Option<u64> {
        match self.content {
            Content::AesCbc { .. } => None,
            _ => stored_len.checked_sub(16),
        }
    }

    /// The object's name in errors: the beginning of its message id or IV.
    pub fn object_id(&self) -> ObjectId {
        let mut id = [0; 16];
        match &self.content {
            Content::AesCbc { iv } => id.copy_from_slice(iv),
            Content::AesGcm { iv } => id[..12].copy_from_slice(iv),
            Content::CommittingAesGcm { message_id, .. } => id.copy_from_slice(&message_id[..16]),
        }
        ObjectId::from_bytes(id)
    }
}

/// What AES-GCM takes to encrypt the content.
pub(crate) struct GcmInputs {
    pub(crate) key: DataKey,
    pub(crate) iv: [u8; 12],
    pub(crate) aad: &'static [u8],
}

impl Content {
    /// A new V3 content under a data key: its commitment, and the key that encrypts it.
    pub(crate) fn commit(
        engine: &dyn Engine,
        data_key: &DataKey,
        message_id: [u8; COMMITMENT_LEN],
    ) -> Result<(Self, GcmInputs)> {
        let mut commitment = [0; COMMITMENT_LEN];
        derive(engine, data_key, &message_id, b"COMMITKEY", &mut commitment)?;
        let inputs = committed_inputs(engine, data_key, &message_id)?;
        Ok((Self::CommittingAesGcm { message_id, commitment }, inputs))
    }

    /// The inputs of AES-GCM, once the data key is the one that the content commits to; none for
    /// AES-CBC.
    ///
    /// # Errors
    /// [`Error::Commitment`] when it is another.
    pub(crate) fn gcm_inputs(
        &self,
        engine: &dyn Engine,
        data_key: &DataKey,
    ) -> Result<Option<GcmInputs>> {
        match self {
            Self::AesCbc { .. } => Ok(None),
            Self::AesGcm { iv } => {
                Ok(Some(GcmInputs { key: data_key.duplicate(), iv: *iv, aad: &[] }))
            }
            Self::CommittingAesGcm { message_id, commitment } => {
                let mut derived = [0; COMMITMENT_LEN];
                derive(engine, data_key, message_id, b"COMMITKEY", &mut derived)?;
                if !bool::from(derived.ct_eq(commitment)) {
                    return Err(Error::Commitment);
                }
                committed_inputs(engine, data_key, message_id).map(Some)
            }
        }
    }
}

/// The algorithm's id, 0x0073: associated data, and the beginning of what keys are derived with.
const SUITE_ID: &[u8] = &[0x00, 0x73];

fn committed_inputs(
    engine: &dyn Engine,
    data_key: &DataKey,
    message_id: &[u8; COMMITMENT_LEN],
) -> Result<GcmInputs> {
    let mut key = DataKey::zeroed();
    derive(engine, data_key, message_id, b"DERIVEKEY", key.expose_mut())?;
    // The key is the object's alone, so that the IV need not be.
    Ok(GcmInputs { key, iv: [1; 12], aad: SUITE_ID })
}

fn derive(
    engine: &dyn Engine,
    data_key: &DataKey,
    message_id: &[u8; COMMITMENT_LEN],
    label: &[u8],
    okm: &mut [u8],
) -> Result<()> {
    Ok(engine.hkdf_sha512(message_id, data_key.expose(), &[SUITE_ID, label], okm)?)
}
