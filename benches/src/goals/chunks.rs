//! Goal 1: chunks in place, and unshared `Bytes`, against the bare library on the same chunks.

use std::io;

use bytes::Bytes;
use futures::{StreamExt, executor::block_on, stream};
use object_cipher_core::{ChunkSealer, ReadRange};
use object_cipher_io::{Error, OpenBytes, SealBytes};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, TAG, open_slots, seal_slots},
    report::{Amount, Bound, Report, Row},
    subject::{BLOCK, CHUNK, HEADER, STRIDE, Subject},
};

/// Full chunks and, as in every body, one shorter: here empty.
const SLOTS: usize = BLOCK / CHUNK * STRIDE + TAG;

/// What goes through a stream in one run, so that its beginning and end do not count.
const STREAM: usize = 4 * BLOCK;
const STREAM_SLOTS: usize = STREAM / CHUNK * STRIDE + TAG;

pub(crate) fn run<L: Library>(report: &mut Report) {
    if report.wants(1) {
        seal_in_place::<L>(report);
        open_in_place::<L>(report);
        seal_bytes::<L>(report);
        open_bytes::<L>(report);
    }
}

fn row<L: Library>(ours: &str) -> Row<'_> {
    let against = "the library alone on the same chunks";
    Row { goal: 1, ours, against, library: L::NAME, bound: Bound::AtLeast(0.97) }
}

fn seal_in_place<L: Library>(report: &mut Report) {
    let chunks = Subject::new(L::backend()).sealer().into_chunks();
    let library = L::new(&[7; 32]);
    let (mut ours, mut theirs) = (vec![7; SLOTS], vec![7; SLOTS]);
    let mut ours = Prepared::new(
        || (),
        |()| {
            for (index, slot) in (0..).zip(ours.chunks_mut(STRIDE)) {
                chunks.seal(index, slot.len() < STRIDE, slot).unwrap();
            }
        },
    );
    let mut theirs = Prepared::new(|| (), |()| seal_slots(&library, &mut theirs, STRIDE));
    report.speed(
        &row::<L>("seal in place"),
        Clock::Processor,
        Amount::Bytes(BLOCK),
        &mut ours,
        &mut theirs,
    );
}

fn open_in_place<L: Library>(report: &mut Report) {
    let (body, opener) = Subject::new(L::backend()).object(BLOCK);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let chunks = opener.chunks(plan.body().unwrap()).unwrap();
    let library = L::new(&[7; 32]);
    let mut raw = vec![7; SLOTS];
    seal_slots(&library, &mut raw, STRIDE);
    let mut ours = Prepared::new(
        || body[HEADER..].to_vec(),
        |mut slots| {
            for (index, slot) in (0..).zip(slots.chunks_mut(STRIDE)) {
                chunks.open(index, slot.len() < STRIDE, slot).unwrap();
            }
            slots
        },
    );
    let mut theirs = Prepared::new(
        || raw.clone(),
        |mut slots| {
            open_slots(&library, &mut slots, STRIDE, 0);
            slots
        },
    );
    report.speed(
        &row::<L>("open in place"),
        Clock::Processor,
        Amount::Bytes(BLOCK),
        &mut ours,
        &mut theirs,
    );
}

fn seal_bytes<L: Library>(report: &mut Report) {
    let subject = Subject::new(L::backend());
    let library = L::new(&[7; 32]);
    let mut ours = Prepared::new(
        || (SealBytes::new(subject.sealer(), whole(vec![7; STREAM])), room()),
        |(sealing, mut room)| {
            block_on(collect(sealing, &mut room));
            room
        },
    );
    let mut theirs = Prepared::new(
        || vec![7; STREAM_SLOTS],
        |mut slots| {
            seal_slots(&library, &mut slots, STRIDE);
            slots
        },
    );
    report.speed(
        &row::<L>("seal unshared `Bytes`"),
        Clock::Processor,
        Amount::Bytes(STREAM),
        &mut ours,
        &mut theirs,
    );
}

fn open_bytes<L: Library>(report: &mut Report) {
    let (body, opener) = Subject::new(L::backend()).object(STREAM);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let segment = plan.body().unwrap();
    let library = L::new(&[7; 32]);
    let mut raw = vec![7; STREAM_SLOTS];
    seal_slots(&library, &mut raw, STRIDE);
    let mut ours = Prepared::new(
        || (OpenBytes::new(&opener, segment, whole(body.clone())).unwrap(), room()),
        |(opening, mut room)| {
            block_on(collect(opening, &mut room));
            room
        },
    );
    let mut theirs = Prepared::new(
        || raw.clone(),
        |mut slots| {
            open_slots(&library, &mut slots, STRIDE, 0);
            slots
        },
    );
    report.speed(
        &row::<L>("open unshared `Bytes`"),
        Clock::Processor,
        Amount::Bytes(STREAM),
        &mut ours,
        &mut theirs,
    );
}

/// Content in one piece that nobody else holds.
fn whole(content: Vec<u8>) -> impl futures::Stream<Item = io::Result<Bytes>> + Unpin {
    stream::iter([Ok(Bytes::from(content))])
}

/// Room for the pieces, so that dropping them is not timed.
fn room() -> Vec<Bytes> {
    Vec::with_capacity(3 * STREAM / CHUNK)
}

async fn collect(
    mut stream: impl futures::Stream<Item = Result<Bytes, Error>> + Unpin,
    room: &mut Vec<Bytes>,
) {
    while let Some(item) = stream.next().await {
        room.push(item.unwrap());
    }
}
