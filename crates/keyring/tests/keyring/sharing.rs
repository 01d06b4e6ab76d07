//! Several processes with one file.

use std::{
    fs, thread,
    time::{Duration, Instant, SystemTime},
};

use object_cipher_core::MasterKeyRef;
use object_cipher_keyring::{Error, KeyringFile, RotationPolicy, Unlock, VersionedKeys};
use object_cipher_rustcrypto::RustCrypto;
use object_cipher_testkit::Watched;

use crate::{Fixture, assert_error, id, random};

#[test]
fn a_process_that_reserves_sees_a_rotation_by_another() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    two.rotate().unwrap();
    assert_eq!(one.wrap_key().unwrap().version(), 2);
}

#[test]
fn a_version_enabled_by_another_process_opens_before_reload() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    one.rotate().unwrap();
    let written = one.wrap_key().unwrap();
    assert_error!(two.keyring().find(written.key_ref()), Error::VersionMissing { version: 2, .. });
    assert_eq!(two.unwrap_key(written.key_ref()).unwrap().version(), 2);

    let unknown = MasterKeyRef::new(id(), 3, *written.key_ref().check());
    assert_error!(two.unwrap_key(&unknown), Error::VersionMissing { version: 3, .. });
}

#[test]
fn a_version_retired_by_another_process_wraps_no_more() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    assert_eq!(two.wrap_key().unwrap().version(), 1);
    one.rotate().unwrap();
    assert_eq!(two.wrap_key().unwrap().version(), 2);
    one.promote(1).unwrap();
    one.destroy(2).unwrap();
    assert_eq!(two.wrap_key().unwrap().version(), 1, "though a block of version 2 is left");
}

#[test]
fn nothing_is_wrapped_while_the_file_cannot_be_followed() {
    let fixture = Fixture::new();
    let (one, two) = (fixture.open().unwrap(), fixture.open().unwrap());
    let wrapped = two.wrap_key().unwrap();
    one.reseal(&Unlock::key(&random()).unwrap()).unwrap();
    assert_error!(two.wrap_key(), Error::Resealed { .. });
    fs::remove_file(fixture.path()).unwrap();
    assert_error!(two.wrap_key(), Error::Io { .. });
    fixture.overwrite(b"short");
    assert_error!(two.wrap_key(), Error::Malformed { .. });
    assert!(two.unwrap_key(wrapped.key_ref()).is_ok(), "what was wrapped still opens");
}

#[test]
fn an_unknown_version_has_a_file_read_only_when_it_changed() {
    let fixture = Fixture::new();
    let backend = Watched::new(RustCrypto);
    let file = KeyringFile::open(fixture.path(), &fixture.unlock(), backend.clone()).unwrap();
    let unknown = MasterKeyRef::new(id(), 9, *file.keyring().enabled().key_ref().check());
    // At least one for each reading of the file.
    let macs = || backend.watch().macs();
    let misses = |count: usize| {
        let before = macs();
        for _ in 0..count {
            assert_error!(file.unwrap_key(&unknown), Error::VersionMissing { version: 9, .. });
        }
        macs() - before
    };
    assert_eq!(misses(100), 0);
    fixture.open().unwrap().add().unwrap();
    assert!(misses(1) > 0, "the file changed");
    assert_eq!(misses(100), 0);
}

#[test]
fn readers_do_not_wait_for_a_writer_that_waits_for_another_process() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let unknown = MasterKeyRef::new(id(), 9, *file.keyring().enabled().key_ref().check());
    let lock = fs::File::create(fixture.beside("keyring.lock")).unwrap();
    lock.lock().unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| file.rotate());
        thread::sleep(Duration::from_millis(200));
        file.reload().unwrap();
        assert_error!(file.unwrap_key(&unknown), Error::VersionMissing { .. });
        assert!(!writer.is_finished());
        lock.unlock().unwrap();
        assert_eq!(writer.join().unwrap().unwrap(), 2);
    });
}

#[test]
fn a_writer_gives_up_in_the_end_and_names_who_holds_the_lock() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    assert_eq!(file.rotate().unwrap(), 2, "which leaves this process's number");
    let lock = fs::File::options().append(true).open(fixture.beside("keyring.lock")).unwrap();
    lock.lock().unwrap();
    let error = file.rotate().unwrap_err();
    let expected = format!("process {} is changing the keyring", std::process::id());
    assert!(error.to_string().starts_with(&expected), "{error}");
    drop(lock);
    assert_eq!(file.rotate().unwrap(), 3);
}

#[test]
fn all_that_write_wait_for_the_lock_with_a_bound() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    // By somebody who leaves no number.
    let lock = fs::File::create(fixture.beside("keyring.lock")).unwrap();
    lock.lock().unwrap();
    let unlock = fixture.unlock();
    let policy = RotationPolicy::default();
    let writers: [&(dyn Fn() -> Result<(), Error> + Sync); 8] = [
        &|| file.add().map(drop),
        &|| file.rotate().map(drop),
        &|| file.promote(1),
        &|| file.rotate_if_due(&policy, SystemTime::now()).map(drop),
        &|| file.destroy(1),
        &|| file.reserve_wraps(),
        &|| file.reseal(&unlock),
        &|| file.wrap_key().map(drop),
    ];
    thread::scope(|scope| {
        // All at once: were they to wait for each other, the last would wait long.
        let waiting: Vec<_> = writers.iter().map(|write| scope.spawn(write)).collect();
        let started = Instant::now();
        for writer in waiting {
            assert_error!(writer.join().unwrap(), Error::Locked { holder: None, .. });
        }
        assert!(started.elapsed() < Duration::from_secs(20), "each waits five seconds");
    });
}
