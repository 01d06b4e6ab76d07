//! What is not as it was sealed, or would destroy something, is refused, and nothing is lost.

use std::{
    fs::{self, File},
    os::unix::fs::{PermissionsExt, symlink},
};

use crate::bench::{Bench, DONE, KEY, REFUSED, USAGE, content};

/// Opens a file that must be refused, each way, and checks that no output is left.
fn refused(bench: &Bench, sealed: &str) {
    let before = bench.names();
    bench.run(&["verify", sealed]).expect(REFUSED).says("help: ");
    bench.run(&["open", sealed, "--output", "out"]).expect(REFUSED).says("help: ");
    assert_eq!(bench.names(), before);
}

#[test]
fn a_tampered_body_is_refused_and_leaves_no_output() {
    let bench = Bench::new();
    bench.seal("a", &content(40_000));
    for at in [0, 30, 56, 20_000, 40_000 + 56 + 2 * 16, 40_000 + 56 + 3 * 16 - 1] {
        bench.flip("a.sealed", at);
        refused(&bench, "a.sealed");
        bench.flip("a.sealed", at);
    }
    bench.run(&["verify", "a.sealed"]).expect(DONE);
}

#[test]
fn a_truncated_or_lengthened_body_is_refused() {
    let bench = Bench::new();
    bench.seal("a", &content(40_000));
    let whole = bench.read("a.sealed");
    for length in [0, 10, 56, 56 + 16_400, 56 + 2 * 16_400, whole.len() - 1] {
        bench.write("a.sealed", &whole[..length]);
        refused(&bench, "a.sealed");
    }
    bench.write("a.sealed", &[&whole[..], b"x"].concat());
    refused(&bench, "a.sealed");
}

#[test]
fn an_envelope_of_another_file_is_refused() {
    let bench = Bench::new();
    bench.seal("a", &content(100));
    bench.seal("b", &content(100));
    fs::copy(bench.path("b.sealed.envelope"), bench.path("a.sealed.envelope")).unwrap();
    refused(&bench, "a.sealed");
}

#[test]
fn an_altered_record_is_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let record = bench.read("a.sealed.envelope");
    let text = String::from_utf8(record.clone()).unwrap();
    let altered = [
        String::new(),
        "\n".into(),
        text.trim_end().into(),
        format!("{text}\n"),
        format!("{text}name: \n"),
        format!("{text}name: %61\n"),
        format!("{text}name: a\nname: a\n"),
        format!("{text}comment: a\n"),
        format!("{text}name: a"),
        text.replace('\n', "\r\n"),
        text.replace(": ", ":"),
        text.replace("envelope", "Envelope"),
        format!("{text}{}", "x".repeat(40_000)),
    ];
    for text in altered {
        bench.write("a.sealed.envelope", text.as_bytes());
        refused(&bench, "a.sealed");
        bench.plain(&["inspect", "a.sealed"]).expect(REFUSED);
    }
    // One character of the base64 at a time: malformed, another key, or no authentic wrap.
    for at in (text.find(": ").unwrap() + 2..record.len() - 1).step_by(7) {
        bench.write("a.sealed.envelope", &record);
        bench.flip("a.sealed.envelope", at);
        let code = bench.run(&["verify", "a.sealed"]).code;
        assert!([REFUSED, KEY].contains(&code), "{at}: {code}");
    }
}

#[test]
fn another_name_is_refused() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--name", "the name, 100 %"]).expect(DONE);
    bench.run(&["verify", "a.sealed"]).expect(DONE);
    bench.run(&["verify", "a.sealed", "--name", "the name, 100 %"]).expect(DONE);
    for wrong in ["", "the name"] {
        bench.run(&["verify", "a.sealed", "--name", wrong]).expect(REFUSED).says("--name");
    }
    let record = String::from_utf8(bench.read("a.sealed.envelope")).unwrap();
    assert!(record.ends_with("\nname: the%20name,%20100%20%25\n"), "{record}");
    bench.write("a.sealed.envelope", record.replace("name: the", "name: a").as_bytes());
    refused(&bench, "a.sealed");
    bench.run(&["verify", "a.sealed", "--name", "the name, 100 %"]).expect(DONE);
}

