//! Many processes that rekey one store, killed at any moment and started again.

use std::{
    env,
    process::{Child, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    bench::{Bench, DONE},
    lake::Lake,
};

/// How it is done.
struct Plan {
    processes: usize,
    objects: usize,
    kills: usize,
    /// The longest time between two kills.
    pause: Duration,
    rate: &'static str,
}

#[test]
fn processes_that_are_killed_cover_all_once_and_their_merged_report_is_what_a_scan_finds() {
    let pause = Duration::from_millis(60);
    rekey_under_fire(&Plan { processes: 3, objects: 300, kills: 12, pause, rate: "300" });
}

/// Numbers are printed; `OBJECTS`, `PROCESSES`, `KILLS` and `PAUSE` (milliseconds) may be set.
#[test]
#[ignore = "takes minutes: run it by tests/rekey-at-scale"]
fn at_scale_too() {
    let number = |name, default| env::var(name).map_or(default, |text| text.parse().unwrap());
    rekey_under_fire(&Plan {
        processes: number("PROCESSES", 8),
        objects: number("OBJECTS", 100_000),
        kills: number("KILLS", 60),
        pause: Duration::from_millis(number("PAUSE", 2_000) as u64),
        rate: "1000000",
    });
}

fn rekey_under_fire(plan: &Plan) {
    let mut step = Instant::now();
    let mut told = |what: String| {
        println!("{what}: {:.1} s", step.elapsed().as_secs_f64());
        step = Instant::now();
    };
    let lake = Lake::new(plan.objects);
    told(format!("put {} objects", plan.objects));
    let before = lake.bodies();
    told("hashed all bodies".into());
    lake.bench.run(&["keyring", "rotate"]).expect(DONE);
    let shards: Vec<_> = (0..plan.processes).map(|index| shard(&lake, plan, index)).collect();
    let kills = run_and_kill(&lake.bench, &shards, plan);
    told(format!("{} processes, killed {kills} times, rewrapped all", plan.processes));
    assert!(kills > 0);

    let names: Vec<_> = (0..plan.processes).map(report).collect();
    let merge =
        [&["rekey", "merge", "--json"][..], &names.iter().map(String::as_str).collect::<Vec<_>>()];
    let merged: Value =
        serde_json::from_slice(&lake.bench.plain(&merge.concat()).expect(DONE).stdout).unwrap();
    assert_eq!(lake.versions(), [(2, plan.objects)].into());
    told("scanned all records".into());
    assert_eq!(lake.bodies(), before, "no body was changed");
    told("hashed all bodies".into());
    let census = lake.census();
    told("census".into());
    assert_eq!(merged["census"], census["census"]);
    assert_eq!(merged["census"].as_array().unwrap().len(), 1);
    assert_eq!(merged["census"][0]["objects"], json!(plan.objects));
    assert_eq!((&merged["failed"], &merged["unknown"]), (&json!(0), &json!(0)));
    let changed: u64 = merged["changes"].as_array().unwrap().iter().map(objects).sum();
    let left_alone = merged["left_alone"].as_u64().unwrap();
    println!("{changed} journaled as rewrapped, {left_alone} found done after a kill");
    assert_eq!(changed + left_alone, plan.objects as u64, "each once");

    lake.bench.run(&["keyring", "retire", "1", "--destroy", "--yes"]).expect(DONE);
    lake.read_all();
    told("read all objects without the old key".into());
}

fn objects(counted: &Value) -> u64 {
    counted["objects"].as_u64().unwrap()
}

fn report(index: usize) -> String {
    format!("report-{index}.json")
}

/// The command line of one process.
fn shard(lake: &Lake, plan: &Plan, index: usize) -> Vec<String> {
    let (shard, journal) = (format!("{index}/{}", plan.processes), format!("journal-{index}"));
    let report = report(index);
    lake.rekey(&[
        "--mode",
        "sse-s3",
        "--key-file",
        "unlock.key",
        "--quiet",
        "--shard",
        &shard,
        "--journal",
        &journal,
        "--report",
        &report,
        "--rate",
        plan.rate,
    ])
}

/// Runs all until each went well, and kills one or another meanwhile. Says how many it killed.
fn run_and_kill(bench: &Bench, commands: &[Vec<String>], plan: &Plan) -> usize {
    let start = |index: usize| -> Child {
        let arguments: Vec<_> = commands[index].iter().map(String::as_str).collect();
        bench.command(&arguments).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
    };
    let mut running: Vec<_> = (0..commands.len()).map(|index| (index, start(index))).collect();
    let (mut kills, mut seed) = (0, 0x9E37_79B9_7F4A_7C15_u64);
    while !running.is_empty() {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        sleep(
            plan.pause.mul_f64(f64::from(u32::try_from(seed >> 32).unwrap()) / f64::from(u32::MAX)),
        );
        running.retain_mut(|(_, child)| match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{status}");
                false
            }
            None => true,
        });
        if kills < plan.kills && !running.is_empty() {
            let at = usize::try_from(seed % running.len() as u64).unwrap();
            let (index, child) = &mut running[at];
            child.kill().unwrap();
            // It may have ended just before.
            let ended = child.wait().unwrap();
            kills += usize::from(ended.code().is_none());
            running[at] = (*index, start(*index));
        }
    }
    kills
}
