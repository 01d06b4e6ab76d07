//! Rotation by age and by wraps, promotion and destruction.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use object_cipher_keyring::{
    Error, KeyringFile, MAX_WRAPS, RotationPolicy, VersionState, VersionedKeys, WRAP_BLOCK,
};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn state_of(file: &KeyringFile<RustCrypto>, version: u32) -> VersionState {
    file.keyring().version(version).unwrap().state()
}

#[test]
fn rotation_by_age() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let policy = RotationPolicy { max_age: 30 * DAY, max_wraps: MAX_WRAPS };
    let now = SystemTime::now();
    assert_eq!(file.rotate_if_due(&policy, now).unwrap(), None);
    assert_eq!(file.rotate_if_due(&policy, now + 29 * DAY).unwrap(), None);
    assert_eq!(file.keyring().generation(), 1, "nothing is written when nothing is due");
    assert_eq!(file.rotate_if_due(&policy, now + 31 * DAY).unwrap(), Some(2));
    assert_eq!(file.rotate_if_due(&policy, now + 31 * DAY).unwrap(), None);
    assert_eq!(file.rotate_if_due(&policy, now + 62 * DAY).unwrap(), Some(3));
    assert_eq!(file.keyring().version(1).unwrap().state(), VersionState::DecryptOnly);
}

#[test]
fn x7_a_clock_that_jumps_back_rotates_nothing() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let past = UNIX_EPOCH + DAY;
    assert_eq!(file.rotate_if_due(&RotationPolicy::default(), past).unwrap(), None);
    let before = UNIX_EPOCH - DAY;
    assert_error!(file.rotate_if_due(&RotationPolicy::default(), before), Error::Clock);
}

#[test]
fn rotation_by_wraps() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let policy = RotationPolicy { max_age: 365 * DAY, max_wraps: 2 * WRAP_BLOCK };
    file.wrap_key().unwrap();
    assert_eq!(file.rotate_if_due(&policy, SystemTime::now()).unwrap(), None);
    fixture.open().unwrap().wrap_key().unwrap();
    assert_eq!(file.rotate_if_due(&policy, SystemTime::now()).unwrap(), Some(2));
    assert_eq!(file.wrap_key().unwrap().version(), 2);
}

#[test]
fn two_processes_that_find_rotation_due_rotate_once() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    let later = SystemTime::now() + 400 * DAY;
    assert_eq!(one.rotate_if_due(&RotationPolicy::default(), later).unwrap(), Some(2));
    assert_eq!(two.rotate_if_due(&RotationPolicy::default(), later).unwrap(), None);
    assert_eq!(two.keyring().enabled().version(), 2);
}

#[test]
fn add_makes_a_version_that_only_opens_until_rotate_promotes_it() {
    let fixture = Fixture::new();
    let (writer, node) = (fixture.open().unwrap(), fixture.open().unwrap());
    assert_eq!(writer.add().unwrap(), 2);
    assert_eq!(writer.keyring().enabled().version(), 1);
    assert_ne!(writer.keyring().digest(), node.keyring().digest());
    node.reload().unwrap();
    assert_eq!(writer.keyring().digest(), node.keyring().digest());

    assert_eq!(writer.rotate().unwrap(), 2);
    let written = writer.wrap_key().unwrap();
    assert!(node.keyring().find(written.key_ref()).is_ok(), "a node that lags can read");
    assert_eq!(writer.rotate().unwrap(), 3, "with none waiting, one is made");
}

#[test]
fn rotate_promotes_the_newest_waiting_version() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.add().unwrap();
    file.add().unwrap();
    assert_eq!(file.rotate().unwrap(), 3);
    assert_eq!(file.rotate().unwrap(), 4, "an older one is never gone back to");
    file.add().unwrap();
    file.destroy(5).unwrap();
    assert_eq!(file.rotate().unwrap(), 6, "nor is a destroyed one");
}

#[test]
fn rotate_never_goes_back_to_a_retired_version() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    assert_eq!(file.rotate().unwrap(), 2);
    file.promote(1).unwrap();
    assert_eq!(state_of(&file, 2), VersionState::DecryptOnly);
    assert_eq!(file.rotate().unwrap(), 3, "version 2 has retired");

    file.promote(1).unwrap();
    let later = SystemTime::now() + 400 * DAY;
    assert_eq!(file.rotate_if_due(&RotationPolicy::default(), later).unwrap(), Some(4));
}

#[test]
fn a_version_waits_until_a_rotation_promotes_it_or_passes_it_over() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.add().unwrap();
    file.add().unwrap();
    assert_eq!(state_of(&file, 2), VersionState::Waiting);
    assert_eq!(file.rotate().unwrap(), 3);
    assert_eq!(state_of(&file, 2), VersionState::DecryptOnly, "passed over");

    file.add().unwrap();
    file.promote(1).unwrap();
    assert_eq!(state_of(&file, 4), VersionState::Waiting, "newer than the promoted one");
    let reopened = fixture.open().unwrap();
    assert_eq!(state_of(&reopened, 4), VersionState::Waiting);
    assert_eq!(reopened.rotate().unwrap(), 4);
}

#[test]
fn promote_enables_one_version_in_particular() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    file.promote(1).unwrap();
    assert_eq!(file.keyring().enabled().version(), 1);
    let generation = file.keyring().generation();
    file.promote(1).unwrap();
    assert_eq!(file.keyring().generation(), generation);
    assert_error!(file.promote(9), Error::VersionMissing { version: 9, .. });
    file.destroy(2).unwrap();
    assert_error!(file.promote(2), Error::VersionDestroyed { version: 2, .. });
}

#[test]
fn the_enabled_version_is_not_destroyed() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    assert_error!(file.destroy(1), Error::VersionEnabled { version: 1, .. });
    assert_error!(file.destroy(2), Error::VersionMissing { version: 2, .. });
    file.rotate().unwrap();
    file.destroy(1).unwrap();
    let generation = file.keyring().generation();
    file.destroy(1).unwrap();
    assert_eq!(file.keyring().generation(), generation);
}
