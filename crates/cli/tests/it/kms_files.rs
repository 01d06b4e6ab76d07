//! Files under keys of the local KMS, in one layer and in two.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::bench::{Bench, DONE, KEY, REFUSED, SYSTEM, USAGE, content};

const KMS: [&str; 2] = ["--kms", "kms"];

fn bench() -> Bench {
    let bench = Bench::new();
    bench.run(&["kms", "init", "--folder", "kms"]).expect(DONE);
    bench.run(&["kms", "create", "--folder", "kms", "--alias", "alias/photos"]).expect(DONE);
    bench
}

/// Seals content under a name of a file, in a mode of the KMS.
fn seal(bench: &Bench, mode: &str, name: &str, content: &[u8]) {
    bench.write(name, content);
    let seal = ["seal", "--mode", mode, "--kms-key", "alias/photos", name];
    bench.run(&[&seal[..], &KMS].concat()).expect(DONE);
}

fn run(bench: &Bench, arguments: &[&str], code: i32) -> crate::bench::Run {
    bench.run(&[arguments, &KMS].concat()).expect(code)
}

#[test]
fn files_of_both_modes_come_back_and_outlive_rotation() {
    for mode in ["sse-kms", "dsse-kms"] {
        let bench = bench();
        for length in [0, 1, 16_384, 50_000] {
            seal(&bench, mode, "a", &content(length));
            run(&bench, &["verify", "a.sealed"], DONE);
            assert_eq!(run(&bench, &["cat", "a.sealed"], DONE).stdout, content(length));
            std::fs::remove_file(bench.path("a.sealed")).unwrap();
            std::fs::remove_file(bench.path("a.sealed.envelope")).unwrap();
        }
        seal(&bench, mode, "a", &content(50_000));
        let body = bench.read("a.sealed");
        bench.run(&["kms", "rotate", "--folder", "kms", "alias/photos"]).expect(DONE);
        run(&bench, &["rewrap", "--new-name", "b", "a.sealed"], DONE);
        assert_eq!(bench.read("a.sealed"), body);
        run(&bench, &["cat", "--name", "a", "a.sealed"], REFUSED);
        let range =
            run(&bench, &["cat", "--name", "b", "--range", "16380-16390", "a.sealed"], DONE);
        assert_eq!(range.stdout, content(50_000)[16_380..=16_390]);
        run(&bench, &["open", "a.sealed", "-o", "opened", "--threads", "2"], DONE);
        assert_eq!(bench.read("opened"), content(50_000));
        bench.run(&["kms", "disable", "--folder", "kms", "alias/photos"]).expect(DONE);
        run(&bench, &["cat", "a.sealed"], KEY).says("disabled").says("`kms enable`");
    }
}

#[test]
fn files_of_several_modes_are_verified_in_one_run() {
    let bench = bench();
    bench.seal("one", &content(5));
    seal(&bench, "sse-kms", "two", &content(5));
    seal(&bench, "dsse-kms", "three", &content(5));
    let files = ["one.sealed", "two.sealed", "three.sealed"];
    run(&bench, &[&["verify"], &files[..]].concat(), DONE);
    run(&bench, &[&["rewrap"], &files[..]].concat(), DONE);
    bench.run(&[&["verify"], &files[..]].concat()).expect(USAGE).says("none is named");
}

#[test]
fn what_is_held_wrong_is_told() {
    let bench = bench();
    bench.write("a", b"content");
    bench.run(&["seal", "--mode", "dsse-kms", "a"]).expect(USAGE).says("--kms FOLDER");
    run(&bench, &["seal", "--kms-key", "alias/photos", "a"], USAGE)
        .says("--mode sse-kms or dsse-kms");
    run(&bench, &["seal", "--mode", "dsse-kms", "a"], KEY).says("alias/aws/s3").says("`kms list`");
    run(&bench, &["seal", "--mode", "dsse-kms", "--kms-key", "../x", "a"], KEY);
    assert!(!bench.has("a.sealed"));
    bench.run(&["seal", "--mode", "sse-kms", "--kms", "nowhere", "a"]).says("`kms init`");
    bench.seal("b", b"content");
    run(&bench, &["dsse", "key", "--layer", "outer", "-o", "key", "b.sealed"], USAGE)
        .says("one layer");
    assert!(!bench.has("key"));
}

#[test]
fn inspect_tells_both_layers() {
    let bench = bench();
    seal(&bench, "dsse-kms", "a", b"content");
    let told = bench.plain(&["inspect", "a.sealed"]).expect(DONE);
    let lines = told.text().lines().filter(|line| line.contains("KMS key arn:aws:kms:"));
    let words: Vec<_> = lines.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(words, ["inner", "outer"]);
    assert!(
        told.text().contains("mode       DSSE-KMS") && told.text().contains("content    7 bytes")
    );
    let told = bench.plain(&["inspect", "--json", "a.sealed"]).expect(DONE);
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let layers = told["layers"].as_array().unwrap().iter();
    assert_eq!(layers.map(|layer| layer["layer"].clone()).collect::<Vec<_>>(), ["inner", "outer"]);
}

