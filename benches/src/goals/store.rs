//! Goal 18: `EncryptedStore` around a store in memory, against that store and the same bytes through bare
//! AES-256-GCM.

use std::{hint::black_box, ops::Range};

use bytes::Bytes;
use futures::{StreamExt as _, executor::block_on};
use object_cipher_core::{EkSource, LayeredCipher};
use object_cipher_object_store::EncryptedStore;
use object_cipher_testkit::TestKeys;
use object_store::{ObjectStore as _, ObjectStoreExt as _, memory::InMemory, path::Path};

use crate::{
    measure::{Clock, Prepared},
    raw::{Library, TAG, open_slots, seal_slots},
    report::{Amount, Bound, Report, Row},
    subject::{CHUNK, HEADER, STRIDE},
};

const LENGTH: usize = 64 << 20;
const RANGE: usize = 64 << 10;
/// Ranges that are asked for at once.
const RANGES: usize = 16;

const BARE: &str = "the bare store, and bare AES-256-GCM of the same bytes in new memory";
const STORE: &str = "the bare store, nothing encrypted, its bytes copied out";

pub(crate) fn run<L: Library>(report: &mut Report) {
    if !report.wants(18) {
        return;
    }
    let stores = Stores::<L>::new();
    stores.put(report);
    stores.get(report);
    stores.ranges(report);
}

/// The same object, in an encrypted store and, sealed by hand, in a bare one.
struct Stores<L> {
    encrypted: EncryptedStore<InMemory>,
    bare: InMemory,
    library: L,
    content: Bytes,
    path: Path,
}

impl<L: Library> Stores<L> {
    fn new() -> Self {
        let keys = TestKeys::new(EkSource::Master, [7; 32]);
        let cipher = LayeredCipher::sse_s3(keys, L::backend());
        let stores = Self {
            encrypted: EncryptedStore::new(InMemory::new(), "lake", cipher),
            bare: InMemory::new(),
            library: L::new(&[7; 32]),
            content: vec![7; LENGTH].into(),
            path: Path::from("object"),
        };
        block_on(stores.encrypted.put(&stores.path, stores.content.clone().into())).unwrap();
        block_on(stores.bare.put(&stores.path, stores.sealed().into())).unwrap();
        stores
    }

    /// The content as a body, sealed by hand.
    fn sealed(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(HEADER + LENGTH.div_ceil(CHUNK) * STRIDE);
        body.resize(HEADER, 0);
        for chunk in self.content.chunks(CHUNK) {
            body.extend_from_slice(chunk);
            body.resize(body.len() + TAG, 0);
        }
        seal_slots(&self.library, &mut body[HEADER..], STRIDE);
        body
    }

    fn put(&self, report: &mut Report) {
        let ours = || block_on(self.encrypted.put(&self.path, self.content.clone().into()));
        let by_hand = || block_on(self.bare.put(&self.path, self.sealed().into()));
        let mut ours = Prepared::new(|| (), |()| ours().unwrap());
        let mut by_hand = Prepared::new(|| (), |()| by_hand().unwrap());
        let row = row::<L>("`EncryptedStore`: put 64 MiB", BARE, Bound::AtLeast(0.9));
        report.speed(&row, Clock::Wall, Amount::Bytes(LENGTH), &mut ours, &mut by_hand);
    }

    fn get(&self, report: &mut Report) {
        let mut ours = Prepared::new(|| (), |()| read(&self.encrypted, &self.path));
        let mut by_hand = Prepared::new(
            || (),
            |()| {
                let body = block_on(self.bare.get(&self.path)).unwrap();
                let mut stream = body.into_stream();
                while let Some(piece) = block_on(stream.next()) {
                    let mut piece = piece.unwrap().to_vec();
                    open_slots(&self.library, &mut piece[HEADER..], STRIDE, 0);
                    black_box(&piece);
                }
            },
        );
        let row = row::<L>("`EncryptedStore`: get 64 MiB", BARE, Bound::AtLeast(0.9));
        report.speed(&row, Clock::Wall, Amount::Bytes(LENGTH), &mut ours, &mut by_hand);
    }

    fn ranges(&self, report: &mut Report) {
        let ranges: Vec<Range<u64>> = (0..RANGES as u64)
            .map(|at| at * 0x9E37_79B9_7F4A % (LENGTH - RANGE) as u64)
            .map(|start| start..start + RANGE as u64)
            .collect();
        let covering: Vec<Range<u64>> = ranges.iter().map(covering).collect();
        let mut ours = Prepared::new(
            || (),
            |()| block_on(self.encrypted.get_ranges(&self.path, &ranges)).unwrap(),
        );
        let mut by_hand = Prepared::new(
            || (),
            |()| {
                let fetched = block_on(self.bare.get_ranges(&self.path, &covering)).unwrap();
                let opened = fetched.iter().zip(&covering).map(|(bytes, stored)| {
                    let first = (stored.start - HEADER as u64) / STRIDE as u64;
                    let mut bytes = bytes.to_vec();
                    open_slots(&self.library, &mut bytes, STRIDE, first);
                    bytes
                });
                // All are handed out at once.
                opened.collect::<Vec<_>>()
            },
        );
        let mut plain = Prepared::new(
            || (),
            |()| {
                // In memory it gives out what it has; whoever reads takes it in.
                let found = block_on(self.bare.get_ranges(&self.path, &ranges)).unwrap();
                found.iter().map(|bytes| bytes.to_vec()).collect::<Vec<_>>()
            },
        );
        let amount = Amount::Bytes(RANGE * RANGES);
        let name = "`EncryptedStore`: 16 ranges of 64 KiB at random";
        let against_both = row::<L>(name, BARE, Bound::AtLeast(0.8));
        report.speed(&against_both, Clock::Wall, amount, &mut ours, &mut by_hand);
        let name = "`EncryptedStore`: the same ranges";
        report.speed(
            &row::<L>(name, STORE, Bound::Nothing),
            Clock::Wall,
            amount,
            &mut ours,
            &mut plain,
        );
    }
}

/// What is stored of the chunks that a range touches.
fn covering(range: &Range<u64>) -> Range<u64> {
    let (chunk, stride) = (CHUNK as u64, STRIDE as u64);
    HEADER as u64 + range.start / chunk * stride..HEADER as u64 + range.end.div_ceil(chunk) * stride
}

fn read(store: &EncryptedStore<InMemory>, path: &Path) {
    let mut stream = block_on(store.get(path)).unwrap().into_stream();
    while let Some(piece) = block_on(stream.next()) {
        black_box(piece.unwrap());
    }
}

fn row<L: Library>(ours: &'static str, against: &'static str, bound: Bound) -> Row<'static> {
    Row { goal: 18, ours, against, library: L::NAME, bound }
}
