//! Bodies as streams: cut, continued, split anywhere, and read on after an error.

use object_cipher_client::{Error, s3ec::ContentOpener};
use object_cipher_core::{BodyStream, CryptoBackend, Error as CoreError};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::{Driven, drive, now};

use crate::{
    formats::{DATA_KEY, Object, one_of_each},
    setup::{
        BOTH_FORMATS, Given, LIBRARIES, Library, MAX_LEN, aes, header, plaintext, request, seal,
    },
};

fn opener(library: Library, object: &Object) -> ContentOpener {
    let cipher = library.lenient(Given::new(DATA_KEY));
    let header = header(&object.metadata, None).unwrap();
    now(cipher.open(&header, &request(None))).unwrap()
}

fn verified(library: Library, object: &Object, stored_len: u64, body: &[u8]) -> Driven {
    let stream = opener(library, object).into_verified(stored_len, MAX_LEN);
    drive(&mut stream.unwrap(), body, usize::MAX)
}

fn unverified(library: Library, object: &Object, body: &[u8]) -> Driven {
    drive(&mut opener(library, object).into_unverified(), body, usize::MAX)
}

/// An error comes again from every call, and nothing is given out.
fn stays_failed(stream: &mut impl BodyStream, error: &CoreError) {
    for _ in 0..2 {
        assert!(stream.output().is_empty());
        assert!(stream.input().is_empty());
        assert_eq!(stream.filled(0).as_ref(), Err(error));
        assert_eq!(stream.filled(1).as_ref(), Err(error));
        assert_eq!(stream.end().as_ref(), Err(error));
        stream.taken(usize::MAX);
        assert!(!stream.is_done());
    }
}

#[test]
fn a_body_cut_or_continued_is_refused_by_the_verified_form_without_a_byte() {
    for library in LIBRARIES {
        for object in one_of_each(&plaintext(50)) {
            let stored_len = object.body.len() as u64;
            for length in 0..object.body.len() {
                let driven = verified(library, &object, stored_len, &object.body[..length]);
                assert!(matches!(driven.result, Err(CoreError::Truncated { .. })));
                assert!(driven.released.is_empty());
                // With the stored length lowered to match.
                let cut = verified(library, &object, length as u64, &object.body[..length]);
                assert!(cut.result.is_err() || cut.released != plaintext(50));
            }
            for more in [1, 16, 70_000] {
                let longer = [&object.body[..], &vec![0; more]].concat();
                let driven = verified(library, &object, stored_len, &longer);
                assert!(matches!(driven.result, Err(CoreError::TrailingBytes { .. })));
                assert!(driven.released.is_empty());
            }
        }
    }
}

#[test]
fn a_gcm_body_cut_or_continued_ends_the_unverified_form_in_an_error() {
    for library in LIBRARIES {
        for length in [0, 1, 50] {
            let [.., v2, v3] = one_of_each(&plaintext(length));
            for object in [v2, v3] {
                for cut in 0..object.body.len() {
                    let driven = unverified(library, &object, &object.body[..cut]);
                    assert!(driven.result.is_err() && driven.released.is_empty());
                }
                for more in [1, 16] {
                    let longer = [&object.body[..], &vec![0; more]].concat();
                    let driven = unverified(library, &object, &longer);
                    assert!(matches!(driven.result, Err(CoreError::Rejected { .. })));
                    assert!(driven.released.is_empty());
                }
            }
        }
        // Of a long one, what came before the end was given out, and then the error comes.
        let [.., v2, v3] = one_of_each(&plaintext(140_000));
        for object in [v2, v3] {
            for cut in [65_536, 65_551, 65_552, 65_553, 131_072, 131_088, 140_015] {
                let driven = unverified(library, &object, &object.body[..cut]);
                assert!(driven.result.is_err());
                assert_eq!(driven.released.len() % 65_536, 0);
                assert!(plaintext(140_000).starts_with(&driven.released));
            }
        }
    }
}

#[test]
fn an_error_is_final_in_both_forms() {
    for library in LIBRARIES {
        for length in [50, 65_536, 70_000] {
            let [.., v2, v3] = one_of_each(&plaintext(length));
            for mut object in [v2, v3] {
                let stored_len = object.body.len() as u64;
                let last = object.body.len() - 1;
                object.body[last] ^= 1;
                let mut stream =
                    opener(library, &object).into_verified(stored_len, MAX_LEN).unwrap();
                let error = drive(&mut stream, &object.body, 1_000).result.unwrap_err();
                stays_failed(&mut stream, &error);
                let mut stream = opener(library, &object).into_unverified();
                let error = drive(&mut stream, &object.body, 1_000).result.unwrap_err();
                stays_failed(&mut stream, &error);
            }
        }
    }
}