#[test]
fn a_name_that_is_too_long_is_refused() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--name", &"x".repeat(1_025)]).expect(USAGE);
    bench.run(&["seal", "a", "--name", &"x".repeat(1_024)]).expect(DONE);
    bench.run(&["rewrap", "a.sealed", "--new-name", &"x".repeat(1_025)]).expect(USAGE);
    bench.run(&["verify", "a.sealed"]).expect(DONE);
}

#[test]
fn sealing_onto_anything_is_refused_without_force() {
    let bench = Bench::new();
    bench.write("a", b"content");
    for name in ["a.sealed", "a.sealed.envelope"] {
        // It may be all that is left of a sealed file: no advice to replace it.
        bench.write(name, b"precious");
        bench.run(&["seal", "a"]).expect(USAGE).says(name).never_says("--force");
        assert_eq!(bench.read(name), b"precious");
        fs::remove_file(bench.path(name)).unwrap();
        symlink("nowhere", bench.path(name)).unwrap();
        bench.run(&["seal", "a"]).expect(USAGE).says(name).never_says("--force");
        fs::remove_file(bench.path(name)).unwrap();
    }
    assert!(!bench.has("nowhere"));
    bench.run(&["seal", "a"]).expect(DONE);
    bench.run(&["seal", "a"]).expect(USAGE).says("--force");
}

#[test]
fn opening_onto_a_file_is_refused_without_force() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.write("a", b"precious");
    bench.run(&["open", "a.sealed"]).expect(USAGE).says("--force");
    assert_eq!(bench.read("a"), b"precious");
    bench.run(&["open", "a.sealed", "--force"]).expect(DONE);
    assert_eq!(bench.read("a"), b"content");
    bench.flip("a.sealed", 60);
    bench.run(&["open", "a.sealed", "--force"]).expect(REFUSED);
    assert_eq!(bench.read("a"), b"content");
}

#[test]
fn an_output_that_is_the_input_is_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let before = (bench.read("a.sealed"), bench.read("a.sealed.envelope"));
    for output in ["a.sealed", "a.sealed.envelope"] {
        bench.run(&["open", "a.sealed", "--force", "--output", output]).expect(USAGE);
        bench.run(&["seal", output, "--force", "--output", "a.sealed"]).expect(USAGE);
    }
    assert_eq!((bench.read("a.sealed"), bench.read("a.sealed.envelope")), before);
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    let bench = Bench::new();
    bench.run(&["open", "no/folder.sealed"]).expect(1).says("no folder no");
    bench.run(&["seal", "."]).expect(USAGE).says("is a folder");
    bench.seal("b", b"content");
    fs::remove_file(bench.path("b.sealed")).unwrap();
    fs::create_dir(bench.path("b.sealed")).unwrap();
    bench.plain(&["verify", "b.sealed"]).expect(USAGE).says("is a folder");
    bench.run(&["seal", "/", "-o", "a.sealed"]).expect(USAGE).says("is a folder");
    bench.write("a", b"content");
    bench.run(&["open", "a"]).expect(1).says("a has no Envelope");
    bench.run(&["seal", "a", "--output", "no/folder"]).expect(1).says("no folder no");
}

#[test]
fn the_wrong_key_is_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let init = ["keyring", "init", "--keyring", "other", "--new-key-file", "other.key"];
    bench.plain(&init).expect(DONE);
    let verify = |more: &[&str]| bench.plain(&[&["verify", "a.sealed"], more].concat()).expect(KEY);
    verify(&["--key-file", "other.key"]).says("wrong unlock key");
    verify(&["--key-file", "absent.key"]).says("absent.key");
    verify(&["--key-env", "OBJECT_CIPHER_TEST_UNSET"]).says("OBJECT_CIPHER_TEST_UNSET");
    verify(&["--credential", "unset"]);
    // The same keyring name and version, other bytes.
    verify(&["--keyring", "other", "--key-file", "other.key"]).says("other key bytes");
    verify(&["--keyring", "absent", "--key-file", "unlock.key"]).says("keyring init");
    verify(&[]).says("--key-file");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let mode = fs::Permissions::from_mode(0o644);
    File::open(bench.path("unlock.key")).unwrap().set_permissions(mode).unwrap();
    bench.run(&["verify", "a.sealed"]).expect(KEY).says("chmod 600");
}
