//! Inputs to begin with: what the frozen vectors hold, and bytes without a meaning.

mod client;

use std::{error::Error, path::Path};

use object_cipher_core::Envelope;
use object_cipher_testkit::vectors::Vectors;

use crate::TARGETS;

/// A seed with its target.
pub type Seed = (&'static str, Vec<u8>);

/// All seeds, of the vectors in a folder.
///
/// # Errors
/// When they cannot be read.
pub fn seeds(folder: &Path) -> Result<Vec<Seed>, Box<dyn Error>> {
    let vectors = Vectors::load(folder)?;
    let mut seeds = of_records(&vectors);
    seeds.extend(client::companions(&vectors));
    seeds.extend(client::metadata(&folder.join("s3ec"))?);
    for (target, _) in TARGETS {
        seeds.extend((0..12).map(|number| (target, noise(number))));
    }
    Ok(seeds)
}

fn of_records(vectors: &Vectors) -> Vec<Seed> {
    let objects = vectors.objects.vectors.iter();
    let uploads = vectors.uploads.vectors.iter();
    let texts: Vec<_> = objects
        .clone()
        .map(|vector| &vector.envelope)
        .chain(uploads.clone().map(|vector| &vector.envelope))
        .collect();
    let envelopes = texts.iter().filter_map(|text| Envelope::from_text(text).ok());
    let tables = objects.filter_map(|vector| {
        let pages = vector.part_pages.iter().flat_map(|page| page.to_vec());
        Some(vector.part_index.as_ref()?.iter().copied().chain(pages).collect())
    });
    let receipts = uploads.filter_map(|vector| vector.kept_receipts.as_ref());
    let mut seeds: Vec<_> =
        envelopes.map(|envelope| ("envelope", envelope.as_bytes().to_vec())).collect();
    seeds.extend(texts.iter().map(|text| ("envelope_text", text.as_bytes().to_vec())));
    seeds.extend(tables.map(|table| ("part_table", table)));
    seeds.extend(receipts.map(|receipts| ("keyless_receipts", receipts.to_vec())));
    seeds.extend(info_blocks().map(|block| ("info", block)));
    seeds
}

/// Info blocks of one body in one and in two layers, and of parts, with and without attributes.
fn info_blocks() -> impl Iterator<Item = Vec<u8>> {
    let length = [&[1, 0, 8][..], &4_u64.to_be_bytes()].concat();
    let one = [&[4, 0, 56][..], &[0; 56]].concat();
    let two = [&[4, 0, 112][..], &[0; 112]].concat();
    let parts = [&[2, 0, 4, 0, 0, 0, 1, 3, 0, 32][..], &[0; 32]].concat();
    let attributes =
        [&[5, 0, 16][..], &[9; 16], &[6, 0, 6, 2, 1], &[8; 4], &[7, 0, 32], &[7; 32]].concat();
    let shapes = [one, two, parts].map(|shape| [length.clone(), shape].concat());
    shapes.into_iter().flat_map(move |shape| [shape.clone(), [shape, attributes.clone()].concat()])
}

/// 2^number bytes of a plain congruential generator.
fn noise(number: u32) -> Vec<u8> {
    let next = |state: &mut u32| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Some(state.to_be_bytes()[0])
    };
    let mut state = number;
    std::iter::from_fn(|| next(&mut state)).take(1 << number).collect()
}
