//! Making and changing keyrings.

use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::bench::{Bench, DONE, KEY, USAGE};

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
    assert_eq!(states(&bench), ["enabled", "decrypt-only"]);
    bench.run(&["keyring", "rotate"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "enabled"]);
    bench.run(&["keyring", "rotate", "--to", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["enabled", "decrypt-only"]);
    bench.run(&["keyring", "retire", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "enabled"]);
    bench.run(&["keyring", "retire", "1"]).expect(DONE);
    assert_eq!(states(&bench), ["decrypt-only", "enabled"]);
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    assert_eq!(states(&bench), ["destroyed", "enabled"]);
    let run = bench.run(&["keyring", "list"]).expect(DONE);
    assert!(run.text().contains("destroyed") && run.text().contains("enabled"), "{run:?}");
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
