//! Faults in the info block that only a key holder could seal, and in its message.

use std::slice::from_ref;

use object_cipher_testkit::vectors::{
    ObjectVector,
    VerdictStep::{Info, KeyWrap},
};

use crate::generate::{
    kinds::{DSSE_KMS, SSE_C, SSE_KMS},
    message,
    objects::{multipart, single},
    samples::Sample,
    tlv::tlv,
};

pub(super) fn all() -> Vec<ObjectVector> {
    [lengths_and_order(), single_bodies(), parts(), attributes(), messages(), two_layers()].concat()
}

/// The sample with another info block.
fn sealed(sample: &Sample, reason: &str, fields: &[(u8, Vec<u8>)]) -> ObjectVector {
    sample.with_info(&tlv(fields)).refuse(Info, reason)
}

/// The fields of a small object of one body.
fn body_fields(sample: &Sample) -> [(u8, Vec<u8>); 2] {
    [(1, 100_u64.to_be_bytes().to_vec()), (4, sample.headers(0))]
}

fn lengths_and_order() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let [length, headers] = body_fields(&sample);
    let etag = (5, vec![0xE7; 16]);
    let block = tlv(&[length.clone(), headers.clone()]);
    let raw = |reason: &str, block: &[u8]| sample.with_info(block).refuse(Info, reason);
    let of = |reason: &str, fields: &[&(u8, Vec<u8>)]| {
        sealed(&sample, reason, &fields.iter().map(|field| (*field).clone()).collect::<Vec<_>>())
    };
    let mut longer_head = block.clone();
    longer_head[2] = 9;
    vec![
        raw("an empty info block", &[]),
        raw("one zero byte behind the last field", &[&block[..], &[0]].concat()),
        raw("ends within the head of a field", &[&block[..], &[5, 0]].concat()),
        raw("ends within a field", &[&block[..], &[5, 0, 16, 1]].concat()),
        raw("the length field of tag 1 says one byte more", &longer_head),
        of("tag 1 repeated", &[&length, &length, &headers]),
        of("tag 4 repeated", &[&length, &headers, &headers]),
        of("tag 5 repeated", &[&length, &headers, &etag, &etag]),
        of("tag 4 before tag 1", &[&headers, &length]),
        of("tag 5 before tag 4", &[&length, &etag, &headers]),
        of("unknown tag 0", &[&(0, vec![]), &length, &headers]),
        of("unknown tag 8", &[&length, &headers, &(8, vec![])]),
        of("unknown tag 255", &[&length, &headers, &(255, vec![1])]),
    ]
}

fn single_bodies() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let [length, headers] = body_fields(&sample);
    let of = |reason: &str, fields: &[(u8, Vec<u8>)]| sealed(&sample, reason, fields);
    let count = (2, 1_u32.to_be_bytes().to_vec());
    vec![
        of("tag 1 is missing", from_ref(&headers)),
        of("tag 1 has 7 bytes", &[(1, vec![0; 7]), headers.clone()]),
        of("tag 1 has 9 bytes", &[(1, vec![0; 9]), headers.clone()]),
        of("tag 4 is missing", from_ref(&length)),
        of("tag 4 has 55 bytes", &[length.clone(), (4, headers.1[..55].to_vec())]),
        of("tag 4 has 57 bytes", &[length.clone(), (4, [&headers.1[..], &[0]].concat())]),
        of("tag 4 has the headers of two layers", &[length.clone(), (4, vec![0; 112])]),
        of("tag 4 is empty", &[length.clone(), (4, vec![])]),
        of("tag 2 on a single body", &[length.clone(), count, headers.clone()]),
        of("tag 3 on a single body", &[length, (3, vec![0; 32]), headers]),
    ]
}

fn parts() -> Vec<ObjectVector> {
    let sample = multipart(SSE_C);
    let length = (1, 150_u64.to_be_bytes().to_vec());
    let count = |count: u32| (2, count.to_be_bytes().to_vec());
    let digest = (3, sample.index_digest());
    let of = |reason: &str, fields: &[(u8, Vec<u8>)]| sealed(&sample, reason, fields);
    let headers = (4, sample.headers(1));
    vec![
        of("tag 2 is missing", &[length.clone(), digest.clone()]),
        of("tag 3 is missing", &[length.clone(), count(3)]),
        of(
            "tag 4 on an object of parts",
            &[length.clone(), count(3), digest.clone(), headers.clone()],
        ),
        of("tag 4 in place of tags 2 and 3", &[length.clone(), headers]),
        of("part count 0", &[length.clone(), count(0), digest.clone()]),
        of("part count 10,001", &[length.clone(), count(10_001), digest.clone()]),
        of("part count 2^32 - 1", &[length.clone(), count(u32::MAX), digest.clone()]),
        of("tag 2 has 2 bytes", &[length.clone(), (2, vec![0, 3]), digest.clone()]),
        of("tag 3 has 31 bytes", &[length.clone(), count(3), (3, digest.1[..31].to_vec())]),
        of("tag 3 before tag 2", &[length, digest, count(3)]),
    ]
}

