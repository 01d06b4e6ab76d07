//! What we do besides AES-GCM, HKDF and hashes: with a backend that does none of it.

use std::{
    hint::black_box,
    io::{self, Write},
};

use object_cipher_core::{
    Attributes, ChunkSealer as _, EkSource, Envelope, LayeredCipher, ObjectCipher as _,
    ObjectContext, Opener, ReadRange, Sealer,
};
use object_cipher_io::{open_all, seal_all};
use object_cipher_testkit::{NoSecurity, TestKeys, drive, now};

use crate::Case;

const CHUNK: usize = 16_384;
const STRIDE: usize = CHUNK + 16;
const TIMES: u64 = 64;

type Work = fn(u64);

/// The most that each case may take: what it took when this was written, and a quarter for other compilers.
/// A copy
/// of a chunk counts 16 thousand, as does a wipe: the processor's string instructions count by the byte.
const MOST: [(&str, Work, u64); 6] = [
    ("a chunk sealed in place", seal_in_place, 160),
    ("a chunk opened in place", open_in_place, 135),
    ("16 chunks sealed, Read to Write, Envelope and all", seal_chunks, 401_000),
    ("16 chunks opened, Read to Write, Envelope and all", open_chunks, 399_000),
    ("1 KiB sealed, Envelope and all", seal_small, 61_000),
    ("1 KiB opened, Envelope and all", open_small, 20_200),
];

pub(crate) fn cases() -> Vec<Case> {
    MOST.map(|(name, work, _)| Case::new(name, TIMES, work)).into()
}

/// Which ones take more than they may.
pub(crate) fn judge(counts: &[u64]) -> Vec<String> {
    let more = MOST.iter().zip(counts).filter(|((_, _, most), count)| *count > most);
    more.map(|((name, _, most), count)| format!("{name}: {count}, at most {most}")).collect()
}

fn seal_in_place(chunks: u64) {
    let sealer = sealer().into_chunks();
    let mut slot = vec![7; STRIDE];
    (0..chunks).for_each(|index| sealer.seal(index, false, black_box(&mut slot)).unwrap());
}

fn open_in_place(chunks: u64) {
    // As long for all, since sealing it counts.
    let (_, envelope) = sealed(256 * CHUNK);
    let opener = open(&envelope);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let opener = opener.chunks(plan.body().unwrap()).unwrap();
    let mut slot = vec![0; STRIDE];
    (0..chunks).for_each(|index| opener.open(index, false, black_box(&mut slot)).unwrap());
}

fn seal_chunks(times: u64) {
    seal_again(16 * CHUNK, times);
}

fn open_chunks(times: u64) {
    open_again(16 * CHUNK, times);
}

fn seal_small(times: u64) {
    seal_again(1_024, times);
}

fn open_small(times: u64) {
    open_again(1_024, times);
}

fn seal_again(length: usize, times: u64) {
    let content = vec![7; length];
    for _ in 0..times {
        let stream = sealer().into_stream();
        let sealed = seal_all(stream, &mut &content[..], &mut Nowhere).unwrap();
        black_box(sealed.finish(&Attributes::default()).unwrap().as_bytes());
    }
}

fn open_again(length: usize, times: u64) {
    let (body, envelope) = sealed(length);
    for _ in 0..times {
        let envelope = Envelope::parse(envelope.as_bytes()).unwrap();
        open_all(&open(&envelope), &mut &body[..], &mut Nowhere).unwrap();
    }
}

fn cipher() -> LayeredCipher<TestKeys> {
    LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, [7; 32]), NoSecurity::<false>)
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "key")
}

fn sealer() -> Sealer {
    now(cipher().seal(&cx())).unwrap()
}

fn sealed(length: usize) -> (Vec<u8>, Envelope) {
    let mut stream = sealer().into_stream();
    let body = drive(&mut stream, &vec![7; length], usize::MAX).complete().unwrap();
    (body, stream.finish(&Attributes::default()).unwrap())
}

fn open(envelope: &Envelope) -> Opener {
    now(cipher().open(&cx(), envelope)).unwrap()
}

/// Takes everything and does nothing with it.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
