//! Goal 10: what a stream allocates, counted.

#![expect(clippy::cast_precision_loss, reason = "far below 2^52")]

use allocation_counter::measure;
use object_cipher_io::{open_all, seal_all};

use crate::{
    raw::{Library, RawAwsLc},
    report::{Bound, Report, Row},
    subject::{Again, BLOCK, CHUNK, Sink, Subject},
};

pub(crate) fn run(report: &mut Report) {
    if report.wants(10) {
        count(report, &Subject::new(RawAwsLc::backend()), RawAwsLc::NAME, 1);
        count(report, &Subject::two_layers(), super::layers::PAIR, 2);
    }
}

fn count(report: &mut Report, subject: &Subject, library: &str, layers: usize) {
    let block = vec![7; BLOCK];
    let seal = |length: usize| {
        measure(|| {
            let stream = subject.sealer().into_stream();
            seal_all(stream, &mut Again::new(&block, length), &mut Sink).unwrap();
        })
    };
    let open = |length: usize| {
        let (body, opener) = subject.object(length);
        measure(|| {
            open_all(&opener, &mut &body[..], &mut Sink).unwrap();
        })
    };
    let words = ["", " two layers"][layers - 1];
    // Four chunk buffers, and 64 KiB a layer.
    let most = 4 * (CHUNK + 16 * layers) + 65_536 * layers;
    let against = ["four chunks and 64 KiB", "four chunks and 64 KiB a layer"][layers - 1];
    for (name, short, long) in
        [("seal", seal(BLOCK), seal(8 * BLOCK)), ("open", open(BLOCK), open(8 * BLOCK))]
    {
        let ours = format!("{name}{words}: allocations a chunk");
        let bound = Bound::AtMost(0.0);
        let row = Row { goal: 10, ours: &ours, against: "counted", library, bound };
        report.count(&row, long.count_total as f64 - short.count_total as f64);

        let ours = format!("{name}{words}: most bytes at a time, 2 MiB object");
        let bound = Bound::AtMost(most as f64);
        let row = Row { goal: 10, ours: &ours, against, library, bound };
        report.count(&row, long.bytes_max as f64);
    }
}
