//! Goal 11: two threads against our own one-thread seal, on the wall clock.

use object_cipher_core::ChunkSealer;
use object_cipher_io::{Parallel, seal_all};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, RawAwsLc},
    report::{Amount, Bound, Report, Row},
    subject::{CHUNK, HEADER, STRIDE, Sink, Subject},
};

/// The plaintext of one run: cold, as an object is that comes from memory.
const LENGTH: usize = 256 << 20;
/// The plaintext that is sealed in place: it stays in the last-level cache.
const IN_PLACE: usize = 16 << 20;

pub(crate) fn run(report: &mut Report) {
    if !report.wants(11) {
        return;
    }
    let pool = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    in_memory(report, &pool(2), "in place in one buffer, 2 threads", 1.8);
    in_memory(report, &pool(1), "in place in one buffer, 1 thread", 0.97);
    streamed(report, &pool(2), "ordered 1 MiB window, 2 threads", 1.7);
    streamed(report, &pool(1), "ordered 1 MiB window, 1 thread", 0.97);
}

fn row<'a>(ours: &'a str, against: &'a str, least: f64) -> Row<'a> {
    Row { goal: 11, ours, against, library: RawAwsLc::NAME, bound: Bound::AtLeast(least) }
}

fn in_memory(report: &mut Report, pool: &ThreadPool, ours: &str, least: f64) {
    let subject = Subject::new(RawAwsLc::backend());
    let parallel = Parallel::new().with_pool(pool);
    let room = HEADER + IN_PLACE / CHUNK * STRIDE + 16;
    let (mut body, mut other) = (vec![7; room], vec![7; room]);
    let mut threads = Prepared::new(
        || subject.sealer(),
        |sealer| parallel.seal_in_place(sealer, &mut body).unwrap(),
    );
    let mut one = Prepared::new(
        || subject.sealer().into_chunks(),
        |chunks| {
            for (index, slot) in (0..).zip(other[HEADER..].chunks_mut(STRIDE)) {
                chunks.seal(index, slot.len() < STRIDE, slot).unwrap();
            }
            chunks
        },
    );
    let row = row(ours, "our own chunks, one by one", least);
    report.speed(&row, Clock::Wall, Amount::Bytes(IN_PLACE), &mut threads, &mut one);
}

fn streamed(report: &mut Report, pool: &ThreadPool, ours: &str, least: f64) {
    let subject = Subject::new(RawAwsLc::backend());
    let parallel = Parallel::new().with_pool(pool);
    let content = vec![7; LENGTH];
    let mut threads = Prepared::new(
        || subject.sealer(),
        |sealer| parallel.seal_all(sealer, &mut &content[..], &mut Sink).unwrap(),
    );
    let mut one = Prepared::new(
        || subject.sealer().into_stream(),
        |stream| seal_all(stream, &mut &content[..], &mut Sink).unwrap(),
    );
    let row = row(ours, "our own stream, `Read` to `Write`", least);
    report.speed(&row, Clock::Wall, Amount::Bytes(LENGTH), &mut threads, &mut one);
}
