//! One long AES-256-GCM message, piece by piece, put together from CTR and GHASH.

use alloc::boxed::Box;
use core::slice;

use aes::Aes256;
use ctr::{
    CtrCore,
    cipher::{BlockCipherEncrypt, InnerIvInit, KeyInit, StreamCipherCore},
    flavors::Ctr32BE,
};
use ghash::{Block, GHash, universal_hash::UniversalHash};
use object_cipher_core::{
    BackendError, MAX_MESSAGE_LEN, MessageBackend, MessageDecryptor, MessageEncryptor,
};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::RustCrypto;

/// Bytes of a block.
const BLOCK: usize = 16;

/// Blocks that are encrypted and hashed in turn: 15 KiB, which the nearest cache still holds for the
/// second of the two, and of which `aes` leaves no rest, be it 8, 30 or 64 blocks that it takes at once.
const RUN: usize = 960;

struct Encryptor(Message);

struct Decryptor(Message);

/// The state of both. Each field wipes itself on drop.
struct Message {
    ctr: CtrCore<Aes256, Ctr32BE>,
    hash: GHash,
    /// The keystream block that masks the tag.
    mask: Zeroizing<Block>,
    /// The block that the last piece has left unfinished: ciphertext as far as it goes, behind it the
    /// keystream that is still to be used.
    block: Zeroizing<Block>,
    aad_bits: u64,
    len: u64,
}

#[derive(Clone, Copy)]
enum Direction {
    Encrypt,
    Decrypt,
}

impl Message {
    fn new(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8]) -> Result<Self, BackendError> {
        let aad_bits = (aad.len() as u64).checked_mul(8).ok_or(BackendError::Refused)?;
        let aes = Aes256::new(key.into());
        let mut hash_key = Zeroizing::new(Block::default());
        aes.encrypt_block(&mut hash_key);
        let mut hash = GHash::new(&hash_key);
        hash.update_padded(aad);

        let mut counter = Block::default();
        counter[..nonce.len()].copy_from_slice(nonce);
        counter[BLOCK - 1] = 1;
        let mut ctr = CtrCore::inner_iv_init(aes, &counter);
        let mut mask = Zeroizing::new(Block::default());
        ctr.write_keystream_block(&mut mask);
        Ok(Self { ctr, hash, mask, block: Zeroizing::default(), aad_bits, len: 0 })
    }

    fn update(&mut self, piece: &mut [u8], direction: Direction) -> Result<(), BackendError> {
        let len = self.len.checked_add(piece.len() as u64);
        let len = len.filter(|&len| len <= MAX_MESSAGE_LEN).ok_or(BackendError::Refused)?;
        let begun = self.begun();
        let missing = (BLOCK - begun) % BLOCK;
        let (head, rest) = piece.split_at_mut(missing.min(piece.len()));
        self.bytes(begun, head, direction);
        let (blocks, tail) = Block::slice_as_chunks_mut(rest);
        for run in blocks.chunks_mut(RUN) {
            self.blocks(run, direction);
        }
        if !tail.is_empty() {
            self.ctr.write_keystream_block(&mut self.block);
            self.bytes(0, tail, direction);
        }
        self.len = len;
        Ok(())
    }

    fn blocks(&mut self, run: &mut [Block], direction: Direction) {
        match direction {
            Direction::Encrypt => {
                self.ctr.apply_keystream_blocks(run);
                self.hash.update(run);
            }
            Direction::Decrypt => {
                self.hash.update(run);
                self.ctr.apply_keystream_blocks(run);
            }
        }
    }

    /// Bytes of the unfinished block, of which so many are done: at most up to its end.
    fn bytes(&mut self, begun: usize, bytes: &mut [u8], direction: Direction) {
        for (byte, keystream) in bytes.iter_mut().zip(&mut self.block[begun..]) {
            let before = *byte;
            *byte ^= *keystream;
            *keystream = match direction {
                Direction::Encrypt => *byte,
                Direction::Decrypt => before,
            };
        }
        if begun + bytes.len() == BLOCK {
            self.hash.update(slice::from_ref(&*self.block));
        }
    }

    /// How much of the unfinished block is done.
    fn begun(&self) -> usize {
        usize::from(self.len.to_le_bytes()[0]) % BLOCK
    }

    fn tag(&mut self) -> Zeroizing<Block> {
        let begun = self.begun();
        if begun > 0 {
            self.block[begun..].fill(0);
            self.hash.update(slice::from_ref(&*self.block));
        }
        let mut lengths = Block::default();
        lengths[..8].copy_from_slice(&self.aad_bits.to_be_bytes());
        lengths[8..].copy_from_slice(&(8 * self.len).to_be_bytes());
        self.hash.update(&[lengths]);
        // A hash moved out of the box would leave its key there.
        let mut tag = Zeroizing::new(self.hash.clone().finalize());
        tag.iter_mut().zip(&*self.mask).for_each(|(tag, mask)| *tag ^= mask);
        tag
    }
}

