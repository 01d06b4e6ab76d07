//! Rekeys held wrong: what is refused, and what is said of it.

use std::fs;

use serde_json::Value;

use crate::{
    bench::{DONE, KEY, REFUSED, SYSTEM, USAGE},
    lake::{Lake, path},
};

const OBJECTS: usize = 12;

fn rotated() -> Lake {
    let lake = Lake::new(OBJECTS);
    lake.bench.run(&["keyring", "rotate"]).expect(DONE);
    lake
}

#[test]
fn a_report_replaces_a_report_and_nothing_else() {
    let lake = rotated();
    let (bench, url) = (&lake.bench, lake.url());
    bench.run(&["kms", "init", "--folder", "kms"]).expect(DONE);
    let init = ["keyring", "init", "--keyring", "other", "--new-key-file", "other.key"];
    bench.plain(&init).expect(DONE);
    bench.write("mine", b"{}\n");
    let record = format!("lake/{}", path(1));
    let kept = ["keyring", "unlock.key", "other", "other.key", "kms/catalog", "mine", &record];
    let before = kept.map(|name| bench.read(name));
    lake.run(&["--report", "report", "--dry-run"]).expect(DONE);
    for name in kept {
        for run in [
            lake.run(&["--report", name]),
            bench.plain(&["rekey", "census", &url, "--report", name]),
            bench.plain(&["rekey", "merge", "report", "--report", name]),
        ] {
            run.expect(USAGE).says("help: choose a");
        }
    }
    // Empty, or not there: what the environment names is known all the same.
    bench.plain(&["rekey", "census", &url, "--report", "keyring.lock"]).expect(USAGE);
    assert_eq!(kept.map(|name| bench.read(name)), before);
    lake.run(&["--report", "nowhere/report"]).expect(SYSTEM);
    assert_eq!(lake.versions(), [(1, OBJECTS)].into(), "nothing was changed");
    bench.write("empty", b"");
    for report in ["report", "empty"] {
        lake.run(&["--report", report]).expect(DONE);
        bench.plain(&["rekey", "merge", report]).expect(DONE);
    }
}

#[test]
fn a_report_is_no_journal_and_neither_lies_in_the_store() {
    let lake = rotated();
    let bench = &lake.bench;
    lake.run(&["--report", "report", "--dry-run"]).expect(DONE);
    let report = bench.read("report");
    lake.run(&["--journal", "report"]).expect(USAGE).says("is no journal");
    assert_eq!(bench.read("report"), report);
    for (link, to) in [("into-store", "lake/new"), ("to-report", "new")] {
        std::os::unix::fs::symlink(to, bench.path(link)).unwrap();
        lake.run(&["--journal", link, "--report", "new"]).expect(USAGE).says("not a regular file");
    }
    let staged = ["--journal", "new.object-cipher-new", "--report", "new"];
    lake.run(&staged).expect(USAGE).says("names that end so");
    let both = ["--journal", "both", "--report", "./both"];
    lake.run(&both).expect(USAGE).says("the same file");
    for option in ["--journal", "--report"] {
        for place in ["lake/new", "lake/0/new", "lake/.object-cipher/new"] {
            lake.run(&[option, place]).expect(USAGE).says("lies in the store");
        }
    }
    let census = ["rekey", "census", &lake.url(), "--report", "lake/new"];
    bench.plain(&census).expect(USAGE).says("help: choose a path outside");
    assert!(!bench.has("lake/new") && !bench.has("both"));
}

#[test]
fn a_run_that_finds_nothing_is_no_success() {
    let lake = rotated();
    let (bench, url) = (&lake.bench, lake.url());
    let census = |more: &[&str]| bench.plain(&[&["rekey", "census", &url], more].concat());
    lake.run(&["--prefix", "nowhere"]).expect(SYSTEM).says("no object was found in file://");
    lake.run(&["--prefix", "nowhere", "--dry-run"]).expect(SYSTEM);
    census(&["--prefix", "nowhere"]).expect(SYSTEM).says("help: is it this store");
    bench.write("gone", b"lake,gone\n");
    census(&["--manifest", "gone", "--report", "report"])
        .expect(SYSTEM)
        .says("no object was found");
    bench.plain(&["rekey", "merge", "report"]).expect(SYSTEM).says("no object was found");
    // A shard may be empty.
    let shards = ["0/2", "1/2"].map(|shard| {
        census(&["--prefix", "0", "--shard", shard, "--report", &shard[..1]]).expect(DONE)
    });
    assert!(shards.iter().any(|shard| shard.text().contains("objects     0")));
    fs::create_dir(bench.path("empty")).unwrap();
    let empty = url::Url::from_directory_path(bench.path("empty")).unwrap();
    bench.plain(&["rekey", "census", empty.as_str()]).expect(SYSTEM);
}

