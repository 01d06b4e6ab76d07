//! Two libraries, one format (V6).

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, ChunkSealer, CryptoBackend, EkSource, Mode, ObjectCipher, ReadRange, SealChunks,
    Sealer,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{Seeded, StoredObject, cx, now, plaintext};

use crate::modes::cipher;

const CHUNK: usize = 16_384;

fn seeded<B: CryptoBackend>(backend: B) -> Box<dyn ObjectCipher> {
    cipher(Mode::SseC, EkSource::Customer, Seeded::new(backend, "backends"))
}

fn around_edges() -> impl Iterator<Item = usize> {
    (1..=3).flat_map(|chunks| chunks * CHUNK - 33..=chunks * CHUNK + 33)
}

#[test]
fn v6_what_one_backend_seals_the_other_seals_alike_and_opens() {
    let (ours, theirs) = (seeded(RustCrypto), seeded(AwsLc));
    for length in (0..=4_096).chain(around_edges()) {
        let content = plaintext(length);
        let seal = |cipher: &dyn ObjectCipher| {
            StoredObject::seal(cipher, &cx(), &content, &Attributes::default()).unwrap()
        };
        let (one, two) = (seal(&*ours), seal(&*theirs));
        assert!(one.bodies == two.bodies && one.envelope == two.envelope, "{length}");
        assert!(two.read(&*ours, &cx(), &ReadRange::Whole).unwrap() == content, "{length}");
        assert!(one.read(&*theirs, &cx(), &ReadRange::Whole).unwrap() == content, "{length}");
    }
}

#[test]
fn v6_a_buffer_may_begin_at_any_byte() {
    let sealers = [seeded(RustCrypto), seeded(AwsLc)]
        .map(|cipher| now(cipher.seal(&cx())).unwrap().into_chunks());
    let lengths = (0..=64).chain([255, 256, 257, 4_095, CHUNK - 1, CHUNK]);
    for length in lengths {
        let aligned = sealed_at(&sealers[0], 0, length);
        for at in 0..64 {
            for sealer in &sealers {
                assert!(sealed_at(sealer, at, length) == aligned, "{length} bytes at {at}");
            }
        }
    }
}

/// A chunk sealed in a buffer that begins `at` bytes behind a multiple of 64.
fn sealed_at(chunks: &SealChunks<Sealer>, at: usize, length: usize) -> Vec<u8> {
    let length_sealed = length + chunks.overhead();
    let mut room = vec![0; 64 + at + length_sealed];
    let begin = room.as_ptr().align_offset(64) + at;
    let buf = &mut room[begin..begin + length_sealed];
    buf[..length].copy_from_slice(&plaintext(length));
    chunks.seal(9, length < CHUNK, buf).unwrap();
    buf.to_vec()
}
