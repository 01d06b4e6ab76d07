//! Crashes, writers at the same time, and files put back.

use std::{ffi::OsString, fs, thread, time::Duration};

use object_cipher_core::KeyringId;
use object_cipher_keyring::{Error, Keyring, KeyringFile, SharedKeyring, Unlock, VersionedKeys};
use object_cipher_rustcrypto::RustCrypto;

use crate::{Fixture, assert_error, child, id, random, write_private};

#[test]
fn nothing_is_created_but_by_create() {
    let fixture = Fixture::empty();
    assert_error!(fixture.open(), Error::Io { action: "open", .. });
    let read = Keyring::read(fixture.path(), &fixture.unlock(), &RustCrypto);
    assert_error!(read, Error::Io { .. });
    assert_eq!(fs::read_dir(fixture.directory.path()).unwrap().count(), 0);

    fixture.overwrite(b"not a keyring");
    assert_error!(fixture.open(), Error::Malformed { .. });
    assert_eq!(fs::read(fixture.path()).unwrap(), b"not a keyring");
}

#[test]
fn nothing_is_created_over_a_keyring_or_what_is_left_of_one() {
    let fixture = Fixture::new();
    fixture.open().unwrap().rotate().unwrap();
    let create = || KeyringFile::create(fixture.path(), &id(), &fixture.unlock(), RustCrypto);
    let before = fs::read(fixture.path()).unwrap();
    assert_error!(create(), Error::Exists { .. });
    assert_eq!(fs::read(fixture.path()).unwrap(), before);
    fs::remove_file(fixture.path()).unwrap();
    assert_error!(create(), Error::Exists { file } if file.ends_with("keyring.previous"));
}

#[test]
fn nothing_is_created_under_the_names_that_keyrings_use_themselves() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    let names =
        ["keyring.previous", "keyring.lock", "keyring.new", "keyring.previous.new", "a.New"];
    for path in names.map(|name| fixture.beside(name)) {
        let before = fs::read(&path).ok();
        let unlock = fixture.unlock();
        assert_error!(file.export(&path, &unlock), Error::OwnName { .. });
        let created = KeyringFile::create(&path, &id(), &unlock, RustCrypto);
        assert_error!(created, Error::OwnName { .. });
        assert_error!(Unlock::new_key_file(&path, &RustCrypto), Error::OwnName { .. });
        assert_eq!(fs::read(&path).ok(), before);
    }
    assert_error!(file.export(fixture.path(), &fixture.unlock()), Error::Exists { .. });
}

#[test]
fn an_export_removes_nothing_beside_it() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let names = ["escrow.new", "escrow.lock", "escrow.previous"];
    for path in names.map(|name| fixture.beside(name)) {
        write_private(&path, b"precious");
    }
    file.export(fixture.beside("escrow"), &fixture.unlock()).unwrap();
    for path in names.map(|name| fixture.beside(name)) {
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }
}

#[test]
fn a_file_that_comes_to_be_during_an_export_is_not_replaced() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let escrow = fixture.beside("escrow");
    // Later and later, so that some rounds fall between its look and its write.
    for round in 0..300 {
        let (exported, made) = thread::scope(|scope| {
            let exporter = scope.spawn(|| file.export(&escrow, &fixture.unlock()).is_ok());
            thread::sleep(Duration::from_micros(10 * round));
            let made = fs::File::create_new(&escrow).is_ok();
            (exporter.join().unwrap(), made)
        });
        assert_ne!(exported, made, "one of them made the file");
        assert_eq!(fs::metadata(&escrow).unwrap().len() > 0, exported);
        fs::remove_file(&escrow).unwrap();
    }
}

