//! E6: ranges, of which nothing is authenticated.

use std::{ops::Range, sync::Arc};

use object_cipher_client::{
    Error, Result,
    s3ec::{CommitmentPolicy, S3ec, UnauthenticatedOpener},
};
use object_cipher_core::{Error as CoreError, ReadRange};
use object_cipher_testkit::now;

use crate::{
    formats::{DATA_KEY, Object, b64, one_of_each, v2, v3},
    setup::{Given, LIBRARIES, header, plaintext, request, with},
};

fn opener(cipher: &S3ec, object: &Object) -> Result<UnauthenticatedOpener> {
    let ranges = cipher.unauthenticated_ranges()?;
    now(ranges.open(&header(&object.metadata, None)?, &request(None)))
}

/// Fetches as an honest store answers, and decrypts.
fn read(opener: &UnauthenticatedOpener, range: &ReadRange, body: &[u8]) -> Result<Vec<u8>> {
    let fetch = UnauthenticatedOpener::fetch(range).resolve(body.len() as u64)?;
    decrypt(opener, range, body, fetch)
}

/// Decrypts these bytes of the body.
fn decrypt(
    opener: &UnauthenticatedOpener,
    range: &ReadRange,
    body: &[u8],
    part: Range<u64>,
) -> Result<Vec<u8>> {
    let mut fetched = body[at(part.start)..at(part.end)].to_vec();
    match opener.decrypt(range, part.start, body.len() as u64, &mut fetched) {
        Ok(wanted) => Ok(fetched[wanted].to_vec()),
        Err(error) => {
            assert!(fetched.iter().all(|byte| *byte == 0), "{error:?} left something");
            Err(error)
        }
    }
}