#[test]
fn a_limit_is_checked_before_anything_is_allocated() {
    for library in LIBRARIES {
        for object in one_of_each(&plaintext(50)) {
            let limit = |stored_len, max_len| {
                let stream = opener(library, &object).into_verified(stored_len, max_len);
                match stream {
                    Ok(_) => false,
                    Err(Error::Core(CoreError::Limit(_))) => true,
                    Err(error) => panic!("{error:?}"),
                }
            };
            assert!(limit(101, 100) && limit(1, 0) && !limit(100, 100) && !limit(0, 0));
            assert!(limit(u64::MAX, MAX_LEN) && limit(1 << 40, MAX_LEN));
            // No computer has so much, whatever the caller allows.
            assert!(limit(u64::MAX, usize::MAX) && limit(u64::MAX >> 1, usize::MAX));
        }
    }
}

#[test]
fn a_body_split_anywhere_is_the_same() {
    for library in LIBRARIES {
        for object in one_of_each(&plaintext(70)) {
            for first in 0..=object.body.len() {
                for second in (first..=object.body.len()).step_by(7) {
                    let cuts = [first, second - first];
                    let stored_len = object.body.len() as u64;
                    let stream = opener(library, &object).into_verified(stored_len, MAX_LEN);
                    assert_eq!(split(&mut stream.unwrap(), &object.body, &cuts), plaintext(70));
                    let mut stream = opener(library, &object).into_unverified();
                    assert_eq!(split(&mut stream, &object.body, &cuts), plaintext(70));
                }
            }
        }
    }
}

#[test]
fn long_bodies_split_at_random_are_the_same() {
    for library in LIBRARIES {
        for seed in 0_u32..30 {
            let draw = |at: u32, below: usize| {
                let hash = RustCrypto.sha256(&[&seed.to_be_bytes(), &at.to_be_bytes()]);
                usize::from_le_bytes(*hash.first_chunk().unwrap()) % below
            };
            let content = plaintext(draw(0, 300_000));
            let cuts: Vec<_> = (1..60).map(|at| draw(at, 1 << (at % 18))).collect();
            for object in one_of_each(&content) {
                let stored_len = object.body.len() as u64;
                let stream = opener(library, &object).into_verified(stored_len, MAX_LEN);
                assert!(split(&mut stream.unwrap(), &object.body, &cuts) == content);
                let mut stream = opener(library, &object).into_unverified();
                assert!(split(&mut stream, &object.body, &cuts) == content);
            }
            for policy in BOTH_FORMATS {
                let cipher = library.builder(aes(7, 32)).commitment_policy(policy).build();
                let mut sealed = now(cipher.seal(&request(None))).unwrap();
                let body = split(&mut sealed.stream, &content, &cuts);
                assert_eq!(
                    crate::setup::read(&cipher, None, &sealed.header, &body),
                    Ok(content.clone())
                );
            }
        }
    }
}

/// Sends it through in pieces of these lengths, none among them, and takes the output in pieces too.
fn split(stream: &mut impl BodyStream, mut input: &[u8], cuts: &[usize]) -> Vec<u8> {
    let mut cuts = cuts.iter().copied();
    let mut out = Vec::new();
    while !stream.is_done() {
        let cut = cuts.next().unwrap_or(usize::MAX);
        if !stream.output().is_empty() {
            stream.filled(0).unwrap();
            let count = stream.output().len().min(cut.max(1));
            out.extend_from_slice(&stream.output()[..count]);
            stream.taken(count);
            continue;
        }
        let count = stream.input().len().min(input.len()).min(cut);
        stream.input()[..count].copy_from_slice(&input[..count]);
        input = &input[count..];
        stream.filled(count).unwrap();
        if input.is_empty() && stream.output().is_empty() {
            stream.end().unwrap();
        }
    }
    out
}

#[test]
fn a_sealing_stream_that_did_not_end_gives_no_tag_and_no_rule_is_broken_twice() {
    for library in LIBRARIES {
        let cipher = library.builder(aes(7, 32)).build();
        let mut sealed = now(cipher.seal(&request(None))).unwrap();
        let room = sealed.stream.input().len();
        let error = sealed.stream.filled(room + 1).unwrap_err();
        assert!(matches!(error, CoreError::Misuse(_)));
        stays_failed(&mut sealed.stream, &error);
        let mut sealed = now(cipher.seal(&request(None))).unwrap();
        sealed.stream.filled(room).unwrap();
        let error = sealed.stream.end().unwrap_err();
        assert!(matches!(error, CoreError::Misuse(_)));
        stays_failed(&mut sealed.stream, &error);
        // Dropped before its end, a body has no tag, and so does not open.
        let (header, body) = seal(&cipher, None, &plaintext(50));
        for length in 0..body.len() {
            assert!(crate::setup::read(&cipher, None, &header, &body[..length]).is_err());
        }
    }
}
