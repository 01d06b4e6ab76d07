//! Folders such as /tmp, where all may write, and a file is its owner's to rename. As root all tests
//! run; others cannot be two users, and skip them.

use std::{fs, os::unix::fs::chown, process::Command};

use crate::bench::{Bench, DONE, NOBODY, REFUSED, SYSTEM, is_root};

const BODY: &str = "r.sealed";
const RECORD: &str = "r.sealed.envelope";
const STAGED_BODY: &str = "r.sealed.object-cipher-new";
const STAGED_RECORD: &str = "r.sealed.envelope.object-cipher-new";

/// A shared folder, with a pair of root's.
fn shared() -> Option<Bench> {
    if !is_root() {
        eprintln!("skipped: it takes two users, and only root can be both");
        return None;
    }
    let bench = Bench::new();
    bench.seal("r", b"root's");
    bench.set_mode("", 0o1777);
    Some(bench)
}

fn give(bench: &Bench, names: &[&str], user: u32) {
    for name in names {
        chown(bench.path(name), Some(user), None).unwrap();
    }
}

fn fifo(bench: &Bench, name: &str) {
    assert!(Command::new("mkfifo").arg(bench.path(name)).status().unwrap().success());
}

fn expect_only(bench: &Bench, content: &[u8]) {
    assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, content);
    assert!(!bench.has(STAGED_BODY) && !bench.has(STAGED_RECORD));
}

#[test]
fn a_replacement_that_the_user_may_not_end_is_not_begun() {
    let Some(bench) = shared() else { return };
    bench.write("n", b"nobody's");
    let bench = bench.unprivileged();
    give(&bench, &["", BODY, RECORD], 0);
    let seal = ["seal", "n", "-o", BODY, "--force"];
    bench.run(&seal).expect(SYSTEM).says("another user's to replace");
    expect_only(&bench, b"root's");
    bench.run(&["rewrap", BODY]).expect(SYSTEM).says("the owner");
    expect_only(&bench, b"root's");
}

#[test]
fn root_replaces_the_pair_of_another_user() {
    let Some(bench) = shared() else { return };
    bench.write("n", b"newer");
    for command in [&["rewrap", BODY][..], &["seal", "n", "-o", BODY, "--force"]] {
        give(&bench, &["", BODY, RECORD], NOBODY);
        bench.run(command).expect(DONE);
        bench.run(&["verify", BODY]).expect(DONE);
    }
    expect_only(&bench, b"newer");
}

#[test]
fn what_another_user_puts_beside_a_pair_does_not_count() {
    let Some(bench) = shared() else { return };
    bench.seal("other", b"other");
    bench.write("n", b"newer");
    let plant = |name: &str, planted: &str| {
        match planted {
            "fifo" => fifo(&bench, name),
            "junk" => bench.write(name, b"junk"),
            _ => drop(fs::copy(bench.path(planted), bench.path(name)).unwrap()),
        }
        give(&bench, &[name], NOBODY);
    };
    for planted in [["other.sealed", "other.sealed.envelope"], ["junk", "junk"], ["fifo", "fifo"]] {
        for names in [&[STAGED_BODY, STAGED_RECORD][..], &[STAGED_RECORD], &[STAGED_BODY]] {
            for name in names {
                plant(name, planted[usize::from(*name == STAGED_RECORD)]);
            }
            bench.run(&["verify", BODY]).expect(DONE);
            bench.plain(&["inspect", BODY]).expect(DONE);
            assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, b"root's");
            bench.run(&["rewrap", BODY]).expect(DONE);
            assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, b"root's");
            for name in [STAGED_BODY, STAGED_RECORD] {
                let _ = fs::remove_file(bench.path(name));
            }
        }
    }
    plant(STAGED_BODY, "junk");
    plant(STAGED_RECORD, "junk");
    bench.run(&["seal", "n", "-o", BODY, "--force"]).expect(DONE);
    expect_only(&bench, b"newer");
}

#[test]
fn a_body_beside_an_interrupted_replacement_does_not_count() {
    let Some(bench) = shared() else { return };
    fs::copy(bench.path(RECORD), bench.path(STAGED_RECORD)).unwrap();
    bench.write(STAGED_BODY, b"not root's");
    give(&bench, &[STAGED_BODY], NOBODY);
    assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, b"root's");
    assert!(!bench.has(STAGED_RECORD));
}

#[test]
fn an_owner_is_not_kept_from_his_pair_by_what_he_cannot_remove() {
    let Some(bench) = shared() else { return };
    let bench = bench.unprivileged();
    bench.write(STAGED_RECORD, b"junk");
    bench.write(STAGED_BODY, b"junk");
    let other = NOBODY - 1;
    give(&bench, &["", STAGED_RECORD, STAGED_BODY], other);
    // The folder's owner may rename all in it: what is his counts.
    bench.run(&["rewrap", BODY]).expect(REFUSED).says(STAGED_RECORD);
    give(&bench, &[""], 0);
    bench.run(&["verify", BODY]).expect(DONE);
    bench.run(&["rewrap", BODY]).expect(SYSTEM).says("another user's to replace");
    fs::remove_file(bench.path(STAGED_RECORD)).unwrap();
    bench.run(&["rewrap", BODY]).expect(DONE);
    let seal = ["seal", "r", "-o", BODY, "--force"];
    bench.run(&seal).expect(SYSTEM).says(STAGED_BODY);
    assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, b"root's");
    assert!(!bench.has(STAGED_RECORD));
}
