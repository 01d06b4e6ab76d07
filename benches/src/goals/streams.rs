//! Goals 2 and 3: readers and writers against a bare loop over the library.

use std::io::{Read, Write};

use futures::executor::block_on;
use object_cipher_core::ReadRange;
use object_cipher_io::{OpenReader, SealWriter, open_all, seal_all};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    measure::{Case, Clock, Prepared},
    raw::{Library, TAG, open_loop, seal_loop},
    report::{Amount, Bound, Report, Row},
    subject::{Again, BLOCK, CHUNK, Scratch, Sink, Subject},
};

/// What goes through in one run, out of one block.
const LENGTH: usize = 16 * BLOCK;
/// The chunk of the loop that goal 3 compares with.
const LARGE_CHUNK: usize = 64 << 10;

pub(crate) fn run<L: Library>(report: &mut Report) {
    if report.wants(2) {
        seal_streams::<L>(report);
        open_streams::<L>(report);
    }
    if report.wants(3) {
        let row = row::<L>(3, "seal, `Read` to `Write`", 1.15);
        speed(report, &row, &mut pumped::<L>(), &mut bare_seal::<L>(LARGE_CHUNK));
        // What is left for us on this processor: the same bare loop with the format's chunks.
        let ours = "a bare loop with 16 KiB chunks, to compare";
        let row = Row { bound: Bound::Nothing, ..self::row::<L>(3, ours, 0.0) };
        speed(report, &row, &mut bare_seal::<L>(CHUNK), &mut bare_seal::<L>(LARGE_CHUNK));
    }
}

fn row<L: Library>(goal: u64, ours: &str, least: f64) -> Row<'_> {
    let against = if goal == 2 {
        "a bare loop, 16 KiB chunks, one buffer"
    } else {
        "a bare loop, 64 KiB chunks, one buffer"
    };
    Row { goal, ours, against, library: L::NAME, bound: Bound::AtLeast(least) }
}

fn speed(report: &mut Report, row: &Row<'_>, ours: &mut dyn Case, theirs: &mut dyn Case) {
    report.speed(row, Clock::Processor, Amount::Bytes(LENGTH), ours, theirs);
}

fn seal_streams<L: Library>(report: &mut Report) {
    let mut bare = bare_seal::<L>(CHUNK);
    speed(report, &row::<L>(2, "seal, `Read` to `Write`", 0.95), &mut pumped::<L>(), &mut bare);

    let subject = Subject::new(L::backend());
    let block = vec![7; BLOCK];
    let mut writing = Prepared::new(
        || SealWriter::new(subject.sealer().into_stream(), Sink),
        |mut writer| {
            for _ in 0..LENGTH / BLOCK {
                Write::write_all(&mut writer, &block).unwrap();
            }
            writer.close().unwrap();
            writer
        },
    );
    speed(report, &row::<L>(2, "seal through `Write`", 0.95), &mut writing, &mut bare);

    let mut writing = Prepared::new(
        || SealWriter::new(subject.sealer().into_stream(), Sink),
        |mut writer| {
            block_on(async {
                for _ in 0..LENGTH / BLOCK {
                    AsyncWriteExt::write_all(&mut writer, &block).await.unwrap();
                }
                writer.shutdown().await.unwrap();
            });
            writer
        },
    );
    speed(report, &row::<L>(2, "seal through `AsyncWrite`", 0.90), &mut writing, &mut bare);
}

fn open_streams<L: Library>(report: &mut Report) {
    let (body, opener) = Subject::new(L::backend()).object(LENGTH);
    let library = L::new(&[7; 32]);
    let mut sealed = Vec::new();
    let block = vec![7; BLOCK];
    let mut source = Again::new(&block, LENGTH);
    seal_loop(&library, &mut vec![0; CHUNK + TAG], &mut source, &mut sealed);
    let mut bare = Prepared::new(
        || (vec![0; CHUNK + TAG], Scratch(vec![0; CHUNK])),
        |(mut buffer, mut sink)| open_loop(&library, &mut buffer, &mut &sealed[..], &mut sink),
    );

    let mut pumped = Prepared::new(
        || Scratch(vec![0; CHUNK]),
        |mut sink| open_all(&opener, &mut &body[..], &mut sink).unwrap(),
    );
    speed(report, &row::<L>(2, "open, `Read` to `Write`", 0.95), &mut pumped, &mut bare);

    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let reader = || {
        let stream = opener.open_segment(plan.body().unwrap()).unwrap();
        (OpenReader::new(stream, &body[..]), vec![0; CHUNK])
    };
    let mut reading = Prepared::new(reader, |(mut reader, mut buffer)| {
        while Read::read(&mut reader, &mut buffer).unwrap() > 0 {}
        (reader, buffer)
    });
    speed(report, &row::<L>(2, "open through `Read`", 0.95), &mut reading, &mut bare);

    let mut reading = Prepared::new(reader, |(mut reader, mut buffer)| {
        block_on(async {
            while AsyncReadExt::read(&mut reader, &mut buffer).await.unwrap() > 0 {}
        });
        (reader, buffer)
    });
    speed(report, &row::<L>(2, "open through `AsyncRead`", 0.90), &mut reading, &mut bare);
}

/// Our whole stream, from a reader to a writer.
fn pumped<L: Library>() -> impl Case {
    let subject = Subject::new(L::backend());
    let block = vec![7; BLOCK];
    Prepared::new(
        move || subject.sealer().into_stream(),
        move |stream| seal_all(stream, &mut Again::new(&block, LENGTH), &mut Sink).unwrap(),
    )
}

/// A bare loop with chunks of a length.
fn bare_seal<L: Library>(chunk_len: usize) -> impl Case {
    let library = L::new(&[7; 32]);
    let block = vec![7; BLOCK];
    Prepared::new(
        move || vec![0; chunk_len + TAG],
        move |mut buffer| {
            seal_loop(&library, &mut buffer, &mut Again::new(&block, LENGTH), &mut Sink);
            buffer
        },
    )
}
