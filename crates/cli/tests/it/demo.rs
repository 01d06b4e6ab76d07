//! The demonstration.

use std::fs;

use crate::bench::Bench;

#[test]
fn the_demonstration_succeeds_and_leaves_nothing() {
    let bench = Bench::new();
    fs::create_dir(bench.path("tmp")).unwrap();
    let run = |backend| {
        let mut command = bench.command(&["--backend", backend, "demo"]);
        command.env("TMPDIR", bench.path("tmp")).output().unwrap()
    };
    for backend in ["aws-lc", "rustcrypto"] {
        let output = run(backend);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("exit code 3") && text.contains("All is as it should be"), "{text}");
        assert_eq!(fs::read_dir(bench.path("tmp")).unwrap().count(), 0);
    }
}