#[test]
fn what_is_wrong_is_said_with_a_way_out_and_a_dry_run_finds_it() {
    let lake = rotated();
    let (bench, url) = (&lake.bench, lake.url());
    let run = |more: &[&str]| {
        let begin = ["rekey", "run", &url, "--single-writer", "--mode", "sse-s3"];
        bench.run(&[&begin, more].concat())
    };
    for dry in [&["--dry-run"][..], &[]] {
        let wrong = run(&[&["--bucket", "pond"], dry].concat()).expect(REFUSED);
        let wrong =
            wrong.says("help: --bucket, --realm, the prefix in the store's URL and the keyring");
        let helps = wrong.stderr.matches("help: --bucket").count();
        assert_eq!(helps, 1, "it is said once");
        run(&[&["--bucket", "lake", "--realm", "prod"], dry].concat()).expect(REFUSED);
    }
    let init = ["keyring", "init", "--keyring", "other", "--new-key-file", "other.key"];
    bench.plain(&init).expect(DONE);
    let other = ["--keyring", "other", "--key-file", "other.key", "--bucket", "lake"];
    let run_other = ["rekey", "run", &url, "--mode", "sse-s3", "--dry-run"];
    bench.plain(&[&run_other[..], &other].concat()).expect(KEY).says("error: 0/object 0: ");
    bench.write("paths", b"pond,0/object+0\n");
    let named = run(&["--bucket", "lake", "--manifest", "paths"]).expect(USAGE);
    named.says("it is of the bucket pond, not lake (in paths)");
    // Before a key is asked for.
    let nowhere = ["rekey", "run", &url, "--mode", "sse-s3", "--keyring", "nowhere"];
    for with in [&["--manifest", "paths", "--move-to", "x"][..], &["--move-to", "x"]] {
        bench.plain(&[&nowhere, with].concat()).expect(USAGE).says("--move-to goes with --prefix");
    }
    bench.write("orc", b"ORC");
    run(&["--bucket", "lake", "--manifest", "orc"]).expect(USAGE).says("error: orc: ");
    assert_eq!(lake.versions(), [(1, OBJECTS)].into(), "nothing was changed");
}

#[test]
fn a_dry_run_misses_the_kms_that_objects_are_under() {
    let lake = rotated();
    let bench = &lake.bench;
    bench.run(&["kms", "init", "--folder", "kms"]).expect(DONE);
    bench.run(&["kms", "create", "--folder", "kms", "--alias", "alias/a"]).expect(DONE);
    let to_kms = lake.rekey(&["--mode", "sse-kms", "--kms", "kms", "--kms-key", "alias/a"]);
    bench.run(&to_kms.iter().map(String::as_str).collect::<Vec<_>>()).expect(DONE);
    lake.run(&["--dry-run"]).expect(KEY).says("help: say --kms FOLDER");
    lake.run(&["--dry-run", "--kms", "kms"]).expect(DONE);
}

#[test]
fn what_is_not_said_is_not_guessed() {
    let lake = rotated();
    let url = lake.url();
    let run = |arguments: &[&str]| lake.bench.run(&[&["rekey", "run"], arguments].concat());
    let to = ["--mode", "sse-s3", "--bucket", "lake"];
    run(&[&[&*url], &to[..]].concat()).expect(USAGE).says("help: say --single-writer");
    let writer = [&*url, "--single-writer"];
    run(&[&writer[..], &to[..2]].concat()).expect(USAGE).says("say --bucket");
    run(&[&writer[..], &to[2..]].concat()).expect(USAGE).says("--mode");
    let kms = ["--mode", "sse-kms", "--bucket", "lake"];
    run(&[&writer[..], &kms].concat()).expect(USAGE).says("say --kms-key");
    run(&[&["memory:"], &to[..]].concat()).expect(USAGE).says("memory");
    run(&[&["file:///nowhere/at/all", "--single-writer"], &to[..]].concat()).expect(SYSTEM);
    run(&[&writer[..], &to, &["--shard", "3/3"]].concat()).expect(USAGE).says("from 0 to N-1");
    let other = [&writer[..], &to[..2], &["--bucket", "sea", "--json"]].concat();
    let report: Value = serde_json::from_slice(&run(&other).expect(REFUSED).stdout).unwrap();
    assert_eq!(report["failed"], OBJECTS, "{report}");
    assert_eq!(lake.versions(), [(1, OBJECTS)].into(), "nothing was changed");
    if !cfg!(feature = "s3") {
        run(&[&["s3://lake"], &to[..2]].concat()).expect(USAGE).says("feature `s3`");
    }
}
