//! Rekeys of whole stores: what they do, say and refuse.

use std::{fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use object_cipher_object_store::rekey::Report;
use object_store::ObjectStoreExt as _;

use crate::{
    bench::{DONE, KEY, REFUSED, Run, SYSTEM, USAGE},
    lake::{Lake, now, path},
};

const OBJECTS: usize = 40;

fn rotated() -> Lake {
    let lake = Lake::new(OBJECTS);
    lake.bench.run(&["keyring", "rotate"]).expect(DONE);
    lake
}

fn report(run: &Run) -> Report {
    serde_json::from_slice(&run.stdout).unwrap()
}

fn changed(report: &Report) -> u64 {
    report.changes.iter().map(|changed| changed.objects).sum()
}

#[test]
fn after_a_rotation_all_come_under_the_new_version_and_then_are_left_alone() {
    let lake = rotated();
    let bodies = lake.bodies();
    let run = lake.run(&[]).expect(DONE);
    let key = |version: usize| {
        // Keyrings may have the same name: the check value tells them apart.
        let list = lake.bench.run(&["keyring", "list"]).expect(DONE);
        let line = list.text().lines().find(|line| line.starts_with(&version.to_string())).unwrap();
        format!("keyring default, version {version} ({})", line.split(' ').next_back().unwrap())
    };
    for said in [
        format!("changed     40: from SSE-S3 under {} to SSE-S3 under {}", key(1), key(2)),
        format!("now under   SSE-S3 under {}: 40", key(2)),
        format!("of {} makes 0 of these objects unreadable", key(1)),
        "failed      0".into(),
    ] {
        assert!(run.text().contains(&said), "{}", run.text());
    }
    assert_eq!((lake.versions(), lake.bodies()), ([(2, OBJECTS)].into(), bodies));
    let again = report(&lake.run(&["--json"]).expect(DONE));
    assert_eq!((again.left_alone, changed(&again)), (OBJECTS as u64, 0));
    let quiet = lake.run(&["--quiet"]).expect(DONE);
    assert_eq!((quiet.text(), &*quiet.stderr), ("", ""));
}

#[test]
fn a_census_needs_no_key_and_a_dry_run_changes_nothing() {
    let lake = rotated();
    let run = lake.bench.plain(&["rekey", "census", &lake.url()]).expect(DONE);
    assert!(run.text().contains(") makes 40 of these"), "{}", run.text());
    let dry = report(&lake.run(&["--dry-run", "--journal", "journal", "--json"]).expect(DONE));
    assert_eq!((changed(&dry), lake.versions()), (OBJECTS as u64, [(1, OBJECTS)].into()));
    assert!(!lake.bench.has("journal"));
}

#[test]
fn shards_are_merged_and_what_is_missing_is_no_success() {
    let lake = rotated();
    for index in 0..3 {
        let (shard, name) = (format!("{index}/3"), format!("{index}.json"));
        lake.run(&["--shard", &shard, "--report", &name]).expect(DONE);
    }
    let merge = |names: &[&str]| lake.bench.plain(&[&["rekey", "merge"], names].concat());
    merge(&["2.json", "0.json", "1.json", "--report", "all.json"]).expect(DONE);
    let all: Report = serde_json::from_slice(&lake.bench.read("all.json")).unwrap();
    assert!(all.is_complete() && changed(&all) == OBJECTS as u64, "{all}");
    let part = merge(&["0.json", "2.json"])
        .expect(SYSTEM)
        .says("of the shards in the report 1 are missing, such as 1/3");
    let part = part.says("help: run the shards again");
    assert!(part.text().contains("missing     1/3"), "{}", part.text());
    merge(&["0.json", "0.json"]).expect(USAGE).says("the shard 0/3 is in two");
    merge(&["keyring"]).expect(USAGE).says("is no report");
    merge(&["nowhere"]).expect(SYSTEM);
}

#[test]
fn an_object_that_fails_is_named_and_the_others_are_done() {
    let lake = rotated();
    lake.bench.write("lake/broken", b"no record at all");
    let store = lake.store();
    now(async {
        // A record that was put in another's place.
        let stolen = store.inner().get(&path(1)).await.unwrap().bytes().await.unwrap();
        store.inner().put(&"stolen".into(), stolen.into()).await.unwrap();
    });
    let run = lake.run(&["--report", "report"]).expect(REFUSED);
    let run =
        run.says("broken is no record").says("error: stolen: ").says("2 of 42 objects failed");
    assert!(run.text().contains("unknown     2"), "{}", run.text());
    let report: Report = serde_json::from_slice(&lake.bench.read("report")).unwrap();
    assert_eq!((report.failed, report.failures.len(), changed(&report)), (2, 2, OBJECTS as u64));
}

#[test]
fn under_a_kms_the_key_and_its_newest_version_are_the_goal() {
    let lake = rotated();
    let bench = &lake.bench;
    bench.run(&["kms", "init", "--folder", "kms"]).expect(DONE);
    for alias in ["alias/a", "alias/b"] {
        bench.run(&["kms", "create", "--folder", "kms", "--alias", alias]).expect(DONE);
    }
    let to = |key: &str| {
        let all = ["--mode", "sse-kms", "--kms", "kms", "--kms-key", key, "--json"];
        let arguments = lake.rekey(&all);
        bench.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).expect(DONE)
    };
    for key in ["alias/a", "alias/b"] {
        assert_eq!(changed(&report(&to(key))), OBJECTS as u64, "{key}");
        assert_eq!(changed(&report(&to(key))), 0, "{key}");
    }
    bench.run(&["kms", "rotate", "--folder", "kms", "alias/b"]).expect(DONE);
    let rotated = report(&to("alias/b"));
    assert_eq!(changed(&rotated), OBJECTS as u64);
    // The key, in whole, and each of its versions: the old one is not needed any more.
    let mut needed: Vec<_> = rotated.keys.iter().map(|needed| needed.objects).collect();
    needed.sort_unstable();
    assert_eq!(needed, [0, OBJECTS as u64, OBJECTS as u64]);
    // And back, which needs the KMS to open.
    lake.run(&[]).expect(KEY).says("no cipher was given");
    lake.run(&["--kms", "kms"]).expect(DONE);
    assert_eq!(lake.versions(), [(2, OBJECTS)].into());
    lake.read_all();
}

