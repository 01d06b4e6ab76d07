//! Wraps, encryption contexts and sizes.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    BackendError, CryptoBackend, EncryptionContext, Error, Layout, Result, Suite, cobblestone,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::vectors::{EncryptionContextVector, SizeVector, WrapVector};

use crate::{
    FROZEN,
    generate::envelope::{RawEnvelope, bound_digest},
    verdicts::judge,
};

#[test]
fn every_wrap_opens_or_is_refused_on_both_backends() {
    for vector in &FROZEN.wraps.vectors {
        wrap(&RustCrypto, vector);
        wrap(&AwsLc, vector);
    }
}

fn wrap<B: CryptoBackend>(backend: &B, vector: &WrapVector) {
    let name = &vector.name;
    let head = &vector.clear_fields;
    let info = [head[6], vector.layer, head[29 + usize::from(vector.layer) * second_layer(head)]];
    let mut ek = [0; 32];
    backend.hkdf_sha512(b"object-cipher/v1/ek", &vector.source_key, &[&info], &mut ek).unwrap();
    assert_eq!(ek, *vector.ek, "{name}: EK");
    let digest = bound_digest(&vector.clear_fields, &vector.identity, &vector.info);
    assert_eq!(digest, *vector.bound_digest, "{name}: H");
    let context: [&[u8]; 3] = [b"object-cipher/v1/wrap\0", &[vector.layer], &digest];
    let opened = cobblestone::open_message(backend, &ek, &context, &vector.wrapped);
    match (&vector.data_key, opened) {
        (Some(dek), Ok(opened)) => assert_eq!(**dek, **opened, "{name}"),
        (None, Err(Error::Backend(BackendError::Rejected))) => assert!(vector.verdict.reject),
        (_, opened) => panic!("{name}: must be {}, and is {opened:?}", vector.verdict),
    }
}

/// How far behind the first layer's clear fields the second's are.
fn second_layer(clear_fields: &[u8]) -> usize {
    4 + usize::from(u16::from_be_bytes([clear_fields[30], clear_fields[31]]))
}

#[test]
fn every_encryption_context_has_its_canonical_form_or_is_refused() {
    for vector in &FROZEN.encryption_contexts.vectors {
        let read = encryption_context(vector);
        if let Some(canonical) = judge(&vector.name, &vector.verdict, read) {
            assert_eq!(canonical, **vector.canonical.as_ref().unwrap(), "{}", vector.name);
        }
    }
}

fn encryption_context(vector: &EncryptionContextVector) -> Result<Vec<u8>> {
    let mut context = EncryptionContext::new();
    for (key, value) in &vector.pairs {
        if vector.server {
            context.insert_reserved(key, value)?;
        } else {
            context.insert(key, value)?;
        }
    }
    Ok(context.canonical())
}

#[test]
fn every_size_follows_from_the_formula_or_is_refused() {
    for vector in &FROZEN.sizes.vectors {
        if let Some(sizes) = judge(&vector.name, &vector.verdict, size(vector)) {
            let expected = (vector.plaintext_len, vector.sealed_len, vector.chunks);
            assert_eq!(sizes, expected, "{}", vector.name);
        }
    }
}

fn size(vector: &SizeVector) -> Result<(Option<u64>, Option<u64>, Option<u64>)> {
    let layout = Layout::new(if vector.layers == 1 { Suite::OneLayer } else { Suite::TwoLayers });
    let sealed = vector.sealed_len.map(|length| layout.plaintext_len(length)).transpose()?;
    let Some(length) = vector.plaintext_len else { return Ok((sealed, None, None)) };
    Ok((sealed, Some(layout.sealed_len(length)?), Some(layout.chunk_count(length)?)))
}

#[test]
fn the_second_writer_reads_every_envelope_it_is_given() {
    use object_cipher_core::Envelope;
    let accepted = FROZEN.objects.vectors.iter().filter(|vector| !vector.verdict.reject);
    for vector in accepted {
        let envelope = Envelope::from_text(&vector.envelope).unwrap();
        let raw = RawEnvelope::parse(envelope.as_bytes());
        assert_eq!(raw.to_bytes(), envelope.as_bytes(), "{}", vector.name);
    }
}
