//! AES-256-GCM as the libraries give it, and a bare loop over it: what object-cipher is compared
//! with.

use std::io::{Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;

pub(crate) const TAG: usize = 16;

/// One library, bare, and the backend over it.
pub(crate) trait Library: 'static {
    const NAME: &'static str;
    type Backend: CryptoBackend;

    fn backend() -> Self::Backend;
    fn new(key: &[u8; 32]) -> Self;
    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &mut [u8]);
    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8]);
}

/// `aws-lc-rs`.
pub(crate) struct RawAwsLc(LessSafeKey);

/// `aes-gcm`.
pub(crate) struct RawRustCrypto(aes_gcm::Aes256Gcm);

impl Library for RawAwsLc {
    const NAME: &'static str = "aws-lc-rs";
    type Backend = AwsLc;

    fn backend() -> AwsLc {
        AwsLc
    }

    fn new(key: &[u8; 32]) -> Self {
        Self(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).unwrap()))
    }

    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &mut [u8]) {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let made = self.0.seal_in_place_separate_tag(nonce, Aad::empty(), chunk).unwrap();
        tag.copy_from_slice(made.as_ref());
    }

    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8]) {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place_separate_tag(nonce, Aad::empty(), tag, chunk).unwrap();
    }
}

impl Library for RawRustCrypto {
    const NAME: &'static str = "aes-gcm";
    type Backend = RustCrypto;

    fn backend() -> RustCrypto {
        RustCrypto
    }

    fn new(key: &[u8; 32]) -> Self {
        Self(aes_gcm::KeyInit::new(key.into()))
    }

    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &mut [u8]) {
        use aes_gcm::aead::AeadInOut;
        let made = self.0.encrypt_inout_detached((&nonce).into(), &[], chunk.into()).unwrap();
        tag.copy_from_slice(&made);
    }

    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8]) {
        use aes_gcm::aead::AeadInOut;
        let tag = tag.try_into().unwrap();
        self.0.decrypt_inout_detached((&nonce).into(), &[], chunk.into(), tag).unwrap();
    }
}

/// Seals chunks in place, each with its tag behind it.
pub(crate) fn seal_slots<L: Library>(library: &L, slots: &mut [u8], stride: usize) {
    for (index, slot) in (0..).zip(slots.chunks_mut(stride)) {
        let (chunk, tag) = slot.split_at_mut(slot.len() - TAG);
        library.seal(nonce(index), chunk, tag);
    }
}

/// Opens what [`seal_slots`] made, the first chunk of index `first`.
pub(crate) fn open_slots<L: Library>(library: &L, slots: &mut [u8], stride: usize, first: u64) {
    for (index, slot) in (first..).zip(slots.chunks_mut(stride)) {
        let (chunk, tag) = slot.split_at_mut(slot.len() - TAG);
        library.open(nonce(index), chunk, tag);
    }
}

/// Reads, seals and writes with one reused buffer of a chunk and its tag.
pub(crate) fn seal_loop<L: Library>(
    library: &L,
    buffer: &mut [u8],
    source: &mut impl Read,
    sink: &mut impl Write,
) {
    let chunk_len = buffer.len() - TAG;
    for index in 0.. {
        let count = read_full(source, &mut buffer[..chunk_len]);
        let (chunk, tag) = buffer[..count + TAG].split_at_mut(count);
        library.seal(nonce(index), chunk, tag);
        sink.write_all(&buffer[..count + TAG]).unwrap();
        if count < chunk_len {
            return;
        }
    }
}

/// Reads, opens and writes with one reused buffer of a chunk and its tag.
pub(crate) fn open_loop<L: Library>(
    library: &L,
    buffer: &mut [u8],
    source: &mut impl Read,
    sink: &mut impl Write,
) {
    for index in 0.. {
        let count = read_full(source, buffer);
        let (chunk, tag) = buffer[..count].split_at_mut(count - TAG);
        library.open(nonce(index), chunk, tag);
        sink.write_all(&buffer[..count - TAG]).unwrap();
        if count < buffer.len() {
            return;
        }
    }
}

fn read_full(source: &mut impl Read, buf: &mut [u8]) -> usize {
    let mut count = 0;
    while count < buf.len() {
        match source.read(&mut buf[count..]).unwrap() {
            0 => break,
            more => count += more,
        }
    }
    count
}

fn nonce(index: u64) -> [u8; 12] {
    let mut nonce = [7; 12];
    nonce[4..].copy_from_slice(&index.to_be_bytes());
    nonce
}
