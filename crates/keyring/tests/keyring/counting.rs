//! Wraps are counted, never too few: S5.

use std::thread;

use object_cipher_core::{KeyError, KeyErrorKind};
use object_cipher_keyring::{Error, Keyring, MAX_WRAPS, SharedKeyring, VersionedKeys, WRAP_BLOCK};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, forged::*, id, key};

/// A file whose enabled version has this many wraps reserved.
fn with_wraps(wraps: u64) -> Fixture {
    let fixture = Fixture::empty();
    let forged = Forged::new([Version { wraps, ..Version::enabled(1) }]);
    fixture.overwrite(&forged.bytes(&fixture.secret));
    fixture
}

#[test]
fn s5_the_last_block_is_granted_and_no_more() {
    let fixture = with_wraps(MAX_WRAPS - 64);
    let file = fixture.open().unwrap().with_wrap_block(64);
    for _ in 0..64 {
        file.wrap_key().unwrap();
    }
    assert_eq!(file.keyring().enabled().wraps(), MAX_WRAPS);
    let error = file.wrap_key().unwrap_err();
    assert_eq!(error.to_string(), "version 1 of keyring main has reached 2^40 wraps: rotate");
    assert_eq!(KeyError::from(error).kind(), KeyErrorKind::InvalidState);

    let restarted = fixture.open().unwrap();
    assert_error!(restarted.wrap_key(), Error::WrapLimit { version: 1, .. });
    assert_error!(restarted.reserve_wraps(), Error::WrapLimit { .. });
    file.rotate().unwrap();
    assert_eq!(file.wrap_key().unwrap().version(), 2);
}

#[test]
fn s5_a_keyring_that_is_only_read_counts_on_from_the_file() {
    let fixture = with_wraps(MAX_WRAPS);
    let keyring = Keyring::read(fixture.path(), &fixture.unlock(), &RustCrypto);
    let shared = SharedKeyring::new(keyring.unwrap());
    assert_error!(shared.wrap_key(), Error::WrapLimit { .. });
    assert!(shared.keyring().version(1).is_ok(), "it still opens");
}

#[test]
fn each_process_draws_blocks_of_its_own_from_the_file() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    for _ in 0..3 {
        one.wrap_key().unwrap();
        two.wrap_key().unwrap();
    }
    let reserved = fixture.open().unwrap().keyring().enabled().wraps();
    assert_eq!(reserved, 2 * WRAP_BLOCK);
    assert_eq!(one.keyring().enabled().wraps(), WRAP_BLOCK + 3);
}

#[test]
fn a_crash_loses_the_rest_of_a_block_and_never_a_wrap() {
    let fixture = Fixture::new();
    for round in 1..=3 {
        fixture.open().unwrap().wrap_key().unwrap();
        let file = fixture.open().unwrap();
        assert_eq!(file.keyring().enabled().wraps(), round * WRAP_BLOCK);
    }
}

#[test]
fn a_block_is_reserved_once_for_all_threads() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..1_000).for_each(|_| drop(file.wrap_key().unwrap())));
        }
    });
    assert_eq!(file.keyring().enabled().wraps(), 8_000);
    assert_eq!(file.keyring().generation(), 2);
}

#[test]
fn reserving_ahead_keeps_half_a_block_at_hand() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap().with_wrap_block(64);
    file.reserve_wraps().unwrap();
    file.reserve_wraps().unwrap();
    assert_eq!(file.keyring().generation(), 2);
    for _ in 0..=32 {
        file.wrap_key().unwrap();
    }
    file.reserve_wraps().unwrap();
    assert_eq!(file.keyring().generation(), 3);
    assert_eq!(file.keyring().enabled().wraps(), 33);
}

#[test]
fn a_tool_that_reserves_one_wrap_uses_up_one_wrap() {
    let fixture = Fixture::new();
    for _ in 0..3 {
        fixture.open().unwrap().with_wrap_block(1).wrap_key().unwrap();
    }
    let file = fixture.open().unwrap().with_wrap_block(0);
    assert_eq!(file.keyring().enabled().wraps(), 3);
    file.wrap_key().unwrap();
    file.wrap_key().unwrap();
    assert_eq!(file.keyring().enabled().wraps(), 5);
    assert_eq!(fixture.open().unwrap().keyring().enabled().wraps(), 5);
}

#[test]
fn threads_that_reserve_one_wrap_at_a_time_take_each_their_own() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap().with_wrap_block(1);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(file.wrap_key().unwrap())));
        }
    });
    assert_eq!(file.keyring().enabled().wraps(), 40);
    assert_eq!(file.keyring().generation(), 41);
}

#[test]
fn s5_the_last_block_is_what_is_left_of_the_limit() {
    let fixture = with_wraps(MAX_WRAPS - 2);
    let file = fixture.open().unwrap();
    file.wrap_key().unwrap();
    file.wrap_key().unwrap();
    assert_error!(file.wrap_key(), Error::WrapLimit { version: 1, .. });
    assert_eq!(file.keyring().enabled().wraps(), MAX_WRAPS);
}

#[test]
fn counting_goes_on_through_reload_and_rotation() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.wrap_key().unwrap();
    file.reload().unwrap();
    file.wrap_key().unwrap();
    file.rotate().unwrap();
    file.promote(1).unwrap();
    file.wrap_key().unwrap();
    assert_eq!(file.keyring().enabled().wraps(), 3);
    let reserved = fixture.open().unwrap().keyring().enabled().wraps();
    assert_eq!(reserved, WRAP_BLOCK);
}

#[test]
fn a_keyring_in_memory_counts_in_its_process() {
    let first = key();
    let build = || Keyring::builder(id()).enabled(1, first.clone()).build(&RustCrypto).unwrap();
    let shared = SharedKeyring::new(build());
    shared.wrap_key().unwrap();
    shared.replace(build()).unwrap();
    shared.wrap_key().unwrap();
    assert_eq!(shared.keyring().enabled().wraps(), 2);
}
