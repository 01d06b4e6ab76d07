//! Re-keying many files, however often it is killed (S4).

use std::{process::Stdio, thread::sleep, time::Duration};

use serde_json::Value;

use crate::bench::{Bench, DONE, content};

const FILES: usize = 12;
const KILLS: u64 = 1_000;

/// The versions that the files are wrapped under, by a scan of them all.
fn versions(bench: &Bench, files: &[String]) -> Vec<u64> {
    let version = |file: &String| {
        let run = bench.plain(&["inspect", file, "--json"]).expect(DONE);
        let told: Value = serde_json::from_slice(&run.stdout).unwrap();
        told["layers"][0]["version"].as_u64().unwrap()
    };
    files.iter().map(version).collect()
}

#[test]
fn s4_a_rekey_that_is_killed_a_thousand_times_converges_and_tells_the_truth() {
    let bench = Bench::new();
    let names: Vec<_> = (0..FILES).map(|number| format!("file-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        bench.seal(name, &content(1_000 + number));
    }
    let files: Vec<_> = names.iter().map(|name| format!("{name}.sealed")).collect();
    let with = |command: &[&'static str]| {
        let command = command.iter().map(ToString::to_string).chain(files.clone());
        command.chain(["--key-file".into(), "unlock.key".into()]).collect::<Vec<String>>()
    };
    let (rekey, verify) = (with(&["rewrap"]), with(&["verify"]));
    let rekey: Vec<_> = rekey.iter().map(String::as_str).collect();
    let verify: Vec<_> = verify.iter().map(String::as_str).collect();
    let mut newest = 1;
    for round in 0..KILLS {
        if round % 100 == 0 {
            bench.run(&["keyring", "rotate"]).expect(DONE);
            newest += 1;
        }
        let mut command = bench.command(&rekey);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From before its first file to after its last.
        sleep(Duration::from_micros(round * 7_919 % 20_000));
        let _ = child.kill();
        child.wait().unwrap();
        if round % 50 == 49 {
            bench.plain(&verify).expect(DONE);
        }
    }
    let done = bench.plain(&rekey).expect(DONE);
    assert_eq!(versions(&bench, &files), vec![newest; FILES]);
    // What it reports is what a scan finds.
    let told = format!("version {newest}");
    assert_eq!(done.text().matches(&told).count(), FILES, "{}", done.text());
    for version in 1..newest {
        bench.run(&["keyring", "retire", &version.to_string(), "--destroy", "--yes"]).expect(DONE);
    }
    bench.plain(&verify).expect(DONE);
}
