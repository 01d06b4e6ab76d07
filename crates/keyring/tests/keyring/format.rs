//! The bytes of the file: every one counts.

use object_cipher_keyring::{
    Argon2Params, Error, Keyring, KeyringFile, MAX_WRAPS, Unlock, WRAP_BLOCK,
};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, forged::*, id};

/// A file with a version in each state.
fn all_states(fixture: &Fixture) -> Vec<u8> {
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    file.destroy(1).unwrap();
    file.rotate().unwrap();
    file.add().unwrap();
    std::fs::read(fixture.path()).unwrap()
}

#[test]
fn a_file_written_from_the_documentation_alone_is_read() {
    let fixture = Fixture::empty();
    let versions = [
        Version::destroyed(1),
        Version { wraps: 3 * WRAP_BLOCK + 1, ..Version::decrypt_only(4) },
        Version::enabled(9),
        Version::waiting(11),
    ];
    let forged = Forged { generation: 77, ..Forged::new(versions) };
    fixture.overwrite(&forged.bytes(&fixture.secret));
    let keyring = fixture.open().unwrap().keyring();
    assert_eq!((keyring.generation(), keyring.enabled().version()), (77, 9));
    for version in &forged.versions {
        let key = keyring.version(version.number).ok().map(|key| *key.key().expose_bytes());
        assert_eq!(key, version.key);
    }
    assert_eq!(keyring.version(4).unwrap().wraps(), 3 * WRAP_BLOCK + 1);
}

#[test]
fn the_layout_is_the_documented_one() {
    let fixture = Fixture::new();
    let bytes = all_states(&fixture);
    assert_eq!(bytes.len(), 65 + 4 + 21 + 3 * 125 + 64);
    assert_eq!(bytes[..10], *b"\x89OCK\r\n\x1a\n\x01\x00");
    assert_eq!(bytes[10..22], [0; 12]);
    assert_eq!(bytes[54..69], *b"\0\0\0\0\0\0\0\x05\x00\x04\x04main");
    assert_eq!([69, 90, 215, 340].map(|version| bytes[version + 12]), [3, 2, 1, 4]);
}

#[test]
fn every_bit_flip_is_refused() {
    let fixture = Fixture::new();
    let bytes = all_states(&fixture);
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.clone();
            altered[index] ^= 1 << bit;
            fixture.overwrite(&altered);
            let opened = fixture.open();
            assert_error!(
                opened,
                Error::Rejected { .. } | Error::Malformed { .. } | Error::UnlockKind { .. }
            );
        }
    }
    fixture.overwrite(&bytes);
    assert!(fixture.open().is_ok());
}

#[test]
fn every_truncation_and_every_extension_is_refused() {
    let fixture = Fixture::new();
    let bytes = all_states(&fixture);
    for length in 0..bytes.len() {
        fixture.overwrite(&bytes[..length]);
        assert_error!(fixture.open(), Error::Rejected { .. } | Error::Malformed { .. });
    }
    for extra in [1, 64, 125, 1_000] {
        fixture.overwrite(&[bytes.as_slice(), &vec![0; extra]].concat());
        assert_error!(fixture.open(), Error::Rejected { .. });
    }
    fixture.overwrite(&vec![0; 1 << 20]);
    assert_error!(fixture.open(), Error::TooLarge { .. });
}

#[test]
fn a_wrong_secret_and_an_altered_file_look_the_same() {
    let fixture = Fixture::new();
    let wrong = Unlock::key(&crate::random()).unwrap();
    let wrong = KeyringFile::open(fixture.path(), &wrong, RustCrypto).unwrap_err();
    let mut bytes = std::fs::read(fixture.path()).unwrap();
    bytes[100] ^= 1;
    fixture.overwrite(&bytes);
    let altered = fixture.open().unwrap_err();
    assert_eq!(wrong.to_string(), altered.to_string());
    assert_eq!(format!("{wrong:?}"), format!("{altered:?}"));
}

