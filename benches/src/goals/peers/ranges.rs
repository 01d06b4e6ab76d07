//! Goal 5: range reads against a program of another language, each on its own processor time.

use std::{io::Cursor, path::Path, process::Command};

use object_cipher_core::{Opener, ReadRange};
use object_cipher_io::open_range;

use crate::{
    measure::{Clock, Prepared},
    peer::{Peer, Request},
    raw::{Library, RawAwsLc, RawRustCrypto},
    report::{Amount, Bound, Report, Row},
    subject::Subject,
};

/// Cold: out of memory, as an object that others pushed out of the caches.
const COLD: usize = 64 << 20;
/// Hot: out of the caches, as one that was just fetched.
const HOT: usize = 512 << 10;
const RANGE: usize = 64 << 10;
/// Ranges a run, so that reading the clock does not count.
const RANGES: u32 = 64;

pub(super) fn run(report: &mut Report, dare: Option<&Path>) {
    if !report.wants(5) {
        return;
    }
    let Some(program) = dare else {
        return super::skip(report, 5, "--dare");
    };
    for (ours, object) in [
        ("64 KiB ranges of 512 KiB, unaligned, hot", HOT),
        ("64 KiB ranges of 64 MiB, unaligned, cold", COLD),
    ] {
        let length = object.to_string();
        let mut peer = Peer::start(Command::new(program).args([&length, &length]));
        range_reads::<RawAwsLc>(report, ours, object, &mut peer, Bound::AtLeast(3.8));
        // To compare: its GCM alone is slower than Go's.
        range_reads::<RawRustCrypto>(report, ours, object, &mut peer, Bound::Nothing);
    }
}

fn range_reads<L: Library>(
    report: &mut Report,
    ours: &str,
    object: usize,
    peer: &mut Peer,
    bound: Bound,
) {
    let (body, opener) = Subject::new(L::backend()).object(object);
    let mut positions = Positions { state: 1, count: (object - RANGE) as u64 };
    let mut buffer = vec![0; RANGE];
    let mut reading = Prepared::new(
        || (),
        |()| {
            for _ in 0..RANGES {
                read(&opener, &body, positions.next(), &mut buffer);
            }
        },
    );
    let row = Row {
        goal: 5,
        ours,
        against: "minio/sio's `DecryptReaderAt`, its shape rebuilt in Go: DARE 2.0, AES-256-GCM",
        library: L::NAME,
        bound,
    };
    let amount = Amount::Bytes(RANGES as usize * RANGE);
    let mut theirs = Request { peer, words: "ranges", times: RANGES };
    report.speed(&row, Clock::Processor, amount, &mut reading, &mut theirs);
}

/// Reads the range at `start` into `buffer`, which it fills.
fn read(opener: &Opener, body: &[u8], start: u64, buffer: &mut [u8]) {
    let range = ReadRange::Bytes(start..start + RANGE as u64);
    let mut sink = buffer;
    open_range(opener, &range, &mut Cursor::new(body), &mut sink).unwrap();
    assert!(sink.is_empty());
}

/// A range's start, by splitmix64; the peer has the same ones.
struct Positions {
    state: u64,
    count: u64,
}

impl Positions {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % self.count
    }
}
