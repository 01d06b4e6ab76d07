//! AES-256-GCM alone: chunks of 16 KiB sealed in place.

use graviola::aead::AesGcm;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::{Subject, content::Content};

const CHUNK: usize = 16 << 10;
const TAG: usize = 16;

pub(crate) struct Ring {
    key: LessSafeKey,
    slots: Vec<u8>,
}

pub(crate) struct Graviola {
    key: AesGcm,
    slots: Vec<u8>,
}

impl Ring {
    pub(crate) fn new(content: Content) -> Self {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[7; 32]).unwrap());
        Self { key, slots: slots(&content) }
    }
}

impl Graviola {
    pub(crate) fn new(content: Content) -> Self {
        Self { key: AesGcm::new(&[7; 32]), slots: slots(&content) }
    }
}

impl Subject for Ring {
    fn seal(&mut self) {
        for (index, slot) in (0..).zip(self.slots.chunks_exact_mut(CHUNK + TAG)) {
            let (chunk, room) = slot.split_at_mut(CHUNK);
            let nonce = Nonce::assume_unique_for_key(nonce(index));
            let tag = self.key.seal_in_place_separate_tag(nonce, Aad::empty(), chunk).unwrap();
            room.copy_from_slice(tag.as_ref());
        }
    }

    fn open(&mut self) {
        unimplemented!("chunks that were opened in place cannot be opened again");
    }
}

impl Subject for Graviola {
    fn seal(&mut self) {
        for (index, slot) in (0..).zip(self.slots.chunks_exact_mut(CHUNK + TAG)) {
            let (chunk, tag) = slot.split_at_mut(CHUNK);
            self.key.encrypt(&nonce(index), &[], chunk, tag.try_into().unwrap());
        }
    }

    fn open(&mut self) {
        unimplemented!("chunks that were opened in place cannot be opened again");
    }
}

/// Room for the content's chunks, each with its tag.
fn slots(content: &Content) -> Vec<u8> {
    vec![0x5A; content.length.div_ceil(CHUNK) * (CHUNK + TAG)]
}

fn nonce(index: u64) -> [u8; 12] {
    let mut nonce = [7; 12];
    nonce[4..].copy_from_slice(&index.to_be_bytes());
    nonce
}