fn attributes() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let of = |reason: &str, tag: u8, value: &[u8]| {
        let [length, headers] = body_fields(&sample);
        sealed(&sample, reason, &[length, headers, (tag, value.to_vec())])
    };
    let digest = [0xC5; 33];
    let checksum = |reason: &str, head: [u8; 2], length: usize| {
        of(reason, 6, &[&head[..], &digest[..length]].concat())
    };
    vec![
        of("an ETag of 15 bytes", 5, &[1; 15]),
        of("an ETag of 17 bytes", 5, &[1; 17]),
        of("an empty ETag", 5, &[]),
        of("a metadata digest of 31 bytes", 7, &[1; 31]),
        of("a metadata digest of 33 bytes", 7, &[1; 33]),
        checksum("checksum algorithm 0", [0, 1], 4),
        checksum("checksum algorithm 11", [11, 1], 4),
        checksum("checksum type 0", [1, 0], 4),
        checksum("checksum type 3", [1, 3], 4),
        checksum("a composite checksum on a single body", [1, 2], 4),
        checksum("a CRC32 of 3 bytes", [1, 1], 3),
        checksum("a CRC32 of 5 bytes", [1, 1], 5),
        checksum("a SHA-256 of 31 bytes", [5, 1], 31),
        checksum("a SHA-256 of 33 bytes", [5, 1], 33),
        of("a checksum without a type", 6, &[1]),
        of("an empty checksum", 6, &[]),
    ]
}

/// Faults in the message that holds the block: with a wrap over it, and without.
fn messages() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let block = tlv(&body_fields(&sample));
    let object = sample.raw.object_id().to_vec();
    let honest = sample.secrets.seal(&object, "info", None, &block);
    let rewrapped = |reason: &str, message: Vec<u8>| {
        sample.rewrapped(|raw| raw.info = message).refuse(Info, reason)
    };
    let flip = |at: usize, what: &str| {
        let mut message = honest.clone();
        message[at] ^= 1;
        rewrapped(&format!("bit 0 of the info message's {what} flipped, wrapped anew"), message)
    };
    let under = |reason: &str, purpose: &str, object: &[u8], part: Option<u32>| {
        rewrapped(reason, sample.secrets.seal(object, purpose, part, &block))
    };
    let foreign = single(SSE_KMS).raw.info;
    let mut vectors = vec![
        flip(0, "salt"),
        flip(24, "commitment"),
        flip(56, "ciphertext"),
        flip(honest.len() - 1, "tag"),
        rewrapped(
            "the info message's last byte dropped, wrapped anew",
            honest[..honest.len() - 1].to_vec(),
        ),
        rewrapped("an info message of 71 bytes", honest[..71].to_vec()),
        rewrapped("an info message of one byte", vec![0]),
        rewrapped("the info message of another object, wrapped anew", foreign.clone()),
        under("the info block sealed as a body", "body", &object, Some(0)),
        under("the info block sealed as a receipt", "part", &object, Some(1)),
        under("the info block sealed for another object id", "info", &[7; 16], None),
        under("the info block sealed with a part number", "info", &object, Some(0)),
    ];
    let unwrapped = |reason: &str, message: Vec<u8>| {
        sample.edited(|raw| raw.info = message).refuse(KeyWrap, reason)
    };
    let mut flipped = sample.raw.info.clone();
    flipped[60] ^= 1;
    vectors.extend([
        unwrapped("bit 0 of a byte of the info message flipped", flipped),
        unwrapped("the info message of another object", foreign),
        unwrapped("another info message under the same data key", honest),
    ]);
    vectors
}

fn two_layers() -> Vec<ObjectVector> {
    let sample = single(DSSE_KMS);
    let fields = body_fields(&sample);
    let object = sample.raw.object_id().to_vec();
    let block = tlv(&fields);
    let honest = sample.secrets.seal(&object, "info", None, &block);
    let rewrapped = |reason: &str, message: Vec<u8>| {
        sample.rewrapped(|raw| raw.info = message).refuse(Info, reason)
    };
    let keys = sample.secrets.layer_keys(&object, "info", None, &block);
    let reversed = [keys[1].clone(), keys[0].clone()];
    let one_header = [fields[0].clone(), (4, sample.headers(0)[..56].to_vec())];
    vec![
        sealed(&sample, "tag 4 has the headers of one layer", &one_header),
        rewrapped(
            "the info block sealed with the layers in reverse order",
            message::seal(&reversed, &block),
        ),
        rewrapped(
            "the info block sealed by the inner layer alone",
            message::seal(&keys[..1], &block),
        ),
        rewrapped(
            "the headers of the info message swapped",
            [&honest[56..112], &honest[..56], &honest[112..]].concat(),
        ),
    ]
}