#[test]
fn of_many_that_create_one_keyring_one_succeeds() {
    let fixture = Fixture::empty();
    let created = thread::scope(|scope| {
        let create =
            || KeyringFile::create(fixture.path(), &id(), &fixture.unlock(), RustCrypto).ok();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(create)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(created.len(), 1);
    let reopened = fixture.open().unwrap();
    assert_eq!(reopened.keyring().digest(), created[0].keyring().digest());
}

#[test]
fn what_an_interrupted_write_leaves_does_no_harm() {
    let fixture = Fixture::new();
    write_private(&fixture.beside("keyring.new"), b"half a keyr");
    let file = fixture.open().unwrap();
    assert_eq!(file.keyring().generation(), 1);
    assert_eq!(file.rotate().unwrap(), 2);
    assert!(!fixture.beside("keyring.new").exists());
}

#[test]
fn a_failed_write_leaves_the_old_file_whole() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let before = fs::read(fixture.path()).unwrap();
    fs::create_dir(fixture.beside("keyring.new")).unwrap();
    assert_error!(file.rotate(), Error::Io { .. });
    assert_error!(file.wrap_key(), Error::Io { .. });
    assert_eq!(fs::read(fixture.path()).unwrap(), before);
    assert_eq!(file.keyring().enabled().version(), 1);
    fs::remove_dir(fixture.beside("keyring.new")).unwrap();
    assert_eq!(file.rotate().unwrap(), 2);
}

#[test]
fn the_previous_generation_is_kept_whole() {
    let fixture = Fixture::new();
    let first = fs::read(fixture.path()).unwrap();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    assert_eq!(fs::read(fixture.beside("keyring.previous")).unwrap(), first);
    let previous = fixture.beside("keyring.previous");
    let previous = Keyring::read(previous, &fixture.unlock(), &RustCrypto).unwrap();
    assert_eq!((previous.generation(), previous.enabled().version()), (1, 1));
}

#[test]
fn reserving_wraps_keeps_the_state_before_the_last_change_of_a_key() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap().with_wrap_block(1);
    file.rotate().unwrap();
    for _ in 0..3 {
        file.wrap_key().unwrap();
    }
    file.reserve_wraps().unwrap();
    assert_eq!(file.keyring().generation(), 6);
    let previous = fixture.beside("keyring.previous");
    let previous = Keyring::read(previous, &fixture.unlock(), &RustCrypto).unwrap();
    assert_eq!((previous.generation(), previous.enabled().version()), (1, 1));
}

/// What is in the directory of a keyring that was rotated while each write of each file beside it
/// was interrupted, and then changed so that it forgets.
fn names_after(forget: impl Fn(&KeyringFile<RustCrypto>)) -> Vec<OsString> {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let first = fs::read(fixture.path()).unwrap();
    file.rotate().unwrap();
    for name in ["keyring.new", "keyring.previous.new"] {
        write_private(&fixture.beside(name), &first);
    }
    forget(&file);
    let entries = fs::read_dir(fixture.directory.path()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names
}

#[test]
fn a_destroyed_key_is_in_no_file_beside_the_keyring() {
    let names = names_after(|file| file.destroy(1).unwrap());
    assert_eq!(names, ["keyring", "keyring.lock"]);
}

#[test]
fn what_the_old_secret_opens_is_in_no_file_beside_the_keyring() {
    let names = names_after(|file| file.reseal(&Unlock::key(&random()).unwrap()).unwrap());
    assert_eq!(names, ["keyring", "keyring.lock"]);
}

#[test]
fn the_generation_never_falls() {
    let fixture = Fixture::new();
    let first = fs::read(fixture.path()).unwrap();
    let file = fixture.open().unwrap();
    file.rotate().unwrap();
    let second = fs::read(fixture.path()).unwrap();
    fixture.overwrite(&first);
    for result in [file.reload().map(|_| 0), file.rotate(), file.add()] {
        assert_error!(result, Error::GenerationFell { known: 2, found: 1, .. });
    }
    assert_eq!(file.keyring().enabled().version(), 2);

    let restarted = fixture.open().unwrap();
    assert_error!(restarted.require_generation(2), Error::GenerationFell { .. });
    fixture.overwrite(&second);
    assert_eq!(file.reload().unwrap().generation(), 2);
    restarted.reload().unwrap();
    assert!(restarted.require_generation(2).is_ok());
}

#[test]
fn another_file_of_the_same_generation_is_noticed() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let first = fs::read(fixture.path()).unwrap();
    file.add().unwrap();
    let added = fs::read(fixture.path()).unwrap();
    fixture.overwrite(&first);
    let fork = fixture.open().unwrap();
    fork.rotate().unwrap();
    assert_error!(file.reload(), Error::GenerationFell { known: 2, found: 2, .. });
    fixture.overwrite(&added);
    assert_error!(fork.reload(), Error::GenerationFell { known: 2, found: 2, .. });
}

