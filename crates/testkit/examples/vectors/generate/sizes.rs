//! Lengths of bodies, by the formula, and lengths that no body has.

use object_cipher_testkit::vectors::{SizeVector, Verdict, VerdictStep};

use super::{bodies::layer_words, message::CHUNK};

const MOST: u64 = (1 << 46) - 1;

pub(crate) fn all() -> Vec<SizeVector> {
    let possible = [1, 2].into_iter().flat_map(|layers| lengths().map(move |n| accept(layers, n)));
    let impossible = [1, 2].into_iter().flat_map(impossible);
    possible.chain(impossible).collect()
}

fn lengths() -> impl Iterator<Item = u64> {
    let chunk = CHUNK as u64;
    let edges = (0..4).flat_map(move |n| [(n * chunk).saturating_sub(1), n * chunk, n * chunk + 1]);
    edges.skip(1).chain([5 << 20, 5 << 30, 5 << 40, MOST - 1, MOST])
}

fn chunks(length: u64) -> u64 {
    length / CHUNK as u64 + 1
}

fn sealed(layers: u8, length: u64) -> u64 {
    let layers = u64::from(layers);
    56 * layers + length + 16 * layers * chunks(length)
}

fn accept(layers: u8, length: u64) -> SizeVector {
    SizeVector {
        name: format!("{}, {length} bytes", layer_words(layers.into())),
        layers,
        plaintext_len: Some(length),
        sealed_len: Some(sealed(layers, length)),
        chunks: Some(chunks(length)),
        verdict: Verdict::accept(),
    }
}

fn impossible(layers: u8) -> Vec<SizeVector> {
    let full = sealed(layers, CHUNK as u64);
    let tags = 16 * u64::from(layers);
    let sealed_lens = [
        (0, "shorter than the headers"),
        (56 * u64::from(layers) - 1, "shorter than the headers"),
        (56 * u64::from(layers), "headers without a chunk"),
        (sealed(layers, 0) - 1, "the last chunk is shorter than its tags"),
        (full - tags, "a full chunk without a last one"),
        (full - 1, "the last chunk is shorter than its tags"),
        (full + CHUNK as u64, "two full chunks without a last one"),
        (sealed(layers, MOST) + 1, "the last chunk is full"),
        (1 << 50, "more than 2^32 chunks"),
    ];
    let refused = |name: String, plaintext_len, sealed_len, reason: &str| SizeVector {
        name,
        layers,
        plaintext_len,
        sealed_len,
        chunks: None,
        verdict: Verdict::reject(VerdictStep::Size, reason),
    };
    let stored = sealed_lens.map(|(length, reason)| {
        let name = format!("{}, {length} bytes stored", layer_words(layers.into()));
        refused(name, None, Some(length), reason)
    });
    let content = [MOST + 1, 1 << 50].map(|length| {
        let name = format!("{}, {length} bytes", layer_words(layers.into()));
        refused(name, Some(length), None, "more than 2^32 chunks")
    });
    stored.into_iter().chain(content).collect()
}
