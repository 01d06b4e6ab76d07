//! The keys of a local KMS, and its audit log.

use serde_json::Value;

use crate::bench::{Bench, DONE, KEY, REFUSED, USAGE};

const ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

fn bench() -> Bench {
    let bench = Bench::new();
    bench.run(&["kms", "init", "--folder", "kms"]).expect(DONE);
    let create = ["kms", "create", "--folder", "kms", "--id", ID, "--alias", "alias/photos"];
    bench.run(&create).expect(DONE);
    bench
}

fn states(bench: &Bench) -> Vec<String> {
    let run = bench.run(&["kms", "list", "--folder", "kms", "--json"]).expect(DONE);
    let keys: Value = serde_json::from_slice(&run.stdout).unwrap();
    let keys = keys.as_array().unwrap().iter();
    let word = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
    keys.map(|key| format!("{} {}", word(key, "state"), word(key, "version"))).collect()
}

fn kms(bench: &Bench, command: &[&str], code: i32) {
    bench.run(&[&["kms"], command, &["--folder", "kms"]].concat()).expect(code);
}

#[test]
fn a_folder_that_is_not_there_is_told_from_a_keyring_that_is_not() {
    let run = Bench::new().run(&["kms", "list", "--folder", "nowhere"]);
    run.says("`kms init`").never_says("`keyring init`");
}

#[test]
fn keys_are_made_rotated_disabled_and_deleted() {
    let bench = bench();
    assert_eq!(states(&bench), ["enabled v1"]);
    kms(&bench, &["add", "alias/photos"], DONE);
    assert_eq!(states(&bench), ["enabled v1"]);
    kms(&bench, &["rotate", "alias/photos"], DONE);
    assert_eq!(states(&bench), ["enabled v2"]);
    kms(&bench, &["disable", ID], DONE);
    assert_eq!(states(&bench), ["disabled v2"]);
    kms(&bench, &["rotate", ID], KEY);
    kms(&bench, &["enable", ID], DONE);
    kms(&bench, &["schedule-deletion", ID, "--days", "3"], USAGE);
    kms(&bench, &["schedule-deletion", ID, "--days", "7"], DONE);
    assert_eq!(states(&bench), ["pending deletion v2"]);
    kms(&bench, &["cancel-deletion", ID], DONE);
    assert_eq!(states(&bench), ["disabled v2"]);
    kms(&bench, &["create", "--id", ID], USAGE);
    kms(&bench, &["create", "--alias", "photos"], USAGE);
    kms(&bench, &["create"], DONE);
    kms(&bench, &["alias", "alias/photos", "alias/nothing"], KEY);
    kms(&bench, &["reseal"], DONE);
    let run = bench.run(&["kms", "list", "--folder", "kms"]).expect(DONE);
    assert!(run.text().contains("alias/photos"), "{run:?}");
}

#[test]
fn an_altered_kms_and_what_is_no_audit_log_are_refused() {
    let bench = bench();
    let catalog = String::from_utf8(bench.read("kms/catalog")).unwrap();
    let altered = catalog.replace("\"enabled\"", "\"disabled\"");
    std::fs::write(bench.path("kms/catalog"), altered).unwrap();
    kms(&bench, &["list"], REFUSED);
    std::fs::write(bench.path("log"), "{}\n").unwrap();
    bench.run(&["kms", "audit", "log"]).expect(REFUSED).says("audit log");
}
