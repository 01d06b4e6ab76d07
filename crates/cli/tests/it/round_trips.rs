//! What is sealed comes back.

use std::{
    fs,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, chown},
};

use crate::bench::{Bench, DONE, NOBODY, content, is_root};

#[test]
fn files_of_every_length_come_back() {
    let bench = Bench::new();
    for length in [0, 1, 16_383, 16_384, 16_385, 32_768, 100_000] {
        let name = format!("f{length}");
        bench.seal(&name, &content(length));
        let chunks = length / 16_384 + 1;
        assert_eq!(bench.read(&format!("{name}.sealed")).len(), 56 + length + 16 * chunks);
        fs::remove_file(bench.path(&name)).unwrap();
        bench.run(&["open", &format!("{name}.sealed")]).expect(DONE);
        assert_eq!(bench.read(&name), content(length));
    }
}

#[test]
fn each_library_opens_what_the_other_sealed() {
    let bench = Bench::new();
    bench.write("a", &content(50_000));
    for (sealing, opening) in [("aws-lc", "rustcrypto"), ("rustcrypto", "aws-lc")] {
        bench.run(&["--backend", sealing, "seal", "a", "--force"]).expect(DONE);
        let run = bench.run(&["--backend", opening, "cat", "a.sealed"]).expect(DONE);
        assert_eq!(run.stdout, content(50_000));
    }
}

#[test]
fn threads_change_nothing() {
    let bench = Bench::new();
    let long = content((5 << 20) + 12_345);
    bench.write("a", &long);
    for (sealing, opening) in [("1", "4"), ("4", "1"), ("2", "3")] {
        bench.run(&["seal", "a", "--force", "--threads", sealing]).expect(DONE);
        bench.run(&["verify", "a.sealed", "--threads", opening]).expect(DONE);
        bench.run(&["open", "a.sealed", "-o", "b", "--force", "--threads", opening]).expect(DONE);
        assert_eq!(bench.read("b"), long);
    }
}

#[test]
fn a_sealed_file_may_be_renamed() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    fs::rename(bench.path("a.sealed"), bench.path("b.sealed")).unwrap();
    fs::rename(bench.path("a.sealed.envelope"), bench.path("b.sealed.envelope")).unwrap();
    bench.run(&["open", "b.sealed"]).expect(DONE);
    assert_eq!(bench.read("b"), b"content");
}

#[test]
fn permissions_are_taken_over_but_those_that_the_umask_takes_or_that_give_rights() {
    let bench = Bench::new();
    let allowed = 0o777 & !umask();
    for mode in [0o600, 0o644, 0o755, 0o4777, 0o2666, 0o1644] {
        bench.write("a", b"content");
        bench.set_mode("a", mode);
        bench.run(&["seal", "a", "--force"]).expect(DONE);
        bench.run(&["rewrap", "a.sealed"]).expect(DONE);
        for name in ["a.sealed", "a.sealed.envelope"] {
            assert_eq!(bench.mode(name), mode & allowed, "{name}");
        }
        // Whoever wrote the pair had another umask, or none.
        bench.set_mode("a.sealed", mode);
        bench.run(&["open", "a.sealed", "--output", "b", "--force"]).expect(DONE);
        assert_eq!(bench.mode("b"), mode & allowed, "{mode:o}");
    }
}

#[test]
fn a_rewrapped_record_keeps_its_permissions() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    for mode in [0o600, 0o666] {
        bench.set_mode("a.sealed.envelope", mode);
        bench.run(&["rewrap", "a.sealed"]).expect(DONE);
        assert_eq!(bench.mode("a.sealed.envelope"), mode);
    }
}

#[test]
fn nothing_but_the_pair_is_left() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.run(&["seal", "a", "--force"]).expect(DONE);
    bench.run(&["rewrap", "a.sealed"]).expect(DONE);
    let names: Vec<_> =
        bench.names().into_iter().filter(|name| name.starts_with(['a', '.'])).collect();
    assert_eq!(names, ["a", "a.sealed", "a.sealed.envelope"]);
}

/// Read without changing it: a new file shows it.
fn umask() -> u32 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::OpenOptions::new().write(true).create_new(true).mode(0o777).open(&path).unwrap();
    0o777 & !fs::metadata(&path).unwrap().permissions().mode()
}

#[test]
fn a_group_that_cannot_be_given_leaves_its_rights_to_no_other() {
    if !is_root() {
        eprintln!("skipped: only root can give a file to any group");
        return;
    }
    let group = 4242;
    let bench = Bench::new();
    bench.write("a", b"content");
    let expect = |bench: &Bench, name: &str, mode, gid| {
        assert_eq!((bench.mode(name), fs::metadata(bench.path(name)).unwrap().gid()), (mode, gid));
    };
    chown(bench.path("a"), None, Some(group)).unwrap();
    bench.set_mode("a", 0o640);
    // Root may give it.
    bench.run(&["seal", "a"]).expect(DONE);
    bench.run(&["open", "a.sealed", "-o", "copy"]).expect(DONE);
    for name in ["a.sealed", "a.sealed.envelope", "copy"] {
        expect(&bench, name, 0o640, group);
    }
    let bench = bench.unprivileged();
    for name in ["a", "a.sealed"] {
        chown(bench.path(name), None, Some(group)).unwrap();
    }
    bench.run(&["seal", "a", "-o", "b"]).expect(DONE);
    bench.run(&["open", "a.sealed", "-o", "c"]).expect(DONE);
    for name in ["b", "b.envelope", "c"] {
        expect(&bench, name, 0o600, NOBODY);
    }
}
