//! Mistakes, and what is said about them.

use std::{fs, os::unix::fs::chown};

use crate::bench::{Bench, DONE, KEY, NOBODY, REFUSED, SYSTEM, USAGE, content, is_root};

#[test]
fn a_path_that_is_mistyped_is_said_not_to_be_there() {
    let bench = Bench::new();
    for command in ["seal", "open", "cat", "verify", "rewrap"] {
        let run = bench.run(&[command, "absent.sealed"]).expect(SYSTEM);
        run.says("there is no file absent.sealed").never_says("--force").never_says("Envelope");
    }
    bench.plain(&["inspect", "absent"]).expect(SYSTEM).says("there is no file absent");
    // Also when its output is there.
    bench.write("absent.sealed", b"");
    bench.run(&["seal", "absent"]).expect(SYSTEM).says("there is no file absent\n");
}

#[test]
fn the_file_that_was_meant_is_named() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    for path in ["a.sealed.envelope", "a"] {
        for command in [&["verify", path][..], &["open", path, "-o", "x"], &["rewrap", path]] {
            bench.run(command).expect(SYSTEM).says("the sealed file is a.sealed\n");
        }
    }
    fs::remove_file(bench.path("a")).unwrap();
    bench.run(&["verify", "a"]).expect(SYSTEM).says("the sealed file is a.sealed\n");
}

#[test]
fn half_a_pair_is_not_advised_away() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    fs::rename(bench.path("a.sealed"), bench.path("away")).unwrap();
    let said = bench.run(&["verify", "a.sealed"]).expect(SYSTEM).says("only its Envelope");
    said.says("restore the body").never_says("--force");
    bench.run(&["seal", "a"]).expect(USAGE).never_says("--force");
    fs::remove_file(bench.path("a.sealed.envelope")).unwrap();
    fs::rename(bench.path("away"), bench.path("a.sealed")).unwrap();
    let said = bench.run(&["verify", "a.sealed"]).expect(SYSTEM).says("has no Envelope");
    said.says("put its Envelope back").never_says("--force");
    bench.run(&["seal", "a"]).expect(USAGE).never_says("--force");
}

#[test]
fn a_dash_where_none_can_be_says_what_to_give() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let pair = "give the path of the body";
    for command in ["open", "cat", "verify", "rewrap", "inspect"] {
        bench.plain(&[command, "-"]).expect(USAGE).says(pair);
    }
    for output in ["x", "-"] {
        bench.run(&["open", "-", "-o", output]).expect(USAGE).says(pair);
        let name = ["seal", "-", "-o", "-"];
        bench.run(&name).expect(USAGE).says("--output PATH");
    }
    bench.run(&["seal", "a", "-o", "-"]).expect(USAGE).says("--output PATH");
    bench.run(&["seal", "-"]).expect(USAGE).says("--output PATH");
    bench.run(&["open", "a"]).expect(SYSTEM).says("the sealed file is a.sealed");
    fs::rename(bench.path("a.sealed"), bench.path("s")).unwrap();
    fs::rename(bench.path("a.sealed.envelope"), bench.path("s.envelope")).unwrap();
    bench.run(&["open", "s"]).expect(USAGE).says("--output PATH").says("--output -");
    bench.run(&["open", "s", "-o", "-", "--force"]).expect(DONE);
    let keys = "keys are in files";
    bench.run(&["verify", "s", "--keyring", "-"]).expect(USAGE).says(keys);
    bench.plain(&["verify", "s", "--key-file", "-"]).expect(USAGE).says(keys);
    bench.plain(&["keyring", "init", "--new-key-file", "-"]).expect(USAGE).says(keys);
    bench.run(&["keyring", "export", "-o", "-"]).expect(USAGE).says(keys);
}

#[test]
fn a_file_called_dash_can_be_named() {
    let bench = Bench::new();
    bench.write("-", b"content");
    bench.run(&["seal", "./-"]).expect(DONE);
    bench.run(&["open", "./-.sealed", "-o", "./-", "--force"]).expect(DONE);
    assert_eq!(bench.read("-"), b"content");
}

#[test]
fn the_variables_are_named_and_used() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let verify = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = bench.command(&[&["verify", "a.sealed"], more].concat());
        command.env_remove("OBJECT_CIPHER_KEYRING").envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let keyring = ("OBJECT_CIPHER_KEYRING", "keyring");
    let key_file = ("OBJECT_CIPHER_KEY_FILE", "unlock.key");
    let absent = ("OBJECT_CIPHER_KEY_FILE", "absent");
    assert_eq!(verify(&[keyring, key_file], &[]).0, DONE);
    // What an option says goes before.
    assert_eq!(verify(&[keyring, absent], &["--key-file", "unlock.key"]).0, DONE);
    let key = String::from_utf8(bench.read("unlock.key")).unwrap();
    assert_eq!(verify(&[keyring, absent, ("K", key.trim())], &["--key-env", "K"]).0, DONE);
    assert_eq!(verify(&[keyring, absent], &[]).0, KEY);
    for unset in [&[key_file][..], &[key_file, ("OBJECT_CIPHER_KEYRING", "")]] {
        let (code, said) = verify(unset, &[]);
        assert_eq!(code, USAGE, "{said}");
        assert!(said.contains("OBJECT_CIPHER_KEYRING"), "{said}");
    }
    for unset in [&[keyring][..], &[keyring, ("OBJECT_CIPHER_KEY_FILE", "")]] {
        let (code, said) = verify(unset, &[]);
        assert_eq!(code, KEY, "{said}");
        assert!(said.contains("OBJECT_CIPHER_KEY_FILE"), "{said}");
    }
    for arguments in [&["--help"][..], &["verify", "--help"]] {
        let help = bench.plain(arguments).expect(DONE);
        for variable in ["OBJECT_CIPHER_KEYRING", "OBJECT_CIPHER_KEY_FILE"] {
            assert!(help.text().contains(variable), "{help:?}");
        }
    }
}

