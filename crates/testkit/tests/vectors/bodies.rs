//! Bodies: those of one layer as bare messages, those of two through an Envelope made for them.

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    BackendError, CryptoBackend, Error, Layout, ReadRange, Result, Suite,
    cobblestone::{Decryptor, HEADER_LEN},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{drive, vectors::BodyVector};

use crate::{
    FROZEN,
    carriers::carrier,
    generate::{bodies::layer_keys, message},
    objects::{self, Backends},
};

#[test]
fn every_body_of_one_layer_opens_or_is_refused_on_both_backends() {
    for vector in FROZEN.bodies.vectors.iter().filter(|vector| vector.layers == 1) {
        judge(vector, read_bare(&RustCrypto, vector));
        judge(vector, read_bare(&AwsLc, vector));
    }
}

#[test]
fn every_body_of_two_layers_opens_or_is_refused_with_the_backends_either_way() {
    for vector in FROZEN.bodies.vectors.iter().filter(|vector| vector.layers == 2) {
        for backends in objects::BACKENDS {
            judge(vector, read_two_layers(vector, backends));
        }
    }
}

#[test]
fn the_second_writer_makes_every_body_that_opens() {
    for vector in FROZEN.bodies.vectors.iter().filter(|vector| !vector.verdict.reject) {
        let content = read(vector);
        let written = message::seal(&layer_keys(vector), &content);
        assert!(written == *vector.body, "{}", vector.name);
    }
}

fn judge(vector: &BodyVector, read: Result<Vec<u8>>) {
    let name = &vector.name;
    match (vector.verdict.reject, read) {
        (false, Ok(content)) => assert!(vector.plaintext.is(&RustCrypto, &content), "{name}"),
        (
            true,
            Err(
                Error::Backend(BackendError::Rejected)
                | Error::Rejected { .. }
                | Error::Malformed { .. }
                | Error::Misuse(_)
                | Error::Truncated { .. }
                | Error::TrailingBytes { .. },
            ),
        ) => {}
        (_, read) => panic!("{name}: must be {}, and is {read:?}", vector.verdict),
    }
}

fn read(vector: &BodyVector) -> Vec<u8> {
    match vector.layers {
        1 => read_bare(&RustCrypto, vector).unwrap(),
        _ => read_two_layers(vector, objects::BACKENDS[0]).unwrap(),
    }
}

fn read_bare<B: CryptoBackend>(backend: &B, vector: &BodyVector) -> Result<Vec<u8>> {
    let key = vector.dek.0.as_slice().try_into().unwrap();
    let (header, chunks) = vector.body.split_at(HEADER_LEN.min(vector.body.len()));
    let decryptor = Decryptor::new(backend, key, &[&vector.context], header)?;
    drive(&mut decryptor.into_stream(), chunks, 4_096).complete()
}

/// Through an Envelope that has the body's data keys. A context that no object has is judged by the
/// commitments alone.
fn read_two_layers(vector: &BodyVector, backends: Backends) -> Result<Vec<u8>> {
    let length = Layout::new(Suite::TwoLayers).plaintext_len(vector.body.len() as u64)?;
    let Some(carrier) = carrier(vector, length) else {
        return commitments(vector).map(|()| panic!("{}: is committed to", vector.name));
    };
    let opener = objects::open(&carrier, backends)?;
    objects::read(&carrier, &opener, &ReadRange::Whole)
}

fn commitments(vector: &BodyVector) -> Result<()> {
    for (layer, at) in layer_keys(vector).iter().zip([56, 0]) {
        Decryptor::new(&RustCrypto, &layer.dek, &[&layer.context], &vector.body[at..at + 56])?;
    }
    Ok(())
}
