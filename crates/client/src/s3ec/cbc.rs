//! AES-256-CBC content of V1 and V2, read only: [`CbcDecryptor`].

use aes::Aes256;
use cbc::{
    Decryptor,
    cipher::{Block, BlockModeDecrypt, KeyIvInit},
};
use object_cipher_core::{BackendError, TailDecryptor};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

use super::{DataKey, header::BLOCK_LEN};

/// Decrypts CBC block by block; the last block is padded (PKCS #7).
///
/// Nothing authenticates the content. Whatever is wrong with it is one error, told after the same work.
pub(crate) struct CbcDecryptor(Decryptor<Aes256>);

impl CbcDecryptor {
    pub(crate) fn new(key: &DataKey, iv: &[u8; BLOCK_LEN]) -> Self {
        Self(Decryptor::new(key.expose().into(), iv.into()))
    }
}

impl TailDecryptor for CbcDecryptor {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        let (blocks, rest) = piece.as_chunks_mut::<BLOCK_LEN>();
        if !rest.is_empty() {
            return Err(BackendError::Rejected);
        }
        self.0.decrypt_blocks(Block::<Aes256>::cast_slice_from_core_mut(blocks));
        Ok(())
    }

    fn finish(mut self: Box<Self>, tail: &mut [u8; BLOCK_LEN]) -> Result<usize, BackendError> {
        self.0.decrypt_block((&mut *tail).into());
        padded_len(tail).ok_or(BackendError::Rejected)
    }
}

/// The length of what is before the padding: 1 to 16 bytes of their own number. Looks at every byte,
/// whatever it finds.
fn padded_len(block: &[u8; BLOCK_LEN]) -> Option<usize> {
    let padding = block[BLOCK_LEN - 1];
    let mut valid = padding.ct_gt(&0) & !padding.ct_gt(&16);
    for (from_end, byte) in (1u8..).zip(block.iter().rev()) {
        let is_content = from_end.ct_gt(&padding);
        valid &= Choice::conditional_select(&byte.ct_eq(&padding), &Choice::from(1), is_content);
    }
    bool::from(valid).then(|| BLOCK_LEN - usize::from(padding))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e5_only_pkcs7_padding_has_a_length() {
        for padding in 0..=255 {
            for filler in [padding, 0x55] {
                let mut block = [0xaa; BLOCK_LEN];
                let at = BLOCK_LEN - usize::from(padding).clamp(1, BLOCK_LEN);
                block[at..].fill(filler);
                block[BLOCK_LEN - 1] = padding;
                let valid = (1..=16).contains(&padding) && (filler == padding || padding == 1);
                assert_eq!(padded_len(&block), valid.then_some(at), "{padding}");
            }
        }
    }
}
