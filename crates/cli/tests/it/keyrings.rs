//! Making and changing keyrings.

use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

use serde_json::Value;

use crate::bench::{Bench, DONE, KEY, SYSTEM, USAGE};

fn states(bench: &Bench) -> Vec<String> {
    let run = bench.run(&["keyring", "list", "--json"]).expect(DONE);
    let keyring: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(keyring["keyring"], "default");
    let versions = keyring["versions"].as_array().unwrap();
    versions.iter().map(|version| version["state"].as_str().unwrap().into()).collect()
}

#[test]
fn init_makes_a_key_file_for_its_owner_only() {
    let bench = Bench::new();
    let mode = fs::metadata(bench.path("unlock.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(bench.read("unlock.key").len(), 45);
    assert_eq!(states(&bench), ["enabled"]);
}

#[test]
fn init_replaces_nothing() {
    let bench = Bench::new();
    let before = (bench.read("keyring"), bench.read("unlock.key"));
    let init = |more: &[&str]| bench.plain(&[&["keyring", "init"], more].concat()).expect(USAGE);
    init(&["--new-key-file", "other.key"]).says("exists already");
    assert!(!bench.has("other.key"));
    init(&["--new-key-file", "unlock.key", "--keyring", "other"]).says("exists already");
    assert!(!bench.has("other"));
    init(&["--new-key-file", "other.key", "--key-file", "unlock.key", "--keyring", "other"]);
    init(&["--new-key-file", "other.key", "--id", "-x", "--keyring", "other"]);
    assert_eq!((bench.read("keyring"), bench.read("unlock.key")), before);
}

#[test]
fn versions_are_added_rotated_retired_and_destroyed() {
    let bench = Bench::new();
    bench.run(&["keyring", "add"]).expect(DONE);
    assert_eq!(states(&bench), ["enabled", "waiting"]);
    bench.run(&["keyring", "retire", "2"]).expect(USAGE).says("waits for `keyring rotate`");
    bench.run(&["keyring", "rotate"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "enabled"]);
    bench.run(&["keyring", "rotate", "--to", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["enabled", "decrypt-only"]);
    bench.run(&["keyring", "retire", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "decrypt-only", "enabled"]);
    bench.run(&["keyring", "retire", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "decrypt-only", "enabled"]);
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    assert_eq!(states(&bench), ["destroyed", "decrypt-only", "enabled"]);
    let run = bench.run(&["keyring", "list"]).expect(DONE);
    assert!(run.text().contains("destroyed") && run.text().contains("enabled"), "{run:?}");
}

#[test]
fn each_wrap_is_counted_once() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.seal("b", b"content");
    bench.run(&["rewrap", "a.sealed", "b.sealed"]).expect(DONE);
    bench.run(&["verify", "a.sealed", "b.sealed"]).expect(DONE);
    let run = bench.run(&["keyring", "list", "--json"]).expect(DONE);
    let keyring: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(keyring["versions"][0]["wraps"], 4);
}

#[test]
fn destroying_asks_and_spares_the_version_that_seals() {
    let bench = Bench::new();
    bench.run(&["keyring", "rotate"]).expect(DONE);
    bench.run(&["keyring", "retire", "1", "--destroy"]).expect(USAGE).says("--yes");
    bench.run(&["keyring", "retire", "2", "--destroy", "--yes"]).expect(USAGE).says("rotate");
    bench.run(&["keyring", "retire", "9", "--destroy", "--yes"]).expect(KEY).says("version 9");
    bench.run(&["keyring", "retire", "9"]).expect(KEY).says("version 9");
    bench.run(&["keyring", "rotate", "--to", "9"]).expect(KEY).says("version 9");
    bench.run(&["keyring", "retire", "1", "--yes"]).expect(USAGE);
    assert_eq!(states(&bench), ["decrypt-only", "enabled"]);
}

#[test]
fn keys_come_from_the_environment_and_from_credentials_too() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let key = String::from_utf8(bench.read("unlock.key")).unwrap();
    let verify = |more: [&str; 2], variable: &str, value: &str| {
        let arguments = [&["verify", "a.sealed"][..], &more].concat();
        let status = bench.command(&arguments).env(variable, value).status().unwrap();
        assert!(status.success());
    };
    verify(["--key-env", "TEST_KEY"], "TEST_KEY", key.trim_end());
    let folder = bench.path("");
    verify(["--credential", "unlock.key"], "CREDENTIALS_DIRECTORY", folder.to_str().unwrap());
}

#[test]
fn a_resealed_keyring_is_unlocked_in_the_new_way_only() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.run(&["keyring", "rotate"]).expect(DONE);
    let old = bench.read("keyring");
    bench.run(&["keyring", "reseal", "--new-key-file", "new.key"]).expect(DONE);
    assert_eq!(bench.mode("new.key"), 0o600);
    bench.run(&["verify", "a.sealed"]).expect(KEY).says("wrong unlock key");
    bench.plain(&["verify", "a.sealed", "--key-file", "new.key"]).expect(DONE);
    // Nothing beside it is left for the old key.
    assert!(!bench.has("keyring.previous"));
    assert_ne!(bench.read("keyring"), old);
    let back = ["keyring", "reseal", "--key-file", "new.key", "--to-key-file", "unlock.key"];
    bench.plain(&back).expect(DONE);
    bench.run(&["verify", "a.sealed"]).expect(DONE);
}

