//! Runs that ended too early.

use std::{
    fs,
    io::Write,
    os::unix::fs::chown,
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::bench::{Bench, DONE, REFUSED, SYSTEM, USAGE, content, is_root};

const BODY: &str = "a.sealed";
const RECORD: &str = "a.sealed.envelope";
const STAGED_BODY: &str = "a.sealed.object-cipher-new";
const STAGED_RECORD: &str = "a.sealed.envelope.object-cipher-new";
const OLD: &[u8] = b"the old content";
const NEW: &[u8] = b"the new content, which is longer";

/// The files of an old and a new pair, to build the states of `seal --force` from.
struct Pairs {
    old: [Vec<u8>; 2],
    new: [Vec<u8>; 2],
}

impl Pairs {
    fn new(bench: &Bench) -> Self {
        let seal = |content: &[u8]| {
            bench.write("a", content);
            bench.run(&["seal", "a", "--force"]).expect(DONE);
            [bench.read(BODY), bench.read(RECORD)]
        };
        Self { old: seal(OLD), new: seal(NEW) }
    }

    /// What is on disk after so many steps of the replacement.
    fn after(&self, steps: usize, bench: &Bench) {
        for name in [BODY, RECORD, STAGED_BODY, STAGED_RECORD] {
            let _ = fs::remove_file(bench.path(name));
        }
        let [old_body, old_record] = &self.old;
        let [new_body, new_record] = &self.new;
        bench.write(BODY, if steps < 3 { old_body } else { new_body });
        bench.write(RECORD, if steps < 4 { old_record } else { new_record });
        if (1..3).contains(&steps) {
            bench.write(STAGED_BODY, new_body);
        }
        if (2..4).contains(&steps) {
            bench.write(STAGED_RECORD, new_record);
        }
    }
}

fn current(steps: usize) -> &'static [u8] {
    if steps < 2 { OLD } else { NEW }
}

#[test]
fn after_each_step_of_a_replacement_there_is_one_whole_pair() {
    let bench = Bench::new();
    let pairs = Pairs::new(&bench);
    for steps in 0..=4 {
        for command in [&["verify", BODY][..], &["inspect", BODY, "--json"], &["rewrap", BODY]] {
            pairs.after(steps, &bench);
            if command[0] == "inspect" {
                let length = current(steps).len();
                let claimed = format!("\"content_length_claimed\": {length},");
                assert!(bench.plain(command).expect(DONE).text().contains(&claimed));
            } else {
                bench.run(command).expect(DONE);
            }
            assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, current(steps), "{steps}");
            assert!(!bench.has(STAGED_RECORD));
        }
    }
}

#[test]
fn an_interrupted_replacement_can_be_repeated() {
    let bench = Bench::new();
    let pairs = Pairs::new(&bench);
    bench.write("b", b"newest");
    for steps in 0..=4 {
        pairs.after(steps, &bench);
        bench.run(&["seal", "b", "--output", BODY, "--force"]).expect(DONE);
        assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, b"newest");
        assert!(!bench.has(STAGED_BODY) && !bench.has(STAGED_RECORD));
    }
}

#[test]
fn a_folder_in_the_way_is_found_before_anything_is_staged() {
    let bench = Bench::new();
    bench.write("a", b"content");
    for name in [BODY, RECORD] {
        fs::create_dir(bench.path(name)).unwrap();
        bench.run(&["seal", "a", "--force"]).expect(USAGE).says(name);
        assert!(!bench.has(STAGED_BODY) && !bench.has(STAGED_RECORD));
        fs::remove_dir(bench.path(name)).unwrap();
    }
    bench.run(&["seal", "a"]).expect(DONE);
}

#[test]
fn a_staged_body_alone_never_becomes_current() {
    let bench = Bench::new();
    let pairs = Pairs::new(&bench);
    pairs.after(0, &bench);
    bench.write(STAGED_BODY, b"half of a bo");
    bench.run(&["verify", BODY]).expect(DONE);
    bench.run(&["rewrap", BODY]).expect(DONE);
    assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, OLD);
    assert!(!bench.has(STAGED_BODY));
}

