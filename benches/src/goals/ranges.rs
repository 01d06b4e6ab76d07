//! Goal 9: a range read fetches its covering chunks and costs what opening them costs.

use object_cipher_core::ReadRange;
use object_cipher_io::open_segment;

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, RawAwsLc, RawRustCrypto, TAG, open_slots, seal_slot},
    report::{Amount, Bound, Report, Row},
    subject::{BLOCK, CHUNK, HEADER, STRIDE, Sink, Subject},
};

/// What is read, and the bare libraries that the same chunks are opened with.
struct Case<'a, K> {
    subject: Subject,
    library: &'a str,
    layers: usize,
    /// Behind the words for the range.
    words: &'a str,
    against: &'a str,
    set_up: fn() -> K,
    seal: fn(&K, &mut [u8], u64),
    open: fn(&K, &mut [u8], u64),
}

pub(crate) fn run<L: Library>(report: &mut Report) {
    let case = Case {
        subject: Subject::new(L::backend()),
        library: L::NAME,
        layers: 1,
        words: "",
        against: "the library alone: one key set-up, one buffer, the same chunks",
        set_up: || L::new(&[7; 32]),
        seal: |library, slot, index| seal_slot(library, slot, index),
        open: |library, slot, index| open_slots(library, slot, STRIDE, index),
    };
    case.run(report);
}

pub(crate) fn run_two_layers(report: &mut Report) {
    let case = Case {
        subject: Subject::two_layers(),
        library: super::layers::PAIR,
        layers: 2,
        words: " of two layers",
        against: "both libraries alone: one key set-up each, one buffer, the same chunks",
        set_up: || (RawRustCrypto::new(&[7; 32]), RawAwsLc::new(&[9; 32])),
        seal: |(inner, outer), slot, index| {
            seal_slot(inner, &mut slot[..STRIDE], index);
            seal_slot(outer, slot, index);
        },
        open: |(inner, outer), slot, index| {
            open_slots(outer, slot, STRIDE + TAG, index);
            open_slots(inner, &mut slot[..STRIDE], STRIDE, index);
        },
    };
    case.run(report);
}

impl<K> Case<'_, K> {
    fn run(&self, report: &mut Report) {
        if report.wants(9) {
            for (ours, length) in [("4 KiB range", 4 << 10), ("64 KiB range", 64 << 10)] {
                self.range(report, &format!("{ours}{}", self.words), length);
            }
        }
    }

    fn range(&self, report: &mut Report, ours: &str, length: usize) {
        let (body, opener) = self.subject.object(BLOCK);
        let start = 3 * CHUNK + 1_000;
        let range = ReadRange::Bytes(start as u64..(start + length) as u64);
        let (first, last) = (start / CHUNK, (start + length - 1) / CHUNK);
        let stride = CHUNK + TAG * self.layers;
        let covering = (last + 1 - first) * stride;

        let plan = opener.plan(&range).unwrap();
        let fetch = plan.body().unwrap().fetch();
        let (name, against) = (format!("{ours}: bytes fetched"), "the chunks that cover it");
        let fetched = fetch.end - fetch.start;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        report.count(&self.row(&name, against, 1.0), fetched as f64 / covering as f64);

        let mut raw = vec![7; covering];
        let library = (self.set_up)();
        for (index, slot) in (0..).zip(raw.chunks_mut(stride)) {
            (self.seal)(&library, slot, index);
        }
        let at = HEADER * self.layers + first * stride;
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
                let mut slot = vec![0; stride];
                let library = (self.set_up)();
                for (index, stored) in (0..).zip(raw.chunks(stride)) {
                    slot.copy_from_slice(stored);
                    (self.open)(&library, &mut slot, index);
                }
                slot
            },
        );
        let name = format!("{ours}: time");
        let row = self.row(&name, self.against, 1.1);
        report.speed(&row, Clock::Processor, Amount::Bytes(covering), &mut reading, &mut opening);
    }

    fn row<'a>(&'a self, ours: &'a str, against: &'a str, most: f64) -> Row<'a> {
        Row { goal: 9, ours, against, library: self.library, bound: Bound::AtMost(most) }
    }
}
