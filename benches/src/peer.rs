//! A program to compare with, which runs beside us.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::measure::{Case, Clock};

/// A program that answers each line it is sent by a line: how long it took, or whatever it was asked.
pub(crate) struct Peer {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// Something that a [`Peer`] does when it is told how often, and answers how many nanoseconds of
/// processor time that took.
pub(crate) struct Request<'a> {
    pub(crate) peer: &'a mut Peer,
    /// What stands before the number.
    pub(crate) words: &'a str,
    /// How often it is done in one run.
    pub(crate) times: u32,
}

impl Peer {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, requests, answers }
    }

    /// The number that it answers.
    pub(crate) fn ask(&mut self, request: &str) -> f64 {
        writeln!(self.requests.as_ref().unwrap(), "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        answer.trim().parse().unwrap()
    }
}

impl Case for Request<'_> {
    fn time(&mut self, _: Clock, runs: u32) -> f64 {
        let request = format!("{} {}", self.words, runs * self.times);
        self.peer.ask(&request) / 1e9 / f64::from(runs)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It ends when no more is asked.
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}
