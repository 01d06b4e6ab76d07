//! Goals 4, 6, 7 and 8: whole streams in memory by other formats.

use std::{
    io::{Cursor, Read},
    path::Path,
    process::Command,
};

use allocation_counter::measure;
use object_cipher_core::{ChunkSealer, ReadRange};
use object_cipher_io::{OpenReader, seal_all};

use super::{Peers, skip};
use crate::{
    measure::{Case, Clock, Prepared},
    peer::{Peer, Request},
    raw::{Library, RawAwsLc, RawRustCrypto, TAG},
    report::{Amount, Bound, Report, Row},
    subject::{Again, BLOCK, CHUNK, STRIDE, Sink, Subject},
};

/// A stream and the block that its content is made of.
#[derive(Clone, Copy)]
struct Shape {
    words: &'static str,
    length: usize,
    block: usize,
}

/// Content out of the second-level cache.
const HOT: Shape = Shape { words: "4 MiB", length: 16 * BLOCK, block: BLOCK };
/// Content out of memory.
const COLD: Shape = Shape { words: "64 MiB, cold", length: 64 << 20, block: 64 << 20 };
/// As long as a peer that holds whole objects is asked for.
const LONG: Shape = Shape { words: "32 MiB, cold", length: 32 << 20, block: 32 << 20 };

/// A peer, by its name in the table and the command that starts it.
struct Format<'a> {
    goal: u64,
    name: &'a str,
    program: &'a Path,
    args: &'a [&'a str],
}

/// What a stream is measured for, and its aim.
#[derive(Clone, Copy)]
enum Does {
    Seal,
    SealInPlace,
    Open,
}

pub(super) fn run(report: &mut Report, peers: &Peers) {
    if report.wants(4) {
        match &peers.dare {
            Some(program) => dare(report, program),
            None => skip(report, 4, "--dare"),
        }
    }
    if report.wants(7) {
        match &peers.tink_python {
            Some(python) => tink(report, python),
            None => skip(report, 7, "--tink-python"),
        }
    }
    for (goal, crates) in [(6, age_and_rio as fn(&mut Report, &Path)), (8, esdk)] {
        match &peers.rust {
            _ if !report.wants(goal) => {}
            Some(program) => crates(report, program),
            None => skip(report, goal, "--rust"),
        }
    }
}

fn dare(report: &mut Report, program: &Path) {
    let name = "minio/sio's shape rebuilt in Go: DARE 2.0, AES-256-GCM";
    let dare = Format { goal: 4, name, program, args: &[] };
    dare.compare(report, HOT, &[(Does::Seal, 2.0), (Does::SealInPlace, 2.6)]);
    dare.compare(report, COLD, &[(Does::Seal, 1.5), (Does::Open, 1.45)]);
}

fn age_and_rio(report: &mut Report, program: &Path) {
    for (name, args) in [("`age` 0.12", ["age"]), ("`rustfs-rio` 0.0.3", ["rustfs-rio"])] {
        let format = Format { goal: 6, name, program, args: &args };
        format.compare(report, HOT, &[(Does::Seal, 7.5), (Does::Open, 7.5)]);
        format.compare(report, COLD, &[(Does::Seal, 4.5), (Does::Open, 4.5)]);
    }
}

fn tink(report: &mut Report, python: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/tink-python/streams.py");
    let name = "Tink 1.16 (C++) from Python, segments of 1 MiB";
    let tink = Format { goal: 7, name, program: python, args: &[script] };
    tink.compare(report, HOT, &[(Does::Seal, 2.3), (Does::Open, 2.5)]);
    tink.compare(report, COLD, &[(Does::Seal, 2.3), (Does::Open, 2.5)]);
}

fn esdk(report: &mut Report, program: &Path) {
    let name = "`aws-esdk` 1.2, frames of 64 KiB";
    let esdk = Format { goal: 8, name, program, args: &["aws-esdk"] };
    esdk.compare(report, LONG, &[(Does::Seal, 25.0), (Does::Open, 25.0)]);
    esdk.memory(report);
}