#[test]
fn a_reseal_that_is_refused_changes_nothing() {
    let bench = Bench::new();
    bench.write("precious", b"precious");
    let before = bench.read("keyring");
    let reseal = |more: &[&str]| bench.run(&[&["keyring", "reseal"], more].concat());
    reseal(&["--new-key-file", "precious"]).expect(USAGE).says("exists already");
    reseal(&["--new-key-file", "keyring.previous"]).expect(USAGE).says("of the keyring");
    reseal(&["--to-key-file", "absent"]).expect(KEY).says("absent");
    reseal(&["--to-key-env", "OBJECT_CIPHER_TEST_UNSET"]).expect(KEY);
    reseal(&["--to-credential", "unset"]).expect(KEY);
    reseal(&[]).expect(KEY);
    assert_eq!((bench.read("keyring"), bench.read("precious")), (before, b"precious".to_vec()));
}

#[test]
fn an_exported_keyring_opens_what_the_first_one_sealed() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let before = bench.read("keyring");
    let export = ["keyring", "export", "--output", "copy", "--new-key-file", "copy.key"];
    bench.run(&export).expect(DONE);
    assert_eq!(bench.read("keyring"), before);
    let verify = ["verify", "a.sealed", "--keyring", "copy", "--key-file"];
    bench.plain(&[&verify[..], &["copy.key"]].concat()).expect(DONE);
    bench.plain(&[&verify[..], &["unlock.key"]].concat()).expect(KEY);
    // Nothing is replaced.
    bench.run(&export).expect(USAGE).says("copy exists already");
    let other = ["keyring", "export", "-o", "other", "--new-key-file", "copy.key"];
    bench.run(&other).expect(USAGE).says("copy.key exists already");
    assert!(!bench.has("other"));
}

#[test]
fn a_key_file_that_a_keyring_needs_is_never_removed() {
    let bench = Bench::without_keyring();
    fs::create_dir(bench.path("keys")).unwrap();
    let bench = bench.unprivileged();
    // What is created there cannot be made to last: its names cannot be read.
    bench.set_mode("keys", 0o300);
    let init = ["keyring", "init", "--keyring", "keys/keyring", "--new-key-file", "unlock.key"];
    bench.plain(&init).expect(SYSTEM).says("unlock.key stays");
    bench.run(&["keyring", "list", "--keyring", "keys/keyring"]).expect(DONE);
    // One that nothing needs goes again.
    bench.set_mode("keys", 0o500);
    let init = ["keyring", "init", "--keyring", "keys/other", "--new-key-file", "other.key"];
    bench.plain(&init).expect(SYSTEM);
    assert!(!bench.has("other.key"));
    bench.set_mode("keys", 0o700);
}

#[test]
fn a_keyring_that_others_write_is_waited_for() {
    let bench = Bench::new();
    bench.seal("b", b"makes the lock file");
    bench.write("a", b"content");
    let lock = fs::File::open(bench.path("keyring.lock")).unwrap();
    lock.lock().unwrap();
    // Longer than the keyring itself waits.
    let holder = thread::spawn(move || {
        thread::sleep(Duration::from_secs(6));
        drop(lock);
    });
    thread::scope(|scope| {
        for command in [&["seal", "a"][..], &["keyring", "add"]] {
            let bench = &bench;
            scope.spawn(move || bench.run(command).expect(DONE).says("waiting for the lock"));
        }
    });
    holder.join().unwrap();
}
