//! T3, and a guard of speed that no other load on the machine moves: instructions, counted by valgrind's
//! callgrind. Run by `audits/instructions`.
//!
//! Without arguments it runs itself under callgrind, twice a case with different numbers of repetitions;
//! the difference is free of what starting costs.

#![allow(clippy::unwrap_used)]

mod overhead;
mod refusals;

use std::{env, process::Command};

/// Something to count, and how often it is repeated at least.
struct Case {
    name: String,
    work: Box<dyn Fn(u64)>,
    times: u64,
}

impl Case {
    fn new(name: impl Into<String>, times: u64, work: impl Fn(u64) + 'static) -> Self {
        Self { name: name.into(), work: Box::new(work), times }
    }

    /// Instructions of one repetition.
    fn instructions(&self, number: usize) -> u64 {
        let [once, twice] = [self.times, 2 * self.times].map(|times| collected(number, times));
        twice.saturating_sub(once) / self.times
    }
}

fn main() {
    let mut cases = overhead::cases();
    let overheads = cases.len();
    cases.extend(refusals::cases());
    if let [_, number, times] = &env::args().collect::<Vec<_>>()[..] {
        let number: usize = number.parse().unwrap();
        return (cases[number].work)(times.parse().unwrap());
    }
    let count = |(number, case): (usize, &Case)| {
        let count = case.instructions(number);
        println!("{:52} {count:8} instructions", case.name);
        count
    };
    let counts: Vec<u64> = cases.iter().enumerate().map(count).collect();
    let (overheads, refusals) = counts.split_at(overheads);
    let overhead_faults = overhead::judge(overheads);
    let (spread, refusal_faults) = refusals::judge(refusals);
    let each: Vec<_> =
        cases.iter().zip(overheads).map(|(case, count)| format!("{} {count}", case.name)).collect();
    println!("refusals differ by at most {spread}; beside the ciphers: {}", each.join(", "));
    assert!(overhead_faults.is_empty(), "more than it was: {overhead_faults:?}");
    assert!(refusal_faults.is_empty(), "what is wrong can be told by counting: {refusal_faults:?}");
}

/// Runs a case in a process of its own. What it is given is as long for every case, so that its stack lies
/// where it does in every other.
fn collected(number: usize, times: u64) -> u64 {
    let program = env::current_exe().unwrap();
    let valgrind = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
    let args = [format!("{number:02}"), format!("{times:05}")];
    let output = Command::new("valgrind").args(valgrind).arg(program).args(args).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let count = told.lines().find_map(|line| line.split_once("Collected : "));
    count.unwrap_or_else(|| panic!("{told}")).1.trim().parse().unwrap()
}
