//! Goal 10: what a stream allocates, counted.

#![expect(clippy::cast_precision_loss, reason = "far below 2^52")]

use allocation_counter::measure;
use object_cipher_io::{open_all, seal_all};

use crate::{
    raw::{Library, RawAwsLc},
    report::{Bound, Report, Row},
    subject::{Again, BLOCK, Sink, Subject},
};

/// Four chunk buffers and 64 KiB.
const MOST: f64 = 4.0 * 16_400.0 + 65_536.0;

pub(crate) fn run(report: &mut Report) {
    if !report.wants(10) {
        return;
    }
    let subject = Subject::new(RawAwsLc::backend());
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
    for (name, short, long) in
        [("seal", seal(BLOCK), seal(8 * BLOCK)), ("open", open(BLOCK), open(8 * BLOCK))]
    {
        let bound = Bound::AtMost(0.0);
        let (ours, against) = (format!("{name}: allocations a chunk"), "counted");
        let row = Row { goal: 10, ours: &ours, against, library: RawAwsLc::NAME, bound };
        report.count(&row, long.count_total as f64 - short.count_total as f64);

        let ours = format!("{name}: most bytes at a time, 2 MiB object");
        let against = "four chunks and 64 KiB";
        let row = Row {
            goal: 10,
            ours: &ours,
            against,
            library: RawAwsLc::NAME,
            bound: Bound::AtMost(MOST),
        };
        report.count(&row, long.bytes_max as f64);
    }
}
