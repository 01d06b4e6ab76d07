//! A raw AES key: [`AesKeyring`].

use std::fmt;

use aes::{
    Aes128, Aes192, Aes256,
    cipher::{Block, BlockCipherDecrypt, BlockSizeUser, KeyInit, consts::U12},
};
use aes_gcm::{AesGcm, aead::AeadInOut};
use aes_kw::AesKw;
use zeroize::Zeroizing;

use super::{KeyRequest, RawKey};
use crate::{
    Error, Result,
    s3ec::{DataKey, Description, EncryptedDataKey, WrapAlgorithm},
};

#[cfg(test)]
mod tests;

const IV_LEN: usize = 12;
const TAG_LEN: usize = 16;
const KEY_LEN: usize = 32;

/// Wraps data keys under a raw AES key by AES-GCM; also unwraps the legacy AES key wrap, and AES-ECB of
/// V1.
///
/// ```
/// use object_cipher_client::s3ec::AesKeyring;
///
/// let keyring = AesKeyring::new(&[7; 32])?.with_description([("key", "photos-2026")]);
/// # Ok::<(), object_cipher_client::Error>(())
/// ```
pub struct AesKeyring {
    key: Zeroizing<Vec<u8>>,
    description: Description,
}

impl AesKeyring {
    /// A key of 16, 24 or 32 bytes; take 32. The caller wipes its copy.
    ///
    /// # Errors
    /// [`Error::MalformedKey`] for another length.
    pub fn new(key: &[u8]) -> Result<Self> {
        if ![16, 24, 32].contains(&key.len()) {
            return Err(Error::MalformedKey("an AES key has 16, 24 or 32 bytes"));
        }
        Ok(Self { key: Zeroizing::new(key.to_vec()), description: Description::new() })
    }

    /// The material description stored with what it wraps: how readers with several keys choose.
    #[must_use]
    pub fn with_description<K: Into<String>, V: Into<String>>(
        mut self,
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.description = pairs.into_iter().collect();
        self
    }
}

impl RawKey for AesKeyring {
    fn unwraps_by(&self, wrap: Option<WrapAlgorithm>) -> Option<WrapAlgorithm> {
        match wrap {
            None => Some(WrapAlgorithm::AesEcb),
            Some(WrapAlgorithm::AesGcm | WrapAlgorithm::AesKeyWrap) => wrap,
            Some(_) => None,
        }
    }

    fn wrap(&self, rq: &KeyRequest<'_>, data_key: &DataKey) -> Result<EncryptedDataKey> {
        rq.refuse_context(WrapAlgorithm::AesGcm)?;
        let mut bytes = vec![0; IV_LEN + KEY_LEN + TAG_LEN];
        let (iv, rest) = bytes.split_at_mut(IV_LEN);
        let (wrapped, tag) = rest.split_at_mut(KEY_LEN);
        rq.random(iv)?;
        wrapped.copy_from_slice(data_key.expose());
        let aad = rq.content.name().as_bytes();
        tag.copy_from_slice(&match self.key.len() {
            16 => seal::<AesGcm<Aes128, U12>>(&self.key, iv, aad, wrapped),
            24 => seal::<AesGcm<Aes192, U12>>(&self.key, iv, aad, wrapped),
            _ => seal::<AesGcm<Aes256, U12>>(&self.key, iv, aad, wrapped),
        }?);
        let description = self.description.clone();
        Ok(EncryptedDataKey { wrap: Some(WrapAlgorithm::AesGcm), bytes, description })
    }

    fn unwrap(&self, rq: &KeyRequest<'_>, wrap: WrapAlgorithm, wrapped: &[u8]) -> Result<DataKey> {
        rq.refuse_context(wrap)?;
        let aad = rq.content.name().as_bytes();
        match (wrap, self.key.len()) {
            (WrapAlgorithm::AesGcm, 16) => open::<AesGcm<Aes128, U12>>(&self.key, aad, wrapped),
            (WrapAlgorithm::AesGcm, 24) => open::<AesGcm<Aes192, U12>>(&self.key, aad, wrapped),
            (WrapAlgorithm::AesGcm, _) => open::<AesGcm<Aes256, U12>>(&self.key, aad, wrapped),
            (WrapAlgorithm::AesKeyWrap, 16) => unwrap_rfc3394::<Aes128>(&self.key, wrapped),
            (WrapAlgorithm::AesKeyWrap, 24) => unwrap_rfc3394::<Aes192>(&self.key, wrapped),
            (WrapAlgorithm::AesKeyWrap, _) => unwrap_rfc3394::<Aes256>(&self.key, wrapped),
            (WrapAlgorithm::AesEcb, 16) => unwrap_ecb::<Aes128>(&self.key, wrapped),
            (WrapAlgorithm::AesEcb, 24) => unwrap_ecb::<Aes192>(&self.key, wrapped),
            (WrapAlgorithm::AesEcb, _) => unwrap_ecb::<Aes256>(&self.key, wrapped),
            (other, _) => Err(Error::OtherKeyring(other)),
        }
    }
}

