//! Objects by their size, Envelope and all, against a bare loop over the library that has its key at hand: no goal,
//! but what is left of the fixed cost of an object as it grows.

use object_cipher_core::Attributes;
use object_cipher_io::{open_all, seal_all};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, TAG, open_loop, seal_loop},
    report::{Amount, Bound, Report, Row},
    subject::{Again, BLOCK, CHUNK, Scratch, Sink, Subject},
};

/// The number that these rows have beside those of the goals.
const NUMBER: u64 = 19;

const SIZES: [(usize, [&str; 2]); 7] = [
    (1 << 10, ["seal 1 KiB", "open 1 KiB"]),
    (4 << 10, ["seal 4 KiB", "open 4 KiB"]),
    (16 << 10, ["seal 16 KiB", "open 16 KiB"]),
    (64 << 10, ["seal 64 KiB", "open 64 KiB"]),
    (256 << 10, ["seal 256 KiB", "open 256 KiB"]),
    (1 << 20, ["seal 1 MiB", "open 1 MiB"]),
    (16 << 20, ["seal 16 MiB", "open 16 MiB"]),
];
/// What goes through in one run, at the least.
const TOTAL: usize = 4 << 20;

pub(crate) fn run<L: Library>(report: &mut Report) {
    if !report.wants(NUMBER) {
        return;
    }
    let subject = Subject::new(L::backend());
    for (length, [seal, open]) in SIZES {
        self::seal::<L>(report, &subject, length, seal);
        self::open::<L>(report, &subject, length, open);
    }
}

fn seal<L: Library>(report: &mut Report, subject: &Subject, length: usize, name: &str) {
    let block = vec![7; BLOCK];
    let library = L::new(&[7; 32]);
    let mut ours = Prepared::new(
        || (),
        |()| {
            for _ in 0..objects(length) {
                let stream = subject.sealer().into_stream();
                let mut source = Again::new(&block, length);
                let stream = seal_all(stream, &mut source, &mut Sink).unwrap();
                stream.finish(&Attributes::default()).unwrap();
            }
        },
    );
    let mut bare = Prepared::new(
        || vec![0; CHUNK + TAG],
        |mut buffer| {
            for _ in 0..objects(length) {
                seal_loop(&library, &mut buffer, &mut Again::new(&block, length), &mut Sink);
            }
        },
    );
    let amount = Amount::Bytes(objects(length) * length);
    report.speed(&row::<L>(name), Clock::Processor, amount, &mut ours, &mut bare);
}

fn open<L: Library>(report: &mut Report, subject: &Subject, length: usize, name: &str) {
    let (body, envelope) = subject.sealed(length);
    let library = L::new(&[7; 32]);
    let mut sealed = Vec::new();
    let block = vec![7; BLOCK];
    let mut source = Again::new(&block, length);
    seal_loop(&library, &mut vec![0; CHUNK + TAG], &mut source, &mut sealed);
    let mut ours = Prepared::new(
        || Scratch(vec![0; CHUNK]),
        |mut sink| {
            for _ in 0..objects(length) {
                open_all(&subject.open(&envelope), &mut &body[..], &mut sink).unwrap();
            }
        },
    );
    let mut bare = Prepared::new(
        || (vec![0; CHUNK + TAG], Scratch(vec![0; CHUNK])),
        |(mut buffer, mut sink)| {
            for _ in 0..objects(length) {
                open_loop(&library, &mut buffer, &mut &sealed[..], &mut sink);
            }
        },
    );
    let amount = Amount::Bytes(objects(length) * length);
    report.speed(&row::<L>(name), Clock::Processor, amount, &mut ours, &mut bare);
}

fn objects(length: usize) -> usize {
    (TOTAL / length).max(1)
}

fn row<L: Library>(ours: &str) -> Row<'_> {
    let against = "a bare loop with its key at hand, no Envelope";
    Row { goal: NUMBER, ours, against, library: L::NAME, bound: Bound::Nothing }
}
