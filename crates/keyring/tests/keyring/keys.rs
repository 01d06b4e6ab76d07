//! Versions and their keys: S1, S2, S3.

use std::sync::Arc;

use object_cipher_core::{KeyError, KeyErrorKind, KeyringId, MasterKeyRef, SourceKey};
use object_cipher_keyring::{
    Error, Keyring, KeyringBuilder, SharedKeyring,
    VersionState::{Destroyed, Enabled, Waiting},
    VersionedKeys, WeakKey,
};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, forged::*, id, key};

fn build(builder: KeyringBuilder) -> Result<Keyring, Error> {
    builder.build(&RustCrypto)
}

fn kind(error: Error) -> KeyErrorKind {
    KeyError::from(error).kind()
}

#[test]
fn s1_weak_keys_in_memory_are_refused() {
    let zero = SourceKey::from_bytes(&[0; 32]);
    let repeated = SourceKey::from_bytes(&[7; 32]);
    let twice = key();
    let cases = [
        (Keyring::builder(id()).enabled(1, zero), WeakKey::AllZero),
        (Keyring::builder(id()).enabled(1, repeated), WeakKey::Repeated),
        (
            Keyring::builder(id()).enabled(1, Arc::clone(&twice)).decrypt_only(2, twice),
            WeakKey::Duplicate,
        ),
    ];
    for (builder, expected) in cases {
        assert_error!(build(builder), Error::WeakKey { fault, .. } if fault == expected);
    }
}

#[test]
fn s1_weak_keys_in_a_correctly_sealed_file_are_refused() {
    let fixture = Fixture::empty();
    let same = [9, 8, 7, 6].repeat(8).try_into().unwrap();
    let cases = [
        (vec![Version { key: Some([0; 32]), ..Version::enabled(1) }], WeakKey::AllZero),
        (vec![Version { key: Some([1; 32]), ..Version::enabled(1) }], WeakKey::Repeated),
        (
            vec![
                Version { key: Some(same), ..Version::decrypt_only(1) },
                Version { key: Some(same), ..Version::enabled(2) },
            ],
            WeakKey::Duplicate,
        ),
    ];
    for (versions, expected) in cases {
        fixture.overwrite(&Forged::new(versions).bytes(&fixture.secret));
        assert_error!(fixture.open(), Error::WeakKey { fault, .. } if fault == expected);
    }
}

#[test]
fn exactly_one_version_is_enabled_and_numbers_are_used_once_from_one() {
    assert_error!(build(Keyring::builder(id())), Error::EnabledCount { .. });
    let none = Keyring::builder(id()).decrypt_only(1, key()).destroyed(2);
    assert_error!(build(none), Error::EnabledCount { .. });
    let two = Keyring::builder(id()).enabled(1, key()).enabled(2, key());
    assert_error!(build(two), Error::EnabledCount { .. });
    let zero = Keyring::builder(id()).enabled(0, key());
    assert_error!(build(zero), Error::VersionNumber { version: 0, .. });
    let again = Keyring::builder(id()).enabled(3, key()).decrypt_only(3, key());
    assert_error!(build(again), Error::VersionNumber { version: 3, .. });
}

#[test]
fn a_keyring_has_at_most_1024_versions() {
    let fill = |count| {
        (2..=count).fold(Keyring::builder(id()).enabled(1, key()), KeyringBuilder::destroyed)
    };
    assert_eq!(build(fill(1_024)).unwrap().versions().count(), 1_024);
    assert_error!(build(fill(1_025)), Error::TooManyVersions { .. });
}

#[test]
fn s2_a_removed_version_gives_an_error_that_names_it() {
    let (v2, v3) = (key(), key());
    let keyring = Keyring::builder(id()).decrypt_only(2, v2).enabled(3, v3);
    let keyring = build(keyring).unwrap();
    assert!(keyring.version(2).is_ok() && keyring.version(3).is_ok());
    let error = keyring.version(1).unwrap_err();
    assert_eq!(error.to_string(), "keyring main has no version 1");
    assert_eq!(kind(error), KeyErrorKind::KeyVersionMissing);
}

#[test]
fn s2_a_destroyed_version_gives_an_error_that_names_it() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let v1 = file.keyring().enabled().key_ref().clone();
    file.rotate().unwrap();
    assert!(file.keyring().find(&v1).is_ok());
    file.destroy(1).unwrap();
    let error = fixture.open().unwrap().keyring().find(&v1).unwrap_err();
    assert_eq!(error.to_string(), "version 1 of keyring main was destroyed");
    assert_eq!(kind(error), KeyErrorKind::KeyVersionMissing);
}

#[test]
fn s3_other_bytes_under_the_same_number_give_their_own_error() {
    let wrapped = build(Keyring::builder(id()).enabled(1, key())).unwrap();
    let other = build(Keyring::builder(id()).enabled(1, key())).unwrap();
    let error = other.find(wrapped.enabled().key_ref()).unwrap_err();
    assert!(matches!(error, Error::WrongBytes { version: 1, .. }));
    assert_eq!(kind(error), KeyErrorKind::WrongKey);
    assert_ne!(wrapped.digest(), other.digest());
}

#[test]
fn s3_other_bytes_cannot_replace_a_version_in_use() {
    let shared = SharedKeyring::new(build(Keyring::builder(id()).enabled(1, key())).unwrap());
    let before = *shared.keyring().digest();
    let other = build(Keyring::builder(id()).enabled(1, key())).unwrap();
    assert_error!(shared.replace(other), Error::WrongBytes { version: 1, .. });
    assert_eq!(shared.keyring().digest(), &before);
}

#[test]
fn a_key_of_another_keyring_gives_its_own_error() {
    let keyring = build(Keyring::builder(id()).enabled(1, key())).unwrap();
    let foreign = KeyringId::parse("other").unwrap();
    let key_ref = MasterKeyRef::new(foreign, 1, *keyring.enabled().key_ref().check());
    let error = keyring.find(&key_ref).unwrap_err();
    assert!(matches!(error, Error::OtherKeyring { .. }));
    assert_eq!(kind(error), KeyErrorKind::NotFound);
}

#[test]
fn readers_keep_the_snapshot_they_have() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let before = file.keyring();
    file.rotate().unwrap();
    file.destroy(1).unwrap();
    assert_eq!(before.enabled().version(), 1);
    assert!(before.version(1).is_ok());
    assert_eq!(file.keyring().enabled().version(), 2);
}

#[test]
fn versions_tell_state_time_and_check_but_no_key() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    file.destroy(1).unwrap();
    file.add().unwrap();
    let versions: Vec<_> = file.keyring().versions().collect();
    let states: Vec<_> = versions.iter().map(|info| (info.version, info.state)).collect();
    assert_eq!(states, [(1, Destroyed), (2, Enabled), (3, Waiting)]);
    assert!(versions.iter().all(|info| info.created.is_some()));
    let checks: Vec<_> = versions.iter().map(|info| info.check.is_some()).collect();
    assert_eq!(checks, [false, true, true]);
}
