//! What a pair says without a key.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::bench::{Bench, DONE, USAGE};

#[test]
fn inspect_needs_no_key_and_tells_all_that_is_in_clear() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--name", "x y"]).expect(DONE);
    fs::remove_file(bench.path("keyring")).unwrap();
    let run = bench.plain(&["inspect", "a.sealed"]).expect(DONE);
    for text in ["SSE-S3", "keyring default, version 1", "\"x y\"", "7 bytes", "a finished object"]
    {
        assert!(run.text().contains(text), "{text}: {run:?}");
    }
}

#[test]
fn inspect_tells_machines_the_same() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--name", "x y"]).expect(DONE);
    let run = bench.plain(&["inspect", "a.sealed", "--json"]).expect(DONE);
    let mut found: Value = serde_json::from_slice(&run.stdout).unwrap();
    let object_id = found["object_id"].take();
    let check = found["layers"][0]["check"].take();
    assert_eq!(object_id.as_str().unwrap().len(), 32);
    assert_eq!(check.as_str().unwrap().len(), 16);
    let expected = json!({
        "file": "a.sealed",
        "file_length": 79,
        "content_length_claimed": 7,
        "object_id": null,
        "mode": "SSE-S3",
        "state": "finished",
        "multipart": false,
        "layers": [
            {
                "layer": "only",
                "source": "master-key",
                "keyring": "default",
                "version": 1,
                "check": null,
            },
        ],
        "realm": "file",
        "name": "x y",
        "also_bound": [],
        "envelope_version": 1,
        "envelope_length": 303,
    });
    assert_eq!(found, expected);
}

#[test]
fn verify_tells_length_mode_and_key() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    let run = bench.run(&["verify", "a.sealed"]).expect(DONE);
    for text in ["7 bytes", "SSE-S3", "keyring default, version 1"] {
        assert!(run.text().contains(text), "{text}: {run:?}");
    }
}

#[test]
fn a_pipe_is_no_part_of_a_pair_and_is_not_waited_for() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    for part in ["a.sealed", "a.sealed.envelope"] {
        let kept = bench.read(part);
        fs::remove_file(bench.path(part)).unwrap();
        let made = Command::new("mkfifo").arg(bench.path(part)).status().unwrap();
        assert!(made.success());
        for run in [bench.run(&["verify", "a.sealed"]), bench.plain(&["inspect", "a.sealed"])] {
            run.expect(USAGE).says(part).says("is not a regular file");
        }
        fs::remove_file(bench.path(part)).unwrap();
        bench.write(part, &kept);
    }
}
