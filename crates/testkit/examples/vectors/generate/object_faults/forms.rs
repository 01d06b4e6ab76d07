//! Envelopes that are not in their one form: lengths, what follows the end, base64.

use object_cipher_core::{Attributes, ChecksumAlgorithm, ChecksumKind};
use object_cipher_testkit::vectors::{
    ObjectVector,
    VerdictStep::{Envelope, EnvelopeText},
};

use crate::generate::{
    kinds::{DSSE_KMS, SSE_C, SSE_KMS},
    objects::{attributes, single},
    samples::{Sample, identity},
};

pub(super) fn all() -> Vec<ObjectVector> {
    [cuts(), length_fields(), info_length(), too_long(), text_forms()].concat()
}

fn cuts() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let bytes = sample.raw.to_bytes();
    let info_len_at = sample.raw.info_len_at();
    let cuts = [
        (0, "no bytes"),
        (3, "cut within the magic bytes"),
        (11, "cut within the fixed header"),
        (27, "cut within the object id"),
        (28, "cut behind the fixed header"),
        (31, "cut within the length of key_ref"),
        (80, "cut within the wrapped data key"),
        (info_len_at, "cut before the info length"),
        (info_len_at + 3, "cut within the info length"),
        (info_len_at + 4, "cut behind the info length"),
        (bytes.len() - 1, "the last byte dropped"),
    ];
    let mut vectors: Vec<_> = cuts
        .into_iter()
        .map(|(length, reason)| sample.refuse_bytes(Envelope, reason, &bytes[..length]))
        .collect();
    let two = single(DSSE_KMS).edited(|raw| raw.layers.truncate(1));
    vectors.push(two.refuse(Envelope, "the outer layer dropped"));
    vectors
}

/// Lengths that say more or less than there is.
fn length_fields() -> Vec<ObjectVector> {
    let sample = single(SSE_KMS);
    let key_ref_len = sample.raw.layers[0].key_ref.len();
    let blob_len_at = 32 + key_ref_len;
    let set = |at: usize, value: usize, reason: &str| {
        let mut bytes = sample.raw.to_bytes();
        bytes[at..at + 2].copy_from_slice(&u16::try_from(value).unwrap().to_be_bytes());
        sample.refuse_bytes(Envelope, reason, &bytes)
    };
    let blob_len = sample.raw.layers[0].blob.len();
    vec![
        set(30, 65_535, "the length of key_ref is 65,535"),
        set(30, 1_024, "the length of key_ref is 1,024, more than there is"),
        set(30, 0, "the length of key_ref is 0"),
        set(30, key_ref_len + 1, "the length of key_ref is one more"),
        set(blob_len_at, 65_535, "the length of ek_blob is 65,535"),
        set(blob_len_at, 6_144, "the length of ek_blob is 6,144, more than there is"),
        set(blob_len_at, blob_len + 1, "the length of ek_blob is one more"),
        set(blob_len_at, blob_len - 1, "the length of ek_blob is one less"),
    ]
}

fn info_length() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let right = u32::try_from(sample.raw.info.len()).unwrap();
    let set = |value: u32, reason: &str| {
        let (mut bytes, at) = (sample.raw.to_bytes(), sample.raw.info_len_at());
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        sample.refuse_bytes(Envelope, reason, &bytes)
    };
    let tail = |bytes: &[u8], reason: &str| {
        sample.edited(|raw| raw.tail = bytes.to_vec()).refuse(Envelope, reason)
    };
    let none = sample.rewrapped(|raw| raw.info.clear());
    vec![
        set(0, "the info length is 0, and the info block is there"),
        set(right - 1, "the info length is one less"),
        set(right + 1, "the info length is one more"),
        set(u32::MAX, "the info length is 2^32 - 1"),
        tail(&[0], "one zero byte behind the end"),
        tail(b"\n", "a line feed behind the end"),
        tail(&sample.raw.to_bytes(), "the whole Envelope repeated behind the end"),
        none.refuse(Envelope, "a finished object without an info block"),
    ]
}

fn too_long() -> Vec<ObjectVector> {
    let sample = single(SSE_C);
    let room = 16_385 - sample.raw.to_bytes().len();
    let longer = sample.rewrapped(|raw| raw.info.extend(vec![0; room]));
    vec![longer.refuse(Envelope, "16,385 bytes, more than an Envelope may have")]
}

fn text_forms() -> Vec<ObjectVector> {
    let sample = padded();
    let text = sample.accept("").envelope;
    let stripped = text.trim_end_matches('=');
    let (head, last) = stripped.split_at(stripped.len() - 1);
    let spare = char::from(last.as_bytes()[0] + 1);
    let forms = [
        (stripped.to_owned(), "no padding"),
        (format!("{stripped}="), "one padding character of two"),
        (format!("{text}="), "three padding characters"),
        (format!("{head}{spare}=="), "spare bits that are not zero"),
        (text.replace('+', "-").replace('/', "_"), "the URL-safe alphabet"),
        (format!("{text}\n"), "a line feed at the end"),
        (format!(" {text}"), "a space at the beginning"),
        (format!("{}\n{}", &text[..76], &text[76..]), "broken into lines"),
        (format!("{}!{}", &text[..8], &text[9..]), "a character that is not of the alphabet"),
        (text[..text.len() - 4].to_owned() + "A", "one character of the last four"),
    ];
    let refuse = |(envelope, reason): (String, &str)| {
        assert_ne!(envelope, text, "{reason}");
        ObjectVector { envelope, ..sample.refuse(EnvelopeText, reason) }
    };
    forms.map(refuse).into()
}

/// An object whose Envelope ends in a padded group with spare bits.
fn padded() -> Sample {
    let attributes = Attributes {
        metadata_digest: None,
        ..attributes(ChecksumAlgorithm::Sha256, ChecksumKind::FullObject)
    };
    let name = "sse-c, an Envelope of 340 bytes";
    let sample = Sample::single(SSE_C, name, &identity(), b"content", &attributes);
    assert_eq!(sample.raw.to_bytes().len() % 3, 1);
    sample
}
