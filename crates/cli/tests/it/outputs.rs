//! What no output takes the place of, with `--force` neither.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, symlink},
        net::UnixListener,
    },
};

use crate::bench::{Bench, DONE, USAGE};

#[test]
fn names_that_are_used_in_between_are_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.seal("victim", b"precious");
    bench.write("in.object-cipher-new", b"content");
    let names = bench.names();
    for output in [
        "x.object-cipher-new",
        "victim.sealed.object-cipher-new",
        "victim.sealed.envelope.object-cipher-new",
    ] {
        bench.run(&["open", "a.sealed", "-o", output]).expect(USAGE).says("names that end so");
        bench.run(&["seal", "a", "-o", output]).expect(USAGE).says("names that end so");
        bench.run(&["keyring", "export", "-o", output]).expect(USAGE).says("names that end so");
        let init = ["keyring", "init", "--keyring", "other", "--new-key-file", output];
        bench.plain(&init).expect(USAGE).says("names that end so");
        let init = ["keyring", "init", "--keyring", output, "--new-key-file", "k"];
        bench.plain(&init).expect(USAGE).says("names that end so");
    }
    let run = bench.run(&["seal", "in.object-cipher-new", "-o", "s"]).expect(USAGE);
    run.says("names that end so");
    assert_eq!(bench.names(), names);
    assert_eq!(bench.run(&["cat", "victim.sealed"]).expect(DONE).stdout, b"precious");
}

#[test]
fn the_files_of_the_keys_are_no_output() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.run(&["keyring", "rotate"]).expect(DONE);
    fs::hard_link(bench.path("keyring"), bench.path("same")).unwrap();
    fs::create_dir(bench.path("folder")).unwrap();
    let read = |name: &str| fs::read(bench.path(name)).ok();
    let kept = ["keyring", "keyring.previous", "keyring.lock", "keyring.new", "unlock.key", "same"];
    let before = kept.map(read);
    for output in kept.into_iter().chain(["./keyring.new", "folder/../keyring.new"]) {
        for force in [&[][..], &["--force"]] {
            let open = [&["open", "a.sealed", "-o", output][..], force].concat();
            bench.run(&open).expect(USAGE).says("of the keyring");
            let seal = [&["seal", "a", "-o", output][..], force].concat();
            bench.run(&seal).expect(USAGE).says("of the keyring");
        }
        bench.run(&["keyring", "export", "-o", output]).expect(USAGE).says("of the keyring");
    }
    // Its record would be the keyring.
    fs::rename(bench.path("keyring"), bench.path("s.envelope")).unwrap();
    let seal = ["seal", "a", "-o", "s", "--force", "--keyring", "s.envelope"];
    bench.run(&seal).expect(USAGE).says("of the keyring");
    fs::rename(bench.path("s.envelope"), bench.path("keyring")).unwrap();
    // Its name would be in the way while another file is replaced.
    fs::rename(bench.path("keyring"), bench.path("s.object-cipher-new")).unwrap();
    for command in [&["open", "a.sealed", "-o", "s"][..], &["seal", "a", "-o", "s"]] {
        let more = ["--force", "--keyring", "s.object-cipher-new"];
        bench.run(&[command, &more].concat()).expect(USAGE).says("of the keyring");
    }
    fs::rename(bench.path("s.object-cipher-new"), bench.path("keyring")).unwrap();
    assert_eq!(kept.map(read), before);
}

#[test]
fn a_key_file_is_never_in_the_way_of_its_keyring() {
    let bench = Bench::new();
    for name in ["other", "other.new", "other.lock", "other.previous"] {
        let init = ["keyring", "init", "--keyring", "other", "--new-key-file", name];
        bench.plain(&init).expect(USAGE).says("of the keyring");
        fs::copy(bench.path("unlock.key"), bench.path(name)).unwrap();
        let run = bench.plain(&["keyring", "init", "--keyring", "other", "--key-file", name]);
        run.expect(USAGE);
        assert_eq!(bench.read(name), bench.read("unlock.key"));
        fs::remove_file(bench.path(name)).unwrap();
        bench.run(&["keyring", "export", "-o", "other", "--new-key-file", name]).expect(USAGE);
    }
    let init = ["keyring", "init", "--keyring", "other", "--new-key-file", "another.new"];
    bench.plain(&init).expect(USAGE).says("a keyring's own files");
    // A copy's files in between are not the keyring's or the key's either.
    fs::rename(bench.path("unlock.key"), bench.path("x.new")).unwrap();
    let export = ["keyring", "export", "-o", "x", "--to-key-file", "k", "--key-file", "x.new"];
    bench.plain(&export).expect(USAGE).says("of the keyring");
    assert!(bench.has("x.new"));
}

#[test]
fn only_regular_files_are_replaced() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.write("precious", b"precious");
    fs::create_dir(bench.path("folder")).unwrap();
    symlink("precious", bench.path("link")).unwrap();
    let _socket = UnixListener::bind(bench.path("socket")).unwrap();
    for output in ["folder", "link", "socket", "/dev/null"] {
        for force in [&[][..], &["--force"]] {
            let open = [&["open", "a.sealed", "-o", output][..], force].concat();
            bench.run(&open).expect(USAGE).says("not a regular file");
            let seal = [&["seal", "a", "-o", output][..], force].concat();
            bench.run(&seal).expect(USAGE).says("not a regular file");
        }
    }
    symlink("precious", bench.path("s.envelope")).unwrap();
    bench.run(&["seal", "a", "-o", "s", "--force"]).expect(USAGE).says("not a regular file");
    assert_eq!(bench.read("precious"), b"precious");
    let kind = |name: &str| bench.path(name).symlink_metadata().unwrap().file_type();
    assert!(kind("folder").is_dir() && kind("link").is_symlink() && kind("socket").is_socket());
    assert!(kind("/dev/null").is_char_device());
}

#[test]
fn content_never_takes_the_place_of_a_part_of_a_sealed_file() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.seal("victim", b"precious");
    for output in ["victim.sealed", "victim.sealed.envelope"] {
        let open = ["open", "a.sealed", "--force", "-o", output];
        bench.run(&open).expect(USAGE).says("part of a sealed file");
    }
    let seal = ["seal", "a", "--force", "-o", "victim.sealed.envelope"];
    bench.run(&seal).expect(USAGE).says("part of a sealed file");
    assert_eq!(bench.run(&["cat", "victim.sealed"]).expect(DONE).stdout, b"precious");
}
