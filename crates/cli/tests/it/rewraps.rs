//! Other keys and names for the same body.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
};

use crate::bench::{Bench, DONE, KEY, NOBODY, REFUSED, SYSTEM, content, is_root};

#[test]
fn a_rewrapped_file_outlives_the_old_master_key() {
    let bench = Bench::new();
    bench.seal("a", &content(50_000));
    bench.seal("b", b"not rewrapped");
    let body = bench.read("a.sealed");
    bench.run(&["keyring", "rotate"]).expect(DONE);
    bench.run(&["rewrap", "a.sealed"]).expect(DONE);
    assert_eq!(bench.read("a.sealed"), body);
    bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    let run = bench.run(&["cat", "a.sealed"]).expect(DONE);
    assert_eq!(run.stdout, content(50_000));
    bench.run(&["cat", "b.sealed"]).expect(KEY).says("version 1");
}

#[test]
fn a_keyring_without_the_version_is_refused() {
    let bench = Bench::new();
    fs::copy(bench.path("keyring"), bench.path("older")).unwrap();
    bench.run(&["keyring", "rotate"]).expect(DONE);
    bench.seal("a", b"content");
    let run = bench.run(&["open", "a.sealed", "-o", "b", "--keyring", "older"]).expect(KEY);
    run.says("version 2").says("help: ");
    assert!(!bench.has("b"));
}

#[test]
fn a_name_can_be_given_changed_and_taken_away() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    for (name, new) in [("", "x"), ("x", "y z"), ("y z", "")] {
        bench.run(&["verify", "a.sealed", "--name", name]).expect(DONE);
        bench.run(&["rewrap", "a.sealed", "--name", name, "--new-name", new]).expect(DONE);
        bench.run(&["verify", "a.sealed", "--name", new]).expect(DONE);
        bench.run(&["verify", "a.sealed", "--name", name]).expect(REFUSED);
    }
}

#[test]
fn a_rewrap_that_is_refused_changes_nothing() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let before = bench.read("a.sealed.envelope");
    bench.run(&["rewrap", "a.sealed", "--name", "x"]).expect(REFUSED);
    assert_eq!(bench.read("a.sealed.envelope"), before);
}

#[test]
fn a_rewrapped_record_stays_its_owners() {
    if !is_root() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    let record = "a.sealed.envelope";
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.set_mode(record, 0o600);
    chown(bench.path(record), Some(NOBODY), Some(4242)).unwrap();
    bench.run(&["rewrap", "a.sealed"]).expect(DONE);
    let rewrapped = fs::metadata(bench.path(record)).unwrap();
    assert_eq!((rewrapped.uid(), rewrapped.gid(), bench.mode(record)), (NOBODY, 4242, 0o600));
    // Who may not give it back is refused, and changes nothing.
    let bench = bench.unprivileged();
    chown(bench.path(record), Some(0), None).unwrap();
    bench.set_mode(record, 0o644);
    let (before, names) = (bench.read(record), bench.names());
    let run = bench.run(&["rewrap", "a.sealed"]).expect(SYSTEM);
    run.says("keep the owner and the group").says("have its owner do this");
    assert_eq!((bench.read(record), bench.names().len()), (before, names.len()));
}