impl MessageBackend for RustCrypto {
    fn message_encryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageEncryptor>, BackendError> {
        Ok(Box::new(Encryptor(Message::new(key, nonce, aad)?)))
    }

    fn message_decryptor(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        aad: &[u8],
    ) -> Result<Box<dyn MessageDecryptor>, BackendError> {
        Ok(Box::new(Decryptor(Message::new(key, nonce, aad)?)))
    }
}

impl MessageEncryptor for Encryptor {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.0.update(piece, Direction::Encrypt)
    }

    fn finish(mut self: Box<Self>, tag: &mut [u8; 16]) -> Result<(), BackendError> {
        tag.copy_from_slice(&self.0.tag()[..]);
        Ok(())
    }
}

impl MessageDecryptor for Decryptor {
    fn update(&mut self, piece: &mut [u8]) -> Result<(), BackendError> {
        self.0.update(piece, Direction::Decrypt)
    }

    fn finish(mut self: Box<Self>, tag: &[u8; 16]) -> Result<(), BackendError> {
        let same = self.0.tag()[..].ct_eq(&tag[..]);
        if bool::from(same) { Ok(()) } else { Err(BackendError::Rejected) }
    }
}

#[cfg(test)]
mod tests {
    use ctr::cipher::StreamCipherSeekCore;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    /// A message of which only so many bytes are left, as if the others had gone through.
    fn with_bytes_left(left: u64) -> Message {
        let mut message = Message::new(&KEY, &[1; 12], b"").unwrap();
        message.len = MAX_MESSAGE_LEN - left;
        message.ctr.set_block_pos(u32::try_from(message.len / 16).unwrap() + 1);
        message
    }

    #[test]
    fn a_message_past_the_limit_is_refused_and_its_piece_unchanged() {
        for direction in [Direction::Encrypt, Direction::Decrypt] {
            let mut message = with_bytes_left(16);
            let mut piece = [5; 17];
            assert_eq!(message.update(&mut piece, direction), Err(BackendError::Refused));
            assert_eq!(piece, [5; 17]);
            assert_eq!(message.update(&mut piece[..15], direction), Ok(()));
            assert_eq!(message.update(&mut piece[15..], direction), Err(BackendError::Refused));
            assert_eq!(message.update(&mut piece[15..16], direction), Ok(()));
            assert_eq!(message.update(&mut [], direction), Ok(()));
            assert_eq!(message.update(&mut piece[16..], direction), Err(BackendError::Refused));
            assert_eq!(piece[16], 5);
        }
    }

    #[test]
    fn the_last_block_of_the_longest_message_has_the_last_counter() {
        let mut last = [0; 16];
        with_bytes_left(16).update(&mut last, Direction::Encrypt).unwrap();
        let mut counter = Block::from([0xff; 16]);
        counter[..12].fill(1);
        Aes256::new(&KEY.into()).encrypt_block(&mut counter);
        assert_eq!(last, counter[..]);
    }
}
