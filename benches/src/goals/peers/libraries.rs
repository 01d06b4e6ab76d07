//! Goal 20: AES-256-GCM by other libraries, to compare.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use object_cipher_core::ChunkSealer;

use super::{Peers, skip};
use crate::{
    measure::{Case, Clock, Prepared},
    peer::{Peer, Request},
    raw::{Library, RawAwsLc, RawRustCrypto},
    report::{Amount, Bound, Report, Row},
    subject::{BLOCK, CHUNK, STRIDE, Subject},
};

pub(super) fn run(report: &mut Report, peers: &Peers) {
    if !report.wants(20) {
        return;
    }
    match &peers.rust {
        Some(program) => ["ring", "graviola"].iter().for_each(|name| {
            let block = BLOCK.to_string();
            let mut peer = Peer::start(Command::new(program).args([name, &*block, &*block]));
            let mut theirs = Request { peer: &mut peer, words: "seal", times: 1 };
            compare(report, &format!("`{name}` alone on chunks of 16 KiB"), &mut theirs);
        }),
        None => skip(report, 20, "--rust"),
    }
    match &peers.openssl {
        Some(program) => {
            let name = format!("`openssl speed -aead`, {}", version(program));
            compare(report, &name, &mut OpenSslSpeed { program: program.clone() });
        }
        None => skip(report, 20, "--openssl"),
    }
}

fn compare(report: &mut Report, against: &str, theirs: &mut dyn Case) {
    row::<RawAwsLc>(report, against, theirs);
    row::<RawRustCrypto>(report, against, theirs);
}

fn row<L: Library>(report: &mut Report, against: &str, theirs: &mut dyn Case) {
    let chunks = Subject::new(L::backend()).sealer().into_chunks();
    let mut slots = vec![7; BLOCK / CHUNK * STRIDE];
    let mut ours = Prepared::new(
        || (),
        |()| {
            for (index, slot) in (0..).zip(slots.chunks_exact_mut(STRIDE)) {
                chunks.seal(index, false, slot).unwrap();
            }
        },
    );
    let bound = Bound::Nothing;
    let row = Row { goal: 20, ours: "seal in place", against, library: L::NAME, bound };
    report.speed(&row, Clock::Processor, Amount::Bytes(BLOCK), &mut ours, theirs);
}

/// What OpenSSL measures of itself: a second of chunks, on processor time.
struct OpenSslSpeed {
    program: PathBuf,
}

impl Case for OpenSslSpeed {
    fn time(&mut self, _: Clock, _: u32) -> f64 {
        let chunk = CHUNK.to_string();
        let speed = ["speed", "-mr", "-aead", "-seconds", "1", "-evp", "aes-256-gcm", "-bytes"];
        let output = Command::new(&self.program).args(speed).arg(chunk).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let line = text.lines().find(|line| line.starts_with("+F:")).unwrap();
        let per_second: f64 = line.rsplit(':').next().unwrap().parse().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let block = BLOCK as f64;
        block / per_second
    }

    fn runs(&mut self, _: Clock) -> u32 {
        1
    }
}

fn version(openssl: &Path) -> String {
    let output = Command::new(openssl).arg("version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
