//! Envelopes for bare bodies of two layers, so that core can open them.

use object_cipher_core::CryptoBackend;
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::vectors::{BodyVector, ObjectVector};

use crate::generate::{
    envelope::{RawEnvelope, RawLayer},
    kinds::DSSE_KMS,
    message::{array, context},
    objects,
    samples::{Sample, Secrets},
    tlv::tlv,
};

/// A DSSE-KMS object with a vector's data keys and its body, of `length` plaintext bytes; none when
/// the vector's contexts are not those of one object's layers.
pub(crate) fn carrier(vector: &BodyVector, length: u64) -> Option<ObjectVector> {
    let (object, part) = subject(vector)?;
    let (outer_dek, honest) = (vector.outer_dek.as_ref()?, objects::single(DSSE_KMS));
    let secrets = Secrets {
        deks: vec![array(&vector.dek), array(outer_dek)],
        source_keys: vec![[1; 32].into(), [2; 32].into()],
        ..honest.secrets
    };
    let headers = &vector.body[..112];
    let page = [&part.to_be_bytes()[..], &length.to_be_bytes(), headers].concat();
    let digest = RustCrypto.sha256(&[&page]);
    let index = [&1_u32.to_be_bytes()[..], &page[..12], &digest].concat();
    let length = (1, length.to_be_bytes().to_vec());
    let block = if part == 0 {
        tlv(&[length, (4, headers.to_vec())])
    } else {
        let digest = RustCrypto.sha256(&[&index]).to_vec();
        tlv(&[length, (2, 1_u32.to_be_bytes().to_vec()), (3, digest)])
    };
    let sample = Sample { raw: envelope(&object, part), secrets, ..honest }.with_info(&block);
    Some(ObjectVector {
        source_keys: sample.secrets.source_keys.clone(),
        bodies: [(part, vector.body.clone())].into(),
        part_index: (part != 0).then(|| index.as_slice().into()),
        part_pages: vec![page.as_slice().into()],
        ..sample.accept(&vector.name)
    })
}

/// The object id and the part number in a vector's contexts.
fn subject(vector: &BodyVector) -> Option<([u8; 16], u32)> {
    let object: [u8; 16] = vector.context.get(22..38)?.try_into().ok()?;
    let part = u32::from_be_bytes(vector.context.get(39..)?.try_into().ok()?);
    let of_layer = |layer| context("body", &object, layer, Some(part));
    let matches = *vector.context == of_layer(0) && **vector.outer_context.as_ref()? == of_layer(1);
    matches.then_some((object, part))
}

/// An Envelope of two layers that binds a version id, not yet wrapped.
fn envelope(object: &[u8; 16], part: u32) -> RawEnvelope {
    let flags = u8::from(part != 0);
    let head = [&[0x89, b'S', b'3', b'E', 1, 2, 3, 1, flags, 2, 1, 0][..], object].concat();
    let layer = |index| RawLayer {
        index,
        source: 2,
        key_ref: b"key".to_vec(),
        blob: vec![0; 2],
        wrapped: Vec::new(),
    };
    let layers = vec![layer(0), layer(1)];
    RawEnvelope { head: array(&head), layers, info: Vec::new(), tail: Vec::new() }
}