#[test]
fn a_staged_file_that_is_no_record_destroys_none() {
    let bench = Bench::new();
    bench.seal("a", OLD);
    let before = [bench.read(BODY), bench.read(RECORD)];
    bench.write(STAGED_BODY, b"no body");
    bench.write(STAGED_RECORD, b"no record");
    bench.write("b", NEW);
    for command in [&["verify", BODY][..], &["rewrap", BODY], &["seal", "b", "-o", BODY, "--force"]]
    {
        bench.run(command).expect(REFUSED).says(STAGED_RECORD);
        assert_eq!([bench.read(BODY), bench.read(RECORD)], before);
    }
}

/// In a folder such as /tmp, where a file is its owner's to rename.
#[test]
fn a_current_pair_is_not_changed_by_who_may_not_rename_its_record() {
    if !is_root() {
        eprintln!("skipped: it takes two users, and only root can be both");
        return;
    }
    let bench = Bench::new();
    let pairs = Pairs::new(&bench);
    pairs.after(2, &bench);
    bench.write("b", b"newest");
    let bench = bench.unprivileged();
    for name in [STAGED_RECORD, RECORD, ""] {
        chown(bench.path(name), Some(0), None).unwrap();
    }
    bench.set_mode("", 0o1777);
    for command in [&["rewrap", BODY][..], &["seal", "b", "-o", BODY, "--force"]] {
        bench.run(command).expect(SYSTEM).says("finish replacing");
        assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, NEW);
    }
}

#[test]
fn a_body_without_a_record_is_no_object_and_is_sealed_again_by_force() {
    let bench = Bench::new();
    bench.seal("a", OLD);
    fs::remove_file(bench.path(RECORD)).unwrap();
    let run = bench.run(&["open", BODY, "--output", "b"]).expect(SYSTEM);
    run.says("interrupted `seal`").never_says("--force");
    bench.run(&["seal", "a"]).expect(USAGE).never_says("--force");
    bench.run(&["seal", "a", "--force"]).expect(DONE);
    assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, OLD);
}

#[test]
fn a_killed_seal_leaves_nothing() {
    let bench = Bench::new();
    let before = bench.names();
    let arguments = ["seal", "-", "--output", "s", "--key-file", "unlock.key"];
    let mut child = bench.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
    // Once this much went through the pipe, most of it is sealed and written.
    child.stdin.as_mut().unwrap().write_all(&content(8 << 20)).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut after = bench.names();
    // What the keyring keeps of its own.
    after.retain(|name| !name.starts_with("keyring."));
    assert_eq!(after, before.into_iter().filter(|name| !name.starts_with("keyring.")).collect());
}

#[test]
fn killed_replacements_leave_the_old_or_the_new_pair() {
    let bench = Bench::new();
    let contents = [content(3 << 20), content((3 << 20) + 1)];
    bench.write("0", &contents[0]);
    bench.write("1", &contents[1]);
    let seal = |name| ["seal", name, "-o", "s", "--force", "--key-file", "unlock.key"];
    let begun = Instant::now();
    bench.plain(&seal("0")).expect(DONE);
    let takes = begun.elapsed();
    for round in 0..24 {
        let mut child = bench.command(&seal(["0", "1"][round % 2])).spawn().unwrap();
        // Most of the rounds end where names are given: near the end.
        sleep(takes.mul_f64(0.5 + f64::from(u8::try_from(round).unwrap()) / 32.0));
        let _ = child.kill();
        child.wait().unwrap();
        let run = bench.run(&["cat", "s"]).expect(DONE);
        assert!(contents.contains(&run.stdout), "round {round}");
    }
    sleep(Duration::from_millis(1));
    bench.plain(&seal("1")).expect(DONE);
    assert_eq!(bench.run(&["cat", "s"]).expect(DONE).stdout, contents[1]);
}

#[test]
fn a_folder_that_another_program_keeps_locked_can_be_read() {
    let bench = Bench::new();
    let pairs = Pairs::new(&bench);
    let folder = fs::File::open(bench.path("")).unwrap();
    folder.lock().unwrap();
    for steps in [0, 2, 3, 4] {
        pairs.after(steps, &bench);
        let names = bench.names();
        assert_eq!(bench.run(&["cat", BODY]).expect(DONE).stdout, current(steps), "{steps}");
        // Steps are taken under the lock only.
        assert_eq!(bench.names(), names);
    }
    pairs.after(2, &bench);
    bench.run(&["rewrap", BODY]).expect(SYSTEM).says("another program holds it");
}
