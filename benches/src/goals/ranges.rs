//! Goal 9: a range read fetches its covering chunks and costs what opening them costs.

use object_cipher_core::ReadRange;
use object_cipher_io::open_segment;

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, open_slots, seal_slots},
    report::{Amount, Bound, Report, Row},
    subject::{BLOCK, CHUNK, HEADER, STRIDE, Sink, Subject},
};

pub(crate) fn run<L: Library>(report: &mut Report) {
    if report.wants(9) {
        for (ours, length) in [("4 KiB range", 4 << 10), ("64 KiB range", 64 << 10)] {
            range::<L>(report, ours, length);
        }
    }
}

fn range<L: Library>(report: &mut Report, ours: &str, length: usize) {
    let (body, opener) = Subject::new(L::backend()).object(BLOCK);
    let start = 3 * CHUNK + 1_000;
    let range = ReadRange::Bytes(start as u64..(start + length) as u64);
    let (first, last) = (start / CHUNK, (start + length - 1) / CHUNK);
    let covering = (last + 1 - first) * STRIDE;

    let plan = opener.plan(&range).unwrap();
    let fetch = plan.body().unwrap().fetch();
    let against = "the chunks that cover it";
    let bound = Bound::AtMost(1.0);
    let row =
        Row { goal: 9, ours: &format!("{ours}: bytes fetched"), against, library: L::NAME, bound };
    let fetched = fetch.end - fetch.start;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    report.count(&row, fetched as f64 / covering as f64);

    let mut raw = vec![7; (last + 1 - first) * STRIDE];
    seal_slots(&L::new(&[7; 32]), &mut raw, STRIDE);
    let at = HEADER + first * STRIDE;
    let mut reading = Prepared::new(
        || Sink,
        |mut sink| {
            let plan = opener.plan(&range).unwrap();
            let segment = plan.body().unwrap();
            open_segment(&opener, segment, &mut &body[at..at + covering], &mut sink).unwrap()
        },
    );
    let mut opening = Prepared::new(
        || (),
        |()| {
            let mut slot = vec![0; STRIDE];
            let library = L::new(&[7; 32]);
            for (index, stored) in (0..).zip(raw.chunks(STRIDE)) {
                slot.copy_from_slice(stored);
                open_slots(&library, &mut slot, STRIDE, index);
            }
            slot
        },
    );
    let against = "the library alone: one key set-up, one buffer, the same chunks";
    let bound = Bound::AtMost(1.1);
    let row = Row { goal: 9, ours: &format!("{ours}: time"), against, library: L::NAME, bound };
    report.speed(&row, Clock::Processor, Amount::Bytes(covering), &mut reading, &mut opening);
}
