//! X6: randomness that fails at any call.

use std::fs;

use object_cipher_keyring::{Error, KeyringFile};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::Watched;

use crate::{Fixture, assert_error, id};

#[test]
fn x6_nothing_is_created_without_randomness() {
    // The key, the file's salt, the sealed key's salt.
    for draw in 1..=3 {
        let fixture = Fixture::empty();
        let backend = Watched::new(RustCrypto);
        backend.watch().fail_draw(draw);
        let created = KeyringFile::create(fixture.path(), &id(), &fixture.unlock(), backend);
        assert_error!(created, Error::Crypto(_));
        assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 0);
    }
}

#[test]
fn x6_nothing_is_changed_without_randomness() {
    let fixture = Fixture::new();
    let before = fs::read(fixture.path()).unwrap();
    // The new key, and a salt for each sealed key.
    for draw in 1..=3 {
        let backend = Watched::new(RustCrypto);
        let file = KeyringFile::open(fixture.path(), &fixture.unlock(), backend.clone()).unwrap();
        backend.watch().fail_draw(draw);
        assert_error!(file.rotate(), Error::Crypto(_));
        assert_eq!(fs::read(fixture.path()).unwrap(), before);
        assert_eq!(file.keyring().enabled().version(), 1);
    }
}
