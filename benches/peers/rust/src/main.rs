//! Encrypts in memory by other crates, for the benches to compare with.
//!
//! The arguments are the crate's name, the content's length and the length of the block that it is made
//! of, again and again. Requests come line by line: `seal` or `open`, and how often. The answer is the
//! processor time of this process that it took, in nanoseconds; of `memory`, which is followed by what to
//! do, by how many bytes the process grew at the most.

#![allow(clippy::unwrap_used, reason = "a measurement that fails stops")]

mod age;
mod content;
mod esdk;
mod raw;
mod rio;

use std::{env, fs, io};

use rustix::time::{ClockId, clock_gettime};

use content::Content;

/// A crate that is compared with.
trait Subject {
    /// Seals the content.
    fn seal(&mut self);
    /// Opens what [`seal`](Self::seal) makes.
    fn open(&mut self);
}

fn main() {
    let args: Vec<_> = env::args().collect();
    let [_, name, length, block] = &args[..] else { panic!("NAME LENGTH BLOCK") };
    let content = Content::new(length.parse().unwrap(), block.parse().unwrap());
    let mut subject: Box<dyn Subject> = match name.as_str() {
        "age" => Box::new(age::Age::new(content)),
        "aws-esdk" => Box::new(esdk::Esdk::new(content)),
        "graviola" => Box::new(raw::Graviola::new(content)),
        "ring" => Box::new(raw::Ring::new(content)),
        "rustfs-rio" => Box::new(rio::Rio::new(content)),
        _ => panic!("there is no {name}"),
    };
    for request in io::stdin().lines() {
        let request = request.unwrap();
        let answer = match request.split_whitespace().collect::<Vec<_>>()[..] {
            ["memory", what] => growth(|| act(&mut *subject, what)),
            [what, count] => processor_time(&mut *subject, what, count.parse().unwrap()),
            _ => panic!("not a request: {request}"),
        };
        println!("{answer}");
    }
}

fn act(subject: &mut dyn Subject, what: &str) {
    match what {
        "seal" => subject.seal(),
        "open" => subject.open(),
        _ => panic!("not to be done: {what}"),
    }
}

fn processor_time(subject: &mut dyn Subject, what: &str, count: u32) -> i64 {
    let now = || {
        let time = clock_gettime(ClockId::ProcessCPUTime);
        time.tv_sec * 1_000_000_000 + time.tv_nsec
    };
    let start = now();
    (0..count).for_each(|_| act(subject, what));
    now() - start
}

/// By how much resident memory was at its highest above what it was before.
fn growth(act: impl FnOnce()) -> i64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = resident("VmRSS:");
    act();
    resident("VmHWM:") - before
}

fn resident(field: &str) -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() << 10
}
