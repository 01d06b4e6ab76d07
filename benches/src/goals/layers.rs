//! Goal 12: two layers against both libraries, each alone on the same chunks.

use object_cipher_core::{ChunkSealer, ReadRange};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, RawAwsLc, RawRustCrypto, TAG, open_slots, seal_slot, seal_slots},
    report::{Amount, Bound, Report, Row},
    subject::{BLOCK, CHUNK, HEADER, STRIDE, Subject},
};

/// A chunk with both tags, and what the body begins with.
const TWO_STRIDE: usize = STRIDE + TAG;
const TWO_HEADERS: usize = 2 * HEADER;
/// More than any cache holds.
const COLD: usize = 256 << 20;
/// The libraries, the inner one first.
pub(super) const PAIR: &str = "aes-gcm in aws-lc-rs";
const BOTH_ALONE: &str = "both libraries, each alone on the same chunks";

pub(crate) fn run(report: &mut Report) {
    if report.wants(12) {
        for (length, words, least) in [(BLOCK, "hot", 0.95), (COLD, "cold", 1.10)] {
            seal(report, length, &format!("seal two layers, {words}"), least);
            bare(report, length, &format!("a bare loop over chunks, {words}, to compare"));
            open(report, length, &format!("open two layers, {words}"), least);
        }
        beside_one_layer::<RawAwsLc>(report, "one layer by AWS-LC");
        beside_one_layer::<RawRustCrypto>(report, "one layer by RustCrypto");
    }
}

fn row<'a>(ours: &'a str, against: &'a str, bound: Bound) -> Row<'a> {
    Row { goal: 12, ours, against, library: PAIR, bound }
}

fn slots(length: usize, stride: usize) -> usize {
    length / CHUNK * stride + stride - CHUNK
}

/// Both libraries over a buffer of their own each, one after the other.
struct Alone {
    inner: RawRustCrypto,
    outer: RawAwsLc,
    slots: [Vec<u8>; 2],
}

impl Alone {
    fn new(length: usize) -> Self {
        let [inner, outer] = [STRIDE, STRIDE + TAG].map(|stride| vec![7; slots(length, stride)]);
        let (rust_crypto, aws_lc) = (RawRustCrypto::new(&[7; 32]), RawAwsLc::new(&[9; 32]));
        Self { inner: rust_crypto, outer: aws_lc, slots: [inner, outer] }
    }

    fn seal(&mut self) {
        seal_slots(&self.inner, &mut self.slots[0], STRIDE);
        seal_slots(&self.outer, &mut self.slots[1], TWO_STRIDE);
    }

    fn open(&self, slots: &mut [Vec<u8>; 2]) {
        open_slots(&self.inner, &mut slots[0], STRIDE, 0);
        open_slots(&self.outer, &mut slots[1], TWO_STRIDE, 0);
    }
}

fn seal(report: &mut Report, length: usize, ours: &str, least: f64) {
    let chunks = Subject::two_layers().sealer().into_chunks();
    let mut buffer = vec![7; slots(length, TWO_STRIDE)];
    let mut alone = Alone::new(length);
    let mut both = Prepared::new(|| (), |()| seal_chunks(&chunks, &mut buffer, TWO_STRIDE));
    let mut each = Prepared::new(|| (), |()| alone.seal());
    let row = row(ours, BOTH_ALONE, Bound::AtLeast(least));
    report.speed(&row, Clock::Processor, Amount::Bytes(length), &mut both, &mut each);
}

/// What the second layer costs.
fn beside_one_layer<L: Library>(report: &mut Report, against: &str) {
    let (two, one) = (Subject::two_layers(), Subject::new(L::backend()));
    let (two, one) = (two.sealer().into_chunks(), one.sealer().into_chunks());
    let (mut ours, mut theirs) = (vec![7; slots(BLOCK, TWO_STRIDE)], vec![7; slots(BLOCK, STRIDE)]);
    let mut two = Prepared::new(|| (), |()| seal_chunks(&two, &mut ours, TWO_STRIDE));
    let mut one = Prepared::new(|| (), |()| seal_chunks(&one, &mut theirs, STRIDE));
    let row = row("seal two layers, hot, to compare", against, Bound::Nothing);
    report.speed(&row, Clock::Processor, Amount::Bytes(BLOCK), &mut two, &mut one);
}

fn seal_chunks(chunks: &impl ChunkSealer, buffer: &mut [u8], stride: usize) {
    for (index, slot) in (0..).zip(buffer.chunks_mut(stride)) {
        chunks.seal(index, slot.len() < stride, slot).unwrap();
    }
}

/// Both libraries, bare, over each chunk in turn: what the order alone costs or saves.
fn bare(report: &mut Report, length: usize, ours: &str) {
    let mut buffer = vec![7; slots(length, TWO_STRIDE)];
    let (inner, outer) = (RawRustCrypto::new(&[7; 32]), RawAwsLc::new(&[9; 32]));
    let mut alone = Alone::new(length);
    let mut both = Prepared::new(
        || (),
        |()| {
            for (index, slot) in (0..).zip(buffer.chunks_mut(TWO_STRIDE)) {
                let inner_len = slot.len() - TAG;
                seal_slot(&inner, &mut slot[..inner_len], index);
                seal_slot(&outer, slot, index);
            }
        },
    );
    let mut each = Prepared::new(|| (), |()| alone.seal());
    let row = row(ours, BOTH_ALONE, Bound::Nothing);
    report.speed(&row, Clock::Processor, Amount::Bytes(length), &mut both, &mut each);
}

fn open(report: &mut Report, length: usize, ours: &str, least: f64) {
    let (body, opener) = Subject::two_layers().object(length);
    let plan = opener.plan(&ReadRange::Whole).unwrap();
    let chunks = opener.chunks(plan.body().unwrap()).unwrap();
    let mut alone = Alone::new(length);
    alone.seal();
    let mut both = Prepared::new(
        || body[TWO_HEADERS..].to_vec(),
        |mut slots| {
            for (index, slot) in (0..).zip(slots.chunks_mut(TWO_STRIDE)) {
                chunks.open(index, slot.len() < TWO_STRIDE, slot).unwrap();
            }
            slots
        },
    );
    let mut each = Prepared::new(
        || alone.slots.clone(),
        |mut slots| {
            alone.open(&mut slots);
            slots
        },
    );
    let row = row(ours, BOTH_ALONE, Bound::AtLeast(least));
    report.speed(&row, Clock::Processor, Amount::Bytes(length), &mut both, &mut each);
}
