//! What comes from files does not command the terminal.

use std::fs;

use serde_json::Value;

use crate::bench::{Bench, DONE, REFUSED, SYSTEM};

const NAME: &str = "a\u{1b}[31m\u{9b}2J\u{202e}\u{7f}\n";

/// Whether a terminal would do more with it than show it.
fn is_plain(text: &str) -> bool {
    let commands = |char: char| char != '\n' && (char.is_control() || char == '\u{202e}');
    !text.contains(commands)
}

#[test]
fn names_are_shown_escaped() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--name", NAME]).expect(DONE);
    for command in [&["inspect", "a.sealed"][..], &["inspect", "a.sealed", "--json"]] {
        let run = bench.plain(command).expect(DONE);
        assert!(is_plain(run.text()), "{run:?}");
    }
    let run = bench.plain(&["inspect", "a.sealed", "--json"]).expect(DONE);
    let found: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(found["name"], NAME);
    let run = bench.run(&["verify", "a.sealed"]).expect(DONE);
    assert!(is_plain(run.text()), "{run:?}");
    let run = bench.run(&["rewrap", "a.sealed"]).expect(DONE);
    assert!(is_plain(run.text()), "{run:?}");
}

#[test]
fn paths_are_shown_escaped() {
    let bench = Bench::new();
    let body = format!("{NAME}.sealed");
    bench.write(NAME, b"content");
    let seal = bench.run(&["seal", NAME]).expect(DONE);
    let verify = bench.run(&["verify", &body]).expect(DONE);
    let inspect = bench.plain(&["inspect", &body]).expect(DONE);
    let exists = bench.run(&["open", &body]);
    bench.flip(&body, 60);
    let refused = bench.run(&["verify", &body]).expect(REFUSED);
    fs::remove_file(bench.path(&format!("{body}.envelope"))).unwrap();
    let missing = bench.run(&["verify", &body]).expect(SYSTEM);
    let keyring = bench.run(&["verify", &body, "--keyring", NAME]);
    for run in [seal, verify, inspect, exists, refused, missing, keyring] {
        assert!(is_plain(run.text()) && is_plain(&run.stderr), "{run:?}");
        // One line a message: none can be forged by a line feed in a name.
        assert!(run.stderr.lines().all(|line| {
            ["wrote ", "error: ", "help: "].iter().any(|start| line.starts_with(start))
        }));
    }
}