#[test]
fn the_file_of_another_keyring_is_not_taken_over() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let forged = crate::forged::Forged::new([crate::forged::Version::enabled(1)]);
    fixture.overwrite(&forged.bytes(&fixture.secret));
    assert_error!(file.reload(), Error::Resealed { .. });

    let keyring = |name: &str| {
        let id = KeyringId::parse(name).unwrap();
        Keyring::builder(id).enabled(1, crate::key()).build(&RustCrypto).unwrap()
    };
    let shared = SharedKeyring::new(keyring("main"));
    assert_error!(shared.replace(keyring("other")), Error::OtherKeyring { .. });
}

#[test]
fn a_node_follows_the_copies_an_operator_distributes() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    let read = || Keyring::read(fixture.path(), &fixture.unlock(), &RustCrypto).unwrap();
    let node = SharedKeyring::new(read());
    let old = read();
    file.add().unwrap();
    node.replace(read()).unwrap();
    assert_eq!(node.keyring().digest(), file.keyring().digest());
    assert_eq!(node.wrap_key().unwrap().version(), 1);
    file.rotate().unwrap();
    node.replace(read()).unwrap();
    assert_eq!(node.wrap_key().unwrap().version(), 2);
    assert_error!(node.replace(old), Error::GenerationFell { known: 3, found: 1, .. });
}

#[test]
fn two_writers_take_turns_and_lose_nothing() {
    let fixture = Fixture::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let file = fixture.open().unwrap();
                for _ in 0..10 {
                    file.add().unwrap();
                }
            });
        }
    });
    let keyring = fixture.open().unwrap().keyring();
    assert_eq!((keyring.generation(), keyring.versions().count()), (41, 41));
}

#[test]
fn threads_with_one_handle_take_turns_and_readers_see_no_step_back() {
    let fixture = Fixture::new();
    let file = fixture.open().unwrap();
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| (0..10).for_each(|_| assert!(file.rotate().is_ok())));
        }
        scope.spawn(|| {
            let mut last = 0;
            for _ in 0..200 {
                let generation = file.reload().unwrap().generation();
                assert!(generation >= last);
                last = generation;
            }
        });
    });
    assert_eq!(file.keyring().enabled().version(), 31);
}

#[test]
fn child_rotates_until_killed() {
    if !child::is_here() {
        return;
    }
    let path = std::env::var_os("TEST_PATH").unwrap();
    let secret = std::env::var_os("TEST_SECRET").unwrap();
    let unlock = Unlock::key_file(secret).unwrap();
    let file = KeyringFile::open(path, &unlock, RustCrypto).unwrap();
    // As many as a keyring holds.
    while file.add().is_ok() {}
}

#[test]
fn a_writer_killed_at_any_moment_leaves_a_whole_file() {
    let fixture = Fixture::new();
    let secret = fixture.beside("secret");
    write_private(&secret, &fixture.secret);
    let path = fixture.path();
    let environment = [("TEST_PATH", path.as_os_str()), ("TEST_SECRET", secret.as_os_str())];
    let mut generation = 1;
    for round in 0..30 {
        let mut command = child::command("durability::child_rotates_until_killed", &environment);
        let mut writer = command.spawn().unwrap();
        thread::sleep(Duration::from_millis(10 + round * 2));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let keyring = fixture.open().unwrap().keyring();
        assert!(keyring.generation() >= generation);
        assert_eq!(keyring.generation(), keyring.versions().count() as u64);
        generation = keyring.generation();
    }
    assert!(generation > 1, "no child ever wrote");
    fixture.open().unwrap().rotate().unwrap();
}
