//! Standard input and output, and ranges.

use std::io::Read;

use crate::bench::{Bench, DONE, REFUSED, USAGE, content};

#[test]
fn standard_input_is_sealed_and_opened_to_standard_output() {
    let bench = Bench::new();
    let seal = ["seal", "-", "--output", "s", "--key-file", "unlock.key"];
    for length in [0, 5, 70_000] {
        let seal = [&seal[..], &["--force"]].concat();
        bench.with_input(&seal, &content(length)).expect(DONE);
        let run = bench.run(&["open", "s", "--output", "-"]).expect(DONE);
        assert_eq!(run.stdout, content(length));
        assert_eq!(bench.run(&["cat", "s"]).expect(DONE).stdout, content(length));
    }
}

#[test]
fn a_pair_has_no_place_on_standard_output() {
    let bench = Bench::new();
    bench.write("a", b"content");
    bench.run(&["seal", "a", "--output", "-"]).expect(USAGE).says("standard output");
    bench.run(&["seal", "-"]).expect(USAGE).says("--output");
}

#[test]
fn a_range_is_the_slice() {
    let bench = Bench::new();
    let all = content(100_000);
    bench.seal("a", &all);
    let cat = |range: &str| bench.run(&["cat", "a.sealed", "--range", range]).expect(DONE).stdout;
    assert_eq!(cat("0-0"), all[..1]);
    assert_eq!(cat("16383-16384"), all[16_383..=16_384]);
    assert_eq!(cat("16384-32767"), all[16_384..32_768]);
    assert_eq!(cat("5-99999"), all[5..]);
    assert_eq!(cat("99999-200000"), all[99_999..]);
    assert_eq!(cat("70000-"), all[70_000..]);
    assert_eq!(cat("-70000"), all[30_000..]);
    assert_eq!(cat("-200000"), all);
}

#[test]
fn a_range_behind_the_end_is_refused() {
    let bench = Bench::new();
    bench.seal("a", b"content");
    bench.run(&["cat", "a.sealed", "--range", "7-9"]).expect(USAGE).says("7 bytes");
    bench.run(&["cat", "a.sealed", "--range", "-0"]).expect(USAGE);
    bench.run(&["cat", "a.sealed", "--range", "3"]).expect(USAGE);
}

#[test]
fn standard_output_gets_verified_bytes_only_and_is_told_when_they_are_not_all() {
    let bench = Bench::new();
    let all = content(100_000);
    bench.seal("a", &all);
    bench.flip("a.sealed", 56 + 3 * 16_400);
    for arguments in [&["cat", "a.sealed"][..], &["open", "a.sealed", "-o", "-"]] {
        let run = bench.run(arguments).expect(REFUSED).says("discard them");
        assert_eq!(run.stdout, all[..3 * 16_384]);
    }
    // A range is judged by the chunks it lies in.
    assert_eq!(bench.run(&["cat", "a.sealed", "--range", "-9"]).expect(DONE).stdout, all[99_991..]);
}

#[test]
fn a_reader_that_goes_away_is_no_message() {
    let bench = Bench::new();
    bench.seal("a", &content(4 << 20));
    let arguments = ["cat", "a.sealed", "--key-file", "unlock.key"];
    let mut child = bench.command(&arguments).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert_eq!(output.stderr, b"");
}

#[test]
fn a_body_of_another_length_gives_nothing_of_any_range() {
    let bench = Bench::new();
    bench.seal("a", &content(100_000));
    let whole = bench.read("a.sealed");
    let longer = [&whole[..], b"x"].concat();
    for (body, said) in [
        (&whole[..whole.len() - 1], "ends early"),
        (&whole[..56 + 3 * 16_400], "ends early"),
        (&longer[..], "after its end"),
    ] {
        bench.write("a.sealed", body);
        for command in [
            &["cat", "a.sealed", "--range", "0-9"][..],
            &["cat", "a.sealed"],
            &["open", "a.sealed", "-o", "-"],
        ] {
            let run = bench.run(command).expect(REFUSED);
            assert_eq!(run.stdout, b"");
            run.says(said).says("help: ");
        }
    }
}
