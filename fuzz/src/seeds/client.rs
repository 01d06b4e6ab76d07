//! What clients keep beside their bodies.

use std::{error::Error, fs, path::Path};

use object_cipher_client::StoredEnvelope;
use object_cipher_core::{ENVELOPE_PAIR_NAME, Envelope, Mode};
use object_cipher_testkit::vectors::{ObjectVector, Vectors};
use serde_json::Value;

use super::Seed;
use crate::text;

/// Companions and pairs of our own format.
pub(super) fn companions(vectors: &Vectors) -> Vec<Seed> {
    let objects = vectors.objects.vectors.iter();
    let inputs = objects.filter(|vector| vector.mode == Mode::Client).flat_map(|vector| {
        let pair = [(ENVELOPE_PAIR_NAME, vector.envelope.as_str())];
        let in_metadata = [b"\x01dir/key\n", &*text::lines(pair)].concat();
        companion(vector).into_iter().flatten().chain([in_metadata])
    });
    inputs.map(|input| ("companion", input)).collect()
}

/// The companion and the pair that leads to it.
fn companion(vector: &ObjectVector) -> Option<[Vec<u8>; 2]> {
    let envelope = Envelope::from_text(&vector.envelope).ok()?;
    let mut bytes = b"\0\x89S3C\x01".to_vec();
    bytes.extend(u32::try_from(envelope.as_bytes().len()).ok()?.to_be_bytes());
    bytes.extend(envelope.as_bytes());
    bytes.extend(vector.part_index.as_ref()?.iter());
    bytes.extend(vector.part_pages.iter().flat_map(|page| page.iter()));
    let leads = StoredEnvelope::in_companion("dir/key", envelope.object_id()).ok()?;
    let (name, value) = leads.pair();
    Some([bytes, [b"\x01dir/key\n", &*text::lines([(name, value.as_str())])].concat()])
}

/// Metadata and instruction files that S3 Encryption Clients wrote.
pub(super) fn metadata(folder: &Path) -> Result<Vec<Seed>, Box<dyn Error>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    let mut seeds = Vec::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|ext| ext == "json")) {
        let group: Value = serde_json::from_slice(&fs::read(path)?)?;
        let vectors = group["vectors"].as_array().into_iter().flatten();
        seeds.extend(vectors.map(|vector| ("s3ec_metadata", beside_the_body(vector))));
    }
    Ok(seeds)
}

fn beside_the_body(vector: &Value) -> Vec<u8> {
    let metadata = vector["object"]["metadata"].as_object().into_iter().flatten();
    let pairs = metadata.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    let file = vector["instruction_file"]["body"].as_str().unwrap_or_default();
    [b"\0", &*text::lines(pairs), b"\0", file.as_bytes()].concat()
}
