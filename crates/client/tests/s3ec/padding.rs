//! E5: padding of AES-CBC and of PKCS #1 v1.5: one error, and nothing by default.

use std::{collections::HashSet, sync::Arc};

use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey};
use object_cipher_client::{
    Error,
    s3ec::{CommitmentPolicy, ContentAlgorithm, S3ec, WrapAlgorithm},
};
use object_cipher_core::{Error as CoreError, Step};
use object_cipher_testkit::{drive, now};

use crate::{
    formats::{DATA_KEY, Object, one_of_each, v1, v2_cbc},
    setup::{
        Given, LIBRARIES, aes, header, plaintext, public_pem, read, read_stored, request, rsa,
    },
};

#[test]
fn e5_all_values_at_all_places_of_the_padding_give_one_error() {
    // Whole blocks, so that the last block is padding alone: 16 bytes of 16.
    let content = plaintext(32);
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for object in [v1(b"wrapped", &content), v2_cbc(b"wrapped", "AES/GCM", "{}", &content)] {
            let header = header(&object.metadata, None).unwrap();
            let (mut refused, mut errors) = (0, HashSet::new());
            // What is added to a byte of the block before is added to the same byte of the last one.
            for at in 0..16 {
                for added in 0..=255u8 {
                    let mut body = object.body.clone();
                    body[16 + at] ^= added;
                    let opened = read(&cipher, None, &header, &body);
                    let last = 16 ^ added;
                    let valid = added == 0 || at == 15 && last == 1;
                    match opened {
                        Ok(opened) => {
                            assert!(valid, "{at}, {added}");
                            let length = if added == 0 { 32 } else { 47 };
                            assert_eq!(opened.len(), length);
                        }
                        Err(error) => {
                            assert!(!valid, "{at}, {added}");
                            errors.insert((error.to_string(), format!("{error:?}")));
                            refused += 1;
                        }
                    }
                }
            }
            assert_eq!((refused, errors.len()), (16 * 256 - 17, 1));
        }
    }
}

#[test]
fn e5_a_body_of_cbc_that_is_no_whole_blocks_is_refused() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        let Object { metadata, body } = v2_cbc(b"wrapped", "AES/GCM", "{}", &plaintext(40));
        for length in 0..48 {
            let opened = read_stored(&cipher, None, &metadata, &body[..length]);
            let expected = if length < 16 {
                matches!(opened, Err(Error::Core(CoreError::Truncated { .. })))
            } else {
                matches!(opened, Err(Error::Core(CoreError::Rejected { .. })))
            };
            assert!(expected, "{length}: {opened:?}");
        }
    }
}

#[test]
fn e5_cbc_is_refused_by_default_before_any_key_whatever_its_padding() {
    for library in LIBRARIES {
        for policy in [
            CommitmentPolicy::default(),
            CommitmentPolicy::RequireEncryptAllowDecrypt,
            CommitmentPolicy::ForbidEncryptAllowDecrypt,
        ] {
            let [v1, cbc, ..] = one_of_each(&plaintext(20));
            for object in [v1, cbc] {
                let keyring = Given::new(DATA_KEY);
                let cipher = library
                    .builder(Arc::clone(&keyring))
                    .commitment_policy(policy)
                    .enable_legacy_wrapping_algorithms()
                    .build();
                for last in 0..=255 {
                    let mut body = object.body.clone();
                    body[15] ^= last;
                    let opened = read_stored(&cipher, None, &object.metadata, &body);
                    assert_eq!(opened, Err(Error::LegacyContent(ContentAlgorithm::AesCbc)));
                }
                assert_eq!(keyring.calls(), 0);
            }
        }
    }
}

/// What V1 wraps by RSA, with whatever inside.
fn pkcs1(inside: &[u8]) -> Vec<u8> {
    let (_, der) = pem(&public_pem("rsa2048a"));
    let key = Pkcs1PublicEncryptingKey::new(PublicEncryptingKey::from_der(&der).unwrap()).unwrap();
    let mut wrapped = vec![0; key.ciphertext_size()];
    key.encrypt(inside, &mut wrapped).unwrap();
    wrapped
}

fn pem(text: &str) -> (String, Vec<u8>) {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (mut lines, mut body) = (text.lines(), String::new());
    let label = lines.next().unwrap().to_owned();
    lines.filter(|line| !line.starts_with('-')).for_each(|line| body.push_str(line));
    (label, STANDARD.decode(body).unwrap())
}

/// Wrapped keys of a right padding around 32 bytes, of one around other lengths, and of none.
fn pkcs1_blobs() -> (Vec<u8>, Vec<Vec<u8>>) {
    let right = pkcs1(&DATA_KEY);
    let mut wrong: Vec<_> = [0, 1, 16, 31, 33, 48].map(|length| pkcs1(&vec![7; length])).into();
    let mut flipped = right.clone();
    flipped[255] ^= 1;
    let mut small = vec![0; 256];
    small[255] = 2;
    wrong.extend([
        flipped,
        small,
        vec![0xff; 256],
        vec![0; 256],
        vec![1; 255],
        vec![1; 257],
        vec![1],
    ]);
    (right, wrong)
}

