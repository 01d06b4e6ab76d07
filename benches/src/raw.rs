//! The primitives as the libraries give them, and a bare loop over AES-256-GCM: what object-cipher is
//! compared with.

use std::io::{Read, Write};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest::{self, SHA512},
    hkdf::{HKDF_SHA512, KeyType, Prk},
    rand,
};
use hmac::{Hmac, KeyInit, Mac};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::MessageBackend;
use object_cipher_rustcrypto::RustCrypto;
use sha2::{Digest, Sha512};
use zeroize::zeroize_bytes;

pub(crate) const TAG: usize = 16;
/// What HKDF gives for one message: key, base nonce, commitment.
pub(crate) const OKM: usize = 76;

/// One library, bare, and the backend over it.
pub(crate) trait Library: 'static {
    const NAME: &'static str;
    type Backend: MessageBackend;

    fn backend() -> Self::Backend;
    fn new(key: &[u8; 32]) -> Self;
    fn seal(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &mut [u8]);
    fn open(&self, nonce: [u8; 12], chunk: &mut [u8], tag: &[u8]);

    fn random<const N: usize>() -> [u8; N];
    /// HKDF-Expand with HMAC-SHA-512, which leaves no block of it behind.
    fn expand(prk: &[u8; 32], info: &[&[u8]]) -> [u8; OKM];
    fn sha512(data: &[&[u8]]) -> [u8; 64];
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

    fn random<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        rand::fill(&mut bytes).unwrap();
        bytes
    }

    fn expand(prk: &[u8; 32], info: &[&[u8]]) -> [u8; OKM] {
        struct Length;
        impl KeyType for Length {
            fn len(&self) -> usize {
                OKM
            }
        }
        let mut okm = [0; OKM];
        let prk = Prk::new_less_safe(HKDF_SHA512, prk);
        prk.expand(info, Length).unwrap().fill(&mut okm).unwrap();
        okm
    }

    fn sha512(data: &[&[u8]]) -> [u8; 64] {
        let mut hash = digest::Context::new(&SHA512);
        for piece in data {
            hash.update(piece);
        }
        hash.finish().as_ref().try_into().unwrap()
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

    fn random<const N: usize>() -> [u8; N] {
        let mut bytes = [0; N];
        getrandom::fill(&mut bytes).unwrap();
        bytes
    }

    fn expand(prk: &[u8; 32], info: &[&[u8]]) -> [u8; OKM] {
        let keyed = Hmac::<Sha512>::new_from_slice(prk).unwrap();
        let block = |before: &[u8], counter| {
            let mut mac = keyed.clone();
            mac.update(before);
            for piece in info {
                mac.update(piece);
            }
            mac.update(&[counter]);
            mac.finalize().into_bytes()
        };
        let mut first = block(&[], 1);
        let mut second = block(&first, 2);
        let mut okm = [0; OKM];
        okm[..64].copy_from_slice(&first);
        okm[64..].copy_from_slice(&second[..OKM - 64]);
        zeroize_bytes(&mut first);
        zeroize_bytes(&mut second);
        okm
    }

    fn sha512(data: &[&[u8]]) -> [u8; 64] {
        data.iter().fold(Sha512::new(), Sha512::chain_update).finalize().into()
    }
}

/// EK: HKDF of a source key, whose info is the mode, the layer and the kind of source.
pub(crate) fn wrapping_key(source: &[u8; 32], info: [u8; 3]) -> [u8; 32] {
    let mac = |key: &[u8], data: &[u8]| {
        let mac = Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(data);
        mac.finalize().into_bytes()
    };
    let [mode, layer, kind] = info;
    let ek = mac(&mac(b"object-cipher/v1/ek", source), &[mode, layer, kind, 1]);
    *ek.first_chunk().unwrap()
}

/// Seals chunks in place, each with its tag behind it.
pub(crate) fn seal_slots<L: Library>(library: &L, slots: &mut [u8], stride: usize) {
    for (index, slot) in (0..).zip(slots.chunks_mut(stride)) {
        seal_slot(library, slot, index);
    }
}

/// Seals one chunk in place, with its tag behind it.
pub(crate) fn seal_slot<L: Library>(library: &L, slot: &mut [u8], index: u64) {
    let (chunk, tag) = slot.split_at_mut(slot.len() - TAG);
    library.seal(nonce(index), chunk, tag);
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