impl fmt::Debug for AesKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesKeyring").field("description", &self.description).finish_non_exhaustive()
    }
}

fn seal<A>(key: &[u8], iv: &[u8], aad: &[u8], data_key: &mut [u8]) -> Result<[u8; TAG_LEN]>
where
    A: AeadInOut<NonceSize = U12, TagSize = aes::cipher::consts::U16> + KeyInit,
{
    let aead = A::new_from_slice(key).map_err(|_| Error::Unwrap)?;
    let iv = iv.try_into().map_err(|_| Error::Unwrap)?;
    let tag = aead.encrypt_inout_detached(iv, aad, data_key.into()).map_err(|_| Error::Unwrap)?;
    Ok(tag.into())
}

/// The IV, the wrapped key, the tag.
fn open<A>(key: &[u8], aad: &[u8], wrapped: &[u8]) -> Result<DataKey>
where
    A: AeadInOut<NonceSize = U12, TagSize = aes::cipher::consts::U16> + KeyInit,
{
    let wrapped: &[u8; IV_LEN + KEY_LEN + TAG_LEN] =
        wrapped.try_into().map_err(|_| Error::Unwrap)?;
    let aead = A::new_from_slice(key).map_err(|_| Error::Unwrap)?;
    let mut data_key = DataKey::from_slice(&wrapped[IV_LEN..IV_LEN + KEY_LEN])?;
    let iv = wrapped[..IV_LEN].try_into().map_err(|_| Error::Unwrap)?;
    let tag = wrapped[IV_LEN + KEY_LEN..].try_into().map_err(|_| Error::Unwrap)?;
    aead.decrypt_inout_detached(iv, aad, data_key.expose_mut().as_mut_slice().into(), tag)
        .map_err(|_| Error::Unwrap)?;
    Ok(data_key)
}

/// RFC 3394 with its default initial value.
fn unwrap_rfc3394<C>(key: &[u8], wrapped: &[u8]) -> Result<DataKey>
where
    AesKw<C>: KeyInit + UnwrapKey,
{
    let kw = AesKw::<C>::new_from_slice(key).map_err(|_| Error::Unwrap)?;
    let mut data_key = DataKey::zeroed();
    if wrapped.len() != KEY_LEN + 8 || !kw.unwrap_into(wrapped, data_key.expose_mut()) {
        return Err(Error::Unwrap);
    }
    Ok(data_key)
}

/// `AesKw::unwrap_key`, whatever the block cipher.
trait UnwrapKey {
    fn unwrap_into(&self, wrapped: &[u8], key: &mut [u8; KEY_LEN]) -> bool;
}

impl<C> UnwrapKey for AesKw<C>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    fn unwrap_into(&self, wrapped: &[u8], key: &mut [u8; KEY_LEN]) -> bool {
        self.unwrap_key(wrapped, key).is_ok()
    }
}

/// Three blocks: two of the key, one of padding (PKCS #7). Nothing authenticates it.
fn unwrap_ecb<C>(key: &[u8], wrapped: &[u8]) -> Result<DataKey>
where
    C: BlockCipherDecrypt + KeyInit + BlockSizeUser<BlockSize = aes::cipher::consts::U16>,
{
    let wrapped: &[u8; KEY_LEN + 16] = wrapped.try_into().map_err(|_| Error::Unwrap)?;
    let cipher = C::new_from_slice(key).map_err(|_| Error::Unwrap)?;
    let mut blocks = Zeroizing::new(*wrapped);
    cipher.decrypt_blocks(Block::<C>::cast_slice_from_core_mut(blocks.as_chunks_mut().0));
    let padding = blocks[KEY_LEN..].iter().fold(0, |seen, byte| seen | (byte ^ 16));
    if padding != 0 {
        return Err(Error::Unwrap);
    }
    DataKey::from_slice(&blocks[..KEY_LEN])
}