#[test]
fn e5_a_wrong_padding_of_pkcs1_is_never_told_from_a_right_one_under_another_key() {
    let (right, wrong) = pkcs1_blobs();
    for library in LIBRARIES {
        let cipher = library.lenient(rsa("rsa2048a"));
        let object = v1(&right, &plaintext(40));
        assert_eq!(read_stored(&cipher, None, &object.metadata, &object.body), Ok(plaintext(40)));
        // A right padding around another key.
        let other = pkcs1(&[0x77; 32]);
        for wrapped in wrong.iter().chain([&other]) {
            let object = v1(wrapped, &plaintext(40));
            let header = header(&object.metadata, None).unwrap();
            let opened = now(cipher.open(&header, &request(None)));
            assert!(opened.is_ok(), "{}", wrapped.len());
            match read_stored(&cipher, None, &object.metadata, &object.body) {
                Err(error) => {
                    let object = header.object_id();
                    assert_eq!(error, CoreError::Rejected { object, step: Step::Body }.into());
                }
                Ok(garbage) => assert_ne!(garbage, plaintext(40)),
            }
        }
    }
}

/// Another stand-in each time would tell it from a key: the same bytes would open to different content.
#[test]
fn e5_the_key_that_stands_in_for_a_wrong_padding_is_the_same_each_time_and_anothers_for_each() {
    let (_, wrong) = pkcs1_blobs();
    for library in LIBRARIES {
        // What comes out before the padding is looked at.
        let outcome = |cipher: &S3ec, wrapped: &[u8]| {
            let header = header(&v1(wrapped, b"").metadata, None).unwrap();
            let opener = now(cipher.open(&header, &request(None))).unwrap();
            let released =
                drive(&mut opener.into_unverified(), &vec![0x55; 65_568], usize::MAX).released;
            // One key in 256 gives content that ends as if it was padded, and so a block more.
            released[..65_536].to_vec()
        };
        let cipher = library.lenient(rsa("rsa2048a"));
        let again = library.lenient(rsa("rsa2048a"));
        let mut all = HashSet::new();
        for wrapped in &wrong {
            let first = outcome(&cipher, wrapped);
            assert!(first == outcome(&cipher, wrapped) && first == outcome(&again, wrapped));
            all.insert(first);
        }
        assert_eq!(all.len(), wrong.len());
        // Nor is it another key pair's.
        let other = library.lenient(rsa("rsa2048b"));
        assert!(!all.contains(&outcome(&other, &wrong[0])));
    }
}

#[test]
fn e5_with_legacy_off_right_and_wrong_paddings_give_one_error_and_no_key_is_used() {
    let (right, wrong) = pkcs1_blobs();
    for library in LIBRARIES {
        for (wraps, modes) in [(false, false), (true, false), (false, true)] {
            let mut errors = HashSet::new();
            for wrapped in wrong.iter().chain([&right]) {
                let keyring =
                    Given { of_v1: Some(WrapAlgorithm::RsaPkcs1), ..Given::unshared(DATA_KEY) };
                let keyring = Arc::new(keyring);
                for raw in [false, true] {
                    let mut builder = if raw {
                        library.builder(rsa("rsa2048a"))
                    } else {
                        library.builder(Arc::clone(&keyring))
                    };
                    builder =
                        builder.commitment_policy(CommitmentPolicy::RequireEncryptAllowDecrypt);
                    if wraps {
                        builder = builder.enable_legacy_wrapping_algorithms();
                    }
                    if modes {
                        builder = builder.enable_legacy_unauthenticated_modes();
                    }
                    let object = v1(wrapped, &plaintext(40));
                    let opened =
                        read_stored(&builder.build(), None, &object.metadata, &object.body);
                    errors.insert(format!("{:?}", opened.unwrap_err()));
                }
                assert_eq!(keyring.calls(), 0);
            }
            assert_eq!(errors.len(), 1, "{errors:?}");
        }
    }
}

#[test]
fn e5_every_wrong_padding_of_a_wrapped_key_by_ecb_is_one_error() {
    use crate::formats::wrapped_by_ecb;
    for library in LIBRARIES {
        let cipher = library.lenient(aes(7, 32));
        let right = wrapped_by_ecb(&[7; 32], &DATA_KEY);
        let object = v1(&right, b"text");
        let read = |wrapped: &[u8]| {
            let object = v1(wrapped, b"text");
            read_stored(&cipher, None, &object.metadata, &object.body)
        };
        assert_eq!(read(&right), Ok(b"text".to_vec()));
        for length in (1..64).filter(|length| *length != 48) {
            assert_eq!(read(&vec![1; length]), Err(Error::Unwrap));
        }
        for flipped in crate::setup::flips(&right[32..]) {
            assert_eq!(read(&[&right[..32], &flipped].concat()), Err(Error::Unwrap));
        }
        // Nothing authenticates the key's own blocks: the content is garbage.
        let flipped = [&[right[0] ^ 1], &right[1..]].concat();
        assert_ne!(read(&flipped), Ok(b"text".to_vec()));
        assert!(header(&object.metadata, None).is_ok());
    }
}