#[test]
fn arguments_in_the_wrong_place_get_advice() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let run = bench.plain(&["verify", "--keyring", "a.sealed"]).expect(USAGE);
    run.says("FILE is a word of its own");
    for mode in [0o600, 0o644] {
        bench.set_mode("a.sealed", mode);
        let run = bench.run(&["verify", "keyring", "--keyring", "a.sealed"]).expect(SYSTEM);
        run.says("keyring has no Envelope");
        let run = bench.run(&["verify", "a.sealed", "--keyring", "a.sealed"]).expect(KEY);
        run.says("a sealed file is named without an option");
    }
}

#[test]
fn sealing_says_that_it_writes_beside_the_keyring() {
    let bench = Bench::new();
    fs::create_dir(bench.path("keys")).unwrap();
    fs::rename(bench.path("keyring"), bench.path("keys/keyring")).unwrap();
    let bench = bench.unprivileged();
    bench.write("a", b"content");
    let run = |arguments: &[&str]| bench.run(&[arguments, &["--keyring", "keys/keyring"]].concat());
    if is_root() {
        chown(bench.path("keys/keyring"), Some(NOBODY), None).unwrap();
    }
    run(&["seal", "a"]).expect(DONE);
    fs::remove_file(bench.path("keys/keyring.lock")).unwrap();
    bench.set_mode("keys", 0o500);
    let writable = "must be writable";
    run(&["seal", "a", "--force"]).expect(SYSTEM).says("keys/keyring").says(writable);
    run(&["rewrap", "a.sealed"]).expect(SYSTEM).says("keys/keyring").says(writable);
    run(&["keyring", "rotate"]).expect(SYSTEM).says("keys/keyring").says(writable);
    run(&["verify", "a.sealed"]).expect(DONE);
    bench.set_mode("keys", 0o700);
    for command in ["seal", "rewrap"] {
        let help = bench.plain(&[command, "--help"]).expect(DONE);
        assert!(help.text().contains(writable), "{help:?}");
    }
}

#[test]
fn success_is_one_line_unless_quiet() {
    let bench = Bench::new();
    bench.write("a", b"content");
    let run = bench.run(&["seal", "a"]).expect(DONE);
    assert_eq!(run.stderr, "wrote a.sealed, 79 bytes, and a.sealed.envelope\n");
    let run = bench.run(&["open", "a.sealed", "-o", "b"]).expect(DONE);
    assert_eq!(run.stderr, "wrote b, 7 bytes\n");
    for command in [
        &["seal", "a", "--force", "--quiet"][..],
        &["-q", "open", "a.sealed", "-o", "b", "--force"],
        &["verify", "-q", "a.sealed"],
        &["rewrap", "-q", "a.sealed"],
        &["keyring", "-q", "add"],
    ] {
        let run = bench.run(command).expect(DONE);
        assert_eq!((&run.stdout[..], &run.stderr[..]), (&b""[..], ""));
    }
    let run = bench.run(&["open", "a.sealed", "-o", "-"]).expect(DONE);
    assert_eq!((&run.stdout[..], &run.stderr[..]), (&b"content"[..], ""));
}

#[test]
fn one_file_that_fails_does_not_keep_the_others_from_their_turn() {
    let bench = Bench::new();
    for name in ["a", "b", "c"] {
        bench.seal(name, &content(100));
    }
    let run = bench.run(&["verify", "a.sealed", "b.sealed", "c.sealed"]).expect(DONE);
    assert_eq!(run.text().matches("whole and unaltered").count(), 3);
    bench.flip("b.sealed", 60);
    let run = bench.run(&["verify", "absent", "b.sealed", "c.sealed"]).expect(REFUSED);
    assert!(run.text().contains("c.sealed: whole and unaltered"), "{run:?}");
    run.says("no file absent").says("b.sealed: ").says("2 of 3 files failed");
    // The gravest, whatever the order.
    bench.run(&["verify", "b.sealed", "c.sealed", "absent"]).expect(REFUSED);
    bench.run(&["verify", "absent", "c.sealed"]).expect(SYSTEM);

    bench.run(&["keyring", "rotate"]).expect(DONE);
    let run = bench.run(&["rewrap", "a.sealed", "absent", "c.sealed"]).expect(SYSTEM);
    run.says("1 of 3 files failed");
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    bench.run(&["verify", "a.sealed", "c.sealed"]).expect(DONE);
    bench.run(&["verify", "absent", "b.sealed"]).expect(KEY).says("version 1");
}

#[test]
fn what_ends_a_batch_early_hides_no_graver_failure() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.seal("bad", b"content");
    bench.write("bad.sealed.envelope", b"junk");
    let missing = ["verify", "bad.sealed", "a.sealed", "--key-file", "missing"];
    let run = bench.plain(&missing).expect(REFUSED);
    run.says("bad.sealed.envelope: ").says("missing").says("2 of 2 files failed");
    let mut child = bench
        .command(&["verify", "bad.sealed", "a.sealed", "--key-file", "unlock.key"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(REFUSED));
}
