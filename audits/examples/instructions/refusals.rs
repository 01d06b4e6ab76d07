//! T3: what is refused takes as many instructions wherever the fault is.

use std::hint::black_box;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, CryptoBackend, EkSource, Envelope, LayeredCipher, ObjectCipher as _, ObjectContext,
    ReadRange,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{Seeded, TestKeys, drive, now};

use crate::Case;

const KEY: [u8; 32] = [7; 32];
const LENGTH: usize = 4_096;
const HEADER: usize = 56;
const TIMES: u64 = 64;
/// What a count may vary by where nothing differs: the beginning of a process is not always the same.
const NOISE: u64 = 8;

/// Where a key is wrong, and where a chunk or its tag is. Within each the lengths are the same.
const KEYS: [(&str, usize, u8); 3] = [("first", 0, 0x80), ("middle", 16, 1), ("last", 31, 1)];
const CHUNKS: [(&str, usize); 5] = [
    ("a chunk wrong in its first byte", HEADER),
    ("a chunk wrong in its middle", HEADER + LENGTH / 2),
    ("a chunk wrong in its last byte", HEADER + LENGTH - 1),
    ("a tag wrong in its first byte", HEADER + LENGTH),
    ("a tag wrong in its last byte", HEADER + LENGTH + 15),
];

/// By each library wrong keys, then wrong chunks; and the control.
pub(crate) fn cases() -> Vec<Case> {
    let control = [0, 31].map(|at| {
        let name = format!("control: a naive comparison, wrong at byte {at}");
        Case::new(name, TIMES, move |times| compare_naively(at, times))
    });
    let libraries = [cases_of(RustCrypto), cases_of(AwsLc)];
    libraries.into_iter().flatten().chain(control).collect()
}

/// By how much counts differ within a group at the most, and where too much.
pub(crate) fn judge(mut counts: &[u64]) -> (u64, Vec<String>) {
    let (first, last) = (counts[counts.len() - 2], counts[counts.len() - 1]);
    assert!(last > first + NOISE, "counting is blind");
    let (mut most, mut faults) = (0, Vec::new());
    for group in [KEYS.len(), CHUNKS.len(), KEYS.len(), CHUNKS.len()] {
        let (group, rest) = counts.split_at(group);
        counts = rest;
        let spread = group.iter().max().unwrap() - group.iter().min().unwrap();
        most = most.max(spread);
        if spread > NOISE {
            faults.push(format!("{group:?}"));
        }
    }
    (most, faults)
}

fn cases_of<B: CryptoBackend + Copy + 'static>(backend: B) -> Vec<Case> {
    let library = B::LINEAGE.name();
    let keys = KEYS.map(|(bit, at, mask)| {
        let name = format!("{library}: a key wrong in its {bit} bit");
        Case::new(name, TIMES, move |times| refuse_key(backend, at, mask, times))
    });
    let chunks = CHUNKS.map(|(what, at)| {
        Case::new(format!("{library}: {what}"), TIMES, move |times| {
            refuse_chunk(backend, at, times);
        })
    });
    keys.into_iter().chain(chunks).collect()
}

/// Goes on until the first byte that is wrong.
fn compare_naively(at: usize, times: u64) {
    let mut other = KEY;
    other[at] ^= 1;
    for _ in 0..times {
        let (one, other) = (black_box(&KEY), black_box(&other));
        assert!(!black_box(one.iter().zip(other).all(|(one, other)| black_box(one) == other)));
    }
}

fn refuse_key<B: CryptoBackend>(backend: B, at: usize, mask: u8, times: u64) {
    let (_, envelope) = sealed(backend.clone());
    let mut key = KEY;
    key[at] ^= mask;
    let cipher = cipher(backend, key);
    for _ in 0..times {
        assert!(black_box(now(cipher.open(&cx(), &envelope))).is_err());
    }
}

fn refuse_chunk<B: CryptoBackend>(backend: B, at: usize, times: u64) {
    let (mut body, envelope) = sealed(backend.clone());
    let opener = now(cipher(backend, KEY).open(&cx(), &envelope)).unwrap();
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let chunks = opener.chunks(plan.body().unwrap()).unwrap();
    body[at] ^= 1;
    let mut slot = body[HEADER..].to_vec();
    for _ in 0..times {
        slot.copy_from_slice(&body[HEADER..]);
        assert!(black_box(chunks.open(0, true, &mut slot)).is_err());
    }
}

fn cipher<B: CryptoBackend>(backend: B, key: [u8; 32]) -> LayeredCipher<TestKeys> {
    LayeredCipher::sse_c(TestKeys::new(EkSource::Customer, key), backend)
}

fn cx() -> ObjectContext<'static> {
    ObjectContext::new("realm", "bucket", "key")
}

/// Draws nothing: what a library's generator does at first is not always the same.
fn sealed<B: CryptoBackend>(backend: B) -> (Vec<u8>, Envelope) {
    let cipher = cipher(Seeded::new(backend, "refusals"), KEY);
    let mut stream = now(cipher.seal(&cx())).unwrap().into_stream();
    let body = drive(&mut stream, &[9; LENGTH], usize::MAX).complete().unwrap();
    (body, stream.finish(&Attributes::default()).unwrap())
}
