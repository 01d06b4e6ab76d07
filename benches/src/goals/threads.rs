//! Goal 11: two threads against our own one-thread seal, on the wall clock.

use object_cipher_core::ChunkSealer;
use object_cipher_io::{Parallel, seal_all};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, RawAwsLc},
    report::{Amount, Bound, Report, Row},
    subject::{CHUNK, HEADER, Sink, Subject},
};

/// The plaintext of one run: cold, as an object is that comes from memory.
const LENGTH: usize = 256 << 20;
/// The plaintext that is sealed in place: it stays in the last-level cache.
const IN_PLACE: usize = 16 << 20;

/// What is sealed by several threads.
struct Case<'a> {
    subject: Subject,
    library: &'a str,
    layers: usize,
    /// Before the words for the manner.
    words: &'a str,
}

pub(crate) fn run(report: &mut Report) {
    if !report.wants(11) {
        return;
    }
    let pools = [2, 1].map(|count| ThreadPoolBuilder::new().num_threads(count).build().unwrap());
    let (one, two) = (Subject::new(RawAwsLc::backend()), Subject::two_layers());
    for case in [
        Case { subject: one, library: RawAwsLc::NAME, layers: 1, words: "" },
        Case { subject: two, library: super::layers::PAIR, layers: 2, words: "two layers, " },
    ] {
        for (pool, threads, least) in [(&pools[0], "2 threads", 1.8), (&pools[1], "1 thread", 0.97)]
        {
            case.in_memory(report, pool, threads, least);
        }
        for (pool, threads, least) in [(&pools[0], "2 threads", 1.7), (&pools[1], "1 thread", 0.97)]
        {
            case.streamed(report, pool, threads, least);
        }
    }
}

impl Case<'_> {
    fn row<'a>(&'a self, ours: &'a str, against: &'a str, least: f64) -> Row<'a> {
        Row { goal: 11, ours, against, library: self.library, bound: Bound::AtLeast(least) }
    }

    fn in_memory(&self, report: &mut Report, pool: &ThreadPool, threads: &str, least: f64) {
        let parallel = Parallel::new().with_pool(pool);
        let (header, tags) = (HEADER * self.layers, 16 * self.layers);
        let room = header + IN_PLACE / CHUNK * (CHUNK + tags) + tags;
        let (mut body, mut other) = (vec![7; room], vec![7; room]);
        let mut together = Prepared::new(
            || self.subject.sealer(),
            |sealer| parallel.seal_in_place(sealer, &mut body).unwrap(),
        );
        let mut one = Prepared::new(
            || self.subject.sealer().into_chunks(),
            |chunks| {
                for (index, slot) in (0..).zip(other[header..].chunks_mut(CHUNK + tags)) {
                    chunks.seal(index, slot.len() < CHUNK + tags, slot).unwrap();
                }
                chunks
            },
        );
        let ours = format!("{}in place in one buffer, {threads}", self.words);
        let row = self.row(&ours, "our own chunks, one by one", least);
        report.speed(&row, Clock::Wall, Amount::Bytes(IN_PLACE), &mut together, &mut one);
    }

    fn streamed(&self, report: &mut Report, pool: &ThreadPool, threads: &str, least: f64) {
        let parallel = Parallel::new().with_pool(pool);
        let content = vec![7; LENGTH];
        let mut together = Prepared::new(
            || self.subject.sealer(),
            |sealer| parallel.seal_all(sealer, &mut &content[..], &mut Sink).unwrap(),
        );
        let mut one = Prepared::new(
            || self.subject.sealer().into_stream(),
            |stream| seal_all(stream, &mut &content[..], &mut Sink).unwrap(),
        );
        let ours = format!("{}ordered 1 MiB window, {threads}", self.words);
        let row = self.row(&ours, "our own stream, `Read` to `Write`", least);
        report.speed(&row, Clock::Wall, Amount::Bytes(LENGTH), &mut together, &mut one);
    }
}
