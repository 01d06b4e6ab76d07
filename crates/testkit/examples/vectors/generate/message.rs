//! A second writer of messages, from the specification: one layer, or two composed per chunk.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{Aes256Gcm, CryptoBackend};
use object_cipher_rustcrypto::RustCrypto;

/// Plaintext bytes of a full chunk.
pub(crate) const CHUNK: usize = 16_384;

const INFO: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// The key and the context of one layer of a message.
#[derive(Clone)]
pub(crate) struct LayerKey {
    pub(crate) dek: [u8; 32],
    pub(crate) context: Vec<u8>,
    pub(crate) salt: [u8; 24],
}

/// Seals a message of one layer, or of an inner and an outer one.
pub(crate) fn seal(layers: &[LayerKey], plaintext: &[u8]) -> Vec<u8> {
    seal_chunks(layers, &chunks(plaintext), 0)
}

/// Seals chunks of any sizes, the first under the index `first`.
pub(crate) fn seal_chunks(layers: &[LayerKey], chunks: &[Vec<u8>], first: u64) -> Vec<u8> {
    let (inner_header, chunks) = seal_layer(&RustCrypto, &layers[0], chunks, first);
    match layers.get(1) {
        None => [inner_header, chunks.concat()].concat(),
        Some(outer) => {
            let (outer_header, chunks) = seal_layer(&AwsLc, outer, &chunks, first);
            [outer_header, inner_header, chunks.concat()].concat()
        }
    }
}

/// Seals the outer layer over the inner layer's chunks, behind the inner header.
pub(crate) fn seal_outer(outer: &LayerKey, inner_header: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let (outer_header, chunks) = seal_layer(&AwsLc, outer, chunks, 0);
    [&outer_header, inner_header, &chunks.concat()].concat()
}

/// Full chunks, then one that is shorter.
pub(crate) fn chunks(plaintext: &[u8]) -> Vec<Vec<u8>> {
    let full = plaintext.chunks_exact(CHUNK);
    let last = full.remainder().to_vec();
    full.map(<[u8]>::to_vec).chain([last]).collect()
}

/// A context under an object's data keys: purpose, object, layer, and the part number if any.
pub(crate) fn context(purpose: &str, object: &[u8], layer: u8, part: Option<u32>) -> Vec<u8> {
    let name = format!("object-cipher/v1/{purpose}\0").into_bytes();
    let part = part.map(|part| part.to_be_bytes().to_vec()).unwrap_or_default();
    [name, object.to_vec(), vec![layer], part].concat()
}

/// A salt that follows from what is sealed.
pub(crate) fn salt(of: &[&[u8]]) -> [u8; 24] {
    let what: &[&[u8]] = &[b"object-cipher vectors, salt"];
    array(&RustCrypto.sha512(&[what, of].concat())[..24])
}

/// Drops the last byte.
pub(crate) fn shorten(bytes: &mut Vec<u8>) {
    bytes.truncate(bytes.len() - 1);
}

/// Bytes as an array of their length.
pub(crate) fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap()
}

fn seal_layer<B: CryptoBackend>(
    backend: &B,
    layer: &LayerKey,
    chunks: &[Vec<u8>],
    first: u64,
) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut okm = [0; 76];
    let info = [INFO, &layer.salt, &layer.context];
    backend.hkdf_expand_sha512(&layer.dek, &info, &mut okm).unwrap();
    let aead = backend.aead(&array(&okm[..32])).unwrap();
    let base = u128::from_be_bytes(array(&[&[0; 4], &okm[32..44]].concat()));
    let sealed = (first..).zip(chunks).map(|(index, chunk)| {
        let nonce = (base ^ u128::from(index)).to_be_bytes();
        let (mut chunk, mut tag) = (chunk.clone(), [0; 16]);
        aead.seal(&array(&nonce[4..]), &[], &mut chunk, &mut tag).unwrap();
        [chunk, tag.to_vec()].concat()
    });
    let sealed = sealed.collect();
    ([&layer.salt, &okm[44..]].concat(), sealed)
}