#[test]
fn an_inventory_is_walked_by_its_manifest() {
    let lake = rotated();
    let mut data = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..OBJECTS {
        let key = path(number).as_ref().replace(' ', "+");
        writeln!(data, "\"lake\",\"{key}\",\"7\",\"true\"").unwrap();
    }
    writeln!(data, "\"lake\",\"gone\",\"7\",\"true\"\n\"lake\",\"old\",\"7\",\"false\"").unwrap();
    fs::create_dir_all(lake.bench.path("inventory/data")).unwrap();
    fs::create_dir_all(lake.bench.path("inventory/day")).unwrap();
    lake.bench.write("inventory/data/1.csv.gz", &data.finish().unwrap());
    let json = r#"{"sourceBucket":"lake","fileFormat":"CSV","fileSchema":"Bucket, Key, Size, IsLatest",
        "files":[{"key":"reports/inventory/data/1.csv.gz","size":1,"MD5checksum":"x"}]}"#;
    lake.bench.write("inventory/day/manifest.json", json.as_bytes());
    let run = lake.run(&["--manifest-json", "inventory/day/manifest.json", "--json"]).expect(DONE);
    let done = report(&run);
    assert_eq!((done.objects, changed(&done), done.gone), (OBJECTS as u64 + 1, OBJECTS as u64, 1));
    lake.bench.write("paths", b"lake,0/object+0\nlake,%\n");
    let run = lake.run(&["--manifest", "paths", "--json"]).expect(USAGE).says("not URL-encoded");
    assert_eq!((report(&run).left_alone, report(&run).failed), (1, 1));
    lake.bench.write("orc", b"ORC");
    let run = lake.run(&["--manifest", "orc"]).expect(USAGE);
    run.says("ORC").says("help: have the inventory written as CSV");
    lake.run(&["--manifest", "nowhere"]).expect(SYSTEM);
}

#[test]
fn a_prefix_is_moved_by_records() {
    let lake = rotated();
    let (bodies, before) = (lake.bodies(), lake.paths());
    lake.run(&["--prefix", "1", "--move-to", "one/more"]).expect(DONE);
    let moved: Vec<_> = before.iter().filter(|path| path.starts_with("1/")).collect();
    assert!(!moved.is_empty());
    let now = lake.paths();
    assert!(moved.iter().all(|path| now.contains(&format!("one/more{}", &path[1..]))), "{now:?}");
    assert!(!moved.iter().any(|path| now.contains(path)), "{now:?}");
    assert_eq!(lake.bodies(), bodies);
    lake.run(&["--prefix", "2", "--move-to", "2/x"]).expect(USAGE).says("lies in it");
}

#[test]
fn a_journal_is_of_one_store_and_goal_and_no_other_file_is_taken_for_one() {
    let lake = rotated();
    let first = report(&lake.run(&["--journal", "journal", "--json"]).expect(DONE));
    let second = report(&lake.run(&["--journal", "journal", "--json"]).expect(DONE));
    assert_eq!((first.by_journal, second.by_journal), (0, OBJECTS as u64));
    assert_eq!(first.changes, second.changes);
    lake.bench.run(&["keyring", "rotate"]).expect(DONE);
    let refused = lake.run(&["--journal", "journal"]).expect(USAGE);
    refused.says("is of another run").says("a journal of its own");
    let keyring = lake.bench.read("keyring");
    lake.run(&["--journal", "keyring"]).expect(USAGE);
    assert_eq!(lake.bench.read("keyring"), keyring);
    lake.bench.write("mine", b"my notes\n");
    lake.run(&["--journal", "mine"]).expect(USAGE).says("is no journal");
    assert_eq!(lake.bench.read("mine"), b"my notes\n");
}
