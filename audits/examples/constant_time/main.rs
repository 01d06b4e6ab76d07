//! T1, T2: what hangs on keys. Run by `audits/constant-time` under valgrind's memcheck, to which every key
//! here is undefined: it counts each branch and each address that hangs on one.
//!
//! What may hang on a key is the verdict alone: whether a commitment, a tag, an MD5 or base64 is right.

#![allow(clippy::unwrap_used)]

mod valgrind;

use std::hint::black_box;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Aes256Gcm, CryptoBackend, MessageBackend, SourceKey,
    cobblestone::{Decryptor, HEADER_LEN, open_message, seal_message},
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use valgrind::{errors, is_here, poison, publish};

const CONTEXT: &[&[u8]] = &[b"context"];

/// MD5 of a key of 0x5a bytes, in base64.
const KEY_MD5: &str = "BuASUiSbvhMWBKAmsiYRhg==";

/// Of SSE-C: whether all of the base64 is its alphabet's, whether its last characters are canonical, whether
/// the MD5 is right.
const TEXT_VERDICTS: u64 = 3;

/// Sums of base64ct that no byte makes overflow, which release builds of this workspace check all the same.
const OVERFLOW_CHECKS: u64 = 43;

/// What was measured of one operation.
struct Case {
    name: String,
    flagged: u64,
    /// The verdicts in it, each as often as it is looked at.
    expected: u64,
}

fn main() {
    assert!(is_here(), "run by audits/constant-time");
    let mut cases = Vec::new();
    backend(&RustCrypto, &mut cases);
    backend(&AwsLc, &mut cases);
    customer_keys(&mut cases);
    let bad = cases.iter().filter(|case| case.flagged != case.expected).count();
    for Case { name, flagged, expected } in &cases {
        let verdict = if flagged == expected { "" } else { "  NOT AS EXPECTED" };
        println!("{name:50} {flagged:3} flagged, {expected:3} by verdicts{verdict}");
    }
    let controls = controls();
    println!("controls: {controls:?} flagged (naive comparison, lookup by a key's byte)");
    assert!(controls.iter().all(|flagged| *flagged > 0), "memcheck is blind");
    assert!(bad == 0, "{bad} of {} cases hang on a key", cases.len());
    println!("{} cases: nothing but verdicts hangs on a key", cases.len());
}

/// Counts what is flagged in an operation under a key that nobody knows.
fn measure(cases: &mut Vec<Case>, name: String, expected: u64, work: impl FnOnce(&[u8; 32])) {
    let key = Box::new([0x5a; 32]);
    poison(&key[..]);
    let before = errors();
    work(black_box(&key));
    cases.push(Case { name, flagged: errors() - before, expected });
}

fn backend<B: CryptoBackend + MessageBackend>(backend: &B, cases: &mut Vec<Case>) {
    let name = |what: &str| format!("{}: {what}", B::LINEAGE.name());
    let plaintext = vec![7; 40_000];
    measure(cases, name("HMAC, HKDF"), 0, |key| {
        backend.hmac_sha512(key, &[b"data"], &mut [0; 64]).unwrap();
        backend.hkdf_sha512(b"salt", key, CONTEXT, &mut [0; 76]).unwrap();
    });
    measure(cases, name("seal a chunk"), 0, |key| {
        let aead = backend.aead(key).unwrap();
        aead.seal(&[1; 12], b"aad", &mut plaintext.clone(), &mut [0; 16]).unwrap();
    });
    measure(cases, name("seal a message in pieces"), 0, |key| {
        let mut encryptor = backend.message_encryptor(key, &[1; 12], b"aad").unwrap();
        encryptor.update(&mut plaintext.clone()).unwrap();
        encryptor.finish(&mut [0; 16]).unwrap();
    });
    let (mut body, mut tag) = (plaintext.clone(), [0; 16]);
    let aead = backend.aead(&[0x5a; 32]).unwrap();
    aead.seal(&[1; 12], b"aad", &mut body, &mut tag).unwrap();
    for (what, tag) in [("a right", tag), ("a wrong", [0; 16])] {
        measure(cases, name(&format!("open a chunk by {what} tag")), tag_verdicts::<B>(), |key| {
            let opened = backend.aead(key).unwrap();
            let _ = opened.open(&[1; 12], b"aad", &mut body.clone(), &tag);
        });
    }
    messages(backend, cases, &name);
}

/// How often it is looked at whether a tag is right: with aes-gcm in the library, and again in what it answers.
fn tag_verdicts<B: CryptoBackend>() -> u64 {
    if B::LINEAGE.is_same(RustCrypto::LINEAGE) { 2 } else { 1 }
}

/// Messages of Cobblestone-256, which bodies and wrapped keys are.
fn messages<B: CryptoBackend>(backend: &B, cases: &mut Vec<Case>, name: &dyn Fn(&str) -> String) {
    let wrapped = seal_message(backend, &[0x5a; 32], CONTEXT, &[9; 32]).unwrap();
    let other = seal_message(backend, &[0x5b; 32], CONTEXT, &[9; 32]).unwrap();
    measure(cases, name("wrap a key"), 0, |key| {
        seal_message(backend, key, CONTEXT, &[9; 32]).unwrap();
    });
    let verdicts = 1 + tag_verdicts::<B>();
    measure(cases, name("unwrap a key: commitment and tag"), verdicts, |key| {
        let opened = open_message(backend, key, CONTEXT, &wrapped).unwrap();
        publish(&opened);
        assert_eq!(opened.as_slice(), [9; 32]);
    });
    for (what, message) in [("a right", &wrapped), ("a wrong", &other)] {
        measure(cases, name(&format!("compare {what} commitment")), 1, |key| {
            let header = message[..HEADER_LEN].try_into().unwrap();
            black_box(Decryptor::new(backend, key, CONTEXT, header).is_ok());
        });
    }
    measure(cases, name("compare two source keys"), 0, |key| {
        let same = SourceKey::from_bytes(key).is_same(&SourceKey::from_bytes(&[1; 32]));
        black_box(same);
    });
}

/// SSE-C: the key and its MD5 come as text.
fn customer_keys(cases: &mut Vec<Case>) {
    for (what, md5) in [("a right", KEY_MD5), ("a wrong", "AAAAAAAAAAAAAAAAAAAAAA==")] {
        let text = STANDARD.encode([0x5a; 32]);
        poison(text.as_bytes());
        // Whether these are padding is the key's length, which is public; the first holds 4 bits of the key.
        publish(&text.as_bytes()[42..]);
        let before = errors();
        let parsed = CustomerKey::parse(text.as_bytes(), md5.as_bytes());
        let flagged = errors() - before;
        assert_eq!(parsed.is_ok(), what == "a right");
        let name = format!("SSE-C: a key's base64, and {what} MD5");
        cases.push(Case { name, flagged, expected: TEXT_VERDICTS + OVERFLOW_CHECKS });
    }
}

/// What has to be seen, or nothing else here counts.
fn controls() -> [u64; 2] {
    let (key, table) = ([0x5a; 32], [1_u8; 256]);
    poison(&key);
    let before = errors();
    black_box(naive(black_box(&key), black_box(&[0x5a; 32])));
    let compared = errors() - before;
    black_box(black_box(&table)[usize::from(black_box(&key)[3])]);
    [compared, errors() - before - compared]
}

/// Ends at the first byte that differs.
fn naive(key: &[u8; 32], other: &[u8; 32]) -> bool {
    for (byte, expected) in key.iter().zip(other) {
        if black_box(byte) != expected {
            return false;
        }
    }
    true
}