#[test]
fn the_outer_layer_comes_off_with_its_own_key_alone() {
    let bench = bench();
    seal(&bench, "dsse-kms", "a", &content(50_000));
    for layer in ["inner", "outer"] {
        run(&bench, &["dsse", "key", "--layer", layer, "-o", layer, "a.sealed"], DONE);
        assert_eq!(bench.mode(layer), 0o600);
        run(&bench, &["dsse", "key", "--layer", layer, "-o", layer, "a.sealed"], USAGE);
    }
    let peel = |key: &str, output: &str, code| {
        bench.plain(&["dsse", "peel", "--key", key, "-o", output, "a.sealed"]).expect(code)
    };
    peel("outer", "peeled", DONE);
    let (sealed, peeled) = (bench.read("a.sealed"), bench.read("peeled"));
    assert_eq!(peeled.len(), sealed.len() - 56 - 4 * 16);
    assert_eq!(peeled[..56], sealed[56..112]);
    assert!(!peeled.windows(16).any(|window| window == &content(16)[..]), "it is encrypted still");
    // Nothing is replaced, and nothing half is left.
    peel("outer", "peeled", USAGE);
    peel("outer", "a.sealed", USAGE);
    peel("inner", "other", KEY).says("may be the key of the inner layer");
    peel("unlock.key", "other", KEY).says("does not open the outer layer");
    bench.write("text", b"no key");
    bench.set_mode("text", 0o600);
    peel("text", "other", KEY).says("base64").says("`dsse key --layer outer`");
    peel("nowhere", "other", SYSTEM);
    bench.set_mode("outer", 0o644);
    peel("outer", "other", KEY);
    bench.set_mode("outer", 0o600);
    bench
        .plain(&["dsse", "peel", "--name", "x", "--key", "outer", "-o", "other", "a.sealed"])
        .expect(KEY);
    for (at, code) in [(30, REFUSED), (112, REFUSED), (40_000, REFUSED), (80, DONE)] {
        let output = format!("other-{at}");
        bench.flip("a.sealed", at);
        // Of the inner header nothing can be told without the inner key.
        peel("outer", &output, code);
        assert_eq!(bench.has(&output), code == DONE);
        bench.flip("a.sealed", at);
    }
    for length in [0, 111, 112, 112 + 31, 112 + 16_416, sealed.len() - 1] {
        bench.write("a.sealed", &sealed[..length]);
        peel("outer", "other", REFUSED);
    }
    bench.write("a.sealed", &[&sealed[..], b"more"].concat());
    peel("outer", "other", REFUSED);
    assert!(!bench.has("other"));
}

/// Where the two key blobs of an Envelope are.
fn key_blobs(envelope: &[u8]) -> [Range<usize>; 2] {
    let mut at = 28;
    [(); 2].map(|()| {
        at += 2;
        let [_, blob] = [(); 2].map(|()| {
            let length = usize::from(u16::from_be_bytes([envelope[at], envelope[at + 1]]));
            at += 2 + length;
            at - length..at
        });
        at += 104;
        blob
    })
}

#[test]
fn no_key_of_another_layer_or_file_is_given_out() {
    let bench = bench();
    for name in ["a", "b"] {
        seal(&bench, "dsse-kms", name, b"content");
    }
    let record =
        |name: &str| String::from_utf8(bench.read(&format!("{name}.sealed.envelope"))).unwrap();
    let decode = |text: &str| {
        let text = text.strip_prefix("object-cipher-envelope: ").unwrap().trim_end();
        STANDARD.decode(text).unwrap()
    };
    let (one, other) = (decode(&record("a")), decode(&record("b")));
    let (blobs, others) = (key_blobs(&one), key_blobs(&other));
    let mut swapped = one.clone();
    swapped[blobs[0].clone()].copy_from_slice(&one[blobs[1].clone()]);
    swapped[blobs[1].clone()].copy_from_slice(&one[blobs[0].clone()]);
    let mut foreign = one.clone();
    foreign[blobs[1].clone()].copy_from_slice(&other[others[1].clone()]);
    for (altered, layer) in [(&swapped, "outer"), (&swapped, "inner"), (&foreign, "outer")] {
        let text = format!("object-cipher-envelope: {}\n", STANDARD.encode(altered));
        bench.write("a.sealed.envelope", text.as_bytes());
        run(&bench, &["dsse", "key", "--layer", layer, "-o", "key", "a.sealed"], REFUSED)
            .says("No key was written");
        assert!(!bench.has("key"));
    }
    bench.write(
        "a.sealed.envelope",
        format!("object-cipher-envelope: {}\n", STANDARD.encode(&one)).as_bytes(),
    );
    run(
        &bench,
        &["dsse", "key", "--layer", "outer", "--name", "x", "-o", "key", "a.sealed"],
        REFUSED,
    );
    run(&bench, &["dsse", "key", "--layer", "outer", "-o", "-", "a.sealed"], USAGE);
    run(&bench, &["dsse", "key", "--layer", "outer", "-o", "key", "a.sealed"], DONE);
    for arguments in [
        ["-o", "same", "--info", "same"],
        ["-o", "b", "--info", "new"],
        ["-o", "new", "--info", "b"],
    ] {
        let peel = [&["dsse", "peel", "--key", "key", "a.sealed"], &arguments[..]].concat();
        bench.plain(&peel).expect(USAGE);
        assert!(!bench.has("same") && !bench.has("new"), "nothing half is left");
    }
}

#[test]
fn nothing_is_written_over_a_kms() {
    let bench = bench();
    seal(&bench, "sse-kms", "a", b"content");
    let catalog = bench.read("kms/catalog");
    run(&bench, &["open", "--force", "-o", "kms/catalog", "a.sealed"], USAGE).says("not replaced");
    run(&bench, &["seal", "--mode", "sse-kms", "--force", "-o", "kms/catalog", "a"], USAGE);
    run(&bench, &["dsse", "key", "--layer", "outer", "-o", "kms/x", "a.sealed"], USAGE);
    assert_eq!(bench.read("kms/catalog"), catalog);
    run(&bench, &["verify", "a.sealed"], DONE);
}
