//! Attacks on SSE-C: wrong keys, and what the store keeps of the right one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use object_cipher_aws_lc::AwsLc;
use object_cipher_core::{
    Attributes, Completion, CryptoBackend, Error, Mode, ObjectCipher, ObjectContext, ReadRange,
    Step,
};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_s3::CustomerKey;
use object_cipher_sse_c::SseC;
use object_cipher_testkit::{StoredObject, now};
use sha2::{Sha256, Sha512};

const KEY: [u8; 32] = *b"a customer's key, 32 bytes long.";
const OTHER: [u8; 32] = *b"another customer's key, as long.";

fn cipher<B: CryptoBackend>(key: &[u8; 32], backend: B) -> SseC {
    SseC::new(&CustomerKey::from_bytes(key), backend)
}

fn context(key: &str) -> ObjectContext<'_> {
    ObjectContext::new("prod", "photos", key)
}

fn seal<B: CryptoBackend>(key: &[u8; 32], backend: B, name: &str) -> StoredObject {
    let attributes = Attributes::default();
    StoredObject::seal(&cipher(key, backend), &context(name), &[7; 100], &attributes).unwrap()
}

fn wrong_key(result: Result<impl Sized, Error>) -> bool {
    matches!(result.err(), Some(Error::Rejected { step: Step::KeyWrap, .. }))
}

#[test]
fn c2_a_wrong_key_is_refused_by_the_envelope_before_any_body_is_asked_for() {
    fn attack<B: CryptoBackend + Copy>(backend: B) {
        let mut stored = seal(&KEY, backend, "cat.jpg");
        stored.bodies.clear();
        let cx = context("cat.jpg");
        assert!(wrong_key(stored.open(&cipher(&OTHER, backend), &cx)));
        for bit in 0..256 {
            let mut near = KEY;
            near[bit / 8] ^= 1 << (bit % 8);
            assert!(wrong_key(stored.open(&cipher(&near, backend), &cx)), "bit {bit}");
        }
        assert!(stored.open(&cipher(&KEY, backend), &cx).is_ok());
    }
    attack(RustCrypto);
    attack(AwsLc);
}

#[test]
fn c2_m10_a_part_under_a_wrong_key_finds_no_upload() {
    let cx = context("cat.jpg").with_upload_id("upload");
    let uploader = now(cipher(&KEY, RustCrypto).create_upload(&cx, Completion::WithKey)).unwrap();
    let resumed = |key| now(cipher(key, RustCrypto).resume_upload(&cx, uploader.envelope()));
    assert!(wrong_key(resumed(&OTHER)));
    assert!(resumed(&KEY).is_ok());
}

#[test]
fn c4_nothing_that_is_stored_holds_the_key_or_a_digest_of_it() {
    let stored = seal(&KEY, RustCrypto, "cat.jpg");
    let mut kept = stored.envelope.as_bytes().to_vec();
    kept.extend_from_slice(stored.envelope.to_text().as_bytes());
    kept.extend_from_slice(&stored.bodies[&0]);
    let mut unsalted = [0; 64];
    CryptoBackend::hmac_sha512(&RustCrypto, &KEY, &[], &mut unsalted).unwrap();
    let traces: [Vec<u8>; 5] = [
        KEY.to_vec(),
        Md5::digest(KEY).to_vec(),
        Sha256::digest(KEY).to_vec(),
        Sha512::digest(KEY).to_vec(),
        unsalted.to_vec(),
    ];
    for trace in traces {
        // Any half of it would be as bad.
        for part in trace.chunks_exact(8) {
            let text = STANDARD.encode(part);
            for form in [part, text.trim_end_matches('=').as_bytes()] {
                assert!(!kept.windows(form.len()).any(|window| window == form));
            }
        }
    }
}

#[test]
fn c5_nothing_that_is_stored_links_a_thousand_objects_under_one_key() {
    let envelope = |key: &[u8; 32]| seal(key, RustCrypto, "cat.jpg").envelope.as_bytes().to_vec();
    // Where objects agree though their keys differ, an Envelope tells nothing of the key.
    let first = envelope(&OTHER);
    let mut fixed = vec![true; first.len()];
    for seed in 0..16 {
        for (at, byte) in envelope(&[seed; 32]).into_iter().enumerate() {
            fixed[at] &= byte == first[at];
        }
    }
    let mut seen = BTreeSet::new();
    for _ in 0..1_000 {
        let stored = seal(&KEY, RustCrypto, "cat.jpg");
        for (at, window) in stored.envelope.as_bytes().windows(8).enumerate() {
            let tells = !fixed[at..at + 8].contains(&true);
            assert!(!tells || seen.insert(window.to_vec()), "offset {at}");
        }
        for window in stored.bodies[&0].windows(8) {
            assert!(seen.insert(window.to_vec()));
        }
    }
    assert!(seen.len() > 300_000, "nothing was compared");
}

#[test]
fn c6_a_key_changes_only_under_the_right_old_key() {
    let cx = context("cat.jpg");
    let stored = seal(&KEY, RustCrypto, "cat.jpg");
    let (old, new) = (cipher(&KEY, RustCrypto), cipher(&OTHER, AwsLc));
    for wrong in [&OTHER, &[0; 32]] {
        // Also when it is at once the new key: nothing is rewrapped without the old one.
        assert!(wrong_key(stored.open(&cipher(wrong, RustCrypto), &cx)));
    }
    let opener = stored.open(&old, &cx).unwrap();
    let rewrapped =
        StoredObject { envelope: now(new.rewrap(&opener, &cx)).unwrap(), ..stored.clone() };
    assert!(wrong_key(rewrapped.open(&old, &cx)));
    assert_eq!(rewrapped.read(&new, &cx, &ReadRange::Whole).unwrap(), vec![7; 100]);
    assert_eq!(rewrapped.envelope.mode(), Mode::SseC);
}

#[test]
fn each_version_of_an_object_has_a_key_of_its_own() {
    let version = |key, id: &str| {
        let cx = context("cat.jpg").with_version_id(id);
        StoredObject::seal(&cipher(key, RustCrypto), &cx, id.as_bytes(), &Attributes::default())
            .unwrap()
    };
    let (first, second) = (version(&KEY, "1"), version(&OTHER, "2"));
    let open = |stored: &StoredObject, key, id: &str| {
        stored.open(&cipher(key, RustCrypto), &context("cat.jpg").with_version_id(id)).map(drop)
    };
    assert!(open(&first, &KEY, "1").is_ok() && open(&second, &OTHER, "2").is_ok());
    assert!(wrong_key(open(&first, &OTHER, "1")) && wrong_key(open(&second, &KEY, "2")));
}

#[test]
fn z3_debug_output_hides_the_key() {
    let shown = format!("{:?} {:#?}", cipher(&KEY, RustCrypto), cipher(&KEY, AwsLc));
    assert!(!shown.contains("customer's key, 32") && !shown.contains("97, 32"), "{shown}");
}