impl Format<'_> {
    fn start(&self, shape: Shape) -> Peer {
        let mut command = Command::new(self.program);
        let Shape { length, block, .. } = shape;
        Peer::start(command.args(self.args).arg(length.to_string()).arg(block.to_string()))
    }

    /// Measures a shape with both libraries; the aims are those of the fast one.
    fn compare(&self, report: &mut Report, shape: Shape, aims: &[(Does, f64)]) {
        let mut peer = self.start(shape);
        for (does, least) in aims {
            self.row::<RawAwsLc>(report, shape, *does, Bound::AtLeast(*least), &mut peer);
            self.row::<RawRustCrypto>(report, shape, *does, Bound::Nothing, &mut peer);
        }
    }

    fn row<L: Library>(
        &self,
        report: &mut Report,
        shape: Shape,
        does: Does,
        bound: Bound,
        peer: &mut Peer,
    ) {
        let (what, words) = match does {
            Does::Seal => ("seal, `Read` to `Write`", "seal"),
            Does::SealInPlace => ("seal in place", "seal"),
            Does::Open => ("open through `Read`", "open"),
        };
        let ours = format!("{what}, {}", shape.words);
        let row = Row { goal: self.goal, ours: &ours, against: self.name, library: L::NAME, bound };
        let mut theirs = Request { peer, words, times: 1 };
        let content = vec![0x5A; shape.block];
        let mut compare = |ours: &mut dyn Case| {
            let amount = Amount::Bytes(shape.length);
            report.speed(&row, Clock::Processor, amount, ours, &mut theirs);
        };
        match does {
            Does::Seal => compare(&mut sealing::<L>(&content, shape.length)),
            Does::SealInPlace => compare(&mut sealing_in_place::<L>(shape)),
            Does::Open => compare(&mut opening::<L>(shape.length)),
        }
    }

    /// How much more the peer takes for a long object than our stream does.
    fn memory(&self, report: &mut Report) {
        let content = vec![0x5A; LONG.block];
        let subject = Subject::new(RawAwsLc::backend());
        let ours = measure(|| {
            let stream = subject.sealer().into_stream();
            seal_all(stream, &mut Again::new(&content, LONG.length), &mut Sink).unwrap();
        });
        let theirs = self.start(LONG).ask("memory seal");
        let row = Row {
            goal: self.goal,
            ours: "seal, 32 MiB: most bytes at a time, over the growth of the peer's process",
            against: self.name,
            library: RawAwsLc::NAME,
            bound: Bound::AtMost(0.1),
        };
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        report.count(&row, ours.bytes_max as f64 / theirs);
    }
}

fn sealing<L: Library>(content: &[u8], length: usize) -> impl Case {
    let subject = Subject::new(L::backend());
    Prepared::new(
        move || subject.sealer().into_stream(),
        move |stream| seal_all(stream, &mut Again::new(content, length), &mut Sink).unwrap(),
    )
}

/// Chunks in one block, again and again.
fn sealing_in_place<L: Library>(shape: Shape) -> impl Case {
    let chunks = Subject::new(L::backend()).sealer().into_chunks();
    let mut block = vec![0x5A; shape.block / CHUNK * STRIDE];
    let mut sealed = move |first: u64| {
        for (index, slot) in (first..).zip(block.chunks_exact_mut(CHUNK + TAG)) {
            chunks.seal(index, false, slot).unwrap();
        }
    };
    Prepared::new(
        || (),
        move |()| {
            let each = (shape.block / CHUNK) as u64;
            (0..(shape.length / shape.block) as u64).for_each(|block| sealed(block * each));
        },
    )
}

fn opening<L: Library>(length: usize) -> impl Case {
    let (body, opener) = Subject::new(L::backend()).object(length);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let body = std::rc::Rc::<[u8]>::from(body);
    Prepared::new(
        move || {
            let stream = opener.open_segment(plan.body().unwrap()).unwrap();
            (OpenReader::new(stream, Cursor::new(body.clone())), vec![0; CHUNK])
        },
        |(mut reader, mut buffer)| {
            while reader.read(&mut buffer).unwrap() > 0 {}
            (reader, buffer)
        },
    )
}
