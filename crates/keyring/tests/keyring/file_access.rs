//! Who may touch the file.
#![cfg(unix)]

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
};

use object_cipher_keyring::{Error, Keyring, Unlock};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, write_private};

#[test]
fn all_files_are_written_with_mode_0600() {
    let fixture = Fixture::new();
    fixture.open().unwrap().rotate().unwrap();
    for name in ["keyring", "keyring.previous", "keyring.lock"] {
        let mode = fs::metadata(fixture.beside(name)).unwrap().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

#[test]
fn a_file_open_to_others_is_refused_with_what_to_do() {
    let fixture = Fixture::new();
    for bit in [0o040, 0o020, 0o010, 0o004, 0o002, 0o001] {
        fs::set_permissions(fixture.path(), Permissions::from_mode(0o600 | bit)).unwrap();
        let error = fixture.open().unwrap_err();
        assert!(error.to_string().contains("run `chmod 600 "), "{error}");
        assert_error!(Unlock::key_file(fixture.path()), Error::Permissions { .. });
        let read = Keyring::read(fixture.path(), &fixture.unlock(), &RustCrypto);
        assert_error!(read, Error::Permissions { .. });
    }
    fs::set_permissions(fixture.path(), Permissions::from_mode(0o400)).unwrap();
    assert!(fixture.open().is_ok());
}

#[test]
fn a_file_of_another_user_is_refused() {
    let fixture = Fixture::new();
    // Only root may give a file away; as another user there is nothing to test.
    if chown(fixture.path(), Some(12_345), None).is_ok() {
        assert_error!(fixture.open(), Error::Owner { owner: 12_345, .. });
        assert_error!(Unlock::key_file(fixture.path()), Error::Owner { .. });
    }
}

#[test]
fn links_are_not_followed() {
    let fixture = Fixture::new();
    let moved = fixture.beside("elsewhere");
    fs::rename(fixture.path(), &moved).unwrap();
    symlink(&moved, fixture.path()).unwrap();
    assert_error!(fixture.open(), Error::Symlink { .. });
    assert_error!(Unlock::key_file(fixture.path()), Error::Symlink { .. });
    fs::remove_file(moved).unwrap();
    assert_error!(fixture.open(), Error::Symlink { .. });
}

#[test]
fn links_in_the_place_of_other_files_are_not_written_through() {
    let fixture = Fixture::new();
    let victim = fixture.beside("victim");
    write_private(&victim, b"precious");
    for name in ["keyring.new", "keyring.previous"] {
        symlink(&victim, fixture.beside(name)).unwrap();
    }
    fixture.open().unwrap().rotate().unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(fs::symlink_metadata(fixture.beside("keyring.previous")).unwrap().is_file());

    fs::remove_file(fixture.beside("keyring.lock")).unwrap();
    symlink(&victim, fixture.beside("keyring.lock")).unwrap();
    assert_error!(fixture.open().unwrap().rotate(), Error::Io { .. });
}

#[test]
fn directories_and_pipes_are_refused_without_waiting() {
    let fixture = Fixture::empty();
    fs::create_dir(fixture.path()).unwrap();
    assert_error!(fixture.open(), Error::NotRegular { .. });
    let pipe = fixture.beside("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        assert_error!(Unlock::key_file(pipe), Error::NotRegular { .. });
    }
}