#[test]
fn argon2_costs_beyond_the_caps_are_refused_unpaid() {
    let fixture = Fixture::empty();
    let params = Argon2Params::new(8, 1, 1).unwrap();
    let unlock = Unlock::passphrase_with("correct horse", params).unwrap();
    KeyringFile::create(fixture.path(), &id(), &unlock, RustCrypto).unwrap();
    let bytes = std::fs::read(fixture.path()).unwrap();
    let started = std::time::Instant::now();
    for (offset, cost) in
        [(10, 1 << 30), (10, u32::MAX), (10, 7), (14, 0), (14, u32::MAX), (18, 0), (18, 1 << 20)]
    {
        let mut hostile = bytes.clone();
        hostile[offset..offset + 4].copy_from_slice(&u32::to_be_bytes(cost));
        fixture.overwrite(&hostile);
        let opened = KeyringFile::open(fixture.path(), &unlock, RustCrypto);
        assert_error!(opened, Error::Malformed { .. });
    }
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn every_altered_kdf_field_within_the_caps_is_refused() {
    let fixture = Fixture::empty();
    let params = Argon2Params::new(64, 2, 2).unwrap();
    let unlock = Unlock::passphrase_with("correct horse", params).unwrap();
    KeyringFile::create(fixture.path(), &id(), &unlock, RustCrypto).unwrap();
    let bytes = std::fs::read(fixture.path()).unwrap();
    for (offset, value) in [(13, 65), (17, 1), (21, 1), (22, !bytes[22]), (53, !bytes[53])] {
        let mut altered = bytes.clone();
        altered[offset] = value;
        fixture.overwrite(&altered);
        let opened = Keyring::read(fixture.path(), &unlock, &RustCrypto);
        assert_error!(opened, Error::Rejected { .. });
    }
}

#[test]
fn what_is_authentic_but_not_canonical_is_refused() {
    let good = Forged::new([Version::decrypt_only(1), Version::enabled(2)]);
    let version = |version| Forged::new([Version::decrypt_only(1), version]);
    let cases = [
        Forged { kdf: 2, ..good.clone() },
        Forged { costs: [8, 1, 1], ..good.clone() },
        Forged { generation: 0, ..good.clone() },
        Forged { id: Vec::new(), ..good.clone() },
        Forged { id: b"../x".to_vec(), ..good.clone() },
        Forged { id: vec![b'a'; 65], ..good.clone() },
        Forged { id: vec![0xff; 4], ..good.clone() },
        Forged { count: Some(0), ..good.clone() },
        Forged { count: Some(1), ..good.clone() },
        Forged { count: Some(3), ..good.clone() },
        Forged { count: Some(1_025), ..good.clone() },
        Forged { trailing: vec![0], ..good.clone() },
        version(Version { state: 0, ..Version::enabled(2) }),
        version(Version { state: 5, ..Version::enabled(2) }),
        version(Version { key: None, ..Version::enabled(2) }),
        version(Version { wraps: MAX_WRAPS + 1, ..Version::enabled(2) }),
        Forged::new([Version::enabled(1), Version { wraps: 1, ..Version::waiting(2) }]),
        Forged::new([Version { state: 3, ..Version::decrypt_only(1) }, Version::enabled(2)]),
    ];
    let fixture = Fixture::empty();
    for (index, forged) in cases.iter().enumerate() {
        fixture.overwrite(&forged.bytes(&fixture.secret));
        let opened = fixture.open();
        assert!(matches!(opened, Err(Error::Malformed { .. })), "case {index}: {opened:?}");
    }
    let rules = [
        (Forged::new([Version::enabled(1), Version::enabled(2)]), "exactly one"),
        (Forged::new([Version::decrypt_only(1)]), "exactly one"),
        (Forged::new([Version::waiting(1)]), "exactly one"),
        (Forged::new([Version::enabled(0)]), "zero or used twice"),
        (Forged::new([Version::decrypt_only(2), Version::enabled(2)]), "zero or used twice"),
        (Forged::new([Version::decrypt_only(3), Version::enabled(2)]), "zero or used twice"),
    ];
    for (forged, expected) in rules {
        fixture.overwrite(&forged.bytes(&fixture.secret));
        assert!(fixture.open().unwrap_err().to_string().contains(expected));
    }
    fixture.overwrite(&good.bytes(&fixture.secret));
    assert!(fixture.open().is_ok());
}

#[test]
fn a_sealed_key_belongs_to_its_own_generation() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let first = std::fs::read(fixture.path()).unwrap();
    file.add().unwrap();
    let second = std::fs::read(fixture.path()).unwrap();
    assert_ne!(first[90..194], second[90..194]);
}

#[test]
fn the_largest_keyring_still_fits_its_file() {
    let fixture = Fixture::empty();
    let versions = (1..=1_024).map(|number| match number {
        1_024 => Version::enabled(number),
        _ => Version::decrypt_only(number),
    });
    let forged = Forged { id: vec![b'a'; 64], ..Forged::new(versions) };
    fixture.overwrite(&forged.bytes(&fixture.secret));
    let file = fixture.open().unwrap();
    assert_eq!(file.keyring().versions().count(), 1_024);
    assert_error!(file.add(), Error::TooManyVersions { .. });
    file.reserve_wraps().unwrap();
    assert!(fixture.open().is_ok());
}