fn at(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

fn slice(content: &[u8], range: &ReadRange) -> Result<Vec<u8>> {
    let range = range.resolve(content.len() as u64)?;
    Ok(content[at(range.start)..at(range.end)].to_vec())
}

/// All ranges of an object of so many bytes, and some that lead behind it.
fn all_ranges(length: u64) -> Vec<ReadRange> {
    let end = length + 3;
    let mut ranges = vec![ReadRange::Whole];
    for start in 0..=end {
        ranges.extend((start..=end).map(|end| ReadRange::Bytes(start..end)));
        ranges.extend([ReadRange::From(start), ReadRange::Last(start)]);
        ranges.push(ReadRange::Bytes(start..u64::MAX));
    }
    ranges.extend([ReadRange::Last(u64::MAX), ReadRange::From(u64::MAX)]);
    ranges.push(ReadRange::Bytes(u64::MAX - 1..u64::MAX));
    ranges
}

#[test]
fn e6_every_range_equals_the_slice() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for length in [0, 1, 15, 16, 17, 31, 32, 47, 48, 49, 50] {
            let content = plaintext(length);
            for object in one_of_each(&content) {
                let opener = opener(&cipher, &object).unwrap();
                for range in all_ranges(length as u64) {
                    let fetch = UnauthenticatedOpener::fetch(&range);
                    let expected = slice(&content, &range);
                    match (read(&opener, &range, &object.body), expected) {
                        (Ok(opened), Ok(expected)) => assert_eq!(opened, expected, "{range:?}"),
                        (Err(Error::Core(CoreError::RangeNotSatisfiable { .. })), Err(_)) => {}
                        other => panic!("{length}, {range:?}, {fetch:?}: {other:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn e6_ranges_of_a_long_object_equal_the_slice() {
    let content = plaintext(200_003);
    let edges = [0, 1, 15, 16, 17, 4_095, 4_096, 65_535, 65_536, 65_537, 131_072, 200_002];
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for object in one_of_each(&content) {
            let opener = opener(&cipher, &object).unwrap();
            for start in edges {
                let ends = edges.iter().chain(&[200_003, 300_000]).filter(|end| **end > start);
                let ranges = ends.map(|end| ReadRange::Bytes(start..*end));
                for range in ranges.chain([ReadRange::From(start), ReadRange::Last(start + 1)]) {
                    assert_eq!(read(&opener, &range, &object.body), slice(&content, &range));
                }
            }
        }
    }
}

#[test]
fn e6_ranges_are_refused_without_the_flag_before_any_key() {
    for library in LIBRARIES {
        for policy in [CommitmentPolicy::default(), CommitmentPolicy::RequireEncryptAllowDecrypt] {
            let keyring = Given::new(DATA_KEY);
            let cipher = library
                .builder(Arc::clone(&keyring))
                .commitment_policy(policy)
                .enable_legacy_wrapping_algorithms()
                .build();
            assert_eq!(cipher.unauthenticated_ranges().err(), Some(Error::LegacyRange));
            assert_eq!(keyring.calls(), 0);
        }
        // The flag alone allows what the policy reads, and no more.
        let keyring = Given::new(DATA_KEY);
        let cipher =
            library.builder(Arc::clone(&keyring)).enable_legacy_unauthenticated_modes().build();
        let [v1, cbc, v2, v3] = one_of_each(&plaintext(20));
        for object in [v1, cbc, v2] {
            assert!(matches!(opener(&cipher, &object), Err(Error::Policy { .. })));
        }
        assert_eq!(keyring.calls(), 0);
        assert!(opener(&cipher, &v3).is_ok());
    }
}

#[test]
fn e6_a_changed_commitment_fails_ranges_too() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        let object = v3(b"wrapped", "02", None, &plaintext(50));
        for name in ["x-amz-d", "x-amz-i"] {
            let metadata = with(&object.metadata, name, &b64(&[9; 28]));
            let changed = Object { metadata, ..object.clone() };
            assert_eq!(opener(&cipher, &changed).err(), Some(Error::Commitment));
        }
        let other_key = library.lenient(Given::new([1; 32]));
        assert_eq!(opener(&other_key, &object).err(), Some(Error::Commitment));
    }
}

/// Whatever part of the body a store answers with, it gives the range or an error.
#[test]
fn e6_any_part_of_the_body_gives_the_range_or_is_refused() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for length in [50, 33, 32] {
            let content = plaintext(length);
            let ranges: Vec<_> = all_ranges(length as u64)
                .into_iter()
                .filter(|range| match range {
                    ReadRange::Bytes(range) => range.start % 5 < 2 && range.end % 4 < 3,
                    _ => true,
                })
                .collect();
            for object in one_of_each(&content) {
                let opener = opener(&cipher, &object).unwrap();
                let stored_len = object.body.len() as u64;
                for range in &ranges {
                    let expected = slice(&content, range);
                    for first in 0..=stored_len {
                        for end in
                            [first, first + 15, first + 16, first + 33, stored_len - 16, stored_len]
                        {
                            if end < first || end > stored_len {
                                continue;
                            }
                            let opened = decrypt(&opener, range, &object.body, first..end);
                            if let Ok(opened) = opened {
                                assert_eq!(Ok(opened), expected, "{range:?} of {first}..{end}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn e6_too_few_bytes_fetched_are_refused() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for object in one_of_each(&plaintext(50)) {
            let opener = opener(&cipher, &object).unwrap();
            let range = ReadRange::Bytes(17..34);
            for part in [0..33, 0..0, 18..66, 32..64, 34..64, 63..64] {
                let part = part.start..part.end.min(object.body.len() as u64);
                let opened = decrypt(&opener, &range, &object.body, part.clone());
                let refused = matches!(
                    opened,
                    Err(Error::Core(CoreError::Truncated { .. } | CoreError::Rejected { .. }))
                );
                assert!(refused, "{part:?}: {opened:?}");
            }
        }
    }
}

#[test]
fn e6_offsets_and_lengths_that_cannot_be_are_refused() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        for object in one_of_each(&plaintext(50)) {
            let opener = opener(&cipher, &object).unwrap();
            let range = ReadRange::Bytes(0..20);
            let lies = [
                (0, 0),
                (0, 63),
                (48, 64),
                (64, 64),
                (u64::MAX, u64::MAX),
                (u64::MAX - 15, u64::MAX),
                (u64::MAX - 64, u64::MAX),
                (u64::MAX - 79, u64::MAX),
                (1 << 36, 1 << 37),
                (1 << 63, u64::MAX),
            ];
            for (first, stored_len) in lies {
                for length in [0, 1, 15, 16, 17, 64] {
                    let mut fetched = vec![7; length];
                    let opened = opener.decrypt(&range, first, stored_len, &mut fetched);
                    assert!(opened.is_err(), "{first} of {stored_len}: {opened:?}");
                    assert_eq!(fetched, vec![0; length]);
                }
            }
        }
        // A body of AES-GCM has a tag, one of AES-CBC whole blocks.
        let gcm = opener(&cipher, &v2(b"wrapped", "AES/GCM", "{}", &[])).unwrap();
        for stored_len in 0..16 {
            let mut fetched = vec![7; at(stored_len)];
            assert!(gcm.decrypt(&ReadRange::Whole, 0, stored_len, &mut fetched).is_err());
        }
    }
}

/// The last block that AES-GCM can encrypt has the counter 2^32 - 1.
#[test]
fn e6_no_counter_comes_twice() {
    for library in LIBRARIES {
        let cipher = library.lenient(Given::new(DATA_KEY));
        let opener = opener(&cipher, &v2(b"wrapped", "AES/GCM", "{}", &[])).unwrap();
        let longest = object_cipher_core::MAX_MESSAGE_LEN;
        let read = |start: u64| {
            let (range, first) = (ReadRange::Bytes(start..start + 1), start - start % 16);
            opener.decrypt(&range, first, u64::MAX, &mut [0; 16])
        };
        assert!(read(longest - 1).is_ok());
        for start in [longest, longest + 16, longest + 32, longest + 48, 1 << 40] {
            assert!(read(start).is_err(), "{start}");
        }
    }
}
